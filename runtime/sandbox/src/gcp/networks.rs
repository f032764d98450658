//! Addresses and firewall rules.

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use crate::rest::{Call, Refusal};
use crate::world::World;
use crate::world::ids::hash;
use crate::world::things::Thing;

/// An address is reserved from 198.18.0.0/15, which is for tests and routed nowhere.
pub(super) fn address(
    _: &mut World,
    _: &Call<'_>,
    address: &Address,
    _: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    let [.., b, c, d] = hash(address.key().as_bytes()).to_be_bytes();
    body.entry("address").or_insert_with(|| format!("198.{}.{c}.{d}", 18 + (b & 1)).into());
    Ok(())
}

/// A rule allows or denies, not both and not neither.
pub(super) fn firewall(
    world: &mut World,
    call: &Call<'_>,
    _: &Address,
    _: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    let some = |body: &Map<String, Json>, name: &str| {
        body.get(name).and_then(Json::as_array).is_some_and(|rules| !rules.is_empty())
    };
    if some(body, "allowed") == some(body, "denied") {
        return Err(Refusal::new(400, "invalid", "Exactly one of 'allowed' and 'denied' must be specified."));
    }
    let network = body.get("network").and_then(Json::as_str).map_or("default", super::instances::last).to_owned();
    let link = format!("{}/compute/v1/projects/{}/global/networks/{network}", call.base, world.gcp.project);
    body.insert("network".into(), link.into());
    if !body.contains_key("sourceRanges")
        && !body.contains_key("sourceTags")
        && body.get("direction") != Some(&"EGRESS".into())
    {
        body.insert("sourceRanges".into(), json!(["0.0.0.0/0"]));
    }
    Ok(())
}
