//! The catalogue on the command line.

#![cfg(test)]

use std::process::{Command, Output};

use serde_json::Value;

fn ops(arguments: &[&str]) -> Output {
    let folder = env!("CARGO_TARGET_TMPDIR");
    Command::new(env!("CARGO_BIN_EXE_escher"))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .arg("ops")
        .args(arguments)
        .output()
        .unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = ops(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn found(arguments: &[&str]) -> Vec<String> {
    let all = json(arguments);
    assert_eq!(all["schema"], "escher.ops/1");
    all["operations"].as_array().unwrap().iter().map(|o| o["operation"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn search_is_narrowed_by_cloud_and_by_number() {
    let all = found(&["search", "--format", "json", "stop", "a", "vm"]);
    assert_eq!(all.len(), 20);
    assert_eq!(all.first().map(String::as_str), Some("aws.ec2.stop_instances"));
    let few = found(&["search", "--format", "json", "--limit", "3", "--cloud", "gcp", "stop a vm"]);
    assert!(few.len() == 3 && few.iter().all(|o| o.starts_with("gcp.")), "{few:?}");
    let text = String::from_utf8(ops(&["search", "--limit", "1", "stop", "a", "vm"]).stdout).unwrap();
    assert!(text.contains("aws.ec2.stop_instances") && text.contains("medium"), "{text}");
    assert!(!text.contains("azure."), "{text}");
}

#[test]
fn a_command_of_a_cloud_comes_first() {
    for (said, operation) in [
        ("az storage account list", "azure.storage.storage_accounts.list"),
        ("gcloud sql backups create --instance orders", "gcp.sqladmin.backup_runs.insert"),
        ("aws s3 rb", "aws.s3.delete_bucket"),
    ] {
        let mut all = found(&["search", "--format", "json", said]);
        assert_eq!(all.remove(0), operation, "{said}");
        assert!(!all.contains(&operation.to_owned()), "{said}");
        assert_eq!(json(&["show", "--format", "json", said])["operation"], operation);
    }
}

#[test]
fn what_is_not_there_is_told() {
    for (arguments, code, says) in [
        (&["search", "--cloud", "oracle", "vm"][..], 2, "the clouds are `aws`, `azure`, `gcp`"),
        (&["search", "--limit", "0", "vm"], 2, "--limit"),
        (&["search", "--limit", "9999", "vm"], 2, "--limit"),
        (&["search", "zzzzqqqq"], 1, "try other words"),
        (&["show", "aws.ec2.stop_machines"], 2, "escher ops search stop machines"),
    ] {
        let output = ops(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && said.contains(says), "{arguments:?}: {said}");
    }
    assert_eq!(json(&["search", "--format", "json", "zzzzqqqq"])["found"], 0);
}

#[test]
fn show_tells_all_that_is_known() {
    let stop = json(&["show", "--format", "json", "aws.ec2.stop_instances"]);
    assert_eq!(stop["permissions"][0]["name"], "ec2:StopInstances");
    assert_eq!(stop["permissions"][0]["known"], true);
    assert_eq!(stop["commands"][0], "aws ec2 stop-instances");
    assert_eq!(stop["equivalents"][1], "gcp.compute.instances.stop");
    assert_eq!(stop["waiters"][0], "aws.ec2.instance_stopped");
    assert_eq!(stop["dry_run"], "dry_run");
    let deallocate = json(&["show", "--format", "json", "az", "vm", "deallocate"]);
    assert_eq!(deallocate["operation"], "azure.compute.virtual_machines.deallocate");
    assert_eq!(deallocate["permissions"][0]["known"], false);
    assert_eq!(deallocate["long_running"], true);
    for operation in
        ["aws.ec2.stop_instances", "azure.compute.virtual_machines.deallocate", "gcp.compute.instances.stop"]
    {
        insta::assert_snapshot!(String::from_utf8(ops(&["show", operation]).stdout).unwrap());
    }
}
