//! Disks and snapshots: what they are made from, who uses them.

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::engine::{bad, link, path};
use super::instances::{in_use, instance, last, make};
use super::kinds::{DISKS, INSTANCES, kind};
use crate::rest::{Call, Refusal};
use crate::world::World;
use crate::world::things::Thing;

const SNAPSHOTS: &str = "gcp/compute/snapshots";

/// Most gibibytes of a disk.
const MAX_SIZE: u64 = 65_536;

fn size_of(body: &Map<String, Json>) -> Option<u64> {
    let size = body.get("sizeGb")?;
    size.as_u64().or_else(|| size.as_str()?.parse().ok())
}

/// What a disk is made from must be there, and gives its size.
pub(super) fn before(
    world: &mut World,
    _: &Call<'_>,
    _: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    if let Some(source) = body.get("sourceSnapshot").and_then(Json::as_str).filter(|_| was.is_none()) {
        let of = Address::new("global", last(source));
        let snapshot = world.things.get(SNAPSHOTS, &of.key());
        let snapshot = snapshot.ok_or_else(|| {
            Refusal::new(404, "notFound", format!("The resource 'global/snapshots/{}' was not found", of.name))
        })?;
        if let (None, Some(size)) = (body.get("sizeGb"), snapshot.body.get("diskSizeGb")) {
            body.insert("sizeGb".into(), size.clone());
        }
    }
    if body.contains_key("sizeGb") {
        let size = size_of(body).filter(|size| (1..=MAX_SIZE).contains(size)).ok_or_else(|| bad("sizeGb"))?;
        body.insert("sizeGb".into(), size.to_string().into());
    }
    Ok(())
}

pub(super) fn shown(call: &Call<'_>, world: &World, thing: &Thing, shown: &mut Map<String, Json>) {
    let base = format!("{}/compute/v1/projects/{}", call.base, world.gcp.project);
    let kind_of = thing.text("type").map_or("pd-standard", last);
    shown.insert("type".into(), format!("{base}/{}/diskTypes/{kind_of}", thing.place).into());
    let users = thing.body.get("users").and_then(Json::as_array).cloned().unwrap_or_default();
    let users = users.iter().filter_map(Json::as_str).map(|user| format!("{}/compute/v1/{user}", call.base).into());
    let users: Vec<Json> = users.collect();
    if !users.is_empty() {
        shown.insert("users".into(), users.into());
    }
}

/// One that is used stays.
pub(super) fn deleted(_: &mut World, thing: &Thing) -> Result<(), Refusal> {
    match thing.body.get("users").and_then(Json::as_array).and_then(|users| users.first()?.as_str()) {
        Some(user) => {
            let message = format!("The disk resource '{}' is already being used by '{user}'", thing.name);
            Err(Refusal::new(400, "resourceInUseByAnotherResource", message))
        }
        None => Ok(()),
    }
}

pub(super) fn resize(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let asked =
        call.body.as_object().and_then(size_of).filter(|size| *size <= MAX_SIZE).ok_or_else(|| bad("sizeGb"))?;
    let thing = world.things.get_mut(DISKS, &address.key()).ok_or_else(|| bad("disk"))?;
    if size_of(&thing.body).unwrap_or(10) > asked {
        return Err(Refusal::new(400, "invalid", "Invalid value for field 'sizeGb': a disk can only become larger."));
    }
    thing.body.insert("sizeGb".into(), asked.to_string().into());
    Ok(call.now)
}

pub(super) fn create_snapshot(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let mut body = call.body.as_object().cloned().unwrap_or_default();
    let name = body.get("name").and_then(Json::as_str).ok_or_else(|| bad("name"))?.to_owned();
    of_disk(world, call, address, &mut body)?;
    make(world, call, "snapshots", &Address::new("global", &name), body)
}

/// A snapshot that is made by itself says of which disk.
pub(super) fn before_snapshot(
    world: &mut World,
    call: &Call<'_>,
    _: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    match (was, body.get("sourceDisk").and_then(Json::as_str)) {
        (Some(_), _) => Ok(()),
        (None, Some(link)) => {
            let of = Address::of_link(link);
            of_disk(world, call, &of, body)
        }
        (None, None) => Err(Refusal::new(400, "required", "Required field 'resource.sourceDisk' not specified")),
    }
}

fn of_disk(world: &World, call: &Call<'_>, disk: &Address, body: &mut Map<String, Json>) -> Result<(), Refusal> {
    let kind = kind("compute", "disks").ok_or_else(|| bad("disk"))?;
    let missing = || Refusal::new(404, "notFound", format!("The resource '{}' was not found", path(kind, world, disk)));
    let thing = world.things.get(DISKS, &disk.key()).ok_or_else(missing)?;
    body.insert("sourceDisk".into(), link(kind, call, world, disk).into());
    body.insert("diskSizeGb".into(), size_of(&thing.body).unwrap_or(10).to_string().into());
    body.insert("storageBytes".into(), "1073741824".into());
    Ok(())
}

pub(super) fn attach(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let source = call.body.get("source").and_then(Json::as_str).ok_or_else(|| bad("source"))?;
    let of = Address::of_link(source);
    let me = kind("compute", "instances").map(|kind| path(kind, world, address)).unwrap_or_default();
    let missing = || Refusal::new(404, "notFound", format!("The resource '{source}' was not found"));
    if of.scope != address.scope {
        return Err(bad("source"));
    }
    world.things.get(INSTANCES, &address.key()).ok_or_else(|| bad("instance"))?;
    let disk = world.things.get_mut(DISKS, &of.key()).ok_or_else(missing)?;
    if disk.body.contains_key("users") {
        return Err(in_use(&of.name));
    }
    disk.body.insert("users".into(), json!([me]));
    let device = call.body.get("deviceName").and_then(Json::as_str).unwrap_or(&of.name).to_owned();
    let thing = instance(world, address)?;
    let own = json!([{ "disk": thing.name, "boot": true, "deviceName": "persistent-disk-0", "autoDelete": true }]);
    if let Some(disks) = thing.body.entry("disks").or_insert(own).as_array_mut() {
        disks.push(json!({ "disk": of.name, "boot": false, "deviceName": device, "autoDelete": false }));
    }
    Ok(call.now)
}

pub(super) fn detach(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let device = call.of_query("deviceName").ok_or_else(|| bad("deviceName"))?.to_owned();
    let thing = instance(world, address)?;
    let disks = thing.body.get_mut("disks").and_then(Json::as_array_mut);
    let found = disks.and_then(|disks| {
        let at = disks.iter().position(|d| d.get("deviceName").and_then(Json::as_str) == Some(&device))?;
        Some(disks.remove(at))
    });
    let found = found.ok_or_else(|| {
        Refusal::new(
            400,
            "invalid",
            format!("Invalid value for field 'deviceName': '{device}'. No attached disk found."),
        )
    })?;
    let of = Address::new(&address.scope, found.get("disk").and_then(Json::as_str).unwrap_or_default());
    if let Some(disk) = world.things.get_mut(DISKS, &of.key()) {
        disk.body.remove("users");
    }
    Ok(call.now)
}
