//! Who calls: Application Default Credentials (a file, then the metadata server), or the login of the gcloud CLI; a service
//! account where a role is given.
//!
//! Tokens are in no error, log or debug output.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use escher_provider::{CallError, ErrorKind, clean};
use google_cloud_auth::credentials::{AccessTokenCredentials, Builder, impersonated};
use serde::Deserialize;
use tokio::process::Command;
use tokio::sync::{Mutex, OnceCell};

/// The one scope that rights are then narrowed by: roles decide what may be done.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// What a practice cloud takes.
pub(crate) const PRACTICE: &str = "practice";

/// A token of the gcloud CLI is good for an hour when it is new, and it hands out those it has.
const CLI_TOKEN: Duration = Duration::from_secs(240);

/// Time for the gcloud CLI to hand one out.
const CLI_TIMEOUT: Duration = Duration::from_secs(60);

/// The chain, and what it found, by the service account that is impersonated.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    found: Mutex<HashMap<Option<String>, AccessTokenCredentials>>,
    cli: Mutex<Option<Held>>,
    /// Whether a metadata server answers.
    metadata: OnceCell<bool>,
}

/// A token of the gcloud CLI.
struct Held {
    token: String,
    since: Instant,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

/// The file of Application Default Credentials, as far as it matters here.
#[derive(Default, Deserialize)]
struct File {
    quota_project_id: Option<String>,
}

/// The project that calls of a person are counted against.
pub(crate) fn quota_project() -> Option<String> {
    let set = std::env::var("GOOGLE_CLOUD_QUOTA_PROJECT").ok().filter(|p| !p.is_empty());
    set.or_else(|| serde_json::from_slice::<File>(&std::fs::read(file()?).ok()?).ok()?.quota_project_id)
}

impl Chain {
    /// A token, of a service account where one is named.
    pub(crate) async fn token(&self, role: Option<&str>, fresh: bool) -> Result<String, CallError> {
        if role.is_none()
            && file().is_none_or(|file| !file.exists())
            && !*self.metadata.get_or_init(on_google).await
            && has_cli()
        {
            return self.of_cli(fresh).await;
        }
        let credentials = {
            let mut found = self.found.lock().await;
            let key = role.map(str::to_owned);
            if fresh {
                found.remove(&key);
            }
            match found.get(&key) {
                Some(known) => known.clone(),
                None => {
                    let made = make(role).map_err(|e| refused(&e.to_string()))?;
                    found.insert(key, made.clone());
                    made
                }
            }
        };
        credentials.access_token().await.map(|token| token.token).map_err(|e| refused(&e.to_string()))
    }

    async fn of_cli(&self, fresh: bool) -> Result<String, CallError> {
        let mut held = self.cli.lock().await;
        if let Some(Held { token, since }) = &*held
            && !fresh
            && since.elapsed() < CLI_TOKEN
        {
            return Ok(token.clone());
        }
        let mut command = Command::new("gcloud");
        command.args(["auth", "print-access-token", "--quiet"]).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(CLI_TIMEOUT, command.output()).await;
        let output = output.map_err(|_| refused("gcloud did not answer"))?.map_err(|e| refused(&e.to_string()))?;
        if !output.status.success() {
            return Err(refused(&String::from_utf8_lossy(&output.stderr)));
        }
        let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        *held = Some(Held { token: token.clone(), since: Instant::now() });
        Ok(token)
    }
}

fn make(role: Option<&str>) -> Result<AccessTokenCredentials, google_cloud_auth::build_errors::Error> {
    escher_rest::prepare();
    let own = Builder::default().with_scopes([SCOPE]);
    match role {
        None => own.build_access_token_credentials(),
        Some(account) => impersonated::Builder::from_source_credentials(own.build()?)
            .with_target_principal(account)
            .with_scopes([SCOPE])
            .build_access_token_credentials(),
    }
}

/// Where Application Default Credentials lie, whether or not they do.
fn file() -> Option<PathBuf> {
    let set = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").filter(|p| !p.is_empty()).map(PathBuf::from);
    set.or_else(|| {
        let folder = std::env::var_os("CLOUDSDK_CONFIG").map(PathBuf::from);
        let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config/gcloud")))?;
        Some(folder.join("application_default_credentials.json"))
    })
}

/// A machine of Google, which says so; or another place that is said to be one.
async fn on_google() -> bool {
    if std::env::var_os("GCE_METADATA_HOST").is_some_and(|host| !host.is_empty()) {
        return true;
    }
    let answer = escher_rest::machine("/computeMetadata/v1/instance/id", "Metadata-Flavor: Google").await;
    answer.is_some_and(|text| text.to_ascii_lowercase().contains("metadata-flavor: google"))
}

fn has_cli() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("gcloud").is_file())
}

/// Why there is no token: the library's own words name sources, never secrets.
fn refused(words: &str) -> CallError {
    let help = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS";
    CallError::unsent(ErrorKind::Denied, clean(&format!("no Google Cloud credentials: {help} ({words})")))
}
