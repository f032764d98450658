//! The suite's models as catalogue records: what the importer does, for models that are no service.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::model::{ErrorTrait, Location, Operation, ServiceMeta, TimestampFormat};
use escher_catalog::{Class, Member, Protocol, Record, Shape, ShapeId, ShapeKind};
use escher_ir::Value;
use serde_json::Value as Json;

use crate::schema::{Node, Plan, Way};

type Namespace = Option<(Arc<str>, Option<Arc<str>>)>;

fn text(json: &Json) -> Option<Arc<str>> {
    json.as_str().map(Arc::from)
}

fn namespace(json: &Json) -> Namespace {
    match json {
        Json::String(uri) => Some((Arc::from(uri.as_str()), None)),
        Json::Object(of) => Some((text(of.get("uri")?)?, of.get("prefix").and_then(text))),
        _ => None,
    }
}

/// Shapes in the making: the suite's by name, and copies of elements that carry something of their own.
struct Shapes<'j> {
    suite: &'j serde_json::Map<String, Json>,
    names: BTreeMap<String, ShapeId>,
    rest: bool,
    made: Vec<Shape>,
}

impl Shapes<'_> {
    fn id(&self, reference: &Json) -> ShapeId {
        self.names[reference["shape"].as_str().unwrap()]
    }

    /// An element whose reference has a namespace becomes a shape of its own.
    fn element(&mut self, reference: &Json) -> ShapeId {
        let id = self.id(reference);
        let Some(namespace) = namespace(&reference["xmlNamespace"]) else { return id };
        let name = reference["shape"].as_str().unwrap();
        let mut shape = self.shape(name, &self.suite[name].clone());
        shape.xml_namespace = Some(namespace);
        self.made.push(shape);
        ShapeId::try_from(self.made.len() - 1).unwrap()
    }

    fn member(&self, official: &str, json: &Json) -> Member {
        Member {
            official: Arc::from(official),
            name: Arc::from(official),
            shape: self.id(json),
            required: false,
            idempotency_token: json["idempotencyToken"] == true,
            location: match json["location"].as_str() {
                Some("uri") => Location::Uri,
                Some("querystring") => Location::Query,
                Some("header") => Location::Header,
                Some("headers") => Location::PrefixHeaders,
                Some("statusCode") => Location::Status,
                _ => Location::Body,
            },
            wire_name: text(&json["locationName"]),
            query_name: text(&json["queryName"]),
            flattened: json["flattened"] == true,
            xml_attribute: json["xmlAttribute"] == true,
            host_label: json["hostLabel"] == true,
            streaming: false,
            json_value: json["jsonvalue"] == true,
            xml_namespace: namespace(&json["xmlNamespace"]),
            tags: None,
            context_param: None,
            read_only: false,
            ambient: false,
        }
    }

    fn kind(&mut self, json: &Json) -> ShapeKind {
        if json["document"] == true {
            return ShapeKind::Document;
        }
        match json["type"].as_str().unwrap() {
            "structure" => {
                let members = json["members"].as_object().into_iter().flatten();
                let mut members: Vec<_> = members.map(|(name, member)| self.member(name, member)).collect();
                // The suite was converted from Smithy, where a payload without a name of its own takes its shape's. In
                // AWS's real models the name of the payload's member always stands, and counts.
                for member in &mut members {
                    let reference = &json["members"][&*member.official];
                    let shape = &self.suite[reference["shape"].as_str().unwrap()];
                    let own = member.wire_name.as_deref().is_some_and(|n| n != &*member.official);
                    if self.rest && json["payload"] == *member.official && shape["type"] == "structure" && !own {
                        let name = shape["locationName"].as_str().or(reference["shape"].as_str());
                        member.wire_name = name.map(Arc::from);
                    }
                }
                if json["union"] == true { ShapeKind::Union(members) } else { ShapeKind::Structure(members) }
            }
            "list" => ShapeKind::List {
                item: self.element(&json["member"]),
                wire_name: text(&json["member"]["locationName"]),
            },
            "map" => ShapeKind::Map {
                key: self.element(&json["key"]),
                value: self.element(&json["value"]),
                key_wire_name: text(&json["key"]["locationName"]),
                value_wire_name: text(&json["value"]["locationName"]),
            },
            "string" | "character" => ShapeKind::String { values: Vec::new() },
            "integer" => ShapeKind::Integer,
            "long" => ShapeKind::Long,
            "float" => ShapeKind::Float,
            "double" => ShapeKind::Double,
            "boolean" => ShapeKind::Boolean,
            "timestamp" => ShapeKind::Timestamp,
            "blob" => ShapeKind::Blob,
            other => panic!("{other}"),
        }
    }

    fn shape(&mut self, name: &str, json: &Json) -> Shape {
        let kind = self.kind(json);
        let named = matches!(kind, ShapeKind::Structure(_) | ShapeKind::Union(_));
        Shape {
            name: Arc::from(if named { json["locationName"].as_str().unwrap_or(name) } else { "" }),
            kind,
            sensitive: false,
            flattened: json["flattened"] == true,
            min: None,
            max: None,
            pattern: None,
            timestamp_format: match json["timestampFormat"].as_str() {
                Some("iso8601") => Some(TimestampFormat::Iso8601),
                Some("rfc822") => Some(TimestampFormat::Rfc822),
                Some("unixTimestamp") => Some(TimestampFormat::UnixTimestamp),
                _ => None,
            },
            payload: text(&json["payload"]),
            error: json.get("error").map(|e| ErrorTrait { code: text(&e["code"]), status: 0 }),
            xml_namespace: namespace(&json["xmlNamespace"]),
            streaming: false,
            event_stream: false,
            json_value: json["jsonvalue"] == true,
            number_as_text: false,
        }
    }
}

/// The record of one case's operation.
pub(crate) fn record(suite: &Json, given: &Json) -> Record {
    let suite_shapes = suite["shapes"].as_object().unwrap();
    let names = suite_shapes.keys().enumerate().map(|(at, name)| (name.clone(), ShapeId::try_from(at).unwrap()));
    let rest = suite["metadata"]["protocol"].as_str().is_some_and(|p| p.starts_with("rest"));
    let mut shapes = Shapes { suite: suite_shapes, names: names.collect(), rest, made: Vec::new() };
    // Places first: elements with something of their own are added behind.
    let empty = Shape { name: Arc::from(""), ..shapes.shape("", &serde_json::json!({"type": "string"})) };
    shapes.made = vec![empty; suite_shapes.len()];
    for (at, (name, json)) in suite_shapes.iter().enumerate() {
        let shape = shapes.shape(name, json);
        shapes.made[at] = shape;
    }
    let reference = |json: &Json| json.get("shape").map(|_| shapes.id(json));
    let (input, output) = (reference(&given["input"]), reference(&given["output"]));
    let metadata = &suite["metadata"];
    let word = |key: &str| text(&metadata[key]).unwrap_or_else(|| Arc::from(""));
    let protocol = match (metadata["protocol"].as_str().unwrap(), metadata["jsonVersion"].as_str()) {
        ("json", Some("1.0")) => Protocol::AwsJson10,
        ("json", _) => Protocol::AwsJson11,
        ("query", _) => Protocol::AwsQuery,
        ("ec2", _) => Protocol::Ec2Query,
        ("rest-json", _) => Protocol::RestJson,
        ("rest-xml", _) => Protocol::RestXml,
        ("smithy-rpc-v2-cbor", _) => Protocol::RpcV2Cbor,
        other => panic!("{other:?}"),
    };
    Record {
        service: ServiceMeta {
            cloud: Arc::from("aws"),
            name: Arc::from("suite"),
            service_id: word("serviceId"),
            full_name: word("serviceFullName"),
            api_version: word("apiVersion"),
            protocol,
            protocols: vec![protocol],
            endpoint_prefix: word("endpointPrefix"),
            signing_name: word("signingName"),
            signature_version: word("signatureVersion"),
            target_prefix: text(&metadata["targetPrefix"]),
            xml_namespace: namespace(&metadata["xmlNamespace"]),
        },
        operation: Operation {
            official: text(&given["name"]).unwrap(),
            name: text(&given["name"]).unwrap(),
            method: text(&given["http"]["method"]).unwrap(),
            uri: text(&given["http"]["requestUri"]).unwrap(),
            input,
            input_wire_name: text(&given["input"]["locationName"]),
            input_xml_namespace: namespace(&given["input"]["xmlNamespace"]),
            output,
            output_wrapper: text(&given["output"]["resultWrapper"]),
            errors: Vec::new(),
            paging: None,
            host_prefix: text(&given["endpoint"]["hostPrefix"]),
            unsigned: false,
            unsigned_payload: false,
            checksum_required: given["httpChecksumRequired"] == true,
            deprecated: false,
            static_context: Vec::new(),
            input_context: Vec::new(),
            api_version: None,
            upload: None,
            download: false,
            completion: None,
            class: Class::worst(),
        },
        shapes: shapes.made,
    }
}

/// The parameters of a case as arguments.
pub(super) fn arguments(plan: &'static Plan, params: &Json) -> BTreeMap<String, Value> {
    let node = plan.root();
    let given = params.as_object().into_iter().flatten();
    given.map(|(name, json)| (name.clone(), member(plan, node, name, json))).collect()
}

fn member(plan: &'static Plan, node: &Node, name: &str, json: &Json) -> Value {
    let (member, _) = node.members.iter().find(|(m, _)| &*m.official == name).unwrap();
    value(plan, plan.node(Way::In, member.shape).unwrap(), json)
}

fn value(plan: &'static Plan, node: &Node, json: &Json) -> Value {
    if json.is_null() {
        return Value::None;
    }
    let element = |json: &Json| value(plan, plan.node(Way::In, node.element.as_ref().unwrap().0).unwrap(), json);
    match &node.shape.kind {
        ShapeKind::Structure(_) | ShapeKind::Union(_) => {
            let members = json.as_object().unwrap().iter();
            Value::record(members.map(|(name, json)| (name.as_str(), member(plan, node, name, json))))
        }
        ShapeKind::List { .. } => Value::list(json.as_array().unwrap().iter().map(element).collect()),
        ShapeKind::Map { .. } => Value::map(json.as_object().unwrap().iter().map(|(k, v)| (k.as_str(), element(v)))),
        ShapeKind::Timestamp => {
            let seconds = json.as_f64().unwrap();
            Value::Instant(jiff::Timestamp::from_millisecond((seconds * 1000.0).round() as i64).unwrap())
        }
        ShapeKind::Blob => Value::Bytes(Arc::from(json.as_str().unwrap().as_bytes())),
        _ => free(json),
    }
}

fn free(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
        Json::String(s) => Value::text(s),
        Json::Array(items) => Value::list(items.iter().map(free).collect()),
        Json::Object(members) => Value::map(members.iter().map(|(k, v)| (k.as_str(), free(v)))),
    }
}
