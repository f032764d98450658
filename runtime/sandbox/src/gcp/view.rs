//! Instances and operations as Compute Engine shows them.

use serde_json::{Value as Json, json};

use super::state::Instance;
use crate::rest::{Call, object};
use crate::world::ids::hash;

fn link(call: &Call<'_>, project: &str, rest: &str) -> String {
    format!("{}/compute/v1/projects/{project}/{rest}", call.base)
}

pub(super) fn instance(call: &Call<'_>, project: &str, instance: &Instance) -> Json {
    let Instance { zone, name, machine_type, .. } = instance;
    let status = instance.status.at(call.now).word();
    json!({
        "kind": "compute#instance",
        "id": instance.number.to_string(),
        "name": name,
        "zone": link(call, project, &format!("zones/{zone}")),
        "machineType": link(call, project, &format!("zones/{zone}/machineTypes/{machine_type}")),
        "selfLink": link(call, project, &format!("zones/{zone}/instances/{name}")),
        "status": status,
        "labels": object(&instance.labels),
        "labelFingerprint": fingerprint(instance),
        "deletionProtection": instance.deletion_protection,
        "creationTimestamp": "2026-01-15T01:00:00.000-08:00",
        "tags": { "fingerprint": "42WmSpB8rSM=" },
        "disks": [],
        "networkInterfaces": [],
    })
}

/// Changes with the labels: who sets them shows that they know what they change.
pub(super) fn fingerprint(instance: &Instance) -> String {
    let labels = instance.labels.iter().flat_map(|(k, v)| [k.as_bytes(), b"\0", v.as_bytes(), b"\0"].concat());
    format!("{:016x}", hash(&labels.collect::<Vec<u8>>()))
}

/// An operation; its name says when it ends.
pub(super) fn operation(
    call: &Call<'_>,
    project: &str,
    zone: &str,
    name: &str,
    kind: &str,
    target: &str,
) -> Option<Json> {
    let (due, _) = name.strip_prefix("operation-")?.split_once('-')?;
    let done = call.now >= i64::from_str_radix(due, 16).ok()?;
    let mut shown = json!({
        "kind": "compute#operation",
        "id": (hash(name.as_bytes()) >> 1).to_string(),
        "name": name,
        "zone": link(call, project, &format!("zones/{zone}")),
        "operationType": kind,
        "status": if done { "DONE" } else { "RUNNING" },
        "progress": if done { 100 } else { 0 },
        "user": "practice",
        "selfLink": link(call, project, &format!("zones/{zone}/operations/{name}")),
    });
    if let (false, Some(shown)) = (target.is_empty(), shown.as_object_mut()) {
        shown.insert("targetLink".into(), link(call, project, &format!("zones/{zone}/instances/{target}")).into());
    }
    Some(shown)
}
