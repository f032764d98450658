//! Requests: arguments and a record to HTTP, without endpoint and signature.
//!
//! The SDK's protocols do most of it; what they leave to generated code is added here, each with its reason.
//! This module does *not* send anything.

use std::collections::BTreeMap;
use std::io::Write;

use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::base64;
use aws_smithy_types::body::SdkBody;
use escher_catalog::{Protocol, ShapeKind};
use escher_ir::Value;
use escher_provider::{CallError, ErrorKind};
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};

use crate::schema::Plan;
use crate::wire::{self, COMPRESS_FROM, Quirks};
use crate::write::Input;

/// A request whose address has a path but no host yet.
pub(crate) struct Draft {
    /// The request.
    pub(crate) http: Request,
    /// What stands before the host of the endpoint, such as `123456789012.`.
    pub(crate) host_prefix: Option<String>,
}

fn invalid(what: impl Into<String>) -> CallError {
    CallError::unsent(ErrorKind::Invalid, what)
}

/// The request of one call.
pub(crate) fn draft(
    plan: &'static Plan,
    arguments: &BTreeMap<String, Value>,
    token: Option<&str>,
    quirks: Quirks,
) -> Result<Draft, CallError> {
    refuse_streams(plan)?;
    let record = plan.record;
    let input = Input::new(plan, arguments, token);
    let settings = wire::settings(record);
    let mut http = wire::protocol(&record.service)
        .serialize_request(&input, plan.root().schema, "", &settings)
        .map_err(|e| invalid(format!("{}: {e}", record.name())))?;
    if record.operation.input.is_none() && record.service.protocol == Protocol::RpcV2Cbor {
        // The protocol forbids a body where the model has no input.
        set_body(&mut http, Vec::new());
        http.headers_mut().remove("content-type");
    }
    payload(plan, arguments, &mut http)?;
    if quirks.query_mode {
        http.headers_mut().insert("x-amzn-query-mode", "true");
    }
    if quirks.gzip {
        compress(&mut http).map_err(|_| invalid("the body can't be compressed"))?;
    }
    if record.operation.checksum_required {
        checksum(&mut http);
    }
    Ok(Draft { http, host_prefix: host_prefix(plan, arguments)? })
}

/// Streams of events need a connection of their own kind.
fn refuse_streams(plan: &Plan) -> Result<(), CallError> {
    let operation = &plan.record.operation;
    for id in [operation.input, operation.output].into_iter().flatten() {
        let Some(shape) = plan.record.shape(id) else { return Err(invalid("the record of the operation is damaged")) };
        let (ShapeKind::Structure(members) | ShapeKind::Union(members)) = &shape.kind else { continue };
        if members.iter().any(|m| plan.record.shape(m.shape).is_some_and(|s| s.event_stream)) {
            return Err(invalid(format!("{} is a stream of events, which can't be called", plan.record.name())));
        }
    }
    Ok(())
}

/// Content types and empty bodies of operations that have a member as their whole body.
fn payload(plan: &'static Plan, arguments: &BTreeMap<String, Value>, http: &mut Request) -> Result<(), CallError> {
    let root = plan.root();
    let member = root.members.iter().find(|(m, _)| Some(&*m.official) == root.shape.payload.as_deref());
    let Some((member, _)) = member.filter(|_| wire::is_rest(plan.record.service.protocol)) else { return Ok(()) };
    let Some(shape) = plan.record.shape(member.shape) else { return Ok(()) };
    let given = arguments.get(&*member.name).filter(|v| !matches!(v, Value::None));
    let json = plan.record.service.protocol == Protocol::RestJson;
    let content_type = match (&shape.kind, given) {
        (ShapeKind::String { .. }, Some(_)) => "text/plain",
        (ShapeKind::Blob, Some(_)) => "application/octet-stream",
        (ShapeKind::Document, Some(value)) => {
            let body = crate::write::json(value).map_err(|e| invalid(format!("{}: {e}", member.name)))?;
            set_body(http, body.into_bytes());
            "application/json"
        }
        (ShapeKind::Structure(_), None) if json => {
            set_body(http, b"{}".to_vec());
            "application/json"
        }
        _ => return Ok(()),
    };
    if http.headers().get("content-type").is_none() {
        http.headers_mut().insert("content-type", content_type);
    }
    Ok(())
}

fn set_body(http: &mut Request, body: Vec<u8>) {
    if body.is_empty() {
        http.headers_mut().remove("content-length");
    } else {
        http.headers_mut().insert("content-length", body.len().to_string());
    }
    *http.body_mut() = SdkBody::from(body);
}

fn compress(http: &mut Request) -> std::io::Result<()> {
    let body = http.body().bytes().unwrap_or_default();
    if body.len() < COMPRESS_FROM {
        return Ok(());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    let packed = encoder.finish()?;
    set_body(http, packed);
    let encoding = match http.headers().get("content-encoding") {
        Some(before) => format!("{before}, gzip"),
        None => "gzip".into(),
    };
    http.headers_mut().insert("content-encoding", encoding);
    Ok(())
}

/// The oldest of the checksums: every service that requires one takes it.
fn checksum(http: &mut Request) {
    let given = |name: &str| name == "content-md5" || name.starts_with("x-amz-checksum-");
    if http.headers().iter().any(|(name, _)| given(&name.to_ascii_lowercase())) {
        return;
    }
    let digest = Md5::digest(http.body().bytes().unwrap_or_default());
    http.headers_mut().insert("content-md5", base64::encode(digest));
}

/// The host prefix with its labels filled in; what fills them must be a host name's label itself.
fn host_prefix(plan: &'static Plan, arguments: &BTreeMap<String, Value>) -> Result<Option<String>, CallError> {
    let Some(template) = plan.record.operation.host_prefix.as_deref() else { return Ok(None) };
    let mut prefix = template.to_owned();
    for (member, _) in plan.root().members.iter().filter(|(m, _)| m.host_label) {
        let hole = format!("{{{}}}", member.official);
        if !prefix.contains(&hole) {
            continue;
        }
        let label = arguments.get(&*member.name).and_then(Value::as_str).unwrap_or_default();
        let fits = !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
            && !label.starts_with(['-', '.']);
        if !fits {
            return Err(invalid(format!("{}: it becomes part of a host name", member.name)));
        }
        prefix = prefix.replace(&hole, label);
    }
    Ok(Some(prefix))
}
