//! Entries of the audit log: a chain in which each holds the digest of the one before.
//!
//! Says what happened in words that stay readable without the journal; holds no values of arguments and no secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::canonical::{LIST, MAP, head, text};
use crate::codec::{CodecError, Stored, append, digest, domain, finish, open};
use crate::digest::Digest;
use crate::journal::{Outcome, RunStatus};

/// Several entries that became durable together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSegment {
    /// The entries.
    pub entries: Vec<AuditEntry>,
}

impl Stored for AuditSegment {
    const FORMAT: &'static str = "escher.audit";
    // 2: `Rooted`, `Trusted`, `Revoked`, `CancelRequested`. 3: `Paused`, `PartStarted`. 4: `Published`, `Withdrawn`, `Held`,
    // `Used`, `Halted`.
    const VERSION: u16 = 4;

    fn upgrade(_: u16, body: Vec<u8>) -> Result<Vec<u8>, CodecError> {
        // Only events were added.
        Ok(body)
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// Its number, from 0.
    pub number: u64,
    /// Digest of the entry before; zeros for the first.
    pub before: Digest,
    /// When, by the local clock; never before the entry before it.
    pub at: Timestamp,
    /// What.
    pub event: AuditEvent,
}

impl Stored for AuditEntry {
    const FORMAT: &'static str = "escher.audit-entry";
    const VERSION: u16 = 1;
}

impl AuditEntry {
    /// The digest that the next entry holds.
    pub fn digest(&self) -> Result<Digest, CodecError> {
        digest(self)
    }
}

/// A segment that is being written: each entry's bytes are made once, for the chain and for the segment.
#[derive(Debug, Default)]
pub struct SegmentWriter {
    entries: Vec<u8>,
    count: u64,
}

/// An entry around an event that is only borrowed; its members in the order in which they are written.
#[derive(Serialize)]
struct Written<'a> {
    at: Timestamp,
    event: &'a AuditEvent,
    before: Digest,
    number: u64,
}

impl SegmentWriter {
    /// Adds an entry; gives the digest that the next one holds.
    pub fn push(
        &mut self,
        number: u64,
        before: Digest,
        at: Timestamp,
        event: &AuditEvent,
    ) -> Result<Digest, CodecError> {
        let from = self.entries.len();
        let entries = std::mem::take(&mut self.entries);
        self.entries = append::<AuditEntry, _>(entries, &Written { at, event, before, number })?;
        self.count += 1;
        Ok(Digest::of(&domain::<AuditEntry>(AuditEntry::VERSION), self.entries.get(from..).unwrap_or_default()))
    }

    /// The segment in its envelope.
    pub fn finish(self) -> Result<Vec<u8>, CodecError> {
        let mut body = Vec::with_capacity(self.entries.len() + 300);
        open(&mut body);
        head(&mut body, MAP, 1);
        text(&mut body, "entries");
        head(&mut body, LIST, self.count);
        body.extend_from_slice(&self.entries);
        Ok(finish::<AuditSegment>(body, &[])?.1)
    }
}

/// What is kept for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AuditEvent {
    /// A root key was pinned, with the settings that hold from here on.
    Rooted {
        /// The root key, as a public key line has it.
        root: String,
        /// Its fingerprint.
        key: String,
        /// Digest of the settings.
        settings: Digest,
        /// Who did it.
        principal: String,
    },
    /// Settings were signed under the root key.
    Trusted {
        /// Number of the entry of trust.
        number: u64,
        /// Fingerprint of the root key.
        key: String,
        /// Digest of the settings.
        settings: Digest,
        /// Who did it.
        principal: String,
    },
    /// A template, a schedule or a trigger was signed.
    Published {
        /// Its name.
        name: String,
        /// Digest of the item.
        standing: Digest,
        /// The signed statement, an object.
        statement: Digest,
        /// Who signed.
        principal: String,
        /// Fingerprint of the key.
        key: String,
        /// Their words.
        comment: String,
    },
    /// Nobody may use it any more.
    Withdrawn {
        /// Its name.
        name: String,
        /// The signed statement, an object.
        statement: Digest,
        /// Who signed.
        principal: String,
        /// Fingerprint of the key.
        key: String,
        /// Their words.
        comment: String,
    },
    /// A schedule or trigger is held back, or goes on.
    Held {
        /// Its name.
        name: String,
        /// It is held back.
        paused: bool,
        /// Who.
        principal: String,
    },
    /// Something published was asked for or due: a run of it began, or why none did.
    Used {
        /// Its name.
        name: String,
        /// Digest of the item.
        standing: Digest,
        /// The run.
        run: Option<String>,
        /// The instant that a schedule meant.
        due: Option<Timestamp>,
        /// Who asked for it.
        principal: String,
        /// Why none began.
        reason: Option<String>,
    },
    /// Nothing may be changed in this state, or again it may.
    Halted {
        /// Nothing may.
        halted: bool,
        /// Who said so.
        principal: String,
        /// Why.
        reason: String,
    },
    /// A plan was made.
    Planned {
        /// Its run.
        run: String,
        /// The playbook.
        playbook: String,
        /// Digest of the plan.
        plan: Digest,
        /// Who planned.
        principal: String,
    },
    /// A statement was signed and accepted.
    Approved {
        /// The run.
        run: String,
        /// The signed statement, an object.
        approval: Digest,
        /// The digest that was approved.
        plan: Digest,
        /// Who approved.
        principal: String,
        /// Fingerprint of the key.
        key: String,
        /// The approver's words.
        comment: String,
    },
    /// The approvals of a run were taken back.
    Revoked {
        /// The run.
        run: String,
        /// The signed statement, an object.
        revocation: Digest,
        /// The approvals that no longer count.
        approvals: Vec<Digest>,
        /// Who.
        principal: String,
        /// Fingerprint of the key.
        key: String,
        /// Their words.
        comment: String,
    },
    /// Somebody asked for the end of a run.
    CancelRequested {
        /// The run.
        run: String,
        /// Who.
        principal: String,
    },
    /// Something was refused before anything was sent.
    Refused {
        /// The run, where there is one.
        run: Option<String>,
        /// Who asked.
        principal: String,
        /// Why.
        reason: String,
    },
    /// A run began.
    Started {
        /// The run.
        run: String,
        /// Digest of the plan.
        plan: Digest,
        /// Who started it.
        principal: String,
        /// Approvals that it began with.
        approvals: Vec<Digest>,
        /// Approved by the one person that the project is set up for.
        solo: bool,
        /// Approved by a throw-away key, against practice clouds.
        sandbox: bool,
        /// The run that this one takes back.
        undo_of: Option<String>,
    },
    /// A run waits: the rest of it was planned, and is to be approved.
    Paused {
        /// The run.
        run: String,
        /// Node of the playbook.
        node: String,
        /// Digest of the plan of the rest.
        plan: Digest,
    },
    /// The rest of a run was approved, and goes on.
    PartStarted {
        /// The run.
        run: String,
        /// Node of the playbook.
        node: String,
        /// Digest of the plan of the rest.
        plan: Digest,
        /// Who took the run up.
        principal: String,
        /// Approvals that it goes on with.
        approvals: Vec<Digest>,
        /// Approved by the one person that the project is set up for.
        solo: bool,
        /// Approved by a throw-away key, against practice clouds.
        sandbox: bool,
    },
    /// A run was taken up again.
    Resumed {
        /// The run.
        run: String,
        /// Fencing number.
        fence: u64,
    },
    /// A change was about to be sent.
    Intent {
        /// The run.
        run: String,
        /// Call path.
        path: String,
        /// Ids of the items.
        items: Vec<Arc<str>>,
        /// From 1.
        attempt: u32,
        /// Digest of the arguments.
        arguments: Digest,
        /// Full name.
        operation: String,
    },
    /// It was answered.
    Answer {
        /// The run.
        run: String,
        /// Call path.
        path: String,
        /// The provider's request id.
        request_id: Option<String>,
    },
    /// It was refused, or it isn't known what became of it.
    CallFailed {
        /// The run.
        run: String,
        /// Call path.
        path: String,
        /// Kind of the error.
        kind: String,
        /// The cloud's own code.
        code: Option<String>,
        /// The provider's request id.
        request_id: Option<String>,
        /// Whether it may have had its effect all the same.
        maybe_done: bool,
    },
    /// Items ended.
    Ended {
        /// The run.
        run: String,
        /// The step.
        step: String,
        /// Ids of the items.
        items: Vec<Arc<str>>,
        /// Why.
        reason: Option<String>,
        /// What became of them.
        outcome: Outcome,
    },
    /// A run ended.
    Finished {
        /// The run.
        run: String,
        /// How.
        status: RunStatus,
        /// Items by outcome.
        totals: BTreeMap<Outcome, u64>,
    },
}

impl AuditEvent {
    /// The run that it belongs to.
    pub fn run(&self) -> Option<&str> {
        match self {
            AuditEvent::Planned { run, .. }
            | AuditEvent::Approved { run, .. }
            | AuditEvent::Revoked { run, .. }
            | AuditEvent::CancelRequested { run, .. }
            | AuditEvent::Started { run, .. }
            | AuditEvent::Paused { run, .. }
            | AuditEvent::PartStarted { run, .. }
            | AuditEvent::Resumed { run, .. }
            | AuditEvent::Intent { run, .. }
            | AuditEvent::Answer { run, .. }
            | AuditEvent::CallFailed { run, .. }
            | AuditEvent::Ended { run, .. }
            | AuditEvent::Finished { run, .. } => Some(run),
            AuditEvent::Refused { run, .. } | AuditEvent::Used { run, .. } => run.as_deref(),
            AuditEvent::Rooted { .. }
            | AuditEvent::Trusted { .. }
            | AuditEvent::Published { .. }
            | AuditEvent::Withdrawn { .. }
            | AuditEvent::Held { .. }
            | AuditEvent::Halted { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_in_one_pass_has_the_bytes_of_its_entries() {
        for count in [0, 1, 30, 300] {
            let (mut before, mut entries, mut writer) = (Digest([0; 32]), Vec::new(), SegmentWriter::default());
            for number in 0..count {
                let items = (0..number).map(|n| format!("i-{n}").into()).collect();
                let (run, reason) = ("r-1".to_string(), Some("why".to_string()));
                let event = AuditEvent::Ended { run, step: "stop".into(), outcome: Outcome::Done, reason, items };
                let at = Timestamp::from_second(i64::try_from(number).unwrap()).unwrap();
                let entry = AuditEntry { number, before, at, event };
                assert_eq!(writer.push(number, before, at, &entry.event).unwrap(), entry.digest().unwrap());
                before = entry.digest().unwrap();
                entries.push(entry);
            }
            assert_eq!(writer.finish().unwrap(), crate::codec::encode(&AuditSegment { entries }).unwrap().1, "{count}");
        }
    }
}
