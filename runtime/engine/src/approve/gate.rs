//! The gate: whether the approvals that a run has are enough to start it.

use std::collections::{BTreeMap, BTreeSet};

use escher_catalog::Risk;
use escher_ir::Digest;
use escher_ir::calendar::Calendar;
use escher_ir::program::Approval;
use escher_ir::standing::{Standing, StandingKind};
use escher_ir::statement::{NAMESPACE, STATEMENT, Signed, Statement, StatementKind};
use escher_ir::trust::TrustSettings;
use escher_policy::Policy;
use jiff::Timestamp;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, PublicKey, SshSig};

use super::keys::check_signature;
use super::signers::{Allowed, AllowedSigners};
use crate::error::Refused;
use crate::limits::MAX_SIGNATURE_FILE;
use crate::parts::Parts;
use crate::plan::Planned;
use crate::published::{Counted, LONGEST, until};

/// Who may sign, who has which role, and what the project was set up for.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// Keys and their principals.
    pub signers: AllowedSigners,
    /// Principals by role.
    pub roles: BTreeMap<String, Vec<String>>,
    /// One person alone: may approve their own runs, and one approval is enough. The audit log says so each time.
    pub solo: bool,
    /// Who may do what.
    pub policy: Policy,
    /// Freezes by name.
    pub freezes: BTreeMap<String, Calendar>,
    /// Time zone in whose hours and days the policy speaks; UTC where it is empty.
    pub zone: String,
    /// Files of operations in the place of those inside the program: clouds, and the SHA-256 of their files.
    pub catalog: BTreeMap<String, String>,
    /// Practice clouds: approved by a throw-away key. The audit log says so.
    pub sandbox: bool,
}

impl Gate {
    /// What of this the root key signs.
    pub(crate) fn trust(&self) -> TrustSettings {
        TrustSettings {
            catalog: self.catalog.clone(),
            freezes: self.freezes.clone(),
            policy: self.policy.version().to_string(),
            roles: self.roles.clone(),
            signers: self.signers.texts().to_vec(),
            solo: self.solo,
            zone: self.zone.clone(),
        }
    }
}

/// How a run passed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passed {
    /// The signed statements that count.
    pub(crate) approvals: Vec<Digest>,
    /// Somebody approved their own run, or alone where two are needed.
    pub(crate) solo: bool,
    /// A throw-away key.
    pub(crate) sandbox: bool,
    /// What is written with its beginning, where it is a run of something published.
    pub(crate) counted: Option<Counted>,
}

/// A statement whose signature and signer hold.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) statement: Statement,
    pub(crate) fingerprint: String,
    /// The key, as a public key line has it.
    pub(crate) public: String,
    pub(crate) own: bool,
}

/// What a plan needs: the playbook's own words, and two for `critical`. What stands below an `approve` is asked for there.
pub(crate) fn required(planned: &Planned) -> Option<Approval> {
    let plan = &planned.plan;
    // A plan without items can only come to touch fewer: there is nothing to approve.
    if plan.covered() == 0 {
        return None;
    }
    let risk = match Parts::of(&planned.program) {
        Ok(parts) if plan.part.is_none() && !parts.is_empty() => parts.risk(0),
        _ => plan.risk,
    };
    let mut approval = plan.approval.clone();
    if risk >= Risk::High && approval.is_none() {
        // The compiler demands it; an IR from elsewhere is held to it here.
        approval = Some(Approval { by: "manager".into(), of: 1, valid_seconds: 86_400 });
    }
    if let Some(approval) = &mut approval {
        approval.of = approval.of.max(if risk == Risk::Critical { 2 } else { 1 });
    }
    approval
}

/// The kind of statement that approves a plan.
pub(crate) fn kind_of(planned: &Planned) -> StatementKind {
    if planned.plan.part.is_some() { StatementKind::LaterPart } else { StatementKind::Plan }
}

/// What is said where a statement does not count.
fn no(kind: StatementKind, reason: String) -> Refused {
    let (what, again) = match kind {
        StatementKind::Revocation => ("revocation", "approve the plan again with `escher approve`"),
        StatementKind::Standing | StatementKind::Template => ("publication", "publish it again with `escher publish`"),
        _ => ("approval", "approve the plan again with `escher approve`"),
    };
    Refused::new(format!("this {what} does not count: {reason}"), again)
}

/// A statement of a kind that says itself what was signed, and the key that signed it.
fn opened(kind: StatementKind, signed: &Signed) -> Result<(Statement, KeyData), String> {
    if signed.statement.len() > MAX_SIGNATURE_FILE || signed.signature.len() > MAX_SIGNATURE_FILE {
        return Err("E0604: it is too large".into());
    }
    let statement: Statement =
        serde_json::from_str(&signed.statement).map_err(|e| format!("its statement cannot be read ({e})"))?;
    // One statement, one spelling: what is judged is all that was signed.
    if statement.to_bytes() != signed.statement.as_bytes() {
        return Err("its statement is not in canonical form".into());
    }
    if statement.schema != STATEMENT || statement.kind != kind {
        return Err("its statement is of another kind".into());
    }
    let signature = SshSig::from_pem(&signed.signature).map_err(|e| format!("its signature cannot be read ({e})"))?;
    // The armour has one form too: nothing may stand in, before or behind it that nobody signed.
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    if signature.to_pem(LineEnding::LF).map(|text| bare(&text)).ok() != Some(bare(&signed.signature)) {
        return Err("its signature is not in the form that `ssh-keygen` writes".into());
    }
    check_signature(&signature, NAMESPACE, signed.statement.as_bytes())?;
    Ok((statement, signature.public_key().clone()))
}

/// Whether a statement is of this store.
fn of_store(statement: &Statement, store: &str) -> Result<(), String> {
    match statement.store == store {
        true => Ok(()),
        false => Err("it was signed for another state store".into()),
    }
}

/// Whether a statement holds at a time.
fn timely(statement: &Statement, now: Timestamp) -> Result<(), String> {
    if now >= statement.expires {
        return Err(format!("it ended at {}, and it is {now:.0}", statement.expires));
    }
    let skew = jiff::SignedDuration::from_mins(5);
    if statement.signed.checked_sub(skew).is_ok_and(|from| now < from) {
        return Err(format!("it holds from {} only", statement.signed));
    }
    Ok(())
}

/// Whether a key may sign for its principal, who has a role.
fn entitled(
    gate: &Gate,
    statement: &Statement,
    key: &KeyData,
    role: Option<&str>,
    now: Timestamp,
) -> Result<(), String> {
    let principal = &statement.principal;
    if let Allowed::No(reason) = gate.signers.allows(key, principal, NAMESPACE, now) {
        return Err(reason);
    }
    match role {
        Some(role) if !gate.roles.get(role).is_some_and(|members| members.contains(principal)) => {
            Err(format!("`{principal}` does not have the role `{role}`"))
        }
        _ => Ok(()),
    }
}

fn accepted(statement: Statement, key: KeyData, own: bool) -> Result<Accepted, String> {
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let public = PublicKey::new(key, "").to_openssh().map_err(|e| e.to_string())?;
    Ok(Accepted { statement, fingerprint, public, own })
}

/// Judges one signed statement of a kind for a plan at a time.
#[allow(clippy::too_many_arguments, reason = "all that decides")]
pub(crate) fn accept(
    kind: StatementKind,
    gate: &Gate,
    planned: &Planned,
    store: &str,
    starters: &[&str],
    signed: &Signed,
    now: Timestamp,
) -> Result<Accepted, Refused> {
    judged(kind, gate, planned, store, starters, signed, now).map_err(|reason| no(kind, reason))
}

fn judged(
    kind: StatementKind,
    gate: &Gate,
    planned: &Planned,
    store: &str,
    starters: &[&str],
    signed: &Signed,
    now: Timestamp,
) -> Result<Accepted, String> {
    let (statement, key) = opened(kind, signed)?;
    of_store(&statement, store)?;
    if statement.run != planned.run {
        return Err(format!("it was signed for run {}, not for {}", statement.run, planned.run));
    }
    if statement.digest != planned.digest {
        return Err("it was signed for another plan".into());
    }
    if statement.playbook != planned.plan.playbook {
        return Err("it was signed for another playbook".into());
    }
    if statement.planner != planned.principal {
        return Err(format!("it was signed for a plan of `{}`", statement.planner));
    }
    timely(&statement, now)?;
    let approval = required(planned);
    if let Some(approval) = &approval {
        let longest = i64::try_from(approval.valid_seconds).unwrap_or(i64::MAX);
        if statement.expires.as_second().saturating_sub(statement.signed.as_second()) > longest {
            return Err("it holds longer than the playbook allows".into());
        }
        if planned.until().is_some_and(|until| statement.expires > until) {
            return Err("it holds longer than the question that it answers".into());
        }
        if statement.quorum != approval.of {
            return Err(format!("it was signed for {} approvers, not for {}", statement.quorum, approval.of));
        }
    }
    entitled(gate, &statement, &key, approval.as_ref().map(|approval| approval.by.as_str()), now)?;
    let principal = &statement.principal;
    let own = *principal == planned.principal || starters.contains(&&**principal);
    // Taking an approval back is never too much.
    if own && !gate.solo && kind != StatementKind::Revocation {
        return Err(format!("`{principal}` made or starts this run, and nobody approves their own"));
    }
    accepted(statement, key, own)
}

/// What somebody publishes: its name, its digest and what it is.
pub(crate) struct Publishing<'p> {
    pub(crate) name: &'p str,
    pub(crate) digest: Digest,
    pub(crate) standing: &'p Standing,
}

impl Publishing<'_> {
    /// The kind of statement that publishes it.
    pub(crate) fn kind(&self) -> StatementKind {
        match self.standing.kind {
            StandingKind::Template { .. } => StatementKind::Template,
            _ => StatementKind::Standing,
        }
    }

    /// Who must sign it, and how many: as for a plan of its program; where that needs nobody, one manager.
    pub(crate) fn needs(&self) -> Approval {
        let playbook = &self.standing.program.playbook;
        let mut approval =
            playbook.approval.clone().unwrap_or(Approval { by: "manager".into(), of: 1, valid_seconds: 86_400 });
        approval.of = approval.of.max(if playbook.risk == Risk::Critical { 2 } else { 1 });
        approval
    }
}

/// Judges one signed statement of what somebody published, or of its end.
pub(crate) fn accept_publication(
    kind: StatementKind,
    gate: &Gate,
    what: &Publishing<'_>,
    store: &str,
    starters: &[&str],
    signed: &Signed,
    now: Timestamp,
) -> Result<Accepted, Refused> {
    let judge = || {
        let (statement, key) = opened(kind, signed)?;
        of_store(&statement, store)?;
        timely(&statement, now)?;
        if statement.run != what.name {
            return Err(format!("it was signed for `{}`, not for `{}`", statement.run, what.name));
        }
        if statement.digest != what.digest || statement.playbook != what.standing.program.playbook.name {
            return Err(format!("it was signed for another `{}`", what.name));
        }
        let needs = what.needs();
        if statement.quorum != needs.of {
            return Err(format!("it was signed for {} approvers, not for {}", statement.quorum, needs.of));
        }
        if statement.expires.duration_since(statement.signed) > LONGEST {
            return Err(format!("it holds longer than {} days", LONGEST.as_hours() / 24));
        }
        if until(what.standing).is_some_and(|until| statement.expires > until) {
            return Err(format!("it holds longer than `{}`", what.name));
        }
        entitled(gate, &statement, &key, Some(&needs.by), now)?;
        let principal = &statement.principal;
        let own = starters.contains(&&**principal);
        if own && !gate.solo && kind != StatementKind::Revocation {
            return Err(format!("`{principal}` signed it and starts this run, and nobody approves their own"));
        }
        accepted(statement, key, own)
    };
    judge().map_err(|reason| no(kind, reason))
}

/// Judges all signatures that something published has, as those of a run are.
pub(crate) fn judge_publication(
    gate: &Gate,
    what: &Publishing<'_>,
    store: &str,
    starters: &[&str],
    statements: &[(Digest, Signed)],
    now: Timestamp,
) -> Result<Passed, Refused> {
    let needs = what.needs();
    let accept = |signed: &Signed| accept_publication(what.kind(), gate, what, store, starters, signed, now);
    counted(gate, &needs, statements, accept).map_err(|(have, why)| {
        let (name, of, by) = (what.name, needs.of, &needs.by);
        let needed = format!("`{name}` needs {of} of role `{by}` to publish it, and has {have}");
        match why {
            Some(why) => Refused::new(format!("{needed}; {}", why.reason), why.help),
            None => Refused::new(needed, format!("`escher publish FILE:{name} --key KEY`")),
        }
    })
}

/// Counts principals; one key counts once, whatever names it signs under. Errors: how many there are, and why one does
/// not count.
fn counted(
    gate: &Gate,
    needs: &Approval,
    signed: &[(Digest, Signed)],
    accept: impl Fn(&Signed) -> Result<Accepted, Refused>,
) -> Result<Passed, (usize, Option<Refused>)> {
    let (mut principals, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let mut passed = Passed::default();
    let mut why = None;
    for (digest, signed) in signed {
        match accept(signed) {
            Ok(accepted) => {
                if !principals.contains(&accepted.statement.principal) && keys.insert(accepted.fingerprint) {
                    principals.insert(accepted.statement.principal);
                    passed.approvals.push(*digest);
                    passed.solo |= accepted.own;
                }
            }
            Err(refused) => why = Some(refused),
        }
    }
    let have = principals.len();
    if u32::try_from(have).unwrap_or(u32::MAX) >= needs.of {
        return Ok(passed);
    }
    if gate.solo && have >= 1 {
        passed.solo = true;
        return Ok(passed);
    }
    Err((have, why))
}

/// Judges all approvals that a run has.
///
/// Quorum counts principals; one key counts once, whatever names it signs under.
pub(crate) fn judge(
    gate: &Gate,
    planned: &Planned,
    store: &str,
    starters: &[&str],
    approvals: &[(Digest, Signed)],
    now: Timestamp,
) -> Result<Passed, Refused> {
    let Some(approval) = required(planned) else {
        return Ok(Passed::default());
    };
    let accept = |signed: &Signed| accept(kind_of(planned), gate, planned, store, starters, signed, now);
    counted(gate, &approval, approvals, accept).map_err(|(have, why)| {
        let what = if planned.plan.part.is_some() { "the rest of run" } else { "run" };
        let needed = format!(
            "{what} {} needs {} of role `{}` to approve it, and has {have}",
            planned.run, approval.of, approval.by
        );
        match why {
            Some(why) => Refused::new(format!("{needed}; {}", why.reason), why.help),
            None => Refused::new(needed, format!("`escher approve {} --key KEY`", planned.run)),
        }
    })
}
