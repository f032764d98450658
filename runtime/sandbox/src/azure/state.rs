//! What Azure has in the practice cloud.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::world::ids::Ids;
use crate::world::lifecycle::Lifecycle;
use crate::world::seed::{AzureSeed, Timing, numbered};
use crate::world::table::{Identified, Table};

/// One subscription and its machines.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Azure {
    pub(crate) subscription: String,
    pub(crate) timing: Timing,
    pub(crate) machines: Table<Machine>,
}

/// Power of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Power {
    Starting,
    Running,
    Stopping,
    Stopped,
    Deallocating,
    Deallocated,
}

impl Power {
    /// The word of the API.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Power::Starting => "starting",
            Power::Running => "running",
            Power::Stopping => "stopping",
            Power::Stopped => "stopped",
            Power::Deallocating => "deallocating",
            Power::Deallocated => "deallocated",
        }
    }
}

/// One virtual machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Machine {
    /// Lower case `group/name`: what tells machines apart.
    pub(crate) key: Arc<str>,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) size: String,
    pub(crate) vm_id: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) power: Lifecycle<Power>,
}

impl Identified for Machine {
    fn id(&self) -> &Arc<str> {
        &self.key
    }
}

/// What a machine is found by.
pub(crate) fn key(group: &str, name: &str) -> Arc<str> {
    format!("{group}/{name}").to_lowercase().into()
}

impl Azure {
    pub(crate) fn from_seed(seed: &AzureSeed, timing: Timing, ids: &Ids) -> Azure {
        let mut machines = Table::default();
        for like in &seed.machines {
            for n in 1..=like.count {
                let name = numbered(&like.name, n);
                let number = ids.named("", &format!("{}/{name}", like.group));
                let tail = number.get(5..17).unwrap_or("000000000000");
                machines.insert(Machine {
                    key: key(&like.group, &name),
                    group: like.group.clone(),
                    location: like.location.clone(),
                    size: like.size.clone(),
                    vm_id: format!("{}-0000-4000-8000-{tail}", number.get(1..9).unwrap_or("00000000")),
                    tags: like.tags.clone(),
                    power: Lifecycle::settled(if like.stopped { Power::Deallocated } else { Power::Running }, 0),
                    name,
                });
            }
        }
        Azure { subscription: seed.subscription.clone(), timing, machines }
    }

    pub(crate) fn settle(&mut self, now: i64) {
        self.machines.iter_mut().for_each(|machine| machine.power.settle(now));
    }
}
