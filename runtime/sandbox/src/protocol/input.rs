//! The input of a `query` or `ec2` request: a tree of dotted names, by the operation's shape, into a [`Value`].
//!
//! Strict where AWS is strict: a parameter the shape doesn't have, a number that is none, a required one left out.
//! Does *not* check lengths, patterns or enumerations; an operation that cares does.

use std::borrow::Cow;

use escher_catalog::model::{Member, Protocol, Shape, ShapeId, ShapeKind, Shapes};

use super::form::Node;
use super::value::Value;

/// What is wrong with an input, in the words of EC2's error codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InputError {
    /// A parameter that the operation doesn't have.
    Unknown(String),
    /// A required parameter is absent.
    Missing(String),
    /// The text isn't of the parameter's type.
    Invalid {
        /// The parameter's full name.
        parameter: String,
        /// What it said.
        value: String,
        /// What it should have been.
        expected: &'static str,
    },
}

/// Reads inputs by shape.
pub(crate) struct Decoder<'a> {
    /// The service's shapes.
    pub(crate) shapes: &'a Shapes,
    /// Which dialect names are written in.
    pub(crate) protocol: Protocol,
}

impl Decoder<'_> {
    /// The whole input. Names in `ignored` (such as `Action`) belong to the protocol.
    pub(crate) fn decode(&self, shape: Option<ShapeId>, root: &Node, ignored: &[&str]) -> Result<Value, InputError> {
        let members = match shape.and_then(|id| self.shape(id)).map(|s| &s.kind) {
            Some(ShapeKind::Structure(members) | ShapeKind::Union(members)) => members.as_slice(),
            _ => &[],
        };
        self.structure(members, root, "", ignored)
    }

    /// The same input without what the model calls sensitive: for logs.
    pub(crate) fn hide(&self, shape: Option<ShapeId>, value: &Value) -> Value {
        let Some(shape) = shape.and_then(|id| self.shape(id)) else { return value.clone() };
        match (&shape.kind, value) {
            _ if shape.sensitive => Value::Hidden,
            (ShapeKind::Structure(members) | ShapeKind::Union(members), Value::Record(values)) => {
                let hidden = |name: &str, value: &Value| {
                    let member = members.iter().find(|m| *m.official == *name);
                    self.hide(member.map(|m| m.shape), value)
                };
                Value::Record(values.iter().map(|(name, value)| (name.clone(), hidden(name, value))).collect())
            }
            (ShapeKind::List { item, .. }, Value::List(items)) => {
                Value::List(items.iter().map(|value| self.hide(Some(*item), value)).collect())
            }
            _ => value.clone(),
        }
    }

    fn shape(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(id as usize)
    }

    fn structure(&self, members: &[Member], node: &Node, path: &str, ignored: &[&str]) -> Result<Value, InputError> {
        let mut record = Vec::with_capacity(node.children.len());
        let mut used = 0usize;
        for member in members {
            let wire = self.wire_name(member);
            match node.children.get(&*wire) {
                Some(child) => {
                    used += 1;
                    let value = self.value(member.shape, member.flattened, child, &join(path, &wire))?;
                    record.push((Cow::Owned(member.official.to_string()), value));
                }
                None if member.required => return Err(InputError::Missing(join(path, &wire))),
                None => {}
            }
        }
        let skipped = node.children.keys().filter(|k| ignored.contains(&k.as_str())).count();
        if used + skipped < node.children.len() {
            let known = |key: &str| members.iter().any(|m| self.wire_name(m) == key) || ignored.contains(&key);
            if let Some(stranger) = node.children.keys().find(|k| !known(k)) {
                return Err(InputError::Unknown(join(path, stranger)));
            }
        }
        Ok(Value::Record(record))
    }

    /// `queryName`, or `locationName` with a capital, or the member's own name (EC2); `locationName` as it is (Query).
    fn wire_name<'m>(&self, member: &'m Member) -> Cow<'m, str> {
        if self.protocol != Protocol::Ec2Query {
            return Cow::Borrowed(member.wire_name.as_deref().unwrap_or(&member.official));
        }
        if let Some(name) = &member.query_name {
            return Cow::Borrowed(name);
        }
        let Some(name) = &member.wire_name else { return Cow::Borrowed(&member.official) };
        let mut letters = name.chars();
        match letters.next() {
            Some(first) if first.is_lowercase() => Cow::Owned(first.to_uppercase().chain(letters).collect()),
            _ => Cow::Borrowed(name),
        }
    }

    fn value(&self, id: ShapeId, flattened: bool, node: &Node, path: &str) -> Result<Value, InputError> {
        let Some(shape) = self.shape(id) else { return Err(InputError::Unknown(path.to_owned())) };
        // `Filter=x` filters nothing, so it isn't let pass; `Filter=` is how an empty list is written.
        let text = node.value.as_deref().unwrap_or_default();
        if !text.is_empty()
            && matches!(shape.kind, ShapeKind::Structure(_) | ShapeKind::Union(_) | ShapeKind::List { .. })
        {
            return Err(InputError::Invalid {
                parameter: path.to_owned(),
                value: text.to_owned(),
                expected: "numbered or named parts",
            });
        }
        match &shape.kind {
            ShapeKind::Structure(members) | ShapeKind::Union(members) => self.structure(members, node, path, &[]),
            ShapeKind::List { item, wire_name } => {
                // EC2 writes every list flat; Query only those that say so.
                let flat = self.protocol == Protocol::Ec2Query || flattened || shape.flattened;
                self.list(*item, if flat { None } else { Some(wire_name.as_deref().unwrap_or("member")) }, node, path)
            }
            ShapeKind::Map { .. } | ShapeKind::Document => Err(InputError::Unknown(path.to_owned())),
            scalar => {
                if let Some(below) = node.children.keys().next() {
                    return Err(InputError::Unknown(join(path, below)));
                }
                parse_scalar(scalar, text).map_err(|expected| InputError::Invalid {
                    parameter: path.to_owned(),
                    value: text.to_owned(),
                    expected,
                })
            }
        }
    }

    /// Elements in the order of their numbers; what the numbers are costs nothing.
    fn list(&self, item: ShapeId, wrapper: Option<&str>, node: &Node, path: &str) -> Result<Value, InputError> {
        let (node, path) = match wrapper.and_then(|w| node.children.get(w).map(|child| (w, child))) {
            Some((wrapper, child)) => (child, Cow::Owned(join(path, wrapper))),
            None => (node, Cow::Borrowed(path)),
        };
        let mut numbered = Vec::with_capacity(node.children.len());
        for (key, child) in &node.children {
            let number: u64 = key.parse().map_err(|_| InputError::Unknown(join(&path, key)))?;
            numbered.push((number, key, child));
        }
        numbered.sort_by_key(|(number, ..)| *number);
        let items = numbered.into_iter().map(|(_, key, child)| self.value(item, false, child, &join(&path, key)));
        Ok(Value::List(items.collect::<Result<_, _>>()?))
    }
}

/// A text as a scalar of a kind.
pub(crate) fn parse_scalar(kind: &ShapeKind, text: &str) -> Result<Value, &'static str> {
    match kind {
        ShapeKind::Integer => text.parse::<i32>().map(|n| Value::Int(i64::from(n))).map_err(|_| "a 32-bit integer"),
        ShapeKind::Long => text.parse().map(Value::Int).map_err(|_| "a 64-bit integer"),
        ShapeKind::Float | ShapeKind::Double => {
            text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::Float).ok_or("a number")
        }
        ShapeKind::Boolean => match text {
            "true" | "True" | "TRUE" => Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" => Ok(Value::Bool(false)),
            _ => Err("true or false"),
        },
        ShapeKind::Timestamp => super::time::parse_iso8601(text).map(Value::Time).ok_or("an instant"),
        _ => Ok(Value::Text(text.into())),
    }
}

fn join(path: &str, part: &str) -> String {
    if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::super::form;
    use super::*;
    use escher_catalog::Catalog;

    fn read(service: &str, operation: &str, body: &str) -> Result<String, InputError> {
        let service = Catalog::embedded().service("aws", service).unwrap();
        let input = service.operation(operation).unwrap().input;
        let tree = form::tree(&form::pairs(body.as_bytes()).unwrap()).unwrap();
        let decoder = Decoder { shapes: &service.shapes, protocol: service.meta.protocol };
        decoder.decode(input, &tree, &["Action"]).map(|value| serde_json::to_string(&value).unwrap())
    }

    #[test]
    fn reads_lists_structures_and_scalars() {
        let body = "Action=x&Filter.1.Name=tag%3Aenv&Filter.1.Value.2=b&Filter.1.Value.1=a&Filter.10.Name=z&Filter.2.Name=y\
                    &InstanceId.1=i-1&DryRun=true&MaxResults=5";
        let json = read("ec2", "describe_instances", body).unwrap();
        assert!(json.contains("\"InstanceIds\":[\"i-1\"]"), "{json}");
        assert!(json.contains("\"Values\":[\"a\",\"b\"]"), "{json}");
        assert!(json.contains("{\"Name\":\"y\"},{\"Name\":\"z\"}]"), "in the order of numbers: {json}");
        assert!(json.contains("\"DryRun\":true") && json.contains("\"MaxResults\":5"), "{json}");
    }

    #[test]
    fn names_follow_the_dialect() {
        // EC2 puts a capital on `locationName`: `resourceId` is `ResourceId` on the wire.
        assert!(
            read("ec2", "delete_tags", "ResourceId.1=i-1&Tag.1.Key=a").unwrap().contains("\"Resources\":[\"i-1\"]")
        );
        let query = "RoleArn=a&RoleSessionName=b&PolicyArns.member.1.arn=c";
        assert!(read("sts", "assume_role", query).unwrap().contains("\"PolicyArns\":[{\"arn\":\"c\"}]"));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let unknown = |name: &str| Err(InputError::Unknown(name.into()));
        assert_eq!(read("ec2", "describe_instances", "Colour=red"), unknown("Colour"));
        assert_eq!(read("ec2", "describe_instances", "Filter.1.Colour=red"), unknown("Filter.1.Colour"));
        assert_eq!(read("ec2", "describe_instances", "Filter.x.Name=red"), unknown("Filter.x"));
        assert_eq!(read("ec2", "describe_instances", "Filter.-1.Name=red"), unknown("Filter.-1"));
        assert_eq!(read("ec2", "describe_instances", "DryRun.1=true"), unknown("DryRun.1"));
        assert_eq!(read("ec2", "stop_instances", ""), Err(InputError::Missing("InstanceId".into())));
        for bad in
            ["MaxResults=five", "MaxResults=99999999999", "DryRun=perhaps", "MaxResults=", "Filter=1", "Filter.1=x"]
        {
            assert!(matches!(read("ec2", "describe_instances", bad), Err(InputError::Invalid { .. })), "{bad}");
        }
    }

    #[test]
    fn an_index_costs_nothing_by_its_size() {
        let json =
            read("ec2", "describe_instances", "Filter.999999999.Name=a&Filter.18446744073709551615.Name=b").unwrap();
        assert_eq!(json, "{\"Filters\":[{\"Name\":\"a\"},{\"Name\":\"b\"}]}");
        let beyond = read("ec2", "describe_instances", "Filter.99999999999999999999.Name=a");
        assert_eq!(beyond, Err(InputError::Unknown("Filter.99999999999999999999".into())));
    }

    #[test]
    fn sensitive_members_are_hidden() {
        let service = Catalog::embedded().service("aws", "ec2").unwrap();
        let operation = service.operation("run_instances").unwrap();
        let tree = form::tree(&form::pairs(b"MinCount=1&MaxCount=1&UserData=abc").unwrap()).unwrap();
        let decoder = Decoder { shapes: &service.shapes, protocol: service.meta.protocol };
        let value = decoder.decode(operation.input, &tree, &[]).unwrap();
        assert_eq!(decoder.hide(operation.input, &value).get("UserData"), Some(&Value::Hidden));
    }
}
