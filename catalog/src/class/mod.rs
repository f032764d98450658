//! What an operation does, how risky it is, and whether it may be sent twice.
//!
//! Signals, weakest to strongest: the verb and nouns of the name, the HTTP method, the provider's access level and traits, a
//! row of `data/overrides.txt`. Short of an override the **worst** of them holds, and what nothing explains is the top. This
//! module gives effects, scope and reversal; levels of risk come from [`crate::risk`] alone.

mod nouns;
mod overrides;
mod repeat;
mod rest;
mod rules;
mod verbs;

pub(crate) use overrides::Override;
use overrides::Overrides;

use crate::CatalogError;
use crate::codec::{Chunk, Facts};
use crate::model::{Class, Effect, Operation, Provenance, Repeat, Risk};
use crate::risk::{self, Reversal, Scope};

/// The provider's own word for what an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessLevel {
    List,
    Read,
    Tagging,
    Write,
    Permissions,
}

impl AccessLevel {
    /// As the importer numbers them; 0 is none.
    pub(crate) fn from_number(number: u32) -> Result<Option<Self>, CatalogError> {
        Ok(Some(match number {
            0 => return Ok(None),
            1 => AccessLevel::List,
            2 => AccessLevel::Read,
            3 => AccessLevel::Tagging,
            4 => AccessLevel::Write,
            5 => AccessLevel::Permissions,
            _ => return Err(CatalogError::Malformed("an access level")),
        }))
    }

    fn reads(self) -> bool {
        matches!(self, AccessLevel::List | AccessLevel::Read)
    }
}

/// Everything that the table of risks needs of an operation, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) effects: Vec<Effect>,
    pub(crate) scope: Scope,
    pub(crate) reversal: Reversal,
    pub(crate) provenance: Provenance,
}

impl Verdict {
    fn new(effects: &[Effect], scope: Scope, reversal: Reversal, provenance: Provenance) -> Self {
        Verdict { effects: effects.to_vec(), scope, reversal, provenance }
    }

    fn risk(&self) -> Risk {
        risk::of_effects(&self.effects, self.scope, self.reversal)
    }
}

impl Class {
    /// The class of what nothing is known of.
    pub fn worst() -> Class {
        Class {
            effects: vec![Effect::Modify, Effect::Delete, Effect::Expose, Effect::Grant, Effect::Exec],
            risk: Risk::Critical,
            repeat: Repeat::Unsafe,
            provenance: Provenance::Unknown,
            reason: None,
        }
    }

    /// Whether it changes anything: only then must it stand in a step. Handing out a secret that exists changes nothing.
    pub fn changes(&self) -> bool {
        self.effects.iter().any(|e| !matches!(e, Effect::Observe | Effect::Reveal))
    }
}

/// Whether an answer, or a list in it, holds a secret right away.
fn hands_out(operation: &Operation, chunk: &Chunk) -> bool {
    let sensitive = |id| chunk.shape(id).is_some_and(|s| s.sensitive);
    let Some(answer) = operation.output.and_then(|id| chunk.shape(id)) else { return false };
    // A resource that has a password somewhere is read without it; an answer that is made of secrets is about them.
    let (members, secrets) = (answer.members().len(), answer.members().iter().filter(|m| sensitive(m.shape)).count());
    secrets > 0 && secrets * 3 >= members
}

/// The class of an operation whose shapes stand in `chunk`.
pub(crate) fn judge(cloud: &str, service: &str, operation: &Operation, facts: &Facts, chunk: &Chunk) -> Class {
    let row = Overrides::embedded().of(cloud, service, &operation.name);
    let last = operation.name.rsplit('.').next().unwrap_or_default();
    let words = verbs::words(last);
    let found = match cloud {
        "aws" => rules::verdict(service, &words, &operation.method, facts),
        _ => rest::verdict(service, &operation.name, &operation.method, facts, hands_out(operation, chunk)),
    };
    let mut verdict = found.unwrap_or_else(|| {
        let worst = Class::worst();
        Verdict::new(&worst.effects, Scope::Shared, Reversal::Never, worst.provenance)
    });
    if let Some(row) = &row {
        row.apply(&mut verdict);
    }
    let reads = !verdict.effects.iter().any(|e| !matches!(e, Effect::Observe | Effect::Reveal));
    let repeat = row
        .as_ref()
        .and_then(|r| r.repeat.clone())
        .unwrap_or_else(|| repeat::repeat(chunk, operation, &words, &verdict, reads, facts, cloud != "aws"));
    Class {
        risk: verdict.risk(),
        effects: verdict.effects,
        repeat,
        provenance: verdict.provenance,
        reason: row.map(|r| r.reason),
    }
}
