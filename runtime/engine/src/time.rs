//! What time it is for what ends: the latest of the local clock, the last audit record and the cloud's `Date`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::audit;
use crate::engine::Engine;
use crate::error::{EngineError, Refused};

/// How far clocks may be apart.
const SKEW: Duration = Duration::from_secs(300);

/// The latest of the clocks; refused, with an audit record, where they are too far apart.
///
/// `ahead` is by how many seconds the cloud's clock is ahead of this machine's, where a cloud has answered.
pub(crate) fn latest(
    engine: &Engine,
    run: Option<&str>,
    principal: &str,
    ahead: Option<i64>,
) -> Result<Timestamp, EngineError> {
    let now = engine.clock.now();
    let refuse = |reason: String| {
        let help = "set this machine's clock: what an approval allows, and until when, is judged by it";
        Err(audit::refused(engine, run, principal, Refused::new(reason, help)))
    };
    let limit = SignedDuration::try_from(SKEW).unwrap_or(SignedDuration::ZERO);
    let last = audit::last_at(&*engine.store).map_err(|error| audit::tampered(engine, run, principal, error))?;
    let mut latest = now;
    if let Some(last) = last {
        if last.duration_since(now) > limit {
            let words =
                format!("it is {now:.0} by the clock of this machine, and the last audit record is of {last:.0}");
            return refuse(words);
        }
        latest = latest.max(last);
    }
    if let Some(ahead) = ahead {
        let ahead = SignedDuration::from_secs(ahead);
        if ahead.abs() > limit {
            let there = now.checked_add(ahead).unwrap_or(Timestamp::MAX);
            return refuse(format!("it is {now:.0} by the clock of this machine, and {there:.0} by the cloud's"));
        }
        latest = latest.max(now.checked_add(ahead).unwrap_or(latest));
    }
    Ok(latest)
}
