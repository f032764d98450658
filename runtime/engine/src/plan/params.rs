//! Parameters: defaults filled in, and every value checked against its type, which an IR states and a caller may miss.

use std::collections::BTreeMap;

use escher_eval::{Evaluator, NoHost};
use escher_ir::program::Program;
use escher_ir::secret::REFERENCES;
use escher_ir::{Type, Value, admit, json};

use crate::error::EngineError;

/// All parameters with their values.
pub(crate) fn complete(
    program: &Program,
    mut given: BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, EngineError> {
    let mut values = BTreeMap::new();
    for param in &program.playbook.params {
        let value = match (given.remove(&param.name), &param.default) {
            (Some(value), _) => value,
            (None, Some(default)) => {
                let mut nobody = NoHost;
                let mut evaluator = Evaluator::new(program, &mut nobody, param.name.clone());
                evaluator.expr(default).ok().flatten().ok_or_else(|| {
                    EngineError::Usage(format!("the default of parameter `{}` cannot be worked out", param.name))
                })?
            }
            (None, None) if matches!(param.ty, Type::Optional(_)) => Value::None,
            (None, None) => {
                let words = format!("parameter `{}` has no value: add --set {}=…", param.name, param.name);
                return Err(EngineError::Usage(words));
            }
        };
        if let Err(why) = fits(&param.ty, &value) {
            return Err(EngineError::Usage(format!("parameter `{}`: {why}", param.name)));
        }
        values.insert(param.name.clone(), value);
    }
    match given.into_keys().next() {
        Some(name) => Err(EngineError::Usage(format!("the playbook has no parameter `{name}`"))),
        None => Ok(values),
    }
}

/// Whether a value is of a type; why not, where it isn't.
fn fits(ty: &Type, value: &Value) -> Result<(), String> {
    let wrong = || match admit::holds_secret(ty) {
        true => Err(format!("needs {ty}: a reference, {REFERENCES}, never the secret itself")),
        false => Err(format!("needs {ty}, not {} ({})", json::to_text(value), value.kind())),
    };
    match (ty, value) {
        (Type::Unknown | Type::Json, _) => Ok(()),
        (Type::Optional(_) | Type::None, Value::None) => Ok(()),
        (Type::Optional(inner), _) => fits(inner, value),
        (Type::Secret(_), Value::Secret(_)) => Ok(()),
        (Type::Bool, Value::Bool(_))
        | (Type::Float, Value::Float(_))
        | (Type::Duration, Value::Duration(_))
        | (Type::Size, Value::Size(_))
        | (Type::Percent, Value::Percent(_))
        | (Type::Money, Value::Money(..))
        | (Type::Instant, Value::Instant(_))
        | (Type::Date, Value::Date(_))
        | (Type::Bytes, Value::Bytes(_))
        | (Type::Cloud, Value::String(_))
        | (Type::Target, Value::Target(_))
        | (Type::Record(_) | Type::Shape(_), Value::Record(_)) => Ok(()),
        (Type::Int { min, max }, Value::Int(n)) => {
            if min.is_some_and(|min| *n < min) || max.is_some_and(|max| *n > max) { wrong() } else { Ok(()) }
        }
        // The pattern of a string is the compiler's to check: there is no regular-expression engine here.
        (Type::String { min, max, .. }, Value::String(s)) => {
            let length = s.chars().count() as u64;
            if min.is_some_and(|min| length < min) || max.is_some_and(|max| length > max) { wrong() } else { Ok(()) }
        }
        (Type::List(inner), Value::List(items)) => items.iter().try_for_each(|item| fits(inner, item)),
        (Type::Map(inner), Value::Map(entries)) => entries.values().try_for_each(|entry| fits(inner, entry)),
        (Type::Union(_), value) if admit::admits(value, ty) => Ok(()),
        (Type::Literals(values), value) if values.contains(value) => Ok(()),
        _ => wrong(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_hold_at_run_time_too() {
        let limit = Type::Int { min: Some(1), max: Some(200) };
        assert!(fits(&limit, &Value::Int(50)).is_ok());
        assert!(fits(&limit, &Value::Int(201)).is_err());
        assert!(fits(&Type::Literals(vec![Value::text("dev")]), &Value::text("prod")).is_err());
        assert!(fits(&Type::list(Type::STRING), &Value::list(vec![Value::Int(1)])).is_err());
        assert!(fits(&limit.optional(), &Value::None).is_ok());
    }
}
