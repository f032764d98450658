//! Kinds of errors from the reasons and statuses of Google Cloud.

use std::time::Duration;

use escher_provider::{CallError, ErrorKind, Sent, clean};
use escher_rest::Reply;
use serde::Deserialize;

use ErrorKind::{Conflict, Denied, Invalid, Missing, Throttled, Timeout, Unreachable};

/// Reasons and canonical statuses; first match wins. A quota of requests comes as 403 where it is old.
const TABLE: &[(&str, ErrorKind)] = &[
    ("rateLimitExceeded", Throttled),
    ("userRateLimitExceeded", Throttled),
    ("RATE_LIMIT_EXCEEDED", Throttled),
    ("RESOURCE_EXHAUSTED", Throttled),
    ("resourceInUseByAnotherResource", Conflict),
    ("resourceNotReady", Conflict),
    ("operationInProgress", Conflict),
    ("conditionNotMet", Conflict),
    ("quotaExceeded", Conflict),
    ("QUOTA_EXCEEDED", Conflict),
    ("ALREADY_EXISTS", Conflict),
    ("ABORTED", Conflict),
    ("FAILED_PRECONDITION", Conflict),
    ("NOT_FOUND", Missing),
    ("PERMISSION_DENIED", Denied),
    ("UNAUTHENTICATED", Denied),
    ("DEADLINE_EXCEEDED", Timeout),
    ("UNAVAILABLE", Unreachable),
    ("INTERNAL", Unreachable),
    ("INVALID_ARGUMENT", Invalid),
    ("OUT_OF_RANGE", Invalid),
    ("UNIMPLEMENTED", Invalid),
    ("RESOURCE_NOT_FOUND", Missing),
    ("RESOURCE_NOT_READY", Conflict),
    ("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", Conflict),
];

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: Option<Said>,
}

#[derive(Default, Deserialize)]
struct Said {
    status: Option<String>,
    message: Option<String>,
    #[serde(default)]
    errors: Vec<Reason>,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Reason {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    reason: Option<String>,
    #[serde(rename = "retryDelay")]
    retry_delay: Option<String>,
}

/// What an answer with an error status says.
pub(crate) fn refusal(reply: &Reply) -> CallError {
    let said = reply.json::<Body>().and_then(|body| body.error).unwrap_or_default();
    let reasons = said.details.iter().filter_map(|d| d.reason.clone());
    let reasons = reasons.chain(said.errors.into_iter().filter_map(|e| e.reason)).chain(said.status);
    let reasons: Vec<String> = reasons.filter(|word| is_word(word)).collect();
    let by_reason = reasons.iter().find_map(|reason| of_reason(reason));
    let delay = said.details.iter().find_map(|d| d.retry_delay.as_deref()?.strip_suffix('s')?.parse::<f64>().ok());
    CallError {
        kind: by_reason.unwrap_or_else(|| ErrorKind::of_status(reply.status)),
        code: reasons.into_iter().next(),
        message: said.message.as_deref().map(clean).unwrap_or_default(),
        request_id: None,
        // What happened in the service says nothing about how far it got.
        sent: if reply.status >= 500 || reply.status == 408 { Sent::Maybe } else { Sent::Refused },
        retry_after: delay.and_then(|seconds| Duration::try_from_secs_f64(seconds.min(3600.0)).ok()),
    }
}

/// What something that was begun says of its failure: it left, and how far it got isn't known.
pub(crate) fn of_operation(code: Option<&str>, message: Option<&str>, status: u16) -> CallError {
    let code = code.filter(|code| is_word(code));
    CallError {
        kind: code.and_then(of_reason).unwrap_or_else(|| ErrorKind::of_status(status)),
        code: code.map(str::to_owned),
        message: message.map_or_else(|| "the operation failed".into(), clean),
        request_id: None,
        sent: Sent::Maybe,
        retry_after: None,
    }
}

fn of_reason(reason: &str) -> Option<ErrorKind> {
    TABLE.iter().find(|(word, _)| *word == reason).map(|(_, kind)| *kind)
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.len() <= 120 && word.chars().all(|c| c.is_ascii_graphic())
}
