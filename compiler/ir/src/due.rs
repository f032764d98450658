//! When a schedule is due, and what becomes of the times that nobody kept. Pure: the moment is given.
//!
//! A time begins after its jitter, on time while it is no more than [`ON_TIME`] late. One that is later was missed: `skip` leaves it
//! out, `run_once` runs the latest of those that came meanwhile, `run_all` runs each. None begins later than `within`; where
//! that is not said, than a day. What does not run is told, never silent.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::cron::Cron;
use crate::standing::When;

/// How late a beginning is still on time: whoever ticks does so every few minutes.
pub const ON_TIME: SignedDuration = SignedDuration::from_mins(10);

/// How late a missed time may begin where `within` does not say.
const DEFAULT_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Most runs that one look begins: the others come with the next look.
const MOST_RUNS: usize = 100;

/// Most times that are told apart; what was missed before them is told in one.
const MOST_TIMES: usize = 10_000;

/// How a schedule counts.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// When it runs.
    pub when: &'a When,
    /// `skip`, `run_once` or `run_all`.
    pub missed: &'a str,
    /// How late it may begin, in milliseconds.
    pub within_ms: Option<u64>,
    /// Over how long beginnings are spread, in milliseconds.
    pub jitter_ms: Option<u64>,
    /// What tells this schedule's jitter from others'.
    pub name: &'a str,
}

/// What is to be done now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Times that begin now, oldest first.
    pub run: Vec<Timestamp>,
    /// Times that do not, in order: how many, the last of them, and why.
    pub missed: Vec<Missed>,
    /// When to look again; none where it never comes.
    pub next: Option<Timestamp>,
}

/// Times that were missed for the same reason, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Timestamp,
    /// The last of them.
    pub last: Timestamp,
    /// Why.
    pub why: &'static str,
}

/// What is to be done at `now` of all times after `after`.
///
/// Errors: the schedule's own words can't be read.
pub fn due(plan: &Plan<'_>, after: Timestamp, now: Timestamp) -> Result<Due, String> {
    let times = Times::of(plan)?;
    let within = within(plan);
    let mut due = Due::default();
    let mut came = Vec::new();
    let mut at = after;
    let mut left_out: Option<Missed> = None;
    while let Some(time) = times.after(at) {
        at = time;
        let begins = begins(plan, time);
        if begins > now {
            due.next = Some(begins);
            break;
        }
        if came.len() == MOST_TIMES {
            // Years of minutes: only how many there were is told of the oldest.
            came.drain(..MOST_TIMES / 2).for_each(|(time, _)| add(&mut left_out, time, TOO_LATE));
        }
        came.push((time, begins));
    }
    due.missed.extend(left_out);
    let latest = came.last().map(|(time, _)| *time);
    for (time, begins) in came {
        let late = now.duration_since(begins);
        let why = match plan.missed {
            _ if late > within => TOO_LATE,
            "run_all" if due.run.len() < MOST_RUNS => {
                due.run.push(time);
                continue;
            }
            // The rest of them are due at the next look.
            "run_all" => {
                due.next = Some(now);
                break;
            }
            "run_once" if Some(time) != latest => NEXT_CAME,
            _ if Some(time) != latest => NOBODY_LOOKED,
            "skip" if late > ON_TIME => NOBODY_LOOKED,
            _ => {
                due.run.push(time);
                continue;
            }
        };
        match due.missed.last_mut().filter(|last| last.why == why) {
            Some(last) => (last.count, last.last) = (last.count + 1, time),
            None => due.missed.push(Missed { count: 1, first: time, last: time, why }),
        }
    }
    Ok(due)
}

const TOO_LATE: &str = "nothing looked until it was too late to begin";
const NEXT_CAME: &str = "a later time had come before anything looked, and one run stands for both";
const NOBODY_LOOKED: &str = "nothing looked when it was due";

fn add(missed: &mut Option<Missed>, time: Timestamp, why: &'static str) {
    match missed {
        Some(missed) => (missed.count, missed.last) = (missed.count + 1, time),
        None => *missed = Some(Missed { count: 1, first: time, last: time, why }),
    }
}

fn millis(ms: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// How late a time may begin.
pub fn within(plan: &Plan<'_>) -> SignedDuration {
    plan.within_ms.map_or(DEFAULT_WITHIN, millis)
}

/// When a time begins: spread over the jitter, the same on every machine.
pub fn begins(plan: &Plan<'_>, time: Timestamp) -> Timestamp {
    let Some(jitter) = plan.jitter_ms.filter(|ms| *ms > 0) else { return time };
    let digest = crate::Digest::of_parts("escher.jitter/1", [plan.name.as_bytes(), time.to_string().as_bytes()]);
    let first: [u8; 8] = std::array::from_fn(|at| digest.0.get(at).copied().unwrap_or_default());
    time.checked_add(millis(u64::from_be_bytes(first) % jitter)).unwrap_or(time)
}

/// The times of a schedule.
#[derive(Clone, Debug)]
pub struct Times(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Cron(Cron, TimeZone),
    Every(i64),
}

impl Times {
    /// Those that a schedule names.
    pub fn of(plan: &Plan<'_>) -> Result<Times, String> {
        Times::when(plan.when)
    }

    /// The same.
    pub fn when(when: &When) -> Result<Times, String> {
        Ok(Times(match when {
            When::Cron { expression, zone } => {
                Kind::Cron(Cron::parse(expression)?, TimeZone::get(zone).map_err(|e| e.to_string())?)
            }
            When::EveryMs(ms) => Kind::Every(i64::try_from((*ms).max(1)).map_err(|e| e.to_string())?),
        }))
    }

    /// The first one after an instant. What comes every so often is counted from the beginning of 1970, so that it is the
    /// same on every machine.
    pub fn after(&self, instant: Timestamp) -> Option<Timestamp> {
        match &self.0 {
            Kind::Cron(cron, zone) => cron.after(instant, zone),
            Kind::Every(every) => {
                let next = instant.as_millisecond().div_euclid(*every).saturating_add(1).saturating_mul(*every);
                Timestamp::from_millisecond(next).ok()
            }
        }
    }

    /// What clocks show at a time.
    pub fn local(&self, at: Timestamp) -> String {
        match &self.0 {
            Kind::Cron(_, zone) => zone.to_datetime(at).strftime("%a %Y-%m-%d %H:%M").to_string(),
            Kind::Every(_) => at.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn nightly() -> When {
        When::Cron { expression: "0 20 * * *".into(), zone: "Europe/Berlin".into() }
    }

    fn look(when: &When, missed: &str, within: Option<u64>, after: &str, now: &str) -> Due {
        let plan = Plan { when, missed, within_ms: within.map(|h| h * 3_600_000), jitter_ms: None, name: "nightly" };
        due(&plan, at(after), at(now)).unwrap()
    }

    #[test]
    fn on_time_late_and_not_yet() {
        let (when, before) = (nightly(), "2026-11-20T19:00:00Z");
        let not_yet = look(&when, "skip", None, before, "2026-11-21T18:59:59Z");
        assert_eq!((not_yet.run, not_yet.missed), (vec![], vec![]));
        assert_eq!(not_yet.next, Some(at("2026-11-21T19:00:00Z")));
        assert_eq!(look(&when, "skip", None, before, "2026-11-21T19:10:00Z").run, [at("2026-11-21T19:00:00Z")]);
        let late = look(&when, "skip", None, before, "2026-11-21T19:10:01Z");
        assert_eq!((late.run.len(), late.missed.len()), (0, 1));
        assert_eq!(late.missed[0].why, NOBODY_LOOKED);
        for missed in ["run_once", "run_all"] {
            assert_eq!(look(&when, missed, None, before, "2026-11-22T18:59:00Z").run, [at("2026-11-21T19:00:00Z")]);
            let within = look(&when, missed, Some(2), before, "2026-11-21T21:00:01Z");
            assert_eq!((within.run, within.missed[0].why), (vec![], TOO_LATE));
        }
    }

    #[test]
    fn a_week_asleep() {
        let (when, before, now) = (nightly(), "2026-11-13T19:00:00Z", "2026-11-20T21:00:00Z");
        let skip = look(&when, "skip", None, before, now);
        assert_eq!((skip.run.len(), skip.missed.iter().map(|m| m.count).sum::<u64>()), (0, 7));
        let once = look(&when, "run_once", None, before, now);
        assert_eq!(once.run, [at("2026-11-20T19:00:00Z")]);
        assert_eq!(once.missed.iter().map(|m| m.count).sum::<u64>(), 6);
        let all = look(&when, "run_all", Some(24 * 3), before, now);
        assert_eq!(all.run.len(), 3);
        assert_eq!((all.missed.len(), all.missed[0].count, all.missed[0].why), (1, 4, TOO_LATE));
    }

    #[test]
    fn years_of_minutes_end() {
        let when = When::EveryMs(60_000);
        let plan = Plan { when: &when, missed: "run_once", within_ms: None, jitter_ms: None, name: "often" };
        let found = due(&plan, at("2024-11-20T00:00:00Z"), at("2026-11-20T00:00:30Z")).unwrap();
        assert_eq!(found.run, [at("2026-11-20T00:00:00Z")]);
        assert!(found.missed.len() <= 3);
        assert_eq!(found.missed.iter().map(|m| m.count).sum::<u64>(), 730 * 1_440 - 1);
        let all = Plan { missed: "run_all", within_ms: Some(u64::MAX), ..plan };
        let found = due(&all, at("2026-11-19T00:00:00Z"), at("2026-11-20T00:00:30Z")).unwrap();
        assert_eq!((found.run.len(), found.next), (MOST_RUNS, Some(at("2026-11-20T00:00:30Z"))));
    }

    #[test]
    fn jitter_is_the_same_everywhere_and_stays_within_its_length() {
        let when = nightly();
        let plan = Plan { when: &when, missed: "skip", within_ms: None, jitter_ms: Some(600_000), name: "nightly" };
        let time = at("2026-11-21T19:00:00Z");
        let first = begins(&plan, time);
        assert_eq!(first, begins(&plan, time));
        assert!(first >= time && first.duration_since(time) < SignedDuration::from_mins(10));
        let other = Plan { name: "other", ..plan.clone() };
        assert_ne!(begins(&other, time), first);
        assert!(due(&plan, at("2026-11-21T18:00:00Z"), time).unwrap().run.is_empty() || first == time);
        assert_eq!(due(&plan, at("2026-11-21T18:00:00Z"), first).unwrap().run, [time]);
    }

    /// However often and however irregularly somebody looks, each time is run or told of exactly once.
    #[test]
    fn every_time_is_accounted_for_once() {
        let mut random = 7u64;
        let mut draw = move |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        for round in 0..300 {
            let zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];
            let cron = ["0 20 * * *", "*/15 * * * *", "30 2 * * *", "0 */6 * * 1-5"];
            let pick = |list: &[&str], n: u64| list[usize::try_from(n).unwrap() % list.len()].to_string();
            let when = When::Cron { expression: pick(&cron, draw(4)), zone: pick(&zones, draw(4)) };
            let missed = pick(&["skip", "run_once", "run_all"], draw(3));
            let within_ms = [None, Some(3_600_000), Some(86_400_000)][usize::try_from(draw(3)).unwrap()];
            let jitter_ms = [None, Some(900_000)][usize::try_from(draw(2)).unwrap()];
            let plan = Plan { when: &when, missed: &missed, within_ms, jitter_ms, name: "n" };
            let begin = at("2026-03-20T00:00:00Z");
            let (mut now, mut after, mut told) = (begin, begin, 0);
            let mut seen = std::collections::BTreeSet::new();
            while now < at("2026-04-10T00:00:00Z") {
                now += SignedDuration::from_mins(i64::try_from(draw(3_000) + 1).unwrap());
                let found = due(&plan, after, now).unwrap();
                for time in &found.run {
                    assert!(seen.insert(*time), "round {round}: {time} twice");
                    assert!(*time <= now && begins(&plan, *time) <= now);
                }
                told += found.missed.iter().map(|m| m.count).sum::<u64>();
                let last = found.missed.iter().map(|m| m.last).chain(found.run.iter().copied()).max();
                after = after.max(last.unwrap_or(after));
            }
            let times = Times::when(&when).unwrap();
            let mut expected = 0;
            let mut time = begin;
            while let Some(next) = times.after(time).filter(|next| *next <= after) {
                time = next;
                expected += 1;
            }
            assert_eq!(told + u64::try_from(seen.len()).unwrap(), expected, "round {round}: {plan:?}");
        }
    }
}
