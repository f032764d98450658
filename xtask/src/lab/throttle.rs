//! A throttled account: microburst stands between Escher and moto, and refuses three in ten of the changing calls the way
//! AWS does. What moto recorded says what arrived, whatever Escher says of itself.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::check;
use super::escher::{Project, anybody};
use super::server::{Emulator, Kind, Server, count, free_port};
use super::venv::Venv;
use super::{escher, http};
use crate::{Result, process};

const SINGLE: &str = "xtask/lab/stop_single.esc";

/// How many machines the scenario stops; the benchmark stops 500.
const MACHINES: u32 = 60;

/// Share of the changing calls that are refused.
const SHARE: f64 = 0.3;

/// A run through microburst.
pub struct Passed {
    /// From the start of `run` to its end.
    pub wall: Duration,
    /// How many calls were refused.
    pub refused: usize,
}

/// Every machine stopped, each by one call that arrived, though many were refused.
pub fn survives(binary: &Path) -> Result<()> {
    let passed = through(binary, MACHINES, SHARE)?;
    check::that(passed.refused > 0, "nothing was refused: the scenario judged nothing")
}

/// Stops so many machines with single calls, of which `share` are refused; fails unless each was stopped exactly once.
pub fn through(binary: &Path, machines: u32, share: f64) -> Result<Passed> {
    let moto = Emulator::start(Kind::Moto)?;
    moto.seed(machines, 10)?;
    let port = free_port()?;
    let mut program = Venv::of("microburst")?.command("microburst");
    program.args(["--upstream", &moto.url(), "--port", &port.to_string(), "--host", "127.0.0.1"]);
    let burst = Server::start("microburst", &program, port, "/_microburst/fired")?;
    let project = Project::new("throttle", SINGLE, binary, &burst.url(), anybody())?;
    project.plan()?;
    project.approve()?;

    let rule = json!([{ "service": "ec2", "operation": "StopInstances", "probability": share,
        "error": { "code": "RequestLimitExceeded" } }]);
    if share > 0.0 {
        let answer = http::ask(port, "PATCH", "/_microburst/rules", &rule.to_string())?;
        check::equal("status of the rule", &answer.status, &200)?;
    }
    moto.record()?;
    let mut command = project.escher(escher::RUN);
    let began = Instant::now();
    let output = process::output(&mut command)?;
    let wall = began.elapsed();
    let run = escher::Answer::of(escher::RUN, &output).exits(0)?.json()?;

    check::equal("machines done", &check::number(&run, "/totals/done")?, &u64::from(machines))?;
    let fleet = moto.fleet()?;
    check::equal("dev stopped", &count(&fleet, "dev", &["stopping", "stopped"]), &(machines as usize))?;
    check::equal("prod running", &count(&fleet, "prod", &["running"]), &10)?;
    let mut arrived = moto.recorded("StopInstances", "InstanceId.1")?;
    check::equal("calls that arrived", &arrived.len(), &(machines as usize))?;
    arrived.sort_unstable();
    arrived.dedup();
    check::equal("machines that they stopped", &arrived.len(), &(machines as usize))?;
    let fired: Value = serde_json::from_str(&http::ask(port, "GET", "/_microburst/fired", "")?.body)?;
    let refused = fired.as_array().or_else(|| fired.get("fired")?.as_array()).map_or(0, Vec::len);
    Ok(Passed { wall, refused })
}
