//! Pages of a reading: the next token out of one answer and into the next request.
//!
//! Ends where the service says so, where a token repeats itself, and in any case after [`MAX_PAGES`]: a server that ignores
//! paging must not keep a run busy for ever. This module does *not* know any service.

use std::collections::{BTreeMap, HashSet};

use escher_catalog::ShapeId;
use escher_catalog::model::{Paging, ShapeKind};
use escher_ir::{Record, Value};
use escher_provider::{Answer, CallError, ErrorKind, Pages, Request, Sent};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use std::sync::Arc;

use crate::client::{Client, readable};
use crate::path;
use crate::schema::Plan;

/// More pages than any list that a playbook should read at once.
pub const MAX_PAGES: u32 = 20_000;

/// A reading in progress.
pub(crate) struct Paged<'c> {
    client: &'c Client,
    request: Request,
    pages: u32,
    /// Tokens that were sent, to notice a circle.
    seen: HashSet<String>,
    /// The token that the last request carried.
    last: Option<String>,
    done: bool,
}

impl<'c> Paged<'c> {
    pub(crate) fn new(client: &'c Client, request: Request) -> Paged<'c> {
        Paged { client, request, pages: 0, seen: HashSet::new(), last: None, done: false }
    }

    async fn page(&mut self) -> Result<Option<Answer>, CallError> {
        if self.done {
            return Ok(None);
        }
        // Whatever goes wrong, nothing follows.
        self.done = true;
        let plan = readable(&self.request)?;
        let received = self.client.reading(plan, &self.request).await.map_err(|r| r.error)?;
        self.pages += 1;
        let Request { reads, target, .. } = &self.request;
        let value = match &plan.record.operation.paging {
            None => received.value(plan, reads, target)?,
            Some(paging) => {
                let paths = paging.output_tokens.iter().chain(&paging.more_results).map(|p| &**p);
                let (value, beside) = received.page(plan, reads, target, &path::reach(paths))?;
                self.advance(plan, paging, &beside)?;
                value
            }
        };
        Ok(Some(Answer { value, request_id: received.request_id(), server_time: received.server_time() }))
    }

    /// Prepares the request of the next page, if there is one, by what this answer holds at its top.
    fn advance(&mut self, plan: &'static Plan, paging: &Paging, answer: &Value) -> Result<(), CallError> {
        let tokens = next_tokens(plan, paging, answer);
        if tokens.is_empty() {
            return Ok(());
        }
        let print = format!("{tokens:?}");
        if self.last.as_ref() == Some(&print) {
            // Some services end their lists with the token that they were given.
            return Ok(());
        }
        if !self.seen.insert(print.clone()) {
            return Err(broken("the service repeats its pages"));
        }
        if self.pages >= MAX_PAGES {
            return Err(broken("the list has too many pages: narrow the request"));
        }
        self.last = Some(print);
        for name in &paging.input_tokens {
            // A token of several parts may lose one from page to page.
            if let Some(member) = member_name(plan, name) {
                self.request.arguments.remove(&member);
            }
        }
        self.request.arguments.extend(tokens);
        self.done = false;
        Ok(())
    }
}

impl Pages for Paged<'_> {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Answer>, CallError>> {
        self.page().boxed()
    }
}

fn broken(what: &str) -> CallError {
    CallError {
        kind: ErrorKind::Unknown,
        code: None,
        message: what.into(),
        request_id: None,
        sent: Sent::Refused,
        retry_after: None,
    }
}

fn member_name(plan: &Plan, official: &str) -> Option<String> {
    plan.root().members.iter().find(|(m, _)| &*m.official == official).map(|(m, _)| m.name.to_string())
}

/// Arguments of the next page; empty where this was the last.
pub(crate) fn next_tokens(plan: &'static Plan, paging: &Paging, answer: &Value) -> BTreeMap<String, Value> {
    let mut tokens = BTreeMap::new();
    if let Some(more) = &paging.more_results
        && path::search(more, answer) != Json::Bool(true)
    {
        return tokens;
    }
    for (name, from) in paging.input_tokens.iter().zip(&paging.output_tokens) {
        let Some((member, _)) = plan.root().members.iter().find(|(m, _)| m.official == *name) else { continue };
        let value = if path::is_plain(from) {
            path::plain(from, answer).cloned().unwrap_or(Value::None)
        } else {
            path::search(from, answer).as_str().map_or(Value::None, Value::text)
        };
        let empty = match &value {
            Value::None => true,
            Value::String(text) => text.is_empty(),
            Value::Map(map) => map.is_empty(),
            Value::Record(record) => record.members.is_empty(),
            Value::List(items) => items.is_empty(),
            _ => false,
        };
        if !empty {
            tokens.insert(member.name.to_string(), to_language(plan, member.shape, &value));
        }
    }
    tokens
}

/// A token with structure (DynamoDB's key of the last item) in the words that arguments are written in.
fn to_language(plan: &Plan, id: ShapeId, value: &Value) -> Value {
    let Some(shape) = plan.record.shape(id) else { return value.clone() };
    match (&shape.kind, value) {
        (ShapeKind::Structure(members) | ShapeKind::Union(members), Value::Record(record)) => {
            let renamed = record.members.iter().filter_map(|(name, value)| {
                let member = members.iter().find(|m| m.official == *name)?;
                Some((Arc::clone(&member.name), to_language(plan, member.shape, value)))
            });
            Value::Record(Arc::new(Record::of(renamed)))
        }
        (ShapeKind::Map { value: id, .. }, Value::Map(map)) => {
            Value::Map(Arc::new(map.iter().map(|(k, v)| (Arc::clone(k), to_language(plan, *id, v))).collect()))
        }
        (ShapeKind::List { item, .. }, Value::List(items)) => {
            Value::list(items.iter().map(|v| to_language(plan, *item, v)).collect())
        }
        _ => value.clone(),
    }
}
