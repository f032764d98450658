//! The `escher` command line: what people and scripts rely on.
//!
//! Each command is a file under `commands`; what they share stands beside them. Data goes to standard output,
//! everything else to standard error. Nothing here decides what a playbook means or whether it may run.

mod args;
mod clouds;
mod commands;
mod convert;
mod failure;
mod graph;
mod limits;
mod output;
mod permissions;
mod pins;
mod platform;
mod project;
mod render;
mod settings;
mod source;
mod testing;
mod world;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    platform::start_logging();
    match commands::dispatch(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.show(cli.format());
            ExitCode::from(failure.code)
        }
    }
}
