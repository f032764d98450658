//! Secrets Manager. What a secret holds is in no log.

use serde_json::{Value as Json, json};

use super::engine::{arn, create, key, place, tags_of};
use super::{Kind, Op, PLAIN, Verb, op};
use crate::aws::call::{Call, flag, list, needed, text};
use crate::aws::error::ApiError;
use crate::protocol::Value;
use crate::world::World;
use crate::world::things::Thing;

static SECRET: Kind = Kind {
    table: "secretsmanager/secret",
    shape: "SecretListEntry",
    id: "Name",
    arn: ("ARN", "secret:{}-esCher"),
    tags: "Tags",
    missing: ("ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret."),
    exists: "ResourceExistsException",
    before: |_, _, input, body| {
        let value =
            text(input, "SecretString").ok_or_else(|| ApiError::unsupported("a secret without a SecretString"))?;
        body.insert("(value)".into(), value.into());
        body.insert("(version)".into(), 1.into());
        Ok(())
    },
    shown: |_, _, thing, shown| {
        shown.insert("CreatedDate".into(), super::engine::made(thing));
    },
    ..PLAIN
};

pub(super) static OPERATIONS: &[Op] = &[
    op("CreateSecret", &SECRET, Verb::Own(make)),
    op("ListSecrets", &SECRET, Verb::Own(all)),
    op("DescribeSecret", &SECRET, Verb::Own(describe)),
    op("GetSecretValue", &SECRET, Verb::Own(get)),
    op("PutSecretValue", &SECRET, Verb::Own(put)),
    op("DeleteSecret", &SECRET, Verb::Own(delete)),
];

/// A secret is named by its name or its ARN.
fn named<'w>(input: &Value, world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Thing, ApiError> {
    let id = needed(input, "SecretId")?;
    let name = id.split(":secret:").nth(1).map_or(id, |rest| rest.strip_suffix("-esCher").unwrap_or(rest));
    let key = key(&SECRET, call, name);
    world.things.get_mut(SECRET.table, &key).ok_or_else(|| super::engine::missing(&SECRET, name))
}

/// Looks like a UUID, and repeats.
fn version(thing: &Thing) -> String {
    let number = thing.body.get("(version)").and_then(Json::as_u64).unwrap_or(1);
    let hash = crate::world::ids::hash(format!("{}{number}", thing.key).as_bytes());
    format!("{:08x}-0000-4000-8000-{:012x}", hash >> 32, hash & 0xffff_ffff_ffff)
}

fn make(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let key = create(&SECRET, input, world, call)?;
    let thing = world.things.get(SECRET.table, &key).ok_or_else(|| ApiError::missing("Name"))?;
    Ok(Value::of_json(
        json!({ "ARN": arn(&SECRET, call, &thing.name), "Name": &*thing.name, "VersionId": version(thing) }),
    ))
}

fn all(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    if !list(input, "Filters").is_empty() {
        return Err(ApiError::unsupported("filters of secrets"));
    }
    let here = place(&SECRET, call);
    let found = world.things.of(SECRET.table).filter(|t| t.place == here);
    let found: Vec<Json> = found.map(|t| Json::Object(super::engine::view(&SECRET, world, call, t))).collect();
    Ok(Value::of_json(json!({ "SecretList": found })))
}

fn describe(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let thing = named(input, world, call)?;
    let tags: Vec<Json> = tags_of(thing).iter().map(|(k, v)| json!({ "Key": &**k, "Value": &**v })).collect();
    Ok(Value::of_json(json!({ "ARN": arn(&SECRET, call, &thing.name), "Name": &*thing.name, "Tags": tags,
        "Description": thing.text("Description"), "CreatedDate": super::engine::made(thing), "VersionIdsToStages": { version(thing): ["AWSCURRENT"] } })))
}

fn get(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    if text(input, "VersionStage").is_some_and(|stage| stage != "AWSCURRENT") {
        return Err(super::engine::missing(&SECRET, ""));
    }
    let thing = named(input, world, call)?;
    Ok(Value::of_json(
        json!({ "ARN": arn(&SECRET, call, &thing.name), "Name": &*thing.name, "VersionId": version(thing),
        "SecretString": thing.text("(value)"), "VersionStages": ["AWSCURRENT"], "CreatedDate": super::engine::made(thing) }),
    ))
}

fn put(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let value = needed(input, "SecretString")?.to_owned();
    let thing = named(input, world, call)?;
    let number = thing.body.get("(version)").and_then(Json::as_u64).unwrap_or(1) + 1;
    thing.body.insert("(value)".into(), value.into());
    thing.body.insert("(version)".into(), number.into());
    Ok(Value::of_json(
        json!({ "ARN": arn(&SECRET, call, &thing.name), "Name": &*thing.name, "VersionId": version(thing),
        "VersionStages": ["AWSCURRENT"] }),
    ))
}

/// At once only where that is asked for; the waiting that is AWS's default ends here too.
fn delete(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (key, name) = {
        let thing = named(input, world, call)?;
        (thing.key.clone(), thing.name.clone())
    };
    let wait = if flag(input, "ForceDeleteWithoutRecovery") == Some(true) { 0 } else { 30 * 86_400_000 };
    world.things.remove(SECRET.table, &key);
    Ok(Value::of_json(json!({ "ARN": arn(&SECRET, call, &name), "Name": &*name,
        "DeletionDate": crate::protocol::time::iso8601(call.now + wait) })))
}
