//! IAM: users and their access keys. A key of the practice cloud opens nothing.

use serde_json::{Map, Value as Json};

use super::engine::{create, found, made, named, view};
use super::{Kind, Op, PLAIN, Verb, op};
use crate::aws::call::{Call, needed};
use crate::aws::error::ApiError;
use crate::protocol::Value;
use crate::world::World;
use crate::world::ids::{hash, mix};
use crate::world::things::Thing;

static USER: Kind = Kind {
    table: "iam/user",
    shape: "User",
    id: "UserName",
    arn: ("Arn", "user/{}"),
    tags: "Tags",
    defaults: r#"{"Path":"/"}"#,
    global: true,
    missing: ("NoSuchEntity", 404, "The user with name {} cannot be found."),
    exists: "EntityAlreadyExists",
    shown: |_, _, thing, shown| {
        shown.insert("UserId".into(), id("AIDA", &thing.key).into());
        shown.insert("CreateDate".into(), made(thing));
    },
    deleted: |world, call, thing| {
        if keys_of(world, call, &thing.name).next().is_some() {
            return Err(ApiError::new("DeleteConflict", "Cannot delete entity, must delete access keys first.")
                .with_status(409));
        }
        Ok(())
    },
    ..PLAIN
};

static KEY: Kind = Kind {
    table: "iam/key",
    shape: "AccessKeyMetadata",
    id: "AccessKeyId",
    global: true,
    defaults: r#"{"Status":"Active"}"#,
    missing: ("NoSuchEntity", 404, "The Access Key with id {} cannot be found"),
    shown: |_, _, thing, shown| {
        shown.insert("CreateDate".into(), made(thing));
    },
    ..PLAIN
};

pub(super) static OPERATIONS: &[Op] = &[
    op("CreateUser", &USER, Verb::Create("User")),
    op("GetUser", &USER, Verb::Get("User")),
    op("ListUsers", &USER, Verb::List("(none)", "Users")),
    op("DeleteUser", &USER, Verb::Delete("(nothing)")),
    op("CreateAccessKey", &KEY, Verb::Own(create_key)),
    op("ListAccessKeys", &KEY, Verb::Own(list_keys)),
    op("UpdateAccessKey", &KEY, Verb::Modify("(nothing)")),
    op("DeleteAccessKey", &KEY, Verb::Delete("(nothing)")),
    op("GetAccessKeyLastUsed", &KEY, Verb::Own(last_used)),
];

/// Twenty letters, as AWS's ids of people and keys have them.
fn id(prefix: &str, of: &str) -> String {
    format!("{prefix}{:016X}", mix(hash(of.as_bytes())))
}

fn keys_of<'w>(world: &'w World, call: &Call<'_>, user: &str) -> impl Iterator<Item = &'w Thing> {
    let (place, user) = (super::engine::place(&KEY, call), user.to_owned());
    world.things.of(KEY.table).filter(move |key| key.place == place && key.text("UserName") == Some(user.as_str()))
}

fn create_key(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let user = needed(input, "UserName")?;
    named(&USER, user, world, call)?;
    if keys_of(world, call, user).count() >= 2 {
        let message = "Cannot exceed quota for AccessKeysPerUser: 2";
        return Err(ApiError::new("LimitExceeded", message).with_status(409));
    }
    let number = world.ids.next("");
    let input = Value::Record(vec![
        ("UserName".into(), user.to_owned().into()),
        ("AccessKeyId".into(), id("AKIA", &number).into()),
    ]);
    let key = create(&KEY, &input, world, call)?;
    let thing = world.things.get(KEY.table, &key).ok_or_else(|| ApiError::missing("UserName"))?;
    let mut shown: Map<String, Json> = view(&KEY, world, call, thing);
    shown.insert("SecretAccessKey".into(), format!("practice{:032x}", hash(number.as_bytes())).into());
    Ok(Value::Record(vec![("AccessKey".into(), Value::of_json(Json::Object(shown)))]))
}

fn list_keys(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let user = needed(input, "UserName")?;
    named(&USER, user, world, call)?;
    let keys = keys_of(world, call, user).map(|key| Value::of_json(Json::Object(view(&KEY, world, call, key))));
    Ok(Value::Record(vec![
        ("AccessKeyMetadata".into(), Value::List(keys.collect())),
        ("IsTruncated".into(), false.into()),
    ]))
}

fn last_used(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let user = found(&KEY, input, world, call)?.text("UserName").unwrap_or_default().to_owned();
    let never = vec![("ServiceName".into(), Value::Word("N/A")), ("Region".into(), Value::Word("N/A"))];
    Ok(Value::Record(vec![("UserName".into(), user.into()), ("AccessKeyLastUsed".into(), Value::Record(never))]))
}
