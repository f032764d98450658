//! HTTP: one pooled client, nothing followed, bodies of bounded size. Sends once; does *not* retry and knows no cloud.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use escher_provider::guarded::{self, Guarded};
use escher_provider::{CallError, ErrorKind, Permit, Sent, clean};
use http_body_util::Full;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;

/// Largest answer that is read.
pub const MAX_BODY: usize = 64 << 20;

/// Time to establish a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One attempt takes no longer than this where the request doesn't say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A provider that asks for more patience gets this much.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A pooled HTTP client, made when it is first needed.
#[derive(Debug)]
pub struct Http {
    max_body: usize,
    client: OnceLock<Result<reqwest::Client, String>>,
}

/// A request that is ready to leave.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// JSON.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) permit: Permit,
    pub(crate) timeout: Duration,
}

/// A whole answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, whole.
    pub body: Bytes,
}

impl Reply {
    /// A header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim).filter(|value| !value.is_empty())
    }

    /// The body as JSON of this form; none where it is not.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    /// When the provider wants to be asked again: in seconds or milliseconds, or at an instant by its own clock.
    pub fn retry_after(&self) -> Option<Duration> {
        let millis = ["retry-after-ms", "x-ms-retry-after-ms"].iter().find_map(|name| self.header(name)?.parse().ok());
        let standard = || {
            let value = self.header("retry-after")?;
            if let Ok(seconds) = value.parse() {
                return Some(Duration::from_secs(seconds));
            }
            let now = self.server_time().unwrap_or_else(|| jiff::Timestamp::now().as_second());
            u64::try_from(instant(value)? - now).ok().map(Duration::from_secs)
        };
        millis.map(Duration::from_millis).or_else(standard).map(|wait| wait.min(MAX_RETRY_AFTER))
    }

    /// The provider's clock, in seconds since the epoch.
    pub fn server_time(&self) -> Option<i64> {
        instant(self.header("date")?)
    }
}

/// A date as HTTP has it, in seconds since the epoch.
fn instant(date: &str) -> Option<i64> {
    DateTimeParser::new().parse_timestamp(date).ok().map(|t| t.as_second())
}

/// Where a cloud answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Scheme, host and port.
    pub url: Url,
    /// Whether it is a practice cloud: one on this machine without TLS. No real token goes there.
    pub practice: bool,
}

impl Place {
    /// The place of an address. Without TLS it is refused unless it is on this machine.
    pub fn of(address: &str) -> Result<Place, CallError> {
        let invalid = |words: &str| CallError::unsent(ErrorKind::Invalid, words);
        let url = Url::parse(address).map_err(|_| invalid("the endpoint isn't an address of http or https"))?;
        let here = match url.host_str() {
            Some("localhost") => true,
            Some(host) => host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
            None => false,
        };
        match url.scheme() {
            "https" => Ok(Place { url, practice: false }),
            "http" if here => Ok(Place { url, practice: true }),
            "http" => Err(invalid("an endpoint without TLS must be on this machine: write https://")),
            _ => Err(invalid("the endpoint isn't an address of http or https")),
        }
    }
}

/// Chooses the cryptography of TLS for the whole process: needed before a library makes a client of its own.
pub fn prepare() {
    // Whoever was first has chosen; all of this program chooses ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Http {
    /// One that reads answers of so many bytes at most.
    pub fn reading(max_body: usize) -> Http {
        Http { max_body, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&reqwest::Client, CallError> {
        let made = self.client.get_or_init(|| {
            prepare();
            reqwest::Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                // A token must not travel to wherever an answer points.
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("escher/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|e| clean(&innermost(&e)))
        });
        made.as_ref().map_err(|e| CallError::unsent(ErrorKind::Invalid, format!("no HTTP client can be made: {e}")))
    }

    /// Reads an address with a token, once.
    pub async fn get(&self, url: Url, token: &str, timeout: Duration) -> Result<Reply, CallError> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer(token)?)]);
        let permit = Permit::default();
        self.send(Outgoing { method: Method::GET, url, headers, body: None, permit, timeout }).await
    }

    /// Sends once and reads the whole answer.
    pub(crate) async fn send(&self, outgoing: Outgoing) -> Result<Reply, CallError> {
        let Outgoing { method, url, mut headers, body, permit, timeout } = outgoing;
        let client = self.client()?;
        if !permit.holds() {
            return Err(guarded::lost());
        }
        let (request, withheld) = match body {
            Some(body) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                let (body, withheld) = Guarded::new(Full::new(Bytes::from(body)), permit);
                (client.request(method, url).headers(headers).body(reqwest::Body::wrap(body)), Some(withheld))
            }
            None => {
                if method != Method::GET && method != Method::HEAD {
                    // Google's front end refuses a POST that does not say how long it is.
                    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
                }
                (client.request(method, url).headers(headers), None)
            }
        };
        let limit = if timeout.is_zero() { DEFAULT_TIMEOUT } else { timeout };
        match tokio::time::timeout(limit, self.exchange(request)).await {
            Ok(Err(_)) if withheld.is_some_and(|w| w.was()) => Err(guarded::lost()),
            Ok(answered) => answered,
            Err(_) => Err(unanswered(ErrorKind::Timeout, true, &format!("no answer within {}s", limit.as_secs_f32()))),
        }
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Reply, CallError> {
        let mut response = request.send().await.map_err(|e| failed(&e))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|_| unanswered(ErrorKind::Unreachable, true, "the connection ended in the middle of the answer"))?
        {
            if body.len() + chunk.len() > self.max_body {
                let most = escher_ir::units::size_text(self.max_body as u64);
                let words = format!(
                    "E0603: the answer is larger than {most}: narrow the request, or raise `body` under [limits] in escher.toml"
                );
                return Err(unanswered(ErrorKind::Unknown, true, &words));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, headers, body: body.freeze() })
    }
}

/// A token as a header that shows itself nowhere.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, CallError> {
    let value = HeaderValue::try_from(format!("Bearer {token}"));
    let mut value = value.map_err(|_| CallError::unsent(ErrorKind::Denied, "the token is malformed"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn failed(error: &reqwest::Error) -> CallError {
    let kind = if error.is_timeout() && !error.is_connect() { ErrorKind::Timeout } else { ErrorKind::Unreachable };
    let reached = !error.is_connect() && !error.is_builder();
    unanswered(kind, reached, &innermost(error))
}

fn unanswered(kind: ErrorKind, reached: bool, message: &str) -> CallError {
    let sent = if reached { Sent::Maybe } else { Sent::No };
    CallError { kind, code: None, message: clean(message), request_id: None, sent, retry_after: None }
}

/// The innermost cause says what happened; what wraps it says "error sending request" and the like.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// An address that an answer names, where it lies at the place that was called: a token goes nowhere else.
///
/// `also` are host names, and their subdomains, that belong to the same cloud.
pub fn within(base: &Url, address: &str, also: &[&str]) -> Result<Url, CallError> {
    let foreign = || CallError {
        kind: ErrorKind::Unknown,
        code: None,
        message: "the answer points to another place; nothing was asked there".into(),
        request_id: None,
        sent: Sent::Maybe,
        retry_after: None,
    };
    let url = base.join(address).map_err(|_| foreign())?;
    let same = url.scheme() == base.scheme()
        && url.host_str() == base.host_str()
        && url.port_or_known_default() == base.port_or_known_default();
    let sibling = base.scheme() == "https"
        && url.scheme() == "https"
        && url.port().is_none()
        && url.host_str().is_some_and(|host| {
            also.iter().any(|name| host == *name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
        });
    if (same || sibling) && url.username().is_empty() && url.password().is_none() { Ok(url) } else { Err(foreign()) }
}

#[cfg(test)]
mod tests {
    use super::{Reply, within};
    use bytes::Bytes;
    use reqwest::Url;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use std::time::Duration;

    fn reply(headers: &[(&'static str, &'static str)]) -> Reply {
        let pairs = headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)));
        Reply { status: 200, headers: HeaderMap::from_iter(pairs), body: Bytes::new() }
    }

    #[test]
    fn waits_as_it_is_told() {
        assert_eq!(reply(&[("retry-after", "7")]).retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(reply(&[("retry-after-ms", "20")]).retry_after(), Some(Duration::from_millis(20)));
        assert_eq!(reply(&[("retry-after", "99999999")]).retry_after(), Some(Duration::from_secs(3600)));
        let dates = [("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(reply(&dates).retry_after(), Some(Duration::from_secs(3)));
        assert_eq!(reply(&[("retry-after", "soon")]).retry_after(), None);
    }

    #[test]
    fn tokens_travel_under_tls_alone() {
        let practice = |address: &str| super::Place::of(address).map(|p| p.practice).ok();
        assert_eq!(practice("https://management.azure.com"), Some(false));
        assert_eq!(practice("https://127.0.0.1:8443"), Some(false));
        assert_eq!(practice("http://127.0.0.1:4566"), Some(true));
        assert_eq!(practice("http://[::1]:4566"), Some(true));
        for refused in ["http://management.azure.com", "http://127.0.0.1.evil.example", "ftp://localhost", "x"] {
            assert_eq!(practice(refused), None, "{refused}");
        }
    }

    #[test]
    fn follows_no_answer_to_another_place() {
        let base = Url::parse("https://management.azure.com").unwrap();
        let ok = |address: &str| within(&base, address, &["management.azure.com"]).is_ok();
        assert!(ok("https://management.azure.com/next?page=2"));
        assert!(ok("/next?page=2"));
        assert!(ok("https://westeurope.management.azure.com/operations/1"));
        let practice = Url::parse("http://127.0.0.1:4566").unwrap();
        assert!(within(&practice, "https://management.azure.com/next", &["management.azure.com"]).is_err());
        for foreign in [
            "http://management.azure.com/next",
            "https://management.azure.com.evil.example/next",
            "https://evilmanagement.azure.com/next",
            "https://user@management.azure.com/next",
            "https://management.azure.com:8443/next",
            "//evil.example/next",
        ] {
            assert!(!ok(foreign), "{foreign}");
        }
    }
}
