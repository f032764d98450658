//! `escher schedule`: which schedules there are, and when they are due. Starts nothing.

use std::path::PathBuf;
use std::sync::Arc;

use escher_ir::cron::Cron;
use escher_ir::standing::{Standing, StandingKind, When};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::check::playbook_files;
use crate::args::Format;
use crate::failure::Failure;
use crate::render::{self, risk_word};
use crate::{output, source};

/// A schedule, and the file that it is in.
struct Found {
    standing: Arc<Standing>,
    file: String,
}

pub(crate) fn list(paths: &[PathBuf], from: Option<&str>, format: Format) -> Result<u8, Failure> {
    let (all, from) = (found(paths, format)?, instant(from)?);
    if format == Format::Json {
        let rows = all.iter().map(|one| row(one, from, 1)).collect::<Result<Vec<_>, _>>()?;
        output::json(&json!({ "schema": "escher.schedules/1", "schedules": rows }));
        return Ok(0);
    }
    if all.is_empty() {
        output::line("There is no schedule in these files.");
        return Ok(0);
    }
    let mut table = render::table(["schedule", "playbook", "risk", "when", "next"]);
    for one in &all {
        let program = &one.standing.program.playbook;
        let next = times(&one.standing, from, 1)?.first().map_or_else(|| "never".into(), |(_, local)| local.clone());
        table.add_row([
            one.standing.name.clone(),
            program.name.clone(),
            risk_word(program.declared_risk).to_string(),
            when_words(&one.standing),
            next,
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

/// The next times of a schedule, no more than it lives: the instant, and what clocks of its zone show then.
fn times(standing: &Standing, from: Timestamp, count: usize) -> Result<Vec<(Timestamp, String)>, Failure> {
    let StandingKind::Schedule { when, .. } = &standing.kind else { return Ok(Vec::new()) };
    let wrong = |why: String| Failure::failed(format!("schedule `{}`: {why}", standing.name));
    let mut times = Vec::new();
    let mut at = from;
    match when {
        When::Cron { expression, zone } => {
            let cron = Cron::parse(expression).map_err(wrong)?;
            let zone = TimeZone::get(zone).map_err(|e| wrong(e.to_string()))?;
            while let Some(next) = cron.after(at, &zone).filter(|_| times.len() < count) {
                times.push((next, zone.to_datetime(next).strftime("%a %Y-%m-%d %H:%M").to_string()));
                at = next;
            }
        }
        // Counted from the beginning of 1970, so that it is the same on every machine.
        When::EveryMs(every) => {
            let every = i64::try_from((*every).max(1)).map_err(|e| wrong(e.to_string()))?;
            let mut next = at.as_millisecond().div_euclid(every).saturating_add(1).saturating_mul(every);
            while times.len() < count {
                let Ok(time) = Timestamp::from_millisecond(next) else { break };
                times.push((time, time.to_string()));
                next = next.saturating_add(every);
            }
        }
    }
    Ok(times)
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
