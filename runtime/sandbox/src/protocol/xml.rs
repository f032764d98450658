//! The REST protocol with XML bodies: a request, by the operation's shape, into a [`Value`].
//!
//! Members come from the path, the query, headers and a body. Writing answers is [`super::output`]'s.

use std::collections::BTreeMap;

use escher_catalog::Service;
use escher_catalog::model::{Location, Operation, ShapeId, ShapeKind};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::input::{InputError, parse_scalar};
use super::value::Value;

/// How deep a body may be.
const MAX_DEPTH: usize = 32;

/// An element.
#[derive(Debug, Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

/// Where members outside of the body are looked up: by place and wire name.
pub(crate) struct Outside<'a> {
    pub(crate) path: &'a BTreeMap<String, String>,
    pub(crate) query: &'a [(String, String)],
    pub(crate) header: &'a dyn Fn(&str) -> Option<String>,
}

/// Reads an input.
pub(crate) fn decode(
    service: &Service,
    operation: &Operation,
    outside: &Outside<'_>,
    body: &[u8],
) -> Result<Value, InputError> {
    let Some(ShapeKind::Structure(members)) = operation.input.and_then(|id| service.shape(id)).map(|s| &s.kind) else {
        return Ok(Value::record());
    };
    let mut record = Vec::new();
    for member in members {
        let wire = member.wire_name.as_deref().unwrap_or(&member.official);
        let text = match member.location {
            Location::Uri => outside.path.get(&*member.official).cloned(),
            Location::Query => outside.query.iter().find(|(name, _)| name == wire).map(|(_, value)| value.clone()),
            Location::Header => (outside.header)(wire),
            Location::Body if !body.trim_ascii().is_empty() => {
                let root = parse(body).ok_or_else(|| InputError::Missing(member.official.to_string()))?;
                record.push((member.official.to_string().into(), element(service, member.shape, &root)?));
                continue;
            }
            _ => None,
        };
        match text {
            Some(text) => {
                let kind = service.shape(member.shape).map(|s| &s.kind);
                let value = match kind {
                    Some(kind) => parse_scalar(kind, &text),
                    None => Ok(Value::Text(text.as_str().into())),
                };
                let invalid =
                    |expected| InputError::Invalid { parameter: wire.to_owned(), value: text.clone(), expected };
                record.push((member.official.to_string().into(), value.map_err(invalid)?));
            }
            None if member.required => return Err(InputError::Missing(member.official.to_string())),
            None => {}
        }
    }
    Ok(Value::Record(record))
}

fn element(service: &Service, id: ShapeId, of: &Element) -> Result<Value, InputError> {
    let Some(shape) = service.shape(id) else { return Ok(Value::record()) };
    match &shape.kind {
        ShapeKind::Structure(members) | ShapeKind::Union(members) => {
            let mut record = Vec::new();
            for member in members {
                let wire = member.wire_name.as_deref().unwrap_or(&member.official);
                let inner = service.shape(member.shape);
                let flat = member.flattened || inner.is_some_and(|s| s.flattened);
                let mut found = of.children.iter().filter(|c| c.name == wire);
                let value = match inner.map(|s| &s.kind) {
                    Some(ShapeKind::List { item, .. }) if flat => {
                        let items = found.map(|c| element(service, *item, c)).collect::<Result<Vec<_>, _>>()?;
                        (!items.is_empty()).then_some(Value::List(items))
                    }
                    _ => found.next().map(|c| element(service, member.shape, c)).transpose()?,
                };
                match value {
                    Some(value) => record.push((member.official.to_string().into(), value)),
                    None if member.required => return Err(InputError::Missing(wire.to_owned())),
                    None => {}
                }
            }
            Ok(Value::Record(record))
        }
        ShapeKind::List { item, .. } => {
            Ok(Value::List(of.children.iter().map(|c| element(service, *item, c)).collect::<Result<_, _>>()?))
        }
        kind => parse_scalar(kind, of.text.trim()).map_err(|expected| InputError::Invalid {
            parameter: of.name.clone(),
            value: of.text.chars().take(100).collect(),
            expected,
        }),
    }
}

/// The root of a document; nothing where it is none.
fn parse(body: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut open: Vec<Element> = Vec::new();
    let name = |name: &str| name.rsplit(':').next().unwrap_or_default().to_owned();
    loop {
        let closed = match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() == MAX_DEPTH {
                    return None;
                }
                open.push(Element { name: name(start.name().as_ref()), ..Element::default() });
                continue;
            }
            Event::Empty(start) => Element { name: name(start.name().as_ref()), ..Element::default() },
            Event::End(_) => open.pop()?,
            Event::Text(text) => {
                if let Some(last) = open.last_mut() {
                    last.text.push_str(&text);
                }
                continue;
            }
            Event::GeneralRef(name) => {
                let text = quick_xml::escape::unescape(&format!("&{};", &*name)).ok()?.into_owned();
                open.last_mut()?.text.push_str(&text);
                continue;
            }
            Event::Eof | Event::DocType(_) => return None,
            _ => continue,
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => return Some(closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use escher_catalog::Catalog;

    #[test]
    fn members_come_from_where_they_travel() {
        let s3 = Catalog::embedded().service("aws", "s3").unwrap();
        let operation = s3.operation("put_bucket_tagging").unwrap();
        let path = BTreeMap::from([("Bucket".to_owned(), "b".to_owned())]);
        let outside = Outside { path: &path, query: &[], header: &|_| None };
        let body = b"<?xml version=\"1.0\"?><Tagging xmlns=\"x\"><TagSet><Tag><Key>a&amp;b</Key><Value>c</Value></Tag></TagSet></Tagging>";
        let json = serde_json::to_string(&decode(&s3, operation, &outside, body).unwrap()).unwrap();
        assert_eq!(json, r#"{"Bucket":"b","Tagging":{"TagSet":[{"Key":"a&b","Value":"c"}]}}"#);
        assert!(decode(&s3, operation, &outside, b"<Tagging><TagSet>").is_err());
        let deep = format!("<Tagging>{}", "<a>".repeat(100_000));
        assert!(decode(&s3, operation, &outside, deep.as_bytes()).is_err());
        assert!(parse(b"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>").is_none());
    }
}
