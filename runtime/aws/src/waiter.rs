//! The acceptors of a waiter: whether an answer, or an error, says that a condition holds.
//!
//! This module does *not* poll; the client asks once, the engine decides when to ask again.

use escher_catalog::Waiter;
use escher_catalog::model::Acceptor;
use escher_ir::Value;
use escher_ir::program::Projection;
use escher_provider::{CallError, Polled};
use serde_json::Value as Json;

use crate::path;

/// What a waiter is asked about.
pub(crate) enum Seen<'a> {
    /// An answer in the API's own words, and its status.
    Answer(&'a Value, u16),
    /// An error, and its status where there was an answer.
    Error(&'a CallError, Option<u16>),
}

/// What of the answer a waiter's paths look at.
pub(crate) fn reach(waiter: &Waiter) -> Projection {
    path::reach(waiter.acceptors.iter().filter_map(|a| a.argument.as_deref()))
}

/// The first acceptor that fits decides; none where none does.
pub(crate) fn judge(waiter: &Waiter, seen: &Seen<'_>) -> Option<Polled> {
    let acceptor = waiter.acceptors.iter().find(|acceptor| accepts(acceptor, seen))?;
    Some(match &*acceptor.state {
        "success" => Polled::Holds,
        "failure" => Polled::Failed(reason(acceptor)),
        _ => Polled::NotYet,
    })
}

fn reason(acceptor: &Acceptor) -> String {
    match &acceptor.argument {
        Some(argument) => format!("{argument} is {}", acceptor.expected),
        None => format!("the {} is {}", acceptor.matcher, acceptor.expected),
    }
}

fn accepts(acceptor: &Acceptor, seen: &Seen<'_>) -> bool {
    let expected: Json = serde_json::from_str(&acceptor.expected).unwrap_or(Json::Null);
    let found = |answer: &Value| path::search(acceptor.argument.as_deref().unwrap_or_default(), answer);
    match (&*acceptor.matcher, seen) {
        ("path", Seen::Answer(answer, _)) => found(answer) == expected,
        ("pathAll", Seen::Answer(answer, _)) => {
            // Of nothing nothing can be said, so an empty list never accepts.
            found(answer).as_array().is_some_and(|all| !all.is_empty() && all.iter().all(|v| *v == expected))
        }
        ("pathAny", Seen::Answer(answer, _)) => found(answer).as_array().is_some_and(|all| all.contains(&expected)),
        ("status", Seen::Answer(_, status) | Seen::Error(_, Some(status))) => {
            expected.as_u64() == Some(u64::from(*status))
        }
        ("error", Seen::Error(error, Some(_))) => match &expected {
            Json::String(code) => error.code.as_deref() == Some(code),
            other => *other == Json::Bool(true),
        },
        ("error", Seen::Answer(..)) => expected == Json::Bool(false),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, judge};
    use escher_catalog::Waiter;
    use escher_catalog::model::Acceptor;
    use escher_ir::Value;
    use escher_provider::{CallError, ErrorKind, Polled};

    fn waiter(rows: &[(&str, Option<&str>, &str, &str)]) -> Waiter {
        let acceptors = rows.iter().map(|(matcher, argument, expected, state)| Acceptor {
            matcher: (*matcher).into(),
            argument: argument.map(Into::into),
            expected: (*expected).into(),
            state: (*state).into(),
        });
        Waiter {
            official: "W".into(),
            name: "w".into(),
            operation: "O".into(),
            delay: 1,
            max_attempts: 1,
            acceptors: acceptors.collect(),
        }
    }

    fn states(names: &[&str]) -> Value {
        Value::record([("S", Value::list(names.iter().map(|n| Value::record([("N", Value::text(n))])).collect()))])
    }

    #[test]
    fn judges_answers_in_order() {
        let w = waiter(&[
            ("pathAll", Some("S[].N"), "\"stopped\"", "success"),
            ("pathAny", Some("S[].N"), "\"terminated\"", "failure"),
        ]);
        let asked = |names: &[&str]| judge(&w, &Seen::Answer(&states(names), 200));
        assert_eq!(asked(&["stopped", "stopped"]), Some(Polled::Holds));
        assert_eq!(asked(&["stopped", "terminated"]), Some(Polled::Failed("S[].N is \"terminated\"".into())));
        assert_eq!(asked(&["stopped", "running"]), None);
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn judges_errors_and_statuses() {
        let mut error = CallError::unsent(ErrorKind::Missing, "");
        error.code = Some("NoSuchKey".into());
        let w = waiter(&[("error", None, "\"NoSuchKey\"", "success"), ("status", None, "404", "retry")]);
        assert_eq!(judge(&w, &Seen::Error(&error, Some(404))), Some(Polled::Holds));
        error.code = None;
        assert_eq!(judge(&w, &Seen::Error(&error, Some(404))), Some(Polled::NotYet));
        assert_eq!(judge(&w, &Seen::Error(&error, None)), None);
        assert_eq!(judge(&w, &Seen::Answer(&states(&[]), 200)), None);
    }
}
