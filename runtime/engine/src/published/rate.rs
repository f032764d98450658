//! Whether a run of something published may begin now: signatures, ends, bounds and how often.

use escher_ir::audit::AuditEvent;
use escher_ir::codec;
use escher_ir::due::{self, Times};
use escher_ir::plan::Under;
use escher_ir::published::{Use, UseOf};
use escher_ir::standing::{Rate, StandingKind};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{Published, known, statements, until};
use crate::approve::{Gate, Passed, Publishing, judge_publication};
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::plan::Planned;
use crate::store::{Append, Head};

/// What streams begin with that say what became of each time.
pub(crate) const USES: &str = "uses/";

/// The stream of what became of each time.
pub(crate) fn uses(name: &str) -> String {
    format!("{USES}{name}")
}

/// What is written when a run of something published begins.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) append: Append,
    pub(crate) event: AuditEvent,
}

/// Judges a plan by what was published, as of a moment; `fresh` where its run would begin, and counts.
pub(crate) fn judge(
    engine: &Engine,
    gate: &Gate,
    planned: &Planned,
    under: &Under,
    starters: &[&str],
    now: Timestamp,
    fresh: bool,
) -> Result<Passed, EngineError> {
    let found = known(engine, &under.name)?;
    if found.digest != under.standing {
        let words = format!("`{}` was published anew since this was planned", under.name);
        return Err(Refused::new(words, format!("`escher extend-me {}` plans it again", under.name)).into());
    }
    within(&found, planned)?;
    still(&found, now)?;
    let what = Publishing { name: &found.name, digest: found.digest, standing: &found.standing };
    let signed = statements(engine, &found)?;
    let mut passed = judge_publication(gate, &what, engine.store.id(), starters, &signed, now)?;
    if fresh {
        passed.counted = Some(count(engine, &found, planned, under, starters, now)?);
    }
    Ok(passed)
}

/// Refuses what has ended by its own words.
pub(crate) fn still(of: &Published, now: Timestamp) -> Result<(), Refused> {
    match until(&of.standing) {
        Some(until) if now >= until => {
            let help = "a manager publishes it anew, with a later `until`";
            Err(Refused::new(format!("`{}` held until {until}, and it is {now:.0}", of.name), help))
        }
        _ => Ok(()),
    }
}

/// Refuses a plan of another program, and one that sets what is fixed.
fn within(of: &Published, planned: &Planned) -> Result<(), EngineError> {
    let no = |words: String| Refused::new(words, format!("`escher extend-me {}` plans it again", of.name));
    let program = &of.standing.program;
    if codec::digest(program)? != planned.plan.program {
        return Err(no(format!("the plan is not of the playbook that was published as `{}`", of.name)).into());
    }
    for (name, value) in super::run::fixed(&of.standing)? {
        if planned.plan.parameters.get(&name) != Some(&value) {
            return Err(no(format!("parameter `{name}` is fixed in `{}`", of.name)).into());
        }
    }
    // Values that are only narrowed are held to their types with every other plan's (`fits.rs`).
    Ok(())
}

/// Refuses where it ran too often; what to write where it did not.
fn count(
    engine: &Engine,
    of: &Published,
    planned: &Planned,
    under: &Under,
    starters: &[&str],
    now: Timestamp,
) -> Result<Counted, EngineError> {
    let stream = uses(&of.name);
    let expected = engine.store.head(&stream)?;
    if let StandingKind::Template { rate: Some(rate), .. } = &of.standing.kind {
        // Runs of a template stand in their order: those that could still count are the last so many.
        let from = expected.count.saturating_sub(u64::from(rate.runs));
        let since = began(&rate.per, now)?;
        let mut runs = 0;
        for segment in engine.store.read(&stream, from)? {
            let (_, used): (_, Use) = codec::decode(&segment.bytes)?;
            runs += u32::from(used.at >= since && matches!(used.what, UseOf::Run(_)));
        }
        if runs >= rate.runs {
            return Err(too_often(of, rate, now)?.into());
        }
    }
    if matches!(of.standing.kind, StandingKind::Schedule { .. }) {
        timely(engine, of, under, expected, now)?;
    }
    let principal = starters.last().copied().unwrap_or(&planned.principal).to_string();
    let used = Use { at: now, due: under.due, principal: principal.clone(), what: UseOf::Run(planned.run.clone()) };
    let event = AuditEvent::Used {
        name: of.name.clone(),
        standing: of.digest,
        run: Some(planned.run.clone()),
        due: under.due,
        principal,
        reason: None,
    };
    Ok(Counted { append: Append { stream, expected, bytes: codec::encode(&used)?.1 }, event })
}

/// Refuses a time that is none of the schedule, has not come, is too late, or was decided already: two looks at once, or
/// somebody who would have it run when it suits them.
fn timely(engine: &Engine, of: &Published, under: &Under, head: Head, now: Timestamp) -> Result<(), EngineError> {
    let no = |words: &str| Err(Refused::new(format!("`{}` {words}", of.name), "`escher tick` runs what is due").into());
    if let Some(who) = &of.paused {
        return no(&format!("is paused by `{who}`"));
    }
    let (Some(plan), Some(due)) = (super::tick::plan_of(of), under.due) else {
        return no("does not say when it was due");
    };
    let wrong = |why: String| EngineError::Usage(format!("schedule `{}`: {why}", of.name));
    let just_before = due.checked_sub(1.nanosecond()).unwrap_or(Timestamp::MIN);
    if Times::of(&plan).map_err(wrong)?.after(just_before) != Some(due) {
        return no(&format!("is not due at {due}"));
    }
    let begins = due::begins(&plan, due);
    if begins > now {
        return no(&format!("is due at {due}, and it is {now:.0}"));
    }
    if now.duration_since(begins) > due::within(&plan) {
        return no(&format!("was due at {due}, which is too long ago"));
    }
    if let Some(last) =
        head.count.checked_sub(1).map(|last| engine.store.read_one(&uses(&of.name), last)).transpose()?
    {
        let last = last.map(|segment| codec::decode::<Use>(&segment.bytes)).transpose()?;
        if last.and_then(|(_, used)| used.due).is_some_and(|decided| decided >= due) {
            return no(&format!("has been decided of as of {due}"));
        }
    }
    if due < of.at {
        return no(&format!("was published after {due}"));
    }
    Ok(())
}

fn too_often(of: &Published, rate: &Rate, now: Timestamp) -> Result<Refused, EngineError> {
    let next = ends(&rate.per, now)?;
    let times = if rate.runs == 1 { "once".to_string() } else { format!("{} times", rate.runs) };
    Ok(Refused::new(
        format!("`{}` may run {times} a {}, and has", of.name, rate.per),
        format!("it may again from {next}; until then somebody plans and approves the playbook itself"),
    ))
}

/// When the hour, day, week or month began that a moment lies in, in UTC.
fn began(per: &str, now: Timestamp) -> Result<Timestamp, EngineError> {
    bounds(per, now).map(|(from, _)| from)
}

fn ends(per: &str, now: Timestamp) -> Result<Timestamp, EngineError> {
    bounds(per, now).map(|(_, until)| until)
}

fn bounds(per: &str, now: Timestamp) -> Result<(Timestamp, Timestamp), EngineError> {
    let wrong = || EngineError::Usage(format!("a rate is per hour, day, week or month, not per {per}"));
    let local = TimeZone::UTC.to_datetime(now);
    let day = local.date();
    let (from, span) = match per {
        "hour" => (day.at(local.hour(), 0, 0, 0), 1.hour()),
        "day" => (day.at(0, 0, 0, 0), 1.day()),
        "week" => {
            let back = i64::from(day.weekday().to_monday_zero_offset());
            (day.checked_sub(back.days()).map_err(|_| wrong())?.at(0, 0, 0, 0), 1.week())
        }
        "month" => (day.first_of_month().at(0, 0, 0, 0), 1.month()),
        _ => return Err(wrong()),
    };
    let instant = |time: DateTime| time.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|_| wrong());
    Ok((instant(from)?, instant(from.checked_add(span).map_err(|_| wrong())?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_of_utc() {
        let now = "2026-11-21T23:59:59Z".parse().unwrap();
        for (per, from, until) in [
            ("hour", "2026-11-21T23:00:00Z", "2026-11-22T00:00:00Z"),
            ("day", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
            ("week", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("month", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ] {
            let (begins, ends) = bounds(per, now).unwrap();
            assert_eq!((begins.to_string(), ends.to_string()), (from.to_string(), until.to_string()), "{per}");
        }
        assert!(bounds("year", now).is_err());
    }
}
