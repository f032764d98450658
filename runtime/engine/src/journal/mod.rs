//! A run's journal: what it says so far, and the writer that makes intents durable before their calls go out.

mod state;
mod writer;

use escher_ir::codec;
use escher_ir::journal::{Entry, Segment, StoredValue};
use escher_ir::{Digest, Value};

pub(crate) use state::{Result as CallResult, RunState};
pub(crate) use writer::Journal;

use crate::error::EngineError;
use crate::store::StateStore;

/// What the streams of runs begin with.
pub(crate) const PREFIX: &str = "run/";

/// The stream of a run.
pub(crate) fn stream(run: &str) -> String {
    format!("{PREFIX}{run}")
}

/// A value as an object.
pub(crate) fn object(value: &Value) -> Result<(Digest, Vec<u8>), EngineError> {
    Ok(codec::encode(&StoredValue(value.clone()))?)
}

/// The value of an object.
pub(crate) fn value(store: &dyn StateStore, digest: &Digest) -> Result<Value, EngineError> {
    let (_, StoredValue(value)) = load(store, digest)?;
    Ok(value)
}

/// An object of any kind, with its digest verified.
pub(crate) fn load<T: escher_ir::Stored>(store: &dyn StateStore, digest: &Digest) -> Result<(Digest, T), EngineError> {
    let damaged = |reason: String| crate::store::StoreError::Damaged { what: format!("object {digest}"), reason };
    let bytes = store.get(digest)?.ok_or_else(|| damaged("it is missing".into()))?;
    let (found, value) = codec::decode(&bytes)?;
    if found != *digest {
        return Err(damaged("it is another object".into()).into());
    }
    Ok((found, value))
}

/// Events as a segment.
pub(crate) fn segment(first: u64, events: Vec<Entry>) -> Result<Vec<u8>, EngineError> {
    Ok(codec::encode(&Segment { first, events })?.1)
}
