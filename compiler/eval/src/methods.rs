//! The closed table of methods.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use escher_ir::program::{Expr, Method};
use escher_ir::{Value, json};

use crate::compare::{equal, order};
use crate::evaluator::{Evaluator, Outcome, Stop, fail, present};
use crate::{EvalError, arithmetic};

/// Calls a method.
pub(crate) fn call<'p>(ev: &mut Evaluator<'p, '_>, base: Value, method: Method, arguments: &'p [Expr]) -> Outcome {
    if matches!(base, Value::Hole(_)) {
        return Ok(base);
    }
    match base {
        Value::List(items) => list(ev, &items, method, arguments),
        Value::Map(map) => of_map(ev, &map, method, arguments),
        Value::String(text) => string(ev, &text, method, arguments),
        other => match method {
            Method::ToString => Ok(Value::text(json::to_text(&other))),
            Method::Remainder => {
                let divisor = ev.all(arguments)?.into_iter().next().unwrap_or(Value::None);
                if matches!(divisor, Value::Hole(_)) {
                    return Ok(divisor);
                }
                arithmetic::remainder(&other, &divisor).map_err(Stop::Fail)
            }
            _ => fail(format!("a {} has no such method", other.kind())),
        },
    }
}

fn function(arguments: &[Expr]) -> Result<&Expr, Stop> {
    arguments.first().ok_or_else(|| Stop::Fail(EvalError::new("this method needs a function")))
}

/// A lambda applied to every element; goes on past what is pending. None in place of an element that was left out.
fn each<'p>(ev: &mut Evaluator<'p, '_>, items: &[Value], lambda: &'p Expr) -> Result<Vec<Value>, Stop> {
    let mut out = Vec::with_capacity(items.len());
    let mut pending = false;
    for (i, item) in items.iter().enumerate() {
        ev.burn(1)?;
        match ev.call_lambda_at(lambda, i, std::slice::from_ref(item)) {
            Ok(value) => out.push(value),
            Err(Stop::Pending) => pending = true,
            Err(stop) => return Err(stop),
        }
    }
    if pending { Err(Stop::Pending) } else { Ok(out) }
}

fn each_present<'p>(ev: &mut Evaluator<'p, '_>, items: &[Value], lambda: &'p Expr) -> Result<Vec<Value>, Stop> {
    each(ev, items, lambda)?.into_iter().map(present).collect()
}

fn filter<'p>(ev: &mut Evaluator<'p, '_>, items: &[Value], lambda: &'p Expr) -> Outcome {
    let mut out = Vec::new();
    let mut pending = false;
    for (i, item) in items.iter().enumerate() {
        ev.burn(1)?;
        match ev.call_lambda_at(lambda, i, std::slice::from_ref(item)).and_then(present) {
            Ok(Value::Bool(true)) => out.push(item.clone()),
            Ok(Value::Bool(false)) => {}
            Ok(hole @ Value::Hole(_)) => return Ok(hole),
            Ok(other) => return fail(format!("a filter needs a truth value, not a {}", other.kind())),
            Err(Stop::Pending) => pending = true,
            Err(Stop::Fail(e)) => match e.absent {
                // Less knowledge never means more changes: what can't be judged is left out, and said.
                Some(member) if ev.skips_absent() => ev.note_skipped(item.clone(), member),
                _ => return Err(Stop::Fail(e)),
            },
        }
    }
    if pending { Err(Stop::Pending) } else { Ok(Value::list(out)) }
}

fn count_of(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn number<'p>(ev: &mut Evaluator<'p, '_>, arguments: &'p [Expr]) -> Result<usize, Stop> {
    match ev.all(arguments)?.first() {
        Some(Value::Int(n)) => Ok(usize::try_from(*n).unwrap_or(0)),
        _ => fail("this method needs a number"),
    }
}

fn text<'p>(ev: &mut Evaluator<'p, '_>, arguments: &'p [Expr]) -> Result<Arc<str>, Stop> {
    match ev.all(arguments)?.into_iter().next() {
        Some(Value::String(s)) => Ok(s),
        _ => fail("this method needs a text"),
    }
}

/// Sorts by keys; an error where two of them have no order.
fn sorted(mut keyed: Vec<(Value, Value)>) -> Result<Vec<Value>, Stop> {
    let mut error = None;
    keyed.sort_by(|(a, _), (b, _)| {
        order(a, b).unwrap_or_else(|e| {
            error.get_or_insert(e);
            Ordering::Equal
        })
    });
    match error {
        Some(e) => Err(Stop::Fail(e)),
        None => Ok(keyed.into_iter().map(|(_, v)| v).collect()),
    }
}

fn list<'p>(ev: &mut Evaluator<'p, '_>, items: &Arc<Vec<Value>>, method: Method, arguments: &'p [Expr]) -> Outcome {
    ev.burn(items.len() as u64)?;
    match method {
        Method::Filter => filter(ev, items, function(arguments)?),
        Method::Map => each_present(ev, items, function(arguments)?).map(Value::list),
        Method::FlatMap => flatten(&each_present(ev, items, function(arguments)?)?),
        Method::Flatten => flatten(items),
        Method::SortBy => {
            let keys = each_present(ev, items, function(arguments)?)?;
            Ok(Value::list(sorted(keys.into_iter().zip(items.iter().cloned()).collect())?))
        }
        Method::GroupBy => {
            let keys = each_present(ev, items, function(arguments)?)?;
            let mut groups: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
            for (key, item) in keys.into_iter().zip(items.iter()) {
                match key {
                    Value::String(key) => groups.entry(key).or_default().push(item.clone()),
                    other => return fail(format!("the key of a group is text, not a {}", other.kind())),
                }
            }
            Ok(Value::Map(Arc::new(groups.into_iter().map(|(k, v)| (k, Value::list(v))).collect())))
        }
        Method::Unique => {
            let keys = match arguments.first() {
                Some(lambda) => each_present(ev, items, lambda)?,
                None => items.to_vec(),
            };
            let mut seen = HashSet::new();
            let kept = keys.iter().zip(items.iter()).filter(|(k, _)| seen.insert(fingerprint(k)));
            Ok(Value::list(kept.map(|(_, v)| v.clone()).collect()))
        }
        Method::Count => match arguments.first() {
            None => Ok(count_of(items.len())),
            Some(lambda) => match filter(ev, items, lambda)? {
                Value::List(kept) => Ok(count_of(kept.len())),
                hole => Ok(hole),
            },
        },
        Method::Any | Method::All => {
            let wanted = method == Method::Any;
            let mut hole = None;
            for value in each_present(ev, items, function(arguments)?)? {
                match value {
                    Value::Bool(b) if b == wanted => return Ok(Value::Bool(wanted)),
                    Value::Bool(_) => {}
                    other @ Value::Hole(_) => hole = Some(other),
                    other => return fail(format!("this needs a truth value, not a {}", other.kind())),
                }
            }
            Ok(hole.unwrap_or(Value::Bool(!wanted)))
        }
        Method::Sum => {
            let values = keyed(ev, items, arguments)?;
            let mut values = values.into_iter();
            let Some(mut total) = values.next() else { return Ok(Value::Int(0)) };
            for value in values {
                total = arithmetic::binary(escher_ir::program::BinaryOp::Add, &total, &value)?;
            }
            Ok(total)
        }
        Method::Min | Method::Max => {
            let keys = keyed(ev, items, arguments)?;
            let sorted = sorted(keys.into_iter().map(|k| (k.clone(), k)).collect())?;
            let found = if method == Method::Min { sorted.first() } else { sorted.last() };
            Ok(found.cloned().unwrap_or(Value::None))
        }
        Method::First => match arguments.first() {
            None => Ok(items.first().cloned().unwrap_or(Value::None)),
            Some(lambda) => match filter(ev, items, lambda)? {
                Value::List(kept) => Ok(kept.first().cloned().unwrap_or(Value::None)),
                hole => Ok(hole),
            },
        },
        Method::Last => Ok(items.last().cloned().unwrap_or(Value::None)),
        Method::Take => {
            let n = number(ev, arguments)?;
            Ok(Value::list(items.iter().take(n).cloned().collect()))
        }
        Method::Skip => {
            let n = number(ev, arguments)?;
            Ok(Value::list(items.iter().skip(n).cloned().collect()))
        }
        Method::Zip => match ev.all(arguments)?.first() {
            Some(Value::List(others)) => Ok(Value::list(
                items
                    .iter()
                    .zip(others.iter())
                    .map(|(a, b)| Value::record([("left", a.clone()), ("right", b.clone())]))
                    .collect(),
            )),
            _ => fail("`zip` needs another list"),
        },
        Method::Concat => match ev.all(arguments)?.first() {
            Some(Value::List(others)) => Ok(Value::list(items.iter().chain(others.iter()).cloned().collect())),
            _ => fail("`concat` needs another list"),
        },
        Method::Join => {
            let separator = text(ev, arguments)?;
            let parts: Vec<String> = items.iter().map(json::to_text).collect();
            Ok(Value::text(parts.join(&separator)))
        }
        Method::Contains => match ev.all(arguments)?.first() {
            Some(wanted) => Ok(Value::Bool(items.iter().any(|i| equal(i, wanted)))),
            None => fail("`contains` needs a value"),
        },
        Method::ToMap => {
            let values = each_present(ev, items, function(arguments)?)?;
            let mut map = BTreeMap::new();
            for (key, value) in items.iter().zip(values) {
                match key {
                    Value::String(key) => map.insert(key.clone(), value),
                    hole @ Value::Hole(_) => return Ok(hole.clone()),
                    other => return fail(format!("a key of a map is text, not a {}", other.kind())),
                };
            }
            Ok(Value::Map(Arc::new(map)))
        }
        Method::Reverse => Ok(Value::list(items.iter().rev().cloned().collect())),
        Method::Length => Ok(count_of(items.len())),
        _ => fail("a list has no such method"),
    }
}

fn keyed<'p>(ev: &mut Evaluator<'p, '_>, items: &[Value], arguments: &'p [Expr]) -> Result<Vec<Value>, Stop> {
    match arguments.first() {
        Some(lambda) => each_present(ev, items, lambda),
        None => Ok(items.to_vec()),
    }
}

fn flatten(items: &[Value]) -> Outcome {
    let mut out = Vec::new();
    for item in items {
        match item {
            Value::List(inner) => out.extend(inner.iter().cloned()),
            hole @ Value::Hole(_) => return Ok(hole.clone()),
            other => return fail(format!("this needs lists, not a {}", other.kind())),
        }
    }
    Ok(Value::list(out))
}

/// A text that two values share exactly where they are equal.
fn fingerprint(value: &Value) -> String {
    format!("{}:{}", value.kind(), json::to_json(value))
}

fn of_map<'p>(
    ev: &mut Evaluator<'p, '_>,
    map: &Arc<BTreeMap<Arc<str>, Value>>,
    method: Method,
    arguments: &'p [Expr],
) -> Outcome {
    ev.burn(map.len() as u64)?;
    match method {
        Method::Keys => Ok(Value::list(map.keys().map(|k| Value::String(k.clone())).collect())),
        Method::Values => Ok(Value::list(map.values().cloned().collect())),
        Method::Count | Method::Length => Ok(count_of(map.len())),
        Method::Get => {
            let key = text(ev, arguments)?;
            Ok(map.get(&key).cloned().unwrap_or(Value::None))
        }
        Method::Contains => {
            let key = text(ev, arguments)?;
            Ok(Value::Bool(map.contains_key(&key)))
        }
        Method::Merge => match ev.all(arguments)?.first() {
            Some(Value::Map(other)) => {
                let mut merged = (**map).clone();
                merged.extend(other.iter().map(|(k, v)| (k.clone(), v.clone())));
                Ok(Value::Map(Arc::new(merged)))
            }
            _ => fail("`merge` needs another map"),
        },
        _ => fail("a map has no such method"),
    }
}

fn string<'p>(ev: &mut Evaluator<'p, '_>, s: &Arc<str>, method: Method, arguments: &'p [Expr]) -> Outcome {
    ev.burn(1 + s.len() as u64 / 64)?;
    match method {
        Method::Lower => Ok(Value::text(s.to_lowercase())),
        Method::Upper => Ok(Value::text(s.to_uppercase())),
        Method::Trim => Ok(Value::text(s.trim())),
        Method::Length | Method::Count => Ok(count_of(s.chars().count())),
        Method::Split => {
            let separator = text(ev, arguments)?;
            if separator.is_empty() {
                return fail("`split` needs a text that is not empty");
            }
            Ok(Value::list(s.split(&*separator).map(Value::text).collect()))
        }
        Method::StartsWith => Ok(Value::Bool(s.starts_with(&*text(ev, arguments)?))),
        Method::EndsWith => Ok(Value::Bool(s.ends_with(&*text(ev, arguments)?))),
        Method::Contains => Ok(Value::Bool(s.contains(&*text(ev, arguments)?))),
        Method::Replace => match ev.all(arguments)?.as_slice() {
            [Value::String(from), Value::String(to)] if !from.is_empty() => {
                // The result is bounded before it is built: a short text replaced by a long one multiplies.
                let grown = s.matches(&**from).count().saturating_mul(to.len());
                ev.burn(grown as u64)?;
                Ok(Value::text(s.replace(&**from, to)))
            }
            _ => fail("`replace` needs two texts, the first not empty"),
        },
        Method::ToInt => Ok(s.trim().parse().map(Value::Int).unwrap_or(Value::None)),
        Method::ToInstant => Ok(s.trim().parse().map(Value::Instant).unwrap_or(Value::None)),
        Method::ToString => Ok(Value::String(s.clone())),
        _ => fail("a text has no such method"),
    }
}

/// `table(list, columns: […])`: a record of column names and rows, which a report renders.
pub(crate) fn table<'p>(ev: &mut Evaluator<'p, '_>, arguments: &'p [Expr]) -> Outcome {
    let Some((list, columns)) = arguments.split_first() else {
        return fail("`table` needs a list");
    };
    let items = match present(ev.value(list)?)? {
        Value::List(items) => items,
        hole @ Value::Hole(_) => return Ok(hole),
        other => return fail(format!("`table` needs a list, not a {}", other.kind())),
    };
    let mut names = Vec::new();
    let mut cells: Vec<Vec<Value>> = Vec::new();
    for pair in columns.chunks(2) {
        let [Expr::Literal(name), lambda] = pair else {
            return fail("a column of a table needs a name and a function");
        };
        names.push(name.clone());
        let column = each(ev, &items, lambda)?;
        cells.push(column.into_iter().map(|v| if matches!(v, Value::Absent(_)) { Value::None } else { v }).collect());
    }
    let rows = (0..items.len())
        .map(|i| match columns.is_empty() {
            true => items.get(i).cloned().unwrap_or(Value::None),
            false => Value::list(cells.iter().filter_map(|c| c.get(i).cloned()).collect()),
        })
        .collect();
    Ok(Value::record([("columns", Value::list(names)), ("rows", Value::list(rows))]))
}
