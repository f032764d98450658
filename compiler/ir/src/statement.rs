//! The canonical statement that an approval signs, and the approval.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::codec::Stored;
use crate::digest::Digest;

/// The SSHSIG namespace of approvals.
pub const NAMESPACE: &str = "escher-approval";

/// The schema of statements.
pub const STATEMENT: &str = "escher.statement/2";

/// What is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementKind {
    /// One plan, once.
    Plan,
    /// Scheduled and event-driven runs of a program within bounds.
    Standing,
    /// A template.
    Template,
    /// The rest of a run that has begun.
    LaterPart,
    /// The approvals of a plan, taken back.
    Revocation,
}

/// What an approver signs: JSON with sorted keys, no white space, one line feed at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    // Fields stand in alphabetical order: serialising them in order is the canonical form.
    /// The approver's words.
    pub comment: String,
    /// Digest of what is approved.
    pub digest: Digest,
    /// When it ends.
    pub expires: Timestamp,
    /// What it is.
    pub kind: StatementKind,
    /// Who made the plan.
    pub planner: String,
    /// Name of the playbook.
    pub playbook: String,
    /// Who approves: a principal of the allowed-signers file.
    pub principal: String,
    /// How many principals are needed.
    pub quorum: u32,
    /// Run id, or name of the schedule or template.
    pub run: String,
    /// [`STATEMENT`].
    pub schema: String,
    /// From when it holds.
    pub signed: Timestamp,
    /// Id of the state store that it is for.
    pub store: String,
}

impl Statement {
    /// The bytes that are signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical_json(self)
    }
}

/// JSON with sorted keys and no white space, and a line feed.
pub(crate) fn canonical_json<T: Serialize>(value: &T) -> Vec<u8> {
    // Going through `Value` sorts the keys, whatever the order of the fields.
    let value = serde_json::to_value(value).unwrap_or(serde_json::Value::Null);
    let mut text = value.to_string();
    text.push('\n');
    text.into_bytes()
}

/// A signed statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// The exact bytes that were signed, as text.
    pub statement: String,
    /// The armoured SSH signature.
    pub signature: String,
}

impl Stored for Signed {
    const FORMAT: &'static str = "escher.approval";
    const VERSION: u16 = 1;
}
