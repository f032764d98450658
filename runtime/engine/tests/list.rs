//! The list of runs: right for each standing, and without reading the journals of those that have ended.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::*;
use escher_engine::{Commit, Head, Lease, SqliteStore, StateStore, StoreError, StoredSegment};
use escher_ir::Digest;
use escher_provider::fake::{Fake, Fault};
use jiff::Timestamp;

/// A store that notes which streams are read whole.
struct Watched {
    inner: SqliteStore,
    whole: Arc<Mutex<Vec<String>>>,
}

impl Watched {
    fn open(path: &Path) -> (Arc<dyn StateStore>, Arc<Mutex<Vec<String>>>) {
        let whole = Arc::new(Mutex::default());
        (Arc::new(Watched { inner: SqliteStore::open(path).unwrap(), whole: Arc::clone(&whole) }), whole)
    }
}

impl StateStore for Watched {
    fn id(&self) -> &str {
        self.inner.id()
    }
    fn head(&self, stream: &str) -> Result<Head, StoreError> {
        self.inner.head(stream)
    }
    fn commit(&self, commit: &Commit) -> Result<Vec<Head>, StoreError> {
        self.inner.commit(commit)
    }
    fn read(&self, stream: &str, from: u64) -> Result<Vec<StoredSegment>, StoreError> {
        self.whole.lock().unwrap().push(stream.to_string());
        self.inner.read(stream, from)
    }
    fn read_one(&self, stream: &str, number: u64) -> Result<Option<StoredSegment>, StoreError> {
        self.inner.read_one(stream, number)
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
    fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner.release(lease)
    }
    fn holder(&self, name: &str, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.inner.holder(name, now)
    }
}

#[tokio::test]
async fn each_standing_is_told_and_what_has_ended_is_not_read_whole() {
    let bench = Bench::new(program(vec![single_step()]));
    let fake = Fake::with_instances(3);
    let mut wanted = BTreeMap::new();
    let done = bench.all(&fake).await.run;
    wanted.insert(bench.engine.undo(&done, &fake, &bench.options()).await.unwrap().run, "done");
    wanted.insert(done.clone(), "done");
    let planned = bench.plan(&fake).await.run;
    wanted.insert(planned, "planned");
    let never = bench.plan(&fake).await.run;
    bench.engine.cancel(&never, &fake, &bench.options(), Duration::ZERO).await.unwrap();
    wanted.insert(never, "cancelled");
    let dead = bench.plan(&fake).await.run;
    bench.approve(&dead);
    fake.fault("stop_instances", Fault::Hang);
    let options = bench.options();
    let hangs = bench.engine.run(&dead, &fake, &options);
    assert!(tokio::time::timeout(Duration::from_millis(300), hangs).await.is_err());
    bench.clock.advance(60);
    wanted.insert(dead.clone(), "interrupted");

    let (store, whole) = Watched::open(&bench.state());
    let runs = Bench::engine_on(store, &bench.clock).runs().unwrap();
    let told: BTreeMap<String, &str> = runs.iter().map(|r| (r.run.clone(), r.standing.word())).collect();
    assert_eq!(told, wanted);
    for run in &runs {
        assert_eq!((run.playbook.as_str(), run.principal.as_str()), ("stop_dev_vms", "otto"));
        assert_eq!(run.undo_of.is_some(), run.run != done && run.standing.word() == "done");
    }
    let read = whole.lock().unwrap();
    let runs_read = read.iter().filter_map(|stream| stream.strip_prefix("run/"));
    let of_ended = runs_read.filter(|run| ["done", "cancelled"].contains(&wanted[*run]));
    assert_eq!(of_ended.count(), 0, "{read:?}");
    assert!(read.contains(&format!("run/{dead}")), "one that goes on is read whole");
}

/// What a temporary step owes stands in the middle of the journal.
#[tokio::test]
async fn a_run_that_may_owe_something_is_read_whole() {
    let mut step = single_step();
    step.temporary = true;
    let bench = Bench::new(program(vec![step]));
    let fake = Fake::with_instances(2);
    let planned = bench.plan(&fake).await;
    bench.approve(&planned.run);
    bench.engine.run(&planned.run, &fake, &bench.options()).await.unwrap();
    let (store, whole) = Watched::open(&bench.state());
    assert!(Bench::engine_on(store, &bench.clock).runs().unwrap()[0].owes.is_empty());
    assert_eq!(*whole.lock().unwrap(), [format!("run/{}", planned.run)]);
}
