//! What a region of EC2 holds: instances, volumes, snapshots, a default network.
//!
//! Does *not* know operations, nor how any of this looks on the wire (see [`super::view`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::aws::filter::Tags;
use crate::world::ids::Ids;
use crate::world::lifecycle::Lifecycle;
use crate::world::table::{Identified, Table};

/// State of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum InstanceState {
    Pending,
    Running,
    ShuttingDown,
    Terminated,
    Stopping,
    Stopped,
}

impl InstanceState {
    /// EC2's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            InstanceState::Pending => "pending",
            InstanceState::Running => "running",
            InstanceState::ShuttingDown => "shutting-down",
            InstanceState::Terminated => "terminated",
            InstanceState::Stopping => "stopping",
            InstanceState::Stopped => "stopped",
        }
    }

    /// EC2's number.
    pub(crate) fn code(self) -> i64 {
        match self {
            InstanceState::Pending => 0,
            InstanceState::Running => 16,
            InstanceState::ShuttingDown => 32,
            InstanceState::Terminated => 48,
            InstanceState::Stopping => 64,
            InstanceState::Stopped => 80,
        }
    }

    /// On its way out or gone.
    pub(crate) fn ended(self) -> bool {
        matches!(self, InstanceState::ShuttingDown | InstanceState::Terminated)
    }
}

/// State of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum VolumeState {
    Creating,
    Available,
    InUse,
    /// Gone; never shown.
    Deleted,
}

impl VolumeState {
    /// EC2's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            VolumeState::Creating => "creating",
            VolumeState::Available => "available",
            VolumeState::InUse => "in-use",
            VolumeState::Deleted => "deleted",
        }
    }
}

/// State of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SnapshotState {
    Pending,
    Completed,
}

impl SnapshotState {
    /// EC2's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SnapshotState::Pending => "pending",
            SnapshotState::Completed => "completed",
        }
    }
}

/// An instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Instance {
    pub(crate) id: Arc<str>,
    pub(crate) reservation: Arc<str>,
    pub(crate) launch_index: u32,
    pub(crate) state: Lifecycle<InstanceState>,
    /// Instance type, such as `t3.micro`.
    pub(crate) kind: Arc<str>,
    pub(crate) image: Arc<str>,
    pub(crate) key_name: Option<Arc<str>>,
    pub(crate) zone: Arc<str>,
    pub(crate) subnet: Arc<str>,
    pub(crate) groups: Vec<Arc<str>>,
    /// Host part of the private and public addresses.
    pub(crate) address: u32,
    pub(crate) launched: i64,
    /// Code of the state reason and when it was set, where its last change had one.
    pub(crate) stopped_by_user: Option<i64>,
    pub(crate) token: Option<Arc<str>>,
    pub(crate) volumes: Vec<Arc<str>>,
    pub(crate) attributes: Attributes,
    pub(crate) tags: Tags,
}

/// Attributes that `ModifyInstanceAttribute` sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attributes {
    pub(crate) disable_api_termination: bool,
    pub(crate) disable_api_stop: bool,
    pub(crate) terminate_on_shutdown: bool,
    pub(crate) ebs_optimized: bool,
    pub(crate) source_dest_check: bool,
}

impl Default for Attributes {
    fn default() -> Self {
        Attributes {
            disable_api_termination: false,
            disable_api_stop: false,
            terminate_on_shutdown: false,
            ebs_optimized: false,
            source_dest_check: true,
        }
    }
}

/// A volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Volume {
    pub(crate) id: Arc<str>,
    pub(crate) state: Lifecycle<VolumeState>,
    pub(crate) kind: Arc<str>,
    /// GiB.
    pub(crate) size: i64,
    pub(crate) iops: Option<i64>,
    pub(crate) throughput: Option<i64>,
    pub(crate) zone: Arc<str>,
    pub(crate) created: i64,
    pub(crate) encrypted: bool,
    pub(crate) snapshot: Option<Arc<str>>,
    /// Means something while the state is `in-use`.
    pub(crate) attachment: Option<Attachment>,
    pub(crate) tags: Tags,
}

/// What a volume hangs on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attachment {
    pub(crate) instance: Arc<str>,
    pub(crate) device: Arc<str>,
    pub(crate) since: i64,
    pub(crate) delete_on_termination: bool,
}

/// A snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snapshot {
    pub(crate) id: Arc<str>,
    pub(crate) state: Lifecycle<SnapshotState>,
    pub(crate) volume: Arc<str>,
    /// GiB.
    pub(crate) size: i64,
    pub(crate) started: i64,
    pub(crate) encrypted: bool,
    pub(crate) description: Arc<str>,
    pub(crate) tags: Tags,
}

impl Volume {
    /// The attachment, while there is one.
    pub(crate) fn attached(&self, now: i64) -> Option<&Attachment> {
        self.attachment.as_ref().filter(|_| self.state.at(now) == VolumeState::InUse)
    }
}

impl Identified for Instance {
    fn id(&self) -> &Arc<str> {
        &self.id
    }
}

impl Identified for Volume {
    fn id(&self) -> &Arc<str> {
        &self.id
    }
}

impl Identified for Snapshot {
    fn id(&self) -> &Arc<str> {
        &self.id
    }
}

/// The default network of a region.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    pub(crate) vpc: Arc<str>,
    /// The default security group.
    pub(crate) group: Arc<str>,
    /// Zones and their subnets.
    pub(crate) zones: Vec<(Arc<str>, Arc<str>)>,
}

/// A request that a client token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenUse {
    /// Digest of the other parameters.
    pub(crate) fingerprint: Arc<str>,
    /// What it made.
    pub(crate) resources: Vec<Arc<str>>,
    /// When it came.
    pub(crate) at: i64,
}

/// One region of one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Region {
    pub(crate) network: Network,
    pub(crate) instances: Table<Instance>,
    pub(crate) volumes: Table<Volume>,
    pub(crate) snapshots: Table<Snapshot>,
    /// By operation and token.
    pub(crate) tokens: BTreeMap<String, TokenUse>,
    /// Host part of the next address.
    pub(crate) next_address: u32,
}

impl Region {
    /// A region with its default network and nothing in it.
    pub(crate) fn new(account: &str, name: &str, ids: &Ids) -> Region {
        let id = |prefix: &str, what: &str| ids.named(prefix, &format!("{account}/{name}/{what}"));
        let zone = |z: &str| (Arc::from(format!("{name}{z}")), id("subnet-", z));
        let zones = ["a", "b", "c"].into_iter().map(zone).collect();
        let network = Network { vpc: id("vpc-", "vpc"), group: id("sg-", "group"), zones };
        Region {
            network,
            instances: Table::default(),
            volumes: Table::default(),
            snapshots: Table::default(),
            tokens: BTreeMap::new(),
            next_address: 10,
        }
    }

    /// Applies what is due, and forgets what is shown no longer.
    pub(crate) fn settle(&mut self, now: i64, terminated_shown: i64) {
        self.instances.iter_mut().for_each(|i| i.state.settle(now));
        self.volumes.iter_mut().for_each(|v| v.state.settle(now));
        self.snapshots.iter_mut().for_each(|s| s.state.settle(now));
        self.instances.retain(|i| visible(i, now, terminated_shown));
        self.volumes.retain(|v| v.state.at(now) != VolumeState::Deleted);
    }
}

/// Whether an instance is still described.
pub(crate) fn visible(instance: &Instance, now: i64, terminated_shown: i64) -> bool {
    instance.state.at(now) != InstanceState::Terminated
        || now.saturating_sub(instance.state.since(now)) <= terminated_shown
}
