//! Buckets of Cloud Storage: names that all the world shares, and who may read.

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::engine::bad;
use crate::protocol::time::iso8601;
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::things::{Thing, at, set};

const TABLE: &str = "gcp/storage/buckets";

/// A new one says whose it is, and has a name that a host could have.
pub(super) fn before(
    world: &mut World,
    call: &Call<'_>,
    address: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    if was.is_none() {
        let name = &address.name;
        let plain =
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
        if !(3..=222).contains(&name.len()) || !plain {
            return Err(Refusal::new(400, "invalid", format!("Invalid bucket name: '{name}'")));
        }
        if call.of_query("project") != Some(world.gcp.project.as_str()) {
            return Err(Refusal::new(400, "required", "Required parameter: project"));
        }
        if let Some(location) = at(body, "location").and_then(Json::as_str).map(str::to_uppercase) {
            let kind = if ["US", "EU", "ASIA"].contains(&&*location) { "multi-region" } else { "region" };
            body.insert("location".into(), location.into());
            body.insert("locationType".into(), kind.into());
        }
    }
    // Both names are of one setting.
    for (from, to) in
        [("uniformBucketLevelAccess", "bucketPolicyOnly"), ("bucketPolicyOnly", "uniformBucketLevelAccess")]
    {
        let given = call.body.pointer(&format!("/iamConfiguration/{from}/enabled")).cloned();
        if let Some(enabled) = given {
            set(body, &format!("/iamConfiguration/{to}/enabled"), enabled);
        }
    }
    let generation = was.and_then(|was| at(&was.body, "metageneration")?.as_str()?.parse::<u64>().ok()).unwrap_or(0);
    body.insert("metageneration".into(), (generation + 1).to_string().into());
    Ok(())
}

pub(super) fn shown(_: &Call<'_>, _: &World, thing: &Thing, shown: &mut Map<String, Json>) {
    shown.insert("id".into(), (*thing.name).into());
    shown.insert("projectNumber".into(), "100000000001".into());
    shown.insert("timeCreated".into(), iso8601(thing.made).into());
    shown.insert("updated".into(), iso8601(thing.made).into());
    shown.insert("etag".into(), format!("CA{}=", thing.text("metageneration").unwrap_or("1")).into());
    shown.remove("policy");
}

pub(super) fn policy(world: &mut World, _: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    let thing = world.things.get(TABLE, &address.key()).ok_or_else(|| bad("bucket"))?;
    Ok(Answer::ok(shown_policy(thing)))
}

fn shown_policy(thing: &Thing) -> Json {
    let bindings = at(&thing.body, "policy").cloned().unwrap_or_else(|| {
        json!([{ "role": "roles/storage.legacyBucketOwner", "members": ["projectOwner:practice", "projectEditor:practice"] }])
    });
    json!({ "kind": "storage#policy", "resourceId": format!("projects/_/buckets/{}", thing.name), "version": 1, "etag": "CAE=", "bindings": bindings })
}

/// Public access is granted only where nothing prevents it.
pub(super) fn set_policy(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    let bindings = call.body.get("bindings").cloned().unwrap_or_else(|| json!([]));
    let thing = world.things.get_mut(TABLE, &address.key()).ok_or_else(|| bad("bucket"))?;
    let public = bindings.to_string();
    let public = public.contains("\"allUsers\"") || public.contains("\"allAuthenticatedUsers\"");
    if public && thing.text("/iamConfiguration/publicAccessPrevention") == Some("enforced") {
        let message = "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.";
        return Err(Refusal::new(412, "conditionNotMet", message));
    }
    thing.body.insert("policy".into(), bindings);
    Ok(Answer::ok(shown_policy(thing)))
}
