//! What the engine costs: `calls FOLDER [CALLS] [AT_ONCE]` runs so many calls to a cloud that does nothing, with a real
//! journal in FOLDER; `calls FOLDER dag [STEPS]` plans so many steps. Prints one line each, for the book.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool for people at a terminal"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use escher_core::CatalogWorld;
use escher_engine::{Engine, Gate, Head, PlanOptions, RunOptions, SqliteStore, StateStore};
use escher_ir::Target;
use escher_ir::program::Program;
use escher_storm::noop::Noop;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, rest) = arguments.split_first().expect("a folder");
    let folder = tempfile::tempdir_in(folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match rest.first().map(String::as_str) {
        Some("dag") => runtime.block_on(dag(folder.path(), number(rest, 1, 10_000))),
        _ => runtime.block_on(calls(folder.path(), number(rest, 0, 10_000), number(rest, 1, 64))),
    }
}

fn number(arguments: &[String], at: usize, default: usize) -> usize {
    arguments.get(at).map_or(default, |text| text.parse().unwrap())
}

fn program(source: &str) -> Arc<Program> {
    let checked = escher_core::check(&CatalogWorld, source);
    let program = checked.playbooks.into_iter().next().and_then(|p| p.program().cloned());
    program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics.first()))
}

/// Peak memory of this process in MB, as the system counts it.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(0.0) / 1_000.0
}

async fn calls(folder: &Path, calls: usize, at_once: usize) {
    let source = format!(
        "@risk(critical)\n@approval(by: \"manager\", of: 2)\nplaybook bench(limit: int(1..=100000) = 100000) {{
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
    step stop \"Stop\" for m in machines max limit, at_once {at_once} {{
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }}
}}\n"
    );
    let engine = Engine::new(Arc::new(SqliteStore::open(folder).unwrap()));
    let cloud = Noop::new(calls);
    let begin = Instant::now();
    let ambient = Target { cloud: "aws".into(), ..Target::default() };
    let options = PlanOptions::new("otto", ambient);
    let planned = engine.plan(program(&source), BTreeMap::new(), &cloud, &options).await.unwrap();
    let (planning, planned_peak) = (begin.elapsed(), peak());
    let run = planned.run.clone();
    drop(planned);
    let options = RunOptions::new("otto", Gate { sandbox: true, ..Gate::default() });
    let begin = Instant::now();
    let report = engine.run(&run, &cloud, &options).await.unwrap();
    let running = begin.elapsed();
    assert_eq!(cloud.calls(), calls);
    assert_eq!(report.items.len(), calls);
    let micros = running.as_secs_f64() * 1e6 / calls as f64;
    println!(
        "{calls} calls, at_once {at_once}: plan {:.0} ms ({planned_peak:.0} MB), run {:.0} ms, {micros:.1} µs a call, peak {:.0} MB",
        planning.as_secs_f64() * 1e3,
        running.as_secs_f64() * 1e3,
        peak(),
    );
    drop(report);
    let bytes = segments(engine.store().as_ref(), "audit") + segments(engine.store().as_ref(), &format!("run/{run}"));
    let floor = floor(&folder.join("floor"), calls.div_ceil(at_once), bytes);
    println!(
        "floor: {} bytes a call in {} commits of the store alone: {:.1} µs a call",
        bytes / calls,
        calls.div_ceil(at_once),
        floor * 1e6 / calls as f64
    );
}

/// Bytes of a stream.
fn segments(store: &dyn StateStore, stream: &str) -> usize {
    store.read(stream, 0).unwrap().iter().map(|segment| segment.bytes.len()).sum()
}

/// Seconds that a store takes for as many bytes in as many commits, one after the other, with nothing around it.
fn floor(folder: &Path, commits: usize, bytes: usize) -> f64 {
    let store = SqliteStore::open(folder).unwrap();
    let mut head = store.append("floor", Head::EMPTY, vec![0]).unwrap();
    let part = bytes / commits;
    let begin = Instant::now();
    store.expect(bytes as u64);
    for n in 0..commits {
        head = store.append("floor", head, vec![u8::try_from(n % 251).unwrap(); part]).unwrap();
    }
    begin.elapsed().as_secs_f64()
}

async fn dag(folder: &Path, steps: usize) {
    let mut source = "@risk(critical)\n@approval(by: \"manager\", of: 2)\nplaybook dag() {\n".to_string();
    for n in 0..steps {
        source += &format!("    step s{n} \"Stop\" {{ aws.ec2.stop_instances(instance_ids: [\"i-{n}\"]) }}\n");
    }
    source += "}\n";
    let begin = Instant::now();
    let program = program(&source);
    let checking = begin.elapsed();
    let engine = Engine::new(Arc::new(SqliteStore::open(folder).unwrap()));
    let ambient = Target { cloud: "aws".into(), ..Target::default() };
    let begin = Instant::now();
    let planned =
        engine.plan(program, BTreeMap::new(), &Noop::new(0), &PlanOptions::new("otto", ambient)).await.unwrap();
    assert_eq!(planned.plan.steps.len(), steps);
    println!(
        "{steps} steps: check {:.0} ms, plan {:.0} ms, peak {:.0} MB",
        checking.as_secs_f64() * 1e3,
        begin.elapsed().as_secs_f64() * 1e3,
        peak()
    );
}
