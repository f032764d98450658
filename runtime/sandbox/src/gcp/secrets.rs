//! Secret Manager: secrets and their versions. What they hold is in no log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::engine::{bad, view};
use super::kinds::kind;
use crate::protocol::time::iso8601;
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::lifecycle::Lifecycle;
use crate::world::things::Thing;

const SECRETS: &str = "gcp/secretmanager/projects.secrets";
const VERSIONS: &str = "gcp/secretmanager/projects.secrets.versions";
/// Bytes of one secret, as the real service has it.
const MAX_SECRET: usize = 65_536;

pub(super) fn shown(_: &Call<'_>, world: &World, thing: &Thing, shown: &mut Map<String, Json>) {
    shown.insert("name".into(), format!("projects/{}/secrets/{}", world.gcp.project, thing.name).into());
    shown.insert("createTime".into(), iso8601(thing.made).into());
    shown.insert("etag".into(), "\"practice\"".into());
}

pub(super) fn shown_version(_: &Call<'_>, world: &World, thing: &Thing, shown: &mut Map<String, Json>) {
    shown.remove("data");
    shown.insert(
        "name".into(),
        format!("projects/{}/{}/versions/{}", world.gcp.project, thing.place, thing.name).into(),
    );
    shown.insert("createTime".into(), iso8601(thing.made).into());
}

/// Its versions go with it.
pub(super) fn deleted(world: &mut World, thing: &Thing) -> Result<(), Refusal> {
    let scope = format!("secrets/{}", thing.name);
    let versions: Vec<_> = world.things.of(VERSIONS).filter(|v| *v.place == *scope).map(|v| v.key.clone()).collect();
    versions.iter().for_each(|key| drop(world.things.remove(VERSIONS, key)));
    Ok(())
}

pub(super) fn add_version(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    let data = call.body.pointer("/payload/data").and_then(Json::as_str).ok_or_else(|| bad("payload.data"))?;
    STANDARD.decode(data).ok().filter(|bytes| bytes.len() <= MAX_SECRET).ok_or_else(|| bad("payload.data"))?;
    let scope = format!("secrets/{}", address.name);
    let number = world.things.of(VERSIONS).filter(|v| *v.place == *scope).count() + 1;
    let of = Address::new(&scope, &number.to_string());
    let mut body = Map::new();
    body.insert("data".into(), data.into());
    let state = Lifecycle::settled("ENABLED".into(), call.now);
    let (key, place, name) = (of.key(), scope.into(), of.name.as_str().into());
    world.things.insert(VERSIONS, Thing { key, place, name, made: call.now, state, body });
    version(world, call, &of)
}

fn version(world: &World, call: &Call<'_>, of: &Address) -> Result<Answer, Refusal> {
    let kind = kind("secretmanager", "projects.secrets.versions").ok_or_else(|| bad("name"))?;
    Ok(Answer::ok(view(kind, call, world, super::engine::found(kind, world, call, of)?)))
}

/// What a version holds. Which one is the latest, the engine has asked [`latest`].
pub(super) fn access(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    let thing = world.things.get(VERSIONS, &address.key()).ok_or_else(|| bad("name"))?;
    let state = thing.state.at(call.now);
    if state != "ENABLED" {
        let name = format!("projects/{}/{}/versions/{}", world.gcp.project, thing.place, thing.name);
        return Err(Refusal::new(400, "failedPrecondition", format!("Secret Version [{name}] is in {state} state.")));
    }
    let name = format!("projects/{}/{}/versions/{}", world.gcp.project, thing.place, thing.name);
    Ok(Answer::ok(json!({ "name": name, "payload": { "data": thing.text("data").unwrap_or_default() } })))
}

pub(super) fn set_state(
    world: &mut World,
    call: &mut Call<'_>,
    address: &Address,
    state: &'static str,
) -> Result<Answer, Refusal> {
    let now = call.now;
    let thing = world.things.get_mut(VERSIONS, &address.key()).ok_or_else(|| bad("name"))?;
    if thing.state.at(now) == "DESTROYED" {
        return Err(Refusal::new(400, "failedPrecondition", "The version has been destroyed."));
    }
    thing.state = Lifecycle::settled(state.into(), now);
    if state == "DESTROYED" {
        thing.body.remove("data");
    }
    version(world, call, address)
}

/// The newest version of a secret, by its number.
pub(super) fn latest(world: &World, scope: &str) -> Option<String> {
    world.things.get(SECRETS, &Address::new("", scope.strip_prefix("secrets/")?).key())?;
    let numbers = world.things.of(VERSIONS).filter(|v| *v.place == *scope).filter_map(|v| v.name.parse::<u64>().ok());
    numbers.max().map(|number| number.to_string())
}
