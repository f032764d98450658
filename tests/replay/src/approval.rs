//! Who may sign, and what was signed.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use escher_engine::{AllowedSigners, Gate, Planned, fuzzing};
use escher_ir::program::Approval;
use escher_ir::statement::{NAMESPACE, Signed, Statement, StatementKind};
use jiff::{SignedDuration, Timestamp};
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::{kind, seeds};

const STORE: &str = "store-1";

/// An allowed-signers file (kind 0), or a statement, a NUL and its signature (1).
pub fn signers(data: &[u8]) {
    let (kind, bytes) = kind(data);
    let Some(bench) = bench() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if kind % 2 == 0 { file(bench, text) } else { signature(bench, text) }
}

/// A file that is accepted says of any key whether it may sign; one that names no key lets nobody.
fn file(bench: &Bench, text: &str) {
    let Ok(signers) = AllowedSigners::parse(text) else { return };
    let named = text.contains("ssh-ed25519");
    let _ = signers.principals_of(&bench.key);
    let gate = Gate { signers, ..bench.gate.clone() };
    let Ok(key) = ssh_key::PublicKey::from_openssh(&bench.key) else { return };
    for principal in ["mara", "ben@example.org", "", "*", "!mara"] {
        for now in [Timestamp::MIN, bench.now, Timestamp::MAX] {
            assert!(!fuzzing::may_sign(&gate, &key, principal, now) || named);
        }
    }
    let accepted = fuzzing::judge(&gate, &bench.planned, STORE, "starter", &bench.signed, bench.now);
    assert!(accepted.is_err() || named);
}

/// Nothing is accepted but the statement that was signed.
fn signature(bench: &Bench, text: &str) {
    let (statement, signature) = text.split_once('\0').unwrap_or((text, ""));
    let signed = Signed { statement: statement.to_owned(), signature: signature.to_owned() };
    let accepted = fuzzing::judge(&bench.gate, &bench.planned, STORE, "starter", &signed, bench.now);
    match accepted {
        Ok(principal) => {
            assert_eq!(statement, bench.signed.statement, "a forged statement was accepted");
            assert_eq!(principal, "mara");
        }
        Err(refused) => {
            assert!(signed != bench.signed, "the statement that was signed is refused: {refused}");
            assert!(!refused.reason.is_empty() && !refused.help.is_empty());
        }
    }
}

/// A plan with the one approval that it has.
pub(crate) struct Bench {
    gate: Gate,
    planned: Planned,
    /// The public key of the one signer.
    pub(crate) key: String,
    /// What they signed.
    pub(crate) signed: Signed,
    now: Timestamp,
}

pub(crate) fn bench() -> Option<&'static Bench> {
    static BENCH: OnceLock<Option<Bench>> = OnceLock::new();
    BENCH
        .get_or_init(|| {
            let bench = make();
            assert!(bench.is_some(), "no approval could be made");
            bench
        })
        .as_ref()
}

fn make() -> Option<Bench> {
    let now: Timestamp = "2026-11-21T08:00:00Z".parse().ok()?;
    let mut plan = seeds::plan()?;
    plan.approval = Some(Approval { by: "manager".to_owned(), of: 1, valid_seconds: 86_400 });
    let digest = escher_ir::codec::digest(&plan).ok()?;
    let statement = Statement {
        comment: "looks right".to_owned(),
        digest,
        expires: now.checked_add(SignedDuration::from_hours(24)).ok()?,
        kind: StatementKind::Plan,
        planner: "otto".to_owned(),
        principal: "mara".to_owned(),
        playbook: plan.playbook.clone(),
        quorum: 1,
        run: "run-1".to_owned(),
        schema: escher_ir::statement::STATEMENT.to_owned(),
        signed: now,
        store: STORE.to_owned(),
    };
    let statement = String::from_utf8(statement.to_bytes()).ok()?;
    let private = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
    let signature = private.sign(NAMESPACE, HashAlg::Sha512, statement.as_bytes()).ok()?;
    let key = private.public_key().to_openssh().ok()?;
    let gate = Gate {
        signers: AllowedSigners::single("mara", &key).ok()?,
        roles: BTreeMap::from([("manager".to_owned(), vec!["mara".to_owned()])]),
        ..Gate::default()
    };
    let planned = Planned {
        run: "run-1".to_owned(),
        plan: Arc::new(plan),
        digest,
        program: Arc::new(seeds::program()?),
        principal: "otto".to_owned(),
        began: now,
        asked: None,
    };
    Some(Bench {
        gate,
        planned,
        key,
        signed: Signed { statement, signature: signature.to_pem(LineEnding::LF).ok()? },
        now,
    })
}
