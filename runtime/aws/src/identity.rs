//! Who calls, and from where: credentials, region and endpoints as AWS's own tools find them.
//!
//! `aws-config` does the finding; here it is done once per process, late, and refreshed before it expires. Credentials
//! are in no error, log or debug output. This module does *not* sign.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError};
use aws_types::service_config::ServiceConfigKey;
use escher_provider::{CallError, ErrorKind, clean};
use tokio::sync::{Mutex, OnceCell};

use crate::http::Http;

/// Credentials are renewed this long before they expire.
const MARGIN: Duration = Duration::from_secs(300);

/// What a role is assumed for, as CloudTrail shows it.
const SESSION: &str = "escher";

/// A role at an endpoint and region; none for the caller's own credentials.
type Key = Option<(String, String, Option<String>)>;

/// The chain, and what it found.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    http: Http,
    /// A practice cloud: nothing of the user's configuration is looked at.
    practice: bool,
    config: OnceCell<SdkConfig>,
    /// One place for each identity, so that one that is slow does not stop the others.
    known: Mutex<HashMap<Key, Arc<Mutex<Held>>>>,
}

/// Credentials of one identity, and where new ones come from.
#[derive(Debug, Default)]
struct Held {
    provider: Option<SharedCredentialsProvider>,
    credentials: Option<Credentials>,
}

impl Chain {
    pub(crate) fn new(http: Http) -> Chain {
        Chain { http, ..Chain::default() }
    }

    /// For a practice cloud, which takes any key: the user's own never reach it.
    pub(crate) fn practice(http: Http) -> Chain {
        Chain { http, practice: true, ..Chain::default() }
    }

    /// The shared configuration; `region` saves asking the metadata service for one.
    async fn config(&self, region: Option<&str>) -> &SdkConfig {
        let load = || async {
            if self.practice {
                let key = Credentials::new("practice", "practice", None, None, "practice");
                return SdkConfig::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .region(Region::new("us-east-1"))
                    .credentials_provider(SharedCredentialsProvider::new(key))
                    .build();
            }
            let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(self.http.clone());
            if let Some(region) = region {
                loader = loader.region(Region::new(region.to_owned()));
            }
            loader.load().await
        };
        self.config.get_or_init(load).await
    }

    /// The region that AWS's own tools would use.
    pub(crate) async fn region(&self) -> Option<String> {
        self.config(None).await.region().map(|r| r.as_ref().to_owned())
    }

    /// The endpoint that the environment or the shared configuration sets for a service, the narrower one first.
    pub(crate) async fn endpoint(&self, service_id: &str, region: &str) -> Option<String> {
        let config = self.config(Some(region).filter(|r| !r.is_empty())).await;
        if self.practice {
            return None;
        }
        let ignored = std::env::var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        if ignored.is_ok_and(|v| v.eq_ignore_ascii_case("true")) {
            return None;
        }
        let key =
            ServiceConfigKey::builder().service_id(service_id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let narrow = key.ok().and_then(|key| config.service_config()?.load_config(key));
        narrow.or_else(|| config.endpoint_url().map(str::to_owned))
    }

    /// Whether FIPS and dual-stack endpoints are asked for.
    pub(crate) async fn variants(&self, region: &str) -> (bool, bool) {
        let config = self.config(Some(region).filter(|r| !r.is_empty())).await;
        (config.use_fips().unwrap_or(false), config.use_dual_stack().unwrap_or(false))
    }

    /// Attempts of a reading, as `AWS_MAX_ATTEMPTS` and the profile set them.
    pub(crate) async fn max_attempts(&self, region: &str) -> u32 {
        let config = self.config(Some(region).filter(|r| !r.is_empty())).await;
        config.retry_config().map_or(3, |r| r.max_attempts()).clamp(1, 10)
    }

    /// Credentials, of a role where one is given.
    pub(crate) async fn credentials(
        &self,
        role: Option<&str>,
        region: &str,
        endpoint: Option<&str>,
    ) -> Result<Credentials, CallError> {
        let config = self.config(Some(region).filter(|r| !r.is_empty())).await;
        let key = role.map(|role| (role.to_owned(), region.to_owned(), endpoint.map(str::to_owned)));
        let held = Arc::clone(self.known.lock().await.entry(key).or_default());
        let mut held = held.lock().await;
        if let Some(credentials) = &held.credentials
            && credentials.expiry().is_none_or(|at| at > SystemTime::now() + MARGIN)
        {
            return Ok(credentials.clone());
        }
        if held.provider.is_none() {
            held.provider = Some(provider(config, role, region, endpoint).await?);
        }
        let Some(provider) = &held.provider else { return Err(none()) };
        let found = provider.provide_credentials().await.map_err(|e| refused(&e, role))?;
        held.credentials = Some(found.clone());
        Ok(found)
    }
}

async fn provider(
    config: &SdkConfig,
    role: Option<&str>,
    region: &str,
    endpoint: Option<&str>,
) -> Result<SharedCredentialsProvider, CallError> {
    let Some(role) = role else { return config.credentials_provider().ok_or_else(none) };
    let mut config = config.clone().into_builder().region(Region::new(region.to_owned()));
    if let Some(endpoint) = endpoint {
        config = config.endpoint_url(endpoint);
    }
    let assumed = AssumeRoleProvider::builder(role).session_name(SESSION).configure(&config.build());
    Ok(SharedCredentialsProvider::new(assumed.build().await))
}

fn none() -> CallError {
    CallError::unsent(
        ErrorKind::Denied,
        "no AWS credentials were found: run `aws configure` or `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID",
    )
}

/// Why there are no credentials: the chain's own words name sources, never secrets.
fn refused(error: &CredentialsError, role: Option<&str>) -> CallError {
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) && role.is_none() {
        return none();
    }
    let mut words = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        next = cause.source();
    }
    let (kind, what) = match (error, role) {
        (CredentialsError::ProviderTimedOut(_), _) => (ErrorKind::Timeout, "AWS credentials".to_owned()),
        (_, Some(role)) => (ErrorKind::Denied, format!("the role {role} can't be assumed")),
        (_, None) => (ErrorKind::Denied, "AWS credentials".to_owned()),
    };
    CallError::unsent(kind, clean(&format!("{what}: {words}")))
}
