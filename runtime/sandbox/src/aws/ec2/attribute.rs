//! ModifyInstanceAttribute, and DescribeInstanceAttribute for what it sets.
//!
//! Two forms, as EC2 has them: `Attribute=instanceType&Value=t3.small` and `InstanceType.Value=t3.small`. Attributes that
//! the practice cloud doesn't keep are refused rather than ignored.

use super::model::InstanceState;
use super::{ids, region, run, shown};
use crate::aws::call::{Call, flag, needed, text};
use crate::aws::error::ApiError;
use crate::protocol::Value;
use crate::protocol::value::record;
use crate::world::World;

/// Members that name an attribute, with EC2's name for it.
const MEMBERS: &[(&str, &str)] = &[
    ("InstanceType", "instanceType"),
    ("DisableApiTermination", "disableApiTermination"),
    ("DisableApiStop", "disableApiStop"),
    ("InstanceInitiatedShutdownBehavior", "instanceInitiatedShutdownBehavior"),
    ("EbsOptimized", "ebsOptimized"),
    ("SourceDestCheck", "sourceDestCheck"),
    ("UserData", "userData"),
    ("EnaSupport", "enaSupport"),
    ("SriovNetSupport", "sriovNetSupport"),
    ("Kernel", "kernel"),
    ("Ramdisk", "ramdisk"),
    ("Groups", "groupSet"),
    ("BlockDeviceMappings", "blockDeviceMapping"),
    ("EnclaveOptions", "enclaveOptions"),
];

enum Change {
    Type(String),
    Termination(bool),
    Stop(bool),
    Shutdown(bool),
    EbsOptimized(bool),
    SourceDest(bool),
}

pub(crate) fn modify(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let id = needed(input, "InstanceId")?;
    let shown = shown(world);
    let change = change(input, call)?;
    let place = region(world, call)?;
    let instance = ids::instance(place, id, call, shown)?;
    let state = instance.state.at(call.now);
    if state.ended() {
        return Err(incorrect(id, "stopped"));
    }
    let needs_stop = matches!(change, Change::Type(_) | Change::EbsOptimized(_));
    if needs_stop && state != InstanceState::Stopped {
        return Err(incorrect(id, "stopped"));
    }
    call.proceed(input)?;
    match change {
        Change::Type(kind) => instance.kind = kind.into(),
        Change::Termination(on) => instance.attributes.disable_api_termination = on,
        Change::Stop(on) => instance.attributes.disable_api_stop = on,
        Change::Shutdown(terminate) => instance.attributes.terminate_on_shutdown = terminate,
        Change::EbsOptimized(on) => instance.attributes.ebs_optimized = on,
        Change::SourceDest(on) => instance.attributes.source_dest_check = on,
    }
    Ok(Value::record())
}

pub(crate) fn describe(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (id, attribute) = (needed(input, "InstanceId")?, needed(input, "Attribute")?);
    let shown = shown(world);
    let place = region(world, call)?;
    let groups = |ids: &[std::sync::Arc<str>]| ids.iter().map(|id| record![("GroupId", id)]).collect::<Vec<_>>();
    let instance = ids::instance(place, id, call, shown)?;
    let attributes = &instance.attributes;
    let of = |value: Value| record![("Value", value)];
    let behaviour = if attributes.terminate_on_shutdown { "terminate" } else { "stop" };
    let (member, value) = match attribute {
        "instanceType" => ("InstanceType", of(Value::from(&instance.kind))),
        "disableApiTermination" => ("DisableApiTermination", of(attributes.disable_api_termination.into())),
        "disableApiStop" => ("DisableApiStop", of(attributes.disable_api_stop.into())),
        "ebsOptimized" => ("EbsOptimized", of(attributes.ebs_optimized.into())),
        "sourceDestCheck" => ("SourceDestCheck", of(attributes.source_dest_check.into())),
        "instanceInitiatedShutdownBehavior" => ("InstanceInitiatedShutdownBehavior", of(behaviour.into())),
        "groupSet" => ("Groups", groups(&instance.groups).into()),
        other => return Err(unknown(other)),
    };
    call.proceed(input)?;
    Ok(Value::Record(vec![("InstanceId".into(), Value::from(&instance.id)), (member.into(), value)]))
}

fn unknown(attribute: &str) -> ApiError {
    if MEMBERS.iter().any(|(_, name)| *name == attribute) {
        return ApiError::unsupported(&format!("the instance attribute {attribute}"));
    }
    ApiError::invalid(format!("Value ({attribute}) for parameter attribute is invalid. Unknown attribute."))
}

fn incorrect(id: &str, wanted: &str) -> ApiError {
    ApiError::new("IncorrectInstanceState", format!("The instance '{id}' is not in the '{wanted}' state."))
}

fn change(input: &Value, call: &Call<'_>) -> Result<Change, ApiError> {
    let given: Vec<_> = MEMBERS.iter().filter(|(member, _)| input.get(member).is_some()).collect();
    let named = text(input, "Attribute");
    let (attribute, value) = match (given.as_slice(), named) {
        ([], None) => return Err(ApiError::missing("Attribute")),
        ([], Some(name)) => (name, text(input, "Value").map(str::to_owned)),
        ([(member, name)], None) => (*name, input.get(member).and_then(inner)),
        _ => {
            let message = "Fields for multiple attribute types specified";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
    };
    let value = value.ok_or_else(|| ApiError::missing("Value"))?;
    let boolean =
        || value.parse::<bool>().map_err(|_| ApiError::invalid(format!("Invalid value '{value}' for {attribute}.")));
    match attribute {
        "instanceType" => {
            run::known_type(&value, call)?;
            Ok(Change::Type(value))
        }
        "disableApiTermination" => Ok(Change::Termination(boolean()?)),
        "disableApiStop" => Ok(Change::Stop(boolean()?)),
        "ebsOptimized" => Ok(Change::EbsOptimized(boolean()?)),
        "sourceDestCheck" => Ok(Change::SourceDest(boolean()?)),
        "instanceInitiatedShutdownBehavior" => match value.as_str() {
            "stop" => Ok(Change::Shutdown(false)),
            "terminate" => Ok(Change::Shutdown(true)),
            _ => Err(ApiError::invalid(format!("Invalid value '{value}' for {attribute}."))),
        },
        other => Err(unknown(other)),
    }
}

/// The `Value` inside `AttributeValue` and `AttributeBooleanValue`; something else is refused later, by its name.
fn inner(member: &Value) -> Option<String> {
    match flag(member, "Value") {
        Some(flag) => Some(flag.to_string()),
        None => Some(text(member, "Value").unwrap_or_default().to_owned()),
    }
}
