//! What was begun and has not ended, as Compute Engine and Cloud SQL show it.

use serde_json::{Value as Json, json};

use super::address::Address;
use super::engine::{link, number};
use super::kinds::{Family, Kind};
use super::own;
use crate::protocol::time::iso8601;
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::lifecycle::Lifecycle;
use crate::world::things::Thing;

/// Where they are kept.
const TABLE: &str = "gcp/operations";
/// So many are remembered.
const MAX_OPERATIONS: usize = 5_000;
/// Longest wait of one call.
const MAX_WAIT: i64 = 30_000;

/// Notes that something was begun, and when it ends. Gives its name.
pub(super) fn begin(
    kind: &Kind,
    word: &str,
    world: &mut World,
    call: &Call<'_>,
    address: &Address,
    due: i64,
) -> String {
    let name = world.gcp.begin(due);
    let sql = kind.family == Family::Sql;
    let word = if sql { sql_word(word) } else { word };
    let target = link(kind, call, world, address);
    let body = json!({ "operationType": word, "targetLink": target, "target": address.name, "sql": sql });
    let takes = due.saturating_sub(call.now).max(0);
    let state = match takes {
        0 => Lifecycle::settled("DONE".into(), call.now),
        takes => Lifecycle::moving("RUNNING".into(), "DONE".into(), call.now, takes),
    };
    // Oldest first: what ended long ago nobody asks for.
    let full = world.things.of(TABLE).take(MAX_OPERATIONS).count() == MAX_OPERATIONS;
    let oldest = world.things.of(TABLE).next().filter(|_| full).map(|thing| thing.key.clone());
    if let Some(oldest) = oldest {
        world.things.remove(TABLE, &oldest);
    }
    world.things.insert(
        TABLE,
        Thing {
            key: name.as_str().into(),
            place: address.scope.as_str().into(),
            name: name.as_str().into(),
            made: call.now,
            state,
            body: body.as_object().cloned().unwrap_or_default(),
        },
    );
    name
}

fn sql_word(word: &str) -> &'static str {
    match word {
        "insert" => "CREATE",
        "delete" => "DELETE",
        "restart" => "RESTART",
        _ => "UPDATE",
    }
}

/// An operation by its name.
pub(super) fn shown(world: &World, call: &Call<'_>, name: &str) -> Result<Answer, Refusal> {
    let found = world.things.get(TABLE, name).map(|thing| view(world, call, thing));
    found.map(Answer::ok).ok_or_else(|| Refusal::new(404, "notFound", format!("The operation '{name}' was not found")))
}

fn view(world: &World, call: &Call<'_>, thing: &Thing) -> Json {
    let (project, base) = (&world.gcp.project, call.base);
    let (text, done) =
        (|name: &str| thing.text(name).unwrap_or_default(), thing.state.due().is_none_or(|due| call.now >= due));
    let status = if done { "DONE" } else { "RUNNING" };
    let (begun, ended) = (iso8601(thing.made), iso8601(thing.state.since(call.now)));
    let mut shown = if thing.body.get("sql") == Some(&true.into()) {
        json!({
            "kind": "sql#operation",
            "name": thing.name,
            "status": status,
            "operationType": text("operationType"),
            "targetId": text("target"),
            "targetProject": project,
            "targetLink": text("targetLink"),
            "selfLink": format!("{base}/sql/v1beta4/projects/{project}/operations/{}", thing.name),
            "user": "practice",
            "insertTime": begun,
            "startTime": begun,
        })
    } else {
        let mut shown = json!({
            "kind": "compute#operation",
            "id": number(&thing.name),
            "name": thing.name,
            "status": status,
            "operationType": text("operationType"),
            "targetLink": text("targetLink"),
            "targetId": number(text("targetLink")),
            "progress": if done { 100 } else { 0 },
            "user": "practice",
            "insertTime": begun,
            "startTime": begun,
            "selfLink": format!("{base}/compute/v1/projects/{project}/{}/operations/{}", thing.place, thing.name),
        });
        for (scope, member) in [("zones/", "zone"), ("regions/", "region")] {
            if let (true, Some(shown)) = (thing.place.starts_with(scope), shown.as_object_mut()) {
                shown.insert(member.into(), format!("{base}/compute/v1/projects/{project}/{}", thing.place).into());
            }
        }
        shown
    };
    if let (true, Some(shown)) = (done, shown.as_object_mut()) {
        shown.insert("endTime".into(), ended.into());
    }
    shown
}

pub(super) fn get(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let name = call.of_path("operation").to_owned();
    shown(world, call, &name)
}

/// The same, answered when it has ended, or after a while.
pub(super) fn wait(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let name = call.of_path("operation").to_owned();
    let left = world.things.get(TABLE, &name).and_then(|thing| thing.state.due()).map_or(0, |due| due - call.now);
    call.pause = left.clamp(0, MAX_WAIT);
    shown(world, call, &name)
}

pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let (zone, region) = (call.of_path("zone"), call.of_path("region"));
    let sql = !call.raw.starts_with("/compute/");
    let scope = match (zone, region) {
        ("", "") => "global".to_owned(),
        ("", region) => format!("regions/{region}"),
        (zone, _) => format!("zones/{zone}"),
    };
    let mine = world.things.of(TABLE).filter(|t| match sql {
        true => t.body.get("sql") == Some(&true.into()),
        false => t.body.get("sql") != Some(&true.into()) && *t.place == *scope,
    });
    let mut shown: Vec<Json> = mine.map(|thing| view(world, call, thing)).collect();
    shown.reverse();
    shown.truncate(500);
    let kind = if sql { "sql#operationsList" } else { "compute#operationList" };
    Ok(Answer::ok(json!({ "kind": kind, "items": shown })))
}

/// Those of all scopes, by scope.
pub(super) fn aggregated(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let filter = super::filter::Filter::of(call)?;
    let mut scopes = serde_json::Map::new();
    let mine = world.things.of(TABLE).filter(|t| t.body.get("sql") != Some(&true.into()));
    for (place, shown) in mine.map(|t| (&*t.place, view(world, call, t))).filter(|(_, shown)| filter.passes(shown)) {
        let scope = scopes.entry(place).or_insert_with(|| json!({ "operations": [] }));
        if let Some(list) = scope.get_mut("operations").and_then(Json::as_array_mut) {
            list.push(shown);
        }
    }
    Ok(Answer::ok(json!({ "kind": "compute#operationAggregatedList", "items": scopes })))
}
