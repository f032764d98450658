//! What Google Cloud has in the practice cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::world::ids::{Ids, hash, mix};
use crate::world::lifecycle::Lifecycle;
use crate::world::seed::{GcpSeed, Timing, numbered};
use crate::world::table::{Identified, Table};

/// Request ids that are remembered.
const MAX_REQUESTS: usize = 10_000;

/// One project and its instances.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gcp {
    pub(crate) project: String,
    pub(crate) timing: Timing,
    pub(crate) instances: Table<Instance>,
    /// What each request id has begun.
    requests: BTreeMap<String, String>,
    /// Operations that were begun.
    begun: u64,
}

/// Status of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Staging,
    Running,
    Stopping,
    Terminated,
}

impl Status {
    /// The word of the API.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Staging => "STAGING",
            Status::Running => "RUNNING",
            Status::Stopping => "STOPPING",
            Status::Terminated => "TERMINATED",
        }
    }
}

/// One instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Instance {
    /// `zone/name`: what tells instances apart.
    pub(crate) key: Arc<str>,
    pub(crate) zone: String,
    pub(crate) name: String,
    pub(crate) number: u64,
    pub(crate) machine_type: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) deletion_protection: bool,
    pub(crate) status: Lifecycle<Status>,
}

impl Identified for Instance {
    fn id(&self) -> &Arc<str> {
        &self.key
    }
}

impl Gcp {
    pub(crate) fn from_seed(seed: &GcpSeed, timing: Timing, ids: &Ids) -> Gcp {
        let mut instances = Table::default();
        for like in &seed.instances {
            for n in 1..=like.count {
                let name = numbered(&like.name, n);
                let key = key(&like.zone, &name);
                instances.insert(Instance {
                    // Nineteen digits, as Google's are.
                    number: 1_000_000_000_000_000_000
                        + mix(hash(ids.named("", &key).as_bytes())) % 8_000_000_000_000_000_000,
                    key,
                    zone: like.zone.clone(),
                    machine_type: like.kind.clone(),
                    labels: like.labels.clone(),
                    deletion_protection: like.deletion_protection,
                    status: Lifecycle::settled(if like.stopped { Status::Terminated } else { Status::Running }, 0),
                    name,
                });
            }
        }
        Gcp { project: seed.project.clone(), timing, instances, requests: BTreeMap::new(), begun: 0 }
    }

    /// The name of a new operation, which says when it ends.
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

    pub(crate) fn settle(&mut self, now: i64) {
        self.instances.iter_mut().for_each(|instance| instance.status.settle(now));
    }
}

/// What an instance is found by.
pub(crate) fn key(zone: &str, name: &str) -> Arc<str> {
    format!("{zone}/{name}").into()
}
