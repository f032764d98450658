//! The real binary, as a person or a script calls it. What needs a cloud is in the lab (`cargo xtask lab e2e`); here only
//! the practice cloud.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The binary in a folder, with nothing of this machine's environment that it might listen to.
fn escher(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
    command.current_dir(folder).args(arguments).env("HOME", folder).env("NO_COLOR", "1");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("AWS_") || name.starts_with("ESCHER_") || name.starts_with("XDG_") {
            command.env_remove(name);
        }
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Standard output of a call on the wrong playbook, which must end with this code.
fn wrong(arguments: &[&str], code: i32) -> String {
    let data = root().join("cli/tests/data");
    let output = escher(&data, arguments);
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn diagnostics_for_people() {
    insta::assert_snapshot!(wrong(&["check", "wrong.esc"], 1));
}

#[test]
fn diagnostics_for_scripts() {
    insta::assert_snapshot!(wrong(&["check", "wrong.esc", "--format", "json"], 1));
}

#[test]
fn diagnostics_for_github() {
    insta::assert_snapshot!(wrong(&["check", "wrong.esc", "--format", "github"], 1));
}

#[test]
fn diagnostics_as_sarif() {
    insta::assert_snapshot!(wrong(&["check", "wrong.esc", "--format", "sarif"], 1));
}

#[test]
fn the_help_of_every_command_has_words() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(text(&escher(folder.path(), &["--help"]).stdout));
    for command in [
        "init",
        "check",
        "fmt",
        "fix",
        "explain",
        "test",
        "graph",
        "doc",
        "ops",
        "permissions",
        "compile",
        "plan",
        "approve",
        "run",
        "resume",
        "undo",
    ] {
        let output = escher(folder.path(), &[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("Usage: escher"), "{command}");
    }
}

#[test]
fn examples_and_library_are_in_their_layout_and_compile_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut compiled = 0;
    for part in ["examples", "stdlib-playbooks"] {
        let part = root().join(part);
        assert_eq!(escher(folder.path(), &["fmt", "--check", part.to_str().unwrap()]).status.code(), Some(0));
        for file in std::fs::read_dir(&part).unwrap() {
            let file = file.unwrap().path();
            let source = std::fs::read_to_string(&file).unwrap();
            let playbooks = source.lines().filter_map(|l| l.strip_prefix("playbook ")?.split(['(', ' ']).next());
            for playbook in playbooks {
                let what = format!("{}:{playbook}", file.to_str().unwrap());
                for name in ["a.ir", "b.ir"] {
                    assert_eq!(escher(folder.path(), &["compile", &what, "-o", name]).status.code(), Some(0), "{what}");
                }
                let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
                assert_eq!(read("a.ir"), read("b.ir"), "{what}");
                compiled += 1;
            }
        }
    }
    assert!(compiled >= 14, "{compiled} playbooks");
}

#[test]
fn a_run_on_the_practice_cloud_stops_the_machines_and_its_audit_log_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/stop_dev_instances.esc");
    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    let output =
        escher(folder.path(), &["run", example.to_str().unwrap(), "--sandbox", "--state", state, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let run: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(run["schema"], "escher.run/1");
    assert_eq!(run["status"], "done");
    assert_eq!(run["totals"]["done"], 12);
    let verdict = escher(folder.path(), &["audit", "verify", "--state", state, "--format", "json"]);
    let verdict: serde_json::Value = serde_json::from_slice(&verdict.stdout).unwrap();
    assert_eq!(verdict["whole"], true);
    let shown = text(&escher(folder.path(), &["audit", "show", "--state", state, "--format", "json"]).stdout);
    assert!(shown.contains("\"sandbox\": true"), "the audit log says that a throw-away key approved");
    // The settings folder of the user is nowhere near: nothing was written outside of the state.
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["state"]);
}

#[test]
fn wrong_usage_is_code_two_and_says_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/stop_dev_instances.esc");
    let example = example.to_str().unwrap();
    for (arguments, words) in [
        (vec!["plan", example, "--set", "limit=900"], "expected `int(1..=500)`"),
        (vec!["plan", example, "--set", "limt=9"], "it has env, limit"),
        (vec!["plan", "nowhere.esc"], "cannot read nowhere.esc"),
        (vec!["explain", "E9999"], "there is no diagnostic"),
        (vec!["run", "r-20261121-nothing"], "there is no run"),
    ] {
        let output = escher(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(words), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn unknown_settings_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("escher.toml"), "[run]\nrecheck_afer = \"30s\"\n").unwrap();
    let output = escher(folder.path(), &["runs"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("E0801"), "{}", text(&output.stderr));
}

#[test]
fn certain_repairs_are_applied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.esc");
    let source =
        "playbook p() -> int {\n    let x = aws.ec2.DescribeInstances()\n    return x.reservations.count()\n}\n";
    std::fs::write(&path, source).unwrap();
    let output = escher(folder.path(), &["fix", "a.esc"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(std::fs::read_to_string(&path).unwrap().contains("aws.ec2.describe_instances()"));
}

#[test]
fn a_picture_shows_what_waits_for_what_and_its_risk_without_colour() {
    let folder = tempfile::tempdir().unwrap();
    let mut source = String::from("@risk(medium)\nplaybook long(ids: list<string>) {\n");
    for n in 0..15 {
        source.push_str(&format!(
            "    let v{n} = aws.ec2.describe_instances(instance_ids: ids).reservations.flat_map(.instances)\n    \
             step s{n} \"Stop <{n}> & \\\"more\\\" of what has a title that is much too long\" for m in v{n} max 1 {{ \
             aws.ec2.stop_instances(instance_ids: [m.instance_id]) }}\n"
        ));
    }
    source.push_str("}\n");
    std::fs::write(folder.path().join("long.esc"), source).unwrap();
    let draw = |format: &str| {
        let output = escher(folder.path(), &["graph", "long.esc", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let svg = draw("svg");
    assert_eq!((svg.matches("<rect ").count(), svg.matches("◑ medium").count()), (31, 15), "{svg}");
    assert_eq!(svg.matches("marker-end").count(), 29, "each waits for the one above it, and says so once");
    assert!(svg.contains("Stop &lt;0&gt; &amp; &quot;more") && !svg.contains("Stop <"), "{svg}");
    assert!(draw("dot").contains("n0 -> n1;"));
    assert!(draw("mermaid").contains("n0 --> n1"));
    let example = root().join("examples/stop_dev_instances.esc");
    insta::assert_snapshot!(text(
        &escher(folder.path(), &["graph", example.to_str().unwrap(), "--format", "dot"]).stdout
    ));
}

#[test]
fn a_page_says_what_a_playbook_takes_does_and_risks() {
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("examples/stop_dev_instances.esc");
    std::fs::copy(example, folder.path().join("stop.esc")).unwrap();
    std::fs::create_dir(folder.path().join("other")).unwrap();
    let plain =
        "/// <b>Looks</b> | and more.\nplaybook stop_dev_instances(a: \"x\" | \"y\" = \"x\") {\n    report { a }\n}\n";
    std::fs::write(folder.path().join("other/b.esc"), plain).unwrap();
    let output = escher(folder.path(), &["doc", "stop.esc", "other", "-o", "pages"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(folder.path().join("pages").join(name)).unwrap();
    insta::assert_snapshot!(read("stop_dev_instances.md"));
    assert!(read("stop_dev_instances.svg").starts_with("<svg "));
    // A second playbook of the same name has a page of its own, and nothing of its text is taken for markup.
    assert!(read("stop_dev_instances-2.md").contains("&lt;b&gt;Looks&lt;/b&gt;"));
    assert!(
        read("index.md")
            .contains("[stop_dev_instances](stop_dev_instances-2.md) | &lt;b&gt;Looks&lt;/b&gt; \\| and more.")
    );
}

#[test]
fn a_policy_has_what_a_playbook_and_its_undo_need_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |what: &str, format: &str| {
        let output = escher(folder.path(), &["permissions", what, "--format", format]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let example = root().join("examples/stop_dev_instances.esc");
    let example = example.to_str().unwrap();
    let (code, policy, said) = ask(example, "aws-iam");
    let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(policy["Version"], "2012-10-17");
    assert_eq!(policy["Statement"][0]["Action"], serde_json::json!(["ec2:DescribeInstances"]));
    assert_eq!(policy["Statement"][1]["Action"], serde_json::json!(["ec2:StartInstances", "ec2:StopInstances"]));
    // The IR alone says the same.
    escher(folder.path(), &["compile", example, "-o", "stop.ir"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&ask("stop.ir", "aws-iam").1).unwrap(), policy);
    let (code, _, said) = ask(example, "azure-role");
    assert!(code == Some(2) && said.contains("calls nothing of Azure"), "{said}");

    let clouds = "@risk(high)\n@approval(by: \"manager\")\nplaybook stop(group: string, name: string, zone: string) {\n    step azure_one \"Stop\" {\n        \
                  azure.compute.virtual_machines.deallocate(resource_group_name: group, vm_name: name)\n    }\n    \
                  step gcp_one \"Stop\" {\n        gcp.compute.instances.stop(project: group, zone: zone, instance: name)\n    }\n}\n";
    std::fs::write(folder.path().join("clouds.esc"), clouds).unwrap();
    let (code, role, said) = ask("clouds.esc", "azure-role");
    let role: serde_json::Value = serde_json::from_str(&role).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(code, Some(0));
    assert_eq!(role["Actions"], serde_json::json!(["Microsoft.Compute/virtualMachines/deallocate/action"]));
    assert!(said.contains("derived from the name, not known: Microsoft.Compute"), "{said}");
    let role: serde_json::Value = serde_json::from_str(&ask("clouds.esc", "gcp-role").1).unwrap();
    assert_eq!(role["includedPermissions"], serde_json::json!(["compute.instances.stop"]));
    assert!(ask("clouds.esc", "table").1.contains("compute.instances.stop"));
    let json: serde_json::Value = serde_json::from_str(&ask("clouds.esc", "json").1).unwrap();
    assert_eq!((&json["schema"], json["permissions"].as_array().unwrap().len()), (&"escher.permissions/1".into(), 2));
}

#[test]
fn the_risk_of_a_playbook_is_told_with_the_actions_that_lead_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let source = "@risk(medium)\nplaybook p(id: string) {\n    step s \"Stop\" {\n        outer(id)\n    }\n}\n\n\
                  action outer(id: string) {\n    inner(id)\n}\n\naction inner(id: string) {\n    \
                  aws.ec2.stop_instances(instance_ids: [id])\n}\n";
    std::fs::write(folder.path().join("a.esc"), source).unwrap();
    let output = escher(folder.path(), &["explain", "risk", "a.esc", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["calls"][0]["via"], serde_json::json!(["outer", "inner"]));
    let output = escher(folder.path(), &["explain", "risk", "a.esc"]);
    assert!(text(&output.stdout).contains("outer > inner"), "{}", text(&output.stdout));
}

/// What is not sent is said: when it is checked, and in the report.
#[test]
fn a_notice_stands_in_the_report_as_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("escher.toml"), "edition = \"2026\"\n").unwrap();
    let text = "playbook look(name: string = \"me\") {\n    notify ops \"hello {name}\"\n}\n";
    std::fs::write(folder.path().join("look.esc"), text).unwrap();
    let output = escher(folder.path(), &["run", "look.esc", "--sandbox", "--format", "json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("does not send notices"), "{said}");
    let run: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown = run["report"].to_string();
    assert!(shown.contains("Notice to `ops`, not sent") && shown.contains("hello me"), "{shown}");
}
