//! The rest of a run, planned at an `approve`: with what the steps above it gave, its items and arguments are known.

use std::sync::Mutex;

use escher_ir::journal::CallFailure;
use escher_ir::plan::{Part, Plan};
use escher_ir::program::{Approve, Node};
use escher_ir::{Digest, Value};
use jiff::Timestamp;

use super::steps::PlannedSteps;
use super::walk::walk;
use super::{Collected, finish, look, outside};
use crate::error::EngineError;
use crate::parts::Parts;
use crate::world::{Bindings, Notes, Question, What, World, lock};

/// What is planned anew.
pub(crate) struct Rest<'r> {
    /// The `approve` at which the run stands.
    pub(crate) node: &'r Node,
    pub(crate) approve: &'r Approve,
    /// What the run has followed so far, and the digest of its last part.
    pub(crate) plan: &'r Plan,
    pub(crate) before: Digest,
    /// From 1, over all that was ever planned for the run.
    pub(crate) number: usize,
}

/// Keeps what is read in the run's journal, and notes what `catch` replaced of it.
struct Noting<'n> {
    journal: &'n dyn Notes,
    noted: Collected,
}

impl Notes for Noting<'_> {
    fn fixed(&self, path: &str, value: &Value, began: Timestamp) {
        self.journal.fixed(path, value, began);
    }
    fn read_failed(&self, path: &str, error: &CallFailure, caught: bool) {
        self.journal.read_failed(path, error, caught);
        self.noted.read_failed(path, error, caught);
    }
}

/// The plan of what stands below an `approve`.
pub(crate) async fn plan_rest(
    world: &World<'_>,
    rest: &Rest<'_>,
    parameters: &Bindings,
    names: &Bindings,
) -> Result<Plan, EngineError> {
    let parts = Parts::of(world.program)?;
    let id = &rest.node.id;
    let ask = async |what: What<'_>| {
        let question: Question<'_> = look(world, id, what, names, false);
        world.answer(&question).await.map(|round| round.value).map_err(|e| outside(id, e))
    };
    let question = ask(What::Expr(&rest.approve.question)).await?;
    let shown = match &rest.approve.show {
        Some(show) => ask(What::Expr(show)).await?,
        None => None,
    };
    let below = parts.rest(id);
    let steps = PlannedSteps::below(world.steps, &below, rest.number);
    let notes = Noting { journal: world.notes, noted: Collected::default() };
    let inner = World {
        steps: &steps,
        notes: &notes,
        memo: Mutex::new(lock(&world.memo).clone()),
        began: Mutex::new(lock(&world.began).clone()),
        resolved: Mutex::new(lock(&world.resolved).clone()),
        records: Mutex::new(lock(&world.records).clone()),
        ambient: world.ambient.clone(),
        others: world.others.clone(),
        revealed: Mutex::new(lock(&world.revealed).clone()),
        ..*world
    };
    let walked = walk(&inner, &parts, &steps, parameters, Some(&below)).await?;
    let (targets, steps) = finish(world.program, walked.steps, &world.ambient, &rest.plan.targets);
    Ok(Plan {
        program: rest.plan.program,
        playbook: rest.plan.playbook.clone(),
        risk: parts.risk(parts.number(id).unwrap_or(0)),
        approval: Some(rest.approve.approval.clone()),
        parameters: rest.plan.parameters.clone(),
        targets,
        operations: rest.plan.operations.clone(),
        waiters: rest.plan.waiters.clone(),
        steps,
        policy: rest.plan.policy.clone(),
        asks: walked.asks,
        part: Some(Part {
            number: u32::try_from(rest.number).unwrap_or(u32::MAX),
            node: id.clone(),
            question: question.map(|value| escher_ir::json::to_text(&value)).unwrap_or_default(),
            shown,
            before: rest.before,
        }),
        recheck_after_ms: rest.plan.recheck_after_ms,
        replaced: notes.noted.replaced(),
        // Its own `approve` is asked of somebody, whatever the run began with.
        under: None,
    })
}
