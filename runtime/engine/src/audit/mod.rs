//! The audit log: a hash chain over everything that was decided, sent and answered. Written, read and verified here.
//!
//! Entries travel in the commit of what they tell of, so neither is ever there without the other. On a machine that
//! its user owns this is evidence, not enforcement.

use escher_ir::Digest;
use escher_ir::audit::{AuditEntry, AuditEvent, AuditSegment, SegmentWriter};
use escher_ir::audit_bytes::raw_segment;
use escher_ir::codec::{self, CodecError};
use escher_ir::journal::{Entry, Event};
use jiff::Timestamp;

mod facts;
mod verify;

pub use verify::{AuditProblem, AuditVerdict, Checkpoint};
pub(crate) use verify::{checkpoint, verify};

use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::store::{Append, Commit, Head, StateStore, StoreError};

/// The stream of the log.
pub(crate) const STREAM: &str = "audit";
/// Attempts to append where other processes append too.
const ATTEMPTS: u32 = 50;

/// Where the log ends, remembered between two appends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct End {
    known: Option<Known>,
}

/// Where the log ends: its head, the number of the next entry, the digest of the last one and its time.
type Known = (Head, u64, Digest, Timestamp);

impl End {
    fn find(&mut self, store: &dyn StateStore) -> Result<Known, EngineError> {
        if let Some(known) = self.known {
            return Ok(known);
        }
        let head = store.head(STREAM)?;
        let mut found = (head, 0, Digest([0; 32]), Timestamp::MIN);
        if let Some(at) = head.count.checked_sub(1) {
            for segment in store.read(STREAM, at)? {
                let (_, segment): (_, AuditSegment) = codec::decode(&segment.bytes)?;
                if let Some(last) = segment.entries.last() {
                    (found.1, found.2, found.3) = (last.number + 1, last.digest()?, last.at);
                }
            }
        }
        self.known = Some(found);
        Ok(found)
    }
}

/// Entries that are about to be written.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    events: Vec<(Timestamp, AuditEvent)>,
    /// The bytes of the first of them, as they follow from where the log ends.
    made: Option<Made>,
}

#[derive(Debug)]
struct Made {
    from: Head,
    count: usize,
    segment: SegmentWriter,
    number: u64,
    before: Digest,
    last: Timestamp,
}

impl Draft {
    /// Adds what the log says of an event of a run's journal.
    pub(crate) fn tell(&mut self, run: &str, entry: &Entry) {
        let made = self.made.as_ref().map_or(0, |made| made.count);
        tell(run, entry, &mut self.events, made);
    }

    /// Makes bytes of all but the last of them, which may grow: they need not be made while others wait for the disk.
    pub(crate) fn ahead(&mut self, end: &End) -> Result<(), EngineError> {
        match end.known {
            Some(known) => self.make(known, self.events.len().saturating_sub(1)),
            None => Ok(()),
        }
    }

    fn make(&mut self, (from, number, before, last): Known, count: usize) -> Result<(), EngineError> {
        let mut made = match self.made.take() {
            Some(made) if made.from == from => made,
            _ => Made { from, count: 0, segment: SegmentWriter::default(), number, before, last },
        };
        for (at, event) in self.events.iter().take(count).skip(made.count) {
            // Time goes forward here: whoever set a clock back can't make the log forget when it was.
            made.last = made.last.max(*at);
            made.before = made.segment.push(made.number, made.before, made.last, event)?;
            (made.number, made.count) = (made.number + 1, made.count + 1);
        }
        self.made = Some(made);
        Ok(())
    }
}

/// Makes a commit with these audit entries in it. Where another process was first with its entries, it is tried again.
pub(crate) fn commit(
    store: &dyn StateStore,
    end: &mut End,
    commit: Commit,
    events: Vec<(Timestamp, AuditEvent)>,
) -> Result<Vec<Head>, EngineError> {
    commit_draft(store, end, commit, Draft { events, made: None })
}

/// The same for entries whose bytes may have been made already.
pub(crate) fn commit_draft(
    store: &dyn StateStore,
    end: &mut End,
    mut commit: Commit,
    mut draft: Draft,
) -> Result<Vec<Head>, EngineError> {
    if draft.events.is_empty() {
        return Ok(store.commit(&commit)?);
    }
    let own = commit.appends.len();
    for _ in 0..ATTEMPTS {
        let known = end.find(store)?;
        let head = known.0;
        draft.make(known, draft.events.len())?;
        let Some(Made { segment, number, before, last, .. }) = draft.made.take() else { continue };
        let bytes = segment.finish()?;
        commit.appends.truncate(own);
        commit.appends.push(Append { stream: STREAM.into(), expected: head, bytes });
        match store.commit(&commit) {
            Ok(mut heads) => {
                end.known = heads.pop().map(|head| (head, number, before, last));
                return Ok(heads);
            }
            Err(StoreError::Conflict { stream }) if stream == STREAM => end.known = None,
            Err(error) => {
                end.known = None;
                return Err(error.into());
            }
        }
    }
    Err(StoreError::Conflict { stream: STREAM.into() }.into())
}

/// Writes a refusal down, and gives it back as the error that it is.
pub(crate) fn refused(engine: &Engine, run: Option<&str>, principal: &str, refused: Refused) -> EngineError {
    let event = AuditEvent::Refused {
        run: run.map(str::to_string),
        principal: principal.to_string(),
        reason: refused.reason.clone(),
    };
    let at = engine.clock.now();
    match commit(&*engine.store, &mut End::default(), Commit::default(), vec![(at, event)]) {
        Ok(_) => refused.into(),
        Err(error) => error,
    }
}

/// An error; one that is a refusal is written down.
pub(crate) fn said(engine: &Engine, principal: &str, error: EngineError) -> EngineError {
    match error {
        EngineError::Refused(no) => refused(engine, None, principal, no),
        other => other,
    }
}

/// When the last entry was written.
pub(crate) fn last_at(store: &dyn StateStore) -> Result<Option<Timestamp>, EngineError> {
    let Some(at) = store.head(STREAM)?.count.checked_sub(1) else { return Ok(None) };
    let Some(segment) = store.read_one(STREAM, at)? else { return Ok(None) };
    let (_, segment): (_, AuditSegment) = codec::decode(&segment.bytes)?;
    Ok(segment.entries.last().map(|entry| entry.at))
}

/// State that is not what was written keeps a run from starting: refused and written down, where it can be.
pub(crate) fn tampered(engine: &Engine, run: Option<&str>, principal: &str, error: EngineError) -> EngineError {
    let reason = match &error {
        EngineError::Impossible { .. }
        | EngineError::Store(StoreError::Damaged { .. })
        | EngineError::Codec(
            CodecError::Damaged { .. }
            | CodecError::WrongFormat { .. }
            | CodecError::Digest { .. }
            | CodecError::Requires { .. },
        ) => error.to_string(),
        _ => return error,
    };
    let no = Refused { code: error.code(), ..Refused::new(reason, error.help().unwrap_or_default()) };
    match refused(engine, run, principal, no.clone()) {
        // The log itself can't be written: still no.
        EngineError::Store(StoreError::Damaged { .. }) | EngineError::Codec(_) => no.into(),
        other => other,
    }
}

/// What the log says of events of a run's journal. Items that ended alike, one after the other, are one entry.
pub(crate) fn of_events(run: &str, entries: &[Entry]) -> Vec<(Timestamp, AuditEvent)> {
    let mut events = Vec::new();
    for entry in entries {
        tell(run, entry, &mut events, 0);
    }
    events
}

/// Adds what the log says of one more event; the first `made` stay as they are.
fn tell(run: &str, entry: &Entry, events: &mut Vec<(Timestamp, AuditEvent)>, made: usize) {
    let run = || run.to_string();
    let event = match &entry.event {
        Event::Intent { path, operation, items, arguments, attempt, .. } => AuditEvent::Intent {
            run: run(),
            path: path.clone(),
            operation: operation.clone(),
            items: items.iter().map(|i| i.id.clone()).collect(),
            arguments: *arguments,
            attempt: *attempt,
        },
        Event::Answer { path, request_id, .. } => {
            AuditEvent::Answer { run: run(), path: path.clone(), request_id: request_id.clone() }
        }
        Event::CallFailed { path, error } => AuditEvent::CallFailed {
            run: run(),
            path: path.clone(),
            kind: error.kind.clone(),
            code: error.code.clone(),
            request_id: error.request_id.clone(),
            maybe_done: error.maybe_done,
        },
        Event::Paused { node, plan, .. } => AuditEvent::Paused { run: run(), node: node.clone(), plan: *plan },
        Event::PartStarted { node, plan, approvals, principal, solo, sandbox } => AuditEvent::PartStarted {
            run: run(),
            node: node.clone(),
            plan: *plan,
            principal: principal.clone(),
            approvals: approvals.clone(),
            solo: *solo,
            sandbox: *sandbox,
        },
        Event::Resumed { fence } => AuditEvent::Resumed { run: run(), fence: *fence },
        Event::Finished { status, totals, .. } => {
            AuditEvent::Finished { run: run(), status: *status, totals: totals.clone() }
        }
        Event::Ended { step, item, outcome, reason, .. } => {
            if events.len() > made
                && let Some((_, AuditEvent::Ended { step: s, outcome: o, reason: r, items, .. })) = events.last_mut()
                && (&*s, &*o, &*r) == (step, outcome, reason)
            {
                items.push(item.id.clone());
                return;
            }
            AuditEvent::Ended {
                run: run(),
                step: step.clone(),
                outcome: *outcome,
                reason: reason.clone(),
                items: vec![item.id.clone()],
            }
        }
        // Started, Planned and Approved need more than their events say; readings are not audited.
        _ => return,
    };
    events.push((entry.at, event));
}

/// Entries from the one numbered `from`; of segments that were damaged, those that can still be read.
pub(crate) fn entries(engine: &Engine, from: u64) -> Result<Vec<AuditEntry>, EngineError> {
    let mut entries = Vec::new();
    for segment in engine.store.read(STREAM, 0)? {
        let found = match codec::decode::<AuditSegment>(&segment.bytes) {
            Ok((_, segment)) => segment.entries,
            Err(_) => raw_segment(&segment.bytes).entries.into_iter().filter_map(|raw| raw.entry).collect(),
        };
        entries.extend(found.into_iter().filter(|e| e.number >= from));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use escher_ir::journal::Outcome;
    use escher_ir::plan::ItemId;

    use super::*;
    use crate::store::SqliteStore;

    fn ended(n: i64) -> Entry {
        let item = ItemId { target: 0, kind: "text".into(), id: n.to_string().into() };
        let (step, outcome) = ("stop".into(), if n % 3 == 0 { Outcome::Done } else { Outcome::Skipped });
        let event = Event::Ended { step, item, outcome, reason: None, value: None, request_id: None };
        Entry { at: Timestamp::from_second(n).unwrap(), event }
    }

    fn entries(store: &dyn StateStore) -> Vec<AuditEntry> {
        let segments = store.read(STREAM, 0).unwrap();
        segments.iter().flat_map(|s| codec::decode::<AuditSegment>(&s.bytes).unwrap().1.entries).collect()
    }

    #[test]
    fn entries_made_ahead_are_those_made_at_once_even_where_somebody_else_was_first() {
        let (ahead, at_once) = (SqliteStore::in_memory().unwrap(), SqliteStore::in_memory().unwrap());
        let mut ends = [End::default(), End::default()];
        let write = |store: &SqliteStore, end: &mut End, draft| {
            commit_draft(store, end, Commit::default(), draft).unwrap();
        };
        for round in 0..6 {
            let (mut drafted, mut plain) = (Draft::default(), Draft::default());
            for n in 0..20 {
                drafted.tell("r", &ended(round * 20 + n));
                plain.tell("r", &ended(round * 20 + n));
                drafted.ahead(&ends[0]).unwrap();
            }
            assert_eq!(drafted.made.as_ref().map_or(0, |made| made.count) > 0, round > 0, "{round}");
            if round == 3 {
                // Another process, whose end of the log is its own.
                for store in [&ahead, &at_once] {
                    let mut other = Draft::default();
                    other.tell("other", &ended(7));
                    write(store, &mut End::default(), other);
                }
            }
            write(&ahead, &mut ends[0], drafted);
            write(&at_once, &mut ends[1], plain);
        }
        let found = entries(&ahead);
        assert_eq!(found, entries(&at_once));
        assert!(found.windows(2).all(|pair| pair[1].before == pair[0].digest().unwrap()));
        let items = found.iter().map(|entry| match &entry.event {
            AuditEvent::Ended { items, .. } => items.len(),
            _ => 0,
        });
        assert_eq!(items.sum::<usize>(), 121);
    }
}
