//! Disks and snapshots: what they are made from, and whether something holds them.

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::kinds::DISK;
use super::machines::uuid;
use crate::rest::Refusal;
use crate::world::World;
use crate::world::things::{Thing, at, set};

/// What it is made from must be there, and gives its size; a size only grows.
pub(super) fn before(
    world: &mut World,
    _: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    const SIZE: &str = "/properties/diskSizeGB";
    const SOURCE: &str = "/properties/creationData/sourceResourceId";
    let (size, before) = (at(body, SIZE).and_then(Json::as_u64), was.and_then(|was| at(&was.body, SIZE)?.as_u64()));
    if let (Some(size), Some(before)) = (size, before)
        && size < before
    {
        let message = "Disk size can only be increased.";
        return Err(Refusal::new(409, "OperationNotAllowed", message));
    }
    if let Some(by) = was.and_then(|was| was.body.get("managedBy")) {
        body.insert("managedBy".into(), by.clone());
    }
    if was.is_some() || size.is_some() {
        return Ok(());
    }
    let Some(source) = at(body, SOURCE).and_then(Json::as_str).map(str::to_owned) else {
        set(body, SIZE, json!(32));
        return Ok(());
    };
    let of = Address::of_path(&source);
    let kind = if source.to_lowercase().contains("/snapshots/") { "Microsoft.Compute/snapshots" } else { DISK };
    match world.things.get(kind, &of.key()) {
        Some(thing) => {
            let size = at(&thing.body, SIZE).cloned().unwrap_or(json!(32));
            set(body, SIZE, size);
        }
        // A machine's own disk is made with it, and is not kept apart.
        None if kind == DISK && of.name().ends_with("_os") => set(body, SIZE, json!(32)),
        None => {
            let message = format!("The Resource '{kind}/{}' was not found.", of.name());
            return Err(Refusal::new(404, "ResourceNotFound", message));
        }
    }
    Ok(())
}

pub(super) fn shown(_: &World, thing: &Thing, shown: &mut Map<String, Json>, _: i64) {
    if shown.contains_key("managedBy") {
        set(shown, "/properties/diskState", "Attached".into());
    }
    set(shown, "/properties/uniqueId", uuid(&thing.key).into());
    set(shown, "/properties/timeCreated", crate::protocol::time::iso8601(thing.made).into());
    let bytes = at(shown, "/properties/diskSizeGB").and_then(Json::as_u64).unwrap_or(32) << 30;
    set(shown, "/properties/diskSizeBytes", bytes.into());
}

/// One that is attached stays.
pub(super) fn deleted(world: &mut World, address: &Address) -> Result<(), Refusal> {
    let by = world.things.get(DISK, &address.key()).and_then(|disk| disk.text("managedBy"));
    match by {
        Some(by) => {
            let message = format!("Disk {} is attached to VM {by}.", address.name());
            Err(Refusal::new(409, "OperationNotAllowed", message))
        }
        None => Ok(()),
    }
}
