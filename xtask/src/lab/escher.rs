//! A project of Escher's in a scratch folder, driven through the command line as an operator would.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::check;
use super::server::Key;
use crate::{Result, paths, process};

/// Builds the command line and says where it is; `ESCHER_BIN` names one that was built elsewhere, to be judged as it is.
pub fn binary(release: bool) -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("ESCHER_BIN") {
        return Ok(fs::canonicalize(given)?);
    }
    let mut build = process::cargo()?;
    build.args(["build", "--quiet", "--package=escher"]);
    if release {
        build.arg("--release");
    }
    process::run(&mut build)?;
    Ok(paths::target()?.join(if release { "release" } else { "debug" }).join("escher"))
}

/// The key of AWS's manuals: what emulators take that check nothing.
pub fn anybody() -> Key {
    Key { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), secret: "test".to_owned() }
}

/// The playbook that the book begins with: machines are stopped a hundred at a time.
pub const EXAMPLE: &str = "examples/stop_dev_instances.esc";
/// The same, machine by machine, so that a run's journal is long.
pub const EACH: &str = "xtask/lab/stop_each.esc";

/// A folder with settings, one playbook, its state, and an SSH key that may approve.
pub struct Project {
    binary: PathBuf,
    /// The folder.
    pub folder: PathBuf,
    url: String,
    key: Key,
}

/// What a command answered.
pub struct Answer {
    /// The command, for messages.
    shown: String,
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Answer {
    /// What a command printed that was called with these arguments.
    pub fn of(arguments: &[&str], output: &std::process::Output) -> Self {
        Answer {
            shown: format!("escher {}", arguments.join(" ")),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails unless the exit code is this one.
    pub fn exits(self, code: i32) -> Result<Self> {
        let last = |text: &str| text.chars().rev().take(1500).collect::<Vec<_>>().into_iter().rev().collect::<String>();
        let told = || {
            format!("{}: exit {:?}, wanted {code}\n{}{}", self.shown, self.code, last(&self.stdout), last(&self.stderr))
        };
        check::that(self.code == Some(code), told())?;
        Ok(self)
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).map_err(|error| format!("{}: no JSON: {error}", self.shown).into())
    }
}

impl Project {
    /// A new project called `name`, with a copy of the repository's `playbook`, working on the cloud at `url`.
    pub fn new(name: &str, playbook: &str, binary: &std::path::Path, url: &str, key: Key) -> Result<Self> {
        let folder = paths::scratch(name)?;
        fs::copy(paths::root()?.join(playbook), folder.join("job.esc"))?;
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "operator@lab", "-f"]).arg(folder.join("key"));
        process::text(&mut keygen)?;
        let project = Self { binary: binary.to_owned(), folder, url: url.to_owned(), key };
        project.call(&["init", ".", "--solo", "key.pub"])?.exits(0)?;
        Ok(project)
    }

    /// Adds to the project's settings.
    pub fn add_settings(&self, text: &str) -> Result<()> {
        let path = self.folder.join("escher.toml");
        let settings = fs::read_to_string(&path)?;
        Ok(fs::write(path, settings + text)?)
    }

    /// The command, in the project's folder, with the environment of one operator and nothing of this machine's.
    pub fn escher(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") || name.to_string_lossy().starts_with("ESCHER_") {
                command.env_remove(name);
            }
        }
        command.env("HOME", &self.folder).env("NO_COLOR", "1").env("AWS_ENDPOINT_URL", &self.url);
        command.env("AWS_ACCESS_KEY_ID", &self.key.id).env("AWS_SECRET_ACCESS_KEY", &self.key.secret);
        command.env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }

    /// Runs a command to its end.
    pub fn call(&self, arguments: &[&str]) -> Result<Answer> {
        let output = process::output(&mut self.escher(arguments))?;
        Ok(Answer::of(arguments, &output))
    }

    /// Plans the playbook into `plan.json` and gives the plan.
    pub fn plan(&self) -> Result<Value> {
        self.call(&["plan", "job.esc", "-o", "plan.json", "--format", "json"])?.exits(0)?.json()
    }

    /// Approves `plan.json` with the project's key.
    pub fn approve(&self) -> Result<()> {
        self.call(&["approve", "plan.json", "--key", "key"])?.exits(0).map(drop)
    }

    /// Runs `plan.json`; the exit code is the caller's to judge.
    pub fn run(&self) -> Result<Answer> {
        self.call(RUN)
    }

    /// The id of the newest run.
    pub fn newest_run(&self) -> Result<String> {
        let runs = self.call(&["runs", "list", "--format", "json"])?.exits(0)?.json()?;
        check::text(&runs, "/runs/0/run")
    }
}

/// The arguments that run an approved plan.
pub const RUN: &[&str] = &["run", "plan.json", "--yes", "--format", "json"];

/// The instances that a plan's calls name, each once.
pub fn targets(plan: &Value) -> Result<BTreeSet<String>> {
    Ok(instance_ids(&Value::Array(check::list(plan, "/calls")?.clone()).to_string()))
}

/// The instance ids in a text, each once.
pub fn instance_ids(text: &str) -> BTreeSet<String> {
    let is_hex = |id: &str| id.len() >= 8 && id.chars().all(|c| c.is_ascii_hexdigit());
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.strip_prefix("i-").is_some_and(is_hex)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_each_target_once() {
        let plan = serde_json::json!({ "calls": [
            { "item": "stop[i-0123456789abcdef0]", "arguments": { "instance_ids": ["i-0123456789abcdef0"] } },
            { "item": "i-0aaaaaaaaaaaaaaa1" },
        ]});
        assert_eq!(targets(&plan).unwrap().len(), 2);
        assert!(targets(&serde_json::json!({})).is_err());
    }
}
