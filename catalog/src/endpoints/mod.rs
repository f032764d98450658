//! Where a call goes: the clouds' endpoint rules, and what evaluates them.
//!
//! The rules are data of the catalogue (the rule language of AWS, version 1.0). Pure: what a rule asks is in the parameters
//! that the caller gives. This module does *not* read settings, sign, or send.

mod arguments;
mod functions;
mod partitions;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

pub use arguments::{Parameter, ParameterValue};
pub(crate) use partitions::Partitions;

/// Names and values that a rule sees.
type Scope = Map<String, Value>;

/// Why no endpoint came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointError {
    /// The rules say, in words, that these parameters have no endpoint.
    Refused(String),
    /// No rule fits.
    NoRule,
    /// The rules are not in the language that is known here; the text says what is not.
    Malformed(&'static str),
}

impl fmt::Display for EndpointError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndpointError::Refused(why) => out.write_str(why),
            EndpointError::NoRule => out.write_str("no endpoint rule fits these parameters"),
            EndpointError::Malformed(what) => write!(out, "endpoint rules cannot be read: {what}"),
        }
    }
}

impl std::error::Error for EndpointError {}

/// Where a call goes, and how it is signed there.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The address without the operation's path.
    pub url: String,
    /// Headers to add.
    pub headers: BTreeMap<String, Vec<String>>,
    /// What the rules say beside, such as `authSchemes`.
    pub properties: Value,
}

/// A way to sign that the rules offer, best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthScheme {
    /// `sigv4`, `sigv4a`, `sigv4-s3express` …
    pub name: String,
    /// Service name in the signature, where the rules give one.
    pub signing_name: Option<String>,
    /// Region in the signature, where the rules give one.
    pub signing_region: Option<String>,
    /// Regions of a `sigv4a` signature.
    pub signing_region_set: Vec<String>,
    /// The path is not encoded a second time for the signature.
    pub disable_double_encoding: bool,
}

impl Endpoint {
    /// The ways to sign that the rules offer, best first; none where the service's own holds.
    pub fn auth_schemes(&self) -> Vec<AuthScheme> {
        let schemes = self.properties.get("authSchemes").and_then(Value::as_array);
        schemes.into_iter().flatten().filter_map(auth_scheme).collect()
    }
}

fn auth_scheme(scheme: &Value) -> Option<AuthScheme> {
    let text = |name: &str| scheme.get(name).and_then(Value::as_str).map(str::to_owned);
    let regions = scheme.get("signingRegionSet").and_then(Value::as_array);
    Some(AuthScheme {
        name: text("name")?,
        signing_name: text("signingName"),
        signing_region: text("signingRegion"),
        signing_region_set: regions.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        disable_double_encoding: scheme.get("disableDoubleEncoding").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// The endpoint rules of one service.
#[derive(Clone, Debug)]
pub struct EndpointRules {
    rules: Value,
    partitions: Arc<Partitions>,
}

impl EndpointRules {
    /// Rules from their JSON text. Text that nests too deep is refused by the JSON reader, which bounds all recursion here.
    pub(crate) fn parse(text: &str, partitions: Arc<Partitions>) -> Result<Self, EndpointError> {
        let rules = serde_json::from_str(text).map_err(|_| EndpointError::Malformed("not JSON"))?;
        Ok(EndpointRules { rules, partitions })
    }

    /// The parameters that these rules ask for, sorted by name.
    pub fn parameters(&self) -> Vec<Parameter> {
        arguments::parameters(&self.rules)
    }

    /// The endpoint for these parameters. What the rules do not ask for is ignored; defaults are filled in.
    pub fn resolve(&self, given: &BTreeMap<String, ParameterValue>) -> Result<Endpoint, EndpointError> {
        let scope = arguments::scope(&self.parameters(), given)?;
        self.any(&self.rules, &scope)?.ok_or(EndpointError::NoRule)
    }

    /// The first of an object's `rules` that gives an endpoint.
    fn any(&self, parent: &Value, scope: &Scope) -> Result<Option<Endpoint>, EndpointError> {
        let rules =
            parent.get("rules").and_then(Value::as_array).ok_or(EndpointError::Malformed("a tree without rules"))?;
        for rule in rules {
            // What a rule assigns is seen below it only.
            let mut scope = scope.clone();
            if !self.holds(rule, &mut scope)? {
                continue;
            }
            let found = match rule.get("type").and_then(Value::as_str) {
                Some("endpoint") => Some(self.endpoint(rule, &scope)?),
                Some("error") => return Err(EndpointError::Refused(self.text(rule.get("error"), &scope)?)),
                Some("tree") => self.any(rule, &scope)?,
                _ => return Err(EndpointError::Malformed("a kind of rule")),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether all conditions of a rule hold; binds what they assign.
    fn holds(&self, rule: &Value, scope: &mut Scope) -> Result<bool, EndpointError> {
        for condition in rule.get("conditions").and_then(Value::as_array).into_iter().flatten() {
            let value = self.value(condition, scope)?;
            if matches!(value, Value::Null | Value::Bool(false)) {
                return Ok(false);
            }
            if let Some(name) = condition.get("assign").and_then(Value::as_str) {
                scope.insert(name.to_owned(), value);
            }
        }
        Ok(true)
    }

    fn endpoint(&self, rule: &Value, scope: &Scope) -> Result<Endpoint, EndpointError> {
        let endpoint = rule.get("endpoint").ok_or(EndpointError::Malformed("a rule without endpoint"))?;
        let url = self.text(endpoint.get("url"), scope)?;
        let mut headers = BTreeMap::new();
        for (name, values) in endpoint.get("headers").and_then(Value::as_object).into_iter().flatten() {
            let values = values.as_array().into_iter().flatten();
            headers.insert(name.clone(), values.map(|v| self.text(Some(v), scope)).collect::<Result<_, _>>()?);
        }
        let properties = endpoint.get("properties").map_or_else(|| Ok(Map::new().into()), |p| self.deep(p, scope))?;
        Ok(Endpoint { url, headers, properties })
    }

    /// A literal, a reference or a call as a value.
    fn value(&self, expression: &Value, scope: &Scope) -> Result<Value, EndpointError> {
        if let Some(name) = expression.get("ref").and_then(Value::as_str) {
            return Ok(scope.get(name).cloned().unwrap_or(Value::Null));
        }
        if let Some(name) = expression.get("fn").and_then(Value::as_str) {
            let given = expression.get("argv").and_then(Value::as_array).into_iter().flatten();
            let given: Vec<Value> = given.map(|a| self.value(a, scope)).collect::<Result<_, _>>()?;
            return functions::call(name, &given, &self.partitions);
        }
        match expression {
            Value::String(template) => functions::fill(template, scope).map(Value::String),
            other => Ok(other.clone()),
        }
    }

    fn text(&self, expression: Option<&Value>, scope: &Scope) -> Result<String, EndpointError> {
        match self.value(expression.unwrap_or(&Value::Null), scope)? {
            Value::String(text) => Ok(text),
            _ => Err(EndpointError::Malformed("no text where one must be")),
        }
    }

    /// All templates within a value filled.
    fn deep(&self, value: &Value, scope: &Scope) -> Result<Value, EndpointError> {
        match value {
            Value::Array(items) => {
                items.iter().map(|v| self.deep(v, scope)).collect::<Result<_, _>>().map(Value::Array)
            }
            Value::Object(members) if !members.contains_key("ref") && !members.contains_key("fn") => {
                let filled = members.iter().map(|(k, v)| Ok((k.clone(), self.deep(v, scope)?)));
                filled.collect::<Result<_, EndpointError>>().map(Value::Object)
            }
            other => self.value(other, scope),
        }
    }
}
