//! `escher schedule`: when what is written down is due, around the changes of clocks.

#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::process::{Command, Output};

use serde_json::Value;

const SCHEDULES: &str = r#"playbook look(env: "dev" | "test" = "dev") {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances).filter(m => m.tags["env"] == env)
    report { "{machines.count()}" }
}

/// Early in the morning, when clocks change.
schedule nightly = look(env: "dev")
    cron "30 2 * * *", zone "Europe/Berlin", overlap skip, missed run_once, within 2h

schedule often = look(env: "test") every 6h

schedule never = look() cron "0 0 31 2 *", zone "UTC"
"#;

fn schedule(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("look.esc"), SCHEDULES).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
    command.current_dir(folder.path()).arg("schedule").args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = schedule(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn next(name: &str, from: &str) -> Vec<String> {
    let value = json(&["next", name, "-n", "3", "--from", from, "--format", "json"]);
    assert_eq!(value["schema"], "escher.schedule/1");
    value["next"].as_array().unwrap().iter().map(|t| t["at"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_time_that_clocks_skip_runs_when_they_are_put_forward_and_one_that_comes_twice_runs_once() {
    let spring = next("nightly", "2026-03-28T00:00:00Z");
    assert_eq!(spring, ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    let autumn = next("look.esc:nightly", "2026-10-24T12:00:00Z");
    assert_eq!(autumn, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z", "2026-10-27T01:30:00Z"]);
    let often = next("often", "2026-10-24T12:00:00Z");
    assert_eq!(often, ["2026-10-24T18:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T06:00:00Z"]);
    assert_eq!(next("never", "2026-10-24T12:00:00Z"), Vec::<String>::new());
}

#[test]
fn all_of_a_folder_are_listed() {
    let value = json(&["list", "--format", "json"]);
    let names: Vec<&str> =
        value["schedules"].as_array().unwrap().iter().map(|s| s["schedule"].as_str().unwrap()).collect();
    assert_eq!(names, ["nightly", "often", "never"]);
    assert_eq!(value["schedules"][0]["missed"], "run_once");
    let text = String::from_utf8(schedule(&[]).stdout).unwrap();
    assert!(text.contains("30 2 * * * Europe/Berlin") && text.contains("every 6h") && text.contains("never"), "{text}");
    let output = schedule(&["next", "nightyl"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("no single schedule is called `nightyl`") && told.contains("`nightly`"), "{told}");
}
