//! The trait between the engine and the clouds.
//!
//! Two traits, because plan mode must be unable to change anything: the handle it holds is a [`Read`], which has no
//! method that could. Knows no cloud, no HTTP and no catalogue data; sends nothing itself.

pub mod error;
pub mod fake;
pub mod guarded;
mod permit;
pub mod retry;
pub mod scalar;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use error::{CallError, ErrorKind, Sent};
use escher_catalog::{Record, Waiter};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use futures_util::future::BoxFuture;
pub use permit::Permit;
pub use words::clean;

/// One call, resolved: nothing in it is looked up any more.
#[derive(Clone, Debug)]
pub struct Request {
    /// The operation with its shapes.
    pub record: Arc<Record>,
    /// Arguments by snake-case name, as the language has them (tags are maps).
    pub arguments: BTreeMap<String, Value>,
    /// Where.
    pub target: Arc<Target>,
    /// What of the answer is wanted; the rest need not be kept.
    pub reads: Projection,
    /// Idempotency token, where the operation takes one.
    pub token: Option<String>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long what a change begins may take to end, where the cloud says of it that it takes time.
    pub patience: Duration,
    /// Whether it may still leave, for changes.
    pub permit: Permit,
}

/// An answer, or one page of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What the projection asked for, with snake-case members; a sensitive one is a [`Value::Secret`], or left out.
    pub value: Value,
    /// The provider's request id.
    pub request_id: Option<String>,
    /// The provider's clock, seconds since the epoch, where it sent a `Date`.
    pub server_time: Option<i64>,
}

/// The pages of one reading, in order.
pub trait Pages: Send {
    /// The next page; none after the last.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Answer>, CallError>>;
}

/// A handle that can only look.
pub trait Read: Send + Sync {
    /// Fills in what the cloud's own tools would use: account, region, endpoint.
    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>>;

    /// Reads, page by page. An operation whose class is not a read is refused with [`ErrorKind::Invalid`].
    fn read(&self, request: Request) -> Box<dyn Pages + '_>;

    /// By how many seconds the provider's clock was ahead of this machine's when it last sent a `Date`.
    fn ahead(&self) -> Option<i64> {
        None
    }

    /// Asks a waiter's question once: whether the condition holds, has failed for good, or neither yet.
    fn poll<'a>(&'a self, waiter: &'a Waiter, request: Request) -> BoxFuture<'a, Result<Polled, CallError>>;
}

/// A handle that can also change the world.
pub trait Change: Read {
    /// Sends a change, once: retrying is the engine's decision, because it journals each attempt.
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>>;
}

/// What a waiter's question gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// It holds.
    Holds,
    /// It can no longer come to hold.
    Failed(String),
    /// Not yet.
    NotYet,
}
