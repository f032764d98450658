//! Values as plain JSON, for people and scripts. One way only: what is stored is CBOR.

use serde_json::{Map, Value as Json, json};

use crate::units;
use crate::value::{Record, Target, Value};

/// The JSON that shows a value: instants in RFC 3339, durations and sizes as the language writes them, bytes by length.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::None | Value::Absent(_) => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(i) => json!(i),
        Value::Float(f) => json!(f),
        Value::String(s) => json!(&**s),
        Value::Duration(d) => json!(units::duration_text(*d)),
        Value::Size(s) => json!(units::size_text(*s)),
        Value::Percent(p) => json!(format!("{p}%")),
        Value::Money(amount, currency) => json!(format!("{amount} {currency}")),
        Value::Instant(t) => json!(t.to_string()),
        Value::Date(d) => json!(d.to_string()),
        Value::Bytes(b) => json!(format!("{} bytes", b.len())),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Record(r) => record_to_json(r),
        Value::Map(m) => Json::Object(m.iter().map(|(k, v)| (k.to_string(), to_json(v))).collect::<Map<_, _>>()),
        Value::Target(t) => target_to_json(t),
        Value::Secret(secret) => json!({ "$secret": secret.from.to_string() }),
        Value::Hole(from) => json!({ "$unknown": &**from }),
    }
}

fn record_to_json(record: &Record) -> Json {
    Json::Object(record.members.iter().map(|(k, v)| (k.to_string(), to_json(v))).collect::<Map<_, _>>())
}

fn target_to_json(target: &Target) -> Json {
    json!({ "cloud": target.cloud, "account": target.account, "region": target.region })
}

/// A value as one line of text, as `"{value}"` in a playbook shows it: texts bare, everything else as written.
pub fn to_text(value: &Value) -> String {
    match value {
        Value::String(s) => s.to_string(),
        Value::None => "none".into(),
        Value::Hole(from) => format!("({from})"),
        Value::Secret(secret) => format!("(secret {})", secret.from),
        other => match to_json(other) {
            Json::String(s) => s,
            json => json.to_string(),
        },
    }
}
