//! `escher ops update`: a file of operations of a project's own, end to end.

#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A later service, which the program does not have.
const LATER: &str = "zec2";

const USES_IT: &str = "playbook look() {
    let groups = aws.zec2.describe_instances().reservations
    report { \"{groups.count()}\" }
}
";

struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Project {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("escher.toml"), "# ours\n[approval]\nsolo = true # alone\n").unwrap();
        std::fs::write(folder.path().join("job.esc"), USES_IT).unwrap();
        Project(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn escher(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
        command.current_dir(self.0.path()).args(arguments).env("HOME", self.0.path()).env("NO_COLOR", "1");
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("AWS_") || name.starts_with("ESCHER_") || name.starts_with("XDG_") {
                command.env_remove(name);
            }
        }
        command.output().unwrap()
    }

    #[track_caller]
    fn gives(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let output = self.escher(arguments);
        let (out, told) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{told}");
        (out, told)
    }
}

fn number(bytes: &[u8], at: &mut usize) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}

fn put(out: &mut Vec<u8>, mut value: usize) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put(out, text.len());
    out.extend(text);
}

/// AWS's file as it is in the program, with one more service at its end: EC2 once more under another name.
fn later() -> Vec<u8> {
    let own = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/data/aws.bin")).unwrap();
    let (start, mut at) = (8, 8);
    let length = number(&own, &mut at);
    let (head, body) = own[at..].split_at(length);
    let mut at = 0;
    let text = |at: &mut usize| {
        let size = number(head, at);
        *at += size;
        head[*at - size..*at].to_vec()
    };
    let cloud = text(&mut at);
    let [dictionary, extra, extra_raw, count] = std::array::from_fn(|_| number(head, &mut at));
    let mut new = Vec::new();
    put_text(&mut new, &cloud);
    [dictionary, extra, extra_raw, count + 1].into_iter().for_each(|n| put(&mut new, n));
    let (mut place, mut ec2) = (dictionary + extra, None);
    for _ in 0..count {
        let name = text(&mut at);
        let [operations, size, raw] = std::array::from_fn(|_| number(head, &mut at));
        if name == b"ec2" {
            ec2 = Some((operations, &body[place..place + size], raw));
        }
        place += size;
        put_text(&mut new, &name);
        [operations, size, raw].into_iter().for_each(|n| put(&mut new, n));
    }
    let (operations, chunk, raw) = ec2.unwrap();
    put_text(&mut new, LATER.as_bytes());
    [operations, chunk.len(), raw].into_iter().for_each(|n| put(&mut new, n));
    let mut file = own[..start].to_vec();
    put(&mut file, new.len());
    file.extend(new);
    file.extend(body);
    file.extend(chunk);
    file
}

#[test]
fn a_newer_file_is_pinned_used_and_given_up_again() {
    let project = Project::new();
    project.gives(1, &["check", "job.esc"]);
    std::fs::write(project.path("new.bin"), later()).unwrap();
    let (out, told) = project.gives(0, &["ops", "update", "new.bin"]);
    assert!(out.contains("830 new, 0 gone") && out.contains("+ aws.zec2.accept_address_transfer"), "{out}");
    assert!(told.contains("escher trust sign"), "{told}");
    // What people wrote stays.
    let settings = std::fs::read_to_string(project.path("escher.toml")).unwrap();
    assert!(settings.starts_with("# ours\n[approval]\nsolo = true # alone\n"), "{settings}");

    project.gives(0, &["check", "job.esc"]);
    project.gives(0, &["ops", "show", "aws.zec2.stop_instances"]);
    let (found, _) = project.gives(0, &["ops", "search", "--limit", "5", "zec2 stop instances"]);
    assert!(found.contains("aws.zec2.stop_instances"), "{found}");
    let (stats, _) = project.gives(0, &["ops", "stats", "--format", "json"]);
    let stats: Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(stats["clouds"]["aws"]["source"], "project");
    assert_eq!(stats["clouds"]["gcp"]["source"], "builtin");
    assert_eq!(stats["clouds"]["aws"]["services"], 440);

    let (out, _) = project.gives(0, &["ops", "update", "--builtin", "aws"]);
    assert!(out.contains("inside the program"), "{out}");
    project.gives(1, &["check", "job.esc"]);
    assert!(!project.path("catalog/aws.bin").exists());
    assert!(!std::fs::read_to_string(project.path("escher.toml")).unwrap().contains("catalog"));
}

#[test]
fn no_cloud_is_reached_with_a_file_that_nobody_signed_for() {
    let project = Project::new();
    std::fs::write(project.path("new.bin"), later()).unwrap();
    project.gives(0, &["ops", "update", "new.bin"]);
    let key = |name: &str| {
        let file = project.path(name);
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&file).status();
        assert!(made.unwrap().success());
    };
    key("root");
    // A server that would answer is not needed: it is refused before.
    let plan = ["plan", "job.esc", "--endpoint-url", "http://127.0.0.1:9"];
    let (_, told) = project.gives(3, &plan);
    assert!(told.contains("E0804") && told.contains("escher trust sign"), "{told}");
    let (audit, _) = project.gives(0, &["audit", "show"]);
    assert!(audit.contains("not signed for"), "{audit}");
    project.gives(0, &["trust", "sign", "--key", "root"]);
    let (_, told) = project.gives(1, &plan);
    assert!(!told.contains("E0804"), "{told}");

    // Another file under the same pin, another pin without a signature, and a file that is damaged.
    let mut other = later();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(project.path("catalog/aws.bin"), &other).unwrap();
    let (_, told) = project.gives(3, &["check", "job.esc"]);
    assert!(told.contains("E0803") && told.contains("not the file that"), "{told}");
    std::fs::write(project.path("damaged.bin"), &other).unwrap();
    let (_, told) = project.gives(2, &["ops", "update", "damaged.bin"]);
    assert!(told.contains("E0803"), "{told}");
    project.gives(0, &["ops", "update", concat!(env!("CARGO_MANIFEST_DIR"), "/../catalog/data/aws.bin")]);
    std::fs::write(project.path("job.esc"), USES_IT.replace("zec2", "ec2")).unwrap();
    let (_, told) = project.gives(3, &plan);
    assert!(told.contains("E0804"), "{told}");
}

#[test]
fn a_pin_that_makes_no_sense_is_refused() {
    let project = Project::new();
    let hash = "0".repeat(64);
    for (row, words) in [
        (format!("oracle = {{ file = \"a.bin\", sha256 = \"{hash}\" }}"), "not of \"oracle\""),
        (format!("aws = {{ file = \"../a.bin\", sha256 = \"{hash}\" }}"), "files of the project"),
        ("aws = { file = \"a.bin\", sha256 = \"abc\" }".to_string(), "64 hexadecimal digits"),
        (format!("aws = {{ file = \"missing.bin\", sha256 = \"{hash}\" }}"), "E0803: cannot read"),
    ] {
        std::fs::write(project.path("escher.toml"), format!("[catalog]\n{row}\n")).unwrap();
        let (_, told) = project.gives(2, &["ops", "stats"]);
        assert!(told.contains(words), "{row}: {told}");
    }
}
