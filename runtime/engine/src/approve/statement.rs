//! Statements about a planned run: made, signed here or elsewhere, recorded.

use escher_ir::audit::AuditEvent;
use escher_ir::journal::{Entry, Event, RunStatus};
use escher_ir::statement::{STATEMENT, Signed, Statement, StatementKind};
use escher_ir::{Digest, Target, codec};
use jiff::{SignedDuration, Timestamp};

use super::gate::{accept, required};
use super::{Gate, Passed, SigningKey, trust};
use crate::audit::{self, End};
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::journal::{self, RunState};
use crate::limits::MAX_SIGNATURE_FILE;
use crate::plan::{self, Planned};
use crate::store::{Append, Commit};
use crate::time;

/// How long an approval holds where the playbook does not say.
const DEFAULT_VALIDITY: u64 = 86_400;

/// Who approves, and their words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApproveOptions {
    /// A principal of the allowed-signers file.
    pub principal: String,
    /// The approver's words.
    pub comment: String,
}

fn statement(engine: &Engine, planned: &Planned, kind: StatementKind, options: &ApproveOptions) -> Statement {
    let approval = required(planned);
    let valid = approval.as_ref().map_or(DEFAULT_VALIDITY, |a| a.valid_seconds);
    // Whole seconds: what people see is what is signed.
    let signed = Timestamp::from_second(engine.clock.now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH);
    let valid = SignedDuration::from_secs(i64::try_from(valid).unwrap_or(i64::MAX));
    Statement {
        comment: options.comment.clone(),
        digest: planned.digest,
        expires: signed.checked_add(valid).unwrap_or(Timestamp::MAX),
        kind,
        planner: planned.principal.clone(),
        principal: options.principal.clone(),
        playbook: planned.plan.playbook.clone(),
        quorum: approval.map_or(1, |a| a.of),
        run: planned.run.clone(),
        schema: STATEMENT.into(),
        signed,
        store: engine.store.id().to_string(),
    }
}

pub(crate) fn statement_for(
    engine: &Engine,
    run: &str,
    kind: StatementKind,
    options: &ApproveOptions,
) -> Result<Statement, EngineError> {
    Ok(statement(engine, &plan::load(engine, run)?, kind, options))
}

pub(crate) fn approve(
    engine: &Engine,
    run: &str,
    key: &SigningKey,
    options: &ApproveOptions,
    gate: &Gate,
) -> Result<Digest, EngineError> {
    sign(engine, run, key, StatementKind::Plan, options, gate)
}

/// Takes the approvals back that a run has so far.
pub(crate) fn revoke(
    engine: &Engine,
    run: &str,
    key: &SigningKey,
    options: &ApproveOptions,
    gate: &Gate,
) -> Result<Digest, EngineError> {
    sign(engine, run, key, StatementKind::Revocation, options, gate)
}

fn sign(
    engine: &Engine,
    run: &str,
    key: &SigningKey,
    kind: StatementKind,
    options: &ApproveOptions,
    gate: &Gate,
) -> Result<Digest, EngineError> {
    let unread = |error| audit::tampered(engine, Some(run), &options.principal, error);
    let statement = statement_for(engine, run, kind, options).map_err(unread)?.to_bytes();
    let signature = key.sign(&statement)?;
    add_signature(engine, run, &statement, &signature, gate)
}

/// What a statement says that it is; a plan's approval where it can't be read, which the gate then says.
fn kind_of(statement: &str) -> StatementKind {
    let statement: Option<Statement> = serde_json::from_str(statement).ok();
    match statement.map(|s| s.kind) {
        Some(StatementKind::Revocation) => StatementKind::Revocation,
        _ => StatementKind::Plan,
    }
}

pub(crate) fn add_signature(
    engine: &Engine,
    run: &str,
    statement: &[u8],
    signature: &str,
    gate: &Gate,
) -> Result<Digest, EngineError> {
    let (state, planned) = plan::known(engine, run, "")?;
    let refuse = |principal: &str, refused| Err(audit::refused(engine, Some(run), principal, refused));
    if statement.len() > MAX_SIGNATURE_FILE {
        return refuse("", Refused::new("the statement is too large", "sign what `--statement` writes"));
    }
    let Ok(text) = String::from_utf8(statement.to_vec()) else {
        return refuse("", Refused::new("the statement is not text", "sign what `--statement` writes"));
    };
    let signed = Signed { statement: text, signature: signature.to_string() };
    if state.started.is_some() {
        let reason = format!("run {run} has begun: a plan starts once");
        return refuse("", Refused::new(reason, "make a new plan with `escher plan`"));
    }
    if let Some((RunStatus::Cancelled, ..)) = state.finished {
        let reason = format!("run {run} was cancelled before it began");
        return refuse("", Refused::new(reason, "make a new plan with `escher plan`"));
    }
    let kind = kind_of(&signed.statement);
    let latest = time::latest(engine, Some(run), "", None)?;
    let accepted = match accept(kind, gate, &planned, engine.store.id(), "", &signed, latest) {
        Ok(accepted) => accepted,
        Err(refused) => return refuse("", refused),
    };
    let principal = accepted.statement.principal.clone();
    if !trust::check(engine, gate, &principal, Some(run))? {
        // Nobody said under which key the settings hold: from now on they do under the first approver's.
        trust::pin(engine, &accepted.public, gate, &principal)?;
    }
    let (approval, bytes) = codec::encode(&signed)?;
    if state.approvals.iter().any(|(known, _)| *known == approval) {
        return Ok(approval);
    }
    if state.revoked.contains(&approval) {
        let reason = "this approval does not count: it was taken back".to_string();
        return refuse(&principal, Refused::new(reason, "approve the plan again with `escher approve`"));
    }
    let now = engine.clock.now();
    let event = match kind {
        StatementKind::Revocation => Event::Revoked { revocation: approval, principal: principal.clone() },
        _ => Event::Approved { approval, principal: principal.clone() },
    };
    let segment = journal::segment(state.events, vec![Entry { at: now, event }])?;
    let append = Append { stream: journal::stream(run), expected: state.head, bytes: segment };
    let commit = Commit { objects: vec![(approval, bytes)], appends: vec![append], lease: None };
    let (run, key, comment) = (run.to_string(), accepted.fingerprint, accepted.statement.comment);
    let event = match kind {
        StatementKind::Revocation => {
            let approvals = state.approvals.into_iter().map(|(digest, _)| digest).collect();
            AuditEvent::Revoked { run, revocation: approval, approvals, principal, key, comment }
        }
        _ => AuditEvent::Approved { run, approval, plan: planned.digest, principal, key, comment },
    };
    audit::commit(&*engine.store, &mut End::default(), commit, vec![(now, event)])?;
    Ok(approval)
}

/// Principals who have approved a run so far.
pub(crate) fn principals(engine: &Engine, run: &str) -> Result<Vec<String>, EngineError> {
    let state = RunState::load(&*engine.store, run)?;
    Ok(state.map(|s| s.approvals.into_iter().map(|(_, principal)| principal).collect()).unwrap_or_default())
}

/// The approvals of a run, with their statements.
pub(crate) fn load_signed(engine: &Engine, state: &RunState) -> Result<Vec<(Digest, Signed)>, EngineError> {
    let load = |digest: &Digest| Ok((*digest, journal::load::<Signed>(&*engine.store, digest)?.1));
    state.approvals.iter().map(|(digest, _)| load(digest)).collect()
}

/// Objects that go into the store with what refers to them.
type Objects = Vec<(Digest, Vec<u8>)>;

/// Judges a run at the gate; a refusal is audited. In a sandbox a throw-away key signs what is missing.
pub(crate) fn pass(
    engine: &Engine,
    state: &RunState,
    planned: &Planned,
    starter: &str,
    gate: &Gate,
    now: Timestamp,
) -> Result<(Passed, Objects), EngineError> {
    super::fits::check(engine, state, planned)
        .map_err(|refused| audit::refused(engine, Some(&planned.run), starter, refused))?;
    if gate.sandbox {
        if let Some(real) = planned.plan.targets.iter().find(|t| !is_practice(t)) {
            let reason = format!("--sandbox is for practice clouds, and {} {} is none", real.cloud, real.account);
            let refused = Refused::new(reason, "leave out --sandbox, and have the run approved");
            return Err(audit::refused(engine, Some(&planned.run), starter, refused));
        }
        let Some(_) = required(planned) else {
            return Ok((Passed { sandbox: true, ..Passed::default() }, Vec::new()));
        };
        let key = SigningKey::throw_away()?;
        let options = ApproveOptions { principal: "sandbox".into(), comment: "throw-away key of --sandbox".into() };
        let statement = statement(engine, planned, StatementKind::Plan, &options).to_bytes();
        let signature = key.sign(&statement)?;
        let signed = Signed { statement: String::from_utf8_lossy(&statement).into_owned(), signature };
        let (digest, bytes) = codec::encode(&signed)?;
        let passed = Passed { approvals: vec![digest], sandbox: true, solo: false };
        return Ok((passed, vec![(digest, bytes)]));
    }
    if required(planned).is_some() {
        let pinned = trust::check(engine, gate, starter, Some(&planned.run))?;
        if !pinned && !state.approvals.is_empty() {
            // Every approval pins a root, where none is: without one the store was changed.
            let refused = Refused::new("the root of trust is gone from this state", "restore the state from a backup");
            return Err(audit::refused(engine, Some(&planned.run), starter, refused));
        }
    }
    let unread = |error| audit::tampered(engine, Some(&planned.run), starter, error);
    let approvals = load_signed(engine, state).map_err(unread)?;
    match super::judge(gate, planned, engine.store.id(), starter, &approvals, now) {
        Ok(passed) => Ok((passed, Vec::new())),
        Err(refused) => Err(audit::refused(engine, Some(&planned.run), starter, refused)),
    }
}

/// Whether a target is a practice cloud: one that answers on this machine.
fn is_practice(target: &Target) -> bool {
    let Some(endpoint) = &target.endpoint else { return false };
    let Some((_, rest)) = endpoint.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_practice() {
        let at = |endpoint: &str| is_practice(&Target { endpoint: Some(endpoint.into()), ..Target::default() });
        assert!(at("http://127.0.0.1:4566/") && at("http://[::1]:80") && at("http://localhost:1"));
        for real in ["https://ec2.amazonaws.com", "http://127.0.0.1@evil.example", "http://127.0.0.1.evil.example", "x"]
        {
            assert!(!at(real), "{real}");
        }
        assert!(!is_practice(&Target::default()));
    }
}
