//! `escher extend-me`: an Executor runs what a Manager published.

use escher_engine::{Engine, Published};
use escher_ir::standing::StandingKind;
use serde_json::{Value, json};

use super::plan;
use super::publish::kind_word;
use super::run::{finish, run_options, start};
use crate::args::{Common, ExtendArgs, Format};
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{self, risk_word};
use crate::{clouds, output};

pub(crate) async fn extend(common: &Common, args: &ExtendArgs, format: Format) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let Some(name) = &args.template else { return list(&project, &engine, format) };
    let found = engine.published()?.into_iter().find(|published| published.name == *name);
    let given = match &found {
        // What goes beyond a template is no slip of the hand: it is refused, and written down.
        Some(published) => match plan::given(&published.standing.program, &args.set) {
            Err(failure) if !failure.message.is_empty() => {
                engine.refuse(None, &project.principal()?, &failure.message)?;
                return Err(Failure { code: 3, ..failure });
            }
            given => given?,
        },
        None => Default::default(),
    };
    if let Some(published) = found.as_ref().filter(|p| !matches!(p.standing.kind, StandingKind::Template { .. })) {
        return Err(Failure::usage(format!(
            "`{name}` is a {}, which starts runs by itself",
            kind_word(&published.standing)
        ))
        .help("`escher extend-me` lists the templates"));
    }
    let client = clouds::client(common, &project, &engine, None)?;
    let waiting = render::progress::reading();
    let planned = engine.extend(name, given, &client, &plan::options(&project, &engine, false)?).await;
    waiting.finish_and_clear();
    let planned = planned?;
    if format != Format::Json {
        render::plan::print(&planned);
    }
    if planned.plan.blast_radius() > 0 && !args.yes && !output::ask("Run this plan?") {
        engine.refuse(Some(&planned.run), &planned.principal, "nobody said yes")?;
        return Err(Failure::refused("nobody said yes").help(format!("`escher extend-me {name} --yes`")));
    }
    let report = start(&engine, &planned, &client, &run_options(&project, &engine, false, args.yes, format)?).await?;
    finish(&report, format)
}

/// What is published, and what whoever uses it may choose.
fn list(project: &Project, engine: &Engine, format: Format) -> Result<u8, Failure> {
    project.permit(engine, escher_policy::Action::Read)?;
    let all = engine.published()?;
    if format == Format::Json {
        let rows: Vec<Value> = all.iter().map(row).collect();
        output::json(&json!({ "schema": "escher.published/1", "published": rows }));
        return Ok(0);
    }
    if all.is_empty() {
        output::note("Nothing is published here: a Manager does that with `escher publish FILE:TEMPLATE --key KEY`.");
        return Ok(0);
    }
    let mut table = render::table(["name", "", "playbook", "risk", "at most", "rate", "until", "signed by"]);
    for one in &all {
        let program = &one.standing.program.playbook;
        let most = program.blast_radius.map_or_else(|| "unbounded".into(), |n| n.to_string());
        let signed: Vec<&str> = one.signed.iter().map(|(_, who)| who.as_str()).collect();
        let missing = (one.needed() as usize).saturating_sub(signed.len());
        let signed = match missing {
            0 => signed.join(", "),
            n => format!("{}; {n} missing", signed.join(", ")),
        };
        table.add_row([
            one.name.clone(),
            kind_word(&one.standing).into(),
            program.name.clone(),
            risk_word(program.risk).into(),
            most,
            rate(one).unwrap_or_default(),
            one.until().map_or_else(String::new, |until| until.to_string()),
            signed,
        ]);
    }
    output::line(&table.to_string());
    Ok(0)
}

fn rate(one: &Published) -> Option<String> {
    match &one.standing.kind {
        StandingKind::Template { rate: Some(rate), .. } => Some(format!("{} per {}", rate.runs, rate.per)),
        _ => None,
    }
}

fn row(one: &Published) -> Value {
    let program = &one.standing.program.playbook;
    let fixed = match &one.standing.kind {
        StandingKind::Template { fixed, .. } => fixed.clone(),
        _ => Vec::new(),
    };
    let params: Vec<Value> = program
        .params
        .iter()
        .map(|p| json!({ "name": p.name, "type": p.ty.to_string(), "doc": p.doc, "fixed": fixed.contains(&p.name) }))
        .collect();
    json!({
        "name": one.name, "kind": kind_word(&one.standing), "playbook": program.name, "doc": one.standing.doc,
        "risk": risk_word(program.risk), "blast_radius": program.blast_radius, "rate": rate(one),
        "until": one.until().map(|until| until.to_string()), "digest": one.digest.to_string(),
        "signed": one.signed.iter().map(|(_, who)| who).collect::<Vec<_>>(), "needed": one.needed(),
        "paused_by": one.paused, "parameters": params,
    })
}
