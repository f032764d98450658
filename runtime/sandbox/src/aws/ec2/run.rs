//! RunInstances.
//!
//! Image, key pair and security group ids are taken at their word when they are well formed: the practice cloud has no such
//! resources. What would change *where or how* the machines run and isn't served is refused rather than ignored.

use std::collections::HashSet;
use std::sync::Arc;

use super::model::{Attachment, Attributes, Instance, InstanceState, Region, VolumeState};
use super::token::Seen;
use super::{describe, ids, region, region_of, seeding, tags, token, view};
use crate::aws::call::{Call, flag, int, list, needed, text, texts};
use crate::aws::error::ApiError;
use crate::aws::filter::Tags;
use crate::protocol::Value;
use crate::world::World;
use crate::world::lifecycle::Lifecycle;

/// Machines that one call may start.
const MAX_PER_CALL: i64 = 1_000;
/// Machines that a region may have.
const MAX_PER_REGION: usize = 500_000;
/// Parameters that change what runs, and aren't served.
const UNSERVED: &[&str] = &["LaunchTemplate", "InstanceMarketOptions", "NetworkInterfaces", "ElasticGpuSpecification"];

/// Everything that one machine gets, checked.
struct Order {
    count: u32,
    image: Arc<str>,
    kind: Arc<str>,
    key_name: Option<Arc<str>>,
    zone: Arc<str>,
    subnet: Arc<str>,
    groups: Vec<Arc<str>>,
    attributes: Attributes,
    disks: Vec<Disk>,
    tags: Tags,
    volume_tags: Tags,
}

#[derive(Clone)]
struct Disk {
    device: Arc<str>,
    kind: Arc<str>,
    size: i64,
    delete_on_termination: bool,
    snapshot: Option<Arc<str>>,
}

pub(crate) fn run(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let place = region(world, call)?;
    let token = match token::seen("RunInstances", input, place)? {
        Seen::First(token) => token,
        Seen::Again(made) => {
            call.proceed(input)?;
            return Ok(answer(&made, place, call));
        }
    };
    let order = order(input, place, call)?;
    if place.instances.len() + usize::try_from(order.count).unwrap_or(MAX_PER_REGION) > MAX_PER_REGION {
        let message = format!("You have requested more instances than your limit of {MAX_PER_REGION} allows.");
        return Err(ApiError::new("InstanceLimitExceeded", message));
    }
    call.proceed(input)?;

    let takes = i64::from(world.aws.timing.starting);
    let reservation = world.ids.next("r-");
    let mut made = Vec::new();
    for index in 0..order.count {
        let id = world.ids.next("i-");
        let volumes: Vec<Arc<str>> = order.disks.iter().map(|_| world.ids.next("vol-")).collect();
        let place = region_of(&mut world.aws, call)?;
        for (disk, volume) in order.disks.iter().zip(&volumes) {
            attach_new(place, disk, volume, &id, &order, call);
        }
        let address = place.next_address;
        place.next_address = address.wrapping_add(1);
        place.instances.insert(Instance {
            id: id.clone(),
            reservation: reservation.clone(),
            launch_index: index,
            state: Lifecycle::moving(InstanceState::Pending, InstanceState::Running, call.now, takes),
            kind: order.kind.clone(),
            image: order.image.clone(),
            key_name: order.key_name.clone(),
            zone: order.zone.clone(),
            subnet: order.subnet.clone(),
            groups: order.groups.clone(),
            address,
            launched: call.now,
            stopped_by_user: None,
            token: text(input, "ClientToken").map(Arc::from),
            volumes,
            attributes: order.attributes.clone(),
            tags: order.tags.clone(),
        });
        call.changed(&id, None, InstanceState::Pending.name(), Some(InstanceState::Running.name()));
        made.push(id);
    }
    let place = region(world, call)?;
    token::remember(place, token, made.clone(), call.now);
    Ok(answer(&made, place, call))
}

fn attach_new(place: &mut Region, disk: &Disk, id: &Arc<str>, instance: &Arc<str>, order: &Order, call: &Call<'_>) {
    let mut volume = seeding::volume(id.clone(), &disk.kind, disk.size, order.zone.clone(), call.now);
    volume.state = Lifecycle::settled(VolumeState::InUse, call.now);
    volume.snapshot = disk.snapshot.clone();
    volume.tags = order.volume_tags.clone();
    volume.attachment = Some(Attachment {
        instance: instance.clone(),
        device: disk.device.clone(),
        since: call.now,
        delete_on_termination: disk.delete_on_termination,
    });
    place.volumes.insert(volume);
}

/// The reservation as it is now; a repeated request sees what became of its machines.
fn answer(made: &[Arc<str>], region: &Region, call: &Call<'_>) -> Value {
    let rows: Vec<&Instance> = made.iter().filter_map(|id| region.instances.get(id)).collect();
    let reservation = describe::reservations(&rows, region, call).into_iter().next();
    reservation.unwrap_or_else(|| view::reservation(&"".into(), &call.account, Vec::new()))
}

fn order(input: &Value, region: &Region, call: &Call<'_>) -> Result<Order, ApiError> {
    if let Some(parameter) = UNSERVED.iter().find(|p| input.get(p).is_some()) {
        return Err(ApiError::unsupported(&format!("the parameter {parameter} of RunInstances")));
    }
    let image = needed(input, "ImageId")?;
    if !ids::is_id(image, "ami-") {
        return Err(ApiError::new(
            "InvalidAMIID.Malformed",
            format!("Invalid id: \"{image}\" (expecting \"ami-...\")"),
        ));
    }
    let kind = text(input, "InstanceType").unwrap_or("m1.small");
    known_type(kind, call)?;
    let (min, max) = (int(input, "MinCount").unwrap_or(1), int(input, "MaxCount").unwrap_or(1));
    if min < 1 || max < min {
        return Err(ApiError::invalid(format!(
            "Value ({min}) for parameter minCount is invalid. It must be at least 1 and not exceed maxCount ({max})."
        )));
    }
    if min > MAX_PER_CALL {
        let message = format!("You have requested {min} instances; one call starts {MAX_PER_CALL} at most.");
        return Err(ApiError::new("InstanceLimitExceeded", message));
    }
    let (zone, subnet) = place(input, region)?;
    let mut groups: Vec<Arc<str>> = Vec::new();
    for group in texts(input, "SecurityGroupIds") {
        if !ids::is_id(group, "sg-") {
            return Err(ApiError::new(
                "InvalidGroupId.Malformed",
                format!("Invalid id: \"{group}\" (expecting \"sg-...\")"),
            ));
        }
        groups.push(group.into());
    }
    if let Some(name) = texts(input, "SecurityGroups").into_iter().find(|name| *name != "default") {
        return Err(ApiError::new("InvalidGroup.NotFound", format!("The security group '{name}' does not exist")));
    }
    if groups.is_empty() {
        groups.push(region.network.group.clone());
    }
    let behaviour = text(input, "InstanceInitiatedShutdownBehavior").unwrap_or("stop");
    if !matches!(behaviour, "stop" | "terminate") {
        return Err(ApiError::invalid(format!("Invalid value '{behaviour}' for InstanceInitiatedShutdownBehavior.")));
    }
    Ok(Order {
        count: u32::try_from(max.min(MAX_PER_CALL)).unwrap_or(1),
        image: image.into(),
        kind: kind.into(),
        key_name: text(input, "KeyName").map(Arc::from),
        zone,
        subnet,
        groups,
        attributes: Attributes {
            disable_api_termination: flag(input, "DisableApiTermination").unwrap_or(false),
            disable_api_stop: flag(input, "DisableApiStop").unwrap_or(false),
            terminate_on_shutdown: behaviour == "terminate",
            ebs_optimized: flag(input, "EbsOptimized").unwrap_or(false),
            ..Attributes::default()
        },
        disks: disks(input, call)?,
        tags: tags::specified(input, "instance", &["volume"])?,
        volume_tags: tags::specified(input, "volume", &["instance"])?,
    })
}

/// An instance type of the catalogue, or EC2's refusal.
pub(crate) fn known_type(kind: &str, call: &Call<'_>) -> Result<(), ApiError> {
    if kind.contains('.') && call.allows("InstanceType", kind) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Invalid value '{kind}' for InstanceType.")))
}

fn place(input: &Value, region: &Region) -> Result<(Arc<str>, Arc<str>), ApiError> {
    let zones = &region.network.zones;
    let wanted = input.get("Placement").and_then(|p| text(p, "AvailabilityZone"));
    let found = match (text(input, "SubnetId"), wanted) {
        (Some(subnet), _) => {
            let found = zones.iter().find(|(_, s)| &**s == subnet);
            found.ok_or_else(|| {
                ApiError::new("InvalidSubnetID.NotFound", format!("The subnet ID '{subnet}' does not exist"))
            })?
        }
        (None, Some(zone)) => {
            let found = zones.iter().find(|(z, _)| &**z == zone);
            found.ok_or_else(|| ApiError::invalid(format!("Invalid availability zone: [{zone}]")))?
        }
        (None, None) => {
            zones.first().ok_or_else(|| ApiError::new("MissingInput", "No subnets found for the default VPC"))?
        }
    };
    if let Some(zone) = wanted.filter(|zone| **zone != *found.0) {
        return Err(ApiError::invalid(format!("The zone '{zone}' is not the subnet's, which is '{}'", found.0)));
    }
    Ok(found.clone())
}

/// The root disk, and those that the call asks for.
fn disks(input: &Value, call: &Call<'_>) -> Result<Vec<Disk>, ApiError> {
    let root =
        Disk { device: "/dev/xvda".into(), kind: "gp3".into(), size: 8, delete_on_termination: true, snapshot: None };
    let mut disks = vec![root.clone()];
    let mut devices = HashSet::new();
    for mapping in list(input, "BlockDeviceMappings") {
        let device = needed(mapping, "DeviceName")?;
        if !devices.insert(device) || devices.len() > 40 {
            return Err(ApiError::new("InvalidBlockDeviceMapping", format!("The device '{device}' is one too many")));
        }
        let Some(ebs) = mapping.get("Ebs") else { continue };
        let is_root = device == &*root.device;
        let disk = Disk {
            device: device.into(),
            kind: text(ebs, "VolumeType").map_or_else(|| root.kind.clone(), Arc::from),
            size: int(ebs, "VolumeSize").unwrap_or(root.size),
            delete_on_termination: flag(ebs, "DeleteOnTermination").unwrap_or(true),
            snapshot: text(ebs, "SnapshotId").map(Arc::from),
        };
        if !call.allows("VolumeType", &disk.kind) {
            return Err(ApiError::invalid(format!("Invalid value '{}' for VolumeType.", disk.kind)));
        }
        if !(1..=65_536).contains(&disk.size) {
            return Err(ApiError::invalid(format!("Volume of {} GiB is not between 1 and 65536.", disk.size)));
        }
        match disks.first_mut().filter(|_| is_root) {
            Some(first) => *first = disk,
            None => disks.push(disk),
        }
    }
    Ok(disks)
}
