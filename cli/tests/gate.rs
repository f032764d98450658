//! Ways past the gate through the real binary, on a practice cloud: `data/ways.txt` has a row for each. Each is refused
//! with exit 3 and an audit record, sends nothing, and the same steps without it succeed.
//!
//! More of them, at the engine: `runtime/engine/tests/ways`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and a table says how long it is"
)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

mod common;

use common::{Cloud, copy};

const JOB: &str = r#"use "./lib/shared.esc" as shared

/// Stop what is marked.
@risk(high)
@approval(by: "manager")
playbook stop_marked(limit: int(1..=20) = 20) {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running" and shared.marked(m.tags) and m.tags["env"] == "dev")

    step stop "Stop the machines" for m in machines max limit {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }
    undo { aws.ec2.start_instances(instance_ids: [m.instance_id]) }
}
"#;

/// What it stops is what it starts, and that is known once it has stopped it.
const LATER: &str = r#"/// Stop what is marked, and start it again.
@risk(high)
@approval(by: "manager")
playbook stop_and_start(limit: int(1..=20) = 20) {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running" and m.tags["env"] == "dev")

    step stop "Stop the machines" for m in machines max limit {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }
    let ours = stop.items.map(.instance_id)
    let stopped = aws.ec2.describe_instances().reservations.flat_map(.instances).filter(m => m.instance_id in ours)
    approve "Start {stopped.count()} again?" by "manager", within 1h
    step start "Start the machines" for m in stopped max limit {
        aws.ec2.start_instances(instance_ids: [m.instance_id])
    }
}
"#;

const SHARED: &str = "fn marked(tags: map<string>) -> bool = tags[\"env\"] != none\n";

/// A project in which otto plans and mara and ben approve.
struct Project<'c> {
    cloud: &'c Cloud,
    base: tempfile::TempDir,
    folder: PathBuf,
    env: Vec<(String, String)>,
}

impl Project<'_> {
    fn new(cloud: &Cloud) -> Project<'_> {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("project");
        std::fs::create_dir_all(folder.join("lib")).unwrap();
        let mut project = Project { cloud, base, folder, env: Vec::new() };
        for key in ["root", "mara", "mara2", "ben", "eve"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", key]).current_dir(&project.folder);
            assert!(keygen.status().unwrap().success());
        }
        project.well(&["init", ".", "--root", "root.pub"]);
        let line = |name: &str, file: &str| {
            let public = std::fs::read_to_string(project.folder.join(format!("{file}.pub"))).unwrap();
            let words: Vec<&str> = public.split_whitespace().collect();
            format!("{name} namespaces=\"escher-approval\" {} {}\n", words[0], words[1])
        };
        let signers = line("mara", "mara") + &line("mara", "mara2") + &line("ben", "ben") + &line("eve", "eve");
        project.write("allowed_signers", &signers);
        project.replace("escher.toml", "manager = []", "manager = [\"mara\", \"ben\"]");
        project.well(&["trust", "sign", "--key", "root"]);
        project.write("job.esc", JOB);
        project.write("lib/shared.esc", SHARED);
        project.write("two.esc", &JOB.replace("by: \"manager\"", "by: \"manager\", of: 2"));
        project.well(&["plan", "job.esc", "-o", "plan.json"]);
        project.keep("planned");
        project.well(&["approve", "plan.json", "--key", "mara"]);
        project.keep("approved");
        project.well(&["run", "plan.json", "--yes"]);
        project.keep("finished");
        cloud.ask("POST", "reset");
        project.again("planned");
        project.write("later.esc", LATER);
        project.well(&["plan", "later.esc", "-o", "plan.json"]);
        project.well(&["approve", "plan.json", "--key", "mara", "--output", "first.json"]);
        let waits = project.escher(&["run", "plan.json", "--yes"], &[]);
        assert_eq!(waits.status.code(), Some(3), "{}", String::from_utf8_lossy(&waits.stderr));
        project.keep("waiting");
        project.well(&["approve", &project.run(), "--key", "mara"]);
        project.keep("answered");
        cloud.ask("POST", "reset");
        project
    }

    /// Puts the project as it is aside.
    fn keep(&self, name: &str) {
        copy(&self.folder, &self.base.path().join(name));
    }

    /// The project as it was, in the same place: plans name their playbook by its whole path.
    fn again(&mut self, name: &str) {
        std::fs::remove_dir_all(&self.folder).unwrap();
        copy(&self.base.path().join(name), &self.folder);
        self.env.clear();
    }

    fn escher(&self, arguments: &[&str], env: &[(String, String)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
        for (name, _) in std::env::vars_os() {
            let shown = name.to_string_lossy().into_owned();
            if ["AWS_", "ESCHER_", "XDG_"].iter().any(|p| shown.starts_with(p)) {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.folder).args(arguments).env("HOME", &self.folder).env("NO_COLOR", "1");
        command
            .env("AWS_ACCESS_KEY_ID", "practice")
            .env("AWS_SECRET_ACCESS_KEY", "practice")
            .env("ESCHER_PRINCIPAL", "otto");
        command
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", &self.cloud.url);
        command.envs(env.iter().map(|(n, v)| (n, v))).stdin(Stdio::null());
        command.output().unwrap()
    }

    fn well(&self, arguments: &[&str]) -> Output {
        let output = self.escher(arguments, &[]);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.join(file), text).unwrap();
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.folder.join(file)).unwrap();
        assert!(text.contains(from), "{file} holds no {from}");
        self.write(file, &text.replace(from, to));
    }

    fn run(&self) -> String {
        let plan: Value = serde_json::from_slice(&std::fs::read(self.folder.join("plan.json")).unwrap()).unwrap();
        plan["run"].as_str().unwrap().to_string()
    }

    /// One step of a row.
    fn step(&mut self, step: &str, run: &str) {
        let (word, rest) = step.split_once(' ').unwrap();
        let parts: Vec<&str> = rest.split(" :: ").map(str::trim).collect();
        let path = |n: usize| self.folder.join(parts[n]);
        match word {
            "replace" => self.replace(parts[0], parts[1], parts[2]),
            "append" => self.write(parts[0], &format!("{}{}\n", std::fs::read_to_string(path(0)).unwrap(), parts[1])),
            "json" | "json-line" => {
                let mut json: Value = serde_json::from_slice(&std::fs::read(path(0)).unwrap()).unwrap();
                let place = json.pointer_mut(parts[1]).unwrap_or_else(|| panic!("{} has no {}", parts[0], parts[1]));
                let value: Value = serde_json::from_str(parts[2]).unwrap();
                assert_ne!(*place, value);
                *place = value;
                let text = if word == "json" { format!("{json:#}\n") } else { format!("{json}\n") };
                self.write(parts[0], &text);
            }
            "bytes" => {
                let (from, to) = (parts[1].as_bytes(), parts[2].as_bytes());
                assert_eq!(from.len(), to.len());
                let mut bytes = std::fs::read(path(0)).unwrap();
                let places: Vec<usize> =
                    (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
                assert!(!places.is_empty(), "{} holds no {}", parts[0], parts[1]);
                for at in places {
                    bytes[at..at + to.len()].copy_from_slice(to);
                }
                std::fs::write(path(0), bytes).unwrap();
            }
            "remove" if path(0).is_dir() => std::fs::remove_dir(path(0)).unwrap(),
            "remove" => std::fs::remove_file(path(0)).unwrap(),
            "copy" => std::fs::copy(path(0), path(1)).map(drop).unwrap(),
            #[cfg(unix)]
            "link" => std::os::unix::fs::symlink(parts[1], path(0)).unwrap(),
            "env" => {
                let value = parts[1].replace("{localhost}", &self.cloud.url.replace("127.0.0.1", "localhost"));
                self.env.push((parts[0].into(), value));
            }
            "sign" => {
                let _ = std::fs::remove_file(self.folder.join(format!("{}.sig", parts[2])));
                let mut sign = Command::new("ssh-keygen");
                sign.args(["-q", "-Y", "sign", "-f", parts[0], "-n", parts[1], parts[2]]).current_dir(&self.folder);
                assert!(sign.stderr(Stdio::null()).status().unwrap().success());
            }
            "escher" => drop(self.well(&words(rest, run))),
            "escher-as" => {
                let (who, rest) = rest.split_once(' ').unwrap();
                let output = self.escher(&words(rest, run), &[("ESCHER_PRINCIPAL".into(), who.into())]);
                assert!(output.status.success());
            }
            other => panic!("no step is called {other}"),
        }
    }
}

/// Words of a command; the run's id lives as long as the row.
fn words<'t>(text: &'t str, run: &'t str) -> Vec<&'t str> {
    text.split_whitespace().map(|word| if word == "{run}" { run } else { word }).collect()
}

fn ssh_keygen() -> bool {
    let found = Command::new("ssh-keygen").arg("-?").stderr(Stdio::null()).stdout(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var_os("CI").is_none(), "ssh-keygen must be there in CI");
        eprintln!("skipped: no ssh-keygen on this machine");
    }
    found
}

#[test]
fn every_way_past_the_gate_is_refused() {
    if !ssh_keygen() {
        return;
    }
    let cloud = Cloud::start();
    let mut project = Project::new(&cloud);
    let table = include_str!("data/ways.txt");
    let rows: Vec<&str> = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let [what, before, steps, command, expected] = columns[..] else { panic!("five columns: {row}") };
        project.again(before);
        let run = project.run();
        for step in steps.split(" ; ").filter(|step| !step.is_empty()) {
            project.step(step, &run);
        }
        let env = project.env.clone();
        let output = project.escher(&words(command, &run), &env);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let log = project.escher(&["audit", "show", "--format", "json"], &env);
        let log: Value = serde_json::from_slice(&log.stdout).unwrap_or_default();
        let last = log["entries"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
        let reason = last["event"]["refused"]["reason"].as_str().unwrap_or_default();
        if output.status.code() != Some(3) || !said.contains(expected) {
            wrong.push(format!("{what}: exit {:?}: {said}", output.status.code()));
        } else if reason.is_empty() || !said.contains(reason) {
            wrong.push(format!("{what}: the audit log ends with {last}, and it said: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(!cloud.touched(), "something was sent");
    println!("{} ways past the gate, each refused with exit 3 and an audit record", rows.len());
    assert!(rows.len() >= 108, "{}", rows.len());

    // The same without anything of that.
    project.again("approved");
    project.well(&["run", "plan.json", "--yes"]);
    assert!(cloud.touched());
    cloud.ask("POST", "reset");
    project.again("approved");
    project.well(&["run", "job.esc", "--yes"]);
    // What is stopping can't be started yet.
    for _ in 0..200 {
        if !cloud.ask("GET", "state").contains("stopping") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    project.well(&["undo", &project.run()]);
    project.again("planned");
    cloud.ask("POST", "reset");
    project.well(&["plan", "two.esc", "-o", "two.json"]);
    project.well(&["approve", "two.json", "--key", "mara"]);
    project.well(&["approve", "two.json", "--key", "ben"]);
    project.well(&["run", "two.json", "--yes"]);
    project.well(&["audit", "verify"]);

    // A run that waits, in other processes: what is shown is what is signed, and it goes on.
    cloud.ask("POST", "reset");
    project.again("waiting");
    let run = project.run();
    let text = |arguments: &[&str]| String::from_utf8(project.well(arguments).stdout).unwrap();
    let shown: Value = serde_json::from_str(&text(&["runs", "show", &run, "--format", "json"])).unwrap();
    assert_eq!(shown["status"], "waiting_for_approval");
    let rest = &shown["waiting"];
    let items = rest["steps"][0]["items"].as_array().unwrap().len();
    assert_eq!(rest["part"]["question"], format!("Start {items} again?"));
    assert_eq!(rest["calls"].as_array().unwrap().len(), items);
    assert!(text(&["runs", "list"]).contains("waiting_for_approval"));
    let signed = text(&["approve", &run, "--key", "ben"]);
    assert!(signed.contains(&format!("The rest of run {run}")) && signed.contains(rest["digest"].as_str().unwrap()));
    let told: Value = serde_json::from_str(&text(&["resume", &run, "--format", "json"])).unwrap();
    assert_eq!((told["status"].as_str(), told["totals"]["done"].as_u64()), (Some("done"), Some(2 * items as u64)));
    project.well(&["audit", "verify"]);
}

#[test]
fn ssh_keygen_takes_our_approvals_and_we_take_its() {
    if !ssh_keygen() {
        return;
    }
    let cloud = Cloud::start();
    let mut project = Project::new(&cloud);
    project.again("planned");
    let run = project.run();
    // Ours, verified there: as it is made, and from the audit log.
    project.well(&["approve", "plan.json", "--key", "mara", "--comment", "as discussed", "--output", "mine.json"]);
    project.well(&["audit", "export", &run, "--output", "kept"]);
    let kept = std::fs::read_dir(project.folder.join("kept")).unwrap().map(|e| e.unwrap().path());
    let kept = kept.filter(|path| path.extension().is_some_and(|e| e == "json")).collect::<Vec<_>>();
    assert_eq!(kept.len(), 1);
    for file in [project.folder.join("mine.json"), kept[0].clone()] {
        let verify = |principal: &str, text: &[u8]| {
            let mut command = Command::new("ssh-keygen");
            command.args(["-Y", "verify", "-f", "allowed_signers", "-n", "escher-approval", "-I", principal, "-s"]);
            command.arg(format!("{}.sig", file.display())).current_dir(&project.folder);
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut process = command.spawn().unwrap();
            process.stdin.take().unwrap().write_all(text).unwrap();
            process.wait().unwrap().success()
        };
        let statement = std::fs::read(&file).unwrap();
        assert!(verify("mara", &statement));
        assert!(!verify("ben", &statement) && !verify("mara", b"something else"));
    }
    // Theirs, accepted here: the key never comes near us.
    project.again("planned");
    project.well(&["approve", "plan.json", "--as", "ben", "--statement", "s.json", "--comment", "by hand"]);
    project.step("sign ben :: escher-approval :: s.json", &run);
    project.well(&["approve", "plan.json", "--statement", "s.json", "--signature", "s.json.sig"]);
    project.well(&["run", "plan.json", "--yes"]);
    // And settings, the same way.
    project.replace("escher.toml", "\"ben\"]", "\"ben\", \"eve\"]");
    project.well(&["trust", "sign", "--statement", "t.json"]);
    project.step("sign root :: escher-trust :: t.json", &run);
    project.well(&["trust", "sign", "--statement", "t.json", "--signature", "t.json.sig"]);
    let shown: Value = serde_json::from_slice(&project.well(&["trust", "--format", "json"]).stdout).unwrap();
    assert_eq!((shown["same"].as_bool(), shown["number"].as_u64()), (Some(true), Some(2)));
    project.well(&["audit", "verify"]);
}
