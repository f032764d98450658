//! The JSON protocols, and the CBOR that is read and written by way of them: a body, by the operation's shape, into a
//! [`Value`] and back.
//!
//! Checks types, required members and closed enumerations. Members that the shape does not have are left out, as AWS does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ciborium::Value as Cbor;
use escher_catalog::Service;
use escher_catalog::model::{ShapeId, ShapeKind};
use serde_json::{Map, Value as Json};

use super::input::InputError;
use super::time::parse_iso8601;
use super::value::Value;

/// How deep bodies are read.
const MAX_DEPTH: usize = 64;

/// Reads an input.
pub(crate) fn decode(service: &Service, shape: Option<ShapeId>, json: &Json) -> Result<Value, InputError> {
    match shape {
        Some(shape) => read(service, shape, json, "", 0),
        None => Ok(Value::record()),
    }
}

fn read(service: &Service, id: ShapeId, json: &Json, path: &str, depth: usize) -> Result<Value, InputError> {
    let invalid = |expected: &'static str| {
        let value = json.to_string().chars().take(100).collect();
        Err(InputError::Invalid { parameter: path.to_owned(), value, expected })
    };
    let Some(shape) = service.shape(id).filter(|_| depth < MAX_DEPTH) else { return invalid("less depth") };
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (&shape.kind, json) {
        (ShapeKind::Structure(members) | ShapeKind::Union(members), Json::Object(given)) => {
            let mut record = Vec::new();
            for member in members {
                let wire = member.wire_name.as_deref().unwrap_or(&member.official);
                match given.get(wire).filter(|json| !json.is_null()) {
                    Some(json) => {
                        let value = read(service, member.shape, json, &join(wire), depth + 1)?;
                        record.push((member.official.to_string().into(), value));
                    }
                    None if member.required => return Err(InputError::Missing(join(wire))),
                    None => {}
                }
            }
            Ok(Value::Record(record))
        }
        (ShapeKind::List { item, .. }, Json::Array(items)) => {
            let items =
                items.iter().enumerate().map(|(n, json)| read(service, *item, json, &join(&n.to_string()), depth + 1));
            Ok(Value::List(items.collect::<Result<_, _>>()?))
        }
        (ShapeKind::Map { value, .. }, Json::Object(given)) => {
            let pairs = given
                .iter()
                .map(|(key, json)| Ok((key.clone().into(), read(service, *value, json, &join(key), depth + 1)?)));
            Ok(Value::Record(pairs.collect::<Result<_, _>>()?))
        }
        (ShapeKind::String { values }, Json::String(text)) => {
            if !values.is_empty() && !values.iter().any(|v| **v == **text) {
                return invalid("one of its values");
            }
            Ok(Value::Text(text.as_str().into()))
        }
        (ShapeKind::Blob, Json::String(text)) => Ok(Value::Text(text.as_str().into())),
        (ShapeKind::Boolean, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (ShapeKind::Integer | ShapeKind::Long, Json::Number(number)) => match number.as_i64() {
            Some(number) => Ok(Value::Int(number)),
            None => invalid("a whole number"),
        },
        (ShapeKind::Float | ShapeKind::Double, Json::Number(number)) => {
            Ok(Value::Float(number.as_f64().unwrap_or(0.0)))
        }
        (ShapeKind::Timestamp, Json::Number(seconds)) => {
            let seconds = seconds.as_f64().filter(|s| s.abs() < 1e12);
            seconds.map_or_else(|| invalid("an instant"), |s| Ok(Value::Time((s * 1000.0) as i64)))
        }
        (ShapeKind::Timestamp, Json::String(text)) => {
            parse_iso8601(text).map_or_else(|| invalid("an instant"), |at| Ok(Value::Time(at)))
        }
        (ShapeKind::Document, json) => Ok(Value::of_json(json.clone())),
        _ => invalid("a value of its type"),
    }
}

/// An output as JSON.
pub(crate) fn encode(service: &Service, shape: Option<ShapeId>, value: &Value) -> Json {
    match shape {
        Some(shape) => write(service, shape, value).unwrap_or_else(|| Json::Object(Map::new())),
        None => Json::Object(Map::new()),
    }
}

fn write(service: &Service, id: ShapeId, value: &Value) -> Option<Json> {
    let shape = service.shape(id)?;
    Some(match (&shape.kind, value) {
        (ShapeKind::Structure(members) | ShapeKind::Union(members), Value::Record(values)) => {
            let member = |(name, value): &(super::value::Name, Value)| {
                let member = members.iter().find(|m| *m.official == **name)?;
                let wire = member.wire_name.as_deref().unwrap_or(&member.official);
                Some((wire.to_owned(), write(service, member.shape, value)?))
            };
            Json::Object(values.iter().filter_map(member).collect())
        }
        (ShapeKind::Map { value: of, .. }, Value::Record(values)) => {
            Json::Object(values.iter().filter_map(|(k, v)| Some((k.to_string(), write(service, *of, v)?))).collect())
        }
        (ShapeKind::List { item, .. }, Value::List(items)) => {
            items.iter().filter_map(|v| write(service, *item, v)).collect()
        }
        (ShapeKind::Timestamp, value) => {
            let at = match value {
                Value::Time(at) => *at,
                other => parse_iso8601(other.text()?)?,
            };
            (at as f64 / 1000.0).into()
        }
        (_, Value::Hidden) => return None,
        (_, value) => value.json(),
    })
}

/// A body of CBOR as JSON: instants in seconds, bytes in base64.
pub(crate) fn of_cbor(bytes: &[u8]) -> Option<Json> {
    // Its own limit of depth holds.
    json_of(ciborium::from_reader(bytes).ok()?)
}

fn json_of(cbor: Cbor) -> Option<Json> {
    Some(match cbor {
        Cbor::Null => Json::Null,
        Cbor::Bool(value) => value.into(),
        Cbor::Integer(number) => i64::try_from(number).ok()?.into(),
        Cbor::Float(number) => serde_json::Number::from_f64(number)?.into(),
        Cbor::Text(text) => text.into(),
        Cbor::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Cbor::Tag(_, inner) => json_of(*inner)?,
        Cbor::Array(items) => items.into_iter().map(json_of).collect::<Option<Vec<_>>>()?.into(),
        Cbor::Map(pairs) => {
            let pair = |(key, value): (Cbor, Cbor)| Some((key.into_text().ok()?, json_of(value)?));
            Json::Object(pairs.into_iter().map(pair).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// An output as CBOR.
pub(crate) fn cbor(service: &Service, shape: Option<ShapeId>, value: &Value) -> Vec<u8> {
    let value = shape.and_then(|shape| cbor_of(service, shape, value)).unwrap_or(Cbor::Map(Vec::new()));
    bytes(&value)
}

/// A refusal as CBOR.
pub(crate) fn cbor_failure(code: &str, message: &str) -> Vec<u8> {
    let pair = |name: &str, text: &str| (Cbor::Text(name.into()), Cbor::Text(text.into()));
    bytes(&Cbor::Map(vec![pair("__type", code), pair("message", message)]))
}

fn bytes(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = ciborium::into_writer(value, &mut bytes);
    bytes
}

fn cbor_of(service: &Service, id: ShapeId, value: &Value) -> Option<Cbor> {
    let shape = service.shape(id)?;
    let text = |name: &str| Cbor::Text(name.to_owned());
    Some(match (&shape.kind, value) {
        (ShapeKind::Structure(members) | ShapeKind::Union(members), Value::Record(values)) => {
            let member = |(name, value): &(super::value::Name, Value)| {
                let member = members.iter().find(|m| *m.official == **name)?;
                Some((text(name), cbor_of(service, member.shape, value)?))
            };
            Cbor::Map(values.iter().filter_map(member).collect())
        }
        (ShapeKind::Map { value: of, .. }, Value::Record(values)) => {
            Cbor::Map(values.iter().filter_map(|(k, v)| Some((text(k), cbor_of(service, *of, v)?))).collect())
        }
        (ShapeKind::List { item, .. }, Value::List(items)) => {
            Cbor::Array(items.iter().filter_map(|v| cbor_of(service, *item, v)).collect())
        }
        (ShapeKind::Timestamp, _) => Cbor::Tag(1, Box::new(Cbor::Float(write(service, id, value)?.as_f64()?))),
        (ShapeKind::Float | ShapeKind::Double, Value::Int(number)) => Cbor::Float(*number as f64),
        (_, Value::Bool(value)) => Cbor::Bool(*value),
        (_, Value::Int(number)) => Cbor::Integer((*number).into()),
        (_, Value::Float(number)) => Cbor::Float(*number),
        (_, value) => Cbor::Text(value.text()?.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use escher_catalog::Catalog;
    use serde_json::json;

    #[test]
    fn inputs_are_held_to_their_shapes() {
        let ssm = Catalog::embedded().service("aws", "ssm").unwrap();
        let put = ssm.operation("put_parameter").unwrap();
        let read = |json: Json| decode(&ssm, put.input, &json);
        let good = read(json!({ "Name": "/a", "Value": "b", "Type": "SecureString", "Overwrite": true })).unwrap();
        assert_eq!(good.get("Name").and_then(Value::text), Some("/a"));
        assert_eq!(read(json!({ "Name": "/a" })), Err(InputError::Missing("Value".into())));
        assert!(matches!(read(json!({ "Name": 1, "Value": "b" })), Err(InputError::Invalid { .. })));
        assert!(matches!(
            read(json!({ "Name": "a", "Value": "b", "Type": "Colour" })),
            Err(InputError::Invalid { .. })
        ));
        assert!(matches!(read(json!([])), Err(InputError::Invalid { .. })));
    }

    #[test]
    fn instants_are_seconds_in_both() {
        let service = Catalog::embedded().service("aws", "cloudwatch").unwrap();
        let operation = service.operation("get_metric_data").unwrap();
        let result = json!({ "MetricDataResults": [{ "Id": "a", "Timestamps": ["2026-01-15T09:00:00.000Z"], "Values": [1.5] }] });
        let value = Value::of_json(result);
        let shown = json!({ "MetricDataResults": [{ "Id": "a", "Timestamps": [1_768_467_600.0], "Values": [1.5] }] });
        assert_eq!(encode(&service, operation.output, &value), shown);
        assert_eq!(of_cbor(&cbor(&service, operation.output, &value)), Some(shown));
        assert_eq!(of_cbor(b"\xff"), None);
    }
}
