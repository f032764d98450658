//! Statements about a planned run: made, signed here or elsewhere, recorded.

use escher_ir::audit::AuditEvent;
use escher_ir::journal::{Entry, Event, RunStatus};
use escher_ir::statement::{STATEMENT, Signed, Statement, StatementKind};
use escher_ir::{Digest, Target, codec};
use escher_policy::Action;
use jiff::{SignedDuration, Timestamp};

use super::gate::{accept, kind_of, required};
use super::{Gate, Passed, SigningKey, permit, trust};
use crate::audit::{self, End};
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::journal::{self, RunState};
use crate::limits::MAX_SIGNATURE_FILE;
use crate::plan::{self, Planned};
use crate::published;
use crate::store::{Append, Commit};
use crate::time;
use crate::transitions::{APPROVAL, ApprovalOn};

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
    let expires = signed.checked_add(valid).unwrap_or(Timestamp::MAX);
    // Down to whole seconds, as it is signed.
    let until = planned.until().and_then(|until| Timestamp::from_second(until.as_second()).ok());
    Statement {
        comment: options.comment.clone(),
        digest: planned.digest,
        expires: until.map_or(expires, |until| until.min(expires)),
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
    revokes: bool,
    options: &ApproveOptions,
) -> Result<Statement, EngineError> {
    let planned = asked(engine, &plan::state_of(engine, run)?)?;
    let kind = if revokes { StatementKind::Revocation } else { kind_of(&planned) };
    Ok(statement(engine, &planned, kind, options))
}

/// What there is to approve of a run: its rest, where it waits for that, or its plan.
fn asked(engine: &Engine, state: &RunState) -> Result<Planned, EngineError> {
    match plan::waiting(engine, state)? {
        Some(rest) => Ok(rest),
        None => plan::first(engine, state),
    }
}

pub(crate) fn approve(
    engine: &Engine,
    run: &str,
    key: &SigningKey,
    options: &ApproveOptions,
    gate: &Gate,
) -> Result<Digest, EngineError> {
    sign(engine, run, key, false, options, gate)
}

/// Takes the approvals back that a run has so far.
pub(crate) fn revoke(
    engine: &Engine,
    run: &str,
    key: &SigningKey,
    options: &ApproveOptions,
    gate: &Gate,
) -> Result<Digest, EngineError> {
    sign(engine, run, key, true, options, gate)
}

fn sign(
    engine: &Engine,
    run: &str,
    key: &SigningKey,
    revokes: bool,
    options: &ApproveOptions,
    gate: &Gate,
) -> Result<Digest, EngineError> {
    let unread = |error| audit::tampered(engine, Some(run), &options.principal, error);
    let statement = statement_for(engine, run, revokes, options).map_err(unread)?.to_bytes();
    let signature = key.sign(&statement)?;
    add_signature(engine, run, &statement, &signature, gate)
}

/// Whether a statement says that it takes approvals back. What can't be read counts as an approval, which the gate then
/// refuses.
fn is_revocation(statement: &str) -> bool {
    let statement: Option<Statement> = serde_json::from_str(statement).ok();
    statement.is_some_and(|statement| statement.kind == StatementKind::Revocation)
}

pub(crate) fn add_signature(
    engine: &Engine,
    run: &str,
    statement: &[u8],
    signature: &str,
    gate: &Gate,
) -> Result<Digest, EngineError> {
    let unread = |error| audit::tampered(engine, Some(run), "", error);
    let state = plan::state_of(engine, run).map_err(unread)?;
    let planned = asked(engine, &state).map_err(unread)?;
    let rest = planned.plan.part.is_some();
    let refuse = |principal: &str, refused| Err(audit::refused(engine, Some(run), principal, refused));
    if statement.len() > MAX_SIGNATURE_FILE {
        return refuse("", Refused::new("the statement is too large", "sign what `--statement` writes"));
    }
    let Ok(text) = String::from_utf8(statement.to_vec()) else {
        return refuse("", Refused::new("the statement is not text", "sign what `--statement` writes"));
    };
    let signed = Signed { statement: text, signature: signature.to_string() };
    if state.started.is_some() && !rest {
        let reason = format!("run {run} has begun: a plan starts once");
        return refuse("", Refused::new(reason, "make a new plan with `escher plan`"));
    }
    if let (Some((RunStatus::Cancelled, ..)), false) = (&state.finished, rest) {
        let reason = format!("run {run} was cancelled before it began");
        return refuse("", Refused::new(reason, "make a new plan with `escher plan`"));
    }
    let kind = if is_revocation(&signed.statement) { StatementKind::Revocation } else { kind_of(&planned) };
    let latest = time::latest(engine, Some(run), "", None)?;
    // A plan is started by somebody who is not known yet; a run that waits was.
    let starters: Vec<&str> = state.starter.as_deref().into_iter().collect();
    let accepted = match accept(kind, gate, &planned, engine.store.id(), &starters, &signed, latest) {
        Ok(accepted) => accepted,
        Err(refused) => return refuse("", refused),
    };
    let principal = accepted.statement.principal.clone();
    let action = if kind == StatementKind::Revocation { Action::Revoke } else { Action::Approve };
    permit(engine, gate, &planned, &principal, action, latest)?;
    if !trust::check(engine, gate, &principal, Some(run))? {
        // Nobody said under which key the settings hold: from now on they do under the first approver's.
        trust::pin(engine, &accepted.public, gate, &principal)?;
    }
    let (approval, bytes) = codec::encode(&signed)?;
    let approvals = approvals_of(&state, &planned);
    if approvals.iter().any(|(known, _)| *known == approval) {
        return Ok(approval);
    }
    if state.revoked.contains(&approval) {
        let reason = "this approval does not count: it was taken back".to_string();
        return refuse(&principal, Refused::new(reason, "approve the plan again with `escher approve`"));
    }
    let now = engine.clock.now();
    let on = if kind == StatementKind::Revocation { ApprovalOn::TakeBack } else { ApprovalOn::Sign };
    APPROVAL.next(state.approval, on)?;
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
            let approvals = approvals.iter().map(|(digest, _)| *digest).collect();
            AuditEvent::Revoked { run, revocation: approval, approvals, principal, key, comment }
        }
        _ => AuditEvent::Approved { run, approval, plan: planned.digest, principal, key, comment },
    };
    audit::commit(&*engine.store, &mut End::default(), commit, vec![(now, event)])?;
    Ok(approval)
}

/// Principals who have approved a run so far.
pub(crate) fn principals(engine: &Engine, run: &str) -> Result<Vec<String>, EngineError> {
    let Some(state) = RunState::load(&*engine.store, run)? else { return Ok(Vec::new()) };
    let approvals = state.waiting().map_or(&state.approvals, |part| &part.approvals);
    Ok(approvals.iter().map(|(_, principal)| principal.clone()).collect())
}

/// The approvals that a plan, or a later part, has of a run.
pub(crate) fn approvals_of<'s>(state: &'s RunState, planned: &Planned) -> &'s [(Digest, String)] {
    match &planned.plan.part {
        None => &state.approvals,
        Some(_) => state.parts.iter().find(|part| part.plan == planned.digest).map_or(&[], |part| &part.approvals),
    }
}

/// Approvals, with their statements.
pub(crate) fn load_signed(
    engine: &Engine,
    approvals: &[(Digest, String)],
) -> Result<Vec<(Digest, Signed)>, EngineError> {
    let load = |digest: &Digest| Ok((*digest, journal::load::<Signed>(&*engine.store, digest)?.1));
    approvals.iter().map(|(digest, _)| load(digest)).collect()
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
        practice_only(planned).map_err(|refused| audit::refused(engine, Some(&planned.run), starter, refused))?;
        let Some(_) = required(planned) else {
            return Ok((Passed { sandbox: true, ..Passed::default() }, Vec::new()));
        };
        let key = SigningKey::throw_away()?;
        let options = ApproveOptions { principal: "sandbox".into(), comment: "throw-away key of --sandbox".into() };
        let statement = statement(engine, planned, kind_of(planned), &options).to_bytes();
        let signature = key.sign(&statement)?;
        let signed = Signed { statement: String::from_utf8_lossy(&statement).into_owned(), signature };
        let (digest, bytes) = codec::encode(&signed)?;
        let passed = Passed { approvals: vec![digest], sandbox: true, ..Passed::default() };
        return Ok((passed, vec![(digest, bytes)]));
    }
    let changes = planned.plan.blast_radius() > 0;
    if changes || required(planned).is_some() || planned.plan.under.is_some() {
        let pinned = trust::check(engine, gate, starter, Some(&planned.run))?;
        if !pinned && (planned.plan.under.is_some() || !approvals_of(state, planned).is_empty()) {
            // Every approval pins a root, where none is: without one the store was changed.
            let refused = Refused::new("the root of trust is gone from this state", "restore the state from a backup");
            return Err(audit::refused(engine, Some(&planned.run), starter, refused));
        }
    }
    let action = match (&planned.plan.under, &state.started) {
        (_, Some(_)) => Action::Resume,
        (Some(_), None) => Action::Extend,
        (None, None) => Action::Run,
    };
    permit(engine, gate, planned, starter, action, now)?;
    if planned.plan.policy != gate.policy.version() {
        let refused = Refused::new(
            format!("the policy is another now than when run {} was planned", planned.run),
            "make a new plan with `escher plan`",
        );
        return Err(audit::refused(engine, Some(&planned.run), starter, refused));
    }
    let starters: Vec<&str> = state.starter.as_deref().into_iter().chain([starter]).collect();
    let passed = judge_plan(engine, gate, state, planned, &starters, now, true)?;
    Ok((passed, Vec::new()))
}

/// Judges what a plan has been approved with: signatures of its own, or of what was published that it is a run of. What
/// is refused is audited.
pub(crate) fn judge_plan(
    engine: &Engine,
    gate: &Gate,
    state: &RunState,
    planned: &Planned,
    starters: &[&str],
    now: Timestamp,
    fresh: bool,
) -> Result<Passed, EngineError> {
    let judged = unaudited(engine, gate, state, planned, starters, now, fresh);
    let who = starters.last().copied().unwrap_or_default();
    judged.map_err(|error| match error {
        EngineError::Refused(refused) => audit::refused(engine, Some(&planned.run), who, refused),
        other => audit::tampered(engine, Some(&planned.run), who, other),
    })
}

fn unaudited(
    engine: &Engine,
    gate: &Gate,
    state: &RunState,
    planned: &Planned,
    starters: &[&str],
    now: Timestamp,
    fresh: bool,
) -> Result<Passed, EngineError> {
    if let Some(under) = &planned.plan.under {
        return published::judge(engine, gate, planned, under, starters, now, fresh);
    }
    let approvals = load_signed(engine, approvals_of(state, planned))?;
    Ok(super::judge(gate, planned, engine.store.id(), starters, &approvals, now)?)
}

/// Whether what a plan was approved with still holds, for taking it back: whoever starts that.
pub(crate) fn covers(
    engine: &Engine,
    gate: &Gate,
    state: &RunState,
    planned: &Planned,
    now: Timestamp,
) -> Result<(), EngineError> {
    unaudited(engine, gate, state, planned, &[], now, false).map(drop)
}

/// Judges again what a run that is taken up has passed already, as of then: that it says so itself proves nothing. What
/// fails is audited.
pub(crate) fn held(engine: &Engine, state: &RunState, principal: &str, gate: &Gate) -> Result<(), EngineError> {
    let run = Some(state.run.as_str());
    let unread = |error| audit::tampered(engine, run, principal, error);
    let mut passed = vec![(plan::first(engine, state).map_err(unread)?, state.started)];
    for part in state.begun() {
        passed.push((plan::part_of(engine, state, part).map_err(unread)?, part.started));
    }
    if let Some((planned, _)) = passed.first() {
        let now = time::latest(engine, run, principal, None)?;
        permit(engine, gate, planned, principal, Action::Resume, now)?;
    }
    passed.retain(|(planned, _)| required(planned).is_some() || planned.plan.under.is_some());
    if passed.is_empty() {
        return Ok(());
    }
    if !gate.sandbox {
        trust::check(engine, gate, principal, run)?;
    }
    for (planned, at) in &passed {
        if gate.sandbox {
            practice_only(planned).map_err(|refused| audit::refused(engine, run, principal, refused))?;
            continue;
        }
        let starters: Vec<&str> = state.starter.as_deref().into_iter().collect();
        judge_plan(engine, gate, state, planned, &starters, at.unwrap_or(state.planned), false)?;
    }
    Ok(())
}

/// Refuses a throw-away key for what is no practice cloud.
fn practice_only(planned: &Planned) -> Result<(), Refused> {
    match planned.plan.targets.iter().find(|target| !is_practice(target)) {
        None => Ok(()),
        Some(real) => {
            let reason = format!("--sandbox is for practice clouds, and {} {} is none", real.cloud, real.account);
            Err(Refused::new(reason, "leave out --sandbox, and have the run approved"))
        }
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
