//! Who calls: the environment (a secret or a certificate), a workload's identity, a managed identity, the Azure CLI, in this order.
//!
//! `azure_identity` has each of them and no chain. Tokens are in no error, log or debug output.

use std::sync::Arc;

use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::ClientOptions;
use azure_identity::{
    AzureCliCredential, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use escher_provider::{CallError, ErrorKind, clean};
use tokio::sync::Mutex;

use crate::certificate::Certificate;
use crate::cloud;

/// What a machine of Azure is asked.
const METADATA: &str = "/metadata/instance/compute/azEnvironment?api-version=2021-02-01&format=text";

/// What a practice cloud takes.
const PRACTICE: &str = "practice";

/// The chain, and the credential that it found.
#[derive(Debug)]
pub(crate) struct Chain {
    scope: String,
    found: Mutex<Option<Arc<dyn TokenCredential>>>,
}

impl Chain {
    pub(crate) fn new(manager: &str) -> Chain {
        Chain { scope: format!("{}/.default", manager.trim_end_matches('/')), found: Mutex::default() }
    }

    /// A token for Resource Manager; credentials keep theirs until it expires, a fresh one comes from a new credential.
    pub(crate) async fn token(&self, practice: bool, fresh: bool) -> Result<String, CallError> {
        if practice {
            return Ok(PRACTICE.into());
        }
        let credential = {
            let mut found = self.found.lock().await;
            if fresh {
                *found = None;
            }
            match &*found {
                Some(credential) => Arc::clone(credential),
                None => {
                    let credential = find().await.map_err(|e| refused(&e))?;
                    Arc::clone(found.insert(credential))
                }
            }
        };
        let token = credential.get_token(&[&self.scope], None).await.map_err(|e| refused(&e))?;
        Ok(token.token.secret().to_owned())
    }
}

fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where the tokens of the cloud that is meant come from: the variable, else as `AZURE_CLOUD` names it.
fn authority() -> String {
    set("AZURE_AUTHORITY_HOST").unwrap_or_else(|| {
        match cloud::named().as_str() {
            "azureusgovernment" => "https://login.microsoftonline.us",
            "azurechinacloud" => "https://login.chinacloudapi.cn",
            _ => "https://login.microsoftonline.com",
        }
        .into()
    })
}

/// The same, as the library takes it.
fn client_options() -> ClientOptions {
    let mut configuration = CustomConfiguration::default();
    configuration.authority_host = authority();
    ClientOptions { cloud: Some(Arc::new(configuration.into())), ..Default::default() }
}

/// The first credential whose conditions hold.
async fn find() -> azure_core::Result<Arc<dyn TokenCredential>> {
    escher_rest::prepare();
    if let (Some(tenant), Some(client)) = (set("AZURE_TENANT_ID"), set("AZURE_CLIENT_ID")) {
        if let Some(secret) = set("AZURE_CLIENT_SECRET") {
            let options = ClientSecretCredentialOptions { client_options: client_options() };
            return Ok(ClientSecretCredential::new(&tenant, client, Secret::new(secret), Some(options))?);
        }
        if let Some(path) = set("AZURE_CLIENT_CERTIFICATE_PATH") {
            let certificate = Certificate::read(&path, &authority(), &tenant, &client)?;
            let options = ClientAssertionCredentialOptions { client_options: client_options() };
            return Ok(ClientAssertionCredential::new(tenant, client, certificate, Some(options))?);
        }
    }
    if set("AZURE_FEDERATED_TOKEN_FILE").is_some() {
        let credential_options = ClientAssertionCredentialOptions { client_options: client_options() };
        let options = WorkloadIdentityCredentialOptions { credential_options, ..Default::default() };
        return Ok(WorkloadIdentityCredential::new(Some(options))?);
    }
    if set("IDENTITY_ENDPOINT").is_some() || set("MSI_ENDPOINT").is_some() || on_azure().await {
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: set("AZURE_CLIENT_ID").map(UserAssignedId::ClientId),
            ..Default::default()
        };
        return Ok(ManagedIdentityCredential::new(Some(options))?);
    }
    Ok(AzureCliCredential::new(None)?)
}

/// Machines of other clouds answer at the same address, but not this.
async fn on_azure() -> bool {
    let answer = escher_rest::machine(METADATA, "Metadata: true").await;
    answer.is_some_and(|text| text.split_whitespace().nth(1) == Some("200"))
}

/// Why there is no token, in the library's own words, which name sources and never secrets.
fn refused(error: &azure_core::Error) -> CallError {
    let help = "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH";
    CallError::unsent(ErrorKind::Denied, clean(&format!("no Azure credentials: {help} ({error})")))
}
