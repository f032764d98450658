//! Who may do what: rules in Cedar over roles and over what is known of a plan.
//!
//! Pure: reads no file and no clock. Knows nothing of keys, plans or stores: whoever asks says what the facts are. A rule
//! can only be decided by; that a signature is good and that nobody approves twice is the gate's own business.

mod cases;
mod decide;
mod facts;
mod load;
mod rules;

pub use cases::{Judged, judge};
pub use decide::{Question, Verdict};
pub use facts::{Facts, Kind, Level, Moment};
pub use load::{Mistake, PolicyError};
pub use rules::{Policy, Rule};

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make a plan.
    Plan,
    /// Sign a plan.
    Approve,
    /// Take approvals back.
    Revoke,
    /// Start a run.
    Run,
    /// Go on with one.
    Resume,
    /// Run a template.
    Extend,
    /// Take a run back.
    Undo,
    /// End a run.
    Cancel,
    /// Change how fast a run goes.
    Adjust,
    /// Sign a template, a schedule or a trigger.
    Publish,
    /// Hold a schedule back, or let it go on.
    Pause,
    /// Look at runs and the audit log.
    Read,
    /// Stop every change in the state.
    Halt,
    /// Allow them again.
    Lift,
}

impl Action {
    /// All of them.
    pub const ALL: [Action; 14] = [
        Action::Plan,
        Action::Approve,
        Action::Revoke,
        Action::Run,
        Action::Resume,
        Action::Extend,
        Action::Undo,
        Action::Cancel,
        Action::Adjust,
        Action::Publish,
        Action::Pause,
        Action::Read,
        Action::Halt,
        Action::Lift,
    ];

    /// Its name in rules.
    pub fn name(self) -> &'static str {
        match self {
            Action::Plan => "plan",
            Action::Approve => "approve",
            Action::Revoke => "revoke",
            Action::Run => "run",
            Action::Resume => "resume",
            Action::Extend => "extend",
            Action::Undo => "undo",
            Action::Cancel => "cancel",
            Action::Adjust => "adjust",
            Action::Publish => "publish",
            Action::Pause => "pause",
            Action::Read => "read",
            Action::Halt => "halt",
            Action::Lift => "lift",
        }
    }

    /// The action of this name.
    pub fn named(name: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Whether it is about the whole store, and not about one playbook.
    pub fn is_of_store(self) -> bool {
        matches!(self, Action::Read | Action::Halt | Action::Lift | Action::Pause)
    }
}
