//! Which rows of the tables of what may follow what are ever taken: all of them, by the storms and histories and by what
//! they leave out. A row that nothing takes is a mistake in the table, or in the tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use escher_core::CatalogWorld;
use escher_engine::{Engine, PlanOptions, RunOptions, SqliteStore, Standing, transitions};
use escher_ir::Target;
use escher_ir::journal::RunStatus;
use escher_storm::simulator::{Chaos, Simulator, World};
use escher_storm::{PausedClock, history, people, storm};

const ASK: &str = r#"@risk(critical)
@approval(by: "manager", of: 2)
playbook stop_and_end() {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running")
    step stop "Stop" for m in machines max 10, tolerate all {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
        wait aws.ec2.instance_stopped(instance_ids: [m.instance_id]) timeout 10m
    }
    let stopped = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "stopped")
    approve "End {stopped.count()}?" by "manager", of 2, within 1d
    step gone "End" for m in stopped max 10, tolerate all {
        aws.ec2.terminate_instances(instance_ids: [m.instance_id])
    }
}
"#;

const COPY: &str = r#"@risk(critical)
@approval(by: "manager", of: 2)
playbook copy_all() {
    let volumes = aws.ec2.describe_volumes().volumes
    step copy "Copy" for v in volumes max 10 {
        aws.ec2.create_snapshot(volume_id: v.volume_id, description: "copy {run.id}") unless found(v)
    }
}

action found(v: aws.ec2.Volume) -> aws.ec2.Snapshot? {
    aws.ec2.describe_snapshots(filters: [
        { name: "volume-id", values: [v.volume_id] },
        { name: "description", values: ["copy {run.id}"] },
    ]).snapshots.first()
}
"#;

const DAY: Duration = Duration::from_secs(86_400);

/// A run on an engine of its own; at first it stands at its question.
struct Waiting {
    _folder: tempfile::TempDir,
    engine: Engine,
    cloud: Simulator,
    run: String,
}

impl Waiting {
    fn over(cloud: Simulator) -> Waiting {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let engine = Engine::new(Arc::new(store)).with_clock(Arc::new(PausedClock::new()));
        Waiting { _folder: folder, engine, cloud, run: String::new() }
    }

    async fn new() -> Waiting {
        let mut world = World::default();
        world.machine("i-1", "running", "dev");
        let mut waiting = Waiting::over(Simulator::new(1, Chaos::none(), world));
        waiting.run = waiting.plan(ASK).await;
        people::sign(&waiting.engine, &waiting.run, "go").unwrap();
        let report = waiting.engine.run(&waiting.run, &waiting.cloud, &options()).await.unwrap();
        assert_eq!(report.standing, Standing::Status(RunStatus::WaitingForApproval));
        waiting
    }

    async fn plan(&self, playbook: &str) -> String {
        let checked = escher_core::check(&CatalogWorld, playbook);
        let program = checked.playbooks.into_iter().next().unwrap().program().unwrap().clone();
        let options = PlanOptions::new("otto", Target { cloud: "aws".into(), ..Target::default() });
        self.engine.plan(program, BTreeMap::new(), &self.cloud, &options).await.unwrap().run
    }

    async fn resumed(&self, cloud: &Simulator) -> Standing {
        self.engine.resume(&self.run, cloud, &options()).await.unwrap().standing
    }

    async fn cancelled(&self, run: &str) {
        let report = self.engine.cancel(run, &self.cloud, &options(), Duration::ZERO).await.unwrap();
        assert_eq!(report.standing, Standing::Status(RunStatus::Cancelled));
    }
}

fn options() -> RunOptions {
    RunOptions::new("otto", people::gate(true))
}

/// People take back what they said, nobody answers in time, and what was asked can't be worked out any more.
async fn by_hand() {
    let lapsed = Waiting::new().await;
    tokio::time::sleep(2 * DAY).await;
    assert_eq!(lapsed.resumed(&lapsed.cloud).await, Standing::Status(RunStatus::WaitingForApproval), "asked anew");
    tokio::time::sleep(2 * DAY).await;
    let broken = Simulator::new(1, Chaos { unavailable: 100, ..Chaos::none() }, lapsed.cloud.world().clone());
    assert_eq!(lapsed.resumed(&broken).await, Standing::Status(RunStatus::Failed));

    let changed = Waiting::new().await;
    people::take_back(&changed.engine, &changed.run, "not yet").unwrap();
    people::sign(&changed.engine, &changed.run, "now").unwrap();
    people::take_back(&changed.engine, &changed.run, "no").unwrap();
    changed.cancelled(&changed.run).await;
    people::sign(&changed.engine, &changed.run, "after all").unwrap();
    assert_eq!(changed.resumed(&changed.cloud).await, Standing::Status(RunStatus::Done));

    let never = changed.plan(ASK).await;
    changed.cancelled(&never).await;
    assert!(changed.engine.run(&never, &changed.cloud, &options()).await.is_err(), "it never begins");

    // Each answer is lost, and the probe finds what was done.
    let mut world = World::default();
    world.volume("vol-1", "dev");
    let mut lost = Waiting::over(Simulator::new(1, Chaos { lost: 100, ..Chaos::none() }, world));
    lost.run = lost.plan(COPY).await;
    people::sign(&lost.engine, &lost.run, "go").unwrap();
    let report = lost.engine.run(&lost.run, &lost.cloud, &options()).await.unwrap();
    assert_eq!(report.standing, Standing::Status(RunStatus::Done));
    assert_eq!(lost.cloud.world().count("snapshot", "vol-1"), 1, "one copy, though nobody was told");
}

#[test]
fn every_row_is_taken() {
    for seed in 1..=20 {
        storm(seed).unwrap_or_else(|why| panic!("{why}"));
    }
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../histories")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            history::resume(&path).unwrap();
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(by_hand());
    let rows = transitions();
    for (row, taken) in &rows {
        eprintln!("{taken:>7}  {row}");
    }
    let never: Vec<&String> = rows.iter().filter(|(_, taken)| *taken == 0).map(|(row, _)| row).collect();
    assert!(never.is_empty(), "never taken: {never:#?}");
}
