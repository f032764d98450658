//! A step while planning: its items, and the calls that would be made for each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use escher_eval::EvalError;
use escher_ir::program::{Block, NodeKind, Step, StepPart};
use escher_ir::{Target, Value, json};

use super::bounds::{self, at};
use crate::error::{EngineError, Refused};
use crate::identity::{RawId, identify, target_of};
use crate::limits;
use crate::world::{Ask, Bindings, Mode, PlanBody, Question, Round, Steps, What, World, lock};

/// A planned step before targets have numbers.
pub(crate) struct RawStep<'p> {
    pub(crate) step: &'p Step,
    pub(crate) title: Option<String>,
    pub(crate) max: u64,
    pub(crate) up_to: Option<u64>,
    pub(crate) items: Vec<(RawId, Vec<Ask>)>,
    pub(crate) skipped: Vec<RawId>,
    /// The last `approve` above it.
    pub(crate) below: Option<String>,
}

/// What earlier steps of a plan give: their items, and holes for all else.
#[derive(Default)]
pub(crate) struct PlannedSteps<'a> {
    items: Mutex<HashMap<String, Value>>,
    /// What the steps that have ended gave, where this is the rest of a run; the others are these.
    done: Option<(&'a dyn Steps, &'a HashSet<&'a str>)>,
    /// Number of the part that is planned.
    part: usize,
}

impl Steps for PlannedSteps<'_> {
    fn part(&self, step: &str, part: StepPart) -> Value {
        if let Some(done) = self.ended(step) {
            return done.part(step, part);
        }
        let items = lock(&self.items).get(step).cloned();
        match (part, items) {
            (StepPart::Items, Some(items)) => items,
            _ => Value::Hole(Arc::from(step)),
        }
    }

    fn of(&self, step: &str, item: &Value) -> Result<Value, EvalError> {
        if let Some(done) = self.ended(step) {
            return done.of(step, item);
        }
        Ok(Value::Hole(Arc::from(format!("{step}.of"))))
    }
}

impl<'a> PlannedSteps<'a> {
    /// For the part of this number of a run whose steps give what they gave, but for those in `rest`.
    pub(crate) fn below(done: &'a dyn Steps, rest: &'a HashSet<&'a str>, part: usize) -> PlannedSteps<'a> {
        PlannedSteps { items: Mutex::default(), done: Some((done, rest)), part }
    }

    fn ended(&self, step: &str) -> Option<&dyn Steps> {
        self.done.filter(|(_, rest)| !rest.contains(step)).map(|(done, _)| done)
    }

    /// What the paths of readings in bodies begin with: each time that a step is planned is one of its own.
    fn scope(&self, step: &str) -> String {
        match self.part {
            0 => format!("{step}.plan"),
            part => format!("{step}.plan{part}"),
        }
    }

    pub(crate) fn set(&self, step: &str, items: Vec<Value>) {
        lock(&self.items).insert(step.to_string(), Value::list(items));
    }
}

/// The value of an expression of a step outside its items: title, list, clauses.
pub(crate) async fn outer<'p>(
    world: &World<'_>,
    step: &Step,
    what: What<'p>,
    bindings: &'p Bindings,
    part: &str,
    skip_absent: bool,
) -> Result<Round, EngineError> {
    outer_in(world, step, what, bindings, part, skip_absent, Mode::Look).await
}

async fn outer_in<'p>(
    world: &World<'_>,
    step: &Step,
    what: What<'p>,
    bindings: &'p Bindings,
    part: &str,
    skip_absent: bool,
    mode: Mode,
) -> Result<Round, EngineError> {
    let question = Question {
        scope: format!("{}.{part}", step.name),
        what,
        bindings,
        target: world.ambient.clone(),
        mode,
        skip_absent,
    };
    world.answer(&question).await.map_err(|e| at(&step.name, e))
}

/// Plans a step; `later` where one above it may change what its readings show. `open` are the names in scope, `closed` the same with what is not known yet as holes.
pub(crate) async fn plan_step<'p>(
    world: &World<'_>,
    steps: &PlannedSteps<'_>,
    step: &'p Step,
    open: &Bindings,
    closed: &Bindings,
    lost: &[(Value, String)],
    later: bool,
) -> Result<RawStep<'p>, EngineError> {
    let mode = if later { Mode::Later } else { Mode::Look };
    let title = match &step.title {
        Some(title) => {
            let round = outer_in(world, step, What::Expr(title), open, "title", false, mode).await?;
            round.value.map(|v| json::to_text(&v))
        }
        None => None,
    };
    let mut planned = RawStep { step, title, max: 1, up_to: None, items: Vec::new(), skipped: Vec::new(), below: None };
    let (values, ids) = match &step.each {
        None => {
            let id = RawId { target: world.ambient.clone(), kind: "once".into(), id: "once".into() };
            (vec![Value::None], vec![id])
        }
        Some(each) => {
            let round = outer_in(world, step, What::Expr(&each.list), open, "list", true, mode).await?;
            let Some(Value::List(values)) = round.value else {
                // Only an earlier step can give the items.
                planned.max = bounds::check(world, step, &[], open, mode).await?;
                planned.up_to = Some(planned.max);
                return Ok(planned);
            };
            let identify = |v: &Value| identify(world.program, &each.identity, v, &world.ambient);
            planned.skipped = lost.iter().chain(&round.skipped).filter_map(|(v, _)| identify(v).ok()).collect();
            planned.skipped.sort();
            planned.skipped.dedup();
            let ids: Result<Vec<RawId>, EvalError> = values.iter().map(identify).collect();
            (values.to_vec(), ids.map_err(|e| at(&step.name, e))?)
        }
    };
    if values.len() > world.limits.items {
        let words = format!(
            "E0601: step `{}` has {} items, and a step has {} at most",
            step.name,
            values.len(),
            world.limits.items
        );
        return Err(Refused::new(words, "narrow its list, or raise `items` under [limits] in escher.toml").into());
    }
    let mut seen = HashSet::new();
    if let Some(twice) = ids.iter().find(|id| !seen.insert(*id)) {
        let words = format!("step `{}` has `{}` twice: two items with one identity", step.name, twice.id);
        return Err(Refused::new(words, "write `.unique()`, or a `key` that tells them apart").into());
    }
    planned.max = bounds::check(world, step, &values, open, mode).await?;
    steps.set(&step.name, values.clone());
    let calls = {
        let mode = if later { Mode::Later } else { Mode::PlanBody };
        let scope = steps.scope(&step.name);
        plan_bodies(world, step, &step.body, &values, closed, BTreeMap::new(), (mode, &scope)).await?
    };
    planned.items = ids.into_iter().zip(calls).collect();
    planned.items.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(planned)
}

/// The calls of a body for each value; readings of all bodies are made side by side.
pub(crate) async fn plan_bodies(
    world: &World<'_>,
    step: &Step,
    body: &Block,
    values: &[Value],
    closed: &Bindings,
    extra: BTreeMap<usize, Bindings>,
    (mode, scope): (Mode, &str),
) -> Result<Vec<Vec<Ask>>, EngineError> {
    let mut calls: Vec<Option<Vec<Ask>>> = values.iter().map(|_| None).collect();
    for _ in 0..limits::MAX_ROUNDS {
        let mut missing = Round::default();
        for (index, (value, slot)) in values.iter().zip(&mut calls).enumerate() {
            if slot.is_some() {
                continue;
            }
            let mut bindings = closed.clone();
            bindings.extend(extra.get(&index).into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
            bind_item(step, value, &mut bindings);
            let target = target_of(value, &world.ambient);
            let scope = format!("{scope}[{index}]");
            let (round, found) = body_round(world, body, bindings, target, &scope, mode);
            if round.asks.is_empty() && round.groups.is_empty() {
                *slot = Some(found);
            } else {
                missing.asks.extend(round.asks);
                missing.groups.extend(round.groups);
            }
        }
        if missing.asks.is_empty() && missing.groups.is_empty() {
            break;
        }
        world.fill(&missing).await.map_err(|e| at(&step.name, e))?;
    }
    let mut resolved = Vec::with_capacity(calls.len());
    for found in calls {
        let mut found = found.unwrap_or_default();
        for ask in &mut found {
            ask.target = world
                .resolve(&ask.target)
                .await
                .map_err(|error| EngineError::Call { operation: ask.call.operation.clone(), error })?;
        }
        resolved.push(found);
    }
    Ok(resolved)
}

/// Puts an item in scope: alone, or as a batch of one.
pub(crate) fn bind_item(step: &Step, value: &Value, bindings: &mut Bindings) {
    if let Some(each) = &step.each {
        let value = if each.by.is_some() { Value::list(vec![value.clone()]) } else { value.clone() };
        bindings.insert(each.variable.clone(), value);
    }
}

/// One round over a body: what it would call so far. A body that fails is planned up to there; its item will fail.
fn body_round(
    world: &World<'_>,
    body: &Block,
    mut bindings: Bindings,
    target: Arc<Target>,
    scope: &str,
    mode: Mode,
) -> (Round, Vec<Ask>) {
    let mut plan = PlanBody::default();
    fn asked<'q>(at: (&str, Mode, &Arc<Target>), what: What<'q>, bindings: &'q Bindings) -> Question<'q> {
        let (scope, mode, target) = (at.0.to_string(), at.1, at.2.clone());
        Question { scope, what, bindings, target, mode, skip_absent: false }
    }
    let at = (scope, mode, &target);
    for node in &body.nodes {
        let what = match &node.kind {
            NodeKind::Let { value, .. } | NodeKind::Do { value } => What::Expr(value),
            NodeKind::Return { value: Some(value) } => What::Expr(value),
            NodeKind::Require { condition, .. } => What::Expr(condition),
            _ => continue,
        };
        let round = match world.round(&asked(at, what, &bindings), None, Some(&mut plan)) {
            Ok(round) => round,
            Err(_) => return (Round::default(), plan.calls),
        };
        let Some(value) = round.value else { return (round, plan.calls) };
        match &node.kind {
            NodeKind::Let { name, .. } => {
                bindings.insert(name.clone(), value);
            }
            NodeKind::Require { .. } if value == Value::Bool(false) => return (Round::default(), plan.calls),
            NodeKind::Return { .. } => return (Round::default(), plan.calls),
            _ => {}
        }
    }
    if let Some(value) = &body.value {
        match world.round(&asked(at, What::Expr(value), &bindings), None, Some(&mut plan)) {
            Ok(round) if round.value.is_none() => return (round, plan.calls),
            _ => {}
        }
    }
    (Round::default(), plan.calls)
}
