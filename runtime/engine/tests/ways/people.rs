//! Who signs: roles, own approvals, unknown and borrowed keys, and quorum, which counts people.

use escher_engine::AllowedSigners;

use super::*;

/// The gate with another allowed-signers file.
fn under(file: &str) -> Gate {
    Gate { signers: AllowedSigners::parse(file).unwrap(), ..gate() }
}

fn public(seed: u8) -> String {
    key(seed).public_line().unwrap()
}

pub(crate) async fn rows(table: &mut Table) {
    // One approval: each of these in the place of mara's with her key.
    let case = Case::planned().await;
    for (what, seed, principal, words) in [
        ("a signer without the role", 3, "eve", "does not have the role `manager`"),
        ("another's key for a manager's name", 3, "mara", "is not for `mara`"),
        ("a manager's key for another manager's name", 1, "ben", "is not for `ben`"),
        ("a manager's key for the planner's name", 1, "otto", "is not for `otto`"),
        ("a key that nobody knows", 9, "mara", "not among the allowed signers"),
        ("a name that nobody has", 1, "zoe", "is not for `zoe`"),
        ("a name with another's at its end", 1, "x,mara", "is not for `x,mara`"),
        ("a pattern for a name", 1, "m*", "is not for `m*`"),
    ] {
        table.refused(what, words, &case, case.approve(seed, principal, &gate()));
    }
    for (what, line, words) in [
        ("a key for another namespace", "mara namespaces=\"git\" KEY", "may not sign in namespace"),
        ("a key that is valid no longer", "mara valid-before=\"20261121\" KEY", "no longer valid"),
        ("a key that is not valid yet", "mara valid-after=\"20261122\" KEY", "not valid yet"),
        ("a key that is for all but her", "*,!mara KEY", "is not for `mara`"),
        ("a key whose line is a comment", "# mara KEY", "not among the allowed signers"),
    ] {
        let gate = under(&line.replace("KEY", &public(1)));
        table.refused(what, words, &case, case.approve(1, "mara", &gate));
    }
    table.refused("no approval at all", "needs 1 of role `manager`", &case, case.start().await);
    case.approve(1, "mara", &gate()).unwrap();
    case.start().await.unwrap();

    // Own approvals: of who plans, and of who starts.
    let mut case = Case::planned().await;
    let mut planner = gate();
    planner.signers = AllowedSigners::parse(&format!("otto {}\nmara {}", public(5), public(1))).unwrap();
    planner.roles.get_mut("manager").unwrap().push("otto".into());
    let result = case.bench.engine.approve(&case.run, &key(5), &options("otto"), &planner);
    table.refused("the planner's own approval", "nobody approves their own", &case, result);
    case = Case::approved().await;
    let mut starter = case.bench.options();
    starter.principal = "mara".into();
    let result = case.bench.engine.run(&case.run, &case.fake, &starter).await;
    table.refused("an approver who starts what they approved", "nobody approves their own", &case, result);
    starter.gate.solo = true;
    let result = case.bench.engine.run(&case.run, &case.fake, &starter).await;
    table.refused("`solo` turned on by who starts", "`solo` is another", &case, result);
    case.start().await.unwrap();

    // Quorum.
    let two = Case::of(2).await;
    two.approve(1, "mara", &gate()).unwrap();
    table.refused("one approver of two", "needs 2 of role `manager` to approve it, and has 1", &two, two.start().await);
    two.approve(11, "mara", &gate()).unwrap();
    table.refused("two keys of one person", "and has 1", &two, two.start().await);
    let twice = ApproveOptions { comment: "again".into(), ..options("mara") };
    two.bench.engine.approve(&two.run, &key(1), &twice, &gate()).unwrap();
    table.refused("one person twice, in other words", "and has 1", &two, two.start().await);
    let result = two.approve(3, "eve", &gate());
    table.refused("a second who lacks the role", "does not have the role", &two, result);
    two.approve(2, "ben", &gate()).unwrap();
    two.start().await.unwrap();

    let two = Case::of(2).await;
    let names = under(&format!("mara,ben {}", public(1)));
    for principal in ["mara", "ben"] {
        two.approve(1, principal, &names).unwrap();
    }
    let result = two.start_under(names).await;
    table.refused("one key under two names", "and has 1", &two, result);

    let two = Case::of(2).await;
    two.approve(1, "mara", &gate()).unwrap();
    let mut starter = two.bench.options();
    starter.principal = "ben".into();
    two.approve(2, "ben", &gate()).unwrap();
    let result = two.bench.engine.run(&two.run, &two.fake, &starter).await;
    table.refused("a starter who is one of the two", "nobody approves their own", &two, result);
    two.start().await.unwrap();

    // Taking back.
    let case = Case::approved().await;
    let result = case.bench.engine.revoke(&case.run, &key(3), &options("eve"), &gate());
    table.refused("taken back by one without the role", "does not have the role", &case, result);
    let signed = case.bench.engine.signed(&case.run).unwrap().remove(0).1;
    case.bench.clock.advance(1);
    case.bench.engine.revoke(&case.run, &key(2), &options("ben"), &gate()).unwrap();
    table.refused("an approval that was taken back", "and has 0", &case, case.start().await);
    let (statement, signature) = (signed.statement.as_bytes(), &signed.signature);
    let result = case.bench.engine.add_signature(&case.run, statement, signature, &gate());
    table.refused("a taken back approval handed in again", "it was taken back", &case, result);
    let revocation = case.bench.engine.revocation_for(&case.run, &options("mara")).unwrap().to_bytes();
    let result = case.bench.engine.add_signature(&case.run, &revocation, signature, &gate());
    table.refused("a revocation with an approval's signature", "does not fit", &case, result);
    case.approve(1, "mara", &gate()).unwrap();
    case.start().await.unwrap();

    // What belongs to another run.
    let case = Case::planned().await;
    let other = case.bench.plan(&case.fake).await;
    assert_eq!(other.digest, case.bench.engine.planned(&case.run).unwrap().digest, "the same plan, another run");
    case.bench.approve(&other.run);
    table.refused("another run's approval", "and has 0", &case, case.start().await);
    let signed = case.bench.engine.signed(&other.run).unwrap().remove(0).1;
    let (statement, signature) = (signed.statement.as_bytes(), &signed.signature);
    let result = case.bench.engine.add_signature(&case.run, statement, signature, &gate());
    table.refused("another run's approval, handed in", "it was signed for run", &case, result);
    let digest = case.put(codec::encode(&signed).unwrap());
    case.rewrite_journal(|events| {
        let event = Event::Approved { approval: digest, principal: "mara".into() };
        events.push(Entry { at: events[0].at, event });
    });
    table.refused(
        "another run's approval, written into the journal",
        "it was signed for run",
        &case,
        case.start().await,
    );
}
