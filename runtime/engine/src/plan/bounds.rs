//! `max 200 and 10% of fleet and 20 per .account`: how many items a step may have.

use std::collections::BTreeMap;

use escher_ir::program::{Bound, Step};
use escher_ir::{Value, json};

use crate::error::{EngineError, Refused};
use crate::world::{Bindings, Mode, Question, What, World};

/// A part of a whole, rounded down. None where it is no number, or below zero.
pub(crate) fn count_of(value: &Value, whole: u64) -> Option<u64> {
    match value {
        Value::Int(n) => u64::try_from(*n).ok(),
        Value::Percent(p) => {
            let part = p.checked_mul(whole.into())?.checked_div(100.into())?;
            u64::try_from(part.floor()).ok()
        }
        _ => None,
    }
}

/// The value of `max` for these items; refused where there are more.
pub(crate) async fn check(
    world: &World<'_>,
    step: &Step,
    items: &[Value],
    bindings: &Bindings,
    mode: Mode,
) -> Result<u64, EngineError> {
    let mut max = step.max_at_most;
    for bound in &step.max {
        max = max.min(one(world, step, bound, items, bindings, mode).await?);
    }
    if step.each.is_none() {
        max = 1;
    }
    let count = items.len() as u64;
    if count > max {
        return Err(too_many(&step.name, count, max).into());
    }
    Ok(max)
}

/// The refusal of a step with too many items.
pub(crate) fn too_many(step: &str, count: u64, max: u64) -> Refused {
    Refused::new(
        format!("step `{step}` has {count} items, and its `max` is {max}: refused before the first call"),
        "look whether the list is right; then narrow it, take a part on purpose with `.take(n)`, or raise the bound",
    )
}

async fn one(
    world: &World<'_>,
    step: &Step,
    bound: &Bound,
    items: &[Value],
    bindings: &Bindings,
    mode: Mode,
) -> Result<u64, EngineError> {
    let ask = async |what: What<'_>| -> Result<Value, EngineError> {
        let question = Question {
            scope: format!("{}.max", step.name),
            what,
            bindings,
            target: world.ambient.clone(),
            mode,
            skip_absent: false,
        };
        let round = world.answer(&question).await.map_err(|e| at(&step.name, e))?;
        Ok(round.value.unwrap_or(Value::None))
    };
    let value = ask(What::Expr(&bound.value)).await?;
    if value.has_hole() {
        return Ok(u64::MAX);
    }
    let no_count = || EngineError::Evaluation { at: step.name.clone(), message: "`max` is no number".into() };
    if let Some(per) = &bound.per {
        let mut groups: BTreeMap<String, u64> = BTreeMap::new();
        for item in items {
            *groups.entry(json::to_text(&ask(What::Apply(per, item)).await?)).or_default() += 1;
        }
        let each = count_of(&value, items.len() as u64).ok_or_else(no_count)?;
        if let Some((group, count)) = groups.iter().find(|(_, count)| **count > each) {
            return Err(too_many(&format!("{}` at `{group}", step.name), *count, each).into());
        }
        return Ok(u64::MAX);
    }
    let whole = match &bound.of {
        Some(of) => match ask(What::Expr(of)).await? {
            Value::List(items) => items.len() as u64,
            Value::Int(n) => u64::try_from(n).unwrap_or(0),
            // Judged when the step begins.
            Value::Hole(_) => return Ok(u64::MAX),
            _ => return Err(no_count()),
        },
        None => items.len() as u64,
    };
    count_of(&value, whole).ok_or_else(no_count)
}

/// An error of evaluation, with the node's name.
pub(crate) fn at(node: &str, error: escher_eval::EvalError) -> EngineError {
    EngineError::Evaluation { at: node.to_string(), message: error.message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_down() {
        assert_eq!(count_of(&Value::Percent("5".parse().unwrap()), 39), Some(1));
        assert_eq!(count_of(&Value::Percent("12.5".parse().unwrap()), 8), Some(1));
        assert_eq!(count_of(&Value::Int(3), 0), Some(3));
        assert_eq!(count_of(&Value::Int(-1), 9), None);
        assert_eq!(count_of(&Value::text("3"), 9), None);
    }
}
