//! The client: reads, polls and changes of AWS, and who it does them as.
//!
//! Readings are tried again as the SDKs do; a change is sent once, and its error says how far it got.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use escher_catalog::endpoints::EndpointRules;
use escher_catalog::{Catalog, Waiter};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::retry::{self, Attempts};
use escher_provider::{Answer, CallError, Change, ErrorKind, Pages, Permit, Polled, Read, Request};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::answer::Received;
use crate::endpoint;
use crate::home::Homes;
use crate::http::Http;
use crate::identity::Chain;
use crate::paging::Paged;
use crate::schema::Plan;
use crate::send::Refused;
use crate::waiter::{self, Seen};

/// The operation that says who calls.
const WHO: &str = "aws.sts.get_caller_identity";

/// Time to learn who calls.
const WHO_TIMEOUT: Duration = Duration::from_secs(20);

/// Role, region and endpoint: what decides who calls.
type Caller = (Option<String>, String, Option<String>);

/// What the command line may set; everything else comes from the environment and AWS's shared configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--endpoint-url`: where all services answer, before any setting of the environment.
    pub endpoint: Option<String>,
    /// A practice cloud: called with a key that means nothing, whatever the environment holds.
    pub practice: bool,
    /// Largest answer that is read, in bytes; [`crate::MAX_BODY`] where it is not set.
    pub max_body: Option<usize>,
}

impl Options {
    /// For a practice cloud at this endpoint.
    pub fn practice(endpoint: impl Into<String>) -> Options {
        Options { endpoint: Some(endpoint.into()), practice: true, max_body: None }
    }
}

/// A client for all of AWS. Cheap to make: nothing is looked up or connected before the first call.
#[derive(Debug)]
pub struct Client {
    pub(crate) http: Http,
    pub(crate) chain: Chain,
    options: Options,
    /// The account of each caller.
    accounts: Mutex<HashMap<Caller, String>>,
    /// Seconds by which AWS's clock was ahead, when it last said.
    ahead: AtomicI64,
    /// Endpoint rules by service: reading them takes longer than following them.
    rules: std::sync::Mutex<HashMap<Arc<str>, Option<Arc<EndpointRules>>>>,
    pub(crate) homes: Homes,
}

impl Client {
    /// A client.
    pub fn new(options: Options) -> Client {
        let http = Http::reading(options.max_body.unwrap_or(crate::http::MAX_BODY));
        let chain = if options.practice { Chain::practice(http.clone()) } else { Chain::new(http.clone()) };
        Client {
            chain,
            http,
            options,
            accounts: Mutex::default(),
            ahead: AtomicI64::new(i64::MIN),
            rules: Default::default(),
            homes: Homes::default(),
        }
    }

    /// The endpoint that is set for a service: by flag, for the service, by the target, for all.
    pub(crate) async fn endpoint_for(&self, service_id: &str, target: &Target, region: &str) -> Option<String> {
        if let Some(url) = &self.options.endpoint {
            return Some(url.clone());
        }
        let set = self.chain.endpoint(service_id, region).await;
        match (&target.endpoint, set) {
            // What is set for all services is what `resolve` found; anything else is set for this one.
            (Some(own), Some(url)) if Some(&url) == self.chain.endpoint("", region).await.as_ref() => Some(own.clone()),
            (Some(own), None) => Some(own.clone()),
            (_, set) => set,
        }
    }

    /// The endpoint rules of a service.
    pub(crate) fn rules(&self, plan: &'static Plan) -> Option<Arc<EndpointRules>> {
        let mut known = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let name = Arc::clone(&plan.record.service.name);
        known.entry(name).or_insert_with(|| endpoint::rules(plan).map(Arc::new)).clone()
    }

    pub(crate) async fn region_of(&self, target: &Target) -> Result<String, CallError> {
        if !target.region.is_empty() {
            return Ok(target.region.clone());
        }
        self.chain.region().await.ok_or_else(|| {
            CallError::unsent(
                ErrorKind::Invalid,
                "no AWS region is set: set AWS_REGION, or `region` in the profile, or name one in escher.toml",
            )
        })
    }

    /// A reading, tried again where that may help.
    pub(crate) async fn reading(&self, plan: &'static Plan, request: &Request) -> Result<Received, Refused> {
        let mut attempts = Attempts::new(self.chain.max_attempts(&request.target.region).await);
        loop {
            let refused = match self.attempt(plan, request, request.target.read_role.as_deref()).await {
                Ok(received) => {
                    self.note_time(&received);
                    return Ok(received);
                }
                Err(refused) => refused,
            };
            match attempts.pause(&refused.error, retry::chance()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(refused),
            }
        }
    }

    /// Remembers what time AWS says it is.
    fn note_time(&self, received: &Received) {
        let here = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
        let here = here.and_then(|d| i64::try_from(d.as_secs()).ok());
        if let (Some(there), Some(here)) = (received.server_time(), here) {
            self.ahead.store(there.saturating_sub(here), Ordering::Relaxed);
        }
    }

    async fn resolved(&self, mut target: Target) -> Result<Target, CallError> {
        if target.cloud != "aws" {
            let message = format!("a target of `{}` was given to the AWS client", target.cloud);
            return Err(CallError::unsent(ErrorKind::Invalid, message));
        }
        target.region = self.region_of(&target).await?;
        if target.endpoint.is_none() {
            let set = self.chain.endpoint("", &target.region).await;
            target.endpoint = self.options.endpoint.clone().or(set);
        }
        let account = self.account(&target).await?;
        if !target.account.is_empty() && target.account != account {
            let help = "choose other credentials (AWS_PROFILE), or give the target a role";
            let message = format!("the credentials are of account {account}, not {}: {help}", target.account);
            return Err(CallError::unsent(ErrorKind::Denied, message));
        }
        target.account = account;
        Ok(target)
    }

    /// The account that the credentials of a target belong to, asked once.
    async fn account(&self, target: &Target) -> Result<String, CallError> {
        let key = (target.read_role.clone(), target.region.clone(), target.endpoint.clone());
        let mut known = self.accounts.lock().await;
        if let Some(account) = known.get(&key) {
            return Ok(account.clone());
        }
        let record = Catalog::current().record(WHO);
        let record =
            record.ok_or_else(|| CallError::unsent(ErrorKind::Invalid, format!("the catalogue lacks {WHO}")))?;
        let plan = Plan::of(&record);
        let request = Request {
            record,
            arguments: BTreeMap::new(),
            target: Arc::new(target.clone()),
            reads: Projection::All,
            token: None,
            timeout: WHO_TIMEOUT,
            patience: Duration::ZERO,
            permit: Permit::default(),
        };
        let received = self.reading(plan, &request).await.map_err(|r| r.error)?;
        let value = received.value(plan, &request.reads, &request.target)?;
        let account = value.as_record().and_then(|r| r.get("account")).and_then(Value::as_str).unwrap_or_default();
        if account.is_empty() || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CallError::unsent(
                ErrorKind::Unknown,
                "AWS didn't say which account the credentials belong to",
            ));
        }
        known.insert(key, account.to_owned());
        Ok(account.to_owned())
    }

    async fn polled(&self, waiter: &Waiter, request: &Request) -> Result<Polled, CallError> {
        let plan = readable(request)?;
        match self.reading(plan, request).await {
            Ok(received) => {
                let answer = received.official(plan, &waiter::reach(waiter))?;
                let seen = Seen::Answer(&answer, received.http.status().as_u16());
                Ok(waiter::judge(waiter, &seen).unwrap_or(Polled::NotYet))
            }
            Err(refused) => {
                let seen = Seen::Error(&refused.error, refused.status);
                waiter::judge(waiter, &seen).ok_or(refused.error)
            }
        }
    }

    async fn changed(&self, request: &Request) -> Result<Answer, CallError> {
        ours(request)?;
        let plan = Plan::of(&request.record);
        let received = self.attempt(plan, request, request.target.change_role.as_deref()).await.map_err(|r| r.error)?;
        Ok(Answer {
            value: received.value(plan, &request.reads, &request.target)?,
            request_id: received.request_id(),
            server_time: received.server_time(),
        })
    }
}

/// Refuses what another cloud has to do: this client speaks to AWS alone.
fn ours(request: &Request) -> Result<(), CallError> {
    let cloud = &request.record.service.cloud;
    if &**cloud == "aws" {
        return Ok(());
    }
    let message =
        format!("{} is an operation of `{cloud}`, which this version can check and cannot run", request.record.name());
    Err(CallError::unsent(ErrorKind::Invalid, message))
}

/// The plan of an operation that only looks.
pub(crate) fn readable(request: &Request) -> Result<&'static Plan, CallError> {
    ours(request)?;
    if request.record.operation.class.changes() {
        let message = format!("{} changes something and can't be called as a reading", request.record.name());
        return Err(CallError::unsent(ErrorKind::Invalid, message));
    }
    Ok(Plan::of(&request.record))
}

impl Read for Client {
    fn ahead(&self) -> Option<i64> {
        Some(self.ahead.load(Ordering::Relaxed)).filter(|seconds| *seconds != i64::MIN)
    }

    fn resolve(&self, target: Target) -> BoxFuture<'_, Result<Target, CallError>> {
        self.resolved(target).boxed()
    }

    fn read(&self, request: Request) -> Box<dyn Pages + '_> {
        Box::new(Paged::new(self, request))
    }

    fn poll<'a>(&'a self, waiter: &'a Waiter, request: Request) -> BoxFuture<'a, Result<Polled, CallError>> {
        async move { self.polled(waiter, &request).await }.boxed()
    }
}

impl Change for Client {
    fn change(&self, request: Request) -> BoxFuture<'_, Result<Answer, CallError>> {
        async move { self.changed(&request).await }.boxed()
    }
}
