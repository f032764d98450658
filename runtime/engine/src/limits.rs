//! The engine's limits in one table: nothing that a user, a file or a server sends grows without one.

use std::time::Duration;

pub use escher_eval::Limits as Evaluation;

/// Rounds of questions that one expression may need before it is given up.
pub const MAX_ROUNDS: usize = 1_000;
/// Readings that are under way at once.
pub const READS_AT_ONCE: usize = 16;
/// Bytes of one object or segment.
pub const MAX_OBJECT: usize = 64 << 20;
/// Bytes of an allowed-signers file, a statement or a signature.
pub const MAX_SIGNATURE_FILE: usize = 1 << 20;
/// `approve`s of one program.
pub const APPROVALS: usize = 100;
/// Attempts to send one call, whatever the playbook says.
pub const MAX_ATTEMPTS: u32 = 100;
/// Times that a reading is tried again where the trouble is transient, besides what the step says.
pub const READ_RETRIES: u32 = 4;
/// Longest pause between two attempts.
pub const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// How long a lease on a run holds without being renewed.
pub const LEASE: Duration = Duration::from_secs(15);
/// How often an idle process renews its lease.
pub const RENEW: Duration = Duration::from_secs(5);
/// Events that are written as one segment at most.
pub const SEGMENT_EVENTS: usize = 4_096;

/// Bytes of an object that lies in the segment that names it, at most: larger ones have a place of their own.
pub const SMALL_OBJECT: usize = 1_024;
/// Bytes that journal and audit log grow by for an item, about.
pub const BYTES_PER_ITEM: u64 = 2_048;
/// Objects that a process knows to be written, so that none is written twice in a row.
pub const OBJECTS_REMEMBERED: usize = 16_384;

/// Limits that a project may set for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Items of one step.
    pub items: usize,
    /// Pages of one reading.
    pub pages: usize,
    /// Elements of one reading, over all its pages.
    pub elements: usize,
    /// How long one attempt of a call may take.
    pub call_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { items: 100_000, pages: 10_000, elements: 1_000_000, call_timeout: Duration::from_secs(60) }
    }
}
