//! Instances: what they are asked and told.

use serde_json::{Map, Value as Json, json};

use super::state::{Instance, Status, key};
use super::view;
use crate::rest::{Answer, Call, Handler, Refusal, texts};
use crate::world::World;
use crate::world::lifecycle::Lifecycle;

/// By official name.
pub(super) const OPERATIONS: &[(&str, Handler)] = &[
    ("instances.aggregatedList", aggregated_list),
    ("instances.list", list),
    ("instances.get", get),
    ("instances.start", start),
    ("instances.stop", stop),
    ("instances.setLabels", set_labels),
    ("instances.setMachineType", set_machine_type),
    ("instances.delete", delete),
    ("zoneOperations.get", operation),
];

/// Instances on a page that says no number.
const PAGE: usize = 500;

fn own(world: &World, call: &Call<'_>) -> Result<(), Refusal> {
    let asked = call.of_path("project");
    if asked == world.gcp.project {
        return Ok(());
    }
    Err(Refusal::new(404, "notFound", format!("The resource 'projects/{asked}' was not found")))
}

/// A page of instances, and the token of the next.
fn page<'w>(
    world: &'w World,
    call: &Call<'_>,
    keep: impl Fn(&Instance) -> bool,
) -> Result<(Vec<&'w Instance>, Option<String>), Refusal> {
    own(world, call)?;
    let bad = |what: &str| Refusal::new(400, "invalid", format!("Invalid value for field '{what}'."));
    if call.of_query("filter").is_some() || call.of_query("orderBy").is_some() {
        return Err(Refusal::new(400, "invalid", "The practice cloud does not know filter and orderBy."));
    }
    let from: u64 = call.of_query("pageToken").unwrap_or("0").parse().map_err(|_| bad("pageToken"))?;
    let most: usize = match call.of_query("maxResults") {
        Some(most) => most.parse().ok().filter(|most| (1..=500).contains(most)).ok_or_else(|| bad("maxResults"))?,
        None => PAGE,
    };
    let mut rest = world.gcp.instances.after(from).filter(|(_, instance)| keep(instance));
    let shown: Vec<(u64, &Instance)> = rest.by_ref().take(most).collect();
    let last = shown.last().map(|(number, _)| number.to_string());
    let next = rest.next().and(last);
    Ok((shown.into_iter().map(|(_, instance)| instance).collect(), next))
}

fn aggregated_list(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let (shown, next) = page(world, call, |_| true)?;
    let mut items = Map::new();
    for instance in shown {
        let scope = items.entry(format!("zones/{}", instance.zone)).or_insert_with(|| json!({ "instances": [] }));
        if let Some(list) = scope.get_mut("instances").and_then(Json::as_array_mut) {
            list.push(view::instance(call, &world.gcp.project, instance));
        }
    }
    Ok(answer("compute#instanceAggregatedList", Json::Object(items), next))
}

fn list(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let zone = call.of_path("zone").to_owned();
    let (shown, next) = page(world, call, |instance| instance.zone == zone)?;
    let items = shown.into_iter().map(|instance| view::instance(call, &world.gcp.project, instance)).collect();
    Ok(answer("compute#instanceList", items, next))
}

fn answer(kind: &str, items: Json, next: Option<String>) -> Answer {
    let mut body = json!({ "kind": kind, "id": "practice", "items": items });
    if let (Some(next), Some(body)) = (next, body.as_object_mut()) {
        body.insert("nextPageToken".into(), next.into());
    }
    Answer::ok(body)
}

fn missing(call: &Call<'_>) -> Refusal {
    let (project, zone, name) = (call.of_path("project"), call.of_path("zone"), call.of_path("instance"));
    let message = format!("The resource 'projects/{project}/zones/{zone}/instances/{name}' was not found");
    Refusal::new(404, "notFound", message)
}

fn get(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let found = world.gcp.instances.get(&key(call.of_path("zone"), call.of_path("instance")));
    Ok(Answer::ok(view::instance(call, &world.gcp.project, found.ok_or_else(|| missing(call))?)))
}

/// Begins something on an instance; a request id that came before gets what it got then.
fn begin(
    world: &mut World,
    call: &mut Call<'_>,
    kind: &str,
    act: impl FnOnce(&mut Instance, &mut Call<'_>, &Gear) -> Result<i64, Refusal>,
) -> Result<Answer, Refusal> {
    own(world, call)?;
    let (zone, name) = (call.of_path("zone").to_owned(), call.of_path("instance").to_owned());
    let request = call.of_query("requestId").map(str::to_owned);
    let before = world.gcp.known(request.as_deref());
    let operation = match before {
        Some(operation) => operation,
        None => {
            let gear = Gear { starting: world.gcp.timing.starting.into(), stopping: world.gcp.timing.stopping.into() };
            let instance = world.gcp.instances.get_mut(&key(&zone, &name)).ok_or_else(|| missing(call))?;
            let due = act(instance, call, &gear)?;
            let operation = world.gcp.begin(due);
            world.gcp.remember(request.as_deref(), &operation);
            operation
        }
    };
    shown(world, call, &zone, &operation, kind, &name)
}

/// How long things take, in milliseconds.
struct Gear {
    starting: i64,
    stopping: i64,
}

fn shown(
    world: &World,
    call: &Call<'_>,
    zone: &str,
    operation: &str,
    kind: &str,
    name: &str,
) -> Result<Answer, Refusal> {
    let shown = view::operation(call, &world.gcp.project, zone, operation, kind, name);
    shown
        .map(Answer::ok)
        .ok_or_else(|| Refusal::new(404, "notFound", format!("The operation '{operation}' was not found")))
}

fn operation(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let (zone, operation) = (call.of_path("zone").to_owned(), call.of_path("operation").to_owned());
    shown(world, call, &zone, &operation, "", "")
}

/// Sends an instance to another status; returns when it is there.
fn move_to(instance: &mut Instance, call: &mut Call<'_>, via: Status, to: Status, takes: i64) -> i64 {
    let before = instance.status.at(call.now);
    if before == to {
        return call.now;
    }
    if before == via {
        return instance.status.since(call.now).saturating_add(takes);
    }
    instance.status = Lifecycle::moving(via, to, call.now, takes);
    call.changed(&instance.key.clone(), Some(before.word()), via.word(), Some(to.word()));
    call.now.saturating_add(takes)
}

fn start(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    begin(world, call, "start", |instance, call, gear| {
        Ok(move_to(instance, call, Status::Staging, Status::Running, gear.starting))
    })
}

fn stop(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    begin(world, call, "stop", |instance, call, gear| {
        Ok(move_to(instance, call, Status::Stopping, Status::Terminated, gear.stopping))
    })
}

fn set_labels(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    begin(world, call, "setLabels", |instance, call, _| {
        let known = call.body.get("labelFingerprint").and_then(Json::as_str) == Some(&view::fingerprint(instance));
        if !known {
            let message = "Labels fingerprint either invalid or resource labels have changed";
            return Err(Refusal::new(412, "conditionNotMet", message));
        }
        instance.labels = texts(call.body, "labels").unwrap_or_default();
        Ok(call.now)
    })
}

fn set_machine_type(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    begin(world, call, "setMachineType", |instance, call, _| {
        if instance.status.at(call.now) != Status::Terminated {
            let message = "Instance is starting, stopping or running: it must be stopped to get another machine type.";
            return Err(Refusal::new(400, "resourceNotReady", message));
        }
        let kind = call.body.get("machineType").and_then(Json::as_str).and_then(|url| url.rsplit('/').next());
        let kind = kind.ok_or_else(|| Refusal::new(400, "required", "machineType is needed"))?;
        instance.machine_type = kind.to_owned();
        Ok(call.now)
    })
}

fn delete(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let answer = begin(world, call, "delete", |instance, call, _| {
        if instance.deletion_protection {
            let message = "Resource cannot be deleted if it's protected against deletion.";
            return Err(Refusal::new(400, "resourceInUseByAnotherResource", message));
        }
        let before = instance.status.at(call.now).word();
        call.changed(&instance.key.clone(), Some(before), "deleted", None);
        Ok(call.now)
    })?;
    world.gcp.instances.remove(&key(call.of_path("zone"), call.of_path("instance")));
    Ok(answer)
}
