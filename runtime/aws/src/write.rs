//! Arguments to the members of a request: from the language's values to what each shape wants.
//!
//! Names are checked here, types as far as the shapes say; nothing of a value ever stands in an error.
//! This module does *not* know any wire format: a `ShapeSerializer` of the protocol writes the bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeSerializer};
use aws_smithy_schema::{Schema, prelude};
use aws_smithy_types::{Blob, DateTime, Document, Number};
use escher_catalog::model::{Location, TagNames};
use escher_catalog::{Member, Repeat, ShapeKind};
use escher_ir::{Record, Value};
use escher_provider::scalar;

use crate::schema::{Node, Plan, Way};

/// Members of a structure that is to be written, wherever they come from.
#[derive(Clone, Copy)]
enum Source<'v> {
    Arguments(&'v BTreeMap<String, Value>),
    Record(&'v Record),
    Map(&'v BTreeMap<Arc<str>, Value>),
    /// One entry of a map of tags: key, value, and what the API calls them.
    Tag(&'v str, &'v Value, &'v TagNames),
}

fn record(value: &Value) -> Result<Source<'_>, SerdeError> {
    match value {
        Value::Record(record) => Ok(Source::Record(record)),
        Value::Map(map) => Ok(Source::Map(map)),
        other => Err(wanted("a record", other)),
    }
}

impl<'v> Source<'v> {
    /// The member, `none` being as good as absent.
    fn get(self, member: &Member) -> Option<Part<'v>> {
        let value = match self {
            Source::Arguments(map) => map.get(&*member.name),
            Source::Record(record) => record.get(&member.name),
            Source::Map(map) => map.get(&*member.name),
            Source::Tag(key, ..) if self.tag_key(member) => return Some(Part::Text(key)),
            Source::Tag(_, value, names) => (*names.value == *member.official).then_some(value),
        };
        value.filter(|v| !matches!(v, Value::None)).map(Part::Value)
    }

    fn tag_key(self, member: &Member) -> bool {
        matches!(self, Source::Tag(_, _, names) if *names.key == *member.official)
    }

    /// The first name that the structure doesn't have.
    fn stranger(self, node: &Node) -> Option<String> {
        let known = |name: &str| node.members.iter().any(|(m, _)| &*m.name == name);
        match self {
            Source::Arguments(map) => map.keys().find(|n| !known(n)).cloned(),
            Source::Record(record) => record.members.iter().map(|(n, _)| n).find(|n| !known(n)).map(|n| n.to_string()),
            Source::Map(map) => map.keys().find(|n| !known(n)).map(|n| n.to_string()),
            Source::Tag(..) => None,
        }
    }
}

/// A value, or the key of a tag.
#[derive(Clone, Copy)]
enum Part<'v> {
    Text(&'v str),
    Value(&'v Value),
}

/// The input of one call, ready to be serialised.
pub(crate) struct Input<'v> {
    plan: &'static Plan,
    node: &'v Node,
    source: Source<'v>,
    token: Option<&'v str>,
}

impl<'v> Input<'v> {
    /// The input of a call; `token` fills the idempotency token where the operation takes one.
    pub(crate) fn new(
        plan: &'static Plan,
        arguments: &'v BTreeMap<String, Value>,
        token: Option<&'v str>,
    ) -> Input<'v> {
        Input { plan, node: plan.root(), source: Source::Arguments(arguments), token }
    }

    /// The token for this member, where it takes one.
    fn token_for(&self, member: &Member) -> Option<&'v str> {
        let token = self.token?;
        let named = matches!(&self.plan.record.operation.class.repeat, Repeat::Token(name) if *name == member.official);
        if !named && !member.idempotency_token {
            return None;
        }
        let max = self.plan.record.shape(member.shape).and_then(|s| s.max).and_then(|m| usize::try_from(m).ok());
        // Tokens are ASCII: a cut never falls inside of a letter, and what is left of it is as unique.
        Some(max.and_then(|max| token.get(..max)).unwrap_or(token))
    }
}

impl SerializableStruct for Input<'_> {
    fn schema(&self) -> &Schema<'_> {
        self.node.schema
    }

    fn serialize_members(&self, out: &mut dyn ShapeSerializer) -> Result<(), SerdeError> {
        if let Some(name) = self.source.stranger(self.node) {
            return Err(SerdeError::custom(format!("there is no member `{name}`")));
        }
        for (member, schema) in &self.node.members {
            match self.source.get(member) {
                Some(Part::Value(value)) => {
                    value_of_member(self.plan, out, schema, member, value).map_err(|e| within(&member.name, e))?;
                }
                Some(Part::Text(text)) => out.write_string(schema, text)?,
                None => {
                    if let Some(token) = self.token_for(member) {
                        out.write_string(schema, token)?;
                    } else if member.required && matches!(member.location, Location::Uri) {
                        return Err(SerdeError::custom(format!("`{}` is needed", member.name)));
                    }
                }
            }
        }
        Ok(())
    }
}

fn within(name: &str, error: SerdeError) -> SerdeError {
    SerdeError::custom(format!("{name}: {error}"))
}

fn wanted(what: &str, value: &Value) -> SerdeError {
    SerdeError::custom(scalar::wanted(what, value))
}

fn value_of_member(
    plan: &'static Plan,
    out: &mut dyn ShapeSerializer,
    schema: &Schema<'_>,
    member: &'static Member,
    value: &Value,
) -> Result<(), SerdeError> {
    let node = plan.node(Way::In, member.shape).ok_or_else(damaged)?;
    match (&member.tags, value) {
        (Some(names), Value::Map(tags)) => tag_list(plan, out, schema, node, names, tags),
        _ if node.shape.json_value || member.json_value => json_text(out, schema, value),
        _ if schema.http_payload().is_some() && node.is_structure() => {
            let schema = plan.payload(member, node);
            out.write_struct(schema, &Input { plan, node, source: record(value)?, token: None })
        }
        _ => write(plan, out, schema, node, value, &member.official),
    }
}

fn damaged() -> SerdeError {
    SerdeError::custom("the record of the operation is damaged")
}

/// JSON inside of a text; where it travels in a header, the protocol itself puts it into Base64.
fn json_text(out: &mut dyn ShapeSerializer, schema: &Schema<'_>, value: &Value) -> Result<(), SerdeError> {
    match value {
        // A text is meant as the JSON that it holds.
        Value::String(text) => out.write_string(schema, text),
        other => out.write_string(schema, &json(other)?),
    }
}

fn tag_list(
    plan: &'static Plan,
    out: &mut dyn ShapeSerializer,
    schema: &Schema<'_>,
    node: &Node,
    names: &TagNames,
    tags: &BTreeMap<Arc<str>, Value>,
) -> Result<(), SerdeError> {
    let Some((item, _)) = &node.element else { return Err(damaged()) };
    let item = plan.node(Way::In, *item).ok_or_else(damaged)?;
    if tags.is_empty() && drops_empty_lists(plan) {
        return Ok(());
    }
    out.write_list_with_length(schema, tags.len(), &|out| {
        for (key, value) in tags {
            let input = Input { plan, node: item, source: Source::Tag(key, value, names), token: None };
            out.write_struct(item.schema, &input)?;
        }
        Ok(())
    })
}

/// The EC2 protocol has no way to say "an empty list".
fn drops_empty_lists(plan: &Plan) -> bool {
    plan.record.service.protocol == escher_catalog::Protocol::Ec2Query
}

fn write(
    plan: &'static Plan,
    out: &mut dyn ShapeSerializer,
    schema: &Schema<'_>,
    node: &Node,
    value: &Value,
    name: &str,
) -> Result<(), SerdeError> {
    match value {
        Value::None => return out.write_null(schema),
        Value::Absent(member) => return Err(SerdeError::custom(format!("the cloud left out `{member}`"))),
        Value::Hole(_) => return Err(SerdeError::custom("a value that isn't known yet")),
        _ => {}
    }
    match &node.shape.kind {
        ShapeKind::Structure(_) | ShapeKind::Union(_) => {
            out.write_struct(schema, &Input { plan, node, source: record(value)?, token: None })
        }
        ShapeKind::List { .. } => write_list(plan, out, schema, node, value, name),
        ShapeKind::Map { .. } => write_map(plan, out, schema, node, value, name),
        ShapeKind::String { .. } => out.write_string(schema, &text(value)?),
        ShapeKind::Integer => {
            let n = i32::try_from(whole(value, name)?);
            out.write_integer(schema, n.map_err(|_| SerdeError::custom("the number is too large"))?)
        }
        ShapeKind::Long => out.write_long(schema, whole(value, name)?),
        ShapeKind::Float => {
            #[allow(clippy::cast_possible_truncation, reason = "the API takes 32 bits")]
            let single = real(value)? as f32;
            out.write_float(schema, single)
        }
        ShapeKind::Double => out.write_double(schema, real(value)?),
        ShapeKind::Boolean => match value {
            Value::Bool(b) => out.write_boolean(schema, *b),
            other => Err(wanted("true or false", other)),
        },
        ShapeKind::Timestamp => out.write_timestamp(schema, &instant(value)?),
        ShapeKind::Blob => match value {
            Value::Bytes(bytes) => out.write_blob(schema, Blob::new(bytes.to_vec())),
            Value::String(text) => out.write_blob(schema, Blob::new(text.as_bytes().to_vec())),
            Value::Secret(secret) => match secret.plain() {
                Some(plain) => out.write_blob(schema, Blob::new(plain.bytes().to_vec())),
                None => Err(wanted("bytes", value)),
            },
            other => Err(wanted("bytes", other)),
        },
        ShapeKind::Document => out.write_document(schema, &document(value)?),
    }
}

fn write_list(
    plan: &'static Plan,
    out: &mut dyn ShapeSerializer,
    schema: &Schema<'_>,
    node: &Node,
    value: &Value,
    name: &str,
) -> Result<(), SerdeError> {
    let items = value.as_list().ok_or_else(|| wanted("a list", value))?;
    if items.is_empty() && drops_empty_lists(plan) {
        return Ok(());
    }
    let Some((id, alone)) = &node.element else { return Err(damaged()) };
    let item = plan.node(Way::In, *id).ok_or_else(damaged)?;
    let inner = if item.is_structure() { item.schema } else { alone };
    out.write_list_with_length(schema, items.len(), &|out| {
        items.iter().try_for_each(|value| write(plan, out, inner, item, value, name))
    })
}

fn write_map(
    plan: &'static Plan,
    out: &mut dyn ShapeSerializer,
    schema: &Schema<'_>,
    node: &Node,
    value: &Value,
    name: &str,
) -> Result<(), SerdeError> {
    let entries: Vec<(&str, &Value)> = match value {
        Value::Map(map) => map.iter().map(|(k, v)| (&**k, v)).collect(),
        Value::Record(record) => record.members.iter().map(|(k, v)| (&**k, v)).collect(),
        other => return Err(wanted("a map", other)),
    };
    let Some((id, alone)) = &node.element else { return Err(damaged()) };
    let item = plan.node(Way::In, *id).ok_or_else(damaged)?;
    let inner = if item.is_structure() { item.schema } else { alone };
    out.write_map_with_length(schema, entries.len(), &|out| {
        entries.iter().try_for_each(|(key, value)| {
            out.write_string(&prelude::STRING, key)?;
            write(plan, out, inner, item, value, name)
        })
    })
}

/// A value as JSON, for a member that is any JSON.
pub(crate) fn json(value: &Value) -> Result<String, SerdeError> {
    Ok(crate::json::of_document(&document(value)?).to_string())
}

fn text(value: &Value) -> Result<String, SerdeError> {
    match value {
        // A policy document is JSON inside of a text.
        Value::Record(_) | Value::Map(_) | Value::List(_) => json(value),
        other => scalar::text(other).ok_or_else(|| wanted("text", other)),
    }
}

fn whole(value: &Value, name: &str) -> Result<i64, SerdeError> {
    scalar::integer(value, name).map_err(SerdeError::custom)
}

fn real(value: &Value) -> Result<f64, SerdeError> {
    scalar::float(value).map_err(SerdeError::custom)
}

/// An instant in the SDK's own type.
fn instant(value: &Value) -> Result<DateTime, SerdeError> {
    let instant = scalar::instant(value).map_err(SerdeError::custom)?;
    DateTime::from_nanos(instant.as_nanosecond()).map_err(|_| SerdeError::custom("the instant is out of range"))
}

fn document(value: &Value) -> Result<Document, SerdeError> {
    Ok(match value {
        Value::None => Document::Null,
        Value::Bool(b) => Document::Bool(*b),
        Value::Int(n) => Document::Number(u64::try_from(*n).map_or(Number::NegInt(*n), Number::PosInt)),
        Value::Float(f) => Document::Number(Number::Float(*f)),
        Value::List(items) => Document::Array(items.iter().map(document).collect::<Result<_, _>>()?),
        Value::Map(map) => Document::Object(
            map.iter().map(|(k, v)| Ok((k.to_string(), document(v)?))).collect::<Result<_, SerdeError>>()?,
        ),
        Value::Record(record) => Document::Object(
            record.members.iter().map(|(k, v)| Ok((k.to_string(), document(v)?))).collect::<Result<_, SerdeError>>()?,
        ),
        other => Document::String(text(other)?),
    })
}
