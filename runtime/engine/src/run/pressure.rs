//! How much of what a step sends is refused as too much, and how long an item pauses for that.
//!
//! Where others get through, a short pause is enough; where nothing does, each pause is twice the last. One measure for a
//! whole step: its calls go to the same API.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::limits::MAX_BACKOFF;

/// What counts as everything refused.
const WHOLE: u32 = 1 << 16;

/// How much one answer counts: the last twenty or so make the measure.
const WEIGHT: u32 = 10;

/// The least share that is reckoned with, so that no pause is nothing.
const LEAST: u32 = WHOLE / 5;

/// The share of late answers that were refusals.
#[derive(Debug, Default)]
pub(crate) struct Pressure(AtomicU32);

impl Pressure {
    /// A call was answered, or refused as too much.
    pub(crate) fn note(&self, refused: bool) {
        // Two at the same moment may count as one: it is a measure, not a ledger.
        let share = self.0.load(Ordering::Relaxed);
        let next = if refused { share + (WHOLE - share) / WEIGHT } else { share - share / WEIGHT };
        if next != share {
            self.0.store(next, Ordering::Relaxed);
        }
    }

    /// The pause before another attempt, half of it by chance, never shorter than asked for. `base`: the first pause
    /// where everything is refused.
    pub(crate) fn pause(&self, base: Duration, attempt: u32, retry_after: Option<Duration>) -> Duration {
        let share = f64::from(self.0.load(Ordering::Relaxed).max(LEAST)) / f64::from(WHOLE);
        let growth = (1.0 + share).powi(i32::try_from(attempt.min(16)).unwrap_or(16));
        let full = base.mul_f64(share * growth).min(MAX_BACKOFF);
        crate::world::jittered(full, retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::Pressure;
    use std::time::Duration;

    const BASE: Duration = Duration::from_millis(250);

    #[test]
    fn a_refusal_among_many_answers_pauses_shortly() {
        let pressure = Pressure::default();
        (0..100).for_each(|n| pressure.note(n % 10 == 0));
        assert!(pressure.pause(BASE, 0, None) <= Duration::from_millis(50));
        assert!(pressure.pause(BASE, 5, None) <= Duration::from_millis(125));
        assert_eq!(pressure.pause(BASE, 0, Some(Duration::from_secs(7))), Duration::from_secs(7));
    }

    #[test]
    fn where_nothing_gets_through_pauses_double() {
        let pressure = Pressure::default();
        (0..100).for_each(|_| pressure.note(true));
        assert!(pressure.pause(BASE, 0, None) >= Duration::from_millis(124));
        assert!(pressure.pause(BASE, 4, None) >= Duration::from_millis(1_980));
        (0..100).for_each(|_| pressure.note(false));
        assert!(pressure.pause(BASE, 0, None) <= Duration::from_millis(50));
    }
}
