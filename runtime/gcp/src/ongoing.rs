//! Both families of what takes time: operations with a `status` (Compute Engine, Cloud SQL), and those that are `done`.

use escher_catalog::Catalog;
use escher_catalog::model::{Completion, Location, ShapeKind};
use escher_provider::{CallError, ErrorKind, Sent, scalar};
use escher_rest::{Ongoing, Reply, Step, Url, within};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::errors;

/// An operation of either family.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    name: Option<String>,
    status: Option<String>,
    done: Option<bool>,
    zone: Option<String>,
    region: Option<String>,
    self_link: Option<String>,
    error: Option<Json>,
    http_error_status_code: Option<u16>,
    http_error_message: Option<String>,
}

/// What comes after an answer about something that was begun.
pub(crate) fn step(ongoing: &mut Ongoing<'_>, reply: &Reply) -> Result<Step, CallError> {
    let Some(operation) = reply.json::<Operation>() else {
        return Err(unclear("the answer about what was begun can't be read"));
    };
    let (ended, poll) = match &ongoing.record.operation.completion {
        Some(Completion::GoogleLongRunning { poll }) => (operation.done == Some(true), poll),
        Some(Completion::GoogleStatus { poll }) => (operation.status.as_deref() == Some("DONE"), poll),
        _ => return Ok(Step::Done),
    };
    if let Some(error) = failure(&operation) {
        return Err(error);
    }
    if ended {
        return Ok(Step::Done);
    }
    if ongoing.poll.is_none() {
        ongoing.poll = Some(address(ongoing, &operation, poll.as_deref())?);
    }
    match &ongoing.poll {
        Some(url) => Ok(Step::Ask(url.clone(), reply.retry_after())),
        None => Err(unclear("nobody says where to ask for what was begun")),
    }
}

/// Where to ask: as the operation of the catalogue for it has its path, else as the answer itself says.
fn address(ongoing: &Ongoing<'_>, operation: &Operation, poll: Option<&str>) -> Result<Url, CallError> {
    let path = poll.and_then(|poll| path(ongoing, operation, poll));
    let given = path.or_else(|| operation.self_link.clone());
    let given = given.ok_or_else(|| unclear("nobody says where to ask for what was begun"))?;
    within(ongoing.base, &given, &[])
}

fn path(ongoing: &Ongoing<'_>, operation: &Operation, poll: &str) -> Option<String> {
    let service = &ongoing.record.service;
    let name = format!("{}.{}.{}", service.cloud, service.name, escher_catalog::names::operation(poll));
    let record = Catalog::current().record(&name)?;
    let ShapeKind::Structure(members) = &record.shape(record.operation.input?)?.kind else { return None };
    let last = |url: &Option<String>| url.as_deref().and_then(|u| u.rsplit('/').next()).map(str::to_owned);
    let places: Option<Vec<(&str, String)>> = members
        .iter()
        .filter(|member| member.location == Location::Uri)
        .map(|member| {
            let wire = member.wire_name.as_deref().unwrap_or(&member.official);
            let value = match wire {
                "operation" | "operationId" | "name" | "operationsId" => operation.name.clone(),
                "zone" => last(&operation.zone),
                "region" => last(&operation.region),
                _ => None,
            };
            let value = value.or_else(|| ongoing.arguments.get(&*member.name).and_then(scalar::text))?;
            Some((wire, value))
        })
        .collect();
    escher_rest::expand(&record.operation.uri, &places?).ok()
}

/// What an operation says of its failure.
fn failure(operation: &Operation) -> Option<CallError> {
    let error = operation.error.as_ref()?;
    let text = |value: &Json, name: &str| value.get(name).and_then(Json::as_str).map(str::to_owned);
    // Compute Engine lists them; the other family has one, whose code is a number.
    let first = error.get("errors").and_then(|all| all.get(0)).unwrap_or(error);
    let code = text(first, "code").or_else(|| text(first, "status")).or_else(|| canonical(first.get("code")?));
    let message = text(first, "message").or_else(|| operation.http_error_message.clone());
    Some(errors::of_operation(code.as_deref(), message.as_deref(), operation.http_error_status_code.unwrap_or(0)))
}

/// The name of a canonical code.
fn canonical(code: &Json) -> Option<String> {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    let at = usize::try_from(code.as_u64()?).ok()?;
    NAMES.get(at).map(|name| (*name).to_owned())
}

/// It left, and what became of it isn't known.
fn unclear(words: &str) -> CallError {
    CallError {
        kind: ErrorKind::Unknown,
        code: None,
        message: words.into(),
        request_id: None,
        sent: Sent::Maybe,
        retry_after: None,
    }
}
