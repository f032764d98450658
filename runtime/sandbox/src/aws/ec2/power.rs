//! Start, stop, reboot, terminate.
//!
//! A call is all or nothing: every instance is checked before the first is changed.

use std::sync::Arc;

use super::model::{Instance, InstanceState as S, Region, VolumeState};
use super::{ids, region, shown, view};
use crate::aws::call::{Call, texts};
use crate::aws::error::ApiError;
use crate::protocol::Value;
use crate::protocol::value::record;
use crate::world::World;
use crate::world::lifecycle::Lifecycle;

/// What a state means for an operation.
enum Step {
    /// It goes there, by way of the first.
    Go(S, S, i64),
    /// It is there, or on the way.
    Stay,
    /// EC2 refuses.
    Refuse(ApiError),
}

pub(crate) fn start(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let takes = i64::from(world.aws.timing.starting);
    let changes = change(input, world, call, |i, state| match state {
        S::Stopped => Step::Go(S::Pending, S::Running, takes),
        S::Pending | S::Running => Step::Stay,
        _ => Step::Refuse(wrong_state(i, "started")),
    })?;
    Ok(record![("StartingInstances", changes)])
}

pub(crate) fn stop(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    if crate::aws::call::flag(input, "Hibernate") == Some(true) {
        let message = "Instance is not configured for hibernation.";
        return Err(ApiError::new("UnsupportedHibernationConfiguration", message));
    }
    let takes = i64::from(world.aws.timing.stopping);
    let changes = change(input, world, call, |i, state| match state {
        S::Running if i.attributes.disable_api_stop => Step::Refuse(protected(i, "stopped", "disableApiStop")),
        S::Running => Step::Go(S::Stopping, S::Stopped, takes),
        S::Stopping | S::Stopped => Step::Stay,
        _ => Step::Refuse(wrong_state(i, "stopped")),
    })?;
    Ok(record![("StoppingInstances", changes)])
}

pub(crate) fn terminate(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let takes = i64::from(world.aws.timing.terminating);
    let changes = change(input, world, call, |i, state| match state {
        state if state.ended() => Step::Stay,
        _ if i.attributes.disable_api_termination => Step::Refuse(protected(i, "terminated", "disableApiTermination")),
        _ => Step::Go(S::ShuttingDown, S::Terminated, takes),
    })?;
    Ok(record![("TerminatingInstances", changes)])
}

pub(crate) fn reboot(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let shown = shown(world);
    let region = region(world, call)?;
    let wanted = named(input, region, call, shown)?;
    for instance in wanted.iter().filter_map(|id| region.instances.get(id)) {
        if !matches!(instance.state.at(call.now), S::Running | S::Pending) {
            return Err(wrong_state(instance, "rebooted"));
        }
    }
    call.proceed(input)?;
    for id in &wanted {
        let state = region.instances.get(id).map_or(S::Running, |i| i.state.at(call.now)).name();
        call.changed(id, Some(state), state, None);
    }
    Ok(Value::record())
}

fn named(input: &Value, region: &Region, call: &Call<'_>, shown: i64) -> Result<Vec<Arc<str>>, ApiError> {
    let wanted = texts(input, "InstanceIds");
    if wanted.is_empty() {
        return Err(ApiError::missing("InstanceId"));
    }
    ids::instances(region, &wanted, call, shown)?;
    Ok(wanted.into_iter().map(Arc::from).collect())
}

/// Checks all, then moves all; the answer names each with its state before and now.
fn change(
    input: &Value,
    world: &mut World,
    call: &mut Call<'_>,
    step: impl Fn(&Instance, S) -> Step,
) -> Result<Vec<Value>, ApiError> {
    let shown = shown(world);
    let region = region(world, call)?;
    let wanted = named(input, region, call, shown)?;
    let mut plan = Vec::with_capacity(wanted.len());
    for instance in wanted.iter().filter_map(|id| region.instances.get(id)) {
        let before = instance.state.at(call.now);
        match step(instance, before) {
            Step::Go(via, to, takes) => plan.push((instance.id.clone(), before, Some((via, to, takes)))),
            Step::Stay => plan.push((instance.id.clone(), before, None)),
            Step::Refuse(error) => return Err(error),
        }
    }
    call.proceed(input)?;
    let mut changes = Vec::with_capacity(plan.len());
    for (id, before, step) in plan {
        let mut after = before;
        if let Some((via, to, takes)) = step {
            go(region, &id, via, to, takes, call);
            call.changed(&id, Some(before.name()), via.name(), Some(to.name()));
            after = via;
        }
        changes.push(record![
            ("InstanceId", &id),
            ("CurrentState", view::state(after)),
            ("PreviousState", view::state(before))
        ]);
    }
    Ok(changes)
}

fn go(region: &mut Region, id: &str, via: S, to: S, takes: i64, call: &Call<'_>) {
    let Some(instance) = region.instances.get_mut(id) else { return };
    // Stopped in the middle of stopping counts from when it was asked for; a new move counts from now.
    instance.state = Lifecycle::moving(via, to, call.now, takes);
    if via == S::Pending {
        instance.launched = call.now;
        instance.stopped_by_user = None;
        return;
    }
    instance.stopped_by_user = Some(call.now);
    if to != S::Terminated {
        return;
    }
    // The volumes go, or become free, at the moment when the instance is gone.
    for volume in instance.volumes.clone() {
        let Some(volume) = region.volumes.get_mut(&volume) else { continue };
        let Some(attachment) = volume.attached(call.now).filter(|a| &*a.instance == id) else { continue };
        let next = if attachment.delete_on_termination { VolumeState::Deleted } else { VolumeState::Available };
        volume.state = Lifecycle::moving(VolumeState::InUse, next, call.now, takes);
    }
}

fn wrong_state(instance: &Instance, done: &str) -> ApiError {
    let id = &instance.id;
    ApiError::new(
        "IncorrectInstanceState",
        format!("The instance '{id}' is not in a state from which it can be {done}."),
    )
}

fn protected(instance: &Instance, done: &str, attribute: &str) -> ApiError {
    let id = &instance.id;
    let message =
        format!("The instance '{id}' may not be {done}. Modify its '{attribute}' instance attribute and try again.");
    ApiError::new("OperationNotPermitted", message)
}
