//! The gate: whether the approvals that a run has are enough to start it.

use std::collections::{BTreeMap, BTreeSet};

use escher_ir::Digest;
use escher_ir::plan::Plan;
use jiff::Timestamp;

use super::AllowedSigners;
use crate::error::Refused;

/// Who may sign, who has which role, and what the project was set up for.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// Keys and their principals.
    pub signers: AllowedSigners,
    /// Principals by role.
    pub roles: BTreeMap<String, Vec<String>>,
    /// One person alone: may approve their own runs, and one approval is enough. The audit log says so each time.
    pub solo: bool,
    /// Practice clouds: approved by a throw-away key. The audit log says so.
    pub sandbox: bool,
}

/// How a run passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The signed statements that count.
    pub(crate) approvals: Vec<Digest>,
    /// Somebody approved their own run.
    pub(crate) solo: bool,
    /// A throw-away key.
    pub(crate) sandbox: bool,
    /// When the first of the approvals ends.
    pub(crate) expires: Option<Timestamp>,
}
