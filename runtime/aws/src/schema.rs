//! Schemas of `aws-smithy-schema`, built at run time from the record of an operation.
//!
//! A [`Plan`] holds all that is needed to write one operation's requests and read its answers; shapes are turned into
//! schemas when they are first met. Schemas refer to each other and to their names by reference, so what a plan consists
//! of lives as long as the process: bounded by the distinct records that it uses, because equal records share one plan.
//! This module does *not* read or write any value.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_smithy_schema::traits::{HttpTrait, TimestampFormat as WireTime};
use aws_smithy_schema::{Schema, ShapeId as SmithyId, ShapeType, intern_header_name};
use escher_catalog::model::{Location, TimestampFormat};
use escher_catalog::{Member, Protocol, Record, Shape, ShapeId, ShapeKind};

/// A schema that lives as long as the process.
pub(crate) type Static = &'static Schema<'static>;

/// Lists within lists are followed this far; no API comes near it, a damaged record might.
const MAX_LIST_DEPTH: u32 = 16;

/// Which way a shape travels: the EC2 protocol names members differently in requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In a request.
    In,
    /// In an answer.
    Out,
}

/// Everything known of one operation, ready for the wire.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The record, living as long as its schemas.
    pub(crate) record: &'static Record,
    /// Keeps the address of the caller's record, by which a plan is found fast.
    pinned: Arc<Record>,
    root: OnceLock<Node>,
    payload: OnceLock<Static>,
    input: Vec<OnceLock<Node>>,
    output: Vec<OnceLock<Node>>,
}

/// One shape with its schemas.
#[derive(Debug)]
pub(crate) struct Node {
    /// The shape.
    pub(crate) shape: &'static Shape,
    /// Its schema where it stands alone.
    pub(crate) schema: Static,
    /// Members of a structure or union with their schemas, in order.
    pub(crate) members: Vec<(&'static Member, Static)>,
    /// Elements of a list, or values of a map.
    pub(crate) element: Option<(ShapeId, Static)>,
    /// Full name, such as `aws.ec2.Instance`; empty where the shape has none.
    pub(crate) name: Arc<str>,
}

impl Node {
    /// Whether the shape is a structure or a union.
    pub(crate) fn is_structure(&self) -> bool {
        matches!(self.shape.kind, ShapeKind::Structure(_) | ShapeKind::Union(_))
    }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

impl Plan {
    /// The plan of a record; equal records share one.
    pub(crate) fn of(record: &Arc<Record>) -> &'static Plan {
        static PLANS: OnceLock<Mutex<HashMap<String, Vec<&'static Plan>>>> = OnceLock::new();
        let mut plans = PLANS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let same_name = plans.entry(record.name()).or_default();
        let same = |p: &&&'static Plan| Arc::ptr_eq(&p.pinned, record) || *p.record == **record;
        if let Some(plan) = same_name.iter().find(same) {
            return plan;
        }
        let plan = leak(Plan::new(record));
        same_name.push(plan);
        plan
    }

    fn new(pinned: &Arc<Record>) -> Plan {
        let record = leak(Record::clone(pinned));
        let nodes = || record.shapes.iter().map(|_| OnceLock::new()).collect();
        Plan {
            record,
            pinned: Arc::clone(pinned),
            root: OnceLock::new(),
            payload: OnceLock::new(),
            input: nodes(),
            output: nodes(),
        }
    }

    /// The shape of this index with its schemas; none where the record is damaged.
    pub(crate) fn node(&self, way: Way, id: ShapeId) -> Option<&Node> {
        let table = if way == Way::In { &self.input } else { &self.output };
        let cell = table.get(id as usize)?;
        let shape = self.record.shape(id)?;
        Some(cell.get_or_init(|| self.build(way, shape)))
    }

    /// The input structure as the root of a request; an empty one where the operation takes nothing.
    pub(crate) fn root(&self) -> &Node {
        self.root.get_or_init(|| self.build_root())
    }

    /// The output structure, where the operation has one.
    pub(crate) fn output(&self) -> Option<&Node> {
        self.node(Way::Out, self.record.operation.output?)
    }

    /// The schema of the structure that is the whole body of a request: it bears the name and namespace of its member.
    pub(crate) fn payload(&self, member: &'static Member, node: &Node) -> Static {
        self.payload.get_or_init(|| {
            let name = member.wire_name.as_deref().unwrap_or(&member.official);
            let mut schema = self.structure(node.shape, &node.members).with_xml_name(name);
            if let Some((uri, prefix)) = member.xml_namespace.as_ref().or(node.shape.xml_namespace.as_ref()) {
                schema = schema.with_xml_namespace(uri, prefix.as_deref());
            }
            leak(schema)
        })
    }

    /// Whether the record is that of a protocol whose requests use the EC2 names.
    fn ec2(&self, way: Way) -> bool {
        way == Way::In && self.record.service.protocol == Protocol::Ec2Query
    }

    fn build_root(&self) -> Node {
        let operation = &self.record.operation;
        let http = HttpTrait::new(&operation.method, &operation.uri, None);
        let shape = operation.input.and_then(|id| self.record.shape(id));
        let Some(shape) = shape else {
            let empty = leak(Shape { kind: ShapeKind::Structure(Vec::new()), ..nameless() });
            let schema = Schema::new_struct(plain_id(&operation.official), ShapeType::Structure, &[]);
            return Node {
                shape: empty,
                schema: leak(schema.with_http(http).with_no_body_members()),
                members: Vec::new(),
                element: None,
                name: Arc::from(""),
            };
        };
        let members = self.members(Way::In, shape);
        let mut schema = self.structure(shape, &members).with_http(http);
        if members.iter().all(|(m, _)| m.location != Location::Body) && shape.payload.is_none() {
            schema = schema.with_no_body_members();
        }
        let namespace = operation.input_xml_namespace.as_ref().or(shape.xml_namespace.as_ref());
        if let Some((uri, prefix)) = namespace.or(self.record.service.xml_namespace.as_ref()) {
            schema = schema.with_xml_namespace(uri, prefix.as_deref());
        }
        schema = schema.with_xml_name(operation.input_wire_name.as_deref().unwrap_or(&shape.name));
        Node { shape, schema: leak(schema), members, element: None, name: Arc::from("") }
    }

    fn build(&self, way: Way, shape: &'static Shape) -> Node {
        let service = &self.record.service;
        let name: Arc<str> = if shape.name.is_empty() {
            Arc::from("")
        } else {
            Arc::from(format!("{}.{}.{}", service.cloud, service.name, shape.name))
        };
        match &shape.kind {
            ShapeKind::Structure(_) | ShapeKind::Union(_) => {
                let members = self.members(way, shape);
                let mut schema = self.structure(shape, &members);
                if let Some((uri, prefix)) = &shape.xml_namespace {
                    schema = schema.with_xml_namespace(uri, prefix.as_deref());
                }
                Node { shape, schema: leak(schema), members, element: None, name }
            }
            kind => {
                let schema = leak(self.alone(way, shape, 0));
                let element = match kind {
                    ShapeKind::List { item, .. } => Some(*item),
                    ShapeKind::Map { value, .. } => Some(*value),
                    _ => None,
                };
                let element = element.and_then(|id| {
                    let target = self.record.shape(id)?;
                    let schema: Static = leak(self.alone(way, target, 1));
                    Some((id, schema))
                });
                Node { shape, schema, members: Vec::new(), element, name }
            }
        }
    }

    fn members(&self, way: Way, shape: &'static Shape) -> Vec<(&'static Member, Static)> {
        let (ShapeKind::Structure(members) | ShapeKind::Union(members)) = &shape.kind else { return Vec::new() };
        // The index of a member is its place in this list: a member of unknown shape is dropped before counting.
        let known = members.iter().filter_map(|m| Some((m, self.record.shape(m.shape)?)));
        known.enumerate().map(|(at, (member, target))| (member, self.member(way, shape, member, target, at))).collect()
    }

    fn structure(&self, shape: &'static Shape, members: &[(&'static Member, Static)]) -> Schema<'static> {
        let schemas: &'static [Static] = Box::leak(members.iter().map(|(_, s)| *s).collect());
        shape_traits(Schema::new_struct(plain_id(&shape.name), shape_type(shape), schemas), shape, false)
    }

    /// A shape where it isn't the member of a structure: an element of a list, or a value of a map.
    fn alone(&self, way: Way, shape: &'static Shape, depth: u32) -> Schema<'static> {
        let schema = match &shape.kind {
            ShapeKind::List { item, wire_name } => {
                let item = self.element(way, *item, wire_name.as_deref().unwrap_or("member"), 0, depth);
                Schema::new_list(plain_id("List"), item)
            }
            ShapeKind::Map { key, value, key_wire_name, value_wire_name } => {
                let key = self.element(way, *key, key_wire_name.as_deref().unwrap_or("key"), 0, depth);
                let value = self.element(way, *value, value_wire_name.as_deref().unwrap_or("value"), 1, depth);
                Schema::new_map(plain_id("Map"), key, value)
            }
            _ => Schema::new(plain_id("Value"), shape_type(shape)),
        };
        shape_traits(schema, shape, self.ec2(way))
    }

    /// The unnamed member of a list or a map.
    fn element(&self, way: Way, id: ShapeId, wire: &'static str, at: usize, depth: u32) -> Static {
        let default = if self.ec2(way) { "member" } else { wire };
        let target = self.record.shape(id).filter(|_| depth < MAX_LIST_DEPTH);
        let Some(target) = target else {
            return leak(Schema::new_member(member_id(default), ShapeType::String, default, at));
        };
        let schema = Schema::new_member(member_id(default), shape_type(target), default, at);
        let mut schema = self.with_elements(schema, way, target, depth + 1);
        // EC2 names nothing by its list: `Name.1`, never `Name.item.1`.
        if self.ec2(way) || !matches!(wire, "member" | "key" | "value") {
            schema = schema.with_xml_name(default).with_json_name(default);
        }
        if let Some((uri, prefix)) = &target.xml_namespace {
            schema = schema.with_xml_namespace(uri, prefix.as_deref());
        }
        leak(shape_traits(schema, target, self.ec2(way)))
    }

    fn with_elements(&self, schema: Schema<'static>, way: Way, target: &'static Shape, depth: u32) -> Schema<'static> {
        match &target.kind {
            ShapeKind::List { item, wire_name } => {
                let wire = wire_name.as_deref().unwrap_or("member");
                schema.with_list_member(self.element(way, *item, wire, 0, depth))
            }
            ShapeKind::Map { key, value, key_wire_name, value_wire_name } => {
                let key = self.element(way, *key, key_wire_name.as_deref().unwrap_or("key"), 0, depth);
                let value = self.element(way, *value, value_wire_name.as_deref().unwrap_or("value"), 1, depth);
                schema.with_map_members(key, value)
            }
            _ => schema,
        }
    }

    /// A member of a structure.
    fn member(
        &self,
        way: Way,
        of: &'static Shape,
        member: &'static Member,
        target: &'static Shape,
        at: usize,
    ) -> Static {
        let ec2 = self.ec2(way);
        let wire = self.wire_name(way, member);
        let bound = matches!(member.location, Location::Header | Location::PrefixHeaders | Location::Status);
        let name: &'static str = if bound { &member.official } else { wire };
        let mut schema = Schema::new_member(member_id(name), shape_type(target), name, at);
        schema = self.with_elements(schema, way, target, 0);
        if let ShapeKind::List { wire_name: Some(item), .. } = &target.kind
            && target.flattened
            && member.wire_name.is_none()
            && !ec2
        {
            // The siblings of a flattened list carry the name of its elements.
            schema = schema.with_xml_name(item);
        }
        if (!bound && wire != &*member.official) || ec2 {
            schema = schema.with_xml_name(wire).with_json_name(wire);
        }
        schema = shape_traits(schema, target, ec2);
        if member.flattened {
            schema = schema.with_xml_flattened();
        }
        if member.xml_attribute {
            schema = schema.with_xml_attribute();
        }
        if let Some((uri, prefix)) = member.xml_namespace.as_ref().or(target.xml_namespace.as_ref()) {
            schema = schema.with_xml_namespace(uri, prefix.as_deref());
        }
        if member.json_value || target.json_value {
            schema = schema.with_media_type("application/json");
        }
        if of.payload.as_deref() == Some(&*member.official) && crate::wire::is_rest(self.record.service.protocol) {
            schema = schema.with_http_payload();
        }
        let map = matches!(target.kind, ShapeKind::Map { .. });
        leak(match member.location {
            Location::Body => schema,
            Location::Uri => schema.with_http_label(),
            Location::Query if map => schema.with_http_query_params(),
            Location::Query => schema.with_http_query(wire),
            Location::Header => schema.with_http_header(intern_header_name(wire)),
            Location::PrefixHeaders => schema.with_http_prefix_headers(member.wire_name.as_deref().unwrap_or("")),
            Location::Status => schema.with_http_response_code(),
        })
    }

    fn wire_name(&self, way: Way, member: &'static Member) -> &'static str {
        let plain = member.wire_name.as_deref().unwrap_or(&member.official);
        if !self.ec2(way) {
            return if plain.is_empty() { &member.official } else { plain };
        }
        if let Some(name) = member.query_name.as_deref() {
            return name;
        }
        let mut letters = plain.chars();
        match letters.next() {
            Some(first) if first.is_lowercase() => {
                let upper: String = first.to_uppercase().chain(letters).collect();
                Box::leak(upper.into_boxed_str())
            }
            _ => plain,
        }
    }
}

fn nameless() -> Shape {
    Shape {
        name: Arc::from(""),
        kind: ShapeKind::Document,
        sensitive: false,
        flattened: false,
        min: None,
        max: None,
        pattern: None,
        timestamp_format: None,
        payload: None,
        error: None,
        xml_namespace: None,
        streaming: false,
        event_stream: false,
        json_value: false,
        number_as_text: false,
    }
}

fn plain_id(name: &'static str) -> SmithyId<'static> {
    SmithyId::from_parts(name, "escher", name)
}

fn member_id(name: &'static str) -> SmithyId<'static> {
    SmithyId::from_parts_with_member(name, "escher", "Member", name)
}

fn shape_traits(mut schema: Schema<'static>, shape: &'static Shape, ec2: bool) -> Schema<'static> {
    if let Some(format) = shape.timestamp_format {
        schema = schema.with_timestamp_format(match format {
            TimestampFormat::Iso8601 => WireTime::DateTime,
            TimestampFormat::Rfc822 => WireTime::HttpDate,
            TimestampFormat::UnixTimestamp => WireTime::EpochSeconds,
        });
    }
    if shape.flattened || (ec2 && matches!(shape.kind, ShapeKind::List { .. })) {
        schema = schema.with_xml_flattened();
    }
    if shape.sensitive { schema.with_sensitive() } else { schema }
}

fn shape_type(shape: &Shape) -> ShapeType {
    match &shape.kind {
        ShapeKind::Structure(_) => ShapeType::Structure,
        ShapeKind::Union(_) => ShapeType::Union,
        ShapeKind::List { .. } => ShapeType::List,
        ShapeKind::Map { .. } => ShapeType::Map,
        ShapeKind::String { .. } => ShapeType::String,
        ShapeKind::Integer => ShapeType::Integer,
        ShapeKind::Long => ShapeType::Long,
        ShapeKind::Float => ShapeType::Float,
        ShapeKind::Double => ShapeType::Double,
        ShapeKind::Boolean => ShapeType::Boolean,
        ShapeKind::Timestamp => ShapeType::Timestamp,
        ShapeKind::Blob => ShapeType::Blob,
        ShapeKind::Document => ShapeType::Document,
    }
}
