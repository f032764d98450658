//! Service accounts and their keys. A key of the practice cloud opens nothing: its private part says so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::engine::{bad, number};
use super::kinds::kind;
use crate::protocol::time::iso8601;
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::ids::{hash, mix};
use crate::world::things::Thing;

const ACCOUNTS: &str = "gcp/iam/projects.serviceAccounts";
const KEYS: &str = "gcp/iam/projects.serviceAccounts.keys";

/// The address of the account to be made.
pub(super) fn name(world: &World, _: &Call<'_>, body: &Map<String, Json>) -> Option<String> {
    let id = body.get("accountId")?.as_str()?;
    let plain = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    ((6..=30).contains(&id.len()) && plain).then(|| format!("{id}@{}.iam.gserviceaccount.com", world.gcp.project))
}

pub(super) fn before(
    _: &mut World,
    _: &Call<'_>,
    _: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    // What is made comes wrapped, and so does what is changed.
    for wrapper in ["serviceAccount", "updateMask", "accountId"] {
        if let Some(Json::Object(inner)) = body.remove(wrapper) {
            body.extend(inner);
        }
    }
    if let (Some(was), false) = (was, body.contains_key("displayName")) {
        body.extend(was.body.get("displayName").map(|name| ("displayName".to_owned(), name.clone())));
    }
    Ok(())
}

pub(super) fn shown(_: &Call<'_>, world: &World, thing: &Thing, shown: &mut Map<String, Json>) {
    shown.insert("name".into(), format!("projects/{}/serviceAccounts/{}", world.gcp.project, thing.name).into());
    shown.insert("projectId".into(), world.gcp.project.as_str().into());
    shown.insert("email".into(), (*thing.name).into());
    shown.insert("uniqueId".into(), number(&thing.key).into());
    shown.insert("oauth2ClientId".into(), number(&thing.key).into());
    shown.insert("etag".into(), "MDEwMjE5MjA=".into());
}

/// Its keys go with it.
pub(super) fn deleted(world: &mut World, thing: &Thing) -> Result<(), Refusal> {
    let scope = format!("serviceAccounts/{}", thing.name);
    let keys: Vec<_> = world.things.of(KEYS).filter(|key| *key.place == *scope).map(|key| key.key.clone()).collect();
    keys.iter().for_each(|key| drop(world.things.remove(KEYS, key)));
    Ok(())
}

pub(super) fn enable(world: &mut World, _: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    disabled(world, ACCOUNTS, address, false)
}

pub(super) fn disable(world: &mut World, _: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    disabled(world, ACCOUNTS, address, true)
}

pub(super) fn enable_key(world: &mut World, _: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    disabled(world, KEYS, address, false)
}

pub(super) fn disable_key(world: &mut World, _: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    disabled(world, KEYS, address, true)
}

fn disabled(world: &mut World, table: &str, address: &Address, disabled: bool) -> Result<Answer, Refusal> {
    let thing = world.things.get_mut(table, &address.key()).ok_or_else(|| bad("name"))?;
    match disabled {
        true => drop(thing.body.insert("disabled".into(), true.into())),
        false => drop(thing.body.remove("disabled")),
    }
    Ok(Answer::ok(json!({})))
}

/// A new key's id.
pub(super) fn key_name(world: &World, call: &Call<'_>, _: &Map<String, Json>) -> Option<String> {
    let kind = kind("iam", "projects.serviceAccounts.keys")?;
    let scope = Address::of_path(call.raw, kind).scope;
    let account = Address::new("", scope.rsplit('/').next()?);
    world.things.get(ACCOUNTS, &account.key())?;
    let made = world.things.of(KEYS).filter(|key| *key.place == *scope).count() as u64;
    let seed = hash(format!("{scope}{made}{}", call.now).as_bytes());
    Some(format!("{:016x}{:016x}{:08x}", mix(seed), mix(!seed), mix(seed ^ 1) >> 32))
}

pub(super) fn before_key(
    _: &mut World,
    _: &Call<'_>,
    _: &Address,
    _: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    body.remove("privateKeyType");
    Ok(())
}

pub(super) fn shown_key(call: &Call<'_>, world: &World, thing: &Thing, shown: &mut Map<String, Json>) {
    let account = thing.place.rsplit('/').next().unwrap_or_default();
    let project = &world.gcp.project;
    shown.insert("name".into(), format!("projects/{project}/{}/keys/{}", thing.place, thing.name).into());
    shown.insert("validAfterTime".into(), seconds(thing.made).into());
    shown.insert("validBeforeTime".into(), "9999-12-31T23:59:59Z".into());
    shown.insert("keyAlgorithm".into(), "KEY_ALG_RSA_2048".into());
    shown.insert("keyOrigin".into(), "GOOGLE_PROVIDED".into());
    shown.insert("keyType".into(), "USER_MANAGED".into());
    // The private part is told once: to whoever makes the key.
    if call.description.is_some_and(|(_, operation)| operation.official.ends_with("keys.create")) {
        let file = json!({ "type": "service_account", "project_id": project, "private_key_id": thing.name, "client_email": account,
            "private_key": "a practice key: it opens nothing", "token_uri": format!("{}/token", call.base) });
        shown.insert("privateKeyType".into(), "TYPE_GOOGLE_CREDENTIALS_FILE".into());
        shown.insert("privateKeyData".into(), STANDARD.encode(file.to_string()).into());
    }
}

fn seconds(at: i64) -> String {
    iso8601(at - at.rem_euclid(1000)).replace(".000Z", "Z")
}
