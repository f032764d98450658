//! EC2's rules, asked directly: no form, no XML, no socket, a clock that the test sets.

use std::sync::Arc;

use escher_catalog::{Catalog, Service};

use crate::aws::call::Call;
use crate::aws::error::ApiError;
use crate::protocol::Value;
use crate::protocol::value::record;
use crate::world::seed::Seed;
use crate::world::{Transition, World};

const START: i64 = 1_800_000_000_000;
const IMAGE: &str = "ami-0123456789abcdef0";

struct Lab {
    world: World,
    service: Arc<Service>,
    now: i64,
    transitions: Vec<Transition>,
}

impl Lab {
    fn new(seed: &str) -> Lab {
        let world = World::from_seed(&Seed::parse(seed).unwrap()).unwrap();
        let service = Catalog::embedded().service("aws", "ec2").unwrap();
        Lab { world, service, now: START, transitions: Vec::new() }
    }

    fn ask(&mut self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let mut call = Call {
            now: self.now,
            account: "123456789012".into(),
            region: "us-east-1".into(),
            access_key: "AKIA".into(),
            service: &self.service,
            transitions: Vec::new(),
        };
        let answer = crate::aws::handler("ec2", operation).unwrap().serve(&input, &mut self.world, &mut call);
        self.transitions = call.transitions;
        answer
    }

    fn code(&mut self, operation: &str, input: Value) -> String {
        self.ask(operation, input).expect_err("an error").code
    }

    fn state(&mut self, id: &str) -> String {
        let answer = self.ask("DescribeInstances", ids(&[id])).unwrap();
        let reservation = &answer.get("Reservations").unwrap().items()[0];
        let instance = &reservation.get("Instances").unwrap().items()[0];
        instance.get("State").unwrap().get("Name").unwrap().text().unwrap().to_owned()
    }

    fn names(&mut self, name: &str, value: &str) -> Vec<String> {
        let filter = record![("Name", name.to_owned()), ("Values", vec![Value::from(value.to_owned())])];
        let answer = self.ask("DescribeInstances", record![("Filters", vec![filter])]).unwrap();
        let mut names: Vec<String> = instances(&answer).iter().map(id_of).collect();
        names.sort();
        names
    }
}

fn instances(answer: &Value) -> Vec<Value> {
    let reservations = answer.get("Reservations").unwrap().items();
    reservations.iter().flat_map(|r| r.get("Instances").unwrap().items().to_vec()).collect()
}

fn id_of(instance: &Value) -> String {
    instance.get("InstanceId").and_then(Value::text).unwrap().to_owned()
}

fn ids(ids: &[&str]) -> Value {
    record![("InstanceIds", ids.iter().map(|id| Value::from((*id).to_owned())).collect::<Vec<_>>())]
}

/// Member of the record, added.
fn with(mut value: Value, name: &'static str, member: impl Into<Value>) -> Value {
    if let Value::Record(members) = &mut value {
        members.push((name.into(), member.into()));
    }
    value
}

const A: &str = "i-0aaaaaaaaaaaaaaaa";
const B: &str = "i-0bbbbbbbbbbbbbbbb";
const C: &str = "i-0cccccccccccccccc";

fn three() -> Lab {
    Lab::new(&format!(
        "[[instances]]\nid = \"{A}\"\nname = \"web-1\"\ntags = {{ env = \"dev\" }}\n\
         [[instances]]\nid = \"{B}\"\nname = \"web-2\"\nstate = \"stopped\"\ntype = \"m5.large\"\ntags = {{ env = \"dev\" }}\n\
         [[instances]]\nid = \"{C}\"\nname = \"db\"\ntermination_protection = true\ntags = {{ env = \"prod\" }}\n"
    ))
}

fn change(answer: &Value, list: &str) -> Vec<(String, String)> {
    let name = |c: &Value, member: &str| c.get(member).unwrap().get("Name").unwrap().text().unwrap().to_owned();
    answer.get(list).unwrap().items().iter().map(|c| (name(c, "PreviousState"), name(c, "CurrentState"))).collect()
}

fn pair(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn stopping_takes_time_and_repeats_without_harm() {
    let mut lab = three();
    let answer = lab.ask("StopInstances", ids(&[A, B])).unwrap();
    assert_eq!(change(&answer, "StoppingInstances"), [pair("running", "stopping"), pair("stopped", "stopped")]);
    assert_eq!(lab.transitions.len(), 1);
    assert_eq!(
        (lab.transitions[0].from.as_deref(), lab.transitions[0].settles.as_deref()),
        (Some("running"), Some("stopped"))
    );
    lab.now += 1_499;
    assert_eq!(lab.state(A), "stopping");
    let again = lab.ask("StopInstances", ids(&[A])).unwrap();
    assert_eq!(change(&again, "StoppingInstances"), [pair("stopping", "stopping")]);
    assert!(lab.transitions.is_empty());
    assert_eq!(lab.code("StartInstances", ids(&[A])), "IncorrectInstanceState");
    lab.now += 1;
    assert_eq!(lab.state(A), "stopped");
    let started = lab.ask("StartInstances", ids(&[A])).unwrap();
    assert_eq!(change(&started, "StartingInstances"), [pair("stopped", "pending")]);
    assert_eq!(lab.code("StopInstances", ids(&[A])), "IncorrectInstanceState");
    lab.now += 1_500;
    assert_eq!(
        change(&lab.ask("StartInstances", ids(&[A])).unwrap(), "StartingInstances"),
        [pair("running", "running")]
    );
}

#[test]
fn a_call_that_fails_changes_nothing() {
    let mut lab = three();
    assert_eq!(lab.code("TerminateInstances", ids(&[A, C])), "OperationNotPermitted");
    assert_eq!(lab.code("StopInstances", ids(&[A, "i-0dddddddddddddddd"])), "InvalidInstanceID.NotFound");
    assert_eq!(lab.code("StopInstances", ids(&[A, "web"])), "InvalidInstanceID.Malformed");
    assert_eq!(lab.code("StopInstances", with(ids(&[A]), "DryRun", true)), "DryRunOperation");
    assert_eq!(lab.code("StopInstances", ids(&[])), "MissingParameter");
    assert_eq!(lab.state(A), "running");
}

#[test]
fn terminated_is_final_and_then_forgotten() {
    let mut lab = three();
    lab.ask("TerminateInstances", ids(&[A])).unwrap();
    assert_eq!(lab.state(A), "shutting-down");
    lab.now += 1_000;
    assert_eq!(lab.state(A), "terminated");
    for operation in ["StartInstances", "StopInstances", "RebootInstances"] {
        assert_eq!(lab.code(operation, ids(&[A])), "IncorrectInstanceState", "{operation}");
    }
    let again = lab.ask("TerminateInstances", ids(&[A])).unwrap();
    assert_eq!(change(&again, "TerminatingInstances"), [pair("terminated", "terminated")]);
    let volumes = lab.ask("DescribeVolumes", Value::record()).unwrap();
    assert_eq!(volumes.get("Volumes").unwrap().items().len(), 2, "the root volume went with it");
    lab.now += 3_600_001;
    assert_eq!(lab.code("DescribeInstances", ids(&[A])), "InvalidInstanceID.NotFound");
}

#[test]
fn a_type_changes_only_while_stopped() {
    let mut lab = three();
    let resize = |id: &str, kind: &str| {
        record![("InstanceId", id.to_owned()), ("InstanceType", record![("Value", kind.to_owned())])]
    };
    assert_eq!(lab.code("ModifyInstanceAttribute", resize(A, "m5.large")), "IncorrectInstanceState");
    assert_eq!(lab.code("ModifyInstanceAttribute", resize(B, "m5.enormous")), "InvalidParameterValue");
    lab.ask("ModifyInstanceAttribute", resize(B, "t3.small")).unwrap();
    assert_eq!(lab.names("instance-type", "t3.small"), [B]);
    let unprotect = record![("InstanceId", C), ("Attribute", "disableApiTermination"), ("Value", "false")];
    lab.ask("ModifyInstanceAttribute", unprotect).unwrap();
    lab.ask("TerminateInstances", ids(&[C])).unwrap();
    let asked = |attribute: &'static str| record![("InstanceId", B), ("Attribute", attribute)];
    let kind = lab.ask("DescribeInstanceAttribute", asked("instanceType")).unwrap();
    assert_eq!(kind.get("InstanceType").and_then(|t| t.get("Value")).and_then(Value::text), Some("t3.small"));
    assert_eq!(lab.code("DescribeInstanceAttribute", asked("colour")), "InvalidParameterValue");
    let two = with(resize(B, "t3.micro"), "DisableApiStop", record![("Value", true)]);
    assert_eq!(lab.code("ModifyInstanceAttribute", two), "InvalidParameterCombination");
    assert_eq!(lab.code("ModifyInstanceAttribute", record![("InstanceId", B)]), "MissingParameter");
    let kernel = record![("InstanceId", B), ("Kernel", record![("Value", "x")])];
    assert_eq!(lab.code("ModifyInstanceAttribute", kernel), "UnsupportedOperation");
}

#[test]
fn filters_select() {
    let mut lab = three();
    assert_eq!(lab.names("tag:env", "dev"), [A, B]);
    assert_eq!(lab.names("tag:Name", "web-?"), [A, B]);
    assert_eq!(lab.names("instance-state-name", "running"), [A, C]);
    assert_eq!(lab.names("instance-state-code", "80"), [B]);
    assert_eq!(lab.names("instance-type", "m5.*"), [B]);
    assert_eq!(lab.names("private-ip-address", "10.0.0.11"), [B]);
    assert_eq!(lab.names("block-device-mapping.delete-on-termination", "true"), [A, B, C]);
    let odd = record![("Filters", vec![record![("Name", "Instance-Type"), ("Values", vec![Value::from("x")])]])];
    assert_eq!(lab.ask("DescribeInstances", odd).unwrap_err().message, "The filter 'Instance-Type' is invalid");
}

#[test]
fn every_served_filter_is_looked_up() {
    let mut lab = three();
    let token = record![
        ("ImageId", IMAGE),
        ("MinCount", 1i64),
        ("MaxCount", 1i64),
        ("ClientToken", "t"),
        ("KeyName", "k"),
        ("InstanceType", "t3.micro")
    ];
    lab.ask("RunInstances", token).unwrap();
    for filter in super::describe::FILTERS {
        assert!(!lab.names(filter, "*").is_empty(), "{filter}");
    }
}

#[test]
fn pages_hold_what_they_promise() {
    let mut lab = Lab::new("[[instances]]\nname = \"n-{n}\"\ncount = 23\n");
    let (mut seen, mut token, mut pages) = (Vec::new(), None, 0);
    loop {
        let mut input = record![("MaxResults", 5i64)];
        if let Some(token) = token.take() {
            input = with(input, "NextToken", token);
        }
        let answer = lab.ask("DescribeInstances", input).unwrap();
        seen.extend(instances(&answer).iter().map(id_of));
        pages += 1;
        token = answer.get("NextToken").and_then(Value::text).map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), pages), (23, 5));
    assert_eq!(lab.code("DescribeInstances", record![("MaxResults", 4i64)]), "InvalidParameterValue");
    let both = with(ids(&[A]), "MaxResults", 5i64);
    assert_eq!(lab.code("DescribeInstances", both), "InvalidParameterCombination");
}

#[test]
fn a_client_token_makes_machines_once() {
    let mut lab = three();
    let order = |count: i64| {
        record![
            ("ImageId", IMAGE),
            ("InstanceType", "t3.micro"),
            ("MinCount", count),
            ("MaxCount", count),
            ("ClientToken", "run/1")
        ]
    };
    let first = lab.ask("RunInstances", order(2)).unwrap();
    assert_eq!(lab.transitions.len(), 2);
    lab.now += 5_000;
    let again = lab.ask("RunInstances", order(2)).unwrap();
    assert!(lab.transitions.is_empty());
    let made = |answer: &Value| answer.get("Instances").unwrap().items().iter().map(id_of).collect::<Vec<_>>();
    assert_eq!(made(&first), made(&again));
    assert_eq!(lab.state(&made(&first)[0]), "running");
    assert_eq!(lab.code("RunInstances", order(3)), "IdempotentParameterMismatch");
    assert_eq!(lab.names("client-token", "run/1").len(), 2);
}

#[test]
fn launches_are_checked() {
    let mut lab = three();
    let base = || record![("ImageId", IMAGE), ("InstanceType", "t3.micro"), ("MinCount", 1i64), ("MaxCount", 1i64)];
    let tags = |kind: &'static str, key: &str| {
        vec![record![("ResourceType", kind), ("Tags", vec![record![("Key", key.to_owned()), ("Value", "v")]])]]
    };
    for (member, value, code) in [
        ("SubnetId", Value::from("subnet-1"), "InvalidSubnetID.NotFound"),
        ("Placement", record![("AvailabilityZone", "us-east-1z")], "InvalidParameterValue"),
        ("SecurityGroupIds", Value::from(vec![Value::from("x")]), "InvalidGroupId.Malformed"),
        ("SecurityGroups", Value::from(vec![Value::from("x")]), "InvalidGroup.NotFound"),
        ("LaunchTemplate", Value::record(), "UnsupportedOperation"),
        ("TagSpecifications", Value::from(tags("vpc", "a")), "InvalidParameterValue"),
        ("TagSpecifications", Value::from(tags("instance", "aws:a")), "InvalidParameterValue"),
        ("ClientToken", Value::from("x".repeat(65)), "InvalidParameterValue"),
    ] {
        assert_eq!(lab.code("RunInstances", with(base(), member, value)), code, "{member}");
    }
    let many = |min: i64, max: i64| {
        record![("ImageId", IMAGE), ("InstanceType", "t3.micro"), ("MinCount", min), ("MaxCount", max)]
    };
    assert_eq!(lab.code("RunInstances", many(2, 1)), "InvalidParameterValue");
    assert_eq!(lab.code("RunInstances", many(i64::from(i32::MAX), i64::from(i32::MAX))), "InstanceLimitExceeded");
    assert_eq!(lab.code("RunInstances", record![("ImageId", "x")]), "InvalidAMIID.Malformed");
}

#[test]
fn tags_come_and_go() {
    let mut lab = three();
    let tag = |key: &str, value: &str| record![("Key", key.to_owned()), ("Value", value.to_owned())];
    let on = |tags: Vec<Value>| record![("Resources", vec![Value::from(A)]), ("Tags", tags)];
    lab.ask("CreateTags", on(vec![tag("owner", "anna"), tag("env", "test")])).unwrap();
    assert_eq!(lab.names("tag:env", "test"), [A]);
    // Another value doesn't match, so the tag stays; without a value it goes whatever it is.
    lab.ask("DeleteTags", on(vec![tag("owner", "bob")])).unwrap();
    assert_eq!(lab.names("tag-key", "owner"), [A]);
    lab.ask("DeleteTags", on(vec![record![("Key", "owner")]])).unwrap();
    assert!(lab.names("tag-key", "owner").is_empty());
    let forty_nine = (0..49).map(|n| tag(&format!("k{n}"), "")).collect();
    assert_eq!(lab.code("CreateTags", on(forty_nine)), "TagLimitExceeded");
    assert_eq!(lab.code("CreateTags", on(vec![tag("a", "1"), tag("a", "2")])), "InvalidParameterValue");
    let nobody = record![("Resources", vec![Value::from("vpc-1")]), ("Tags", vec![tag("a", "b")])];
    assert_eq!(lab.code("CreateTags", nobody), "InvalidID");
    let listed = lab.ask("DescribeTags", Value::record()).unwrap();
    assert_eq!(listed.get("Tags").unwrap().items().len(), 6);
}

#[test]
fn volumes_and_snapshots_live_their_lives() {
    let mut lab = three();
    let zone = record![("InstanceIds", vec![Value::from(A)])];
    let described = lab.ask("DescribeInstances", zone).unwrap();
    let zone = instances(&described)[0].get("Placement").unwrap().get("AvailabilityZone").unwrap().clone();
    let order = record![("AvailabilityZone", zone), ("Size", 10i64), ("VolumeType", "gp3"), ("ClientToken", "t")];
    let made = lab.ask("CreateVolume", order.clone()).unwrap();
    let id = made.get("VolumeId").unwrap().clone();
    assert_eq!(lab.ask("CreateVolume", order.clone()).unwrap().get("VolumeId"), Some(&id));
    let of = |member: &'static str| {
        record![("VolumeId", id.clone())].get(member).cloned().map(|v| record![("VolumeId", v)]).unwrap()
    };
    assert_eq!(lab.code("DeleteVolume", of("VolumeId")), "IncorrectState");
    lab.now += 500;
    let attach = with(with(of("VolumeId"), "InstanceId", A), "Device", "/dev/sdf");
    lab.ask("AttachVolume", attach.clone()).unwrap();
    assert_eq!(lab.code("AttachVolume", attach), "InvalidParameterValue");
    assert_eq!(lab.code("DeleteVolume", of("VolumeId")), "VolumeInUse");
    let snapshot = lab.ask("CreateSnapshot", of("VolumeId")).unwrap();
    assert_eq!(snapshot.get("State").and_then(Value::text), Some("pending"));
    lab.ask("DetachVolume", of("VolumeId")).unwrap();
    assert_eq!(lab.code("DetachVolume", of("VolumeId")), "IncorrectState");
    lab.ask("DeleteVolume", of("VolumeId")).unwrap();
    assert_eq!(lab.code("DeleteVolume", of("VolumeId")), "InvalidVolume.NotFound");
    assert_eq!(lab.code("CreateVolume", order), "InvalidVolume.NotFound", "an old request makes nothing anew");
    lab.now += 2_000;
    let all = lab.ask("DescribeSnapshots", record![("OwnerIds", vec![Value::from("self")])]).unwrap();
    assert_eq!(all.get("Snapshots").unwrap().items()[0].get("Progress").and_then(Value::text), Some("100%"));
    let gone = record![("SnapshotId", snapshot.get("SnapshotId").unwrap().clone())];
    lab.ask("DeleteSnapshot", gone.clone()).unwrap();
    assert_eq!(lab.code("DeleteSnapshot", gone), "InvalidSnapshot.NotFound");
}

#[test]
fn a_hundred_thousand_machines_are_a_small_world() {
    let mut lab = Lab::new("[[instances]]\nname = \"n-{n}\"\ncount = 100000\n");
    let answer = lab.ask("DescribeInstances", Value::record()).unwrap();
    assert_eq!(instances(&answer).len(), 1000, "one answer has a thousand at most");
    assert!(answer.get("NextToken").is_some());
    assert_eq!(lab.names("tag:Name", "n-9999?").len(), 10);
}
