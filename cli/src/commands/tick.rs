//! `escher tick`: what schedules have due runs, and the command ends. `escher daemon`: the same, again and again.

use std::time::Duration;

use escher_engine::{Cancel, Confirm, Happened, RunOptions, RunReport, Ticked};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::plan;
use super::run::on_interrupt;
use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::project::Project;
use crate::{clouds, output, render};

/// How long a daemon waits at most before it looks again: something may have been published meanwhile.
const LOOK: Duration = Duration::from_secs(30);

pub(crate) async fn tick(common: &Common, format: Format) -> Result<u8, Failure> {
    let cancel = Cancel::new();
    let ended = on_interrupt(&cancel);
    let ticked = look(common, &cancel).await;
    ended.abort();
    let ticked = ticked?;
    if format == Format::Json {
        let happened: Vec<Value> = ticked.iter().flat_map(rows).collect();
        let next = ticked.iter().filter_map(|one| one.next).min();
        output::json(
            &json!({ "schema": "escher.tick/1", "happened": happened, "next": next.map(|at| at.to_string()) }),
        );
        return Ok(exit_code(&ticked));
    }
    ticked.iter().for_each(tell);
    if ticked.iter().all(|one| one.happened.is_empty()) {
        match ticked.iter().filter_map(|one| Some((one.next?, &one.name))).min() {
            Some((next, name)) => output::note(&format!("Nothing is due. Next: {name} at {next:.0}")),
            None => output::note(
                "Nothing is due: a Manager publishes schedules with `escher publish FILE:SCHEDULE --key KEY`.",
            ),
        }
    }
    Ok(exit_code(&ticked))
}

pub(crate) async fn daemon(common: &Common, format: Format) -> Result<u8, Failure> {
    output::note("Looking at schedules until Ctrl-C; what is in flight then is finished.");
    let cancel = Cancel::new();
    let ended = on_interrupt(&cancel);
    loop {
        let pause = match look(common, &cancel).await {
            Ok(ticked) => {
                match format {
                    // An object a line, for whoever follows.
                    Format::Json => ticked.iter().flat_map(rows).for_each(|row| output::line(&row.to_string())),
                    _ => ticked.iter().for_each(tell),
                }
                pause(ticked.iter().filter_map(|one| one.next).min())
            }
            // A state that is locked or a disk that is full may be mended: whoever watches is told, and it looks again.
            Err(failure) if failure.code == 1 => {
                failure.show(Format::Human);
                LOOK
            }
            Err(failure) => return Err(failure),
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cancel.cancelled() => {
                ended.abort();
                return Ok(0);
            }
        }
        if cancel.is_cancelled() {
            return Ok(0);
        }
    }
}

/// Until the next beginning, where that is sooner.
fn pause(next: Option<Timestamp>) -> Duration {
    let until = next.map(|next| next.duration_since(Timestamp::now()).max(jiff::SignedDuration::ZERO));
    until
        .and_then(|until| Duration::try_from(until).ok())
        .map_or(LOOK, |until| until.clamp(Duration::from_millis(200), LOOK))
}

/// One look.
async fn look(common: &Common, cancel: &Cancel) -> Result<Vec<Ticked>, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let planning = plan::options(&project, &engine, false)?;
    let mut running = RunOptions::new(project.principal()?, planning.gate.clone());
    running.confirm = Confirm::Nobody;
    running.cancel = cancel.clone();
    let client = clouds::client(common, &project, &engine, None)?;
    Ok(engine.tick(&client, &planning, &running).await?)
}

fn tell(one: &Ticked) {
    for happened in &one.happened {
        let name = &one.name;
        match happened {
            Happened::WentOn(report) => {
                output::line(&format!("{name}: run {} went on, and is {}", report.run, report.standing.word()));
                ended(report);
            }
            Happened::Ran(due, report) => {
                output::line(&format!("{name}, due {due:.0}: run {} is {}", report.run, report.standing.word()));
                ended(report);
            }
            Happened::Missed(_, last, why) => output::line(&format!("{name}, due {last:.0}: did not run: {why}")),
            Happened::Failed(due, error) => {
                let due = due.map(|due| format!(", due {due:.0}")).unwrap_or_default();
                output::line(&format!("{name}{due}: {error}"));
            }
        }
    }
}

/// What a run did, where there is anything to tell.
fn ended(report: &RunReport) {
    render::run::print(report);
    render::run::next(report);
}

fn rows(one: &Ticked) -> impl Iterator<Item = Value> {
    one.happened.iter().map(|happened| row(&one.name, happened))
}

fn row(name: &str, happened: &Happened) -> Value {
    let (what, due, rest) = match happened {
        Happened::WentOn(report) => ("went_on", None, json!({ "run": report.to_json() })),
        Happened::Ran(due, report) => ("ran", Some(due), json!({ "run": report.to_json() })),
        Happened::Missed(count, last, why) => ("missed", Some(last), json!({ "count": count, "reason": why })),
        Happened::Failed(due, error) => ("failed", due.as_ref(), json!({ "reason": error.to_string() })),
    };
    let mut row = json!({ "schedule": name, "what": what, "due": due.map(|due| due.to_string()) });
    if let (Some(row), Value::Object(rest)) = (row.as_object_mut(), rest) {
        row.extend(rest);
    }
    row
}

/// The worst that happened: what failed, what was refused, what was done with failed items.
fn exit_code(ticked: &[Ticked]) -> u8 {
    let codes = ticked.iter().flat_map(|one| &one.happened).map(|happened| match happened {
        Happened::WentOn(report) | Happened::Ran(_, report) => report.exit_code(),
        Happened::Missed(..) => 0,
        Happened::Failed(_, error) => error.exit_code(),
    });
    let worst = |code: &u8| match code {
        1 => 4,
        2 | 130 => 3,
        3 => 2,
        4 => 1,
        _ => 0,
    };
    codes.max_by_key(worst).unwrap_or(0)
}
