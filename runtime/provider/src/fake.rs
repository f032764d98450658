//! The recorded fake that tests use: a small world of instances, with a log of the changes that it was asked for.
//!
//! It keeps the promises of a provider (reads never change, `sent` tells the truth) and breaks down on request: with an
//! error, in the middle of a call, or for good. Knows one service with four operations; speaks no protocol.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use escher_catalog::{Class, Effect, Operation, Protocol, Provenance, Record, Repeat, Risk, ServiceMeta, Waiter};
use escher_ir::value::Record as Members;
use escher_ir::{Target, Value};
use futures_util::future::BoxFuture;

use crate::{Answer, CallError, Change, ErrorKind, Pages, Polled, Read, Request, Sent};

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Account and region.
    pub place: (String, String),
    /// `running` or `stopped`.
    pub state: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Transitions that it made, in order: `stopped`, `running`.
    pub transitions: Vec<String>,
}

/// How a call goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// With this error; where it says [`Sent::Maybe`], the change is made all the same.
    Error(CallError),
    /// The change is made, and its answer never comes.
    Hang,
}

/// A change that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// Full name.
    pub operation: String,
    /// Ids that it named.
    pub ids: Vec<String>,
    /// Its token.
    pub token: Option<String>,
    /// Whether it was refused.
    pub refused: bool,
}

#[derive(Default)]
struct State {
    instances: BTreeMap<String, Instance>,
    faults: HashMap<String, VecDeque<Fault>>,
    denied: Vec<String>,
    tokens: HashMap<String, Vec<String>>,
    arrived: Vec<Arrived>,
    reads: u64,
    created: u64,
}

/// The fake.
pub struct Fake {
    state: Mutex<State>,
    /// How long each call takes.
    pub delay: Duration,
    /// Items of one page.
    pub page: usize,
    /// By how many seconds its clock is ahead; none: it never says.
    pub ahead: Option<i64>,
}

impl Default for Fake {
    fn default() -> Fake {
        Fake { state: Mutex::default(), delay: Duration::ZERO, page: 1_000, ahead: None }
    }
}

/// Where everything in the fake is, unless it says otherwise.
pub fn place() -> Target {
    Target {
        cloud: "aws".into(),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        endpoint: Some("http://127.0.0.1:9".into()),
        read_role: None,
        change_role: None,
    }
}

/// The names of the fake's operations, each with how it may be repeated.
pub fn operations() -> Vec<(&'static str, Repeat)> {
    vec![
        ("describe_instances", Repeat::Read),
        ("stop_instances", Repeat::Idempotent),
        ("start_instances", Repeat::Idempotent),
        ("run_instance", Repeat::Token("ClientToken".into())),
        ("create_copy", Repeat::Unsafe),
    ]
}

/// The catalogue record of one of the fake's operations, by full name (`aws.ec2.stop_instances`).
pub fn record(operation: &str) -> Option<Arc<Record>> {
    let name = operation.strip_prefix("aws.ec2.")?;
    let (_, repeat) = operations().into_iter().find(|(n, _)| *n == name)?;
    let (effect, risk) = match &repeat {
        Repeat::Read => (Effect::Observe, Risk::Read),
        Repeat::Idempotent => (Effect::Interrupt, Risk::Medium),
        _ => (Effect::Create, Risk::Low),
    };
    let text = |t: &str| Arc::<str>::from(t);
    let service = ServiceMeta {
        cloud: text("aws"),
        name: text("ec2"),
        service_id: text("EC2"),
        full_name: text("Amazon Elastic Compute Cloud"),
        api_version: text("2016-11-15"),
        protocol: Protocol::Ec2Query,
        protocols: vec![Protocol::Ec2Query],
        endpoint_prefix: text("ec2"),
        signing_name: text("ec2"),
        signature_version: text("v4"),
        target_prefix: None,
        xml_namespace: None,
    };
    let operation = Operation {
        official: text(name),
        name: text(name),
        method: text("POST"),
        uri: text("/"),
        input: None,
        input_wire_name: None,
        input_xml_namespace: None,
        output: None,
        output_wrapper: None,
        errors: Vec::new(),
        paging: None,
        host_prefix: None,
        unsigned: false,
        unsigned_payload: false,
        checksum_required: false,
        deprecated: false,
        static_context: Vec::new(),
        input_context: Vec::new(),
        api_version: None,
        upload: None,
        download: false,
        completion: None,
        class: Class { effects: vec![effect], risk, repeat, provenance: Provenance::Curated, reason: None },
    };
    Some(Arc::new(Record { service, operation, shapes: Vec::new() }))
}

impl Fake {
    /// `count` running machines, `i-0000` and on, all with `env: dev`.
    pub fn with_instances(count: usize) -> Fake {
        let fake = Fake::default();
        for n in 0..count {
            fake.add(&format!("i-{n:04}"), "running", &[("env", "dev")]);
        }
        fake
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a machine.
    pub fn add(&self, id: &str, state: &str, tags: &[(&str, &str)]) {
        self.add_at(id, state, tags, &place());
    }

    /// Adds a machine in another account or region.
    pub fn add_at(&self, id: &str, state: &str, tags: &[(&str, &str)], at: &Target) {
        let instance = Instance {
            place: (at.account.clone(), at.region.clone()),
            state: state.to_string(),
            tags: tags.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            transitions: Vec::new(),
        };
        self.lock().instances.insert(id.to_string(), instance);
    }

    /// Somebody else changes a machine.
    pub fn set_state(&self, id: &str, state: &str) {
        if let Some(instance) = self.lock().instances.get_mut(id) {
            instance.state = state.to_string();
        }
    }

    /// A machine as it is.
    pub fn instance(&self, id: &str) -> Option<Instance> {
        self.lock().instances.get(id).cloned()
    }

    /// All machines.
    pub fn instances(&self) -> BTreeMap<String, Instance> {
        self.lock().instances.clone()
    }

    /// The next call of an operation goes wrong; faults of one operation are used up in order.
    pub fn fault(&self, operation: &str, fault: Fault) {
        self.lock().faults.entry(operation.to_string()).or_default().push_back(fault);
    }

    /// Every change that names this machine is refused for want of rights.
    pub fn deny(&self, id: &str) {
        self.lock().denied.push(id.to_string());
    }

    /// Changes that arrived, in order.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.lock().arrived.clone()
    }

    /// Number of readings.
    pub fn reads(&self) -> u64 {
        self.lock().reads
    }

    fn list(&self, request: &Request) -> Vec<Value> {
        let mut state = self.lock();
        state.reads += 1;
        let here = |i: &&Instance| (&i.place.0, &i.place.1) == (&request.target.account, &request.target.region);
        let wanted = request.arguments.get("instance_ids").and_then(Value::as_list).map(<[Value]>::to_vec);
        let named = |id: &str| wanted.as_ref().is_none_or(|ids| ids.iter().any(|v| v.as_str() == Some(id)));
        let all = state.instances.iter().filter(|(id, i)| here(i) && named(id));
        let text = |t: &str| Value::text(t);
        all.map(|(id, instance)| {
            let tags = Value::map(instance.tags.iter().map(|(k, v)| (k.as_str(), text(v))));
            let members = [("instance_id", text(id)), ("state", text(&instance.state)), ("tags", tags)];
            let mut record = Members::of(members.into_iter().map(|(n, v)| (Arc::from(n), v)));
            record.shape = Some(Arc::from("aws.ec2.Instance"));
            record.target = Some(request.target.clone());
            Value::Record(Arc::new(record))
        })
        .collect()
    }

    fn apply(&self, request: &Request) -> Result<Value, CallError> {
        let name = request.record.operation.name.to_string();
        let ids: Vec<String> = match request.arguments.get("instance_ids") {
            Some(Value::List(ids)) => ids.iter().filter_map(|v| v.as_str()).map(str::to_string).collect(),
            _ => Vec::new(),
        };
        let refused = |code: &str, kind: ErrorKind| CallError {
            code: Some(code.into()),
            request_id: Some("req-refused".into()),
            sent: Sent::Refused,
            ..CallError::unsent(kind, "the fake refuses this")
        };
        let mut state = self.lock();
        let denied = ids.iter().any(|id| state.denied.contains(id));
        let missing = ids.iter().any(|id| !state.instances.contains_key(id));
        state.arrived.push(Arrived {
            operation: name.clone(),
            ids: ids.clone(),
            token: request.token.clone(),
            refused: denied || missing,
        });
        if denied {
            return Err(refused("UnauthorizedOperation", ErrorKind::Denied));
        }
        if missing {
            return Err(refused("InvalidInstanceID.NotFound", ErrorKind::Missing));
        }
        let to = match name.as_str() {
            "stop_instances" => "stopped",
            "start_instances" => "running",
            _ => {
                if let Some(made) = request.token.as_ref().and_then(|t| state.tokens.get(t)).cloned() {
                    return Ok(Value::record([("instance_id", Value::text(made.join(",")))]));
                }
                let id = format!("n-{:04}", state.created);
                state.created += 1;
                let mut tags = BTreeMap::new();
                if let Some(source) = request.arguments.get("source").and_then(Value::as_str) {
                    tags.insert("source".to_string(), source.to_string());
                }
                let place = (request.target.account.clone(), request.target.region.clone());
                let made = Instance { place, state: "new".into(), tags, transitions: vec!["created".into()] };
                state.instances.insert(id.clone(), made);
                if let Some(token) = &request.token {
                    state.tokens.insert(token.clone(), vec![id.clone()]);
                }
                return Ok(Value::record([("instance_id", Value::text(id))]));
            }
        };
        for id in &ids {
            if let Some(instance) = state.instances.get_mut(id)
                && instance.state != to
            {
                instance.state = to.to_string();
                instance.transitions.push(to.to_string());
            }
        }
        Ok(Value::record([("changed", Value::Int(i64::try_from(ids.len()).unwrap_or(i64::MAX)))]))
    }
}

struct FakePages<'f> {
    fake: &'f Fake,
    request: Option<Request>,
    left: Option<VecDeque<Value>>,
}

impl Pages for FakePages<'_> {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Answer>, CallError>> {
        Box::pin(async move {
            if let Some(request) = self.request.take() {
                let fault = {
                    let name = request.record.operation.name.to_string();
                    self.fake.lock().faults.get_mut(&name).and_then(VecDeque::pop_front)
                };
                if let Some(Fault::Error(error)) = fault {
                    return Err(error);
                }
                if !matches!(request.record.operation.class.repeat, Repeat::Read) {
                    return Err(CallError::unsent(ErrorKind::Invalid, "this is no read"));
                }
                self.left = Some(self.fake.list(&request).into());
            }
            let Some(left) = &mut self.left else { return Ok(None) };
            let page: Vec<Value> = left.drain(..left.len().min(self.fake.page.max(1))).collect();
            if left.is_empty() {
                self.left = None;
            }
            let value = Value::record([("instances", Value::list(page))]);
            Ok(Some(Answer { value, request_id: Some("req-read".into()), server_time: None }))
        })
    }
}

impl Read for Fake {
    fn ahead(&self) -> Option<i64> {
        self.ahead
    }

    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>> {
        let here = place();
        let or = |given: String, known: String| if given.is_empty() { known } else { given };
        let full = Target {
            cloud: or(target.cloud, here.cloud),
            account: or(target.account, here.account),
            region: or(target.region, here.region),
            endpoint: target.endpoint.or(here.endpoint),
            read_role: target.read_role,
            change_role: target.change_role,
        };
        Box::pin(async move { Ok(full) })
    }

    fn read(&self, request: Request) -> Box<dyn Pages + '_> {
        Box::new(FakePages { fake: self, request: Some(request), left: None })
    }

    fn poll<'a>(&'a self, _: &'a Waiter, request: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        Box::pin(async move {
            let stopped = Value::text("stopped");
            let holds = |v: &Value| v.as_record().and_then(|r| r.get("state")) == Some(&stopped);
            let all = self.list(&request).iter().all(holds);
            Ok(if all { Polled::Holds } else { Polled::NotYet })
        })
    }
}

/// A future that is pending `0` times more than it was asked: leaves other tasks a turn without a timer.
async fn turn(times: u32) {
    let mut left = times;
    futures_util::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

impl Change for Fake {
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        Box::pin(async move {
            turn(if self.delay.is_zero() { 1 } else { 50 }).await;
            let name = request.record.operation.name.to_string();
            let fault = self.lock().faults.get_mut(&name).and_then(VecDeque::pop_front);
            match fault {
                Some(Fault::Error(error)) => {
                    if error.sent == Sent::Maybe {
                        self.apply(&request)?;
                    }
                    return Err(error);
                }
                Some(Fault::Hang) => {
                    self.apply(&request)?;
                    return futures_util::future::pending().await;
                }
                None => {}
            }
            let value = self.apply(&request)?;
            Ok(Answer { value, request_id: Some(format!("req-{name}")), server_time: None })
        })
    }
}
