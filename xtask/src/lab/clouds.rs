//! One playbook over three clouds, on the practice cloud, with accidents.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::escher::{Project, RUN, anybody};
use super::sandbox::Sandbox;
use super::{check, http};
use crate::Result;

const PLAYBOOK: &str = "examples/stop_dev_vms.esc";

/// A place in each cloud of the practice cloud.
const PLACES: &str = r#"
[targets]
development = [
    { cloud = "aws", account = "123456789012", region = "us-east-1" },
    { cloud = "azure", account = "00000000-0000-0000-0000-000000000001" },
    { cloud = "gcp", account = "practice" },
]
"#;

/// Development machines of the seed, in each cloud.
const EACH: usize = 8;

/// Throttling, lost answers and resets, in each cloud.
const FAULTS: &str = r#"{ "seed": 11, "rules": [
    { "action": "StopInstances", "fault": "throttle", "probability": 0.15 },
    { "action": "VirtualMachines.Deallocate", "fault": "throttle", "probability": 0.15 },
    { "action": "instances.stop", "fault": "throttle", "probability": 0.15 },
    { "action": "VirtualMachines.Deallocate", "fault": "lost_answer", "skip": 1, "times": 2 },
    { "action": "instances.stop", "fault": "lost_answer", "skip": 1, "times": 2 },
    { "action": "Operations.Get", "fault": "unavailable", "times": 2 },
    { "action": "zoneOperations.get", "fault": "reset", "times": 2 }
] }"#;

/// Stopped in all three, the process killed in the middle and the run resumed, started again.
pub fn all_three(binary: &Path) -> Result<()> {
    let sandbox = Sandbox::seeded(binary, "clouds.toml", "20ms")?;
    let project = Project::new("clouds", PLAYBOOK, binary, &sandbox.url(), anybody())?;
    project.add_settings(PLACES)?;
    let url = sandbox.url();
    let call = |arguments: &[&str]| project.call(&[arguments, &["--endpoint-url", &url]].concat());
    let plan = call(&["plan", "job.esc", "-o", "plan.json", "--format", "json"])?.exits(0)?.json()?;
    check::equal("calls of the plan", &check::list(&plan, "/calls")?.len(), &(3 * EACH))?;
    call(RUN)?.exits(3)?;
    check::equal("machines that moved before the approval", &moved(&sandbox)?.len(), &0)?;
    project.approve()?;

    let answer = http::ask(sandbox.port(), "POST", "/_sandbox/faults", FAULTS)?;
    check::equal("status of the faults", &answer.status, &200)?;
    let arguments = [RUN, &["--endpoint-url", &url]].concat();
    let mut running = project.escher(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let until = Instant::now() + Duration::from_secs(60);
    while moved(&sandbox)?.len() < EACH + EACH / 2 && running.try_wait()?.is_none() {
        check::that(Instant::now() < until, "half of the machines did not move within a minute")?;
        std::thread::sleep(Duration::from_millis(10));
    }
    // SIGKILL: whatever was in flight has been sent, and nobody has written down what became of it.
    running.kill()?;
    running.wait()?;
    let run = project.newest_run()?;
    call(&["resume", &run])?.exits(0)?;
    let stopped = moved(&sandbox)?;
    check::equal("machines that moved", &stopped.len(), &(3 * EACH))?;
    let twice: Vec<_> = stopped.iter().filter(|(_, moves)| **moves != 1).collect();
    check::that(twice.is_empty(), format!("moved more than once: {twice:?}"))?;
    check::that(stopped.keys().all(|name| !name.contains("prod")), "a machine of production moved")?;
    project.call(&["audit", "verify"])?.exits(0)?;

    http::ask(sandbox.port(), "POST", "/_sandbox/faults", r#"{ "rules": [] }"#)?;
    call(&["undo", &run])?.exits(0)?;
    let wrong: Vec<_> = moved(&sandbox)?.into_iter().filter(|(_, moves)| *moves != 2).collect();
    check::that(wrong.is_empty(), format!("not stopped once and started once: {wrong:?}"))
}

/// How often each machine was sent from one state to another, by the practice cloud's own log.
fn moved(sandbox: &Sandbox) -> Result<BTreeMap<String, u32>> {
    let mut moves = BTreeMap::new();
    for entry in check::list(&sandbox.activity()?, "/entries")? {
        for change in entry.get("transitions").and_then(Value::as_array).into_iter().flatten() {
            *moves.entry(check::text(change, "/resource")?).or_default() += 1;
        }
    }
    Ok(moves)
}
