//! What the practice clouds that speak JSON over REST share: calls, answers, and the way from a path to an operation.
//!
//! Paths come from the catalogue. A function sees parameters and a body, never HTTP.

pub(crate) mod check;
pub(crate) mod route;

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::Service;
use escher_catalog::model::Operation;
use serde_json::Value as Json;

use crate::world::things::Word;
use crate::world::{Transition, World};

/// One call.
pub(crate) struct Call<'a> {
    /// Milliseconds since the epoch.
    pub(crate) now: i64,
    /// Parameters of the path, by the names of the API.
    pub(crate) path: BTreeMap<String, String>,
    /// Parameters of the query, by the names of the API.
    pub(crate) query: BTreeMap<String, String>,
    /// Body; `null` where there is none.
    pub(crate) body: &'a Json,
    /// The path as it came.
    pub(crate) raw: &'a str,
    /// What the catalogue says of the operation.
    pub(crate) description: Option<(&'a Service, &'a Operation)>,
    /// Milliseconds that the answer may wait; then the call is looked at once more.
    pub(crate) pause: i64,
    /// Scheme and host by which the caller knows the practice cloud.
    pub(crate) base: &'a str,
    /// What changed.
    pub(crate) transitions: Vec<Transition>,
}

impl Call<'_> {
    /// A parameter of the path; empty where the path has none of this name.
    pub(crate) fn of_path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A parameter of the query, where it is given.
    pub(crate) fn of_query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Notes a change of state.
    pub(crate) fn moved(&mut self, resource: &Arc<str>, from: Option<Word>, to: Word, settles: Option<Word>) {
        self.transitions.push(Transition { resource: resource.clone(), from, to, settles });
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// `null` is no body.
    pub(crate) body: Json,
}

impl Answer {
    pub(crate) fn ok(body: Json) -> Answer {
        Answer { status: 200, headers: Vec::new(), body }
    }

    pub(crate) fn of(status: u16, headers: Vec<(&'static str, String)>) -> Answer {
        Answer { status, headers, body: Json::Null }
    }
}

/// A refusal, in neutral words; each cloud writes it in its own form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, code, message: message.into() }
    }
}

/// One operation.
pub(crate) type Handler = fn(&mut World, &mut Call<'_>) -> Result<Answer, Refusal>;
