//! `filter` of lists: conditions of a member, an operator and a value, all of which must hold.
//!
//! Served are `eq` and `ne` with a regular expression, `=`, `!=` and `:`, joined with `AND` or in parentheses beside each
//! other. Anything else is refused, because a filter that is ignored selects too much.

use regex_lite::Regex;
use serde_json::Value as Json;

use crate::rest::{Call, Refusal};

/// Conditions of one filter.
const MAX_CONDITIONS: usize = 50;
/// Bytes of one regular expression.
const MAX_PATTERN: usize = 1_000;

pub(super) struct Filter(Vec<Condition>);

struct Condition {
    member: String,
    negated: bool,
    test: Test,
}

enum Test {
    Matches(Regex),
    Is(String),
    Has(String),
}

impl Filter {
    pub(super) fn of(call: &Call<'_>) -> Result<Filter, Refusal> {
        match call.of_query("filter") {
            Some(text) => Filter::parse(text)
                .ok_or_else(|| Refusal::new(400, "invalid", format!("Invalid value for field 'filter': '{text}'."))),
            None => Ok(Filter(Vec::new())),
        }
    }

    fn parse(text: &str) -> Option<Filter> {
        let mut conditions = Vec::new();
        for part in parts(text)? {
            if conditions.len() == MAX_CONDITIONS {
                return None;
            }
            conditions.push(Condition::parse(&part)?);
        }
        (!conditions.is_empty()).then_some(Filter(conditions))
    }

    pub(super) fn passes(&self, shown: &Json) -> bool {
        self.0.iter().all(|condition| condition.holds(shown))
    }
}

/// Cuts at `AND` and at parentheses, outside of quotes.
fn parts(text: &str) -> Option<Vec<String>> {
    let (mut parts, mut part, mut quoted, mut depth) = (Vec::new(), String::new(), false, 0u32);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if !quoted && matches!(letter, '(' | ')') {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(letter);
        }
    }
    parts.push(part);
    if quoted || depth > 0 {
        return None;
    }
    let cut = parts.iter().flat_map(|part| part.split(" AND ")).map(|part| {
        let part = part.trim();
        part.strip_prefix("AND ").or_else(|| part.strip_suffix(" AND")).unwrap_or(part).trim().to_owned()
    });
    Some(cut.filter(|part| !part.is_empty() && part != "AND").collect())
}

impl Condition {
    fn parse(text: &str) -> Option<Condition> {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))?;
        let (member, rest) = text.split_at_checked(end)?;
        let rest = rest.trim();
        let (operator, value) =
            ["!=", "=", ":", "eq ", "ne "].iter().find_map(|o| Some((*o, rest.strip_prefix(o)?)))?;
        let value = value.trim();
        let plain = value
            .strip_prefix('"')
            .and_then(|v| v.strip_suffix('"'))
            .or_else(|| value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')));
        // Two words without quotes are something else than one value.
        if plain.is_none() && (value.is_empty() || value.contains(char::is_whitespace)) {
            return None;
        }
        let value = plain.unwrap_or(value).to_owned();
        let test = match operator {
            "eq " | "ne " if value.len() <= MAX_PATTERN => Test::Matches(Regex::new(&format!("^(?:{value})$")).ok()?),
            "eq " | "ne " => return None,
            ":" => Test::Has(value),
            _ => Test::Is(value),
        };
        (!member.is_empty()).then(|| Condition {
            member: member.to_owned(),
            negated: operator == "!=" || operator == "ne ",
            test,
        })
    }

    fn holds(&self, shown: &Json) -> bool {
        let found = self.member.split('.').try_fold(shown, |json, name| json.get(name));
        let text = match found {
            Some(Json::String(text)) => Some(text.clone()),
            Some(Json::Null) | None => None,
            Some(other) => Some(other.to_string()),
        };
        let passes = text.is_some_and(|text| match &self.test {
            Test::Matches(pattern) => {
                pattern.is_match(&text) || text.rsplit('/').next().is_some_and(|t| pattern.is_match(t))
            }
            Test::Is(value) => text.eq_ignore_ascii_case(value) || text.rsplit('/').next() == Some(value),
            Test::Has(value) => value == "*" || text.to_lowercase().contains(&value.to_lowercase()),
        });
        passes != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_the_tools_send() {
        let one = json!({ "name": "dev-1", "labels": { "env": "dev" }, "status": "RUNNING", "deletionProtection": false,
            "zone": "https://x/zones/europe-west1-b" });
        for passes in [
            "labels.env eq \"dev\"",
            "(labels.env = dev)",
            "name eq \".*dev.*\"",
            "(status = \"RUNNING\") (labels.env:dev)",
            "(status eq RUNNING) AND (name ne \"prod-.*\")",
            "labels.env:* AND status=RUNNING",
            "zone eq \"europe-west1-b\"",
            "deletionProtection = false",
        ] {
            assert!(Filter::parse(passes).unwrap().passes(&one), "{passes}");
        }
        for fails in ["labels.env eq \"de\"", "labels.team:*", "status != RUNNING", "(status = RUNNING) (name = x)"] {
            assert!(!Filter::parse(fails).unwrap().passes(&one), "{fails}");
        }
        for refused in [
            "",
            "name",
            "name > 3",
            "status = a OR status = b",
            "(name = a",
            "name = \"a",
            "name eq \"(\"",
            "NOT name = a",
        ] {
            assert!(Filter::parse(refused).is_none(), "{refused}");
        }
    }
}
