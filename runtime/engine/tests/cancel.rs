//! A run is ended from another process: while it works, after its process died, and before it began.
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
use escher_catalog::Waiter;
use escher_engine::{RunReport, Standing};
use escher_ir::Target;
use escher_ir::audit::AuditEvent;
use escher_ir::journal::{Outcome, RunStatus};
use escher_provider::fake::{Fake, Fault};
use escher_provider::{Answer, CallError, Change, Pages, Polled, Read, Request};
use futures_util::future::BoxFuture;

const CANCELLED: Standing = Standing::Status(RunStatus::Cancelled);
const PATIENCE: Duration = Duration::from_secs(20);

/// A cloud that takes its time for each change.
struct Slow<'a>(&'a Fake);

impl Read for Slow<'_> {
    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>> {
        self.0.resolve(target)
    }
    fn read(&self, request: Request) -> Box<dyn Pages + '_> {
        self.0.read(request)
    }
    fn poll<'a>(&'a self, waiter: &'a Waiter, request: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        self.0.poll(waiter, request)
    }
}

impl Change for Slow<'_> {
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(40)).await;
            self.0.change(request).await
        })
    }
}

async fn cancel(bench: &Bench, fake: &Fake, run: &str) -> RunReport {
    // Another process: an engine of its own on the same state.
    let other = Bench::engine_on(open(&bench.state()), &bench.clock);
    other.cancel(run, fake, &bench.options(), PATIENCE).await.unwrap()
}

fn requests(bench: &Bench) -> usize {
    let log = bench.engine.audit(0).unwrap();
    log.iter().filter(|e| matches!(e.event, AuditEvent::CancelRequested { .. })).count()
}

#[tokio::test]
async fn a_process_at_work_stops_between_calls() {
    let mut one = single_step();
    one.at_once = int(1);
    let bench = Bench::new(program(vec![one]));
    let fake = Fake::with_instances(100);
    let slow = Slow(&fake);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    let options = bench.options();
    let run = bench.engine.run(&planned.run, &slow, &options);
    let asks = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel(&bench, &fake, &planned.run).await
    };
    let (ran, asked) = tokio::join!(run, asks);
    let ran = ran.unwrap();
    assert_eq!((ran.standing, asked.standing), (CANCELLED, CANCELLED));
    let done = count(&ran, Outcome::Done);
    assert!(done > 0 && done < 100, "{done}");
    assert_eq!(fake.arrived().len() as u64, done, "what was sent was finished");
    assert_eq!(done + count(&ran, Outcome::Skipped), 100);
    assert_eq!(requests(&bench), 1);
    // It goes on later: the old request is not for the process that takes it up.
    let report = bench.engine.resume(&planned.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(count(&report, Outcome::Done), 100);
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
}

#[tokio::test]
async fn a_run_whose_process_died_is_ended_and_says_what_is_in_doubt() {
    let mut one = single_step();
    one.at_once = int(1);
    let bench = Bench::new(program(vec![one]));
    let fake = Fake::with_instances(5);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    fake.fault("stop_instances", Fault::Hang);
    let options = bench.options();
    let run = bench.engine.run(&planned.run, &fake, &options);
    assert!(tokio::time::timeout(Duration::from_millis(500), run).await.is_err(), "it hangs in its first call");
    let report = cancel(&bench, &fake, &planned.run).await;
    assert_eq!(report.standing, CANCELLED);
    assert_eq!((count(&report, Outcome::Unknown), count(&report, Outcome::Skipped)), (1, 4));
    let doubtful = report.items.iter().find(|i| i.outcome == Outcome::Unknown).unwrap();
    assert!(doubtful.reason.as_ref().unwrap().contains("escher resume"), "{doubtful:?}");
    assert_eq!(fake.arrived().len(), 1, "ending it sends nothing");
    let why = refusal(bench.engine.cancel(&planned.run, &fake, &bench.options(), PATIENCE).await.unwrap_err());
    assert!(why.contains("was cancelled already"), "{why}");
    let report = bench.engine.resume(&planned.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(count(&report, Outcome::Done), 5);
    let why = refusal(bench.engine.cancel(&planned.run, &fake, &bench.options(), PATIENCE).await.unwrap_err());
    assert!(why.contains("nothing to cancel"), "{why}");
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
}

#[tokio::test]
async fn a_plan_that_was_cancelled_never_starts() {
    let bench = Bench::new(program(vec![single_step()]));
    let fake = Fake::with_instances(2);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    assert_eq!(cancel(&bench, &fake, &planned.run).await.standing, CANCELLED);
    let why = refusal(bench.engine.run(&planned.run, &fake, &bench.options()).await.unwrap_err());
    assert!(why.contains("cancelled before it began"), "{why}");
    let why = refusal(bench.engine.resume(&planned.run, &fake, &bench.options()).await.unwrap_err());
    assert!(why.contains("cancelled before it began"), "{why}");
    assert!(fake.arrived().is_empty());
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
}

#[tokio::test]
async fn a_process_at_work_pays_what_is_temporary_before_it_ends() {
    let mut one = single_step();
    (one.at_once, one.temporary) = (int(1), true);
    let bench = Bench::new(program(vec![one]));
    let fake = Fake::with_instances(40);
    let slow = Slow(&fake);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    let options = bench.options();
    let run = bench.engine.run(&planned.run, &slow, &options);
    let asks = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel(&bench, &fake, &planned.run).await
    };
    let (ran, asked) = tokio::join!(run, asks);
    assert_eq!((ran.unwrap().standing, asked.standing), (CANCELLED, CANCELLED));
    let moved: Vec<_> = fake.instances().into_values().filter(|i| !i.transitions.is_empty()).collect();
    assert!(!moved.is_empty() && moved.len() < 40, "{}", moved.len());
    assert!(moved.iter().all(|i| i.transitions == ["stopped", "running"]), "{moved:?}");
    assert!(bench.engine.runs().unwrap()[0].owes.is_empty());
}

/// What an item waits for is broken off: nothing that stands behind it is sent, and whoever goes on waits again.
#[tokio::test]
async fn a_pause_in_a_body_is_broken_off_and_kept_later() {
    use escher_ir::program::{Expr, NodeKind};
    let mut one = single_step();
    let stop = std::mem::replace(&mut one.body.value, one.undo.clone().unwrap().value).unwrap();
    one.body.nodes = vec![
        node("stop", &[], NodeKind::Do { value: *stop }),
        node("sleep.1", &["stop"], NodeKind::Sleep { duration: Expr::clone(&seconds(2)) }),
    ];
    let bench = Bench::new(program(vec![one]));
    let fake = Fake::with_instances(2);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    let options = bench.options();
    let stops = async {
        while fake.arrived().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        options.cancel.cancel();
    };
    let (ran, ()) = tokio::join!(bench.engine.run(&planned.run, &fake, &options), stops);
    let ran = ran.unwrap();
    assert_eq!((ran.standing, count(&ran, Outcome::Unknown)), (CANCELLED, 2), "{:?}", ran.items);
    assert!(fake.instances().values().all(|i| i.transitions == ["stopped"]), "nothing behind the pause was sent");
    let report = bench.engine.resume(&planned.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(count(&report, Outcome::Done), 2);
    assert!(fake.instances().values().all(|i| i.transitions == ["stopped", "running"]));
}
