//! A run that stands at an `approve`: the rest is planned, waits, is judged, and goes on.

use escher_ir::Digest;
use escher_ir::codec;
use escher_ir::journal::Event;
use escher_ir::program::{Approve, Node};

use super::Runner;
use crate::approve::{check, pass, required};
use crate::audit;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::journal::{Journal, RunState};
use crate::options::RunOptions;
use crate::plan::{self, Planned, Rest, plan_rest};
use crate::progress::ProgressEvent;
use crate::time;
use crate::world::Bindings;

/// The event with which an approved part goes on, and the objects that it refers to.
pub(crate) struct Approved {
    event: Event,
    objects: Vec<(Digest, Vec<u8>)>,
}

impl Approved {
    /// Writes down that the part goes on.
    pub(crate) async fn goes_on(self, engine: &Engine, journal: &Journal) -> Result<(), EngineError> {
        for (digest, bytes) in self.objects {
            engine.store.put(digest, bytes)?;
        }
        journal.commit(self.event, Vec::new()).await
    }
}

impl Runner<'_> {
    /// Plans the rest of the run and writes down that it waits.
    pub(crate) async fn ask(&self, node: &Node, approve: &Approve, names: &Bindings) -> Result<(), EngineError> {
        self.options.progress.event(ProgressEvent::Waiting { at: &node.id });
        let began = self.engine.clock.now();
        let rest = Rest {
            node,
            approve,
            plan: &self.planned.plan,
            before: self.state.begun().last().map_or(self.state.plan, |part| part.plan),
            number: self.state.parts.len() + 1,
        };
        let plan = plan_rest(&self.world, &rest, &self.planned.plan.parameters, names).await?;
        let (digest, bytes) = codec::encode(&plan)?;
        let event = Event::Paused { node: node.id.clone(), plan: digest, began };
        // There before the event that names it; without that event nobody asks for it.
        self.engine.store.put(digest, bytes)?;
        self.journal.commit(event, Vec::new()).await
    }
}

/// Judges the approvals of the part that a run waits for. None where it does not wait, or where nobody answered in time:
/// then it is planned again. A refusal is audited.
pub(crate) fn judged(
    engine: &Engine,
    state: &RunState,
    options: &RunOptions,
    ahead: Option<i64>,
) -> Result<Option<Approved>, EngineError> {
    let unread = |error| audit::tampered(engine, Some(&state.run), &options.principal, error);
    let Some(rest) = plan::waiting(engine, state).map_err(unread)? else { return Ok(None) };
    // Before it is asked whether it lapsed: how long it stands is said by what lies in the store too.
    check(engine, state, &rest)
        .map_err(|refused| audit::refused(engine, Some(&state.run), &options.principal, refused))?;
    let now = time::latest(engine, Some(&state.run), &options.principal, ahead)?;
    if rest.until().is_some_and(|until| now >= until) {
        return Ok(None);
    }
    let (passed, objects) = pass(engine, state, &rest, &options.principal, &options.gate, now)?;
    Ok(Some(Approved { event: started(&rest, passed, options), objects }))
}

/// The event with which a part goes on that needs nobody's approval: one in which nothing is changed, or a practice cloud's.
pub(crate) fn needs_nobody(
    engine: &Engine,
    state: &RunState,
    options: &RunOptions,
) -> Result<Option<Approved>, EngineError> {
    let Some(rest) = plan::waiting(engine, state)? else { return Ok(None) };
    if required(&rest).is_some() && !options.gate.sandbox {
        return Ok(None);
    }
    judged(engine, state, options, None)
}

fn started(rest: &Planned, passed: crate::approve::Passed, options: &RunOptions) -> Event {
    Event::PartStarted {
        node: rest.plan.part.as_ref().map(|part| part.node.clone()).unwrap_or_default(),
        plan: rest.digest,
        approvals: passed.approvals,
        principal: options.principal.clone(),
        solo: passed.solo,
        sandbox: passed.sandbox,
    }
}
