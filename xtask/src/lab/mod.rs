//! `cargo xtask lab`: real servers on loopback, and the scenarios that Escher is judged by on them.

pub mod check;
mod clients;
mod clouds;
mod emulator;
pub mod escher;
mod gate;
mod http;
mod library;
mod policy;
mod race;
mod random;
mod sandbox;
pub mod scenarios;
mod secrets;
pub mod server;
mod steps;
mod storm;
mod suites;
pub mod throttle;
pub mod venv;

use std::io::Read;

use crate::{Result, paths};
use server::{Emulator, Kind};

/// Dispatches `up`, `e2e`, `clients`, `fetch` and `clean`.
pub fn run(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["up"] => up(),
        ["e2e"] => scenarios::run(""),
        ["clients"] => scenarios::clients(),
        ["e2e", word] => scenarios::run(word),
        ["fetch"] => fetch(),
        ["clean"] => clean(),
        _ => Err("`lab` takes `up`, `e2e [WORD]`, `clients`, `fetch` or `clean`".into()),
    }
}

/// Starts the servers for a person to try things on; they end with this process.
fn up() -> Result<()> {
    let servers = [Emulator::start(Kind::Moto)?, Emulator::start(Kind::Ministack)?];
    for server in &servers {
        println!("{:<10} export AWS_ENDPOINT_URL={}", server.kind.name(), server.url());
    }
    println!(
        "both       export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1"
    );
    println!("seed       python3 xtask/lab/fleet.py URL seed 500 100   (in an environment that has boto3)");
    println!("Ctrl-D or Ctrl-C ends them.");
    let mut nothing = Vec::new();
    std::io::stdin().read_to_end(&mut nothing)?;
    Ok(())
}

/// Installs what tests of single crates look for: servers and suites.
pub fn fetch() -> Result<()> {
    venv::Venv::of("moto")?;
    venv::Venv::of("ministack")?;
    venv::Venv::of("microburst")?;
    venv::Venv::of("clients")?;
    venv::Venv::of("google")?;
    suites::sarif()?;
    suites::botocore().map(drop)
}

fn clean() -> Result<()> {
    for folder in [paths::lab()?, paths::root()?.join("target/lab")] {
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
