//! Claims of a scenario: true, or the scenario has failed with these words.

use serde_json::Value;

use crate::Result;

/// Fails with the words unless the claim holds.
pub fn that(claim: bool, words: impl Into<String>) -> Result<()> {
    if claim { Ok(()) } else { Err(words.into().into()) }
}

/// Fails unless both are equal, showing both.
pub fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<()> {
    that(found == wanted, format!("{what}: found {found:?}, wanted {wanted:?}"))
}

/// A number of a JSON document, by its path.
pub fn number(json: &Value, pointer: &str) -> Result<u64> {
    let found = json.pointer(pointer).and_then(Value::as_u64);
    found.ok_or_else(|| format!("{pointer} is no number in {}", short(json)).into())
}

/// A text of a JSON document, by its path.
pub fn text(json: &Value, pointer: &str) -> Result<String> {
    let found = json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| format!("{pointer} is no text in {}", short(json)).into())
}

/// A list of a JSON document, by its path.
pub fn list<'a>(json: &'a Value, pointer: &str) -> Result<&'a Vec<Value>> {
    let found = json.pointer(pointer).and_then(Value::as_array);
    found.ok_or_else(|| format!("{pointer} is no list in {}", short(json)).into())
}

/// The beginning of a document, for messages.
pub fn short(json: &Value) -> String {
    let text = json.to_string();
    if text.chars().count() > 300 { text.chars().take(300).chain("…".chars()).collect() } else { text }
}
