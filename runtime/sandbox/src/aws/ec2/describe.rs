//! DescribeInstances.
//!
//! Does *not* change anything: what is due is seen, not applied.

use super::model::{Instance, Region, visible};
use super::{ids, region, shown, view};
use crate::aws::call::{Call, texts};
use crate::aws::error::ApiError;
use crate::aws::filter::Filters;
use crate::aws::paging::Page;
use crate::protocol::Value;
use crate::protocol::time::iso8601;
use crate::world::World;

/// Filters that are served.
pub(crate) const FILTERS: &[&str] = &[
    "architecture",
    "availability-zone",
    "block-device-mapping.delete-on-termination",
    "block-device-mapping.device-name",
    "block-device-mapping.status",
    "block-device-mapping.volume-id",
    "client-token",
    "dns-name",
    "hypervisor",
    "image-id",
    "instance-id",
    "instance-state-code",
    "instance-state-name",
    "instance-type",
    "instance.group-id",
    "instance.group-name",
    "ip-address",
    "key-name",
    "launch-index",
    "launch-time",
    "monitoring-state",
    "owner-id",
    "private-dns-name",
    "private-ip-address",
    "reason",
    "reservation-id",
    "root-device-name",
    "root-device-type",
    "source-dest-check",
    "state-reason-code",
    "subnet-id",
    "tenancy",
    "virtualization-type",
    "vpc-id",
];

/// Filters that EC2 has beyond them.
const KNOWN: &[&str] = &[
    "affinity",
    "availability-zone-id",
    "block-device-mapping.attach-time",
    "boot-mode",
    "capacity-reservation-id",
    "capacity-reservation-specification.capacity-reservation-preference",
    "current-instance-boot-mode",
    "ebs-optimized",
    "ena-support",
    "enclave-options.enabled",
    "hibernation-options.configured",
    "host-id",
    "iam-instance-profile.arn",
    "iam-instance-profile.id",
    "iam-instance-profile.name",
    "instance-lifecycle",
    "ipv6-address",
    "kernel-id",
    "maintenance-options.auto-recovery",
    "metadata-options.http-endpoint",
    "metadata-options.http-tokens",
    "network-interface.addresses.private-ip-address",
    "network-interface.availability-zone",
    "network-interface.group-id",
    "network-interface.network-interface-id",
    "network-interface.owner-id",
    "network-interface.status",
    "network-interface.subnet-id",
    "network-interface.vpc-id",
    "operator.managed",
    "operator.principal",
    "outpost-arn",
    "placement-group-name",
    "placement-partition-number",
    "platform",
    "platform-details",
    "product-code",
    "product-code.type",
    "ramdisk-id",
    "requester-id",
    "spot-instance-request-id",
    "state-reason-message",
    "usage-operation",
];

pub(crate) fn instances(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let shown = shown(world);
    let wanted = texts(input, "InstanceIds");
    if !wanted.is_empty() && input.get("MaxResults").is_some() {
        let message = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    let page = Page::of(input, 5, 1000)?;
    let filters = Filters::of(input, FILTERS, KNOWN)?;
    let region = region(world, call)?;
    ids::instances(region, &wanted, call, shown)?;
    call.proceed(input)?;

    let pass = |i: &Instance| {
        visible(i, call.now, shown) && filters.pass(&i.tags, |name, test| look(i, name, test, region, call))
    };
    let (rows, token) = if wanted.is_empty() {
        page.cut(region.instances.after(page.after).filter(|(_, i)| pass(i)))
    } else {
        let mut named: Vec<_> =
            wanted.iter().filter_map(|id| region.instances.numbered(id)).filter(|(_, i)| pass(i)).collect();
        named.sort_by_key(|(number, _)| *number);
        (named.into_iter().map(|(_, i)| i).collect(), None)
    };
    let mut members = Vec::new();
    if let Some(token) = token {
        members.push(("NextToken".into(), token.into()));
    }
    members.push(("Reservations".into(), Value::List(reservations(&rows, region, call))));
    Ok(Value::Record(members))
}

/// Instances of one launch stand next to each other, so neighbours are compared.
pub(crate) fn reservations(rows: &[&Instance], region: &Region, call: &Call<'_>) -> Vec<Value> {
    rows.chunk_by(|a, b| a.reservation == b.reservation)
        .filter_map(|group| {
            let id = &group.first()?.reservation;
            let instances = group.iter().map(|i| view::instance(i, region, &call.region, call.now)).collect();
            Some(view::reservation(id, &call.account, instances))
        })
        .collect()
}

/// Whether a value that the instance has for a filter's name passes.
fn look(i: &Instance, name: &str, test: &dyn Fn(&str) -> bool, region: &Region, call: &Call<'_>) -> bool {
    let now = call.now;
    let state = i.state.at(now);
    let volumes = || {
        let attached = |id| region.volumes.get(id).and_then(|v| v.attached(now).map(|a| (v, a)));
        i.volumes.iter().filter_map(move |id| attached(id))
    };
    match name {
        "architecture" => test(view::architecture(&i.kind)),
        "availability-zone" => test(&i.zone),
        "block-device-mapping.delete-on-termination" => volumes().any(|(_, a)| test(word(a.delete_on_termination))),
        "block-device-mapping.device-name" => volumes().any(|(_, a)| test(&a.device)),
        "block-device-mapping.status" => volumes().any(|_| test("attached")),
        "block-device-mapping.volume-id" => volumes().any(|(v, _)| test(&v.id)),
        "client-token" => i.token.as_deref().is_some_and(test),
        "dns-name" => test(&view::public_dns(i, &call.region, now)),
        "hypervisor" => test("xen"),
        "image-id" => test(&i.image),
        "instance-id" => test(&i.id),
        "instance-state-code" => test(&state.code().to_string()),
        "instance-state-name" => test(state.name()),
        "instance-type" => test(&i.kind),
        "instance.group-id" => i.groups.iter().any(|g| test(g)),
        "instance.group-name" => i.groups.iter().any(|g| test(if *g == region.network.group { "default" } else { g })),
        "ip-address" => view::public_ip(i, now).is_some_and(|ip| test(&ip)),
        "key-name" => i.key_name.as_deref().is_some_and(test),
        "launch-index" => test(&i.launch_index.to_string()),
        "launch-time" => test(&iso8601(i.launched)),
        "monitoring-state" => test("disabled"),
        "owner-id" => test(&call.account),
        "private-dns-name" => test(&view::private_dns(i, &call.region)),
        "private-ip-address" => test(&view::private_ip(i)),
        "reason" => test(&view::reason(i, now)),
        "reservation-id" => test(&i.reservation),
        "root-device-name" => test("/dev/xvda"),
        "root-device-type" => test("ebs"),
        "source-dest-check" => test(word(i.attributes.source_dest_check)),
        "state-reason-code" => !view::reason(i, now).is_empty() && test("Client.UserInitiatedShutdown"),
        "subnet-id" => test(&i.subnet),
        "tenancy" => test("default"),
        "virtualization-type" => test("hvm"),
        "vpc-id" => test(&region.network.vpc),
        _ => false,
    }
}

/// `true` or `false`.
pub(crate) fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}
