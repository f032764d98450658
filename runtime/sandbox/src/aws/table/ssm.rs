//! Parameter Store. Secure values are given to who asks for them decrypted, and are in no log.

use serde_json::{Map, Value as Json, json};

use super::engine::{arn, key, named, place};
use super::{Kind, Op, PLAIN, Verb, op};
use crate::aws::call::{Call, flag, list, needed, text, texts};
use crate::aws::error::ApiError;
use crate::protocol::Value;
use crate::world::World;
use crate::world::lifecycle::Lifecycle;
use crate::world::things::Thing;

static PARAMETER: Kind = Kind {
    table: "ssm/parameter",
    shape: "Parameter",
    id: "Name",
    arn: ("ARN", "parameter{}"),
    missing: ("ParameterNotFound", 400, "{}"),
    ..PLAIN
};

pub(super) static OPERATIONS: &[Op] = &[
    op("PutParameter", &PARAMETER, Verb::Own(put)),
    op("GetParameter", &PARAMETER, Verb::Own(get)),
    op("GetParameters", &PARAMETER, Verb::Own(get_some)),
    op("GetParametersByPath", &PARAMETER, Verb::Own(by_path)),
    op("DescribeParameters", &PARAMETER, Verb::Own(describe)),
    op("DeleteParameter", &PARAMETER, Verb::Delete("(nothing)")),
];

fn put(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (name, value) = (needed(input, "Name")?, needed(input, "Value")?);
    let key = key(&PARAMETER, call, name);
    let before = world.things.get(PARAMETER.table, &key);
    if before.is_some() && flag(input, "Overwrite") != Some(true) {
        let message =
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
        return Err(ApiError::new("ParameterAlreadyExists", message));
    }
    let kept = |member: &str, or: &str| {
        let given = text(input, member).map(str::to_owned);
        given.or_else(|| before?.text(member).map(str::to_owned)).unwrap_or_else(|| or.to_owned())
    };
    let version = before.and_then(|b| b.body.get("Version")?.as_u64()).unwrap_or(0) + 1;
    let body = json!({ "Type": kept("Type", "String"), "Value": value, "Version": version, "Description": kept("Description", ""),
        "DataType": "text", "Tier": "Standard", "LastModifiedDate": crate::protocol::time::iso8601(call.now) });
    let thing = Thing {
        key: key.clone(),
        place: place(&PARAMETER, call),
        name: name.into(),
        made: call.now,
        state: Lifecycle::settled("available".into(), call.now),
        body: body.as_object().cloned().unwrap_or_default(),
    };
    world.things.remove(PARAMETER.table, &key);
    world.things.insert(PARAMETER.table, thing);
    Ok(Value::of_json(json!({ "Version": version, "Tier": "Standard" })))
}

/// A parameter; a secure one is shown as it is kept unless it is asked for decrypted.
fn shown(input: &Value, call: &Call<'_>, thing: &Thing) -> Map<String, Json> {
    let mut shown = thing.body.clone();
    shown.retain(|name, _| name != "Description" && name != "Tier");
    shown.insert("Name".into(), (*thing.name).into());
    let path = if thing.name.starts_with('/') { thing.name.to_string() } else { format!("/{}", thing.name) };
    shown.insert("ARN".into(), arn(&PARAMETER, call, &path).into());
    if thing.text("Type") == Some("SecureString") && flag(input, "WithDecryption") != Some(true) {
        shown.insert(
            "Value".into(),
            format!("practice-encrypted:{:016x}", crate::world::ids::hash(thing.key.as_bytes())).into(),
        );
    }
    shown
}

fn get(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = needed(input, "Name")?;
    let thing = named(&PARAMETER, name, world, call)?;
    Ok(Value::of_json(json!({ "Parameter": shown(input, call, thing) })))
}

fn get_some(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for name in texts(input, "Names") {
        match named(&PARAMETER, name, world, call) {
            Ok(thing) => found.push(Json::Object(shown(input, call, thing))),
            Err(_) => invalid.push(name),
        }
    }
    Ok(Value::of_json(json!({ "Parameters": found, "InvalidParameters": invalid })))
}

fn by_path(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let path = needed(input, "Path")?.trim_end_matches('/');
    let deep = flag(input, "Recursive") == Some(true);
    if !list(input, "ParameterFilters").is_empty() {
        return Err(ApiError::unsupported("filters of parameters"));
    }
    let here = place(&PARAMETER, call);
    let below = |name: &str| {
        name.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')).is_some_and(|rest| deep || !rest.contains('/'))
    };
    let found = world.things.of(PARAMETER.table).filter(|t| t.place == here && below(&t.name));
    let found: Vec<Json> = found.map(|thing| Json::Object(shown(input, call, thing))).collect();
    Ok(Value::of_json(json!({ "Parameters": found })))
}

fn describe(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    if !list(input, "ParameterFilters").is_empty() || !list(input, "Filters").is_empty() {
        return Err(ApiError::unsupported("filters of parameters"));
    }
    let here = place(&PARAMETER, call);
    let found = world.things.of(PARAMETER.table).filter(|t| t.place == here).map(|thing| {
        let mut shown = thing.body.clone();
        shown.remove("Value");
        shown.insert("Name".into(), (*thing.name).into());
        Json::Object(shown)
    });
    Ok(Value::of_json(json!({ "Parameters": found.collect::<Vec<_>>() })))
}
