//! Freeze calendars: spans of time in which nothing is changed. Reads no clock: the moment is given.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cron::Cron;

/// Longest that one freeze of a recurring calendar lasts, in seconds: 31 days.
const MOST_SECONDS: u64 = 31 * 86_400;

/// A calendar of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Calendar {
    /// Once: `from = "2026-12-20", until = "2027-01-03"`. A date is the whole of its day.
    Between {
        /// Date, or date and time, of the zone's clocks.
        from: String,
        /// The same; a date's day still belongs to it.
        until: String,
        /// Time zone in which they are.
        zone: String,
    },
    /// Again and again: `cron = "0 18 * * 5", lasts = "62h"`.
    Recurring {
        /// When it begins.
        cron: String,
        /// For how long, in seconds.
        lasts_seconds: u64,
        /// Time zone of the expression.
        zone: String,
    },
}

impl Calendar {
    /// Why it is none, in words.
    pub fn check(&self) -> Result<(), String> {
        self.holds(Timestamp::UNIX_EPOCH).map(drop)?;
        match self {
            Calendar::Recurring { lasts_seconds, .. } if *lasts_seconds == 0 || *lasts_seconds > MOST_SECONDS => {
                Err("a freeze that recurs lasts more than nothing and 31 days at most".into())
            }
            Calendar::Between { from, until, .. } if bounds(from)?.0 >= bounds(until)?.1 => {
                Err(format!("{until} is not after {from}"))
            }
            _ => Ok(()),
        }
    }

    /// Whether it holds at a moment.
    pub fn holds(&self, at: Timestamp) -> Result<bool, String> {
        match self {
            Calendar::Between { from, until, zone } => {
                let local = known(zone)?.to_datetime(at);
                Ok(local >= bounds(from)?.0 && local < bounds(until)?.1)
            }
            Calendar::Recurring { cron, lasts_seconds, zone } => {
                let (cron, zone) = (Cron::parse(cron)?, known(zone)?);
                let lasts = SignedDuration::from_secs(i64::try_from(*lasts_seconds).unwrap_or(i64::MAX));
                let from = at.checked_sub(lasts).unwrap_or(Timestamp::MIN);
                // A beginning that is no longer ago than it lasts.
                Ok(cron.after(from, &zone).is_some_and(|began| began <= at))
            }
        }
    }
}

fn known(zone: &str) -> Result<TimeZone, String> {
    TimeZone::get(zone).map_err(|_| format!("there is no time zone \"{zone}\""))
}

/// From when and until when a date, or a date and time, is.
fn bounds(text: &str) -> Result<(DateTime, DateTime), String> {
    let no = |_| format!("\"{text}\" is no date such as 2026-12-20 or 2026-12-20T18:00");
    if let Ok(date) = text.parse::<Date>()
        && !text.contains('T')
    {
        let next = date.tomorrow().map_err(no)?;
        return Ok((date.at(0, 0, 0, 0), next.at(0, 0, 0, 0)));
    }
    let time: DateTime = text.parse().map_err(no)?;
    Ok((time, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_span_holds_by_the_clocks_of_its_zone() {
        let from = |from: &str, until: &str| Calendar::Between {
            from: from.into(),
            until: until.into(),
            zone: "Europe/Berlin".into(),
        };
        let year = from("2026-12-20", "2027-01-03");
        year.check().unwrap();
        for (moment, holds) in [
            ("2026-12-19T22:59:59Z", false),
            ("2026-12-19T23:00:00Z", true),
            ("2027-01-03T22:59:59Z", true),
            ("2027-01-03T23:00:00Z", false),
        ] {
            assert_eq!(year.holds(at(moment)), Ok(holds), "{moment}");
        }
        let evening = from("2026-11-27T16:00", "2026-11-27T20:30");
        assert_eq!(evening.holds(at("2026-11-27T15:00:00Z")), Ok(true));
        assert_eq!(evening.holds(at("2026-11-27T19:30:00Z")), Ok(false));
        assert!(from("2027-01-03", "2026-12-20").check().is_err());
        assert!(from("soon", "2026-12-20").check().is_err());
    }

    #[test]
    fn a_weekend_recurs() {
        let weekend =
            Calendar::Recurring { cron: "0 18 * * 5".into(), lasts_seconds: 62 * 3_600, zone: "Europe/Berlin".into() };
        weekend.check().unwrap();
        for (moment, holds) in [
            ("2026-11-20T16:59:00Z", false),
            ("2026-11-20T17:00:00Z", true),
            ("2026-11-22T12:00:00Z", true),
            ("2026-11-23T06:59:59Z", true),
            ("2026-11-23T07:00:00Z", false),
        ] {
            assert_eq!(weekend.holds(at(moment)), Ok(holds), "{moment}");
        }
        let never = Calendar::Recurring { cron: "0 18 * * 5".into(), lasts_seconds: 0, zone: "UTC".into() };
        assert!(never.check().is_err());
        let nowhere = Calendar::Recurring { cron: "0 18 * * 5".into(), lasts_seconds: 60, zone: "Mars/Olympus".into() };
        assert!(nowhere.check().is_err());
    }
}
