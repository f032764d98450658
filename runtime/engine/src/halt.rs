//! The kill switch of a whole state: while it is thrown nothing is changed, by nobody, on any machine that uses the state.

use escher_ir::audit::AuditEvent;
use escher_ir::codec;
use escher_ir::published::Halt;
use escher_policy::Action;

use crate::approve::{Gate, permit_in_store, trust};
use crate::audit::{self, End};
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::store::{Append, Commit, StateStore};

/// The stream of what was said about it.
pub(crate) const STREAM: &str = "halt";

/// Why nothing may be changed; none where things may.
pub(crate) fn holds(engine: &Engine) -> Result<Option<Halt>, EngineError> {
    let store = &*engine.store;
    let Some(last) = store.head(STREAM)?.count.checked_sub(1) else { return Ok(None) };
    let Some(entry) = store.read_one(STREAM, last)? else { return Ok(None) };
    let (_, entry): (_, Halt) = codec::decode(&entry.bytes)?;
    Ok(entry.halted.then_some(entry))
}

/// How often something was said about it: a process that is at work looks whether that grows.
pub(crate) fn said(store: &dyn StateStore) -> Option<u64> {
    store.head(STREAM).ok().map(|head| head.count)
}

/// Throws the switch, or lifts it.
pub(crate) fn set(
    engine: &Engine,
    halted: bool,
    reason: &str,
    gate: &Gate,
    principal: &str,
) -> Result<Option<Halt>, EngineError> {
    let action = if halted { Action::Halt } else { Action::Lift };
    permit_in_store(engine, gate, principal, action)?;
    if !halted {
        // Who has which role must be what the root key signed: to stop is never too much, to let go on may be.
        trust::check(engine, gate, principal, None)?;
    }
    if holds(engine)?.is_some() == halted {
        let words = if halted { "this state is halted already" } else { "this state is not halted" };
        return Err(audit::refused(engine, None, principal, Refused::new(words, "`escher policy` says what holds")));
    }
    let at = engine.clock.now();
    let entry = Halt { halted, principal: principal.to_string(), reason: reason.to_string(), at };
    let expected = engine.store.head(STREAM)?;
    let append = Append { stream: STREAM.into(), expected, bytes: codec::encode(&entry)?.1 };
    let event = AuditEvent::Halted { halted, principal: entry.principal.clone(), reason: entry.reason.clone() };
    let commit = Commit { appends: vec![append], ..Commit::default() };
    audit::commit(&*engine.store, &mut End::default(), commit, vec![(at, event)])?;
    holds(engine)
}
