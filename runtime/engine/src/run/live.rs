//! What the steps of a run did so far, as expressions and the end of the run ask for it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use escher_eval::EvalError;
use escher_ir::journal::Outcome;
use escher_ir::plan::{ItemId, Plan};
use escher_ir::program::{Identity, NodeKind, Program, Step, StepPart};
use escher_ir::{Target, Value};

use crate::ambient;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::identity::identify;
use crate::journal::RunState;
use crate::plan::{Planned, number, number_of};
use crate::report::outcome_word;
use crate::runs::{Row, Rows};
use crate::world::{Steps, lock};

/// One item.
#[derive(Clone, Debug, Default)]
struct Item {
    value: Option<Value>,
    outcome: Option<Outcome>,
    reason: Option<String>,
    request_id: Option<String>,
    result: Option<Value>,
}

/// What the steps of a run did.
pub(crate) struct Live {
    program: Arc<Program>,
    plan: Arc<Plan>,
    pub(crate) ambient: Arc<Target>,
    pub(crate) others: Vec<Arc<Target>>,
    items: Mutex<HashMap<String, BTreeMap<ItemId, Item>>>,
}

/// The step of this name.
pub(crate) fn step_named<'p>(program: &'p Program, name: &str) -> Option<&'p Step> {
    program.playbook.body.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Step(step) if step.name == name => Some(&**step),
        _ => None,
    })
}

impl Live {
    /// What a journal says.
    pub(crate) fn new(engine: &Engine, planned: &Planned, state: &RunState) -> Result<Live, EngineError> {
        let (ambient, others) = ambient::of(engine, state)?;
        let (program, plan) = (planned.program.clone(), planned.plan.clone());
        let live = Live { program, plan, ambient, others, items: Mutex::default() };
        for (path, (digest, _)) in &state.fixed {
            let Some(name) = path.strip_suffix("/item").and_then(|p| p.split_once('[')).map(|(step, _)| step) else {
                continue;
            };
            let Value::List(values) = state.value(&*engine.store, digest)? else { continue };
            for value in values.iter() {
                if let Some(id) = live.id(name, value) {
                    live.set_value(name, &id, value.clone());
                }
            }
        }
        for ((step, item), ended) in &state.ended {
            let result = match &ended.value {
                Some(digest) => Some(state.value(&*engine.store, digest)?),
                None => None,
            };
            live.end(step, item, ended.outcome, ended.reason.clone(), ended.request_id.clone(), result);
        }
        Ok(live)
    }

    /// The identity of a value in a step.
    pub(crate) fn id(&self, step: &str, value: &Value) -> Option<ItemId> {
        let Some(each) = &step_named(&self.program, step)?.each else {
            return Some(once(number_of(&self.ambient, &self.plan.targets)));
        };
        self.identify(&each.identity, value).ok()
    }

    /// The identity of a value, with its target's number.
    pub(crate) fn identify(&self, identity: &Identity, value: &Value) -> Result<ItemId, EvalError> {
        identify(&self.program, identity, value, &self.ambient).map(|raw| number(&raw, &self.plan.targets))
    }

    pub(crate) fn set_value(&self, step: &str, item: &ItemId, value: Value) {
        lock(&self.items).entry(step.to_string()).or_default().entry(item.clone()).or_default().value = Some(value);
    }

    pub(crate) fn end(
        &self,
        step: &str,
        item: &ItemId,
        outcome: Outcome,
        reason: Option<String>,
        request_id: Option<String>,
        result: Option<Value>,
    ) {
        let mut items = lock(&self.items);
        let entry = items.entry(step.to_string()).or_default().entry(item.clone()).or_default();
        entry.outcome = Some(outcome);
        entry.reason = reason;
        entry.request_id = request_id;
        entry.result = result;
    }

    pub(crate) fn value(&self, step: &str, item: &ItemId) -> Option<Value> {
        lock(&self.items).get(step)?.get(item)?.value.clone()
    }

    pub(crate) fn outcome(&self, step: &str, item: &ItemId) -> Option<Outcome> {
        lock(&self.items).get(step)?.get(item)?.outcome
    }

    /// Outcomes of items that the plan did not know by name.
    pub(crate) fn extra<'i>(&self, step: &str, planned: impl Iterator<Item = &'i ItemId>) -> Vec<Outcome> {
        let planned: HashSet<&ItemId> = planned.collect();
        let items = lock(&self.items);
        let all = items.get(step).into_iter().flatten();
        all.filter(|(id, _)| !planned.contains(id)).filter_map(|(_, item)| item.outcome).collect()
    }

    /// All items that ended.
    pub(crate) fn into_ended(self) -> Rows {
        let items = self.items.into_inner().unwrap_or_else(PoisonError::into_inner);
        let row = |item: Item| Some(Row { outcome: item.outcome?, reason: item.reason, request_id: item.request_id });
        let of_step = |items: BTreeMap<ItemId, Item>| -> BTreeMap<ItemId, Row> {
            items.into_iter().filter_map(|(id, item)| Some((id, row(item)?))).collect()
        };
        let steps = items.into_iter().map(|(step, items)| (step, of_step(items)));
        steps.filter(|(_, rows)| !rows.is_empty()).collect()
    }

    /// Items of a step by outcome.
    pub(crate) fn count(&self, step: &str, outcomes: &[Outcome]) -> u64 {
        let items = lock(&self.items);
        let all = items.get(step).into_iter().flat_map(BTreeMap::values);
        all.filter(|i| i.outcome.is_some_and(|o| outcomes.contains(&o))).count() as u64
    }

    /// Where an item is out: the step in which it failed, was denied, or was left in doubt or by `catch`.
    pub(crate) fn out(&self, step: &str, item: &ItemId) -> Option<String> {
        let items = lock(&self.items);
        items.iter().filter(|(name, _)| *name != step).find_map(|(name, items)| {
            let found = items.get(item)?;
            let out = match found.outcome? {
                Outcome::Failed | Outcome::Denied | Outcome::Unknown => true,
                Outcome::Skipped => found.reason.as_ref().is_some_and(|r| r.starts_with(CAUGHT)),
                Outcome::Done | Outcome::Unchanged => false,
            };
            out.then(|| name.clone())
        })
    }
}

/// What the reason of an item that `catch` skipped begins with.
pub(crate) const CAUGHT: &str = "caught: ";

/// The item of a step that is done once.
pub(crate) fn once(target: u32) -> ItemId {
    ItemId { target, kind: "once".into(), id: "once".into() }
}

impl Steps for Live {
    fn part(&self, step: &str, part: StepPart) -> Value {
        let items = lock(&self.items);
        let all = items.get(step).into_iter().flatten();
        let wanted = |item: &Item| match part {
            StepPart::Items => matches!(item.outcome, Some(Outcome::Done | Outcome::Unchanged)),
            StepPart::Failed => matches!(item.outcome, Some(Outcome::Failed | Outcome::Denied | Outcome::Unknown)),
            StepPart::Skipped => item.outcome == Some(Outcome::Skipped),
            StepPart::Outcomes => item.outcome.is_some(),
        };
        let values = all.filter(|(_, item)| wanted(item)).filter_map(|(id, item)| {
            if part != StepPart::Outcomes {
                return item.value.clone();
            }
            let text = |t: &Option<String>| t.as_ref().map_or(Value::None, Value::text);
            Some(Value::record([
                ("item", item.value.clone().unwrap_or(Value::None)),
                ("id", Value::text(&id.id)),
                ("outcome", Value::text(item.outcome.map_or("", outcome_word))),
                ("reason", text(&item.reason)),
                ("request_id", text(&item.request_id)),
            ]))
        });
        Value::list(values.collect())
    }

    fn of(&self, step: &str, item: &Value) -> Result<Value, EvalError> {
        let Some(id) = self.id(step, item) else {
            return Err(EvalError::new(format!("step `{step}` has no such item")));
        };
        let items = lock(&self.items);
        Ok(items.get(step).and_then(|s| s.get(&id)).and_then(|i| i.result.clone()).unwrap_or(Value::None))
    }
}
