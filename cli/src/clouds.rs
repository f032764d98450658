//! Handles to the clouds, and the practice cloud as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use escher_ir::Target;

use crate::args::Common;
use crate::failure::Failure;
use crate::project::Project;

/// A practice cloud that runs as long as this lives.
#[derive(Debug)]
pub(crate) struct Sandbox {
    process: Child,
    /// Where it answers.
    pub(crate) url: String,
}

impl Sandbox {
    /// Starts this program again as a practice cloud on a free port.
    pub(crate) fn start(seed: Option<&str>) -> Result<Sandbox, Failure> {
        let failed =
            |what: &str, e: std::io::Error| Failure::failed(format!("cannot start the practice cloud: {what}: {e}"));
        let program = std::env::current_exe().map_err(|e| failed("this program is nowhere", e))?;
        let mut command = Command::new(program);
        command.args(["sandbox", "--port", "0", "--until-closed"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(seed) = seed.filter(|s| !s.is_empty()) {
            command.args(["--seed", seed]);
        }
        let mut process = command.spawn().map_err(|e| failed("no process", e))?;
        let mut url = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut url).map_err(|e| failed("no answer", e))?;
        }
        let url = url.trim().to_string();
        if !url.starts_with("http://") {
            let _ = process.kill();
            let _ = process.wait();
            return Err(
                Failure::failed("the practice cloud did not start").help("try `escher sandbox` alone to see why")
            );
        }
        Ok(Sandbox { process, url })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The client that a command works with.
pub(crate) fn client(common: &Common, project: &Project, sandbox: Option<&Sandbox>) -> escher_aws::Client {
    let max_body = Some(project.settings.limits.body());
    match sandbox {
        Some(sandbox) => {
            escher_aws::Client::new(escher_aws::Options { max_body, ..escher_aws::Options::practice(&sandbox.url) })
        }
        None => escher_aws::Client::new(escher_aws::Options {
            endpoint: common.endpoint_url.clone(),
            max_body,
            ..escher_aws::Options::default()
        }),
    }
}

/// Where calls run that say no place: account, region and endpoint are the provider's to fill in.
pub(crate) fn ambient() -> Target {
    Target { cloud: "aws".into(), ..Target::default() }
}
