//! Histories: the state of runs whose process died at a chosen moment, recorded once and resumed for ever.
//!
//! A history is a folder: `state.db.zst` as it was on the disk, `world.json` with the cloud as the dead process left it, and
//! `told.txt` with what resuming it did on the day when it was recorded. A later Escher must do the same.

mod older;
mod scenes;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use escher_core::CatalogWorld;
use escher_engine::{Engine, EngineError, PlanOptions, RunOptions, RunReport, SqliteStore, StateStore, outcome_word};
use escher_ir::Target;
use escher_ir::codec;
use escher_ir::journal::{Event, Segment};
use serde_json::{Value as Json, json};

use crate::clock::PausedClock;
use crate::dying::Dying;
use crate::people;
use crate::simulator::{Chaos, Simulator, World};

use older::Older;
pub use scenes::{SCENES, Scene};

/// The state, packed.
const STATE: &str = "state.db.zst";

/// Events that a process may write before nobody believes any more that the moment comes.
const MOMENTS: u64 = 80;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Records a scene into a folder that is not there yet.
pub fn record(scene: &Scene, folder: &Path) -> Result<(), String> {
    // What becomes durable together is up to the journal's own thread, so a moment may be missed once.
    for at in (0..MOMENTS).chain(0..MOMENTS).chain(0..MOMENTS) {
        for lands in [true, false] {
            let scratch = tempfile::tempdir().map_err(|e| e.to_string())?;
            let Some(kept) = runtime().block_on(lived(scene, scratch.path(), at, lands))? else { continue };
            std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
            // Opened once more, so that all lies in the one file.
            drop(SqliteStore::open(scratch.path()).map_err(|e| e.to_string())?);
            let state = std::fs::read(scratch.path().join("state.db")).map_err(|e| e.to_string())?;
            let packed = zstd::encode_all(&*state, 19).map_err(|e| e.to_string())?;
            std::fs::write(folder.join(STATE), packed).map_err(|e| e.to_string())?;
            std::fs::write(folder.join("world.json"), format!("{kept:#}\n")).map_err(|e| e.to_string())?;
            let told = resume(folder)?;
            return std::fs::write(folder.join("told.txt"), told).map_err(|e| e.to_string());
        }
    }
    Err(format!("{}: the moment never came", scene.name))
}

/// One life up to its death; what is kept beside the state where the moment came.
async fn lived(scene: &Scene, folder: &Path, at: u64, lands: bool) -> Result<Option<Json>, String> {
    let checked = escher_core::check(&CatalogWorld, scene.playbook);
    let program = checked.playbooks.into_iter().next().and_then(|p| p.program().cloned());
    let program = program.ok_or_else(|| format!("{}: {:?}", scene.name, checked.diagnostics))?;
    let cloud = Simulator::new(1, Chaos::none(), scenes::world());
    let clock = Arc::new(PausedClock::new());
    let open = || SqliteStore::open(folder).map(|store| Older::new(store, scene.version)).map_err(|e| e.to_string());
    let engine = Engine::new(Arc::new(open()?)).with_clock(clock.clone());
    let plan = PlanOptions::new("otto", Target { cloud: "aws".into(), ..Target::default() });
    let planned = engine.plan(program, BTreeMap::new(), &cloud, &plan).await.map_err(|e| e.to_string())?;
    let first = planned.run.clone();
    if scene.signed {
        people::sign(&engine, &first, "as recorded")?;
    }
    if scene.undo {
        engine.run(&first, &cloud, &options(scene.signed)).await.map_err(|e| e.to_string())?;
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    drop(engine);
    let store = Arc::new(Dying::new(open()?, at, lands));
    let engine = Engine::new(store.clone()).with_clock(clock);
    let options = options(scene.signed);
    let work = async {
        match scene.undo {
            true => engine.undo(&first, &cloud, &options).await,
            false => engine.run(&first, &cloud, &options).await,
        }
    };
    let ended = tokio::select! {
        biased;
        () = store.death() => None,
        result = work => Some(result),
    };
    drop(engine);
    // What was in flight arrives, and what was begun ends.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let store = open()?;
    let run = store.streams("run/").map_err(|e| e.to_string())?.into_iter().map(|s| s.replace("run/", ""));
    let Some(run) = run.into_iter().find(|run| !scene.undo || *run != first) else { return Ok(None) };
    let events = events(&store, &run)?;
    let died = ended.is_none();
    if died != scene.dies || !(scene.moment)(&events, &cloud.world()) {
        return Ok(None);
    }
    let about = json!({
        "what": scene.what, "run": run, "signed": scene.signed, "version": scene.version,
        "beside": scene.playbook.contains("parallel {"),
    });
    Ok(Some(json!({ "about": about, "world": cloud.world().kept() })))
}

fn options(signed: bool) -> RunOptions {
    let mut options = RunOptions::new("otto", people::gate(signed));
    options.confirm = escher_engine::Confirm::Yes;
    options
}

fn events(store: &dyn StateStore, run: &str) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    for segment in store.read(&format!("run/{run}"), 0).map_err(|e| e.to_string())? {
        let (_, segment) = codec::decode::<Segment>(&segment.bytes).map_err(|e| e.to_string())?;
        events.extend(segment.events.into_iter().map(|entry| entry.event));
    }
    Ok(events)
}

/// Resumes a history with the engine of today, an hour later and on a copy, and tells what that did.
pub fn resume(folder: &Path) -> Result<String, String> {
    let read = |name: &str| std::fs::read(folder.join(name)).map_err(|e| format!("{}: {e}", folder.display()));
    let kept: Json = serde_json::from_slice(&read("world.json")?).map_err(|e| e.to_string())?;
    let copy = tempfile::tempdir().map_err(|e| e.to_string())?;
    let state = zstd::decode_all(&*read(STATE)?).map_err(|e| e.to_string())?;
    std::fs::write(copy.path().join("state.db"), state).map_err(|e| e.to_string())?;
    runtime().block_on(resumed(copy.path(), &kept))
}

async fn resumed(folder: &Path, kept: &Json) -> Result<String, String> {
    let about = &kept["about"];
    let run = about["run"].as_str().ok_or("no run")?;
    let signed = about["signed"] == true;
    let cloud = Simulator::new(1, Chaos::none(), World::of(&kept["world"]));
    let store = SqliteStore::open(folder).map_err(|e| e.to_string())?;
    let engine = Engine::new(Arc::new(store)).with_clock(Arc::new(PausedClock::later(Duration::from_secs(3_600))));
    let mut told = format!("{}\n", about["what"].as_str().unwrap_or_default());
    let shown = engine.show(run).map_err(|e| e.to_string())?;
    let _ = writeln!(told, "\nit was {}", shown.standing.word());
    items(&mut told, &shown);
    let mut result = engine.resume(run, &cloud, &options(signed)).await;
    if let (Err(EngineError::Refused(refused)), true) = (&result, signed) {
        let _ = writeln!(told, "\nrefused: {}", refused.reason);
        people::sign(&engine, run, "as recorded")?;
        result = engine.resume(run, &cloud, &options(signed)).await;
    }
    let report = result.map_err(|e| format!("it does not go on: {e}"))?;
    if engine.show(run).map_err(|e| e.to_string())? != report {
        return Err("the journal tells another report than the run gave".into());
    }
    let _ = writeln!(told, "\nresumed, it is {}", report.standing.word());
    items(&mut told, &report);
    told.push_str("\nsent\n");
    let (mut sent, mut effects) = {
        let world = cloud.world();
        let effects = world.effects.iter().map(|effect| format!("{} {}", effect.what, effect.to));
        (world.sent.clone(), effects.collect::<Vec<_>>())
    };
    if about["beside"] == true {
        // What runs side by side has no order.
        sent.sort();
        effects.sort();
    }
    for call in &sent {
        let _ = writeln!(told, "  {call}");
    }
    told.push_str("\ndone in the cloud, all in all\n");
    for effect in &effects {
        let _ = writeln!(told, "  {effect}");
    }
    let verdict = engine.verify_audit().map_err(|e| e.to_string())?;
    if !verdict.problems.is_empty() {
        return Err(format!("the audit log does not verify: {:?}", verdict.problems));
    }
    Ok(told.replace(run, "RUN"))
}

fn items(told: &mut String, report: &RunReport) {
    for item in &report.items {
        let reason = item.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let _ = writeln!(told, "  {} {} {}{reason}", item.step, item.item.id, outcome_word(item.outcome));
    }
}
