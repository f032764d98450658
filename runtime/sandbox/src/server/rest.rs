//! One request to a cloud that speaks JSON over REST: route, token, the fault that befalls it, the operation, the log.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use serde_json::Value as Json;

use super::activity::{Entry, parameters};
use super::faults::{Fault, Verdict};
use super::http::{Dropped, request_id, respond};
use super::{Shared, lock};
use crate::protocol::form;
use crate::protocol::time::iso8601;
use crate::rest::{Answer, Call, Refusal, route};
use crate::world::{Transition, World, clock};
use crate::{azure, gcp};

/// A cloud of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cloud {
    Azure,
    Gcp,
}

impl Cloud {
    /// By how its paths begin.
    fn of(path: &str) -> Option<Cloud> {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        match first.to_ascii_lowercase().as_str() {
            "subscriptions" | "tenants" | "metadata" | "providers" => Some(Cloud::Azure),
            "compute" | "storage" | "upload" | "download" | "sql" | "v1" | "v1beta1" | "v3" => Some(Cloud::Gcp),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Cloud::Azure => "azure",
            Cloud::Gcp => "gcp",
        }
    }

    fn refusal(self, refusal: &Refusal) -> Json {
        match self {
            Cloud::Azure => azure::refusal(refusal),
            Cloud::Gcp => gcp::refusal(refusal),
        }
    }

    /// No such path.
    fn nothing(self, path: &str) -> Refusal {
        let message = format!("The practice cloud has nothing at {path}");
        match self {
            Cloud::Azure => Refusal::new(404, "InvalidResourceType", message),
            Cloud::Gcp => Refusal::new(404, "notFound", message),
        }
    }

    fn faulty(self, fault: Fault) -> Option<Refusal> {
        Some(match (fault, self) {
            (Fault::Throttle, Cloud::Azure) => Refusal::new(429, "TooManyRequests", "Too many requests."),
            (Fault::Throttle, Cloud::Gcp) => Refusal::new(403, "rateLimitExceeded", "Rate Limit Exceeded"),
            (Fault::Unavailable, Cloud::Azure) => Refusal::new(503, "ServiceUnavailable", "Try again."),
            (Fault::Unavailable, Cloud::Gcp) => Refusal::new(503, "backendError", "Backend Error"),
            (Fault::InternalError, Cloud::Azure) => Refusal::new(500, "InternalServerError", "An internal error."),
            (Fault::InternalError, Cloud::Gcp) => Refusal::new(500, "internalError", "Internal Error"),
            (Fault::Reset, _) => Refusal::new(500, "(reset)", ""),
            (Fault::LostAnswer | Fault::Latency, _) => return None,
        })
    }
}

/// Whether a path belongs to one of these clouds.
pub(super) fn knows(path: &str) -> bool {
    Cloud::of(path).is_some()
}

/// What is known of a request as it goes on.
struct Exchange<'a> {
    shared: &'a Shared,
    cloud: Cloud,
    now: i64,
    operation: Option<String>,
    service: Option<String>,
    parameters: Json,
    verdict: Verdict,
    transitions: Vec<Transition>,
}

pub(super) async fn handle(
    shared: &Shared,
    reset: &AtomicBool,
    head: &Parts,
    body: &[u8],
    secure: bool,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let number = shared.requests.fetch_add(1, Ordering::Relaxed);
    let id = request_id(lock(&shared.world).seed.seed, number);
    let cloud = Cloud::of(head.uri.path()).unwrap_or(Cloud::Azure);
    let mut exchange = Exchange {
        shared,
        cloud,
        now: clock::now(),
        operation: None,
        service: None,
        parameters: Json::Null,
        verdict: Verdict::default(),
        transitions: Vec::new(),
    };
    let outcome = exchange.run(head, body, secure).await;
    exchange.finish(outcome, &id, reset)
}

impl Exchange<'_> {
    async fn run(&mut self, head: &Parts, body: &[u8], secure: bool) -> Result<Answer, Refusal> {
        match self.cloud {
            Cloud::Azure => self.follow(azure::routes(), azure::handle, head, body, secure).await,
            Cloud::Gcp => self.follow(gcp::routes(), gcp::handle, head, body, secure).await,
        }
    }

    async fn follow<T: Copy>(
        &mut self,
        routes: &'static route::Router<T>,
        handle: fn(T, &str, &mut World, &mut Call<'_>) -> Result<Answer, Refusal>,
        head: &Parts,
        body: &[u8],
        secure: bool,
    ) -> Result<Answer, Refusal> {
        let path = head.uri.path();
        let open = self.cloud == Cloud::Azure && azure::open(path);
        let bearer =
            head.headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
        if !open && bearer.is_none_or(|token| token.trim().is_empty()) {
            return Err(match self.cloud {
                Cloud::Azure => Refusal::new(
                    401,
                    "AuthenticationFailed",
                    "Authentication failed. The 'Authorization' header is missing.",
                ),
                Cloud::Gcp => Refusal::new(401, "required", "Login Required."),
            });
        }
        let found = routes.find(head.method.as_str(), path);
        let (route, parameters) = found.ok_or_else(|| self.cloud.nothing(path))?;
        self.operation = Some(route.operation.to_string());
        self.service = route.description().map(|(service, _)| service.meta.name.to_string());
        let malformed = |what: &str| Refusal::new(400, "InvalidRequest", format!("The {what} is malformed."));
        let pairs = form::pairs(head.uri.query().unwrap_or_default().as_bytes()).map_err(|_| malformed("query"))?;
        let query: BTreeMap<String, String> = pairs.into_iter().collect();
        if self.cloud == Cloud::Azure && !open && !query.contains_key("api-version") {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            return Err(Refusal::new(400, "MissingApiVersionParameter", message));
        }
        let body: Json = match body.trim_ascii() {
            [] => Json::Null,
            body => serde_json::from_slice(body).map_err(|_| malformed("body"))?,
        };
        // Bodies may hold passwords: the log has none.
        self.parameters = serde_json::json!({ "path": parameters, "query": query });
        self.befall(&route.operation, &body).await?;
        let host = head.headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or("127.0.0.1");
        let base = format!("{}://{host}", if secure { "https" } else { "http" });
        let mut call = Call {
            now: self.now,
            path: parameters,
            query,
            body: &body,
            raw: path,
            description: route.description(),
            pause: 0,
            base: &base,
            transitions: Vec::new(),
        };
        let once = |call: &mut Call<'_>| {
            let mut world = lock(&self.shared.world);
            world.settle(call.now);
            handle(route.serve, &route.operation, &mut world, call)
        };
        let mut outcome = once(&mut call);
        if let (true, Ok(pause)) = (call.pause > 0, u64::try_from(call.pause)) {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            call.now = clock::now();
            outcome = once(&mut call);
        }
        self.transitions = call.transitions;
        if head.method != hyper::Method::GET {
            self.shared.changed.store(true, Ordering::Relaxed);
        }
        outcome
    }

    /// The delays and the faults that come before anything is done.
    async fn befall(&mut self, operation: &str, body: &Json) -> Result<(), Refusal> {
        let mut told_apart = self.parameters.clone();
        if let Some(query) = told_apart.get_mut("query").and_then(Json::as_object_mut) {
            // Clients draw a new one for every run: with it, no run would repeat.
            query.remove("requestId");
        }
        self.verdict = lock(&self.shared.faults).judge(operation, &format!("{told_apart}{body}"));
        let delay = self.shared.options.latency + Duration::from_millis(self.verdict.delay);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
            self.now = clock::now();
        }
        match self.verdict.fault.and_then(|fault| self.cloud.faulty(fault)) {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }

    fn finish(
        self,
        outcome: Result<Answer, Refusal>,
        id: &str,
        reset: &AtomicBool,
    ) -> Result<Response<Full<Bytes>>, Dropped> {
        let (answer, code) = match outcome {
            Ok(answer) => (answer, "ok".to_owned()),
            Err(refusal) => {
                let body = self.cloud.refusal(&refusal);
                let wait = (refusal.status == 429 || refusal.status == 503).then(|| ("retry-after", "1".to_owned()));
                let headers = wait.into_iter().collect();
                (Answer { status: refusal.status, headers, body }, refusal.code.to_owned())
            }
        };
        let sent = match self.verdict.fault {
            Some(Fault::Reset) => "reset",
            Some(Fault::LostAnswer) => "lost",
            _ => "sent",
        };
        lock(&self.shared.activity).add(Entry {
            number: 0,
            time: iso8601(self.now),
            request_id: id.to_owned(),
            principal: None,
            account: None,
            region: None,
            service: self.service.map(|service| format!("{}.{service}", self.cloud.word())),
            action: self.operation,
            parameters: parameters(&self.parameters),
            status: answer.status,
            code,
            answer: sent,
            transitions: self.transitions,
        });
        if sent != "sent" {
            reset.store(sent == "reset", Ordering::Relaxed);
            return Err(Dropped);
        }
        let body = if answer.body.is_null() { Vec::new() } else { answer.body.to_string().into_bytes() };
        let mut response = respond(answer.status, "application/json; charset=utf-8", body);
        let headers = answer.headers.into_iter().chain([("x-ms-request-id", id.to_owned())]);
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        Ok(response)
    }
}
