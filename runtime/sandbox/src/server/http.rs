//! One request: who asks, what, the fault that befalls it, the operation, the answer, the entry in the log.
//!
//! Does *not* know any operation (see [`crate::aws`]) nor how values are written (see [`crate::protocol`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use escher_catalog::model::{Operation, Protocol, Service};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};

use super::activity::{Entry, parameters};
use super::faults::{Fault, Verdict};
use super::{Shared, control, lock};
use crate::aws::auth::{self, Scope};
use crate::aws::call::Call;
use crate::aws::error::ApiError;
use crate::protocol::input::Decoder;
use crate::protocol::time::iso8601;
use crate::protocol::{Value, form, json, output, xml};
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
    let rpc = path.starts_with("/service/");
    let known = (path == "/" || rpc) && (head.method == Method::POST || head.method == Method::GET);
    if !signed && !known {
        return Ok(plain(404, control::fail(404, "POST / is where the cloud is").1));
    }
    let mut exchange = Exchange::new(&shared);
    let outcome = exchange.run(&head, query, &body).await;
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
    wire: Wire,
    verdict: Verdict,
    transitions: Vec<Transition>,
}

/// How a request speaks, and so its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    /// A form, answered with XML.
    Form(Protocol),
    /// JSON, of this media type.
    Json(&'static str),
    Cbor,
    /// S3's.
    Rest,
}

/// What is answered with.
struct Reply {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    status: u16,
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
            wire: Wire::Form(Protocol::Ec2Query),
            verdict: Verdict::default(),
            transitions: Vec::new(),
        }
    }

    async fn run(&mut self, head: &Parts, query: &str, body: &[u8]) -> Result<Reply, ApiError> {
        let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let pairs = form::pairs(query.as_bytes())?;
        let scope = auth::scope(head.headers.get(AUTHORIZATION).map(|v| v.to_str().unwrap_or_default()), &pairs);
        let path = head.uri.path();
        let cbor = path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/"));
        if scope.as_ref().is_ok_and(|scope| scope.service == "s3") {
            self.wire = Wire::Rest;
        } else if let Some((_, action)) = cbor {
            self.wire = Wire::Cbor;
            self.action = Some(action.chars().take(128).collect());
        } else if let Some(target) = header("x-amz-target") {
            let new = header("content-type").is_some_and(|kind| kind.contains("1.0"));
            self.wire = Wire::Json(if new { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" });
            self.action = target.rsplit('.').next().map(|a| a.chars().take(128).collect());
        } else {
            return self.form(pairs, scope, body).await;
        }
        let (service, name) = self.service(scope?)?;
        let (operation, input) = match self.wire {
            Wire::Rest => {
                let found = crate::aws::buckets::find(&service, head.method.as_str(), path, &pairs);
                let refused = || {
                    let message = "The specified method is not allowed against this resource.";
                    ApiError::new("MethodNotAllowed", message).with_status(405)
                };
                let (operation, members) = found.ok_or_else(refused)?;
                self.action = Some(operation.official.to_string());
                let outside = xml::Outside { path: &members, query: &pairs, header: &header };
                (operation, xml::decode(&service, operation, &outside, body)?)
            }
            wire => {
                let operation = self.operation(&service)?;
                let broken = || ApiError::new("SerializationException", "The body of the request is malformed.");
                let json = match wire {
                    Wire::Cbor if body.is_empty() => serde_json::json!({}),
                    Wire::Cbor => json::of_cbor(body).ok_or_else(broken)?,
                    _ => serde_json::from_slice(body).map_err(|_| broken())?,
                };
                (operation, json::decode(&service, operation.input, &json)?)
            }
        };
        let decoder = Decoder { shapes: &service.shapes, protocol: service.meta.protocol };
        self.parameters = parameters(&decoder.hide(operation.input, &input));
        let action = operation.official.to_string();
        self.befall(&action, &input).await?;
        self.perform(&service, operation, &name, &input)
    }

    /// The service of a scope, and its name in the catalogue.
    fn service(&mut self, scope: Scope) -> Result<(Arc<Service>, String), ApiError> {
        let (service, name) = (self.shared.service(&scope.service), scope.service.clone());
        self.scope = Some(scope);
        let service = service.ok_or_else(|| ApiError::unsupported(&format!("the service {name}")))?;
        let name = service.meta.name.to_string();
        Ok((service, name))
    }

    /// The operation that the request named.
    fn operation<'s>(&self, service: &'s Service) -> Result<&'s Operation, ApiError> {
        let action = self.action.clone().unwrap_or_default();
        let operation = service.operations.iter().find(|o| *o.official == *action);
        operation.ok_or_else(|| match self.wire {
            Wire::Form(_) => ApiError::action(&action),
            _ => ApiError::new("UnknownOperationException", ""),
        })
    }

    /// A form: EC2 and the services that speak the query protocol.
    async fn form(
        &mut self,
        mut pairs: Vec<(String, String)>,
        scope: Result<Scope, ApiError>,
        body: &[u8],
    ) -> Result<Reply, ApiError> {
        // Without a scope the version is all that tells services apart, and only the form of the error hangs on it.
        pairs.extend(form::pairs(body)?);
        let find = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        self.action = find("Action").map(|a| a.chars().take(128).collect());
        let version = find("Version").unwrap_or_default();
        if version == "2011-06-15" {
            self.wire = Wire::Form(Protocol::AwsQuery);
        }
        let (service, name) = self.service(scope?)?;
        let ec2 = service.meta.protocol == Protocol::Ec2Query;
        let protocol = if ec2 { Protocol::Ec2Query } else { Protocol::AwsQuery };
        self.wire = Wire::Form(protocol);
        if self.action.is_none() {
            return Err(ApiError::new("MissingAction", "The request is missing an action or a required parameter."));
        }
        if *version != *service.meta.api_version {
            let message = format!("The requested version ({version}) of service {name} does not exist");
            return Err(ApiError::new("NoSuchVersion", message));
        }
        let operation = self.operation(&service)?;
        let decoder = Decoder { shapes: &service.shapes, protocol };
        let input = decoder.decode(operation.input, &form::tree(&pairs)?, PROTOCOL_PARAMETERS)?;
        self.parameters = parameters(&decoder.hide(operation.input, &input));
        let action = operation.official.to_string();
        self.befall(&action, &input).await?;
        self.perform(&service, operation, &name, &input)
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
        let ec2 = self.wire == Wire::Form(Protocol::Ec2Query);
        let (code, message, status) = match self.verdict.fault {
            Some(Fault::Throttle) if ec2 => ("RequestLimitExceeded", "Request limit exceeded.", 503),
            Some(Fault::Throttle) if self.wire == Wire::Rest => ("SlowDown", "Please reduce your request rate.", 503),
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
    ) -> Result<Reply, ApiError> {
        let handler = crate::aws::handler(name, &operation.official)
            .ok_or_else(|| ApiError::unsupported(&format!("the action {}", operation.official)))?;
        let Some(scope) = &self.scope else { return Err(ApiError::unsupported("a request without a scope")) };
        let mut world = lock(&self.shared.world);
        world.things.settle(self.now);
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
        let output = handler.serve(input, &mut world, &mut call);
        drop(world);
        self.transitions = call.transitions;
        let changes = !operation.class.effects.iter().all(|e| *e == escher_catalog::Effect::Observe);
        if changes || !self.transitions.is_empty() {
            self.shared.changed.store(true, Ordering::Relaxed);
        }
        let output = output?;
        let (mut headers, mut status) = (Vec::new(), 200);
        let body = match self.wire {
            Wire::Form(_) => output::success(service, operation, &output, &self.request_id).into_bytes(),
            Wire::Json(_) => json::encode(service, operation.output, &output).to_string().into_bytes(),
            Wire::Cbor => json::cbor(service, operation.output, &output),
            Wire::Rest => {
                headers = output::headers(service, operation, &output);
                status = if *operation.method == *"DELETE" { 204 } else { 200 };
                output::document(service, operation, &output).into_bytes()
            }
        };
        Ok(Reply { headers, body, status })
    }

    fn finish(self, outcome: Result<Reply, ApiError>, reset: &AtomicBool) -> Result<Answer, Dropped> {
        let (reply, code) = match outcome {
            Ok(reply) => (reply, "ok".to_owned()),
            Err(e) => {
                let (id, message) = (&self.request_id, &e.message);
                let body = match self.wire {
                    Wire::Form(protocol) => {
                        output::failure(protocol, &e.code, message, id, e.status >= 500).into_bytes()
                    }
                    Wire::Json(_) => {
                        serde_json::json!({ "__type": e.code, "message": message }).to_string().into_bytes()
                    }
                    Wire::Cbor => json::cbor_failure(&e.code, message),
                    Wire::Rest => output::rest_failure(&e.code, message, id).into_bytes(),
                };
                (Reply { headers: Vec::new(), body, status: e.status }, e.code)
            }
        };
        let status = reply.status;
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
        let kind = match self.wire {
            Wire::Form(_) => "text/xml;charset=UTF-8",
            Wire::Json(kind) => kind,
            Wire::Cbor => "application/cbor",
            Wire::Rest => "application/xml",
        };
        let mut response = respond(status, kind, reply.body);
        for (name, value) in reply.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        if self.wire == Wire::Cbor {
            response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
        }
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            let name = if self.wire == Wire::Rest { "x-amz-request-id" } else { "x-amzn-requestid" };
            response.headers_mut().insert(name, id);
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
