//! What an operation knows about the call it serves, and readers of its input.
//!
//! Does *not* hold the world: an operation gets that beside it.

use std::sync::Arc;

use escher_catalog::model::{Service, ShapeKind};

use super::error::ApiError;
use crate::protocol::Value;
use crate::world::Transition;
use crate::world::things::Word;

/// One call.
pub(crate) struct Call<'a> {
    /// Milliseconds since the epoch.
    pub(crate) now: i64,
    /// Account of the caller.
    pub(crate) account: Arc<str>,
    /// Region of the call.
    pub(crate) region: String,
    /// Access key of the caller.
    pub(crate) access_key: String,
    /// The service's part of the catalogue.
    pub(crate) service: &'a Service,
    /// What changed.
    pub(crate) transitions: Vec<Transition>,
}

impl Call<'_> {
    /// Stands between what an operation checks and what it does: a dry run goes no further.
    pub(crate) fn proceed(&self, input: &Value) -> Result<(), ApiError> {
        if flag(input, "DryRun") == Some(true) {
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Err(ApiError::new("DryRunOperation", message).with_status(412));
        }
        Ok(())
    }

    /// Notes a change of state.
    pub(crate) fn changed(
        &mut self,
        resource: &Arc<str>,
        from: Option<&'static str>,
        to: &'static str,
        settles: Option<&'static str>,
    ) {
        self.moved(resource, from.map(Into::into), to.into(), settles.map(Into::into));
    }

    /// Notes a change of state, in words that a table or a state file gave.
    pub(crate) fn moved(&mut self, resource: &Arc<str>, from: Option<Word>, to: Word, settles: Option<Word>) {
        self.transitions.push(Transition { resource: resource.clone(), from, to, settles });
    }

    /// Whether the catalogue allows a value of an enumeration; all where the catalogue has no such enumeration.
    pub(crate) fn allows(&self, enumeration: &str, value: &str) -> bool {
        let shape = self.service.structure(enumeration);
        match shape.map(|s| &s.kind) {
            Some(ShapeKind::String { values }) if !values.is_empty() => values.iter().any(|v| &**v == value),
            _ => true,
        }
    }
}

/// A text member.
pub(crate) fn text<'v>(input: &'v Value, name: &str) -> Option<&'v str> {
    input.get(name).and_then(Value::text)
}

/// A text member that must be there and not be empty.
pub(crate) fn needed<'v>(input: &'v Value, name: &str) -> Result<&'v str, ApiError> {
    text(input, name).filter(|t| !t.is_empty()).ok_or_else(|| ApiError::missing(name))
}

/// A boolean member.
pub(crate) fn flag(input: &Value, name: &str) -> Option<bool> {
    match input.get(name) {
        Some(Value::Bool(value)) => Some(*value),
        _ => None,
    }
}

/// An integer member.
pub(crate) fn int(input: &Value, name: &str) -> Option<i64> {
    match input.get(name) {
        Some(Value::Int(value)) => Some(*value),
        _ => None,
    }
}

/// The elements of a list member; none where it is absent.
pub(crate) fn list<'v>(input: &'v Value, name: &str) -> &'v [Value] {
    input.get(name).map_or(&[], Value::items)
}

/// The texts of a list member, each once, in order.
pub(crate) fn texts<'v>(input: &'v Value, name: &str) -> Vec<&'v str> {
    let mut seen = std::collections::HashSet::new();
    list(input, name).iter().filter_map(Value::text).filter(|t| seen.insert(*t)).collect()
}
