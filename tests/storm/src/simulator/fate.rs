//! How a request goes wrong.

use escher_provider::{CallError, ErrorKind, Sent};

use super::trouble;
use crate::random::Random;

/// How often what goes wrong, in percent of requests.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    /// Too many requests: refused, nothing done.
    pub throttle: u64,
    /// It is done, and the connection ends without an answer.
    pub lost: u64,
    /// It is done, and no answer ever comes.
    pub silent: u64,
    /// The service fails before it does anything, and says so with a 5xx, from which nobody can tell.
    pub unavailable: u64,
    /// It never leaves.
    pub unsent: u64,
    /// Refused for want of rights.
    pub denied: u64,
    /// Items of one page.
    pub page: usize,
}

impl Chaos {
    /// Nothing goes wrong.
    pub fn none() -> Chaos {
        Chaos { throttle: 0, lost: 0, silent: 0, unavailable: 0, unsent: 0, denied: 0, page: 1_000 }
    }

    /// Ten percent throttling, ten of lost answers, and more.
    pub fn storm(page: usize) -> Chaos {
        Chaos { throttle: 10, lost: 8, silent: 2, unavailable: 3, unsent: 2, denied: 2, page }
    }

    pub(super) fn draw(&self, random: &mut Random, reads: bool) -> Fate {
        let mut drawn = random.below(100);
        let fates = [
            (self.throttle, Fate::Throttled),
            (self.unavailable, Fate::Unavailable),
            (self.unsent, Fate::Unsent),
            (if reads { 0 } else { self.denied }, Fate::Denied),
            (if reads { 0 } else { self.lost }, Fate::Lost),
            (if reads { 0 } else { self.silent }, Fate::Silent),
        ];
        for (percent, fate) in fates {
            if drawn < percent {
                return fate;
            }
            drawn -= percent;
        }
        Fate::Well
    }
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Well,
    /// Refused: too many requests.
    Throttled,
    /// Refused: no rights.
    Denied,
    /// Not done, and nobody can tell.
    Unavailable,
    /// Never left.
    Unsent,
    /// Done, not answered: the connection ends.
    Lost,
    /// Done, not answered: the connection stays.
    Silent,
}

impl Fate {
    /// The error that comes instead of the effect.
    pub(super) fn before_arrival(self) -> Option<CallError> {
        Some(match self {
            Fate::Throttled => trouble(ErrorKind::Throttled, "RequestLimitExceeded", Sent::Refused),
            Fate::Denied => trouble(ErrorKind::Denied, "UnauthorizedOperation", Sent::Refused),
            Fate::Unavailable => trouble(ErrorKind::Unreachable, "Unavailable", Sent::Maybe),
            Fate::Unsent => CallError::unsent(ErrorKind::Unreachable, "connection refused"),
            Fate::Well | Fate::Lost | Fate::Silent => return None,
        })
    }

    pub(super) fn lost() -> CallError {
        CallError { sent: Sent::Maybe, ..CallError::unsent(ErrorKind::Unreachable, "the connection was reset") }
    }

    /// The error that a reading ends with.
    pub(super) fn of_reading(self) -> Option<CallError> {
        match self {
            Fate::Denied | Fate::Lost | Fate::Silent => None,
            other => other.before_arrival(),
        }
    }
}
