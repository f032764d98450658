//! The versioned program, plan, statement and journal: the only types that are written to a disk.
//!
//! Each goes into an [`codec::Envelope`] of deterministic CBOR with a domain-separated SHA-256 digest. Nothing here is
//! executed, read from a file or printed in colour; a reader refuses what it does not know before it does anything.

pub mod admit;
pub mod audit;
pub mod audit_bytes;
pub mod calendar;
mod canonical;
pub mod codec;
pub mod cron;
pub mod digest;
pub mod due;
pub mod journal;
pub mod json;
pub mod named;
pub mod operation;
pub mod plan;
pub mod program;
pub mod published;
pub mod secret;
pub mod standing;
pub mod statement;
pub mod trust;
pub mod types;
pub mod units;
pub mod value;
pub mod visit;

pub use codec::{CodecError, Envelope, Stored};
pub use digest::Digest;
pub use named::Named;
pub use types::Type;
pub use value::{Record, Target, Value};

/// The edition of the language that this build writes.
pub const EDITION: u16 = 2026;
