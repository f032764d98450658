//! The neutral value between a wire format and an operation.
//!
//! Does *not* know shapes: whether a record has the right members is the decoder's matter (inputs) or a test's (outputs).

use std::borrow::Cow;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A member's official name, such as `InstanceIds`.
pub(crate) type Name = Cow<'static, str>;

/// What an operation takes and gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text from a request or the world.
    Text(Arc<str>),
    /// Text that stands in this program.
    Word(&'static str),
    /// An instant, in milliseconds since the epoch.
    Time(i64),
    /// Elements in order.
    List(Vec<Value>),
    /// Members by official name, in the order of the model where it matters for speed.
    Record(Vec<(Name, Value)>),
    /// Not to be shown: what a log has in place of a sensitive member.
    Hidden,
}

impl Value {
    /// An empty record.
    pub(crate) fn record() -> Value {
        Value::Record(Vec::new())
    }

    /// The same as JSON: instants as texts.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What JSON holds. `null` in a record is no member.
    pub(crate) fn of_json(json: serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Word(""),
            Json::Bool(value) => Value::Bool(value),
            Json::Number(number) => number.as_i64().map_or(Value::Float(number.as_f64().unwrap_or(0.0)), Value::Int),
            Json::String(text) => Value::Text(text.into()),
            Json::Array(items) => Value::List(items.into_iter().map(Value::of_json).collect()),
            Json::Object(members) => {
                let given = members.into_iter().filter(|(_, value)| !value.is_null());
                Value::Record(given.map(|(name, value)| (name.into(), Value::of_json(value))).collect())
            }
        }
    }

    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Record(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// Text, where it is some.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Word(text) => Some(text),
            _ => None,
        }
    }

    /// The elements; none where it isn't a list.
    pub(crate) fn items(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            _ => &[],
        }
    }
}

/// Builds a record: `record![("InstanceId", id), ("Ebs", ebs)]`.
macro_rules! record {
    ($(($name:literal, $value:expr)),* $(,)?) => {
        $crate::protocol::Value::Record(vec![$((std::borrow::Cow::Borrowed($name), $crate::protocol::Value::from($value))),*])
    };
}
pub(crate) use record;

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Value {
        Value::Int(i64::from(value))
    }
}

impl From<&'static str> for Value {
    fn from(value: &'static str) -> Value {
        Value::Word(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value.into())
    }
}

impl From<&Arc<str>> for Value {
    fn from(value: &Arc<str>) -> Value {
        Value::Text(value.clone())
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Value {
        Value::List(value)
    }
}

/// JSON for people: the activity log and the fingerprints of idempotent requests.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::Text(value) => serializer.serialize_str(value),
            Value::Word(value) => serializer.serialize_str(value),
            Value::Time(value) => serializer.serialize_str(&super::time::iso8601(*value)),
            Value::Hidden => serializer.serialize_str("(hidden)"),
            Value::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Value::Record(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
