//! `max of` and `max per`: judged when the plan is made, and when a step begins whose items nobody knew before.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod common;

use common::*;
use escher_engine::Standing;
use escher_ir::Value;
use escher_ir::journal::{Outcome, RunStatus};
use escher_ir::program::*;
use escher_provider::fake::Fake;

fn percent(text: &str) -> Expr {
    lit(Value::Percent(text.parse().unwrap()))
}

/// All machines, running or not.
fn fleet() -> Expr {
    describe("describe_instances.2")
}

fn env() -> Expr {
    let env = Expr::Index { base: Box::new(member(local("m"), "tags")), index: Box::new(text("team")) };
    lambda("m", env)
}

/// A program whose step has this bound, with the name `fleet` in scope.
fn bounded(bound: Bound) -> Program {
    let mut step = single_step();
    step.max = vec![Bound { value: int(100), of: None, per: None }, bound];
    let mut program = program(vec![step]);
    let nodes = &mut program.playbook.body.nodes;
    nodes.insert(0, node("fleet", &[], NodeKind::Let { name: "fleet".into(), value: fleet() }));
    let step = nodes.iter_mut().find(|node| node.id == "stop").unwrap();
    step.after.push("fleet".into());
    program
}

/// So many machines that run, and so many that do not.
fn machines(running: usize, stopped: usize) -> Fake {
    let fake = Fake::with_instances(running);
    for n in 0..stopped {
        fake.add(&format!("i-s{n:03}"), "stopped", &[("env", "dev")]);
    }
    fake
}

#[tokio::test]
async fn a_part_of_a_whole_is_of_that_whole() {
    let bench = Bench::new(bounded(Bound { value: percent("30"), of: Some(local("fleet")), per: None }));
    // 30% of ten machines are three, of nine are two.
    let planned = bench.plan(&machines(3, 7)).await;
    assert_eq!(planned.plan.steps[0].max, 3);
    for (running, stopped, max) in [(4, 6, 3), (3, 6, 2), (1, 1, 0)] {
        let refused = refusal(bench.try_plan(&machines(running, stopped)).await.unwrap_err());
        let words = format!("step `stop` has {running} items, and its `max` is {max}");
        assert!(refused.starts_with(&words), "{refused}");
    }
    let report = bench.all(&machines(3, 7)).await;
    assert_eq!(count(&report, Outcome::Done), 3);
}

#[tokio::test]
async fn each_value_is_counted_apart() {
    let bench = Bench::new(bounded(Bound { value: int(2), of: None, per: Some(env()) }));
    let of_teams = |teams: &[&str]| {
        let fake = Fake::with_instances(0);
        for (n, team) in teams.iter().enumerate() {
            fake.add(&format!("i-{n:04}"), "running", &[("env", "dev"), ("team", team)]);
        }
        fake
    };
    let report = bench.all(&of_teams(&["a", "b", "a", "b", "c"])).await;
    assert_eq!(count(&report, Outcome::Done), 5);
    let refused = refusal(bench.try_plan(&of_teams(&["a", "b", "a", "b", "b"])).await.unwrap_err());
    assert!(refused.starts_with("step `stop` at `b` has 3 items, and its `max` is 2"), "{refused}");
}

/// Below a step, `max` of what that step did is known only when the next one begins: then nothing of it is sent.
#[tokio::test]
async fn what_is_known_only_then_is_judged_then() {
    let of = |value: Expr, of: Option<Expr>, per: Option<Expr>| {
        let mut program = staged();
        let nodes = &mut program.playbook.body.nodes;
        // Nobody is asked between the two.
        nodes.retain(|node| node.id != "approve.1");
        for node in nodes.iter_mut() {
            node.after.iter_mut().filter(|after| *after == "approve.1").for_each(|after| *after = "stopped".into());
            if let NodeKind::Step(step) = &mut node.kind
                && step.name == "start"
            {
                step.max.push(Bound { value: value.clone(), of: of.clone(), per: per.clone() });
            }
        }
        Bench::new(program)
    };
    let found = || Some(local("stopped"));
    let by_env = || Some(lambda("m", member(local("m"), "state")));
    for (bench, max) in [(of(percent("50"), found(), None), 2), (of(int(3), None, by_env()), 3)] {
        let fake = Fake::with_instances(4);
        let planned = bench.plan(&fake).await;
        assert_eq!(planned.plan.steps[1].up_to, Some(100), "not known yet");
        let report = bench.all(&fake).await;
        assert_eq!(report.standing, Standing::Status(RunStatus::Failed));
        let message = report.message.unwrap();
        assert!(message.contains(&format!("has 4 items, and its `max` is {max}")), "{message}");
        assert!(fake.arrived().iter().all(|call| call.operation == "stop_instances"), "{:?}", fake.arrived());
    }
    let report = of(percent("100"), found(), None).all(&Fake::with_instances(4)).await;
    assert_eq!((report.standing, count(&report, Outcome::Done)), (Standing::Status(RunStatus::Done), 8));
}
