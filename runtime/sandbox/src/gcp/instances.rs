//! Instances: their type, their disks, what protects them.

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::engine::{bad, keep, link, path};
use super::kinds::{DISKS, INSTANCES, kind};
use crate::rest::{Call, Refusal};
use crate::world::World;
use crate::world::ids::hash;
use crate::world::lifecycle::Lifecycle;
use crate::world::things::{Thing, at, set};

/// The last part of a link.
pub(super) fn last(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or_default()
}

/// A new one needs a type; disks that come with it are made.
pub(super) fn before(
    world: &mut World,
    call: &Call<'_>,
    address: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    let machine = at(body, "machineType").and_then(Json::as_str).map(last).filter(|t| !t.is_empty());
    let machine =
        machine.ok_or_else(|| Refusal::new(400, "required", "Required field 'resource.machineType' not specified"))?;
    let machine = machine.to_owned();
    if !super::places::MACHINE_TYPES.iter().any(|(name, ..)| *name == machine) {
        let message = format!(
            "The resource 'projects/{}/{}/machineTypes/{machine}' was not found",
            world.gcp.project, address.scope
        );
        return Err(Refusal::new(404, "notFound", message));
    }
    body.insert("machineType".into(), machine.into());
    if was.is_some() {
        return Ok(());
    }
    let me = kind("compute", "instances").map(|kind| path(kind, world, address)).unwrap_or_default();
    let disks = body.remove("disks").and_then(|disks| disks.as_array().cloned()).unwrap_or_default();
    let mut kept = Vec::new();
    for (n, mut disk) in disks.into_iter().enumerate() {
        let source = disk.get("source").and_then(Json::as_str).map(Address::of_link);
        let of = match source {
            Some(of) => {
                let thing = world.things.get(DISKS, &of.key());
                let thing = thing.ok_or_else(|| {
                    Refusal::new(404, "notFound", format!("The resource '{}' was not found", of.name))
                })?;
                if thing.body.contains_key("users") {
                    return Err(in_use(&of.name));
                }
                of
            }
            None => {
                let parameters = disk.get("initializeParams").cloned().unwrap_or_default();
                let name = parameters.get("diskName").and_then(Json::as_str).unwrap_or(&address.name);
                let of = Address::new(&address.scope, name);
                let mut made = Map::new();
                for (from, to) in [
                    ("diskSizeGb", "sizeGb"),
                    ("sourceImage", "sourceImage"),
                    ("diskType", "type"),
                    ("labels", "labels"),
                ] {
                    if let Some(value) = parameters.get(from) {
                        made.insert(to.into(), value.clone());
                    }
                }
                super::disks::before(world, call, &of, None, &mut made)?;
                let state = Lifecycle::settled("READY".into(), call.now);
                let (key, place, name) = (of.key(), of.scope.as_str().into(), of.name.as_str().into());
                world.things.insert(DISKS, Thing { key, place, name, made: call.now, state, body: made });
                of
            }
        };
        if let Some(thing) = world.things.get_mut(DISKS, &of.key()) {
            thing.body.insert("users".into(), json!([me]));
        }
        if let Some(disk) = disk.as_object_mut() {
            disk.remove("initializeParams");
            disk.insert("disk".into(), of.name.as_str().into());
            let device = if n == 0 { "persistent-disk-0".to_owned() } else { of.name.clone() };
            disk.entry("deviceName").or_insert_with(|| device.into());
            disk.entry("boot").or_insert_with(|| (n == 0).into());
        }
        kept.push(disk);
    }
    body.insert("disks".into(), kept.into());
    Ok(())
}

pub(super) fn in_use(name: &str) -> Refusal {
    let message = format!("The disk resource '{name}' is already being used by another instance");
    Refusal::new(400, "resourceInUseByAnotherResource", message)
}

pub(super) fn shown(call: &Call<'_>, world: &World, thing: &Thing, shown: &mut Map<String, Json>) {
    let base = format!("{}/compute/v1/projects/{}", call.base, world.gcp.project);
    let machine = thing.text("machineType").unwrap_or("e2-small");
    shown.insert("machineType".into(), format!("{base}/{}/machineTypes/{machine}", thing.place).into());
    shown.entry("labelFingerprint").or_insert_with(|| "42WmSpB8rSM=".into());
    let disks = thing.body.get("disks").and_then(Json::as_array).cloned();
    // One of a seed has its own disk, called like itself.
    let disks = disks.unwrap_or_else(|| {
        vec![json!({ "disk": thing.name, "boot": true, "deviceName": "persistent-disk-0", "autoDelete": true })]
    });
    let full = disks.into_iter().enumerate().map(|(n, mut disk)| {
        if let Some(disk) = disk.as_object_mut() {
            let name = disk.remove("disk").unwrap_or_default();
            let of = Address::new(&thing.place, name.as_str().unwrap_or_default());
            let source = kind("compute", "disks").map(|kind| link(kind, call, world, &of));
            disk.insert("source".into(), source.into());
            disk.insert("index".into(), n.into());
            for (member, value) in [
                ("kind", "compute#attachedDisk"),
                ("type", "PERSISTENT"),
                ("mode", "READ_WRITE"),
                ("interface", "SCSI"),
            ] {
                disk.entry(member).or_insert_with(|| value.into());
            }
        }
        disk
    });
    shown.insert("disks".into(), full.collect());
    let [.., b, c, d] = hash(thing.key.as_bytes()).to_be_bytes();
    let running = &*thing.state.at(call.now) == "RUNNING";
    let mut interface = json!({
        "kind": "compute#networkInterface", "name": "nic0", "network": format!("{base}/global/networks/default"),
        "networkIP": format!("10.132.{c}.{d}"), "stackType": "IPV4_ONLY",
    });
    if let (true, Some(interface)) = (running, interface.as_object_mut()) {
        let nat = format!("198.{}.{c}.{d}", 18 + (b & 1));
        let access =
            json!([{ "kind": "compute#accessConfig", "type": "ONE_TO_ONE_NAT", "name": "external-nat", "natIP": nat }]);
        interface.insert("accessConfigs".into(), access);
    }
    shown.insert("networkInterfaces".into(), json!([interface]));
}

/// One that is protected stays; disks that go with it go.
pub(super) fn deleted(world: &mut World, thing: &Thing) -> Result<(), Refusal> {
    if thing.body.get("deletionProtection") == Some(&true.into()) {
        let message = "Resource cannot be deleted if it's protected against deletion.";
        return Err(Refusal::new(400, "resourceInUseByAnotherResource", message));
    }
    let disks = thing.body.get("disks").and_then(Json::as_array).cloned();
    let own = json!([{ "disk": thing.name, "autoDelete": true }]);
    for disk in disks.or_else(|| own.as_array().cloned()).into_iter().flatten() {
        let of = Address::new(&thing.place, disk.get("disk").and_then(Json::as_str).unwrap_or_default());
        if disk.get("autoDelete") == Some(&true.into()) {
            world.things.remove(DISKS, &of.key());
        } else if let Some(disk) = world.things.get_mut(DISKS, &of.key()) {
            disk.body.remove("users");
        }
    }
    Ok(())
}

/// The instance of a call, to change it.
pub(super) fn instance<'w>(world: &'w mut World, address: &Address) -> Result<&'w mut Thing, Refusal> {
    world.things.get_mut(INSTANCES, &address.key()).ok_or_else(|| bad("instance"))
}

pub(super) fn reset(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let now = call.now;
    let thing = instance(world, address)?;
    if thing.state.at(now) != "RUNNING" {
        return Err(Refusal::new(400, "resourceNotReady", "Instance is not running: it cannot be reset."));
    }
    let key = thing.key.clone();
    call.moved(&key, Some("RUNNING".into()), "RUNNING".into(), None);
    Ok(now)
}

pub(super) fn set_machine_type(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let now = call.now;
    let wanted = call.body.get("machineType").and_then(Json::as_str).map(last);
    let wanted = wanted.ok_or_else(|| Refusal::new(400, "required", "machineType is needed"))?;
    let thing = instance(world, address)?;
    if thing.state.at(now) != "TERMINATED" {
        let message = "Instance is starting, stopping or running: it must be stopped to get another machine type.";
        return Err(Refusal::new(400, "resourceNotReady", message));
    }
    thing.body.insert("machineType".into(), wanted.into());
    Ok(now)
}

pub(super) fn set_deletion_protection(
    world: &mut World,
    call: &mut Call<'_>,
    address: &Address,
) -> Result<i64, Refusal> {
    // The API's own default is to protect.
    let protect = !call.of_query("deletionProtection").is_some_and(|v| v.eq_ignore_ascii_case("false"));
    instance(world, address)?.body.insert("deletionProtection".into(), protect.into());
    Ok(call.now)
}

pub(super) fn set_metadata(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let items = call.body.get("items").cloned().unwrap_or_else(|| json!([]));
    set(&mut instance(world, address)?.body, "metadata/items", items);
    Ok(call.now)
}

pub(super) fn set_tags(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let items = call.body.get("items").cloned().unwrap_or_else(|| json!([]));
    set(&mut instance(world, address)?.body, "tags/items", items);
    Ok(call.now)
}

/// Makes a snapshot, image or disk in the name of another call.
pub(super) fn make(
    world: &mut World,
    call: &mut Call<'_>,
    collection: &str,
    address: &Address,
    body: Map<String, Json>,
) -> Result<i64, Refusal> {
    let kind = kind("compute", collection).ok_or_else(|| bad("kind"))?;
    if world.things.get(&kind.table(), &address.key()).is_some() {
        let message = format!("The resource '{}' already exists", path(kind, world, address));
        return Err(Refusal::new(409, "alreadyExists", message));
    }
    Ok(keep(kind, world, call, address, body))
}
