//! Escher's own practice cloud, whose activity log knows every transition of every instance.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::escher::{EACH, Project, anybody};
use super::server::{Server, free_port};
use super::{check, http};
use crate::Result;

/// Development machines of the seed.
pub const DEV: u64 = 24;

/// A running sandbox.
pub struct Sandbox(Server);

impl Sandbox {
    /// Starts one with the lab's seed, answering each request after `latency`.
    pub fn start(binary: &Path, latency: &str) -> Result<Self> {
        Self::seeded(binary, "sandbox.toml", latency)
    }

    /// Starts one with another seed of the lab.
    pub fn seeded(binary: &Path, seed: &str, latency: &str) -> Result<Self> {
        let port = free_port()?;
        let mut program = Command::new(binary);
        program.args(["sandbox", "--port", &port.to_string(), "--latency", latency, "--seed"]);
        program.arg(crate::paths::lab_file(seed)?);
        program.env("ESCHER_STATE", crate::paths::root()?.join("target/lab/sandbox-state"));
        Ok(Self(Server::start("sandbox", &program, port, "/_sandbox/health")?))
    }

    /// Starts one that keeps the files for the clouds' own tools in a folder.
    pub fn kept(binary: &Path, seed: &str, folder: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut program = Command::new(binary);
        program.args(["sandbox", "--port", &port.to_string(), "--seed"]).arg(crate::paths::lab_file(seed)?);
        Ok(Self(Server::start("sandbox", program.env("ESCHER_STATE", folder), port, "/_sandbox/health")?))
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Its own log of requests.
    pub fn activity(&self) -> Result<Value> {
        let answer = http::ask(self.0.port, "GET", "/_sandbox/activity", "")?;
        check::equal("status of the activity log", &answer.status, &200)?;
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// How often each instance began to stop, and began to start, by the server's own log.
    pub fn transitions(&self) -> Result<BTreeMap<String, Transitions>> {
        let mut counted = BTreeMap::<String, Transitions>::new();
        for entry in check::list(&self.activity()?, "/entries")? {
            count(entry, &mut counted)?;
        }
        Ok(counted)
    }
}

/// What became of one instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transitions {
    /// Times that it left `running` for `stopping`.
    pub stops: u64,
    /// Times that it left `stopped` for `pending`.
    pub starts: u64,
}

fn count(entry: &Value, counted: &mut BTreeMap<String, Transitions>) -> Result<()> {
    for change in entry.get("transitions").and_then(Value::as_array).into_iter().flatten() {
        let one = counted.entry(check::text(change, "/resource")?).or_default();
        let state = |key: &str| change.get(key).and_then(Value::as_str);
        match (state("from"), state("to")) {
            (Some(_), Some("stopping")) => one.stops += 1,
            (Some(_), Some("pending")) => one.starts += 1,
            other => return Err(format!("an instance went {other:?}").into()),
        }
    }
    Ok(())
}

/// No machine moved more than once, or another way.
pub fn none_moved_twice(transitions: &BTreeMap<String, Transitions>) -> Result<()> {
    let twice: Vec<_> = transitions.iter().filter(|(_, t)| t.stops > 1 || t.starts > 0).collect();
    check::that(twice.is_empty(), format!("moved more than once: {twice:?}"))
}

/// Every development machine began to stop exactly once; nothing else moved.
pub fn each_stopped_once(transitions: &BTreeMap<String, Transitions>) -> Result<()> {
    none_moved_twice(transitions)?;
    let once = transitions.values().filter(|t| t.stops == 1).count() as u64;
    check::equal("instances that began to stop", &once, &DEV)
}

/// Without any accident: stopped once, started once.
pub fn stop_and_undo(binary: &Path) -> Result<()> {
    let sandbox = Sandbox::start(binary, "0ms")?;
    let project = Project::new("sandbox", EACH, binary, &sandbox.url(), anybody())?;
    project.plan()?;
    project.run()?.exits(3)?;
    check::equal("transitions before the approval", &sandbox.transitions()?.len(), &0)?;
    project.approve()?;
    let run = project.run()?.exits(0)?.json()?;
    each_stopped_once(&sandbox.transitions()?)?;
    project.call(&["undo", &check::text(&run, "/run")?])?.exits(0)?;
    let after = sandbox.transitions()?;
    let wrong: Vec<_> = after.iter().filter(|(_, t)| **t != Transitions { stops: 1, starts: 1 }).collect();
    check::that(wrong.is_empty() && after.len() as u64 == DEV, format!("after undo: {wrong:?} of {}", after.len()))
}
