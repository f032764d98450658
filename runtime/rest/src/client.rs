//! The client of a cloud that speaks JSON over REST: readings, pages, changes and the wait for what they begin.
//!
//! Readings are tried again as the clouds' own SDKs do; a change is sent once, and its error says how far it got. A call that
//! begins something has ended when that has.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use escher_catalog::Waiter;
use escher_ir::{Target, Value};
use escher_provider::retry::{self, Attempts};
use escher_provider::{Answer, CallError, Change, ErrorKind, Pages, Permit, Polled, Read, Request, Sent, clean};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value as Json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::dialect::{Dialect, Next, Step};
use crate::draft::{self, Draft};
use crate::http::{self, Http, MAX_BODY, Outgoing, Reply};
use crate::ongoing::Ongoing;
use crate::paging::Paged;
use crate::read::Reader;

/// Attempts of a reading, as the clouds' own SDKs make them.
const ATTEMPTS: u32 = 4;

/// What may be set for a client.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Largest answer that is read, in bytes; [`MAX_BODY`] where it is not set.
    pub max_body: Option<usize>,
}

/// A client for all of a cloud. Cheap to make: nothing is looked up or connected before the first call.
#[derive(Debug)]
pub struct Client<D> {
    pub(crate) http: Http,
    pub(crate) dialect: D,
    ahead: AtomicI64,
    resolved: Mutex<HashMap<Target, Target>>,
}

impl<D: Dialect> Client<D> {
    /// A client that speaks a dialect.
    pub fn new(dialect: D, options: &Options) -> Client<D> {
        Client {
            http: Http::reading(options.max_body.unwrap_or(MAX_BODY)),
            dialect,
            ahead: AtomicI64::new(i64::MIN),
            resolved: Mutex::default(),
        }
    }

    /// One page of a reading, tried again where that may help.
    pub(crate) async fn reading(&self, request: &Request, next: Option<&Next>) -> Result<Reply, CallError> {
        self.ours(request)?;
        let record = &request.record;
        if record.operation.class.changes() {
            let message = format!("{} changes something and can't be called as a reading", record.name());
            return Err(CallError::unsent(ErrorKind::Invalid, message));
        }
        let base = self.dialect.base(record, &request.target)?;
        let mut draft = self.draft(request)?;
        let url = match next {
            Some(Next::Link(link)) => http::within(&base, link, self.dialect.also())?,
            Some(Next::Token(member, token)) => {
                follow(&mut draft, member, token);
                address(&base, &draft)?
            }
            None => address(&base, &draft)?,
        };
        let mut attempts = Attempts::new(ATTEMPTS);
        loop {
            let error = match self.exchange(request, &draft, url.clone(), false).await {
                Ok(reply) => match self.dialect.partial(&reply) {
                    None => return Ok(reply),
                    Some(error) => error,
                },
                Err((_, Some(reply))) if is_question(record, &reply) => return Ok(reply),
                Err((error, _)) => error,
            };
            match attempts.pause(&error, retry::chance()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    /// What the program reads of an answer.
    pub(crate) fn answer(&self, request: &Request, reply: &Reply) -> Result<Answer, CallError> {
        let record = &request.record;
        let value = if &*record.operation.method == "HEAD" {
            // Whether it is there is all that the answer says.
            Value::Bool((200..300).contains(&reply.status))
        } else {
            let read = Reader::new(record, Some(&request.target)).output(&reply.body, &request.reads);
            read.map_err(|error| unreadable(reply, &error))?
        };
        Ok(Answer { value, request_id: request_id(reply), server_time: reply.server_time() })
    }

    fn ours(&self, request: &Request) -> Result<(), CallError> {
        let cloud = &*request.record.service.cloud;
        if cloud == self.dialect.cloud() {
            return Ok(());
        }
        let message = format!("{} was given to the client of `{}`", request.record.name(), self.dialect.cloud());
        Err(CallError::unsent(ErrorKind::Invalid, message))
    }

    fn draft(&self, request: &Request) -> Result<Draft, CallError> {
        let Request { record, arguments, target, token, .. } = request;
        let mut draft = draft::draft(record, arguments, &target.account, token.as_deref())?;
        self.dialect.dress(record, target, &mut draft);
        Ok(draft)
    }

    /// Sends once, and once more with a new token where the old one is refused: nothing was done then.
    async fn exchange(
        &self,
        request: &Request,
        draft: &Draft,
        url: Url,
        changes: bool,
    ) -> Result<Reply, (CallError, Option<Reply>)> {
        for fresh in [false, true] {
            let token = self.dialect.token(&request.target, changes, fresh).await.map_err(|e| (e, None))?;
            let outgoing = outgoing(request, draft, url.clone(), &token).map_err(|e| (e, None))?;
            let reply = self.http.send(outgoing).await.map_err(|e| (e, None))?;
            tracing::debug!(operation = request.record.name(), status = reply.status);
            self.note_time(&reply);
            match reply.status {
                200..300 => return Ok(reply),
                401 if !fresh => {}
                _ => return Err((self.refused(&reply), Some(reply))),
            }
        }
        Err((CallError::unsent(ErrorKind::Denied, "the cloud takes no token"), None))
    }

    fn refused(&self, reply: &Reply) -> CallError {
        let mut error = self.dialect.refusal(reply);
        error.request_id = error.request_id.or_else(|| request_id(reply));
        error.retry_after = error.retry_after.or_else(|| reply.retry_after());
        if error.message.is_empty() {
            error.message = format!("HTTP status {}", reply.status);
        }
        error
    }

    fn note_time(&self, reply: &Reply) {
        if let Some(there) = reply.server_time() {
            self.ahead.store(there.saturating_sub(jiff::Timestamp::now().as_second()), Ordering::Relaxed);
        }
    }

    async fn changed(&self, request: &Request) -> Result<Answer, CallError> {
        self.ours(request)?;
        let base = self.dialect.base(&request.record, &request.target)?;
        let draft = self.draft(request)?;
        let url = address(&base, &draft)?;
        let reply = self.exchange(request, &draft, url.clone(), true).await.map_err(|(error, _)| error)?;
        if request.record.operation.completion.is_none() {
            return self.answer(request, &reply);
        }
        let ongoing = Ongoing {
            record: &request.record,
            arguments: &request.arguments,
            base: &base,
            original: &url,
            answers: 0,
            poll: None,
            location: None,
        };
        self.ended(request, ongoing, reply).await
    }

    /// Waits for what a call has begun.
    async fn ended(&self, request: &Request, mut ongoing: Ongoing<'_>, first: Reply) -> Result<Answer, CallError> {
        let id = request_id(&first);
        let until = Instant::now() + request.patience;
        let mut reply = first;
        loop {
            let step = self.dialect.step(&mut ongoing, &reply).map_err(|mut error| {
                error.request_id = error.request_id.or_else(|| id.clone());
                error
            })?;
            ongoing.answers += 1;
            let (url, pause) = match step {
                Step::Done => break,
                Step::Empty => {
                    reply.body.clear();
                    break;
                }
                Step::Fetch(url) => {
                    reply = self.asked(request, url).await?;
                    break;
                }
                Step::Ask(url, pause) => (url, ongoing.pause(pause)),
            };
            if Instant::now() + pause > until {
                return Err(CallError {
                    kind: ErrorKind::Timeout,
                    code: None,
                    message: format!("what {} began has not ended in time", request.record.name()),
                    request_id: id,
                    sent: Sent::Maybe,
                    retry_after: None,
                });
            }
            tokio::time::sleep(pause).await;
            reply = self.asked(request, url).await?;
        }
        let mut answer = self.answer(request, &reply)?;
        // The audit log names the call that changed something, not the last question about it.
        answer.request_id = id.or(answer.request_id);
        Ok(answer)
    }

    /// A question about something that was begun. Whatever becomes of it, that goes on.
    async fn asked(&self, request: &Request, url: Url) -> Result<Reply, CallError> {
        let question = Draft { method: "GET".into(), path: String::new(), query: vec![], headers: vec![], body: None };
        let asking = Request { permit: Permit::default(), ..request.clone() };
        let mut attempts = Attempts::new(ATTEMPTS * 2);
        loop {
            let error = match self.exchange(&asking, &question, url.clone(), true).await {
                Ok(reply) => return Ok(reply),
                Err((error, _)) => error,
            };
            match attempts.pause(&error, retry::chance()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(CallError { sent: Sent::Maybe, ..error }),
            }
        }
    }

    async fn resolved(&self, target: Target) -> Result<Target, CallError> {
        if target.cloud != self.dialect.cloud() {
            let message =
                format!("a target of `{}` was given to the client of `{}`", target.cloud, self.dialect.cloud());
            return Err(CallError::unsent(ErrorKind::Invalid, message));
        }
        let mut known = self.resolved.lock().await;
        if let Some(known) = known.get(&target) {
            return Ok(known.clone());
        }
        let full = self.dialect.resolve(&self.http, target.clone()).await?;
        known.insert(target, full.clone());
        Ok(full)
    }
}

/// `HEAD` asks whether something is there, and is answered by a status.
fn is_question(record: &escher_catalog::Record, reply: &Reply) -> bool {
    &*record.operation.method == "HEAD" && reply.status == 404
}

/// Puts the token of a page where it belongs.
fn follow(draft: &mut Draft, member: &str, token: &str) {
    match member.strip_prefix("body.") {
        Some(name) => {
            if let Json::Object(body) = draft.body.get_or_insert_with(|| Json::Object(serde_json::Map::new())) {
                body.insert(name.into(), Json::String(token.into()));
            }
        }
        None => {
            draft.query.retain(|(name, _)| name != member);
            draft.query.push((member.into(), token.into()));
        }
    }
}

/// The whole address of a draft. Refused where it would be read as another path than it was written as.
fn address(base: &Url, draft: &Draft) -> Result<Url, CallError> {
    let malformed = || CallError::unsent(ErrorKind::Invalid, "the address of the call is malformed");
    let mut url = base.clone();
    url.set_path(&draft.path);
    if url.path() != draft.path {
        return Err(malformed());
    }
    if !draft.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&draft.query);
    }
    Ok(url)
}

fn outgoing(request: &Request, draft: &Draft, url: Url, token: &str) -> Result<Outgoing, CallError> {
    let malformed = |what: &str| CallError::unsent(ErrorKind::Invalid, format!("{what} is malformed"));
    let method = Method::from_bytes(draft.method.as_bytes()).map_err(|_| malformed("the method"))?;
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, http::bearer(token)?);
    for (name, value) in &draft.headers {
        let name = HeaderName::try_from(name).map_err(|_| malformed("a header"))?;
        headers.insert(name, HeaderValue::try_from(value).map_err(|_| malformed("a header"))?);
    }
    let body = draft.body.as_ref().map(serde_json::to_vec).transpose().map_err(|_| malformed("the body"))?;
    Ok(Outgoing { method, url, headers, body, permit: request.permit.clone(), timeout: request.timeout })
}

fn request_id(reply: &Reply) -> Option<String> {
    let names = ["x-ms-request-id", "x-ms-correlation-request-id", "x-goog-request-id", "x-guploader-uploadid"];
    names.iter().find_map(|name| reply.header(name)).map(clean)
}

/// The cloud did something, and what it says of it can't be read.
fn unreadable(reply: &Reply, error: &serde_json::Error) -> CallError {
    let kind = reply.header("content-type").map_or_else(|| "no content type".into(), clean);
    CallError {
        kind: ErrorKind::Unknown,
        code: None,
        message: clean(&format!("the answer can't be read ({kind}): {error}")),
        request_id: request_id(reply),
        sent: Sent::Maybe,
        retry_after: None,
    }
}

impl<D: Dialect> Read for Client<D> {
    fn ahead(&self) -> Option<i64> {
        Some(self.ahead.load(Ordering::Relaxed)).filter(|seconds| *seconds != i64::MIN)
    }

    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>> {
        self.resolved(target).boxed()
    }

    fn read(&self, request: Request) -> Box<dyn Pages + '_> {
        Box::new(Paged::new(self, request))
    }

    fn poll<'a>(&'a self, waiter: &'a Waiter, _: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        // Calls of these clouds end when what they began has ended: the catalogue has no waiters for them.
        let message = format!("`{}` has no waiter `{}`", self.dialect.cloud(), waiter.name);
        std::future::ready(Err(CallError::unsent(ErrorKind::Invalid, message))).boxed()
    }
}

impl<D: Dialect> Change for Client<D> {
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        async move { self.changed(&request).await }.boxed()
    }
}
