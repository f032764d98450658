//! Partitions: which group of regions a region belongs to.
//!
//! A region that nobody has heard of yet is placed by the pattern of its name. This module holds *no* general regular
//! expressions, only the four things that partitions' patterns are made of.

use serde_json::Value;

use super::EndpointError;

/// All partitions, in the order in which they are asked.
#[derive(Clone, Debug)]
pub(crate) struct Partitions(Vec<Partition>);

#[derive(Clone, Debug)]
struct Partition {
    outputs: Value,
    regions: Vec<String>,
    pattern: String,
}

impl Partitions {
    pub(crate) fn parse(text: &str) -> Result<Self, EndpointError> {
        let all: Value = serde_json::from_str(text).map_err(|_| EndpointError::Malformed("partitions are not JSON"))?;
        let all = all.get("partitions").and_then(Value::as_array).ok_or(EndpointError::Malformed("no partitions"))?;
        Ok(Partitions(all.iter().filter_map(partition).collect()))
    }

    /// What the rules see of the partition of a region: the first one's for a region that fits nowhere.
    pub(super) fn of(&self, region: Option<&str>) -> Value {
        let fits = |p: &&Partition| region.is_some_and(|r| p.regions.iter().any(|k| k == r) || matches(&p.pattern, r));
        self.0.iter().find(fits).or_else(|| self.0.first()).map_or(Value::Null, |p| p.outputs.clone())
    }
}

fn partition(said: &Value) -> Option<Partition> {
    let mut outputs = said.get("outputs")?.clone();
    outputs.as_object_mut()?.insert("name".into(), said.get("id")?.clone());
    Some(Partition {
        outputs,
        regions: said.get("regions")?.as_object()?.keys().cloned().collect(),
        pattern: said.get("regionRegex")?.as_str()?.to_owned(),
    })
}

/// Matches `^literal(a|b)\-\w+\-\d+$`: literals, escaped signs, one-level alternatives of literals, `\w+` and `\d+`.
///
/// Each repetition takes all it can; in these patterns a sign that it cannot take always follows.
fn matches(pattern: &str, text: &str) -> bool {
    let Some(pattern) = pattern.strip_prefix('^').and_then(|p| p.strip_suffix('$')) else { return false };
    rest_matches(pattern, text)
}

fn rest_matches(pattern: &str, text: &str) -> bool {
    if let Some((alternatives, after)) = pattern.strip_prefix('(').and_then(|p| p.split_once(')')) {
        return alternatives.split('|').any(|a| text.strip_prefix(a).is_some_and(|rest| rest_matches(after, rest)));
    }
    let word: fn(char) -> bool = |c| c.is_alphanumeric() || c == '_';
    let digit: fn(char) -> bool = |c| c.is_ascii_digit();
    for (sign, class) in [(r"\w+", word), (r"\d+", digit)] {
        if let Some(after) = pattern.strip_prefix(sign) {
            let rest = text.trim_start_matches(class);
            return rest.len() < text.len() && rest_matches(after, rest);
        }
    }
    let pattern = pattern.strip_prefix('\\').unwrap_or(pattern);
    let mut wanted = pattern.chars();
    let mut found = text.chars();
    match (wanted.next(), found.next()) {
        (None, None) => true,
        (Some(w), Some(f)) if w == f => rest_matches(wanted.as_str(), found.as_str()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn regions_nobody_has_heard_of() {
        let pattern = r"^(us|eu|ap)\-\w+\-\d+$";
        assert!(matches(pattern, "eu-middle-12"));
        assert!(!matches(pattern, "eu-middle-"));
        assert!(!matches(pattern, "xx-middle-1"));
        assert!(!matches(pattern, "us-gov-west-1"));
        assert!(matches(r"^us\-gov\-\w+\-\d+$", "us-gov-west-1"));
        assert!(matches(r"^eusc\-(de)\-\w+\-\d+$", "eusc-de-east-1"));
    }
}
