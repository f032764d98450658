//! Approvals at the gate: what counts and what doesn't, here and with `ssh-keygen`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::*;
use escher_engine::{AllowedSigners, ApproveOptions, Gate, SigningKey};
use escher_ir::audit::AuditEvent;
use escher_ir::program::Approval;
use escher_provider::fake::Fake;

fn options(principal: &str) -> ApproveOptions {
    ApproveOptions { principal: principal.into(), comment: "ok".into() }
}

async fn planned() -> (Bench, Fake, String) {
    let bench = Bench::new(program(vec![batch_step(2)]));
    let fake = Fake::with_instances(2);
    let run = bench.plan(&fake).await.run;
    (bench, fake, run)
}

fn signature_of(bench: &Bench, run: &str) -> (Vec<u8>, String) {
    let statement = bench.engine.statement_for(run, &options("mara")).unwrap().to_bytes();
    let signature = sign(&statement, "escher-approval", 1);
    (statement, signature)
}

fn sign(message: &[u8], namespace: &str, seed: u8) -> String {
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
    let key = ssh_key::PrivateKey::from(pair);
    let signature = key.sign(namespace, ssh_key::HashAlg::Sha512, message).unwrap();
    signature.to_pem(ssh_key::LineEnding::LF).unwrap()
}

#[tokio::test]
async fn what_does_not_count() {
    let (bench, fake, run) = planned().await;
    let (statement, signature) = signature_of(&bench, &run);
    let add = |statement: &[u8], signature: &str| bench.engine.add_signature(&run, statement, signature, &gate());
    // None at all.
    let why = refusal(bench.engine.run(&run, &fake, &bench.options()).await.unwrap_err());
    assert!(why.contains("needs 1 of role `manager`"), "{why}");
    // Wrong role, own approval, a key that is another's, a key that nobody knows.
    for (seed, principal, reason) in [
        (3, "eve", "does not have the role"),
        (3, "mara", "is not for `mara`"),
        (1, "otto", "is not for `otto`"),
        (9, "mara", "not among the allowed signers"),
    ] {
        let why = refusal(bench.engine.approve(&run, &key(seed), &options(principal), &gate()).unwrap_err());
        assert!(why.contains(reason), "{why}");
    }
    // Tampered: the signature, the statement, its form, the namespace.
    let text = String::from_utf8(statement.clone()).unwrap();
    let tampered = text.replace("\"ok\"", "\"no\"");
    assert!(refusal(add(tampered.as_bytes(), &signature).unwrap_err()).contains("does not fit"));
    let spaced = text.replace(",", ", ");
    assert!(refusal(add(spaced.as_bytes(), &signature).unwrap_err()).contains("canonical"));
    let mut lines: Vec<String> = signature.lines().map(str::to_string).collect();
    let last = lines.len() - 2;
    lines[last] = lines[last].chars().rev().collect();
    assert!(refusal(add(&statement, &lines.join("\n")).unwrap_err()).contains("does not count"));
    assert!(refusal(add(&statement, &sign(&statement, "git", 1)).unwrap_err()).contains("namespace"));
    // Signed for another run of the same plan; for another store.
    let other = bench.plan(&fake).await.run;
    let (foreign, sealed) = signature_of(&bench, &other);
    assert!(refusal(add(&foreign, &sealed).unwrap_err()).contains("signed for run"));
    let elsewhere = String::from_utf8(statement.clone()).unwrap().replace(bench.engine.store().id(), "s-other");
    let sealed = sign(elsewhere.as_bytes(), "escher-approval", 1);
    assert!(refusal(add(elsewhere.as_bytes(), &sealed).unwrap_err()).contains("another state store"));
    // Longer than the playbook allows.
    let long = text.replace("2026-11-22T08:00:00Z", "2027-11-22T08:00:00Z");
    assert_ne!(long, text);
    let sealed = sign(long.as_bytes(), "escher-approval", 1);
    assert!(refusal(add(long.as_bytes(), &sealed).unwrap_err()).contains("holds longer"));
    // Good; and after its end no longer.
    add(&statement, &signature).unwrap();
    bench.clock.advance(86_401);
    let why = refusal(bench.engine.run(&run, &fake, &bench.options()).await.unwrap_err());
    assert!(why.contains("it ended at"), "{why}");
    assert!(fake.arrived().is_empty());
    let refused = bench.engine.audit(0).unwrap().into_iter().filter(|e| matches!(e.event, AuditEvent::Refused { .. }));
    assert_eq!(refused.count(), 13);
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
}

#[tokio::test]
async fn an_approver_does_not_start_their_own() {
    let (bench, fake, run) = planned().await;
    bench.approve(&run);
    let mut options = bench.options();
    options.principal = "mara".into();
    let why = refusal(bench.engine.run(&run, &fake, &options).await.unwrap_err());
    assert!(why.contains("nobody approves their own"), "{why}");
    // Alone: it counts, and the log says so.
    options.gate.solo = true;
    let why = refusal(bench.engine.run(&run, &fake, &options).await.unwrap_err());
    assert!(why.contains("`solo` is another than the root key has signed"), "{why}");
    bench.engine.sign_trust(&key(1), &options.gate, "mara").unwrap();
    bench.engine.run(&run, &fake, &options).await.unwrap();
    let log = bench.engine.audit(0).unwrap();
    assert!(log.iter().any(|e| matches!(e.event, AuditEvent::Started { solo: true, sandbox: false, .. })));
}

#[tokio::test]
async fn quorum_counts_people() {
    let mut two = program(vec![batch_step(2)]);
    two.playbook.approval = Some(Approval { by: "manager".into(), of: 2, valid_seconds: 3_600 });
    let bench = Bench::new(two);
    let fake = Fake::with_instances(1);
    let run = bench.plan(&fake).await.run;
    // Mara twice, with two keys.
    bench.engine.approve(&run, &key(1), &options("mara"), &gate()).unwrap();
    bench.engine.approve(&run, &key(11), &options("mara"), &gate()).unwrap();
    let why = refusal(bench.engine.run(&run, &fake, &bench.options()).await.unwrap_err());
    assert!(why.contains("needs 2") && why.contains("has 1"), "{why}");
    bench.engine.approve(&run, &key(2), &options("ben"), &gate()).unwrap();
    bench.engine.run(&run, &fake, &bench.options()).await.unwrap();
    // Nothing is approved after the start.
    let why = refusal(bench.engine.approve(&run, &key(2), &options("ben"), &gate()).unwrap_err());
    assert!(why.contains("starts once"), "{why}");
}

#[tokio::test]
async fn one_key_is_one_person() {
    let mut two = program(vec![batch_step(2)]);
    two.playbook.approval = Some(Approval { by: "manager".into(), of: 2, valid_seconds: 3_600 });
    let bench = Bench::new(two);
    let fake = Fake::with_instances(1);
    let run = bench.plan(&fake).await.run;
    let signers = AllowedSigners::parse(&format!("mara,ben {}", key(1).public_line().unwrap())).unwrap();
    let gate = Gate { signers, ..gate() };
    for principal in ["mara", "ben"] {
        bench.engine.approve(&run, &key(1), &options(principal), &gate).unwrap();
    }
    let mut options = bench.options();
    options.gate = gate;
    let why = refusal(bench.engine.run(&run, &fake, &options).await.unwrap_err());
    assert!(why.contains("has 1"), "{why}");
}

#[tokio::test]
async fn a_sandbox_signs_with_a_throw_away_key() {
    let (bench, fake, run) = planned().await;
    let mut options = bench.options();
    options.gate = Gate { sandbox: true, ..Gate::default() };
    bench.engine.run(&run, &fake, &options).await.unwrap();
    let log = bench.engine.audit(0).unwrap();
    assert!(log.iter().any(|e| matches!(e.event, AuditEvent::Started { sandbox: true, .. })));
}

fn ssh_keygen() -> bool {
    let found = Command::new("ssh-keygen").arg("-?").stderr(Stdio::null()).stdout(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var_os("CI").is_none(), "ssh-keygen must be there in CI");
        eprintln!("skipped: no ssh-keygen on this machine");
    }
    found
}

/// Keys that `ssh-keygen` makes sign here, `ssh-keygen` verifies that, and what it signs counts here.
#[tokio::test]
async fn ssh_keygen_understands_us_and_we_it() {
    if !ssh_keygen() {
        return;
    }
    for (kind, bits, passphrase) in
        [("ed25519", "", ""), ("ecdsa", "256", ""), ("rsa", "2048", ""), ("ed25519", "", "hush")]
    {
        let (bench, _, run) = planned().await;
        let folder = bench.folder.path();
        let file = folder.join("key");
        let mut make = Command::new("ssh-keygen");
        make.args(["-q", "-t", kind, "-N", passphrase, "-f"]).arg(&file);
        if !bits.is_empty() {
            make.args(["-b", bits]);
        }
        assert!(make.status().unwrap().success());
        let public = std::fs::read_to_string(folder.join("key.pub")).unwrap();
        let signers = folder.join("signers");
        let line = format!("mara namespaces=\"escher-approval\" {public}");
        std::fs::write(&signers, &line).unwrap();
        let gate = Gate { signers: AllowedSigners::parse(&line).unwrap(), ..gate() };
        let secret = (!passphrase.is_empty()).then(|| passphrase.to_string());
        assert!(passphrase.is_empty() || SigningKey::read(&file, || Some("wrong".into())).is_err());
        let key = SigningKey::read(&file, || secret).unwrap();
        let digest = bench.engine.approve(&run, &key, &options("mara"), &gate).unwrap();
        let bytes = bench.engine.store().get(&digest).unwrap().unwrap();
        let (_, signed): (_, escher_ir::statement::Signed) = escher_ir::codec::decode(&bytes).unwrap();
        std::fs::write(folder.join("sig"), &signed.signature).unwrap();
        let mut verify = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-I", "mara", "-n", "escher-approval", "-f"])
            .arg(&signers)
            .arg("-s")
            .arg(folder.join("sig"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        verify.stdin.take().unwrap().write_all(signed.statement.as_bytes()).unwrap();
        assert!(verify.wait().unwrap().success(), "{kind}");
        if passphrase.is_empty() {
            let statement = folder.join("statement.json");
            let other =
                bench.engine.statement_for(&run, &ApproveOptions { comment: "by hand".into(), ..options("mara") });
            let other = other.unwrap().to_bytes();
            std::fs::write(&statement, &other).unwrap();
            let sign = Command::new("ssh-keygen")
                .args(["-q", "-Y", "sign", "-n", "escher-approval", "-f"])
                .arg(&file)
                .arg(&statement)
                .stderr(Stdio::null())
                .status()
                .unwrap();
            assert!(sign.success());
            let signature = std::fs::read_to_string(folder.join("statement.json.sig")).unwrap();
            bench.engine.add_signature(&run, &other, &signature, &gate).unwrap();
        }
    }
}
