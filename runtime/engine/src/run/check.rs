//! Whether a call is the one that was approved: for one item, and for a batch of them.

use escher_ir::Value;
use escher_ir::plan::{ItemId, PlannedArgument, PlannedCall, PlannedStep};

use crate::world::Ask;

/// Why a call may not be sent: the argument that differs, or the call that no plan has.
pub(crate) fn check(step: &PlannedStep, items: &[&ItemId], ask: &Ask, target: u32) -> Result<(), String> {
    // Items that only an earlier step could give have no planned calls: their number is what was approved.
    if step.up_to.is_some() {
        return Ok(());
    }
    let mut planned = Vec::with_capacity(items.len());
    for item in items {
        let call = step
            .items
            .binary_search_by(|known| known.item.cmp(item))
            .ok()
            .and_then(|at| step.items.get(at))
            .and_then(|known| known.calls.iter().find(|call| *call.site == *crate::plan::site_of(&ask.path)))
            .ok_or_else(|| format!("`{}` is not in the plan for {}", ask.call.operation, item.id))?;
        planned.push(call);
    }
    for call in &planned {
        if *call.operation != *ask.call.operation || call.target != target {
            return Err(format!("`{}` would run elsewhere than planned", ask.call.operation));
        }
        if let Some(name) = call.arguments.keys().chain(ask.arguments.keys()).find(|name| {
            let only_one = call.arguments.contains_key(name) != ask.arguments.contains_key(name);
            // A hole may turn out to be `none`, and is left out then.
            only_one && !matches!(call.arguments.get(name), Some(PlannedArgument::Hole(_)))
        }) {
            return Err(format!("argument `{name}` is not as planned"));
        }
    }
    for (name, value) in ask.arguments.iter() {
        if !argument_fits(&planned, name, value) {
            return Err(match items.len() {
                1 => format!("argument `{name}` is not as planned"),
                _ => format!("the batch call touches more than its items: argument `{name}`"),
            });
        }
    }
    Ok(())
}

fn argument_fits(planned: &[&PlannedCall], name: &str, value: &Value) -> bool {
    let arguments: Vec<&PlannedArgument> = planned.iter().filter_map(|call| call.arguments.get(name)).collect();
    if let [only] = arguments.as_slice() {
        return fits(only.value(), value);
    }
    let from_items = arguments.iter().all(|a| matches!(a, PlannedArgument::Item(Value::List(_))));
    if let (true, Value::List(found)) = (from_items, value) {
        let wanted: Vec<&Value> = arguments.iter().filter_map(|a| a.value().as_list()).flatten().collect();
        return same_members(&wanted, found);
    }
    // Scalars, constants and holes are the same for each.
    arguments.iter().all(|a| fits(a.value(), value))
}

/// Whether two lists have the same members, whatever the order and however often.
fn same_members(wanted: &[&Value], found: &[Value]) -> bool {
    fn texts(mut all: Vec<&str>) -> Vec<&str> {
        all.sort_unstable();
        all.dedup();
        all
    }
    let a: Option<Vec<&str>> = wanted.iter().map(|v| v.as_str()).collect();
    let b: Option<Vec<&str>> = found.iter().map(Value::as_str).collect();
    match (a, b) {
        (Some(a), Some(b)) => texts(a) == texts(b),
        _ => wanted.iter().all(|w| found.contains(w)) && found.iter().all(|f| wanted.contains(&f)),
    }
}

/// Whether a value is what was planned; a hole is filled by anything.
fn fits(planned: &Value, value: &Value) -> bool {
    match (planned, value) {
        (Value::Hole(_), _) => true,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| fits(a, b)),
        (Value::Record(a), Value::Record(b)) => {
            a.members.len() == b.members.len()
                && a.members.iter().zip(&b.members).all(|((n, a), (m, b))| n == m && fits(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((n, a), (m, b))| n == m && fits(a, b))
        }
        (a, b) => a == b,
    }
}
