//! A cloud that does nothing, at once: what is left of a run's time is the engine's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use escher_catalog::Waiter;
use escher_ir::value::Record;
use escher_ir::{Target, Value};
use escher_provider::{Answer, CallError, Change, Pages, Polled, Read, Request};
use futures_util::future::BoxFuture;

use crate::simulator::place;

/// The cloud.
#[derive(Debug)]
pub struct Noop {
    machines: usize,
    calls: AtomicUsize,
}

impl Noop {
    /// With so many machines, all running.
    pub fn new(machines: usize) -> Noop {
        Noop { machines, calls: AtomicUsize::new(0) }
    }

    /// Changes that it was asked for.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

const PAGE: usize = 1_000;

struct NoopPages {
    left: std::ops::Range<usize>,
    target: Arc<Target>,
}

impl NoopPages {
    fn machine(&self, number: usize) -> Value {
        let id = Value::text(format!("i-{number:017x}"));
        let mut record = Record::of([(Arc::from("instance_id"), id)]);
        record.shape = Some(Arc::from("aws.ec2.Instance"));
        record.target = Some(self.target.clone());
        Value::record([("instances", Value::list(vec![Value::Record(Arc::new(record))]))])
    }
}

impl Pages for NoopPages {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Answer>, CallError>> {
        let page: Vec<usize> = self.left.by_ref().take(PAGE).collect();
        let items: Vec<Value> = page.into_iter().map(|n| self.machine(n)).collect();
        let value = Value::record([("reservations", Value::list(items.clone()))]);
        let answer = (!items.is_empty()).then_some(Answer { value, request_id: None, server_time: None });
        Box::pin(async move { Ok(answer) })
    }
}

impl Read for Noop {
    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>> {
        let full = Target { read_role: target.read_role, change_role: target.change_role, ..place() };
        Box::pin(async move { Ok(full) })
    }

    fn read(&self, request: Request) -> Box<dyn Pages + '_> {
        Box::new(NoopPages { left: 0..self.machines, target: request.target.clone() })
    }

    fn poll<'a>(&'a self, _: &'a Waiter, _: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        Box::pin(async { Ok(Polled::Holds) })
    }
}

impl Change for Noop {
    fn change(&self, _: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let answer = Answer { value: Value::record([]), request_id: Some("req-noop".into()), server_time: None };
        Box::pin(async move { Ok(answer) })
    }
}
