//! Cron expressions of five fields, in the local time of a zone.
//!
//! Where clocks are put forward or back, Debian's cron is followed. A schedule of fixed hours runs once a day that it names: a time
//! that is skipped runs as soon as the clocks have been put forward, one that comes twice runs the first time. A schedule
//! whose hours are all hours, or every so many, is about time that passes: what is skipped does not run, and an hour that
//! comes twice is two. Reads no clock and no file: the zone is given.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Days that are looked through for the next time: a 29th of February may be eight years away.
const DAYS: u32 = 8 * 366 + 2;

/// The greatest change of clocks that is reckoned with.
const CHANGE: SignedDuration = SignedDuration::from_hours(3);

/// Name, least and greatest of each field.
const FIELDS: [(&str, i8, i8); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7)];

/// An expression, such as `0 20 * * 1-5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    days: BTreeSet<i8>,
    months: BTreeSet<i8>,
    /// 0 is Sunday.
    weekdays: BTreeSet<i8>,
    /// The hours are not said one by one.
    every_hour: bool,
    /// Days of the month, and days of the week, are narrowed: then either will do.
    narrowed: (bool, bool),
}

impl Cron {
    /// Reads an expression. Errors: what is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Cron, String> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts.as_slice() else {
            return Err(format!("it has {} fields, not {}", parts.len(), FIELDS.len()));
        };
        let read = |at: usize, part: &str| FIELDS.get(at).map_or(Ok(BTreeSet::new()), |field| values(part, *field));
        let star = |part: &str| part.starts_with('*');
        Ok(Cron {
            minutes: read(0, minute)?,
            hours: read(1, hour)?,
            days: read(2, day)?,
            months: read(3, month)?,
            weekdays: read(4, weekday)?.into_iter().map(|d| d % 7).collect(),
            every_hour: star(hour),
            narrowed: (!star(day), !star(weekday)),
        })
    }

    /// The first time after this instant; none within eight years.
    pub fn after(&self, instant: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let begin = zone.to_datetime(instant).checked_sub(CHANGE).ok()?;
        let mut date = begin.date();
        let mut found: Option<(DateTime, Timestamp)> = None;
        for _ in 0..DAYS {
            let clock = self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
            let clock = clock.filter_map(|(hour, minute)| Time::new(hour, minute, 0, 0).ok());
            for local in clock.filter(|_| self.names(date)).map(|time| date.to_datetime(time)) {
                if local < begin {
                    continue;
                }
                // Where clocks are put back, a later time of the wall may come first.
                if let Some((first, best)) = found
                    && local > first.checked_add(CHANGE).ok()?
                {
                    return Some(best);
                }
                for time in self.instants(local, zone).into_iter().flatten().filter(|time| *time > instant) {
                    found = match found {
                        Some((first, best)) => Some((first, best.min(time))),
                        None => Some((local, time)),
                    };
                }
            }
            if let Some((first, best)) = found
                && date > first.date()
            {
                return Some(best);
            }
            date = date.tomorrow().ok()?;
        }
        found.map(|(_, best)| best)
    }

    fn instants(&self, local: DateTime, zone: &TimeZone) -> [Option<Timestamp>; 2] {
        let ambiguous = zone.to_ambiguous_timestamp(local);
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(local).ok();
        match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => [at(offset), None],
            AmbiguousOffset::Fold { before, after } if self.every_hour => [at(before), at(after)],
            AmbiguousOffset::Fold { before, .. } => [at(before), None],
            AmbiguousOffset::Gap { .. } if self.every_hour => [None, None],
            // The moment in which the clocks were put forward: read with the offset from before, the time lies behind it.
            AmbiguousOffset::Gap { before, .. } => {
                let moment = at(before).and_then(|late| {
                    let from = late.checked_add(1.second()).ok()?;
                    zone.preceding(from).next().map(|transition| transition.timestamp())
                });
                [moment, None]
            }
        }
    }

    fn names(&self, date: Date) -> bool {
        let day = self.days.contains(&date.day());
        let weekday = self.weekdays.contains(&(date.weekday().to_sunday_zero_offset()));
        let either = if self.narrowed == (true, true) { day || weekday } else { day && weekday };
        either && self.months.contains(&date.month())
    }
}

/// The values of one field: `*`, `1-5`, `*/15`, `8,12`.
fn values(part: &str, (name, least, most): (&str, i8, i8)) -> Result<BTreeSet<i8>, String> {
    let number = |text: &str| match text.parse::<i8>() {
        Ok(n) if (least..=most).contains(&n) => Ok(n),
        _ => Err(format!("`{text}` is no {name} of {least} to {most}")),
    };
    let mut values = BTreeSet::new();
    for one in part.split(',') {
        let (range, step) = one.split_once('/').map_or((one, None), |(range, step)| (range, Some(step)));
        let by = match step.map(str::parse::<usize>) {
            None => 1,
            Some(Ok(by)) if by >= 1 && by <= usize::from(most.unsigned_abs()) => by,
            Some(_) => return Err(format!("`{}` is no number of steps", step.unwrap_or_default())),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (number(from)?, number(to)?),
            // `5/10` is from 5 on.
            None if step.is_some() => (number(range)?, most),
            None => (number(range)?, number(range)?),
        };
        if from > to {
            return Err(format!("`{range}` goes backwards"));
        }
        values.extend((from..=to).step_by(by));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::Cron;
    use jiff::civil::{Date, Weekday};
    use jiff::tz::TimeZone;
    use jiff::{Timestamp, ToSpan};

    #[test]
    fn expressions_are_told_from_others() {
        for right in ["0 20 * * 1-5", "*/15 * * * *", "0 8,12 1 1 0", "5 4 * * 7", "5/10 * * * *"] {
            assert!(Cron::parse(right).is_ok(), "{right}");
        }
        for wrong in ["", "0 20 * *", "60 * * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "a b c d e", "0 0 * * 8"]
        {
            assert!(Cron::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_never_comes_is_none() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(Cron::parse("0 0 31 2 *").unwrap().after(now, &TimeZone::UTC), None);
        let leap = Cron::parse("0 0 29 2 *").unwrap().after("2097-01-01T00:00Z".parse().unwrap(), &TimeZone::UTC);
        assert_eq!(leap, Some("2104-02-29T00:00Z".parse().unwrap()));
    }

    /// Whether a field names a value, read straight from its text.
    fn says(part: &str, value: i16, least: i16, most: i16) -> bool {
        part.split(',').any(|one| {
            let (range, step) = one.split_once('/').unwrap_or((one, "1"));
            let (from, to) = match range.split_once('-') {
                Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
                None if range == "*" => (least, most),
                None => (range.parse().unwrap(), if one.contains('/') { most } else { range.parse().unwrap() }),
            };
            (from..=to).contains(&value) && (value - from) % step.parse::<i16>().unwrap() == 0
        })
    }

    /// A local minute, counted from an arbitrary one, and what a clock on the wall shows then.
    struct Walls {
        epoch: Date,
        /// Day, month and weekday of each day.
        dates: Vec<(i16, i16, i16)>,
    }

    impl Walls {
        fn new(epoch: Date, days: usize) -> Walls {
            let shown = |date: Date| {
                let weekday = i16::from(date.weekday().since(Weekday::Sunday));
                (i16::from(date.day()), i16::from(date.month()), weekday)
            };
            Walls { epoch, dates: epoch.series(1.day()).take(days).map(shown).collect() }
        }

        /// For each minute of a day, and for each day, whether the expression names it.
        fn named(&self, expression: &str) -> (Vec<bool>, Vec<bool>) {
            let parts: Vec<&str> = expression.split(' ').collect();
            let minutes = (0..1440).map(|m| says(parts[0], m % 60, 0, 59) && says(parts[1], m / 60, 0, 23)).collect();
            let either = !parts[2].starts_with('*') && !parts[4].starts_with('*');
            let day = |(day, month, weekday): &(i16, i16, i16)| {
                let day = says(parts[2], *day, 1, 31);
                let week = says(parts[4], *weekday, 0, 7) || *weekday == 0 && says(parts[4], 7, 0, 7);
                (if either { day || week } else { day && week }) && says(parts[3], *month, 1, 12)
            };
            (minutes, self.dates.iter().map(day).collect())
        }

        /// The local minute of each minute from an instant on.
        fn minutes(&self, zone: &TimeZone, from: Timestamp, count: usize) -> Vec<usize> {
            let epoch = self.epoch.to_datetime(jiff::civil::Time::midnight());
            let local = |at: Timestamp| {
                let passed = zone.to_datetime(at).since((jiff::Unit::Minute, epoch)).unwrap();
                usize::try_from(passed.get_minutes()).unwrap()
            };
            let mut all = Vec::with_capacity(count + 60);
            let mut at = from;
            while all.len() < count {
                let (first, last) = (local(at), local(at + 59.minutes()));
                // No change within this hour, or one to be looked at minute by minute.
                match last == first + 59 {
                    true => all.extend(first..=last),
                    false => all.extend((0..60).map(|m| local(at + m.minutes()))),
                }
                at += 1.hour();
            }
            all
        }
    }

    /// Minute by minute through real time: what the clock on the wall shows, and what it leaves out or shows again.
    fn brute(expression: &str, walls: &Walls, minutes: &[usize], from: Timestamp) -> Vec<Timestamp> {
        let every_hour = expression.split(' ').nth(1).unwrap().starts_with('*');
        let (of_day, days) = walls.named(expression);
        let names = |minute: usize| of_day[minute % 1440] && days[minute / 1440];
        let (mut found, mut highest) = (Vec::new(), minutes[0]);
        for (passed, now) in minutes.iter().copied().enumerate().skip(1) {
            let due = match every_hour {
                true => names(now),
                // Put forward, what was left out is due now; put back, what was shown is not due again.
                false => (highest + 1..=now).any(names),
            };
            if due {
                found.push(from + i64::try_from(passed).unwrap().minutes());
            }
            highest = highest.max(now);
        }
        found
    }

    const ZONES: [&str; 8] = [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "America/Santiago",
        "Asia/Beirut",
    ];

    /// Two years of eight zones with every change of their clocks: half an hour at Lord Howe, at midnight in Beirut and
    /// Santiago, around Ramadan in Casablanca.
    #[test]
    fn two_years_of_eight_zones_are_as_a_clock_on_the_wall_has_them() {
        let (from, to): (Timestamp, Timestamp) =
            ("2025-01-01T00:00Z".parse().unwrap(), "2027-01-01T00:00Z".parse().unwrap());
        let walls = Walls::new(jiff::civil::date(2024, 12, 30), 740);
        let expressions =
            ["30 2 * * *", "0,30 0-3 * * *", "*/20 * * * *", "15 */2 * * *", "5 0 1,15 * 1", "45 23 * 3,10 0,6"];
        for name in ZONES {
            let zone = TimeZone::get(name).unwrap();
            let minutes = walls.minutes(&zone, from, 730 * 1440);
            for expression in expressions {
                let cron = Cron::parse(expression).unwrap();
                let (mut times, mut at) = (Vec::new(), from);
                while let Some(next) = cron.after(at, &zone).filter(|next| *next < to) {
                    times.push(next);
                    at = next;
                }
                let wanted = brute(expression, &walls, &minutes, from);
                let differs = times.iter().zip(&wanted).find(|(a, b)| a != b);
                assert_eq!(times.len(), wanted.len(), "{name} {expression}: {differs:?}");
                assert_eq!(differs, None, "{name} {expression}");
            }
        }
    }
}
