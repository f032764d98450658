//! Cloud SQL: started and stopped by a setting, and protected by one.

use serde_json::{Map, Value as Json};

use super::address::Address;
use super::engine::bad;
use crate::protocol::time::iso8601;
use crate::rest::{Call, Refusal};
use crate::world::World;
use crate::world::ids::hash;
use crate::world::lifecycle::Lifecycle;
use crate::world::things::{Thing, at, set, unset};

const TABLE: &str = "gcp/sqladmin/instances";

/// Passwords are kept by nobody; each change of the settings counts.
pub(super) fn before(
    _: &mut World,
    _: &Call<'_>,
    address: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    body.remove("rootPassword");
    let name = &address.name;
    if name.len() > 97 || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(Refusal::new(400, "invalid", format!("Invalid request: instance name ({name}).")));
    }
    if was.is_none() && at(body, "/settings/tier").is_none() {
        return Err(Refusal::new(400, "required", "Missing parameter: settings.tier."));
    }
    unset(body, "state");
    let version =
        was.and_then(|was| at(&was.body, "/settings/settingsVersion")?.as_str()?.parse::<u64>().ok()).unwrap_or(0);
    set(body, "/settings/settingsVersion", (version + 1).to_string().into());
    Ok(())
}

pub(super) fn shown(_: &Call<'_>, world: &World, thing: &Thing, shown: &mut Map<String, Json>) {
    let region = thing.text("region").unwrap_or("us-central1").to_owned();
    shown.insert("project".into(), world.gcp.project.as_str().into());
    shown.insert("connectionName".into(), format!("{}:{region}:{}", world.gcp.project, thing.name).into());
    shown.insert("createTime".into(), iso8601(thing.made).into());
    shown.insert("gceZone".into(), format!("{region}-b").into());
    let [.., b, c, d] = hash(thing.key.as_bytes()).to_be_bytes();
    let address = serde_json::json!([{ "type": "PRIMARY", "ipAddress": format!("198.{}.{c}.{d}", 18 + (b & 1)) }]);
    shown.insert("ipAddresses".into(), address);
    // One that is never active is stopped.
    if at(&thing.body, "/settings/activationPolicy") == Some(&Json::from("NEVER"))
        && shown.get("state") == Some(&"RUNNABLE".into())
    {
        shown.insert("state".into(), "STOPPED".into());
    }
}

pub(super) fn restart(world: &mut World, call: &mut Call<'_>, address: &Address) -> Result<i64, Refusal> {
    let (now, takes) = (call.now, i64::from(world.gcp.timing.starting));
    let thing = world.things.get_mut(TABLE, &address.key()).ok_or_else(|| bad("instance"))?;
    thing.state = Lifecycle::moving("RUNNABLE".into(), "RUNNABLE".into(), now, takes);
    let key = thing.key.clone();
    call.moved(&key, Some("RUNNABLE".into()), "RUNNABLE".into(), None);
    Ok(now.saturating_add(takes))
}

/// One that is protected stays.
pub(super) fn deleted(_: &mut World, thing: &Thing) -> Result<(), Refusal> {
    if at(&thing.body, "/settings/deletionProtectionEnabled") == Some(&true.into()) {
        let message = "The instance is protected. Please disable the deletion protection and try again.";
        return Err(Refusal::new(400, "invalid", message));
    }
    Ok(())
}
