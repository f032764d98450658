//! What comes over the network: answers of clouds, and requests to the practice cloud.

use std::sync::{Arc, OnceLock};

use escher_aws::fuzzing as aws;
use escher_catalog::{Catalog, Record};
use escher_provider::{CallError, Sent};
use escher_sandbox::{Seed, World, fuzzing as sandbox};

use crate::disk::journals;
use crate::kind;

/// Operations of each protocol, with lists, maps, recursion, payloads, headers, documents, tags and secrets in answers.
pub(crate) const OPERATIONS: &[&str] = &[
    "aws.ec2.describe_instances",
    "aws.sts.get_caller_identity",
    "aws.s3.list_objects_v2",
    "aws.dynamodb.query",
    "aws.lambda.list_functions",
    "aws.cloudwatch.describe_alarms",
    "aws.iam.list_users",
    "aws.secretsmanager.get_secret_value",
    "aws.s3.head_object",
    "aws.s3.get_object",
    "aws.sqs.receive_message",
    "aws.route53.list_hosted_zones",
    "aws.bedrock_agent.get_flow",
    "aws.wafv2.get_web_acl",
    "aws.ssm.describe_instance_information",
    "aws.ec2.describe_volumes",
];

/// Statuses; the first is what most answers have.
const STATUSES: &[u16] = &[200, 201, 204, 206, 301, 304, 400, 403, 404, 409, 429, 500, 503];

const CONTENT_TYPES: &[&str] = &["text/xml", "application/json", "application/x-amz-json-1.1", "application/cbor", ""];

/// An answer: operation, status and content type by number, then the body.
pub fn aws_answer(data: &[u8]) {
    let (operation, rest) = kind(data);
    let (status, rest) = kind(rest);
    let (content_type, body) = kind(rest);
    let Some(record) = records().get(usize::from(operation) % OPERATIONS.len()) else { return };
    let status = STATUSES.get(usize::from(status) % STATUSES.len()).copied().unwrap_or(200);
    let content_type = CONTENT_TYPES.get(usize::from(content_type) % CONTENT_TYPES.len()).copied().unwrap_or_default();
    let mut headers = vec![("content-type", content_type.to_owned()), ("x-amzn-requestid", "r-1".to_owned())];
    if record.service.protocols.contains(&escher_catalog::Protocol::RpcV2Cbor) {
        headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
    }
    // Headers of answers that are read by name, and of a map of all that begin alike.
    if let Ok(text) = std::str::from_utf8(body) {
        let line = text.lines().next().unwrap_or_default().trim();
        for name in ["x-amz-meta-a", "last-modified", "content-length", "retry-after", "date", "x-amzn-errortype"] {
            headers.push((name, line.to_owned()));
        }
    }
    match aws::answer(record, status, &headers, body) {
        Some(Ok((value, _))) => {
            assert!((200..300).contains(&status));
            assert!(journals(&value), "a value that can't be journaled: {value:?}");
            let named = value.as_record().and_then(|r| r.get("secret_string"));
            assert!(named.is_none_or(|v| matches!(v, escher_ir::Value::Secret(_))), "a secret was kept as plain text");
        }
        Some(Err(error)) => one_line(&error, status),
        None => {}
    }
}

fn one_line(error: &CallError, status: u16) {
    for text in [Some(&error.message), error.code.as_ref(), error.request_id.as_ref()].into_iter().flatten() {
        assert!(text.chars().count() <= 401 && !text.chars().any(char::is_control), "{text:?}");
    }
    // What was done and can't be read was not refused.
    assert!(!(200..300).contains(&status) || error.sent == Sent::Maybe || error.code.is_some(), "{error:?}");
}

/// The records of [`OPERATIONS`].
pub(crate) fn records() -> &'static [Arc<Record>] {
    static RECORDS: OnceLock<Vec<Arc<Record>>> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let records: Vec<_> = OPERATIONS.iter().filter_map(|name| Catalog::embedded().record(name)).collect();
        assert_eq!(records.len(), OPERATIONS.len(), "an operation is not in the catalogue");
        records
    })
}

/// Requests that one input may hold.
const REQUESTS: usize = 6;

/// Forms, one a line, one after the other in one world; the client can read each answer.
pub fn sandbox_form(data: &[u8]) {
    let (kind, forms) = kind(data);
    let service = if kind % 2 == 0 { "ec2" } else { "sts" };
    let Some(mut world) = world().cloned() else { return };
    for form in forms.split(|b| *b == b'\n').take(REQUESTS) {
        let Some(answer) = sandbox::ask(&mut world, service, form) else { continue };
        let Some(record) = Catalog::embedded().record(&format!("aws.{service}.{}", answer.operation)) else { continue };
        let headers = [("content-type", "text/xml;charset=UTF-8".to_owned())];
        let read = aws::answer(&record, answer.status, &headers, answer.body.as_bytes());
        match read {
            Some(Ok(_)) => assert_eq!(answer.status, 200, "{}", answer.body),
            Some(Err(error)) => assert!(answer.status != 200 && error.code.is_some(), "{error:?} of {}", answer.body),
            None => assert!((200..600).contains(&answer.status), "status {}", answer.status),
        }
    }
}

/// A few machines and a volume.
fn world() -> Option<&'static World> {
    static WORLD: OnceLock<Option<World>> = OnceLock::new();
    let make = || {
        let seed = Seed::parse(
            "[[instances]]\nid = \"i-0123456789abcdef0\"\ntags = { env = \"dev\" }\n[[instances]]\nstate = \"stopped\"\n\
             [[volumes]]\nid = \"vol-0123456789abcdef0\"\n",
        );
        let world = seed.and_then(|seed| World::from_seed(&seed));
        assert!(world.is_ok(), "{world:?}");
        world.ok()
    };
    WORLD.get_or_init(make).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_what_they_claim_to_be() {
        for (target, name, bytes) in crate::seeds::all() {
            let (operation, rest) = kind(&bytes);
            if target != "aws_answer" || rest[0] != 0 || ["late_error", "head"].contains(&&*name) {
                continue;
            }
            let record = &records()[usize::from(operation)];
            let headers = [("content-type", "x".to_owned()), ("smithy-protocol", "rpc-v2-cbor".to_owned())];
            let read = aws::answer(record, 200, &headers, &rest[2..]).unwrap();
            assert!(read.is_ok(), "{name}: {read:?}");
        }
    }
}
