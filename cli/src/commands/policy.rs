//! `escher policy`: the rules of who may do what.

use std::path::Path;

use escher_policy::{Action, Rule, Verdict};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::approve::{find, text};
use crate::args::{Common, Format, Policy};
use crate::failure::Failure;
use crate::project::{Project, policy_failure};
use crate::{output, render};

pub(crate) fn policy(common: &Common, what: Option<&Policy>, format: Format) -> Result<u8, Failure> {
    match what {
        None | Some(Policy::Show { .. }) => show(common, format),
        Some(Policy::Check { file, .. }) => check(common, file.as_deref(), format),
        Some(Policy::Explain { what, principal, action, at, .. }) => {
            explain(common, what.as_deref(), principal.as_deref(), action, at.as_deref(), format)
        }
        Some(Policy::Test { file, .. }) => test(common, file.as_deref(), format),
    }
}

fn show(common: &Common, format: Format) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let gate = project.gate(&engine, false)?;
    let (halt, same) = (engine.halted()?, engine.trust()?.is_none() || engine.trusts(&gate)?);
    let now = Timestamp::now();
    let frozen: Vec<&String> =
        gate.freezes.iter().filter(|(_, freeze)| freeze.holds(now).unwrap_or(true)).map(|(name, _)| name).collect();
    if format == Format::Json {
        output::json(&json!({
            "schema": "escher.policy/1", "version": gate.policy.version(), "signed": same,
            "rules": gate.policy.rules().iter().map(rule_json).collect::<Vec<_>>(),
            "roles": gate.roles, "frozen": frozen,
            "halted": halt.map(|h| json!({ "by": h.principal, "at": h.at.to_string(), "reason": h.reason })),
        }));
        return Ok(0);
    }
    if let Some(halt) = halt {
        let why = if halt.reason.is_empty() { String::new() } else { format!(": {}", halt.reason) };
        output::line(&format!("HALTED by {} at {:.0}{why}", halt.principal, halt.at));
    }
    for name in frozen {
        output::line(&format!("FROZEN now: {name}"));
    }
    let mut table = render::table(["rule", "", "says", "of"]);
    for rule in gate.policy.rules() {
        let what = if rule.permits { "permits" } else { "forbids" };
        let of = if rule.own { "this project" } else { "every project" };
        table.add_row([rule.name.as_str(), what, rule.says.as_deref().unwrap_or_default(), of]);
    }
    output::line(&table.to_string());
    if !same {
        output::note(
            "The files here are not what the root key signed: `escher trust sign --key KEY`, or put them back.",
        );
    }
    Ok(0)
}

fn rule_json(rule: &Rule) -> Value {
    json!({ "name": rule.name, "effect": if rule.permits { "permit" } else { "forbid" }, "says": rule.says,
        "help": rule.help, "own": rule.own })
}

fn check(common: &Common, file: Option<&Path>, format: Format) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let path = match (file, &project.root, &project.settings.policy.file) {
        (Some(file), ..) => file.to_path_buf(),
        (None, Some(root), Some(file)) => root.join(file),
        _ => {
            return Err(Failure::usage("this project has no rules of its own")
                .help("name their file in escher.toml: `[policy]` with `file = \"policy.cedar\"`"));
        }
    };
    let rules = text(&path)?;
    let policy = escher_policy::Policy::with(&rules)
        .map_err(|error| Failure { code: 1, ..policy_failure(&path, &rules, &error) })?;
    let own = policy.rules().iter().filter(|rule| rule.own);
    if format == Format::Json {
        output::json(&json!({ "schema": "escher.policy/1", "version": policy.version(),
            "rules": own.map(rule_json).collect::<Vec<_>>() }));
    } else {
        output::note(&format!("{}: {} rules", path.display(), own.count()));
    }
    Ok(0)
}

fn explain(
    common: &Common,
    what: Option<&str>,
    principal: Option<&str>,
    action: &str,
    at: Option<&str>,
    format: Format,
) -> Result<u8, Failure> {
    let action = Action::named(action).ok_or_else(|| {
        let names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        Failure::usage(format!("there is no action `{action}`")).help(format!("there are {}", names.join(", ")))
    })?;
    let at = match at {
        None => Timestamp::now(),
        Some(text) => text.parse().map_err(|_| {
            Failure::usage(format!("`--at {text}` is no instant")).help("write it as 2026-12-24T12:00:00Z")
        })?,
    };
    let project = Project::find(what.map(Path::new), common)?;
    let engine = project.engine()?;
    let gate = project.gate(&engine, false)?;
    let principal = principal.map_or_else(|| project.principal(), |name| Ok(name.to_string()))?;
    let verdict = match what {
        Some(what) if !action.is_of_store() => {
            engine.explain(&find(&engine, what)?.run, &principal, action, &gate, at)?
        }
        None if action.is_of_store() => engine.explain_in_store(&principal, action, &gate)?,
        Some(_) => {
            return Err(
                Failure::usage(format!("`{}` is about the whole state", action.name())).help("leave the plan out")
            );
        }
        None => {
            return Err(Failure::usage(format!("`{}` is about a plan", action.name()))
                .help("name a plan file or a run: `escher policy explain plan.json …`"));
        }
    };
    told(&verdict, format);
    Ok(if verdict.allowed { 0 } else { 3 })
}

fn told(verdict: &Verdict, format: Format) {
    if format == Format::Json {
        output::json(&json!({
            "schema": "escher.verdict/1", "allowed": verdict.allowed, "reason": verdict.reason, "help": verdict.help,
            "rules": verdict.rules.iter().map(rule_json).collect::<Vec<_>>(), "roles": verdict.roles,
        }));
        return;
    }
    output::line(&format!("{}: {}", if verdict.allowed { "yes" } else { "no" }, verdict.reason));
    if !verdict.help.is_empty() {
        output::line(&format!("  help: {}", verdict.help));
    }
}

fn test(common: &Common, file: Option<&Path>, format: Format) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let gate = project.gate(&engine, false)?;
    let path = match (file, &project.root) {
        (Some(file), _) => file.to_path_buf(),
        (None, Some(root)) => {
            let named = project.settings.policy.tests.clone();
            root.join(named.unwrap_or_else(|| "policy.tests.toml".into()))
        }
        (None, None) => return Err(Failure::usage("nothing says where the cases are").help("name their file")),
    };
    let zone = TimeZone::get(if gate.zone.is_empty() { "UTC" } else { &gate.zone });
    let zone = zone.map_err(|error| Failure::usage(error.to_string()))?;
    let judged = escher_policy::judge(&gate.policy, &text(&path)?, &gate.roles, &zone)
        .map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?;
    let wrong = judged.iter().filter(|case| case.wrong.is_some()).count();
    if format == Format::Json {
        let cases: Vec<Value> = judged
            .iter()
            .map(|case| {
                json!({ "title": case.title, "passed": case.wrong.is_none(), "wrong": case.wrong,
                "allowed": case.verdict.allowed, "reason": case.verdict.reason })
            })
            .collect();
        output::json(&json!({ "schema": "escher.policy-test/1", "passed": judged.len() - wrong, "failed": wrong,
            "cases": cases }));
    } else {
        for case in &judged {
            if let Some(wrong) = &case.wrong {
                output::line(&format!("{} {}\n     {wrong}", output::red("FAIL"), case.title));
            }
        }
        output::line(&format!("{} cases: {} passed, {wrong} failed", judged.len(), judged.len() - wrong));
    }
    Ok(u8::from(wrong > 0))
}
