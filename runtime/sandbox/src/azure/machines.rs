//! Virtual machines: their power, their size, and what they are doing.

use serde_json::{Map, Value as Json, json};

use super::address::{Address, id};
use super::engine::{found, missing};
use super::kinds::{Action, DISK, Does, INTERFACE, Kind, MACHINE, kind};
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::ids::{hash, mix};
use crate::world::things::{Thing, at, set, unset};

const ANY: &[&str] = &[];
const ON: &[&str] = &["running"];

const fn moves(
    word: &'static str,
    from: &'static [&'static str],
    via: &'static str,
    to: &'static str,
    takes: super::kinds::Takes,
) -> Action {
    Action { method: "POST", word, does: Does::Move { from, via, to, takes } }
}

pub(super) const ACTIONS: &[Action] = &[
    moves("start", ANY, "starting", "running", |t| t.starting),
    moves("powerOff", ANY, "stopping", "stopped", |t| t.stopping),
    moves("deallocate", ANY, "deallocating", "deallocated", |t| t.stopping),
    moves("restart", ON, "starting", "running", |t| t.starting),
    moves("redeploy", ON, "starting", "running", |t| t.starting),
    moves("reapply", ANY, "running", "running", |_| 0),
    Action { method: "GET", word: "instanceView", does: Does::Own(instance_view) },
    Action { method: "GET", word: "vmSizes", does: Does::Own(sizes_of) },
    Action { method: "POST", word: "generalize", does: Does::Own(generalize) },
    Action { method: "POST", word: "attachDetachDataDisks", does: Does::Own(attach_detach) },
];

/// Sizes: name, cores, MiB of memory.
pub(super) const SIZES: &[(&str, u32, u32)] = &[
    ("Standard_B1s", 1, 1024),
    ("Standard_B1ms", 1, 2048),
    ("Standard_B2s", 2, 4096),
    ("Standard_B2ms", 2, 8192),
    ("Standard_D2s_v3", 2, 8192),
    ("Standard_DS1_v2", 1, 3584),
    ("Standard_D2s_v5", 2, 8192),
    ("Standard_D4s_v5", 4, 16384),
    ("Standard_D8s_v5", 8, 32768),
    ("Standard_E2s_v5", 2, 16384),
    ("Standard_E4s_v5", 4, 32768),
    ("Standard_F2s_v2", 2, 4096),
];

/// `VirtualMachineSizeListResult`.
pub(super) fn sizes() -> Json {
    let row = |(name, cores, memory): &(&str, u32, u32)| {
        json!({ "name": name, "numberOfCores": cores, "memoryInMB": memory, "osDiskSizeInMB": 1_047_552,
                "resourceDiskSizeInMB": 16_384, "maxDataDiskCount": cores * 4 })
    };
    json!({ "value": SIZES.iter().map(row).collect::<Vec<_>>() })
}

fn sizes_of(world: &mut World, _: &mut Call<'_>, kind: &Kind, address: &Address) -> Result<Answer, Refusal> {
    found(kind, world, address)?;
    Ok(Answer::ok(sizes()))
}

/// Whether a list is to say what each machine is doing.
pub(super) fn shows_view(call: &Call<'_>) -> bool {
    call.of_query("$expand").is_some_and(|e| e.eq_ignore_ascii_case("instanceView"))
        || call.of_query("statusOnly") == Some("true")
}

pub(super) fn add_view(thing: &Thing, shown: &mut Json, now: i64) {
    if let Some(shown) = shown.as_object_mut() {
        set(shown, "/properties/instanceView", view_of(thing, now));
    }
}

fn instance_view(world: &mut World, call: &mut Call<'_>, kind: &Kind, address: &Address) -> Result<Answer, Refusal> {
    Ok(Answer::ok(view_of(found(kind, world, address)?, call.now)))
}

/// What a machine is doing.
pub(super) fn view_of(thing: &Thing, now: i64) -> Json {
    let power = thing.state.at(now);
    let mut statuses = vec![
        json!({ "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded" }),
    ];
    if thing.text("/properties/generalized").is_some() {
        statuses.push(json!({ "code": "OSState/generalized", "level": "Info", "displayStatus": "VM generalized" }));
    }
    statuses.push(
        json!({ "code": format!("PowerState/{power}"), "level": "Info", "displayStatus": format!("VM {power}") }),
    );
    json!({ "computerName": thing.name, "osName": "ubuntu", "osVersion": "24.04", "statuses": statuses })
}

fn generalize(world: &mut World, call: &mut Call<'_>, kind: &Kind, address: &Address) -> Result<Answer, Refusal> {
    if found(kind, world, address)?.state.at(call.now) == "running" {
        let message = "The VM must be stopped or deallocated before it is generalized.";
        return Err(Refusal::new(409, "OperationNotAllowed", message));
    }
    if let Some(thing) = world.things.get_mut(kind.name, &address.key()) {
        set(&mut thing.body, "/properties/generalized", "yes".into());
    }
    Ok(Answer::of(200, Vec::new()))
}

/// `attachDetachDataDisks`: by id.
fn attach_detach(world: &mut World, call: &mut Call<'_>, kind: &Kind, address: &Address) -> Result<Answer, Refusal> {
    let before = found(kind, world, address)?.clone();
    let mut body = before.body.clone();
    let mut disks =
        at(&body, "/properties/storageProfile/dataDisks").and_then(Json::as_array).cloned().unwrap_or_default();
    let ids =
        |name: &str| -> Vec<&Json> { call.body.get(name).and_then(Json::as_array).into_iter().flatten().collect() };
    for wanted in ids("dataDisksToDetach") {
        let of = wanted.get("diskId").and_then(Json::as_str).unwrap_or_default();
        let rest = disks.len();
        disks.retain(|disk| !disk_id(disk).is_some_and(|id| id.eq_ignore_ascii_case(of)));
        if disks.len() == rest {
            return Err(Refusal::new(400, "InvalidParameter", format!("The disk '{of}' is not attached.")));
        }
    }
    for wanted in ids("dataDisksToAttach") {
        let used = |lun: u64| disks.iter().any(|d| d.get("lun").and_then(Json::as_u64) == Some(lun));
        let lun = wanted.get("lun").and_then(Json::as_u64).or_else(|| (0..64).find(|lun| !used(*lun)));
        disks.push(json!({ "lun": lun, "createOption": "Attach", "managedDisk": { "id": wanted.get("diskId") } }));
    }
    set(&mut body, "/properties/storageProfile/dataDisks", disks.into());
    before_of(world, address, Some(&before), &mut body)?;
    if let Some(thing) = world.things.get_mut(kind.name, &before.key) {
        thing.body = body;
    }
    let thing = found(kind, world, address)?;
    let storage = super::engine::view(kind, world, thing, call.now).pointer("/properties/storageProfile").cloned();
    Ok(Answer::ok(storage.unwrap_or_default()))
}

fn disk_id(disk: &Json) -> Option<&str> {
    disk.pointer("/managedDisk/id").and_then(Json::as_str)
}

/// A machine is about to be made or changed: its size, its disks.
pub(super) fn before(
    world: &mut World,
    address: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    before_of(world, address, was, body)
}

fn before_of(
    world: &mut World,
    address: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    const SIZE: &str = "/properties/hardwareProfile/vmSize";
    let size = at(body, SIZE).and_then(Json::as_str).unwrap_or("Standard_DS1_v2").to_owned();
    if let Some(was) = was
        && was.text(SIZE).is_some_and(|before| before != size)
        && was.state.at(crate::world::clock::now()) != "deallocated"
    {
        let message = "A practice machine must be deallocated before it gets another size.";
        return Err(Refusal::new(409, "OperationNotAllowed", message));
    }
    set(body, SIZE, size.into());
    let me = machine_id(world, address);
    for interface in
        at(body, "/properties/networkProfile/networkInterfaces").and_then(Json::as_array).into_iter().flatten()
    {
        let id = interface.get("id").and_then(Json::as_str).unwrap_or_default();
        if world.things.get(INTERFACE, &Address::of_path(id).key()).is_none() {
            return Err(Refusal::new(
                400,
                "InvalidResourceReference",
                format!("Resource {id} referenced by resource {me} was not found."),
            ));
        }
    }
    let mut disks =
        at(body, "/properties/storageProfile/dataDisks").and_then(Json::as_array).cloned().unwrap_or_default();
    for disk in &mut disks {
        attach(world, address, &me, disk)?;
    }
    let attached: Vec<String> =
        disks.iter().filter_map(disk_id).map(|id| Address::of_path(id).key().to_string()).collect();
    for disk in world.things.of_mut(DISK) {
        let mine = disk.text("managedBy").is_some_and(|by| by.eq_ignore_ascii_case(&me));
        let stays = attached.iter().any(|key| **key == *disk.key) || disk.body.contains_key("os");
        if mine && !stays {
            disk.body.remove("managedBy");
        }
    }
    if !disks.is_empty() {
        set(body, "/properties/storageProfile/dataDisks", disks.into());
    } else if at(body, "/properties/storageProfile").is_some() {
        set(body, "/properties/storageProfile/dataDisks", json!([]));
    }
    Ok(())
}

fn machine_id(world: &World, address: &Address) -> String {
    let kind = kind(MACHINE).map(|kind| id(&world.azure.subscription, kind, &address.group, address.name()));
    kind.unwrap_or_default()
}

/// One disk of a machine: an existing one is attached, an empty one is made.
fn attach(world: &mut World, address: &Address, me: &str, disk: &mut Json) -> Result<(), Refusal> {
    let of = match disk_id(disk) {
        Some(id) => Address::of_path(id),
        None => {
            let name = disk.get("name").and_then(Json::as_str).unwrap_or("data").to_owned();
            let of = Address::new(&address.group, &name);
            let mut body = Map::new();
            body.insert("location".into(), "westeurope".into());
            set(&mut body, "/properties/diskSizeGB", disk.get("diskSizeGB").cloned().unwrap_or(json!(32)));
            set(&mut body, "/properties/creationData/createOption", "Empty".into());
            let state = crate::world::lifecycle::Lifecycle::settled("Succeeded".into(), 0);
            let (key, made) = (of.key(), crate::world::clock::now());
            world.things.insert(
                DISK,
                Thing { key, place: address.group.as_str().into(), name: name.into(), made, state, body },
            );
            of
        }
    };
    let missing = kind(DISK).map(|kind| missing(kind, &of));
    let Some(thing) = world.things.get_mut(DISK, &of.key()) else {
        return Err(missing.unwrap_or_else(|| Refusal::new(404, "ResourceNotFound", "no such disk")));
    };
    if let Some(other) = thing.text("managedBy").filter(|by| !by.eq_ignore_ascii_case(me)) {
        let message = format!("Disk {} is attached to VM {other}.", thing.name);
        return Err(Refusal::new(409, "AttachDiskWhileBeingDetached", message));
    }
    thing.body.insert("managedBy".into(), me.into());
    let (name, size) = (thing.name.clone(), at(&thing.body, "/properties/diskSizeGB").cloned());
    let id = kind(DISK).map(|kind| id(&world.azure.subscription, kind, &of.group, &name)).unwrap_or_default();
    if let Some(disk) = disk.as_object_mut() {
        disk.insert("name".into(), (*name).into());
        disk.insert("diskSizeGB".into(), size.unwrap_or(json!(32)));
        set(disk, "/managedDisk/id", id.into());
    }
    Ok(())
}

pub(super) fn shown(world: &World, thing: &Thing, shown: &mut Map<String, Json>, _: i64) {
    set(shown, "/properties/vmId", uuid(&thing.key).into());
    set(shown, "/properties/timeCreated", crate::protocol::time::iso8601(thing.made).into());
    unset(shown, "/properties/generalized");
    let disk = format!("{}_os", thing.name);
    if at(shown, "/properties/storageProfile/osDisk/name").is_none() {
        set(shown, "/properties/storageProfile/osDisk/name", disk.as_str().into());
    }
    if at(shown, "/properties/osProfile/computerName").is_none() {
        set(shown, "/properties/osProfile/computerName", (*thing.name).into());
    }
    if let Some(kind) = kind(DISK) {
        let id = id(&world.azure.subscription, kind, &thing.place, &disk);
        set(
            shown,
            "/properties/storageProfile/osDisk/managedDisk",
            json!({ "id": id, "storageAccountType": "Premium_LRS" }),
        );
    }
}

/// Its disks are free again.
pub(super) fn deleted(world: &mut World, address: &Address) -> Result<(), Refusal> {
    let me = machine_id(world, address);
    for disk in world.things.of_mut(DISK) {
        if disk.text("managedBy").is_some_and(|by| by.eq_ignore_ascii_case(&me)) {
            disk.body.remove("managedBy");
        }
    }
    Ok(())
}

/// An identity's own ids.
pub(super) fn identity(_: &World, thing: &Thing, shown: &mut Map<String, Json>, _: i64) {
    for (member, of) in [("clientId", "client"), ("principalId", "principal"), ("tenantId", "")] {
        let id = if of.is_empty() { super::identity::TENANT.to_owned() } else { uuid(&format!("{of}{}", thing.key)) };
        set(shown, &format!("/properties/{member}"), id.into());
    }
}

/// Looks like a UUID and repeats.
pub(super) fn uuid(of: &str) -> String {
    let (a, b) = (mix(hash(of.as_bytes())), mix(!hash(of.as_bytes())));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}
