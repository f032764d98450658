//! A plan as `escher.plan/1`, and the check that a plan file still says what is stored.

use escher_catalog::Risk;
use escher_ir::json::to_json;
use escher_ir::plan::{PlannedApproval, PlannedArgument, Replaced, Rollback};
use escher_ir::program::Approval;
use serde_json::{Map, Value as Json, json};

use super::Planned;
use crate::engine::Engine;
use crate::error::{EngineError, Refused};

/// The word of a risk.
pub(crate) fn risk_word(risk: Risk) -> &'static str {
    match risk {
        Risk::Read => "read",
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}

fn rollback_word(rollback: &Rollback) -> &'static str {
    match rollback {
        Rollback::Undo => "undo",
        Rollback::Replaced => "replaced",
        Rollback::Itself => "itself",
        Rollback::Irreversible(_) => "irreversible",
        Rollback::None => "none",
    }
}

/// The plan as `escher.plan/1`.
pub fn plan_json(planned: &Planned) -> Json {
    let plan = &planned.plan;
    let mut calls = Vec::new();
    for step in &plan.steps {
        for item in &step.items {
            for call in &item.calls {
                let target = plan.targets.get(call.target as usize);
                let values = call.arguments.iter().map(|(n, a)| (n.to_string(), to_json(a.value())));
                let marks = call.arguments.iter().map(|(n, a)| (n.to_string(), json!(mark_word(a))));
                calls.push(json!({
                    "step": step.name,
                    "item": item.item.id,
                    "kind": item.item.kind,
                    "site": call.site,
                    "operation": call.operation,
                    "account": target.map(|t| t.account.as_str()),
                    "region": target.map(|t| t.region.as_str()),
                    "arguments": values.collect::<Map<_, _>>(),
                    "marks": marks.collect::<Map<_, _>>(),
                    "effect": call.effects,
                    "risk": risk_word(call.risk),
                    "repeat": call.repeat,
                }));
            }
        }
    }
    let steps: Vec<Json> = plan
        .steps
        .iter()
        .map(|step| {
            let mut shown = json!({
                "name": step.name,
                "title": step.title,
                "max": step.max,
                "up_to": step.up_to,
                "items": step.items.iter().map(|i| &*i.item.id).collect::<Vec<_>>(),
                "skipped_absent": step.skipped_absent.iter().map(|i| &*i.id).collect::<Vec<_>>(),
                "rollback": rollback_word(&step.rollback),
            });
            if let (Some(object), Rollback::Irreversible(why)) = (shown.as_object_mut(), &step.rollback) {
                object.insert("irreversible".into(), json!(why));
            }
            if let (Some(object), Some(below)) = (shown.as_object_mut(), &step.below) {
                object.insert("below".into(), json!(below));
            }
            shown
        })
        .collect();
    let approval = match &plan.approval {
        Some(a) => json!({ "required": true, "by": a.by, "of": a.of, "valid_seconds": a.valid_seconds }),
        None => json!({ "required": false, "by": null, "of": 0, "valid_seconds": null }),
    };
    let mut shown = json!({
        "schema": "escher.plan/1",
        "run": planned.run,
        "digest": planned.digest.to_string(),
        "program": plan.program.to_string(),
        "playbook": plan.playbook,
        "risk": risk_word(plan.risk),
        "approval": approval,
        "policy": plan.policy,
        "parameters": plan.parameters.iter().map(|(n, v)| (n.clone(), to_json(v))).collect::<Map<_, _>>(),
        "targets": plan.targets.iter().map(|t| json!({
            "cloud": t.cloud, "account": t.account, "region": t.region, "endpoint": t.endpoint,
            "read_role": t.read_role, "change_role": t.change_role,
        })).collect::<Vec<_>>(),
        "operations": plan.operations.iter().map(|(n, d)| (n.clone(), json!(d.to_string()))).collect::<Map<_, _>>(),
        "blast_radius": plan.blast_radius(),
        "steps": steps,
        "calls": calls,
    });
    if let Some(object) = shown.as_object_mut() {
        if let Some(milliseconds) = plan.recheck_after_ms {
            object.insert("recheck_after_ms".into(), json!(milliseconds));
        }
        if !plan.replaced.is_empty() {
            object.insert("replaced".into(), replaced_json(&plan.replaced));
        }
        if !plan.asks.is_empty() {
            object.insert("asks".into(), plan.asks.iter().map(ask_json).collect());
        }
        if let Some(under) = &plan.under {
            let due = under.due.map(|due| due.to_string());
            let published = json!({ "name": under.name, "digest": under.standing.to_string(), "due": due });
            object.insert("published".into(), published);
        }
        if let Some(part) = &plan.part {
            object.insert(
                "part".into(),
                json!({
                    "number": part.number, "node": part.node, "question": part.question,
                    "shown": part.shown.as_ref().map(to_json), "before": part.before.to_string(),
                    "until": planned.until().map(|until| until.to_string()),
                }),
            );
        }
    }
    shown
}

/// Answers that `catch` replaced.
pub(crate) fn replaced_json(replaced: &[Replaced]) -> Json {
    let one = |r: &Replaced| json!({ "path": r.path, "kind": r.kind, "code": r.code });
    replaced.iter().map(one).collect()
}

fn ask_json(ask: &PlannedApproval) -> Json {
    let Approval { by, of, valid_seconds } = &ask.approval;
    json!({ "node": ask.node, "question": ask.question, "by": by, "of": of, "within_seconds": valid_seconds })
}

fn mark_word(argument: &PlannedArgument) -> &'static str {
    match argument {
        PlannedArgument::Constant(_) => "constant",
        PlannedArgument::Item(_) => "item",
        PlannedArgument::Hole(_) => "hole",
    }
}

pub(crate) fn verify_file(engine: &Engine, file: &Json) -> Result<Planned, EngineError> {
    let again = "make a new plan with `escher plan`";
    let schema = file.get("schema").and_then(Json::as_str).unwrap_or_default();
    if !schema.starts_with("escher.plan/") {
        return Err(EngineError::Usage("this is no plan file: its `schema` is not `escher.plan/1`".into()));
    }
    let run = file.get("run").and_then(Json::as_str).unwrap_or_default();
    // What the run has followed since is not in a file that was written before.
    let planned = match super::known(engine, run, "").and_then(|(state, _)| super::first(engine, &state)) {
        Err(EngineError::Usage(_)) => {
            let words = format!("this state store has no plan `{}`", run.chars().take(64).collect::<String>());
            return Err(crate::audit::refused(engine, None, "", Refused::new(words, again)));
        }
        other => other?,
    };
    match difference("", &plan_json(&planned), file) {
        None => Ok(planned),
        Some(field) => {
            let words = format!("the plan file was changed: `{field}` is not what was planned");
            let refused = Refused::new(words, again);
            Err(crate::audit::refused(engine, Some(run), "", refused))
        }
    }
}

/// The first field in which two values differ.
fn difference(path: &str, stored: &Json, file: &Json) -> Option<String> {
    let below = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    match (stored, file) {
        (Json::Object(a), Json::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            names.into_iter().find_map(|name| match (a.get(name), b.get(name)) {
                (Some(a), Some(b)) => difference(&below(name), a, b),
                _ => Some(below(name)),
            })
        }
        (Json::Array(a), Json::Array(b)) => {
            let pairs = a.iter().zip(b).enumerate();
            let inside = pairs.into_iter().find_map(|(i, (a, b))| difference(&format!("{path}[{i}]"), a, b));
            inside.or_else(|| (a.len() != b.len()).then(|| format!("{path}[{}]", a.len().min(b.len()))))
        }
        (a, b) => (a != b).then(|| path.to_string()),
    }
}
