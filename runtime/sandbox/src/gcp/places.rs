//! What is there from the start and stays: the project, zones, regions, machine types, disk types.

use serde_json::{Value as Json, json};

use super::own;
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;

/// Zones.
const ZONES: &[&str] =
    &["europe-west1-b", "europe-west1-c", "europe-west1-d", "us-central1-a", "us-central1-b", "us-central1-c"];

/// Machine types: name, processors, MiB of memory.
pub(super) const MACHINE_TYPES: &[(&str, u32, u32)] = &[
    ("e2-micro", 2, 1024),
    ("e2-small", 2, 2048),
    ("e2-medium", 2, 4096),
    ("e2-standard-2", 2, 8192),
    ("e2-standard-4", 4, 16_384),
    ("n1-standard-1", 1, 3840),
    ("n2-standard-2", 2, 8192),
    ("n2-standard-4", 4, 16_384),
    ("n2-standard-8", 8, 32_768),
    ("c2-standard-4", 4, 16_384),
];

fn region(zone: &str) -> &str {
    zone.rsplit_once('-').map_or(zone, |(region, _)| region)
}

fn base(world: &World, call: &Call<'_>) -> String {
    format!("{}/compute/v1/projects/{}", call.base, world.gcp.project)
}

fn list(world: &World, call: &Call<'_>, kind: &str, items: Vec<Json>) -> Answer {
    let link = format!("{}{}", call.base, call.raw);
    Answer::ok(
        json!({ "kind": kind, "id": format!("projects/{}", world.gcp.project), "selfLink": link, "items": items }),
    )
}

fn missing(call: &Call<'_>) -> Refusal {
    Refusal::new(
        404,
        "notFound",
        format!("The resource '{}' was not found", call.raw.trim_start_matches("/compute/v1/")),
    )
}

fn zone(world: &World, call: &Call<'_>, name: &str) -> Json {
    let base = base(world, call);
    json!({ "kind": "compute#zone", "id": super::engine::number(name), "name": name, "status": "UP",
            "region": format!("{base}/regions/{}", region(name)), "selfLink": format!("{base}/zones/{name}") })
}

pub(super) fn zones(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let filter = super::filter::Filter::of(call)?;
    let shown = ZONES.iter().map(|name| zone(world, call, name)).filter(|zone| filter.passes(zone)).collect();
    Ok(list(world, call, "compute#zoneList", shown))
}

pub(super) fn zone_of(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let name = call.of_path("zone");
    ZONES
        .iter()
        .find(|zone| **zone == name)
        .map(|name| Answer::ok(zone(world, call, name)))
        .ok_or_else(|| missing(call))
}

fn one_region(world: &World, call: &Call<'_>, name: &str) -> Json {
    let base = base(world, call);
    let zones: Vec<String> = ZONES.iter().filter(|z| region(z) == name).map(|z| format!("{base}/zones/{z}")).collect();
    json!({ "kind": "compute#region", "id": super::engine::number(name), "name": name, "status": "UP", "zones": zones,
            "selfLink": format!("{base}/regions/{name}"), "quotas": [{ "metric": "CPUS", "limit": 72.0, "usage": 0.0 }] })
}

pub(super) fn regions(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let mut names: Vec<&str> = ZONES.iter().map(|zone| region(zone)).collect();
    names.dedup();
    let shown = names.iter().map(|name| one_region(world, call, name)).collect();
    Ok(list(world, call, "compute#regionList", shown))
}

pub(super) fn region_of(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let name = call.of_path("region");
    match ZONES.iter().any(|zone| region(zone) == name) {
        true => Ok(Answer::ok(one_region(world, call, name))),
        false => Err(missing(call)),
    }
}

fn machine_type(world: &World, call: &Call<'_>, zone: &str, row: &(&str, u32, u32)) -> Json {
    let (name, cpus, memory) = row;
    json!({ "kind": "compute#machineType", "id": super::engine::number(name), "name": name, "guestCpus": cpus, "memoryMb": memory,
            "zone": zone, "selfLink": format!("{}/zones/{zone}/machineTypes/{name}", base(world, call)), "isSharedCpu": false,
            "description": format!("{cpus} vCPUs, {} GB RAM", memory / 1024), "maximumPersistentDisks": 128, "maximumPersistentDisksSizeGb": "263168" })
}

pub(super) fn machine_types(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let (zone, filter) = (call.of_path("zone").to_owned(), super::filter::Filter::of(call)?);
    let rows =
        MACHINE_TYPES.iter().map(|row| machine_type(world, call, &zone, row)).filter(|shown| filter.passes(shown));
    Ok(list(world, call, "compute#machineTypeList", rows.collect()))
}

pub(super) fn machine_type_of(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let row = MACHINE_TYPES.iter().find(|(name, ..)| *name == call.of_path("machineType"));
    row.map(|row| Answer::ok(machine_type(world, call, call.of_path("zone"), row))).ok_or_else(|| missing(call))
}

pub(super) fn project(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let name = &world.gcp.project;
    Ok(Answer::ok(
        json!({ "kind": "compute#project", "id": "100000000001", "name": name, "selfLink": base(world, call),
        "defaultServiceAccount": format!("100000000001-compute@developer.gserviceaccount.com"), "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS" }),
    ))
}

fn managed(world: &World) -> Json {
    json!({ "projectId": world.gcp.project, "projectNumber": "100000000001", "name": world.gcp.project, "lifecycleState": "ACTIVE",
            "createTime": "2026-01-15T09:00:00.000Z" })
}

pub(super) fn projects(world: &mut World, _: &mut Call<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::ok(json!({ "projects": [managed(world)] })))
}

pub(super) fn project_of(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    if call.of_path("projectId") != world.gcp.project {
        let message = "The caller does not have permission";
        return Err(Refusal::new(403, "forbidden", message));
    }
    Ok(Answer::ok(managed(world)))
}
