//! The state store: streams that only grow at a known head, objects by digest, leases with fencing.
//!
//! One design for a local database and, later, for object stores: an append is one conditional write. Knows nothing
//! of runs. Calls block; a run makes them from a thread of its own.

use std::time::Duration;

use escher_ir::Digest;
use jiff::Timestamp;

use crate::error;

mod room;
mod sqlite;

pub(crate) use sqlite::base32;

pub use sqlite::SqliteStore;

/// The end of a stream: how many segments it has, and the hash over all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of segments.
    pub count: u64,
    /// Hash of the last segment and, through it, of all before it.
    pub digest: Digest,
}

impl Head {
    /// The head of an empty stream.
    pub const EMPTY: Head = Head { count: 0, digest: Digest([0; 32]) };

    /// The head after one more segment.
    pub fn after(&self, bytes: &[u8]) -> Head {
        let digest = Digest::of_parts("escher.segment/1", [&self.digest.0[..], bytes]);
        Head { count: self.count + 1, digest }
    }
}

/// One segment of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSegment {
    /// The stream's head with this segment, as it was written.
    pub head: Head,
    /// The head before it, as it was written.
    pub before: Digest,
    /// What was appended.
    pub bytes: Vec<u8>,
}

/// An append: it happens only where the stream ends at `expected`.
#[derive(Clone, Debug)]
pub struct Append {
    /// The stream.
    pub stream: String,
    /// Where it must end.
    pub expected: Head,
    /// What is appended.
    pub bytes: Vec<u8>,
}

/// Several writes that happen together or not at all, and are durable when the call returns.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Objects, by digest; one that is there already stays.
    pub objects: Vec<(Digest, Vec<u8>)>,
    /// Appends, in order.
    pub appends: Vec<Append>,
    /// The lease that must still be held, and is renewed until then.
    pub lease: Option<(Lease, Timestamp)>,
}

/// The right to act for something, until it expires or is taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What for.
    pub name: String,
    /// Number that grows with each holder: a smaller one is void.
    pub fence: u64,
    /// Until when, without a renewal.
    pub expires: Timestamp,
}

/// Where state lives.
pub trait StateStore: Send + Sync {
    /// Unguessable name of this store: statements are signed for it.
    fn id(&self) -> &str;

    /// Where a stream ends; [`Head::EMPTY`] for one that isn't there.
    fn head(&self, stream: &str) -> Result<Head, StoreError>;

    /// Writes all of it, or nothing: [`StoreError::Conflict`] where a stream ends elsewhere, [`StoreError::LeaseLost`]
    /// where the lease is another's.
    fn commit(&self, commit: &Commit) -> Result<Vec<Head>, StoreError>;

    /// All segments of a stream, in order, from the one numbered `from` (0 is the first).
    fn read(&self, stream: &str, from: u64) -> Result<Vec<StoredSegment>, StoreError>;

    /// One segment of a stream, by number.
    fn read_one(&self, stream: &str, number: u64) -> Result<Option<StoredSegment>, StoreError> {
        Ok(self.read(stream, number)?.into_iter().next())
    }

    /// Names of streams that begin with `prefix`, sorted.
    fn streams(&self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// An object.
    fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// Takes a lease that is free or expired at `now`; [`StoreError::Held`] otherwise.
    fn acquire(&self, name: &str, now: Timestamp, time: Duration) -> Result<Lease, StoreError>;

    /// Gives a lease back; one that was taken over meanwhile is left alone.
    fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// The lease of this name, whoever holds it, where it has not expired at `now`.
    fn holder(&self, name: &str, now: Timestamp) -> Result<Option<Lease>, StoreError>;

    /// Says that about so many bytes will be appended soon: a store that can makes room for them ahead.
    fn expect(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Appends to one stream.
    fn append(&self, stream: &str, expected: Head, bytes: Vec<u8>) -> Result<Head, StoreError> {
        let append = Append { stream: stream.to_string(), expected, bytes };
        let heads = self.commit(&Commit { appends: vec![append], ..Commit::default() })?;
        heads.into_iter().next().ok_or(StoreError::Damaged { what: stream.to_string(), reason: "no head".into() })
    }

    /// Keeps one object.
    fn put(&self, digest: Digest, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.commit(&Commit { objects: vec![(digest, bytes)], ..Commit::default() }).map(drop)
    }
}

/// Why the store can't do it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else appended first.
    #[error("`{stream}` has grown meanwhile")]
    Conflict {
        /// The stream.
        stream: String,
    },
    /// The lease is another's now.
    #[error("another process has taken over `{name}`")]
    LeaseLost {
        /// The lease.
        name: String,
    },
    /// Somebody holds the lease.
    #[error("another process is at work on `{name}` (until {until} unless it goes on)")]
    Held {
        /// The lease.
        name: String,
        /// When it ends unless it is renewed.
        until: Timestamp,
    },
    /// The folder or file can't be written.
    #[error("cannot write state in {path}: {reason}")]
    ReadOnly {
        /// Where.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// No room.
    #[error("no room left for state in {path}")]
    Full {
        /// Where.
        path: String,
    },
    /// Another process keeps it busy.
    #[error("state in {path} is locked by another process")]
    Locked {
        /// Where.
        path: String,
    },
    /// Not what was written.
    #[error("damaged state: {what}: {reason}")]
    Damaged {
        /// What.
        what: String,
        /// How.
        reason: String,
    },
    /// Written by a newer Escher.
    #[error("state in {path} has format {version}; this program understands {known}")]
    TooNew {
        /// Where.
        path: String,
        /// Its format.
        version: u32,
        /// The newest that is understood.
        known: u32,
    },
    /// Larger than the limit.
    #[error("an object of {size} bytes is above the limit of {limit}")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Anything else.
    #[error("state in {path}: {reason}")]
    Other {
        /// Where.
        path: String,
        /// What.
        reason: String,
    },
}

impl StoreError {
    /// The code whose page says more.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            StoreError::TooLarge { .. } => "E0606",
            StoreError::ReadOnly { .. } => "E0607",
            StoreError::Full { .. } => "E0608",
            StoreError::Damaged { .. } => error::DAMAGED,
            StoreError::TooNew { .. } => error::OTHER_VERSION,
            StoreError::Locked { .. } => "E0611",
            StoreError::LeaseLost { .. } => error::LEASE_LOST,
            StoreError::Conflict { .. } | StoreError::Held { .. } | StoreError::Other { .. } => return None,
        })
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        Some(match self {
            StoreError::ReadOnly { .. } => {
                "make the folder writable, or name another with --state; `escher resume` goes on with a run that had begun"
            }
            StoreError::Full { .. } => "make room, then go on with `escher resume`: what was sent is journaled",
            StoreError::Locked { .. } => "wait for the other process, or end it",
            StoreError::TooNew { .. } => error::USE_ANOTHER,
            StoreError::Damaged { .. } => error::DAMAGED_HELP,
            StoreError::Held { .. } => "wait for it, or end it; its lease then runs out by itself",
            _ => return None,
        })
    }
}
