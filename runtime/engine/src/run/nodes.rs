//! The playbook's own nodes: readings side by side, all else one after the other.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use escher_ir::journal::Event;
use escher_ir::program::{Expr, Node, NodeKind, Wait};
use escher_ir::{Value, json};
use escher_provider::Polled;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::{BodyResult, Runner, duration};
use crate::error::EngineError;
use crate::journal;
use crate::plan::{Order, look, outside, required, sources};
use crate::progress::ProgressEvent;
use crate::report::ReportPart;
use crate::world::{Ask, Bindings, Mode, Question, Round, What};

/// How a step left the run.
pub(crate) enum After {
    GoOn,
    Failed(String),
    Cancelled,
}

/// Why a condition that was waited for does not hold.
pub(crate) enum Unheld {
    /// It can't, or did not in time.
    Failed(String),
    /// Somebody asked for the end: whoever takes the run up waits again.
    Interrupted,
}

/// What there was to work out.
enum Looked {
    Nothing,
    Some,
    Missing(Box<Round>),
}

/// How a node left the run.
enum Ended {
    GoOn,
    Failed(String),
    Cancelled,
    /// The rest of the run waits for its approval.
    Paused,
    Returned(Option<Value>),
}

impl Runner<'_> {
    /// The body of the playbook, from its parameters to its value. What may run side by side does; where something
    /// fails, what is in flight beside it is finished, and nothing new begins.
    pub(crate) async fn body(&self, parameters: &Bindings) -> Result<BodyResult, EngineError> {
        let body = &self.planned.program.playbook.body;
        let mut order = Order::new(body)?;
        let sources = sources(body);
        let mut names = parameters.clone();
        let mut result = BodyResult::default();
        let mut running = FuturesUnordered::new();
        let mut begun: HashSet<&str> = HashSet::new();
        let mut broken: Option<EngineError> = None;
        loop {
            let stopped = broken.is_some() || result.failed.is_some() || result.cancelled || result.paused;
            let mut ready: Vec<&Node> = match stopped {
                true => Vec::new(),
                false => order.ready().into_iter().filter(|n| !begun.contains(&*n.id)).collect(),
            };
            if self.options.cancel.is_cancelled() && !ready.is_empty() {
                result.cancelled = true;
                ready.clear();
            }
            let looked = match self.look_at(&ready, &mut order, &sources, &mut names, &mut result).await {
                Ok(looked) => looked,
                Err(error) => {
                    self.halted.store(true, Ordering::SeqCst);
                    broken = Some(error);
                    continue;
                }
            };
            match looked {
                Looked::Missing(missing) => {
                    let fill = self.world.fill(&missing);
                    tokio::pin!(fill);
                    // What runs beside it goes on meanwhile. A reading may be left at any time.
                    let filled = loop {
                        tokio::select! {
                            filled = &mut fill => break filled,
                            () = self.options.cancel.cancelled() => {
                                result.cancelled = true;
                                break Ok(());
                            }
                            Some((node, ended)) = running.next(), if !running.is_empty() => {
                                self.after(node, ended, &mut order, &mut result, &mut broken);
                            }
                        }
                    };
                    if let Err(error) = filled {
                        self.halted.store(true, Ordering::SeqCst);
                        broken = Some(outside("reading", error));
                    }
                    continue;
                }
                Looked::Some => continue,
                Looked::Nothing => {}
            }
            for node in ready {
                begun.insert(&node.id);
                let names = names.clone();
                running.push(async move { (node, self.node(node, &names).await) });
            }
            let Some((node, ended)) = running.next().await else { break };
            if let Some(value) = self.after(node, ended, &mut order, &mut result, &mut broken) {
                result.value = value;
                return Ok(result);
            }
        }
        if let Some(error) = broken {
            return Err(error);
        }
        let stopped = result.cancelled || result.paused;
        if let (Some(value), None, false) = (&body.value, &result.failed, stopped) {
            let question = look(&self.world, "value", What::Expr(value), &names, false);
            result.value = self.world.answer(&question).await.map_err(|e| outside("value", e))?.value;
        }
        Ok(result)
    }

    /// Takes down how a node ended; the value of a `return`.
    fn after<'n>(
        &self,
        node: &'n Node,
        ended: Result<Ended, EngineError>,
        order: &mut Order<'n>,
        result: &mut BodyResult,
        broken: &mut Option<EngineError>,
    ) -> Option<Option<Value>> {
        match ended {
            Ok(Ended::GoOn) => order.end(&node.id),
            Ok(Ended::Failed(message)) => {
                self.halted.store(true, Ordering::SeqCst);
                result.failed.get_or_insert(message);
            }
            Ok(Ended::Cancelled) => result.cancelled = true,
            Ok(Ended::Paused) => result.paused = true,
            Ok(Ended::Returned(value)) => return Some(value),
            Err(error) => {
                self.halted.store(true, Ordering::SeqCst);
                broken.get_or_insert(error);
            }
        }
        None
    }

    /// Works out the readings among what may begin.
    async fn look_at<'n>(
        &self,
        ready: &[&'n Node],
        order: &mut Order<'n>,
        sources: &std::collections::BTreeSet<&str>,
        names: &mut Bindings,
        result: &mut BodyResult,
    ) -> Result<Looked, EngineError> {
        let (mut missing, mut looked) = (Round::default(), false);
        for node in ready {
            let expr = match &node.kind {
                NodeKind::Let { value, .. } | NodeKind::Do { value } => value,
                NodeKind::Require { condition, .. } => condition,
                _ => continue,
            };
            looked = true;
            let question = look(&self.world, &node.id, What::Expr(expr), names, sources.contains(&*node.id));
            let round = self.world.round(&question, None, None).map_err(|e| outside(&node.id, e))?;
            let Some(found) = round.value else {
                missing.asks.extend(round.asks);
                missing.groups.extend(round.groups);
                continue;
            };
            match &node.kind {
                NodeKind::Let { name, .. } => {
                    names.insert(name.clone(), found);
                }
                NodeKind::Require { otherwise, .. } => {
                    if let Some(refused) = required(&self.world, &node.id, &found, otherwise.as_ref(), names).await? {
                        self.halted.store(true, Ordering::SeqCst);
                        result.failed.get_or_insert(refused.reason);
                        return Ok(Looked::Some);
                    }
                }
                _ => {}
            }
            order.end(&node.id);
        }
        Ok(match (missing.asks.is_empty() && missing.groups.is_empty(), looked) {
            (false, _) => Looked::Missing(Box::new(missing)),
            (true, true) => Looked::Some,
            (true, false) => Looked::Nothing,
        })
    }

    /// Runs a node that is no reading to its end.
    async fn node(&self, node: &Node, names: &Bindings) -> Result<Ended, EngineError> {
        match &node.kind {
            NodeKind::Step(step) => {
                return Ok(match self.step(step, names).await? {
                    After::GoOn => Ended::GoOn,
                    After::Failed(message) => Ended::Failed(message),
                    After::Cancelled => Ended::Cancelled,
                });
            }
            NodeKind::Wait(wait) => {
                let until = Instant::now() + self.timeout(&wait.timeout, names, &node.id).await?;
                return Ok(match self.wait(wait, names, &node.id, until, true, None).await {
                    Ok(()) => Ended::GoOn,
                    Err(Unheld::Failed(reason)) => Ended::Failed(reason),
                    Err(Unheld::Interrupted) => Ended::Cancelled,
                });
            }
            NodeKind::Sleep { duration } => {
                let time = self.timeout(duration, names, &node.id).await?;
                if !self.pause(&node.id, time, true).await {
                    return Ok(Ended::Cancelled);
                }
            }
            NodeKind::Confirm { question } => {
                // Who said yes is not asked again when the run is taken up.
                let key = format!("{}/confirmed", node.id);
                if crate::world::lock(&self.world.memo).contains_key(&key) {
                    return Ok(Ended::GoOn);
                }
                // A branch that is not taken asks nothing.
                let Some(words) = self.said(question, names, &node.id).await? else { return Ok(Ended::GoOn) };
                if let Some(reason) = self.confirm(&words) {
                    return Ok(Ended::Failed(reason));
                }
                self.world.keep(&key, Value::Bool(true), self.engine.clock.now());
            }
            NodeKind::Approve(approve) => {
                if !self.state.begun().any(|part| part.node == node.id) {
                    self.ask(node, approve, names).await?;
                    return Ok(Ended::Paused);
                }
            }
            NodeKind::Notify { channel, text } => {
                // No channel is known to this version: what it would have been told is never dropped in silence.
                let title = Some(format!("Notice to `{channel}`, not sent"));
                if let Some(text) = self.said(text, names, &node.id).await? {
                    self.reported(&node.id, title, Value::text(text))?;
                }
            }
            NodeKind::Report { title, body } => {
                let title = match title {
                    Some(title) => Some(self.text(title, names, &node.id).await?),
                    None => None,
                };
                let question = look(&self.world, &node.id, What::Block(body), names, false);
                let round = self.world.answer(&question).await.map_err(|e| outside(&node.id, e))?;
                // A branch that is not taken shows nothing.
                if let Some(value) = round.value.filter(|value| *value != Value::None) {
                    self.reported(&node.id, title, value)?;
                }
            }
            NodeKind::Return { value } => {
                let Some(value) = value else { return Ok(Ended::Returned(None)) };
                let question = look(&self.world, &node.id, What::Expr(value), names, false);
                let round = self.world.answer(&question).await.map_err(|e| outside(&node.id, e))?;
                return Ok(Ended::Returned(round.value));
            }
            NodeKind::Let { .. } | NodeKind::Do { .. } | NodeKind::Require { .. } => {}
        }
        Ok(Ended::GoOn)
    }

    /// Why the run may not go on; none where somebody said yes.
    fn confirm(&self, words: &str) -> Option<String> {
        match &self.options.confirm {
            crate::options::Confirm::Yes => None,
            crate::options::Confirm::Ask(ask) if ask(words) => None,
            crate::options::Confirm::Ask(_) => Some(format!("not confirmed: {words}")),
            crate::options::Confirm::Nobody => {
                Some(format!("nobody is there to confirm (`--yes` answers it): {words}"))
            }
        }
    }

    /// Writes down a part of the report, once.
    fn reported(&self, node: &str, title: Option<String>, value: Value) -> Result<(), EngineError> {
        if self.state.reports.iter().any(|(known, ..)| known == node) {
            return Ok(());
        }
        let object = journal::named(&value)?;
        let event = Event::Reported { node: node.to_string(), title: title.clone(), value: object.digest };
        self.journal.push(event, vec![object]);
        crate::world::lock(&self.reports).push(ReportPart { title, value });
        Ok(())
    }

    async fn text(&self, expr: &Expr, names: &Bindings, at: &str) -> Result<String, EngineError> {
        Ok(self.said(expr, names, at).await?.unwrap_or_default())
    }

    /// A text; none where there is none.
    async fn said(&self, expr: &Expr, names: &Bindings, at: &str) -> Result<Option<String>, EngineError> {
        let question = look(&self.world, at, What::Expr(expr), names, false);
        let round = self.world.answer(&question).await.map_err(|e| outside(at, e))?;
        Ok(round.value.filter(|value| *value != Value::None).map(|value| json::to_text(&value)))
    }

    pub(crate) async fn timeout(&self, expr: &Expr, names: &Bindings, at: &str) -> Result<Duration, EngineError> {
        let question = look(&self.world, at, What::Expr(expr), names, false);
        let round = self.world.answer(&question).await.map_err(|e| outside(at, e))?;
        duration(round.value.as_ref())
            .ok_or_else(|| EngineError::Evaluation { at: at.to_string(), message: "a length of time is needed".into() })
    }

    /// Sleeps, once: a resumed run does not sleep again. False where a cancel broke it off, which `breaks` lets it.
    pub(crate) async fn pause(&self, path: &str, time: Duration, breaks: bool) -> bool {
        let key = format!("{path}/slept");
        if crate::world::lock(&self.world.memo).contains_key(&key) {
            return true;
        }
        self.options.progress.event(ProgressEvent::Waiting { at: path });
        let slept = self.rest(time, breaks).await;
        if slept {
            self.world.keep(&key, Value::Bool(true), self.engine.clock.now());
        }
        slept
    }

    /// Lets time pass. False where a cancel broke it off, which `breaks` lets it.
    pub(crate) async fn rest(&self, time: Duration, breaks: bool) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.options.cancel.cancelled(), if breaks => false,
        }
    }

    /// Waits until a condition holds. What held is journaled once. `breaks`: a cancel breaks it off.
    pub(crate) async fn wait(
        &self,
        wait: &Wait,
        names: &Bindings,
        path: &str,
        until: Instant,
        breaks: bool,
        target: Option<&std::sync::Arc<escher_ir::Target>>,
    ) -> Result<(), Unheld> {
        let key = format!("{path}/waited");
        if crate::world::lock(&self.world.memo).contains_key(&key) {
            return Ok(());
        }
        self.options.progress.event(ProgressEvent::Waiting { at: path });
        let mut every = Duration::from_millis(wait.every_ms.clamp(10, 3_600_000));
        loop {
            match self.poll(wait, names, path, target).await {
                Ok(Polled::Holds) => {
                    self.world.keep(&key, Value::Bool(true), self.engine.clock.now());
                    return Ok(());
                }
                Ok(Polled::NotYet) => {}
                Ok(Polled::Failed(reason)) | Err(reason) => return Err(Unheld::Failed(reason)),
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Unheld::Failed(format!("`{path}` did not come to hold in time")));
            }
            every = every.min(left);
            if !self.rest(every, breaks).await {
                return Err(Unheld::Interrupted);
            }
        }
    }

    async fn poll(
        &self,
        wait: &Wait,
        names: &Bindings,
        path: &str,
        target: Option<&std::sync::Arc<escher_ir::Target>>,
    ) -> Result<Polled, String> {
        let question = Question {
            scope: path.to_string(),
            what: What::Expr(&wait.poll),
            bindings: names,
            target: target.unwrap_or(&self.world.ambient).clone(),
            mode: Mode::Look,
            skip_absent: false,
        };
        let Some(waiter) = &wait.waiter else {
            return match self.world.answer_now(&question).await {
                Ok(Value::Bool(true)) => Ok(Polled::Holds),
                Ok(_) => Ok(Polled::NotYet),
                Err(error) => Err(error.message),
            };
        };
        let round = self.world.round(&question, None, None).map_err(|e| e.message)?;
        let Some(ask) = round.asks.into_iter().next() else {
            return Err(format!("`{path}` asks nothing of a cloud"));
        };
        self.poll_waiter(waiter, &ask).await
    }

    async fn poll_waiter(&self, name: &str, ask: &Ask) -> Result<Polled, String> {
        let waiter = self.waiters.get(name).ok_or_else(|| format!("the plan has no waiter `{name}`"))?;
        let request = self.world.request(ask, None).await.map_err(|e| e.to_string())?;
        match self.change.poll(waiter, request).await {
            Ok(polled) => Ok(polled),
            // Asked again the next time.
            Err(error) if error.kind.is_transient() => Ok(Polled::NotYet),
            Err(error) => Err(error.to_string()),
        }
    }
}
