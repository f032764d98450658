//! Storage accounts and their containers: keys, endpoints, and whether the public may read.

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::engine::found;
use super::kinds::{Action, Does, Kind, kind};
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::ids::{hash, mix};
use crate::world::things::{Thing, at, set};

const ACCOUNT: &str = "Microsoft.Storage/storageAccounts";

pub(super) const ACTIONS: &[Action] = &[
    Action { method: "POST", word: "listKeys", does: Does::Own(keys) },
    Action { method: "POST", word: "regenerateKey", does: Does::Own(regenerate) },
];

/// Keys that open nothing: they repeat with the account and how often they were made anew.
fn keys(world: &mut World, _: &mut Call<'_>, kind: &Kind, address: &Address) -> Result<Answer, Refusal> {
    let thing = found(kind, world, address)?;
    let key = |name: &str| {
        let round = at(&thing.body, &format!("/rounds/{name}")).and_then(Json::as_u64).unwrap_or(0);
        let number = mix(hash(format!("{}{name}{round}", thing.key).as_bytes()));
        json!({ "keyName": name, "value": format!("practice{number:016x}=="), "permissions": "FULL" })
    };
    Ok(Answer::ok(json!({ "keys": [key("key1"), key("key2")] })))
}

fn regenerate(world: &mut World, call: &mut Call<'_>, kind: &Kind, address: &Address) -> Result<Answer, Refusal> {
    let name = call.body.get("keyName").and_then(Json::as_str).unwrap_or_default();
    if !["key1", "key2"].contains(&name) {
        return Err(Refusal::new(400, "InvalidValuesForRequestParameters", format!("There is no key '{name}'.")));
    }
    let path = format!("/rounds/{name}");
    let round = at(&found(kind, world, address)?.body, &path).and_then(Json::as_u64).unwrap_or(0);
    if let Some(thing) = world.things.get_mut(kind.name, &address.key()) {
        set(&mut thing.body, &path, (round + 1).into());
    }
    keys(world, call, kind, address)
}

pub(super) fn shown(_: &World, thing: &Thing, shown: &mut Map<String, Json>, _: i64) {
    shown.remove("rounds");
    let location = thing.text("location").unwrap_or("westeurope").to_owned();
    set(shown, "/properties/primaryLocation", location.into());
    set(shown, "/properties/creationTime", crate::protocol::time::iso8601(thing.made).into());
    let endpoint = |what: &str| format!("https://{}.{what}.core.windows.net/", thing.name);
    let endpoints = json!({ "blob": endpoint("blob"), "file": endpoint("file"), "queue": endpoint("queue"), "table": endpoint("table") });
    set(shown, "/properties/primaryEndpoints", endpoints);
    // What is asked for flat is shown flat.
    if let Some(name) = at(shown, "/sku/name").and_then(Json::as_str).map(str::to_owned) {
        let tier = name.split('_').next().unwrap_or("Standard").to_owned();
        set(shown, "/sku/tier", tier.into());
    }
}

/// A container is public only where its account lets it be.
pub(super) fn container(
    world: &mut World,
    address: &Address,
    _: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    let account = address.names.first().map_or("", String::as_str);
    let of = Address::new(&address.group, account);
    let open = match (kind(ACCOUNT), world.things.get(ACCOUNT, &of.key())) {
        (_, Some(account)) => at(&account.body, "/properties/allowBlobPublicAccess") == Some(&json!(true)),
        (Some(kind), None) => return Err(super::engine::missing(kind, &of)),
        (None, None) => false,
    };
    let asked = at(body, "/properties/publicAccess").and_then(Json::as_str).unwrap_or("None");
    if asked != "None" && !open {
        let message = "Public access is not permitted on this storage account.";
        return Err(Refusal::new(409, "PublicAccessNotPermitted", message));
    }
    Ok(())
}

/// Names of accounts are names of hosts: each is taken once in all groups.
pub(super) fn name_available(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let name = call.body.get("name").and_then(Json::as_str).unwrap_or_default();
    let plain = (3..=24).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let taken = world.things.of(ACCOUNT).any(|t| t.name.eq_ignore_ascii_case(name));
    Ok(Answer::ok(match (plain, taken) {
        (false, _) => json!({ "nameAvailable": false, "reason": "AccountNameInvalid",
            "message": format!("{name} is not a valid storage account name: 3 to 24 digits and lower-case letters.") }),
        (true, true) => json!({ "nameAvailable": false, "reason": "AlreadyExists",
            "message": format!("The storage account named {name} is already taken.") }),
        (true, false) => json!({ "nameAvailable": true }),
    }))
}
