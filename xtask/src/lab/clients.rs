//! The clouds' own tools against the practice clouds: they decode answers with the clouds' own models, and so judge more
//! strictly than a test of ours would. Then our own client changes things, and they look again.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::check;
use super::escher::{Answer, Project, RUN, anybody};
use super::sandbox::Sandbox;
use super::venv::Venv;
use crate::{Result, paths, process};

const PLAYBOOK: &str = "examples/stop_dev_everywhere.esc";

/// Machines of development in each cloud of the seed.
const EACH: usize = 4;

/// A script's name, the program that it needs, and how many commands it runs at least.
const TOOLS: &[(&str, &str, u64)] = &[("aws", "aws", 40), ("az", "az", 40), ("gcloud", "gcloud", 40)];

/// At least forty commands of each tool, a playbook, and each tool's own look at what it did: `cargo xtask lab clients`.
pub fn all(binary: &Path) -> Result<()> {
    accept(binary, true)
}

/// The playbook, and each tool's own look at what it did: continuous integration has not the minutes for more.
pub fn share(binary: &Path) -> Result<()> {
    accept(binary, false)
}

fn accept(binary: &Path, all: bool) -> Result<()> {
    let tools = Venv::of("clients")?;
    let folder = paths::scratch("clients-state")?;
    let sandbox = Sandbox::kept(binary, "clients.toml", &folder)?;
    let environment = folder.join("sandbox").join(sandbox.port().to_string()).join("env.sh");
    // gcloud is in no package registry: where it is not, that is said, and counted as what it is.
    let here =
        |program: &str| tools.program(program).exists() || process::text(Command::new("which").arg(program)).is_ok();
    type Tool = &'static (&'static str, &'static str, u64);
    let (run, missing): (Vec<Tool>, Vec<Tool>) = TOOLS.iter().partition(|(_, program, _)| here(program));
    let runs = |arguments: &[&str]| {
        side_by_side(&run.iter().map(|(name, ..)| *name).collect::<Vec<_>>(), |name| {
            let mut command = Command::new("bash");
            let script = "path=$1; . \"$2\"; shift 2; export PATH=$path:$PATH; exec bash \"$@\"";
            command.args(["-c", script, "bash"]).arg(tools.program("")).arg(&environment);
            command.arg(paths::lab_file(&format!("clients/{name}.sh"))?).args(arguments);
            command
                .env("AZURE_RESOURCE_MANAGER", format!("https://localhost:{}", sandbox.port()))
                .env("SCRATCH", &folder);
            Ok(command)
        })
    };
    let done = if all { runs(&[])? } else { Vec::new() };
    for (name, commands) in &done {
        println!("        {name}: {commands} commands");
        let wanted = TOOLS.iter().find(|(n, ..)| n == name).map_or(40, |(.., wanted)| *wanted);
        check::that(*commands >= wanted, format!("{name} ran {commands} commands, fewer than {wanted}"))?;
    }
    for (name, _, wanted) in missing {
        let words = if all { format!("{wanted} commands and more") } else { "its commands".to_owned() };
        println!("        {name} is NOT ON THIS MACHINE: {words} NOT RUN");
    }

    let project = Project::new("clients", PLAYBOOK, binary, &sandbox.url(), anybody())?;
    let url = sandbox.url();
    let call = |arguments: &[&str]| project.call(&[arguments, &["--endpoint-url", &url]].concat());
    let plan = call(&["plan", "job.esc", "-o", "plan.json", "--format", "json"])?.exits(0)?.json()?;
    check::equal("calls of the plan", &check::list(&plan, "/calls")?.len(), &(3 * EACH))?;
    project.approve()?;
    call(RUN)?.exits(0)?;
    for (name, commands) in runs(&["read", &EACH.to_string()])? {
        println!("        {name} after the playbook: {commands} commands");
    }
    secure(binary, &sandbox, &environment.with_file_name("ca.pem"))
}

/// Our own client of Azure as az goes there: under TLS by the sandbox's authority, with the token of a managed identity.
fn secure(binary: &Path, sandbox: &Sandbox, authority: &Path) -> Result<()> {
    let project = Project::new("clients-secure", "xtask/lab/secure.esc", binary, &sandbox.url(), anybody())?;
    let plan = |trusted: bool| {
        let url = format!("https://localhost:{}", sandbox.port());
        let arguments = ["plan", "job.esc", "--format", "json", "--endpoint-url", &url];
        let mut command = project.escher(&arguments);
        command.env("AZURE_SUBSCRIPTION_ID", "00000000-0000-0000-0000-000000000001");
        command.env("IDENTITY_ENDPOINT", format!("{}/metadata/identity/oauth2/token", sandbox.url()));
        command.env("IDENTITY_HEADER", "practice");
        if trusted {
            command.env("SSL_CERT_FILE", authority);
        }
        Ok::<_, Box<dyn std::error::Error>>(Answer::of(&arguments, &process::output(&mut command)?))
    };
    let found = plan(true)?.exits(0)?.json()?;
    check::equal("calls of the plan under TLS", &check::list(&found, "/calls")?.len(), &EACH)?;
    let refused = plan(false)?.exits(1)?;
    check::that(refused.stderr.contains("UnknownIssuer"), format!("without the authority: {}", refused.stderr))
}

/// Runs a script of each tool at the same time; gives how many commands each ran, or what failed.
fn side_by_side(names: &[&'static str], command: impl Fn(&str) -> Result<Command>) -> Result<Vec<(&'static str, u64)>> {
    let mut running = Vec::new();
    for name in names {
        let mut command = command(name)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        running.push((*name, command.spawn()?));
    }
    // All are waited for before the first complaint, so that none outlives its servers.
    let ended: Vec<(&str, std::io::Result<Output>)> =
        running.into_iter().map(|(name, child)| (name, child.wait_with_output())).collect();
    let mut done = Vec::new();
    for (name, output) in ended {
        let output = output?;
        let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        check::that(output.status.success(), format!("{name}:\n{said}{errors}"))?;
        let last = said.lines().last().unwrap_or_default();
        let commands = last.split(' ').next().and_then(|n| n.parse().ok());
        done.push((name, commands.ok_or_else(|| format!("{name} did not say how many commands it ran: {last}"))?));
    }
    Ok(done)
}
