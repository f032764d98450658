//! SQL servers and databases: pausing, and passwords that nobody keeps.

use serde_json::{Map, Value as Json};

use super::address::Address;
use super::kinds::{Action, Does};
use crate::rest::Refusal;
use crate::world::World;
use crate::world::things::{Thing, at, set};

pub(super) const ACTIONS: &[Action] = &[
    Action {
        method: "POST",
        word: "pause",
        does: Does::Move { from: &["Online", "Paused"], via: "Pausing", to: "Paused", takes: |t| t.stopping },
    },
    Action {
        method: "POST",
        word: "resume",
        does: Does::Move { from: &["Paused", "Online"], via: "Resuming", to: "Online", takes: |t| t.starting },
    },
];

/// A new server needs somebody who may log in.
pub(super) fn server(
    _: &mut World,
    _: &Address,
    was: Option<&Thing>,
    body: &mut Map<String, Json>,
) -> Result<(), Refusal> {
    let password = at(body, "/properties/administratorLoginPassword").is_some();
    let login = at(body, "/properties/administratorLogin").and_then(Json::as_str);
    let entra = at(body, "/properties/administrators").is_some();
    if was.is_none() && !entra && (login.is_none() || !password) {
        let message = "Invalid value given for parameter AdministratorLoginPassword. Specify a valid parameter value.";
        return Err(Refusal::new(400, "InvalidParameterValue", message));
    }
    Ok(())
}

pub(super) fn shown_server(_: &World, thing: &Thing, shown: &mut Map<String, Json>, _: i64) {
    set(shown, "/properties/fullyQualifiedDomainName", format!("{}.database.windows.net", thing.name).into());
}

pub(super) fn shown(_: &World, thing: &Thing, shown: &mut Map<String, Json>, now: i64) {
    set(shown, "/properties/status", thing.state.at(now).into());
    set(shown, "/properties/creationDate", crate::protocol::time::iso8601(thing.made).into());
    let sku = at(shown, "/sku/name").cloned().unwrap_or_default();
    set(shown, "/properties/currentServiceObjectiveName", sku.clone());
    set(shown, "/properties/requestedServiceObjectiveName", sku);
}
