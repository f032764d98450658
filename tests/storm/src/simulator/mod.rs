//! A cloud in memory: machines, volumes and snapshots with states that take time, behind the provider's traits.
//!
//! What happens to a request depends on the seed, the request and how often it came before, not on the order in which
//! different requests arrive. A request that has left arrives, whatever becomes of the process that sent it. Its log of
//! effects is what a storm is judged by. Speaks no protocol: the practice cloud does that.

mod fate;
mod operations;
mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use escher_catalog::{Repeat, Waiter};
use escher_ir::{Target, Value};
use escher_provider::{Answer, CallError, Change, ErrorKind, Pages, Polled, Read, Request};
pub use fate::{Chaos, Fate};
use futures_util::future::BoxFuture;
pub use world::{Effect, Machine, Snapshot, Volume, World};

use crate::random::{Random, hash};

/// The simulated cloud. Clones share one world.
#[derive(Clone)]
pub struct Simulator {
    seed: u64,
    chaos: Chaos,
    world: Arc<Mutex<World>>,
    seen: Arc<Mutex<BTreeMap<u64, u64>>>,
}

/// The account, region and endpoint at hand.
pub fn place() -> Target {
    Target {
        cloud: "aws".into(),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        endpoint: Some("http://127.0.0.1:9".into()),
        ..Target::default()
    }
}

/// What is told of a request that is refused, or whose answer does not come.
pub(crate) fn trouble(kind: ErrorKind, code: &str, sent: escher_provider::Sent) -> CallError {
    CallError {
        code: Some(code.into()),
        request_id: Some("req-sim".into()),
        sent,
        ..CallError::unsent(kind, "the simulator does as its seed says")
    }
}

impl Simulator {
    /// A cloud with this world, in which so much goes wrong.
    pub fn new(seed: u64, chaos: Chaos, world: World) -> Simulator {
        Simulator { seed, chaos, world: Arc::new(Mutex::new(world)), seen: Arc::default() }
    }

    /// The world as it is.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to this request, and the numbers that depend on nothing else.
    fn fate(&self, request: &Request) -> (Fate, Random) {
        let operation = &request.record.operation.name;
        let arguments: Vec<String> =
            request.arguments.iter().map(|(n, v)| format!("{n}={}", escher_ir::json::to_json(v))).collect();
        let key = hash(self.seed, &format!("{operation}?{}", arguments.join("&")));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let count = seen.entry(key).or_insert(0);
        *count += 1;
        let mut random = Random::of(key, &count.to_string());
        let reads = matches!(request.record.operation.class.repeat, Repeat::Read);
        (self.chaos.draw(&mut random, reads), random)
    }
}

/// The pages of one reading, and where the trouble begins.
struct SimulatedPages {
    simulator: Simulator,
    request: Option<Request>,
    left: Vec<Value>,
    member: &'static str,
    breaks: Option<CallError>,
}

impl Pages for SimulatedPages {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Answer>, CallError>> {
        Box::pin(async move {
            if let Some(request) = self.request.take() {
                let (fate, mut random) = self.simulator.fate(&request);
                tokio::time::sleep(Duration::from_millis(random.below(200))).await;
                self.breaks = fate.of_reading();
                if let (Some(error), true) = (&self.breaks, random.percent(50)) {
                    return Err(error.clone());
                }
                (self.member, self.left) = operations::read(&mut self.simulator.world(), &request)?;
                self.left.reverse();
                if self.left.is_empty() {
                    return Ok(Some(page(self.member, Vec::new())));
                }
            } else if let Some(error) = self.breaks.take() {
                // In the middle of the pages.
                return Err(error);
            }
            let size = self.simulator.chaos.page.max(1).min(self.left.len());
            let mut items = self.left.split_off(self.left.len() - size);
            items.reverse();
            Ok((!items.is_empty()).then(|| page(self.member, items)))
        })
    }
}

fn page(member: &str, items: Vec<Value>) -> Answer {
    Answer {
        value: Value::record([(member, Value::list(items))]),
        request_id: Some("req-read".into()),
        server_time: None,
    }
}

impl Read for Simulator {
    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>> {
        let here = place();
        let or = |given: String, known: String| if given.is_empty() { known } else { given };
        let full = Target {
            cloud: or(target.cloud, here.cloud),
            account: or(target.account, here.account),
            region: or(target.region, here.region),
            endpoint: target.endpoint.or(here.endpoint),
            ..target
        };
        Box::pin(async move { Ok(full) })
    }

    fn read(&self, request: Request) -> Box<dyn Pages + '_> {
        let (simulator, left) = (self.clone(), Vec::new());
        Box::new(SimulatedPages { simulator, request: Some(request), left, member: "", breaks: None })
    }

    fn poll<'a>(&'a self, waiter: &'a Waiter, request: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        Box::pin(async move {
            let (fate, mut random) = self.fate(&request);
            tokio::time::sleep(Duration::from_millis(random.below(200))).await;
            match fate.of_reading() {
                Some(error) => Err(error),
                None => operations::poll(&mut self.world(), &waiter.name, &request),
            }
        })
    }
}

/// A change in a line.
fn told(request: &Request) -> String {
    let arguments = request.arguments.iter().map(|(name, value)| format!("{name}={}", escher_ir::json::to_json(value)));
    let arguments: Vec<String> = arguments.collect();
    let token = request.token.as_ref().map(|token| format!(" token {token}")).unwrap_or_default();
    format!("{} {}{token}", request.record.name(), arguments.join(" "))
}

impl Change for Simulator {
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        Box::pin(async move {
            let (fate, mut random) = self.fate(&request);
            self.world().sent.push(told(&request));
            if let Some(error) = fate.before_arrival() {
                return Err(error);
            }
            // On its way: nobody takes it back, not even the end of the process that sent it.
            let (way, world) = (Duration::from_millis(random.below(3_000)), self.world.clone());
            let (sender, answer) = tokio::sync::oneshot::channel();
            tokio::spawn(async move {
                tokio::time::sleep(way).await;
                let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = sender.send(operations::change(&mut world, &request));
            });
            let answer = answer.await.unwrap_or_else(|_| Err(Fate::Unavailable.before_arrival().unwrap()));
            match fate {
                Fate::Lost if answer.is_ok() => Err(Fate::lost()),
                Fate::Silent => futures_util::future::pending().await,
                _ => answer.map(|value| Answer { value, request_id: Some("req-sim".into()), server_time: None }),
            }
        })
    }
}
