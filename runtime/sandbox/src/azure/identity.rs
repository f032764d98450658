//! What Azure's own tools ask before they ask for anything: where the cloud's parts are, who calls, and what they may see.
//!
//! Tokens are unsigned and mean nothing: any token is welcome in a practice cloud.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use super::own;
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;

/// The one tenant.
pub(crate) const TENANT: &str = "00000000-0000-0000-0000-0000000000aa";
/// Seconds that a token holds.
const LIFE: i64 = 24 * 3600;
/// Longest resource that a token is asked for.
const MAX_RESOURCE: usize = 1024;

/// `GET /metadata/endpoints`: the one cloud that there is.
pub(super) fn endpoints(_: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let base = call.base;
    Ok(Answer::ok(json!({
        "name": "escher",
        "portal": base,
        "graphAudience": base,
        "graph": base,
        "media": base,
        "resourceManager": base,
        "batch": base,
        "gallery": base,
        "vmImageAliasDoc": format!("{base}/metadata/aliases"),
        "activeDirectoryDataLake": base,
        "sqlManagement": base,
        "microsoftGraphResourceId": base,
        "logAnalyticsResourceId": base,
        "authentication": { "loginEndpoint": base, "audiences": [base], "tenant": "common", "identityProvider": "AAD" },
        "suffixes": {
            "acrLoginServer": "azurecr.escher.localhost",
            "storage": "core.escher.localhost",
            "keyVaultDns": "vault.escher.localhost",
            "sqlServerHostname": "database.escher.localhost",
        },
    })))
}

/// Images by the short names that `az vm create` takes.
pub(super) fn aliases(_: &mut World, _: &mut Call<'_>) -> Result<Answer, Refusal> {
    let image = json!({ "publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest" });
    Ok(Answer::ok(
        json!({ "outputs": { "aliases": { "value": { "Linux": { "Ubuntu2404": image, "Ubuntu2204": image } } } } }),
    ))
}

/// The token of a managed identity.
pub(super) fn token(_: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let resource = call.of_query("resource").unwrap_or_default();
    if resource.is_empty() || resource.len() > MAX_RESOURCE {
        return Err(Refusal::new(400, "invalid_request", "the parameter `resource` is missing or too long"));
    }
    let (now, expires) = (call.now / 1000, call.now / 1000 + LIFE);
    let part = |json: Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({
        "aud": resource, "iss": format!("{}/{TENANT}/", call.base), "tid": TENANT, "oid": "practice", "sub": "practice",
        "appid": "practice", "iat": now, "nbf": now, "exp": expires, "xms_mirid": "/subscriptions/practice",
    });
    let token = format!("{}.{}.unsigned", part(json!({ "alg": "none", "typ": "JWT" })), part(claims));
    Ok(Answer::ok(json!({
        "access_token": token, "expires_on": expires.to_string(), "expires_in": LIFE.to_string(), "resource": resource,
        "token_type": "Bearer", "client_id": "practice",
    })))
}

pub(super) fn tenants(_: &mut World, _: &mut Call<'_>) -> Result<Answer, Refusal> {
    let tenant = json!({ "id": format!("/tenants/{TENANT}"), "tenantId": TENANT, "displayName": "practice" });
    Ok(Answer::ok(json!({ "value": [tenant] })))
}

fn shown(world: &World) -> Json {
    let id = &world.azure.subscription;
    json!({
        "id": format!("/subscriptions/{id}"),
        "subscriptionId": id,
        "tenantId": TENANT,
        "displayName": "practice",
        "state": "Enabled",
        "subscriptionPolicies": { "locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off" },
        "authorizationSource": "RoleBased",
    })
}

pub(super) fn subscriptions(world: &mut World, _: &mut Call<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::ok(json!({ "value": [shown(world)] })))
}

pub(super) fn subscription(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    Ok(Answer::ok(shown(world)))
}

/// Where things can be.
const LOCATIONS: &[(&str, &str)] = &[
    ("westeurope", "West Europe"),
    ("northeurope", "North Europe"),
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("westus2", "West US 2"),
    ("germanywestcentral", "Germany West Central"),
];

pub(super) fn locations(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let row = |(name, title): &(&str, &str)| {
        json!({ "id": format!("/subscriptions/{}/locations/{name}", world.azure.subscription), "name": name,
                "displayName": title, "regionalDisplayName": title, "metadata": { "regionType": "Physical", "regionCategory": "Recommended" } })
    };
    Ok(Answer::ok(json!({ "value": LOCATIONS.iter().map(row).collect::<Vec<_>>() })))
}
