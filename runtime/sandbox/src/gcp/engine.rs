//! What every kind of resource is asked and told: made, read, listed, changed, labelled, deleted, moved.
//!
//! Knows no kind: a row of [`super::kinds`] says what is special.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::filter::Filter;
use super::kinds::{Action, Does, Family, Kind};
use super::{operations, own};
use crate::protocol::time::iso8601;
use crate::rest::check::{self, Wrong};
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::ids::{hash, mix};
use crate::world::lifecycle::Lifecycle;
use crate::world::things::{GONE, Thing, forget_passwords, merge};

/// Resources on a page that says no number, and most on one that does.
const PAGE: usize = 500;

/// What an operation asks of a kind.
#[derive(Clone, Copy)]
pub(crate) enum Verb {
    Insert,
    Get,
    List,
    Aggregated,
    Patch,
    Delete,
    SetLabels,
    Act(&'static Action),
}

pub(crate) fn serve(
    kind: &'static Kind,
    verb: Verb,
    world: &mut World,
    call: &mut Call<'_>,
) -> Result<Answer, Refusal> {
    own(world, call)?;
    let mut address = Address::of_path(call.raw, kind);
    if address.name == "latest" && kind.noun == "versions" {
        address.name = super::secrets::latest(world, &address.scope).unwrap_or(address.name);
    }
    match verb {
        Verb::Get => Ok(Answer::ok(view(kind, call, world, found(kind, world, call, &address)?))),
        Verb::List => list(kind, world, call, Some(&address.scope)),
        Verb::Aggregated => list(kind, world, call, None),
        Verb::Insert => insert(kind, world, call, address),
        Verb::Patch => change(kind, "patch", world, call, &address, patch),
        Verb::SetLabels => change(kind, "setLabels", world, call, &address, set_labels),
        Verb::Delete => change(kind, "delete", world, call, &address, delete),
        Verb::Act(Action { does: Does::Own(act), .. }) => {
            found(kind, world, call, &address)?;
            act(world, call, &address)
        }
        Verb::Act(Action { word, does: Does::Change(act) }) => {
            let act = *act;
            change(kind, word, world, call, &address, |_, world, call, address| act(world, call, address))
        }
        Verb::Act(Action { word, does: Does::Move { from, via, to, takes } }) => {
            let takes = i64::from(takes(&world.gcp.timing));
            change(kind, word, world, call, &address, |kind, world, call, address| {
                go(kind, world, call, address, (from, via, to, takes))
            })
        }
    }
}

pub(crate) fn bad(what: &str) -> Refusal {
    Refusal::new(400, "invalid", format!("Invalid value for field '{what}'."))
}

/// A resource, or that there is none.
pub(crate) fn found<'w>(
    kind: &Kind,
    world: &'w World,
    call: &Call<'_>,
    address: &Address,
) -> Result<&'w Thing, Refusal> {
    world.things.get(&kind.table(), &address.key()).ok_or_else(|| missing(kind, world, call, address))
}

fn missing(kind: &Kind, world: &World, _: &Call<'_>, address: &Address) -> Refusal {
    let message = format!("The resource '{}' was not found", path(kind, world, address));
    Refusal::new(404, "notFound", message)
}

/// The part of a link that names the resource: `projects/p/zones/z/disks/d`.
pub(crate) fn path(kind: &Kind, world: &World, address: &Address) -> String {
    let Address { scope, name } = address;
    let scope = if scope.is_empty() { String::new() } else { format!("{scope}/") };
    format!("projects/{}/{scope}{}/{name}", world.gcp.project, kind.noun)
}

/// The address of a resource, as others name it.
pub(crate) fn link(kind: &Kind, call: &Call<'_>, world: &World, address: &Address) -> String {
    let base = call.base;
    match kind.service {
        "compute" => format!("{base}/compute/v1/{}", path(kind, world, address)),
        "storage" => format!("{base}/storage/v1/b/{}", address.name),
        "sqladmin" => format!("{base}/sql/v1beta4/{}", path(kind, world, address)),
        _ => format!("{base}/v1/{}", path(kind, world, address)),
    }
}

/// A number of nineteen digits, as Google's are.
pub(crate) fn number(of: &str) -> String {
    (1_000_000_000_000_000_000 + mix(hash(of.as_bytes())) % 8_000_000_000_000_000_000).to_string()
}

/// A resource as its API shows it.
pub(crate) fn view(kind: &Kind, call: &Call<'_>, world: &World, thing: &Thing) -> Json {
    let mut shown: Map<String, Json> = serde_json::from_str(kind.defaults).unwrap_or_default();
    merge(&mut shown, &thing.body);
    let address = Address::new(&thing.place, &thing.name);
    if kind.family == Family::Compute {
        shown.insert("id".into(), number(&format!("{}/{}", kind.collection, thing.key)).into());
        shown.insert("creationTimestamp".into(), iso8601(thing.made).replace('Z', "+00:00").into());
        for (scope, member) in [("zones/", "zone"), ("regions/", "region")] {
            if thing.place.starts_with(scope) {
                let project = &world.gcp.project;
                let place = format!("{}/compute/v1/projects/{project}/{}", call.base, thing.place);
                shown.insert(member.into(), place.into());
            }
        }
        if let Some(Json::Object(labels)) = shown.get("labels") {
            shown.insert("labelFingerprint".into(), fingerprint(labels).into());
        }
    }
    if !kind.kind.is_empty() {
        shown.insert("kind".into(), kind.kind.into());
        shown.insert("name".into(), (*thing.name).into());
        shown.insert("selfLink".into(), link(kind, call, world, &address).into());
    }
    if !kind.state.is_empty() {
        shown.insert(kind.state.into(), thing.state.at(call.now).into());
    }
    (kind.shown)(call, world, thing, &mut shown);
    Json::Object(shown)
}

/// Changes with the labels: who sets them shows that they know what they change.
fn fingerprint(labels: &Map<String, Json>) -> String {
    format!("{:016x}", hash(Json::Object(labels.clone()).to_string().as_bytes()))
}

fn list(kind: &Kind, world: &World, call: &Call<'_>, scope: Option<&str>) -> Result<Answer, Refusal> {
    if call.of_query("orderBy").is_some() {
        return Err(Refusal::new(400, "invalid", "The practice cloud does not know orderBy."));
    }
    let filter = Filter::of(call)?;
    let from: u64 = call.of_query("pageToken").unwrap_or("0").parse().map_err(|_| bad("pageToken"))?;
    let most = call.of_query("maxResults").or_else(|| call.of_query("pageSize"));
    let most = match most {
        Some(most) => most.parse::<usize>().ok().filter(|m| *m > 0).ok_or_else(|| bad("maxResults"))?.min(PAGE),
        None => PAGE,
    };
    let table = kind.table();
    let mut rows = world
        .things
        .after(&table, from)
        .filter(|(_, thing)| scope.is_none_or(|scope| *thing.place == *scope))
        .map(|(number, thing)| (number, &thing.place, view(kind, call, world, thing)))
        .filter(|(.., shown)| filter.passes(shown));
    let shown: Vec<_> = rows.by_ref().take(most).collect();
    let next = rows.next().and(shown.last().map(|(number, ..)| number.to_string()));
    let mut body = Map::new();
    let suffix = if scope.is_none() { "AggregatedList" } else { "List" };
    if !kind.kind.is_empty() {
        let plural =
            if kind.family == Family::Compute { format!("{}{suffix}", kind.kind) } else { format!("{}s", kind.kind) };
        let plural = if kind.family == Family::Sql { "sql#instancesList".to_owned() } else { plural };
        body.insert("kind".into(), plural.into());
    }
    if kind.family == Family::Compute {
        body.insert("id".into(), format!("projects/{}/{}", world.gcp.project, kind.noun).into());
        body.insert("selfLink".into(), format!("{}{}", call.base, call.raw).into());
    }
    let items = match scope {
        Some(_) => Json::Array(shown.into_iter().map(|(.., shown)| shown).collect()),
        None => {
            let mut scopes = Map::new();
            for (_, place, one) in shown {
                let scope = scopes.entry(&**place).or_insert_with(|| json!({ kind.noun: [] }));
                if let Some(list) = scope.get_mut(kind.noun).and_then(Json::as_array_mut) {
                    list.push(one);
                }
            }
            Json::Object(scopes)
        }
    };
    body.insert(kind.items.into(), items);
    if let Some(next) = next {
        body.insert("nextPageToken".into(), next.into());
    }
    Ok(Answer::ok(Json::Object(body)))
}

/// What the catalogue says that a body must be.
fn checked(call: &Call<'_>) -> Result<Map<String, Json>, Refusal> {
    if let Some((service, operation)) = call.description {
        check::body(service, operation, call.body, true).map_err(|wrong| match wrong {
            Wrong::Missing(what) => Refusal::new(400, "required", format!("Required field '{what}' not specified")),
            Wrong::Unknown(what) => {
                let (at, name) = what.rsplit_once('.').unwrap_or(("", &what));
                let at = if at.is_empty() { String::new() } else { format!(" at '{at}'") };
                Refusal::new(
                    400,
                    "badRequest",
                    format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field."),
                )
            }
            Wrong::Type(what, wanted) => {
                Refusal::new(400, "invalid", format!("Invalid value for field '{what}': it is not {wanted}"))
            }
        })?;
    }
    let mut body = call.body.as_object().cloned().unwrap_or_default();
    for own in ["kind", "id", "selfLink", "creationTimestamp", "labelFingerprint", "status", "users"] {
        body.remove(own);
    }
    Ok(body)
}

fn insert(
    kind: &'static Kind,
    world: &mut World,
    call: &mut Call<'_>,
    mut address: Address,
) -> Result<Answer, Refusal> {
    let mut body = checked(call)?;
    let name = (kind.name)(world, call, &body).filter(|name| !name.is_empty());
    address.name = name.ok_or_else(|| Refusal::new(400, "required", "Required field 'resource.name' not specified"))?;
    if kind.family == Family::Compute && !is_name(&address.name) {
        let message =
            "Invalid value for field 'resource.name': must be a match of regex '[a-z]([-a-z0-9]{0,61}[a-z0-9])?'";
        return Err(Refusal::new(400, "invalid", message));
    }
    let request = call.of_query("requestId").map(str::to_owned);
    if let Some(operation) = world.gcp.known(request.as_deref()) {
        return operations::shown(world, call, &operation);
    }
    if world.things.get(&kind.table(), &address.key()).is_some() {
        let message = format!("The resource '{}' already exists", path(kind, world, &address));
        return Err(Refusal::new(409, if kind.service == "storage" { "conflict" } else { "alreadyExists" }, message));
    }
    (kind.before)(world, call, &address, None, &mut body)?;
    let due = keep(kind, world, call, &address, body);
    answer(kind, "insert", world, call, &address, due)
}

/// Makes a resource; says when it is at rest.
pub(crate) fn keep(
    kind: &'static Kind,
    world: &mut World,
    call: &mut Call<'_>,
    address: &Address,
    mut body: Map<String, Json>,
) -> i64 {
    body.remove("name");
    forget_passwords(&mut body);
    let takes = i64::from((kind.takes)(&world.gcp.timing));
    let (rest, via) = kind.states;
    let state = match takes {
        0 => Lifecycle::settled(rest.into(), call.now),
        takes => Lifecycle::moving(via.into(), rest.into(), call.now, takes),
    };
    let (key, place, name) = (address.key(), address.scope.as_str().into(), address.name.as_str().into());
    world.things.insert(&kind.table(), Thing { key: Arc::clone(&key), place, name, made: call.now, state, body });
    call.moved(&key, None, via.into(), Some(rest.into()));
    call.now.saturating_add(takes)
}

fn is_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Changes a resource, once for a request id, and answers as the API does.
fn change(
    kind: &'static Kind,
    word: &str,
    world: &mut World,
    call: &mut Call<'_>,
    address: &Address,
    act: impl FnOnce(&'static Kind, &mut World, &mut Call<'_>, &Address) -> Result<i64, Refusal>,
) -> Result<Answer, Refusal> {
    let request = call.of_query("requestId").map(str::to_owned);
    if let Some(operation) = world.gcp.known(request.as_deref()) {
        return operations::shown(world, call, &operation);
    }
    found(kind, world, call, address)?;
    let due = act(kind, world, call, address)?;
    answer(kind, word, world, call, address, due)
}

fn answer(
    kind: &'static Kind,
    word: &str,
    world: &mut World,
    call: &mut Call<'_>,
    address: &Address,
    due: i64,
) -> Result<Answer, Refusal> {
    if kind.family == Family::Plain {
        return Ok(match world.things.get(&kind.table(), &address.key()) {
            Some(thing) if word != "delete" => Answer::ok(view(kind, call, world, thing)),
            _ if kind.service == "storage" => Answer::of(204, Vec::new()),
            _ => Answer::ok(json!({})),
        });
    }
    let operation = operations::begin(kind, word, world, call, address, due);
    let request = call.of_query("requestId").map(str::to_owned);
    world.gcp.remember(request.as_deref(), &operation);
    operations::shown(world, call, &operation)
}

fn patch(kind: &'static Kind, world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let over = checked(call)?;
    let before = found(kind, world, call, address)?.clone();
    let mut body = before.body.clone();
    merge(&mut body, &over);
    (kind.before)(world, call, address, Some(&before), &mut body)?;
    body.remove("name");
    forget_passwords(&mut body);
    if let Some(thing) = world.things.get_mut(&kind.table(), &address.key()) {
        thing.body = body;
    }
    Ok(call.now)
}

fn set_labels(kind: &'static Kind, world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    checked(call)?;
    let before = found(kind, world, call, address)?;
    let labels = before.body.get("labels").and_then(Json::as_object).cloned().unwrap_or_default();
    let given = call.body.get("labelFingerprint").and_then(Json::as_str).unwrap_or_default();
    // Whoever saw no labels has no print of them.
    if given != fingerprint(&labels) && !(labels.is_empty() && given.is_empty()) {
        let message = "Labels fingerprint either invalid or resource labels have changed";
        return Err(Refusal::new(412, "conditionNotMet", message));
    }
    let labels = call.body.get("labels").cloned().unwrap_or_else(|| json!({}));
    if let Some(thing) = world.things.get_mut(&kind.table(), &address.key()) {
        thing.body.insert("labels".into(), labels);
    }
    Ok(call.now)
}

fn delete(kind: &'static Kind, world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let thing = found(kind, world, call, address)?.clone();
    (kind.deleted)(world, &thing)?;
    let takes = match kind.family {
        Family::Plain => 0,
        _ if kind.state.is_empty() => 0,
        _ => i64::from(world.gcp.timing.terminating),
    };
    let before = thing.state.at(call.now);
    call.moved(&thing.key, Some(before), "deleted".into(), None);
    if takes == 0 {
        world.things.remove(&kind.table(), &thing.key);
        return Ok(call.now);
    }
    let via = if kind.collection == "instances" { "STOPPING" } else { "DELETING" };
    let now = call.now;
    let gone = world.things.get_mut(&kind.table(), &thing.key);
    Ok(gone.map_or(now, |thing| {
        thing.state = Lifecycle::moving(via.into(), GONE.into(), now, takes);
        now.saturating_add(takes)
    }))
}

/// From some states, by way of one, to another; and how long that takes.
type Way = (&'static [&'static str], &'static str, &'static str, i64);

fn go(
    kind: &'static Kind,
    world: &mut World,
    call: &mut Call<'_>,
    address: &Address,
    way: Way,
) -> Result<i64, Refusal> {
    let (from, via, to, takes) = way;
    let (now, key) = (call.now, address.key());
    let Some(thing) = world.things.get_mut(&kind.table(), &key) else { return Err(bad("name")) };
    let before = thing.state.at(now);
    if !from.is_empty() && !from.contains(&&*before) {
        let message = format!("The resource is in state {before}, from which it cannot go to {to}.");
        return Err(Refusal::new(400, "resourceNotReady", message));
    }
    let due = thing.go(via.into(), to.into(), now, takes);
    if before != via && before != to {
        call.moved(&key, Some(before), via.into(), Some(to.into()));
    }
    Ok(due)
}
