//! `escher test` through the real binary: what passes, what fails and how it is told, in all three forms.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const PLAYBOOK: &str = r#"
/// Keep a copy of each volume that nothing uses, and delete it.
@risk(critical)
@approval(by: "manager", of: 2)
playbook retire(limit: int(1..=10) = 5, grace: duration = 30d) -> int {
    let due = aws.ec2.describe_volumes(filters: [{ name: "status", values: ["available"] }]).volumes
        .filter(v => v.state == "available" and v.create_time < run.started - grace)
    require due.count() > 0 else "nothing is due"

    step snapshot "Keep a copy" for v in due max limit, may_repeat, retry 2 {
        aws.ec2.create_snapshot(volume_id: v.volume_id, description: "copy")
    }
    step delete "Delete the volume" for v in snapshot.items
        max limit, tolerate all, irreversible "its snapshot is kept"
    {
        aws.ec2.delete_volume(volume_id: v.volume_id)
    }
    report "Retired" { "{delete.items.count()} of {due.count()}" }
    return delete.items.count()
}

const volumes = {
    volumes: [
        { volume_id: "vol-1", state: "available", create_time: 2026-01-01T00:00:00Z },
        { volume_id: "vol-2", state: "available", create_time: 2026-01-02T00:00:00Z },
        { volume_id: "vol-3", state: "available", create_time: 2026-05-31T00:00:00Z },
        { volume_id: "vol-4", state: "in-use", create_time: 2026-01-01T00:00:00Z },
    ],
}
"#;

fn escher(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy().into_owned();
        if shown.starts_with("AWS_") || shown.starts_with("ESCHER_") || shown.starts_with("XDG_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder).args(arguments).env("HOME", folder).env("NO_COLOR", "1").output().unwrap()
}

/// A folder with the playbook and these tests.
fn folder(tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("retire.esc"), format!("{PLAYBOOK}{tests}")).unwrap();
    folder
}

/// What became of the one test with these statements: nothing, or why it failed.
fn failure(statements: &str) -> Option<String> {
    let folder = folder(&format!("\ntest \"it\" {{\n{statements}\n}}\n"));
    let output = escher(folder.path(), &["test", "--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let result = &json["results"][0];
    let failed = result["status"] == "failed";
    assert_eq!(output.status.code(), Some(i32::from(failed)), "{json:#}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "a test leaves nothing behind: {left:?}");
    failed.then(|| {
        let more: Vec<&str> = result["failure"]["help"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        format!("{}; {}", result["failure"]["message"].as_str().unwrap(), more.join("; "))
    })
}

#[track_caller]
fn passes(statements: &str) {
    assert_eq!(failure(statements), None);
}

const BEGIN: &str = "at 2026-06-01T00:00:00Z\n mock aws.ec2.describe_volumes => volumes\n";

#[test]
fn what_is_expected_of_a_run_is_what_the_engine_does() {
    passes(&format!(
        r#"{BEGIN} let r = retire()
        expect r.status == "done"
        expect r.items("delete").map(.volume_id) == ["vol-1", "vol-2"]
        expect r.calls(aws.ec2.create_snapshot).map(.volume_id) == ["vol-1", "vol-2"]
        expect r.calls(aws.ec2.delete_volume).count() == 2
        expect r.report == "Retired\n2 of 2"
        expect r.value == 2
        expect r.refused == none
        expect r.failed("snapshot").count() == 0"#
    ));
}

#[test]
fn the_clock_is_the_tests_own() {
    passes(&format!(
        "{BEGIN} at 2026-07-01T00:00:00Z\n let r = retire()\n expect r.calls(aws.ec2.delete_volume).count() == 3"
    ));
}

#[test]
fn a_refusal_says_why() {
    let statements = format!("{BEGIN} let r = retire(grace: 3650d)\n expect r.refused == \"nothing is due\"");
    passes(&statements);
    let statements = format!("{BEGIN} let r = retire(limit: 1)\n expect r.status == \"done\"");
    let told = failure(&statements).unwrap();
    assert!(told.contains("this does not hold; left:  refused; right: done; the run was refused: "), "{told}");
}

#[test]
fn a_chosen_call_fails_with_a_chosen_code() {
    passes(&format!(
        r#"{BEGIN} fail aws.ec2.create_snapshot with "RequestLimitExceeded" on 2
        let r = retire()
        expect r.status == "done"
        expect r.calls(aws.ec2.create_snapshot).count() == 3"#
    ));
    passes(&format!(
        r#"{BEGIN} fail aws.ec2.delete_volume with "VolumeInUse" on 1
        let r = retire()
        expect r.failed("delete").map(.volume_id) == ["vol-1"]
        expect r.items("delete").map(.volume_id) == ["vol-2"]
        expect r.status == "done_with_failures""#
    ));
}

#[test]
fn answers_depend_on_arguments_and_come_in_turn() {
    passes(&format!(
        r#"{BEGIN} mock aws.ec2.delete_volume(volume_id: "vol-2") => fail denied
        let r = retire()
        expect r.failed("delete").map(.volume_id) == ["vol-2"]"#
    ));
    // Of the volumes that were planned, one is in use when it is looked at again.
    passes(
        r#"at 2026-06-01T00:00:00Z
        mock aws.ec2.describe_volumes => volumes then [{ volumes: volumes.volumes.filter(v => v.volume_id == "vol-2") }]
        let r = retire()
        expect r.skipped("snapshot").map(.volume_id) == ["vol-1"]
        expect r.calls(aws.ec2.create_snapshot).map(.volume_id) == ["vol-2"]"#,
    );
}

#[test]
fn a_run_whose_process_dies_is_resumed() {
    passes(&format!(
        r#"{BEGIN} crash after aws.ec2.delete_volume
        let r = retire()
        expect r.status == "done"
        expect r.items("delete").count() == 2
        expect r.calls(aws.ec2.create_snapshot).count() == 2"#
    ));
}

#[test]
fn a_read_that_nobody_mocked_names_the_mock_to_write() {
    let told = failure("let r = retire()").unwrap();
    assert_eq!(
        told,
        "no mock answers `aws.ec2.describe_volumes`; write `mock aws.ec2.describe_volumes => { … }` above this"
    );
}

#[test]
fn a_mock_that_no_cloud_could_answer_is_a_mistake() {
    for (mock, code) in [
        ("aws.ec2.describe_volumes => { volume: [] }", "E0206"),
        ("aws.ec2.describe_volumes => { volumes: [{ state: \"avaliable\" }] }", "E0303"),
        ("aws.ec2.describe_volumes => []", "E0301"),
        ("aws.ec2.describe_volume => { volumes: [] }", "E0203"),
        ("aws.ec2.describe_volumes(volume_id: \"vol-1\") => { volumes: [] }", "E0206"),
        ("aws.ec2.describe_volumes => fail forbidden", "E0320"),
    ] {
        let folder = folder(&format!("\ntest \"it\" {{\n    mock {mock}\n}}\n"));
        let output = escher(folder.path(), &["test", "--format", "json"]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(json["diagnostics"][0]["code"], code, "{mock}: {json:#}");
    }
}

#[test]
fn results_are_for_people_for_scripts_and_for_build_servers() {
    let folder = folder(
        "\ntest \"a <b> & \\\"c\\\"\" {\n    expect 1 + 1 == 2\n}\n\ntest \"wrong\" {\n    let n = [1, 2].count()\n    expect n == 3\n}\n",
    );
    let run = |arguments: &[&str]| {
        let output = escher(folder.path(), &[&["test"], arguments].concat());
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = run(&[]);
    assert_eq!(code, 1);
    assert!(text.contains("ok   ./retire.esc: a <b> & \"c\"\nFAIL ./retire.esc: wrong\n"), "{text}");
    assert!(text.contains("this does not hold") && text.contains("left:  2") && text.contains("right: 3"), "{text}");
    let (code, text) = run(&["--format", "junit"]);
    assert_eq!(code, 1);
    assert!(text.contains("<testsuites name=\"escher\" tests=\"2\" failures=\"1\""), "{text}");
    assert!(text.contains("name=\"a &lt;b&gt; &amp; &quot;c&quot;\""), "{text}");
    assert!(text.contains("<failure message=\"this does not hold\">"), "{text}");
    let (code, text) = run(&["--format", "json"]);
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &json["schema"], &json["tests"], &json["failed"]),
        (1, &"escher.test/1".into(), &2.into(), &1.into())
    );
    assert_eq!(run(&["--filter", "<b>"]).0, 0);
    assert_eq!(run(&["--filter", "nowhere"]).0, 2);
}

#[test]
fn tests_call_playbooks_and_functions_of_modules() {
    let folder = folder("");
    let tests = r#"use "./retire.esc" as retire

test "of a module" {
    mock aws.ec2.describe_volumes => retire.volumes
    at 2026-06-01T00:00:00Z
    let r = retire.retire(limit: 2)
    expect r.items("delete").count() == 2
}
"#;
    std::fs::write(folder.path().join("tests.esc"), tests).unwrap();
    let output = escher(folder.path(), &["test", "tests.esc"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn the_tests_of_the_examples_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for path in ["examples", "stdlib-playbooks"] {
        let output = escher(root, &["test", path]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn actions_are_mocked_whatever_they_are_called_in_the_program() {
    let folder = folder("");
    // Both modules have an action of this name: in the program, one of them is called otherwise.
    let ours = "action list() -> list<string> {\n    aws.ec2.describe_volumes().volumes.map(.volume_id)\n}\n";
    let theirs = "action list(env: string) -> list<string> {\n    aws.ec2.describe_volumes(filters: [{ name: \"tag:env\", values: [env] }])\n        .volumes.map(.volume_id)\n}\n";
    std::fs::write(folder.path().join("theirs.esc"), theirs).unwrap();
    let test = |statements: &str| {
        let text = format!(
            "use \"./theirs.esc\" as theirs\n\n{ours}\nplaybook look() -> list<string> {{\n    let a = list()\n    \
             let b = theirs.list(\"dev\")\n    let c = theirs.list(\"prod\")\n    return a.concat(b).concat(c)\n}}\n\n\
             test \"it\" {{\n{statements}\n}}\n"
        );
        std::fs::write(folder.path().join("ours.esc"), text).unwrap();
        let output = escher(folder.path(), &["test", "ours.esc", "--format", "json"]);
        let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        (output.status.code(), json.to_string())
    };
    let all = "mock list => [\"a\"]\nmock theirs.list => [\"b\"]\nmock theirs.list(\"prod\") => [\"c\"]\n";
    let (code, said) = test(&format!("{all}let r = look()\nexpect r.value == [\"a\", \"b\", \"c\"]"));
    assert_eq!(code, Some(0), "{said}");
    // What is not mocked is read, and says so.
    let (code, said) = test("mock list => [\"a\"]\nlet r = look()\nexpect r.value == []");
    assert!(code == Some(1) && said.contains("no mock answers `aws.ec2.describe_volumes`"), "{said}");
}

#[test]
fn changes_are_expected_in_their_order() {
    let order = "[\"aws.ec2.create_snapshot\", \"aws.ec2.delete_volume\"]";
    let statements = "mock aws.ec2.describe_volumes => volumes\nat 2026-06-01T00:00:00Z\nlet r = retire()\n";
    let one = "mock aws.ec2.describe_volumes => { volumes: volumes.volumes.take(1) }\nat 2026-06-01T00:00:00Z\nlet r = retire()\n";
    assert_eq!(failure(&format!("{one}expect r.order == {order}")), None);
    assert!(failure(&format!("{statements}expect r.order == {order}")).is_some());
}
