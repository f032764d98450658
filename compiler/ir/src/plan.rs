//! A plan: the items and calls that a run would make, with every argument marked. What an approval signs.
//!
//! Holds no run id and no time: the same reading of the same world gives the same digest.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::{Effect, Repeat, Risk};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::codec::{CodecError, Stored};
use crate::digest::Digest;
use crate::journal::CallFailure;
use crate::named::{Named, shared};
use crate::program::{Approval, PARTS, ROLLBACK, SECRETS};
use crate::value::{Target, Value};

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Digest of the program.
    pub program: Digest,
    /// Name of the playbook.
    pub playbook: String,
    /// Its risk; of a later part, the risk of the steps that its approval covers.
    pub risk: Risk,
    /// Who must approve.
    pub approval: Option<Approval>,
    /// Parameters, defaults filled in.
    pub parameters: BTreeMap<String, Value>,
    /// Resolved targets with their roles; items refer to them by index. Each once; sorted, those that a later part
    /// adds behind those that were there before.
    pub targets: Vec<Target>,
    /// Digest of the catalogue record of each operation used.
    pub operations: BTreeMap<String, Digest>,
    /// Digest of the definition of each waiter asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waiters: BTreeMap<String, Digest>,
    /// Steps in written order.
    pub steps: Vec<PlannedStep>,
    /// Version of the policy that judged it.
    pub policy: String,
    /// Where the run will wait for an approval of what follows, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<PlannedApproval>,
    /// What it is the rest of; none for the plan that a run begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// How old a reading may be when an item is about to be changed, in milliseconds. None in plans of version 1: there the
    /// journal alone says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recheck_after_ms: Option<u64>,
    /// Answers that `catch` replaced while planning, by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Replaced>,
    /// What was published that it is a run of; none where somebody planned the playbook itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<Under>,
}

impl Stored for Plan {
    const FORMAT: &'static str = "escher.plan";
    // 2: `recheck_after_ms`, `replaced`.
    const VERSION: u16 = 2;
    const FEATURES: &'static [&'static str] = &[PARTS, SECRETS, ROLLBACK, PUBLISHED];

    fn requires(&self) -> Vec<&'static str> {
        let parts = (self.part.is_some() || !self.asks.is_empty()).then_some(PARTS);
        let secrets = self.parameters.values().any(Value::has_secret).then_some(SECRETS);
        let plain = |step: &PlannedStep| matches!(step.rollback, Rollback::Undo | Rollback::None);
        let rollback = (!self.steps.iter().all(plain)).then_some(ROLLBACK);
        let published = self.under.is_some().then_some(PUBLISHED);
        parts.into_iter().chain(secrets).chain(rollback).chain(published).collect()
    }

    fn upgrade(_: u16, body: Vec<u8>) -> Result<Vec<u8>, CodecError> {
        // Only members were added that may be missing.
        Ok(body)
    }
}

/// An answer that `catch` put a value in the place of. Holds nothing that changes from one call to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replaced {
    /// Call path.
    pub path: String,
    /// Kind of the error, such as `denied`.
    pub kind: String,
    /// The cloud's own code.
    pub code: Option<String>,
}

impl Replaced {
    /// What the failure of the call at a path is listed as.
    pub fn of(path: &str, error: &CallFailure) -> Replaced {
        Replaced { path: path.to_string(), kind: error.kind.clone(), code: error.code.clone() }
    }
}

/// The feature of plans that a published item approves: a reader must know where the approval is.
const PUBLISHED: &str = "published";

/// The published template, schedule or trigger that a plan is a run of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Under {
    /// Its name.
    pub name: String,
    /// Digest of it, as it was published.
    pub standing: Digest,
    /// The instant that a schedule meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// An `approve` at which a run will wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedApproval {
    /// Id of the node.
    pub node: String,
    /// What will be asked, as far as that is known.
    pub question: String,
    /// Who must approve, and for how long the question stands.
    pub approval: Approval,
}

/// What makes a plan the rest of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// From 1, over all that was ever planned for the run.
    pub number: u32,
    /// Id of the `approve` at which the run waits.
    pub node: String,
    /// What is asked.
    pub question: String,
    /// What approvers are shown besides.
    pub shown: Option<Value>,
    /// Digest of the plan that the run has followed so far.
    pub before: Digest,
}

impl Plan {
    /// Number of items that all steps together would change.
    pub fn blast_radius(&self) -> u64 {
        sum(self.steps.iter())
    }

    /// The same for the steps that the approval of this plan covers: those that no later `approve` stands above.
    pub fn covered(&self) -> u64 {
        sum(self.steps.iter().filter(|step| self.covers(step)))
    }

    /// Whether the approval of this plan is one of this step.
    pub fn covers(&self, step: &PlannedStep) -> bool {
        step.below.as_ref() == self.part.as_ref().map(|part| &part.node)
    }
}

fn sum<'a>(steps: impl Iterator<Item = &'a PlannedStep>) -> u64 {
    steps.fold(0, |sum, s| sum.saturating_add(s.up_to.unwrap_or(s.items.len() as u64)))
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStep {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: Option<String>,
    /// The value of `max`; 1 for a step that is done once.
    pub max: u64,
    /// Where the items are not known before an earlier step has run: at most so many.
    pub up_to: Option<u64>,
    /// The items, sorted by identity.
    pub items: Vec<PlannedItem>,
    /// Items left out while planning because a member was absent.
    pub skipped_absent: Vec<ItemId>,
    /// Whether and how it can be taken back.
    pub rollback: Rollback,
    /// The last `approve` above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
}

/// Whether and how what a step does to an item is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rollback {
    /// Its `undo` puts back what there was.
    Undo,
    /// It deletes, and its `undo` makes another in the place of what there was.
    Replaced,
    /// It has no `undo` and needs none: its body ends by taking back what it began with, or leaves nothing behind.
    Itself,
    /// It has no `undo`; its author says why.
    Irreversible(String),
    /// It has no `undo`, and nobody says why.
    None,
}

/// What identifies an item: target, kind and id.
// Members in the order in which they are written: sorting them again for each call costs. So elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemId {
    /// The id that the catalogue names for the shape.
    pub id: Arc<str>,
    /// The shape, such as `aws.ec2.Instance`; `key` or `text` for others; `once` for a step without `for`.
    #[serde(deserialize_with = "shared")]
    pub kind: Arc<str>,
    /// Index into [`Plan::targets`].
    pub target: u32,
}

impl Ord for ItemId {
    fn cmp(&self, other: &ItemId) -> Ordering {
        let kinds = || match Arc::ptr_eq(&self.kind, &other.kind) {
            true => Ordering::Equal,
            false => self.kind.cmp(&other.kind),
        };
        self.target.cmp(&other.target).then_with(kinds).then_with(|| self.id.cmp(&other.id))
    }
}

impl PartialOrd for ItemId {
    fn partial_cmp(&self, other: &ItemId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// An item with its calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedItem {
    /// Which.
    pub item: ItemId,
    /// What would be done to it. In a batched step, the calls of a batch of this item alone: grouping is not signed.
    pub calls: Vec<PlannedCall>,
}

/// A call of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCall {
    /// How risky it is.
    pub risk: Risk,
    /// Call site within the step.
    #[serde(deserialize_with = "shared")]
    pub site: Arc<str>,
    /// Whether it may be sent twice.
    pub repeat: Repeat,
    /// Index into [`Plan::targets`]: never a hole.
    pub target: u32,
    /// What it does.
    pub effects: Vec<Effect>,
    /// Arguments by name.
    pub arguments: Named<PlannedArgument>,
    /// Full name.
    #[serde(deserialize_with = "shared")]
    pub operation: Arc<str>,
}

/// An argument of a planned call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PlannedArgument {
    /// The same for every item.
    Constant(Value),
    /// From the item.
    Item(Value),
    /// Known only when it runs; what is known of it is inside.
    Hole(Value),
}

impl PlannedArgument {
    /// The value; with [`Value::Hole`]s where it is one.
    pub fn value(&self) -> &Value {
        match self {
            PlannedArgument::Constant(v) | PlannedArgument::Item(v) | PlannedArgument::Hole(v) => v,
        }
    }
}
