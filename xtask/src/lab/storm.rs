//! `kill -9` at moments drawn over a run's journal, then `resume`: nothing twice, nothing missed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

/// Runs that go on side by side, each with a cloud and a state of its own: a run mostly waits for answers and leases.
const AT_ONCE: usize = 4;

/// Where and when one kill strikes.
#[derive(Clone, Copy)]
struct Blow {
    number: u64,
    moment: u64,
    delay: Duration,
}

/// Fifty runs, each killed once. All are killed before the first is resumed, so that their leases end side by side.
pub fn kills(binary: &Path) -> Result<()> {
    let (mut random, seed) = Random::new();
    println!("        ESCHER_LAB_SEED={seed} draws the same moments again");
    let (before, after) = undisturbed(binary)?;
    let events = after
        .checked_sub(before)
        .filter(|n| *n > 2 * DEV / 3)
        .ok_or_else(|| format!("a whole run wrote {before}..{after} segments: too few to draw moments over"))?;
    let mut draw = |number| Blow {
        number,
        moment: before + 1 + random.below(events.saturating_sub(1)),
        delay: Duration::from_millis(random.below(DELAY_MS)),
    };
    // Drawn before anything runs, so that a seed gives the same blows however the runs overlap.
    let mut blows: Vec<Blow> = (1..=KILLS).map(&mut draw).collect();
    let (mut victims, mut late) = (Vec::new(), 0);
    while !blows.is_empty() {
        let mut again = Vec::new();
        for (number, victim) in side_by_side(&blows, |blow| {
            let told =
                format!("kill {}, at segment {} of {before}..{after} + {:?}", blow.number, blow.moment, blow.delay);
            match kill(binary, blow).map_err(|error| format!("{told}: {error}"))? {
                Some(victim) => Ok((blow.number, Some(victim.called(told)))),
                None => Ok((blow.number, None)),
            }
        })? {
            match victim {
                Some(victim) => victims.push(victim),
                None => again.push(number),
            }
        }
        late += again.len() as u64;
        // A busy machine strikes late now and then; one that always does tests nothing.
        check::that(late <= KILLS, format!("{late} runs ended before they could be killed"))?;
        blows = again.into_iter().map(&mut draw).collect();
    }
    let left =
        side_by_side(&victims, |victim| Ok(victim.resume().map_err(|error| format!("{}: {error}", victim.told))?))?;
    let resumed = left.into_iter().filter(|something| *something).count() as u64;
    println!(
        "        {KILLS} killed, {resumed} with something left to do; {late} ended before the blow and were drawn again"
    );
    // A kill that came after the last event tests nothing; most must have left something to do.
    check::that(resumed * 10 >= KILLS * 8, format!("only {resumed} of {KILLS} kills left something to resume"))
}

/// What `does` gives of each, some at once, in order; the first error ends it when what is under way has ended.
fn side_by_side<T: Sync, R: Send>(all: &[T], does: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let worker = || {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = all.get(index) else { break };
            // As text: an error of any kind does not cross threads.
            let result = does(one).map_err(|error| error.to_string());
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((index, result));
        }
        done
    };
    let mut done: Vec<(usize, std::result::Result<R, String>)> = Vec::new();
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            done.extend(worker.join().map_err(|_| "a run of the storm panicked")?);
        }
        Ok(())
    })?;
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect::<std::result::Result<_, String>>()?)
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

/// One run, killed when its journal has some segments and then some time has passed; none where it ended before.
fn kill(binary: &Path, blow: &Blow) -> Result<Option<Victim>> {
    let sandbox = Sandbox::start(binary, LATENCY)?;
    let project = prepared(binary, &sandbox, blow.number)?;
    let mut watcher = watcher(&project, blow.moment)?;
    let mut run = project.escher(RUN);
    let mut run = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let reached = wait_for(&mut watcher);
    std::thread::sleep(blow.delay);
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

/// Segments that the journals of a project hold.
pub(super) fn segments(project: &Project) -> Result<u64> {
    Ok(process::text(&mut script(project, "count")?)?.trim().parse()?)
}

/// Says `reached` as soon as they hold so many.
pub(super) fn watcher(project: &Project, moment: u64) -> Result<Child> {
    Ok(script(project, &moment.to_string())?.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
}

/// Waits for a watcher's word.
pub(super) fn wait_for(watcher: &mut Child) -> Result<()> {
    let stdout = watcher.stdout.take().ok_or("the watcher has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    check::that(line.trim() == "reached", "the journal's watcher ended early")
}
