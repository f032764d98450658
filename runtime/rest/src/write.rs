//! Values to JSON by the shapes of the catalogue, in the API's own names.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use escher_catalog::model::TimestampFormat;
use escher_catalog::{Record, Shape, ShapeKind};
use escher_ir::Value;
use escher_provider::scalar::{self, wanted};
use serde_json::{Map, Value as Json, json};

/// A value as JSON. `name` is the member's, whose unit it may tell.
pub(crate) fn json(record: &Record, shape: &Shape, value: &Value, name: &str) -> Result<Json, String> {
    match value {
        Value::None => return Ok(Json::Null),
        Value::Absent(member) => return Err(format!("the cloud left out `{member}`")),
        Value::Hole(_) => return Err("a value that isn't known yet".into()),
        _ => {}
    }
    let of = |id: u32| record.shape(id).ok_or("the record of the operation is damaged");
    Ok(match &shape.kind {
        ShapeKind::Structure(members) | ShapeKind::Union(members) => {
            let mut object = Map::new();
            for (given, value) in entries(value).ok_or_else(|| wanted("a record", value))? {
                let member = members.iter().find(|m| m.name == *given);
                let member = member.ok_or_else(|| format!("there is no member `{given}`"))?;
                let wire = member.wire_name.as_deref().unwrap_or(&member.official);
                if !matches!(value, Value::None) {
                    let inner = json(record, of(member.shape)?, value, wire).map_err(|e| format!("{given}: {e}"))?;
                    object.insert(wire.to_string(), inner);
                }
            }
            Json::Object(object)
        }
        ShapeKind::List { item, .. } => {
            let items = value.as_list().ok_or_else(|| wanted("a list", value))?;
            let item = of(*item)?;
            items.iter().map(|value| json(record, item, value, name)).collect::<Result<_, _>>()?
        }
        ShapeKind::Map { value: inner, .. } => {
            let inner = of(*inner)?;
            let entries = entries(value).ok_or_else(|| wanted("a map", value))?;
            let entries =
                entries.into_iter().map(|(key, value)| Ok((key.to_string(), json(record, inner, value, name)?)));
            Json::Object(entries.collect::<Result<_, String>>()?)
        }
        ShapeKind::String { .. } => match value {
            // JSON inside of a text.
            Value::Record(_) | Value::Map(_) | Value::List(_) => json!(document(value)?.to_string()),
            other => json!(scalar::text(other).ok_or_else(|| wanted("text", other))?),
        },
        ShapeKind::Integer | ShapeKind::Long => {
            let number = scalar::integer(value, name)?;
            if shape.number_as_text { json!(number.to_string()) } else { json!(number) }
        }
        ShapeKind::Float | ShapeKind::Double => json!(scalar::float(value)?),
        ShapeKind::Boolean => match value {
            Value::Bool(b) => json!(b),
            other => return Err(wanted("true or false", other)),
        },
        ShapeKind::Timestamp => {
            let instant = scalar::instant(value)?;
            match shape.timestamp_format {
                Some(TimestampFormat::UnixTimestamp) => json!(instant.as_second()),
                _ => json!(instant.to_string()),
            }
        }
        ShapeKind::Blob => match value {
            Value::Bytes(bytes) => json!(BASE64_STANDARD.encode(bytes)),
            Value::String(text) => json!(BASE64_STANDARD.encode(text.as_bytes())),
            Value::Secret(secret) => {
                let plain = secret.plain().ok_or_else(|| wanted("bytes", value))?;
                json!(BASE64_STANDARD.encode(plain.bytes()))
            }
            other => return Err(wanted("bytes", other)),
        },
        ShapeKind::Document => document(value)?,
    })
}

/// The entries of a record or a map.
fn entries(value: &Value) -> Option<Vec<(&Arc<str>, &Value)>> {
    match value {
        Value::Record(record) => Some(record.members.iter().map(|(k, v)| (k, v)).collect()),
        Value::Map(map) => Some(map.iter().collect()),
        _ => None,
    }
}

/// Any value as any JSON.
fn document(value: &Value) -> Result<Json, String> {
    if let Some(entries) = entries(value) {
        let entries = entries.into_iter().map(|(k, v)| Ok((k.to_string(), document(v)?)));
        return Ok(Json::Object(entries.collect::<Result<_, String>>()?));
    }
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::Float(f) => json!(f),
        Value::List(items) => items.iter().map(document).collect::<Result<_, _>>()?,
        Value::Bytes(bytes) => json!(BASE64_STANDARD.encode(bytes)),
        other => json!(scalar::text(other).ok_or_else(|| wanted("a value", other))?),
    })
}
