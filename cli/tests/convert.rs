//! Command lines of the clouds' own tools become playbooks that check.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const LINES: &str = include_str!("data/convert.txt");

fn escher(arguments: &[&str]) -> Output {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    Command::new(env!("CARGO_BIN_EXE_escher"))
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .args(arguments)
        .output()
        .unwrap()
}

fn convert(line: &str) -> Value {
    let output = escher(&["convert", "--format", "json", line]);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(line: &str) -> String {
    convert(line)["text"].as_str().unwrap().to_owned()
}

fn check(path: &Path) -> Output {
    escher(&["check", path.to_str().unwrap()])
}

#[test]
fn sixty_real_command_lines_become_playbooks_that_check() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = LINES.lines().filter(|l| !l.starts_with('#')).collect();
    for (tool, count) in [("aws ", 20), ("az ", 20), ("gcloud ", 20)] {
        assert_eq!(lines.iter().filter(|l| l.starts_with(tool)).count(), count, "{tool}");
    }
    for (at, line) in lines.iter().enumerate() {
        let (command, operation) = line.split_once(" => ").unwrap();
        let converted = convert(command);
        assert_eq!(converted["operation"], operation, "{command}");
        let text = converted["text"].as_str().unwrap();
        assert!(text.contains(&format!("{operation}(")), "{text}");
        std::fs::write(folder.path().join(format!("{at:02}.esc")), text).unwrap();
    }
    // The same check that a person would ask for, and nothing to say at all.
    let output = check(folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("60 files, 60 playbooks: 0 errors, 0 warnings"), "{said}");
    let layout = escher(&["fmt", "--check", folder.path().to_str().unwrap()]);
    assert!(layout.status.success(), "{}", String::from_utf8_lossy(&layout.stdout));
}

#[test]
fn playbooks_are_as_a_person_would_write_them() {
    for line in [
        "aws ec2 stop-instances --instance-ids i-1 i-2 --profile prod --region eu-west-1",
        "aws ec2 describe-volumes --filters Name=status,Values=available --max-items 5 --query 'Volumes[].VolumeId'",
        "az vm start --ids /subscriptions/a/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web-1 \
         /subscriptions/a/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web-2 --no-wait",
        "gcloud compute instances set-machine-type web-1 --machine-type e2-small --zone europe-west1-b",
        "aws ec2 wait instance-stopped --instance-ids i-1",
    ] {
        insta::assert_snapshot!(text(line));
    }
}

#[test]
fn options_are_read_as_the_tools_read_them() {
    for (line, part) in [
        (
            "aws ec2 create-tags --resources i-1 --tags 'Key=a b,Value=c' Key=d,Value=",
            r#"tags: { "a b": "c", "d": "" }"#,
        ),
        (
            "aws ec2 create-tags --resources i-1 --tags '[{\"Key\": \"a\", \"Value\": \"{x}\"}]'",
            r#"tags: { "a": "\{x\}" }"#,
        ),
        (
            "aws ec2 describe-instances --filters Name=tag:env,Values=dev,test",
            r#"{ name: "tag:env", values: ["dev", "test"] }"#,
        ),
        (
            "aws ec2 modify-instance-attribute --instance-id i-1 --no-disable-api-termination",
            "disable_api_termination: { value: false }",
        ),
        ("aws --region us-east-1 sts get-caller-identity", "run the playbook with `AWS_REGION=us-east-1`"),
        ("aws ec2 run-instances --image-id ami-1 --count 1:3", "max_count: 3"),
        ("aws ec2 run-instances --image-id ami-1", "min_count: 1"),
        ("aws ec2 stop-instances --cli-input-json '{\"InstanceIds\": [\"i-9\"]}'", r#"instance_ids: ["i-9"]"#),
        ("aws s3 rb s3://logs", r#"aws.s3.delete_bucket(bucket: "logs")"#),
        ("aws s3 rm s3://logs/a/b.txt", r#"aws.s3.delete_object(bucket: "logs", key: "a/b.txt")"#),
        (
            "aws cloudwatch describe-alarm-history --start-date 2026-11-01 --end-date 1793577600",
            "start_date: 2026-11-01T00:00:00Z, end_date: 2026-11-02T00:00:00Z",
        ),
        (
            "aws s3api put-bucket-versioning --bucket b --versioning-configuration Status=Enabled",
            r#"versioning_configuration: { status: "Enabled" }"#,
        ),
        ("az network nsg list", "azure.network.network_security_groups.list_all()"),
        ("az network nsg list --resource-group=shop", r#"network_security_groups.list(resource_group_name: "shop")"#),
        ("az vm deallocate -n web-1", "playbook deallocate_virtual_machines(resource_group_name: string)"),
        ("az group create -n shop -l westeurope --tags env=dev owner=ops", r#"tags: { "env": "dev", "owner": "ops" }"#),
        (
            "az vm stop -g s -n w --subscription 11111111-2222-3333-4444-555555555555",
            r#"subscription_id: "11111111-2222"#,
        ),
        ("gcloud compute instances list", "aggregated_list(project: project)"),
        (
            "gcloud compute instances list --zones europe-west1-b",
            r#"instances.list(project: project, zone: "europe-west1-b")"#,
        ),
        (
            "gcloud beta compute addresses delete ip --global --project p",
            r#"global_addresses.delete(project: "p", address: "ip")"#,
        ),
        ("gcloud compute instances stop a b --zone z --discard-local-ssd", r#"for instance in ["a", "b"]"#),
        ("gcloud compute instances stop a --zone z --discard-local-ssd --project p", "discard_local_ssd: true"),
        ("gcloud storage buckets delete gs://logs", r#"bucket: "logs""#),
        ("gcloud compute disks resize d --size=200GB --zone z", "size_gb: 200"),
    ] {
        let text = text(line);
        assert!(text.contains(part), "{line}:\n{text}");
    }
}

#[test]
fn words_may_come_without_quotes_and_the_playbook_may_go_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop.esc");
    let path = file.to_str().unwrap();
    let output =
        escher(&["convert", "-o", path, "aws", "ec2", "stop-instances", "--instance-ids", "i-1", "--output", "text"]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("note: `--output text` is left out"));
    assert!(check(&file).status.success());
    let lost = escher(&["convert", "-o", folder.path().to_str().unwrap(), "aws sts get-caller-identity"]);
    assert_eq!(lost.status.code(), Some(1));
}

#[test]
fn what_cannot_be_converted_is_told_with_its_place_and_a_way_out() {
    for (line, code, at, help) in [
        ("aws ec2 stop-instances --instance-ids $ID", "E0240", "$", "write the value itself"),
        ("az vm list | jq .", "E0240", "|", "without pipes"),
        ("kubectl get pods", "E0241", "kubectl", "aws"),
        ("", "E0241", "", "aws"),
        ("aws ec2 stop-instancez", "E0241", "stop-instancez", "did you mean `aws ec2 stop-instances`?"),
        ("aws ec3 stop-instances", "E0241", "ec3", "did you mean `aws ec2`?"),
        ("az vm dealocate -g a -n b", "E0241", "dealocate", "did you mean `az vm deallocate`?"),
        ("gcloud compute instance stop", "E0241", "instance", "did you mean `gcloud compute instances`?"),
        ("aws ec2", "E0241", "aws ec2", "it goes on with"),
        ("aws ec2 stop-instances --instance-idz i-1", "E0242", "--instance-idz", "did you mean `--instance-ids`?"),
        ("az vm start -g a -n b --forse", "E0242", "--forse", "escher ops show azure.compute.virtual_machines.start"),
        ("aws ec2 stop-instances", "E0242", "aws ec2 stop-instances", "add it to the line"),
        ("aws ec2 run-instances --image-id a --instance-type t3.smal", "E0242", "t3.smal", ""),
        ("aws ec2 create-volume --availability-zone a --size big", "E0242", "big", ""),
        ("aws s3api put-bucket-policy --bucket b --policy file://p.json", "E0242", "file://p.json", ""),
        ("aws ec2 describe-instances --filters 'Name=a,Valuez=b'", "E0242", "'Name=a,Valuez=b'", ""),
        ("gcloud compute instances stop", "E0242", "gcloud compute instances stop", "done to"),
        ("az vm start --ids /subscriptions/a/resourceGroups/b", "E0242", "/subscriptions", "an id is"),
        ("az disk update -g a -n b --size-gb 5", "E0243", "az disk update", "write it as a step"),
        ("aws s3 sync a b", "E0243", "aws s3 sync", ""),
        (
            "aws rds create-db-instance --db-instance-identifier a --db-instance-class db.t3.micro --engine x --master-user-password hunter2",
            "E0245",
            "*******",
            "store",
        ),
    ] {
        let output = escher(&["convert", "--format", "json", line]);
        assert_eq!(output.status.code(), Some(1), "{line}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let told = &told["diagnostics"][0];
        assert_eq!(told["code"], code, "{line}: {told:#}");
        assert!(told["help"].as_str().unwrap_or_default().contains(help), "{line}: {told:#}");
        let start = told["span"]["start"].as_u64().unwrap() as usize;
        if code != "E0245" {
            assert!(line.get(start..).unwrap().starts_with(at), "{line}: {told:#}");
        }
        assert!(escher(&["explain", code]).status.success());
    }
}

#[test]
fn a_secret_is_never_repeated() {
    for line in [
        "aws rds create-db-instance --db-instance-identifier a --master-user-password hunter2 --engine x --db-instance-class db.t3.micro",
        "aws rds create-db-instance --db-instance-identifer a --master-user-password hunter2",
        "aws rds create-db-instance --db-instance-identifer a --master-user-password=hunter2",
        "gcloud sql users create bob -i orders --password 'hunter2' --project p",
        "gcloud sql users create bob -i orders --password='hunter2' --project p",
        "aws rds modify-db-instance --db-instance-identifier a --master-user-password hunter2 | jq .",
        "aws rds modify-db-instance --db-instance-identifier a --master-user-password 'my hunter2",
        "aws rds modify-db-instance --cli-input-json '{\"MasterUserPassword\": \"hunter2\"}'",
    ] {
        for format in ["human", "json"] {
            let output = escher(&["convert", "--format", format, line]);
            assert!(!output.status.success(), "{line}");
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(!said.is_empty() && !said.contains("unter"), "{said}");
        }
    }
}
