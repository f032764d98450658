//! What Google Cloud has in the practice cloud from the start.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::kinds::{DISKS, INSTANCES};
use crate::world::lifecycle::Lifecycle;
use crate::world::seed::{GcpSeed, Timing, numbered};
use crate::world::things::{Thing, Things};

/// Request ids that are remembered.
const MAX_REQUESTS: usize = 10_000;

/// When what a seed names was made: the same instant for all, 2026-01-15T09:00:00Z.
const MADE: i64 = 1_768_467_600_000;

/// One project; what is in it are things.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gcp {
    pub(crate) project: String,
    pub(crate) timing: Timing,
    /// What each request id has begun.
    requests: BTreeMap<String, String>,
    /// Operations that were begun.
    begun: u64,
}

impl Gcp {
    pub(crate) fn from_seed(seed: &GcpSeed, timing: Timing, things: &mut Things) -> Gcp {
        put(things, "gcp/compute/networks", &Address::new("global", "default"), "READY", json!({}));
        for like in &seed.instances {
            let scope = format!("zones/{}", like.zone);
            for n in 1..=like.count {
                let name = numbered(&like.name, n);
                let mut body = json!({ "machineType": like.kind, "labels": like.labels });
                if let (true, Some(body)) = (like.deletion_protection, body.as_object_mut()) {
                    body.insert("deletionProtection".into(), true.into());
                }
                let state = if like.stopped { "TERMINATED" } else { "RUNNING" };
                let address = Address::new(&scope, &name);
                put(things, INSTANCES, &address, state, body);
                // Each has a disk of its own, called like itself.
                let user = format!("projects/{}/{scope}/instances/{name}", seed.project);
                put(things, DISKS, &address, "READY", json!({ "users": [user] }));
            }
        }
        Gcp { project: seed.project.clone(), timing, requests: BTreeMap::new(), begun: 0 }
    }

    /// The name of a new operation.
    pub(crate) fn begin(&mut self, due: i64) -> String {
        self.begun = self.begun.wrapping_add(1);
        format!("operation-{due:x}-{}", self.begun)
    }

    /// What a request id has begun before.
    pub(crate) fn known(&self, request: Option<&str>) -> Option<String> {
        self.requests.get(request?).cloned()
    }

    /// Remembers what a request id has begun; forgets the first of too many.
    pub(crate) fn remember(&mut self, request: Option<&str>, operation: &str) {
        let Some(request) = request else { return };
        if self.requests.len() >= MAX_REQUESTS {
            self.requests.pop_first();
        }
        self.requests.insert(request.to_owned(), operation.to_owned());
    }
}

fn put(things: &mut Things, table: &str, address: &Address, state: &'static str, body: Json) {
    let body: Map<String, Json> = body.as_object().cloned().unwrap_or_default();
    let (key, place, name) = (address.key(), address.scope.as_str().into(), address.name.as_str().into());
    things.insert(table, Thing { key, place, name, made: MADE, state: Lifecycle::settled(state.into(), 0), body });
}
