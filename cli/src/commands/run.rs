//! `escher run`, `resume` and `undo`: from a plan to a table of outcomes.

use std::path::Path;
use std::sync::Arc;

use escher_engine::{Cancel, Confirm, Engine, PlanOptions, Planned, RunOptions, RunReport, Standing};
use escher_ir::codec;

use crate::args::{Common, Format};
use crate::commands::approve::{find, read_plan};
use crate::commands::plan;
use crate::failure::Failure;
use crate::project::Project;
use crate::world::Files;
use crate::{clouds, output, platform, render};

pub(crate) async fn run(
    common: &Common,
    what: &str,
    set: &[String],
    yes: bool,
    sandbox: Option<&str>,
    format: Format,
) -> Result<u8, Failure> {
    let path = Path::new(what);
    let is_plan = path.is_file() && path.extension().is_some_and(|e| e == "json");
    let is_run = !path.exists() && what.starts_with("r-");
    if is_plan || is_run {
        if !set.is_empty() || sandbox.is_some() {
            return Err(Failure::usage("a plan is run as it is").help("`--set` and `--sandbox` go with a playbook"));
        }
        let project = Project::find(Some(path), common)?;
        let engine = project.engine()?;
        let planned = find(&engine, what)?;
        if is_plan {
            unchanged(&engine, path, &planned)?;
        }
        let client = clouds::client(common, &project, &engine, None)?;
        let report = start(&engine, &planned, &client, &run_options(&project, &engine, false, yes, format)?).await?;
        return finish(&report, format);
    }
    let loaded = plan::load(what, format)?;
    let project = Project::find(Some(&loaded.path), common)?;
    let engine = project.engine()?;
    let practice = sandbox.map(|seed| clouds::Sandbox::start(Some(seed))).transpose()?;
    let client = clouds::client(common, &project, &engine, practice.as_ref())?;
    let everywhere = if practice.is_some() { clouds::everywhere(&client).await? } else { Vec::new() };
    let parameters = plan::parameters(&loaded.program, set, &project, &everywhere)?;
    let options: PlanOptions = plan::options(&project, &engine, practice.is_some())?;
    let planned = plan::make(&engine, &loaded, parameters, &client, &options).await?;
    if format != Format::Json {
        render::plan::print(&planned);
    }
    let planned = if practice.is_some() { planned } else { permitted(&engine, planned, yes)? };
    let options = run_options(&project, &engine, practice.is_some(), yes, format)?;
    let report = start(&engine, &planned, &client, &options).await?;
    match (&practice, format) {
        (Some(_), Format::Human) => {
            render::run::print(&report);
            output::note("The practice cloud is gone now; `escher sandbox` serves one that stays.");
            Ok(report.exit_code())
        }
        _ => finish(&report, format),
    }
}

/// A plan file whose text has changed since is not run: whoever looks at the text would see something else.
fn unchanged(engine: &Engine, path: &Path, planned: &Planned) -> Result<(), Failure> {
    let json = read_plan(path)?;
    let hint = |key: &str| json.get("source").and_then(|s| s.get(key)).and_then(|v| v.as_str()).map(str::to_string);
    let (Some(file), Some(playbook)) = (hint("file"), hint("playbook")) else { return Ok(()) };
    // Without the text, the plan and the store are all that a run needs.
    let source = Path::new(&file);
    let Ok(text) = std::fs::read_to_string(source) else { return Ok(()) };
    let files = Files::around(source)?;
    let checked = escher_core::check_files(&files, vec![files.entry(source, &text)]).into_iter().next();
    let checked = checked.map(|f| f.checked).unwrap_or_default();
    let template = checked.standing.iter().find(|s| s.name == playbook).map(|s| &s.program);
    let program =
        checked.playbooks.iter().find(|p| p.name == playbook).and_then(|p| p.program()).map(|p| &**p).or(template);
    let digest = program.and_then(|p| codec::digest(p).ok());
    if digest == Some(planned.plan.program) {
        return Ok(());
    }
    let reason = match digest {
        Some(_) => format!("{file}, or a module that it uses, was changed since it was planned"),
        None => format!("{file} no longer has a playbook `{playbook}` that checks"),
    };
    engine.refuse(Some(&planned.run), "", &reason)?;
    Err(Failure::refused(reason)
        .help("make a new plan with `escher plan`, and have it approved; comments may change freely"))
}

/// The plan that may run: this one, where nobody need approve it; one with the same digest that was approved.
fn permitted(engine: &Engine, planned: Planned, yes: bool) -> Result<Planned, Failure> {
    if planned.plan.approval.is_none() || planned.plan.covered() == 0 {
        let changes = planned.plan.blast_radius() > 0;
        if changes && !yes && !output::ask("Run this plan?") {
            engine.refuse(Some(&planned.run), &planned.principal, "nobody said yes")?;
            return Err(
                Failure::refused("nobody said yes").help(format!("run it with `escher run {} --yes`", planned.run))
            );
        }
        return Ok(planned);
    }
    let mut other = None;
    for earlier in engine.runs()? {
        let waiting = earlier.standing == Standing::Status(escher_ir::journal::RunStatus::Planned);
        if !waiting || earlier.run == planned.run || earlier.playbook != planned.plan.playbook {
            continue;
        }
        if engine.approvals(&earlier.run)?.is_empty() {
            continue;
        }
        let earlier = engine.planned(&earlier.run)?;
        if earlier.digest == planned.digest {
            return Ok(earlier);
        }
        other.get_or_insert(earlier);
    }
    let reason = match other {
        Some(approved) => format!("run {} was approved, but {}", approved.run, difference(&approved, &planned)),
        None => format!("`{}` needs an approval", planned.plan.playbook),
    };
    engine.refuse(Some(&planned.run), &planned.principal, &reason)?;
    Err(Failure::refused(reason).help(format!("`escher approve {0} --key KEY`, then `escher run {0}`", planned.run)))
}

/// What is different between what was approved and what would run now.
fn difference(approved: &Planned, now: &Planned) -> &'static str {
    if approved.plan.program != now.plan.program {
        "the playbook is another one now"
    } else if approved.plan.parameters != now.plan.parameters {
        "the parameters are others now"
    } else if approved.plan.targets != now.plan.targets {
        "the account, region or endpoint is another one now"
    } else if approved.plan.operations != now.plan.operations {
        "the catalogue says something else of its operations now"
    } else {
        "the items or their calls are others now"
    }
}

pub(crate) async fn resume(common: &Common, run: &str, yes: bool, format: Format) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let options = run_options(&project, &engine, false, yes, format)?;
    let client = clouds::client(common, &project, &engine, None)?;
    let cancelled = on_interrupt(&options.cancel);
    let report = engine.resume(run, &client, &options).await;
    cancelled.abort();
    finish(&report?, format)
}

/// Ends a run; that it is cancelled then is what was asked for, so the code is 0.
pub(crate) async fn cancel(common: &Common, run: &str, wait: &str, format: Format) -> Result<u8, Failure> {
    let patience = escher_ir::units::parse_duration(wait)
        .and_then(|d| std::time::Duration::try_from(d).ok())
        .ok_or_else(|| Failure::usage(format!("`--wait {wait}` is no duration")).help("write `60s`"))?;
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let options = run_options(&project, &engine, false, true, format)?;
    let client = clouds::client(common, &project, &engine, None)?;
    let report = engine.cancel(run, &client, &options, patience).await?;
    finish(&report, format)?;
    if report.standing == Standing::Status(escher_ir::journal::RunStatus::Running) {
        output::note("It was asked to end, and does so after the calls that are in flight.");
    }
    Ok(0)
}

pub(crate) async fn undo(common: &Common, run: &str, format: Format) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let options = run_options(&project, &engine, false, true, format)?;
    let client = clouds::client(common, &project, &engine, None)?;
    let cancelled = on_interrupt(&options.cancel);
    let report = engine.undo(run, &client, &options).await;
    cancelled.abort();
    finish(&report?, format)
}

pub(crate) fn run_options(
    project: &Project,
    engine: &Engine,
    sandbox: bool,
    yes: bool,
    format: Format,
) -> Result<RunOptions, Failure> {
    let mut options = RunOptions::new(project.principal()?, project.gate(engine, sandbox)?);
    options.confirm = if yes { Confirm::Yes } else { Confirm::Ask(Arc::new(output::ask)) };
    options.progress = render::progress::live(format);
    Ok(options)
}

pub(crate) async fn start(
    engine: &Engine,
    planned: &Planned,
    client: &crate::clouds::Clouds,
    options: &RunOptions,
) -> Result<RunReport, Failure> {
    let cancelled = on_interrupt(&options.cancel);
    let report = engine.run(&planned.run, client, options).await;
    cancelled.abort();
    Ok(report?)
}

/// The first Ctrl-C lets what is in flight finish and breaks off waiting; the second ends the process, which `resume`
/// survives. A request from the system to end is the same.
pub(crate) fn on_interrupt(cancel: &Cancel) -> tokio::task::JoinHandle<()> {
    let cancel = cancel.clone();
    tokio::spawn(async move {
        if platform::asked_to_end().await {
            output::note("Stopping: what is in flight is finished. Ctrl-C again ends at once.");
            cancel.cancel();
        }
        if platform::asked_to_end().await {
            output::note("Ended: `escher runs list` names the run, and `escher resume RUN` goes on with it.");
            std::process::exit(130);
        }
    })
}

/// Shows what a run did and gives its exit code.
pub(crate) fn finish(report: &RunReport, format: Format) -> Result<u8, Failure> {
    if format == Format::Json {
        output::json(&report.to_json());
    } else {
        render::run::print(report);
    }
    // On standard error, so whoever reads the JSON is told too.
    render::run::next(report);
    Ok(report.exit_code())
}
