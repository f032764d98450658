//! Whether a type admits a value, and values of parameters from text.

use crate::secret::{self, Secret};
use crate::types::Type;
use crate::value::{Target, Value};
use crate::{json, units};

/// Why a value is not one of a type's, as "`…`" to be shown after "and this is"; none where it is.
pub fn outside(value: &Value, ty: &Type) -> Option<String> {
    (!admits(value, ty)).then(|| match value {
        Value::String(s) => format!("`{s:?}`"),
        other => format!("`{}`", json::to_text(other)),
    })
}

/// Whether a type admits a value.
pub fn admits(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (_, Type::Unknown | Type::Json) | (Value::Hole(_), _) => true,
        (Value::None, Type::Optional(_) | Type::None) => true,
        (Value::Secret(_), Type::Secret(_)) => true,
        (_, Type::Secret(_)) => false,
        (value, Type::Optional(inner)) => admits(value, inner),
        (value, Type::Literals(allowed)) => allowed.contains(value),
        (Value::Bool(_), Type::Bool)
        | (Value::Float(_), Type::Float)
        | (Value::Duration(_), Type::Duration)
        | (Value::Size(_), Type::Size)
        | (Value::Percent(_), Type::Percent)
        | (Value::Money(..), Type::Money)
        | (Value::Instant(_), Type::Instant)
        | (Value::Date(_), Type::Date)
        | (Value::Bytes(_), Type::Bytes)
        | (Value::Target(_), Type::Target)
        | (Value::Record(_), Type::Shape(_)) => true,
        (Value::Int(n), Type::Int { min, max }) => min.is_none_or(|min| *n >= min) && max.is_none_or(|max| *n <= max),
        (Value::String(s), Type::String { matches, min, max }) => {
            let length = s.chars().count() as u64;
            min.is_none_or(|min| length >= min)
                && max.is_none_or(|max| length <= max)
                && matches.as_ref().is_none_or(|pattern| matches_whole(pattern, s))
        }
        (Value::String(s), Type::Cloud) => matches!(&**s, "aws" | "azure" | "gcp"),
        (Value::List(items), Type::List(item)) => items.iter().all(|v| admits(v, item)),
        (Value::Map(map), Type::Map(item)) => map.values().all(|v| admits(v, item)),
        (Value::Record(record), Type::Record(wanted)) => wanted.fields.iter().all(|(name, field)| {
            record.get(name).map_or(!field.required || matches!(field.ty, Type::Optional(_)), |v| admits(v, &field.ty))
        }),
        (value, Type::Union(records)) => records.iter().any(|record| admits(value, &Type::Record(record.clone()))),
        _ => false,
    }
}

/// Whether a pattern matches the whole of a text. One that does not compile matches nothing.
fn matches_whole(pattern: &str, text: &str) -> bool {
    compile(pattern).is_ok_and(|p| p.is_match(text))
}

fn compile(pattern: &str) -> Result<regex_lite::Regex, regex_lite::Error> {
    regex_lite::Regex::new(&format!("^(?:{pattern})$"))
}

/// Why a text is no pattern.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    compile(pattern).map(|_| ()).map_err(|e| e.to_string())
}

/// Whether values of a type are or hold secrets. What a shape of the catalogue holds is not looked at.
pub fn holds_secret(ty: &Type) -> bool {
    match ty {
        Type::Secret(_) => true,
        Type::List(inner) | Type::Map(inner) | Type::Optional(inner) => holds_secret(inner),
        Type::Record(record) => record.fields.values().any(|field| holds_secret(&field.ty)),
        Type::Union(records) => records.iter().any(|record| holds_secret(&Type::Record(record.clone()))),
        _ => false,
    }
}

/// The value that a text such as `--set limit=20` gives for a parameter; the error says what was expected.
pub fn parse(text: &str, ty: &Type) -> Result<Value, String> {
    let wrong = || match holds_secret(ty) {
        // What was typed may be the secret itself.
        true => format!(
            "a secret is given as a reference, {}: what was given is none, and is not shown",
            secret::REFERENCES
        ),
        false => format!("expected `{ty}`, found `{text}`"),
    };
    let value = parse_as(text, ty).ok_or_else(wrong)?;
    if admits(&value, ty) { Ok(value) } else { Err(wrong()) }
}

fn parse_as(text: &str, ty: &Type) -> Option<Value> {
    let trimmed = text.trim();
    Some(match ty {
        Type::Optional(_) if trimmed == "none" => Value::None,
        Type::Optional(inner) => return parse_as(text, inner),
        Type::Secret(_) => Value::Secret(Secret::kept(secret::reference(trimmed)?).into()),
        Type::Bool => Value::Bool(trimmed.parse().ok()?),
        Type::Int { .. } => Value::Int(trimmed.replace('_', "").parse().ok()?),
        Type::Float => Value::Float(trimmed.parse().ok().filter(|f: &f64| f.is_finite())?),
        Type::String { .. } | Type::Cloud => Value::text(text),
        Type::Duration => Value::Duration(units::parse_duration(trimmed)?),
        Type::Size => Value::Size(units::parse_size(trimmed)?),
        Type::Percent => Value::Percent(units::parse_decimal(trimmed.strip_suffix('%')?)?),
        Type::Money => {
            let (amount, currency) = trimmed.split_once(' ')?;
            Value::Money(units::parse_decimal(amount)?, currency.into())
        }
        Type::Instant => Value::Instant(units::parse_instant(trimmed)?),
        Type::Date => Value::Date(units::parse_date(trimmed)?),
        Type::Literals(allowed) => allowed.iter().find(|v| json::to_text(v) == trimmed).cloned()?,
        // `a,b,c`: what people type; a text with a comma in it needs JSON.
        Type::List(item) => match trimmed.strip_prefix('[') {
            Some(_) => from_json(&serde_json::from_str(trimmed).ok()?, ty)?,
            None if trimmed.is_empty() => Value::list(Vec::new()),
            None => {
                Value::list(trimmed.split(',').map(|part| parse_as(part.trim(), item)).collect::<Option<Vec<_>>>()?)
            }
        },
        Type::Map(_) | Type::Record(_) | Type::Union(_) | Type::Json => {
            from_json(&serde_json::from_str(trimmed).ok()?, ty)?
        }
        Type::Target => {
            let mut words = trimmed.split('/');
            Value::Target(
                Target {
                    cloud: words.next()?.into(),
                    account: words.next()?.into(),
                    region: words.next().unwrap_or_default().into(),
                    ..Target::default()
                }
                .into(),
            )
        }
        _ => return None,
    })
}

fn from_json(json: &serde_json::Value, ty: &Type) -> Option<Value> {
    use serde_json::Value as Json;
    Some(match (json, ty) {
        (Json::Null, _) => Value::None,
        (Json::Bool(b), _) => Value::Bool(*b),
        (Json::Number(n), Type::Float) => Value::Float(n.as_f64()?),
        (Json::Number(n), _) => n.as_i64().map(Value::Int).or_else(|| n.as_f64().map(Value::Float))?,
        (Json::String(s), Type::Json) => Value::text(s),
        (Json::String(s), _) => parse_as(s, ty)?,
        (Json::Array(items), ty) => {
            let item = if let Type::List(item) = ty { item } else { &Type::Json };
            Value::list(items.iter().map(|j| from_json(j, item)).collect::<Option<_>>()?)
        }
        (Json::Object(members), Type::Record(record)) => {
            let members = members.iter().map(|(name, j)| {
                let ty = record.fields.get(name.as_str()).map_or(&Type::Json, |f| &f.ty);
                from_json(j, ty).map(|v| (name.as_str(), v))
            });
            Value::record(members.collect::<Option<Vec<_>>>()?)
        }
        (Json::Object(_), Type::Union(records)) => {
            let mut read = records.iter().map(|record| Type::Record(record.clone()));
            read.find_map(|ty| from_json(json, &ty).filter(|value| admits(value, &ty)))?
        }
        (Json::Object(members), ty) => {
            let item = if let Type::Map(item) = ty { item } else { &Type::Json };
            let members = members.iter().map(|(name, j)| from_json(j, item).map(|v| (name.as_str(), v)));
            Value::map(members.collect::<Option<Vec<_>>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_held_to_their_types() {
        let limit = Type::Int { min: Some(1), max: Some(20) };
        assert_eq!(parse("20", &limit), Ok(Value::Int(20)));
        assert!(parse("21", &limit).is_err());
        assert!(parse("x", &limit).is_err());
        let env = Type::Literals(vec![Value::text("dev"), Value::text("test")]);
        assert_eq!(parse("dev", &env), Ok(Value::text("dev")));
        assert!(parse("prod", &env).is_err());
        let name = Type::String { matches: Some("[a-z]+".into()), min: Some(1), max: Some(3) };
        assert!(parse("ab", &name).is_ok() && parse("abcd", &name).is_err() && parse("a1", &name).is_err());
        assert_eq!(parse("a, b", &Type::list(Type::STRING)).unwrap().as_list().unwrap().len(), 2);
        assert_eq!(parse("10m", &Type::Duration).unwrap().kind(), "duration");
    }
}
