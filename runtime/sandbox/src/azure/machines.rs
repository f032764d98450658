//! Virtual machines: what they are asked and told.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::state::{Machine, Power, key};
use super::{own, view};
use crate::rest::{Answer, Call, Handler, Refusal, texts};
use crate::world::World;
use crate::world::lifecycle::Lifecycle;

/// By official name.
pub(super) const OPERATIONS: &[(&str, Handler)] = &[
    ("VirtualMachines.ListAll", list_all),
    ("VirtualMachines.List", list),
    ("VirtualMachines.Get", get),
    ("VirtualMachines.InstanceView", instance_view),
    ("VirtualMachines.Start", start),
    ("VirtualMachines.PowerOff", power_off),
    ("VirtualMachines.Deallocate", deallocate),
    ("VirtualMachines.Restart", restart),
    ("VirtualMachines.Update", update),
    ("VirtualMachines.Delete", delete),
];

/// Machines on a page.
const PAGE: usize = 100;

fn list_all(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    page(world, call, |_| true)
}

fn list(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let group = call.of_path("resourceGroupName").to_owned();
    page(world, call, |machine| machine.group.eq_ignore_ascii_case(&group))
}

fn page(world: &World, call: &Call<'_>, keep: impl Fn(&Machine) -> bool) -> Result<Answer, Refusal> {
    own(world, call)?;
    if call.of_query("$filter").is_some() {
        return Err(Refusal::new(400, "InvalidParameter", "The practice cloud does not know $filter."));
    }
    let from = call.of_query("$skiptoken").unwrap_or("0").parse();
    let from: u64 = from.map_err(|_| Refusal::new(400, "InvalidParameter", "The $skiptoken is not one of a page."))?;
    let now = shows_view(call).then_some(call.now);
    let mut found = world.azure.machines.after(from).filter(|(_, machine)| keep(machine));
    let mut last = from;
    let value: Vec<Json> = found
        .by_ref()
        .take(PAGE)
        .map(|(number, machine)| {
            last = number;
            view::machine(&world.azure.subscription, machine, now)
        })
        .collect();
    let mut body = json!({ "value": value });
    if found.next().is_some()
        && let Some(body) = body.as_object_mut()
    {
        let path = match call.path.get("resourceGroupName") {
            Some(group) => format!("resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines"),
            None => "providers/Microsoft.Compute/virtualMachines".into(),
        };
        let version = call.of_query("api-version").unwrap_or_default();
        let view = if now.is_some() { "&$expand=instanceView" } else { "" };
        let (base, subscription) = (call.base, &world.azure.subscription);
        let link = format!("{base}/subscriptions/{subscription}/{path}?api-version={version}{view}&$skiptoken={last}");
        body.insert("nextLink".into(), link.into());
    }
    Ok(Answer::ok(body))
}

fn shows_view(call: &Call<'_>) -> bool {
    call.of_query("$expand").is_some_and(|e| e.eq_ignore_ascii_case("instanceView"))
        || call.of_query("statusOnly") == Some("true")
}

fn key_of(call: &Call<'_>) -> Arc<str> {
    key(call.of_path("resourceGroupName"), call.of_path("vmName"))
}

fn missing(call: &Call<'_>) -> Refusal {
    let (group, name) = (call.of_path("resourceGroupName"), call.of_path("vmName"));
    let resource = format!("Microsoft.Compute/virtualMachines/{name}");
    let message = format!("The Resource '{resource}' under resource group '{group}' was not found.");
    Refusal::new(404, "ResourceNotFound", message)
}

fn get(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let machine = world.azure.machines.get(&key_of(call)).ok_or_else(|| missing(call))?;
    let now = shows_view(call).then_some(call.now);
    Ok(Answer::ok(view::machine(&world.azure.subscription, machine, now)))
}

fn instance_view(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let machine = world.azure.machines.get(&key_of(call)).ok_or_else(|| missing(call))?;
    Ok(Answer::ok(view::instance_view(machine, call.now)))
}

/// Sends a machine from one power to another; one that is there already stays as it is.
fn move_to(world: &mut World, call: &mut Call<'_>, via: Power, to: Power, takes: i64) -> Result<Answer, Refusal> {
    own(world, call)?;
    let machine = world.azure.machines.get_mut(&key_of(call)).ok_or_else(|| missing(call))?;
    let before = machine.power.at(call.now);
    let location = machine.location.clone();
    // Whoever asks again for what is under way waits for the same end.
    let due = match (before == to, before == via) {
        (true, _) => call.now,
        (_, true) => machine.power.since(call.now).saturating_add(takes),
        _ => {
            machine.power = Lifecycle::moving(via, to, call.now, takes);
            let key = machine.key.clone();
            call.changed(&key, Some(before.word()), via.word(), Some(to.word()));
            call.now.saturating_add(takes)
        }
    };
    Ok(accepted(world, call, &location, due))
}

/// It was begun, and there is where to ask.
fn accepted(world: &World, call: &Call<'_>, location: &str, due: i64) -> Answer {
    let (base, subscription) = (call.base, &world.azure.subscription);
    let version = call.of_query("api-version").unwrap_or_default();
    let url = format!(
        "{base}/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/operations/{due:x}?api-version={version}"
    );
    let headers = vec![
        ("azure-asyncoperation", url.clone()),
        ("location", format!("{url}&monitor=true")),
        ("retry-after", "1".to_owned()),
    ];
    Answer::of(202, headers)
}

/// How far something is that was begun: its name says when it ends.
pub(super) fn operation(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let due = i64::from_str_radix(call.of_path("id"), 16);
    let due = due.map_err(|_| Refusal::new(404, "NotFound", "There is no such operation."))?;
    let ended = call.now >= due;
    if call.of_query("monitor").is_some() {
        return Ok(Answer::of(
            if ended { 200 } else { 202 },
            if ended { vec![] } else { vec![("retry-after", "1".into())] },
        ));
    }
    let status = if ended { "Succeeded" } else { "InProgress" };
    let mut answer = Answer::ok(json!({ "name": call.of_path("id"), "status": status }));
    if !ended {
        answer.headers.push(("retry-after", "1".into()));
    }
    Ok(answer)
}

fn start(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let takes = world.azure.timing.starting.into();
    move_to(world, call, Power::Starting, Power::Running, takes)
}

fn power_off(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let takes = world.azure.timing.stopping.into();
    move_to(world, call, Power::Stopping, Power::Stopped, takes)
}

fn deallocate(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let takes = world.azure.timing.stopping.into();
    move_to(world, call, Power::Deallocating, Power::Deallocated, takes)
}

fn restart(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let takes = i64::from(world.azure.timing.starting);
    let machine = world.azure.machines.get_mut(&key_of(call)).ok_or_else(|| missing(call))?;
    let before = machine.power.at(call.now);
    if before != Power::Running {
        let message = "The virtual machine is not running: it can't be restarted.";
        return Err(Refusal::new(409, "OperationNotAllowed", message));
    }
    machine.power = Lifecycle::moving(Power::Starting, Power::Running, call.now, takes);
    let (key, location) = (machine.key.clone(), machine.location.clone());
    call.changed(&key, Some(before.word()), "starting", Some("running"));
    let due = call.now.saturating_add(takes);
    Ok(accepted(world, call, &location, due))
}

fn update(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let now = call.now;
    let machine = world.azure.machines.get_mut(&key_of(call)).ok_or_else(|| missing(call))?;
    if let Some(tags) = texts(call.body, "tags") {
        machine.tags = tags;
    }
    let size = call.body.pointer("/properties/hardwareProfile/vmSize").and_then(Json::as_str);
    if let Some(size) = size.filter(|size| **size != *machine.size) {
        if machine.power.at(now) != Power::Deallocated {
            let message = "A practice machine must be deallocated before it gets another size.";
            return Err(Refusal::new(409, "OperationNotAllowed", message));
        }
        machine.size = size.to_owned();
    }
    Ok(Answer::ok(view::machine(&world.azure.subscription, machine, None)))
}

fn delete(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let Some(machine) = world.azure.machines.remove(&key_of(call)) else { return Ok(Answer::of(204, Vec::new())) };
    let before = machine.power.at(call.now).word();
    call.changed(&machine.key, Some(before), "deleted", None);
    let due = call.now;
    Ok(accepted(world, call, &machine.location, due))
}
