//! `cargo xtask storm`: the storm of every build, at full strength. The storm itself is `tests/storm`.

use crate::{Result, process};

/// Runs of a full storm.
const RUNS: &str = "1000";

/// Runs so many seeds from the given one on; prints counts, and the seeds that found something.
pub fn run(arguments: &[String]) -> Result<()> {
    let (mut runs, mut seed) = (RUNS, "1");
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let number = rest.next().filter(|n| n.parse::<u64>().is_ok()).ok_or("`--runs` and `--seed` take a number")?;
        match word {
            "--runs" => runs = number,
            "--seed" => seed = number,
            _ => return Err("`storm` takes `--runs N` and `--seed S`".into()),
        }
    }
    let mut test = process::cargo()?;
    test.args(["test", "--quiet", "--package=escher-storm", "--test=storm", "--", "--nocapture", "nothing"]);
    process::run(test.env("ESCHER_STORM_RUNS", runs).env("ESCHER_STORM_SEED", seed))
}
