//! What was begun and has not ended: where to ask, and how far it is. An operation's name says when it ends, the address of
//! its result what there is to see then.

use serde_json::json;

use super::engine::{encode, of_id, view};
use super::own;
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;

/// It was begun, and there is where to ask.
pub(crate) fn accepted(world: &World, call: &Call<'_>, location: &str, due: i64) -> Answer {
    Answer::of(202, headers(world, call, location, due))
}

/// The headers that say where to ask.
pub(crate) fn headers(world: &World, call: &Call<'_>, location: &str, due: i64) -> Vec<(&'static str, String)> {
    let (base, subscription) = (call.base, &world.azure.subscription);
    let version = call.of_query("api-version").unwrap_or_default();
    let url = format!(
        "{base}/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/operations/{due:x}?api-version={version}"
    );
    vec![
        ("azure-asyncoperation", url.clone()),
        ("location", format!("{url}&monitor={}", encode(call.raw))),
        ("retry-after", "1".to_owned()),
    ]
}

/// How far something is that was begun.
pub(crate) fn get(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let due = i64::from_str_radix(call.of_path("id"), 16);
    let due = due.map_err(|_| Refusal::new(404, "NotFound", "There is no such operation."))?;
    let ended = call.now >= due;
    let wait = || if ended { vec![] } else { vec![("retry-after", "1".to_owned())] };
    if let Some(path) = call.of_query("monitor") {
        if !ended {
            return Ok(Answer::of(202, wait()));
        }
        let made = of_id(world, path).map(|(kind, thing)| view(kind, world, thing, call.now));
        return Ok(made.map_or_else(|| Answer::of(200, Vec::new()), Answer::ok));
    }
    let status = if ended { "Succeeded" } else { "InProgress" };
    Ok(Answer { headers: wait(), ..Answer::ok(json!({ "name": call.of_path("id"), "status": status })) })
}
