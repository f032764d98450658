//! What a caller decides: who plans and runs, where, with which rules. Holds no secrets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use escher_ir::plan::Under;
use escher_ir::{Target, Value};
use jiff::Timestamp;

use crate::approve::Gate;
use crate::progress::{Cancel, Progress, Quiet};

/// How to plan.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// Who plans: a principal.
    pub principal: String,
    /// Where a call without a place of its own runs; what is empty in it is resolved by the provider.
    pub ambient: Target,
    /// `targets("group")`, from the settings.
    pub groups: BTreeMap<String, Vec<Target>>,
    /// How old a reading may be when an item is about to be changed.
    pub recheck_after: Duration,
    /// Signers, roles, policy.
    pub gate: Gate,
    /// What was published that this is a run of.
    pub under: Option<Under>,
    /// `run.due`: the instant that a schedule meant; none for a run that somebody starts.
    pub due: Option<Timestamp>,
    /// `run.last`: what the last finished run of the schedule returned; taken for none where it is not what the playbook
    /// returns now.
    pub last: Option<Value>,
}

impl PlanOptions {
    /// Planning by this principal at this place, with the defaults.
    pub fn new(principal: impl Into<String>, ambient: Target) -> PlanOptions {
        PlanOptions {
            principal: principal.into(),
            ambient,
            groups: BTreeMap::new(),
            recheck_after: Duration::from_secs(30),
            gate: Gate::default(),
            under: None,
            due: None,
            last: None,
        }
    }
}

/// Who answers `confirm`.
#[derive(Clone, Default)]
pub enum Confirm {
    /// `--yes`.
    Yes,
    /// Nobody can: the run is refused where it asks.
    #[default]
    Nobody,
    /// A person; called on the run's own thread, so it may block.
    Ask(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl std::fmt::Debug for Confirm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Confirm::Yes => "Yes",
            Confirm::Nobody => "Nobody",
            Confirm::Ask(_) => "Ask",
        })
    }
}

/// How to run, resume or undo.
#[derive(Clone)]
pub struct RunOptions {
    /// Who starts it: a principal.
    pub principal: String,
    /// Signers, roles, solo, sandbox.
    pub gate: Gate,
    /// Who answers `confirm`.
    pub confirm: Confirm,
    /// Who hears of progress.
    pub progress: Arc<dyn Progress>,
    /// How to stop it.
    pub cancel: Cancel,
    /// Pause before the second attempt of a call; doubles each time, with jitter.
    pub backoff: Duration,
    /// How long after a call's intent an absence that a probe finds proves nothing.
    pub settle: Duration,
    /// How long the lease on the run holds.
    pub lease: Duration,
}

impl RunOptions {
    /// A run by this principal under this gate, with the defaults.
    pub fn new(principal: impl Into<String>, gate: Gate) -> RunOptions {
        RunOptions {
            principal: principal.into(),
            gate,
            confirm: Confirm::Nobody,
            progress: Arc::new(Quiet),
            cancel: Cancel::new(),
            backoff: Duration::from_millis(250),
            settle: Duration::from_secs(30),
            lease: crate::limits::LEASE,
        }
    }
}
