//! Levels that the language promises, on operations that people know.

#![allow(clippy::panic)] // helpers outside of `#[test]` may fail a test, too

use escher_catalog::risk::{of_effects, of_fan_out};
use escher_catalog::{Catalog, Class, Repeat, Risk};

fn class(name: &str) -> Class {
    let record = Catalog::embedded().record(&format!("aws.{name}")).unwrap_or_else(|| panic!("{name}"));
    record.operation.class.clone()
}

#[test]
fn levels() {
    let levels: &[(Risk, &str)] = &[
        (
            Risk::Read,
            "ec2.describe_instances ec2.describe_volumes s3.list_buckets s3.get_object s3.head_bucket logs.start_query",
        ),
        (Risk::Low, "ec2.create_tags ec2.delete_tags ec2.create_snapshot ec2.copy_snapshot rds.create_db_snapshot"),
        (Risk::Low, "cloudwatch.put_metric_alarm ec2.create_security_group s3.put_bucket_tagging"),
        (
            Risk::Medium,
            "ec2.stop_instances ec2.start_instances ec2.reboot_instances ec2.run_instances ec2.create_volume",
        ),
        (
            Risk::Medium,
            "ec2.modify_instance_attribute ec2.revoke_security_group_ingress ec2.detach_volume ec2.create_image",
        ),
        (Risk::Medium, "autoscaling.create_auto_scaling_group rds.stop_db_instance elbv2.deregister_targets"),
        (Risk::High, "ec2.create_route ec2.delete_route ec2.delete_security_group route53.change_resource_record_sets"),
        (Risk::High, "secretsmanager.get_secret_value s3.put_object ec2.delete_vpc kms.disable_key"),
        (Risk::Critical, "ec2.terminate_instances ec2.delete_volume ec2.delete_snapshot rds.delete_db_instance"),
        (
            Risk::Critical,
            "ec2.authorize_security_group_ingress s3.put_bucket_policy iam.create_access_key iam.create_user",
        ),
        (Risk::Critical, "sts.assume_role sts.get_delegated_access_token ssm.send_command kms.schedule_key_deletion"),
        (
            Risk::Critical,
            "lambda.invoke organizations.create_account ec2.modify_snapshot_attribute ec2.create_key_pair",
        ),
        (Risk::Critical, "ec2.purchase_reserved_instances_offering s3.delete_object lambda.add_permission"),
    ];
    let mut wrong = Vec::new();
    for (level, names) in levels {
        for name in names.split_whitespace() {
            let found = class(name);
            if found.risk != *level {
                wrong.push(format!("{name} is {:?} for {:?}, not {level:?}", found.risk, found.effects));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn repeats() {
    assert_eq!(class("ec2.describe_instances").repeat, Repeat::Read);
    assert_eq!(class("ec2.run_instances").repeat, Repeat::Token("ClientToken".into()));
    assert_eq!(class("efs.create_file_system").repeat, Repeat::Token("CreationToken".into()));
    for name in "ec2.stop_instances ec2.start_instances ec2.terminate_instances ec2.delete_volume ec2.create_tags \
                 ec2.delete_tags ec2.attach_volume s3.put_object s3.put_bucket_tagging rds.modify_db_instance"
        .split_whitespace()
    {
        assert_eq!(class(name).repeat, Repeat::Idempotent, "{name}");
    }
    for name in "ec2.reboot_instances ec2.create_snapshot ec2.create_key_pair sns.publish sqs.send_message \
                 ec2.assign_private_ip_addresses dynamodb.update_item kinesis.put_records stepfunctions.start_execution"
        .split_whitespace()
    {
        assert_eq!(class(name).repeat, Repeat::Unsafe, "{name}");
    }
}

#[test]
fn reads_hand_out_secrets_without_changing_anything() {
    let secret = class("secretsmanager.get_secret_value");
    assert!(!secret.changes());
    assert_eq!(secret.repeat, Repeat::Read);
    assert!(class("ec2.stop_instances").changes());
}

#[test]
fn bounds_raise_and_nothing_is_the_top() {
    use escher_catalog::risk::{Reversal, Scope};
    assert_eq!(of_fan_out(Risk::Medium, Some(1)), Risk::Medium);
    assert_eq!(of_fan_out(Risk::Medium, Some(2)), Risk::High);
    assert_eq!(of_fan_out(Risk::Medium, None), Risk::High);
    assert_eq!(of_fan_out(Risk::Read, None), Risk::Read);
    assert_eq!(of_fan_out(Risk::Critical, Some(9)), Risk::Critical);
    assert_eq!(of_effects(&[], Scope::Own, Reversal::Free), Risk::Critical);
}

#[test]
fn what_shows_or_gives_is_no_reading_in_any_cloud() {
    let catalog = Catalog::embedded();
    let class = |name: &str| catalog.record(name).unwrap_or_else(|| panic!("{name}")).operation.class.clone();
    for name in [
        "aws.sts.get_delegated_access_token",
        "aws.lightsail.get_relational_database_master_user_password",
        "azure.storage.storage_accounts.list_keys",
        "azure.web.web_apps.list_publishing_credentials",
        "gcp.secretmanager.projects.secrets.versions.access",
    ] {
        assert!(class(name).risk >= Risk::High, "{name}");
    }
    for cloud in ["azure", "gcp"] {
        for service in catalog.services(cloud) {
            for operation in &catalog.service(cloud, service).unwrap_or_else(|| panic!("{service}")).operations {
                let last = operation.name.rsplit('.').next().unwrap_or_default();
                let risk = operation.class.risk;
                match (cloud, last) {
                    ("gcp", "set_iam_policy") => assert_eq!(risk, Risk::Critical, "{service}.{}", operation.name),
                    ("gcp", "access") | ("azure", "list_keys") => {
                        assert!(risk >= Risk::High, "{service}.{}", operation.name);
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn levels_of_azure_and_google_cloud() {
    let class =
        |name: &str| Catalog::embedded().record(name).unwrap_or_else(|| panic!("{name}")).operation.class.clone();
    for (name, risk) in [
        ("azure.compute.virtual_machines.deallocate", Risk::Medium),
        ("azure.compute.virtual_machines.delete", Risk::Critical),
        ("azure.compute.virtual_machines.run_command", Risk::Critical),
        ("azure.authorization.role_assignments.create", Risk::Critical),
        ("azure.network.security_rules.create_or_update", Risk::Critical),
        ("azure.network.route_tables.create_or_update", Risk::High),
        ("azure.network.virtual_networks.update_tags", Risk::Low),
        ("gcp.compute.instances.stop", Risk::Medium),
        ("gcp.compute.instances.set_labels", Risk::Low),
        ("gcp.compute.disks.create_snapshot", Risk::Low),
        ("gcp.compute.firewalls.insert", Risk::Critical),
        ("gcp.compute.routes.insert", Risk::High),
        ("gcp.iam.projects.service_accounts.keys.create", Risk::Critical),
        ("gcp.storage.buckets.delete", Risk::Critical),
    ] {
        assert_eq!(class(name).risk, risk, "{name}");
    }
    assert_eq!(class("gcp.compute.instances.stop").repeat, Repeat::Token("requestId".into()));
    assert_eq!(class("azure.compute.virtual_machines.deallocate").repeat, Repeat::Idempotent);
}
