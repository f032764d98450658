//! HTTP: pooled connections, TLS only once something needs it, and bodies of bounded size.
//!
//! One client serves our own calls and the credential chain's. This module does *not* retry, sign or know AWS.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Largest answer that is read; the largest pages of AWS are some megabytes.
pub const MAX_BODY: usize = 64 << 20;

/// Time to establish a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time without a first byte of an answer, unless the attempt ends before.
const READ_TIMEOUT: Duration = Duration::from_secs(120);

/// A pooled HTTP client.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    /// Largest answer that is read, in bytes.
    max_body: usize,
    /// One pair of connectors for each pair of timeouts that was asked for.
    pools: Arc<Mutex<Vec<(Timeouts, SharedHttpConnector)>>>,
    own: Arc<OnceLock<SharedHttpConnector>>,
}

/// Timeouts to connect and to a first byte.
type Timeouts = (Option<Duration>, Option<Duration>);

impl Default for Http {
    fn default() -> Http {
        Http::reading(MAX_BODY)
    }
}

impl Http {
    /// One that reads answers of so many bytes at most.
    pub(crate) fn reading(max_body: usize) -> Http {
        Http { max_body, pools: Arc::default(), own: Arc::default() }
    }

    /// Sends once and reads the whole answer.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let own = self.own.get_or_init(|| pair(Some(CONNECT_TIMEOUT), Some(READ_TIMEOUT)));
        let response = own.call(request).await.map_err(|e| Failure::of(&e))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = Limited::new(response.into_body(), self.max_body).collect().await.map_err(|e| {
            let large = e.downcast_ref::<LengthLimitError>().is_some();
            let message = if large {
                let most = escher_ir::units::size_text(self.max_body as u64);
                format!("E0603: the answer is larger than {most}: narrow the request, or raise `body` under [limits] in escher.toml")
            } else {
                CUT.into()
            };
            Failure { reached: true, timeout: false, large, message }
        })?;
        let mut whole = HttpResponse::new(status, SdkBody::from(body.to_bytes()));
        *whole.headers_mut() = headers;
        Ok(whole)
    }
}

const CUT: &str = "the connection ended in the middle of the answer";

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Whether a connection was made, so that the request may have arrived.
    pub(crate) reached: bool,
    /// Whether time ran out.
    pub(crate) timeout: bool,
    /// Whether the answer was larger than what is read: it would be so again.
    pub(crate) large: bool,
    /// What happened, in words.
    pub(crate) message: String,
}

impl Failure {
    fn of(error: &ConnectorError) -> Failure {
        let mut causes: Vec<String> = Vec::new();
        let mut reached = !error.is_user();
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(cause) = next {
            if let Some(hyper) = cause.downcast_ref::<hyper_util::client::legacy::Error>() {
                reached &= !hyper.is_connect();
            }
            let text = cause.to_string();
            // Neither the client nor hyper tell the phase of a timeout in a type that can be named.
            if text.starts_with("HTTP connect timeout") {
                reached = false;
            }
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            next = cause.source();
        }
        // The innermost says what happened; what wraps it says "dispatch failure", "client error" and the like.
        let message = causes.pop().unwrap_or_else(|| "the connection failed".into());
        Failure { reached, timeout: error.is_timeout(), large: false, message }
    }
}

/// A connector for plain HTTP, and one for TLS that is made when it is first needed.
#[derive(Debug)]
struct Pair {
    settings: HttpConnectorSettings,
    plain: Connector,
    tls: OnceLock<Connector>,
}

fn pair(connect: Option<Duration>, read: Option<Duration>) -> SharedHttpConnector {
    let mut settings = HttpConnectorSettings::builder();
    settings.set_connect_timeout(connect).set_read_timeout(read);
    let settings = settings.build();
    // Plain HTTP is for endpoints on loopback, metadata services and the like: proxies are for TLS.
    let plain = Connector::builder().connector_settings(settings.clone()).build_http();
    SharedHttpConnector::new(Pair { settings, plain, tls: OnceLock::new() })
}

impl HttpConnector for Pair {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !request.uri().starts_with("https:") {
            return self.plain.call(request);
        }
        let tls = self.tls.get_or_init(|| {
            Connector::builder()
                .connector_settings(self.settings.clone())
                .proxy_config(ProxyConfig::from_env())
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .build()
        });
        tls.call(request)
    }
}

impl HttpClient for Http {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let timeouts = (settings.connect_timeout(), settings.read_timeout());
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = pools.iter().find(|(t, _)| *t == timeouts) {
            return known.clone();
        }
        let made = pair(timeouts.0, timeouts.1);
        pools.push((timeouts, made.clone()));
        made
    }
}
