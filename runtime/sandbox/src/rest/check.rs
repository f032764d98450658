//! Whether a body is what the catalogue says it must be.
//!
//! Types and required members; unknown members only where the cloud refuses them. Does *not* know patterns or ranges.

use escher_catalog::Service;
use escher_catalog::model::{Location, Operation, ShapeId, ShapeKind};
use serde_json::Value as Json;

/// What is wrong with a body, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// A required member is absent.
    Missing(String),
    /// No such member.
    Unknown(String),
    /// Not of its type.
    Type(String, &'static str),
}

/// How deep bodies are looked into.
const MAX_DEPTH: usize = 32;

/// Checks the body of a request; `strict` refuses members that the catalogue does not have.
pub(crate) fn body(service: &Service, operation: &Operation, body: &Json, strict: bool) -> Result<(), Wrong> {
    let Some(ShapeKind::Structure(members)) = operation.input.and_then(|id| service.shape(id)).map(|s| &s.kind) else {
        return Ok(());
    };
    let Some(member) = members.iter().find(|m| m.location == Location::Body && &*m.official == "body") else {
        return Ok(());
    };
    if body.is_null() {
        return if member.required { Err(Wrong::Missing("body".into())) } else { Ok(()) };
    }
    value(service, member.shape, body, "", strict, 0)
}

fn value(service: &Service, id: ShapeId, json: &Json, path: &str, strict: bool, depth: usize) -> Result<(), Wrong> {
    let Some(shape) = service.shape(id).filter(|_| depth < MAX_DEPTH) else { return Ok(()) };
    // `null` takes a member away, or is as if it were not there.
    if json.is_null() {
        return Ok(());
    }
    let wrong = |expected: &'static str| Err(Wrong::Type(path.to_owned(), expected));
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (&shape.kind, json) {
        (ShapeKind::Structure(members) | ShapeKind::Union(members), Json::Object(given)) => {
            let wire = |m: &escher_catalog::model::Member| m.wire_name.clone().unwrap_or_else(|| m.official.clone());
            for member in members {
                let name = wire(member);
                match given.get(&*name) {
                    Some(json) => value(service, member.shape, json, &join(&name), strict, depth + 1)?,
                    None if member.required && !member.read_only => return Err(Wrong::Missing(join(&name))),
                    None => {}
                }
            }
            match given.keys().find(|key| strict && !members.iter().any(|m| wire(m).as_ref() == key.as_str())) {
                Some(stranger) => Err(Wrong::Unknown(join(stranger))),
                None => Ok(()),
            }
        }
        (ShapeKind::Structure(_) | ShapeKind::Union(_), _) => wrong("an object"),
        (ShapeKind::List { item, .. }, Json::Array(items)) => items
            .iter()
            .enumerate()
            .try_for_each(|(n, json)| value(service, *item, json, &join(&n.to_string()), strict, depth + 1)),
        (ShapeKind::List { .. }, _) => wrong("an array"),
        (ShapeKind::Map { value: of, .. }, Json::Object(given)) => {
            given.iter().try_for_each(|(key, json)| value(service, *of, json, &join(key), strict, depth + 1))
        }
        (ShapeKind::Map { .. }, _) => wrong("an object"),
        (ShapeKind::String { .. } | ShapeKind::Timestamp | ShapeKind::Blob, json) => {
            if json.is_string() {
                Ok(())
            } else {
                wrong("a text")
            }
        }
        (ShapeKind::Boolean, json) => {
            if json.is_boolean() {
                Ok(())
            } else {
                wrong("true or false")
            }
        }
        (ShapeKind::Integer | ShapeKind::Long | ShapeKind::Float | ShapeKind::Double, json) => {
            // 64-bit numbers travel as texts.
            let number = json.is_number() || json.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
            if number { Ok(()) } else { wrong("a number") }
        }
        (ShapeKind::Document, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use escher_catalog::Catalog;
    use serde_json::json;

    #[test]
    fn bodies_are_held_to_their_shapes() {
        let azure = Catalog::embedded().service("azure", "compute").unwrap();
        let create = azure.operation("disks.create_or_update").unwrap();
        let good =
            json!({ "location": "x", "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 4 } });
        assert_eq!(body(&azure, create, &good, false), Ok(()));
        assert_eq!(body(&azure, create, &Json::Null, false), Err(Wrong::Missing("body".into())));
        assert_eq!(body(&azure, create, &json!({}), false), Err(Wrong::Missing("location".into())));
        let text = json!({ "location": "x", "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": "a" } });
        assert_eq!(body(&azure, create, &text, false), Err(Wrong::Type("properties.diskSizeGB".into(), "a number")));
        let gcp = Catalog::embedded().service("gcp", "compute").unwrap();
        let insert = gcp.operation("disks.insert").unwrap();
        assert_eq!(body(&gcp, insert, &json!({ "name": "a", "sizeGb": "10" }), true), Ok(()));
        assert_eq!(body(&gcp, insert, &json!({ "colour": 1 }), true), Err(Wrong::Unknown("colour".into())));
    }
}
