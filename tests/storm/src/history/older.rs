//! A store that writes journals as an older Escher did: without objects in their segments.

use std::time::Duration;

use escher_engine::{Append, Commit, Head, Lease, SqliteStore, StateStore, StoreError, StoredSegment};
use escher_ir::codec;
use escher_ir::journal::{Entry, Segment, StoredValue};
use escher_ir::{Digest, Stored};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version that is written today.
pub(super) const TODAY: u16 = Segment::VERSION;

/// A segment of versions 1 and 2, which differ in the events that there may be.
#[derive(Serialize, Deserialize)]
struct Plain<const V: u16> {
    first: u64,
    events: Vec<Entry>,
}

impl<const V: u16> Stored for Plain<V> {
    const FORMAT: &'static str = Segment::FORMAT;
    const VERSION: u16 = V;
}

/// The store.
pub(super) struct Older {
    inner: SqliteStore,
    version: u16,
}

impl Older {
    pub(super) fn new(inner: SqliteStore, version: u16) -> Older {
        Older { inner, version }
    }

    fn rewritten(&self, commit: &Commit) -> Result<Commit, StoreError> {
        let wrong = |e: codec::CodecError| StoreError::Other { path: "history".into(), reason: e.to_string() };
        let mut older = commit.clone();
        for append in older.appends.iter_mut().filter(|append| append.stream.starts_with("run/")) {
            let (_, Segment { first, events, objects }) = codec::decode(&append.bytes).map_err(wrong)?;
            for object in objects {
                let value = codec::decode_body::<StoredValue>(&object.digest, &object.body).map_err(wrong)?;
                older.objects.push(codec::encode(&value).map_err(wrong)?);
            }
            let bytes = match self.version {
                1 => codec::encode(&Plain::<1> { first, events }),
                _ => codec::encode(&Plain::<2> { first, events }),
            };
            *append = Append { bytes: bytes.map_err(wrong)?.1, ..append.clone() };
        }
        Ok(older)
    }
}

impl StateStore for Older {
    fn id(&self) -> &str {
        self.inner.id()
    }
    fn head(&self, stream: &str) -> Result<Head, StoreError> {
        self.inner.head(stream)
    }
    fn commit(&self, commit: &Commit) -> Result<Vec<Head>, StoreError> {
        match self.version {
            TODAY => self.inner.commit(commit),
            _ => self.inner.commit(&self.rewritten(commit)?),
        }
    }
    fn read(&self, stream: &str, from: u64) -> Result<Vec<StoredSegment>, StoreError> {
        self.inner.read(stream, from)
    }
    fn streams(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.inner.streams(prefix)
    }
    fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(digest)
    }
    fn acquire(&self, name: &str, now: Timestamp, time: Duration) -> Result<Lease, StoreError> {
        self.inner.acquire(name, now, time)
    }
    fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner.release(lease)
    }
    fn holder(&self, name: &str, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.inner.holder(name, now)
    }
}
