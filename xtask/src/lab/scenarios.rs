//! `cargo xtask lab e2e`: the list of scenarios, one line printed for each, and the totals.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::{clients, clouds, emulator, escher, gate, library, policy, race, sandbox, secrets, steps, storm, throttle};
use crate::Result;

/// A scenario: its name, and what it does with the command line.
type Scenario = (&'static str, fn(&Path) -> Result<()>);

/// Begun in this order. A scenario starts its own servers, so that each can run alone, and beside another.
const SCENARIOS: &[Scenario] = &[
    ("lab: the emulators start, are seeded, and moto checks signatures", |_| emulator::stands()),
    ("moto: 500 of 600 planned, refused, approved, stopped, nothing left, undone", emulator::moto),
    ("moto: the same with signatures and policies judged", emulator::moto_with_signatures),
    ("moto: each playbook with exactly the policy it asks for, and with less", policy::least),
    ("moto: planted secrets are sent, and found in no file, log or output", secrets::nowhere),
    ("library: each operation of AWS that moto has runs there", library::moto),
    ("library: each operation of Google Cloud that drongo has runs there", library::drongo),
    ("library: each operation of Google Cloud that gcplocal has runs there", library::gcplocal),
    ("ministack: the same where filters and paging are ignored", emulator::ministack),
    ("microburst: three in ten single calls refused, each machine stopped once", throttle::survives),
    ("gate: a changed literal, target or argument is refused", gate::changed),
    ("gate: a changed comment is not", gate::comment),
    ("sandbox: one transition each, production untouched", sandbox::stop_and_undo),
    ("clouds: one playbook over three, throttled, killed, resumed, undone", clouds::all_three),
    ("clients: what a playbook did in three clouds, seen by aws, az and gcloud", clients::share),
    ("steps: stop, resize, start over one list; what is read below sees it", steps::resize),
    ("steps: branches side by side, and what waits for one", steps::parallel),
    ("steps: a snapshot failed, and its volume is not deleted", steps::snapshot_failed),
    ("steps: two keys, a crash after the copies, no second copy, undone", steps::crash),
    ("steps: attached between approval and run, and skipped", steps::attached),
    ("steps: temporary is taken back, and owed after a crash", steps::temporary),
    ("sandbox: fifty kills, fifty resumptions, one transition each", storm::kills),
    ("race: two processes start one run, one has it", race::two_start),
    ("race: who slept past the lease sends nothing more", race::one_sleeps),
];

/// Scenarios that take minutes, or a hundred megabytes of npm's: only where they are asked for.
const LONG: &[Scenario] = &[
    ("clients: aws, az and gcloud accept the practice clouds, before and after a playbook", clients::all),
    ("azurite: each operation of Azure that it has runs there", library::azurite),
];

/// Every command of the clouds' own tools.
pub fn clients() -> Result<()> {
    those(LONG.iter().filter(|(name, _)| name.starts_with("clients:")).collect())
}

/// Runs the scenarios whose names contain `word`.
pub fn run(word: &str) -> Result<()> {
    let chosen: Vec<&Scenario> = SCENARIOS.iter().filter(|(name, _)| name.contains(word)).collect();
    let long = LONG.iter().filter(|(name, _)| name.starts_with("azurite:") && name.contains(word));
    let chosen = if chosen.is_empty() { long.collect() } else { chosen };
    if chosen.is_empty() {
        return Err(format!("no scenario's name contains `{word}`").into());
    }
    those(chosen)
}

/// How many run at once. Each has servers, ports and folders of its own; what they share is the machine.
const AT_ONCE: usize = 2;

fn those(chosen: Vec<&Scenario>) -> Result<()> {
    let needs_binary = chosen.iter().any(|(name, _)| !name.starts_with("lab:"));
    let binary = if needs_binary { escher::binary(false)? } else { PathBuf::new() };
    let (left, failed) = (Mutex::new(chosen.iter()), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE.min(chosen.len()) {
            threads.spawn(|| {
                while let Some((name, does)) = left.lock().ok().and_then(|mut left| left.next()) {
                    if !passes(name, does, &binary) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("{} passed, {failed} failed", chosen.len() - failed);
    if failed == 0 { Ok(()) } else { Err("the lab found failures; the servers' logs are in target/lab/logs".into()) }
}

/// Runs one and prints a line.
fn passes(name: &str, does: &fn(&Path) -> Result<()>, binary: &Path) -> bool {
    let began = Instant::now();
    let result = does(binary);
    let seconds = began.elapsed().as_secs_f64();
    match &result {
        Ok(()) => println!("ok      {name} ({seconds:.1} s)"),
        Err(error) => {
            println!("FAILED  {name} ({seconds:.1} s)\n        {}", error.to_string().replace('\n', "\n        "));
        }
    }
    result.is_ok()
}
