//! A run that stops at an `approve`: the rest is planned with what it found, waits, is signed, and goes on in another
//! process; what differs from what was signed is refused or left alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod common;

use std::time::Duration;

use common::*;
use escher_engine::{ApproveOptions, EngineError, RunReport, Standing};
use escher_ir::Value;
use escher_ir::audit::AuditEvent;
use escher_ir::journal::{Outcome, RunStatus};
use escher_ir::plan::PlannedArgument;
use escher_ir::program::*;
use escher_provider::fake::{Fake, Fault, place};

const WAITS: Standing = Standing::Status(RunStatus::WaitingForApproval);
const DONE: Standing = Standing::Status(RunStatus::Done);
const DAY: i64 = 86_400;

fn waiting(report: &RunReport) -> &escher_engine::Planned {
    assert_eq!(report.standing, WAITS, "{:?}", report.message);
    report.waiting.as_deref().expect("the rest")
}

fn items(planned: &escher_engine::Planned, step: &str) -> Vec<String> {
    let step = planned.plan.steps.iter().find(|s| s.name == step).expect("a step");
    assert_eq!(step.up_to, None, "expanded");
    step.items.iter().map(|i| i.item.id.to_string()).collect()
}

/// Plans, approves and runs up to the `approve`.
async fn first_part(bench: &Bench, fake: &Fake) -> String {
    let planned = bench.plan(fake).await;
    bench.approve(&planned.run);
    let report = bench.engine.run(&planned.run, fake, &bench.options()).await.unwrap();
    waiting(&report);
    planned.run
}

/// Another process, on the same state.
fn elsewhere(bench: &Bench) -> escher_engine::Engine {
    Bench::engine_on(open(&bench.state()), &bench.clock)
}

#[tokio::test]
async fn what_a_step_gives_is_planned_when_it_is_there() {
    let bench = Bench::new(staged());
    let fake = Fake::with_instances(3);
    let planned = bench.plan(&fake).await;
    let before = planned.plan.steps.iter().find(|s| s.name == "start").unwrap();
    assert_eq!((before.up_to, before.items.len()), (Some(100), 0));
    assert_eq!(before.below.as_deref(), Some("approve.1"));
    assert_eq!(planned.plan.asks[0].question, "Start … again?");
    bench.approve(&planned.run);

    let report = bench.engine.run(&planned.run, &fake, &bench.options()).await.unwrap();
    let rest = waiting(&report);
    assert_eq!(report.exit_code(), 3);
    assert_eq!(fake.arrived().len(), 3, "only what stands above it was done");
    assert_eq!(items(rest, "start"), ["i-0000", "i-0001", "i-0002"]);
    let call = &rest.plan.steps[0].items[0].calls[0];
    assert!(matches!(&call.arguments["instance_ids"], PlannedArgument::Item(_)), "{call:?}");
    assert_eq!(rest.plan.part.as_ref().unwrap().question, "Start 3 again?");
    assert!(report.to_json()["waiting"]["calls"].as_array().unwrap().len() == 3);

    // Days later, in another process.
    bench.clock.advance(3 * DAY);
    let engine = elsewhere(&bench);
    assert_eq!(engine.runs().unwrap()[0].standing, WAITS);
    let options = ApproveOptions { principal: "ben".into(), comment: "as shown".into() };
    let statement = engine.statement_for(&planned.run, &options).unwrap();
    assert_eq!(statement.digest, rest.digest);
    engine.approve(&planned.run, &key(2), &options, &gate()).unwrap();
    bench.clock.advance(DAY);
    let report = elsewhere(&bench).resume(&planned.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, DONE, "{:?}", report.message);
    assert_eq!(count(&report, Outcome::Done), 6);
    for (id, instance) in fake.instances() {
        assert_eq!(instance.transitions, ["stopped", "running"], "{id}");
    }
    assert!(report.waiting.is_none());
    let verdict = engine.verify_audit().unwrap();
    assert!(verdict.problems.is_empty(), "{:?}", verdict.problems);
    let log = engine.audit(0).unwrap();
    let told = |f: fn(&AuditEvent) -> bool| log.iter().filter(|e| f(&e.event)).count();
    assert_eq!(told(|e| matches!(e, AuditEvent::Paused { .. })), 1);
    assert_eq!(told(|e| matches!(e, AuditEvent::PartStarted { solo: false, sandbox: false, .. })), 1);
}

#[tokio::test]
async fn the_approved_rest_shrinks_and_never_grows() {
    let bench = Bench::new(staged());
    let fake = Fake::with_instances(3);
    let run = first_part(&bench, &fake).await;
    bench.approve_rest(&run);
    // Somebody starts one meanwhile, and another one is stopped.
    bench.clock.advance(DAY);
    fake.set_state("i-0001", "running");
    fake.add("i-0009", "stopped", &[("env", "dev")]);
    let report = elsewhere(&bench).resume(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, DONE, "{:?}", report.message);
    let of = |id: &str| report.items.iter().find(|i| i.step == "start" && *i.item.id == *id);
    assert_eq!(of("i-0001").unwrap().outcome, Outcome::Skipped);
    assert!(of("i-0001").unwrap().reason.as_ref().unwrap().contains("no longer in the list"));
    assert!(of("i-0009").is_none());
    assert_eq!(fake.instance("i-0009").unwrap().state, "stopped");
    assert_eq!(fake.instance("i-0001").unwrap().transitions, ["stopped"]);
}

#[tokio::test]
async fn without_an_approval_it_goes_on_waiting() {
    let bench = Bench::new(staged());
    let fake = Fake::with_instances(2);
    let run = first_part(&bench, &fake).await;
    let sent = fake.arrived().len();
    for _ in 0..2 {
        let error = bench.engine.resume(&run, &fake, &bench.options()).await.unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(refusal(error).contains("the rest of run"));
    }
    assert_eq!(bench.engine.show(&run).unwrap().standing, WAITS);
    assert_eq!(fake.arrived().len(), sent);
    bench.approve_rest(&run);
    let report = bench.engine.resume(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, DONE);
}

#[tokio::test]
async fn a_question_that_lapsed_is_asked_anew() {
    let bench = Bench::new(staged());
    let fake = Fake::with_instances(2);
    let run = first_part(&bench, &fake).await;
    bench.approve_rest(&run);
    let old = bench.engine.waiting(&run).unwrap().unwrap();
    bench.clock.advance(7 * DAY);
    fake.set_state("i-0000", "running");
    fake.add("i-0007", "stopped", &[("env", "dev")]);
    // The week is over: what is found now is what is asked now.
    let report = elsewhere(&bench).resume(&run, &fake, &bench.options()).await.unwrap();
    let rest = waiting(&report).clone();
    assert_ne!(rest.digest, old.digest);
    assert_eq!(items(&rest, "start"), ["i-0001", "i-0007"]);
    assert_eq!(rest.plan.part.as_ref().unwrap().number, 2);
    assert_eq!(bench.engine.approvals(&run).unwrap(), Vec::<String>::new());
    bench.approve_rest(&run);
    let report = elsewhere(&bench).resume(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, DONE, "{:?}", report.message);
    assert_eq!(fake.instance("i-0007").unwrap().state, "running");
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
}

/// Two in a row: each signs what stands below it, up to the next.
#[tokio::test]
async fn each_approval_covers_its_own_part() {
    let bench = Bench::new(twice_staged());
    let fake = Fake::with_instances(2);
    let run = first_part(&bench, &fake).await;
    let rest = bench.engine.waiting(&run).unwrap().unwrap();
    assert_eq!(rest.plan.steps.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["start", "again"]);
    assert_eq!((rest.plan.covered(), rest.plan.asks.len()), (2, 1));
    bench.approve_rest(&run);
    let report = bench.engine.resume(&run, &fake, &bench.options()).await.unwrap();
    let second = waiting(&report).clone();
    assert_eq!(second.plan.part.as_ref().unwrap().node, "approve.2");
    assert_eq!(second.plan.part.as_ref().unwrap().before, rest.digest);
    assert_eq!(items(&second, "again"), ["i-0000", "i-0001"]);
    bench.approve_rest(&run);
    let report = elsewhere(&bench).resume(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, DONE, "{:?}", report.message);
    assert_eq!(fake.instance("i-0000").unwrap().transitions, ["stopped", "running", "stopped"]);
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
    // And all of it is taken back under its approvals.
    let undone = bench.engine.undo(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(undone.standing, DONE, "{:?}", undone.message);
}

#[tokio::test]
async fn where_nothing_is_left_to_change_nobody_is_asked() {
    let mut program = staged();
    for node in &mut program.playbook.body.nodes {
        if let NodeKind::Let { name, value } = &mut node.kind
            && name == "stopped"
        {
            *value = method(value.clone(), Method::Filter, vec![lambda("m", equal(int(1), int(2)))]);
        }
    }
    let bench = Bench::new(program);
    let fake = Fake::with_instances(2);
    let report = bench.all(&fake).await;
    assert_eq!(report.standing, DONE, "{:?}", report.message);
    let log = bench.engine.audit(0).unwrap();
    assert!(log.iter().any(|e| matches!(&e.event, AuditEvent::PartStarted { approvals, .. } if approvals.is_empty())));
}

/// What is temporary stays while the run waits, and is taken back when that is cancelled.
#[tokio::test]
async fn a_waiting_run_is_cancelled_and_pays_what_is_temporary() {
    let mut program = staged();
    for node in &mut program.playbook.body.nodes {
        if let NodeKind::Step(step) = &mut node.kind
            && step.name == "stop"
        {
            step.temporary = true;
        }
    }
    let bench = Bench::new(program);
    let fake = Fake::with_instances(2);
    let run = first_part(&bench, &fake).await;
    assert_eq!(fake.instance("i-0000").unwrap().state, "stopped");
    let report = bench.engine.cancel(&run, &fake, &bench.options(), Duration::from_secs(5)).await.unwrap();
    assert_eq!(report.standing, Standing::Status(RunStatus::Cancelled));
    assert_eq!(fake.instance("i-0000").unwrap().transitions, ["stopped", "running"]);
    assert!(bench.engine.runs().unwrap()[0].owes.is_empty());
    let why = refusal(bench.engine.resume(&run, &fake, &bench.options()).await.unwrap_err());
    assert!(why.contains("has been taken back"), "{why}");
}

#[tokio::test]
async fn a_cancelled_run_that_waited_may_still_go_on() {
    let bench = Bench::new(staged());
    let fake = Fake::with_instances(2);
    let run = first_part(&bench, &fake).await;
    bench.engine.cancel(&run, &fake, &bench.options(), Duration::from_secs(5)).await.unwrap();
    assert!(bench.engine.resume(&run, &fake, &bench.options()).await.is_err(), "not without its approval");
    bench.approve_rest(&run);
    let report = bench.engine.resume(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, DONE, "{:?}", report.message);
}

#[tokio::test]
async fn a_waiting_run_is_taken_back_and_does_not_go_on() {
    let bench = Bench::new(staged());
    let fake = Fake::with_instances(2);
    let run = first_part(&bench, &fake).await;
    bench.approve_rest(&run);
    let undone = bench.engine.undo(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(count(&undone, Outcome::Done), 2);
    let sent = fake.arrived().len();
    let error = bench.engine.resume(&run, &fake, &bench.options()).await.unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(refusal(error).contains("has been taken back by"));
    assert_eq!(fake.arrived().len(), sent);
}

/// A call that hangs below the `approve`, a process that dies, and one that goes on: no second approval is asked for.
#[tokio::test]
async fn a_crash_in_the_rest_is_resumed_without_asking_again() {
    let bench = Bench::new(staged());
    let fake = Fake::with_instances(3);
    let run = first_part(&bench, &fake).await;
    bench.approve_rest(&run);
    fake.fault("start_instances", Fault::Hang);
    let options = bench.options();
    let goes_on = bench.engine.resume(&run, &fake, &options);
    assert!(tokio::time::timeout(Duration::from_millis(500), goes_on).await.is_err(), "it hangs");
    // After the question's time: it was answered in time.
    bench.clock.advance(8 * DAY);
    let report = elsewhere(&bench).resume(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, DONE, "{:?}", report.message);
    for (id, instance) in fake.instances() {
        assert_eq!(instance.transitions, ["stopped", "running"], "{id}");
    }
}

/// An IR from elsewhere in which something runs beside the question: what is approved could change meanwhile.
#[tokio::test]
async fn nothing_runs_beside_an_approval() {
    let mut program = staged();
    let beside = node("beside", &["machines"], NodeKind::Let { name: "beside".into(), value: int(1) });
    program.playbook.body.nodes.push(beside);
    let error = Bench::new(program).try_plan(&Fake::with_instances(1)).await.unwrap_err();
    assert!(
        matches!(&error, EngineError::Usage(words) if words.contains("something runs beside `approve.1`")),
        "{error}"
    );
}

/// The rest of a run finds machines in a place that no plan had: its plan adds that place behind the others, and they are
/// told apart from those of the same name.
#[tokio::test]
async fn the_rest_may_add_places() {
    // Sorted, it would come before the one that is there.
    let far = escher_ir::Target { region: "af-south-1".into(), ..place() };
    let mut program = staged();
    for node in &mut program.playbook.body.nodes {
        if let NodeKind::Let { name, value } = &mut node.kind
            && name == "stopped"
        {
            let state = equal(member(local("m"), "state"), text("stopped"));
            let found = method(describe("describe_instances.2"), Method::Filter, vec![lambda("m", state)]);
            let body = Box::new(Block { nodes: vec![], value: Some(Box::new(found)) });
            let there = Expr::With { target: Box::new(lit(Value::Target(far.clone().into()))), body };
            *value = method(value.clone(), Method::Concat, vec![there]);
        }
    }
    let bench = Bench::new(program);
    let fake = Fake::with_instances(2);
    fake.add_at("i-far", "stopped", &[], &far);
    let run = first_part(&bench, &fake).await;
    let rest = bench.engine.waiting(&run).unwrap().unwrap();
    assert_eq!(rest.plan.targets, [place(), far]);
    let numbers: Vec<_> = rest.plan.steps.last().unwrap().items.iter().map(|i| (i.item.target, &*i.item.id)).collect();
    assert_eq!(numbers, [(0, "i-0000"), (0, "i-0001"), (1, "i-far")]);
    bench.approve_rest(&run);
    let report = elsewhere(&bench).resume(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, DONE, "{:?}", report.message);
    let started: Vec<_> = report.items.iter().filter(|item| item.step == "start").collect();
    assert!(started.len() == 3 && started.iter().all(|item| item.outcome == Outcome::Done));
    assert_eq!(fake.instance("i-far").unwrap().state, "running");
    let shown = report.to_json();
    let regions: Vec<_> = shown["items"].as_array().unwrap().iter().map(|i| (&i["item"], &i["region"])).collect();
    assert!(regions.iter().any(|(id, region)| *id == "i-far" && *region == "af-south-1"), "{regions:?}");
    // Taken back, each goes back where it is.
    bench.engine.undo(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(fake.instance("i-far").unwrap().state, "stopped");
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
}
