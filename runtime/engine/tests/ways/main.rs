//! Ways past the gate, a row each: what somebody does, and the words with which it is refused. Every refusal is exit 3,
//! sends nothing, and stands in the audit log. Each group begins with the same steps without the tampering, which succeed.
//!
//! The same through the real binary: `cli/tests/gate.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and a table says how long it is"
)]

#[path = "../common/mod.rs"]
mod common;
mod files;
mod keys;
mod later;
mod moments;
mod people;
mod statements;
mod store;
mod trust;

use common::*;
use escher_engine::{ApproveOptions, EngineError, Gate};
use escher_ir::audit::AuditEvent;
use escher_ir::journal::{Entry, Event, Segment};
use escher_ir::plan::Plan;
use escher_ir::program::Approval;
use escher_ir::{Digest, codec};
use escher_provider::fake::Fake;
use rusqlite::{Connection, params};

/// Rows that held.
#[derive(Default)]
struct Table {
    rows: Vec<String>,
}

impl Table {
    /// A row: refused in these words, with exit 3, an audit record and nothing sent.
    fn refused<T>(&mut self, what: &str, words: &str, case: &Case, result: Result<T, EngineError>) {
        let error = match result {
            Ok(_) => panic!("{what}: it got past the gate"),
            Err(error) => error,
        };
        assert_eq!(error.exit_code(), 3, "{what}: {error}");
        let reason = error.to_string();
        assert!(reason.contains(words), "{what}: {reason}");
        let last = case.bench.engine.audit(0).unwrap().pop().unwrap();
        match last.event {
            AuditEvent::Refused { reason: told, .. } => assert_eq!(told, reason, "{what}"),
            other => panic!("{what}: the last audit record is {other:?}"),
        }
        assert!(case.fake.arrived().is_empty(), "{what}: something was sent");
        assert!(!self.rows.contains(&what.to_string()), "{what} stands twice");
        self.rows.push(what.to_string());
    }
}

/// A plan with its store and its cloud.
struct Case {
    bench: Bench,
    fake: Fake,
    run: String,
}

impl Case {
    /// Planned by otto, two machines; needs one manager.
    async fn planned() -> Case {
        Case::of(1).await
    }

    async fn of(quorum: u32) -> Case {
        let mut program = program(vec![batch_step(2)]);
        program.playbook.approval = Some(Approval { by: "manager".into(), of: quorum, valid_seconds: 86_400 });
        let bench = Bench::new(program);
        let fake = Fake::with_instances(2);
        let run = bench.plan(&fake).await.run;
        Case { bench, fake, run }
    }

    /// And approved by mara.
    async fn approved() -> Case {
        let case = Case::planned().await;
        case.bench.approve(&case.run);
        case
    }

    async fn start(&self) -> Result<escher_engine::RunReport, EngineError> {
        self.bench.engine.run(&self.run, &self.fake, &self.bench.options()).await
    }

    async fn start_under(&self, gate: Gate) -> Result<escher_engine::RunReport, EngineError> {
        let mut options = self.bench.options();
        options.gate = gate;
        self.bench.engine.run(&self.run, &self.fake, &options).await
    }

    fn approve(&self, seed: u8, principal: &str, gate: &Gate) -> Result<Digest, EngineError> {
        self.bench.engine.approve(&self.run, &key(seed), &options(principal), gate)
    }

    /// Writes into the store's file, as whoever owns the machine can.
    fn sql(&self, change: impl FnOnce(&Connection)) {
        change(&Connection::open(self.bench.state().join("state.db")).unwrap());
    }

    /// Writes a run's journal anew, every hash worked out again.
    fn rewrite_journal(&self, change: impl FnOnce(&mut Vec<Entry>)) {
        let stream = format!("run/{}", self.run);
        let segments = self.bench.engine.store().read(&stream, 0).unwrap();
        let mut whole = Segment { first: 0, events: Vec::new(), objects: Vec::new() };
        for segment in segments {
            let (_, segment) = codec::decode::<Segment>(&segment.bytes).unwrap();
            whole.events.extend(segment.events);
            whole.objects.extend(segment.objects);
        }
        change(&mut whole.events);
        self.replace_stream(&stream, &[codec::encode(&whole).unwrap().1]);
    }

    /// Puts these segments in the place of a stream's, every hash worked out again.
    fn replace_stream(&self, stream: &str, segments: &[Vec<u8>]) {
        self.sql(|db| {
            db.execute("DELETE FROM segments WHERE stream = ?1", [stream]).unwrap();
            db.execute("DELETE FROM heads WHERE stream = ?1", [stream]).unwrap();
            let mut head = escher_engine::Head::EMPTY;
            for bytes in segments {
                let after = head.after(bytes);
                let row = params![stream, head.count, &head.digest.0[..], &after.digest.0[..], bytes];
                db.execute("INSERT INTO segments VALUES (?1, ?2, ?3, ?4, ?5)", row).unwrap();
                let last = params![stream, head.count, &after.digest.0[..]];
                db.execute("INSERT OR REPLACE INTO heads VALUES (?1, ?2, ?3)", last).unwrap();
                head = after;
            }
        });
    }

    fn put(&self, object: (Digest, Vec<u8>)) -> Digest {
        self.bench.engine.store().put(object.0, object.1).unwrap();
        object.0
    }

    fn plan(&self) -> Plan {
        (*self.bench.engine.planned(&self.run).unwrap().plan).clone()
    }

    /// Puts another plan in the place of the one that was planned.
    fn forge_plan(&self, change: impl FnOnce(&mut Plan)) {
        let mut plan = self.plan();
        change(&mut plan);
        let forged = self.put(codec::encode(&plan).unwrap());
        self.rewrite_journal(|events| {
            for entry in events {
                if let Event::Planned { plan, program, .. } = &mut entry.event {
                    (*plan, *program) = (forged, *program);
                }
            }
        });
    }
}

fn options(principal: &str) -> ApproveOptions {
    ApproveOptions { principal: principal.into(), comment: "ok".into() }
}

/// How many rows each group has; a row that is lost is noticed.
const GROUPS: &[(&str, usize)] = &[
    ("statements", 47),
    // Two fewer where `ssh-keygen` makes no weak keys any more.
    ("keys", 31),
    ("people", 30),
    ("trust", 40),
    ("moments", 32),
    ("plans", 45),
    ("approved", 20),
    ("programs", 11),
    ("journals", 19),
    ("files", 63),
    ("later parts", 45),
];

async fn group(name: &str, rows: impl AsyncFnOnce(&mut Table)) {
    let mut table = Table::default();
    rows(&mut table).await;
    let wanted = GROUPS.iter().find(|(group, _)| *group == name).unwrap().1;
    println!("{:>4} rows  {name}", table.rows.len());
    assert!(table.rows.len() >= wanted, "{name}: {} rows of {wanted}", table.rows.len());
}

macro_rules! groups {
    ($($test:ident $name:literal $rows:path;)*) => {$(
        #[tokio::test]
        async fn $test() {
            group($name, $rows).await;
        }
    )*};
}

groups! {
    refused_statements "statements" statements::rows;
    refused_keys_and_signatures "keys" keys::rows;
    refused_people "people" people::rows;
    refused_settings "trust" trust::rows;
    refused_moments_and_places "moments" moments::rows;
    refused_plans_of_the_store "plans" store::plans;
    refused_plans_that_were_approved "approved" store::approved;
    refused_programs_and_catalogues "programs" store::programs;
    refused_journals "journals" store::journals;
    refused_plan_files "files" files::rows;
    refused_later_parts "later parts" later::rows;
}

#[test]
fn the_table_is_long() {
    let rows: usize = GROUPS.iter().map(|(_, rows)| rows).sum();
    println!("{rows} ways past the gate, each refused with exit 3 and an audit record");
    assert!(rows >= 375, "{rows}");
}
