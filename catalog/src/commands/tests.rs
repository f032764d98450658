use super::{Commands, Source, What};
use crate::model::{Record, ShapeKind};
use crate::{Catalog, names};

fn all() -> Vec<super::Command> {
    let commands = Commands::embedded();
    let rows = commands.curated.iter().chain(&commands.read);
    rows.flat_map(|((tool, _), lines)| lines.iter().map(|line| super::row::parse(tool, line))).collect()
}

/// Whether a parameter such as `body.properties.access` exists.
fn resolves(record: &Record, path: &str) -> bool {
    let mut at = record.operation.input;
    for part in path.split('.') {
        let Some(shape) = at.and_then(|id| record.shape(id)) else { return false };
        match &shape.kind {
            ShapeKind::Map { .. } | ShapeKind::Document => return true,
            _ => {}
        }
        let Some(member) = shape.members().iter().find(|m| *m.name == *part) else { return false };
        at = Some(member.shape);
    }
    true
}

#[test]
fn every_row_names_an_operation_and_fills_parameters_that_it_has() {
    let all = all();
    assert!(all.len() > 2_000, "{}", all.len());
    let mut wrong = Vec::new();
    for command in &all {
        let What::Operation(name) = &command.what else { continue };
        let Some(record) = Catalog::embedded().record(name) else {
            wrong.push(format!("{}: no `{name}`", command.words));
            continue;
        };
        for fill in &command.fills {
            if fill.parameter != "?" && !resolves(&record, &fill.parameter) {
                wrong.push(format!("{}: `{name}` has no `{}`", command.words, fill.parameter));
            }
        }
        for place in &command.positions {
            let used = command.fills.iter().any(|f| match &f.source {
                Source::Options(options, _) => options.contains(&place.name),
                Source::Text(text) => text.contains(&format!("{{{}}}", place.name)),
                Source::Constant(_) => false,
            });
            assert!(used, "{}: {} fills nothing", command.words, place.name);
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_tool_is_understood() {
    for (line, operation, words) in [
        ("aws ec2 stop-instances --instance-ids i-1", "aws.ec2.stop_instances", 3),
        ("aws s3api get-bucket-policy", "aws.s3.get_bucket_policy", 3),
        ("aws s3 rb s3://logs", "aws.s3.delete_bucket", 3),
        (
            "aws application-autoscaling describe-scaling-policies",
            "aws.application_autoscaling.describe_scaling_policies",
            3,
        ),
        ("az vm deallocate -g shop", "azure.compute.virtual_machines.deallocate", 3),
        ("az network nsg rule delete", "azure.network.security_rules.delete", 5),
        ("gcloud compute instances stop web-1", "gcp.compute.instances.stop", 4),
    ] {
        let said: Vec<&str> = line.split(' ').collect();
        let found = Commands::embedded().find(&said).unwrap();
        assert_eq!((&found.commands[0].what, found.words), (&What::Operation(operation.to_owned()), words), "{line}");
    }
    let wait = Commands::embedded().find(&["aws", "ec2", "wait", "instance-stopped"]).unwrap();
    assert_eq!(wait.words, 4);
    assert!(matches!(&wait.commands[0].what, What::Wait { waiter, .. } if waiter == "aws.ec2.instance_stopped"));
    for strange in [&["aws"][..], &["aws", "ec2", "stop-machines"], &["az", "frobnicate"], &["rm", "-rf"], &[]] {
        assert!(Commands::embedded().find(strange).is_none(), "{strange:?}");
    }
}

#[test]
fn what_aws_calls_otherwise_exists() {
    let services = Catalog::embedded().services("aws");
    for (_, ours) in super::AWS_SERVICES {
        assert!(services.contains(&&*names::service(ours)), "{ours}");
    }
}

#[test]
fn operations_know_how_they_are_spelt() {
    let spelt = |name| Commands::embedded().spelt(name);
    assert_eq!(spelt("aws.ec2.stop_instances"), ["aws ec2 stop-instances"]);
    assert_eq!(spelt("aws.s3.delete_bucket"), ["aws s3api delete-bucket", "aws s3 rb"]);
    assert_eq!(spelt("azure.compute.virtual_machines.deallocate"), ["az vm deallocate"]);
    assert_eq!(spelt("gcp.compute.instances.stop"), ["gcloud compute instances stop"]);
    assert!(spelt("stop").is_empty());
    assert!(Commands::embedded().next(&["az", "vm"]).contains(&"deallocate".to_owned()));
    assert!(Commands::embedded().next(&["aws", "ec2"]).contains(&"stop-instances".to_owned()));
}
