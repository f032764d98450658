//! What every kind of resource is asked and told: written, read, listed, changed, deleted, moved.
//!
//! Knows no kind: a row of [`super::kinds`] says what is special.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::address::{Address, id};
use super::kinds::{Action, Does, GROUP, Kind, kind};
use super::{operations, own};
use crate::rest::check::{self, Wrong};
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::lifecycle::Lifecycle;
use crate::world::things::{GONE, Thing, forget_passwords, merge, set};

/// Resources on a page.
const PAGE: usize = 100;

/// What a path and a method ask of a kind.
#[derive(Clone, Copy)]
pub(crate) enum Verb {
    Put,
    Get,
    Patch,
    Delete,
    Exists,
    List,
    Act(&'static Action),
}

pub(crate) fn serve(
    kind: &'static Kind,
    verb: Verb,
    world: &mut World,
    call: &mut Call<'_>,
) -> Result<Answer, Refusal> {
    own(world, call)?;
    let mut address = Address::of_path(call.raw);
    if kind.name == GROUP && !address.group.is_empty() {
        address.names = vec![address.group.clone()];
    }
    match verb {
        Verb::List => list(kind, world, call, &address),
        Verb::Get => Ok(Answer::ok(expanded(kind, world, found(kind, world, &address)?, call))),
        Verb::Exists => Ok(Answer::of(if found(kind, world, &address).is_ok() { 204 } else { 404 }, Vec::new())),
        Verb::Put => put(kind, world, call, &address),
        Verb::Patch => patch(kind, world, call, &address),
        Verb::Delete => delete(kind, world, call, &address),
        Verb::Act(action) => act(kind, action, world, call, &address),
    }
}

/// A resource, or that there is none.
pub(crate) fn found<'w>(kind: &Kind, world: &'w World, address: &Address) -> Result<&'w Thing, Refusal> {
    world.things.get(kind.name, &address.key()).ok_or_else(|| missing(kind, address))
}

/// The resource of a full id, where it is one of the table and is there.
pub(crate) fn of_id<'w>(world: &'w World, id: &str) -> Option<(&'static Kind, &'w Thing)> {
    let words: Vec<&str> = id.trim_matches('/').split('/').collect();
    let address = Address::of_path(id);
    let provider = words.iter().position(|w| w.eq_ignore_ascii_case("providers"));
    let (name, address) = match provider.and_then(|at| words.get(at + 1..)) {
        Some([namespace, rest @ ..]) => {
            let types: Vec<&str> = rest.iter().step_by(2).copied().collect();
            (format!("{namespace}/{}", types.join("/")), address)
        }
        _ => (GROUP.to_owned(), Address::new(&address.group, &address.group)),
    };
    let kind = kind(&name)?;
    Some((kind, world.things.get(kind.name, &address.key())?))
}

pub(crate) fn missing(kind: &Kind, address: &Address) -> Refusal {
    let Address { group, names } = address;
    if kind.name == GROUP {
        return Refusal::new(404, "ResourceGroupNotFound", format!("Resource group '{group}' could not be found."));
    }
    let resource = format!("{}/{}", kind.name, names.join("/"));
    let message = format!("The Resource '{resource}' under resource group '{group}' was not found.");
    Refusal::new(404, "ResourceNotFound", message)
}

/// A resource as Resource Manager shows it.
pub(crate) fn view(kind: &Kind, world: &World, thing: &Thing, now: i64) -> Json {
    let mut shown: Map<String, Json> = serde_json::from_str(kind.defaults).unwrap_or_default();
    merge(&mut shown, &thing.body);
    let name = thing.name.rsplit('/').next().unwrap_or_default();
    shown.insert("id".into(), id(&world.azure.subscription, kind, &thing.place, &thing.name).into());
    shown.insert("name".into(), name.into());
    shown.insert("type".into(), kind.name.into());
    set(&mut shown, "/properties/provisioningState", provisioning(kind, thing, now).into());
    (kind.shown)(world, thing, &mut shown, now);
    Json::Object(shown)
}

/// The same with what a machine is doing, where that is asked for.
fn expanded(kind: &Kind, world: &World, thing: &Thing, call: &Call<'_>) -> Json {
    let mut shown = view(kind, world, thing, call.now);
    if kind.name == super::kinds::MACHINE && super::machines::shows_view(call) {
        super::machines::add_view(thing, &mut shown, call.now);
    }
    shown
}

/// Machines and databases have a state of their own; provisioning is what befalls all.
fn provisioning(kind: &Kind, thing: &Thing, now: i64) -> String {
    let state = thing.state.at(now);
    match &*state {
        "deleting" => "Deleting".into(),
        state if state == kind.states.1 && kind.states.0 == "Succeeded" => "Creating".into(),
        _ => "Succeeded".into(),
    }
}

fn list(kind: &Kind, world: &World, call: &Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    let filter = super::filter::Filter::of(call)?;
    let from = call.of_query("$skiptoken").unwrap_or("0").parse();
    let from: u64 = from.map_err(|_| Refusal::new(400, "InvalidParameter", "The $skiptoken is not one of a page."))?;
    let within = format!("{}/", address.names.join("/").to_lowercase());
    let mut rows = world.things.after(kind.name, from).filter(|(_, thing)| {
        (kind.name == GROUP || address.group.is_empty() || thing.place.eq_ignore_ascii_case(&address.group))
            && (address.names.is_empty() || thing.name.to_lowercase().starts_with(&within))
            && filter.passes(kind.name, &thing.place, &thing.body)
    });
    let mut last = from;
    let shown = rows.by_ref().take(PAGE).map(|(number, thing)| {
        last = number;
        expanded(kind, world, thing, call)
    });
    let shown: Vec<Json> = shown.collect();
    let next = rows.next().map(|_| next_link(call, last));
    Ok(page(shown, next))
}

/// A page of a list, with the address of the next where there is one.
pub(crate) fn page(value: Vec<Json>, next: Option<String>) -> Answer {
    Answer::ok(match next {
        Some(next) => json!({ "value": value, "nextLink": next }),
        None => json!({ "value": value }),
    })
}

/// The address of the next page: this one's, with where it goes on.
pub(crate) fn next_link(call: &Call<'_>, last: u64) -> String {
    let mut query: Vec<String> = call
        .query
        .iter()
        .filter(|(name, _)| *name != "$skiptoken")
        .map(|(n, v)| format!("{n}={}", encode(v)))
        .collect();
    query.push(format!("$skiptoken={last}"));
    format!("{}{}?{}", call.base, call.raw, query.join("&"))
}

/// As a query takes a text.
pub(crate) fn encode(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b':');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// What the catalogue says that a body must be.
fn checked(call: &Call<'_>) -> Result<Map<String, Json>, Refusal> {
    if let Some((service, operation)) = call.description {
        check::body(service, operation, call.body, false).map_err(|wrong| match wrong {
            Wrong::Missing(what) if what == "location" => {
                Refusal::new(400, "LocationRequired", "The location property is required for this definition.")
            }
            Wrong::Missing(what) => {
                Refusal::new(400, "InvalidParameter", format!("Required parameter '{what}' is missing (null)."))
            }
            Wrong::Unknown(what) => {
                Refusal::new(400, "InvalidRequestContent", format!("Could not find member '{what}'."))
            }
            Wrong::Type(what, wanted) => Refusal::new(
                400,
                "InvalidRequestContent",
                format!("The request content was invalid: the value of '{what}' is not {wanted}."),
            ),
        })?;
    }
    let mut body = call.body.as_object().cloned().unwrap_or_default();
    for own in ["id", "name", "type", "etag", "systemData", "managedBy"] {
        body.remove(own);
    }
    if let Some(Json::Object(properties)) = body.get_mut("properties") {
        for own in ["provisioningState", "instanceView", "timeCreated", "vmId", "diskState", "uniqueId"] {
            properties.remove(own);
        }
    }
    Ok(body)
}

fn put(kind: &'static Kind, world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    let body = checked(call)?;
    let (thing, made, due) = keep(kind, world, call, address, body)?;
    answer(kind, world, call, &thing, if made { kind.made } else { 200 }, due)
}

/// Makes a resource or replaces its body. Gives its key, whether it is new, and when it is at rest.
pub(crate) fn keep(
    kind: &'static Kind,
    world: &mut World,
    call: &mut Call<'_>,
    address: &Address,
    mut body: Map<String, Json>,
) -> Result<(Arc<str>, bool, i64), Refusal> {
    if kind.name != GROUP && world.things.get(GROUP, &Address::new(&address.group, &address.group).key()).is_none() {
        let message = format!("Resource group '{}' could not be found.", address.group);
        return Err(Refusal::new(404, "ResourceGroupNotFound", message));
    }
    if let Some(parent) = address.parent()
        && let Some(of) = parent_kind(kind)
        && found(of, world, &parent).is_err()
    {
        let message = "Can not perform requested operation on nested resource. Parent resource not found.";
        return Err(Refusal::new(404, "ParentResourceNotFound", message));
    }
    let key = address.key();
    let before = world.things.get(kind.name, &key).cloned();
    (kind.before)(world, address, before.as_ref(), &mut body)?;
    forget_passwords(&mut body);
    let now = call.now;
    if let Some(before) = before {
        // Resource Manager keeps the tags of what is replaced without any.
        if let (false, Some(tags)) = (body.contains_key("tags"), before.body.get("tags")) {
            body.insert("tags".into(), tags.clone());
        }
        if let Some(thing) = world.things.get_mut(kind.name, &key) {
            thing.body = body;
        }
        return Ok((key, false, now));
    }
    let takes = kind.takes.map_or(0, |takes| i64::from(takes(&world.azure.timing)));
    let takes = if kind.name == GROUP { 0 } else { takes };
    let (rest, via) = kind.states;
    let state = if takes > 0 {
        Lifecycle::moving(via.into(), rest.into(), now, takes)
    } else {
        Lifecycle::settled(rest.into(), now)
    };
    let thing = Thing {
        key: Arc::clone(&key),
        place: address.group.as_str().into(),
        name: address.names.join("/").into(),
        made: now,
        state,
        body,
    };
    world.things.insert(kind.name, thing);
    call.moved(&key, None, via.into(), Some(rest.into()));
    Ok((key, true, now.saturating_add(takes)))
}

/// The kind that a nested one lies in; none where that is not one of the table, as blob services.
fn parent_kind(of: &Kind) -> Option<&'static Kind> {
    of.name.rsplit_once('/').and_then(|(parent, _)| kind(parent))
}

/// A resource that was written, with where to ask for its end where that is to come.
fn answer(kind: &Kind, world: &World, call: &Call<'_>, key: &str, status: u16, due: i64) -> Result<Answer, Refusal> {
    let thing = world.things.get(kind.name, key);
    let thing = thing.ok_or_else(|| Refusal::new(409, "Conflict", "It was deleted meanwhile."))?;
    let headers = if due > call.now { operations::headers(world, call, location(thing), due) } else { Vec::new() };
    Ok(Answer { status, headers, body: view(kind, world, thing, call.now) })
}

pub(crate) fn location(thing: &Thing) -> &str {
    thing.text("location").unwrap_or("westeurope")
}

fn patch(kind: &'static Kind, world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    let over = checked(call)?;
    let before = found(kind, world, address)?.clone();
    let mut body = before.body.clone();
    // Tags are replaced whole, not merged.
    if over.contains_key("tags") {
        body.remove("tags");
    }
    merge(&mut body, &over);
    (kind.before)(world, address, Some(&before), &mut body)?;
    forget_passwords(&mut body);
    if let Some(thing) = world.things.get_mut(kind.name, &before.key) {
        thing.body = body;
    }
    answer(kind, world, call, &before.key, 200, call.now)
}

fn delete(kind: &'static Kind, world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<Answer, Refusal> {
    let Ok(thing) = found(kind, world, address) else {
        return if kind.name == GROUP { Err(missing(kind, address)) } else { Ok(Answer::of(204, Vec::new())) };
    };
    let (key, before, place) = (thing.key.clone(), thing.state.at(call.now), location(thing).to_owned());
    if before == "deleting" {
        let due = thing.state.due().unwrap_or(call.now);
        return Ok(operations::accepted(world, call, &place, due));
    }
    (kind.deleted)(world, address)?;
    let takes = kind.takes.map_or(0, |takes| i64::from(takes(&world.azure.timing)));
    call.moved(&key, Some(before), "deleted".into(), None);
    if kind.name == GROUP {
        empty(world, call, &address.group, takes);
    }
    for inner in kinds_within(kind) {
        let within = format!("{key}/");
        let keys: Vec<_> =
            world.things.of(inner).filter(|t| t.key.starts_with(&within)).map(|t| t.key.clone()).collect();
        keys.iter().for_each(|key| drop(world.things.remove(inner, key)));
    }
    if takes == 0 {
        world.things.remove(kind.name, &key);
        return Ok(Answer::of(200, Vec::new()));
    }
    let now = call.now;
    let due = world.things.get_mut(kind.name, &key).map_or(now, |t| t.go("deleting".into(), GONE.into(), now, takes));
    Ok(operations::accepted(world, call, &place, due))
}

/// Kinds that lie in resources of a kind.
fn kinds_within(kind: &'static Kind) -> impl Iterator<Item = &'static str> {
    let within = format!("{}/", kind.name);
    super::kinds::KINDS.iter().map(|k| k.name).filter(move |name| name.starts_with(&within))
}

/// Everything in a group goes with it.
fn empty(world: &mut World, call: &mut Call<'_>, group: &str, takes: i64) {
    for kind in super::kinds::KINDS.iter().filter(|k| k.name != GROUP) {
        for thing in world.things.of_mut(kind.name).filter(|t| t.place.eq_ignore_ascii_case(group)) {
            let before = thing.state.at(call.now);
            thing.go("deleting".into(), GONE.into(), call.now, takes);
            let key = thing.key.clone();
            call.moved(&key, Some(before), "deleted".into(), None);
        }
    }
}

fn act(
    kind: &'static Kind,
    action: &'static Action,
    world: &mut World,
    call: &mut Call<'_>,
    address: &Address,
) -> Result<Answer, Refusal> {
    let (from, via, to, takes) = match &action.does {
        Does::Own(act) => return act(world, call, kind, address),
        Does::Move { from, via, to, takes } => (*from, *via, *to, i64::from(takes(&world.azure.timing))),
    };
    let (now, key) = (call.now, found(kind, world, address)?.key.clone());
    let thing = world.things.get_mut(kind.name, &key).ok_or_else(|| missing(kind, address))?;
    let before = thing.state.at(now);
    if !from.is_empty() && !from.contains(&&*before) {
        let message = format!("Cannot {} '{}': it is {before}.", action.word, thing.name);
        return Err(Refusal::new(409, "OperationNotAllowed", message));
    }
    let place = location(thing).to_owned();
    // Whoever restarts goes back to where they are.
    let due = if before == to && from.contains(&to) {
        thing.state = Lifecycle::moving(via.into(), to.into(), now, takes);
        now.saturating_add(takes)
    } else {
        thing.go(via.into(), to.into(), now, takes)
    };
    if before != via && (before != to || from.contains(&to)) {
        call.moved(&key, Some(before), via.into(), Some(to.into()));
    }
    Ok(operations::accepted(world, call, &place, due))
}
