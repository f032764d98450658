//! `$filter` of lists: `name eq 'value'`, joined with `and`. Anything else is refused, because a filter that is ignored
//! selects too much.

use serde_json::{Map, Value as Json};

use crate::rest::{Call, Refusal};

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    kind: Option<String>,
    group: Option<String>,
    tag: Option<String>,
    value: Option<String>,
}

impl Filter {
    pub(crate) fn of(call: &Call<'_>) -> Result<Filter, Refusal> {
        match call.of_query("$filter") {
            Some(text) => Filter::parse(text).ok_or_else(|| {
                Refusal::new(
                    400,
                    "InvalidFilterInQueryString",
                    format!("Invalid $filter '{text}' in the query string."),
                )
            }),
            None => Ok(Filter::default()),
        }
    }

    fn parse(text: &str) -> Option<Filter> {
        let mut filter = Filter::default();
        for condition in text.split(" and ") {
            let (name, value) = condition.trim().split_once(" eq ")?;
            let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
            let place = match name.trim().to_ascii_lowercase().as_str() {
                "resourcetype" => &mut filter.kind,
                "resourcegroup" => &mut filter.group,
                "tagname" => &mut filter.tag,
                "tagvalue" => &mut filter.value,
                _ => return None,
            };
            *place = Some(value);
        }
        Some(filter)
    }

    pub(crate) fn passes(&self, kind: &str, group: &str, body: &Map<String, Json>) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| w.eq_ignore_ascii_case(is));
        let tag = || match &self.tag {
            Some(name) => body.get("tags").and_then(|tags| tags.get(name)).and_then(Json::as_str),
            None => Some(""),
        };
        same(&self.kind, kind)
            && same(&self.group, group)
            && tag().is_some_and(|value| self.value.as_ref().is_none_or(|wanted| wanted == value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_tools_send() {
        let filter = Filter::parse("tagName eq 'env' and tagValue eq 'dev'").unwrap();
        let body = |env: &str| serde_json::json!({ "tags": { "env": env } }).as_object().cloned().unwrap();
        assert!(filter.passes("x", "g", &body("dev")));
        assert!(!filter.passes("x", "g", &body("prod")));
        assert!(!filter.passes("x", "g", &Map::new()));
        assert!(Filter::parse("resourceType eq 'A/b'").unwrap().passes("a/B", "g", &Map::new()));
        assert_eq!(Filter::parse("substringof('a', name)"), None);
        assert_eq!(Filter::parse("name eq 'a'"), None);
    }
}
