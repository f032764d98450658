//! JSON out of documents and answers, for JMESPath and for texts that hold JSON.

use aws_smithy_types::{Document, Number};
use escher_ir::Value;
use serde_json::{Map, Value as Json, json};

/// A document as JSON.
pub(crate) fn of_document(document: &Document) -> Json {
    match document {
        Document::Null => Json::Null,
        Document::Bool(b) => json!(b),
        Document::String(s) => json!(s),
        Document::Number(Number::PosInt(n)) => json!(n),
        Document::Number(Number::NegInt(n)) => json!(n),
        Document::Number(Number::Float(f)) => json!(f),
        Document::Array(items) => items.iter().map(of_document).collect(),
        Document::Object(members) => {
            Json::Object(members.iter().map(|(k, v)| (k.clone(), of_document(v))).collect::<Map<_, _>>())
        }
    }
}

/// An answer in official names as JSON. Bytes become their length: no path looks into them.
pub(crate) fn of_value(value: &Value) -> Json {
    match value {
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::Float(f) => json!(f),
        Value::String(s) => json!(&**s),
        Value::Instant(t) => json!(t.to_string()),
        Value::Bytes(b) => json!(b.len()),
        Value::List(items) => items.iter().map(of_value).collect(),
        Value::Map(map) => Json::Object(map.iter().map(|(k, v)| (k.to_string(), of_value(v))).collect::<Map<_, _>>()),
        Value::Record(record) => {
            Json::Object(record.members.iter().map(|(k, v)| (k.to_string(), of_value(v))).collect::<Map<_, _>>())
        }
        _ => Json::Null,
    }
}
