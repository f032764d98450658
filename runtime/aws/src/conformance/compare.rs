//! What counts as the same request, and as the same answer.

use escher_catalog::Protocol;
use escher_ir::Value;
use quick_xml::events::Event;
use serde_json::{Value as Json, json};

/// Path and query, the query in any order.
pub(super) fn same_uri(a: &str, b: &str) -> bool {
    let split = |uri: &str| {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let mut parts: Vec<String> = query.split('&').map(|p| p.trim_end_matches('=').to_owned()).collect();
        parts.sort();
        (path.to_owned(), parts)
    };
    split(a) == split(b)
}

/// The body in the protocol's own sense.
pub(super) fn same_body(protocol: Protocol, want: &str, got: &[u8]) -> Result<(), String> {
    let shown = String::from_utf8_lossy(got).into_owned();
    let form = |body: &str| {
        let mut parts: Vec<String> = body.trim().split('&').map(|p| p.replace("%20", "+")).collect();
        parts.sort();
        parts
    };
    let equal = match protocol {
        Protocol::RpcV2Cbor => {
            let want = aws_smithy_types::base64::decode(want).map_err(|e| e.to_string())?;
            want == got || same(&cbor(&want), &cbor(got))
        }
        Protocol::AwsQuery | Protocol::Ec2Query => form(want) == form(&shown),
        Protocol::RestXml => want == shown || tree(want) == tree(&shown),
        _ => match (serde_json::from_str(want), serde_json::from_str(&shown)) {
            (Ok(want), Ok(got)) => same(&want, &got),
            _ => want == shown,
        },
    };
    if equal { Ok(()) } else { Err(format!("body\n    {want}\nnot {shown}")) }
}

/// Equal, numbers to a thousandth, and what is null as good as absent.
pub(super) fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => (a.as_f64().unwrap_or(0.0) - b.as_f64().unwrap_or(1.0)).abs() < 1e-3,
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            let present = |o: &serde_json::Map<String, Json>| o.values().filter(|v| !v.is_null()).count();
            let matches = |(k, v): (&String, &Json)| v.is_null() || b.get(k).is_some_and(|w| same(v, w));
            present(a) == present(b) && a.iter().all(matches)
        }
        _ => a == b,
    }
}

/// A value as the suite writes it.
pub(super) fn plain(value: &Value) -> Json {
    match value {
        Value::Instant(t) => json!(t.as_duration().as_secs_f64()),
        Value::Bytes(bytes) => json!(String::from_utf8_lossy(bytes)),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(map) => Json::Object(map.iter().map(|(k, v)| (k.to_string(), plain(v))).collect()),
        Value::Record(record) => Json::Object(record.members.iter().map(|(k, v)| (k.to_string(), plain(v))).collect()),
        other => crate::json::of_value(other),
    }
}

fn cbor(bytes: &[u8]) -> Json {
    fn one(value: ciborium::Value) -> Json {
        use ciborium::Value as C;
        match value {
            C::Integer(i) => json!(i128::from(i) as f64),
            C::Bytes(b) => json!(String::from_utf8_lossy(&b)),
            C::Float(f) if f.is_finite() => json!(f),
            C::Float(f) => json!(f.to_string()),
            C::Text(t) => json!(t),
            C::Bool(b) => json!(b),
            C::Tag(_, inner) => one(*inner),
            C::Array(items) => items.into_iter().map(one).collect(),
            C::Map(map) => {
                Json::Object(map.into_iter().map(|(k, v)| (k.as_text().unwrap_or("").to_owned(), one(v))).collect())
            }
            _ => Json::Null,
        }
    }
    ciborium::from_reader::<ciborium::Value, _>(bytes).map_or(Json::Null, one)
}

/// Elements with attributes and children in any order, blanks between elements left out.
fn tree(xml: &str) -> Json {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut open: Vec<(String, Vec<String>, String, Vec<Json>)> = vec![Default::default()];
    let close = |open: &mut Vec<(String, Vec<String>, String, Vec<Json>)>| {
        let (name, mut attributes, text, mut children) = open.pop().unwrap();
        attributes.sort();
        children.sort_by_key(Json::to_string);
        let text = if children.is_empty() { text } else { String::new() };
        open.last_mut().unwrap().3.push(json!([name, attributes, text, children]));
    };
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                let attributes = start.attributes().map(|a| {
                    let a = a.unwrap();
                    format!("{}={}", a.key.as_ref(), a.value)
                });
                open.push((start.name().as_ref().to_owned(), attributes.collect(), String::new(), Vec::new()));
                if matches!(event, Event::Empty(_)) {
                    close(&mut open);
                }
            }
            Event::End(_) => close(&mut open),
            Event::Text(text) => open.last_mut().unwrap().2.push_str(text),
            Event::GeneralRef(entity) => open.last_mut().unwrap().2.push_str(&format!("&{};", &**entity)),
            Event::Eof => return json!(open.pop().unwrap().3),
            _ => {}
        }
    }
}
