//! What each operation does to the world. A call in no table is refused: a storm must not pass because nothing happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use escher_ir::value::Record;
use escher_ir::{Target, Value};
use escher_provider::{CallError, ErrorKind, Polled, Request, Sent};
use tokio::time::Instant;

use super::trouble;
use super::world::{Snapshot, Volume, World};

type Answered = Result<Value, CallError>;

fn refused(kind: ErrorKind, code: &str) -> CallError {
    trouble(kind, code, Sent::Refused)
}

fn text<'a>(request: &'a Request, name: &str) -> &'a str {
    request.arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn texts(request: &Request, name: &str) -> Vec<String> {
    let list = request.arguments.get(name).and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_string).collect()
}

/// Whether a thing passes the request's filters; one that is not known lets nothing through.
fn passes(request: &Request, of: &dyn Fn(&str) -> Option<String>) -> bool {
    let filters = request.arguments.get("filters").and_then(Value::as_list).unwrap_or_default();
    filters.iter().all(|filter| {
        let Some(filter) = filter.as_record() else { return false };
        let name = filter.get("name").and_then(Value::as_str).unwrap_or_default();
        let values = filter.get("values").and_then(Value::as_list).unwrap_or_default();
        of(name).is_some_and(|found| values.iter().any(|v| v.as_str() == Some(&found)))
    })
}

fn shaped(shape: &str, target: &Arc<Target>, members: Vec<(&str, Value)>) -> Value {
    let mut record = Record::of(members.into_iter().map(|(n, v)| (Arc::from(n), v)));
    let shape = if shape.contains('.') { shape.to_string() } else { format!("aws.ec2.{shape}") };
    record.shape = Some(Arc::from(shape));
    record.target = Some(target.clone());
    Value::Record(Arc::new(record))
}

fn tags(tags: &BTreeMap<String, String>) -> Value {
    Value::map(tags.iter().map(|(k, v)| (k.as_str(), Value::text(v))))
}

/// The member that holds the items, and the items.
pub(super) fn read(world: &mut World, request: &Request) -> Result<(&'static str, Vec<Value>), CallError> {
    let target = &request.target;
    let asked = |name: &str, id: &str| {
        let ids = texts(request, name);
        ids.is_empty() || ids.iter().any(|known| known == id)
    };
    match &*request.record.operation.name {
        "describe_instances" => {
            let found = world.machines.iter().filter(|(id, m)| {
                id.starts_with("i-")
                    && asked("instance_ids", id)
                    && passes(request, &|name| match name {
                        "instance-state-name" => Some(m.state().to_string()),
                        _ => m.tags.get(name.strip_prefix("tag:")?).cloned(),
                    })
            });
            let machines = found.map(|(id, m)| {
                let state = shaped("InstanceState", target, vec![("name", Value::text(m.state()))]);
                let members = vec![
                    ("instance_id", Value::text(id)),
                    ("instance_type", Value::text(&m.kind)),
                    ("state", state),
                    ("tags", tags(&m.tags)),
                ];
                let machine = shaped("Instance", target, members);
                shaped("Reservation", target, vec![("instances", Value::list(vec![machine]))])
            });
            Ok(("reservations", machines.collect()))
        }
        "virtual_machines.list_all" => {
            let found = world.machines.iter().filter(|(id, _)| id.starts_with("az-"));
            let machines = found.map(|(id, _)| {
                let path =
                    format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/{id}");
                shaped(
                    "azure.compute.VirtualMachine",
                    target,
                    vec![("id", Value::text(path)), ("name", Value::text(id))],
                )
            });
            Ok(("value", machines.collect()))
        }
        "instances.list" => {
            let found = world.machines.iter().filter(|(id, _)| id.starts_with("gc-"));
            let machines = found.map(|(id, m)| {
                let link = format!("https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/{id}");
                let status = if m.state() == "running" { "RUNNING" } else { "TERMINATED" };
                let members = vec![
                    ("name", Value::text(id)),
                    ("id", Value::text(id)),
                    ("self_link", Value::text(link)),
                    ("status", Value::text(status)),
                ];
                shaped("gcp.compute.Instance", target, members)
            });
            Ok(("items", machines.collect()))
        }
        "describe_volumes" => {
            let found = world.volumes.iter().filter(|(id, v)| {
                asked("volume_ids", id) && passes(request, &|name| v.tags.get(name.strip_prefix("tag:")?).cloned())
            });
            let volumes = found.map(|(id, v)| {
                let members = vec![
                    ("volume_id", Value::text(id)),
                    ("state", Value::text("available")),
                    ("availability_zone", Value::text("eu-central-1a")),
                    ("tags", tags(&v.tags)),
                ];
                shaped("Volume", target, members)
            });
            Ok(("volumes", volumes.collect()))
        }
        "describe_snapshots" => {
            let found = world.snapshots.iter().filter(|(id, s)| {
                asked("snapshot_ids", id)
                    && passes(request, &|name| match name {
                        "volume-id" => Some(s.volume.clone()),
                        "description" => Some(s.description.clone()),
                        _ => None,
                    })
            });
            Ok(("snapshots", found.map(|(id, s)| snapshot(target, id, s)).collect()))
        }
        other => Err(refused(ErrorKind::Invalid, &format!("Unknown.{other}"))),
    }
}

fn snapshot(target: &Arc<Target>, id: &str, snapshot: &Snapshot) -> Value {
    let state = if Instant::now() >= snapshot.ready { "completed" } else { "pending" };
    let members = vec![
        ("snapshot_id", Value::text(id)),
        ("volume_id", Value::text(&snapshot.volume)),
        ("description", Value::text(&snapshot.description)),
        ("state", Value::text(state)),
    ];
    shaped("Snapshot", target, members)
}

/// What a waiter of this name finds.
pub(super) fn poll(world: &mut World, waiter: &str, request: &Request) -> Result<Polled, CallError> {
    let wanted = match waiter {
        "instance_stopped" => "stopped",
        "instance_running" => "running",
        "snapshot_completed" => {
            let ready = |id: &String| world.snapshots.get(id).is_some_and(|s| Instant::now() >= s.ready);
            let all = texts(request, "snapshot_ids").iter().all(ready);
            return Ok(if all { Polled::Holds } else { Polled::NotYet });
        }
        other => return Err(refused(ErrorKind::Invalid, &format!("Waiter.{other}"))),
    };
    let ids = texts(request, "instance_ids");
    let states = ids.iter().map(|id| world.machines.get(id).map_or("terminated", super::world::Machine::state));
    for state in states {
        if state == "terminated" {
            return Ok(Polled::Failed("a machine is gone".into()));
        }
        if state != wanted {
            return Ok(Polled::NotYet);
        }
    }
    Ok(Polled::Holds)
}

/// Does what is asked, or refuses it whole.
pub(super) fn change(world: &mut World, request: &Request) -> Answered {
    let target = request.target.clone();
    match &*request.record.operation.name {
        "stop_instances" => power(world, &texts(request, "instance_ids"), "stopped"),
        "start_instances" => power(world, &texts(request, "instance_ids"), "running"),
        "terminate_instances" => power(world, &texts(request, "instance_ids"), "terminated"),
        "virtual_machines.deallocate" => power(world, &[text(request, "vm_name").to_string()], "stopped"),
        "instances.stop" => power(world, &[text(request, "instance").to_string()], "stopped"),
        "reboot_instances" => {
            let ids = known(world, &texts(request, "instance_ids"))?;
            ids.iter().for_each(|id| world.did("rebooted", id));
            Ok(Value::record([]))
        }
        "modify_instance_attribute" => {
            let id = text(request, "instance_id").to_string();
            let kind = request.arguments.get("instance_type").and_then(Value::as_record);
            let kind = kind.and_then(|r| r.get("value")).and_then(Value::as_str).unwrap_or_default().to_string();
            let machine = world.machines.get_mut(&id).ok_or_else(|| gone("InvalidInstanceID"))?;
            if machine.state() != "stopped" {
                return Err(refused(ErrorKind::Conflict, "IncorrectInstanceState"));
            }
            if machine.kind != kind {
                machine.kind = kind;
                world.did("resized", &id);
            }
            Ok(Value::record([]))
        }
        "create_tags" => {
            let new = request.arguments.get("tags");
            let Some(Value::Map(new)) = new else { return Err(refused(ErrorKind::Invalid, "MissingParameter")) };
            for id in texts(request, "resources") {
                let machine = world.machines.get_mut(&id).map(|m| &mut m.tags);
                let Some(tags) = machine.or_else(|| world.volumes.get_mut(&id).map(|v| &mut v.tags)) else {
                    return Err(gone("InvalidID"));
                };
                let mut changed = false;
                for (name, value) in new.iter() {
                    let value = value.as_str().unwrap_or_default().to_string();
                    changed |= tags.insert(name.to_string(), value.clone()) != Some(value);
                }
                if changed {
                    world.did("tagged", &id);
                }
            }
            Ok(Value::record([]))
        }
        "create_snapshot" => {
            let volume = text(request, "volume_id").to_string();
            if !world.volumes.contains_key(&volume) {
                return Err(gone("InvalidVolume"));
            }
            let (id, description) = (world.id("snap"), text(request, "description").to_string());
            let ready = Instant::now() + Duration::from_secs(20);
            let made = Snapshot { volume: volume.clone(), description, ready };
            world.did("snapshot", &volume);
            let answer = snapshot(&target, &id, &made);
            world.snapshots.insert(id, made);
            Ok(answer)
        }
        "delete_volume" => {
            let id = text(request, "volume_id").to_string();
            world.volumes.remove(&id).ok_or_else(|| gone("InvalidVolume"))?;
            world.did("deleted", &id);
            Ok(Value::record([]))
        }
        "create_volume" => {
            let from = text(request, "snapshot_id").to_string();
            let id = once(world, request, "vol", "volume", &from)?;
            world.volumes.entry(id.clone()).or_insert_with(|| Volume { tags: BTreeMap::new(), from: Some(from) });
            Ok(shaped("Volume", &target, vec![("volume_id", Value::text(id))]))
        }
        "run_instances" => {
            let key = text(request, "key_name").to_string();
            let id = once(world, request, "i", "launched", &key)?;
            if !world.machines.contains_key(&id) {
                world.machine(&id, "running", "new");
            }
            let machine = shaped("Instance", &target, vec![("instance_id", Value::text(id))]);
            Ok(Value::record([("instances", Value::list(vec![machine]))]))
        }
        other => Err(refused(ErrorKind::Invalid, &format!("Unknown.{other}"))),
    }
}

fn gone(what: &str) -> CallError {
    refused(ErrorKind::Missing, &format!("{what}.NotFound"))
}

/// All of them, or a refusal.
fn known(world: &World, ids: &[String]) -> Result<Vec<String>, CallError> {
    let there = |id: &&String| world.machines.get(*id).is_some_and(|m| m.state() != "terminated");
    let found: Vec<String> = ids.iter().filter(there).cloned().collect();
    if found.len() == ids.len() { Ok(found) } else { Err(gone("InvalidInstanceID")) }
}

fn power(world: &mut World, ids: &[String], to: &'static str) -> Answered {
    for id in known(world, ids)? {
        let Some(machine) = world.machines.get_mut(&id) else { continue };
        if machine.goal.0 != to {
            machine.goes(to);
            world.did(to, &id);
        }
    }
    Ok(Value::record([]))
}

/// The id of what is made: of one token, one thing.
fn once(
    world: &mut World,
    request: &Request,
    prefix: &str,
    what: &'static str,
    from: &str,
) -> Result<String, CallError> {
    let token = request.token.as_deref().ok_or_else(|| refused(ErrorKind::Invalid, "MissingToken"))?;
    let token = format!("{what}:{token}");
    if let Some(known) = world.tokens.get(&token) {
        return Ok(known.clone());
    }
    let id = world.id(prefix);
    world.tokens.insert(token, id.clone());
    world.did(what, from);
    Ok(id)
}
