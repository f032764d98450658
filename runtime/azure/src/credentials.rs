//! Who calls: the environment, a workload's identity, a managed identity, the Azure CLI, in this order.
//!
//! `azure_identity` has each of them and no chain. Tokens are in no error, log or debug output.

use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{
    AzureCliCredential, ClientSecretCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential,
};
use escher_provider::{CallError, ErrorKind, clean};
use tokio::sync::Mutex;

/// Where a machine of Azure is asked who it is.
const METADATA: &str = "169.254.169.254:80";

/// Time for that address to take a connection: elsewhere nobody answers.
const METADATA_TIMEOUT: Duration = Duration::from_millis(500);

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

/// The first credential whose conditions hold.
async fn find() -> azure_core::Result<Arc<dyn TokenCredential>> {
    escher_rest::prepare();
    if let (Some(tenant), Some(client), Some(secret)) =
        (set("AZURE_TENANT_ID"), set("AZURE_CLIENT_ID"), set("AZURE_CLIENT_SECRET"))
    {
        return Ok(ClientSecretCredential::new(&tenant, client, Secret::new(secret), None)?);
    }
    if set("AZURE_FEDERATED_TOKEN_FILE").is_some() {
        return Ok(WorkloadIdentityCredential::new(None)?);
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

async fn on_azure() -> bool {
    let connected = tokio::time::timeout(METADATA_TIMEOUT, tokio::net::TcpStream::connect(METADATA)).await;
    matches!(connected, Ok(Ok(_)))
}

/// Why there is no token, in the library's own words, which name sources and never secrets.
fn refused(error: &azure_core::Error) -> CallError {
    let help = "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET";
    CallError::unsent(ErrorKind::Denied, clean(&format!("no Azure credentials: {help} ({error})")))
}
