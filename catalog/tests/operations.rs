//! Single operations, looked at closely.

#![allow(clippy::panic)] // helpers outside of `#[test]` may fail a test, too

use escher_catalog::model::Location;
use escher_catalog::{Catalog, Effect, Protocol, Record, Repeat, Risk, Shape, ShapeKind};

fn record(name: &str) -> std::sync::Arc<Record> {
    Catalog::embedded().record(name).unwrap_or_else(|| panic!("{name}"))
}

fn named<'a>(record: &'a Record, shape: &str) -> &'a Shape {
    record.shapes.iter().find(|s| &*s.name == shape).unwrap_or_else(|| panic!("{shape}"))
}

#[test]
fn ec2_describe_instances() {
    let record = record("aws.ec2.describe_instances");
    assert_eq!(record.name(), "aws.ec2.describe_instances");
    assert_eq!(record.service.protocol, Protocol::Ec2Query);
    assert_eq!(&*record.service.signing_name, "ec2");
    assert_eq!((&*record.operation.method, &*record.operation.uri), ("POST", "/"));
    assert_eq!(record.operation.input, Some(0), "the input is visited first");

    let paging = record.operation.paging.as_ref().unwrap();
    assert_eq!(paging.input_tokens.iter().map(|t| &**t).collect::<Vec<_>>(), ["NextToken"]);
    assert_eq!(paging.result_keys.iter().map(|t| &**t).collect::<Vec<_>>(), ["Reservations"]);
    assert_eq!(paging.limit_key.as_deref(), Some("MaxResults"));

    let input = record.shape(0).unwrap();
    let ids = input.members().iter().find(|m| &*m.name == "instance_ids").unwrap();
    assert_eq!((&*ids.official, ids.wire_name.as_deref()), ("InstanceIds", Some("InstanceId")));
    let ShapeKind::List { wire_name, .. } = &record.shape(ids.shape).unwrap().kind else { panic!("a list") };
    assert_eq!(wire_name.as_deref(), Some("InstanceId"));

    let tags = named(&record, "Instance").members().iter().find(|m| &*m.name == "tags").unwrap();
    assert_eq!(tags.wire_name.as_deref(), Some("tagSet"));
    let pair = tags.tags.as_ref().unwrap();
    assert_eq!((&*pair.key, &*pair.value), ("Key", "Value"));
    assert_eq!(record.operation.class.risk, Risk::Read);

    let state = named(&record, "InstanceStateName");
    let ShapeKind::String { values } = &state.kind else { panic!("text") };
    assert!(values.iter().any(|v| &**v == "running"));
}

#[test]
fn ec2_stop_instances() {
    let record = record("aws.ec2.stop_instances");
    let input = record.shape(record.operation.input.unwrap()).unwrap();
    assert_eq!(&*input.name, "StopInstancesRequest");
    let ids = input.members().iter().find(|m| &*m.name == "instance_ids").unwrap();
    assert!(ids.required);
    let dry = input.members().iter().find(|m| &*m.name == "dry_run").unwrap();
    assert_eq!(dry.wire_name.as_deref(), Some("dryRun"));
    assert_eq!(record.operation.class.effects, [Effect::Interrupt]);
    assert_eq!(record.operation.class.risk, Risk::Medium);
    assert_eq!(record.operation.class.repeat, Repeat::Idempotent);
}

#[test]
fn where_members_travel() {
    let record = record("aws.s3.get_object");
    let input = record.shape(record.operation.input.unwrap()).unwrap();
    let at = |name: &str| input.members().iter().find(|m| &*m.name == name).unwrap();
    assert_eq!(at("bucket").location, Location::Uri);
    assert_eq!(at("bucket").context_param.as_deref(), Some("Bucket"));
    assert_eq!((at("range").location, at("range").wire_name.as_deref()), (Location::Header, None));
    assert_eq!(at("version_id").location, Location::Query);
    let output = record.shape(record.operation.output.unwrap()).unwrap();
    assert_eq!(output.payload.as_deref(), Some("Body"));
    let metadata = output.members().iter().find(|m| &*m.name == "metadata").unwrap();
    assert_eq!((metadata.location, metadata.wire_name.as_deref()), (Location::PrefixHeaders, Some("x-amz-meta-")));
}

#[test]
fn protocols_and_sensitive_values() {
    let dynamodb = record("aws.dynamodb.get_item");
    assert!(dynamodb.service.protocols.contains(&Protocol::AwsJson10));
    assert_eq!(dynamodb.service.target_prefix.as_deref(), Some("DynamoDB_20120810"));
    let secret = record("aws.secretsmanager.get_secret_value");
    let value =
        named(&secret, "GetSecretValueResponse").members().iter().find(|m| &*m.name == "secret_string").unwrap();
    assert!(secret.shape(value.shape).unwrap().sensitive);
    assert_eq!(secret.operation.class.effects, [Effect::Observe, Effect::Reveal]);
}

#[test]
fn records_point_into_themselves_only() {
    let catalog = Catalog::embedded();
    for name in catalog.operations("aws", "ec2") {
        let record = record(&format!("aws.ec2.{name}"));
        let mut ids = Vec::from_iter(record.operation.input);
        ids.extend(record.operation.output);
        ids.extend(&record.operation.errors);
        record.shapes.iter().for_each(|s| s.each_target(|id| ids.push(id)));
        assert!(ids.iter().all(|id| record.shape(*id).is_some()), "{name}");
    }
}

#[test]
fn identities() {
    let catalog = Catalog::embedded();
    for (shape, member) in [
        ("aws.ec2.Instance", Some("instance_id")),
        ("aws.ec2.Volume", Some("volume_id")),
        ("aws.ec2.Snapshot", Some("snapshot_id")),
        ("aws.ec2.SecurityGroup", Some("group_id")),
        ("aws.ec2.Vpc", Some("vpc_id")),
        ("aws.s3.Bucket", Some("name")),
        ("aws.rds.DBInstance", Some("db_instance_identifier")),
        ("aws.ecs.Cluster", Some("cluster_arn")),
        ("aws.ec2.Tag", None),
        ("aws.ec2.NoSuchShape", None),
    ] {
        assert_eq!(catalog.identity(shape).as_deref(), member, "{shape}");
    }
}

#[test]
fn waiters() {
    let waiter = Catalog::embedded().waiter("aws.ec2.instance_stopped").unwrap();
    assert_eq!((&*waiter.official, &*waiter.operation), ("InstanceStopped", "DescribeInstances"));
    assert_eq!((waiter.delay, waiter.max_attempts), (15, 40));
    let first = &waiter.acceptors[0];
    assert_eq!((&*first.matcher, &*first.expected, &*first.state), ("pathAll", "\"stopped\"", "success"));
}

#[test]
fn what_is_not_there() {
    let catalog = Catalog::embedded();
    for name in ["", "aws", "aws.ec2", "aws.ec2.no_such", "aws.nope.stop", "gcp.compute.stop"] {
        assert!(catalog.record(name).is_none(), "{name}");
    }
    assert!(catalog.service("aws", "EC2").is_none());
    assert!(catalog.services("ibm").is_empty());
}

#[test]
fn azure_virtual_machines() {
    use escher_catalog::model::Completion;
    let record = record("azure.compute.virtual_machines.deallocate");
    assert_eq!((&*record.operation.official, &*record.operation.method), ("VirtualMachines.Deallocate", "POST"));
    assert!(record.operation.uri.ends_with("/virtualMachines/{vmName}/deallocate"));
    assert!(record.operation.api_version.is_some());
    assert!(matches!(record.operation.completion, Some(Completion::Azure { .. })));
    let input = record.shape(record.operation.input.unwrap()).unwrap();
    let at = |name: &str| input.members().iter().find(|m| &*m.name == name).unwrap();
    assert!(at("vm_name").required && at("resource_group_name").required);
    assert!(at("subscription_id").ambient && !at("subscription_id").required);
    assert_eq!((at("hibernate").location, at("vm_name").location), (Location::Query, Location::Uri));

    let list = self::record("azure.compute.virtual_machines.list_all");
    let paging = list.operation.paging.as_ref().unwrap();
    assert_eq!((&*paging.result_keys[0], &*paging.output_tokens[0]), ("value", "nextLink"));
    let size = named(&list, "HardwareProfile").members().iter().find(|m| &*m.name == "vm_size").unwrap();
    let ShapeKind::String { values } = &list.shape(size.shape).unwrap().kind else { panic!("text") };
    assert!(values.iter().any(|v| &**v == "Standard_D1"));
    let password = named(&list, "OSProfile").members().iter().find(|m| &*m.name == "admin_password").unwrap();
    assert!(list.shape(password.shape).unwrap().sensitive);
}

#[test]
fn google_instances() {
    use escher_catalog::model::Completion;
    let stop = record("gcp.compute.instances.stop");
    assert_eq!(&*stop.operation.uri, "/compute/v1/projects/{project}/zones/{zone}/instances/{instance}/stop");
    assert_eq!(&*stop.service.endpoint_prefix, "compute.googleapis.com");
    assert_eq!(stop.operation.completion, Some(Completion::GoogleStatus { poll: Some("zoneOperations.get".into()) }));
    let input = stop.shape(stop.operation.input.unwrap()).unwrap();
    let token = input.members().iter().find(|m| m.idempotency_token).unwrap();
    assert_eq!(&*token.official, "requestId");

    let list = record("gcp.compute.instances.list");
    assert_eq!(list.operation.paging.as_ref().unwrap().input_tokens[0].as_ref(), "pageToken");
    let instance = named(&list, "Instance").members();
    let id = instance.iter().find(|m| &*m.name == "id").unwrap();
    assert!(list.shape(id.shape).unwrap().number_as_text);

    let create = record("gcp.container.projects.locations.clusters.create");
    assert!(matches!(create.operation.completion, Some(Completion::GoogleStatus { poll: Some(_) })));
    let run = record("gcp.run.projects.locations.services.create");
    assert!(matches!(run.operation.completion, Some(Completion::GoogleLongRunning { poll: Some(_) })));
}
