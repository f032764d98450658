//! Playbooks of several files, through the real binary: names across files, files that are refused, and plans whose
//! modules changed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const MAIN: &str = r#"use std.tags
use "./lib/shared.esc" as shared

/// Stop what is marked.
@risk(high)
@approval(by: "manager")
playbook stop_marked() {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running" and shared.marked(m.tags) and tags.is(m.tags, "env", "dev"))

    step stop "Stop the machines" for m in machines max shared.limit {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }
    undo { aws.ec2.start_instances(instance_ids: [m.instance_id]) }
}
"#;

const SHARED: &str = r#"const limit = 50

fn marked(tags: map<string>) -> bool = tags["env"] != none
"#;

/// A project with the two files.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "escher.toml", "edition = \"2026\"\n");
    write(folder.path(), "main.esc", MAIN);
    write(folder.path(), "lib/shared.esc", SHARED);
    folder
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn escher(folder: &Path, url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy().into_owned();
        if shown.starts_with("AWS_") || shown.starts_with("ESCHER_") || shown.starts_with("XDG_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).args(arguments).env("HOME", folder).env("NO_COLOR", "1");
    command.env("AWS_ACCESS_KEY_ID", "practice").env("AWS_SECRET_ACCESS_KEY", "practice");
    command.env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", url);
    command.output().unwrap()
}

/// What `check` says, as `code file:line`, with its exit code.
fn check(folder: &Path, arguments: &[&str]) -> (i32, Vec<String>) {
    let output = escher(folder, "", &[&["check"], arguments, &["--format", "json"]].concat());
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let of =
        |d: &Value| format!("{} {}:{}", d["code"].as_str().unwrap(), d["file"].as_str().unwrap(), d["span"]["line"]);
    (output.status.code().unwrap(), json["diagnostics"].as_array().unwrap().iter().map(of).collect())
}

#[test]
fn a_mistake_in_a_module_is_told_with_its_file() {
    let project = project();
    assert_eq!(check(project.path(), &["main.esc"]), (0, vec![]));
    write(project.path(), "lib/shared.esc", &SHARED.replace("tags[\"env\"] != none", "tags.env"));
    assert_eq!(check(project.path(), &["main.esc"]), (1, vec!["E0206 lib/shared.esc:3".to_string()]));
    // Once, however many files use it.
    write(project.path(), "other.esc", "use lib.shared\n\nconst twice = shared.limit * 2\n");
    assert_eq!(check(project.path(), &["."]), (1, vec!["E0206 ./lib/shared.esc:3".to_string()]));
    let plan = escher(project.path(), "", &["plan", "main.esc"]);
    assert_eq!(plan.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&plan.stderr).contains("lib/shared.esc:3:"), "{plan:?}");
}

#[test]
fn what_lies_outside_of_the_project_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "shared.esc", SHARED);
    let path = outside.path().join("shared.esc");
    let project = project();
    let at = |target: &str| MAIN.replace("./lib/shared.esc", target);
    let first = |folder: &Path| check(folder, &["main.esc"]).1.first().cloned();
    let folder = outside.path().file_name().unwrap().to_str().unwrap();
    for (written, code) in [
        (format!("../{folder}/shared.esc"), "E0222"),
        (format!("./lib/../../{folder}/shared.esc"), "E0222"),
        (path.to_str().unwrap().to_string(), "E0223"),
        (format!("file://{}", path.display()), "E0223"),
    ] {
        write(project.path(), "main.esc", &at(&written));
        assert_eq!(first(project.path()), Some(format!("{code} main.esc:2")), "{written}");
    }
    #[cfg(unix)]
    {
        write(project.path(), "main.esc", MAIN);
        std::fs::remove_file(project.path().join("lib/shared.esc")).unwrap();
        std::os::unix::fs::symlink(&path, project.path().join("lib/shared.esc")).unwrap();
        assert_eq!(first(project.path()), Some("E0224 main.esc:2".to_string()));
        // A folder that leads out is no better, nor is a link to nothing.
        std::fs::remove_dir_all(project.path().join("lib")).unwrap();
        std::os::unix::fs::symlink(outside.path(), project.path().join("lib")).unwrap();
        assert_eq!(first(project.path()), Some("E0224 main.esc:2".to_string()));
        std::fs::remove_file(project.path().join("lib")).unwrap();
        std::os::unix::fs::symlink("nowhere", project.path().join("lib")).unwrap();
        assert_eq!(first(project.path()), Some("E0220 main.esc:2".to_string()));
        // One that stays inside is a file like others.
        write(project.path(), "real/shared.esc", SHARED);
        std::fs::remove_file(project.path().join("lib")).unwrap();
        std::os::unix::fs::symlink("real", project.path().join("lib")).unwrap();
        assert_eq!(check(project.path(), &["main.esc"]), (0, vec![]));
    }
}

#[test]
fn a_file_that_is_no_text_is_told_where_it_is_used() {
    let project = project();
    std::fs::write(project.path().join("lib/shared.esc"), [0xff, 0xfe]).unwrap();
    assert_eq!(check(project.path(), &["main.esc"]).1[0], "E0220 main.esc:2");
    std::fs::remove_file(project.path().join("lib/shared.esc")).unwrap();
    std::fs::create_dir(project.path().join("lib/shared.esc")).unwrap();
    assert_eq!(check(project.path(), &["main.esc"]).1[0], "E0220 main.esc:2");
}

#[test]
fn modules_are_looked_for_where_the_settings_say() {
    let project = project();
    write(project.path(), "other.esc", "use shared\n\nconst twice = shared.limit * 2\n");
    assert_eq!(check(project.path(), &["other.esc"]), (1, vec!["E0220 other.esc:1".to_string()]));
    write(project.path(), "escher.toml", "[modules]\nsearch = [\"lib\", \".\"]\n");
    assert_eq!(check(project.path(), &["other.esc"]), (0, vec![]));
    for folder in ["../lib", "/lib", "", "lib//x"] {
        write(project.path(), "escher.toml", &format!("[modules]\nsearch = [\"{folder}\"]\n"));
        let output = escher(project.path(), "", &["check", "other.esc"]);
        assert_eq!(output.status.code(), Some(2), "{folder}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("E0802"), "{folder}");
    }
}

/// A practice cloud that ends with the test.
struct Cloud {
    child: Child,
    url: String,
}

impl Cloud {
    fn start() -> Cloud {
        let mut child = Command::new(env!("CARGO_BIN_EXE_escher"))
            .args(["sandbox", "--until-closed"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        Cloud { child, url: url.trim().to_string() }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn a_plan_whose_modules_changed_is_refused() {
    let cloud = Cloud::start();
    let project = project();
    let folder = project.path();
    let plan = escher(folder, &cloud.url, &["plan", "main.esc", "-o", "plan.json"]);
    assert_eq!(plan.status.code(), Some(0), "{plan:?}");
    let run = |why: &str| {
        let output = escher(folder, &cloud.url, &["run", "plan.json"]);
        assert_eq!(output.status.code(), Some(3), "{why}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    // Nothing changed: what is missing is the approval. A comment changes nothing.
    let told = run("no approval");
    assert!(told.contains("approv"), "{told}");
    write(folder, "lib/shared.esc", &format!("// a word\n{SHARED}"));
    assert!(!run("a comment").contains("was changed"));
    let changed = |why: &str, path: &str, text: &str| {
        let before = std::fs::read_to_string(folder.join(path)).ok();
        write(folder, path, text);
        assert!(run(why).contains("changed since it was planned"), "{why}");
        match before {
            Some(before) => write(folder, path, &before),
            None => std::fs::remove_file(folder.join(path)).unwrap(),
        }
    };
    changed("an edited module", "lib/shared.esc", &SHARED.replace("!= none", "== none"));
    changed("an edited constant", "lib/shared.esc", &SHARED.replace("50", "51"));
    changed(
        "the project's own in place of the library's",
        "std/tags.esc",
        "fn is(tags: map<string>, key: string, value: string) -> bool = true\n",
    );
    let gone = |why: &str| assert!(run(why).contains("no longer has a playbook `stop_marked` that checks"), "{why}");
    write(folder, "main.esc", &MAIN.replace("./lib/shared.esc", "../shared.esc"));
    gone("a module outside of the project");
    write(folder, "main.esc", MAIN);
    std::fs::remove_file(folder.join("lib/shared.esc")).unwrap();
    gone("a module that is gone");
    #[cfg(unix)]
    {
        let outside = tempfile::tempdir().unwrap();
        write(outside.path(), "shared.esc", SHARED);
        std::os::unix::fs::symlink(outside.path().join("shared.esc"), folder.join("lib/shared.esc")).unwrap();
        gone("a link that leads out");
    }
    // Each refusal stands in the audit log.
    let audit = escher(folder, &cloud.url, &["audit", "show", "--format", "json"]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert_eq!(audit.matches("or a module that it uses, was changed since").count(), 3, "{audit}");
    assert_eq!(audit.matches("no longer has a playbook").count(), if cfg!(unix) { 3 } else { 2 }, "{audit}");
}

/// A template of a module's playbook is compiled with its program, and planned within what it allows.
#[test]
fn a_template_is_planned_within_itself() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "escher.toml", "edition = \"2026\"\n");
    let shared =
        "playbook look(env: \"dev\" | \"prod\", limit: int(1..=50) = 10) {\n    report { \"{env} {limit}\" }\n}\n";
    write(folder.path(), "look.esc", shared);
    let main = "use \"./look.esc\"\n\ntemplate some = look.look(env: \"dev\", limit in 1..=20)\n\nschedule hourly = look.look(env: \"dev\") every 1h\n";
    write(folder.path(), "main.esc", main);
    let call = |arguments: &[&str]| escher(folder.path(), "http://127.0.0.1:9", arguments);
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    for name in ["some", "hourly"] {
        let output = call(&["compile", &format!("main.esc:{name}"), "-o", &format!("{name}.ir")]);
        assert!(output.status.success(), "{}", said(&output));
        let bytes = std::fs::read(folder.path().join(format!("{name}.ir"))).unwrap();
        let (_, standing) = escher_ir::codec::decode::<escher_ir::standing::Standing>(&bytes).unwrap();
        assert!(schema_holds(&serde_json::to_value(&standing).unwrap()));
        assert_eq!((standing.name.as_str(), standing.program.playbook.name.as_str()), (name, "look"));
    }
    let wide = call(&["plan", "main.esc:some", "--set", "limit=30"]);
    assert!(wide.status.code() == Some(2) && said(&wide).contains("int(1..=20)"), "{}", said(&wide));
    let other = call(&["plan", "main.esc:some", "--set", "limit=3", "--set", "env=prod"]);
    assert!(other.status.code() == Some(2) && said(&other).contains("env"), "{}", said(&other));
    let alone = call(&["plan", "main.esc:hourly"]);
    assert!(alone.status.code() == Some(2) && said(&alone).contains("not started by hand"), "{}", said(&alone));
}

/// Whether a value is what the schema of templates, schedules and triggers describes.
fn schema_holds(value: &Value) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/standing.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap().is_valid(value)
}
