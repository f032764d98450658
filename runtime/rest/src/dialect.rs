//! What a cloud has of its own.

use std::fmt::Debug;
use std::time::Duration;

use escher_catalog::Record;
use escher_ir::Target;
use escher_provider::CallError;
use futures_util::future::BoxFuture;
use reqwest::Url;

use crate::draft::Draft;
use crate::http::{Http, Reply};
use crate::ongoing::Ongoing;

/// What comes after an answer that is one page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The whole address of the next page.
    Link(String),
    /// A token for the input member of this official name; `body.pageToken` is a member of the body.
    Token(String, String),
}

/// What comes after an answer about something that takes time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It has ended, and this answer is the result.
    Done,
    /// It has ended, and there is nothing to read.
    Empty,
    /// It has ended, and the result is to be had here.
    Fetch(Url),
    /// It goes on: ask here, not before this time has passed.
    Ask(Url, Option<Duration>),
}

/// A cloud.
pub trait Dialect: Debug + Send + Sync + 'static {
    /// `azure` or `gcp`.
    fn cloud(&self) -> &'static str;

    /// Where calls of a service go: scheme, host and port.
    fn base(&self, record: &Record, target: &Target) -> Result<Url, CallError>;

    /// Host names, with their subdomains, that belong to this cloud as `base` does: answers may point there.
    fn also(&self) -> &'static [&'static str] {
        &[]
    }

    /// Adds what every call carries.
    fn dress(&self, record: &Record, target: &Target, draft: &mut Draft);

    /// The token of whoever calls; `fresh` where the one before was refused. In no error, log or debug output.
    fn token<'a>(&'a self, target: &'a Target, changes: bool, fresh: bool) -> BoxFuture<'a, Result<String, CallError>>;

    /// A target with account and endpoint filled in.
    fn resolve<'a>(&'a self, http: &'a Http, target: Target) -> BoxFuture<'a, Result<Target, CallError>>;

    /// What an answer with an error status says.
    fn refusal(&self, reply: &Reply) -> CallError;

    /// Why a good answer to a reading is not the whole one; none where it is.
    fn partial(&self, _reply: &Reply) -> Option<CallError> {
        None
    }

    /// What comes after a page.
    fn next(&self, record: &Record, reply: &Reply) -> Option<Next>;

    /// What comes after an answer about something that was begun.
    fn step(&self, ongoing: &mut Ongoing<'_>, reply: &Reply) -> Result<Step, CallError>;
}
