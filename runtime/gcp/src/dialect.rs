//! What Google Cloud has of its own: hosts, tokens, pages, lists that lack a part.

use escher_catalog::Record;
use escher_ir::Target;
use escher_provider::{CallError, ErrorKind, Sent, clean};
use escher_rest::{Dialect, Draft, Http, Next, Ongoing, Place, Reply, Step, Url};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::credentials::Chain;
use crate::{credentials, errors, ongoing, project};

/// What the command line and the settings may say; everything else comes from the environment and Google's own files.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where all services answer.
    pub endpoint: Option<String>,
    /// A practice cloud: called with a token that means nothing, whatever the environment holds.
    pub practice: bool,
}

impl Options {
    /// For a practice cloud at this endpoint.
    pub fn practice(endpoint: impl Into<String>) -> Options {
        Options { endpoint: Some(endpoint.into()), practice: true }
    }
}

/// Google Cloud.
#[derive(Debug)]
pub struct Gcp {
    options: Options,
    chain: Chain,
}

impl Gcp {
    pub(crate) fn new(options: Options) -> Gcp {
        Gcp { options, chain: Chain::default() }
    }

    /// Where all services answer, where that is set.
    fn set(&self, target: &Target) -> Result<Option<Place>, CallError> {
        let address = self.options.endpoint.as_ref().or(target.endpoint.as_ref());
        address.map(|address| Place::of(address)).transpose()
    }

    fn practice(&self, target: &Target) -> Result<bool, CallError> {
        Ok(self.options.practice || self.set(target)?.is_some_and(|place| place.practice))
    }
}

/// The part of a list that says whether it is the whole one.
#[derive(Deserialize)]
struct Whole {
    #[serde(default)]
    unreachable: Vec<String>,
    #[serde(default)]
    unreachables: Vec<String>,
    warning: Option<Warning>,
}

#[derive(Deserialize)]
struct Warning {
    code: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "nextPageToken")]
    token: Option<String>,
}

impl Dialect for Gcp {
    fn cloud(&self) -> &'static str {
        "gcp"
    }

    fn base(&self, record: &Record, target: &Target) -> Result<Url, CallError> {
        match self.set(target)? {
            Some(place) => Ok(place.url),
            None => Place::of(&format!("https://{}", record.service.endpoint_prefix)).map(|place| place.url),
        }
    }

    fn dress(&self, _: &Record, target: &Target, draft: &mut Draft) {
        // The rights of a person are counted against a project of theirs.
        if !self.practice(target).unwrap_or(true)
            && let Some(project) = credentials::quota_project()
        {
            draft.headers.push(("x-goog-user-project".into(), project));
        }
    }

    fn token<'a>(&'a self, target: &'a Target, changes: bool, fresh: bool) -> BoxFuture<'a, Result<String, CallError>> {
        let role = if changes { &target.change_role } else { &target.read_role };
        async move {
            match self.practice(target)? {
                true => Ok(credentials::PRACTICE.into()),
                false => self.chain.token(role.as_deref(), fresh).await,
            }
        }
        .boxed()
    }

    fn resolve<'a>(&'a self, _: &'a Http, mut target: Target) -> BoxFuture<'a, Result<Target, CallError>> {
        async move {
            if target.endpoint.is_none() {
                target.endpoint.clone_from(&self.options.endpoint);
            }
            if target.account.is_empty() {
                target.account = project::chosen(self.practice(&target)?)?;
            }
            project::check(&target.account)?;
            Ok(target)
        }
        .boxed()
    }

    fn refusal(&self, reply: &Reply) -> CallError {
        errors::refusal(reply)
    }

    fn partial(&self, reply: &Reply) -> Option<CallError> {
        let whole: Whole = reply.json()?;
        let missing = [whole.unreachable, whole.unreachables].concat();
        let warned = whole.warning.filter(|w| matches!(w.code.as_deref(), Some("UNREACHABLE" | "PARTIAL_SUCCESS")));
        if missing.is_empty() && warned.is_none() {
            return None;
        }
        let said = warned.and_then(|w| w.message).unwrap_or_default();
        let shown = missing.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
        Some(CallError {
            kind: ErrorKind::Unreachable,
            code: Some("UNREACHABLE".into()),
            message: clean(&format!("the list is not whole: {shown}{}{said}", if shown.is_empty() { "" } else { " " })),
            request_id: None,
            sent: Sent::Refused,
            retry_after: None,
        })
    }

    fn next(&self, record: &Record, reply: &Reply) -> Option<Next> {
        let token = reply.json::<Page>()?.token.filter(|token| !token.is_empty())?;
        let member = record.operation.paging.as_ref()?.input_tokens.first()?;
        Some(Next::Token(member.to_string(), token))
    }

    fn step(&self, ongoing: &mut Ongoing<'_>, reply: &Reply) -> Result<Step, CallError> {
        ongoing::step(ongoing, reply)
    }
}
