//! Snapshots: describe, create, delete.
//!
//! Snapshots are visible to their own account only; sharing is *not* served.

use super::describe::word;
use super::model::{Snapshot, SnapshotState};
use super::{ids, region, tags, view};
use crate::aws::call::{Call, needed, text, texts};
use crate::aws::error::ApiError;
use crate::aws::filter::Filters;
use crate::aws::paging::Page;
use crate::protocol::Value;
use crate::protocol::time::iso8601;
use crate::world::World;
use crate::world::lifecycle::Lifecycle;

/// Snapshots that a region may have.
const MAX_PER_REGION: usize = 1_000_000;

const FILTERS: &[&str] = &[
    "description",
    "encrypted",
    "owner-id",
    "progress",
    "snapshot-id",
    "start-time",
    "status",
    "storage-tier",
    "volume-id",
    "volume-size",
];
const KNOWN: &[&str] = &["owner-alias", "transfer-type"];

pub(crate) fn describe(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let wanted = texts(input, "SnapshotIds");
    let page = Page::of(input, 5, 1000)?;
    let filters = Filters::of(input, FILTERS, KNOWN)?;
    let owners = texts(input, "OwnerIds");
    let mine = owners.is_empty() || owners.iter().any(|o| *o == "self" || *o == &*call.account);
    let restorable = texts(input, "RestorableByUserIds");
    let may = restorable.is_empty() || restorable.iter().any(|o| *o == "self" || *o == &*call.account);
    let place = region(world, call)?;
    ids::snapshots(place, &wanted)?;
    call.proceed(input)?;
    let rows = place.snapshots.after(page.after).filter(|(_, s)| {
        mine && may
            && (wanted.is_empty() || wanted.contains(&&*s.id))
            && filters.pass(&s.tags, |name, test| look(s, name, test, call))
    });
    let (rows, token) = page.cut(rows);
    let mut members: Vec<_> = token.map(|t| ("NextToken".into(), t.into())).into_iter().collect();
    let views = rows.into_iter().map(|s| view::snapshot(s, &call.account, call.now)).collect();
    members.push(("Snapshots".into(), Value::List(views)));
    Ok(Value::Record(members))
}

fn look(s: &Snapshot, name: &str, test: &dyn Fn(&str) -> bool, call: &Call<'_>) -> bool {
    let state = s.state.at(call.now);
    match name {
        "description" => test(&s.description),
        "encrypted" => test(word(s.encrypted)),
        "owner-id" => test(&call.account),
        "progress" => test(if state == SnapshotState::Completed { "100%" } else { "50%" }),
        "snapshot-id" => test(&s.id),
        "start-time" => test(&iso8601(s.started)),
        "status" => test(state.name()),
        "storage-tier" => test("standard"),
        "volume-id" => test(&s.volume),
        "volume-size" => test(&s.size.to_string()),
        _ => false,
    }
}

pub(crate) fn create(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let takes = i64::from(world.aws.timing.snapshot);
    let place = region(world, call)?;
    let volume = ids::volume(place, needed(input, "VolumeId")?, call)?;
    let (source, size, encrypted) = (volume.id.clone(), volume.size, volume.encrypted);
    if place.snapshots.len() >= MAX_PER_REGION {
        return Err(ApiError::new("SnapshotLimitExceeded", format!("You have reached {MAX_PER_REGION} snapshots.")));
    }
    let description = text(input, "Description").unwrap_or_default();
    if description.chars().count() > 255 {
        return Err(ApiError::invalid("Value for parameter description is longer than 255 characters"));
    }
    let given = tags::specified(input, "snapshot", &[])?;
    call.proceed(input)?;
    let snapshot = Snapshot {
        id: world.ids.next("snap-"),
        state: Lifecycle::moving(SnapshotState::Pending, SnapshotState::Completed, call.now, takes),
        volume: source,
        size,
        started: call.now,
        encrypted,
        description: description.into(),
        tags: given,
    };
    let answer = view::snapshot(&snapshot, &call.account, call.now);
    call.changed(&snapshot.id, None, SnapshotState::Pending.name(), Some(SnapshotState::Completed.name()));
    region(world, call)?.snapshots.insert(snapshot);
    Ok(answer)
}

pub(crate) fn delete(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let id = needed(input, "SnapshotId")?;
    let place = region(world, call)?;
    let state = ids::snapshot(place, id)?.state.at(call.now);
    call.proceed(input)?;
    if let Some(snapshot) = place.snapshots.remove(id) {
        call.changed(&snapshot.id, Some(state.name()), "deleted", None);
    }
    Ok(Value::record())
}
