//! What a run did, as data and as the JSON of `cli.md`. Reads it out of a [`crate::journal::RunState`]; draws no tables.

use std::collections::BTreeMap;

use escher_ir::journal::{Outcome, RunStatus};
use escher_ir::plan::{ItemId, Replaced};
use escher_ir::{Digest, Target, Value};
use serde_json::{Value as Json, json};

use crate::plan::{Planned, plan_json, replaced_json};

/// What became of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemReport {
    /// Its step.
    pub step: String,
    /// Which.
    pub item: ItemId,
    /// What became of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: Option<String>,
    /// The provider's request id of the last call.
    pub request_id: Option<String>,
}

/// A step with its counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// Items by outcome.
    pub counts: BTreeMap<Outcome, u64>,
}

/// A part of the report that the playbook wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportPart {
    /// Its title.
    pub title: Option<String>,
    /// What it shows.
    pub value: Value,
}

/// How a run is known to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// By its journal.
    Status(RunStatus),
    /// Begun, and nobody holds its lease: `escher resume` goes on with it.
    Interrupted,
}

impl Standing {
    /// The word that people and scripts see.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Interrupted => "interrupted",
            Standing::Status(RunStatus::Planned) => "planned",
            Standing::Status(RunStatus::Running) => "running",
            Standing::Status(RunStatus::WaitingForApproval) => "waiting_for_approval",
            Standing::Status(RunStatus::Done) => "done",
            Standing::Status(RunStatus::DoneWithFailures) => "done_with_failures",
            Standing::Status(RunStatus::Failed) => "failed",
            Standing::Status(RunStatus::Cancelled) => "cancelled",
        }
    }
}

/// What a run did, so far or in all.
#[derive(Clone, Debug, PartialEq)]
pub struct RunReport {
    /// Run id.
    pub run: String,
    /// How it stands.
    pub standing: Standing,
    /// Digest of its plan.
    pub digest: Digest,
    /// The playbook.
    pub playbook: String,
    /// The run that this one takes back.
    pub undo_of: Option<String>,
    /// Steps in written order.
    pub steps: Vec<StepReport>,
    /// Items in order of step and identity.
    pub items: Vec<ItemReport>,
    /// Targets, which items refer to by index.
    pub targets: Vec<Target>,
    /// What the playbook reported, in written order.
    pub report: Vec<ReportPart>,
    /// Answers that `catch` replaced, by path.
    pub replaced: Vec<Replaced>,
    /// What the playbook returned.
    pub value: Option<Value>,
    /// What to tell people, where it failed or was stopped.
    pub message: Option<String>,
    /// The rest of the run, where it waits for the approval of that.
    pub waiting: Option<Box<Planned>>,
}

/// All outcomes with their words, in the order in which people read them.
pub const OUTCOMES: [(Outcome, &str); 6] = [
    (Outcome::Done, "done"),
    (Outcome::Unchanged, "unchanged"),
    (Outcome::Skipped, "skipped"),
    (Outcome::Denied, "denied"),
    (Outcome::Failed, "failed"),
    (Outcome::Unknown, "unknown"),
];

/// The word of an outcome.
pub fn outcome_word(outcome: Outcome) -> &'static str {
    OUTCOMES.iter().find(|(o, _)| *o == outcome).map_or("", |(_, word)| word)
}

impl RunReport {
    /// Items by outcome, of all steps.
    pub fn totals(&self) -> BTreeMap<Outcome, u64> {
        let mut totals = BTreeMap::new();
        for item in &self.items {
            *totals.entry(item.outcome).or_insert(0) += 1;
        }
        totals
    }

    /// The exit code of the command line.
    pub fn exit_code(&self) -> u8 {
        match self.standing {
            Standing::Status(status) => crate::error::exit_code(status),
            Standing::Interrupted => 1,
        }
    }

    /// `escher.run/1`.
    pub fn to_json(&self) -> Json {
        let counts = |counts: &BTreeMap<Outcome, u64>| {
            let words = OUTCOMES.iter().map(|(o, word)| (word.to_string(), json!(counts.get(o).copied().unwrap_or(0))));
            words.collect::<serde_json::Map<_, _>>()
        };
        let steps: Vec<Json> = self
            .steps
            .iter()
            .map(|step| {
                let mut object = counts(&step.counts);
                object.insert("name".into(), json!(step.name));
                Json::Object(object)
            })
            .collect();
        let items: Vec<Json> = self
            .items
            .iter()
            .map(|item| {
                let target = self.targets.get(item.item.target as usize);
                json!({
                    "step": item.step,
                    "item": item.item.id,
                    "kind": item.item.kind,
                    "account": target.map(|t| t.account.as_str()),
                    "region": target.map(|t| t.region.as_str()),
                    "outcome": outcome_word(item.outcome),
                    "reason": item.reason,
                    "request_id": item.request_id,
                })
            })
            .collect();
        let report: Vec<Json> = self
            .report
            .iter()
            .map(|part| json!({ "title": part.title, "value": escher_ir::json::to_json(&part.value) }))
            .collect();
        json!({
            "schema": "escher.run/1",
            "run": self.run,
            "status": self.standing.word(),
            "digest": self.digest.to_string(),
            "playbook": self.playbook,
            "undo_of": self.undo_of,
            "steps": steps,
            "items": items,
            "totals": Json::Object(counts(&self.totals())),
            "report": report,
            "replaced": replaced_json(&self.replaced),
            "value": self.value.as_ref().map(escher_ir::json::to_json),
            "message": self.message,
            "waiting": self.waiting.as_ref().map(|rest| plan_json(rest)),
        })
    }
}
