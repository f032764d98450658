//! What several steps over one list owe each other, on the practice cloud and with the real command line.
//!
//! Each scenario judges by the practice cloud's own log of what was done to it, not by what Escher says of itself.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::escher::{Project, RUN, anybody};
use super::sandbox::Sandbox;
use super::{check, http};
use crate::{Result, process};

const SEED: &str = "storage.toml";
const RETIRE: &str = "examples/retire_volumes.esc";
/// Old volumes of the seed, in both regions.
const OLD: usize = 12;

/// A change that the practice cloud made: operation and the id that it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Done {
    action: String,
    id: String,
    number: u64,
}

/// What was done to volumes and machines so far, in order.
fn done(sandbox: &Sandbox) -> Result<Vec<Done>> {
    let mut all = Vec::new();
    for entry in check::list(&sandbox.activity()?, "/entries")? {
        let changed = entry.get("transitions").and_then(Value::as_array).is_some_and(|t| !t.is_empty());
        let action = check::text(entry, "/action").unwrap_or_default();
        if !changed && !matches!(action.as_str(), "ModifyInstanceAttribute" | "CreateTags") {
            continue;
        }
        let parameters = entry.get("parameters").cloned().unwrap_or_default();
        let named = ["/VolumeId", "/SnapshotId", "/InstanceId", "/InstanceIds/0", "/Resources/0"];
        let id = named.iter().find_map(|name| parameters.pointer(name).and_then(Value::as_str));
        let id = id.ok_or_else(|| format!("{action} names nothing: {}", check::short(&parameters)))?;
        all.push(Done { action, id: id.to_string(), number: check::number(entry, "/number")? });
    }
    Ok(all)
}

fn ids<'d>(done: &'d [Done], action: &str) -> Vec<&'d str> {
    let mut ids: Vec<&str> = done.iter().filter(|d| d.action == action).map(|d| d.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

fn each_once(ids: &[&str]) -> bool {
    ids.iter().collect::<std::collections::BTreeSet<_>>().len() == ids.len()
}

/// A project of an operator and two managers, none of whom approves alone, with places in two regions.
fn with_managers(name: &str, binary: &Path, sandbox: &Sandbox) -> Result<Project> {
    let project = Project::new(name, RETIRE, binary, &sandbox.url(), anybody())?;
    let folder = &project.folder;
    let playbook = fs::read_to_string(folder.join("job.esc"))?;
    // The waiter's own pause is fifteen seconds; the practice cloud is quicker.
    let quick = playbook.replace("timeout 2h\n        s\n", "every 500ms timeout 2h\n        s\n");
    check::that(quick != playbook, "the example waits otherwise now")?;
    fs::write(folder.join("job.esc"), quick)?;
    fs::remove_dir_all(folder.join(".escher")).or_else(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(e),
    })?;
    let mut signers = String::new();
    for manager in ["ada", "ben"] {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", manager, "-f"]).arg(folder.join(manager));
        process::text(&mut keygen)?;
        let public = fs::read_to_string(folder.join(format!("{manager}.pub")))?;
        signers.push_str(&format!("{manager} namespaces=\"escher-approval\" {}", public.trim()));
        signers.push('\n');
    }
    fs::write(folder.join("allowed_signers"), signers)?;
    let place = |region: &str| format!("{{ cloud = \"aws\", account = \"123456789012\", region = \"{region}\" }}");
    fs::write(
        folder.join("escher.toml"),
        format!(
            "edition = \"2027\"\nprincipal = \"operator\"\n\n[approval]\nsigners = \"allowed_signers\"\n\n[roles]\n\
             manager = [\"ada\", \"ben\"]\n\n[run]\nrecheck_after = \"1s\"\n\n[targets]\nstorage = [{}, {}]\n",
            place("us-east-1"),
            place("eu-central-1")
        )
        .replace("2027", &edition(&project)?),
    )?;
    Ok(project)
}

/// The edition that `init` wrote.
fn edition(project: &Project) -> Result<String> {
    let text = fs::read_to_string(project.folder.join("escher.toml"))?;
    let edition = text.lines().find_map(|l| l.strip_prefix("edition = \"")).and_then(|l| l.strip_suffix('"'));
    Ok(edition.ok_or("escher.toml has no edition")?.to_string())
}

/// Planned, refused with one key, approved with two.
fn approved(name: &str, binary: &Path, sandbox: &Sandbox) -> Result<Project> {
    let project = with_managers(name, binary, sandbox)?;
    let plan = project.plan()?;
    check::equal("planned calls", &check::list(&plan, "/calls")?.len(), &(2 * OLD))?;
    project.call(&["approve", "plan.json", "--key", "ada"])?.exits(0)?;
    project.run()?.exits(3)?;
    project.call(&["approve", "plan.json", "--key", "ben"])?.exits(0)?;
    check::equal("changes before both keys", &done(sandbox)?.len(), &0)?;
    Ok(project)
}

/// Stop, resize, start over one list; what is read below the steps sees them.
pub fn resize(binary: &Path) -> Result<()> {
    let sandbox = Sandbox::seeded(binary, SEED, "0ms")?;
    let project = Project::new("steps/resize", "xtask/lab/resize.esc", binary, &sandbox.url(), anybody())?;
    let plan = project.plan()?;
    check::equal("planned calls", &check::list(&plan, "/calls")?.len(), &18)?;
    project.approve()?;
    let run = project.run()?.exits(0)?.json()?;
    check::equal("totals.done", &check::number(&run, "/totals/done")?, &18)?;
    let done = done(&sandbox)?;
    for action in ["StopInstances", "ModifyInstanceAttribute", "StartInstances"] {
        let ids = ids(&done, action);
        check::that(ids.len() == 6 && each_once(&ids), format!("{action}: {ids:?}"))?;
    }
    let last = |action: &str| done.iter().filter(|d| d.action == action).map(|d| d.number).max();
    let first = |action: &str| done.iter().filter(|d| d.action == action).map(|d| d.number).min();
    check::that(last("StopInstances") < first("ModifyInstanceAttribute"), "resized before all had stopped")?;
    check::that(last("ModifyInstanceAttribute") < first("StartInstances"), "started before all were resized")
}

/// Branches that use nothing of each other run side by side; what uses one waits for it.
pub fn parallel(binary: &Path) -> Result<()> {
    let sandbox = Sandbox::seeded(binary, SEED, "40ms")?;
    let project = Project::new("steps/parallel", "xtask/lab/side_by_side.esc", binary, &sandbox.url(), anybody())?;
    project.plan()?;
    project.approve()?;
    let run = project.run()?.exits(0)?.json()?;
    check::equal("totals.done", &check::number(&run, "/totals/done")?, &22)?;
    let done = done(&sandbox)?;
    let span = |action: &str, id: &str| {
        let numbers = done.iter().filter(|d| d.action == action && d.id.starts_with(id)).map(|d| d.number);
        (numbers.clone().min(), numbers.max())
    };
    let (stop, mark) = (span("StopInstances", "i-"), span("CreateTags", "vol-"));
    check::that(stop.0 < mark.1 && mark.0 < stop.1, format!("not side by side: {stop:?} and {mark:?}"))?;
    let note = span("CreateTags", "i-");
    check::that(stop.1 < note.0, format!("marked before all had stopped: {stop:?} and {note:?}"))
}

/// A snapshot fails: its volume is out, and is not deleted.
pub fn snapshot_failed(binary: &Path) -> Result<()> {
    let sandbox = Sandbox::seeded(binary, SEED, "0ms")?;
    let project = approved("steps/failed", binary, &sandbox)?;
    sandbox.faults(r#"{ "rules": [{ "action": "CreateSnapshot", "fault": "throttle", "times": 1 }] }"#)?;
    let run = project.run()?.exits(4)?.json()?;
    let done = done(&sandbox)?;
    let (copied, deleted) = (ids(&done, "CreateSnapshot"), ids(&done, "DeleteVolume"));
    check::equal("volumes deleted, and those with a copy", &deleted, &copied)?;
    check::equal("copies", &copied.len(), &(OLD - 1))?;
    check::equal("totals.failed", &check::number(&run, "/totals/failed")?, &1)?;
    check::equal("totals.skipped", &check::number(&run, "/totals/skipped")?, &1)?;
    let text = run.to_string();
    check::that(text.contains("out: it did not get through step `snapshot`"), "the report does not say why")
}

/// Killed when copies were made and nobody had heard of it: no second copy, and every volume waits for its own.
pub fn crash(binary: &Path) -> Result<()> {
    let sandbox = Sandbox::seeded(binary, SEED, "0ms")?;
    let project = approved("steps/crash", binary, &sandbox)?;
    // The first five are asked for before they are made; then their answers are lost and the look after them hangs.
    sandbox.faults(
        r#"{ "rules": [
            { "action": "CreateSnapshot", "fault": "lost_answer" },
            { "action": "DescribeSnapshots", "fault": "latency", "milliseconds": 60000, "skip": 5 } ] }"#,
    )?;
    let mut run = project.escher(RUN).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let until = Instant::now() + Duration::from_secs(60);
    while ids(&done(&sandbox)?, "CreateSnapshot").len() < 3 {
        check::that(Instant::now() < until, "no copy was made in time")?;
        check::that(run.try_wait()?.is_none(), "the run ended before it was killed")?;
        std::thread::yield_now();
    }
    run.kill()?;
    check::equal("the exit code of what was killed", &run.wait()?.code(), &None)?;
    sandbox.faults(r#"{ "rules": [] }"#)?;
    check::equal("volumes deleted before the crash", &ids(&done(&sandbox)?, "DeleteVolume").len(), &0)?;
    let id = project.newest_run()?;
    let resumed = project.call(&["resume", &id, "--format", "json"])?.exits(0)?.json()?;
    check::equal("totals.done", &check::number(&resumed, "/totals/done")?, &(2 * OLD as u64))?;
    let done_now = done(&sandbox)?;
    let (copied, deleted) = (ids(&done_now, "CreateSnapshot"), ids(&done_now, "DeleteVolume"));
    check::that(each_once(&copied), format!("copied twice: {copied:?}"))?;
    check::equal("volumes with a copy", &copied.len(), &OLD)?;
    check::equal("volumes deleted, and those with a copy", &deleted, &copied)?;
    let last = done_now.iter().filter(|d| d.action == "CreateSnapshot").map(|d| d.number).max();
    let first = done_now.iter().filter(|d| d.action == "DeleteVolume").map(|d| d.number).min();
    check::that(last < first, "a volume was deleted before all copies were made")?;
    project.call(&["audit", "verify"])?.exits(0)?;
    // And back again: each from its own copy.
    project.call(&["undo", &id, "--format", "json"])?.exits(0)?;
    let made = done(&sandbox)?.iter().filter(|d| d.action == "CreateVolume").count();
    check::equal("volumes made again", &made, &OLD)
}

/// Attached by somebody else after the approval: skipped, and said so.
pub fn attached(binary: &Path) -> Result<()> {
    let sandbox = Sandbox::seeded(binary, SEED, "0ms")?;
    let project = approved("steps/attached", binary, &sandbox)?;
    let plan: Value = serde_json::from_str(&fs::read_to_string(project.folder.join("plan.json"))?)?;
    let first = check::list(&plan, "/calls")?
        .iter()
        .find(|c| c.get("region").and_then(Value::as_str) == Some("us-east-1"))
        .ok_or("no call in us-east-1")?;
    let volume = check::text(first, "/item")?;
    let other = Project::new("steps/other", "xtask/lab/attach.esc", binary, &sandbox.url(), anybody())?;
    let instance = machine(&sandbox)?;
    let set = [format!("volume={volume}"), format!("instance={instance}")];
    other.call(&["run", "job.esc", "--yes", "--set", &set[0], "--set", &set[1]])?.exits(0)?;
    std::thread::sleep(Duration::from_millis(1_100));
    let run = project.run()?.exits(0)?.json()?;
    let done = done(&sandbox)?;
    let (copied, deleted) = (ids(&done, "CreateSnapshot"), ids(&done, "DeleteVolume"));
    check::that(!copied.contains(&&*volume) && !deleted.contains(&&*volume), format!("{volume} was touched"))?;
    check::equal("volumes deleted", &deleted.len(), &(OLD - 1))?;
    check::equal("totals.skipped", &check::number(&run, "/totals/skipped")?, &2)?;
    check::that(run.to_string().contains("changed: it is no longer in the list"), "the report does not say why")
}

/// A machine of the seed in the first region.
fn machine(sandbox: &Sandbox) -> Result<String> {
    let state = sandbox.state()?.to_string();
    let id = super::escher::instance_ids(&state).into_iter().next();
    id.ok_or_else(|| "the practice cloud has no machine".into())
}

/// Temporary: taken back at the end; after a crash the run owes it, `runs list` says so, and `resume` pays.
pub fn temporary(binary: &Path) -> Result<()> {
    let sandbox = Sandbox::seeded(binary, SEED, "0ms")?;
    let project = Project::new("steps/temporary", "xtask/lab/pause.esc", binary, &sandbox.url(), anybody())?;
    project.plan()?;
    project.approve()?;
    let mut run = project.escher(RUN).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let until = Instant::now() + Duration::from_secs(60);
    while ids(&done(&sandbox)?, "StopInstances").len() < 3 {
        check::that(Instant::now() < until, "nothing was stopped in time")?;
        std::thread::yield_now();
    }
    run.kill()?;
    run.wait()?;
    let listed = project.call(&["runs", "list", "--format", "json"])?.exits(0)?.json()?;
    check::equal("what the run owes", &check::text(&listed, "/runs/0/owes/0")?, &"stop".to_string())?;
    let id = project.newest_run()?;
    project.call(&["resume", &id, "--format", "json"])?.exits(0)?;
    let done = done(&sandbox)?;
    let (stopped, started) = (ids(&done, "StopInstances"), ids(&done, "StartInstances"));
    check::equal("machines stopped", &stopped.len(), &6)?;
    check::equal("machines started again, and those stopped", &started, &stopped)?;
    let listed = project.call(&["runs", "list", "--format", "json"])?.exits(0)?.json()?;
    check::equal("what the run owes in the end", &check::list(&listed, "/runs/0/owes")?.len(), &0)
}

impl Sandbox {
    fn state(&self) -> Result<Value> {
        self.ask("GET", "state", "")
    }

    fn faults(&self, rules: &str) -> Result<()> {
        self.ask("POST", "faults", rules).map(drop)
    }

    fn ask(&self, method: &str, what: &str, body: &str) -> Result<Value> {
        let answer = http::ask(self.port(), method, &format!("/_sandbox/{what}"), body)?;
        check::equal(what, &answer.status, &200)?;
        Ok(serde_json::from_str(&answer.body)?)
    }
}
