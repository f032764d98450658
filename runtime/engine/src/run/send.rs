//! One change, sent so that it has its effect once: intent, call, answer, and what a failure allows next.

use std::time::Duration;

use escher_catalog::Repeat;
use escher_ir::journal::{CallFailure, Event, Outcome, digest_of_arguments};
use escher_ir::secret::SecretFrom;
use escher_ir::{Target, Value};
use escher_provider::{Answer, CallError, ErrorKind, Sent};
use tokio::time::Instant;

use super::age;
use super::check::check;
use super::step::{StepRun, Unit};
use super::unit::{Pass, Stop, caught};
use crate::identity::token;
use crate::journal::{self, CallResult};
use crate::progress::ProgressEvent;
use crate::secrets;
use crate::transitions::{CALL, Call, CallOn};
use crate::world::{Ask, Mode, Question, What, pause};

/// How long a call that takes time still has after a cancel: its request is on its way then, or was answered.
const GRACE: Duration = Duration::from_secs(3);

/// What to do after a failure.
enum Next {
    Again,
    Stop(Stop),
    Value(Value),
}

/// What a probe found.
enum Probed {
    Found(Value),
    /// It is not there, and would be by now.
    Absent,
    /// It proves nothing.
    Unclear,
}

impl StepRun<'_> {
    /// Sends a change and puts its answer in the memo.
    pub(crate) async fn send(&self, unit: &Unit, ask: &Ask, pass: &mut Pass, checked: bool) -> Result<(), Stop> {
        let runner = self.runner;
        // Before anything more is sent: what was made with it is of no use.
        if let Some(from) = secrets::lost(&ask.arguments) {
            let reason = secrets::gone(&from);
            return Err(if self.taking_back { Stop::failed(reason) } else { Stop::Undo { reason } });
        }
        let target = runner.world.resolve(&ask.target).await.map_err(|e| Stop::failed(e.to_string()))?;
        // What is temporary is taken back as the approved playbook says: no plan of it was made.
        if checked || (self.taking_back && !self.is_temporary()) {
            self.is_approved(unit, ask, &target, pass)?;
        }
        let repeat = runner.planned.program.operations.get(&ask.call.operation).map(|o| o.repeat.clone());
        let repeat = repeat.unwrap_or(Repeat::Unsafe);
        let token = matches!(repeat, Repeat::Token(_)).then(|| token(&runner.planned.run, &ask.path));
        let may_repeat = self.step.may_repeat || !matches!(repeat, Repeat::Unsafe);
        let known = runner.state.intents.get(&ask.path);
        let (mut attempt, mut doubt) = known.map_or((0, false), |k| (k.attempt, k.maybe_done));
        let mut state = known.map_or(Call::New, |k| k.result.state());
        let token = known.and_then(|k| k.token.clone()).or(token);
        match known.map(|k| (&k.result, k.at)) {
            // Nothing was sent yet: what is there already is as good as an answer, and no change is made.
            None => {
                if let Some(value) = self.found(ask).await? {
                    runner.world.keep(&ask.path, value, runner.engine.clock.now());
                    return Ok(());
                }
            }
            Some((CallResult::Answered { .. }, _)) => {}
            Some((result, at)) => {
                let failure = match result {
                    CallResult::Failed(failure) => failure.clone(),
                    _ => in_flight(),
                };
                doubt |= failure.maybe_done;
                // What was in flight when the process ended is worth one attempt, whatever `retry` says.
                let left = attempt <= self.retry || matches!(result, CallResult::Open);
                let next = self.next_after(unit, ask, pass, &failure, (doubt, may_repeat, left), at).await?;
                match next {
                    Next::Again => {}
                    Next::Stop(stop) => return Err(stop),
                    Next::Value(value) => return self.answered(ask, state, value, None, pass),
                }
            }
        }
        loop {
            if Instant::now() >= pass.deadline {
                let outcome = if doubt { Outcome::Unknown } else { Outcome::Failed };
                return Err(Stop::Outcome { outcome, reason: Some("the item's time is up".into()), request_id: None });
            }
            attempt += 1;
            state = CALL.next(state, CallOn::Intend).map_err(Stop::Fatal)?;
            let intent = Event::Intent {
                path: ask.path.clone(),
                operation: ask.call.operation.clone(),
                step: self.step.name.clone(),
                items: unit.items.iter().map(|(item, _)| item.clone()).collect(),
                arguments: digest_of_arguments(&ask.arguments).map_err(|e| Stop::Fatal(e.into()))?,
                token: token.clone(),
                attempt,
            };
            runner.journal.commit(intent, Vec::new()).await.map_err(Stop::Fatal)?;
            let at = runner.engine.clock.now();
            // The machine may have slept between the intent and here: the lease must hold right now.
            runner.journal.may_send().await.map_err(Stop::Fatal)?;
            let leave = may_repeat || ask.call.probe.is_some();
            let mut result = self.call(ask, token.clone(), pass, leave).await?;
            if result.as_ref().is_err_and(|error| error.sent == Sent::No) && !runner.journal.permit().holds() {
                // It was held back because the machine slept: whoever still has the run renews the lease, and sends.
                runner.journal.flush().await.map_err(Stop::Fatal)?;
                result = self.call(ask, token.clone(), pass, leave).await?;
            }
            let refused = result.as_ref().is_err_and(|error| error.kind == ErrorKind::Throttled);
            if refused || result.is_ok() {
                self.pressure.note(refused);
            }
            let error = match result {
                Ok(answer) => return self.answered(ask, state, answer.value, answer.request_id, pass),
                Err(error) => error,
            };
            state = CALL.next(state, CallOn::Fail).map_err(Stop::Fatal)?;
            let failure = CallFailure::from(&error);
            let event = Event::CallFailed { path: ask.path.clone(), error: failure.clone() };
            runner.journal.push(event, Vec::new());
            doubt |= failure.maybe_done;
            let left = attempt <= self.retry;
            match self.next_after(unit, ask, pass, &failure, (doubt, may_repeat, left), at).await? {
                Next::Again => {
                    let (base, before) = (runner.options.backoff, attempt - 1);
                    let after = match refused {
                        true => self.pressure.pause(base, before, error.retry_after),
                        false => pause(base, before, error.retry_after),
                    };
                    let operation = &ask.call.operation;
                    let kind = error.kind.word();
                    let event = ProgressEvent::Retrying { operation, kind, after, attempt: attempt + 1 };
                    runner.options.progress.event(event);
                    let left = pass.deadline.saturating_duration_since(Instant::now());
                    self.rest(after.min(left)).await?;
                }
                Next::Stop(stop) => return Err(stop),
                Next::Value(value) => return self.answered(ask, state, value, None, pass),
            }
        }
    }

    fn is_approved(&self, unit: &Unit, ask: &Ask, target: &Target, pass: &Pass) -> Result<(), Stop> {
        let number = crate::plan::number_of(target, &self.runner.planned.plan.targets);
        let items: Vec<_> = unit.items.iter().map(|(item, _)| item).collect();
        check(self.planned, &items, ask, number).map_err(|why| {
            if pass.changes > 0 || items.len() > 1 {
                return Stop::failed(why);
            }
            let reason = Some(format!("changed: {why}"));
            Stop::Outcome { outcome: Outcome::Skipped, reason, request_id: None }
        })
    }

    /// Lets time pass; a cancel breaks it off.
    async fn rest(&self, time: Duration) -> Result<(), Stop> {
        if self.runner.rest(time, self.breaks()).await { Ok(()) } else { Err(Stop::Interrupted) }
    }

    /// Makes the call. One that takes time and may be `left`, because whoever takes the run up can send it again or
    /// probe for it, is left soon after a cancel: what it began goes on in the cloud.
    async fn call(
        &self,
        ask: &Ask,
        token: Option<String>,
        pass: &Pass,
        leave: bool,
    ) -> Result<Result<Answer, CallError>, Stop> {
        let left = pass.deadline.saturating_duration_since(Instant::now());
        let mut request = match self.runner.world.request(ask, token).await {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        request.timeout = request.timeout.min(left);
        request.permit = self.runner.journal.permit();
        // A call has ended when what it began has: that may take as long as the step.
        request.patience = left;
        let takes_time = request.record.operation.completion.is_some();
        let longest = if takes_time { left } else { request.timeout };
        // A little longer than the provider's own limit, for one that does not keep it.
        let backstop = longest.saturating_add(Duration::from_secs(5));
        let carried = secrets::carried(&request.arguments);
        let cancelled = async {
            self.runner.options.cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            ended = tokio::time::timeout(backstop, self.runner.change.change(request)) => Ok(match ended {
                Ok(Ok(answer)) => Ok(Answer { value: secrets::covered(answer.value, &carried), ..answer }),
                Ok(Err(error)) => Err(secrets::covered_error(error, &carried)),
                Err(_) => {
                    let error = CallError::unsent(ErrorKind::Timeout, "no answer in time");
                    Err(CallError { sent: Sent::Maybe, ..error })
                }
            }),
            () = cancelled, if takes_time && leave && self.breaks() => Err(Stop::Interrupted),
        }
    }

    fn answered(
        &self,
        ask: &Ask,
        state: Call,
        value: Value,
        request_id: Option<String>,
        pass: &mut Pass,
    ) -> Result<(), Stop> {
        CALL.next(state, CallOn::Answer).map_err(Stop::Fatal)?;
        let value = secrets::placed(value, &|at, _| SecretFrom::Answer { call: ask.path.clone(), at });
        let object = journal::named(&value).map_err(Stop::Fatal)?;
        let event = Event::Answer { path: ask.path.clone(), value: object.digest, request_id: request_id.clone() };
        self.runner.journal.push(event, vec![object]);
        self.runner.world.know(&ask.path, value, self.runner.engine.clock.now());
        pass.paths.push(ask.path.clone());
        pass.changes += 1;
        pass.request_id = request_id.or(pass.request_id.take());
        Ok(())
    }

    /// What a failure allows. `doubt`: some attempt may have had its effect; `left`: attempts are left.
    #[allow(clippy::too_many_arguments, reason = "all that the decision depends on")]
    async fn next_after(
        &self,
        unit: &Unit,
        ask: &Ask,
        pass: &Pass,
        failure: &CallFailure,
        (doubt, may_repeat, left): (bool, bool, bool),
        at: jiff::Timestamp,
    ) -> Result<Next, Stop> {
        let transient = matches!(failure.kind.as_str(), "throttled" | "unreachable" | "timeout");
        if !failure.maybe_done {
            if let Some(stop) = caught(&ask.catch, failure) {
                return Ok(Next::Stop(stop));
            }
            if transient && left {
                return Ok(Next::Again);
            }
            if !doubt && !transient && unit.items.len() > 1 && pass.changes == 0 {
                return Ok(Next::Stop(Stop::Split { failure: failure.clone() }));
            }
            return Ok(Next::Stop(self.judged(failure, doubt)));
        }
        if ask.call.probe.is_none() && may_repeat && left {
            return Ok(Next::Again);
        }
        match self.probe(ask, pass, at, may_repeat).await? {
            Probed::Found(value) => Ok(Next::Value(value)),
            Probed::Absent if left => Ok(Next::Again),
            Probed::Absent => {
                let reason = Some("it did not arrive: the probe found nothing".to_string());
                Ok(Next::Stop(Stop::Outcome { outcome: Outcome::Failed, reason, request_id: None }))
            }
            Probed::Unclear if may_repeat && left => Ok(Next::Again),
            Probed::Unclear => Ok(Next::Stop(self.judged(failure, true))),
        }
    }

    /// What the call's probe gives before anything was sent.
    async fn found(&self, ask: &Ask) -> Result<Option<Value>, Stop> {
        let Some(probe) = &ask.call.probe else { return Ok(None) };
        match self.runner.world.answer_now(&probing(ask, probe)).await {
            Ok(Value::None | Value::Absent(_)) => Ok(None),
            Ok(value) => Ok(Some(value)),
            // Without knowing what is there, another could be made.
            Err(error) => Err(self.stop_of(&error)),
        }
    }

    /// Asks the call's probe until it finds something, or an absence means something. `harmless`: sending again is.
    async fn probe(&self, ask: &Ask, pass: &Pass, at: jiff::Timestamp, harmless: bool) -> Result<Probed, Stop> {
        let Some(probe) = &ask.call.probe else { return Ok(Probed::Unclear) };
        let mut attempt = 0;
        loop {
            let found = self.runner.world.answer_now(&probing(ask, probe)).await;
            let settled = harmless || age(at, self.runner.engine.clock.now()) >= self.runner.options.settle;
            match found {
                Ok(Value::None | Value::Absent(_)) if settled => return Ok(Probed::Absent),
                Ok(Value::None | Value::Absent(_)) => {}
                Ok(value) => return Ok(Probed::Found(value)),
                Err(_) => return Ok(Probed::Unclear),
            }
            if Instant::now() >= pass.deadline {
                return Ok(Probed::Unclear);
            }
            self.rest(pause(self.runner.options.backoff, attempt, None)).await?;
            attempt += 1;
        }
    }
}

/// The question that a call's probe asks: with the names and at the place of the call.
fn probing<'q>(ask: &'q Ask, probe: &'q escher_ir::program::Expr) -> Question<'q> {
    let (scope, target) = (format!("{}/probe", ask.path), ask.target.clone());
    Question { scope, what: What::Expr(probe), bindings: &ask.names, target, mode: Mode::Look, skip_absent: false }
}

/// A call whose process ended before it was answered.
fn in_flight() -> CallFailure {
    CallFailure {
        kind: "unknown".into(),
        code: None,
        message: "the process ended before the call was answered".into(),
        request_id: None,
        maybe_done: true,
    }
}
