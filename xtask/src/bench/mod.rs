//! `cargo xtask bench`: Escher beside its peers, in one run on one server, as a table for the book.
//!
//! Escher is timed as an operator uses it: `plan`, `approve` and `run` are three processes. The peers have neither plan nor
//! approval nor journal; that is part of the comparison.

mod durable;
mod measure;
mod table;
mod throttle;

use std::path::Path;
use std::process::Command;

use crate::lab::check;
use crate::lab::escher::{self, EXAMPLE, Project, RUN, anybody};
use crate::lab::server::{Emulator, Kind, count};
use crate::lab::venv::Venv;
use crate::{Result, paths};
use measure::{Sample, measure, sum};
use table::{Limit, Row, print};

/// Rounds of all contestants in turn; the median counts.
const ROUNDS: usize = 5;
/// What takes milliseconds is run more often.
const QUICK_ROUNDS: usize = 21;
const DEV: u32 = 500;
const PROD: u32 = 100;

/// Runs everything and prints the table. With `--strict`, a missed limit is a failure.
pub fn run(arguments: &[String]) -> Result<()> {
    let strict = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--strict"] => true,
        ["durable"] => return durable::run(),
        ["throttle"] => return throttle::run(),
        _ => return Err("`bench` takes `--strict`, `durable`, `throttle` or nothing".into()),
    };
    let binary = escher::binary(true)?;
    let server = Emulator::start(Kind::Ministack)?;
    let (ours, custodian, boto3) = evening(&server, &binary)?;
    let (version, check) = cold_starts(&server, &binary)?;

    let limits = [
        Limit::ratio("plan + approve + run against Cloud Custodian", &ours, &custodian, 0.3),
        Limit::ratio("plan + approve + run against the boto3 script", &ours, &boto3, 0.7),
        Limit::megabytes("peak memory of the three", &ours, 40.0),
        Limit::milliseconds("`escher --version`", &version, 15.0),
        Limit::milliseconds("`escher check` of the example", &check, 30.0),
    ];
    print(
        &[
            Row::new("Escher: plan + approve + run", &ours),
            Row::new("Cloud Custodian", &custodian),
            Row::new("boto3 script", &boto3),
            Row::new("`escher --version`", &version),
            Row::new("`escher check` of the example", &check),
        ],
        &limits,
    );
    let missed = limits.iter().filter(|limit| !limit.met()).count();
    if strict && missed > 0 { Err(format!("{missed} limits missed").into()) } else { Ok(()) }
}

type Samples = Vec<Sample>;

/// The job of all three: stop the 500 machines of development, leave the 100 of production.
fn evening(server: &Emulator, binary: &Path) -> Result<(Samples, Samples, Samples)> {
    let custodian = Venv::of("custodian")?;
    let boto3 = Venv::of("moto")?;
    let (mut ours, mut theirs, mut scripts) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms caches of files and is not counted.
    for round in 0..=ROUNDS {
        println!("round {round} of {ROUNDS} …");
        let sample = seeded(server, || with_escher(server, binary))?;
        if round > 0 {
            ours.push(sample);
        }
        let sample = seeded(server, || with_custodian(server, &custodian))?;
        if round > 0 {
            theirs.push(sample);
        }
        let sample = seeded(server, || one(peer(boto3.script("stop.boto3.py")?, server)))?;
        if round > 0 {
            scripts.push(sample);
        }
    }
    Ok((ours, theirs, scripts))
}

/// Seeds, does the job, and checks that it was done: who leaves the job half done is not fast.
fn seeded(server: &Emulator, job: impl FnOnce() -> Result<Sample>) -> Result<Sample> {
    server.seed(DEV, PROD)?;
    let sample = job()?;
    let fleet = server.fleet()?;
    check::equal("dev stopped", &count(&fleet, "dev", &["stopping", "stopped"]), &(DEV as usize))?;
    check::equal("prod running", &count(&fleet, "prod", &["running"]), &(PROD as usize))?;
    Ok(sample)
}

fn with_escher(server: &Emulator, binary: &Path) -> Result<Sample> {
    let project = Project::new("bench", EXAMPLE, binary, &server.url(), anybody())?;
    let steps: [&[&str]; 3] = [&["plan", "job.esc", "-o", "plan.json"], &["approve", "plan.json", "--key", "key"], RUN];
    let samples = steps.into_iter().map(|step| one(project.escher(step))).collect::<Result<Vec<_>>>()?;
    Ok(sum(&samples))
}

fn with_custodian(server: &Emulator, venv: &Venv) -> Result<Sample> {
    let output = paths::scratch("custodian")?;
    let mut command = venv.command("custodian");
    command.args(["run", "--cache-period", "0", "-s"]).arg(output).arg(paths::lab_file("custodian.yml")?);
    command.env("C7N_TELEMETRY", "0");
    one(peer(command, server))
}

/// The environment of a peer: the same server, the same credentials.
fn peer(mut command: Command, server: &Emulator) -> Command {
    let key = anybody();
    command.env("AWS_ENDPOINT_URL", server.url()).env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ACCESS_KEY_ID", key.id).env("AWS_SECRET_ACCESS_KEY", key.secret);
    command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1").env_remove("AWS_PROFILE");
    command
}

fn one(command: Command) -> Result<Sample> {
    measure(&command, 1)?.pop().ok_or_else(|| "nothing was measured".into())
}

/// What a person waits for at a prompt: no server is asked.
fn cold_starts(server: &Emulator, binary: &Path) -> Result<(Samples, Samples)> {
    let project = Project::new("bench", EXAMPLE, binary, &server.url(), anybody())?;
    let quick = |arguments: &[&str]| -> Result<Samples> {
        measure(&project.escher(arguments), 1)?;
        measure(&project.escher(arguments), QUICK_ROUNDS)
    };
    Ok((quick(&["--version"])?, quick(&["check", "job.esc"])?))
}
