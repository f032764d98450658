//! Parameters of endpoint rules: what they ask for, and what the caller gives.
//!
//! This module does *not* know where a value comes from; `built_in` names it for the caller.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{EndpointError, Scope};

/// A value that the caller gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// Text, such as a region.
    Text(String),
    /// A switch.
    Bool(bool),
    /// Several texts.
    List(Vec<String>),
}

impl From<&ParameterValue> for Value {
    fn from(value: &ParameterValue) -> Value {
        match value {
            ParameterValue::Text(text) => text.as_str().into(),
            ParameterValue::Bool(on) => (*on).into(),
            ParameterValue::List(texts) => texts.iter().map(String::as_str).collect(),
        }
    }
}

/// What rules ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the rules, such as `Region`.
    pub name: String,
    /// Where a client takes it from, such as `AWS::Region`; the others come from the operation and its input.
    pub built_in: Option<String>,
    /// Must be given or have a default.
    pub required: bool,
    /// What holds where nothing is given.
    pub default: Option<ParameterValue>,
}

/// The parameters of a rule set.
pub(super) fn parameters(rules: &Value) -> Vec<Parameter> {
    let all = rules.get("parameters").and_then(Value::as_object).into_iter().flatten();
    let mut found: Vec<Parameter> = all
        .map(|(name, said)| Parameter {
            name: name.clone(),
            built_in: said.get("builtIn").and_then(Value::as_str).map(str::to_owned),
            required: said.get("required").and_then(Value::as_bool).unwrap_or(false),
            default: said.get("default").and_then(default),
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn default(value: &Value) -> Option<ParameterValue> {
    match value {
        Value::String(text) => Some(ParameterValue::Text(text.clone())),
        Value::Bool(on) => Some(ParameterValue::Bool(*on)),
        Value::Array(items) => {
            Some(ParameterValue::List(items.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
        }
        _ => None,
    }
}

/// What the rules see at first.
pub(super) fn scope(asked: &[Parameter], given: &BTreeMap<String, ParameterValue>) -> Result<Scope, EndpointError> {
    let mut scope = Scope::new();
    for parameter in asked {
        match given.get(&parameter.name).or(parameter.default.as_ref()) {
            Some(value) => {
                scope.insert(parameter.name.clone(), value.into());
            }
            None if parameter.required => {
                return Err(EndpointError::Refused(format!("`{}` is required", parameter.name)));
            }
            None => {}
        }
    }
    Ok(scope)
}
