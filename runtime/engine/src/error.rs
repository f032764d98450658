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
    /// The code whose page says more.
    pub code: Option<&'static str>,
}

impl Refused {
    /// A refusal.
    pub fn new(reason: impl Into<String>, help: impl Into<String>) -> Refused {
        Refused { reason: reason.into(), help: help.into(), code: None }
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
    /// Something would follow what it can't follow: a mistake in Escher, or a journal that no Escher wrote (exit 1).
    #[error("internal error: `{on}` cannot happen to a {machine} that is `{from}`; nothing more is sent")]
    Impossible {
        /// Which state machine.
        machine: &'static str,
        /// The state that it is in.
        from: String,
        /// What would happen.
        on: String,
    },
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
            EngineError::Codec(error) if code_of(error) == Some(OTHER_VERSION) => Some(USE_ANOTHER),
            EngineError::Codec(_) => Some(DAMAGED_HELP),
            EngineError::LeaseLost(_) => Some(LEASE_HELP),
            EngineError::Impossible { .. } => {
                Some("`escher audit verify` says whether the journal is whole; please report it")
            }
            _ => None,
        }
    }

    /// The code whose page says more.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            EngineError::Refused(refused) => refused.code,
            EngineError::Store(error) => error.code(),
            EngineError::Codec(error) => code_of(error),
            EngineError::LeaseLost(_) => Some(LEASE_LOST),
            EngineError::Impossible { .. } => Some(IMPOSSIBLE),
            _ => None,
        }
    }
}

pub(crate) const DAMAGED: &str = "E0609";
pub(crate) const DAMAGED_HELP: &str = "`escher audit verify` says what is whole; restore the state from a backup";
pub(crate) const OTHER_VERSION: &str = "E0610";
pub(crate) const USE_ANOTHER: &str = "use the Escher that wrote it, or a newer one";
pub(crate) const LEASE_LOST: &str = "E0612";
const IMPOSSIBLE: &str = "E0614";
const LEASE_HELP: &str = "the other process goes on with it: `escher runs show` says how it stands";

/// The code of what can't be read.
fn code_of(error: &CodecError) -> Option<&'static str> {
    Some(match error {
        CodecError::TooNew { .. } | CodecError::TooOld { .. } | CodecError::Requires { .. } => OTHER_VERSION,
        CodecError::Damaged { .. } | CodecError::WrongFormat { .. } | CodecError::Digest { .. } => DAMAGED,
        CodecError::Unwritable { .. } => return None,
    })
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
