//! Networks, interfaces, public addresses and security groups: what they hold inside of them, and addresses.

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::kinds::kind;
use crate::rest::Refusal;
use crate::world::World;
use crate::world::ids::hash;
use crate::world::lifecycle::Lifecycle;
use crate::world::things::{Thing, at, set, unset};

const SUBNET: &str = "Microsoft.Network/virtualNetworks/subnets";
const RULE: &str = "Microsoft.Network/networkSecurityGroups/securityRules";

/// Subnets that come with a network are subnets of their own.
pub(super) fn network(
    world: &mut World,
    address: &Address,
    _: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    apart(world, address, body, "/properties/subnets", SUBNET);
    Ok(())
}

/// Rules that come with a group are rules of their own.
pub(super) fn group(
    world: &mut World,
    address: &Address,
    _: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    apart(world, address, body, "/properties/securityRules", RULE);
    Ok(())
}

/// What a body lists is kept apart, under its own address; what it lists no longer is gone.
fn apart(world: &mut World, address: &Address, body: &mut Map<String, Json>, at_path: &str, of: &'static str) {
    let Some(Json::Array(listed)) = unset(body, at_path) else { return };
    let within = format!("{}/", address.key());
    let old: Vec<_> = world.things.of(of).filter(|t| t.key.starts_with(&within)).map(|t| t.key.clone()).collect();
    old.iter().for_each(|key| drop(world.things.remove(of, key)));
    for inner in listed {
        let Some(name) = inner.get("name").and_then(Json::as_str) else { continue };
        let mut names = address.names.clone();
        names.push(name.to_owned());
        let full = Address { group: address.group.clone(), names };
        let mut kept = Map::new();
        kept.insert("properties".into(), inner.get("properties").cloned().unwrap_or_else(|| json!({})));
        let state = Lifecycle::settled("Succeeded".into(), 0);
        let (key, place, name) = (full.key(), address.group.as_str().into(), full.names.join("/").into());
        world.things.insert(of, Thing { key, place, name, made: 0, state, body: kept });
    }
}

pub(super) fn with_subnets(world: &World, thing: &Thing, shown: &mut Map<String, Json>, now: i64) {
    with(world, thing, shown, now, "/properties/subnets", SUBNET);
}

pub(super) fn with_rules(world: &World, thing: &Thing, shown: &mut Map<String, Json>, now: i64) {
    with(world, thing, shown, now, "/properties/securityRules", RULE);
}

fn with(world: &World, thing: &Thing, shown: &mut Map<String, Json>, now: i64, at_path: &str, of: &'static str) {
    let Some(kind) = kind(of) else { return };
    let within = format!("{}/", thing.key);
    let inner = world.things.of(of).filter(|t| t.key.starts_with(&within));
    let inner: Vec<Json> = inner.map(|t| super::engine::view(kind, world, t, now)).collect();
    set(shown, at_path, inner.into());
}

/// An interface gets an address in each of its configurations.
pub(super) fn interface(
    _: &mut World,
    address: &Address,
    _: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    let [.., b, c, d] = hash(address.key().as_bytes()).to_be_bytes();
    let mac = format!("00-0D-3A-{b:02X}-{c:02X}-{d:02X}");
    set(body, "/properties/macAddress", mac.into());
    let Some(Json::Array(listed)) = at(body, "/properties/ipConfigurations").cloned() else { return Ok(()) };
    let configurations = listed.into_iter().map(|mut one| {
        if let Some(one) = one.as_object_mut() {
            if at(one, "/properties/privateIPAddress").is_none() {
                set(one, "/properties/privateIPAddress", format!("10.0.{}.{}", c & 3, d.max(4)).into());
            }
            set(one, "/properties/provisioningState", "Succeeded".into());
        }
        one
    });
    let configurations: Vec<Json> = configurations.collect();
    set(body, "/properties/ipConfigurations", configurations.into());
    Ok(())
}

/// A static address is there from the start: from 198.18.0.0/15, which is for tests and routed nowhere.
pub(super) fn address(
    _: &mut World,
    address: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    const IP: &str = "/properties/ipAddress";
    let [.., b, c, d] = hash(address.key().as_bytes()).to_be_bytes();
    let ip = was.and_then(|was| was.text(IP)).map_or_else(|| format!("198.{}.{c}.{d}", 18 + (b & 1)), str::to_owned);
    set(body, IP, ip.into());
    Ok(())
}
