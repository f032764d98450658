//! The power goes: what was acknowledged is there, what is there is whole, and no call leaves before its intent is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "a test stops at the first surprise"
)]

mod common;
#[path = "power/disk.rs"]
mod disk;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use common::*;
use disk::Disk;
use escher_catalog::Waiter;
use escher_engine::{Append, Commit, Head, SqliteStore, StateStore, StoreError};
use escher_ir::journal::{Event, Segment};
use escher_ir::{Digest, Target, codec};
use escher_provider::fake::Fake;
use escher_provider::{Answer, CallError, Change, Pages, Polled, Read, Request};
use futures_util::future::BoxFuture;

/// Points at which the power goes; `ESCHER_POWER_POINTS` asks for others.
const POINTS: u64 = 200;
const COMMITS: u64 = 60;

/// A store on a disk of its own, and that disk's name.
fn on(disk: Disk) -> (Disk, Result<SqliteStore, StoreError>) {
    static NAMES: AtomicU64 = AtomicU64::new(0);
    let name = format!("disk{}", NAMES.fetch_add(1, Ordering::SeqCst));
    let disk = disk.register(&name);
    let store = SqliteStore::open_on(Path::new("/state"), &name);
    (disk, store)
}

/// What the commit of this number appends: two streams at once, an object, sizes that fill pages and small ones.
fn commit(number: u64, heads: &[Head; 2]) -> Commit {
    let bytes = |stream: u64| {
        vec![u8::try_from(number % 251).unwrap(); usize::try_from(1 + number * (stream + 1) * 97 % 9_000).unwrap()]
    };
    let append = |n: usize| Append { stream: format!("s{n}"), expected: heads[n], bytes: bytes(n as u64) };
    let object = bytes(7);
    Commit {
        objects: vec![(Digest::of("power", &number.to_be_bytes()), object)],
        appends: vec![append(0), append(1)],
        lease: None,
    }
}

/// Writes until the power goes; the number of commits that were acknowledged, and of the store's opening.
fn write(disk: Disk) -> (Disk, u64) {
    let (disk, store) = on(disk);
    let Ok(store) = store else { return (disk, 0) };
    let mut heads = [Head::EMPTY; 2];
    for number in 0..COMMITS {
        match store.commit(&commit(number, &heads)) {
            Ok(after) => heads = [after[0], after[1]],
            Err(_) => return (disk, number),
        }
    }
    (disk, COMMITS)
}

/// What losses of power at so many points left: in words where that is not all that was acknowledged.
fn survives(points: u64, new: fn() -> Disk) -> Result<(), String> {
    let (whole, all) = write(new());
    assert_eq!(all, COMMITS);
    let total = whole.operations();
    let (mut lost, mut more, mut torn) = (0, 0, 0);
    for point in 0..points {
        let disk = new();
        disk.fails_after(point * total / points);
        let (disk, acknowledged) = write(disk);
        torn += u64::from(disk.unsynced() > 0);
        let (_, store) = on(disk.after_the_loss(point));
        let told = |what: &str| format!("point {point} of {points}, {acknowledged} acknowledged: {what}");
        let store = store.map_err(|error| told(&error.to_string()))?;
        let mut streams = Vec::new();
        for stream in ["s0", "s1"] {
            streams.push(store.read(stream, 0).map_err(|error| told(&error.to_string()))?);
        }
        let found = streams[0].len() as u64;
        let judged = [
            (streams[1].len() as u64 == found, "half a commit"),
            (found >= acknowledged, "some are gone"),
            (found <= acknowledged + 1, "some that nobody wrote"),
        ];
        if let Some((_, what)) = judged.iter().find(|(holds, _)| !holds) {
            return Err(told(&format!("{what}: {found} are left")));
        }
        more += u64::from(found > acknowledged);
        lost += u64::from(acknowledged < COMMITS);
        let mut heads = [Head::EMPTY; 2];
        for number in 0..found {
            let wanted = commit(number, &heads);
            for (n, append) in wanted.appends.iter().enumerate() {
                let segment = &streams[n][usize::try_from(number).unwrap()];
                if segment.bytes != append.bytes || segment.head != heads[n].after(&append.bytes) {
                    return Err(told(&format!("segment {number} is another")));
                }
                heads[n] = segment.head;
            }
            if store.get(&wanted.objects[0].0).map_err(|error| told(&error.to_string()))?.is_none() {
                return Err(told(&format!("object {number} is gone")));
            }
        }
        // It goes on from there.
        store.commit(&commit(found, &heads)).map_err(|error| told(&error.to_string()))?;
    }
    eprintln!("{points} losses over {total} operations: {torn} with unsynced writes, {more} kept one commit more");
    assert!(lost >= points * 3 / 4 && torn >= points / 2, "{lost} {torn}: nothing was at stake");
    Ok(())
}

#[test]
fn every_loss_of_power_leaves_all_that_was_acknowledged() {
    survives(number("ESCHER_POWER_POINTS").unwrap_or(POINTS), Disk::default).unwrap();
}

#[test]
fn a_log_that_is_not_synchronised_is_found() {
    let why = survives(40, Disk::that_lies).unwrap_err();
    assert!(why.contains("some are gone") || why.contains("malformed"), "{why}");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// A cloud that looks at the disk when a change arrives.
struct Looking {
    fake: Fake,
    disk: Mutex<Option<Disk>>,
    seen: AtomicU64,
    /// Calls whose intent was not on the disk.
    early: AtomicU64,
}

impl Read for Looking {
    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>> {
        self.fake.resolve(target)
    }
    fn read(&self, request: Request) -> Box<dyn Pages + '_> {
        self.fake.read(request)
    }
    fn poll<'a>(&'a self, waiter: &'a Waiter, request: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        self.fake.poll(waiter, request)
    }
}

impl Change for Looking {
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        let ids: Vec<String> = request.arguments["instance_ids"]
            .as_list()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap().to_string())
            .collect();
        let synced = self.disk.lock().unwrap().as_ref().unwrap().synced_only();
        let (_, store) = on(synced);
        let segments = store.and_then(|store| match store.streams("run/")?.pop() {
            Some(run) => store.read(&run, 0),
            None => Ok(Vec::new()),
        });
        let intended = segments.unwrap_or_default().iter().any(|segment| {
            let (_, segment) = codec::decode::<Segment>(&segment.bytes).unwrap();
            segment.events.iter().any(|entry| match &entry.event {
                Event::Intent { items, .. } => items.iter().map(|item| &*item.id).eq(ids.iter().map(String::as_str)),
                _ => false,
            })
        });
        self.early.fetch_add(u64::from(!intended), Ordering::SeqCst);
        self.seen.fetch_add(1, Ordering::SeqCst);
        self.fake.change(request)
    }
}

/// Runs 30 calls on a disk: how many left, and how many of them before their intent was on it.
async fn calls_on(disk: Disk) -> (u64, u64) {
    let (disk, store) = on(disk);
    let clock = TestClock::new();
    let engine = Bench::engine_on(Arc::new(store.unwrap()), &clock);
    let mut step = single_step();
    step.at_once = int(5);
    let bench = Bench { engine, clock, ..Bench::new(program(vec![step])) };
    let cloud = Looking {
        fake: Fake::with_instances(30),
        disk: Mutex::new(Some(disk)),
        seen: AtomicU64::new(0),
        early: AtomicU64::new(0),
    };
    let planned = bench.plan(&cloud.fake).await;
    bench.approve(&planned.run);
    bench.engine.run(&planned.run, &cloud, &bench.options()).await.unwrap();
    (cloud.seen.load(Ordering::SeqCst), cloud.early.load(Ordering::SeqCst))
}

#[tokio::test]
async fn no_call_leaves_before_its_intent_is_on_the_disk() {
    assert_eq!(calls_on(Disk::default()).await, (30, 0));
}

#[tokio::test]
async fn a_call_that_leaves_too_early_is_found() {
    let (seen, early) = calls_on(Disk::that_lies()).await;
    assert!(seen == 30 && early > 0, "{early} of {seen}");
}
