//! RDS: database instances and their snapshots.

use serde_json::{Map, Value as Json, json};

use super::engine::{found, made, named, set_tags, tags_of};
use super::{Kind, Op, PLAIN, Verb, op};
use crate::aws::call::{Call, flag, list, needed, text, texts};
use crate::aws::error::ApiError;
use crate::protocol::Value;
use crate::world::World;
use crate::world::things::Thing;

static INSTANCE: Kind = Kind {
    table: "rds/db",
    shape: "DBInstance",
    id: "DBInstanceIdentifier",
    arn: ("DBInstanceArn", "db:{}"),
    state: "DBInstanceStatus",
    states: ("available", "creating"),
    takes: |t| t.starting,
    tags: "TagList",
    defaults: r#"{"AllocatedStorage":20,"StorageType":"gp2","MultiAZ":false,"BackupRetentionPeriod":1,"PubliclyAccessible":false,
        "DeletionProtection":false,"StorageEncrypted":false,"LicenseModel":"postgresql-license","EngineVersion":"16.3"}"#,
    missing: ("DBInstanceNotFound", 404, "DBInstance {} not found."),
    exists: "DBInstanceAlreadyExists",
    before,
    shown,
    deleted,
    ..PLAIN
};

static SNAPSHOT: Kind = Kind {
    table: "rds/snapshot",
    shape: "DBSnapshot",
    id: "DBSnapshotIdentifier",
    arn: ("DBSnapshotArn", "snapshot:{}"),
    state: "Status",
    states: ("available", "creating"),
    takes: |t| t.snapshot,
    tags: "TagList",
    defaults: r#"{"SnapshotType":"manual","PercentProgress":100,"Encrypted":false}"#,
    missing: ("DBSnapshotNotFound", 404, "DBSnapshot {} not found."),
    exists: "DBSnapshotAlreadyExists",
    before: |world, call, input, body| {
        let of = named(&INSTANCE, needed(input, "DBInstanceIdentifier")?, world, call)?;
        for member in ["Engine", "EngineVersion", "AllocatedStorage", "StorageType"] {
            body.extend(of.body.get(member).map(|value| (member.to_owned(), value.clone())));
        }
        Ok(())
    },
    shown: |_, _, thing, shown| {
        shown.insert("SnapshotCreateTime".into(), made(thing));
    },
    ..PLAIN
};

const GIVES: &str = "DBInstance";

pub(super) static OPERATIONS: &[Op] = &[
    op("CreateDBInstance", &INSTANCE, Verb::Create(GIVES)),
    op("DescribeDBInstances", &INSTANCE, Verb::List("DBInstanceIdentifier", "DBInstances")),
    op("ModifyDBInstance", &INSTANCE, Verb::Own(modify)),
    op("DeleteDBInstance", &INSTANCE, Verb::Delete(GIVES)),
    op(
        "StopDBInstance",
        &INSTANCE,
        Verb::Move { from: &["available"], via: "stopping", to: "stopped", takes: |t| t.stopping, gives: GIVES },
    ),
    op(
        "StartDBInstance",
        &INSTANCE,
        Verb::Move { from: &["stopped"], via: "starting", to: "available", takes: |t| t.starting, gives: GIVES },
    ),
    op(
        "RebootDBInstance",
        &INSTANCE,
        Verb::Move { from: &["available"], via: "rebooting", to: "available", takes: |t| t.starting, gives: GIVES },
    ),
    op("CreateDBSnapshot", &SNAPSHOT, Verb::Create("DBSnapshot")),
    op("DescribeDBSnapshots", &SNAPSHOT, Verb::List("DBSnapshotIdentifier", "DBSnapshots")),
    op("DeleteDBSnapshot", &SNAPSHOT, Verb::Delete("DBSnapshot")),
    op("AddTagsToResource", &INSTANCE, Verb::Own(tag)),
    op("RemoveTagsFromResource", &INSTANCE, Verb::Own(untag)),
    op("ListTagsForResource", &INSTANCE, Verb::Own(tags)),
];

fn before(_: &mut World, call: &Call<'_>, input: &Value, body: &mut Map<String, Json>) -> Result<(), ApiError> {
    needed(input, "Engine")?;
    needed(input, "DBInstanceClass")?;
    body.remove("MasterUserPassword");
    body.entry("AvailabilityZone").or_insert_with(|| format!("{}a", call.region).into());
    Ok(())
}

fn shown(_: &World, call: &Call<'_>, thing: &Thing, shown: &mut Map<String, Json>) {
    shown.insert("InstanceCreateTime".into(), made(thing));
    shown.insert("DbiResourceId".into(), format!("db-{:016X}", crate::world::ids::hash(thing.key.as_bytes())).into());
    let address = format!("{}.practice.{}.rds.amazonaws.com", thing.name, call.region);
    shown.insert("Endpoint".into(), json!({ "Address": address, "Port": 5432 }));
}

fn deleted(_: &World, _: &Call<'_>, thing: &Thing) -> Result<(), ApiError> {
    if thing.body.get("DeletionProtection") == Some(&true.into()) {
        let message = "Cannot delete protected DB Instance, please disable deletion protection and try again.";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    Ok(())
}

/// What is changed at once is changed; what waits for the window is shown as waiting.
fn modify(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let key = found(&INSTANCE, input, world, call)?.key.clone();
    let mut over = super::engine::kept(&INSTANCE, input, call);
    over.remove("DBInstanceIdentifier");
    let later = flag(input, "ApplyImmediately") != Some(true);
    if let Some(thing) = world.things.get_mut(INSTANCE.table, &key) {
        if later && let Some(class) = over.remove("DBInstanceClass") {
            thing.body.insert("PendingModifiedValues".into(), json!({ "DBInstanceClass": class }));
        }
        crate::world::things::merge(&mut thing.body, &over);
    }
    let thing = named(&INSTANCE, text(input, "DBInstanceIdentifier").unwrap_or_default(), world, call)?;
    let shown = super::engine::view(&INSTANCE, world, call, thing);
    Ok(Value::Record(vec![(GIVES.into(), Value::of_json(Json::Object(shown)))]))
}

/// The resource of an ARN.
fn of_arn<'w>(input: &Value, world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Thing, ApiError> {
    let arn = needed(input, "ResourceName")?;
    let mut parts = arn.split(':').skip(5);
    let kind = if parts.next() == Some("snapshot") { &SNAPSHOT } else { &INSTANCE };
    let id = parts.next().unwrap_or(arn);
    let key = super::engine::key(kind, call, id);
    world.things.get_mut(kind.table, &key).ok_or_else(|| super::engine::missing(kind, id))
}

fn tag(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let thing = of_arn(input, world, call)?;
    let mut tags = tags_of(thing);
    tags.extend(
        list(input, "Tags")
            .iter()
            .filter_map(|t| Some((text(t, "Key")?.into(), text(t, "Value").unwrap_or_default().into()))),
    );
    set_tags(thing, &tags);
    Ok(Value::record())
}

fn untag(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (thing, keys) = (of_arn(input, world, call)?, texts(input, "TagKeys"));
    let mut tags = tags_of(thing);
    tags.retain(|key, _| !keys.contains(&&**key));
    set_tags(thing, &tags);
    Ok(Value::record())
}

fn tags(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = of_arn(input, world, call)?.body.get("(tags)").cloned().unwrap_or_default();
    Ok(Value::Record(vec![("TagList".into(), Value::of_json(tags))]))
}
