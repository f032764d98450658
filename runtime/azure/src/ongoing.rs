//! Both protocols for what takes time, and the older habit of a provisioning state in the resource itself.
//!
//! `Azure-AsyncOperation` names an address whose body has a `status`; `Location` one that answers 202 until it has ended.

use escher_catalog::model::Completion;
use escher_provider::{CallError, Sent};
use escher_rest::{Ongoing, Reply, Step, Url, within};
use serde::Deserialize;

use crate::errors::{self, Said};

/// The body of `Azure-AsyncOperation`.
#[derive(Deserialize)]
struct Status {
    status: Option<String>,
    error: Option<Said>,
}

/// A resource, as far as its state goes.
#[derive(Deserialize)]
struct Resource {
    properties: Option<Properties>,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "provisioningState")]
    state: Option<String>,
}

/// How far something is.
enum State {
    Running,
    Succeeded,
    Failed,
}

fn state(word: &str) -> State {
    match word.to_ascii_lowercase().as_str() {
        "succeeded" => State::Succeeded,
        "failed" | "canceled" | "cancelled" => State::Failed,
        _ => State::Running,
    }
}

/// What comes after an answer about something that was begun.
pub(crate) fn step(ongoing: &mut Ongoing<'_>, reply: &Reply, also: &[&str]) -> Result<Step, CallError> {
    let address = |name: &str| reply.header(name).map(|url| within(ongoing.base, url, also)).transpose();
    let (operation, location) = (address("azure-asyncoperation")?, address("location")?);
    let first = ongoing.answers == 0;
    if first {
        ongoing.location.clone_from(&location);
        // Both may be there: the one with a status tells more.
        if operation.is_some() {
            ongoing.poll = operation;
            return ask(ongoing, reply);
        }
    }
    let by_status = ongoing.poll.is_some();
    if by_status {
        return of_status(ongoing, reply);
    }
    if reply.status == 202 {
        if location.is_some() {
            ongoing.location = location;
        }
        return match &ongoing.location {
            Some(url) => Ok(Step::Ask(url.clone(), reply.retry_after())),
            // Accepted, and no word on where to ask.
            None => Ok(Step::Empty),
        };
    }
    of_resource(ongoing, reply)
}

fn ask(ongoing: &Ongoing<'_>, reply: &Reply) -> Result<Step, CallError> {
    let url = ongoing.poll.clone().unwrap_or_else(|| ongoing.original.clone());
    Ok(Step::Ask(url, reply.retry_after()))
}

fn of_status(ongoing: &mut Ongoing<'_>, reply: &Reply) -> Result<Step, CallError> {
    let Some(Status { status: Some(word), error }) = reply.json() else {
        // Some services answer with the resource once it has ended.
        return of_resource(ongoing, reply);
    };
    match state(&word) {
        State::Running => ask(ongoing, reply),
        State::Failed => Err(failed(&word, error.unwrap_or_default(), reply)),
        State::Succeeded => Ok(result(ongoing)),
    }
}

/// Where the result is once a status says that it has ended.
fn result(ongoing: &Ongoing<'_>) -> Step {
    let operation = &ongoing.record.operation;
    let via = match &operation.completion {
        Some(Completion::Azure { final_state_via }) => final_state_via.as_deref(),
        _ => None,
    };
    let replaces = matches!(&*operation.method, "PUT" | "PATCH");
    let original = || Step::Fetch(ongoing.original.clone());
    let location = || ongoing.location.clone().map(Step::Fetch);
    match via {
        _ if operation.output.is_none() => Step::Empty,
        Some("azure-async-operation") => Step::Done,
        Some("original-uri") => original(),
        Some("location") => location().unwrap_or_else(|| if replaces { original() } else { Step::Empty }),
        _ if replaces => original(),
        _ => location().unwrap_or(Step::Empty),
    }
}

fn of_resource(ongoing: &Ongoing<'_>, reply: &Reply) -> Result<Step, CallError> {
    let found = reply.json::<Resource>().and_then(|r| r.properties).and_then(|p| p.state);
    let resource = matches!(&*ongoing.record.operation.method, "PUT" | "PATCH");
    match found {
        Some(word) if resource => match state(&word) {
            State::Succeeded => Ok(Step::Done),
            State::Failed => Err(failed(&word, Said::default(), reply)),
            State::Running => Ok(Step::Ask(original(ongoing), reply.retry_after())),
        },
        _ if reply.body.trim_ascii().is_empty() => Ok(Step::Empty),
        _ => Ok(Step::Done),
    }
}

fn original(ongoing: &Ongoing<'_>) -> Url {
    ongoing.original.clone()
}

/// It was begun and did not come to its end: what it left behind isn't known.
fn failed(word: &str, said: Said, reply: &Reply) -> CallError {
    let mut error = errors::of(said, reply.status, Sent::Maybe);
    if error.message.is_empty() {
        error.message = format!("the operation ended as {word}");
    }
    error
}
