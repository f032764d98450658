//! Machines as Resource Manager shows them.

use serde_json::{Value as Json, json};

use super::state::Machine;
use crate::rest::object;

/// The whole resource, with what it is doing where that is asked for.
pub(super) fn machine(subscription: &str, machine: &Machine, now: Option<i64>) -> Json {
    let mut properties = json!({
        "vmId": machine.vm_id,
        "provisioningState": "Succeeded",
        "hardwareProfile": { "vmSize": machine.size },
        "storageProfile": { "osDisk": { "osType": "Linux", "name": format!("{}_os", machine.name) }, "dataDisks": [] },
        "osProfile": { "computerName": machine.name, "adminUsername": "practice" },
        "timeCreated": "2026-01-15T09:00:00.000000+00:00",
    });
    if let (Some(now), Some(properties)) = (now, properties.as_object_mut()) {
        properties.insert("instanceView".into(), instance_view(machine, now));
    }
    json!({
        "id": id(subscription, machine),
        "name": machine.name,
        "type": "Microsoft.Compute/virtualMachines",
        "location": machine.location,
        "tags": object(&machine.tags),
        "properties": properties,
    })
}

pub(super) fn id(subscription: &str, machine: &Machine) -> String {
    let Machine { group, name, .. } = machine;
    format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}")
}

/// What a machine is doing.
pub(super) fn instance_view(machine: &Machine, now: i64) -> Json {
    let power = machine.power.at(now).word();
    json!({
        "computerName": machine.name,
        "osName": "ubuntu",
        "osVersion": "24.04",
        "statuses": [
            { "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded" },
            { "code": format!("PowerState/{power}"), "level": "Info", "displayStatus": format!("VM {power}") },
        ],
    })
}
