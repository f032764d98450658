//! Values of the language as the scalars of an API: units to numbers, dates to instants.
//!
//! An error says what is wrong, without the value.

use escher_ir::Value;
use escher_ir::secret::Plain;
use jiff::Timestamp;
use rust_decimal::prelude::ToPrimitive;

/// What is wanted, and what there is.
pub fn wanted(what: &str, value: &Value) -> String {
    format!("{what} is needed here, not {}", value.kind())
}

/// Text; none for what has no text of its own (records, maps, lists, bytes).
pub fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.to_string(),
        Value::Secret(secret) => match &**secret.plain()? {
            Plain::Text(text) => text.to_string(),
            Plain::Bytes(_) => return None,
        },
        Value::Int(n) => n.to_string(),
        Value::Size(n) => n.to_string(),
        Value::Instant(t) => t.to_string(),
        Value::Date(d) => d.to_string(),
        Value::Percent(p) => p.to_string(),
        _ => return None,
    })
}

/// Whole units of a member's own measure: its name says which (`TimeoutInMinutes`), seconds and bytes otherwise.
pub fn integer(value: &Value, name: &str) -> Result<i64, String> {
    const TIMES: [(&str, i64); 5] =
        [("milli", 1), ("minute", 60_000), ("hour", 3_600_000), ("day", 86_400_000), ("second", 1000)];
    const SIZES: [(&str, u64); 6] =
        [("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("inmb", 1 << 20), ("ingb", 1 << 30), ("bytes", 1)];
    let name = name.to_ascii_lowercase();
    let inexact = || String::from("not a whole number of this member's unit");
    match value {
        Value::Int(n) => Ok(*n),
        Value::Percent(p) if p.is_integer() => p.to_i64().ok_or_else(inexact),
        Value::Duration(d) => {
            let unit = TIMES.iter().find(|(word, _)| name.contains(word)).map_or(1000, |(_, ms)| *ms);
            let millis = i64::try_from(d.as_millis()).map_err(|_| inexact())?;
            if millis % unit == 0 { Ok(millis / unit) } else { Err(inexact()) }
        }
        Value::Size(bytes) => {
            let unit = SIZES.iter().find(|(word, _)| name.contains(word)).map_or(1, |(_, n)| *n);
            if bytes % unit == 0 { i64::try_from(bytes / unit).map_err(|_| inexact()) } else { Err(inexact()) }
        }
        other => Err(wanted("a whole number", other)),
    }
}

/// A number; what JSON cannot say has its three names.
pub fn float(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(f) => Ok(*f),
        #[allow(clippy::cast_precision_loss, reason = "the API takes a float")]
        Value::Int(n) => Ok(*n as f64),
        Value::Percent(p) => p.to_f64().ok_or_else(|| wanted("a number", value)),
        Value::Money(amount, _) => amount.to_f64().ok_or_else(|| wanted("a number", value)),
        Value::String(s) if &**s == "NaN" => Ok(f64::NAN),
        Value::String(s) if &**s == "Infinity" => Ok(f64::INFINITY),
        Value::String(s) if &**s == "-Infinity" => Ok(f64::NEG_INFINITY),
        other => Err(wanted("a number", other)),
    }
}

/// An instant; a date is its midnight in UTC.
pub fn instant(value: &Value) -> Result<Timestamp, String> {
    match value {
        Value::Instant(t) => Ok(*t),
        Value::Date(d) => {
            let midnight = d.to_zoned(jiff::tz::TimeZone::UTC);
            midnight.map(|m| m.timestamp()).map_err(|_| "the date is out of range".into())
        }
        other => Err(wanted("an instant", other)),
    }
}
