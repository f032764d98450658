//! `escher schedule`: which schedules there are, when they are due, and how those that are published stand. Starts nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use escher_engine::Published;
use escher_ir::due::Times;
use escher_ir::published::{Use, UseOf};
use escher_ir::standing::{Standing, StandingKind, When};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::check::playbook_files;
use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{self, risk_word};
use crate::{output, source};

/// A schedule, and the file that it is in.
struct Found {
    standing: Arc<Standing>,
    file: String,
}

pub(crate) fn list(common: &Common, paths: &[PathBuf], from: Option<&str>, format: Format) -> Result<u8, Failure> {
    let (all, from) = (found(paths, format)?, instant(from)?);
    let published = published(common)?;
    if format == Format::Json {
        let rows = all
            .iter()
            .map(|one| {
                let mut row = row(one, from, 1)?;
                if let Some(object) = row.as_object_mut() {
                    let found = published.get(&one.standing.name);
                    object.insert("published".into(), found.is_some().into());
                    object.insert("paused_by".into(), found.and_then(|(p, _)| p.paused.clone()).into());
                }
                Ok(row)
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        output::json(&json!({ "schema": "escher.schedules/1", "schedules": rows }));
        return Ok(0);
    }
    if all.is_empty() {
        output::line("There is no schedule in these files.");
        return Ok(0);
    }
    let mut table = render::table(["schedule", "playbook", "risk", "when", "next", "state"]);
    for one in &all {
        let program = &one.standing.program.playbook;
        let next = times(&one.standing, from, 1)?.first().map_or_else(|| "never".into(), |(_, local)| local.clone());
        table.add_row([
            one.standing.name.clone(),
            program.name.clone(),
            risk_word(program.declared_risk).to_string(),
            when_words(&one.standing),
            next,
            state_words(published.get(&one.standing.name)),
        ]);
    }
    output::line(&table.to_string());
    Ok(0)
}

pub(crate) fn next(name: &str, count: usize, from: Option<&str>, format: Format) -> Result<u8, Failure> {
    let (path, wanted) = source::split(name);
    let from = instant(from)?;
    // A schedule by its name alone is looked for in the project.
    let (paths, wanted) =
        if path.exists() { (vec![path], wanted) } else { (vec![PathBuf::from(".")], Some(name.to_string())) };
    let all: Vec<Found> = found(&paths, format)?;
    let known: Vec<String> = all.iter().map(|f| f.standing.name.clone()).collect();
    let fits = |f: &Found| wanted.as_ref().is_none_or(|name| *name == f.standing.name);
    let mut fitting = all.into_iter().filter(fits);
    let (Some(one), None) = (fitting.next(), fitting.next()) else {
        let told = Failure::usage(format!("no single schedule is called `{name}` here"));
        return Err(if known.is_empty() { told } else { told.help(format!("there are `{}`", known.join("`, `"))) });
    };
    if format == Format::Json {
        let mut value = row(&one, from, count)?;
        if let Some(object) = value.as_object_mut() {
            object.insert("schema".into(), "escher.schedule/1".into());
        }
        output::json(&value);
        return Ok(0);
    }
    let times = times(&one.standing, from, count)?;
    if times.is_empty() {
        output::line("It never comes.");
    }
    times.iter().for_each(|(at, local)| output::line(&format!("{at}  {local}")));
    Ok(0)
}

fn found(paths: &[PathBuf], format: Format) -> Result<Vec<Found>, Failure> {
    let sources = source::sources(&playbook_files(paths)?)?;
    if sources.has_errors() {
        let shown = sources.shown();
        match format {
            Format::Json => output::json(&render::diagnostics::json(&shown)),
            _ => shown.iter().for_each(|file| render::diagnostics::note(file)),
        }
        return Err(Failure::told(1));
    }
    let schedule = |s: &&Arc<Standing>| matches!(s.kind, StandingKind::Schedule { .. });
    let of = |source: &source::Source| {
        let file = source.file.path.clone();
        let all = source.checked.standing.iter().filter(schedule);
        all.map(|standing| Found { standing: Arc::clone(standing), file: file.clone() }).collect::<Vec<_>>()
    };
    Ok(sources.files.iter().take(sources.asked).flat_map(of).collect())
}

fn instant(text: Option<&str>) -> Result<Timestamp, Failure> {
    let Some(text) = text else { return Ok(Timestamp::now()) };
    text.parse()
        .map_err(|_| Failure::usage(format!("`--from {text}` is no instant")).help("write it as 2026-03-28T12:00:00Z"))
}

/// The next times of a schedule: the instant, and what clocks of its zone show then.
fn times(standing: &Standing, from: Timestamp, count: usize) -> Result<Vec<(Timestamp, String)>, Failure> {
    let StandingKind::Schedule { when, .. } = &standing.kind else { return Ok(Vec::new()) };
    let wrong = |why: String| Failure::failed(format!("schedule `{}`: {why}", standing.name));
    let times = Times::when(when).map_err(wrong)?;
    let all = std::iter::successors(times.after(from), |at| times.after(*at));
    Ok(all.take(count).map(|at| (at, times.local(at))).collect())
}

/// What is published of schedules in the state at hand, by name; nothing where there is no state yet.
fn published(common: &Common) -> Result<BTreeMap<String, (Published, Option<Use>)>, Failure> {
    let project = Project::find(None, common)?;
    if !project.state_folder()?.exists() {
        return Ok(BTreeMap::new());
    }
    let engine = project.engine()?;
    let schedules =
        engine.published()?.into_iter().filter(|of| matches!(of.standing.kind, StandingKind::Schedule { .. }));
    let one = |of: Published| {
        let last = engine.uses(&of.name, 1)?.into_iter().next();
        Ok((of.name.clone(), (of, last)))
    };
    schedules.map(one).collect()
}

/// How a schedule stands: published and by whom, paused, and what became of its last time.
fn state_words(found: Option<&(Published, Option<Use>)>) -> String {
    let Some((published, last)) = found else { return "not published".into() };
    let missing = (published.needed() as usize).saturating_sub(published.signed.len());
    let mut words = match (&published.paused, missing) {
        (_, 1..) => format!("{missing} signatures missing"),
        (Some(who), _) => format!("paused by {who}"),
        (None, _) => "published".to_string(),
    };
    match last.as_ref().map(|last| &last.what) {
        Some(UseOf::Run(run)) => words.push_str(&format!("; last {run}")),
        Some(UseOf::Missed(why)) => words.push_str(&format!("; last missed: {why}")),
        None => {}
    }
    words
}

/// Holds a published schedule back, or lets it go on.
pub(crate) fn pause(common: &Common, name: &str, paused: bool, format: Format) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    engine.pause(name, paused, &project.gate(&engine, false)?, &project.principal()?)?;
    match format {
        Format::Json => output::json(&json!({ "schema": "escher.publication/1", "name": name, "paused": paused })),
        _ if paused => output::note(&format!("`{name}` is paused; `escher schedule resume {name}` lets it go on.")),
        _ => output::note(&format!("`{name}` goes on with its next time.")),
    }
    Ok(0)
}

fn when_words(standing: &Standing) -> String {
    match &standing.kind {
        StandingKind::Schedule { when: When::Cron { expression, zone }, .. } => format!("{expression} {zone}"),
        StandingKind::Schedule { when: When::EveryMs(every), .. } => {
            let every = SignedDuration::from_millis(i64::try_from(*every).unwrap_or(i64::MAX));
            format!("every {every:#}")
        }
        _ => String::new(),
    }
}

fn row(one: &Found, from: Timestamp, count: usize) -> Result<Value, Failure> {
    let program = &one.standing.program.playbook;
    let StandingKind::Schedule { when, overlap, missed, within_ms, jitter_ms, .. } = &one.standing.kind else {
        return Ok(Value::Null);
    };
    let (cron, zone, every) = match when {
        When::Cron { expression, zone } => (Some(expression), Some(zone), None),
        When::EveryMs(every) => (None, None, Some(every)),
    };
    let next: Vec<Value> = times(&one.standing, from, count)?
        .iter()
        .map(|(at, local)| json!({ "at": at.to_string(), "local": local }))
        .collect();
    Ok(json!({
        "schedule": one.standing.name, "file": one.file, "playbook": program.name,
        "risk": risk_word(program.declared_risk), "cron": cron, "zone": zone, "every_ms": every,
        "overlap": overlap, "missed": missed, "within_ms": within_ms, "jitter_ms": jitter_ms, "next": next,
    }))
}
