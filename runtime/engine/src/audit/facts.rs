//! What a run's journal and the audit log both tell, in one form, so that they can be compared.

use std::sync::Arc;

use escher_ir::Digest;
use escher_ir::audit::AuditEvent;
use escher_ir::journal::{CallFailure, Entry, Event, Outcome};

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
}

/// What an audit event says of a run; items that ended together are told one by one.
pub(super) fn of_audit(event: AuditEvent) -> Option<(String, Vec<Fact>)> {
    let (run, fact) = match event {
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
            return Some((run, items.into_iter().map(one).collect()));
        }
        AuditEvent::Finished { run, status, totals } => (run, Fact::Finished(format!("{status:?} {totals:?}"))),
        // Planned is told by the first event of every journal; the others have no place in one.
        _ => return None,
    };
    Some((run, vec![fact]))
}

/// What an event of a journal says.
pub(super) fn of_journal(entry: Entry) -> Option<Fact> {
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
