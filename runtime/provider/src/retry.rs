//! When a reading is tried again: the standard mode of the clouds' own SDKs, and never a change.
//!
//! This module does *not* send anything and knows no clock; the caller sleeps.

use std::time::Duration;

use crate::CallError;

/// Longest pause of our own choice; the SDKs have the same.
const MAX_PAUSE: Duration = Duration::from_secs(20);

/// Longest pause that a provider may ask of a single reading; the engine waits longer, a reading fails.
const MAX_ASKED: Duration = Duration::from_secs(60);

/// The attempts of one reading.
#[derive(Debug)]
pub struct Attempts {
    made: u32,
    max: u32,
}

impl Attempts {
    /// At most `max` attempts.
    pub fn new(max: u32) -> Attempts {
        Attempts { made: 0, max }
    }

    /// After a failed attempt: how long to wait before the next; none where there is no next.
    pub fn pause(&mut self, error: &CallError, chance: f64) -> Option<Duration> {
        self.made += 1;
        if self.made >= self.max || !error.kind.is_transient() {
            return None;
        }
        match error.retry_after {
            Some(asked) if asked > MAX_ASKED => None,
            Some(asked) => Some(asked),
            None => {
                let ceiling = Duration::from_secs(1 << (self.made - 1).min(6)).min(MAX_PAUSE);
                Some(ceiling.mul_f64(chance.clamp(0.0, 1.0)))
            }
        }
    }
}

/// A number between 0 and 1 that differs between processes: spreads the retries of many clients, needs no more.
pub fn chance() -> f64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let bits = RandomState::new().build_hasher().finish() >> 11;
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
    let fraction = bits as f64 / (1u64 << 53) as f64;
    fraction
}

#[cfg(test)]
mod tests {
    use super::{Attempts, chance};
    use crate::{CallError, ErrorKind};
    use std::time::Duration;

    #[test]
    fn tries_again_what_may_pass() {
        let throttled = CallError::unsent(ErrorKind::Throttled, "");
        let mut attempts = Attempts::new(4);
        let pauses: Vec<_> = (0..4).map(|_| attempts.pause(&throttled, 1.0)).collect();
        assert_eq!(
            pauses,
            [1, 2, 4].map(|s| Some(Duration::from_secs(s))).into_iter().chain([None]).collect::<Vec<_>>()
        );
        assert_eq!(Attempts::new(4).pause(&CallError::unsent(ErrorKind::Denied, ""), 1.0), None);
    }

    #[test]
    fn does_as_the_provider_asks() {
        let mut error = CallError::unsent(ErrorKind::Throttled, "");
        error.retry_after = Some(Duration::from_secs(7));
        assert_eq!(Attempts::new(3).pause(&error, 0.1), Some(Duration::from_secs(7)));
        error.retry_after = Some(Duration::from_secs(100));
        assert_eq!(Attempts::new(3).pause(&error, 0.1), None);
    }

    #[test]
    fn chances_are_fractions() {
        assert!((0..100).map(|_| chance()).all(|c| (0.0..1.0).contains(&c)));
    }
}
