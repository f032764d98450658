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
/// What an answer takes at least: long enough that a run has room for a blow, on a busy machine too.
const LATENCY: &str = "40ms";
/// After a segment is durable the blow falls at some point of what follows, not always at its beginning.
const DELAY_MS: u64 = 30;

/// Fifty runs, each killed once. All are killed before the first is resumed, so that their leases end side by side.
pub fn kills(binary: &Path) -> Result<()> {
    let (mut random, seed) = Random::new();
    println!("        ESCHER_LAB_SEED={seed} draws the same moments again");
    let (before, after) = undisturbed(binary)?;
    let events = after
        .checked_sub(before)
        .filter(|n| *n > 2 * DEV / 3)
        .ok_or_else(|| format!("a whole run wrote {before}..{after} segments: too few to draw moments over"))?;
    let (mut victims, mut late) = (Vec::new(), 0);
    while (victims.len() as u64) < KILLS {
        let number = victims.len() as u64 + 1;
        let moment = before + 1 + random.below(events.saturating_sub(1));
        let delay = Duration::from_millis(random.below(DELAY_MS));
        let told = format!("kill {number}, at segment {moment} of {before}..{after} + {delay:?}");
        match kill(binary, number, moment, delay).map_err(|error| format!("{told}: {error}"))? {
            Some(victim) => victims.push(victim.called(told)),
            None => late += 1,
        }
        // A busy machine strikes late now and then; one that always does tests nothing.
        check::that(late <= KILLS, format!("{late} runs ended before they could be killed"))?;
    }
    let mut resumed = 0;
    for victim in &victims {
        resumed += u64::from(victim.resume().map_err(|error| format!("{}: {error}", victim.told))?);
    }
    println!(
        "        {KILLS} killed, {resumed} with something left to do; {late} ended before the blow and were drawn again"
    );
    // A kill that came after the last event tests nothing; most must have left something to do.
    check::that(resumed * 10 >= KILLS * 8, format!("only {resumed} of {KILLS} kills left something to resume"))
}

/// A run that was killed, its project and its cloud.
struct Victim {
    told: String,
    sandbox: Sandbox,
    project: Project,
}

impl Victim {
    fn called(self, told: String) -> Self {
        Self { told, ..self }
    }

    /// Takes the run up again and asks the cloud's log what became of it all. Whether there was anything left to do.
    fn resume(&self) -> Result<bool> {
        let id = self.project.newest_run()?;
        let answer = self.project.call(&["resume", &id, "--format", "json"])?;
        // The blow may have fallen between the last event and the end of the process: what follows holds all the same.
        let ended = answer.code == Some(3) && answer.stdout.contains("has ended");
        if !ended {
            answer.exits(0)?;
        }
        each_stopped_once(&self.sandbox.transitions()?)?;
        let shown = self.project.call(&["runs", "show", &id, "--format", "json"])?.exits(0)?.json()?;
        check::equal("totals.done", &check::number(&shown, "/totals/done")?, &DEV)?;
        self.project.call(&["audit", "verify"])?.exits(0)?;
        Ok(!ended)
    }
}

/// A whole run: how many segments the journals hold before and after.
fn undisturbed(binary: &Path) -> Result<(u64, u64)> {
    let sandbox = Sandbox::start(binary, LATENCY)?;
    let project = prepared(binary, &sandbox, 0)?;
    let before = segments(&project)?;
    project.run()?.exits(0)?;
    each_stopped_once(&sandbox.transitions()?)?;
    Ok((before, segments(&project)?))
}

fn prepared(binary: &Path, sandbox: &Sandbox, number: u64) -> Result<Project> {
    let project = Project::new(&format!("storm/{number}"), EACH, binary, &sandbox.url(), anybody())?;
    project.plan()?;
    project.approve()?;
    Ok(project)
}

/// One run, killed when its journal has `moment` segments and then some time has passed; none where it ended before.
fn kill(binary: &Path, number: u64, moment: u64, delay: Duration) -> Result<Option<Victim>> {
    let sandbox = Sandbox::start(binary, LATENCY)?;
    let project = prepared(binary, &sandbox, number)?;
    let mut watcher = watcher(&project, moment)?;
    let mut run = project.escher(RUN);
    let mut run = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let reached = wait_for(&mut watcher);
    std::thread::sleep(delay);
    run.kill()?;
    // A code of its own: it had ended, and the blow met nobody.
    let ended = run.wait()?.code();
    watcher.kill()?;
    watcher.wait()?;
    reached?;
    match ended {
        None => Ok(Some(Victim { told: String::new(), sandbox, project })),
        Some(0) => Ok(None),
        Some(code) => Err(format!("the run ended with code {code} before it was killed").into()),
    }
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
