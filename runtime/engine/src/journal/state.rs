//! What a journal says: its events, folded. Decides nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use escher_ir::codec;
use escher_ir::journal::{CallFailure, Event, Outcome, RunStatus, Segment, StoredValue};
use escher_ir::plan::{ItemId, Replaced};
use escher_ir::{Digest, Value};
use jiff::Timestamp;

use crate::error::EngineError;
use crate::store::{Head, StateStore, StoreError};
use crate::transitions::{
    APPROVAL, Approval, ApprovalOn, CALL, Call, CallOn, ITEM, Item, ItemOn, RUN, Run, STEP, Step, StepOn, of_run,
};

/// What became of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Result {
    /// Nothing is known: it was in flight.
    Open,
    Answered {
        value: Digest,
        request_id: Option<String>,
    },
    Failed(CallFailure),
}

impl Result {
    /// What is known of the call.
    pub(crate) fn state(&self) -> Call {
        match self {
            Result::Open => Call::Open,
            Result::Answered { .. } => Call::Answered,
            Result::Failed(_) => Call::Failed,
        }
    }
}

/// Whether a call path lies in the `undo` of its item.
fn is_undo(path: &str) -> bool {
    path.split_once("]/").is_some_and(|(_, rest)| rest.starts_with("undo/"))
}

/// A change that was about to be sent.
#[derive(Clone, Debug)]
pub(crate) struct IntentState {
    pub(crate) step: String,
    pub(crate) items: Vec<ItemId>,
    pub(crate) token: Option<String>,
    /// Of the last attempt, from 1.
    pub(crate) attempt: u32,
    /// Of the last attempt.
    pub(crate) at: Timestamp,
    /// Grows over the run.
    pub(crate) order: u64,
    /// Some attempt may have had its effect.
    pub(crate) maybe_done: bool,
    pub(crate) result: Result,
}

/// How an item ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<String>,
    pub(crate) value: Option<Digest>,
    pub(crate) request_id: Option<String>,
}

/// The rest of a run, as it was planned at an `approve`.
#[derive(Clone, Debug)]
pub(crate) struct PartState {
    /// Node of the playbook.
    pub(crate) node: String,
    /// The plan.
    pub(crate) plan: Digest,
    /// When its first reading began.
    pub(crate) began: Timestamp,
    /// When the question was asked.
    pub(crate) asked: Timestamp,
    pub(crate) approvals: Vec<(Digest, String)>,
    /// When it went on.
    pub(crate) started: Option<Timestamp>,
}

/// A journal, folded.
#[derive(Clone, Debug)]
pub(crate) struct RunState {
    pub(crate) run: String,
    pub(crate) head: Head,
    pub(crate) events: u64,
    pub(crate) plan: Digest,
    pub(crate) program: Digest,
    pub(crate) principal: String,
    pub(crate) planned: Timestamp,
    pub(crate) began: Timestamp,
    pub(crate) recheck_after_ms: u64,
    pub(crate) ambient: Option<Digest>,
    pub(crate) approvals: Vec<(Digest, String)>,
    /// Approvals that were taken back.
    pub(crate) revoked: Vec<Digest>,
    pub(crate) started: Option<Timestamp>,
    /// Who started it.
    pub(crate) starter: Option<String>,
    /// What was planned at its `approve`s, in order; where a question lapsed, that node is there again.
    pub(crate) parts: Vec<PartState>,
    pub(crate) undo_of: Option<String>,
    pub(crate) fixed: HashMap<String, (Digest, Timestamp)>,
    /// Readings that failed and that the program goes on from, with when.
    pub(crate) failed_reads: HashMap<String, (CallFailure, Timestamp)>,
    pub(crate) intents: BTreeMap<String, IntentState>,
    pub(crate) ended: HashMap<(String, ItemId), Ended>,
    pub(crate) steps_ended: BTreeMap<String, Option<Vec<ItemId>>>,
    pub(crate) reports: Vec<(String, Option<String>, Digest)>,
    pub(crate) finished: Option<(RunStatus, Option<Digest>, Option<String>)>,
    pub(crate) phase: Run,
    /// Of the plan, or of the part that was asked for last.
    pub(crate) approval: Approval,
    /// Objects that lie in the journal itself.
    objects: HashMap<Digest, Arc<[u8]>>,
}

impl RunState {
    /// Reads a run's journal; none where there is no such run.
    pub(crate) fn load(store: &dyn StateStore, run: &str) -> std::result::Result<Option<RunState>, EngineError> {
        let stream = super::stream(run);
        let segments = store.read(&stream, 0)?;
        let mut state: Option<RunState> = None;
        let mut head = Head::EMPTY;
        let damaged = |reason: &str| StoreError::Damaged { what: stream.clone(), reason: reason.to_string() };
        for segment in segments {
            if segment.head != head.after(&segment.bytes) {
                return Err(damaged("a segment was changed").into());
            }
            head = segment.head;
            let (_, Segment { events, objects, .. }) = codec::decode(&segment.bytes)?;
            for entry in events {
                match (&mut state, entry.event) {
                    (
                        state @ None,
                        Event::Planned { plan, program, principal, began, recheck_after_ms, ambient, .. },
                    ) => {
                        *state = Some(RunState {
                            run: run.to_string(),
                            head,
                            events: 0,
                            plan,
                            program,
                            principal,
                            planned: entry.at,
                            began,
                            recheck_after_ms,
                            ambient: Some(ambient),
                            approvals: Vec::new(),
                            revoked: Vec::new(),
                            started: None,
                            starter: None,
                            parts: Vec::new(),
                            undo_of: None,
                            fixed: HashMap::new(),
                            failed_reads: HashMap::new(),
                            intents: BTreeMap::new(),
                            ended: HashMap::new(),
                            steps_ended: BTreeMap::new(),
                            reports: Vec::new(),
                            finished: None,
                            phase: Run::Planned,
                            approval: Approval::Unsigned,
                            objects: HashMap::new(),
                        });
                    }
                    (None, _) => return Err(damaged("it does not begin with a plan").into()),
                    (Some(state), event) => state.fold(entry.at, event)?,
                }
                if let Some(state) = &mut state {
                    state.events += 1;
                }
            }
            if let Some(state) = &mut state {
                state.objects.extend(objects.into_iter().map(|object| (object.digest, object.body)));
            }
        }
        if let Some(state) = &mut state {
            state.head = head;
        }
        Ok(state)
    }

    /// The value that an event names.
    pub(crate) fn value(&self, store: &dyn StateStore, digest: &Digest) -> std::result::Result<Value, EngineError> {
        match self.objects.get(digest) {
            Some(body) => Ok(codec::decode_body::<StoredValue>(digest, body)?.0),
            None => super::value(store, digest),
        }
    }

    /// Answers that `catch` replaced, by path.
    pub(crate) fn replaced(&self) -> Vec<Replaced> {
        let mut all: Vec<_> = self.failed_reads.iter().map(|(path, (error, _))| Replaced::of(path, error)).collect();
        all.sort();
        all
    }

    /// The part that waits for its approval.
    pub(crate) fn waiting(&self) -> Option<&PartState> {
        let goes_on = self.finished.as_ref().is_none_or(|(status, ..)| *status == RunStatus::Cancelled);
        self.parts.last().filter(|part| part.started.is_none() && goes_on)
    }

    /// The parts that went on, in order.
    pub(crate) fn begun(&self) -> impl Iterator<Item = &PartState> {
        self.parts.iter().filter(|part| part.started.is_some())
    }

    fn approvals(&mut self) -> &mut Vec<(Digest, String)> {
        match self.parts.last_mut() {
            Some(part) => &mut part.approvals,
            None => &mut self.approvals,
        }
    }

    fn fold(&mut self, at: Timestamp, event: Event) -> std::result::Result<(), EngineError> {
        if let Some(on) = of_run(&event) {
            self.phase = RUN.next(self.phase, on)?;
        }
        match event {
            Event::Planned { .. } | Event::ReadFailed { caught: false, .. } => {}
            Event::ReadFailed { path, error, caught: true } => {
                self.fixed.remove(&path);
                self.failed_reads.insert(path, (error, at));
            }
            Event::Approved { approval, principal } => {
                self.approval = APPROVAL.next(self.approval, ApprovalOn::Sign)?;
                self.approvals().push((approval, principal));
            }
            Event::Revoked { .. } => {
                self.approval = APPROVAL.next(self.approval, ApprovalOn::TakeBack)?;
                let taken = std::mem::take(self.approvals());
                self.revoked.extend(taken.into_iter().map(|(digest, _)| digest));
            }
            Event::Paused { node, plan, began } => {
                let part = PartState { node, plan, began, asked: at, approvals: Vec::new(), started: None };
                self.parts.push(part);
                self.approval = Approval::Unsigned;
            }
            Event::PartStarted { plan, .. } => {
                self.approval = APPROVAL.next(self.approval, ApprovalOn::Use)?;
                if let Some(part) = self.parts.last_mut().filter(|part| part.plan == plan) {
                    part.started = Some(at);
                }
            }
            Event::Started { undo_of, principal, .. } => {
                self.approval = APPROVAL.next(self.approval, ApprovalOn::Use)?;
                self.started = Some(at);
                self.starter = Some(principal);
                self.undo_of = undo_of;
            }
            // What it ended with before is taken back by going on.
            Event::Resumed { .. } => self.finished = None,
            Event::Fixed { path, value, began } => {
                self.failed_reads.remove(&path);
                self.fixed.insert(path, (value, began));
            }
            Event::Intent { path, step, items, token, attempt, .. } => {
                let order = self.events;
                CALL.next(self.intents.get(&path).map_or(Call::New, |call| call.result.state()), CallOn::Intend)?;
                let on = if is_undo(&path) { ItemOn::SendBack } else { ItemOn::Send };
                for item in &items {
                    ITEM.next(self.item(&step, item), on)?;
                }
                let maybe_done = self.intents.get(&path).is_some_and(|before| match &before.result {
                    // An attempt without an answer was in flight.
                    Result::Open => true,
                    Result::Failed(_) | Result::Answered { .. } => before.maybe_done,
                });
                let first = self.intents.get(&path).map_or(order, |before| before.order);
                let intent =
                    IntentState { step, items, token, attempt, at, order: first, maybe_done, result: Result::Open };
                self.intents.insert(path, intent);
            }
            Event::Answer { path, value, request_id } => {
                if let Some(intent) = self.intents.get_mut(&path) {
                    CALL.next(intent.result.state(), CallOn::Answer)?;
                    intent.maybe_done = true;
                    intent.result = Result::Answered { value, request_id };
                }
            }
            Event::CallFailed { path, error } => {
                if let Some(intent) = self.intents.get_mut(&path) {
                    CALL.next(intent.result.state(), CallOn::Fail)?;
                    intent.maybe_done |= error.maybe_done;
                    intent.result = Result::Failed(error);
                }
            }
            Event::Ended { step, item, outcome, reason, value, request_id } => {
                ITEM.next(self.item(&step, &item), ItemOn::End)?;
                self.ended.insert((step, item), Ended { outcome, reason, value, request_id });
            }
            Event::Reported { node, title, value } => self.reports.push((node, title, value)),
            Event::StepEnded { step, still_listed } => {
                STEP.next(self.step(&step), StepOn::End)?;
                self.steps_ended.insert(step, still_listed);
            }
            Event::Finished { status, value, message, .. } => self.finished = Some((status, value, message)),
        }
        Ok(())
    }

    /// What is known of an item. The pair is made to be looked up: few items end twice, and then for a mistake.
    fn item(&self, step: &str, item: &ItemId) -> Item {
        match self.ended.contains_key(&(step.to_string(), item.clone())) {
            true => Item::Ended,
            false => Item::Open,
        }
    }

    /// What is known of a step.
    pub(crate) fn step(&self, name: &str) -> Step {
        if self.steps_ended.contains_key(name) { Step::Ended } else { Step::Open }
    }
}
