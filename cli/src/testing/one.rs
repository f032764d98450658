//! One test, statement by statement.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use escher_core::{CheckedTest, ExprId, MockAnswer, Span, TestKind, TestStatement};
use escher_engine::{
    Clock, Confirm, Engine, EngineError, Gate, PlanOptions, RunOptions, RunReport, SqliteStore, outcome_word,
};
use escher_eval::{Evaluator, NoHost};
use escher_ir::program::{Builtin, Expr, Program};
use escher_ir::secret::Plain;
use escher_ir::{Target, Value, json};
use jiff::{SignedDuration, Timestamp};

use super::actions::{self, MockedAction, Names};
use super::cloud::{MockCloud, Mocked, place};

/// When a test begins that does not say.
const BEGIN: &str = "2026-01-01T00:00:00Z";

/// Why a test failed, and where.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) span: Span,
    pub(super) message: String,
    /// More about it, a line each.
    pub(super) more: Vec<String>,
}

/// A clock that stands still, but for what the run itself waits, and a nanosecond each time that it is looked at: of two
/// readings one is later.
struct TestClock {
    begun: Mutex<(Timestamp, tokio::time::Instant)>,
    looks: AtomicI64,
}

impl TestClock {
    fn new() -> TestClock {
        let begin = BEGIN.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        TestClock { begun: Mutex::new((begin, tokio::time::Instant::now())), looks: AtomicI64::new(0) }
    }

    fn set(&self, to: Timestamp) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = (to, tokio::time::Instant::now());
        self.looks.store(0, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let (begun, at) = *self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = SignedDuration::try_from(at.elapsed()).unwrap_or_default();
        let looks = SignedDuration::from_nanos(self.looks.fetch_add(1, Ordering::SeqCst));
        begun.checked_add(waited + looks).unwrap_or(begun)
    }
}

/// A program of a playbook, by the file that it stands in and its name; and what its functions are called.
pub(super) type Programs<'a> = dyn Fn(usize, &str) -> Option<(Arc<Program>, Names)> + 'a;

pub(super) async fn run(test: &CheckedTest, programs: &Programs<'_>) -> Result<(), Failed> {
    let one = One {
        test,
        programs,
        cloud: MockCloud::default(),
        clock: Arc::new(TestClock::new()),
        locals: BTreeMap::new(),
        actions: Vec::new(),
        ended: None,
    };
    one.all().await
}

struct One<'a> {
    test: &'a CheckedTest,
    programs: &'a Programs<'a>,
    cloud: MockCloud,
    clock: Arc<TestClock>,
    locals: BTreeMap<String, Value>,
    /// Actions that don't ask the cloud.
    actions: Vec<MockedAction>,
    /// How the last run ended, where it did not end well.
    ended: Option<String>,
}

impl One<'_> {
    async fn all(mut self) -> Result<(), Failed> {
        for statement in &self.test.statements {
            self.statement(statement).await?;
        }
        Ok(())
    }

    async fn statement(&mut self, statement: &TestStatement) -> Result<(), Failed> {
        let span = statement.span;
        match &statement.kind {
            TestKind::At(instant) => {
                if let Value::Instant(at) = self.value(*instant, span)? {
                    self.clock.set(at);
                }
            }
            TestKind::Mock(mock) => {
                let mut arguments = BTreeMap::new();
                for (name, id) in &mock.arguments {
                    arguments.insert(name.clone(), self.value(*id, span)?);
                }
                let mut answers = Vec::new();
                for answer in &mock.answers {
                    answers.push(match answer {
                        MockAnswer::Value(id) => Ok(self.value(*id, span)?),
                        MockAnswer::Fail(code) => Err(code.clone()),
                    });
                }
                self.cloud.mock(Mocked { operation: mock.operation.clone(), arguments, answers, used: 0 });
            }
            TestKind::MockAction(mock) => {
                let mut arguments = Vec::new();
                for (at, id) in &mock.arguments {
                    arguments.push((*at, self.value(*id, span)?));
                }
                let answer = self.value(mock.answer, span)?;
                self.actions.push(MockedAction { action: mock.action.clone(), arguments, answer });
            }
            TestKind::CrashAfter(operation) => self.cloud.crash_after(operation),
            TestKind::Fail { operation, code, on } => self.cloud.fail(operation, code, *on),
            TestKind::Let(name, id) => {
                let value = self.value(*id, span)?;
                self.locals.insert(name.clone(), value);
            }
            TestKind::Run { name, file, playbook, arguments } => {
                let mut given = BTreeMap::new();
                for (param, id) in arguments {
                    given.insert(param.clone(), placed(self.value(*id, span)?));
                }
                let (program, names) = (self.programs)(*file, playbook)
                    .ok_or_else(|| failed(span, format!("`{playbook}` has errors, and cannot be run")))?;
                let program = actions::mocked(program, &names, &self.actions);
                let outcome = self.playbook(program, given).await.map_err(|e| failed(span, e.to_string()))?;
                if let Some(operation) = self.cloud.unmocked().first() {
                    let told = failed(span, format!("no mock answers `{operation}`"));
                    return Err(Failed {
                        more: vec![format!("write `mock {operation} => {{ … }}` above this")],
                        ..told
                    });
                }
                self.ended = ended(&outcome);
                if let Some(name) = name {
                    self.locals.insert(name.clone(), outcome);
                }
            }
            TestKind::Expect { condition, sides } => {
                let holds = self.value(*condition, span)?;
                if holds != Value::Bool(true) {
                    let mut more = Vec::new();
                    if let Some((left, right)) = sides {
                        more.push(format!("left:  {}", json::to_text(&self.value(*left, span)?)));
                        more.push(format!("right: {}", json::to_text(&self.value(*right, span)?)));
                    }
                    more.extend(self.ended.clone());
                    return Err(Failed { more, ..failed(span, "this does not hold") });
                }
            }
        }
        Ok(())
    }

    fn value(&self, id: ExprId, span: Span) -> Result<Value, Failed> {
        let expr = self.test.expressions.get(id).ok_or_else(|| failed(span, "this cannot be worked out"))?;
        let mut nobody = NoHost;
        let mut evaluator = Evaluator::new(&self.test.program, &mut nobody, "test");
        for (name, value) in &self.locals {
            evaluator.bind(name.clone(), value.clone());
        }
        match evaluator.expr(expr) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(failed(span, "this cannot be worked out in a test")),
            Err(error) => Err(failed(span, error.to_string())),
        }
    }

    /// Plans and runs a playbook, and resumes it where the test lets the process die.
    async fn playbook(&self, program: Arc<Program>, mut given: BTreeMap<String, Value>) -> Result<Value, EngineError> {
        self.cloud.take_calls();
        for param in &program.playbook.params {
            let here = Value::Target(Arc::new(place()));
            let places = match &param.default {
                Some(Expr::Builtin(Builtin::Targets, _)) => Value::list(vec![here]),
                Some(Expr::Builtin(Builtin::OneTarget, _)) => here,
                _ => continue,
            };
            given.entry(param.name.clone()).or_insert(places);
        }
        let engine = Engine::new(Arc::new(SqliteStore::in_memory()?)).with_clock(self.clock.clone());
        let engine = engine.with_secrets(Arc::new(NoSecrets));
        // What a mocked action gives may say no place: it is here.
        let mut options = PlanOptions::new("test", place());
        // What a list came from is asked again before each step, so that `then […]` can show what changed meanwhile.
        options.recheck_after = Duration::ZERO;
        let planned = match engine.plan(program, given, &self.cloud, &options).await {
            Ok(planned) => planned,
            Err(error) => return self.outcome(None, Some(error)),
        };
        let mut options = RunOptions::new("test", Gate { sandbox: true, ..Gate::default() });
        options.confirm = Confirm::Yes;
        options.settle = Duration::ZERO;
        let mut crashed = false;
        loop {
            let going = async {
                match crashed {
                    false => engine.run(&planned.run, &self.cloud, &options).await,
                    true => engine.resume(&planned.run, &self.cloud, &options).await,
                }
            };
            tokio::select! {
                biased;
                report = going => {
                    return match report {
                        Ok(report) => self.outcome(Some(&report), None),
                        Err(error) => self.outcome(None, Some(error)),
                    };
                }
                // The process is gone; another one goes on when its lease has run out.
                () = self.cloud.crash.notified() => {
                    crashed = true;
                    tokio::time::advance(options.lease + Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// What a run did, as a test sees it. A store that fails is no outcome of the playbook's.
    fn outcome(&self, report: Option<&RunReport>, error: Option<EngineError>) -> Result<Value, EngineError> {
        let (mut status, mut message, mut refused) = ("failed", Value::None, Value::None);
        match error {
            Some(EngineError::Refused(why)) => {
                status = "refused";
                refused = Value::text(&why.reason);
            }
            Some(error @ (EngineError::Store(_) | EngineError::Codec(_) | EngineError::Usage(_))) => return Err(error),
            Some(error) => message = Value::text(error.to_string()),
            None => {}
        }
        let mut lists: BTreeMap<&str, BTreeMap<String, Vec<Value>>> = BTreeMap::new();
        if let Some(report) = report {
            status = report.standing.word();
            message = report.message.as_ref().map_or(Value::None, Value::text);
            for item in &report.items {
                let list = match outcome_word(item.outcome) {
                    "done" | "unchanged" => "items",
                    "skipped" => "skipped",
                    _ => "failed",
                };
                let thing = self.cloud.thing(&item.item.kind, &item.item.id);
                lists.entry(list).or_default().entry(item.step.clone()).or_default().push(thing);
            }
        }
        let (calls, order) = self.cloud.take_calls();
        let by_name = |lists: Option<&BTreeMap<String, Vec<Value>>>| {
            Value::map(lists.into_iter().flatten().map(|(n, v)| (n.as_str(), Value::list(v.clone()))))
        };
        Ok(Value::record([
            ("items", by_name(lists.get("items"))),
            ("failed", by_name(lists.get("failed"))),
            ("skipped", by_name(lists.get("skipped"))),
            ("calls", by_name(Some(&calls))),
            ("order", Value::list(order)),
            ("report", Value::text(report.map(text).unwrap_or_default())),
            ("status", Value::text(status)),
            ("message", message),
            ("refused", refused),
            ("value", report.and_then(|r| r.value.clone()).unwrap_or(Value::None)),
        ]))
    }
}

/// Why a run did not end well, in words.
fn ended(outcome: &Value) -> Option<String> {
    let record = outcome.as_record()?;
    let said = |name: &str| record.get(name).and_then(Value::as_str);
    match (said("refused"), said("message")) {
        (Some(why), _) => Some(format!("the run was refused: {why}")),
        (None, Some(why)) => Some(format!("the run ended as `{}`: {why}", said("status").unwrap_or_default())),
        (None, None) => None,
    }
}

/// Places that a test names, as its cloud has them.
fn placed(value: Value) -> Value {
    match value {
        Value::Target(given) => {
            let or = |given: &str, known: String| if given.is_empty() { known } else { given.to_string() };
            let (given, here) = (&*given, place());
            Value::Target(Arc::new(Target {
                cloud: or(&given.cloud, here.cloud),
                account: or(&given.account, here.account),
                region: given.region.clone(),
                endpoint: given.endpoint.clone().or(here.endpoint),
                ..given.clone()
            }))
        }
        Value::List(values) => Value::list(values.iter().cloned().map(placed).collect()),
        value => value,
    }
}

fn failed(span: Span, message: impl Into<String>) -> Failed {
    Failed { span, message: message.into(), more: Vec::new() }
}

/// A report as plain text: titles, texts, and the cells of tables, a row a line.
fn text(report: &RunReport) -> String {
    let mut lines = Vec::new();
    for part in &report.report {
        lines.extend(part.title.clone());
        shown(&part.value, &mut lines);
    }
    lines.join("\n")
}

fn shown(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::List(parts) => parts.iter().for_each(|p| shown(p, lines)),
        Value::Record(record) => match record.get("rows") {
            Some(Value::List(rows)) => lines.extend(rows.iter().map(|row| {
                let cells = row.as_list().map(<[Value]>::to_vec).unwrap_or_else(|| vec![row.clone()]);
                cells.iter().map(json::to_text).collect::<Vec<_>>().join("  ")
            })),
            _ => lines.push(json::to_text(value)),
        },
        other => lines.push(json::to_text(other)),
    }
}

/// The places that secrets are kept in, of a test: there are none, and a test that passes elsewhere passes here.
struct NoSecrets;

impl escher_engine::Secrets for NoSecrets {
    fn env(&self, _: &str) -> Result<Plain, String> {
        Ok(Plain::text("a secret of a test"))
    }

    fn file(&self, _: &str) -> Result<Plain, String> {
        Ok(Plain::text("a secret of a test"))
    }

    fn made_up(&self) -> Option<Plain> {
        Some(Plain::text("a secret of a test"))
    }
}
