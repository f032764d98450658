//! `cargo xtask bench durable`: what a durable step costs, Escher's and Restate's, in turn on one machine.
//!
//! Escher's is a planned, approved and audited call whose intent and outcome are on the disk; Restate's is `ctx.run` of a
//! function that does nothing. Both have so many under way at once, and both synchronise before they go on.

use std::process::Command;

use crate::lab::server::{Server, free_port};
use crate::{Result, paths, process};

/// Steps of each round, and how many at once.
const STEPS: &str = "10000";
const AT_ONCE: &str = "64";
const ROUNDS: usize = 3;
/// The peer, from npm.
const PACKAGES: [&str; 2] = ["@restatedev/restate-server@1.7.12", "@restatedev/restate-sdk@1.17.2"];

/// Runs both in turn and prints a line each.
pub fn run() -> Result<()> {
    let folder = paths::lab()?.join("restate");
    std::fs::create_dir_all(&folder)?;
    let binary = folder.join("node_modules/@restatedev/restate-server-linux-x64/bin/restate-server");
    if !binary.exists() {
        let mut install = Command::new("npm");
        install.current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]).args(PACKAGES);
        process::run(&mut install)?;
    }
    let ours = paths::scratch("durable")?;
    for round in 0..ROUNDS {
        let mut calls = process::cargo()?;
        calls.args(["run", "--release", "--quiet", "--package=escher-storm", "--example=calls", "--"]);
        process::run(calls.arg(&ours).args([STEPS, AT_ONCE]))?;
        let [admin, ingress, node, service] = [free_port()?, free_port()?, free_port()?, free_port()?];
        let mut server = Command::new(&binary);
        server.arg("--base-dir").arg(paths::scratch(&format!("restate-{round}"))?);
        server.env("RESTATE_DISABLE_TELEMETRY", "true").env("DO_NOT_TRACK", "1").env("RESTATE_LISTEN_MODE", "tcp");
        server.env("RESTATE_ADMIN__BIND_ADDRESS", format!("127.0.0.1:{admin}"));
        server.env("RESTATE_INGRESS__BIND_ADDRESS", format!("127.0.0.1:{ingress}"));
        server.env("RESTATE_BIND_ADDRESS", format!("127.0.0.1:{node}"));
        let _server = Server::start("restate", &server, admin, "/health")?;
        let mut client = Command::new("node");
        client.current_dir(&folder).arg(paths::lab_file("durable.mjs")?);
        client.args([admin, ingress, service].map(|port| port.to_string())).args([STEPS, AT_ONCE]);
        process::run(&mut client)?;
    }
    Ok(())
}
