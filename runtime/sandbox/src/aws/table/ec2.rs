//! EC2 beside its machines: security groups, addresses, key pairs, images, networks.

use serde_json::{Map, Value as Json, json};

use super::engine::{address, created, found, key, named, set_tags, tags_of};
use super::{Kind, Op, PLAIN, Verb, op};
use crate::aws::call::{Call, list, needed, text};
use crate::aws::error::ApiError;
use crate::aws::filter::Tags;
use crate::protocol::Value;
use crate::world::World;
use crate::world::things::Thing;

static GROUP: Kind = Kind {
    table: "ec2/security-group",
    shape: "SecurityGroup",
    id: "GroupId",
    prefix: "sg-",
    tags: "Tags",
    defaults: r#"{"IpPermissions":[],"IpPermissionsEgress":[{"IpProtocol":"-1","IpRanges":[{"CidrIp":"0.0.0.0/0"}]}]}"#,
    missing: ("InvalidGroup.NotFound", 400, "The security group '{}' does not exist"),
    before: |world, call, input, body| {
        let name = needed(input, "GroupName")?;
        needed(input, "Description")?;
        let vpc = vpc(world, call);
        let here = super::engine::place(&GROUP, call);
        if world.things.of(GROUP.table).any(|g| g.place == here && g.text("GroupName") == Some(name)) {
            let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
            return Err(ApiError::new("InvalidGroup.Duplicate", message));
        }
        body.entry("VpcId").or_insert_with(|| vpc.into());
        Ok(())
    },
    shown: owner,
    ..PLAIN
};

static ADDRESS: Kind = Kind {
    table: "ec2/elastic-ip",
    shape: "Address",
    id: "AllocationId",
    prefix: "eipalloc-",
    tags: "Tags",
    defaults: r#"{"Domain":"vpc","PublicIpv4Pool":"amazon"}"#,
    missing: ("InvalidAllocationID.NotFound", 400, "The allocation ID '{}' does not exist"),
    shown: |_, call, thing, shown| {
        shown.insert("PublicIp".into(), address(&thing.key).into());
        shown.insert("NetworkBorderGroup".into(), call.region.as_str().into());
    },
    deleted: |_, _, thing| match thing.text("AssociationId") {
        Some(_) => {
            let message = format!("You do not have permission to release {}: it is in use", thing.name);
            Err(ApiError::new("InvalidIPAddress.InUse", message))
        }
        None => Ok(()),
    },
    ..PLAIN
};

static KEY_PAIR: Kind = Kind {
    table: "ec2/key-pair",
    shape: "KeyPairInfo",
    id: "KeyName",
    tags: "Tags",
    defaults: r#"{"KeyType":"rsa"}"#,
    missing: ("InvalidKeyPair.NotFound", 400, "The key pair '{}' does not exist"),
    exists: "InvalidKeyPair.Duplicate",
    shown: |_, _, thing, shown| {
        shown.insert("KeyPairId".into(), format!("key-0{:016x}", crate::world::ids::hash(thing.key.as_bytes())).into());
        let print = format!("{:016x}", crate::world::ids::hash(thing.name.as_bytes()));
        shown.insert("KeyFingerprint".into(), print.into());
        shown.insert("CreateTime".into(), super::engine::made(thing));
    },
    ..PLAIN
};

static IMAGE: Kind = Kind {
    table: "ec2/image",
    shape: "Image",
    id: "ImageId",
    prefix: "ami-",
    state: "State",
    states: ("available", "pending"),
    takes: |t| t.snapshot,
    tags: "Tags",
    defaults: r#"{"Architecture":"x86_64","ImageType":"machine","Public":false,"RootDeviceType":"ebs","RootDeviceName":"/dev/xvda",
        "VirtualizationType":"hvm","Hypervisor":"xen","BlockDeviceMappings":[]}"#,
    missing: ("InvalidAMIID.NotFound", 400, "The image id '[{}]' does not exist"),
    before: |world, call, input, body| {
        let instance = needed(input, "InstanceId")?;
        needed(input, "Name")?;
        let (account, region) = (call.account.clone(), call.region.clone());
        if world.aws.region(&account, &region).is_none_or(|place| place.instances.get(instance).is_none()) {
            let message = format!("The instance ID '{instance}' does not exist");
            return Err(ApiError::new("InvalidInstanceID.NotFound", message));
        }
        body.remove("BlockDeviceMappings");
        Ok(())
    },
    shown: |world, call, thing, shown| {
        owner(world, call, thing, shown);
        shown.insert("CreationDate".into(), super::engine::made(thing));
    },
    ..PLAIN
};

pub(super) static OPERATIONS: &[Op] = &[
    op("CreateSecurityGroup", &GROUP, Verb::Create("")),
    op("DescribeSecurityGroups", &GROUP, Verb::List("GroupIds", "SecurityGroups")),
    op("DeleteSecurityGroup", &GROUP, Verb::Delete("(nothing)")),
    op("AuthorizeSecurityGroupIngress", &GROUP, Verb::Own(authorize)),
    op("RevokeSecurityGroupIngress", &GROUP, Verb::Own(revoke)),
    op("AllocateAddress", &ADDRESS, Verb::Create("")),
    op("DescribeAddresses", &ADDRESS, Verb::List("AllocationIds", "Addresses")),
    op("ReleaseAddress", &ADDRESS, Verb::Delete("(nothing)")),
    op("AssociateAddress", &ADDRESS, Verb::Own(associate)),
    op("DisassociateAddress", &ADDRESS, Verb::Own(disassociate)),
    op("CreateKeyPair", &KEY_PAIR, Verb::Own(create_key_pair)),
    op("ImportKeyPair", &KEY_PAIR, Verb::Create("")),
    op("DescribeKeyPairs", &KEY_PAIR, Verb::List("KeyNames", "KeyPairs")),
    op("DeleteKeyPair", &KEY_PAIR, Verb::Own(delete_key_pair)),
    op("CreateImage", &IMAGE, Verb::Create("")),
    op("DescribeImages", &IMAGE, Verb::List("ImageIds", "Images")),
    op("DeregisterImage", &IMAGE, Verb::Own(deregister)),
    op("DescribeVpcs", &GROUP, Verb::Own(vpcs)),
    op("DescribeSubnets", &GROUP, Verb::Own(subnets)),
];

fn owner(_: &World, call: &Call<'_>, _: &Thing, shown: &mut Map<String, Json>) {
    shown.insert("OwnerId".into(), (*call.account).into());
}

fn vpc(world: &mut World, call: &Call<'_>) -> String {
    world.aws.region(&call.account, &call.region).map_or_else(String::new, |place| place.network.vpc.to_string())
}

/// A security group is named by its id, or by its name.
fn group(input: &Value, world: &World, call: &Call<'_>) -> Result<std::sync::Arc<str>, ApiError> {
    if let Some(name) = text(input, "GroupName") {
        let here = super::engine::place(&GROUP, call);
        let found = world.things.of(GROUP.table).find(|g| g.place == here && g.text("GroupName") == Some(name));
        return found.map(|g| g.key.clone()).ok_or_else(|| super::engine::missing(&GROUP, name));
    }
    found(&GROUP, input, world, call).map(|g| g.key.clone())
}

/// The rules that a call gives: in full, or one in short.
fn rules(input: &Value) -> Vec<Json> {
    let mut rules: Vec<Json> = list(input, "IpPermissions").iter().map(Value::json).collect();
    if let Some(protocol) = text(input, "IpProtocol") {
        let port = |name: &str| crate::aws::call::int(input, name);
        rules.push(json!({ "IpProtocol": protocol, "FromPort": port("FromPort"), "ToPort": port("ToPort"),
            "IpRanges": text(input, "CidrIp").map(|cidr| json!([{ "CidrIp": cidr }])).unwrap_or_else(|| json!([])) }));
    }
    rules
}

fn authorize(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (key, rules) = (group(input, world, call)?, rules(input));
    if rules.is_empty() {
        return Err(ApiError::missing("IpPermissions"));
    }
    call.proceed(input)?;
    if let Some(thing) = world.things.get_mut(GROUP.table, &key)
        && let Some(own) = thing.body.entry("IpPermissions").or_insert_with(|| json!([])).as_array_mut()
    {
        if rules.iter().any(|rule| own.contains(rule)) {
            return Err(ApiError::new("InvalidPermission.Duplicate", "the specified rule already exists"));
        }
        own.extend(rules);
    }
    Ok(Value::Record(vec![("Return".into(), true.into())]))
}

fn revoke(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (key, rules) = (group(input, world, call)?, rules(input));
    call.proceed(input)?;
    if let Some(thing) = world.things.get_mut(GROUP.table, &key)
        && let Some(own) = thing.body.entry("IpPermissions").or_insert_with(|| json!([])).as_array_mut()
    {
        if rules.iter().any(|rule| !own.contains(rule)) {
            return Err(ApiError::new(
                "InvalidPermission.NotFound",
                "The specified rule does not exist in this security group.",
            ));
        }
        own.retain(|rule| !rules.contains(rule));
    }
    Ok(Value::Record(vec![("Return".into(), true.into())]))
}

fn associate(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let key = found(&ADDRESS, input, world, call)?.key.clone();
    let instance = needed(input, "InstanceId")?;
    let (account, region) = (call.account.clone(), call.region.clone());
    if world.aws.region(&account, &region).is_none_or(|place| place.instances.get(instance).is_none()) {
        let message = format!("The instance ID '{instance}' does not exist");
        return Err(ApiError::new("InvalidInstanceID.NotFound", message));
    }
    call.proceed(input)?;
    let association = world.ids.next("eipassoc-");
    if let Some(thing) = world.things.get_mut(ADDRESS.table, &key) {
        thing.body.insert("AssociationId".into(), (*association).into());
        thing.body.insert("InstanceId".into(), instance.into());
    }
    Ok(Value::Record(vec![("AssociationId".into(), Value::from(&association))]))
}

fn disassociate(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let wanted = needed(input, "AssociationId")?;
    let thing = world.things.of_mut(ADDRESS.table).find(|t| t.text("AssociationId") == Some(wanted));
    let missing =
        || ApiError::new("InvalidAssociationID.NotFound", format!("The association ID '{wanted}' does not exist"));
    let thing = thing.ok_or_else(missing)?;
    call.proceed(input)?;
    thing.body.remove("AssociationId");
    thing.body.remove("InstanceId");
    Ok(Value::record())
}

fn create_key_pair(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let mut shown = created(&KEY_PAIR, input, world, call)?;
    shown.remove("CreateTime");
    shown.insert("KeyMaterial".into(), "a practice key: it opens nothing".into());
    Ok(Value::of_json(Json::Object(shown)))
}

/// Deleting one that is not there is done.
fn delete_key_pair(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = needed(input, "KeyName")?;
    call.proceed(input)?;
    world.things.remove(KEY_PAIR.table, &key(&KEY_PAIR, call, name));
    Ok(Value::Record(vec![("Return".into(), true.into())]))
}

fn deregister(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let key = named(&IMAGE, needed(input, "ImageId")?, world, call)?.key.clone();
    call.proceed(input)?;
    world.things.remove(IMAGE.table, &key);
    Ok(Value::Record(vec![("Return".into(), true.into())]))
}

fn vpcs(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    unfiltered(input)?;
    let vpc = json!({ "VpcId": vpc(world, call), "CidrBlock": "10.0.0.0/16", "State": "available", "IsDefault": true,
        "OwnerId": &*call.account, "InstanceTenancy": "default" });
    Ok(Value::Record(vec![("Vpcs".into(), Value::of_json(json!([vpc])))]))
}

fn subnets(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    unfiltered(input)?;
    let vpc = vpc(world, call);
    let zones =
        world.aws.region(&call.account, &call.region).map(|place| place.network.zones.clone()).unwrap_or_default();
    let shown = zones.iter().enumerate().map(|(n, (zone, subnet))| {
        json!({ "SubnetId": &**subnet, "VpcId": vpc, "AvailabilityZone": &**zone, "State": "available", "DefaultForAz": true,
            "CidrBlock": format!("10.0.{}.0/20", n * 16), "AvailableIpAddressCount": 4091, "MapPublicIpOnLaunch": true })
    });
    Ok(Value::Record(vec![("Subnets".into(), Value::of_json(shown.collect()))]))
}

fn unfiltered(input: &Value) -> Result<(), ApiError> {
    match list(input, "Filters").is_empty() {
        true => Ok(()),
        false => Err(ApiError::unsupported("filters of networks")),
    }
}

/// Tables by how ids begin, for tags.
const TAGGED: &[(&str, &Kind)] = &[("sg-", &GROUP), ("eipalloc-", &ADDRESS), ("ami-", &IMAGE)];

/// The tags of a resource of a row, by its id.
pub(crate) fn tags(world: &World, call: &Call<'_>, id: &str) -> Option<Tags> {
    let (_, kind) = TAGGED.iter().find(|(prefix, _)| id.starts_with(prefix))?;
    world.things.get(kind.table, &key(kind, call, id)).map(tags_of)
}

/// Sets them.
pub(crate) fn tag(world: &mut World, call: &Call<'_>, id: &str, tags: &Tags) {
    if let Some((_, kind)) = TAGGED.iter().find(|(prefix, _)| id.starts_with(prefix))
        && let Some(thing) = world.things.get_mut(kind.table, &key(kind, call, id))
    {
        set_tags(thing, tags);
    }
}
