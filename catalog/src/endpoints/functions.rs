//! The functions of the endpoint rule language, and its templates.
//!
//! Absent values are null and give null or false, as the language's reference says. *Not* here: conditions and rules.

use serde_json::{Map, Value};

use super::{EndpointError, Partitions, Scope};

/// Calls a function by its name in the rules.
pub(super) fn call(name: &str, given: &[Value], partitions: &Partitions) -> Result<Value, EndpointError> {
    let text = |at: usize| given.get(at).and_then(Value::as_str);
    let on = |at: usize| given.get(at).and_then(Value::as_bool);
    Ok(match name {
        "isSet" => given.first().is_some_and(|v| !v.is_null()).into(),
        "not" => given.first().is_none_or(|v| matches!(v, Value::Null | Value::Bool(false))).into(),
        "booleanEquals" => match (on(0), on(1)) {
            (Some(a), Some(b)) => (a == b).into(),
            _ => return Err(EndpointError::Malformed("booleanEquals of what is no switch")),
        },
        "stringEquals" => match (text(0), text(1)) {
            (Some(a), Some(b)) => (a == b).into(),
            _ => return Err(EndpointError::Malformed("stringEquals of what is no text")),
        },
        "getAttr" => attribute(given.first().unwrap_or(&Value::Null), text(1).unwrap_or_default()),
        "substring" => {
            let place = |at: usize| given.get(at).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
            substring(text(0), place(1), place(2), on(3).unwrap_or(false)).map_or(Value::Null, Value::from)
        }
        "uriEncode" => text(0).map_or(Value::Null, |t| percent_encode(t).into()),
        "parseURL" => text(0).and_then(url).unwrap_or(Value::Null),
        "isValidHostLabel" => text(0).is_some_and(|t| is_host(t, on(1).unwrap_or(false))).into(),
        "aws.partition" => partitions.of(text(0)),
        "aws.parseArn" => text(0).and_then(arn).unwrap_or(Value::Null),
        "aws.isVirtualHostableS3Bucket" => text(0).is_some_and(|t| is_bucket_host(t, on(1).unwrap_or(false))).into(),
        _ => return Err(EndpointError::Malformed("an unknown function")),
    })
}

/// `a.b[1]` of a value; null where there is none.
fn attribute(value: &Value, path: &str) -> Value {
    let mut at = value;
    for part in path.split('.') {
        let (name, index) = match part.strip_suffix(']').and_then(|p| p.split_once('[')) {
            Some((name, index)) => (name, index.parse::<usize>().ok()),
            None => (part, None),
        };
        let mut next = if name.is_empty() { Some(at) } else { at.get(name) };
        if let Some(index) = index {
            next = next.and_then(|v| v.get(index));
        }
        match next {
            Some(found) => at = found,
            None => return Value::Null,
        }
    }
    at.clone()
}

/// Fills `{name}` and `{name#member}`; `{{` and `}}` are braces.
pub(super) fn fill(template: &str, scope: &Scope) -> Result<String, EndpointError> {
    if !template.contains(['{', '}']) {
        return Ok(template.to_owned());
    }
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once(['{', '}']) {
        out.push_str(before);
        let opens = rest.as_bytes().get(before.len()) == Some(&b'{');
        if let Some(doubled) = after.strip_prefix(if opens { '{' } else { '}' }) {
            out.push(if opens { '{' } else { '}' });
            rest = doubled;
            continue;
        }
        if !opens {
            return Err(EndpointError::Malformed("a brace without its partner"));
        }
        let (name, behind) = after.split_once('}').ok_or(EndpointError::Malformed("a brace without its partner"))?;
        let (name, member) = name.split_once('#').map_or((name, None), |(n, m)| (n, Some(m)));
        let value = scope.get(name).unwrap_or(&Value::Null);
        match member.map_or_else(|| value.clone(), |m| attribute(value, m)) {
            Value::String(text) => out.push_str(&text),
            _ => return Err(EndpointError::Malformed("a template of what is no text")),
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn substring(text: Option<&str>, start: Option<usize>, stop: Option<usize>, reverse: bool) -> Option<&str> {
    let (text, start, stop) = (text?, start?, stop?);
    if start >= stop || stop > text.len() || !text.is_ascii() {
        return None;
    }
    if reverse { text.get(text.len() - stop..text.len() - start) } else { text.get(start..stop) }
}

fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_host(text: &str, subdomains: bool) -> bool {
    if subdomains { text.split('.').all(is_label) } else { is_label(text) }
}

fn is_bucket_host(text: &str, subdomains: bool) -> bool {
    text.len() >= 3 && !text.bytes().any(|b| b.is_ascii_uppercase()) && !is_ip4(text) && is_host(text, subdomains)
}

fn is_ip4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 4 && parts.iter().all(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()))
}

/// The parts of `arn:partition:service:region:account:resource`.
fn arn(text: &str) -> Option<Value> {
    let mut parts = text.splitn(6, ':');
    if parts.next()? != "arn" {
        return None;
    }
    let (partition, service, region, account, resource) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if partition.is_empty() || service.is_empty() || resource.is_empty() {
        return None;
    }
    let mut found = Map::new();
    found.insert("partition".into(), partition.into());
    found.insert("service".into(), service.into());
    found.insert("region".into(), region.into());
    found.insert("accountId".into(), account.into());
    found.insert("resourceId".into(), resource.split([':', '/']).map(Value::from).collect());
    Some(found.into())
}

/// The parts of an address without a query.
fn url(text: &str) -> Option<Value> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    // A query is refused, but a bare question mark is none.
    let rest = match rest.split_once('?') {
        Some((_, query)) if !query.is_empty() => return None,
        Some((before, _)) => before,
        None => rest,
    };
    if scheme != "http" && scheme != "https" {
        return None;
    }
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (name, port) = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some((name, after)) => (name, after.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    if port.is_some_and(|p| !p.is_empty() && p.parse::<u16>().is_err()) {
        return None;
    }
    let mut found = Map::new();
    let mut normalized = path.to_owned();
    if !normalized.ends_with('/') {
        normalized.push('/');
    }
    found.insert("scheme".into(), scheme.into());
    found.insert("authority".into(), authority.into());
    found.insert("path".into(), path.into());
    found.insert("normalizedPath".into(), normalized.into());
    let six = host.starts_with('[') && name.parse::<std::net::Ipv6Addr>().is_ok();
    found.insert("isIp".into(), (six || is_ip4(name)).into());
    Some(found.into())
}
