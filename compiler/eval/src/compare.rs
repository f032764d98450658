//! Equality, order and membership.

use std::cmp::Ordering;

use escher_ir::Value;

use crate::EvalError;

/// Whether two values are the same. What is absent equals only `none` and what is absent too. Where a record was read
/// does not count.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Absent(_) | Value::None, Value::Absent(_) | Value::None) => true,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b)),
        (Value::Record(a), Value::Record(b)) => {
            a.members.len() == b.members.len()
                && a.members.iter().zip(&b.members).all(|((n, a), (m, b))| n == m && equal(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((k, a), (l, b))| k == l && equal(a, b))
        }
        (a, b) => a == b,
    }
}

/// The order of two values of one kind; an error where they have none.
pub fn order(a: &Value, b: &Value) -> Result<Ordering, EvalError> {
    let different = || EvalError::new(format!("a {} and a {} cannot be compared", a.kind(), b.kind()));
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).ok_or_else(different),
        (Value::String(a), Value::String(b)) => Ok(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Ok(a.cmp(b)),
        (Value::Size(a), Value::Size(b)) => Ok(a.cmp(b)),
        (Value::Percent(a), Value::Percent(b)) => Ok(a.cmp(b)),
        (Value::Instant(a), Value::Instant(b)) => Ok(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Ok(a.cmp(b)),
        (Value::Money(a, c), Value::Money(b, d)) if c == d => Ok(a.cmp(b)),
        (Value::Money(_, c), Value::Money(_, d)) => {
            Err(EvalError::new(format!("{c} and {d} are two currencies and cannot be compared")))
        }
        _ => Err(different()),
    }
}

/// `a in b`: an element of a list, a key of a map, a part of a text.
pub(crate) fn is_in(a: &Value, b: &Value) -> Result<bool, EvalError> {
    match (a, b) {
        (_, Value::List(items)) => Ok(items.iter().any(|item| equal(item, a))),
        (Value::String(key), Value::Map(map)) => Ok(map.contains_key(key)),
        (Value::String(part), Value::String(whole)) => Ok(whole.contains(&**part)),
        (Value::None | Value::Absent(_), _) => Ok(false),
        _ => Err(EvalError::new(format!("`in` cannot look for a {} in a {}", a.kind(), b.kind()))),
    }
}
