//! What the rows' verbs do, for every kind alike.

use std::sync::Arc;

use escher_catalog::model::ShapeKind;
use serde_json::{Map, Value as Json, json};

use super::{Kind, Op, Verb};
use crate::aws::call::{Call, list, text, texts};
use crate::aws::error::ApiError;
use crate::aws::filter::{Filters, Tags};
use crate::protocol::Value;
use crate::protocol::time::iso8601;
use crate::world::World;
use crate::world::ids::hash;
use crate::world::lifecycle::Lifecycle;
use crate::world::things::{GONE, Thing, merge};

/// Tags that a resource may have.
const MAX_TAGS: usize = 50;
/// Rows of a page that says no number.
const PAGE: usize = 100;

pub(super) fn serve(op: &Op, input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let kind = op.kind;
    match &op.verb {
        Verb::Create(gives) => {
            let key = create(kind, input, world, call)?;
            Ok(given(kind, gives, world, call, &key))
        }
        Verb::List(ids, member) => show(op, input, world, call, ids, member),
        Verb::Get(gives) => {
            let key = found(kind, input, world, call)?.key.clone();
            Ok(given(kind, gives, world, call, &key))
        }
        Verb::Modify(gives) => {
            let key = found(kind, input, world, call)?.key.clone();
            let over = kept(kind, input, call);
            call.proceed(input)?;
            if let Some(thing) = world.things.get_mut(kind.table, &key) {
                merge(&mut thing.body, &over);
            }
            Ok(given(kind, gives, world, call, &key))
        }
        Verb::Delete(gives) => delete(kind, gives, input, world, call),
        Verb::Move { from, via, to, takes, gives } => {
            let thing = found(kind, input, world, call)?;
            let (key, before, now) = (thing.key.clone(), thing.state.at(call.now), call.now);
            if !from.contains(&&*before) {
                let message =
                    format!("{} is not in one of the states {}: it is {before}.", thing.name, from.join(", "));
                return Err(ApiError::new(&format!("Invalid{}State", kind.shape), message));
            }
            call.proceed(input)?;
            let takes = i64::from(takes(&world.aws.timing));
            if let Some(thing) = world.things.get_mut(kind.table, &key) {
                thing.state = Lifecycle::moving((*via).into(), (*to).into(), now, takes);
            }
            let id: Arc<str> = key.rsplit('/').next().unwrap_or_default().into();
            call.moved(&id, Some(before), (*via).into(), Some((*to).into()));
            Ok(given(kind, gives, world, call, &key))
        }
        Verb::Own(handler) => handler(input, world, call),
    }
}

/// Where a kind's resources of this caller are.
pub(super) fn place(kind: &Kind, call: &Call<'_>) -> Arc<str> {
    if kind.global { format!("{}/", call.account).into() } else { format!("{}/{}", call.account, call.region).into() }
}

pub(super) fn key(kind: &Kind, call: &Call<'_>, id: &str) -> Arc<str> {
    format!("{}/{id}", place(kind, call)).into()
}

/// The resource that an input names.
pub(super) fn found<'w>(kind: &Kind, input: &Value, world: &'w World, call: &Call<'_>) -> Result<&'w Thing, ApiError> {
    let id = text(input, kind.id).filter(|id| !id.is_empty()).ok_or_else(|| ApiError::missing(kind.id))?;
    named(kind, id, world, call)
}

/// The resource of an id.
pub(super) fn named<'w>(kind: &Kind, id: &str, world: &'w World, call: &Call<'_>) -> Result<&'w Thing, ApiError> {
    world.things.get(kind.table, &key(kind, call, id)).ok_or_else(|| missing(kind, id))
}

pub(super) fn missing(kind: &Kind, id: &str) -> ApiError {
    let (code, status, sentence) = kind.missing;
    ApiError::new(code, sentence.replace("{}", id)).with_status(status)
}

/// Members of an input that the resource has as well.
pub(super) fn kept(kind: &Kind, input: &Value, call: &Call<'_>) -> Map<String, Json> {
    let Some(ShapeKind::Structure(members)) = call.service.structure(kind.shape).map(|s| &s.kind) else {
        return Map::new();
    };
    let Value::Record(given) = input else { return Map::new() };
    let own = given.iter().filter(|(name, _)| members.iter().any(|m| *m.official == **name));
    own.filter(|(name, _)| name != kind.tags).map(|(name, value)| (name.to_string(), value.json())).collect()
}

/// The tags that a creating call carries, as the list of pairs that resources show.
fn tags(input: &Value) -> Result<Json, ApiError> {
    let specified = list(input, "TagSpecifications").iter().flat_map(|s| list(s, "Tags"));
    let mut tags: Vec<Json> = Vec::new();
    for tag in list(input, "Tags").iter().chain(specified) {
        let key = text(tag, "Key").filter(|k| !k.is_empty()).ok_or_else(|| ApiError::missing("Tags.Key"))?;
        tags.retain(|t| t.get("Key").and_then(Json::as_str) != Some(key));
        tags.push(json!({ "Key": key, "Value": text(tag, "Value").unwrap_or_default() }));
    }
    if tags.len() > MAX_TAGS {
        return Err(ApiError::new("TagLimitExceeded", format!("More than {MAX_TAGS} tags")));
    }
    Ok(tags.into())
}

/// Makes one. Gives its key.
pub(super) fn create(
    kind: &'static Kind,
    input: &Value,
    world: &mut World,
    call: &mut Call<'_>,
) -> Result<Arc<str>, ApiError> {
    let mut body = kept(kind, input, call);
    let id: Arc<str> = match kind.prefix {
        "" => text(input, kind.id).filter(|id| !id.is_empty()).ok_or_else(|| ApiError::missing(kind.id))?.into(),
        prefix => world.ids.next(prefix),
    };
    let key = key(kind, call, &id);
    if world.things.get(kind.table, &key).is_some() {
        return Err(ApiError::new(kind.exists, format!("{id} already exists.")));
    }
    body.insert("(tags)".into(), tags(input)?);
    (kind.before)(world, call, input, &mut body)?;
    call.proceed(input)?;
    let takes = i64::from((kind.takes)(&world.aws.timing));
    let (rest, via) = kind.states;
    let state = match takes {
        0 => Lifecycle::settled(rest.into(), call.now),
        takes => Lifecycle::moving(via.into(), rest.into(), call.now, takes),
    };
    let thing =
        Thing { key: Arc::clone(&key), place: place(kind, call), name: Arc::clone(&id), made: call.now, state, body };
    world.things.insert(kind.table, thing);
    call.moved(&id, None, via.into(), Some(rest.into()));
    Ok(key)
}

/// Makes one, and shows it.
pub(super) fn created(
    kind: &'static Kind,
    input: &Value,
    world: &mut World,
    call: &mut Call<'_>,
) -> Result<Map<String, Json>, ApiError> {
    let key = create(kind, input, world, call)?;
    Ok(world.things.get(kind.table, &key).map(|thing| view(kind, world, call, thing)).unwrap_or_default())
}

/// A resource as its structure shows it.
pub(super) fn view(kind: &Kind, world: &World, call: &Call<'_>, thing: &Thing) -> Map<String, Json> {
    let mut shown: Map<String, Json> = serde_json::from_str(kind.defaults).unwrap_or_default();
    merge(&mut shown, &thing.body);
    let tags = shown.remove("(tags)");
    if let (false, Some(tags)) = (kind.tags.is_empty(), tags) {
        shown.insert(kind.tags.into(), tags);
    }
    shown.insert(kind.id.into(), (*thing.name).into());
    if !kind.state.is_empty() {
        shown.insert(kind.state.into(), thing.state.at(call.now).into());
    }
    if !kind.arn.0.is_empty() {
        shown.insert(kind.arn.0.into(), arn(kind, call, &thing.name).into());
    }
    (kind.shown)(world, call, thing, &mut shown);
    shown.retain(|name, _| !name.starts_with('('));
    shown
}

pub(super) fn arn(kind: &Kind, call: &Call<'_>, id: &str) -> String {
    let (service, region) =
        (kind.table.split('/').next().unwrap_or_default(), if kind.global { "" } else { &call.region });
    format!("arn:aws:{service}:{region}:{}:{}", call.account, kind.arn.1.replace("{}", id))
}

/// What an operation gives of a resource.
fn given(kind: &Kind, gives: &str, world: &World, call: &Call<'_>, key: &str) -> Value {
    let shown = world.things.get(kind.table, key).map(|thing| Json::Object(view(kind, world, call, thing)));
    match (gives, shown) {
        ("(nothing)", _) | (_, None) => Value::record(),
        ("", Some(shown)) => Value::of_json(shown),
        (member, Some(shown)) => Value::Record(vec![(member.to_owned().into(), Value::of_json(shown))]),
    }
}

fn delete(kind: &Kind, gives: &str, input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let thing = found(kind, input, world, call)?;
    let (key, id, before) = (thing.key.clone(), thing.name.clone(), thing.state.at(call.now));
    (kind.deleted)(world, call, thing)?;
    call.proceed(input)?;
    let takes = i64::from((kind.takes)(&world.aws.timing));
    let now = call.now;
    call.moved(&id, Some(before), "deleting".into(), None);
    if takes == 0 {
        let answer = given(kind, gives, world, call, &key);
        world.things.remove(kind.table, &key);
        return Ok(answer);
    }
    if let Some(thing) = world.things.get_mut(kind.table, &key) {
        thing.state = Lifecycle::moving("deleting".into(), GONE.into(), now, takes);
    }
    Ok(given(kind, gives, world, call, &key))
}

/// Some resources, by ids and filters, a page at a time as the catalogue says.
fn show(op: &Op, input: &Value, world: &World, call: &Call<'_>, ids: &str, member: &str) -> Result<Value, ApiError> {
    let kind = op.kind;
    let wanted: Vec<&str> = match input.get(ids) {
        Some(Value::List(_)) => texts(input, ids),
        Some(one) => one.text().into_iter().collect(),
        None => Vec::new(),
    };
    for id in &wanted {
        named(kind, id, world, call)?;
    }
    let described = call.service.operations.iter().find(|o| *o.official == *op.name);
    let paging = described.and_then(|o| o.paging.as_ref());
    let input_token = paging.and_then(|p| p.input_tokens.first()).map_or("NextToken", |t| t);
    let limit = paging.and_then(|p| p.limit_key.as_ref()).and_then(|key| crate::aws::call::int(input, key));
    let limit = limit.map_or(PAGE, |n| usize::try_from(n).unwrap_or(PAGE).clamp(1, 1000));
    let after = match text(input, input_token) {
        Some(token) => token.strip_prefix("escher-").and_then(|t| t.parse::<u64>().ok()),
        None => Some(0),
    };
    let after = after.ok_or_else(|| ApiError::invalid("Unable to parse pagination token"))?;
    let filters = list(input, "Filters").iter().all(|f| f.get("Values").is_some()).then_some(());
    let names: Vec<&str> = list(input, "Filters").iter().filter_map(|f| text(f, "Name")).collect();
    // Whether a kind has a filter says its structure: `group-name` is `GroupName`.
    let known: Vec<&str> = names.iter().copied().filter(|name| has(kind, call, name)).collect();
    let filters = match filters {
        Some(()) => Filters::of(input, &known, &[])?,
        None => return Err(ApiError::unsupported("such filters")),
    };
    let here = place(kind, call);
    let mut rows = world
        .things
        .after(kind.table, after)
        .filter(|(_, thing)| thing.place == here && (wanted.is_empty() || wanted.contains(&&*thing.name)));
    let (mut shown, mut last, mut more) = (Vec::new(), after, false);
    for (number, thing) in rows.by_ref() {
        let view = view(kind, world, call, thing);
        let own: Tags = tags_of(thing);
        let look = |name: &str, test: &dyn Fn(&str) -> bool| match view.get(&pascal(name)) {
            Some(Json::String(text)) => test(text),
            Some(Json::Null) | None => false,
            Some(other) => test(&other.to_string()),
        };
        if !filters.pass(&own, look) {
            continue;
        }
        if shown.len() == limit {
            more = true;
            break;
        }
        last = number;
        shown.push(Value::of_json(Json::Object(view)));
    }
    let mut answer = vec![(member.to_owned().into(), Value::List(shown))];
    if let Some(paging) = paging {
        if let Some(token) = paging.output_tokens.first().filter(|_| more) {
            answer.push((token.to_string().into(), format!("escher-{last}").into()));
        }
        if let Some(flag) = &paging.more_results {
            answer.push((flag.to_string().into(), more.into()));
        }
    }
    Ok(Value::Record(answer))
}

/// `group-name` as members are written: `GroupName`.
fn pascal(name: &str) -> String {
    let part = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    name.split('-').map(part).collect()
}

fn has(kind: &Kind, call: &Call<'_>, name: &str) -> bool {
    match call.service.structure(kind.shape).map(|s| &s.kind) {
        Some(ShapeKind::Structure(members)) => members.iter().any(|m| *m.official == *pascal(name)),
        _ => false,
    }
}

/// The tags of a thing.
pub(super) fn tags_of(thing: &Thing) -> Tags {
    let tags = thing.body.get("(tags)").and_then(Json::as_array).into_iter().flatten();
    tags.filter_map(|t| Some((t.get("Key")?.as_str()?.into(), t.get("Value")?.as_str()?.into()))).collect()
}

/// Sets the tags of a thing.
pub(super) fn set_tags(thing: &mut Thing, tags: &Tags) {
    let list = tags.iter().map(|(k, v)| json!({ "Key": &**k, "Value": &**v }));
    thing.body.insert("(tags)".into(), list.collect());
}

/// An address from 198.18.0.0/15, which is for tests and routed nowhere.
pub(super) fn address(of: &str) -> String {
    let [.., b, c, d] = hash(of.as_bytes()).to_be_bytes();
    format!("198.{}.{c}.{d}", 18 + (b & 1))
}

/// When a thing was made, as members show it.
pub(super) fn made(thing: &Thing) -> Json {
    iso8601(thing.made).into()
}
