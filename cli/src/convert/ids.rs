//! `--ids` of `az`: resource ids to the parameters of an operation's URL.

use escher_catalog::{Record, names};

/// What an id says of the parameters of a URL, in the order of the URL; the subscription is left out.
pub(crate) fn parameters(record: &Record, id: &str) -> Result<Vec<(String, String)>, String> {
    let mut parts = id.split('/').filter(|p| !p.is_empty());
    let mut found = Vec::new();
    for template in record.operation.uri.split('/').filter(|p| !p.is_empty()) {
        // Behind the resource stands what is done to it.
        let Some(part) = parts.next() else { break };
        match template.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            Some("subscriptionId") => {}
            Some(name) => found.push((names::snake(name.trim_start_matches('+')), part.to_owned())),
            None if template.eq_ignore_ascii_case(part) => {}
            None => return Err(format!("`{part}` stands where `{template}` was expected")),
        }
    }
    let wanted = record.operation.uri.matches('{').count() - record.operation.uri.matches("{subscriptionId}").count();
    if parts.next().is_some() || found.len() < wanted {
        return Err("this is no id of what the command is about".into());
    }
    Ok(found)
}
