//! Resources whatever their kind: lists over all of them, and their tags.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::address::id;
use super::engine::{next_link, of_id, page};
use super::filter::Filter;
use super::kinds::{GROUP, KINDS, Kind};
use super::own;
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;

/// Resources on a page.
const PAGE: usize = 1000;

pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let (filter, group) = (Filter::of(call)?, call.of_path("resourceGroupName"));
    let bad = || Refusal::new(400, "InvalidParameter", "The $skiptoken is not one of a page.");
    let from: usize = call.of_query("$skiptoken").unwrap_or("0").parse().map_err(|_| bad())?;
    // Children are no resources of their own here.
    let kinds = KINDS.iter().filter(|k| k.name != GROUP && k.name.matches('/').count() == 1);
    let mut rows = kinds
        .flat_map(|kind| world.things.of(kind.name).map(move |thing| (kind, thing)))
        .filter(|(kind, thing)| {
            (group.is_empty() || thing.place.eq_ignore_ascii_case(group))
                && filter.passes(kind.name, &thing.place, &thing.body)
        })
        .skip(from);
    let shown = |(kind, thing): (&Kind, &crate::world::things::Thing)| {
        json!({
            "id": id(&world.azure.subscription, kind, &thing.place, &thing.name),
            "name": thing.name,
            "type": kind.name,
            "location": super::engine::location(thing),
            "tags": thing.body.get("tags").cloned().unwrap_or_else(|| json!({})),
            "provisioningState": "Succeeded",
        })
    };
    let value: Vec<Json> = rows.by_ref().take(PAGE).map(shown).collect();
    let next = rows.next().map(|_| next_link(call, (from + PAGE) as u64));
    Ok(page(value, next))
}

/// The resource that a scope names.
fn scope(world: &World, call: &Call<'_>) -> Result<(&'static Kind, Arc<str>), Refusal> {
    let path = format!("/{}", call.of_path("scope"));
    let found = of_id(world, &path).map(|(kind, thing)| (kind, thing.key.clone()));
    found.ok_or_else(|| Refusal::new(404, "ResourceNotFound", format!("The Resource '{path}' was not found.")))
}

fn shown(call: &Call<'_>, tags: Option<&Json>) -> Answer {
    let tags = tags.cloned().unwrap_or_else(|| json!({}));
    let id = format!("/{}/providers/Microsoft.Resources/tags/default", call.of_path("scope"));
    Answer::ok(
        json!({ "id": id, "name": "default", "type": "Microsoft.Resources/tags", "properties": { "tags": tags } }),
    )
}

pub(super) fn tags(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let (kind, key) = scope(world, call)?;
    Ok(shown(call, world.things.get(kind.name, &key).and_then(|t| t.body.get("tags"))))
}

/// Replaces, merges or deletes tags.
pub(super) fn tag(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let (kind, key) = scope(world, call)?;
    let given = call.body.pointer("/properties/tags").and_then(Json::as_object).cloned().unwrap_or_default();
    let Some(thing) = world.things.get_mut(kind.name, &key) else { return Ok(shown(call, None)) };
    let mut tags: Map<String, Json> = thing.body.get("tags").and_then(Json::as_object).cloned().unwrap_or_default();
    match call.body.get("operation").and_then(Json::as_str).unwrap_or("Replace") {
        "Merge" => tags.extend(given),
        "Delete" => tags.retain(|name, value| given.get(name) != Some(value)),
        "Replace" => tags = given,
        other => return Err(Refusal::new(400, "InvalidTagsOperation", format!("There is no operation '{other}'."))),
    }
    thing.body.insert("tags".into(), Json::Object(tags.clone()));
    Ok(shown(call, Some(&Json::Object(tags))))
}
