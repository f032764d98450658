//! The engine's limits in one table: nothing that a user, a file or a server sends grows without one.

use std::time::Duration;

/// Items of one step.
pub(crate) const MAX_ITEMS: usize = 100_000;
/// Pages of one reading.
pub(crate) const MAX_PAGES: usize = 10_000;
/// Elements of one reading, over all its pages.
pub(crate) const MAX_ELEMENTS: usize = 1_000_000;
/// Rounds of questions that one expression may need before it is given up.
pub(crate) const MAX_ROUNDS: usize = 1_000;
/// Readings that are under way at once.
pub(crate) const READS_AT_ONCE: usize = 16;
/// Bytes of one object or segment.
pub(crate) const MAX_OBJECT: usize = 64 << 20;
/// Bytes of an allowed-signers file, a statement or a signature.
pub(crate) const MAX_SIGNATURE_FILE: usize = 1 << 20;
/// Attempts to send one call, whatever the playbook says.
pub(crate) const MAX_ATTEMPTS: u32 = 100;
/// Times that a reading is tried again where the trouble is transient, besides what the step says.
pub(crate) const READ_RETRIES: u32 = 4;
/// How long one attempt of a call may take.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest pause between two attempts.
pub(crate) const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// How long a lease on a run holds without being renewed.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// How often an idle process renews its lease.
pub(crate) const RENEW: Duration = Duration::from_secs(5);
/// Events that are written as one segment at most.
pub(crate) const SEGMENT_EVENTS: usize = 4_096;
