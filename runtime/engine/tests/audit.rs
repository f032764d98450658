//! What is done to an audit log is found, and at the right record.
//!
//! `ESCHER_AUDIT_TARGETS`, `ESCHER_AUDIT_TIMES` and `ESCHER_AUDIT_SEED` make it larger or another one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and a harness says its seed"
)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::*;
use escher_engine::{AuditVerdict, Checkpoint, Engine, Head};
use escher_ir::audit::{AuditEntry, AuditSegment};
use escher_ir::audit_bytes::raw_segment;
use escher_ir::program::Param;
use escher_ir::{Digest, Type, codec};
use escher_provider::fake::Fake;
use jiff::SignedDuration;
use rusqlite::{Connection, params};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// SplitMix64: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    /// Two different numbers below `n`, the smaller first.
    fn two(&mut self, n: usize) -> (usize, usize) {
        loop {
            let (a, b) = (self.below(n), self.below(n));
            if a != b {
                return (a.min(b), a.max(b));
            }
        }
    }
}

/// The log of a run, as rows.
struct Log {
    pristine: PathBuf,
    work: PathBuf,
    clock: TestClock,
    segments: Vec<Vec<u8>>,
    /// Segment and range of each entry.
    places: Vec<(usize, std::ops::Range<usize>)>,
    checkpoint: Checkpoint,
}

impl Log {
    async fn of_run(folder: &Path, targets: u64) -> Log {
        let mut one = single_step();
        (one.max_at_most, one.at_once) = (20_000, int(64));
        let mut program = program(vec![one]);
        let ty = Type::Int { min: Some(1), max: Some(20_000) };
        program.playbook.params = vec![Param { name: "limit".into(), doc: None, ty, default: Some(int(20_000)) }];
        let bench = Bench::new(program);
        let fake = Fake::with_instances(usize::try_from(targets).unwrap());
        let report = bench.all(&fake).await;
        assert_eq!(count(&report, escher_ir::journal::Outcome::Done), targets);
        assert_eq!(bench.engine.verify_audit().unwrap().problems, []);
        let checkpoint = bench.engine.audit_checkpoint().unwrap();
        let segments: Vec<Vec<u8>> =
            bench.engine.store().read("audit", 0).unwrap().into_iter().map(|s| s.bytes).collect();
        let ranges = segments.iter().map(|s| raw_segment(s).entries).enumerate();
        let places: Vec<_> = ranges.flat_map(|(n, entries)| entries.into_iter().map(move |e| (n, e.range))).collect();
        assert_eq!(places.len() as u64, checkpoint.entries);
        let state = bench.state();
        let clock = bench.clock.clone();
        let (pristine, work) = (folder.join("pristine.db"), folder.join("work"));
        std::fs::create_dir(&work).unwrap();
        let keep = bench.folder;
        drop(bench.engine);
        std::fs::copy(state.join("state.db"), &pristine).unwrap();
        drop(keep);
        Log { pristine, work, clock, segments, places, checkpoint }
    }

    /// The rows of the log, changed; the rest of the store stays.
    fn with(&self, change: impl FnOnce(&Connection)) -> Engine {
        let file = self.work.join("state.db");
        for rest in ["state.db-wal", "state.db-shm"] {
            let _ = std::fs::remove_file(self.work.join(rest));
        }
        std::fs::copy(&self.pristine, &file).unwrap();
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
        change(&connection);
        connection.execute_batch("COMMIT").unwrap();
        drop(connection);
        Bench::engine_on(open(&self.work), &self.clock)
    }

    fn entries(&self, segment: usize) -> Vec<AuditEntry> {
        codec::decode::<AuditSegment>(&self.segments[segment]).unwrap().1.entries
    }

    /// The whole log again with these segments, every hash over segments worked out anew: what is left to find it by is
    /// what entries say of each other.
    fn rewritten(&self, mut changed: BTreeMap<usize, Vec<AuditEntry>>) -> Engine {
        self.with(|db| {
            let (mut head, mut row) = (Head::EMPTY, 0u64);
            db.execute("DELETE FROM segments WHERE stream = 'audit'", []).unwrap();
            for (number, bytes) in self.segments.iter().enumerate() {
                let bytes = match changed.remove(&number) {
                    Some(entries) if entries.is_empty() => continue,
                    Some(entries) => codec::encode(&AuditSegment { entries }).unwrap().1,
                    None => bytes.clone(),
                };
                let after = head.after(&bytes);
                db.execute(
                    "INSERT INTO segments VALUES ('audit', ?1, ?2, ?3, ?4)",
                    params![row, &head.digest.0[..], &after.digest.0[..], bytes],
                )
                .unwrap();
                (head, row) = (after, row + 1);
            }
            let last = params![row - 1, &head.digest.0[..]];
            db.execute("UPDATE heads SET seq = ?1, head = ?2 WHERE stream = 'audit'", last).unwrap();
        })
    }

    fn set_bytes(&self, rows: &[(usize, &[u8])]) -> Engine {
        self.with(|db| {
            for (row, bytes) in rows {
                let sql = "UPDATE segments SET bytes = ?2 WHERE stream = 'audit' AND seq = ?1";
                assert_eq!(db.execute(sql, params![row, bytes]).unwrap(), 1);
            }
        })
    }

    /// Numbers of the first and last entry of a segment.
    fn span(&self, segment: usize) -> (u64, u64) {
        let first = self.places.iter().position(|(s, _)| *s == segment).unwrap();
        let last = self.places.iter().rposition(|(s, _)| *s == segment).unwrap();
        (first as u64, last as u64)
    }
}

fn located(verdict: &AuditVerdict) -> Vec<u64> {
    verdict.problems.iter().filter_map(|p| p.entry).collect()
}

fn first_is(verdict: &AuditVerdict, entry: u64, what: &str) {
    let found = located(verdict);
    assert_eq!(found.first(), Some(&entry), "{what}: {:?}", &verdict.problems[..verdict.problems.len().min(4)]);
}

#[tokio::test]
async fn what_is_done_to_the_log_is_found_where_it_was_done() {
    let (targets, times) = (setting("ESCHER_AUDIT_TARGETS", 120), setting("ESCHER_AUDIT_TIMES", 12));
    let seed = setting("ESCHER_AUDIT_SEED", 20_261_121);
    let folder = tempfile::tempdir().unwrap();
    let log = Log::of_run(folder.path(), targets).await;
    let mut random = Random(seed);
    let total = log.places.len();
    println!("audit log of {targets} targets: {total} entries in {} segments, seed {seed}", log.segments.len());
    let (mut flips, mut rewrites, mut deletions, mut swaps, mut cuts) = (0, 0, 0, 0, 0);
    for _ in 0..times {
        // A byte, anywhere in what was appended.
        let mut at = random.below(log.segments.iter().map(Vec::len).sum());
        let segment = log
            .segments
            .iter()
            .position(|s| {
                if at < s.len() {
                    true
                } else {
                    at -= s.len();
                    false
                }
            })
            .unwrap();
        let mut bytes = log.segments[segment].clone();
        bytes[at] ^= 1 << random.below(8);
        let verdict = log.set_bytes(&[(segment, &bytes)]).verify_audit().unwrap();
        let entry = log.places.iter().position(|(s, range)| *s == segment && range.contains(&at));
        match entry {
            // The last entry of all is followed by nothing: what it says of the one before may be that one's fault.
            Some(entry) if entry + 1 == total => {
                let found = located(&verdict);
                assert!(found.iter().any(|f| *f + 2 >= total as u64), "the last entry: {:?}", verdict.problems);
            }
            Some(entry) => first_is(&verdict, entry as u64, &format!("byte {at} of segment {segment}")),
            None => {
                let (first, last) = log.span(segment);
                let found = located(&verdict);
                assert!(found.iter().any(|f| (first..=last).contains(f)), "around {first}: {:?}", verdict.problems);
            }
        }
        flips += 1;

        // An entry says something else, and all hashes over segments are worked out anew.
        let entry = random.below(total - 1);
        let segment = log.places[entry].0;
        let mut entries = log.entries(segment);
        let inside = entry - usize::try_from(log.span(segment).0).unwrap();
        entries[inside].at += SignedDuration::from_secs(1);
        let verdict = log.rewritten(BTreeMap::from([(segment, entries)])).verify_audit().unwrap();
        first_is(&verdict, entry as u64, "an entry with another time");
        rewrites += 1;

        // An entry less; every other time the whole row that it lies in.
        let entry = random.below(total - 1);
        let segment = log.places[entry].0;
        let (first, last) = log.span(segment);
        if random.below(2) == 0 {
            let mut entries = log.entries(segment);
            entries.remove(entry - usize::try_from(first).unwrap());
            let verdict = log.rewritten(BTreeMap::from([(segment, entries)])).verify_audit().unwrap();
            first_is(&verdict, entry as u64, "an entry less");
        } else {
            let engine = log.with(|db| {
                let sql = "DELETE FROM segments WHERE stream = 'audit' AND seq = ?1";
                assert_eq!(db.execute(sql, [segment]).unwrap(), 1);
            });
            let verdict = engine.verify_audit().unwrap();
            first_is(&verdict, first, &format!("without the entries {first} to {last}"));
        }
        deletions += 1;

        // Two entries in each other's place; every other time two rows.
        if random.below(2) == 0 {
            let (a, b) = random.two(total - 1);
            let (in_a, in_b) = (log.places[a].0, log.places[b].0);
            let mut changed = BTreeMap::from([(in_a, log.entries(in_a)), (in_b, log.entries(in_b))]);
            let from = |segment| usize::try_from(log.span(segment).0).unwrap();
            let (one, two) = (changed[&in_a][a - from(in_a)].clone(), changed[&in_b][b - from(in_b)].clone());
            changed.get_mut(&in_a).unwrap()[a - from(in_a)] = two;
            changed.get_mut(&in_b).unwrap()[b - from(in_b)] = one;
            let verdict = log.rewritten(changed).verify_audit().unwrap();
            first_is(&verdict, a as u64, "two entries swapped");
            let found = located(&verdict);
            assert!(found.contains(&(b as u64)) || b == a + 1, "{a} and {b}: {:?}", verdict.problems);
        } else {
            let (a, b) = random.two(log.segments.len());
            let verdict = log.set_bytes(&[(a, &log.segments[b]), (b, &log.segments[a])]).verify_audit().unwrap();
            first_is(&verdict, log.span(a).0, "two rows swapped");
        }
        swaps += 1;

        // Cut off, with everything in order: nothing in the store says so but the journals; the checkpoint does.
        let left = 1 + random.below(total - 1);
        let mut changed = BTreeMap::new();
        for segment in log.places[left].0..log.segments.len() {
            let (first, _) = log.span(segment);
            let keep = usize::try_from((left as u64).saturating_sub(first)).unwrap();
            changed.insert(segment, log.entries(segment).into_iter().take(keep).collect());
        }
        let engine = log.rewritten(changed);
        let verdict = engine.verify_audit_against(&log.checkpoint).unwrap();
        first_is(&verdict, left as u64, "cut off");
        assert!(verdict.problems[0].reason.contains("cut off"));
        assert!(located(&engine.verify_audit().unwrap()).is_empty(), "without the checkpoint the chain is in order");
        cuts += 1;
    }
    println!(
        "found and located: {flips} flips, {rewrites} rewritten entries, {deletions} deletions, {swaps} swaps, \
         {cuts} truncations (against a checkpoint)"
    );
}

#[tokio::test]
async fn a_checkpoint_finds_a_log_that_was_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::of_run(folder.path(), 3).await;
    // Every entry with another time, the chain worked out anew: whole by itself, and not the log that it was.
    let (mut changed, mut before) = (BTreeMap::new(), Digest([0; 32]));
    for segment in 0..log.segments.len() {
        let mut entries = log.entries(segment);
        for entry in &mut entries {
            entry.at += SignedDuration::from_secs(1);
            entry.before = before;
            before = entry.digest().unwrap();
        }
        changed.insert(segment, entries);
    }
    let engine = log.rewritten(changed);
    assert_eq!(engine.verify_audit().unwrap().problems, []);
    let verdict = engine.verify_audit_against(&log.checkpoint).unwrap();
    assert!(verdict.problems[0].reason.contains("another than when the checkpoint was made"), "{verdict:?}");
    // The log as it was fits, and so does one that has grown; another store's does not.
    let engine = log.with(|_| {});
    assert_eq!(engine.verify_audit_against(&log.checkpoint).unwrap().problems, []);
    engine.refuse(None, "otto", "for the test").unwrap();
    assert_eq!(engine.verify_audit_against(&log.checkpoint).unwrap().problems, []);
    let other = Checkpoint { store: "s-other".into(), ..log.checkpoint.clone() };
    assert!(engine.verify_audit_against(&other).unwrap().problems[0].reason.contains("another state store"));
}
