//! `cargo xtask`: what a contributor or continuous integration does beyond building.
//!
//! Runs tools and judges what they answer; holds nothing that a user of Escher needs.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for people at a terminal")]
#![allow(unreachable_pub, reason = "a binary has no outside: `pub` here says what a module offers the others")]

mod bench;
mod catalog;
mod ci;
mod lab;
mod paths;
mod process;
mod storm;

use std::error::Error;
use std::process::ExitCode;

/// Whatever went wrong, in words for the person at the terminal.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci [--only STAGE]  format, lints, tests, documentation, guards, the lab end to end; stops at the first failure
  ci --list          the stages
  lab up             starts the lab's servers and says how to reach them; ends with Ctrl-D or Ctrl-C
  lab e2e [WORD]     the end-to-end scenarios, or those whose name contains WORD
  lab fetch          installs the lab's servers and suites, which tests of single crates look for
  lab clean          removes what the lab installed
  storm [--runs N] [--seed S]  random playbooks on a cloud that breaks down, their processes killed (1000 runs)
  bench [--strict]   Escher beside its peers on one server, as a table in Markdown; --strict fails past a limit
  bench durable      a durable step of Escher beside one of Restate
  catalog            imports the clouds' API models into catalog/data";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let result = match command {
        "ci" => ci::run(rest),
        "lab" => lab::run(rest),
        "storm" => storm::run(rest),
        "bench" => bench::run(rest),
        "catalog" => catalog::run(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask {command}: {error}");
            ExitCode::FAILURE
        }
    }
}
