//! Arithmetic that knows units: nothing is converted silently, nothing wraps, nothing is NaN.

use std::sync::Arc;

use escher_ir::Value;
use escher_ir::program::BinaryOp;
use jiff::SignedDuration;
use rust_decimal::Decimal;

use crate::EvalError;
use crate::compare::order;

/// Longest list that `a..=b` gives as a list.
const RANGE_LIMIT: i64 = 100_000;

fn overflow() -> EvalError {
    EvalError::new("the result does not fit: it is too large")
}

fn float(value: f64) -> Result<Value, EvalError> {
    if value.is_finite() { Ok(Value::Float(value)) } else { Err(EvalError::new("the result is not a number")) }
}

fn times(duration: SignedDuration, factor: i64) -> Result<Value, EvalError> {
    let millis = i64::try_from(duration.as_millis()).map_err(|_| overflow())?;
    Ok(Value::Duration(SignedDuration::from_millis(millis.checked_mul(factor).ok_or_else(overflow)?)))
}

/// `-a`
pub(crate) fn negate(value: Value) -> Result<Value, EvalError> {
    match value {
        Value::Int(i) => i.checked_neg().map(Value::Int).ok_or_else(overflow),
        Value::Float(f) => Ok(Value::Float(-f)),
        Value::Duration(d) => d.checked_neg().map(Value::Duration).ok_or_else(overflow),
        Value::Money(amount, currency) => Ok(Value::Money(-amount, currency)),
        other => Err(EvalError::new(format!("`-` needs a number, not a {}", other.kind()))),
    }
}

/// All operators but the logical ones, equality and membership.
pub(crate) fn binary(op: BinaryOp, a: &Value, b: &Value) -> Result<Value, EvalError> {
    let compared = |test: fn(std::cmp::Ordering) -> bool| Ok(Value::Bool(test(order(a, b)?)));
    match op {
        BinaryOp::Less => compared(std::cmp::Ordering::is_lt),
        BinaryOp::LessEqual => compared(std::cmp::Ordering::is_le),
        BinaryOp::Greater => compared(std::cmp::Ordering::is_gt),
        BinaryOp::GreaterEqual => compared(std::cmp::Ordering::is_ge),
        BinaryOp::Add => add(a, b),
        BinaryOp::Subtract => subtract(a, b),
        BinaryOp::Multiply => multiply(a, b),
        BinaryOp::Divide => divide(a, b),
        BinaryOp::Range => match (a, b) {
            (Value::Int(a), Value::Int(b)) if b.saturating_sub(*a) < RANGE_LIMIT => {
                Ok(Value::list((*a..=*b).map(Value::Int).collect()))
            }
            (Value::Int(_), Value::Int(_)) => Err(EvalError::new("this range is too long")),
            _ => Err(wrong("..=", a, b)),
        },
        _ => Err(wrong("this operator", a, b)),
    }
}

fn wrong(op: &str, a: &Value, b: &Value) -> EvalError {
    if let (Value::Money(_, a), Value::Money(_, b), true) = (a, b, matches!(op, "+" | "-")) {
        return EvalError::new(format!("{a} and {b} are two currencies, and never add"));
    }
    EvalError::new(format!("`{op}` does not work between a {} and a {}", a.kind(), b.kind()))
}

fn add(a: &Value, b: &Value) -> Result<Value, EvalError> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int).ok_or_else(overflow),
        (Value::Float(a), Value::Float(b)) => float(a + b),
        (Value::Duration(a), Value::Duration(b)) => a.checked_add(*b).map(Value::Duration).ok_or_else(overflow),
        (Value::Instant(t), Value::Duration(d)) | (Value::Duration(d), Value::Instant(t)) => {
            t.checked_add(*d).map(Value::Instant).map_err(|_| overflow())
        }
        (Value::Size(a), Value::Size(b)) => a.checked_add(*b).map(Value::Size).ok_or_else(overflow),
        (Value::Percent(a), Value::Percent(b)) => a.checked_add(*b).map(Value::Percent).ok_or_else(overflow),
        (Value::Money(a, c), Value::Money(b, d)) if c == d => {
            a.checked_add(*b).map(|m| Value::Money(m, c.clone())).ok_or_else(overflow)
        }
        (Value::String(a), Value::String(b)) => Ok(Value::String(format!("{a}{b}").into())),
        (Value::List(a), Value::List(b)) => Ok(Value::List(Arc::new(a.iter().chain(b.iter()).cloned().collect()))),
        _ => Err(wrong("+", a, b)),
    }
}

fn subtract(a: &Value, b: &Value) -> Result<Value, EvalError> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.checked_sub(*b).map(Value::Int).ok_or_else(overflow),
        (Value::Float(a), Value::Float(b)) => float(a - b),
        (Value::Duration(a), Value::Duration(b)) => a.checked_sub(*b).map(Value::Duration).ok_or_else(overflow),
        (Value::Instant(t), Value::Duration(d)) => t.checked_sub(*d).map(Value::Instant).map_err(|_| overflow()),
        (Value::Instant(a), Value::Instant(b)) => Ok(Value::Duration(a.duration_since(*b))),
        (Value::Size(a), Value::Size(b)) => a.checked_sub(*b).map(Value::Size).ok_or_else(overflow),
        (Value::Percent(a), Value::Percent(b)) => a.checked_sub(*b).map(Value::Percent).ok_or_else(overflow),
        (Value::Money(a, c), Value::Money(b, d)) if c == d => {
            a.checked_sub(*b).map(|m| Value::Money(m, c.clone())).ok_or_else(overflow)
        }
        _ => Err(wrong("-", a, b)),
    }
}

fn multiply(a: &Value, b: &Value) -> Result<Value, EvalError> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.checked_mul(*b).map(Value::Int).ok_or_else(overflow),
        (Value::Float(a), Value::Float(b)) => float(a * b),
        (Value::Duration(d), Value::Int(n)) | (Value::Int(n), Value::Duration(d)) => times(*d, *n),
        (Value::Size(s), Value::Int(n)) | (Value::Int(n), Value::Size(s)) => {
            u64::try_from(*n).ok().and_then(|n| s.checked_mul(n)).map(Value::Size).ok_or_else(overflow)
        }
        (Value::Money(m, c), Value::Int(n)) | (Value::Int(n), Value::Money(m, c)) => {
            m.checked_mul(Decimal::from(*n)).map(|m| Value::Money(m, c.clone())).ok_or_else(overflow)
        }
        (Value::Money(m, c), Value::Percent(p)) | (Value::Percent(p), Value::Money(m, c)) => m
            .checked_mul(*p)
            .and_then(|m| m.checked_div(Decimal::ONE_HUNDRED))
            .map(|m| Value::Money(m, c.clone()))
            .ok_or_else(overflow),
        _ => Err(wrong("*", a, b)),
    }
}

/// What the division of two whole numbers leaves; it has the sign of `a`.
pub(crate) fn remainder(a: &Value, b: &Value) -> Result<Value, EvalError> {
    match (a, b) {
        (Value::Int(_), Value::Int(0)) => Err(EvalError::new("division by zero")),
        (Value::Int(a), Value::Int(b)) => Ok(Value::Int(a.wrapping_rem(*b))),
        _ => Err(wrong("remainder", a, b)),
    }
}

fn divide(a: &Value, b: &Value) -> Result<Value, EvalError> {
    let by_zero = || EvalError::new("division by zero");
    match (a, b) {
        (Value::Int(_), Value::Int(0)) => Err(by_zero()),
        (Value::Int(a), Value::Int(b)) => a.checked_div(*b).map(Value::Int).ok_or_else(overflow),
        (Value::Float(a), Value::Float(b)) => float(a / b),
        (Value::Duration(d), Value::Int(n)) => {
            let millis = i64::try_from(d.as_millis()).map_err(|_| overflow())?;
            millis.checked_div(*n).map(|m| Value::Duration(SignedDuration::from_millis(m))).ok_or_else(by_zero)
        }
        (Value::Size(s), Value::Int(n)) => {
            u64::try_from(*n).ok().and_then(|n| s.checked_div(n)).map(Value::Size).ok_or_else(by_zero)
        }
        (Value::Money(m, c), Value::Int(n)) => {
            m.checked_div(Decimal::from(*n)).map(|m| Value::Money(m, c.clone())).ok_or_else(by_zero)
        }
        _ => Err(wrong("/", a, b)),
    }
}
