//! A request by its record: path, query, headers and body, without a host and a token.
//!
//! A path parameter never becomes more than it is: what would leave its segment is encoded or refused.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use escher_catalog::model::Location;
use escher_catalog::{Member, Record, Repeat, Shape, ShapeKind};
use escher_ir::Value;
use escher_provider::{CallError, ErrorKind, scalar};
use serde_json::Value as Json;

use crate::write;

/// A request without host and token.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// HTTP method.
    pub method: String,
    /// Path, encoded.
    pub path: String,
    /// Query, not encoded.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// JSON body.
    pub body: Option<Json>,
}

fn invalid(what: impl Into<String>) -> CallError {
    CallError::unsent(ErrorKind::Invalid, what)
}

/// The request of one call. `account` fills the member that the target gives where it is left out.
pub(crate) fn draft(
    record: &Record,
    arguments: &BTreeMap<String, Value>,
    account: &str,
    token: Option<&str>,
) -> Result<Draft, CallError> {
    let input = record.operation.input.and_then(|id| record.shape(id));
    let members: &[Member] = match input.map(|shape| &shape.kind) {
        Some(ShapeKind::Structure(members)) => members,
        _ => &[],
    };
    if let Some(stranger) = arguments.keys().find(|name| !members.iter().any(|m| *m.name == ***name)) {
        return Err(invalid(format!("{} has no parameter `{stranger}`", record.name())));
    }
    let mut draft = Draft {
        method: record.operation.method.to_string(),
        path: String::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
    };
    let mut places: Vec<(&str, String)> = Vec::new();
    for member in members {
        let shape = record.shape(member.shape).ok_or_else(|| invalid("the record of the operation is damaged"))?;
        let given = arguments.get(&*member.name).filter(|value| !matches!(value, Value::None));
        let filled = match given {
            Some(_) => None,
            None if member.ambient && !account.is_empty() => Some(Value::text(account)),
            None => token.filter(|_| takes_token(record, member)).map(Value::text),
        };
        let Some(value) = given.or(filled.as_ref()) else {
            if member.required || member.ambient {
                return Err(invalid(format!("{} needs `{}`", record.name(), member.name)));
            }
            continue;
        };
        let wire = member.wire_name.as_deref().unwrap_or(&member.official);
        let within = |problem: String| invalid(format!("{}: {}: {problem}", record.name(), member.name));
        match member.location {
            Location::Uri => places.push((wire, plain(shape, value, wire).map_err(within)?)),
            Location::Query => match (&shape.kind, value) {
                (ShapeKind::List { item, .. }, Value::List(items)) => {
                    let item = record.shape(*item).unwrap_or(shape);
                    for value in items.iter() {
                        draft.query.push((wire.into(), plain(item, value, wire).map_err(within)?));
                    }
                }
                _ => draft.query.push((wire.into(), plain(shape, value, wire).map_err(within)?)),
            },
            Location::Header => draft.headers.push((wire.into(), plain(shape, value, wire).map_err(within)?)),
            _ => draft.body = Some(write::json(record, shape, value, wire).map_err(within)?),
        }
    }
    draft.path =
        expand(&record.operation.uri, &places).map_err(|problem| invalid(format!("{}: {problem}", record.name())))?;
    Ok(draft)
}

fn takes_token(record: &Record, member: &Member) -> bool {
    member.idempotency_token
        || matches!(&record.operation.class.repeat, Repeat::Token(name) if *name == member.official)
}

/// A scalar as text.
fn plain(shape: &Shape, value: &Value, name: &str) -> Result<String, String> {
    match (&shape.kind, value) {
        (_, Value::Absent(member)) => Err(format!("the cloud left out `{member}`")),
        (_, Value::Hole(_)) => Err("a value that isn't known yet".into()),
        (ShapeKind::Boolean, Value::Bool(b)) => Ok(b.to_string()),
        (ShapeKind::Integer | ShapeKind::Long, value) => scalar::integer(value, name).map(|n| n.to_string()),
        (ShapeKind::Float | ShapeKind::Double, value) => scalar::float(value).map(|n| n.to_string()),
        (ShapeKind::Timestamp, value) => scalar::instant(value).map(|t| t.to_string()),
        (ShapeKind::Blob, Value::Bytes(bytes)) => Ok(BASE64_STANDARD.encode(bytes)),
        // Lists in one parameter: Azure joins with commas.
        (ShapeKind::String { .. }, Value::List(items)) => {
            let items = items.iter().map(|v| scalar::text(v).ok_or_else(|| scalar::wanted("text", v)));
            Ok(items.collect::<Result<Vec<_>, _>>()?.join(","))
        }
        (_, value) => scalar::text(value).ok_or_else(|| scalar::wanted("text", value)),
    }
}

/// The path of a template: `{name}` takes one segment, `{+name}` several.
pub fn expand(template: &str, places: &[(&str, String)]) -> Result<String, String> {
    let mut path = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("the path of the operation is damaged")?;
        path.push_str(before);
        let (name, several) = name.strip_prefix('+').map_or((name, false), |name| (name, true));
        let value = places.iter().find(|(wire, _)| *wire == name).map(|(_, value)| value.as_str());
        let value = value.ok_or_else(|| format!("`{name}` of the path is missing"))?;
        // Resource ids begin with a slash, and so does what stands before them in the template.
        let value = if several && path.ends_with('/') { value.strip_prefix('/').unwrap_or(value) } else { value };
        let mut segments = value.split('/');
        if value.is_empty() || (several && segments.any(|s| s.is_empty() || is_step(s))) || is_step(value) {
            return Err(format!("`{name}` is part of the path and can't be {value:?}"));
        }
        encode(&mut path, value, several);
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}

/// `.` and `..`: another path than it looks like.
fn is_step(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

/// Percent-encodes all but the unreserved characters, and what `several` segments may hold.
fn encode(path: &mut String, value: &str, several: bool) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in value.bytes() {
        let kept =
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (several && b"/:@$!()*,;=+&'".contains(&byte));
        if kept {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.extend([byte >> 4, byte & 15].iter().filter_map(|half| HEX.get(usize::from(*half))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn a_parameter_stays_in_its_segment() {
        let path = |value: &str| expand("/groups/{group}/machines", &[("group", value.into())]);
        assert_eq!(path("a b/c?d#e%2F..").unwrap(), "/groups/a%20b%2Fc%3Fd%23e%252F../machines");
        assert_eq!(path("ü").unwrap(), "/groups/%C3%BC/machines");
        for refused in ["", ".", ".."] {
            assert!(path(refused).is_err(), "{refused}");
        }
        assert!(expand("/groups/{group}", &[]).is_err());
    }

    #[test]
    fn several_segments_are_each_one() {
        let path = |value: &str| expand("/v1/{+name}:approve", &[("name", value.into())]);
        assert_eq!(path("projects/p/requests/r?x").unwrap(), "/v1/projects/p/requests/r%3Fx:approve");
        for refused in ["projects/../x", "projects//x", "a/./b", ""] {
            assert!(path(refused).is_err(), "{refused}");
        }
        let scope = |value: &str| expand("/{+scope}/providers/x", &[("scope", value.into())]);
        assert_eq!(scope("/subscriptions/s").unwrap(), "/subscriptions/s/providers/x");
    }
}
