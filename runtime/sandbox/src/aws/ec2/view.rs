//! Resources as EC2's shapes have them.
//!
//! Members stand in the order of the model, which makes rendering fast. Does *not* choose what is shown.

use std::sync::Arc;

use super::model::{Attachment, Instance, InstanceState, Region, Snapshot, SnapshotState, Volume};
use crate::aws::filter::Tags;
use crate::protocol::Value;
use crate::protocol::time::iso8601;
use crate::protocol::value::record;

/// `InstanceState`.
pub(crate) fn state(state: InstanceState) -> Value {
    record![("Code", state.code()), ("Name", state.name())]
}

/// `TagList`.
pub(crate) fn tags(tags: &Tags) -> Value {
    Value::List(tags.iter().map(|(k, v)| record![("Key", k), ("Value", v)]).collect())
}

/// Processor of an instance type: `arm64` where a `g` follows the generation, as in `m6gd`.
pub(crate) fn architecture(kind: &str) -> &'static str {
    let family = kind.split('.').next().unwrap_or_default();
    let after =
        family.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_start_matches(|c: char| c.is_ascii_digit());
    if after.contains('g') { "arm64" } else { "x86_64" }
}

/// Private address of an instance.
pub(crate) fn private_ip(instance: &Instance) -> String {
    let [_, b, c, d] = instance.address.to_be_bytes();
    format!("10.{b}.{c}.{d}")
}

/// Public address, while it runs: from 198.18.0.0/15, which is for tests and routed nowhere.
pub(crate) fn public_ip(instance: &Instance, now: i64) -> Option<String> {
    let [_, b, c, d] = instance.address.to_be_bytes();
    (instance.state.at(now) == InstanceState::Running).then(|| format!("198.{}.{c}.{d}", 18 + (b & 1)))
}

/// `ip-10-0-0-10.ec2.internal`.
pub(crate) fn private_dns(instance: &Instance, region: &str) -> String {
    let host = private_ip(instance).replace('.', "-");
    if region == "us-east-1" {
        format!("ip-{host}.ec2.internal")
    } else {
        format!("ip-{host}.{region}.compute.internal")
    }
}

/// `ec2-198-18-0-10.compute-1.amazonaws.com`, or nothing.
pub(crate) fn public_dns(instance: &Instance, region: &str, now: i64) -> String {
    let Some(ip) = public_ip(instance, now) else { return String::new() };
    let host = ip.replace('.', "-");
    if region == "us-east-1" {
        format!("ec2-{host}.compute-1.amazonaws.com")
    } else {
        format!("ec2-{host}.{region}.compute.amazonaws.com")
    }
}

/// `User initiated (2026-01-15 09:00:00 GMT)`, or nothing.
pub(crate) fn reason(instance: &Instance, now: i64) -> String {
    match instance.stopped_by_user.filter(|_| !up(instance.state.at(now))) {
        Some(at) => {
            format!("User initiated ({} GMT)", iso8601(at).replace('T', " ").split('.').next().unwrap_or_default())
        }
        None => String::new(),
    }
}

fn up(state: InstanceState) -> bool {
    matches!(state, InstanceState::Pending | InstanceState::Running)
}

fn groups(instance: &Instance, region: &Region) -> Value {
    let name = |id: &Arc<str>| if *id == region.network.group { Value::Word("default") } else { Value::from(id) };
    Value::List(instance.groups.iter().map(|id| record![("GroupId", id), ("GroupName", name(id))]).collect())
}

/// `Instance`.
pub(crate) fn instance(i: &Instance, region: &Region, region_name: &str, now: i64) -> Value {
    let current = i.state.at(now);
    let gone = current == InstanceState::Terminated;
    let mapping = |volume: &Volume| {
        let a = volume.attached(now).filter(|a| a.instance == i.id)?;
        let ebs = record![
            ("AttachTime", Value::Time(a.since)),
            ("DeleteOnTermination", a.delete_on_termination),
            ("Status", "attached"),
            ("VolumeId", &volume.id),
        ];
        Some(record![("DeviceName", &a.device), ("Ebs", ebs)])
    };
    let mappings: Vec<Value> = i.volumes.iter().filter_map(|id| region.volumes.get(id)).filter_map(mapping).collect();
    let mut members = Vec::with_capacity(40);
    let mut add = |name: &'static str, value: Value| members.push((name.into(), value));
    add("Architecture", architecture(&i.kind).into());
    add("BlockDeviceMappings", mappings.into());
    add("ClientToken", i.token.as_ref().map_or(Value::Word(""), Value::from));
    add("EbsOptimized", i.attributes.ebs_optimized.into());
    add("EnaSupport", true.into());
    add("Hypervisor", "xen".into());
    add("RootDeviceName", "/dev/xvda".into());
    add("RootDeviceType", "ebs".into());
    if !gone {
        add("SecurityGroups", groups(i, region));
        add("SourceDestCheck", i.attributes.source_dest_check.into());
    }
    if !up(current) {
        let code = "Client.UserInitiatedShutdown";
        add(
            "StateReason",
            record![("Code", code), ("Message", "Client.UserInitiatedShutdown: User initiated shutdown")],
        );
    }
    add("Tags", tags(&i.tags));
    add("VirtualizationType", "hvm".into());
    add("PlatformDetails", "Linux/UNIX".into());
    add("UsageOperation", "RunInstances".into());
    add("InstanceId", Value::from(&i.id));
    add("ImageId", Value::from(&i.image));
    add("State", state(current));
    add("PrivateDnsName", if gone { Value::Word("") } else { private_dns(i, region_name).into() });
    add("PublicDnsName", public_dns(i, region_name, now).into());
    add("StateTransitionReason", reason(i, now).into());
    if let Some(key) = &i.key_name {
        add("KeyName", Value::from(key));
    }
    add("AmiLaunchIndex", i.launch_index.into());
    add("InstanceType", Value::from(&i.kind));
    add("LaunchTime", Value::Time(i.launched));
    add("Placement", record![("GroupName", ""), ("Tenancy", "default"), ("AvailabilityZone", &i.zone)]);
    add("Monitoring", record![("State", "disabled")]);
    if !gone {
        add("SubnetId", Value::from(&i.subnet));
        add("VpcId", Value::from(&region.network.vpc));
        add("PrivateIpAddress", private_ip(i).into());
        if let Some(ip) = public_ip(i, now) {
            add("PublicIpAddress", ip.into());
        }
    }
    Value::Record(members)
}

/// `Reservation`.
pub(crate) fn reservation(id: &Arc<str>, owner: &Arc<str>, instances: Vec<Value>) -> Value {
    record![("ReservationId", id), ("OwnerId", owner), ("Groups", Vec::new()), ("Instances", instances)]
}

/// `VolumeAttachment` in one of its states.
pub(crate) fn attachment(volume: &Arc<str>, a: &Attachment, state: &'static str) -> Value {
    record![
        ("DeleteOnTermination", a.delete_on_termination),
        ("VolumeId", volume),
        ("InstanceId", &a.instance),
        ("Device", &a.device),
        ("State", state),
        ("AttachTime", Value::Time(a.since)),
    ]
}

/// `Volume`.
pub(crate) fn volume(v: &Volume, now: i64) -> Value {
    let mut members = Vec::with_capacity(16);
    let mut add = |name: &'static str, value: Value| members.push((name.into(), value));
    if let Some(iops) = v.iops {
        add("Iops", iops.into());
    }
    add("Tags", tags(&v.tags));
    add("VolumeType", Value::from(&v.kind));
    add("MultiAttachEnabled", false.into());
    if let Some(throughput) = v.throughput {
        add("Throughput", throughput.into());
    }
    add("VolumeId", Value::from(&v.id));
    add("Size", v.size.into());
    add("SnapshotId", v.snapshot.as_ref().map_or(Value::Word(""), Value::from));
    add("AvailabilityZone", Value::from(&v.zone));
    add("State", v.state.at(now).name().into());
    add("CreateTime", Value::Time(v.created));
    let attachments = v.attached(now).map(|a| attachment(&v.id, a, "attached"));
    add("Attachments", Value::List(attachments.into_iter().collect()));
    add("Encrypted", v.encrypted.into());
    Value::Record(members)
}

/// `Snapshot`.
pub(crate) fn snapshot(s: &Snapshot, owner: &Arc<str>, now: i64) -> Value {
    let state = s.state.at(now);
    let done = state == SnapshotState::Completed;
    record![
        ("Tags", tags(&s.tags)),
        ("StorageTier", "standard"),
        ("SnapshotId", &s.id),
        ("VolumeId", &s.volume),
        ("State", state.name()),
        ("StartTime", Value::Time(s.started)),
        ("Progress", if done { "100%" } else { "50%" }),
        ("OwnerId", owner),
        ("Description", &s.description),
        ("VolumeSize", s.size),
        ("Encrypted", s.encrypted),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn processors_follow_from_the_type() {
        for (kind, expected) in [
            ("t3.micro", "x86_64"),
            ("t4g.nano", "arm64"),
            ("g4dn.xlarge", "x86_64"),
            ("x2gd.large", "arm64"),
            ("c7gn.large", "arm64"),
            ("", "x86_64"),
        ] {
            assert_eq!(super::architecture(kind), expected, "{kind}");
        }
    }
}
