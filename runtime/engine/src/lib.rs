//! Plans, has approved, journals and runs a compiled playbook; resumes it, takes it back, and keeps the audit log.
//!
//! Takes an IR and providers, and has no compiler in it. Prints nothing, reads no settings and knows no cloud: the
//! caller gives it a store, a principal, a gate and a handle. [`Engine`] is the whole of it.
//!
//! What a run means exactly (identity, digests, what is asked again, what may be sent twice) stands in the chapter on
//! runs of the book; the modules follow its headings.

mod ambient;
mod approve;
mod audit;
mod clock;
mod engine;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod halt;
mod identity;
mod journal;
pub mod limits;
mod operations;
mod options;
mod parts;
mod plan;
mod platform;
mod progress;
mod published;
mod report;
mod run;
mod runs;
pub(crate) mod secrets;
mod store;
mod time;
mod transitions;
mod world;

pub use approve::{AllowedSigners, ApproveOptions, Gate, SigningKey, TrustReport};
pub use audit::{AuditProblem, AuditVerdict, Checkpoint};
pub use clock::{Clock, SystemClock};
pub use engine::{Engine, RunSummary};
pub use error::{EngineError, Refused, exit_code};
pub use operations::Operations;
pub use options::{Confirm, PlanOptions, RunOptions};
pub use plan::{Planned, plan_json};
pub use progress::{Cancel, Progress, ProgressEvent, Quiet};
pub use published::{Happened, PublishOptions, Published, Ticked};
pub use report::{ItemReport, OUTCOMES, ReportPart, RunReport, Standing, StepReport, outcome_word};
pub use secrets::{Secrets, SystemSecrets};
pub use store::{Append, Commit, Head, Lease, SqliteStore, StateStore, StoreError, StoredSegment};
#[doc(hidden)]
pub use transitions::transitions;
