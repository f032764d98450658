//! Answers: HTTP to values, and error answers to errors. Nothing in them is trusted.
//!
//! Each body is checked to be whole before the protocol's reader sees it: a truncated answer must not look like a short one.
//! This module does *not* receive anything.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::http::{Headers, Response};
use aws_smithy_schema::http_protocol::http_output_deserializer;
use aws_smithy_schema::serde::SerdeError;
use aws_smithy_types::date_time::{DateTime, Format};
use escher_catalog::{Protocol, ShapeKind};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::{CallError, ErrorKind, Sent, clean};

use crate::errors;
use crate::read::{Reader, Words};
use crate::schema::Plan;
use crate::xml::{Document, Element};
use crate::{wire, xml};

/// Longest wait that a provider may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// An answer whose body has arrived in full.
#[derive(Debug)]
pub(crate) struct Received {
    /// Status, headers and body.
    pub(crate) http: Response,
}

impl Received {
    fn body(&self) -> &[u8] {
        self.http.body().bytes().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.http.headers().get(name)
    }

    /// The provider's request id, from whichever header it uses.
    pub(crate) fn request_id(&self) -> Option<String> {
        let names = ["x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id"];
        names.iter().find_map(|name| self.header(name)).map(clean)
    }

    /// The provider's clock.
    pub(crate) fn server_time(&self) -> Option<i64> {
        DateTime::from_str(self.header("date")?, Format::HttpDate).ok().map(|t| t.secs())
    }

    /// The error that this answer is, if it is one.
    pub(crate) fn error(&self, plan: &Plan) -> Option<CallError> {
        let status = self.http.status().as_u16();
        // Some S3 operations report a failure after they have begun to answer 200.
        let late = plan.record.service.protocol == Protocol::RestXml
            && self.body().len() < 64 * 1024
            && payload_kind(plan) != Some(Payload::Raw)
            && xml::root(self.body()).is_some_and(|root| root == b"Error");
        if (200..300).contains(&status) && !late {
            return None;
        }
        let status = if late { 500 } else { status };
        let said = self.said(plan);
        let sent = if errors::is_definite(said.code.as_deref(), status) { Sent::Refused } else { Sent::Maybe };
        let message = said.message.as_deref().map(clean).filter(|m| !m.is_empty());
        Some(CallError {
            kind: errors::kind(said.code.as_deref(), status),
            message: message.unwrap_or_else(|| format!("HTTP status {status}")),
            code: said.code,
            request_id: self.request_id().or(said.request_id.as_deref().map(clean)),
            sent,
            retry_after: retry_after(self.http.headers()),
        })
    }

    /// Code and message of an error answer, as far as there are any.
    fn said(&self, plan: &Plan) -> xml::Said {
        // What stands before a service (gateways, emulators) may answer in XML whatever the service speaks.
        let mut said = if wire::is_xml(plan.record.service.protocol) || self.body().starts_with(b"<") {
            xml::said(self.body())
        } else {
            let settings = wire::settings(plan.record);
            let found = wire::protocol(&plan.record.service).parse_error_metadata(&self.http, &settings);
            let found = found.map(|builder| builder.build()).unwrap_or_default();
            xml::Said {
                code: found.code().map(str::to_owned),
                message: found.message().map(str::to_owned),
                request_id: None,
            }
        };
        let word = |c: &String| c.len() <= 120 && c.chars().all(|c| c.is_ascii_graphic());
        said.code = said.code.map(|c| c.trim().to_owned()).filter(|c| !c.is_empty() && word(c));
        said
    }

    /// What a program reads of the answer.
    pub(crate) fn value(
        &self,
        plan: &'static Plan,
        wanted: &Projection,
        target: &Arc<Target>,
    ) -> Result<Value, CallError> {
        let reader = Reader::new(plan, Words::Language, Some(target));
        self.read(&reader, wanted).map_err(|e| self.unreadable(&e))
    }

    /// The answer in the API's own words, for paths that are written in them.
    pub(crate) fn official(&self, plan: &'static Plan, wanted: &Projection) -> Result<Value, CallError> {
        let reader = Reader::new(plan, Words::Official, None);
        self.read(&reader, wanted).map_err(|e| self.unreadable(&e))
    }

    /// What a program reads of a page, and beside it in the API's own words what these names at the top hold. Mostly
    /// they are texts or numbers, and the page is gone through once.
    pub(crate) fn page(
        &self,
        plan: &'static Plan,
        wanted: &Projection,
        target: &Arc<Target>,
        beside: &Projection,
    ) -> Result<(Value, Value), CallError> {
        let reader = Reader::new(plan, Words::Language, Some(target)).noting(beside);
        let value = self.read(&reader, wanted).map_err(|e| self.unreadable(&e))?;
        let beside = match reader.noted() {
            Some(noted) => noted,
            None => self.official(plan, beside)?,
        };
        Ok((value, beside))
    }

    fn read<'p>(&self, reader: &Reader<'p>, wanted: &'p Projection) -> Result<Value, SerdeError> {
        let plan = reader.plan;
        let Some(output) = plan.output() else { return Ok(Value::None) };
        let body = self.body();
        match plan.record.service.protocol {
            Protocol::Ec2Query | Protocol::AwsQuery if body.trim_ascii().is_empty() => Ok(reader.empty(wanted)),
            // The root is what wraps them.
            Protocol::Ec2Query => enveloped(reader, body, wanted, &|name| name.ends_with(b"Response")),
            Protocol::AwsQuery => {
                let wrapper = plan.record.operation.output_wrapper.as_deref();
                let is_wrapper =
                    |name: &[u8]| wrapper.map_or(name.ends_with(b"Result"), |wrapper| name == wrapper.as_bytes());
                enveloped(reader, body, wanted, &is_wrapper)
            }
            Protocol::RestXml => {
                let mut document = Document::new(body);
                let raw = payload_kind(plan) == Some(Payload::Raw) || body.trim_ascii().is_empty();
                if !raw && xml::root(body).is_some_and(|root| root.eq_ignore_ascii_case(b"html")) {
                    return Err(foreign());
                }
                let settings = wire::settings(plan.record);
                let root = Element::root(&mut document);
                let mut from = http_output_deserializer(root, &self.http, output.schema, &settings);
                let value = reader.output(&mut *from, wanted)?;
                drop(from);
                if !raw && !document.started() {
                    document.root()?;
                    document.skip()?;
                }
                if document.started() {
                    document.finish()?;
                }
                Ok(value)
            }
            protocol => {
                if payload_kind(plan) != Some(Payload::Raw) && !body.trim_ascii().is_empty() {
                    match protocol {
                        Protocol::RpcV2Cbor if crate::cbor::is_whole(body) => {}
                        Protocol::RpcV2Cbor => return Err(SerdeError::invalid_input("it isn't whole")),
                        _ => whole_json(body)?,
                    }
                }
                let settings = wire::settings(plan.record);
                let smithy = wire::protocol(&plan.record.service);
                let mut from = smithy.deserialize_response(&self.http, output.schema, &settings)?;
                reader.output(&mut *from, wanted)
            }
        }
    }

    /// The service did something, and what it says of it can't be read.
    fn unreadable(&self, error: &SerdeError) -> CallError {
        let kind = self.header("content-type").map(clean).unwrap_or_else(|| "no content type".into());
        CallError {
            kind: ErrorKind::Unknown,
            code: None,
            message: clean(&format!("the answer can't be read ({kind}): {error}")),
            request_id: self.request_id(),
            sent: Sent::Maybe,
            retry_after: None,
        }
    }
}

/// What kind of body an answer has where a member is the whole of it.
#[derive(PartialEq, Eq)]
enum Payload {
    /// Bytes or text as they are.
    Raw,
    /// In the format of the protocol.
    Structured,
}

fn payload_kind(plan: &Plan) -> Option<Payload> {
    if !wire::is_rest(plan.record.service.protocol) {
        return None;
    }
    let output = plan.record.shape(plan.record.operation.output?)?;
    let name = output.payload.as_deref()?;
    let (ShapeKind::Structure(members) | ShapeKind::Union(members)) = &output.kind else { return None };
    let shape = plan.record.shape(members.iter().find(|m| &*m.official == name)?.shape)?;
    let raw = matches!(shape.kind, ShapeKind::Blob | ShapeKind::String { .. });
    Some(if raw { Payload::Raw } else { Payload::Structured })
}

/// Reads the members of an answer's root, or of the child that wraps them where there is one.
fn enveloped<'p>(
    reader: &Reader<'p>,
    body: &[u8],
    wanted: &'p Projection,
    is_wrapper: &dyn Fn(&[u8]) -> bool,
) -> Result<Value, SerdeError> {
    let mut document = Document::new(body);
    let root = document.root()?;
    let name = root.local();
    // A page of a proxy can be well formed, and would read as an answer in which everything is absent.
    if !name.ends_with(b"Response") {
        return Err(foreign());
    }
    let mut value = None;
    if !is_wrapper(name) {
        while let Some(start) = document.child()? {
            if value.is_none() && is_wrapper(start.local()) {
                value = Some(reader.output(&mut Element::open(&mut document, start), wanted)?);
            } else {
                document.skip()?;
            }
        }
        document.finish()?;
    }
    match value {
        Some(value) => Ok(value),
        // Without a wrapper the members stand in the root.
        None => members_of_root(reader, body, wanted),
    }
}

fn members_of_root<'p>(reader: &Reader<'p>, body: &[u8], wanted: &'p Projection) -> Result<Value, SerdeError> {
    let mut document = Document::new(body);
    let value = reader.output(&mut Element::root(&mut document), wanted)?;
    document.finish()?;
    Ok(value)
}

fn foreign() -> SerdeError {
    SerdeError::invalid_input("it isn't an answer of this operation")
}

fn whole_json(body: &[u8]) -> Result<(), SerdeError> {
    // Has a limit of depth of its own.
    serde_json::from_slice::<serde::de::IgnoredAny>(body)
        .map(|_| ())
        .map_err(|_| SerdeError::invalid_input("it isn't JSON"))
}

/// When the provider wants to be asked again: in seconds, at an instant, or in milliseconds as AWS has it.
fn retry_after(headers: &Headers) -> Option<Duration> {
    let millis = headers.get("x-amz-retry-after").and_then(|v| v.trim().parse().ok()).map(Duration::from_millis);
    let standard = || {
        let value = headers.get("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let at = DateTime::from_str(value, Format::HttpDate).ok()?.secs();
        // Against the provider's own clock, where it shows one.
        let now = headers.get("date").and_then(|d| DateTime::from_str(d, Format::HttpDate).ok());
        let now = now.map_or_else(|| jiff::Timestamp::now().as_second(), |t| t.secs());
        u64::try_from(at - now).ok().map(Duration::from_secs)
    };
    millis.or_else(standard).map(|wait| wait.min(MAX_RETRY_AFTER))
}
