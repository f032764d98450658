//! One request: who asks, what, the fault that befalls it, the operation, the answer, the entry in the log.
//!
//! Does *not* know any operation (see [`crate::aws`]) nor how values are written (see [`crate::protocol`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use escher_catalog::model::{Operation, Protocol, Service};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN};
use hyper::{Method, Request, Response, StatusCode};

use super::activity::{Entry, parameters};
use super::faults::{Fault, Verdict};
use super::{Shared, control, lock};
use crate::aws::auth::{self, Scope};
use crate::aws::call::Call;
use crate::aws::error::ApiError;
use crate::protocol::input::Decoder;
use crate::protocol::time::iso8601;
use crate::protocol::{Value, form, output};
use crate::world::{Transition, clock, ids};

type Answer = Response<Full<Bytes>>;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer is dropped on purpose")]
pub(crate) struct Dropped;

/// Parameters that belong to the protocol.
pub(crate) const PROTOCOL_PARAMETERS: &[&str] = &[
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
];

pub(crate) async fn handle(
    shared: Arc<Shared>,
    reset: Arc<AtomicBool>,
    secure: bool,
    request: Request<Incoming>,
) -> Result<Answer, Dropped> {
    let (head, body) = request.into_parts();
    if !names_loopback(&head.headers) {
        return Ok(plain(403, control::fail(403, "the Host header must name loopback").1));
    }
    let path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    let body = tokio::time::timeout(shared.options.body_timeout, Limited::new(body, shared.options.max_body).collect());
    let body = match body.await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Ok(closing(plain(413, control::fail(413, "the body is too long or was cut off").1))),
        Err(_) => return Ok(closing(plain(408, control::fail(408, "the body took too long").1))),
    };
    if let Some(path) = path.strip_prefix("/_sandbox/") {
        if head.method != Method::GET && head.headers.contains_key(ORIGIN) {
            return Ok(plain(403, control::fail(403, "not from a web page").1));
        }
        let (status, json) = control::answer(&shared, &head.method, path, query, &body);
        return Ok(plain(status, json));
    }
    let signed = head.headers.get(AUTHORIZATION).is_some_and(|v| v.as_bytes().starts_with(b"AWS4-"));
    if !signed && super::rest::knows(path) {
        return super::rest::handle(&shared, &reset, &head, &body, secure).await;
    }
    if path != "/" || !(head.method == Method::POST || head.method == Method::GET) {
        return Ok(plain(404, control::fail(404, "POST / is where the cloud is").1));
    }
    let mut exchange = Exchange::new(&shared);
    let authorization = head.headers.get(AUTHORIZATION).map(|v| v.to_str().unwrap_or_default());
    let outcome = exchange.run(authorization, query, &body).await;
    exchange.finish(outcome, &reset)
}

/// Whether the caller knows that it talks to loopback; a web page that was led here by a name of its own doesn't.
fn names_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|h| h.to_str().ok()) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.ends_with(".localhost")
        || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// One request to a cloud on its way.
struct Exchange<'a> {
    shared: &'a Shared,
    request_id: String,
    now: i64,
    scope: Option<Scope>,
    account: Option<Arc<str>>,
    action: Option<String>,
    parameters: serde_json::Value,
    protocol: Protocol,
    verdict: Verdict,
    transitions: Vec<Transition>,
}

impl<'a> Exchange<'a> {
    fn new(shared: &'a Shared) -> Self {
        let number = shared.requests.fetch_add(1, Ordering::Relaxed);
        let seed = lock(&shared.world).seed.seed;
        Exchange {
            shared,
            request_id: request_id(seed, number),
            now: clock::now(),
            scope: None,
            account: None,
            action: None,
            parameters: serde_json::Value::Null,
            protocol: Protocol::Ec2Query,
            verdict: Verdict::default(),
            transitions: Vec::new(),
        }
    }

    async fn run(&mut self, authorization: Option<&str>, query: &str, body: &[u8]) -> Result<String, ApiError> {
        let mut pairs = form::pairs(query.as_bytes())?;
        let scope = auth::scope(authorization, &pairs);
        // Without a scope the version is all that tells services apart, and only the form of the error hangs on it.
        pairs.extend(form::pairs(body)?);
        let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        self.action = find("Action").map(|a| a.chars().take(128).collect());
        if find("Version").is_some_and(|v| v == "2011-06-15") {
            self.protocol = Protocol::AwsQuery;
        }
        let scope = scope?;
        let service = self.shared.service(&scope.service);
        let name = scope.service.clone();
        self.scope = Some(scope);
        let Some(service) = service else {
            return Err(ApiError::unsupported(&format!("the service {name}")));
        };
        self.protocol = service.meta.protocol;
        let action = self.action.clone().ok_or_else(|| {
            ApiError::new("MissingAction", "The request is missing an action or a required parameter.")
        })?;
        let version = find("Version").unwrap_or_default();
        if *version != *service.meta.api_version {
            let message = format!("The requested version ({version}) of service {name} does not exist");
            return Err(ApiError::new("NoSuchVersion", message));
        }
        let operation = service.operations.iter().find(|o| *o.official == *action);
        let operation = operation.ok_or_else(|| ApiError::action(&action))?;
        let input = self.input(&service, operation, &pairs)?;
        self.befall(&action, &input).await?;
        self.perform(&service, operation, &name, &input)
    }

    fn input(
        &mut self,
        service: &Service,
        operation: &Operation,
        pairs: &[(String, String)],
    ) -> Result<Value, ApiError> {
        let decoder = Decoder { shapes: &service.shapes, protocol: service.meta.protocol };
        let input = decoder.decode(operation.input, &form::tree(pairs)?, PROTOCOL_PARAMETERS)?;
        self.parameters = parameters(&decoder.hide(operation.input, &input));
        Ok(input)
    }

    /// The delays and the faults that come before anything is done.
    async fn befall(&mut self, action: &str, input: &Value) -> Result<(), ApiError> {
        // Clients draw a new token for every run: with it, no run would repeat.
        let told_apart = match input {
            Value::Record(members) => {
                let members: Vec<_> = members.iter().filter(|(name, _)| name != "ClientToken").collect();
                serde_json::to_string(&members).unwrap_or_default()
            }
            _ => String::new(),
        };
        self.verdict = lock(&self.shared.faults).judge(action, &told_apart);
        let delay = self.shared.options.latency + Duration::from_millis(self.verdict.delay);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
            self.now = clock::now();
        }
        let ec2 = self.protocol == Protocol::Ec2Query;
        let (code, message, status) = match self.verdict.fault {
            Some(Fault::Throttle) if ec2 => ("RequestLimitExceeded", "Request limit exceeded.", 503),
            Some(Fault::Throttle) => ("Throttling", "Rate exceeded", 400),
            Some(Fault::Unavailable) if ec2 => {
                ("Unavailable", "The service is unavailable. Please try again shortly.", 503)
            }
            Some(Fault::Unavailable) => ("ServiceUnavailable", "Service Unavailable", 503),
            Some(Fault::InternalError) => ("InternalError", "An internal error has occurred", 500),
            Some(Fault::Reset) => ("(reset)", "", 500),
            Some(Fault::LostAnswer | Fault::Latency) | None => return Ok(()),
        };
        Err(ApiError::new(code, message).with_status(status))
    }

    fn perform(
        &mut self,
        service: &Service,
        operation: &Operation,
        name: &str,
        input: &Value,
    ) -> Result<String, ApiError> {
        let handler = crate::aws::handler(name, &operation.official)
            .ok_or_else(|| ApiError::unsupported(&format!("the action {}", operation.official)))?;
        let Some(scope) = &self.scope else { return Err(ApiError::unsupported("a request without a scope")) };
        let mut world = lock(&self.shared.world);
        if world.aws.sessions.get(&scope.access_key).is_some_and(|s| s.expires <= self.now) {
            let message = "The security token included in the request is expired";
            return Err(ApiError::new("ExpiredToken", message).with_status(403));
        }
        let account = world.aws.owner(&scope.access_key).ok_or_else(|| {
            let message = "AWS was not able to validate the provided access credentials";
            ApiError::new("AuthFailure", message).with_status(401)
        })?;
        self.account = Some(account.clone());
        let mut call = Call {
            now: self.now,
            account,
            region: scope.region.clone(),
            access_key: scope.access_key.clone(),
            service,
            transitions: Vec::new(),
        };
        let output = handler(input, &mut world, &mut call);
        drop(world);
        self.transitions = call.transitions;
        let changes = !operation.class.effects.iter().all(|e| *e == escher_catalog::Effect::Observe);
        if changes || !self.transitions.is_empty() {
            self.shared.changed.store(true, Ordering::Relaxed);
        }
        Ok(output::success(service, operation, &output?, &self.request_id))
    }

    fn finish(self, outcome: Result<String, ApiError>, reset: &AtomicBool) -> Result<Answer, Dropped> {
        let (status, code, body) = match outcome {
            Ok(body) => (200, "ok".to_owned(), body),
            Err(e) => {
                let server = e.status >= 500;
                let body = output::failure(self.protocol, &e.code, &e.message, &self.request_id, server);
                (e.status, e.code, body)
            }
        };
        let answer = match self.verdict.fault {
            Some(Fault::Reset) => "reset",
            Some(Fault::LostAnswer) => "lost",
            _ => "sent",
        };
        let scope = self.scope;
        lock(&self.shared.activity).add(Entry {
            number: 0,
            time: iso8601(self.now),
            request_id: self.request_id.clone(),
            principal: scope.as_ref().map(|s| s.access_key.clone()),
            account: self.account.map(|a| a.to_string()),
            region: scope.as_ref().map(|s| s.region.clone()),
            service: scope.map(|s| s.service),
            action: self.action,
            parameters: self.parameters,
            status,
            code,
            answer,
            transitions: self.transitions,
        });
        if answer != "sent" {
            reset.store(answer == "reset", Ordering::Relaxed);
            return Err(Dropped);
        }
        let mut response = respond(status, "text/xml;charset=UTF-8", body.into_bytes());
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
        Ok(response)
    }
}

/// Looks like a UUID, repeats with the seed.
pub(super) fn request_id(seed: u64, number: u64) -> String {
    let (high, low) = (ids::mix(seed ^ ids::mix(number)), ids::mix(!seed ^ ids::mix(number ^ 1)));
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0x0fff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", 0x8000 | (low >> 50), low & 0xffff_ffff_ffff)
}

pub(super) fn respond(status: u16, kind: &'static str, body: Vec<u8>) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn plain(status: u16, json: Vec<u8>) -> Answer {
    respond(status, "application/json", json)
}

/// What is left of a body that wasn't read can't be told from the next request.
fn closing(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
