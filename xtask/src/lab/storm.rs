//! `kill -9` at moments drawn over a run's journal, then `resume`: nothing twice, nothing missed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::check;
use super::escher::{EACH, Project, RUN, anybody};
use super::random::Random;
use super::sandbox::{DEV, Sandbox, each_stopped_once};
use crate::{Result, paths, process};

const KILLS: u64 = 50;
/// After a segment is durable the blow falls at some point of what follows, not always at its beginning.
const DELAY_MS: u64 = 30;

/// Fifty runs, each killed once.
pub fn kills(binary: &Path) -> Result<()> {
    let (mut random, seed) = Random::new();
    println!("        ESCHER_LAB_SEED={seed} draws the same moments again");
    let (before, after) = undisturbed(binary)?;
    let events = after
        .checked_sub(before)
        .filter(|n| *n > 2 * DEV / 3)
        .ok_or_else(|| format!("a whole run wrote {before}..{after} segments: too few to draw moments over"))?;
    let mut in_the_middle = 0;
    for kill in 1..=KILLS {
        let moment = before + 1 + random.below(events.saturating_sub(1));
        let delay = Duration::from_millis(random.below(DELAY_MS));
        let killed = one(binary, moment, delay)
            .map_err(|error| format!("kill {kill}, at segment {moment} of {before}..{after} + {delay:?}: {error}"))?;
        in_the_middle += u64::from(killed);
    }
    // A kill that came after the end tests nothing; most must have hit.
    check::that(in_the_middle * 10 >= KILLS * 8, format!("only {in_the_middle} of {KILLS} kills hit a living run"))
}

/// A whole run: how many segments the journals hold before and after.
fn undisturbed(binary: &Path) -> Result<(u64, u64)> {
    let sandbox = Sandbox::start(binary, "20ms")?;
    let project = prepared(binary, &sandbox)?;
    let before = segments(&project)?;
    project.run()?.exits(0)?;
    each_stopped_once(&sandbox.transitions()?)?;
    Ok((before, segments(&project)?))
}

fn prepared(binary: &Path, sandbox: &Sandbox) -> Result<Project> {
    let project = Project::new("storm", EACH, binary, &sandbox.url(), anybody())?;
    project.plan()?;
    project.approve()?;
    Ok(project)
}

/// One run, killed when its journal has `moment` segments, and resumed. Whether it was still alive.
fn one(binary: &Path, moment: u64, delay: Duration) -> Result<bool> {
    let sandbox = Sandbox::start(binary, "20ms")?;
    let project = prepared(binary, &sandbox)?;
    let mut watcher = watcher(&project, moment)?;
    let mut run = project.escher(RUN);
    let mut run = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let reached = wait_for(&mut watcher);
    std::thread::sleep(delay);
    let alive = run.try_wait()?.is_none();
    run.kill()?;
    run.wait()?;
    watcher.kill()?;
    watcher.wait()?;
    reached?;

    let id = project.newest_run()?;
    project.call(&["resume", &id, "--format", "json"])?.exits(0)?;
    each_stopped_once(&sandbox.transitions()?)?;
    let shown = project.call(&["runs", "show", &id, "--format", "json"])?.exits(0)?.json()?;
    check::equal("totals.done", &check::number(&shown, "/totals/done")?, &DEV)?;
    project.call(&["audit", "verify"])?.exits(0)?;
    Ok(alive)
}

fn script(project: &Project, argument: &str) -> Result<Command> {
    let mut command = Command::new("python3");
    command.arg(paths::lab_file("journal.py")?).arg(&project.folder).arg(argument);
    Ok(command)
}

fn segments(project: &Project) -> Result<u64> {
    Ok(process::text(&mut script(project, "count")?)?.trim().parse()?)
}

fn watcher(project: &Project, moment: u64) -> Result<Child> {
    Ok(script(project, &moment.to_string())?.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
}

fn wait_for(watcher: &mut Child) -> Result<()> {
    let stdout = watcher.stdout.take().ok_or("the watcher has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    check::that(line.trim() == "reached", "the journal's watcher ended early")
}
