//! Handles to the clouds, and the practice cloud as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use escher_catalog::Waiter;
use escher_engine::Engine;
use escher_ir::Target;
use escher_provider::{Answer, CallError, Change, Pages, Polled, Read, Request};
use futures_util::future::BoxFuture;

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

/// One client for each cloud; a call goes to the one that its operation belongs to.
#[derive(Debug)]
pub(crate) struct Clouds {
    aws: escher_aws::Client,
    azure: escher_azure::Client,
    gcp: escher_gcp::Client,
}

/// The client that a command works with.
///
/// Errors: a catalogue of the project's own that nobody has signed for.
pub(crate) fn client(
    common: &Common,
    project: &Project,
    engine: &Engine,
    sandbox: Option<&Sandbox>,
) -> Result<Clouds, Failure> {
    if sandbox.is_none() {
        project.vouched(engine)?;
    }
    let max_body = Some(project.settings.limits.body());
    let endpoint = sandbox.map(|s| s.url.clone()).or_else(|| common.endpoint_url.clone());
    let practice = sandbox.is_some();
    Ok(Clouds {
        aws: escher_aws::Client::new(escher_aws::Options { endpoint: endpoint.clone(), practice, max_body }),
        azure: escher_azure::client(escher_azure::Options { endpoint: endpoint.clone(), practice }, max_body),
        gcp: escher_gcp::client(escher_gcp::Options { endpoint, practice }, max_body),
    })
}

impl Clouds {
    fn of(&self, cloud: &str) -> &dyn Change {
        match cloud {
            "azure" => &self.azure,
            "gcp" => &self.gcp,
            // Refuses what is not its own.
            _ => &self.aws,
        }
    }
}

impl Read for Clouds {
    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>> {
        self.of(&target.cloud).resolve(target)
    }

    fn read(&self, request: Request) -> Box<dyn Pages + '_> {
        self.of(&request.record.service.cloud).read(request)
    }

    fn ahead(&self) -> Option<i64> {
        // What ends is judged by the latest clock.
        [self.aws.ahead(), self.azure.ahead(), self.gcp.ahead()].into_iter().flatten().max()
    }

    fn poll<'a>(&'a self, waiter: &'a Waiter, request: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        self.of(&request.record.service.cloud).poll(waiter, request)
    }
}

impl Change for Clouds {
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        self.of(&request.record.service.cloud).change(request)
    }
}

/// A place in each cloud that a practice cloud plays.
pub(crate) async fn everywhere(client: &Clouds) -> Result<Vec<Target>, Failure> {
    let mut places = Vec::new();
    for cloud in ["aws", "azure", "gcp"] {
        let place = client.resolve(Target { cloud: cloud.into(), ..Target::default() }).await;
        places.push(place.map_err(|e| Failure::failed(format!("the practice cloud has no place in {cloud}: {e}")))?);
    }
    Ok(places)
}

/// Where calls run that say no place: account, region and endpoint are the provider's to fill in.
pub(crate) fn ambient() -> Target {
    Target { cloud: "aws".into(), ..Target::default() }
}
