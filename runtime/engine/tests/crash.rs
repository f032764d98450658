//! The world stops after each write of the journal in turn; a resume must miss nothing and do nothing twice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use common::*;
use escher_engine::{Commit, EngineError, Head, Lease, SqliteStore, Standing, StateStore, StoreError, StoredSegment};
use escher_ir::Digest;
use escher_ir::journal::{Outcome, RunStatus};
use escher_ir::program::*;
use escher_provider::fake::Fake;
use jiff::Timestamp;

/// A store that is cut off after so many commits.
struct Dying {
    inner: SqliteStore,
    left: AtomicI64,
    /// No room instead.
    full: bool,
}

impl Dying {
    fn alive(&self) -> Result<(), StoreError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Ok(());
        }
        Err(match self.full {
            true => StoreError::Full { path: "test".into() },
            false => StoreError::Other { path: "test".into(), reason: "the power is out".into() },
        })
    }
}

impl StateStore for Dying {
    fn id(&self) -> &str {
        self.inner.id()
    }
    fn head(&self, stream: &str) -> Result<Head, StoreError> {
        self.inner.head(stream)
    }
    fn commit(&self, commit: &Commit) -> Result<Vec<Head>, StoreError> {
        self.alive()?;
        self.inner.commit(commit)
    }
    fn read(&self, stream: &str, from: u64) -> Result<Vec<StoredSegment>, StoreError> {
        self.inner.read(stream, from)
    }
    fn streams(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.inner.streams(prefix)
    }
    fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(digest)
    }
    fn acquire(&self, name: &str, now: Timestamp, time: Duration) -> Result<Lease, StoreError> {
        self.inner.acquire(name, now, time)
    }
    // A process that is gone gives nothing back.
    fn release(&self, _: &Lease) -> Result<(), StoreError> {
        Ok(())
    }
    fn holder(&self, name: &str, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.inner.holder(name, now)
    }
}

fn dying(path: &Path, commits: i64) -> Arc<dyn StateStore> {
    Arc::new(Dying { inner: SqliteStore::open(path).unwrap(), left: AtomicI64::new(commits), full: false })
}

/// Crashes a run after each number of commits, resumes it, and checks the world. Gives the number of crashes.
async fn crash_everywhere(program: Program, machines: usize, check: impl Fn(&Fake, &str)) -> i64 {
    for commits in 0.. {
        let bench = Bench::new(program.clone());
        let fake = Fake::with_instances(machines);
        let planned = bench.plan(&fake).await;
        bench.approve(&planned.run);
        let engine = Bench::engine_on(dying(&bench.state(), commits), &bench.clock);
        let result = engine.run(&planned.run, &fake, &bench.options()).await;
        drop(engine);
        if let Ok(report) = result {
            assert_eq!(report.standing, Standing::Status(RunStatus::Done));
            return commits;
        }
        // The lease of the dead process runs out, and what was read is too old to act on.
        bench.clock.advance(45);
        let at = format!("after {commits} commits");
        let shown = bench.engine.show(&planned.run).unwrap();
        let report = match shown.standing {
            Standing::Status(RunStatus::Planned) => bench.engine.run(&planned.run, &fake, &bench.options()).await,
            Standing::Interrupted => bench.engine.resume(&planned.run, &fake, &bench.options()).await,
            // All was written but the answer to the last write.
            Standing::Status(RunStatus::Done) => Ok(shown),
            other => panic!("{at}: {other:?}"),
        };
        let report = report.unwrap_or_else(|e| panic!("{at}: {e}"));
        assert_eq!(report.standing, Standing::Status(RunStatus::Done), "{at}: {:?}", report.message);
        assert_eq!(count(&report, Outcome::Done), machines as u64, "{at}: {:?}", report.items);
        assert_eq!(report.items.len(), machines, "{at}: one outcome each");
        let verdict = bench.engine.verify_audit().unwrap();
        assert!(verdict.problems.is_empty(), "{at}: {:?}", verdict.problems);
        check(&fake, &at);
    }
    0
}

#[tokio::test]
async fn batches_survive_every_crash() {
    let crashes = crash_everywhere(program(vec![batch_step(3)]), 7, |fake, at| {
        for (id, instance) in fake.instances() {
            assert_eq!(instance.transitions, ["stopped"], "{at}: {id}");
        }
    })
    .await;
    assert!(crashes >= 4, "{crashes}");
}

/// A batch that is refused is split; its process dies between the halves. Each half goes on once, by itself.
#[tokio::test]
async fn halves_of_a_refused_batch_survive_every_crash() {
    let (mut seen, mut halves) = (0, 0);
    for commits in 0..40 {
        let mut step = batch_step(4);
        (step.tolerate, step.at_once) = (Some(int(8)), int(3));
        let bench = Bench::new(program(vec![step]));
        let fake = Fake::with_instances(8);
        fake.deny("i-0001");
        let planned = bench.plan(&fake).await;
        bench.approve(&planned.run);
        let engine = Bench::engine_on(dying(&bench.state(), commits), &bench.clock);
        let ended = engine.run(&planned.run, &fake, &bench.options()).await.is_ok();
        drop(engine);
        if ended {
            break;
        }
        bench.clock.advance(45);
        let shown = bench.engine.show(&planned.run).unwrap();
        let report = match shown.standing {
            Standing::Status(RunStatus::Planned) => bench.engine.run(&planned.run, &fake, &bench.options()).await,
            Standing::Interrupted => bench.engine.resume(&planned.run, &fake, &bench.options()).await,
            _ => Ok(shown),
        };
        let report = report.unwrap_or_else(|e| panic!("after {commits} commits: {e}"));
        assert_eq!(bench.engine.show(&planned.run).unwrap(), report, "after {commits} commits");
        assert_eq!(report.items.len(), 8, "after {commits} commits: one outcome each");
        for item in &report.items {
            let moves = fake.instance(&item.item.id).unwrap().transitions;
            let right = match item.outcome {
                Outcome::Done => moves == ["stopped"],
                // What was in flight when the process died, and was refused then.
                Outcome::Unknown => moves.len() <= 1,
                _ => moves.is_empty(),
            };
            assert!(right, "after {commits} commits: {item:?} {moves:?}");
        }
        halves += u64::from(count(&report, Outcome::Done) == 7);
        seen += 1;
    }
    assert!(seen >= 6 && halves >= 2, "{seen} {halves}");
}

#[tokio::test]
async fn single_items_survive_every_crash() {
    let mut step = single_step();
    step.at_once = int(1);
    let crashes = crash_everywhere(program(vec![step]), 4, |fake, at| {
        for (id, instance) in fake.instances() {
            assert_eq!(instance.transitions, ["stopped"], "{at}: {id}");
        }
    })
    .await;
    assert!(crashes >= 5, "{crashes}");
}

/// Two calls in a body, the first with a token: no second resource, whatever crashes.
#[tokio::test]
async fn tokens_make_no_second_resource() {
    let mut step = single_step();
    let create = call("run_instance", "run_instance", vec![("source", member(local("m"), "instance_id"))], true);
    let stop = step.body.value.take().unwrap();
    step.body.nodes = vec![
        node("made", &[], NodeKind::Let { name: "made".into(), value: Expr::Call(Arc::new(create)) }),
        node("do.1", &["made"], NodeKind::Do { value: *stop }),
    ];
    step.body.value = Some(Box::new(member(local("made"), "instance_id")));
    crash_everywhere(program(vec![step]), 2, |fake, at| {
        assert_eq!(fake.instances().len(), 4, "{at}: {:?}", fake.arrived());
    })
    .await;
}

/// A call that may not be repeated, with a probe: found again after a crash.
#[tokio::test]
async fn probes_find_what_a_crash_left() {
    let mut step = single_step();
    let source = Expr::Index { base: Box::new(member(local("c"), "tags")), index: Box::new(text("source")) };
    let mine = equal(source, member(local("m"), "instance_id"));
    let probe = method(describe("probe_list"), Method::Filter, vec![lambda("c", mine)]);
    let mut create = call("copy", "create_copy", vec![("source", member(local("m"), "instance_id"))], true);
    create.probe = Some(Box::new(method(probe, Method::First, vec![])));
    *body_call(&mut step) = create;
    crash_everywhere(program(vec![step]), 2, |fake, at| {
        assert_eq!(fake.instances().len(), 4, "{at}: {:?}", fake.arrived());
    })
    .await;
}

/// Without either, nobody knows: the item ends `unknown`, and is not sent again.
#[tokio::test]
async fn what_cannot_be_told_ends_unknown() {
    let mut step = single_step();
    step.tolerate = None;
    *body_call(&mut step) = call("copy", "create_copy", vec![("source", member(local("m"), "instance_id"))], true);
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(1);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    // Start, intent; then the answer can't be written any more.
    let engine = Bench::engine_on(dying(&bench.state(), 2), &bench.clock);
    assert!(engine.run(&planned.run, &fake, &bench.options()).await.is_err());
    assert_eq!(fake.instances().len(), 2, "the call went out");
    bench.clock.advance(16);
    let report = bench.engine.resume(&planned.run, &fake, &bench.options()).await.unwrap();
    assert_eq!(count(&report, Outcome::Unknown), 1);
    assert_eq!(fake.instances().len(), 2);
}

/// Whoever lost the lease sends nothing more, even after having slept.
#[tokio::test]
async fn a_sleeper_sends_nothing() {
    let bench = Bench::new(program(vec![single_step()]));
    let fake = Fake::with_instances(3);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    struct Thief {
        store: Arc<dyn StateStore>,
        run: String,
        clock: TestClock,
    }
    impl escher_engine::Progress for Thief {
        fn event(&self, event: escher_engine::ProgressEvent<'_>) {
            // The machine sleeps as the first item begins, and another process takes the run over meanwhile.
            if let escher_engine::ProgressEvent::ItemStarted { .. } = event {
                self.clock.advance(60);
                let now = escher_engine::Clock::now(&self.clock);
                let _ = self.store.acquire(&format!("run/{}", self.run), now, Duration::from_secs(15));
            }
        }
    }
    let mut options = bench.options();
    let store = open(&bench.state());
    options.progress = Arc::new(Thief { store, run: planned.run.clone(), clock: bench.clock.clone() });
    let error = bench.engine.run(&planned.run, &fake, &options).await.unwrap_err();
    assert!(matches!(error, EngineError::LeaseLost(_)), "{error}");
    assert!(fake.arrived().is_empty());
}

/// Around an `approve` as well: while the rest is planned, while it waits, and as it goes on. Nothing is asked twice.
#[tokio::test]
async fn a_run_in_parts_survives_every_crash() {
    let mut crashes = 0;
    for commits in 0.. {
        let bench = Bench::new(staged());
        let fake = Fake::with_instances(3);
        let run = bench.plan(&fake).await.run;
        bench.approve(&run);
        let dying = Bench::engine_on(dying(&bench.state(), commits), &bench.clock);
        let (mut survived, mut rest) = (true, None);
        let at = format!("after {commits} commits");
        let report = loop {
            let shown = bench.engine.show(&run).unwrap();
            let engine = if survived { &dying } else { &bench.engine };
            let result = match shown.standing {
                Standing::Status(RunStatus::Planned) => engine.run(&run, &fake, &bench.options()).await,
                Standing::Status(RunStatus::WaitingForApproval) => {
                    let waits = bench.engine.waiting(&run).unwrap().unwrap();
                    assert_eq!(waits.plan.steps[0].items.len(), 3, "{at}");
                    if bench.engine.approvals(&run).unwrap().is_empty() {
                        assert!(rest.is_none(), "{at}: it is asked once");
                        rest = Some(waits.digest);
                        bench.approve_rest(&run);
                    }
                    assert_eq!(rest, Some(waits.digest), "{at}");
                    engine.resume(&run, &fake, &bench.options()).await
                }
                Standing::Interrupted => engine.resume(&run, &fake, &bench.options()).await,
                // A process that dies gives no lease back.
                Standing::Status(RunStatus::Running) => {
                    bench.clock.advance(45);
                    continue;
                }
                Standing::Status(RunStatus::Done) => break shown,
                other => panic!("{at}: {other:?}"),
            };
            match result {
                Ok(_) => {}
                Err(error) if survived => {
                    assert!(!matches!(error, EngineError::Refused(_)), "{at}: {error}");
                    survived = false;
                    bench.clock.advance(45);
                }
                Err(error) => panic!("{at}: {error}"),
            }
        };
        assert_eq!(count(&report, Outcome::Done), 6, "{at}: {:?}", report.items);
        for (id, instance) in fake.instances() {
            assert_eq!(instance.transitions, ["stopped", "running"], "{at}: {id}");
        }
        let verdict = bench.engine.verify_audit().unwrap();
        assert!(verdict.problems.is_empty(), "{at}: {:?}", verdict.problems);
        if survived {
            break;
        }
        crashes += 1;
    }
    assert!(crashes >= 10, "{crashes}");
}

/// A disk that is full says so, and how to go on; what was sent is journaled, and nothing happens twice.
#[tokio::test]
async fn a_full_disk_says_how_to_go_on() {
    let mut step = single_step();
    step.at_once = int(1);
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(4);
    let run = bench.plan(&fake).await.run;
    bench.approve(&run);
    let full = Dying { inner: SqliteStore::open(&bench.state()).unwrap(), left: AtomicI64::new(3), full: true };
    let engine = Bench::engine_on(Arc::new(full), &bench.clock);
    let error = engine.run(&run, &fake, &bench.options()).await.unwrap_err();
    assert!(matches!(error, EngineError::Store(StoreError::Full { .. })), "{error}");
    assert!(error.help().is_some_and(|help| help.contains("escher resume")), "{error}");
    assert!(fake.arrived().len() < 4);
    bench.clock.advance(45);
    let report = bench.engine.resume(&run, &fake, &bench.options()).await.unwrap();
    assert_eq!(count(&report, Outcome::Done), 4);
    for (id, instance) in fake.instances() {
        assert_eq!(instance.transitions, ["stopped"], "{id}");
    }
    assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
}
