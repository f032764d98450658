//! The world as an evaluation sees it: what is known already, what must be read first, what a plan notes down.
//!
//! The evaluator asks, this answers from the memo or notes the question; readings are made between two rounds, those of
//! one round side by side. Sends no change: that is `run::change`'s.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use escher_catalog::Record;
use escher_eval::{CallRequest, EvalError, Evaluator, Fixed, Host, PauseRequest, Reply, matching_arm};
use escher_ir::journal::CallFailure;
use escher_ir::program::{Block, Call, CatchArm, Expr, Program, StepPart, Wait};
use escher_ir::secret::{Plain, SecretFrom, SecretReading};
use escher_ir::{Digest, Named, Target, Value};
use escher_provider::{CallError, ErrorKind, Read, Request};
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use crate::ambient;
use crate::clock::Clock;
use crate::limits::{self, Limits};
use crate::operations::Operations;
use crate::secrets::{self, Secrets};

/// A lock that a panic elsewhere does not close: what it guards is replaced whole or not at all.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known of a call path.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    Value(Value),
    Failed(EvalError),
}

/// What steps did, as expressions ask for it.
pub(crate) trait Steps: Send + Sync {
    fn part(&self, step: &str, part: StepPart) -> Value;
    fn of(&self, step: &str, item: &Value) -> Result<Value, EvalError>;
}

/// Who keeps what was read.
pub(crate) trait Notes: Send + Sync {
    fn fixed(&self, path: &str, value: &Value, began: Timestamp);
    fn read_failed(&self, path: &str, error: &CallFailure, caught: bool);
}

/// Names in scope.
pub(crate) type Bindings = BTreeMap<String, Value>;

/// What is evaluated.
#[derive(Clone, Copy)]
pub(crate) enum What<'p> {
    Expr(&'p Expr),
    Block(&'p Block),
    Apply(&'p Expr, &'p Value),
}

/// What an evaluation may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Read only: a change is an error.
    Look,
    /// A step's body while planning: changes are noted, and are holes.
    PlanBody,
    /// What stands below a step while planning: readings are holes too, for the step may change what they show.
    Later,
    /// A step's body: changes are asked for.
    Body,
}

/// One question to the evaluator.
#[derive(Clone)]
pub(crate) struct Question<'p> {
    pub(crate) scope: String,
    pub(crate) what: What<'p>,
    pub(crate) bindings: &'p Bindings,
    pub(crate) target: Arc<Target>,
    pub(crate) mode: Mode,
    pub(crate) skip_absent: bool,
}

/// A call that must be answered before a question is.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) path: String,
    pub(crate) call: Arc<Call>,
    pub(crate) arguments: Named<Value>,
    pub(crate) target: Arc<Target>,
    /// The arms of every `catch` around it, its own first.
    pub(crate) catch: Vec<CatchArm>,
    /// The names that its probe sees.
    pub(crate) names: Bindings,
}

/// A `wait` or `sleep` that must be over before a question is answered.
#[derive(Clone, Debug)]
pub(crate) struct Pause {
    pub(crate) path: String,
    /// None for a `sleep`.
    pub(crate) wait: Option<Arc<Wait>>,
    pub(crate) time: Value,
    pub(crate) names: Bindings,
    pub(crate) target: Arc<Target>,
}

/// What one round gave.
#[derive(Default)]
pub(crate) struct Round {
    /// The value, where nothing is missing.
    pub(crate) value: Option<Value>,
    /// Readings, and at most one change, which comes last.
    pub(crate) asks: Vec<Ask>,
    /// What takes time, where nothing must be asked before it.
    pub(crate) pause: Option<Pause>,
    /// Groups of targets that must be resolved.
    pub(crate) groups: Vec<String>,
    /// Elements that a step's list lost to absent members.
    pub(crate) skipped: Vec<(Value, String)>,
    /// Whether the clock or the run's id was asked for.
    pub(crate) timed: bool,
}

/// State of a body that is planned, over all of its statements.
#[derive(Default)]
pub(crate) struct PlanBody {
    pub(crate) calls: Vec<Ask>,
}

/// The world.
pub(crate) struct World<'a> {
    pub(crate) program: &'a Program,
    pub(crate) read: &'a dyn Read,
    pub(crate) operations: &'a dyn Operations,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) steps: &'a dyn Steps,
    pub(crate) notes: &'a dyn Notes,
    pub(crate) ambient: Arc<Target>,
    /// The same for the other clouds that the program calls.
    pub(crate) others: Vec<Arc<Target>>,
    pub(crate) groups: &'a BTreeMap<String, Vec<Target>>,
    pub(crate) limits: &'a Limits,
    /// Run id and start; none while planning.
    pub(crate) run: Option<(&'a str, Timestamp)>,
    /// The instant that a plan takes for the start of its run.
    pub(crate) planned_at: Timestamp,
    pub(crate) memo: Mutex<HashMap<String, Known>>,
    /// When the earliest reading of each scope (`machines`, `again.1/machines`) began.
    pub(crate) began: Mutex<HashMap<String, Timestamp>>,
    pub(crate) resolved: Mutex<HashMap<Target, Arc<Target>>>,
    pub(crate) records: Mutex<HashMap<String, Arc<Record>>>,
    pub(crate) backoff: std::time::Duration,
    pub(crate) secrets: &'a dyn Secrets,
    /// Secrets that this process has looked up, by digest of where they are kept.
    pub(crate) revealed: Mutex<HashMap<Digest, Arc<Plain>>>,
}

/// The scope that a path belongs to: all up to the node's name.
pub(crate) fn scope_of(path: &str) -> &str {
    let from = match path.strip_prefix("again.").and_then(|r| r.find('/')) {
        Some(slash) => "again.".len() + slash + 1,
        None => 0,
    };
    let rest = path.get(from..).unwrap_or_default();
    let end = from + rest.find(['/', '[']).unwrap_or(rest.len());
    path.get(..end).unwrap_or(path)
}

struct Scene<'s, 'a> {
    world: &'s World<'a>,
    mode: Mode,
    target: &'s Arc<Target>,
    local: Option<&'s HashMap<String, Known>>,
    plan: Option<&'s mut PlanBody>,
    round: Round,
    blocked: bool,
}

impl Host for Scene<'_, '_> {
    fn call(&mut self, request: CallRequest<'_>) -> Reply {
        let CallRequest { path, call, arguments, target, catch, names } = request;
        if let Some(known) = self.local.and_then(|l| l.get(&path)).cloned() {
            return known.into();
        }
        if let Some(known) = lock(&self.world.memo).get(&path).cloned() {
            return known.into();
        }
        let target = self.world.place(&call.operation, target.unwrap_or_else(|| self.target.clone()));
        if call.changes {
            match (self.mode, self.plan.as_deref_mut()) {
                (Mode::PlanBody | Mode::Later, Some(plan)) => {
                    let hole = Value::Hole(Arc::from(path.as_str()));
                    // A block is gone through again once its readings are there.
                    if !plan.calls.iter().any(|known| known.path == path) {
                        plan.calls.push(Ask { path, call: call.clone(), arguments, target, catch, names });
                    }
                    return Reply::Value(hole);
                }
                (Mode::Body, _) => {
                    // One change at a time, and after the readings that stand before it.
                    if !self.blocked && self.round.asks.is_empty() {
                        self.round.asks.push(Ask { path, call: call.clone(), arguments, target, catch, names });
                    }
                    self.blocked = true;
                    return Reply::Pending;
                }
                _ => {
                    let words = format!("`{}` changes the world and does not stand in a step", call.operation);
                    return Reply::Failed(EvalError::new(words));
                }
            }
        }
        let unknown = arguments.values().any(Value::has_hole);
        let after_change = self.plan.as_ref().is_some_and(|p| !p.calls.is_empty());
        if unknown || after_change || self.mode == Mode::Later {
            return Reply::Value(Value::Hole(Arc::from(path.as_str())));
        }
        if !self.blocked {
            self.round.asks.push(Ask { path, call: call.clone(), arguments, target, catch, names });
        }
        Reply::Pending
    }

    fn fixed(&mut self, path: String, what: Fixed) -> Reply {
        if let Fixed::Targets(group) = &what {
            if let Some(known) = lock(&self.world.memo).get(&path).cloned() {
                return known.into();
            }
            self.round.groups.push(group.clone());
            return Reply::Pending;
        }
        // What started it says these, before anything is planned.
        if let Fixed::RunDue | Fixed::RunLast = &what {
            return lock(&self.world.memo).get(&path).cloned().map_or(Reply::Value(Value::None), Reply::from);
        }
        self.round.timed |= self.world.run.is_none() || matches!(what, Fixed::Now);
        match (&self.world.run, what) {
            (None, _) if self.plan.is_some() => Reply::Value(Value::Hole(Arc::from(path.as_str()))),
            (_, Fixed::Now) if self.plan.is_some() || self.mode == Mode::Later => {
                Reply::Value(Value::Hole(Arc::from(path.as_str())))
            }
            (None, Fixed::RunId) => Reply::Value(Value::Hole(Arc::from("run.id"))),
            (None, _) => Reply::Value(Value::Instant(self.world.planned_at)),
            (Some((run, _)), Fixed::RunId) => Reply::Value(Value::text(run)),
            (Some((_, started)), Fixed::RunStarted) => Reply::Value(Value::Instant(*started)),
            (Some(_), _) => {
                if let Some(known) = lock(&self.world.memo).get(&path).cloned() {
                    return known.into();
                }
                let now = self.world.clock.now();
                let value = Value::Instant(now);
                self.world.keep(&path, value.clone(), now);
                Reply::Value(value)
            }
        }
    }

    fn step(&mut self, step: &str, part: StepPart) -> Reply {
        Reply::Value(self.world.steps.part(step, part))
    }

    fn step_of(&mut self, step: &str, item: &Value) -> Reply {
        match self.world.steps.of(step, item) {
            Ok(value) => Reply::Value(value),
            Err(error) => Reply::Failed(error),
        }
    }

    fn pause(&mut self, request: PauseRequest<'_>) -> Reply {
        let PauseRequest { path, wait, time, names, target } = request;
        match self.mode {
            Mode::PlanBody | Mode::Later => Reply::Value(Value::None),
            Mode::Look => Reply::Failed(EvalError::new("nothing can be waited for here")),
            Mode::Body => {
                if lock(&self.world.memo).contains_key(&ended_key(&path, wait.is_some())) {
                    return Reply::Value(Value::None);
                }
                if !self.blocked && self.round.asks.is_empty() {
                    let (wait, target) = (wait.cloned().map(Arc::new), target.unwrap_or_else(|| self.target.clone()));
                    self.round.pause.get_or_insert(Pause { path, wait, time, names, target });
                }
                self.blocked = true;
                Reply::Pending
            }
        }
    }

    fn explores(&self) -> bool {
        matches!(self.mode, Mode::PlanBody | Mode::Later)
    }
}

/// What the path of a reading ends with that was of the moment.
const NOW: &str = "/now";

/// What is journaled once a `wait` or `sleep` is over.
pub(crate) fn ended_key(path: &str, wait: bool) -> String {
    format!("{path}/{}", if wait { "waited" } else { "slept" })
}

impl From<Known> for Reply {
    fn from(known: Known) -> Reply {
        match known {
            Known::Value(value) => Reply::Value(value),
            Known::Failed(error) => Reply::Failed(error),
        }
    }
}

impl<'a> World<'a> {
    /// Asks the evaluator once.
    pub(crate) fn round(
        &self,
        question: &Question<'_>,
        local: Option<&HashMap<String, Known>>,
        plan: Option<&mut PlanBody>,
    ) -> Result<Round, EvalError> {
        let mut scene = Scene {
            world: self,
            mode: question.mode,
            target: &question.target,
            local,
            plan,
            round: Round::default(),
            blocked: false,
        };
        let mut evaluator = Evaluator::new(self.program, &mut scene, question.scope.clone());
        evaluator = evaluator.skip_absent(question.skip_absent).among(question.bindings);
        let value = match question.what {
            What::Expr(expr) => evaluator.expr(expr),
            What::Block(block) => evaluator.block(block),
            What::Apply(lambda, value) => evaluator.apply(lambda, value.clone()),
        };
        let skipped = evaluator.into_skipped();
        let mut round = scene.round;
        round.value = value?;
        round.skipped = skipped;
        Ok(round)
    }

    /// Asks until it is answered, reading what it needs. What is read is kept.
    pub(crate) async fn answer(&self, question: &Question<'_>) -> Result<Round, EvalError> {
        let mut timed = false;
        for _ in 0..limits::MAX_ROUNDS {
            let mut round = self.round(question, None, None)?;
            timed |= round.timed;
            if round.value.is_some() {
                round.timed = timed;
                return Ok(round);
            }
            self.fill(&round).await?;
        }
        Err(EvalError::new("E0605: this asks the clouds over and over without coming to an end"))
    }

    /// The same for a question whose readings are of the moment: kept nowhere.
    pub(crate) async fn answer_now(&self, question: &Question<'_>) -> Result<Value, EvalError> {
        let mut local = HashMap::new();
        for _ in 0..limits::MAX_ROUNDS {
            let round = self.round(question, Some(&local), None)?;
            if let Some(value) = round.value {
                return Ok(value);
            }
            self.resolve_groups(&round.groups).await?;
            if round.asks.is_empty() && round.groups.is_empty() {
                break;
            }
            for ask in round.asks {
                let known = match self.read_once(&ask).await {
                    Ok(value) => Known::Value(value),
                    Err(error) => {
                        let failure = CallFailure::from(&error);
                        if matching_arm(&ask.catch, &failure).is_some() {
                            // Under a path that nobody asks for: it is of the moment.
                            self.notes.read_failed(&format!("{}{NOW}", ask.path), &failure, true);
                        }
                        Known::Failed(call_failed(&ask.call.operation, &failure))
                    }
                };
                local.insert(ask.path, known);
            }
        }
        Err(EvalError::new("E0605: this asks the clouds over and over without coming to an end"))
    }

    /// Makes the readings of one round side by side.
    pub(crate) async fn fill(&self, round: &Round) -> Result<(), EvalError> {
        if round.asks.is_empty() && round.groups.is_empty() {
            return Err(EvalError::new("this cannot be worked out here"));
        }
        self.resolve_groups(&round.groups).await?;
        self.read_all(&round.asks).await;
        Ok(())
    }

    /// Readings, so many at once; each is kept as it comes.
    pub(crate) async fn read_all(&self, asks: &[Ask]) {
        stream::iter(asks).for_each_concurrent(limits::READS_AT_ONCE, |ask| self.read_and_keep(ask)).await;
    }

    async fn read_and_keep(&self, ask: &Ask) {
        let began = self.clock.now();
        match self.read_once(ask).await {
            Ok(value) => self.keep(&ask.path, value, began),
            Err(error) => {
                let failure = CallFailure::from(&error);
                let caught = matching_arm(&ask.catch, &failure).is_some();
                self.notes.read_failed(&ask.path, &failure, caught);
                if caught {
                    self.began_at(&ask.path, began);
                }
                self.know_failed(&ask.path, &ask.call.operation, &failure);
            }
        }
    }

    /// Remembers that a reading failed.
    pub(crate) fn know_failed(&self, path: &str, operation: &str, failure: &CallFailure) {
        lock(&self.memo).insert(path.to_string(), Known::Failed(call_failed(operation, failure)));
    }

    /// Remembers what was fixed, and has it journaled.
    pub(crate) fn keep(&self, path: &str, value: Value, began: Timestamp) {
        self.notes.fixed(path, &value, began);
        self.know(path, value, began);
    }

    /// Remembers what is journaled already.
    pub(crate) fn know(&self, path: &str, value: Value, began: Timestamp) {
        self.began_at(path, began);
        lock(&self.memo).insert(path.to_string(), Known::Value(value));
    }

    /// Forgets answers that nobody asks for again.
    pub(crate) fn forget(&self, paths: &[String]) {
        let mut memo = lock(&self.memo);
        for path in paths {
            memo.remove(path);
        }
    }

    fn began_at(&self, path: &str, began: Timestamp) {
        let mut earliest = lock(&self.began);
        let scope = scope_of(path);
        match earliest.get_mut(scope) {
            Some(at) => *at = began.min(*at),
            None => drop(earliest.insert(scope.to_string(), began)),
        }
    }

    async fn read_once(&self, ask: &Ask) -> Result<Value, CallError> {
        let mut attempt = 0;
        loop {
            let result = async {
                let request = self.request(ask, None).await?;
                let (carried, target) = (secrets::carried(&request.arguments), request.target.clone());
                match self.pages(request).await {
                    Ok(answer) => Ok(self.read_from(ask, &target, secrets::covered(answer, &carried))),
                    Err(error) => Err(secrets::covered_error(error, &carried)),
                }
            };
            match result.await {
                Err(e) if e.kind.is_transient() && attempt < limits::READ_RETRIES => {
                    tokio::time::sleep(pause(self.backoff, attempt, e.retry_after)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// An answer whose secrets know how they are read again.
    fn read_from(&self, ask: &Ask, target: &Arc<Target>, answer: Value) -> Value {
        secrets::placed(answer, &|at, beside| {
            SecretFrom::Read(Box::new(SecretReading {
                operation: ask.call.operation.clone(),
                target: target.clone(),
                arguments: ask.arguments.clone(),
                reads: ask.call.reads.clone(),
                at,
                beside,
            }))
        })
    }

    pub(crate) async fn pages(&self, request: Request) -> Result<Value, CallError> {
        let limit = |what: &str, most: usize| {
            let words = format!(
                "E0602: the reading has more than {most} {what}: narrow it, or raise `{what}` under [limits] in escher.toml"
            );
            CallError::unsent(ErrorKind::Invalid, words)
        };
        let mut pages = self.read.read(request);
        let mut all: Option<Value> = None;
        for _ in 0..self.limits.pages {
            let Some(answer) = pages.next().await? else {
                return Ok(all.unwrap_or_else(|| Value::record([])));
            };
            all = Some(match all {
                None => answer.value,
                Some(before) => join(before, answer.value),
            });
            if all.as_ref().is_some_and(|all| elements(all) > self.limits.elements) {
                return Err(limit("elements", self.limits.elements));
            }
        }
        // The last page that is allowed may be the last that there is.
        match pages.next().await? {
            None => Ok(all.unwrap_or_else(|| Value::record([]))),
            Some(_) => Err(limit("pages", self.limits.pages)),
        }
    }

    /// A call, resolved.
    pub(crate) async fn request(&self, ask: &Ask, token: Option<String>) -> Result<Request, CallError> {
        let record = self.record(&ask.call.operation)?;
        Ok(Request {
            arguments: self.revealed(&ask.arguments, &record).await?,
            record,
            target: self.resolve(&ask.target).await?,
            reads: ask.call.reads.clone(),
            token,
            timeout: self.limits.call_timeout,
            patience: self.limits.call_timeout,
            permit: escher_provider::Permit::default(),
        })
    }

    /// The catalogue record that the program was compiled against.
    pub(crate) fn record(&self, operation: &str) -> Result<Arc<Record>, CallError> {
        if let Some(record) = lock(&self.records).get(operation) {
            return Ok(record.clone());
        }
        let record = self.operations.record(operation).ok_or_else(|| {
            CallError::unsent(ErrorKind::Invalid, format!("this catalogue has no operation `{operation}`"))
        })?;
        lock(&self.records).insert(operation.to_string(), record.clone());
        Ok(record)
    }

    /// Where a call of an operation runs: a place of another cloud is none for it.
    pub(crate) fn place(&self, operation: &str, target: Arc<Target>) -> Arc<Target> {
        let cloud = ambient::cloud_of(operation);
        if target.cloud == cloud {
            return target;
        }
        let known = std::iter::once(&self.ambient).chain(&self.others).find(|known| known.cloud == cloud);
        known.cloned().unwrap_or(target)
    }

    /// A target with account, region and endpoint filled in; each is asked for once.
    pub(crate) async fn resolve(&self, target: &Arc<Target>) -> Result<Arc<Target>, CallError> {
        if let Some(known) = lock(&self.resolved).get(&**target) {
            return Ok(known.clone());
        }
        let full = Arc::new(self.read.resolve((**target).clone()).await?);
        let mut resolved = lock(&self.resolved);
        resolved.insert((**target).clone(), full.clone());
        // What is resolved stays as it is.
        resolved.insert((*full).clone(), full.clone());
        Ok(full)
    }

    async fn resolve_groups(&self, groups: &[String]) -> Result<(), EvalError> {
        for group in groups {
            let Some(targets) = self.groups.get(group) else {
                return Err(EvalError::new(format!("the settings have no group of targets `{group}`")));
            };
            let mut values = Vec::with_capacity(targets.len());
            for target in targets {
                let full = self
                    .resolve(&Arc::new(target.clone()))
                    .await
                    .map_err(|e| EvalError::new(format!("cannot tell where a target of group `{group}` is: {e}")))?;
                values.push(Value::Target(full));
            }
            self.keep(&format!("targets.{group}"), Value::list(values), self.clock.now());
        }
        Ok(())
    }
}

/// The error that an expression ends with where a call failed.
pub(crate) fn call_failed(operation: &str, failure: &CallFailure) -> EvalError {
    let code = failure.code.as_ref().map(|c| format!("{c}: ")).unwrap_or_default();
    let mut error = EvalError::new(format!("{operation}: {code}{}", failure.message));
    error.call = Some(Box::new(failure.clone()));
    error
}

/// The pause before another attempt: twice as long each time, half of it by chance, never shorter than asked for.
pub(crate) fn pause(
    base: std::time::Duration,
    attempt: u32,
    retry_after: Option<std::time::Duration>,
) -> std::time::Duration {
    jittered(base.saturating_mul(1u32 << attempt.min(16)).min(limits::MAX_BACKOFF), retry_after)
}

/// Half of a pause by chance, and never shorter than asked for.
pub(crate) fn jittered(full: std::time::Duration, retry_after: Option<std::time::Duration>) -> std::time::Duration {
    let chance = crate::platform::random::<1>().map_or(128, |[b]| b);
    let jittered = full / 2 + (full / 2).mul_f64(f64::from(chance) / 255.0);
    jittered.max(retry_after.unwrap_or_default().min(limits::MAX_BACKOFF * 4))
}

/// The length of the longest list of an answer.
fn elements(answer: &Value) -> usize {
    match answer {
        Value::List(items) => items.len(),
        Value::Record(record) => record.members.iter().map(|(_, v)| elements(v)).max().unwrap_or(0),
        _ => 0,
    }
}

/// Two pages as one: lists of the second follow those of the first.
fn join(before: Value, after: Value) -> Value {
    match (before, after) {
        (Value::List(mut a), Value::List(b)) => {
            Arc::make_mut(&mut a).extend(b.iter().cloned());
            Value::List(a)
        }
        (Value::Record(mut a), Value::Record(b)) => {
            let record = Arc::make_mut(&mut a);
            for (name, value) in &b.members {
                match record.members.binary_search_by(|(n, _)| n.cmp(name)) {
                    Ok(at) => {
                        if let Some((_, mine)) = record.members.get_mut(at) {
                            *mine = join(std::mem::replace(mine, Value::None), value.clone());
                        }
                    }
                    Err(at) => record.members.insert(at, (name.clone(), value.clone())),
                }
            }
            Value::Record(a)
        }
        (before, _) => before,
    }
}
