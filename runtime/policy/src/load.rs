//! From texts to rules: read, named, and checked against what rules may speak of.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::LazyLock;

use cedar_policy::{Policy as CedarPolicy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;

/// What rules may speak of.
const SCHEMA: &str = include_str!("escher.cedarschema");

/// The rules of every project.
pub(crate) const STANDARD: &str = include_str!("standard.cedar");

/// Longest text of a project's rules, in bytes.
const MAX_TEXT: usize = 256 * 1024;

/// Greatest number of rules of a project.
const MAX_RULES: usize = 1_000;

/// Most mistakes that are told of a text.
const MAX_TOLD: usize = 10;

/// A mistake in a project's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, in words.
    pub message: String,
    /// Where it begins in the text, in bytes, where that is known.
    pub at: Option<usize>,
    /// What to write instead, where that is known.
    pub help: Option<String>,
}

/// Why a project's rules can't be used: one mistake, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError(pub Vec<Mistake>);

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut lines = self.0.iter().map(|mistake| mistake.message.as_str());
        f.write_str(lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| write!(f, "\n{line}"))
    }
}

impl std::error::Error for PolicyError {}

/// A mistake in what stands in the program itself is one that a test finds.
static SHAPE: LazyLock<Option<Schema>> = LazyLock::new(|| Some(Schema::from_cedarschema_str(SCHEMA).ok()?.0));

pub(crate) fn schema() -> Option<&'static Schema> {
    SHAPE.as_ref()
}

fn wrong(message: impl Into<String>, at: Option<usize>) -> PolicyError {
    PolicyError(vec![Mistake { message: message.into(), at, help: None }])
}

/// What Cedar says of a text.
fn told<'e>(errors: impl Iterator<Item = &'e (dyn Diagnostic + 'e)>) -> PolicyError {
    let mistake = |error: &dyn Diagnostic| Mistake {
        message: error.to_string(),
        at: error.labels().and_then(|labels| labels.map(|label| label.offset()).min()),
        help: error.help().map(|help| help.to_string()),
    };
    PolicyError(errors.take(MAX_TOLD).map(mistake).collect())
}

/// The rules of a text in their order, each under its own name: `@id`, or the number that it has in the text.
pub(crate) fn rules(text: &str, taken: &BTreeSet<String>) -> Result<Vec<CedarPolicy>, PolicyError> {
    if text.len() > MAX_TEXT {
        return Err(wrong(format!("it has {} bytes, and {MAX_TEXT} are the most", text.len()), None));
    }
    let set = PolicySet::from_str(text).map_err(|errors| told(errors.iter().map(|e| e as &dyn Diagnostic)))?;
    if set.templates().next().is_some() {
        return Err(wrong("a rule leaves a place open (`?principal`, `?resource`): say who and what", None));
    }
    if set.num_of_policies() > MAX_RULES {
        return Err(wrong(format!("it has {} rules, and {MAX_RULES} are the most", set.num_of_policies()), None));
    }
    // Cedar numbers what it reads.
    let number = |rule: &CedarPolicy| rule.id().to_string().trim_start_matches("policy").parse().unwrap_or(0);
    let mut found: Vec<(usize, &CedarPolicy)> = set.policies().map(|rule| (number(rule), rule)).collect();
    found.sort_by_key(|(number, _)| *number);
    let mut names = taken.clone();
    let name = |(number, rule): (usize, &CedarPolicy)| {
        let id = rule.annotation("id").filter(|id| !id.is_empty()).map(str::to_string);
        let name = id.unwrap_or_else(|| format!("rule {}", number + 1));
        match names.insert(name.clone()) {
            true => Ok(rule.new_id(PolicyId::new(name))),
            false => Err(wrong(format!("two rules are called \"{name}\""), None)),
        }
    };
    found.into_iter().map(name).collect()
}

/// Checks rules against what they may speak of, strictly: a rule that could fail when it is asked is none.
pub(crate) fn check(set: &PolicySet) -> Result<(), PolicyError> {
    let schema = schema().ok_or_else(|| wrong("the schema of rules cannot be read", None))?;
    let result = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    match result.validation_passed() {
        true => Ok(()),
        false => Err(told(result.validation_errors().map(|e| e as &dyn Diagnostic))),
    }
}
