//! Two processes and one run: one has it, and one that slept past its lease sends nothing more.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::escher::{EACH, Project, RUN, anybody};
use super::random::Random;
use super::sandbox::{DEV, Sandbox, each_stopped_once, none_moved_twice};
use super::{check, storm};
use crate::{Result, process};

/// Races and sleepers of every build; `ESCHER_LAB_RACES` asks for more.
const RACES: u64 = 4;
/// Sleepers whose leases end side by side.
const SLEEPERS: u64 = 20;

fn wanted() -> u64 {
    std::env::var("ESCHER_LAB_RACES").ok().and_then(|text| text.parse().ok()).unwrap_or(RACES)
}

fn prepared(binary: &Path, sandbox: &Sandbox, name: &str) -> Result<Project> {
    let project = Project::new(name, EACH, binary, &sandbox.url(), anybody())?;
    project.plan()?;
    project.approve()?;
    Ok(project)
}

fn start(project: &Project, arguments: &[&str]) -> Result<Child> {
    let mut command = project.escher(arguments);
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?)
}

/// Two start one run at once: one runs it, the other is refused; each machine stops once.
pub fn two_start(binary: &Path) -> Result<()> {
    let races = wanted();
    let mut late = 0;
    for number in 0..races {
        let sandbox = Sandbox::start(binary, "1ms")?;
        let project = prepared(binary, &sandbox, &format!("race/{number}"))?;
        let both = [start(&project, RUN)?, start(&project, RUN)?];
        let mut codes = Vec::new();
        for one in both {
            let ended = one.wait_with_output()?;
            late += u64::from(String::from_utf8_lossy(&ended.stderr).contains("has begun already"));
            codes.push(ended.status.code());
        }
        codes.sort_unstable();
        check::equal(&format!("exit codes of race {number}"), &codes, &vec![Some(0), Some(3)])?;
        each_stopped_once(&sandbox.transitions()?).map_err(|error| format!("race {number}: {error}"))?;
        project.call(&["audit", "verify"])?.exits(0)?;
    }
    println!("        {races} races, one winner each; {late} losers came after the winner had begun");
    Ok(())
}

/// A process that was stopped in mid-run, and its cloud.
struct Sleeper {
    told: String,
    sandbox: Sandbox,
    project: Project,
    run: Child,
}

/// The winner is stopped past its lease, another takes its run over, and then it may go on: it must send nothing.
pub fn one_sleeps(binary: &Path) -> Result<()> {
    let (mut random, seed) = Random::new();
    println!("        ESCHER_LAB_SEED={seed} draws the same moments again");
    let (mut left, mut sent_before) = (wanted(), 0);
    let mut lost = 0;
    while left > 0 {
        // Stopped side by side, so that their leases end side by side.
        let mut sleepers = Vec::new();
        for number in 0..left.min(SLEEPERS) {
            sleepers.push(put_to_sleep(binary, number, &mut random)?);
        }
        left -= sleepers.len() as u64;
        for sleeper in sleepers {
            let told = sleeper.told.clone();
            let (before, taken_over) = wake(sleeper).map_err(|error| format!("{told}: {error}"))?;
            sent_before += before;
            lost += u64::from(taken_over);
        }
    }
    println!(
        "        {} slept past their lease, after {sent_before} calls; {lost} were taken over, said so and sent nothing more; the others held the file",
        wanted()
    );
    // A few are caught in the middle of a write; where most are, nothing was proved.
    check::that(lost * 4 >= wanted(), format!("only {lost} of {} were taken over", wanted()))
}

fn put_to_sleep(binary: &Path, number: u64, random: &mut Random) -> Result<Sleeper> {
    let sandbox = Sandbox::start(binary, "20ms")?;
    let project = prepared(binary, &sandbox, &format!("sleeper/{number}"))?;
    let before = storm::segments(&project)?;
    let moment = before + 2 + random.below(DEV / 2);
    let mut watcher = storm::watcher(&project, moment)?;
    let run = start(&project, RUN)?;
    let reached = storm::wait_for(&mut watcher);
    signal(&run, "STOP")?;
    watcher.kill()?;
    watcher.wait()?;
    reached?;
    Ok(Sleeper { told: format!("sleeper {number}, at segment {moment}"), sandbox, project, run })
}

/// Another process takes the run over and ends it; then the first goes on. The calls before, and whether it was taken over.
fn wake(mut sleeper: Sleeper) -> Result<(u64, bool)> {
    let id = sleeper.project.newest_run()?;
    let before = changes(&sleeper.sandbox)?;
    check::that(sleeper.run.try_wait()?.is_none(), "it ended before it was put to sleep")?;
    let taken = sleeper.project.call(&["resume", &id, "--format", "json"])?;
    if taken.code == Some(1) && taken.stderr.contains("locked by another process") {
        // Stopped in the middle of a write it holds the file itself: nobody takes the run over, and it goes on.
        signal(&sleeper.run, "CONT")?;
        let ended = sleeper.run.wait_with_output()?;
        let transitions = sleeper.sandbox.transitions()?;
        let words = String::from_utf8_lossy(&ended.stderr).into_owned();
        let told =
            sleeper.project.call(&["runs", "show", &id, "--format", "json"])?.stdout.contains("no answer within");
        match ended.status.code() {
            Some(0) => each_stopped_once(&transitions)?,
            // It slept for longer than a call may take: what was on its way then ends in doubt, and the step with it.
            _ => check::that(told, format!("it ended otherwise: {words}"))
                .and_then(|()| none_moved_twice(&transitions))?,
        }
        return Ok((before, false));
    }
    taken.exits(0)?;
    each_stopped_once(&sleeper.sandbox.transitions()?)?;
    let sent = changes(&sleeper.sandbox)?;
    signal(&sleeper.run, "CONT")?;
    let ended = sleeper.run.wait_with_output()?;
    // Whatever was on its way has arrived by now.
    std::thread::sleep(Duration::from_millis(100));
    check::equal("changes that were sent", &changes(&sleeper.sandbox)?, &sent)?;
    check::that(ended.status.code() != Some(0), "it called the run of another its own")?;
    let words = String::from_utf8_lossy(&ended.stderr).into_owned();
    check::that(words.contains("taken over"), format!("it does not say that its run was taken over: {words}"))?;
    sleeper.project.call(&["audit", "verify"])?.exits(0)?;
    Ok((before, true))
}

/// Changes that reached the cloud, whatever they did.
fn changes(sandbox: &Sandbox) -> Result<u64> {
    let log = sandbox.activity()?;
    let is_change = |entry: &&Value| entry.get("action").and_then(Value::as_str) == Some("StopInstances");
    Ok(check::list(&log, "/entries")?.iter().filter(is_change).count() as u64)
}

fn signal(child: &Child, name: &str) -> Result<()> {
    process::text(Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string())).map(drop)
}
