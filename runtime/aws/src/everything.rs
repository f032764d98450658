//! Every operation of the catalogue: its schemas are built, a request with all members is written, an empty answer read.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use escher_catalog::model::Location;
use escher_catalog::{Catalog, Protocol, ShapeId, ShapeKind};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};

use crate::answer::Received;
use crate::request;
use crate::schema::{Plan, Way};
use crate::wire::Quirks;

/// A value of a shape, with all members down to this depth.
fn sample(plan: &'static Plan, id: ShapeId, depth: u32) -> Value {
    let Some(node) = plan.node(Way::In, id) else { return Value::None };
    let inside = |id: &ShapeId| sample(plan, *id, depth + 1);
    match &node.shape.kind {
        ShapeKind::Structure(members) => {
            let deep = depth > 3;
            let members = members.iter().filter(|m| !deep || m.required && depth < 8);
            Value::record(members.map(|m| (&*m.name, inside(&m.shape))).filter(|(_, v)| *v != Value::None))
        }
        ShapeKind::Union(members) => {
            Value::record(members.iter().take(usize::from(depth < 8)).map(|m| (&*m.name, inside(&m.shape))))
        }
        ShapeKind::List { item, .. } if depth < 5 => Value::list(vec![inside(item)]),
        ShapeKind::List { .. } => Value::list(vec![]),
        ShapeKind::Map { value, .. } if depth < 5 => Value::map([("k", inside(value))]),
        ShapeKind::Map { .. } => Value::map([]),
        ShapeKind::String { values } => Value::text(values.first().map_or("abc", |v| v)),
        ShapeKind::Integer | ShapeKind::Long => Value::Int(7),
        ShapeKind::Float | ShapeKind::Double => Value::Float(1.5),
        ShapeKind::Boolean => Value::Bool(true),
        ShapeKind::Timestamp => Value::Instant(jiff::Timestamp::from_second(1_700_000_000).unwrap()),
        ShapeKind::Blob => Value::Bytes(Arc::from(&b"blob"[..])),
        ShapeKind::Document => Value::map([("a", Value::Int(1))]),
    }
}

fn try_out(plan: &'static Plan) -> Result<(), String> {
    let members = &plan.root().members;
    let arguments: BTreeMap<String, Value> =
        members.iter().map(|(m, _)| (m.name.to_string(), sample(plan, m.shape, 1))).collect();
    let draft = request::draft(plan, &arguments, Some("token"), Quirks::of(plan.record));
    let draft = draft.map_err(|e| e.to_string())?;
    if draft.http.uri().contains(['{', '}']) || draft.host_prefix.as_deref().is_some_and(|p| p.contains(['{', '}'])) {
        return Err(format!("a hole is left in {}", draft.http.uri()));
    }
    let missing = members
        .iter()
        .filter(|(m, _)| m.location == Location::Uri && !plan.record.operation.uri.contains(&*m.official));
    if let Some((member, _)) = missing.into_iter().next()
        && !plan.record.operation.uri.contains(member.wire_name.as_deref().unwrap_or("?"))
    {
        return Err(format!("{} isn't in {}", member.official, plan.record.operation.uri));
    }
    let body = match plan.record.service.protocol {
        Protocol::AwsQuery | Protocol::Ec2Query => "<XResponse/>",
        Protocol::RestXml => "<X/>",
        Protocol::RpcV2Cbor => "\u{0}",
        _ => "{}",
    };
    let body = if body == "\u{0}" { vec![0xa0] } else { body.as_bytes().to_vec() };
    let mut http = Response::new(StatusCode::try_from(200).map_err(|e| e.to_string())?, SdkBody::from(body));
    http.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    let read = Received { http }.value(plan, &Projection::All, &Arc::new(Target::default()));
    read.map(|_| ()).map_err(|e| e.to_string())
}

#[test]
fn every_operation_can_be_written_and_read() {
    let catalog = Catalog::embedded();
    let (mut tried, mut streams, mut failed) = (0, 0, Vec::new());
    for service in catalog.services("aws") {
        for operation in catalog.operations("aws", service) {
            let name = format!("aws.{service}.{operation}");
            tried += 1;
            match try_out(Plan::of(&catalog.record(&name).unwrap())) {
                Ok(()) => {}
                Err(why) if why.contains("stream of events") => streams += 1,
                Err(why) => failed.push(format!("{name}: {why}")),
            }
        }
    }
    println!("{tried} operations, {streams} of them streams");
    assert!(failed.is_empty(), "{} of {tried}:\n{}", failed.len(), failed.join("\n"));
}
