//! The practice cloud of a storm: a server in this process, the real clients in front of it, faults, and its own log as the
//! world that a storm is judged by.

use std::collections::BTreeSet;
use std::time::Duration;

use escher_catalog::Waiter;
use escher_ir::Target;
use escher_provider::{Answer, CallError, Change, Pages, Polled, Read, Request};
use escher_sandbox::{Seed, World as Served, serve};
use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::random::Random;
use crate::simulator::{Effect, World};

/// Whoever changes things beside the run: its access key.
const SOMEBODY: &str = "SOMEBODYELSE";

/// A practice cloud and the clients that speak with it.
pub(crate) struct Practice {
    aws: escher_aws::Client,
    azure: escher_azure::Client,
    gcp: escher_gcp::Client,
    host: String,
    /// Things that nobody may touch.
    production: BTreeSet<String>,
}

impl Practice {
    /// Starts one with a drawn world, on a port of its own, for as long as the runtime lives.
    pub(crate) async fn start(random: &mut Random) -> Result<Practice, String> {
        let seed = Seed::parse(&drawn(random)).map_err(|e| e.to_string())?;
        let world = Served::from_seed(&seed).map_err(|e| e.to_string())?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())?;
        let host = listener.local_addr().map_err(|e| e.to_string())?.to_string();
        tokio::spawn(async move { serve(listener, world, std::future::pending::<()>()).await.is_ok() });
        let endpoint = Some(format!("http://{host}"));
        let mut cloud = Practice {
            aws: escher_aws::Client::new(escher_aws::Options {
                endpoint: endpoint.clone(),
                practice: true,
                max_body: None,
            }),
            azure: escher_azure::client(escher_azure::Options { endpoint: endpoint.clone(), practice: true }, None),
            gcp: escher_gcp::client(escher_gcp::Options { endpoint, practice: true }, None),
            host,
            production: BTreeSet::new(),
        };
        cloud.production = cloud.tagged("prod").await?;
        Ok(cloud)
    }

    /// Lets things go wrong from now on: ten percent throttling, lost answers, resets, breakdowns.
    pub(crate) async fn break_down(&self, random: &mut Random) -> Result<(), String> {
        let rules = [("throttle", 0.10), ("lost_answer", 0.08), ("unavailable", 0.03), ("reset", 0.02)];
        let rules: Vec<String> = rules.iter().map(|(f, p)| format!(r#"{{"fault":"{f}","probability":{p}}}"#)).collect();
        let body = format!(r#"{{"seed":{},"rules":[{}]}}"#, random.below(1 << 30), rules.join(","));
        self.ask("POST", "/_sandbox/faults", &body).await.map(drop)
    }

    /// Machines that somebody else marks as production, each with this probability in percent.
    pub(crate) async fn drift(&self, random: &mut Random, percent: u64) -> Result<Vec<String>, String> {
        let mut gone = Vec::new();
        for id in self.tagged("dev").await?.into_iter().filter(|id| id.starts_with("i-")) {
            if random.percent(percent) {
                let body =
                    format!("Action=CreateTags&Version=2016-11-15&ResourceId.1={id}&Tag.1.Key=env&Tag.1.Value=prod");
                self.ask("POST", "/", &body).await?;
                gone.push(id);
            }
        }
        Ok(gone)
    }

    /// The world as the judge sees it.
    pub(crate) async fn world(&self) -> Result<World, String> {
        let mut world = World::default();
        for id in &self.production {
            world.machine(id, "running", "prod");
        }
        let log = self.json("/_sandbox/activity").await?;
        if log["dropped"].as_u64() != Some(0) {
            return Err("the practice cloud's log is not whole".into());
        }
        let mut set = BTreeSet::new();
        for entry in log["entries"].as_array().into_iter().flatten() {
            let action = entry["action"].as_str().unwrap_or_default();
            let asked = |name: &str| entry["parameters"][name].as_str().unwrap_or_default().to_string();
            for change in entry["transitions"].as_array().into_iter().flatten() {
                let resource = change["resource"].as_str().unwrap_or_default().to_string();
                let (what, to) = match action {
                    "StopInstances" | "VirtualMachines.Deallocate" | "instances.stop" => ("stopped", resource),
                    "StartInstances" | "VirtualMachines.Start" | "instances.start" => ("running", resource),
                    "TerminateInstances" => ("terminated", resource),
                    "RebootInstances" => ("rebooted", resource),
                    "DeleteVolume" => ("deleted", resource),
                    "CreateSnapshot" => ("snapshot", asked("VolumeId")),
                    "CreateVolume" => ("volume", asked("SnapshotId")),
                    "RunInstances" => ("launched", asked("KeyName")),
                    other => return Err(format!("nobody expected {other} to change {resource}")),
                };
                if to.contains("prod") {
                    world.machine(&to, "running", "prod");
                }
                world.effects.push(Effect { what, to });
            }
            // These say nothing of a state; what is set twice to the same is set once.
            if entry["status"] == 200 && entry["principal"] != SOMEBODY {
                let changed = match action {
                    "ModifyInstanceAttribute" => Some(("resized", vec![asked("InstanceId")])),
                    "CreateTags" => {
                        let ids = entry["parameters"]["Resources"].as_array().into_iter().flatten();
                        Some(("tagged", ids.filter_map(Json::as_str).map(str::to_string).collect()))
                    }
                    _ => None,
                };
                for (what, to) in changed.into_iter().flat_map(|(what, ids)| ids.into_iter().map(move |id| (what, id)))
                {
                    if set.insert((what, to.clone())) {
                        world.effects.push(Effect { what, to });
                    }
                }
            }
        }
        Ok(world)
    }

    /// Machines and volumes of AWS that are marked for this.
    async fn tagged(&self, env: &str) -> Result<BTreeSet<String>, String> {
        let state = self.json("/_sandbox/state").await?;
        let mut found = BTreeSet::new();
        for account in state["aws"]["accounts"].as_array().into_iter().flatten() {
            for region in account["regions"].as_object().into_iter().flat_map(|r| r.values()) {
                for list in ["instances", "volumes"] {
                    let all = region[list].as_array().into_iter().flatten();
                    let ours = all.filter(|thing| thing["tags"]["env"] == env);
                    found.extend(ours.filter_map(|thing| thing["id"].as_str()).map(str::to_string));
                }
            }
        }
        Ok(found)
    }

    async fn json(&self, path: &str) -> Result<Json, String> {
        let body = self.ask("GET", path, "").await?;
        serde_json::from_str(&body).map_err(|e| e.to_string())
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Result<String, String> {
        let (host, length) = (&self.host, body.len());
        let credential = format!("AWS4-HMAC-SHA256 Credential={SOMEBODY}/20261121/us-east-1/ec2/aws4_request");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\
             Authorization: {credential}, SignedHeaders=host, Signature={:0<64}\r\n\r\n{body}",
            0
        );
        let exchange = async {
            let mut stream = TcpStream::connect(host).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.map(|_| answer)
        };
        let answer = exchange.await.map_err(|e| format!("{path}: {e}"))?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_string()),
            _ => Err(format!("{path}: {answer}")),
        }
    }

    fn of(&self, cloud: &str) -> &dyn Change {
        match cloud {
            "azure" => &self.azure,
            "gcp" => &self.gcp,
            _ => &self.aws,
        }
    }
}

/// How long to wait for what was in flight when a process died.
pub(crate) const IN_FLIGHT: Duration = Duration::from_millis(50);

fn drawn(random: &mut Random) -> String {
    let mut seed = format!(
        "seed = {}\nregions = [\"us-east-1\"]\n[timing]\nstarting = 40\nstopping = 40\nterminating = 40\nvolume = 20\nsnapshot = 60\n",
        random.below(1 << 30)
    );
    for (env, least) in [("dev", 2), ("prod", 1)] {
        let count = least + random.below(6);
        let stopped = random.below(3);
        seed += &format!("[[instances]]\nname = \"{env}-{{n}}\"\ncount = {count}\ntags = {{ env = \"{env}\" }}\n");
        if stopped > 0 {
            seed += &format!(
                "[[instances]]\nname = \"{env}-s{{n}}\"\ncount = {stopped}\nstate = \"stopped\"\ntags = {{ env = \"{env}\" }}\n"
            );
        }
        // What is production is marked as to be kept.
        let keep = if env == "prod" { ", keep = \"yes\"" } else { "" };
        seed += &format!(
            "[[volumes]]\nname = \"{env}-{{n}}\"\ncount = {}\ncreated = \"2025-11-01T00:00:00Z\"\ntags = {{ env = \"{env}\"{keep} }}\n",
            1 + random.below(4)
        );
        let others = 1 + random.below(3);
        seed +=
            &format!("[[azure.machines]]\nname = \"{env}-{{n}}\"\ncount = {others}\ntags = {{ env = \"{env}\" }}\n");
        seed +=
            &format!("[[gcp.instances]]\nname = \"{env}-{{n}}\"\ncount = {others}\nlabels = {{ env = \"{env}\" }}\n");
    }
    seed
}

impl Read for Practice {
    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>> {
        self.of(&target.cloud).resolve(target)
    }

    fn read(&self, request: Request) -> Box<dyn Pages + '_> {
        self.of(&request.record.service.cloud).read(request)
    }

    fn poll<'a>(&'a self, waiter: &'a Waiter, request: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        self.of(&request.record.service.cloud).poll(waiter, request)
    }
}

impl Change for Practice {
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        self.of(&request.record.service.cloud).change(request)
    }
}
