//! A run's journal: what it says so far, and the writer that makes intents durable before their calls go out.

mod queue;
mod state;
mod writer;

use escher_ir::codec::{self, Body};
use escher_ir::journal::{Entry, Segment, StoredValue};
use escher_ir::{Digest, Value};

pub(crate) use state::{PartState, Result as CallResult, RunState};
pub(crate) use writer::Journal;

use crate::error::EngineError;
use crate::store::StateStore;

/// What the streams of runs begin with.
pub(crate) const PREFIX: &str = "run/";

/// The stream of a run.
pub(crate) fn stream(run: &str) -> String {
    format!("{PREFIX}{run}")
}

/// A value that events name.
pub(crate) type Object = Body<StoredValue>;

/// A value as what events name.
pub(crate) fn named(value: &Value) -> Result<Object, EngineError> {
    Ok(Body::of(&StoredValue(value.clone()))?)
}

/// The digest of a value, which is kept nowhere.
pub(crate) fn digest(value: &Value) -> Result<Digest, EngineError> {
    Ok(codec::digest(&StoredValue(value.clone()))?)
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

/// Events as a segment that holds no objects.
pub(crate) fn segment(first: u64, events: Vec<Entry>) -> Result<Vec<u8>, EngineError> {
    Ok(codec::encode(&Segment { first, events, objects: Vec::new() })?.1)
}
