//! Whole processes, timed from outside by the operating system's own account.

use std::process::{Command, Stdio};

use crate::lab::check;
use crate::{Result, paths, process};

/// One finished process, or several one after another.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Seconds from start to end.
    pub wall: f64,
    /// Peak memory of the greatest, in MB.
    pub megabytes: f64,
}

/// Runs a command so many times; each must succeed.
pub fn measure(command: &Command, runs: usize) -> Result<Vec<Sample>> {
    let mut script = Command::new("python3");
    script.arg(paths::lab_file("measure.py")?).arg(runs.to_string());
    script.arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => script.env(key, value),
            None => script.env_remove(key),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        script.current_dir(folder);
    }
    let output = process::output(script.stdin(Stdio::null()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    check::that(output.status.success(), format!("{}: {said}", process::shown(command)))?;
    let samples = String::from_utf8(output.stdout)?.lines().map(sample).collect::<Result<Vec<_>>>();
    samples.map_err(|error| format!("{}: {error}\n{said}", process::shown(command)).into())
}

fn sample(line: &str) -> Result<Sample> {
    let json: serde_json::Value = serde_json::from_str(line)?;
    let number =
        |key: &str| json.get(key).and_then(serde_json::Value::as_f64).ok_or("the measurement has lost a figure");
    check::that(number("code")? == 0.0, format!("exit {}", number("code")?))?;
    Ok(Sample { wall: number("wall")?, megabytes: number("rss")? / 1000.0 })
}

/// Several processes as one job: their times added, the greatest memory.
pub fn sum(samples: &[Sample]) -> Sample {
    Sample {
        wall: samples.iter().map(|sample| sample.wall).sum(),
        megabytes: samples.iter().map(|sample| sample.megabytes).fold(0.0, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_timed_and_a_failing_one_is_no_sample() {
        let samples = measure(Command::new("true").arg("x"), 2).unwrap();
        assert_eq!(samples.len(), 2);
        assert!(samples.iter().all(|sample| sample.wall > 0.0 && sample.megabytes > 0.1));
        assert!(measure(&Command::new("false"), 1).is_err());
    }

    #[test]
    fn processes_add_up() {
        let total = sum(&[Sample { wall: 0.25, megabytes: 30.0 }, Sample { wall: 0.5, megabytes: 20.0 }]);
        assert!((total.wall - 0.75).abs() < 1e-9 && (total.megabytes - 30.0).abs() < 1e-9);
    }
}
