//! Catalogue records and waiters as objects of the state store, and their digests, by which a program refers to them.

use escher_catalog::{Record, Waiter};
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError, Stored};
use crate::digest::Digest;

/// One operation of the catalogue: wire, shapes, class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredRecord(pub Record);

impl Stored for StoredRecord {
    const FORMAT: &'static str = "escher.operation";
    const VERSION: u16 = 1;
}

/// The digest of a record.
pub fn record_digest(record: &Record) -> Result<Digest, CodecError> {
    codec::digest(&StoredRecord(record.clone()))
}

/// A waiter of the catalogue: what is asked, how often, and what ends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredWaiter(pub Waiter);

impl Stored for StoredWaiter {
    const FORMAT: &'static str = "escher.waiter";
    const VERSION: u16 = 1;
}
