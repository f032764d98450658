//! The rest of a run, which waits for an approval of its own: who signs it, what they sign, when, and what lies in the
//! store.

use std::sync::Arc;

use escher_engine::{AllowedSigners, Engine};
use escher_ir::Value;
use escher_ir::program::{NodeKind, Program};
use escher_ir::statement::{NAMESPACE, Signed, Statement, StatementKind};
use jiff::SignedDuration;

use super::statements::{sign, statement};
use super::*;

const DAY: i64 = 86_400;

/// A run that has stopped its two machines and waits; what arrives from here on counts.
async fn waits() -> Case {
    waits_with(staged()).await
}

async fn waits_with(program: Program) -> Case {
    let bench = Bench::new(program);
    let fake = Fake::with_instances(2);
    let run = bench.plan(&fake).await.run;
    bench.approve(&run);
    bench.engine.run(&run, &fake, &bench.options()).await.unwrap();
    let case = Case { bench, fake: Fake::with_instances(2), run };
    for id in case.fake.instances().keys() {
        case.fake.set_state(id, "stopped");
    }
    assert!(case.bench.engine.waiting(&case.run).unwrap().is_some());
    case
}

async fn approved() -> Case {
    let case = waits().await;
    case.bench.approve_rest(&case.run);
    case
}

async fn resume(case: &Case) -> Result<escher_engine::RunReport, EngineError> {
    case.bench.engine.resume(&case.run, &case.fake, &case.bench.options()).await
}

async fn resume_on(engine: &Engine, case: &Case) -> Result<escher_engine::RunReport, EngineError> {
    engine.resume(&case.run, &case.fake, &case.bench.options()).await
}

fn hand_in(case: &Case, statement: &Statement, namespace: &str) -> Result<Digest, EngineError> {
    let bytes = statement.to_bytes();
    let signature = sign(&bytes, namespace, 1, ssh_key::HashAlg::Sha512);
    case.bench.engine.add_signature(&case.run, &bytes, &signature, &gate())
}

/// Puts another plan of the rest in the place of the one that was made.
fn forge(case: &Case, change: impl FnOnce(&mut Plan)) {
    let mut rest = (*case.bench.engine.waiting(&case.run).unwrap().unwrap().plan).clone();
    change(&mut rest);
    let forged = case.put(codec::encode(&rest).unwrap());
    case.rewrite_journal(|events| {
        for entry in events {
            if let Event::Paused { plan, .. } = &mut entry.event {
                *plan = forged;
            }
        }
    });
}

pub(crate) async fn rows(table: &mut Table) {
    people(table).await;
    statements(table).await;
    moments(table).await;
    store(table).await;
}

async fn people(table: &mut Table) {
    let case = waits().await;
    table.refused("a rest that nobody approved", "the rest of run", &case, resume(&case).await);
    for (what, seed, principal, words) in [
        ("a rest signed by one without the role", 3, "eve", "does not have the role"),
        ("a rest signed in a manager's name", 3, "mara", "is not for `mara`"),
        ("a rest signed with an unknown key", 9, "mara", "not among the allowed signers"),
    ] {
        table.refused(what, words, &case, case.approve(seed, principal, &gate()));
    }
    let mut own = gate();
    let public = |seed| key(seed).public_line().unwrap();
    own.signers = AllowedSigners::parse(&format!("otto {}\nmara {}", public(5), public(1))).unwrap();
    own.roles.get_mut("manager").unwrap().push("otto".into());
    table.refused("a rest signed by who planned it", "nobody approves their own", &case, case.approve(5, "otto", &own));
    table.refused("no approval after all of that", "and has 0", &case, resume(&case).await);
    case.bench.approve_rest(&case.run);
    let mut mara = case.bench.options();
    mara.principal = "mara".into();
    let result = case.bench.engine.resume(&case.run, &case.fake, &mara).await;
    table.refused("an approver who takes the run up", "nobody approves their own", &case, result);
    let mut solo = case.bench.options();
    solo.gate.solo = true;
    let result = case.bench.engine.resume(&case.run, &case.fake, &solo).await;
    table.refused("`solo` turned on for the rest", "`solo` is another", &case, result);
    let mut roles = case.bench.options();
    roles.gate.roles.get_mut("manager").unwrap().push("eve".into());
    let result = case.bench.engine.resume(&case.run, &case.fake, &roles).await;
    table.refused("a role with a member more, for the rest", "has other members", &case, result);
    let mut sandbox = case.bench.options();
    sandbox.gate.sandbox = true;
    let real = waits().await;
    forge(&real, |plan| plan.targets[0].endpoint = None);
    let result = real.bench.engine.resume(&real.run, &real.fake, &sandbox).await;
    table.refused("a throw-away key for the rest of a real run", "", &real, result);
    resume(&case).await.unwrap();

    // Two are needed.
    let mut program = staged();
    for node in &mut program.playbook.body.nodes {
        if let NodeKind::Approve(approve) = &mut node.kind {
            approve.approval.of = 2;
        }
    }
    let two = waits_with(program).await;
    two.approve(1, "mara", &gate()).unwrap();
    table.refused("one approver of two of the rest", "and has 1", &two, resume(&two).await);
    two.approve(11, "mara", &gate()).unwrap();
    table.refused("two keys of one person for the rest", "and has 1", &two, resume(&two).await);
    two.approve(2, "ben", &gate()).unwrap();
    resume(&two).await.unwrap();
}

async fn statements(table: &mut Table) {
    let case = waits().await;
    // What was signed before the run began.
    let signed = case.bench.engine.signed(&case.run).unwrap().remove(0).1;
    let (text, signature) = (signed.statement.as_bytes(), &signed.signature);
    let result = case.bench.engine.add_signature(&case.run, text, signature, &gate());
    table.refused("the plan's approval for the rest", "of another kind", &case, result);
    let first = case.bench.engine.planned(&case.run).unwrap().digest;
    type Change = (&'static str, fn(&mut Statement, Digest), &'static str);
    let changes: &[Change] = &[
        ("a rest signed as a plan", |s, _| s.kind = StatementKind::Plan, "of another kind"),
        ("a rest signed as a template", |s, _| s.kind = StatementKind::Template, "of another kind"),
        ("a rest signed as a standing approval", |s, _| s.kind = StatementKind::Standing, "of another kind"),
        ("the plan's digest as the rest's", |s, first| s.digest = first, "for another plan"),
        ("another digest as the rest's", |s, _| s.digest = Digest([7; 32]), "for another plan"),
        ("another run's name on the rest", |s, _| s.run = "r-20261121-0000000000".into(), "signed for run"),
        ("another store's name on the rest", |s, _| s.store = "s-other".into(), "another state store"),
        ("another playbook's name on the rest", |s, _| s.playbook = "other".into(), "another playbook"),
        ("another planner's name on the rest", |s, _| s.planner = "eve".into(), "for a plan of `eve`"),
        ("another quorum for the rest", |s, _| s.quorum = 3, "for 3 approvers"),
        ("a rest that has ended already", |s, _| s.expires = s.signed, "it ended at"),
        ("a rest signed for later", |s, _| s.signed += SignedDuration::from_hours(2), "it holds from"),
    ];
    for (what, change, words) in changes {
        let mut statement = statement(&case);
        change(&mut statement, first);
        table.refused(what, words, &case, hand_in(&case, &statement, NAMESPACE));
    }
    // Signed two days after it was asked, for a whole week: the question ends before.
    case.bench.clock.advance(2 * DAY);
    let mut long = statement(&case);
    assert_eq!(long.expires.duration_since(long.signed), SignedDuration::from_hours(5 * 24));
    long.expires = long.signed + SignedDuration::from_hours(7 * 24);
    table.refused("a rest signed for longer than it is asked", "holds longer", &case, hand_in(&case, &long, NAMESPACE));
    let result = hand_in(&case, &statement(&case), "git");
    table.refused("a rest signed in another namespace", "namespace", &case, result);

    // Another run that waits, with the same rest.
    let other = waits().await;
    let signed = hand_out(&other);
    let result = case.bench.engine.add_signature(&case.run, signed.statement.as_bytes(), &signed.signature, &gate());
    table.refused("another store's approval of the same rest", "another state store", &case, result);
    let digest = case.put(codec::encode(&signed).unwrap());
    case.rewrite_journal(|events| {
        let at = events.last().unwrap().at;
        events.push(Entry { at, event: Event::Approved { approval: digest, principal: "mara".into() } });
    });
    table.refused("another run's approval of its rest, in the journal", "", &case, resume(&case).await);

    // Taken back.
    let case = approved().await;
    let signed = case.bench.engine.signed(&case.run).unwrap().remove(1).1;
    let result = case.bench.engine.revoke(&case.run, &key(3), &options("eve"), &gate());
    table.refused("a rest taken back by one without the role", "does not have the role", &case, result);
    case.bench.clock.advance(1);
    case.bench.engine.revoke(&case.run, &key(2), &options("ben"), &gate()).unwrap();
    table.refused("a rest whose approval was taken back", "and has 0", &case, resume(&case).await);
    let result = case.bench.engine.add_signature(&case.run, signed.statement.as_bytes(), &signed.signature, &gate());
    table.refused("a rest's approval that was taken back, again", "it was taken back", &case, result);
    case.bench.approve_rest(&case.run);
    resume(&case).await.unwrap();
    let sent = fresh(&case);
    table.refused("a rest approved that has gone on", "has begun", &sent, sent.approve(2, "ben", &gate()));
    table.refused("a rest that has gone on and ended, resumed", "has ended", &sent, resume(&sent).await);
}

fn hand_out(case: &Case) -> Signed {
    case.bench.approve_rest(&case.run);
    case.bench.engine.signed(&case.run).unwrap().remove(1).1
}

/// The same run with a cloud to which nothing was sent yet.
fn fresh(case: &Case) -> Case {
    let engine = Bench::engine_on(open(&case.bench.state()), &case.bench.clock);
    let (clock, program) = (case.bench.clock.clone(), case.bench.program.clone());
    let bench = Bench { folder: tempfile::tempdir().unwrap(), clock, engine, program };
    Case { bench, fake: Fake::with_instances(2), run: case.run.clone() }
}

async fn moments(table: &mut Table) {
    let case = approved().await;
    case.bench.clock.advance(-3_600);
    table.refused("a clock that was moved back, for the rest", "the last audit record", &case, resume(&case).await);
    case.bench.clock.advance(3_600);
    let mut ahead = approved().await;
    ahead.fake.ahead = Some(301);
    table.refused("a cloud whose clock is ahead, for the rest", "by the cloud's", &ahead, resume(&ahead).await);

    // The question lapses: what was signed is not what is asked then.
    let lapsed = approved().await;
    let old = lapsed.bench.engine.signed(&lapsed.run).unwrap().remove(1).1;
    lapsed.bench.clock.advance(7 * DAY);
    lapsed.fake.set_state("i-0000", "running");
    resume(&lapsed).await.unwrap();
    table.refused("an approval of what was asked before", "and has 0", &lapsed, resume(&lapsed).await);
    let (text, signature) = (old.statement.as_bytes(), &old.signature);
    let result = lapsed.bench.engine.add_signature(&lapsed.run, text, signature, &gate());
    table.refused("an approval of what was asked before, handed in", "for another plan", &lapsed, result);

    let started = case.bench.engine.run(&case.run, &case.fake, &case.bench.options()).await;
    table.refused("a run that waits, started again", "has begun already", &case, started);
    case.bench.engine.undo(&case.run, &Fake::with_instances(2), &case.bench.options()).await.unwrap();
    table.refused("a run that was taken back while it waited", "has been taken back", &case, resume(&case).await);
}

type Forge = (&'static str, fn(&mut Plan));

/// A field of the rest, changed after its approval.
const FIELDS: &[Forge] = &[
    ("risk", |p| p.risk = escher_catalog::Risk::Low),
    ("approval: none", |p| p.approval = None),
    ("approval: another role", |p| p.approval.as_mut().unwrap().by = "intern".into()),
    ("approval: for a year", |p| p.approval.as_mut().unwrap().valid_seconds = 31_536_000),
    ("a parameter", |p| drop(p.parameters.insert("limit".into(), Value::Int(2)))),
    ("account", |p| p.targets[0].account = "999999999999".into()),
    ("a place before the others", |p| p.targets.insert(0, p.targets[0].clone())),
    ("no steps", |p| p.steps.clear()),
    ("a step's bound", |p| p.steps[0].max = 100_000),
    ("an open number", |p| p.steps[0].up_to = Some(100)),
    ("a step above it", |p| {
        let mut above = p.steps[0].clone();
        (above.name, above.below) = ("stop".into(), None);
        p.steps.push(above);
    }),
    ("whose approval a step needs", |p| p.steps[0].below = None),
    ("an item more: the grown set", |p| {
        let mut more = p.steps[0].items[0].clone();
        more.item.id = "i-9".into();
        p.steps[0].items.push(more);
    }),
    ("an item's argument", |p| {
        let call = &mut p.steps[0].items[0].calls[0];
        let other = escher_ir::plan::PlannedArgument::Item(Value::list(vec![Value::text("i-9")]));
        call.arguments.insert("instance_ids".into(), other);
    }),
    ("what was asked", |p| p.part.as_mut().unwrap().question = "Nothing much?".into()),
    ("what it goes on from", |p| p.part.as_mut().unwrap().before = Digest([1; 32])),
    ("its number", |p| p.part.as_mut().unwrap().number = 2),
    ("its place", |p| p.part.as_mut().unwrap().node = "stop".into()),
    ("that it is a rest", |p| p.part = None),
    ("another question behind it", |p| {
        let approval = p.approval.clone().unwrap();
        let node = "approve.1".into();
        p.asks.push(escher_ir::plan::PlannedApproval { node, question: String::new(), approval });
    }),
];

async fn store(table: &mut Table) {
    for (what, change) in FIELDS {
        let case = approved().await;
        forge(&case, change);
        table.refused(&format!("the rest, changed in the store: {what}"), "", &case, resume(&case).await);
    }
    let begins = |case: &Case| {
        let rest = case.bench.engine.waiting(&case.run).unwrap().unwrap();
        Event::PartStarted {
            node: "approve.1".into(),
            plan: rest.digest,
            approvals: vec![],
            principal: "otto".into(),
            solo: false,
            sandbox: false,
        }
    };
    let case = waits().await;
    let event = begins(&case);
    case.rewrite_journal(|events| events.push(Entry { at: events.last().unwrap().at, event }));
    table.refused("a journal that says the rest goes on", "and has 0", &case, resume(&case).await);
    let case = Case::planned().await;
    let plan = case.bench.engine.planned(&case.run).unwrap();
    case.rewrite_journal(|events| {
        let (plan, program) = (plan.digest, plan.plan.program);
        let event = Event::Started { plan, program, approvals: vec![], principal: "otto".into(), undo_of: None };
        events.push(Entry { at: events[0].at, event });
    });
    table.refused("a journal that says the run has begun, resumed", "and has 0", &case, resume(&case).await);
    let case = waits().await;
    case.rewrite_journal(|events| events.retain(|e| !matches!(e.event, Event::Approved { .. })));
    table.refused("a beginning whose approval is gone", "and has 0", &case, resume(&case).await);

    // A newer catalogue: what is asked for now is another thing.
    let case = approved().await;
    struct Newer;
    impl escher_engine::Operations for Newer {
        fn record(&self, operation: &str) -> Option<Arc<escher_catalog::Record>> {
            let mut record = (*FakeOperations.record(operation)?).clone();
            record.operation.class.risk = escher_catalog::Risk::Critical;
            Some(Arc::new(record))
        }
        fn waiter(&self, a: &str, b: &str, c: &str) -> Option<Arc<escher_catalog::Waiter>> {
            FakeOperations.waiter(a, b, c)
        }
    }
    let newer = case.bench.engine.clone().with_operations(Arc::new(Newer));
    table.refused(
        "a newer catalogue when the rest goes on",
        "the catalogue says something else",
        &case,
        resume_on(&newer, &case).await,
    );
    resume(&case).await.unwrap();
}
