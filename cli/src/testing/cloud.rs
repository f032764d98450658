//! The cloud of a test: answers what the test says, notes what is done, sends nothing anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use escher_catalog::Waiter;
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::{Answer, CallError, Change, ErrorKind, Pages, Polled, Read, Request, Sent};
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use super::shapes::{self, Seen};

/// A mock, with its values worked out.
#[derive(Clone, Debug)]
pub(super) struct Mocked {
    pub(super) operation: String,
    pub(super) arguments: BTreeMap<String, Value>,
    pub(super) answers: Vec<Result<Value, String>>,
    pub(super) used: usize,
}

#[derive(Default)]
struct State {
    mocks: Vec<Mocked>,
    /// Failures of the n-th call, counted from the statement that asks for them.
    failures: Vec<(String, String, u64)>,
    crash_after: Option<String>,
    calls: Vec<(String, Value)>,
    unmocked: BTreeSet<String>,
    seen: Seen,
    changes: u64,
}

/// The cloud.
#[derive(Default)]
pub(super) struct MockCloud {
    state: Mutex<State>,
    /// The process is to die now.
    pub(super) crash: Notify,
}

/// Where everything in a test is. Its endpoint is one of a practice cloud, which a throw-away key may approve for; nothing
/// ever calls it.
pub(super) fn place() -> Target {
    Target {
        cloud: "aws".into(),
        account: "123456789012".into(),
        region: "us-east-1".into(),
        endpoint: Some("http://127.0.0.1:9".into()),
        ..Target::default()
    }
}

impl MockCloud {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn mock(&self, mock: Mocked) {
        self.lock().mocks.push(mock);
    }

    pub(super) fn fail(&self, operation: &str, code: &str, on: u64) {
        self.lock().failures.push((operation.into(), code.into(), on));
    }

    pub(super) fn crash_after(&self, operation: &str) {
        self.lock().crash_after = Some(operation.into());
    }

    /// Changes that were sent since the last time this was asked: by operation, and the operations in their order.
    pub(super) fn take_calls(&self) -> (BTreeMap<String, Vec<Value>>, Vec<Value>) {
        let mut by_operation: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut order = Vec::new();
        for (operation, arguments) in std::mem::take(&mut self.lock().calls) {
            order.push(Value::text(&operation));
            by_operation.entry(operation).or_default().push(arguments);
        }
        (by_operation, order)
    }

    /// Reads that no mock answered.
    pub(super) fn unmocked(&self) -> BTreeSet<String> {
        self.lock().unmocked.clone()
    }

    /// What an item was.
    pub(super) fn thing(&self, kind: &str, id: &str) -> Value {
        self.lock().seen.thing(kind, id)
    }
}

impl State {
    /// The answer of a mock; nothing where none stands for this call.
    fn answer(&mut self, request: &Request) -> Option<Result<Value, CallError>> {
        let operation = request.record.name();
        let due = self.failures.iter_mut().find(|(o, _, left)| *o == operation && *left > 0);
        if let Some((_, code, left)) = due {
            *left -= 1;
            if *left == 0 {
                return Some(Err(failure(code)));
            }
        }
        let fits = |m: &Mocked| {
            m.operation == operation && m.arguments.iter().all(|(n, v)| request.arguments.get(n) == Some(v))
        };
        // What names arguments comes first, then what was written last.
        let best = self.mocks.iter_mut().enumerate().filter(|(_, m)| fits(m));
        let (_, mock) = best.max_by_key(|(at, m)| (m.arguments.len(), *at))?;
        let at = mock.used.min(mock.answers.len().saturating_sub(1));
        mock.used += 1;
        Some(match mock.answers.get(at)? {
            Ok(value) => {
                let whole = shapes::answer(&request.record, value, &Projection::All, &request.target);
                self.seen.note(&whole);
                Ok(shapes::answer(&request.record, value, &request.reads, &request.target))
            }
            Err(code) => Err(failure(code)),
        })
    }
}

/// The error that a code or a kind stands for.
fn failure(code: &str) -> CallError {
    const KINDS: [ErrorKind; 7] = [
        ErrorKind::Missing,
        ErrorKind::Denied,
        ErrorKind::Conflict,
        ErrorKind::Throttled,
        ErrorKind::Unreachable,
        ErrorKind::Timeout,
        ErrorKind::Invalid,
    ];
    let (kind, code) = match KINDS.into_iter().find(|k| k.word() == code) {
        Some(kind) => (kind, None),
        None => (escher_aws::kind_of(code), Some(code.to_string())),
    };
    CallError { code, sent: Sent::Refused, ..CallError::unsent(kind, "the test says so") }
}

fn answered(value: Value) -> Answer {
    Answer { value, request_id: None, server_time: None }
}

struct OnePage {
    page: Option<Result<Value, CallError>>,
}

impl Pages for OnePage {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Answer>, CallError>> {
        let page = self.page.take().transpose();
        Box::pin(async move { page.map(|p| p.map(answered)) })
    }
}

impl Read for MockCloud {
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
        let mut state = self.lock();
        let page = state.answer(&request).unwrap_or_else(|| {
            let operation = request.record.name();
            state.unmocked.insert(operation.clone());
            Err(CallError::unsent(ErrorKind::Invalid, format!("no mock answers `{operation}`")))
        });
        Box::new(OnePage { page: Some(page) })
    }

    /// What a test waits for has come to hold: how long a cloud takes is not what is tested.
    fn poll<'a>(&'a self, _: &'a Waiter, request: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        let answer = self.lock().answer(&request);
        Box::pin(async move {
            match answer {
                Some(Err(error)) => Err(error),
                _ => Ok(Polled::Holds),
            }
        })
    }
}

impl Change for MockCloud {
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        let mut state = self.lock();
        let operation = request.record.name();
        state.calls.push((operation.clone(), shapes::arguments(&request.record, &request.arguments)));
        state.changes += 1;
        let answer = state.answer(&request).unwrap_or_else(|| {
            let made = shapes::made_up(&request.record, &request.reads, &request.target, state.changes);
            Ok(made)
        });
        let dies = answer.is_ok() && state.crash_after.as_ref() == Some(&operation);
        if dies {
            state.crash_after = None;
            self.crash.notify_one();
        }
        Box::pin(async move {
            if dies {
                // The change is made, and nobody is there any more to hear of it.
                return futures_util::future::pending().await;
            }
            answer.map(answered)
        })
    }
}
