//! Which subscription is meant, and whether the credentials see it.

use std::path::PathBuf;
use std::time::Duration;

use escher_provider::{CallError, ErrorKind};
use escher_rest::{Http, Url};
use serde::Deserialize;

use crate::errors;

/// Version of the API that tells of a subscription.
const API_VERSION: &str = "2022-12-01";

/// Time to learn of a subscription.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The subscription of a practice cloud that was told of none.
const PRACTICE: &str = "00000000-0000-0000-0000-000000000001";

/// What the Azure CLI keeps of its logins.
#[derive(Deserialize)]
struct Profile {
    #[serde(default)]
    subscriptions: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    id: String,
    #[serde(default, rename = "isDefault")]
    default: bool,
}

/// The subscription that Azure's own tools would use.
pub(crate) fn chosen(practice: bool) -> Result<String, CallError> {
    if practice {
        return Ok(PRACTICE.into());
    }
    let set = std::env::var("AZURE_SUBSCRIPTION_ID").ok().filter(|id| !id.is_empty());
    set.or_else(of_cli).ok_or_else(|| {
        CallError::unsent(
            ErrorKind::Invalid,
            "no Azure subscription is set: set AZURE_SUBSCRIPTION_ID, run `az account set`, or name one in escher.toml",
        )
    })
}

fn of_cli() -> Option<String> {
    let folder = std::env::var_os("AZURE_CONFIG_DIR").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".azure")))?;
    let text = std::fs::read_to_string(folder.join("azureProfile.json")).ok()?;
    let profile: Profile = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    profile.subscriptions.into_iter().find(|s| s.default).map(|s| s.id)
}

/// Asks for the subscription: who calls has no rights in another.
pub(crate) async fn seen(http: &Http, base: &Url, id: &str, token: &str) -> Result<(), CallError> {
    let invalid = |words: &str| CallError::unsent(ErrorKind::Invalid, words);
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(invalid("an Azure subscription is named by its id, such as 00000000-0000-0000-0000-000000000000"));
    }
    let url = base.join(&format!("/subscriptions/{id}?api-version={API_VERSION}"));
    let url = url.map_err(|_| invalid("the endpoint isn't an address of http or https"))?;
    let reply = http.get(url, token, TIMEOUT).await?;
    match reply.status {
        200..300 => Ok(()),
        403 | 404 => {
            let help = "choose other credentials (`az login`, AZURE_CLIENT_ID), or another subscription";
            Err(CallError::unsent(ErrorKind::Denied, format!("the credentials do not see subscription {id}: {help}")))
        }
        _ => Err(errors::refusal(&reply)),
    }
}
