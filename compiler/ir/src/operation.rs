//! A catalogue record as an object of the state store, and its digest, by which a program refers to it.

use escher_catalog::Record;
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
