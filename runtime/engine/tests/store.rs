//! The store's promises, and what the audit log finds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::*;
use escher_engine::{Append, Commit, Head, SqliteStore, StateStore, StoreError};
use escher_ir::Digest;
use escher_provider::fake::Fake;
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn streams_grow_at_their_head_only() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (open(folder.path()), open(folder.path()));
    assert_eq!(a.id(), b.id());
    let first = a.append("s", Head::EMPTY, b"one".to_vec()).unwrap();
    assert!(matches!(b.append("s", Head::EMPTY, b"two".to_vec()), Err(StoreError::Conflict { .. })));
    b.append("s", first, b"two".to_vec()).unwrap();
    assert_eq!(a.read("s", 0).unwrap().len(), 2);
    assert_eq!(a.read("s", 1).unwrap()[0].bytes, b"two");
    // All or nothing.
    let good = Append { stream: "t".into(), expected: Head::EMPTY, bytes: vec![1] };
    let bad = Append { stream: "s".into(), expected: first, bytes: vec![1] };
    let commit = Commit { objects: vec![(Digest([7; 32]), vec![1])], appends: vec![good, bad], lease: None };
    assert!(a.commit(&commit).is_err());
    assert_eq!(a.head("t").unwrap(), Head::EMPTY);
    assert!(a.get(&Digest([7; 32])).unwrap().is_none());
    assert_eq!(a.streams("").unwrap(), ["s"]);
}

#[test]
fn leases_have_one_holder() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let time = Duration::from_secs(15);
    let first = store.acquire("run/r", at(100), time).unwrap();
    assert!(matches!(store.acquire("run/r", at(110), time), Err(StoreError::Held { .. })));
    let second = store.acquire("run/r", at(116), time).unwrap();
    assert!(second.fence > first.fence);
    let commit = Commit { lease: Some((first.clone(), at(130))), ..Commit::default() };
    assert!(matches!(store.commit(&commit), Err(StoreError::LeaseLost { .. })));
    // Giving back what is another's now changes nothing.
    store.release(&first).unwrap();
    assert!(store.holder("run/r", at(120)).unwrap().is_some());
    store.release(&second).unwrap();
    assert!(store.holder("run/r", at(120)).unwrap().is_none());
    assert!(store.acquire("run/r", at(120), time).unwrap().fence > second.fence);
}

#[test]
fn opening_is_fast_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    drop(SqliteStore::open(&state).unwrap());
    let begin = Instant::now();
    drop(SqliteStore::open(&state).unwrap());
    eprintln!("open: {:?}", begin.elapsed());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn what_is_no_state_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state.db"), vec![b'x'; 8_192]).unwrap();
    assert!(matches!(SqliteStore::open(folder.path()), Err(StoreError::Damaged { .. })));
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert!(matches!(SqliteStore::open(&file.join("state")), Err(StoreError::ReadOnly { .. })));
    let newer = folder.path().join("newer");
    drop(SqliteStore::open(&newer).unwrap());
    let sql = rusqlite::Connection::open(newer.join("state.db")).unwrap();
    sql.execute("UPDATE meta SET value = '9' WHERE name = 'format'", []).unwrap();
    drop(sql);
    assert!(matches!(SqliteStore::open(&newer), Err(StoreError::TooNew { version: 9, known: 1, .. })));
}

#[test]
fn many_processes_append_to_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let stores: Vec<Arc<dyn StateStore>> = (0..4).map(|_| open(folder.path())).collect();
    std::thread::scope(|scope| {
        for store in &stores {
            scope.spawn(move || {
                let mut done = 0;
                while done < 10 {
                    let head = store.head("s").unwrap();
                    match store.append("s", head, vec![1]) {
                        Ok(_) => done += 1,
                        Err(StoreError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(stores[0].head("s").unwrap().count, 40);
}

#[tokio::test]
async fn the_audit_log_finds_what_was_done_to_it() {
    let tampering = [
        (
            "change",
            "UPDATE segments SET bytes = replace(bytes, x'6d617261', x'65766531') WHERE stream = 'audit' AND seq = 1",
        ),
        (
            "loss at the end",
            "DELETE FROM segments WHERE stream = 'audit' AND seq = (SELECT max(seq) FROM segments WHERE stream = 'audit')",
        ),
        ("loss within", "DELETE FROM segments WHERE stream = 'audit' AND seq = 1"),
        ("loss of all", "DELETE FROM segments WHERE stream = 'audit'"),
        ("loss with the head", "DELETE FROM segments WHERE stream = 'audit'; DELETE FROM heads WHERE stream = 'audit'"),
        (
            "order",
            "UPDATE segments SET seq = seq + 100 WHERE stream = 'audit' AND seq = 1;
            UPDATE segments SET seq = 1 WHERE stream = 'audit' AND seq = 2;
            UPDATE segments SET seq = 2 WHERE stream = 'audit' AND seq = 101",
        ),
        ("journal", "UPDATE segments SET bytes = x'00' WHERE stream LIKE 'run/%' AND seq = 1"),
        ("journal gone", "DELETE FROM segments WHERE stream LIKE 'run/%'; DELETE FROM heads WHERE stream LIKE 'run/%'"),
    ];
    for (what, sql) in tampering {
        let bench = Bench::new(program(vec![batch_step(2)]));
        bench.all(&Fake::with_instances(3)).await;
        assert!(bench.engine.verify_audit().unwrap().problems.is_empty());
        let connection = rusqlite::Connection::open(bench.state().join("state.db")).unwrap();
        connection.execute_batch(sql).unwrap();
        let found = bench.engine.verify_audit();
        assert!(found.is_err() || !found.unwrap().problems.is_empty(), "{what}");
    }
}
