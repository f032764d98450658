//! The clock, so that tests can set it. Waiting is tokio's.

use jiff::Timestamp;

/// What time it is.
pub trait Clock: Send + Sync {
    /// The local clock.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        crate::platform::now()
    }
}

/// `at`, and so much later; the end of time where that is beyond it.
pub(crate) fn later(at: Timestamp, by: std::time::Duration) -> Timestamp {
    jiff::SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}
