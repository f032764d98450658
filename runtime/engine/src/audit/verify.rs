//! Whether the audit log is whole, and if not, where: change, loss, reorder, and, against a checkpoint, truncation.
//!
//! An entry that was changed does not give the digest that the next one holds. Whoever rewrites all that follows is
//! found by a checkpoint that was kept elsewhere, and only by that.

use std::collections::BTreeMap;

use escher_ir::Digest;
use escher_ir::audit_bytes::{is_whole, raw_segment};
use serde::{Deserialize, Serialize};

use super::facts::{self, Fact};
use super::{End, STREAM};
use crate::approve::trust;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::journal;
use crate::store::{Head, StateStore, StoreError};

/// What a check of the whole log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditVerdict {
    /// Entries that the log should have, as far as can be told.
    pub entries: u64,
    /// Everything that is wrong, in order; empty where the log is whole.
    pub problems: Vec<AuditProblem>,
}

/// Something that is wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditProblem {
    /// `entry 7`, or the stream where it shows.
    pub at: String,
    /// Number of the entry, where it is one.
    pub entry: Option<u64>,
    /// What is wrong.
    pub reason: String,
}

impl AuditProblem {
    fn entry(number: u64, reason: impl Into<String>) -> AuditProblem {
        AuditProblem { at: format!("entry {number}"), entry: Some(number), reason: reason.into() }
    }

    fn of(at: &str, reason: impl Into<String>) -> AuditProblem {
        AuditProblem { at: at.to_string(), entry: None, reason: reason.into() }
    }
}

/// How far the log went, for keeping elsewhere: a log that was cut off or rewritten no longer fits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// `escher.audit_checkpoint/1`.
    pub schema: String,
    /// Id of the state store.
    pub store: String,
    /// Number of entries.
    pub entries: u64,
    /// Digest of the last one, and through it of all.
    pub head: Digest,
}

/// The checkpoint of a log as it is now.
pub(crate) fn checkpoint(engine: &Engine) -> Result<Checkpoint, EngineError> {
    let (_, entries, head, _) = End::default().find(&*engine.store)?;
    Ok(Checkpoint { schema: "escher.audit_checkpoint/1".into(), store: engine.store.id().to_string(), entries, head })
}

/// An entry in the order in which it lies, with what tells whether it is the one that was written.
struct Found {
    /// What number it should have by where it lies.
    place: u64,
    /// What it says; none: it can't be read.
    says: Option<(u64, Digest)>,
    digest: Digest,
    segment: u64,
}

/// A segment as it lies.
struct Lies {
    /// The place of its first entry, and how many entries could be told apart.
    first: u64,
    count: u64,
    /// Whether its bytes are those that were appended.
    same: bool,
    /// Whether it was appended to what stands before it.
    follows: bool,
    /// Whether it reads as a whole.
    whole: bool,
}

/// Checks the log, each stream that it tells of against it, and a checkpoint.
pub(crate) fn verify(engine: &Engine, checkpoint: Option<&Checkpoint>) -> Result<AuditVerdict, EngineError> {
    let store = &*engine.store;
    let mut problems = Vec::new();
    let mut told: BTreeMap<String, Vec<Fact>> = BTreeMap::new();
    let (found, segments) = read(store, &mut problems, &mut told)?;
    judge(&found, &segments, &mut problems);
    let entries = found.last().map_or(0, |last| last.says.map_or(last.place, |(number, _)| number) + 1);
    if let Some(checkpoint) = checkpoint {
        against(store, checkpoint, &found, entries, &mut problems);
    }
    problems.sort_by_key(|problem| problem.entry.unwrap_or(u64::MAX));
    // What a damaged log says can't be held against what it tells of.
    let comparable = problems.is_empty();
    streams(store, told, comparable, &mut problems)?;
    if let Err(error) = trust::load(store) {
        problems.push(AuditProblem::of(trust::STREAM, error.to_string()));
    }
    Ok(AuditVerdict { entries, problems })
}

fn read(
    store: &dyn StateStore,
    problems: &mut Vec<AuditProblem>,
    told: &mut BTreeMap<String, Vec<Fact>>,
) -> Result<(Vec<Found>, Vec<Lies>), EngineError> {
    let end = store.head(STREAM)?;
    let (mut found, mut segments) = (Vec::new(), Vec::new());
    let (mut head, mut place) = (Head::EMPTY, 0u64);
    for number in 0..end.count {
        let stored = match store.read_one(STREAM, number) {
            Ok(Some(stored)) => stored,
            Ok(None) | Err(StoreError::Damaged { .. }) => {
                // What is missing shows in the numbers of the entries that follow; at the end, below.
                segments.push(Lies { first: place, count: 0, same: true, follows: true, whole: true });
                head.count = number + 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let same = stored.head == Head { count: number, digest: stored.before }.after(&stored.bytes);
        let follows = stored.before == head.digest;
        head = stored.head;
        let raw = raw_segment(&stored.bytes);
        let first = place;
        for raw in raw.entries {
            let says = raw.entry.as_ref().map(|entry| (entry.number, entry.before));
            found.push(Found { place, says, digest: raw.digest, segment: segments.len() as u64 });
            place = says.map_or(place, |(number, _)| number) + 1;
            if let Some((stream, facts)) = raw.entry.and_then(|entry| facts::of_audit(entry.event)) {
                told.entry(stream).or_default().extend(facts);
            }
        }
        let count = found.iter().rev().take_while(|f| f.segment == segments.len() as u64).count() as u64;
        let whole = raw.complete && is_whole(&stored.bytes);
        segments.push(Lies { first, count, same, follows, whole });
    }
    if store.read_one(STREAM, end.count)?.is_some() {
        problems.push(AuditProblem::entry(place, "the log goes on behind what the store takes for its end"));
    } else if segments.last().is_some_and(|last| last.count == 0 && last.whole) {
        problems.push(AuditProblem::entry(place, "this entry is missing, and perhaps others after it"));
    } else if head != end {
        problems.push(AuditProblem::entry(
            place.saturating_sub(1),
            "the store's end of the log is another than its last segment",
        ));
    }
    Ok((found, segments))
}

/// Numbers in order, each entry fitting the next, each segment as it was appended.
fn judge(found: &[Found], segments: &[Lies], problems: &mut Vec<AuditProblem>) {
    let mut expected = 0u64;
    let mut bad: Vec<u64> = Vec::new();
    let mut say = |problems: &mut Vec<AuditProblem>, entry: u64, segment: u64, reason: String| {
        bad.push(segment);
        problems.push(AuditProblem::entry(entry, reason));
    };
    for (at, this) in found.iter().enumerate() {
        let next = found.get(at + 1);
        let Some((number, before)) = this.says else {
            say(problems, expected, this.segment, "it cannot be read: it was changed".into());
            expected += 1;
            continue;
        };
        if number != expected {
            let follows = next.and_then(|n| n.says).map(|(n, _)| n);
            // In bytes that were changed where they lie, a number that nothing after it bears out says nothing.
            let unheard = is_bad(segments, this.segment) && follows != Some(number + 1);
            if follows == Some(expected + 1) || unheard {
                let words = format!("it was changed or moved: what stands in its place says that it is entry {number}");
                say(problems, expected, this.segment, words);
                expected += 1;
                continue;
            }
            let words = match number > expected {
                true if number == expected + 1 => "it is missing".to_string(),
                true => format!("the entries from here to {} are missing", number - 1),
                false => format!("it stands after its place: entry {expected} should be here"),
            };
            say(problems, expected.min(number), this.segment, words);
        } else if let Some(previous) = at.checked_sub(1).and_then(|at| found.get(at))
            && let Some((previous_number, _)) = previous.says
            && previous_number + 1 == number
            && previous.digest != before
        {
            // Either the one before was changed, or what this one says of it.
            let own = next.and_then(|n| n.says).filter(|(n, _)| *n == number + 1).map(|(_, b)| b == this.digest);
            let here = match own {
                Some(intact) => !intact,
                None => is_bad(segments, this.segment) && !is_bad(segments, previous.segment),
            };
            if here {
                say(problems, number, this.segment, "it was changed".into());
            } else if problems.last().is_none_or(|p| p.entry != Some(previous_number)) {
                say(problems, previous_number, previous.segment, "it was changed".into());
            }
        } else if at == 0 && before != Digest([0; 32]) {
            say(problems, 0, this.segment, "it was changed: something stood before it".into());
        }
        expected = number + 1;
    }
    for (number, segment) in segments.iter().enumerate() {
        let (number, last) = (number as u64, number + 1 == segments.len());
        let silent = !bad.contains(&number);
        if silent && !segment.same && (segment.count > 0 || !segment.whole) {
            // All entries fit: what is left is the last one, which nothing follows, or what stands around them.
            let (entry, words) = match last && !segment.whole && segment.count > 0 {
                true => (segment.first + segment.count - 1, "it was changed".to_string()),
                false => (segment.first, "what stands around this entry and those written with it was changed".into()),
            };
            problems.push(AuditProblem::entry(entry, words));
        } else if !segment.follows && problems.is_empty() {
            let words = "what was written with this entry was not written after what stands before it";
            problems.push(AuditProblem::entry(segment.first, words));
        }
    }
}

fn is_bad(segments: &[Lies], number: u64) -> bool {
    usize::try_from(number).ok().and_then(|n| segments.get(n)).is_some_and(|s| !s.whole || !s.same)
}

fn against(store: &dyn StateStore, kept: &Checkpoint, found: &[Found], entries: u64, problems: &mut Vec<AuditProblem>) {
    if kept.schema != "escher.audit_checkpoint/1" || kept.store != store.id() {
        problems.push(AuditProblem::of("checkpoint", format!("it is of another state store ({})", kept.store)));
        return;
    }
    if entries < kept.entries {
        let last = kept.entries.saturating_sub(1);
        let words = format!("the log was cut off: the checkpoint knows of the entries from here to {last}");
        problems.push(AuditProblem::entry(entries, words));
        return;
    }
    let Some(last) = kept.entries.checked_sub(1) else { return };
    let there = found.iter().find(|f| f.says.is_some_and(|(number, _)| number == last));
    if there.is_none_or(|f| f.digest != kept.head) && problems.is_empty() {
        problems.push(AuditProblem::entry(last, "it, or one before it, is another than when the checkpoint was made"));
    }
}

/// The own chain of each stream that the log tells of, and what it tells beside what the log tells.
fn streams(
    store: &dyn StateStore,
    mut told: BTreeMap<String, Vec<Fact>>,
    comparable: bool,
    problems: &mut Vec<AuditProblem>,
) -> Result<(), EngineError> {
    let mut names = Vec::new();
    for prefix in facts::STREAMS {
        names.extend(store.streams(prefix)?);
    }
    for name in names {
        let known = told.remove(&name).unwrap_or_default();
        let segments = match store.read(&name, 0) {
            Ok(segments) => segments,
            Err(StoreError::Damaged { reason, .. }) => {
                problems.push(AuditProblem::of(&name, reason));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let (mut head, mut facts, mut broken) = (Head::EMPTY, Vec::new(), false);
        for (number, segment) in segments.into_iter().enumerate() {
            if segment.before != head.digest || segment.head != head.after(&segment.bytes) {
                problems.push(AuditProblem::of(&name, format!("segment {number} was changed, or one before it")));
                broken = true;
            }
            head = segment.head;
            match facts::of_segment(&name, &segment.bytes) {
                Ok(more) => facts.extend(more),
                Err(error) => {
                    problems.push(AuditProblem::of(&name, format!("segment {number}: {error}")));
                    broken = true;
                }
            }
        }
        if store.head(&name)? != head {
            problems.push(AuditProblem::of(&name, "segments are missing at the end"));
            broken = true;
        }
        if comparable && !broken && facts != known {
            let what = match name.starts_with(journal::PREFIX) {
                true => "approvals, calls or ends",
                false => "signatures or uses",
            };
            problems.push(AuditProblem::of(&name, format!("it and the audit log tell of different {what}")));
        }
    }
    if comparable {
        for name in told.into_keys() {
            let what = if name.starts_with(journal::PREFIX) { "journal" } else { "stream" };
            problems.push(AuditProblem::of(&name, format!("this {what} is gone")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Digest, Found, Lies, judge};

    /// A changed byte can shift all that follows it in its segment: the number of one entry then reads as another's,
    /// and what comes next can't be read at all.
    #[test]
    fn a_number_that_was_damaged_is_not_believed() {
        let entry = |place: u64, says: Option<u64>| Found {
            place,
            says: says.map(|number| (number, Digest([0; 32]))),
            digest: Digest([0; 32]),
            segment: 0,
        };
        for damaged in [1, 17, 330] {
            let found = [entry(0, Some(0)), entry(1, Some(1)), entry(2, Some(damaged)), entry(3, None)];
            let lies = [Lies { first: 0, count: 4, same: false, follows: true, whole: false }];
            let mut problems = Vec::new();
            judge(&found, &lies, &mut problems);
            assert_eq!(problems.first().and_then(|p| p.entry), Some(2), "{damaged}: {problems:?}");
        }
    }
}
