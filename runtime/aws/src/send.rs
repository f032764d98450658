//! One attempt: draft, sign, send, receive, with what it means for the world where it fails.
//!
//! This module does *not* repeat anything; `client` does, for readings alone.

use std::time::Duration;

use aws_smithy_runtime_api::http::Request as Http;
use aws_smithy_types::body::SdkBody;
use escher_provider::guarded::{self, Guarded, Withheld};
use escher_provider::{CallError, ErrorKind, Request, Sent, clean};

use crate::answer::Received;
use crate::client::Client;
use crate::endpoint::{self, Ask, Place};
use crate::home;
use crate::http::Failure;
use crate::request::{self, Draft};
use crate::schema::Plan;
use crate::sign;
use crate::wire::Quirks;

/// One attempt takes no longer than this where the request doesn't say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A failed attempt, with the status of the answer where there was one.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) error: CallError,
    pub(crate) status: Option<u16>,
    /// The region in which S3 says that the bucket is.
    pub(crate) home: Option<String>,
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Refused {
        Refused { error, status: None, home: None }
    }
}

impl Client {
    /// Sends a request once, with the rights of a role where one is given; once more where S3 refused it because the
    /// bucket is in another region.
    pub(crate) async fn attempt(
        &self,
        plan: &'static Plan,
        request: &Request,
        role: Option<&str>,
    ) -> Result<Received, Refused> {
        let region = match self.homes.of(request) {
            Some(home) => home,
            None => self.region_of(&request.target).await?,
        };
        match self.attempt_in(plan, request, role, &region).await {
            Err(Refused { home: Some(home), .. }) if self.homes.learn(request, &home, &region) => {
                self.attempt_in(plan, request, role, &home).await
            }
            answered => answered,
        }
    }

    async fn attempt_in(
        &self,
        plan: &'static Plan,
        request: &Request,
        role: Option<&str>,
        region: &str,
    ) -> Result<Received, Refused> {
        let Draft { mut http, host_prefix } =
            request::draft(plan, &request.arguments, request.token.as_deref(), Quirks::of(plan.record))?;
        let place = self.place(plan, request, region).await?;
        let path = endpoint::path_after(plan, &place, http.uri());
        let address = endpoint::address(&place.url, host_prefix.as_deref(), path);
        let address = address.ok_or_else(|| invalid("the endpoint isn't an address of http or https"))?;
        for (name, value) in &place.headers {
            http.headers_mut().try_insert(name.clone(), value.clone()).map_err(|_| invalid("a header is malformed"))?;
        }
        http.set_uri(address).map_err(|_| invalid("the address is malformed"))?;
        http.headers_mut().insert("user-agent", concat!("escher/", env!("CARGO_PKG_VERSION")));
        if sign::is_signed(plan.record)? {
            let role = role.map(|role| role_arn(role, &request.target.account, region));
            let sts = self.endpoint_for("STS", &request.target, region).await;
            let credentials = self.chain.credentials(role.as_deref(), region, sts.as_deref()).await?;
            sign::sign(plan.record, &mut http, &credentials, &place)?;
        }
        self.exchange(plan, request, http).await
    }

    async fn exchange(&self, plan: &'static Plan, request: &Request, mut http: Http) -> Result<Received, Refused> {
        if !request.permit.holds() {
            return Err(guarded::lost().into());
        }
        let length = http.body().content_length().filter(|length| *length > 0);
        let (http, withheld) = match length {
            Some(_) => {
                let body = std::mem::replace(http.body_mut(), SdkBody::empty());
                let (body, withheld) = Guarded::new(body, request.permit.clone());
                *http.body_mut() = SdkBody::from_body_1_x(body);
                (http, withheld)
            }
            None => (http, Withheld::default()),
        };
        let limit = if request.timeout.is_zero() { DEFAULT_TIMEOUT } else { request.timeout };
        let answered = tokio::time::timeout(limit, self.http.send(http)).await;
        let http = match answered {
            Ok(Ok(http)) => http,
            Ok(Err(_)) if withheld.was() => return Err(guarded::lost().into()),
            Ok(Err(failure)) => return Err(unanswered(&failure).into()),
            Err(_) => {
                let message = format!("no answer within {}s", limit.as_secs_f32());
                return Err(unanswered(&Failure { reached: true, timeout: true, large: false, message }).into());
            }
        };
        let received = Received { http };
        let status = received.http.status().as_u16();
        let error = received.error(plan);
        tracing::debug!(operation = plan.record.name(), status, code = error.as_ref().and_then(|e| e.code.as_deref()));
        match error {
            Some(error) => {
                let home = home::said(status, received.http.headers());
                Err(Refused { error, status: Some(status), home })
            }
            None => Ok(received),
        }
    }

    /// Where a request goes.
    async fn place(&self, plan: &'static Plan, request: &Request, region: &str) -> Result<Place, CallError> {
        let custom = self.endpoint_for(&plan.record.service.service_id, &request.target, region).await;
        let (fips, dual_stack) = self.chain.variants(region).await;
        let ask = Ask { region, custom: custom.as_deref(), fips, dual_stack };
        endpoint::place(plan, self.rules(plan).as_deref(), &request.arguments, &ask)
    }
}

fn invalid(what: impl Into<String>) -> CallError {
    CallError::unsent(ErrorKind::Invalid, what)
}

fn unanswered(failure: &Failure) -> CallError {
    let kind = match failure {
        Failure { timeout: true, .. } => ErrorKind::Timeout,
        Failure { large: true, .. } => ErrorKind::Unknown,
        _ => ErrorKind::Unreachable,
    };
    let sent = if failure.reached { Sent::Maybe } else { Sent::No };
    CallError { kind, code: None, message: clean(&failure.message), request_id: None, sent, retry_after: None }
}

/// A role by name belongs to the account of the target.
fn role_arn(role: &str, account: &str, region: &str) -> String {
    if role.starts_with("arn:") {
        return role.to_owned();
    }
    format!("arn:{}:iam::{account}:role/{}", endpoint::partition(region), role.trim_start_matches('/'))
}
