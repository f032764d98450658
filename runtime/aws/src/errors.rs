//! Kinds of errors from the codes and statuses of AWS: one table, first match wins.
//!
//! This module does *not* read answers; `wire` finds the code in them.

use escher_provider::ErrorKind;

/// How a code is recognised.
enum Rule {
    /// The whole code.
    Is(&'static str),
    /// How it begins.
    Starts(&'static str),
    /// How it ends.
    Ends(&'static str),
    /// A part of it.
    Has(&'static str),
}

use ErrorKind::{Conflict, Denied, Invalid, Missing, Throttled, Timeout, Unreachable};
use Rule::{Ends, Has, Is, Starts};

/// Order matters: what is more certain stands first.
const TABLE: &[(Rule, ErrorKind)] = &[
    // Throttling, as the SDKs' standard mode lists it; EC2's own limits of requests, not of resources.
    (Is("RequestLimitExceeded"), Throttled),
    (Is("BandwidthLimitExceeded"), Throttled),
    (Is("LimitExceededException"), Throttled),
    (Is("RequestThrottled"), Throttled),
    (Is("RequestThrottledException"), Throttled),
    (Is("PriorRequestNotComplete"), Throttled),
    (Is("ProvisionedThroughputExceededException"), Throttled),
    (Is("EC2ThrottledException"), Throttled),
    (Is("SlowDown"), Throttled),
    (Has("Throttl"), Throttled),
    (Starts("TooManyRequests"), Throttled),
    // Rights and credentials.
    (Starts("AccessDenied"), Denied),
    (Starts("UnauthorizedOperation"), Denied),
    (Starts("NotAuthorized"), Denied),
    (Is("UnauthorizedException"), Denied),
    (Is("AuthFailure"), Denied),
    (Is("Blocked"), Denied),
    (Is("OptInRequired"), Denied),
    (Is("PendingVerification"), Denied),
    (Is("SubscriptionRequiredException"), Denied),
    (Starts("InvalidClientToken"), Denied),
    (Starts("InvalidAccessKeyId"), Denied),
    (Starts("UnrecognizedClient"), Denied),
    (Starts("MissingAuthenticationToken"), Denied),
    (Starts("SignatureDoesNotMatch"), Denied),
    (Starts("InvalidSignature"), Denied),
    (Starts("IncompleteSignature"), Denied),
    (Starts("ExpiredToken"), Denied),
    (Is("RequestExpired"), Denied),
    (Starts("RequestTimeTooSkewed"), Denied),
    (Starts("Forbidden"), Denied),
    (Ends("AccessDenied"), Denied),
    // There is no such thing. `InvalidInstanceID.NotFound`, `NoSuchBucket`, `ResourceNotFoundException`.
    (Has("NotFound"), Missing),
    (Starts("NoSuch"), Missing),
    (Has("DoesNotExist"), Missing),
    (Has("NonExistent"), Missing),
    (Is("InvalidInstanceID.Malformed"), Invalid),
    // A state that doesn't allow this.
    (Starts("Incorrect"), Conflict),
    (Has("InUse"), Conflict),
    (Has("Conflict"), Conflict),
    (Starts("DependencyViolation"), Conflict),
    (Has("AlreadyExists"), Conflict),
    (Ends(".Duplicate"), Conflict),
    (Starts("DeleteConflict"), Conflict),
    (Is("OperationAborted"), Conflict),
    (Is("OperationNotPermitted"), Conflict),
    (Starts("UnsupportedOperation"), Conflict),
    (Starts("ConcurrentModification"), Conflict),
    (Starts("IdempotentParameterMismatch"), Conflict),
    (Starts("InvalidState"), Conflict),
    (Has("InvalidDBInstanceState"), Conflict),
    (Has("InvalidDBClusterState"), Conflict),
    (Has("InvalidDBSnapshotState"), Conflict),
    (Ends("NotReadyException"), Conflict),
    (Ends("StateFault"), Conflict),
    (Ends("StateException"), Conflict),
    (Is("BucketNotEmpty"), Conflict),
    (Is("PreconditionFailed"), Conflict),
    // The provider can't answer.
    (Starts("RequestTimeout"), Timeout),
    (Starts("InternalFailure"), Unreachable),
    (Starts("InternalError"), Unreachable),
    (Starts("InternalServer"), Unreachable),
    (Starts("InternalService"), Unreachable),
    (Starts("ServiceUnavailable"), Unreachable),
    (Is("ServiceFailure"), Unreachable),
    (Is("Unavailable"), Unreachable),
    // The request is wrong.
    (Starts("Validation"), Invalid),
    (Starts("InvalidParameter"), Invalid),
    (Starts("Missing"), Invalid),
    (Starts("Malformed"), Invalid),
    (Starts("UnknownParameter"), Invalid),
    (Starts("InvalidAction"), Invalid),
    (Starts("InvalidInput"), Invalid),
    (Starts("InvalidRequest"), Invalid),
    (Starts("InvalidArgument"), Invalid),
    (Starts("BadRequest"), Invalid),
    (Starts("Serialization"), Invalid),
    (Ends(".Malformed"), Invalid),
    (Starts("Invalid"), Invalid),
];

/// The kind of an error answer with this code, whatever its status.
pub fn kind_of(code: &str) -> ErrorKind {
    kind(Some(code), 0)
}

/// The kind of an error answer.
pub(crate) fn kind(code: Option<&str>, status: u16) -> ErrorKind {
    let code = code.unwrap_or_default();
    let matches = |rule: &Rule| match rule {
        Is(text) => code == *text,
        Starts(text) => code.starts_with(text),
        Ends(text) => code.ends_with(text),
        Has(text) => code.contains(text),
    };
    if let Some((_, kind)) = TABLE.iter().find(|(rule, _)| !code.is_empty() && matches(rule)) {
        return *kind;
    }
    ErrorKind::of_status(status)
}

/// Whether an answer says for certain that nothing was done.
///
/// A failure inside of the service says nothing about how far it got, whatever its code.
pub(crate) fn is_definite(code: Option<&str>, status: u16) -> bool {
    match code {
        Some("ServiceUnavailable" | "Unavailable" | "SlowDown") => true,
        Some(code) if status >= 500 => kind(Some(code), status) != Unreachable && kind(Some(code), status) != Timeout,
        None if status >= 500 => false,
        // Somebody gave up waiting for somebody.
        _ => status != 408,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_definite, kind};
    use escher_provider::ErrorKind as K;

    #[test]
    fn knows_the_codes_that_matter() {
        for (code, status, want) in [
            ("InvalidInstanceID.NotFound", 400, K::Missing),
            ("NoSuchBucketPolicy", 404, K::Missing),
            ("ResourceNotFoundException", 400, K::Missing),
            ("UnauthorizedOperation", 403, K::Denied),
            ("AuthFailure", 401, K::Denied),
            ("InvalidClientTokenId", 403, K::Denied),
            ("ExpiredToken", 400, K::Denied),
            ("ExpiredTokenException", 400, K::Denied),
            ("IncorrectInstanceState", 400, K::Conflict),
            ("VolumeInUse", 400, K::Conflict),
            ("DependencyViolation", 400, K::Conflict),
            ("RequestLimitExceeded", 503, K::Throttled),
            ("ThrottlingException", 400, K::Throttled),
            ("SlowDown", 503, K::Throttled),
            ("TooManyRequestsException", 429, K::Throttled),
            ("ValidationError", 400, K::Invalid),
            ("InvalidParameterValue", 400, K::Invalid),
            ("MissingParameter", 400, K::Invalid),
            ("InternalError", 500, K::Unreachable),
            ("Surprise", 418, K::Unknown),
        ] {
            assert_eq!(kind(Some(code), status), want, "{code}");
        }
        assert_eq!(kind(None, 502), K::Unreachable);
        assert_eq!(kind(None, 429), K::Throttled);
        assert_eq!(kind(None, 404), K::Missing);
    }

    #[test]
    fn is_certain_only_where_the_service_refused() {
        assert!(is_definite(Some("IncorrectInstanceState"), 400));
        assert!(is_definite(Some("RequestLimitExceeded"), 503));
        assert!(is_definite(Some("ServiceUnavailable"), 503));
        assert!(!is_definite(Some("InternalError"), 500));
        assert!(!is_definite(None, 502));
        assert!(!is_definite(None, 500));
        assert!(is_definite(None, 403));
    }
}
