//! What goes wrong beside other things: a branch of `parallel` that fails, answers that `catch` replaces; and what of the
//! terms of a plan is signed with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::*;
use escher_engine::{PlanOptions, Planned, Standing};
use escher_ir::journal::{Outcome, RunStatus};
use escher_ir::plan::Replaced;
use escher_ir::program::*;
use escher_ir::{Target, Value};
use escher_provider::fake::{Fake, Fault};
use escher_provider::{CallError, ErrorKind, Sent};

/// Two steps side by side: `stop` has the first machine, `other` has those after it.
fn side_by_side() -> Program {
    let part = |name: &str, method_: Method| {
        let mut step = single_step();
        let each = step.each.as_mut().unwrap();
        each.list = method(local("machines"), method_, vec![int(1)]);
        (step.name, step.at_once) = (name.into(), int(1));
        step
    };
    let mut program = program(vec![part("stop", Method::Take), part("other", Method::Skip)]);
    for node in &mut program.playbook.body.nodes {
        match node.id.as_str() {
            "other" => node.after = vec!["machines".into(), "require.1".into()],
            "report.1" => node.after = vec!["stop".into(), "other".into()],
            _ => {}
        }
    }
    program
}

#[tokio::test]
async fn a_branch_that_fails_lets_what_is_in_flight_beside_it_end_and_nothing_begin() {
    let bench = Bench::new(side_by_side());
    let mut fake = Fake::with_instances(40);
    fake.delay = Duration::from_millis(20);
    fake.deny("i-0000");
    let report = bench.all(&fake).await;
    assert_eq!(report.standing, Standing::Status(RunStatus::Failed));
    assert!(report.message.as_ref().unwrap().contains("step `stop`: 1 items failed"), "{:?}", report.message);
    let other: Vec<_> = report.items.iter().filter(|item| item.step == "other").collect();
    assert_eq!(other.len(), 39, "each has its outcome");
    let done = other.iter().filter(|item| item.outcome == Outcome::Done).count();
    // One was in flight when the other branch failed, and ended; a second may have begun while that was noticed.
    assert!((1..=3).contains(&done), "{done}");
    let skipped = other.iter().filter(|item| item.reason.as_deref() == Some("not reached: the run had failed"));
    assert_eq!(skipped.count(), 39 - done);
    let sent = fake.arrived().into_iter().filter(|call| !call.refused);
    let mut sent: Vec<_> = sent.flat_map(|call| call.ids).collect();
    sent.sort();
    let told: Vec<_> = other.iter().filter(|i| i.outcome == Outcome::Done).map(|i| i.item.id.to_string()).collect();
    assert_eq!(sent, told, "what was sent is what is told");
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
}

#[tokio::test]
async fn branches_that_go_well_are_all_gone_through() {
    let bench = Bench::new(side_by_side());
    let fake = Fake::with_instances(12);
    let report = bench.all(&fake).await;
    assert_eq!((report.standing, count(&report, Outcome::Done)), (Standing::Status(RunStatus::Done), 12));
    assert!(fake.instances().values().all(|machine| machine.transitions == ["stopped"]));
}

fn denied() -> Fault {
    Fault::Error(CallError {
        code: Some("UnauthorizedOperation".into()),
        request_id: Some("req-1".into()),
        sent: Sent::Refused,
        ..CallError::unsent(ErrorKind::Denied, "not for you")
    })
}

/// Before anything else, `extra` is read, and where that is denied there is none.
fn catching() -> Program {
    let mut program = program(vec![single_step()]);
    let mut call = call("describe_instances", "describe_instances", vec![], false);
    let none = lit(Value::record([("instances", Value::list(Vec::new()))]));
    call.catch = vec![CatchArm {
        patterns: vec![CatchPattern::Kind("denied".into())],
        outcome: CatchOutcome::Value(Box::new(none)),
    }];
    let extra = member(Expr::Call(std::sync::Arc::new(call)), "instances");
    let nodes = &mut program.playbook.body.nodes;
    nodes[0].after.push("extra".into());
    nodes.insert(0, node("extra", &[], NodeKind::Let { name: "extra".into(), value: extra }));
    program
}

#[tokio::test]
async fn answers_that_catch_replaced_are_listed_in_plan_and_report() {
    let bench = Bench::new(catching());
    let fake = Fake::with_instances(2);
    let whole = bench.plan(&fake).await;
    assert!(whole.plan.replaced.is_empty());
    fake.fault("describe_instances", denied());
    let planned = bench.plan(&fake).await;
    let wanted = vec![Replaced {
        path: "extra/describe_instances".into(),
        kind: "denied".into(),
        code: Some("UnauthorizedOperation".into()),
    }];
    assert_eq!(planned.plan.replaced, wanted);
    assert_ne!(planned.digest, whole.digest, "it is part of what is signed");
    let shown = escher_engine::plan_json(&planned);
    assert_eq!(shown["replaced"][0]["path"], "extra/describe_instances");
    assert_eq!(shown["replaced"][0]["kind"], "denied");
    // The run asks again: what is replaced then is what is told of it, here and from the journal.
    for refused in [true, false] {
        let run = bench.plan(&fake).await.run;
        bench.approve(&run);
        if refused {
            fake.fault("describe_instances", denied());
            bench.clock.advance(31);
        }
        let report = bench.engine.run(&run, &fake, &bench.options()).await.unwrap();
        assert_eq!(report.standing, Standing::Status(RunStatus::Done), "{:?}", report.message);
        assert_eq!(report.replaced, if refused { wanted.clone() } else { Vec::new() });
        assert_eq!(bench.engine.show(&run).unwrap(), report);
        assert_eq!(report.to_json()["replaced"].as_array().unwrap().len(), usize::from(refused));
        for id in ["i-0000", "i-0001"] {
            fake.set_state(id, "running");
        }
    }
}

#[tokio::test]
async fn how_old_a_reading_may_be_is_signed_with_the_plan() {
    let bench = Bench::new(program(vec![single_step()]));
    let fake = Fake::with_instances(1);
    let plan = async |seconds: u64| -> Planned {
        let mut options = PlanOptions::new("otto", Target { cloud: "aws".into(), ..Target::default() });
        options.recheck_after = Duration::from_secs(seconds);
        bench.engine.plan(bench.program.clone(), BTreeMap::new(), &fake, &options).await.unwrap()
    };
    let (short, long, again) = (plan(10).await, plan(600).await, plan(10).await);
    assert_eq!(short.digest, again.digest);
    assert_ne!(short.digest, long.digest);
    assert_eq!((short.plan.recheck_after_ms, long.plan.recheck_after_ms), (Some(10_000), Some(600_000)));
    // And it is what holds: after five minutes only the short one reads again before it changes anything.
    for (planned, reads) in [(long, 1), (short, 2)] {
        bench.approve(&planned.run);
        bench.clock.advance(300);
        let before = fake.reads();
        let report = bench.engine.run(&planned.run, &fake, &bench.options()).await.unwrap();
        assert_eq!(count(&report, Outcome::Done), 1);
        // The last one looks how the step left the machines.
        assert_eq!(fake.reads() - before, reads);
        fake.set_state("i-0000", "running");
    }
}
