//! Filters of the Describe operations: names, values with `*` and `?`, tags.
//!
//! Values of one filter are alternatives, filters must all pass. A name that the operation doesn't have is an error, as in
//! AWS; one that it has and the practice cloud doesn't serve is an error too, because ignoring a filter selects too much.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::call::{list, text};
use super::error::ApiError;
use crate::protocol::Value;

/// Values that all filters of one call may have together.
const MAX_VALUES: usize = 200;
/// Characters of one value.
const MAX_PATTERN: usize = 1024;

/// Tags of a resource.
pub(crate) type Tags = BTreeMap<Arc<str>, Arc<str>>;

/// The filters of a call.
#[derive(Debug)]
pub(crate) struct Filters(Vec<Filter>);

#[derive(Debug)]
struct Filter {
    name: String,
    patterns: Vec<Pattern>,
}

impl Filters {
    /// Reads `Filters`. `served` are the names that the caller can look up; `known` those AWS has beyond them.
    pub(crate) fn of(input: &Value, served: &[&str], known: &[&str]) -> Result<Filters, ApiError> {
        let mut filters = Vec::new();
        let mut count = 0usize;
        for filter in list(input, "Filters") {
            let name =
                text(filter, "Name").filter(|n| !n.is_empty()).ok_or_else(|| ApiError::missing("Filter.Name"))?;
            let on_tags =
                name == "tag-key" || name == "tag-value" || name.strip_prefix("tag:").is_some_and(|k| !k.is_empty());
            if !on_tags && !served.contains(&name) {
                return Err(if known.contains(&name) {
                    ApiError::unsupported(&format!("the filter '{name}'"))
                } else {
                    ApiError::invalid(format!("The filter '{name}' is invalid"))
                });
            }
            let values: Vec<&str> = list(filter, "Values").iter().filter_map(Value::text).collect();
            if values.is_empty() {
                return Err(ApiError::missing(&format!("Filter.Value of '{name}'")));
            }
            count += values.len();
            if count > MAX_VALUES {
                let message = format!("The maximum number of filter values specified on a single call is {MAX_VALUES}");
                return Err(ApiError::new("FilterLimitExceeded", message));
            }
            if values.iter().any(|v| v.chars().count() > MAX_PATTERN) {
                return Err(ApiError::invalid(format!("A value of the filter '{name}' is too long")));
            }
            filters.push(Filter { name: name.to_owned(), patterns: values.into_iter().map(Pattern::new).collect() });
        }
        Ok(Filters(filters))
    }

    /// Whether a resource passes. `look` calls its test with each value that the resource has for a name, and gives whether
    /// one passed.
    pub(crate) fn pass(&self, tags: &Tags, look: impl Fn(&str, &dyn Fn(&str) -> bool) -> bool) -> bool {
        self.0.iter().all(|filter| {
            let test = |value: &str| filter.patterns.iter().any(|p| p.matches(value));
            match filter.name.as_str() {
                "tag-key" => tags.keys().any(|k| test(k)),
                "tag-value" => tags.values().any(|v| test(v)),
                name => match name.strip_prefix("tag:") {
                    Some(key) => tags.get(key).is_some_and(|v| test(v)),
                    None => look(name, &test),
                },
            }
        })
    }
}

/// A value of a filter.
#[derive(Debug)]
enum Pattern {
    Exact(String),
    Wild(Vec<Glob>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Glob {
    Any,
    One,
    Char(char),
}

impl Pattern {
    fn new(text: &str) -> Pattern {
        let mut globs = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            globs.push(match letter {
                '*' => Glob::Any,
                '?' => Glob::One,
                '\\' => Glob::Char(letters.next().unwrap_or('\\')),
                other => Glob::Char(other),
            });
        }
        let exact: Option<String> = globs.iter().map(|g| if let Glob::Char(c) = g { Some(*c) } else { None }).collect();
        exact.map_or(Pattern::Wild(globs), Pattern::Exact)
    }

    /// Linear in practice: on a mismatch it goes back to the last `*` only.
    fn matches(&self, text: &str) -> bool {
        let globs = match self {
            Pattern::Exact(exact) => return exact == text,
            Pattern::Wild(globs) => globs,
        };
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut glob) = (0usize, 0usize);
        let mut back: Option<(usize, usize)> = None;
        loop {
            match (globs.get(glob), text.get(at)) {
                (None, None) => return true,
                (Some(Glob::Any), _) => {
                    back = Some((glob, at));
                    glob += 1;
                    continue;
                }
                (Some(Glob::One), Some(_)) => {
                    glob += 1;
                    at += 1;
                    continue;
                }
                (Some(Glob::Char(wanted)), Some(found)) if wanted == found => {
                    glob += 1;
                    at += 1;
                    continue;
                }
                _ => {}
            }
            match back {
                Some((star, from)) if from < text.len() => {
                    back = Some((star, from + 1));
                    glob = star + 1;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::value::record;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("dev", "dev", true),
            ("dev", "Dev", false),
            ("dev*", "dev-web-1", true),
            ("*web*", "dev-web-1", true),
            ("*web", "dev-web-1", false),
            ("dev-?", "dev-1", true),
            ("dev-?", "dev-12", false),
            ("*", "", true),
            ("?", "", false),
            ("a*b*c", "a-bb-b-c", true),
            ("a*b*c", "a-bb-b-d", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("*é?", "caféx", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_end_quickly() {
        let pattern = Pattern::new(&"*a".repeat(500));
        assert!(!pattern.matches(&("a".repeat(250) + "b")));
    }

    fn one(name: &str, values: &[&str]) -> Value {
        let values: Vec<Value> = values.iter().map(|v| Value::from((*v).to_owned())).collect();
        record![("Filters", vec![record![("Name", name.to_owned()), ("Values", values)]])]
    }

    #[test]
    fn unknown_and_unserved_names_are_errors() {
        let code = |name: &str, values: &[&str]| {
            Filters::of(&one(name, values), &["a"], &["b"]).map(|_| ()).map_err(|e| e.code)
        };
        assert_eq!(code("a", &["x"]), Ok(()));
        assert_eq!(code("b", &["x"]), Err("UnsupportedOperation".into()));
        assert_eq!(code("c", &["x"]), Err("InvalidParameterValue".into()));
        assert_eq!(code("tag:", &["x"]), Err("InvalidParameterValue".into()));
        assert_eq!(code("a", &[]), Err("MissingParameter".into()));
        assert_eq!(code("a", &["x"; 201]), Err("FilterLimitExceeded".into()));
        assert_eq!(code("a", &[&"x".repeat(2000)]), Err("InvalidParameterValue".into()));
    }

    #[test]
    fn filters_look_at_tags() {
        let tags: Tags = [(Arc::from("env"), Arc::from("dev"))].into();
        let pass =
            |name: &str, value: &str| Filters::of(&one(name, &[value]), &[], &[]).unwrap().pass(&tags, |_, _| false);
        assert!(pass("tag:env", "d*") && pass("tag-key", "env") && pass("tag-value", "dev"));
        assert!(!pass("tag:env", "prod") && !pass("tag:team", "*") && !pass("tag-key", "Env"));
    }
}
