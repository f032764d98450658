//! The walk over a playbook's nodes in plan mode: what can be read is, steps are planned, the rest is holes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use escher_ir::Value;
use escher_ir::plan::PlannedApproval;
use escher_ir::program::{Block, Expr, Node, NodeKind, TextPart};

use super::steps::{PlannedSteps, RawStep, plan_step};
use super::{Order, look, marks, outside, required, sources};
use crate::error::EngineError;
use crate::parts::Parts;
use crate::world::{Bindings, Mode, Question, Round, What, World};

/// What a walk found.
pub(crate) struct Walked<'p> {
    pub(crate) steps: Vec<RawStep<'p>>,
    pub(crate) asks: Vec<PlannedApproval>,
}

/// Walks a playbook in plan mode; with `rest`, only what stands below an `approve`: what stands above it has happened.
pub(crate) async fn walk<'p>(
    world: &World<'p>,
    parts: &Parts<'_>,
    steps: &PlannedSteps<'_>,
    parameters: &Bindings,
    rest: Option<&HashSet<&str>>,
) -> Result<Walked<'p>, EngineError> {
    let body = &world.program.playbook.body;
    let mut order = Order::new(body)?;
    let sources = sources(body);
    let is_above = |node: &Node| rest.is_some_and(|rest| !rest.contains(&*node.id));
    let later = later(body, is_above);
    // `closed` has holes for what depends on the clock or the run's id; bodies are planned with it.
    let (mut open, mut closed) = (parameters.clone(), parameters.clone());
    let mut timed: BTreeSet<String> = BTreeSet::new();
    let mut lost: HashMap<String, Vec<(Value, String)>> = HashMap::new();
    let mut planned = Walked { steps: Vec::new(), asks: Vec::new() };
    loop {
        let ready = order.ready();
        if ready.is_empty() {
            return Ok(planned);
        }
        let mut missing = Round::default();
        let mut looked = false;
        for node in &ready {
            let above = is_above(node);
            let value = match &node.kind {
                NodeKind::Let { value, .. } => value,
                // It has held, or has been asked.
                NodeKind::Require { .. } | NodeKind::Do { .. } if above => {
                    order.end(&node.id);
                    looked = true;
                    continue;
                }
                NodeKind::Do { value } => value,
                NodeKind::Require { condition, .. } => condition,
                _ => continue,
            };
            looked = true;
            let what = match &node.kind {
                // The words of a `require` are worked out by the evaluator, with the condition.
                NodeKind::Require { .. } => What::Expr(condition_of(node).unwrap_or(value)),
                _ => What::Expr(value),
            };
            let mut question = look(world, &node.id, what, &open, sources.contains(&*node.id));
            let is_later = later.contains(&*node.id);
            if is_later {
                question.mode = Mode::Later;
            }
            let round = match world.round(&question, None, None) {
                Ok(round) => round,
                // What a step has not done yet can't be read yet.
                Err(_) if is_later => {
                    let hole = Value::Hole(Arc::from(node.id.as_str()));
                    Round { value: Some(hole), ..Round::default() }
                }
                Err(error) => return Err(outside(&node.id, error)),
            };
            let Some(found) = round.value else {
                missing.asks.extend(round.asks);
                missing.groups.extend(round.groups);
                continue;
            };
            match &node.kind {
                NodeKind::Let { name, value } => {
                    if !above && (round.timed || marks::mentions(value, &timed)) {
                        timed.insert(name.clone());
                        closed.insert(name.clone(), Value::Hole(Arc::from(name.as_str())));
                    } else {
                        closed.insert(name.clone(), found.clone());
                    }
                    open.insert(name.clone(), found);
                    lost.insert(node.id.clone(), round.skipped);
                }
                NodeKind::Require { otherwise, .. } if !is_later => {
                    if let Some(refused) = required(world, &node.id, &found, otherwise.as_ref(), &open).await? {
                        return Err(refused.into());
                    }
                }
                _ => {}
            }
            order.end(&node.id);
        }
        if !missing.asks.is_empty() || !missing.groups.is_empty() {
            world.fill(&missing).await.map_err(|e| outside("plan", e))?;
            continue;
        }
        if looked {
            continue;
        }
        let Some(node) = ready.first() else { return Ok(planned) };
        if is_above(node) {
            order.end(&node.id);
            continue;
        }
        if let NodeKind::Approve(approve) = &node.kind {
            let question = look(world, &node.id, What::Expr(&approve.question), &open, false);
            let question = world.answer(&Question { mode: Mode::Later, ..question }).await;
            let question = question.map_err(|e| outside(&node.id, e))?.value;
            planned.asks.push(PlannedApproval {
                node: node.id.clone(),
                question: match question {
                    Some(value) if !value.has_hole() => escher_ir::json::to_text(&value),
                    _ => written(&approve.question),
                },
                approval: approve.approval.clone(),
            });
        }
        if let NodeKind::Step(step) = &node.kind {
            let from = step.each.iter().flat_map(|each| &each.sources);
            let gone: Vec<_> = from.filter_map(|id| lost.get(id)).flatten().cloned().collect();
            let step = plan_step(world, steps, step, &open, &closed, &gone, later.contains(&*node.id)).await?;
            planned.steps.push(RawStep { below: parts.below(&node.id).map(str::to_string), ..step });
        }
        order.end(&node.id);
    }
}

/// Nodes that begin after something that takes effect, or time: what they read can't be known before.
fn later(body: &Block, is_above: impl Fn(&Node) -> bool) -> BTreeSet<&str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let acts: BTreeSet<&str> = body
        .nodes
        .iter()
        .filter(|n| {
            let takes_time =
                matches!(n.kind, NodeKind::Step(_) | NodeKind::Wait(_) | NodeKind::Sleep { .. } | NodeKind::Approve(_));
            takes_time && !is_above(n)
        })
        .map(|n| &*n.id)
        .collect();
    loop {
        let before = found.len();
        for node in &body.nodes {
            if node.after.iter().any(|a| acts.contains(&**a) || found.contains(&**a)) {
                found.insert(&node.id);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

fn condition_of(node: &Node) -> Option<&escher_ir::program::Expr> {
    match &node.kind {
        NodeKind::Require { condition, .. } => Some(condition),
        _ => None,
    }
}

/// A text as it is written, with `…` for what is not known yet.
fn written(text: &Expr) -> String {
    let Expr::Text(parts) = text else { return "…".into() };
    let part = |part: &TextPart| match part {
        TextPart::Literal(text) => text.clone(),
        TextPart::Hole(_) => "…".into(),
    };
    parts.iter().map(part).collect()
}
