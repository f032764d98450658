//! What a stream of the store (a run's journal, what is published, how it was used, the kill switch) and the audit log both
//! tell, in one form, so that they can be compared.

use std::sync::Arc;

use escher_ir::audit::AuditEvent;
use escher_ir::journal::{CallFailure, Entry, Event, Outcome, Segment};
use escher_ir::published::{Halt, Publication, Use, UseOf};
use escher_ir::{CodecError, Digest, codec};
use jiff::Timestamp;

use crate::{halt, journal, published};

/// What the names begin with of streams that the log tells of too.
pub(super) const STREAMS: [&str; 4] = [journal::PREFIX, published::PREFIX, published::USES, halt::STREAM];

/// Something that both tell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fact {
    Approved(Digest, String),
    Revoked(Digest, String),
    Started(Digest, Vec<Digest>, String, Option<String>),
    Paused(String, Digest),
    PartStarted(String, Digest, Vec<Digest>, String, bool, bool),
    Resumed(u64),
    Intent(String, String, Vec<Arc<str>>, Digest, u32),
    Answer(String, Option<String>),
    CallFailed(String, String, Option<String>, Option<String>, bool),
    Ended(String, Outcome, Option<String>, Arc<str>),
    Finished(String),
    Published(Digest, Digest, String),
    Withdrawn(Digest, String),
    Held(bool, String),
    Used(Option<String>, Option<Timestamp>, String, Option<String>),
    Halted(bool, String, String),
}

/// The stream that an audit event is about, and what it says of it; items that ended together are told one by one.
pub(super) fn of_audit(event: AuditEvent) -> Option<(String, Vec<Fact>)> {
    let (run, fact) = match event {
        AuditEvent::Published { name, standing, statement, principal, .. } => {
            return Some((published::stream(&name), vec![Fact::Published(standing, statement, principal)]));
        }
        AuditEvent::Withdrawn { name, statement, principal, .. } => {
            return Some((published::stream(&name), vec![Fact::Withdrawn(statement, principal)]));
        }
        AuditEvent::Held { name, paused, principal } => {
            return Some((published::stream(&name), vec![Fact::Held(paused, principal)]));
        }
        AuditEvent::Used { name, run, due, principal, reason, .. } => {
            return Some((published::uses(&name), vec![Fact::Used(run, due, principal, reason)]));
        }
        AuditEvent::Halted { halted, principal, reason } => {
            return Some((halt::STREAM.into(), vec![Fact::Halted(halted, principal, reason)]));
        }
        AuditEvent::Approved { run, approval, principal, .. } => (run, Fact::Approved(approval, principal)),
        AuditEvent::Revoked { run, revocation, principal, .. } => (run, Fact::Revoked(revocation, principal)),
        AuditEvent::Started { run, plan, principal, approvals, undo_of, .. } => {
            (run, Fact::Started(plan, approvals, principal, undo_of))
        }
        AuditEvent::Paused { run, node, plan } => (run, Fact::Paused(node, plan)),
        AuditEvent::PartStarted { run, node, plan, approvals, principal, solo, sandbox } => {
            (run, Fact::PartStarted(node, plan, approvals, principal, solo, sandbox))
        }
        AuditEvent::Resumed { run, fence } => (run, Fact::Resumed(fence)),
        AuditEvent::Intent { run, path, operation, items, arguments, attempt } => {
            (run, Fact::Intent(path, operation, items, arguments, attempt))
        }
        AuditEvent::Answer { run, path, request_id } => (run, Fact::Answer(path, request_id)),
        AuditEvent::CallFailed { run, path, kind, code, request_id, maybe_done } => {
            (run, Fact::CallFailed(path, kind, code, request_id, maybe_done))
        }
        AuditEvent::Ended { run, step, outcome, reason, items } => {
            let one = |item| Fact::Ended(step.clone(), outcome, reason.clone(), item);
            return Some((journal::stream(&run), items.into_iter().map(one).collect()));
        }
        AuditEvent::Finished { run, status, totals } => (run, Fact::Finished(format!("{status:?} {totals:?}"))),
        // Planned is told by the first event of every journal; the others have no place in one.
        _ => return None,
    };
    Some((journal::stream(&run), vec![fact]))
}

/// What a segment of a stream says.
pub(super) fn of_segment(stream: &str, bytes: &[u8]) -> Result<Vec<Fact>, CodecError> {
    if stream.starts_with(journal::PREFIX) {
        let (_, segment): (_, Segment) = codec::decode(bytes)?;
        return Ok(segment.events.into_iter().filter_map(of_journal).collect());
    }
    let fact = if stream.starts_with(published::PREFIX) {
        match codec::decode::<Publication>(bytes)?.1 {
            Publication::Published { standing, statement, principal, .. } => {
                Fact::Published(standing, statement, principal)
            }
            Publication::Withdrawn { statement, principal, .. } => Fact::Withdrawn(statement, principal),
            Publication::Paused { principal, .. } => Fact::Held(true, principal),
            Publication::Continued { principal, .. } => Fact::Held(false, principal),
        }
    } else if stream.starts_with(published::USES) {
        let (_, Use { due, principal, what, .. }) = codec::decode::<Use>(bytes)?;
        match what {
            UseOf::Run(run) => Fact::Used(Some(run), due, principal, None),
            UseOf::Missed(why) => Fact::Used(None, due, principal, Some(why)),
        }
    } else {
        let (_, Halt { halted, principal, reason, .. }) = codec::decode::<Halt>(bytes)?;
        Fact::Halted(halted, principal, reason)
    };
    Ok(vec![fact])
}

/// What an event of a journal says.
fn of_journal(entry: Entry) -> Option<Fact> {
    Some(match entry.event {
        Event::Approved { approval, principal } => Fact::Approved(approval, principal),
        Event::Revoked { revocation, principal } => Fact::Revoked(revocation, principal),
        Event::Started { plan, approvals, principal, undo_of, .. } => {
            Fact::Started(plan, approvals, principal, undo_of)
        }
        Event::Paused { node, plan, .. } => Fact::Paused(node, plan),
        Event::PartStarted { node, plan, approvals, principal, solo, sandbox } => {
            Fact::PartStarted(node, plan, approvals, principal, solo, sandbox)
        }
        Event::Resumed { fence } => Fact::Resumed(fence),
        Event::Intent { path, operation, items, arguments, attempt, .. } => {
            Fact::Intent(path, operation, items.into_iter().map(|i| i.id).collect(), arguments, attempt)
        }
        Event::Answer { path, request_id, .. } => Fact::Answer(path, request_id),
        Event::CallFailed { path, error: CallFailure { kind, code, request_id, maybe_done, .. } } => {
            Fact::CallFailed(path, kind, code, request_id, maybe_done)
        }
        Event::Ended { step, item, outcome, reason, .. } => Fact::Ended(step, outcome, reason, item.id),
        Event::Finished { status, totals, .. } => Fact::Finished(format!("{status:?} {totals:?}")),
        _ => return None,
    })
}
