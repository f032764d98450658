//! S3: buckets, their tags, and whether the public may read. It keeps no objects: every bucket is empty.

use serde_json::{Map, Value as Json, json};

use super::engine::{found, key, made, set_tags, tags_of};
use super::{Kind, Op, PLAIN, Verb, op};
use crate::aws::call::{Call, list, needed, text};
use crate::aws::error::ApiError;
use crate::aws::filter::Tags;
use crate::protocol::Value;
use crate::world::World;
use crate::world::things::{Thing, at};

static BUCKET: Kind = Kind {
    table: "s3/bucket",
    shape: "Bucket",
    id: "Bucket",
    global: true,
    missing: ("NoSuchBucket", 404, "The specified bucket does not exist"),
    exists: "BucketAlreadyOwnedByYou",
    before: |_, call, input, body| {
        let name = needed(input, "Bucket")?;
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        if !(3..=63).contains(&name.len()) || !plain {
            return Err(ApiError::new("InvalidBucketName", "The specified bucket is not valid."));
        }
        let asked = input.get("CreateBucketConfiguration").and_then(|c| text(c, "LocationConstraint"));
        if asked.unwrap_or("us-east-1") != call.region {
            let message = format!(
                "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
                asked.unwrap_or("unspecified")
            );
            return Err(ApiError::new("IllegalLocationConstraintException", message));
        }
        body.insert("(region)".into(), call.region.as_str().into());
        // As AWS has it since 2023: the public is kept out until somebody lets it in.
        body.insert("(block)".into(), json!({ "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true }));
        Ok(())
    },
    ..PLAIN
};

pub(super) static OPERATIONS: &[Op] = &[
    op("ListBuckets", &BUCKET, Verb::Own(buckets)),
    op("CreateBucket", &BUCKET, Verb::Own(create)),
    op("HeadBucket", &BUCKET, Verb::Own(head)),
    op("DeleteBucket", &BUCKET, Verb::Delete("(nothing)")),
    op("GetBucketLocation", &BUCKET, Verb::Own(location)),
    op("GetPublicAccessBlock", &BUCKET, Verb::Own(block)),
    op("PutPublicAccessBlock", &BUCKET, Verb::Own(put_block)),
    op("DeletePublicAccessBlock", &BUCKET, Verb::Own(delete_block)),
    op("GetBucketTagging", &BUCKET, Verb::Own(tagging)),
    op("PutBucketTagging", &BUCKET, Verb::Own(put_tagging)),
    op("DeleteBucketTagging", &BUCKET, Verb::Own(delete_tagging)),
    op("GetBucketVersioning", &BUCKET, Verb::Own(versioning)),
    op("PutBucketVersioning", &BUCKET, Verb::Own(put_versioning)),
    op("GetBucketEncryption", &BUCKET, Verb::Own(encryption)),
    op("GetBucketPolicyStatus", &BUCKET, Verb::Own(policy_status)),
    op("ListObjectsV2", &BUCKET, Verb::Own(objects)),
];

fn bucket<'w>(input: &Value, world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Thing, ApiError> {
    let name = needed(input, "Bucket")?;
    world.things.get_mut(BUCKET.table, &key(&BUCKET, call, name)).ok_or_else(|| super::engine::missing(&BUCKET, name))
}

fn buckets(_: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let here = super::engine::place(&BUCKET, call);
    let shown = world
        .things
        .of(BUCKET.table)
        .filter(|b| b.place == here)
        .map(|b| json!({ "Name": &*b.name, "CreationDate": made(b), "BucketRegion": b.text("(region)") }));
    let owner = json!({ "ID": &*call.account, "DisplayName": "practice" });
    Ok(Value::of_json(json!({ "Buckets": shown.collect::<Vec<_>>(), "Owner": owner })))
}

fn create(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    super::engine::create(&BUCKET, input, world, call)
        .map_err(|e| if e.code == BUCKET.exists { e.with_status(409) } else { e })?;
    Ok(Value::of_json(json!({ "Location": format!("/{}", needed(input, "Bucket")?) })))
}

fn head(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let region = found(&BUCKET, input, world, call)?.text("(region)").unwrap_or_default().to_owned();
    Ok(Value::of_json(json!({ "BucketRegion": region })))
}

fn location(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let region = bucket(input, world, call)?.text("(region)").unwrap_or_default();
    // The first region of all has no name here.
    Ok(Value::of_json(json!({ "LocationConstraint": if region == "us-east-1" { "" } else { region } })))
}

fn none(code: &str, message: &str) -> ApiError {
    ApiError::new(code, message).with_status(404)
}

fn block(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let block = bucket(input, world, call)?.body.get("(block)").cloned();
    let block = block.ok_or_else(|| {
        none("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
    })?;
    Ok(Value::of_json(json!({ "PublicAccessBlockConfiguration": block })))
}

fn put_block(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let given = input
        .get("PublicAccessBlockConfiguration")
        .ok_or_else(|| ApiError::new("MalformedXML", "The XML you provided was not well-formed"))?
        .json();
    let flag = |name: &str| given.get(name).and_then(Json::as_bool).unwrap_or(false);
    let names = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    let block: Map<String, Json> = names.iter().map(|name| ((*name).to_owned(), flag(name).into())).collect();
    bucket(input, world, call)?.body.insert("(block)".into(), block.into());
    Ok(Value::record())
}

fn delete_block(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    bucket(input, world, call)?.body.remove("(block)");
    Ok(Value::record())
}

fn tagging(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let tags = tags_of(bucket(input, world, call)?);
    if tags.is_empty() {
        return Err(none("NoSuchTagSet", "The TagSet does not exist"));
    }
    let list: Vec<Json> = tags.iter().map(|(k, v)| json!({ "Key": &**k, "Value": &**v })).collect();
    Ok(Value::of_json(json!({ "TagSet": list })))
}

fn put_tagging(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let given = input.get("Tagging").map(|t| list(t, "TagSet")).unwrap_or_default();
    let tags: Tags = given.iter().filter_map(|t| Some((text(t, "Key")?.into(), text(t, "Value")?.into()))).collect();
    set_tags(bucket(input, world, call)?, &tags);
    Ok(Value::record())
}

fn delete_tagging(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    set_tags(bucket(input, world, call)?, &Tags::new());
    Ok(Value::record())
}

fn versioning(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let status = bucket(input, world, call)?.body.get("(versioning)").cloned();
    Ok(Value::of_json(status.map_or_else(|| json!({}), |status| json!({ "Status": status }))))
}

fn put_versioning(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let status = input.get("VersioningConfiguration").and_then(|c| text(c, "Status"));
    let status = status.ok_or_else(|| ApiError::new("MalformedXML", "The XML you provided was not well-formed"))?;
    bucket(input, world, call)?.body.insert("(versioning)".into(), status.into());
    Ok(Value::record())
}

fn encryption(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    bucket(input, world, call)?;
    let rule = json!({ "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" }, "BucketKeyEnabled": false });
    Ok(Value::of_json(json!({ "ServerSideEncryptionConfiguration": { "Rules": [rule] } })))
}

fn policy_status(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let open = at(&bucket(input, world, call)?.body, "(block)/RestrictPublicBuckets") != Some(&true.into());
    match open {
        true => Err(none("NoSuchBucketPolicy", "The bucket policy does not exist")),
        false => Ok(Value::of_json(json!({ "PolicyStatus": { "IsPublic": false } }))),
    }
}

fn objects(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let name = bucket(input, world, call)?.name.to_string();
    Ok(Value::of_json(
        json!({ "Name": name, "Prefix": text(input, "Prefix").unwrap_or_default(), "KeyCount": 0, "MaxKeys": 1000, "IsTruncated": false }),
    ))
}
