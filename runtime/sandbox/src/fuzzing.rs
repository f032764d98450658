//! Doors for the fuzz targets (`tests/replay`), behind the feature `fuzzing`. Nobody else may use them.

use escher_catalog::Catalog;

use crate::World;
use crate::aws::call::Call;
use crate::aws::error::ApiError;
use crate::protocol::input::Decoder;
use crate::protocol::{form, output};

/// When it is, in milliseconds since the epoch: what is fuzzed knows no clock.
const NOW: i64 = 1_800_000_000_000;

/// An answer of the practice cloud.
#[derive(Debug)]
pub struct Answer {
    /// The operation, in the API's own words.
    pub operation: String,
    /// 200, or the status of the error.
    pub status: u16,
    /// The XML.
    pub body: String,
}

/// What the practice cloud answers a form with. None where the form names no operation of the service.
pub fn ask(world: &mut World, service: &str, request: &[u8]) -> Option<Answer> {
    let service = Catalog::embedded().service("aws", service)?;
    let pairs = form::pairs(request).ok()?;
    let action = pairs.iter().find(|(name, _)| name == "Action").map(|(_, value)| value.clone())?;
    let operation = service.operations.iter().find(|o| *o.official == *action)?;
    let mut act = || -> Result<String, ApiError> {
        let decoder = Decoder { shapes: &service.shapes, protocol: service.meta.protocol };
        let input = decoder.decode(operation.input, &form::tree(&pairs)?, crate::server::PROTOCOL_PARAMETERS)?;
        let _ = serde_json::to_string(&decoder.hide(operation.input, &input));
        let handler = crate::aws::handler(&service.meta.name, &action).ok_or_else(|| ApiError::action(&action))?;
        let mut call = Call {
            now: NOW,
            account: "123456789012".into(),
            region: "us-east-1".into(),
            access_key: "practice".into(),
            service: &service,
            transitions: Vec::new(),
        };
        let value = handler.serve(&input, world, &mut call)?;
        Ok(output::success(&service, operation, &value, "request-1"))
    };
    let (status, body) = match act() {
        Ok(body) => (200, body),
        Err(e) => (e.status, output::failure(service.meta.protocol, &e.code, &e.message, "request-1", e.status >= 500)),
    };
    Some(Answer { operation: operation.name.to_string(), status, body })
}
