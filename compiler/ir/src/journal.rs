//! Events of a run, in the order in which they became durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::canonical::{LIST, MAP, UNSIGNED, head, text};
use crate::codec::{CodecError, Stored, append, digest_as, finish, open};
use crate::digest::Digest;
use crate::named::Named;
use crate::plan::ItemId;
use crate::value::Value;

/// Several events that became durable together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Number of the first event, from 0.
    pub first: u64,
    /// The events.
    pub events: Vec<Entry>,
    /// Small objects that these events name, as canonical bytes without an envelope, sorted by digest: a row of the
    /// store for each would cost more than all the rest of a segment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<SmallObject>,
}

/// An object that lies in a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallObject {
    /// Its digest, as of any stored value.
    pub digest: Digest,
    /// Its canonical bytes.
    #[serde(with = "crate::codec::bytes")]
    pub body: Arc<[u8]>,
}

impl Stored for Segment {
    const FORMAT: &'static str = "escher.journal";
    // 2: `Revoked`. 3: `objects`, `Paused`, `PartStarted`.
    const VERSION: u16 = 3;

    fn upgrade(_: u16, body: Vec<u8>) -> Result<Vec<u8>, CodecError> {
        // Only events were added, and a member that may be missing.
        Ok(body)
    }
}

/// A segment that is being written: each event's bytes are made as it comes.
#[derive(Debug, Default)]
pub struct SegmentWriter {
    events: Vec<u8>,
    count: u64,
    objects: Vec<SmallObject>,
}

impl SegmentWriter {
    /// Adds an event.
    pub fn push(&mut self, entry: &Entry) -> Result<(), CodecError> {
        self.events = append::<Segment, _>(std::mem::take(&mut self.events), entry)?;
        self.count += 1;
        Ok(())
    }

    /// Adds a small object that the events name.
    pub fn keep(&mut self, digest: Digest, body: Vec<u8>) {
        self.objects.push(SmallObject { digest, body: body.into() });
    }

    /// Number of its events.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The segment in its envelope, from the number of its first event on.
    pub fn finish(mut self, first: u64) -> Result<Vec<u8>, CodecError> {
        self.objects.sort_by_key(|object| object.digest);
        let objects: usize = self.objects.iter().map(|object| object.body.len() + 96).sum();
        let mut body = Vec::with_capacity(self.events.len() + objects + 350);
        open(&mut body);
        head(&mut body, MAP, if self.objects.is_empty() { 2 } else { 3 });
        text(&mut body, "first");
        head(&mut body, UNSIGNED, first);
        text(&mut body, "events");
        head(&mut body, LIST, self.count);
        body.append(&mut self.events);
        if !self.objects.is_empty() {
            text(&mut body, "objects");
            body = append::<Segment, _>(body, &self.objects)?;
        }
        Ok(finish::<Segment>(body, &[])?.1)
    }
}

/// An event with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When, by the local clock.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Changed as planned.
    Done,
    /// Was so already, or `when` did not hold.
    Unchanged,
    /// Left alone, for a reason.
    Skipped,
    /// The cloud refused for want of rights.
    Denied,
    /// Did not work.
    Failed,
    /// It isn't known whether the change arrived.
    Unknown,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Planned; not begun.
    Planned,
    /// Begun, not ended.
    Running,
    /// Waits until the rest of it is approved.
    WaitingForApproval,
    /// All items done, unchanged or skipped.
    Done,
    /// Ended within its tolerance, with failed items.
    DoneWithFailures,
    /// More failed than was tolerated, or something outside an item failed.
    Failed,
    /// Stopped on request.
    Cancelled,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A plan was made and a run id minted.
    Planned {
        /// The plan.
        plan: Digest,
        /// The program.
        program: Digest,
        /// Who planned.
        principal: String,
        /// When its first reading began.
        began: Timestamp,
        /// How old a reading may be when an item is about to be changed, in milliseconds.
        recheck_after_ms: u64,
        /// Where a call without a place of its own runs, resolved: an object with a target.
        ambient: Digest,
    },
    /// A signed statement was accepted.
    Approved {
        /// The signed statement, an object.
        approval: Digest,
        /// Who.
        principal: String,
    },
    /// The approvals so far were taken back.
    Revoked {
        /// The signed statement, an object.
        revocation: Digest,
        /// Who.
        principal: String,
    },
    /// The run began.
    Started {
        /// The plan.
        plan: Digest,
        /// The program.
        program: Digest,
        /// Approvals that it began with.
        approvals: Vec<Digest>,
        /// Who started it.
        principal: String,
        /// `run`, or `undo` of this run.
        undo_of: Option<String>,
    },
    /// The run was taken up again by another process.
    Resumed {
        /// Fencing number of the lease.
        fence: u64,
    },
    /// The run stands at an `approve`: the rest was planned, and waits for its approval.
    Paused {
        /// Node of the playbook.
        node: String,
        /// The plan of the rest.
        plan: Digest,
        /// When its first reading began.
        began: Timestamp,
    },
    /// The rest was approved, and goes on.
    PartStarted {
        /// Node of the playbook.
        node: String,
        /// The plan of the rest.
        plan: Digest,
        /// Approvals that it goes on with.
        approvals: Vec<Digest>,
        /// Who took the run up.
        principal: String,
        /// Approved by the one person that the project is set up for.
        solo: bool,
        /// Approved by a throw-away key, against practice clouds.
        sandbox: bool,
    },
    /// Something that is not a function of the program was fixed: a clock, a reading.
    Fixed {
        /// Call path.
        path: String,
        /// Object with the value.
        value: Digest,
        /// When the reading began.
        began: Timestamp,
    },
    /// A reading failed and that is what the program goes on with, or ends with.
    ReadFailed {
        /// Call path.
        path: String,
        /// Why.
        error: CallFailure,
        /// Whether a `catch` of the program takes it: then it is an answer like any other, and is not asked again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        caught: bool,
    },
    /// A change is about to be sent.
    Intent {
        /// Call path.
        path: String,
        /// Step.
        step: String,
        /// The items that it is for.
        items: Vec<ItemId>,
        /// Idempotency token, where the operation takes one.
        token: Option<String>,
        /// From 1.
        attempt: u32,
        /// Digest of the arguments.
        arguments: Digest,
        /// Full name.
        operation: String,
    },
    /// It was answered.
    Answer {
        /// Call path.
        path: String,
        /// Object with what the program reads of the answer.
        value: Digest,
        /// The provider's request id.
        request_id: Option<String>,
    },
    /// It was refused, or it isn't known what became of it.
    CallFailed {
        /// Call path.
        path: String,
        /// Why.
        error: CallFailure,
    },
    /// An item ended.
    Ended {
        /// The item.
        item: ItemId,
        /// Step.
        step: String,
        /// Object with the value of the body, for `.of(x)`.
        value: Option<Digest>,
        /// Why: a skip reason, or the error.
        reason: Option<String>,
        /// What became of it.
        outcome: Outcome,
        /// The provider's request id of the last call.
        request_id: Option<String>,
    },
    /// A part of the report was written.
    Reported {
        /// Node of the playbook.
        node: String,
        /// Its title.
        title: Option<String>,
        /// Object with what it shows.
        value: Digest,
    },
    /// A step ended.
    StepEnded {
        /// Step.
        step: String,
        /// Items that were still in the step's list right after it, by which `undo` tells whether somebody else
        /// has been there since. None where that was not read.
        still_listed: Option<Vec<ItemId>>,
    },
    /// The run ended.
    Finished {
        /// How.
        status: RunStatus,
        /// What the playbook returned.
        value: Option<Digest>,
        /// What to tell people, where it failed.
        message: Option<String>,
        /// Items by outcome.
        totals: BTreeMap<Outcome, u64>,
    },
}

/// An error of a call, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallFailure {
    /// `missing denied conflict throttled unreachable timeout invalid unknown`.
    pub kind: String,
    /// The cloud's own code.
    pub code: Option<String>,
    /// The cloud's own words, shortened.
    pub message: String,
    /// The provider's request id.
    pub request_id: Option<String>,
    /// Whether the call may have had its effect all the same.
    pub maybe_done: bool,
}

/// Somebody asks the process that is at work on a run for its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// Fencing number of the process that is asked: a later one is not.
    pub fence: u64,
    /// Who asks.
    pub principal: String,
}

impl Stored for CancelRequest {
    const FORMAT: &'static str = "escher.cancel-request";
    const VERSION: u16 = 1;
}

/// A value as an object of the state store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredValue(pub Value);

impl Stored for StoredValue {
    const FORMAT: &'static str = "escher.value";
    const VERSION: u16 = 1;
}

/// The digest of a call's arguments: of a map of them, which is not made for it.
pub fn digest_of_arguments(arguments: &Named<Value>) -> Result<Digest, CodecError> {
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Written<'a> {
        Map(&'a Named<Value>),
    }
    digest_as::<StoredValue>(&Written::Map(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_arguments_is_that_of_a_map() {
        let all = [("size", Value::Int(3)), ("ids", Value::list(vec![Value::text("i-1"), Value::None]))];
        for count in 0..=all.len() {
            let some = all.iter().take(count).map(|(name, value)| (Arc::from(*name), value.clone()));
            let map = Value::Map(Arc::new(some.clone().collect()));
            let digest = crate::codec::digest(&StoredValue(map)).unwrap();
            assert_eq!(digest_of_arguments(&some.collect()).unwrap(), digest, "{count}");
        }
    }

    #[test]
    fn a_segment_in_one_pass_has_the_bytes_of_its_events() {
        for (count, objects) in [(0, 0), (3, 0), (30, 2), (300, 40)] {
            let mut writer = SegmentWriter::default();
            let mut segment = Segment { first: 77, events: Vec::new(), objects: Vec::new() };
            for n in 0..count {
                let event = Event::Answer { path: format!("stop[{n}]/stop"), value: Digest([7; 32]), request_id: None };
                let entry = Entry { at: Timestamp::from_second(n).unwrap(), event };
                writer.push(&entry).unwrap();
                segment.events.push(entry);
            }
            for n in 0..objects {
                writer.keep(Digest([255 - n; 32]), vec![n; 9]);
                segment.objects.insert(0, SmallObject { digest: Digest([255 - n; 32]), body: Arc::from([n; 9]) });
            }
            assert_eq!(writer.finish(77).unwrap(), crate::codec::encode(&segment).unwrap().1, "{count} {objects}");
        }
    }
}
