//! Doors for the fuzz targets (`tests/replay`), behind the feature `fuzzing`. Nobody else may use them.

use std::sync::Arc;

use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use escher_catalog::Record;
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::CallError;

use crate::answer::Received;
use crate::schema::Plan;

/// What the client makes of an answer: its value, and how many arguments the next page would need.
///
/// None where status or headers are none that HTTP has.
pub fn answer(
    record: &Arc<Record>,
    status: u16,
    headers: &[(&'static str, String)],
    body: &[u8],
) -> Option<Result<(Value, usize), CallError>> {
    let mut http = Response::new(StatusCode::try_from(status).ok()?, SdkBody::from(body.to_vec()));
    for (name, value) in headers {
        http.headers_mut().try_insert(*name, value.clone()).ok()?;
    }
    let received = Received { http };
    let _ = (received.request_id(), received.server_time());
    Some(read(Plan::of(record), &received))
}

fn read(plan: &'static Plan, received: &Received) -> Result<(Value, usize), CallError> {
    if let Some(error) = received.error(plan) {
        return Err(error);
    }
    let target = Arc::new(Target::default());
    let value = received.value(plan, &Projection::All, &target)?;
    let Some(paging) = plan.record.operation.paging.as_ref() else { return Ok((value, 0)) };
    let official = received.official(plan, &Projection::All)?;
    let tokens = crate::paging::next_tokens(plan, paging, &official);
    // A page that is gone through once says the same.
    let paths = paging.output_tokens.iter().chain(&paging.more_results).map(|p| &**p);
    let (page, beside) = received.page(plan, &Projection::All, &target, &crate::path::reach(paths))?;
    assert_eq!(page, value);
    assert_eq!(crate::paging::next_tokens(plan, paging, &beside), tokens);
    Ok((value, tokens.len()))
}
