//! What tests of the real binary share: the practice cloud as a process of its own, and one person's project.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The practice cloud, as long as this lives.
pub(crate) struct Cloud {
    process: Child,
    pub(crate) url: String,
}

impl Cloud {
    pub(crate) fn start() -> Cloud {
        Cloud::with(&[])
    }

    /// One that begins with this seed file and answers after so long.
    pub(crate) fn seeded(seed: &Path, latency: &str) -> Cloud {
        Cloud::with(&["--latency", latency, "--seed", seed.to_str().unwrap()])
    }

    fn with(more: &[&str]) -> Cloud {
        let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
        command.args(["sandbox", "--port", "0", "--until-closed"]).args(more);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Cloud { process, url: url.trim().to_string() }
    }

    /// Asks the practice cloud itself.
    pub(crate) fn ask(&self, method: &str, path: &str) -> String {
        self.send(method, path, "")
    }

    /// Tells it something.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> String {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let length = body.len();
        let head = format!(
            "{method} /_sandbox/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
        answer
    }

    /// Whether anything was changed since the last reset.
    pub(crate) fn touched(&self) -> bool {
        let activity = self.ask("GET", "activity");
        ["StopInstances", "StartInstances", "RebootInstances", "TerminateInstances"]
            .iter()
            .any(|o| activity.contains(o))
    }

    /// How often each thing began to change its state, by the cloud's own log.
    pub(crate) fn moves(&self) -> BTreeMap<String, usize> {
        let answer = self.ask("GET", "activity");
        let log: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        let mut moves = BTreeMap::new();
        for entry in log["entries"].as_array().unwrap() {
            for change in entry["transitions"].as_array().into_iter().flatten() {
                *moves.entry(change["resource"].as_str().unwrap().to_string()).or_default() += 1;
            }
        }
        moves
    }

    /// Waits until so many things have begun to change.
    pub(crate) fn wait_for_moves(&self, count: usize) {
        until("things to move", || self.moves().len() >= count);
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Looks until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to)
        } else {
            std::fs::copy(entry.path(), to).map(drop).unwrap()
        }
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The project of one person alone, with one playbook, `job.esc`, that is planned and approved.
pub(crate) struct Desk {
    base: tempfile::TempDir,
    pub(crate) folder: PathBuf,
    url: String,
    pub(crate) run: String,
}

impl Desk {
    pub(crate) fn new(cloud: &Cloud, playbook: &str) -> Desk {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("project");
        std::fs::create_dir(&folder).unwrap();
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "otto", "-f", "key"]).current_dir(&folder);
        assert!(keygen.status().unwrap().success());
        std::fs::write(folder.join("job.esc"), playbook).unwrap();
        let mut desk = Desk { base, folder, url: cloud.url.clone(), run: String::new() };
        desk.well(&["init", ".", "--solo", "key.pub"]);
        desk.well(&["plan", "job.esc", "-o", "plan.json"]);
        desk.well(&["approve", "plan.json", "--key", "key"]);
        let plan: Value = serde_json::from_slice(&std::fs::read(desk.folder.join("plan.json")).unwrap()).unwrap();
        desk.run = plan["run"].as_str().unwrap().to_string();
        desk
    }

    /// Moves to another folder, as to another machine: nothing but the state comes along.
    pub(crate) fn move_away(&mut self) {
        let elsewhere = self.base.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        for file in ["escher.toml", "allowed_signers"] {
            std::fs::copy(self.folder.join(file), elsewhere.join(file)).unwrap();
        }
        copy(&self.folder.join(".escher"), &elsewhere.join(".escher"));
        std::fs::remove_dir_all(&self.folder).unwrap();
        self.folder = elsewhere;
    }

    /// A command with the environment of one operator and nothing of this machine's.
    pub(crate) fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let shown = name.to_string_lossy().into_owned();
            let of_a_cloud = ["AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_", "ESCHER_", "XDG_"];
            if of_a_cloud.iter().any(|p| shown.starts_with(p)) {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.folder).args(arguments).env("HOME", &self.folder).env("NO_COLOR", "1");
        command.env("AWS_ACCESS_KEY_ID", "practice").env("AWS_SECRET_ACCESS_KEY", "practice");
        command.env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("ESCHER_PRINCIPAL", "otto").stdin(Stdio::null());
        command
    }

    pub(crate) fn escher(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_escher")), arguments);
        command.args(["--endpoint-url", &self.url]);
        command
    }

    pub(crate) fn call(&self, arguments: &[&str]) -> Output {
        self.escher(arguments).output().unwrap()
    }

    pub(crate) fn well(&self, arguments: &[&str]) -> Output {
        let output = self.call(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        output
    }

    /// Starts what is approved.
    pub(crate) fn start(&self) -> Child {
        let mut command = self.escher(&["run", "plan.json", "--yes", "--format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// What the run did so far.
    pub(crate) fn shown(&self) -> Value {
        serde_json::from_slice(&self.well(&["runs", "show", &self.run, "--format", "json"]).stdout).unwrap()
    }

    /// Goes on, to a good end.
    pub(crate) fn resume(&self) -> Value {
        let output = self.well(&["resume", &self.run, "--yes", "--format", "json"]);
        self.well(&["audit", "verify"]);
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Sends a signal.
pub(crate) fn signal(child: &Child, name: &str) {
    let mut kill = Command::new("kill");
    assert!(kill.arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap().success());
}
