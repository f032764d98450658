//! `cargo xtask ci`: everything that must hold before a change lands, the cheap first.

use std::process::Command;
use std::time::Instant;

use crate::{Result, lab, paths, process};

/// A stage: its name on the command line, and what it does.
type Stage = (&'static str, fn() -> Result<()>);

/// In this order. Adding one is one line.
const STAGES: &[Stage] = &[
    ("fmt", || cargo(&["fmt", "--all", "--check"])),
    ("lock", || cargo(&["metadata", "--locked", "--format-version=1", "--quiet"])),
    ("guard", || cargo(&["nextest", "run", "--profile=ci", "--package=guard"])),
    ("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])),
    ("doc", || {
        process::run(command(&["doc", "--workspace", "--no-deps", "--quiet"])?.env("RUSTDOCFLAGS", "-D warnings"))
    }),
    ("fetch", lab::fetch),
    ("test", || {
        let mut test = command(&["nextest", "run", "--profile=ci", "--workspace", "--exclude=guard"])?;
        process::run(test.env("ESCHER_LAB", paths::lab()?))
    }),
    ("doctest", || cargo(&["test", "--workspace", "--doc", "--quiet"])),
    ("lab", || lab::run(&["e2e".to_owned()])),
];

/// Runs all stages, or one.
pub fn run(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let chosen: Vec<&Stage> = match arguments.as_slice() {
        [] => STAGES.iter().collect(),
        ["--list"] => {
            STAGES.iter().for_each(|(name, _)| println!("{name}"));
            return Ok(());
        }
        ["--only", only] => STAGES.iter().filter(|(name, _)| name == only).collect(),
        _ => return Err("`ci` takes `--only STAGE` or `--list`".into()),
    };
    if chosen.is_empty() {
        return Err("there is no such stage: see `cargo xtask ci --list`".into());
    }
    long_files()?;
    nextest()?;
    let began = Instant::now();
    for (name, does) in chosen {
        println!("\n── {name}");
        let stage = Instant::now();
        let result = does();
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        println!("── {name}: {word} ({:.1} s)", stage.elapsed().as_secs_f64());
        result?;
    }
    println!("\nall stages ok ({:.0} s)", began.elapsed().as_secs_f64());
    Ok(())
}

/// Installs the test runner where it is missing, into a folder of its own: it must not evict what the workspace built.
fn nextest() -> Result<()> {
    const VERSION: &str = "0.9.143";
    if process::text(command(&["nextest", "--version"])?.env_remove("CARGO_TARGET_DIR")).is_ok() {
        return Ok(());
    }
    println!("installing cargo-nextest {VERSION} …");
    let mut install = command(&["install", "cargo-nextest", "--locked", "--version", VERSION])?;
    process::run(install.env("CARGO_TARGET_DIR", paths::target()?.join("nextest")))
}

fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = process::cargo()?;
    command.args(arguments);
    Ok(command)
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let mut command = command(arguments)?;
    if arguments.first() == Some(&"metadata") {
        return process::text(&mut command).map(drop);
    }
    process::run(&mut command)
}

/// Names source files that have grown past what one reads in one sitting. A remark, not a failure.
fn long_files() -> Result<()> {
    const LONG: usize = 700;
    let root = paths::root()?;
    let files = process::text(Command::new("git").arg("-C").arg(&root).args(["ls-files", "*.rs"]))?;
    for file in files.lines() {
        let lines = std::fs::read_to_string(root.join(file)).unwrap_or_default().lines().count();
        if lines > LONG {
            println!("note: {file} has {lines} lines; past {LONG} it is probably two ideas");
        }
    }
    Ok(())
}
