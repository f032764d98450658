//! Types of values, as signatures state them and as the runtime checks parameters against.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// A field of a record type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its type.
    pub ty: Type,
    /// Whether it must be given where the record is an argument.
    pub required: bool,
    /// Whether a cloud may leave it out of an answer.
    pub absent: bool,
}

/// A record type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordType {
    /// Its name where it has one: `aws.ec2.Instance`, `Vm`.
    pub name: Option<Arc<str>>,
    /// Its fields.
    pub fields: BTreeMap<Arc<str>, Field>,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// Type of `none`, and of an empty list's elements: fits everywhere an optional does.
    None,
    /// After an error: fits everywhere, so that one mistake is told once.
    Unknown,
    /// `bool`
    Bool,
    /// `int`, perhaps with inclusive bounds.
    Int {
        /// Smallest.
        min: Option<i64>,
        /// Largest.
        max: Option<i64>,
    },
    /// `float`
    Float,
    /// `string`, perhaps with a pattern and bounds on its length in characters.
    String {
        /// Regular expression that the whole text matches.
        matches: Option<Arc<str>>,
        /// Shortest.
        min: Option<u64>,
        /// Longest.
        max: Option<u64>,
    },
    /// `duration`
    Duration,
    /// `size`
    Size,
    /// `percent`
    Percent,
    /// `money`
    Money,
    /// `instant`
    Instant,
    /// `date`
    Date,
    /// Bytes of a cloud's API.
    Bytes,
    /// `cloud`
    Cloud,
    /// `target`
    Target,
    /// `json`
    Json,
    /// `list<T>`
    List(Box<Type>),
    /// `map<T>`
    Map(Box<Type>),
    /// `T?`
    Optional(Box<Type>),
    /// `secret<T>`
    Secret(Box<Type>),
    /// A record written out.
    Record(Arc<RecordType>),
    /// One of several records, told apart by a field that each has with texts or numbers of its own.
    Union(Vec<Arc<RecordType>>),
    /// A shape of the catalogue, by full name and index: `aws.ec2.Instance`. Resolved where it is used.
    Shape(Arc<str>),
    /// One of these texts or numbers.
    Literals(Vec<Value>),
    /// A function of lambdas only: parameters and result.
    Function(Vec<Type>, Box<Type>),
}

impl Type {
    /// Any `int`.
    pub const INT: Type = Type::Int { min: None, max: None };
    /// Any `string`.
    pub const STRING: Type = Type::String { matches: None, min: None, max: None };

    /// `list<item>`
    pub fn list(item: Type) -> Type {
        Type::List(Box::new(item))
    }

    /// `map<value>`
    pub fn map(value: Type) -> Type {
        Type::Map(Box::new(value))
    }

    /// `T?`; an optional of an optional is the optional.
    pub fn optional(self) -> Type {
        match self {
            Type::Optional(_) | Type::None | Type::Unknown => self,
            other => Type::Optional(Box::new(other)),
        }
    }
}

/// The type as the language writes it.
impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Type::None => f.write_str("none"),
            Type::Unknown => f.write_str("?"),
            Type::Bool => f.write_str("bool"),
            Type::Int { min: None, max: None } => f.write_str("int"),
            Type::Int { min, max } => write!(
                f,
                "int({}..={})",
                min.map_or(String::new(), |n| n.to_string()),
                max.map_or(String::new(), |n| n.to_string())
            ),
            Type::Float => f.write_str("float"),
            Type::String { .. } => f.write_str("string"),
            Type::Duration => f.write_str("duration"),
            Type::Size => f.write_str("size"),
            Type::Percent => f.write_str("percent"),
            Type::Money => f.write_str("money"),
            Type::Instant => f.write_str("instant"),
            Type::Date => f.write_str("date"),
            Type::Bytes => f.write_str("bytes"),
            Type::Cloud => f.write_str("cloud"),
            Type::Target => f.write_str("target"),
            Type::Json => f.write_str("json"),
            Type::List(item) => write!(f, "list<{item}>"),
            Type::Map(value) => write!(f, "map<{value}>"),
            Type::Optional(inner) => write!(f, "{inner}?"),
            Type::Secret(inner) => write!(f, "secret<{inner}>"),
            Type::Record(record) => match &record.name {
                Some(name) => f.write_str(name),
                None => {
                    f.write_str("{ ")?;
                    for (i, (name, field)) in record.fields.iter().enumerate() {
                        write!(f, "{}{name}: {}", if i > 0 { ", " } else { "" }, field.ty)?;
                    }
                    f.write_str(" }")
                }
            },
            Type::Union(records) => {
                for (i, record) in records.iter().enumerate() {
                    write!(f, "{}{}", if i > 0 { " | " } else { "" }, Type::Record(record.clone()))?;
                }
                Ok(())
            }
            Type::Shape(name) => f.write_str(name),
            Type::Literals(values) => {
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" | ")?;
                    }
                    match value {
                        Value::String(s) => write!(f, "{s:?}")?,
                        other => f.write_str(&crate::json::to_text(other))?,
                    }
                }
                Ok(())
            }
            Type::Function(params, result) => {
                f.write_str("(")?;
                for (i, p) in params.iter().enumerate() {
                    write!(f, "{}{p}", if i > 0 { ", " } else { "" })?;
                }
                write!(f, ") => {result}")
            }
        }
    }
}
