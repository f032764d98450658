//! States that take time: `stopping` now, `stopped` from an instant on.
//!
//! Computed from timestamps when somebody looks; no timer, no task. Does *not* know which transitions a resource allows.

use serde::{Deserialize, Serialize};

/// A state, and perhaps the next one and when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lifecycle<S> {
    state: S,
    since: i64,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    next: Option<Next<S>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Next<S> {
    state: S,
    at: i64,
}

// `#[serde(default)]` alone would ask for `S: Default`.
fn none<S>() -> Option<Next<S>> {
    None
}

impl<S: Clone> Lifecycle<S> {
    /// At rest.
    pub(crate) fn settled(state: S, since: i64) -> Self {
        Lifecycle { state, since, next: None }
    }

    /// On the way: `via` now, `to` after so many milliseconds.
    pub(crate) fn moving(via: S, to: S, now: i64, takes: i64) -> Self {
        Lifecycle { state: via, since: now, next: Some(Next { state: to, at: now.saturating_add(takes) }) }
    }

    /// The state at an instant.
    pub(crate) fn at(&self, now: i64) -> S {
        match &self.next {
            Some(next) if now >= next.at => next.state.clone(),
            _ => self.state.clone(),
        }
    }

    /// Since when it has been in the state it is in at `now`.
    pub(crate) fn since(&self, now: i64) -> i64 {
        match &self.next {
            Some(next) if now >= next.at => next.at,
            _ => self.since,
        }
    }

    /// When it comes to rest, where it is on the way.
    pub(crate) fn due(&self) -> Option<i64> {
        self.next.as_ref().map(|next| next.at)
    }

    /// Forgets what has come to pass.
    pub(crate) fn settle(&mut self, now: i64) {
        if let Some(next) = self.next.take_if(|next| now >= next.at) {
            *self = Lifecycle::settled(next.state, next.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_when_its_time_has_come() {
        let mut state = Lifecycle::moving("stopping", "stopped", 1_000, 500);
        assert_eq!((state.at(1_499), state.since(1_499)), ("stopping", 1_000));
        assert_eq!((state.at(1_500), state.since(1_500)), ("stopped", 1_500));
        state.settle(1_499);
        assert_eq!(state, Lifecycle::moving("stopping", "stopped", 1_000, 500));
        state.settle(2_000);
        assert_eq!(state, Lifecycle::settled("stopped", 1_500));
    }
}
