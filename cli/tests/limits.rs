//! `[limits]` of `escher.toml`, end to end: the real program against the practice cloud.

#![cfg(test)]

use std::path::Path;
use std::process::{Command, Output};

const READS: &str = "playbook look() {
    let groups = aws.ec2.describe_instances(max_results: 5).reservations
    report { \"{groups.count()}\" }
}
";

/// Runs a playbook on the practice cloud in a project with these limits.
fn run(limits: &str, playbook: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("escher.toml"), format!("[limits]\n{limits}\n")).unwrap();
    std::fs::write(folder.path().join("job.esc"), playbook).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
    command.current_dir(folder.path()).args(["run", "job.esc", "--sandbox"]).env("HOME", folder.path());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("AWS_") || name.starts_with("ESCHER_") || name.starts_with("XDG_") {
            command.env_remove(name);
        }
    }
    command.output().unwrap()
}

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/stop_dev_instances.esc");
    std::fs::read_to_string(path).unwrap()
}

#[track_caller]
fn ends(limits: &str, playbook: &str, code: i32, words: &str) {
    let output = run(limits, playbook);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{limits}: {told}");
    assert!(told.contains(words), "{limits}: {told}");
}

#[test]
fn a_step_has_so_many_items() {
    ends("items = 11", &example(), 3, "E0601: step `stop` has 12 items, and a step has 11 at most");
    ends("items = 12", &example(), 0, "12 to do");
}

#[test]
fn a_reading_has_so_many_pages() {
    ends("pages = 1", READS, 1, "E0602: the reading has more than 1 pages");
}

#[test]
fn a_reading_has_so_many_elements() {
    ends("elements = 2", READS, 1, "E0602: the reading has more than 2 elements");
}

#[test]
fn an_answer_has_so_many_bytes() {
    ends("body = \"1KiB\"", READS, 1, "E0603: the answer is larger than 1KiB");
}

#[test]
fn a_limit_out_of_its_range_is_refused() {
    ends("items = 0", READS, 2, "E0802");
    ends("itmes = 1", READS, 2, "E0801");
}
