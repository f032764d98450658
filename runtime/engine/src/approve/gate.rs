//! The gate: whether the approvals that a run has are enough to start it.

use std::collections::{BTreeMap, BTreeSet};

use escher_catalog::Risk;
use escher_ir::Digest;
use escher_ir::program::Approval;
use escher_ir::statement::{NAMESPACE, STATEMENT, Signed, Statement, StatementKind};
use escher_ir::trust::TrustSettings;
use jiff::Timestamp;
use ssh_key::{HashAlg, LineEnding, PublicKey, SshSig};

use super::keys::check_signature;
use super::signers::{Allowed, AllowedSigners};
use crate::error::Refused;
use crate::limits::MAX_SIGNATURE_FILE;
use crate::parts::Parts;
use crate::plan::Planned;

/// Who may sign, who has which role, and what the project was set up for.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// Keys and their principals.
    pub signers: AllowedSigners,
    /// Principals by role.
    pub roles: BTreeMap<String, Vec<String>>,
    /// One person alone: may approve their own runs, and one approval is enough. The audit log says so each time.
    pub solo: bool,
    /// Files of operations in the place of those inside the program: clouds, and the SHA-256 of their files.
    pub catalog: BTreeMap<String, String>,
    /// Practice clouds: approved by a throw-away key. The audit log says so.
    pub sandbox: bool,
}

/// The policy by which roles are judged.
const POLICY: &str = "roles/1";

impl Gate {
    /// What of this the root key signs.
    pub(crate) fn trust(&self) -> TrustSettings {
        TrustSettings {
            catalog: self.catalog.clone(),
            policy: POLICY.into(),
            roles: self.roles.clone(),
            signers: self.signers.texts().to_vec(),
            solo: self.solo,
        }
    }
}

/// How a run passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The signed statements that count.
    pub(crate) approvals: Vec<Digest>,
    /// Somebody approved their own run, or alone where two are needed.
    pub(crate) solo: bool,
    /// A throw-away key.
    pub(crate) sandbox: bool,
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
    let again = "approve the plan again with `escher approve`";
    let what = if kind == StatementKind::Revocation { "revocation" } else { "approval" };
    let no = |reason: String| Refused::new(format!("this {what} does not count: {reason}"), again);
    if signed.statement.len() > MAX_SIGNATURE_FILE || signed.signature.len() > MAX_SIGNATURE_FILE {
        return Err(no("E0604: it is too large".into()));
    }
    let statement: Statement =
        serde_json::from_str(&signed.statement).map_err(|e| no(format!("its statement cannot be read ({e})")))?;
    // One statement, one spelling: what is judged is all that was signed.
    if statement.to_bytes() != signed.statement.as_bytes() {
        return Err(no("its statement is not in canonical form".into()));
    }
    if statement.schema != STATEMENT || statement.kind != kind {
        return Err(no("its statement is of another kind".into()));
    }
    let signature =
        SshSig::from_pem(&signed.signature).map_err(|e| no(format!("its signature cannot be read ({e})")))?;
    // The armour has one form too: nothing may stand in, before or behind it that nobody signed.
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    if signature.to_pem(LineEnding::LF).map(|text| bare(&text)).ok() != Some(bare(&signed.signature)) {
        return Err(no("its signature is not in the form that `ssh-keygen` writes".into()));
    }
    let key = signature.public_key().clone();
    check_signature(&signature, NAMESPACE, signed.statement.as_bytes()).map_err(no)?;
    if statement.store != store {
        return Err(no("it was signed for another state store".into()));
    }
    if statement.run != planned.run {
        return Err(no(format!("it was signed for run {}, not for {}", statement.run, planned.run)));
    }
    if statement.digest != planned.digest {
        return Err(no("it was signed for another plan".into()));
    }
    if statement.playbook != planned.plan.playbook {
        return Err(no("it was signed for another playbook".into()));
    }
    if statement.planner != planned.principal {
        return Err(no(format!("it was signed for a plan of `{}`", statement.planner)));
    }
    if now >= statement.expires {
        return Err(no(format!("it ended at {}, and it is {now:.0}", statement.expires)));
    }
    let skew = jiff::SignedDuration::from_mins(5);
    if statement.signed.checked_sub(skew).is_ok_and(|from| now < from) {
        return Err(no(format!("it holds from {} only", statement.signed)));
    }
    let approval = required(planned);
    if let Some(approval) = &approval {
        let longest = i64::try_from(approval.valid_seconds).unwrap_or(i64::MAX);
        if statement.expires.as_second().saturating_sub(statement.signed.as_second()) > longest {
            return Err(no("it holds longer than the playbook allows".into()));
        }
        if planned.until().is_some_and(|until| statement.expires > until) {
            return Err(no("it holds longer than the question that it answers".into()));
        }
        if statement.quorum != approval.of {
            return Err(no(format!("it was signed for {} approvers, not for {}", statement.quorum, approval.of)));
        }
    }
    let principal = &statement.principal;
    if let Allowed::No(reason) = gate.signers.allows(&key, principal, NAMESPACE, now) {
        return Err(no(reason));
    }
    if let Some(Approval { by, .. }) = &approval
        && !gate.roles.get(by).is_some_and(|members| members.contains(principal))
    {
        return Err(no(format!("`{principal}` does not have the role `{by}`")));
    }
    let own = *principal == planned.principal || starters.contains(&&**principal);
    // Taking an approval back is never too much.
    if own && !gate.solo && kind != StatementKind::Revocation {
        return Err(no(format!("`{principal}` made or starts this run, and nobody approves their own")));
    }
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let public = PublicKey::new(key, "").to_openssh().map_err(|e| no(e.to_string()))?;
    Ok(Accepted { statement, fingerprint, public, own })
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
    let (mut principals, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let mut passed = Passed::default();
    let mut why = None;
    for (digest, signed) in approvals {
        match accept(kind_of(planned), gate, planned, store, starters, signed, now) {
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
    let have = u32::try_from(principals.len()).unwrap_or(u32::MAX);
    if have >= approval.of {
        return Ok(passed);
    }
    if gate.solo && have >= 1 {
        passed.solo = true;
        return Ok(passed);
    }
    let what = if planned.plan.part.is_some() { "the rest of run" } else { "run" };
    let needed =
        format!("{what} {} needs {} of role `{}` to approve it, and has {have}", planned.run, approval.of, approval.by);
    Err(match why {
        Some(why) => Refused::new(format!("{needed}; {}", why.reason), why.help),
        None => Refused::new(needed, format!("`escher approve {} --key KEY`", planned.run)),
    })
}
