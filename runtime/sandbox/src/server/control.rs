//! What people and tests ask the practice cloud itself, under `/_sandbox/`.
//!
//! | request | gives |
//! |---|---|
//! | `GET /_sandbox/health` | `{"schema", "status": "ok", "version", "accounts", "regions"}` |
//! | `GET /_sandbox/activity?since=N` | the log after entry N: see [`super::activity`] |
//! | `GET /_sandbox/state` | the whole world, settled: the format of the state file |
//! | `GET /_sandbox/faults` | the rules, and how often each fired |
//! | `POST /_sandbox/faults` | replaces the rules: see [`super::faults`] |
//! | `POST /_sandbox/reset` | back to the seed, without faults and activity |
//!
//! Does *not* take part in a cloud's protocol: no signature, no faults, no entry in the log.

use std::sync::atomic::Ordering;

use hyper::Method;
use serde_json::json;

use super::faults::Faults;
use super::{Shared, lock};
use crate::world::clock;

/// Answers with a status and JSON.
pub(crate) fn answer(shared: &Shared, method: &Method, path: &str, query: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let json = |value: serde_json::Value| (200, value.to_string().into_bytes());
    match (method.as_str(), path) {
        ("GET", "health") => {
            let world = lock(&shared.world);
            json(json!({
                "schema": "escher.sandbox.health/1",
                "status": "ok",
                "version": env!("CARGO_PKG_VERSION"),
                "accounts": world.aws.accounts.iter().map(|a| json!({"id": *a.id, "name": a.name})).collect::<Vec<_>>(),
                "regions": world.aws.regions,
            }))
        }
        ("GET", "activity") => match since(query) {
            Some(since) => (200, serde_json::to_vec(&lock(&shared.activity).since(since)).unwrap_or_default()),
            None => fail(400, "`since` is a number"),
        },
        ("GET", "state") => {
            let mut world = lock(&shared.world);
            world.settle(clock::now());
            (200, serde_json::to_vec(&*world).unwrap_or_default())
        }
        ("GET", "faults") => (200, serde_json::to_vec(&*lock(&shared.faults)).unwrap_or_default()),
        ("POST", "faults") => match Faults::parse(body) {
            Ok(faults) => {
                *lock(&shared.faults) = faults;
                json(json!({ "status": "ok" }))
            }
            Err(reason) => fail(400, &reason),
        },
        ("POST", "reset") => {
            let mut world = lock(&shared.world);
            world.reset();
            *lock(&shared.faults) = Faults::none(world.seed.seed);
            lock(&shared.activity).clear();
            shared.changed.store(true, Ordering::Relaxed);
            json(json!({ "status": "ok" }))
        }
        (_, "health" | "activity" | "state" | "faults" | "reset") => fail(405, "wrong method"),
        _ => fail(404, "health, activity, state, faults, reset"),
    }
}

fn since(query: &str) -> Option<u64> {
    let mut parameters = query.split('&').filter(|p| !p.is_empty());
    match parameters.find_map(|p| p.strip_prefix("since=")) {
        Some(number) => number.parse().ok(),
        None => Some(0),
    }
}

/// An error of the practice cloud itself.
pub(crate) fn fail(status: u16, message: &str) -> (u16, Vec<u8>) {
    (status, json!({ "error": message }).to_string().into_bytes())
}
