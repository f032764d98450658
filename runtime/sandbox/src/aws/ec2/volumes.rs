//! Volumes: describe, create, delete, attach, detach.
//!
//! Attaching and detaching are immediate; only making a volume takes time.

use std::sync::Arc;

use super::describe::word;
use super::model::{Attachment, InstanceState, Volume, VolumeState};
use super::token::Seen;
use super::{ids, region, seeding, shown, tags, token, view};
use crate::aws::call::{Call, flag, int, needed, text, texts};
use crate::aws::error::ApiError;
use crate::aws::filter::Filters;
use crate::aws::paging::Page;
use crate::protocol::Value;
use crate::protocol::time::iso8601;
use crate::world::World;
use crate::world::lifecycle::Lifecycle;

/// Volumes that a region may have.
const MAX_PER_REGION: usize = 1_000_000;

const FILTERS: &[&str] = &[
    "attachment.attach-time",
    "attachment.delete-on-termination",
    "attachment.device",
    "attachment.instance-id",
    "attachment.status",
    "availability-zone",
    "create-time",
    "encrypted",
    "multi-attach-enabled",
    "size",
    "snapshot-id",
    "status",
    "volume-id",
    "volume-type",
];
const KNOWN: &[&str] =
    &["availability-zone-id", "fast-restored", "operator.managed", "operator.principal", "source-volume-id"];

pub(crate) fn describe(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let wanted = texts(input, "VolumeIds");
    if !wanted.is_empty() && input.get("MaxResults").is_some() {
        let message = "The parameter volumeSet cannot be used with the parameter maxResults";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    let page = Page::of(input, 5, 1000)?;
    let filters = Filters::of(input, FILTERS, KNOWN)?;
    let place = region(world, call)?;
    ids::volumes(place, &wanted, call)?;
    call.proceed(input)?;
    let now = call.now;
    let pass = |v: &Volume| {
        v.state.at(now) != VolumeState::Deleted && filters.pass(&v.tags, |name, test| look(v, name, test, now))
    };
    let (rows, token) = if wanted.is_empty() {
        page.cut(place.volumes.after(page.after).filter(|(_, v)| pass(v)))
    } else {
        (wanted.iter().filter_map(|id| place.volumes.get(id)).filter(|v| pass(v)).collect(), None)
    };
    let mut members: Vec<_> = token.map(|t| ("NextToken".into(), t.into())).into_iter().collect();
    members.push(("Volumes".into(), Value::List(rows.into_iter().map(|v| view::volume(v, now)).collect())));
    Ok(Value::Record(members))
}

fn look(v: &Volume, name: &str, test: &dyn Fn(&str) -> bool, now: i64) -> bool {
    let attached = v.attached(now);
    match name {
        "attachment.attach-time" => attached.is_some_and(|a| test(&iso8601(a.since))),
        "attachment.delete-on-termination" => attached.is_some_and(|a| test(word(a.delete_on_termination))),
        "attachment.device" => attached.is_some_and(|a| test(&a.device)),
        "attachment.instance-id" => attached.is_some_and(|a| test(&a.instance)),
        "attachment.status" => attached.is_some_and(|_| test("attached")),
        "availability-zone" => test(&v.zone),
        "create-time" => test(&iso8601(v.created)),
        "encrypted" => test(word(v.encrypted)),
        "multi-attach-enabled" => test("false"),
        "size" => test(&v.size.to_string()),
        "snapshot-id" => v.snapshot.as_deref().is_some_and(test),
        "status" => test(v.state.at(now).name()),
        "volume-id" => test(&v.id),
        "volume-type" => test(&v.kind),
        _ => false,
    }
}

pub(crate) fn create(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let takes = i64::from(world.aws.timing.volume);
    let place = region(world, call)?;
    let token = match token::seen("CreateVolume", input, place)? {
        Seen::First(token) => token,
        Seen::Again(made) => {
            // What was made and deleted since isn't made again by an old request that comes late.
            let volume = ids::volume(place, made.first().map_or("", |id| &**id), call)?;
            call.proceed(input)?;
            return Ok(view::volume(volume, call.now));
        }
    };
    let zone = needed(input, "AvailabilityZone")?;
    let zone = place.network.zones.iter().find(|(z, _)| &**z == zone).map(|(z, _)| z.clone());
    let zone = zone.ok_or_else(|| ApiError::new("InvalidZone.NotFound", "The zone does not exist."))?;
    let kind = text(input, "VolumeType").unwrap_or("gp2");
    if !call.allows("VolumeType", kind) {
        return Err(ApiError::new(
            "UnknownVolumeType",
            format!("Unsupported volume type '{kind}' for volume creation."),
        ));
    }
    let source = text(input, "SnapshotId").map(|id| ids::snapshot(place, id)).transpose()?;
    let size = match (int(input, "Size"), source) {
        (Some(size), Some(s)) if size < s.size => {
            return Err(ApiError::invalid(format!(
                "The size {size} GiB is smaller than the snapshot's {} GiB",
                s.size
            )));
        }
        (Some(size), _) => size,
        (None, Some(s)) => s.size,
        (None, None) => {
            return Err(ApiError::new("MissingParameter", "The request must contain the parameter size or snapshotId"));
        }
    };
    if !(1..=65_536).contains(&size) {
        return Err(ApiError::invalid(format!("Volume of {size} GiB is not between 1 and 65536.")));
    }
    if place.volumes.len() >= MAX_PER_REGION {
        return Err(ApiError::new("VolumeLimitExceeded", format!("You have reached {MAX_PER_REGION} volumes.")));
    }
    let (snapshot, sealed) = source.map_or((None, false), |s| (Some(s.id.clone()), s.encrypted));
    let given = tags::specified(input, "volume", &[])?;
    call.proceed(input)?;

    let mut volume = seeding::volume(world.ids.next("vol-"), kind, size, zone, call.now);
    volume.state = Lifecycle::moving(VolumeState::Creating, VolumeState::Available, call.now, takes);
    volume.encrypted = sealed || flag(input, "Encrypted").unwrap_or(false);
    volume.snapshot = snapshot;
    volume.iops = int(input, "Iops").or(volume.iops);
    volume.throughput = int(input, "Throughput").or(volume.throughput);
    volume.tags = given;
    let answer = view::volume(&volume, call.now);
    call.changed(&volume.id, None, VolumeState::Creating.name(), Some(VolumeState::Available.name()));
    let place = region(world, call)?;
    token::remember(place, token, vec![volume.id.clone()], call.now);
    place.volumes.insert(volume);
    Ok(answer)
}

pub(crate) fn delete(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let id = needed(input, "VolumeId")?;
    let place = region(world, call)?;
    let volume = ids::volume(place, id, call)?;
    let state = volume.state.at(call.now);
    if let Some(attachment) = volume.attached(call.now) {
        let message = format!("Volume {id} is currently attached to {}", attachment.instance);
        return Err(ApiError::new("VolumeInUse", message));
    }
    if state != VolumeState::Available {
        return Err(incorrect(id, state, "available"));
    }
    call.proceed(input)?;
    if let Some(volume) = place.volumes.remove(id) {
        call.changed(&volume.id, Some(state.name()), VolumeState::Deleted.name(), None);
    }
    Ok(Value::record())
}

pub(crate) fn attach(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (id, instance, device) = (needed(input, "VolumeId")?, needed(input, "InstanceId")?, needed(input, "Device")?);
    let shown = shown(world);
    let place = region(world, call)?;
    let machine = ids::instance(place, instance, call, shown)?;
    let state = machine.state.at(call.now);
    if !matches!(state, InstanceState::Running | InstanceState::Stopped) {
        let message = format!("Instance '{instance}' is not 'running'.");
        return Err(ApiError::new("IncorrectState", message));
    }
    let (machine_zone, hangs) = (machine.zone.clone(), machine.volumes.clone());
    let taken = hangs.iter().filter_map(|id| place.volumes.get(id)).filter_map(|v| v.attached(call.now));
    if taken.into_iter().any(|a| &*a.device == device && &*a.instance == instance) {
        return Err(ApiError::invalid(format!(
            "Invalid value '{device}' for unixDevice. Attachment point {device} is already in use"
        )));
    }
    let volume = ids::volume(place, id, call)?;
    let before = volume.state.at(call.now);
    if let Some(attachment) = volume.attached(call.now) {
        let message = format!("{id} is already attached to an instance ({})", attachment.instance);
        return Err(ApiError::new("VolumeInUse", message));
    }
    if before != VolumeState::Available {
        return Err(incorrect(id, before, "available"));
    }
    if volume.zone != machine_zone {
        let message = format!("The volume '{id}' is not in the same availability zone as instance '{instance}'");
        return Err(ApiError::new("InvalidVolume.ZoneMismatch", message));
    }
    call.proceed(input)?;
    let attachment =
        Attachment { instance: instance.into(), device: device.into(), since: call.now, delete_on_termination: false };
    let answer = view::attachment(&volume.id, &attachment, "attaching");
    volume.state = Lifecycle::settled(VolumeState::InUse, call.now);
    volume.attachment = Some(attachment);
    let id = volume.id.clone();
    call.changed(&id, Some(before.name()), VolumeState::InUse.name(), None);
    if let Some(machine) = place.instances.get_mut(instance) {
        machine.volumes.push(id);
    }
    Ok(answer)
}

pub(crate) fn detach(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let id = needed(input, "VolumeId")?;
    let place = region(world, call)?;
    let volume = ids::volume(place, id, call)?;
    let state = volume.state.at(call.now);
    let Some(attachment) = volume.attached(call.now).cloned() else { return Err(incorrect(id, state, "in-use")) };
    let differs = |member: &str, is: &Arc<str>| text(input, member).is_some_and(|given| given != &**is);
    if differs("InstanceId", &attachment.instance) || differs("Device", &attachment.device) {
        let message = format!("The volume '{id}' is not attached to that instance as that device");
        return Err(ApiError::new("InvalidAttachment.NotFound", message));
    }
    let machine = place.instances.get(&attachment.instance);
    if &*attachment.device == "/dev/xvda" && machine.is_some_and(|m| m.state.at(call.now) != InstanceState::Stopped) {
        let message = format!("Unable to detach root volume '{id}' from instance '{}'", attachment.instance);
        return Err(ApiError::new("OperationNotPermitted", message));
    }
    call.proceed(input)?;
    let volume = ids::volume(place, id, call)?;
    volume.state = Lifecycle::settled(VolumeState::Available, call.now);
    volume.attachment = None;
    let id = volume.id.clone();
    if let Some(machine) = place.instances.get_mut(&attachment.instance) {
        machine.volumes.retain(|v| *v != id);
    }
    call.changed(&id, Some(state.name()), VolumeState::Available.name(), None);
    Ok(view::attachment(&id, &attachment, "detaching"))
}

fn incorrect(id: &str, state: VolumeState, wanted: &str) -> ApiError {
    ApiError::new("IncorrectState", format!("The volume '{id}' is '{}', not '{wanted}'.", state.name()))
}
