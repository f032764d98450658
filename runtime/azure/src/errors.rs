//! Kinds of errors from the codes of Azure Resource Manager, and from statuses where a code says nothing.

use escher_provider::{CallError, ErrorKind, Sent, clean};
use escher_rest::Reply;
use serde::Deserialize;

use ErrorKind::{Conflict, Denied, Invalid, Missing, Throttled, Timeout, Unreachable};

/// Codes that say more than the status that they come with; first match wins, by what the code holds.
const TABLE: &[(&str, ErrorKind)] = &[
    ("TooManyRequests", Throttled),
    ("Throttl", Throttled),
    ("RequestsLimitExceeded", Throttled),
    ("RetryableError", Unreachable),
    ("ServerTimeout", Timeout),
    ("GatewayTimeout", Timeout),
    ("OperationTimedOut", Timeout),
    ("NotFound", Missing),
    ("DoesNotExist", Missing),
    ("AuthorizationFailed", Denied),
    ("AuthenticationFailed", Denied),
    ("InvalidAuthenticationToken", Denied),
    ("ExpiredAuthenticationToken", Denied),
    ("RequestDisallowedByPolicy", Denied),
    ("SubscriptionNotRegistered", Denied),
    ("MissingSubscriptionRegistration", Denied),
    ("ReadOnlyDisabledSubscription", Denied),
    ("AnotherOperationInProgress", Conflict),
    ("InUse", Conflict),
    ("Conflict", Conflict),
    ("AlreadyExists", Conflict),
    ("ScopeLocked", Conflict),
    ("OperationNotAllowed", Conflict),
    ("QuotaExceeded", Conflict),
    ("NotAllowedWhen", Conflict),
    ("InvalidResourceState", Conflict),
    ("PreconditionFailed", Conflict),
    ("InternalServerError", Unreachable),
    ("ServiceUnavailable", Unreachable),
    ("Invalid", Invalid),
    ("BadRequest", Invalid),
];

/// An error as Resource Manager has it, and as some services have it without the wrapper.
#[derive(Debug, Default, Deserialize)]
struct Body {
    error: Option<Said>,
    code: Option<String>,
    message: Option<String>,
}

/// Code and words of an error.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Said {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
}

/// What an answer with an error status says.
pub(crate) fn refusal(reply: &Reply) -> CallError {
    let body: Body = reply.json().unwrap_or_default();
    let said = body.error.unwrap_or(Said { code: body.code, message: body.message });
    // What happened in the service says nothing about how far it got.
    let sent = if reply.status >= 500 || reply.status == 408 { Sent::Maybe } else { Sent::Refused };
    of(said, reply.status, sent)
}

/// An error of this code and status.
pub(crate) fn of(said: Said, status: u16, sent: Sent) -> CallError {
    let word = |c: &String| !c.is_empty() && c.len() <= 120 && c.chars().all(|c| c.is_ascii_graphic());
    let code = said.code.map(|c| c.trim().to_owned()).filter(word);
    CallError {
        kind: kind(code.as_deref(), status),
        message: said.message.as_deref().map(clean).unwrap_or_default(),
        code,
        request_id: None,
        sent,
        retry_after: None,
    }
}

fn kind(code: Option<&str>, status: u16) -> ErrorKind {
    let by_status = ErrorKind::of_status(status);
    // A status that was chosen for throttling is never anything else.
    if by_status == Throttled {
        return Throttled;
    }
    let found = code.and_then(|code| TABLE.iter().find(|(part, _)| code.contains(part)));
    found.map_or(by_status, |(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::kind;
    use escher_provider::ErrorKind as K;

    #[test]
    fn knows_the_codes_that_matter() {
        for (code, status, want) in [
            ("ResourceNotFound", 404, K::Missing),
            ("ResourceGroupNotFound", 404, K::Missing),
            ("AuthorizationFailed", 403, K::Denied),
            ("ExpiredAuthenticationToken", 401, K::Denied),
            ("RequestDisallowedByPolicy", 403, K::Denied),
            ("AnotherOperationInProgress", 409, K::Conflict),
            ("OperationNotAllowed", 409, K::Conflict),
            ("ScopeLocked", 409, K::Conflict),
            ("OperationNotAllowed", 429, K::Throttled),
            ("InvalidParameter", 400, K::Invalid),
            ("InternalServerError", 500, K::Unreachable),
            ("Surprise", 418, K::Unknown),
        ] {
            assert_eq!(kind(Some(code), status), want, "{code}");
        }
        assert_eq!(kind(None, 503), K::Unreachable);
        assert_eq!(kind(None, 412), K::Conflict);
    }
}
