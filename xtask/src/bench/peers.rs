//! The same two jobs by Escher and by its peers, in turn, on one server: what runs for development is listed, and stopped.

use std::path::Path;
use std::process::Command;

use super::measure::{Sample, measure, sum};
use crate::lab::check;
use crate::lab::escher::{EXAMPLE, Project, RUN, anybody};
use crate::lab::server::{Emulator, count};
use crate::lab::venv::Venv;
use crate::{Result, paths};

const DEV: u32 = 500;
const PROD: u32 = 100;

const LIST: &str = "xtask/lab/list.esc";

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Nothing changes.
    List,
    /// The 500 machines of development are stopped, the 100 of production stay.
    Stop,
}

impl Job {
    /// As the table and the lab's scripts call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Stop => "stop",
        }
    }
}

/// Whoever does it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// To list: `run`; to stop: `plan`, `approve` and `run`, three processes.
    Escher,
    /// Cloud Custodian.
    Custodian,
    /// A script of an operator.
    Boto3,
    /// The aws command line: one process to list, two to stop.
    AwsCli,
}

impl Who {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Escher, Self::Custodian, Self::Boto3, Self::AwsCli];

    /// As the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Escher => "Escher",
            Self::Custodian => "Cloud Custodian",
            Self::Boto3 => "boto3 script",
            Self::AwsCli => "aws command line",
        }
    }
}

/// Seeds, does the job, and checks that it was done: who leaves it half done is not fast.
pub fn seeded(server: &Emulator, binary: &Path, who: Who, job: Job) -> Result<Sample> {
    server.seed(DEV, PROD)?;
    let sample = done(server, binary, who, job)?;
    let fleet = server.fleet()?;
    let stopped = if job == Job::Stop { DEV as usize } else { 0 };
    check::equal("dev stopped", &count(&fleet, "dev", &["stopping", "stopped"]), &stopped)?;
    check::equal("prod running", &count(&fleet, "prod", &["running"]), &(PROD as usize))?;
    Ok(sample)
}

fn done(server: &Emulator, binary: &Path, who: Who, job: Job) -> Result<Sample> {
    match who {
        Who::Escher => with_escher(server, binary, job),
        Who::Custodian => {
            let mut command = Venv::of("custodian")?.command("custodian");
            let policy = if job == Job::Stop { "custodian.yml" } else { "list.custodian.yml" };
            command.args(["run", "--cache-period", "0", "-s"]).arg(paths::scratch("custodian")?);
            command.arg(paths::lab_file(policy)?).env("C7N_TELEMETRY", "0");
            one(peer(command, server))
        }
        Who::Boto3 => one(peer(Venv::of("moto")?.script(&format!("{}.boto3.py", job.name()))?, server)),
        Who::AwsCli => {
            let programs = Venv::of("clients")?.program("");
            let path = std::env::var("PATH").unwrap_or_default();
            let mut command = Command::new("sh");
            command.arg(paths::lab_file(&format!("{}.aws.sh", job.name()))?);
            command.env("PATH", format!("{}:{path}", programs.display()));
            one(peer(command, server))
        }
    }
}

fn with_escher(server: &Emulator, binary: &Path, job: Job) -> Result<Sample> {
    let playbook = if job == Job::Stop { EXAMPLE } else { LIST };
    let project = Project::new("bench", playbook, binary, &server.url(), anybody())?;
    let steps: &[&[&str]] = match job {
        Job::List => &[&["run", "job.esc", "--format", "json"]],
        Job::Stop => &[&["plan", "job.esc", "-o", "plan.json"], &["approve", "plan.json", "--key", "key"], RUN],
    };
    let samples = steps.iter().map(|step| one(project.escher(step))).collect::<Result<Vec<_>>>()?;
    Ok(sum(&samples))
}

/// The environment of a peer: the same server, the same credentials.
fn peer(mut command: Command, server: &Emulator) -> Command {
    let key = anybody();
    command.env("AWS_ENDPOINT_URL", server.url()).env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ACCESS_KEY_ID", key.id).env("AWS_SECRET_ACCESS_KEY", key.secret);
    command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1").env_remove("AWS_PROFILE");
    command
}

/// One run of a command.
pub fn one(command: Command) -> Result<Sample> {
    measure(&command, 1)?.pop().ok_or_else(|| "nothing was measured".into())
}
