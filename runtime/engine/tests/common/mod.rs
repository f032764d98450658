//! A playbook by hand (stop machines, in batches or one by one), a fake cloud, a store, keys.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use escher_catalog::{Record, Risk, Waiter};
use escher_engine::{
    AllowedSigners, ApproveOptions, Clock, Engine, EngineError, Gate, Operations, PlanOptions, Planned, RunOptions,
    RunReport, SigningKey, SqliteStore, StateStore,
};
use escher_ir::operation::record_digest;
use escher_ir::program::*;
use escher_ir::{EDITION, Target, Type, Value};
use escher_provider::fake::{self, Fake};
use jiff::{SignedDuration, Timestamp};

pub struct FakeOperations;

impl Operations for FakeOperations {
    fn record(&self, operation: &str) -> Option<Arc<Record>> {
        fake::record(operation)
    }
    fn waiter(&self, _: &str, _: &str, name: &str) -> Option<Arc<Waiter>> {
        let text = Arc::<str>::from(name);
        Some(Arc::new(Waiter {
            official: text.clone(),
            name: text.clone(),
            operation: text,
            delay: 1,
            max_attempts: 3,
            acceptors: Vec::new(),
        }))
    }
}

/// A clock that a test sets.
#[derive(Clone)]
pub struct TestClock(pub Arc<Mutex<Timestamp>>);

impl TestClock {
    pub fn new() -> TestClock {
        TestClock(Arc::new(Mutex::new("2026-11-21T08:00:00Z".parse().unwrap())))
    }
    pub fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now += SignedDuration::from_secs(seconds);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub fn local(name: &str) -> Expr {
    Expr::Local(name.into())
}
pub fn lit(value: Value) -> Expr {
    Expr::Literal(value)
}
pub fn int(n: i64) -> Expr {
    lit(Value::Int(n))
}
pub fn text(t: &str) -> Expr {
    lit(Value::text(t))
}
pub fn member(base: Expr, name: &str) -> Expr {
    Expr::Member { base: Box::new(base), name: name.into(), optional: false }
}
pub fn seconds(n: i64) -> Expr {
    lit(Value::Duration(SignedDuration::from_secs(n)))
}
pub fn equal(a: Expr, b: Expr) -> Expr {
    Expr::Binary(BinaryOp::Equal, Box::new(a), Box::new(b))
}
pub fn lambda(param: &str, body: Expr) -> Expr {
    Expr::Lambda { params: vec![param.into()], body: Box::new(body) }
}
pub fn method(base: Expr, method: Method, arguments: Vec<Expr>) -> Expr {
    Expr::Method { base: Box::new(base), method, arguments }
}
pub fn call(site: &str, operation: &str, arguments: Vec<(&str, Expr)>, changes: bool) -> Call {
    Call {
        site: site.into(),
        operation: format!("aws.ec2.{operation}"),
        arguments: arguments.into_iter().map(|(n, e)| (n.to_string(), e)).collect(),
        changes,
        reads: Projection::All,
        catch: Vec::new(),
        probe: None,
    }
}
pub fn describe(site: &str) -> Expr {
    let call = call(site, "describe_instances", vec![], false);
    member(Expr::Call(Arc::new(call)), "instances")
}
pub fn node(id: &str, after: &[&str], kind: NodeKind) -> Node {
    Node { id: id.into(), doc: None, after: after.iter().map(|a| a.to_string()).collect(), kind }
}

/// Machines that run and have `env: dev`.
pub fn running() -> Expr {
    let is_running = equal(member(local("m"), "state"), text("running"));
    let env = Expr::Index { base: Box::new(member(local("m"), "tags")), index: Box::new(text("env")) };
    let is_dev = equal(env, text("dev"));
    let both = Expr::Binary(BinaryOp::And, Box::new(is_running), Box::new(is_dev));
    method(describe("describe_instances"), Method::Filter, vec![lambda("m", both)])
}

pub fn batch_ids() -> Expr {
    method(local("batch"), Method::Map, vec![lambda("x", member(local("x"), "instance_id"))])
}

pub fn identity() -> Identity {
    Identity::Member { kind: "aws.ec2.Instance".into(), member: "instance_id".into() }
}

/// `step stop for batch in machines by N { stop_instances(...) } undo { start_instances(...) }`
pub fn batch_step(by: i64) -> Step {
    let stop = call("stop_instances", "stop_instances", vec![("instance_ids", batch_ids())], true);
    let start = call("start_instances", "start_instances", vec![("instance_ids", batch_ids())], true);
    let mut step = single_step();
    step.each = Some(Each {
        variable: "batch".into(),
        list: local("machines"),
        by: Some(int(by)),
        identity: identity(),
        sources: vec!["machines".into(), "require.1".into()],
        from_step: None,
    });
    step.body = Block { nodes: vec![], value: Some(Box::new(Expr::Call(Arc::new(stop)))) };
    step.undo = Some(Block { nodes: vec![], value: Some(Box::new(Expr::Call(Arc::new(start)))) });
    step
}

/// `step stop for m in machines { stop_instances([m.id]) } undo { start_instances([m.id]) }`
pub fn single_step() -> Step {
    let one = || vec![("instance_ids", Expr::List(vec![member(local("m"), "instance_id")]))];
    let stop = call("stop_instances", "stop_instances", one(), true);
    let start = call("start_instances", "start_instances", one(), true);
    Step {
        name: "stop".into(),
        title: Some(text("Stop the machines")),
        each: Some(Each {
            variable: "m".into(),
            list: local("machines"),
            by: None,
            identity: identity(),
            sources: vec!["machines".into(), "require.1".into()],
            from_step: None,
        }),
        max: vec![Bound { value: local("limit"), of: None, per: None }],
        max_at_most: 1_000,
        at_once: int(2),
        tolerate: Some(int(0)),
        retry: int(0),
        timeout: seconds(60),
        when: None,
        unless: None,
        otherwise: None,
        may_repeat: false,
        temporary: false,
        after: vec![],
        body: Block { nodes: vec![], value: Some(Box::new(Expr::Call(Arc::new(stop)))) },
        rollback: None,
        undo: Some(Block { nodes: vec![], value: Some(Box::new(Expr::Call(Arc::new(start)))) }),
        catch: vec![],
        risk: Risk::High,
    }
}

/// The call of a step's body.
pub fn body_call(step: &mut Step) -> &mut Call {
    match step.body.value.as_deref_mut() {
        Some(Expr::Call(call)) => Arc::make_mut(call),
        _ => panic!("a call"),
    }
}

pub fn program(steps: Vec<Step>) -> Program {
    let count = method(local("machines"), Method::Count, vec![]);
    let some = Expr::Binary(BinaryOp::Greater, Box::new(count), Box::new(int(0)));
    let otherwise = Some(text("nothing is running"));
    let mut nodes = vec![
        node("machines", &[], NodeKind::Let { name: "machines".into(), value: running() }),
        node("require.1", &["machines"], NodeKind::Require { condition: some, otherwise }),
    ];
    let mut before = "require.1".to_string();
    let mut last = before.clone();
    for step in steps {
        let name = step.name.clone();
        nodes.push(node(&name, &["machines", &before], NodeKind::Step(Box::new(step))));
        before = name.clone();
        last = name;
    }
    let items = Expr::StepResult { step: last.clone(), part: StepPart::Items };
    let title = Some(text("Stopped"));
    let report = NodeKind::Report { title, body: Block { nodes: vec![], value: Some(Box::new(items.clone())) } };
    nodes.push(node("report.1", &[&last], report));
    let returned = method(items, Method::Count, vec![]);
    nodes.push(node("return.1", &["report.1"], NodeKind::Return { value: Some(returned) }));
    let operations = fake::operations().into_iter().map(|(name, repeat)| {
        let name = format!("aws.ec2.{name}");
        let record = fake::record(&name).unwrap();
        let class = &record.operation.class;
        let used = OperationUse {
            record: record_digest(&record).unwrap(),
            effects: class.effects.clone(),
            risk: class.risk,
            repeat,
        };
        (name, used)
    });
    Program {
        edition: EDITION,
        playbook: Playbook {
            name: "stop_dev_vms".into(),
            doc: None,
            params: vec![Param {
                name: "limit".into(),
                doc: None,
                ty: Type::Int { min: Some(1), max: Some(1_000) },
                default: Some(int(500)),
            }],
            returns: Type::INT,
            risk: Risk::High,
            declared_risk: Risk::High,
            approval: Some(Approval { by: "manager".into(), of: 1, valid_seconds: 86_400 }),
            blast_radius: Some(1_000),
            freeze_exempt: false,
            body: Block { nodes, value: None },
        },
        functions: BTreeMap::new(),
        operations: operations.collect(),
        waiters: Default::default(),
    }
}

/// A key that `ssh-keygen` would read.
pub fn key(seed: u8) -> SigningKey {
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
    let key = ssh_key::PrivateKey::from(pair);
    SigningKey::parse(key.to_openssh(ssh_key::LineEnding::LF).unwrap().as_bytes(), || None).unwrap()
}

/// Mara (key 1, and 11) and Ben (key 2) are managers; Eve (key 3) is not.
pub fn gate() -> Gate {
    let line = |who: &str, seed: u8| format!("{who} {}\n", key(seed).public_line().unwrap());
    let file = line("mara", 1) + &line("mara", 11) + &line("ben", 2) + &line("eve", 3);
    Gate {
        signers: AllowedSigners::parse(&file).unwrap(),
        roles: BTreeMap::from([("manager".to_string(), vec!["mara".to_string(), "ben".to_string()])]),
        ..Gate::default()
    }
}

pub struct Bench {
    pub folder: tempfile::TempDir,
    pub clock: TestClock,
    pub engine: Engine,
    pub program: Arc<Program>,
}

pub fn open(path: &std::path::Path) -> Arc<dyn StateStore> {
    Arc::new(SqliteStore::open(path).unwrap())
}

impl Bench {
    pub fn new(program: Program) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let engine = Bench::engine_on(open(&folder.path().join("state")), &clock);
        Bench { folder, clock, engine, program: Arc::new(program) }
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn engine_on(store: Arc<dyn StateStore>, clock: &TestClock) -> Engine {
        Engine::new(store).with_operations(Arc::new(FakeOperations)).with_clock(Arc::new(clock.clone()))
    }

    pub async fn try_plan(&self, fake: &Fake) -> Result<Planned, EngineError> {
        let ambient = Target { cloud: "aws".into(), ..Target::default() };
        let options = PlanOptions::new("otto", ambient);
        self.engine.plan(self.program.clone(), BTreeMap::new(), fake, &options).await
    }

    pub async fn plan(&self, fake: &Fake) -> Planned {
        self.try_plan(fake).await.unwrap()
    }

    pub fn approve(&self, run: &str) {
        let options = ApproveOptions { principal: "mara".into(), comment: "go".into() };
        self.engine.approve(run, &key(1), &options, &gate()).unwrap();
    }

    pub fn options(&self) -> RunOptions {
        let mut options = RunOptions::new("otto", gate());
        options.backoff = Duration::from_millis(1);
        options.settle = Duration::ZERO;
        options
    }

    /// Plan, approve, run.
    pub async fn all(&self, fake: &Fake) -> RunReport {
        let planned = self.plan(fake).await;
        self.approve(&planned.run);
        let report = self.engine.run(&planned.run, fake, &self.options()).await.unwrap();
        assert_eq!(self.engine.show(&planned.run).unwrap(), report, "what was journaled is what is told");
        report
    }
}

pub fn count(report: &RunReport, outcome: escher_ir::journal::Outcome) -> u64 {
    report.totals().get(&outcome).copied().unwrap_or(0)
}

pub fn refusal(error: EngineError) -> String {
    match error {
        EngineError::Refused(refused) => refused.reason,
        other => panic!("not a refusal: {other}"),
    }
}

/// `stop` the machines; `let stopped = …`, which only that can give; `approve` by a manager within a week; `start` those.
pub fn staged() -> Program {
    let mut program = program(vec![single_step()]);
    let end = program.playbook.body.nodes.split_off(3);
    let state = equal(member(local("m"), "state"), text("stopped"));
    let stopped = method(describe("describe_instances"), Method::Filter, vec![lambda("m", state)]);
    let count = method(local("stopped"), Method::Count, vec![]);
    let question = Expr::Text(vec![
        TextPart::Literal("Start ".into()),
        TextPart::Hole(count),
        TextPart::Literal(" again?".into()),
    ]);
    let mut start = single_step();
    std::mem::swap(&mut start.body, start.undo.as_mut().unwrap());
    start.name = "start".into();
    let each = start.each.as_mut().unwrap();
    (each.list, each.sources) = (local("stopped"), vec!["stopped".into()]);
    start.max = vec![Bound { value: int(100), of: None, per: None }];
    let approval = Approval { by: "manager".into(), of: 1, valid_seconds: 7 * 86_400 };
    program.playbook.body.nodes.extend([
        node("stopped", &["stop"], NodeKind::Let { name: "stopped".into(), value: stopped }),
        node("approve.1", &["stopped"], ask(question, approval)),
        node("start", &["approve.1"], NodeKind::Step(Box::new(start))),
    ]);
    for mut node in end {
        if node.after == ["stop"] {
            node.after = vec!["start".into()];
        }
        program.playbook.body.nodes.push(node);
    }
    program
}

pub fn ask(question: Expr, approval: Approval) -> NodeKind {
    NodeKind::Approve(Box::new(Approve { question, approval, show: None }))
}

/// The same, and another `approve`, below which what was started is stopped `again`.
pub fn twice_staged() -> Program {
    let mut program = staged();
    let end = program.playbook.body.nodes.split_off(6);
    let mut again = single_step();
    again.name = "again".into();
    let each = again.each.as_mut().unwrap();
    each.list = Expr::StepResult { step: "start".into(), part: StepPart::Items };
    (each.sources, each.from_step) = (vec![], Some("start".into()));
    let approval = Approval { by: "manager".into(), of: 1, valid_seconds: 86_400 };
    program.playbook.body.nodes.extend([
        node("approve.2", &["start"], ask(text("Stop them again?"), approval)),
        node("again", &["approve.2"], NodeKind::Step(Box::new(again))),
    ]);
    for mut node in end {
        if node.after == ["start"] {
            node.after = vec!["again".into()];
        }
        program.playbook.body.nodes.push(node);
    }
    program
}

impl Bench {
    /// Approves the rest of a run that waits.
    pub fn approve_rest(&self, run: &str) {
        assert!(self.engine.waiting(run).unwrap().is_some(), "it waits");
        self.approve(run);
    }
}
