//! Errors of calls, typed the same for all clouds.

use std::time::Duration;

use escher_ir::journal::CallFailure;

/// The kinds that `catch` knows, and the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// There is no such thing.
    Missing,
    /// No rights, or no valid credentials.
    Denied,
    /// It is in a state that does not allow this.
    Conflict,
    /// Too many requests.
    Throttled,
    /// The provider could not be reached, or could not answer (5xx).
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The request is wrong.
    Invalid,
    /// None of these.
    Unknown,
}

impl ErrorKind {
    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            ErrorKind::Missing => "missing",
            ErrorKind::Denied => "denied",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Throttled => "throttled",
            ErrorKind::Unreachable => "unreachable",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Unknown => "unknown",
        }
    }

    /// What a status of HTTP says where nothing else does.
    pub fn of_status(status: u16) -> ErrorKind {
        match status {
            404 | 410 => ErrorKind::Missing,
            401 | 403 | 407 => ErrorKind::Denied,
            409 | 412 | 423 => ErrorKind::Conflict,
            408 | 504 => ErrorKind::Timeout,
            429 => ErrorKind::Throttled,
            400 | 405 | 406 | 411 | 413 | 414 | 415 | 422 => ErrorKind::Invalid,
            500..=599 => ErrorKind::Unreachable,
            _ => ErrorKind::Unknown,
        }
    }

    /// Whether trying again later may help.
    pub fn is_transient(self) -> bool {
        matches!(self, ErrorKind::Throttled | ErrorKind::Unreachable | ErrorKind::Timeout)
    }
}

/// How far a failed call got: what may be sent again, and what must be probed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It never left, so it had no effect.
    No,
    /// The provider refused it, so it had no effect.
    Refused,
    /// It left, and what became of it isn't known.
    Maybe,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", code.as_ref().map(|c| format!("{c}: ")).unwrap_or_default())]
pub struct CallError {
    /// Kind.
    pub kind: ErrorKind,
    /// The cloud's own code.
    pub code: Option<String>,
    /// The cloud's own words, at most a few hundred characters, without secrets.
    pub message: String,
    /// The provider's request id.
    pub request_id: Option<String>,
    /// How far it got.
    pub sent: Sent,
    /// When the provider wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl CallError {
    /// An error that arose before anything was sent.
    pub fn unsent(kind: ErrorKind, message: impl Into<String>) -> CallError {
        CallError { kind, code: None, message: message.into(), request_id: None, sent: Sent::No, retry_after: None }
    }
}

impl From<&CallError> for CallFailure {
    fn from(e: &CallError) -> CallFailure {
        CallFailure {
            kind: e.kind.word().into(),
            code: e.code.clone(),
            message: e.message.clone(),
            request_id: e.request_id.clone(),
            maybe_done: e.sent == Sent::Maybe,
        }
    }
}
