//! Why the engine stops, typed, and the exit code that says so. Prints nothing.

use escher_ir::CodecError;
use escher_ir::journal::RunStatus;
use escher_provider::CallError;

use crate::store::StoreError;

/// The gate, a policy or a bound said no: nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Why, in words.
    pub reason: String,
    /// What to do about it.
    pub help: String,
}

impl Refused {
    /// A refusal.
    pub fn new(reason: impl Into<String>, help: impl Into<String>) -> Refused {
        Refused { reason: reason.into(), help: help.into() }
    }
}

/// Why the engine stops.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Refused before anything was sent (exit 3).
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What was asked for makes no sense: an unknown run, a parameter of the wrong type (exit 2).
    #[error("{0}")]
    Usage(String),
    /// An expression of the playbook failed outside a step (exit 1).
    #[error("{at}: {message}")]
    Evaluation {
        /// Node of the playbook.
        at: String,
        /// What went wrong.
        message: String,
    },
    /// A reading failed outside a step (exit 1).
    #[error("{operation}: {error}")]
    Call {
        /// Full name of the operation.
        operation: String,
        /// Why.
        error: CallError,
    },
    /// The state store failed (exit 1).
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store holds can't be read (exit 1).
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A key or a signature can't be used (exit 1).
    #[error("{0}")]
    Key(String),
    /// Another process took the run over: this one sends nothing more (exit 1).
    #[error("another process has taken over run {0}; this one sends nothing more")]
    LeaseLost(String),
}

impl EngineError {
    /// The exit code of the command line.
    pub fn exit_code(&self) -> u8 {
        match self {
            EngineError::Refused(_) => 3,
            EngineError::Usage(_) => 2,
            _ => 1,
        }
    }

    /// What to do about it, where that is known.
    pub fn help(&self) -> Option<&str> {
        match self {
            EngineError::Refused(refused) => Some(&refused.help),
            EngineError::Store(error) => error.help(),
            _ => None,
        }
    }
}

/// The exit code for how a run ended: done 0, failed 1, waiting for an approval 3, done with failed items 4, cancelled
/// 130.
pub fn exit_code(status: RunStatus) -> u8 {
    match status {
        RunStatus::Done | RunStatus::Planned | RunStatus::Running => 0,
        RunStatus::Failed => 1,
        RunStatus::WaitingForApproval => 3,
        RunStatus::DoneWithFailures => 4,
        RunStatus::Cancelled => 130,
    }
}
