//! Plans, approvals and runs against the fake cloud.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use std::time::Duration;

use common::*;
use escher_engine::{Cancel, Standing, plan_json};
use escher_ir::Value;
use escher_ir::journal::{Outcome, RunStatus};
use escher_ir::program::*;
use escher_provider::fake::{Fake, Fault, place};
use escher_provider::{CallError, ErrorKind, Sent};

fn error(kind: ErrorKind, sent: Sent) -> CallError {
    CallError { sent, ..CallError::unsent(kind, "made up") }
}

#[tokio::test]
async fn five_hundred_in_batches_of_a_hundred() {
    let bench = Bench::new(program(vec![batch_step(100)]));
    let fake = Fake::with_instances(500);
    let begin = std::time::Instant::now();
    let report = bench.all(&fake).await;
    eprintln!("plan + approve + run of 500: {:?}", begin.elapsed());
    assert_eq!(report.standing, Standing::Status(RunStatus::Done));
    assert_eq!(count(&report, Outcome::Done), 500);
    assert_eq!(report.value, Some(Value::Int(500)));
    assert_eq!(report.report.len(), 1);
    assert_eq!(fake.arrived().len(), 5);
    // The plan's reading is young enough; one more after the step, for its undo.
    assert_eq!(fake.reads(), 2);
    assert!(fake.instances().values().all(|i| i.transitions == ["stopped"]));
    let verdict = bench.engine.verify_audit().unwrap();
    assert!(verdict.problems.is_empty(), "{verdict:?}");
    assert!(verdict.entries >= 8);
    let json = report.to_json();
    assert_eq!(json["schema"], "escher.run/1");
    assert_eq!(json["totals"]["done"], 500);
    assert_eq!(json["items"][0]["request_id"], "req-stop_instances");
    assert_eq!(bench.engine.runs().unwrap().len(), 1);
}

#[tokio::test]
async fn a_plan_changes_nothing_and_is_the_same_twice() {
    let bench = Bench::new(program(vec![batch_step(2)]));
    let fake = Fake::with_instances(3);
    fake.add("i-prod", "running", &[("env", "prod")]);
    let (a, b) = (bench.plan(&fake).await, bench.plan(&fake).await);
    assert!(fake.arrived().is_empty());
    assert_eq!(a.digest, b.digest);
    assert_ne!(a.run, b.run);
    let json = plan_json(&a);
    assert_eq!(json["schema"], "escher.plan/1");
    assert_eq!(json["blast_radius"], 3);
    assert_eq!(json["calls"].as_array().unwrap().len(), 3);
    assert_eq!(json["calls"][0]["arguments"]["instance_ids"][0], "i-0000");
    assert_eq!(json["calls"][0]["marks"]["instance_ids"], "item");
    assert_eq!(json["calls"][0]["account"], "123456789012");
    assert_eq!(json["approval"]["by"], "manager");
    // The file says what is stored, byte for byte of meaning.
    assert_eq!(bench.engine.verify_plan_file(&json).unwrap().digest, a.digest);
    for (pointer, field) in [
        ("/calls/0/arguments/instance_ids/0", "calls[0].arguments.instance_ids[0]"),
        ("/blast_radius", "blast_radius"),
        ("/approval/of", "approval.of"),
    ] {
        let mut edited = json.clone();
        *edited.pointer_mut(pointer).unwrap() = serde_json::json!("other");
        let why = refusal(bench.engine.verify_plan_file(&edited).unwrap_err());
        assert!(why.contains(field), "{why}");
    }
}

#[tokio::test]
async fn refusals_come_before_the_first_call() {
    let mut step = single_step();
    step.max = vec![Bound { value: int(2), of: None, per: None }];
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(3);
    let error = bench.try_plan(&fake).await.unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(refusal(error).contains("3 items"));
    // A `require` that does not hold.
    let error = bench.try_plan(&Fake::with_instances(0)).await.unwrap_err();
    assert_eq!(refusal(error), "nothing is running");
    // Twice the same identity.
    let mut step = single_step();
    step.each.as_mut().unwrap().list = method(local("machines"), Method::Concat, vec![local("machines")]);
    let bench = Bench::new(program(vec![step]));
    let error = bench.try_plan(&Fake::with_instances(1)).await.unwrap_err();
    assert!(refusal(error).contains("twice"));
    assert!(bench.engine.verify_audit().unwrap().entries == 1);
}

#[tokio::test]
async fn the_set_may_shrink_and_never_grows() {
    let bench = Bench::new(program(vec![batch_step(10)]));
    let fake = Fake::with_instances(4);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    fake.set_state("i-0001", "stopped");
    fake.add("i-new", "running", &[("env", "dev")]);
    bench.clock.advance(31);
    let report = bench.engine.run(&planned.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, Standing::Status(RunStatus::Done));
    assert_eq!((count(&report, Outcome::Done), count(&report, Outcome::Skipped)), (3, 1));
    let skipped = report.items.iter().find(|i| i.outcome == Outcome::Skipped).unwrap();
    assert!(skipped.reason.as_ref().unwrap().starts_with("changed"));
    assert_eq!(fake.instance("i-new").unwrap().state, "running");
    assert_eq!(fake.arrived()[0].ids, ["i-0000", "i-0002", "i-0003"]);
}

#[tokio::test]
async fn a_require_that_fails_later_starts_nothing() {
    let bench = Bench::new(program(vec![single_step()]));
    let fake = Fake::with_instances(1);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    fake.set_state("i-0000", "stopped");
    bench.clock.advance(31);
    let report = bench.engine.run(&planned.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, Standing::Status(RunStatus::Failed));
    assert_eq!(report.message.as_deref(), Some("nothing is running"));
    assert_eq!(count(&report, Outcome::Skipped), 1);
    assert!(fake.arrived().is_empty());
}

#[tokio::test]
async fn a_bad_item_does_not_spoil_its_batch() {
    let mut step = batch_step(8);
    step.tolerate = Some(int(1));
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(8);
    fake.deny("i-0005");
    let report = bench.all(&fake).await;
    assert_eq!(report.standing, Standing::Status(RunStatus::DoneWithFailures));
    assert_eq!(report.exit_code(), 4);
    assert_eq!((count(&report, Outcome::Done), count(&report, Outcome::Denied)), (7, 1));
    assert!(fake.instances().values().all(|i| i.transitions.len() <= 1));
}

#[tokio::test]
async fn more_failures_than_tolerated_stop_the_step() {
    let mut step = single_step();
    step.at_once = int(1);
    step.tolerate = Some(lit(Value::Percent("20".parse().unwrap())));
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(10);
    for id in ["i-0000", "i-0001", "i-0002"] {
        fake.deny(id);
    }
    let report = bench.all(&fake).await;
    assert_eq!(report.standing, Standing::Status(RunStatus::Failed));
    assert_eq!((count(&report, Outcome::Denied), count(&report, Outcome::Skipped)), (3, 7));
    assert_eq!(report.exit_code(), 1);
}

#[tokio::test]
async fn transient_refusals_are_tried_again() {
    let mut step = single_step();
    step.retry = int(3);
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(1);
    fake.fault("stop_instances", Fault::Error(error(ErrorKind::Throttled, Sent::Refused)));
    // It left, and nobody knows; stopping twice is stopping once, so it may be sent again.
    fake.fault("stop_instances", Fault::Error(error(ErrorKind::Timeout, Sent::Maybe)));
    let report = bench.all(&fake).await;
    assert_eq!(count(&report, Outcome::Done), 1);
    assert_eq!(fake.instance("i-0000").unwrap().transitions, ["stopped"]);
}

#[tokio::test]
async fn what_may_not_be_repeated_is_not() {
    let mut step = single_step();
    step.retry = int(5);
    *body_call(&mut step) = call("copy", "create_copy", vec![("source", member(local("m"), "instance_id"))], true);
    let bench = Bench::new(program(vec![step.clone()]));
    let fake = Fake::with_instances(1);
    fake.fault("create_copy", Fault::Error(error(ErrorKind::Unreachable, Sent::Maybe)));
    let report = bench.all(&fake).await;
    assert_eq!(count(&report, Outcome::Unknown), 1);
    assert_eq!(fake.instances().len(), 2);
    // With a probe, what it finds takes the place of the answer.
    let source = Expr::Index { base: Box::new(member(local("c"), "tags")), index: Box::new(text("source")) };
    let mine = equal(source, member(local("m"), "instance_id"));
    let probe = method(describe("probe_list"), Method::Filter, vec![lambda("c", mine)]);
    body_call(&mut step).probe = Some(Box::new(method(probe, Method::First, vec![])));
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(1);
    fake.fault("create_copy", Fault::Error(error(ErrorKind::Unreachable, Sent::Maybe)));
    let report = bench.all(&fake).await;
    assert_eq!(count(&report, Outcome::Done), 1);
    assert_eq!(fake.instances().len(), 2);
    // Where it finds nothing, it did not arrive: sent again.
    let fake = Fake::with_instances(1);
    fake.fault("create_copy", Fault::Error(error(ErrorKind::Unreachable, Sent::No)));
    let report = bench.all(&fake).await;
    assert_eq!(count(&report, Outcome::Done), 1);
    assert_eq!(fake.instances().len(), 2);
}

#[tokio::test]
async fn catch_gives_outcomes() {
    for (outcome, expected) in [
        (CatchOutcome::Skip, Outcome::Skipped),
        (CatchOutcome::Done, Outcome::Done),
        (CatchOutcome::Fail, Outcome::Failed),
        (CatchOutcome::Undo, Outcome::Failed),
    ] {
        let mut step = single_step();
        step.tolerate = None;
        let patterns = vec![CatchPattern::Kind("denied".into())];
        body_call(&mut step).catch = vec![CatchArm { patterns, outcome }];
        let bench = Bench::new(program(vec![step]));
        let fake = Fake::with_instances(2);
        fake.deny("i-0001");
        let report = bench.all(&fake).await;
        let item = report.items.iter().find(|i| *i.item.id == *"i-0001").unwrap();
        assert_eq!(item.outcome, expected);
        assert_eq!(
            count(&report, Outcome::Done) + count(&report, Outcome::Skipped) + count(&report, Outcome::Failed),
            2
        );
    }
}

#[tokio::test]
async fn items_that_are_out_stay_out() {
    let mut first = single_step();
    first.tolerate = None;
    let mut second = single_step();
    second.name = "again".into();
    let bench = Bench::new(program(vec![first, second]));
    let fake = Fake::with_instances(3);
    fake.deny("i-0001");
    let report = bench.all(&fake).await;
    let of = |step: &str, id: &str| {
        report.items.iter().find(|i| i.step == step && *i.item.id == *id).map(|i| i.outcome).unwrap()
    };
    assert_eq!(of("stop", "i-0001"), Outcome::Denied);
    assert_eq!(of("again", "i-0001"), Outcome::Skipped);
    assert_eq!(of("again", "i-0000"), Outcome::Done);
    assert_eq!(report.items.len(), 6);
}

#[tokio::test]
async fn when_and_unless_are_asked_for_each() {
    let mut step = batch_step(10);
    let first = Expr::Index { base: Box::new(local("batch")), index: Box::new(int(0)) };
    step.unless = Some(equal(member(first, "instance_id"), text("i-0002")));
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(4);
    let report = bench.all(&fake).await;
    assert_eq!((count(&report, Outcome::Done), count(&report, Outcome::Unchanged)), (3, 1));
    assert_eq!(fake.arrived()[0].ids.len(), 3);
}

#[tokio::test]
async fn a_batch_has_one_target() {
    let bench = Bench::new(program(vec![batch_step(100)]));
    let other = escher_ir::Target { region: "us-east-1".into(), ..place() };
    let fake = Fake::with_instances(4);
    fake.add_at("i-far", "running", &[("env", "dev")], &other);
    // Only the ambient place is read, so the far one is not even seen.
    let report = bench.all(&fake).await;
    assert_eq!(count(&report, Outcome::Done), 4);
    assert_eq!(fake.instance("i-far").unwrap().state, "running");
}

#[tokio::test]
async fn a_batch_call_that_reaches_further_is_refused() {
    let mut step = batch_step(2);
    // The body names a machine which is no item as soon as the batch has two.
    let size = method(local("batch"), Method::Count, vec![]);
    let two = Expr::Binary(BinaryOp::Greater, Box::new(size), Box::new(int(1)));
    let more = method(batch_ids(), Method::Concat, vec![Expr::List(vec![text("i-prod")])]);
    let block = |e: Expr| Box::new(Block { nodes: vec![], value: Some(Box::new(e)) });
    let ids = Expr::If { condition: Box::new(two), then: block(more), otherwise: Some(block(batch_ids())) };
    body_call(&mut step).arguments.insert("instance_ids".into(), ids);
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(2);
    fake.add("i-prod", "running", &[("env", "prod")]);
    let report = bench.all(&fake).await;
    assert_eq!(count(&report, Outcome::Failed), 2);
    assert!(report.items[0].reason.as_ref().unwrap().contains("touches more than its items"));
    assert!(fake.arrived().is_empty());
}

#[tokio::test]
async fn a_cancelled_run_goes_on_later() {
    let mut step = single_step();
    step.at_once = int(1);
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(5);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    let mut options = bench.options();
    struct StopAfter(Cancel);
    impl escher_engine::Progress for StopAfter {
        fn event(&self, event: escher_engine::ProgressEvent<'_>) {
            if let escher_engine::ProgressEvent::ItemEnded { .. } = event {
                self.0.cancel();
            }
        }
    }
    options.progress = std::sync::Arc::new(StopAfter(options.cancel.clone()));
    let report = bench.engine.run(&planned.run, &fake, &options).await.unwrap();
    assert_eq!(report.standing, Standing::Status(RunStatus::Cancelled));
    assert_eq!(report.exit_code(), 130);
    assert_eq!((count(&report, Outcome::Done), count(&report, Outcome::Skipped)), (1, 4));
    assert!(report.message.unwrap().contains("escher resume"));
    let report = bench.engine.resume(&planned.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(report.standing, Standing::Status(RunStatus::Done));
    assert_eq!(count(&report, Outcome::Done), 5);
    assert!(fake.instances().values().all(|i| i.transitions == ["stopped"]));
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
}

#[tokio::test]
async fn undo_takes_back_once_what_is_as_it_was_left() {
    let mut step = batch_step(2);
    step.at_once = int(1);
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(5);
    let report = bench.all(&fake).await;
    // Somebody has started one of them since.
    fake.set_state("i-0003", "running");
    let undone = bench.engine.undo(&report.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(undone.undo_of.as_deref(), Some(&*report.run));
    assert_eq!((count(&undone, Outcome::Done), count(&undone, Outcome::Skipped)), (4, 1));
    let starts: Vec<_> = fake.arrived().into_iter().filter(|a| a.operation == "start_instances").collect();
    assert_eq!(starts[0].ids, ["i-0004"], "newest first");
    assert!(fake.instances().values().all(|i| i.state == "running"));
    assert_eq!(fake.instance("i-0003").unwrap().transitions, ["stopped"]);
    // A second time there is nothing left.
    let again = bench.engine.undo(&report.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(count(&again, Outcome::Done), 0);
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
    // After the approval has ended it no longer covers it.
    bench.clock.advance(90_000);
    let error = bench.engine.undo(&report.run, &fake, &bench.options()).await.unwrap_err();
    assert!(refusal(error).contains("does not cover"));
}

#[tokio::test]
async fn two_processes_never_run_one_run() {
    let bench = Bench::new(program(vec![single_step()]));
    let fake = Fake::with_instances(1);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    let name = format!("run/{}", planned.run);
    let now = escher_engine::Clock::now(&bench.clock);
    let lease = bench.engine.store().acquire(&name, now, Duration::from_secs(15)).unwrap();
    let error = bench.engine.run(&planned.run, &fake, &bench.options()).await.unwrap_err();
    assert!(refusal(error).contains("another process"));
    bench.engine.store().release(&lease).unwrap();
    bench.engine.run(&planned.run, &fake, &bench.options()).await.unwrap();
    let error = bench.engine.run(&planned.run, &fake, &bench.options()).await.unwrap_err();
    assert!(refusal(error).contains("starts once"));
}
