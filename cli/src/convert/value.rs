//! Words of a command line to values of the types that the catalogue asks for.

use escher_catalog::{Member, Record, Shape, ShapeKind, names};
use escher_core::nearest;
use serde_json::Value;

use super::shell::Word;
use super::shorthand;

/// What is said of a secret.
pub(crate) const SECRET: &str = "this is a secret, and a playbook is read by many";

/// A value as it is written in a playbook.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Arg {
    /// An expression of the language.
    Written(String),
    /// A list.
    List(Vec<Arg>),
    /// A record: members by name.
    Record(Vec<(String, Arg)>),
    /// A map: values by text.
    Map(Vec<(String, Arg)>),
}

/// Where a parameter leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Its shape in the record.
    pub(crate) shape: u32,
    /// Written as a map though the model has a list of pairs.
    pub(crate) tags: bool,
}

fn members(record: &Record) -> &[Member] {
    record.operation.input.and_then(|id| record.shape(id)).map(Shape::members).unwrap_or_default()
}

/// The parameters of an operation.
pub(crate) fn parameters(record: &Record) -> impl Iterator<Item = &str> {
    members(record).iter().map(|m| &*m.name)
}

/// The place of a parameter such as `body.properties.access`.
pub(crate) fn place(record: &Record, path: &str) -> Option<Place> {
    let mut at = record.operation.input?;
    let mut tags = false;
    for part in path.split('.') {
        let member = record.shape(at)?.members().iter().find(|m| *m.name == *part)?;
        (at, tags) = (member.shape, member.tags.is_some());
    }
    Some(Place { shape: at, tags })
}

/// Names in braces.
pub(crate) fn holes(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

/// A text of the language.
pub(crate) fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len() + 2);
    out.push('"');
    for letter in plain.chars() {
        match letter {
            '"' | '\\' | '{' | '}' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The value that the words behind an option are, for a parameter.
pub(crate) fn of_words(tool: &str, record: &Record, at: Place, words: &[Word]) -> Result<Arg, String> {
    let shape = record.shape(at.shape).ok_or("the catalogue does not say what this is")?;
    let texts = || words.iter().map(|w| w.text.as_str());
    if let Some(file) =
        texts().find(|t| t.starts_with("file://") || t.starts_with("fileb://") || (tool == "az" && t.starts_with('@')))
    {
        return Err(format!("`{file}` stands in a file: write what is in it"));
    }
    let one = || match words {
        [one] => Ok(one.text.as_str()),
        [] => Err("a value is missing".to_string()),
        _ => Err("this takes one value".to_string()),
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|e| format!("this is no JSON: {e}"));
    let is_json = |text: &str| text.starts_with(['{', '[']);
    let value = match &shape.kind {
        ShapeKind::Boolean => match words {
            [] => Value::Bool(true),
            _ => Value::String(one()?.to_owned()),
        },
        ShapeKind::List { item, .. } => match words {
            [one] if one.text.starts_with('[') => json(&one.text)?,
            [] => return Err("a value is missing".into()),
            _ if at.tags && tool != "aws" => shorthand::pairs(texts())?,
            _ => {
                let item = record.shape(*item);
                let split: Vec<&str> = match (tool, words) {
                    ("gcloud", [one]) => one.text.split(',').collect(),
                    _ => texts().collect(),
                };
                let items = split.into_iter().map(|text| match item.map(|s| &s.kind) {
                    _ if text.starts_with('{') => json(text),
                    Some(ShapeKind::Structure(_) | ShapeKind::Union(_) | ShapeKind::Map { .. }) => short(text, item),
                    _ => Ok(Value::String(text.to_owned())),
                });
                Value::Array(items.collect::<Result<_, _>>()?)
            }
        },
        ShapeKind::Structure(_) | ShapeKind::Union(_) | ShapeKind::Map { .. } => match (tool, words) {
            (_, [one]) if is_json(&one.text) => json(&one.text)?,
            ("az", _) => shorthand::pairs(texts())?,
            _ => short(one()?, Some(shape))?,
        },
        ShapeKind::Document => {
            let text = one()?;
            json(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        }
        _ => Value::String(one()?.to_owned()),
    };
    typed(record, at, &value)
}

/// The short form; a record of one member may be its value alone.
fn short(text: &str, shape: Option<&Shape>) -> Result<Value, String> {
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|e| format!("this is no JSON: {e}"));
    }
    if let Some([only]) = shape.map(Shape::members)
        && !text.contains('=')
    {
        return Ok(Value::Object([(only.official.to_string(), Value::String(text.to_owned()))].into_iter().collect()));
    }
    shorthand::record(text)
}

/// A value of JSON as one of a shape; texts become what the shape asks for.
pub(crate) fn typed(record: &Record, at: Place, value: &Value) -> Result<Arg, String> {
    let shape = record.shape(at.shape).ok_or("the catalogue does not say what this is")?;
    if shape.sensitive && !value.is_null() {
        return Err(SECRET.into());
    }
    if at.tags {
        return tags(record, shape, value);
    }
    match &shape.kind {
        ShapeKind::Structure(members) | ShapeKind::Union(members) => {
            let Value::Object(given) = value else { return Err(format!("this is a record of {}", listed(members))) };
            let mut out = Vec::new();
            for (key, value) in given {
                let bare = names::bare(key);
                let member = members.iter().find(|m| *m.official == **key || names::bare(&m.official) == bare);
                let member = member.ok_or_else(|| {
                    let near = nearest(key, members.iter().map(|m| &*m.official));
                    near.map_or(format!("there is no `{key}` in {}", listed(members)), |n| {
                        format!("there is no `{key}` here; did you mean `{n}`?")
                    })
                })?;
                let place = Place { shape: member.shape, tags: member.tags.is_some() };
                out.push((member.name.to_string(), typed(record, place, value)?));
            }
            Ok(Arg::Record(out))
        }
        ShapeKind::List { item, .. } => {
            let place = Place { shape: *item, tags: false };
            let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            Ok(Arg::List(items.iter().map(|v| typed(record, place, v)).collect::<Result<_, _>>()?))
        }
        ShapeKind::Map { value: inner, .. } => {
            let Value::Object(given) = value else { return Err("this is a map: `key=value`".into()) };
            let place = Place { shape: *inner, tags: false };
            let items = given.iter().map(|(k, v)| Ok::<_, String>((k.clone(), typed(record, place, v)?)));
            Ok(Arg::Map(items.collect::<Result<_, _>>()?))
        }
        ShapeKind::String { values } => {
            let plain = plain(value)?;
            if !values.is_empty() && !values.iter().any(|v| **v == *plain) {
                return Err(match nearest(&plain, values.iter().map(|v| &**v)) {
                    Some(near) => format!("this cannot be `{plain}`; did you mean `{near}`?"),
                    None => {
                        let shown: Vec<String> = values.iter().take(8).map(|v| format!("`{v}`")).collect();
                        format!("this cannot be `{plain}`: it is one of {}", shown.join(", "))
                    }
                });
            }
            Ok(Arg::Written(text(&plain)))
        }
        ShapeKind::Integer | ShapeKind::Long => {
            let plain = plain(value)?;
            // gcloud writes sizes of disks with their unit, which the parameter has in its name.
            let digits = plain.strip_suffix("GB").or_else(|| plain.strip_suffix("GiB")).unwrap_or(&plain);
            digits
                .parse::<i64>()
                .map(|n| Arg::Written(n.to_string()))
                .map_err(|_| format!("`{plain}` is no whole number"))
        }
        ShapeKind::Float | ShapeKind::Double => {
            let plain = plain(value)?;
            let number = plain.parse::<f64>().ok().filter(|n| n.is_finite());
            number.map(|n| Arg::Written(format!("{n:?}"))).ok_or_else(|| format!("`{plain}` is no number"))
        }
        ShapeKind::Boolean => match plain(value)?.to_ascii_lowercase().as_str() {
            "true" | "yes" => Ok(Arg::Written("true".into())),
            "false" | "no" => Ok(Arg::Written("false".into())),
            other => Err(format!("`{other}` is neither `true` nor `false`")),
        },
        ShapeKind::Timestamp => instant(&plain(value)?),
        ShapeKind::Blob => Err("bytes cannot be written in a playbook by this version".into()),
        ShapeKind::Document => Ok(document(value)),
    }
}

fn plain(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(bit) => Ok(bit.to_string()),
        _ => Err("this is a single value".into()),
    }
}

fn instant(plain: &str) -> Result<Arg, String> {
    let seconds = || plain.parse::<i64>().ok().and_then(|n| jiff::Timestamp::from_second(n).ok());
    let date = || plain.parse::<jiff::civil::Date>().ok().and_then(|d| d.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let found = plain.parse::<jiff::Timestamp>().ok().or_else(seconds).or_else(|| date().map(|z| z.timestamp()));
    let without_zone = || format!("{plain}Z").parse::<jiff::Timestamp>().ok();
    let found = found.or_else(without_zone);
    found
        .map(|t| Arg::Written(t.to_string()))
        .ok_or_else(|| format!("`{plain}` is no instant such as `2026-11-21T08:00:00Z`"))
}

/// A list of key and value, however the model calls the two, as a map.
fn tags(record: &Record, shape: &Shape, value: &Value) -> Result<Arg, String> {
    if let Value::Object(map) = value {
        let items = map.iter().map(|(k, v)| Ok::<_, String>((k.clone(), Arg::Written(text(&plain(v)?)))));
        return Ok(Arg::Map(items.collect::<Result<_, _>>()?));
    }
    let ShapeKind::List { item, .. } = &shape.kind else { return Err("tags are `Key=…,Value=…`".into()) };
    let members = record.shape(*item).map(Shape::members).unwrap_or_default();
    let mut out = Vec::new();
    for pair in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
        let of = |word: &str| {
            let member = members.iter().find(|m| names::bare(&m.official).ends_with(word))?;
            let given = pair.as_object()?.iter().find(|(k, _)| names::bare(k) == names::bare(&member.official));
            given.map(|(_, v)| v.clone())
        };
        let key = of("key").ok_or("a tag is `Key=…,Value=…`")?;
        let value = of("value").unwrap_or(Value::String(String::new()));
        out.push((plain(&key)?, Arg::Written(text(&plain(&value)?))));
    }
    Ok(Arg::Map(out))
}

fn document(value: &Value) -> Arg {
    match value {
        Value::Null => Arg::Written("none".into()),
        Value::Array(items) => Arg::List(items.iter().map(document).collect()),
        Value::Object(map) => Arg::Map(map.iter().map(|(k, v)| (k.clone(), document(v))).collect()),
        Value::String(plain) => Arg::Written(text(plain)),
        other => Arg::Written(other.to_string()),
    }
}

fn listed(members: &[Member]) -> String {
    let shown: Vec<String> = members.iter().take(8).map(|m| format!("`{}`", m.official)).collect();
    format!("{}{}", shown.join(", "), if members.len() > 8 { ", …" } else { "" })
}

impl Arg {
    /// As it stands in a playbook.
    pub(crate) fn written(&self) -> String {
        let joined = |items: Vec<String>, open: &str, close: &str| {
            if items.is_empty() {
                format!("{}{}", open.trim(), close.trim())
            } else {
                format!("{open}{}{close}", items.join(", "))
            }
        };
        match self {
            Arg::Written(expression) => expression.clone(),
            Arg::List(items) => joined(items.iter().map(Arg::written).collect(), "[", "]"),
            Arg::Record(members) => {
                joined(members.iter().map(|(n, v)| format!("{n}: {}", v.written())).collect(), "{ ", " }")
            }
            Arg::Map(items) => {
                joined(items.iter().map(|(k, v)| format!("{}: {}", text(k), v.written())).collect(), "{ ", " }")
            }
        }
    }

    /// Puts a value below this record; what stands there already stays.
    pub(crate) fn put(members: &mut Vec<(String, Arg)>, path: &str, value: Arg) {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let known = members.iter().position(|(name, _)| name == first);
        match (rest, known) {
            (None, None) => members.push((first.to_owned(), value)),
            (None, Some(_)) => {}
            (Some(rest), Some(at)) => {
                if let Some((_, Arg::Record(inner))) = members.get_mut(at) {
                    Arg::put(inner, rest, value);
                }
            }
            (Some(rest), None) => {
                let mut inner = Vec::new();
                Arg::put(&mut inner, rest, value);
                members.push((first.to_owned(), Arg::Record(inner)));
            }
        }
    }
}
