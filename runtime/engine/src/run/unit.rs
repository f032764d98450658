//! The body of a step for one item or one batch, and the outcome of each of its items.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use escher_eval::{EvalError, matching_arm};
use escher_ir::journal::{CallFailure, Outcome};
use escher_ir::program::{Block, CatchArm, CatchOutcome, NodeKind, Step};
use escher_ir::{Target, Value};
use tokio::time::Instant;

use super::live::CAUGHT;
use super::nodes::Unheld;
use super::step::{StepRun, Unit};
use crate::error::EngineError;
use crate::journal::{self, CallResult};
use crate::progress::ProgressEvent;
use crate::world::{Bindings, Mode, Notes, Pause, Question, What, World};

/// Why a body did not come to its value.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Its items have this outcome.
    Outcome { outcome: Outcome, reason: Option<String>, request_id: Option<String> },
    /// Its items are taken back, and count as failed.
    Undo { reason: String },
    /// Somebody asked for the end while it waited: its items stay open, and whoever takes the run up goes on with them.
    Interrupted,
    /// The batch's first change was refused for good: one of its items may be why.
    Split { failure: CallFailure },
    /// The run can't go on.
    Fatal(EngineError),
}

impl From<Unheld> for Stop {
    fn from(why: Unheld) -> Stop {
        match why {
            Unheld::Failed(reason) => Stop::failed(reason),
            Unheld::Interrupted => Stop::Interrupted,
        }
    }
}

impl Stop {
    pub(crate) fn failed(reason: impl Into<String>) -> Stop {
        Stop::Outcome { outcome: Outcome::Failed, reason: Some(reason.into()), request_id: None }
    }
}

/// State of one pass over a body.
pub(crate) struct Pass {
    pub(crate) deadline: Instant,
    /// Changes that were answered in this unit, now or before.
    pub(crate) changes: u32,
    pub(crate) request_id: Option<String>,
    /// Where the answers to its calls lie in the memo.
    pub(crate) paths: Vec<String>,
}

impl StepRun<'_> {
    /// Runs a unit to the outcome of each of its items. Splits a batch where that may save the rest of it.
    pub(crate) async fn unit(&self, unit: Unit) -> Result<(), EngineError> {
        let mut units = vec![(unit, None)];
        while let Some((mut unit, refused)) = units.pop() {
            if let (Some(failure), true) = (&refused, self.stops()) {
                self.finish(&unit, failed_with(failure, false))?;
                continue;
            }
            for (item, _) in &unit.items {
                let step = &self.ledger;
                self.runner.options.progress.event(ProgressEvent::ItemStarted { step, item });
            }
            let mut pass = Pass {
                deadline: Instant::now() + self.timeout,
                changes: self.answered_before(&unit),
                request_id: None,
                paths: Vec::new(),
            };
            match self.body(&mut unit, &mut pass).await {
                Ok(value) => {
                    let object = journal::named(&value)?;
                    let digest = object.digest;
                    // Once for all of a batch.
                    self.runner.journal.keep(object);
                    for (item, _) in self.open(&unit) {
                        let (step, id) = (&self.ledger, pass.request_id.clone());
                        self.runner.ended(step, &item, Outcome::Done, None, Some((&value, digest)), id);
                    }
                }
                Err(Stop::Fatal(error)) => return Err(error),
                Err(Stop::Split { failure }) if unit.items.len() > 1 => {
                    let rest = unit.items.split_off(unit.items.len() / 2);
                    for half in [rest, unit.items] {
                        let half = Unit {
                            scope: self.batch_scope(&half),
                            items: half,
                            resumed: false,
                            lets: unit.lets.clone(),
                        };
                        units.push((half, Some(failure.clone())));
                    }
                }
                Err(Stop::Split { failure }) => self.finish(&unit, failed_with(&failure, false))?,
                Err(Stop::Undo { reason }) => {
                    let reason = match self.take_back(&unit, &mut pass).await {
                        Ok(_) => format!("{reason}{TAKEN_BACK}"),
                        Err(Stop::Fatal(error)) => return Err(error),
                        Err(Stop::Interrupted) => {
                            self.interrupted();
                            continue;
                        }
                        Err(_) => format!("{reason}; taking it back failed too"),
                    };
                    self.finish(&unit, Stop::failed(reason))?;
                }
                Err(Stop::Interrupted) => {
                    self.interrupted();
                    continue;
                }
                Err(stop) => self.finish(&unit, stop)?,
            }
            // What is temporary is taken back by what its body knew.
            if !self.step.temporary {
                self.runner.world.forget(&pass.paths);
            }
        }
        Ok(())
    }

    /// Notes that an item was left as it is.
    fn interrupted(&self) {
        self.left_open.store(true, Ordering::SeqCst);
        self.runner.left_open.store(true, Ordering::SeqCst);
    }

    /// Changes of this unit that were answered before this process took it up.
    fn answered_before(&self, unit: &Unit) -> u32 {
        let scope = format!("{}/", unit.scope);
        let intents = self.runner.state.intents.range(scope.clone()..).take_while(|(path, _)| path.starts_with(&scope));
        let answered = intents.filter(|(_, intent)| matches!(intent.result, CallResult::Answered { .. }));
        u32::try_from(answered.count()).unwrap_or(u32::MAX)
    }

    /// Items of a unit that have no outcome yet.
    fn open(&self, unit: &Unit) -> Vec<(escher_ir::plan::ItemId, Value)> {
        let step = &self.ledger;
        unit.items.iter().filter(|(item, _)| self.runner.live.outcome(step, item).is_none()).cloned().collect()
    }

    fn finish(&self, unit: &Unit, stop: Stop) -> Result<(), EngineError> {
        let Stop::Outcome { outcome, reason, request_id } = stop else { return Ok(()) };
        let open = self.open(unit);
        if matches!(outcome, Outcome::Failed | Outcome::Denied | Outcome::Unknown) {
            self.failed.fetch_add(open.len() as u64, Ordering::SeqCst);
        }
        for (item, _) in open {
            self.runner.ended(&self.ledger, &item, outcome, reason.clone(), None, request_id.clone());
        }
        Ok(())
    }

    async fn body(&self, unit: &mut Unit, pass: &mut Pass) -> Result<Value, Stop> {
        if !unit.resumed && !self.taking_back {
            self.conditions(unit).await?;
            if unit.items.is_empty() {
                return Ok(Value::None);
            }
        }
        if !unit.resumed {
            let values = Value::list(unit.items.iter().map(|(_, value)| value.clone()).collect());
            let (path, now) = (format!("{}/item", unit.scope), self.runner.engine.clock.now());
            self.runner.journal.fixed(&path, &values, now);
        }
        let scope = if self.taking_back { format!("{}/undo", unit.scope) } else { unit.scope.clone() };
        let body = self.body;
        self.block(body, unit, &scope, self.bindings(unit), pass, !self.taking_back).await
    }

    /// `when` and `unless`, for each item: those that need nothing are unchanged, and leave the unit.
    async fn conditions(&self, unit: &mut Unit) -> Result<(), Stop> {
        if self.step.when.is_none() && self.step.unless.is_none() {
            return Ok(());
        }
        let mut kept = Vec::new();
        for (item, value) in std::mem::take(&mut unit.items) {
            let one = Unit { items: vec![(item.clone(), value.clone())], ..unit.clone() };
            let names = self.bindings(&one);
            let scope = format!("{}/{}", unit.scope, item.id);
            let (mut needed, mut unmet) = (Ok(true), false);
            for (expr, wanted) in [(&self.step.when, true), (&self.step.unless, false)] {
                let Some(expr) = expr else { continue };
                let question = self.question(&one, &scope, What::Expr(expr), &names, Mode::Look);
                match self.runner.world.answer_now(&question).await {
                    Ok(Value::Bool(b)) if b == wanted => {}
                    Ok(Value::Bool(_)) => {
                        needed = needed.and(Ok(false));
                        unmet |= wanted;
                    }
                    // `unless found(x)`: a value is a yes.
                    Ok(Value::None) if !wanted => {}
                    Ok(_) if !wanted => needed = needed.and(Ok(false)),
                    Ok(_) => needed = Err(EvalError::new("`when` needs a truth value")),
                    Err(error) => needed = Err(error),
                }
            }
            match needed {
                Ok(true) => kept.push((item, value)),
                Ok(false) => {
                    let words = match &self.step.otherwise {
                        Some(words) if unmet => {
                            let question = self.question(&one, &scope, What::Expr(words), &names, Mode::Look);
                            let words = self.runner.world.answer_now(&question).await;
                            words.ok().map(|words| escher_ir::json::to_text(&words))
                        }
                        _ => None,
                    };
                    self.runner.ended(&self.step.name, &item, Outcome::Unchanged, words, None, None);
                }
                Err(error) => self.finish(&one, self.stop_of(&error)).map_err(Stop::Fatal)?,
            }
        }
        unit.items = kept;
        if unit.items.len() > 1 || self.step.each.as_ref().is_some_and(|e| e.by.is_some()) {
            unit.scope = self.batch_scope(&unit.items);
        }
        Ok(())
    }

    pub(crate) fn question<'q>(
        &self,
        unit: &Unit,
        scope: &str,
        what: What<'q>,
        bindings: &'q Bindings,
        mode: Mode,
    ) -> Question<'q> {
        let (scope, target) = (scope.to_string(), self.target(unit));
        Question { scope, what, bindings, target, mode, skip_absent: false }
    }

    /// A block's nodes one after the other, and its value.
    pub(crate) async fn block(
        &self,
        block: &Block,
        unit: &Unit,
        scope: &str,
        mut names: Bindings,
        pass: &mut Pass,
        checked: bool,
    ) -> Result<Value, Stop> {
        for node in &block.nodes {
            match &node.kind {
                NodeKind::Let { name, value } => {
                    let value = self.value(What::Expr(value), unit, scope, &names, pass, checked).await?;
                    names.insert(name.clone(), value);
                }
                NodeKind::Do { value } => {
                    self.value(What::Expr(value), unit, scope, &names, pass, checked).await?;
                }
                NodeKind::Return { value } => {
                    return match value {
                        Some(value) => self.value(What::Expr(value), unit, scope, &names, pass, checked).await,
                        None => Ok(Value::None),
                    };
                }
                NodeKind::Require { condition, otherwise } => {
                    let holds = self.value(What::Expr(condition), unit, scope, &names, pass, checked).await?;
                    if holds != Value::Bool(true) {
                        let words = match otherwise {
                            Some(words) => {
                                let words = self.value(What::Expr(words), unit, scope, &names, pass, checked).await?;
                                escher_ir::json::to_text(&words)
                            }
                            None => format!("`{}` does not hold", node.id),
                        };
                        return Err(Stop::failed(words));
                    }
                }
                NodeKind::Wait(wait) => {
                    let time = self
                        .runner
                        .timeout(&wait.timeout, &names, &node.id)
                        .await
                        .map_err(|e| Stop::failed(e.to_string()))?;
                    let until = pass.deadline.min(Instant::now() + time);
                    let path = format!("{scope}/{}", node.id);
                    let target = self.target(unit);
                    self.runner.wait(wait, &names, &path, until, self.breaks(), Some(&target)).await?;
                }
                NodeKind::Sleep { duration } => {
                    let time = self
                        .runner
                        .timeout(duration, &names, &node.id)
                        .await
                        .map_err(|e| Stop::failed(e.to_string()))?;
                    self.slept(&format!("{scope}/{}", node.id), time).await?;
                }
                NodeKind::Step(_)
                | NodeKind::Approve(_)
                | NodeKind::Confirm { .. }
                | NodeKind::Report { .. }
                | NodeKind::Notify { .. } => {
                    return Err(Stop::failed(format!("`{}` cannot stand in a step", node.id)));
                }
            }
        }
        match &block.value {
            Some(value) => self.value(What::Expr(value), unit, scope, &names, pass, checked).await,
            None => Ok(Value::None),
        }
    }

    /// The value of an expression of a body: readings and changes are made as it needs them.
    async fn value(
        &self,
        what: What<'_>,
        unit: &Unit,
        scope: &str,
        names: &Bindings,
        pass: &mut Pass,
        checked: bool,
    ) -> Result<Value, Stop> {
        let world = &self.runner.world;
        for _ in 0..crate::limits::MAX_ROUNDS {
            let question = self.question(unit, scope, what, names, Mode::Body);
            let mut round = world.round(&question, None, None).map_err(|e| self.stop_of(&e))?;
            if let Some(value) = round.value {
                return Ok(value);
            }
            if Instant::now() >= pass.deadline {
                return Err(Stop::failed("the item's time is up"));
            }
            match round.asks.first() {
                Some(ask) if ask.call.changes => {
                    let ask = round.asks.remove(0);
                    self.send(unit, &ask, pass, checked).await?;
                }
                _ => {
                    if let Some(pause) = round.pause.take().filter(|_| round.asks.is_empty()) {
                        self.pause(&pause, pass).await?;
                        continue;
                    }
                    pass.paths.extend(round.asks.iter().map(|ask| ask.path.clone()));
                    world.fill(&round).await.map_err(|e| self.stop_of(&e))?;
                }
            }
        }
        Err(Stop::failed("E0605: this asks the clouds over and over without coming to an end"))
    }

    /// Waits or sleeps inside a block, at most until the item's time is up.
    async fn pause(&self, pause: &Pause, pass: &Pass) -> Result<(), Stop> {
        let time = super::duration(Some(&pause.time)).ok_or_else(|| Stop::failed("a length of time is needed"))?;
        let Some(wait) = &pause.wait else {
            return self.slept(&pause.path, time).await;
        };
        let until = pass.deadline.min(Instant::now() + time);
        let target = Some(&pause.target);
        Ok(self.runner.wait(wait, &pause.names, &pause.path, until, self.breaks(), target).await?)
    }

    /// Whether a cancel breaks off what this waits for: what is temporary is taken back all the same.
    pub(crate) fn breaks(&self) -> bool {
        !self.is_temporary()
    }

    async fn slept(&self, path: &str, time: Duration) -> Result<(), Stop> {
        if self.runner.pause(path, time, self.breaks()).await { Ok(()) } else { Err(Stop::Interrupted) }
    }

    /// What an error of evaluation makes of an item: the call's own `catch`, then the step's.
    pub(crate) fn stop_of(&self, error: &EvalError) -> Stop {
        if let (Some(outcome), Some(failure)) = (&error.outcome, &error.call)
            && let Some(stop) = outcome_of(outcome, &words(failure), failure.request_id.clone())
        {
            return stop;
        }
        match &error.call {
            Some(failure) => self.judged(failure, false),
            None => {
                let any = self
                    .step
                    .catch
                    .iter()
                    .find(|arm| arm.patterns.iter().any(|p| matches!(p, escher_ir::program::CatchPattern::Any)));
                let stop = any.and_then(|arm| outcome_of(&arm.outcome, &error.message, None));
                stop.unwrap_or_else(|| Stop::failed(error.message.clone()))
            }
        }
    }

    /// What a failed call makes of an item.
    pub(crate) fn judged(&self, failure: &CallFailure, doubt: bool) -> Stop {
        match caught(&self.step.catch, failure) {
            Some(stop) if !doubt && !self.taking_back => stop,
            _ => failed_with(failure, doubt),
        }
    }

    /// Runs the step's `undo` for a unit whose body has sent something.
    async fn take_back(&self, unit: &Unit, pass: &mut Pass) -> Result<Value, Stop> {
        let Some(undo) = &self.step.undo else {
            return Err(Stop::failed("it has no `undo`"));
        };
        pass.deadline = Instant::now() + self.timeout;
        let mut names = self.bindings(unit);
        let lets = body_lets(&self.runner.world, self.step, &unit.scope, names.clone(), &self.target(unit));
        names.extend(lets);
        self.block(undo, unit, &format!("{}/undo", unit.scope), names, pass, false).await
    }
}

/// What the reason of an item that `catch` took back ends with.
pub(crate) const TAKEN_BACK: &str = "; taken back";

/// The `let`s of a body as far as the memo knows them; the others are `none`.
pub(crate) fn body_lets(
    world: &World<'_>,
    step: &Step,
    scope: &str,
    mut names: Bindings,
    target: &Arc<Target>,
) -> Bindings {
    let mut lets = Bindings::new();
    for node in &step.body.nodes {
        let NodeKind::Let { name, value } = &node.kind else { continue };
        let question = Question {
            scope: scope.to_string(),
            what: What::Expr(value),
            bindings: &names,
            target: target.clone(),
            mode: Mode::Body,
            skip_absent: false,
        };
        let value = world.round(&question, None, None).ok().and_then(|round| round.value).unwrap_or(Value::None);
        names.insert(name.clone(), value.clone());
        lets.insert(name.clone(), value);
    }
    lets
}

/// What the arms of a `catch` make of a failure; none where they don't take it, or have a value for it.
pub(crate) fn caught(arms: &[CatchArm], failure: &CallFailure) -> Option<Stop> {
    let arm = matching_arm(arms, failure)?;
    outcome_of(&arm.outcome, &words(failure), failure.request_id.clone())
}

fn outcome_of(outcome: &CatchOutcome, words: &str, request_id: Option<String>) -> Option<Stop> {
    let stop = |outcome, reason| Some(Stop::Outcome { outcome, reason: Some(reason), request_id });
    match outcome {
        CatchOutcome::Value(_) => None,
        CatchOutcome::Skip => stop(Outcome::Skipped, format!("{CAUGHT}{words}")),
        CatchOutcome::Done => stop(Outcome::Done, format!("already so: {words}")),
        CatchOutcome::Fail => stop(Outcome::Failed, words.to_string()),
        CatchOutcome::Undo => Some(Stop::Undo { reason: words.to_string() }),
    }
}

/// The outcome of a failure that nothing caught.
pub(crate) fn failed_with(failure: &CallFailure, doubt: bool) -> Stop {
    let outcome = match failure.kind.as_str() {
        _ if doubt || failure.maybe_done => Outcome::Unknown,
        "denied" => Outcome::Denied,
        _ => Outcome::Failed,
    };
    Stop::Outcome { outcome, reason: Some(words(failure)), request_id: failure.request_id.clone() }
}

fn words(failure: &CallFailure) -> String {
    match &failure.code {
        Some(code) => format!("{code}: {}", failure.message),
        None => failure.message.clone(),
    }
}
