//! EC2: instances, volumes, snapshots, tags, regions and zones.
//!
//! Every operation checks all it was given before it changes anything, so a call that fails changed nothing. Does *not*
//! serve images, key pairs, addresses or security groups: those are rows of `aws::table::ec2`.

pub(crate) mod ids;
pub(crate) mod model;
pub(crate) mod seeding;

mod attribute;
mod describe;
mod places;
mod power;
mod run;
mod snapshots;
mod status;
mod tags;
mod token;
mod view;
mod volumes;

#[cfg(test)]
mod tests;

use super::Handler;
use super::call::Call;
use super::error::ApiError;
use crate::world::World;
use model::Region;

/// All operations that are served.
pub(crate) const OPERATIONS: &[(&str, Handler)] = &[
    ("AttachVolume", volumes::attach),
    ("CreateSnapshot", snapshots::create),
    ("CreateTags", tags::create),
    ("CreateVolume", volumes::create),
    ("DeleteSnapshot", snapshots::delete),
    ("DeleteTags", tags::delete),
    ("DeleteVolume", volumes::delete),
    ("DescribeAvailabilityZones", places::zones),
    ("DescribeInstanceAttribute", attribute::describe),
    ("DescribeInstanceStatus", status::describe),
    ("DescribeInstances", describe::instances),
    ("DescribeRegions", places::regions),
    ("DescribeSnapshots", snapshots::describe),
    ("DescribeTags", tags::describe),
    ("DescribeVolumes", volumes::describe),
    ("DetachVolume", volumes::detach),
    ("ModifyInstanceAttribute", attribute::modify),
    ("RebootInstances", power::reboot),
    ("RunInstances", run::run),
    ("StartInstances", power::start),
    ("StopInstances", power::stop),
    ("TerminateInstances", power::terminate),
];

/// The region of a call.
fn region<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Region, ApiError> {
    region_of(&mut world.aws, call)
}

/// The same where the rest of the world is borrowed already.
fn region_of<'w>(aws: &'w mut super::state::Aws, call: &Call<'_>) -> Result<&'w mut Region, ApiError> {
    // What AWS says of a region that an account hasn't opted in to.
    aws.region(&call.account, &call.region).ok_or_else(|| {
        let message = "AWS was not able to validate the provided access credentials";
        let hint = format!("{message} (the region {} is not in this practice cloud's seed)", call.region);
        ApiError::new("AuthFailure", hint).with_status(401)
    })
}

/// How long a terminated instance is described.
fn shown(world: &World) -> i64 {
    i64::from(world.aws.timing.terminated_shown)
}
