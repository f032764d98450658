//! Clocks of storms: one that stands still unless the run waits (tokio's paused time, seen from every thread), and one that
//! is set forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use escher_engine::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::Handle;
use tokio::time::Instant;

/// Where the paused clock began, in the world's own time.
const BEGIN: i64 = 1_795_248_000; // 2026-11-21T08:00:00Z

/// The runtime's paused time as the engine's clock.
#[derive(Clone, Debug)]
pub struct PausedClock {
    handle: Handle,
    began: Instant,
    /// How much later than usual it began.
    later: SignedDuration,
}

impl PausedClock {
    /// Must be called inside a runtime whose time is paused.
    pub fn new() -> PausedClock {
        PausedClock { handle: Handle::current(), began: Instant::now(), later: SignedDuration::ZERO }
    }

    /// The same, so much later.
    pub fn later(time: Duration) -> PausedClock {
        PausedClock { later: SignedDuration::try_from(time).unwrap_or_default(), ..PausedClock::new() }
    }
}

impl Default for PausedClock {
    fn default() -> PausedClock {
        PausedClock::new()
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        // The journal writes on a thread of its own, which knows nothing of the runtime otherwise.
        let _inside = self.handle.enter();
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        Timestamp::from_second(BEGIN).unwrap() + self.later + passed
    }
}

/// The machine's clock, ahead of itself: a lease runs out without anybody waiting for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct AheadClock(Arc<AtomicI64>);

impl AheadClock {
    /// Goes forward.
    pub(crate) fn advance(&self, time: Duration) {
        let milliseconds = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for AheadClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_millis(self.0.load(Ordering::SeqCst))
    }
}
