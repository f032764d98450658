//! What Azure has in the practice cloud from the start.

use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::address::Address;
use super::kinds::{GROUP, MACHINE};
use crate::world::lifecycle::Lifecycle;
use crate::world::seed::{AzureSeed, Timing, numbered};
use crate::world::things::{Thing, Things};

/// One subscription; what is in it are things.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Azure {
    pub(crate) subscription: String,
    pub(crate) timing: Timing,
}

/// When the machines of a seed were made: the same instant for all, 2026-01-15T09:00:00Z.
const MADE: i64 = 1_768_467_600_000;

impl Azure {
    pub(crate) fn from_seed(seed: &AzureSeed, timing: Timing, things: &mut Things) -> Azure {
        for like in &seed.machines {
            group(things, &like.group, &like.location);
            for n in 1..=like.count {
                let name = numbered(&like.name, n);
                let state = if like.stopped { "deallocated" } else { "running" };
                let body = json!({
                    "location": like.location,
                    "tags": like.tags,
                    "properties": { "hardwareProfile": { "vmSize": like.size } },
                });
                things.insert(
                    MACHINE,
                    Thing {
                        key: Address::new(&like.group, &name).key(),
                        place: like.group.as_str().into(),
                        name: name.into(),
                        made: MADE,
                        state: Lifecycle::settled(state.into(), 0),
                        body: body.as_object().cloned().unwrap_or_default(),
                    },
                );
            }
        }
        Azure { subscription: seed.subscription.clone(), timing }
    }
}

/// A group that something lies in is there.
pub(crate) fn group(things: &mut Things, name: &str, location: &str) {
    let mut body = Map::new();
    body.insert("location".into(), location.into());
    things.insert(
        GROUP,
        Thing {
            key: Address::new(name, name).key(),
            place: name.into(),
            name: name.into(),
            made: MADE,
            state: Lifecycle::settled("Succeeded".into(), 0),
            body,
        },
    );
}
