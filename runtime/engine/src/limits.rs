//! The engine's limits in one table: nothing that a user, a file or a server sends grows without one.

use std::time::Duration;

/// Items of one step.
pub const MAX_ITEMS: usize = 100_000;
/// Pages of one reading.
pub const MAX_PAGES: usize = 10_000;
/// Elements of one reading, over all its pages.
pub const MAX_ELEMENTS: usize = 1_000_000;
/// Rounds of questions that one expression may need before it is given up.
pub const MAX_ROUNDS: usize = 1_000;
/// Readings that are under way at once.
pub const READS_AT_ONCE: usize = 16;
/// Bytes of one object or segment.
pub const MAX_OBJECT: usize = 64 << 20;
/// Bytes of an allowed-signers file, a statement or a signature.
pub const MAX_SIGNATURE_FILE: usize = 1 << 20;
/// Attempts to send one call, whatever the playbook says.
pub const MAX_ATTEMPTS: u32 = 100;
/// Times that a reading is tried again where the trouble is transient, besides what the step says.
pub const READ_RETRIES: u32 = 4;
/// How long one attempt of a call may take.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest pause between two attempts.
pub const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// How long a lease on a run holds without being renewed.
pub const LEASE: Duration = Duration::from_secs(15);
/// How often an idle process renews its lease.
pub const RENEW: Duration = Duration::from_secs(5);
/// Events that are written as one segment at most.
pub const SEGMENT_EVENTS: usize = 4_096;
