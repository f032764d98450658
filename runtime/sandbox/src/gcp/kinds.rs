//! The kinds of resources that the practice cloud has of Google Cloud: a row each.
//!
//! A row says what the catalogue does not: what a resource has that nobody gave it, how long it takes, what it is called, and
//! what its actions do. Paths, parameters and members come from the catalogue.

use serde_json::{Map, Value as Json};

use super::address::Address;
use super::{buckets, databases, disks, identity, instances, networks, secrets};
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::seed::Timing;
use crate::world::things::Thing;

/// How long something takes: one of the durations of the seed.
pub(crate) type Takes = fn(&Timing) -> u32;

/// How an API answers a change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// With an operation of Compute Engine.
    Compute,
    /// With an operation of Cloud SQL.
    Sql,
    /// With the resource.
    Plain,
}

/// One kind.
pub(crate) struct Kind {
    /// Service of the catalogue.
    pub(crate) service: &'static str,
    /// Its operations' names without the last part, such as `instances` or `projects.serviceAccounts.keys`.
    pub(crate) collection: &'static str,
    /// The last word of the collection's path, and what a list is called that is told by scopes.
    pub(crate) noun: &'static str,
    /// What it says it is, such as `compute#instance`; nothing where the API does not say.
    pub(crate) kind: &'static str,
    pub(crate) family: Family,
    /// Member of a list's answer.
    pub(crate) items: &'static str,
    /// What lies under every body, as JSON.
    pub(crate) defaults: &'static str,
    /// Member that shows the state; none where a kind has none.
    pub(crate) state: &'static str,
    /// State at rest, and on the way there.
    pub(crate) states: (&'static str, &'static str),
    /// How long making and deleting one take.
    pub(crate) takes: Takes,
    pub(crate) actions: &'static [Action],
    /// The name of a new one; by default its body says it.
    pub(crate) name: fn(&World, &Call<'_>, &Map<String, Json>) -> Option<String>,
    /// Looks at a body before it is kept.
    pub(crate) before: Hook,
    /// Adds what is worked out to what is shown.
    pub(crate) shown: fn(&Call<'_>, &World, &Thing, &mut Map<String, Json>),
    /// What becomes of others when one is deleted; may refuse.
    pub(crate) deleted: fn(&mut World, &Thing) -> Result<(), Refusal>,
}

/// Looks at a body before it is kept, with what was there before.
pub(crate) type Hook =
    fn(&mut World, &Call<'_>, &Address, Option<&Thing>, &mut Map<String, Json>) -> Result<(), Refusal>;

/// An action by the last part of its operation's name.
pub(crate) struct Action {
    pub(crate) word: &'static str,
    pub(crate) does: Does,
}

pub(crate) enum Does {
    /// Moves a resource by way of a state to another, from some.
    Move { from: &'static [&'static str], via: &'static str, to: &'static str, takes: Takes },
    /// Changes something; says when that has ended.
    Change(fn(&mut World, &mut Call<'_>, &Address) -> Result<i64, Refusal>),
    /// Answers by itself.
    Own(fn(&mut World, &mut Call<'_>, &Address) -> Result<Answer, Refusal>),
}

/// Where a row says nothing.
const PLAIN: Kind = Kind {
    service: "compute",
    collection: "",
    noun: "",
    kind: "",
    family: Family::Compute,
    items: "items",
    defaults: "{}",
    state: "",
    states: ("READY", "CREATING"),
    takes: |_| 0,
    actions: &[],
    name: |_, _, body| body.get("name")?.as_str().map(str::to_owned),
    before: |_, _, _, _, _| Ok(()),
    shown: |_, _, _, _| {},
    deleted: |_, _| Ok(()),
};

const fn change(word: &'static str, does: fn(&mut World, &mut Call<'_>, &Address) -> Result<i64, Refusal>) -> Action {
    Action { word, does: Does::Change(does) }
}

const fn own(word: &'static str, does: fn(&mut World, &mut Call<'_>, &Address) -> Result<Answer, Refusal>) -> Action {
    Action { word, does: Does::Own(does) }
}

const fn moves(
    word: &'static str,
    from: &'static [&'static str],
    via: &'static str,
    to: &'static str,
    takes: Takes,
) -> Action {
    Action { word, does: Does::Move { from, via, to, takes } }
}

/// All kinds.
pub(crate) static KINDS: &[Kind] = &[
    Kind {
        collection: "instances",
        noun: "instances",
        kind: "compute#instance",
        defaults: r#"{"deletionProtection":false,"canIpForward":false,"cpuPlatform":"Intel Broadwell","startRestricted":false,
            "scheduling":{"onHostMaintenance":"MIGRATE","automaticRestart":true,"preemptible":false},"tags":{"fingerprint":"42WmSpB8rSM="},
            "metadata":{"kind":"compute#metadata","fingerprint":"42WmSpB8rSM="}}"#,
        state: "status",
        states: ("RUNNING", "STAGING"),
        takes: |t| t.starting,
        actions: &[
            moves("start", &[], "STAGING", "RUNNING", |t| t.starting),
            moves("stop", &[], "STOPPING", "TERMINATED", |t| t.stopping),
            moves("suspend", &["RUNNING", "SUSPENDED"], "SUSPENDING", "SUSPENDED", |t| t.stopping),
            moves("resume", &["SUSPENDED", "RUNNING"], "STAGING", "RUNNING", |t| t.starting),
            change("reset", instances::reset),
            change("setMachineType", instances::set_machine_type),
            change("setDeletionProtection", instances::set_deletion_protection),
            change("setMetadata", instances::set_metadata),
            change("setTags", instances::set_tags),
            change("attachDisk", disks::attach),
            change("detachDisk", disks::detach),
        ],
        before: instances::before,
        shown: instances::shown,
        deleted: instances::deleted,
        ..PLAIN
    },
    Kind {
        collection: "disks",
        noun: "disks",
        kind: "compute#disk",
        defaults: r#"{"sizeGb":"10","physicalBlockSizeBytes":"4096","enableConfidentialCompute":false}"#,
        state: "status",
        takes: |t| t.volume,
        actions: &[change("resize", disks::resize), change("createSnapshot", disks::create_snapshot)],
        before: disks::before,
        shown: disks::shown,
        deleted: disks::deleted,
        ..PLAIN
    },
    Kind {
        collection: "snapshots",
        noun: "snapshots",
        kind: "compute#snapshot",
        defaults: r#"{"snapshotType":"STANDARD","storageBytesStatus":"UP_TO_DATE","storageLocations":["eu"]}"#,
        state: "status",
        takes: |t| t.snapshot,
        before: disks::before_snapshot,
        ..PLAIN
    },
    Kind {
        collection: "images",
        noun: "images",
        kind: "compute#image",
        defaults: r#"{"sourceType":"RAW","diskSizeGb":"10","architecture":"X86_64"}"#,
        state: "status",
        states: ("READY", "PENDING"),
        takes: |t| t.snapshot,
        ..PLAIN
    },
    Kind {
        collection: "addresses",
        noun: "addresses",
        kind: "compute#address",
        defaults: r#"{"addressType":"EXTERNAL","networkTier":"PREMIUM"}"#,
        state: "status",
        states: ("RESERVED", "RESERVING"),
        before: networks::address,
        ..PLAIN
    },
    Kind {
        collection: "globalAddresses",
        noun: "addresses",
        kind: "compute#address",
        defaults: r#"{"addressType":"EXTERNAL","networkTier":"PREMIUM","ipVersion":"IPV4"}"#,
        state: "status",
        states: ("RESERVED", "RESERVING"),
        before: networks::address,
        ..PLAIN
    },
    Kind {
        collection: "firewalls",
        noun: "firewalls",
        kind: "compute#firewall",
        defaults: r#"{"priority":1000,"direction":"INGRESS","disabled":false,"logConfig":{"enable":false}}"#,
        before: networks::firewall,
        ..PLAIN
    },
    Kind {
        collection: "networks",
        noun: "networks",
        kind: "compute#network",
        defaults: r#"{"autoCreateSubnetworks":true,"routingConfig":{"routingMode":"REGIONAL"}}"#,
        ..PLAIN
    },
    Kind { collection: "subnetworks", noun: "subnetworks", kind: "compute#subnetwork", ..PLAIN },
    Kind {
        service: "storage",
        collection: "buckets",
        noun: "b",
        kind: "storage#bucket",
        family: Family::Plain,
        defaults: r#"{"location":"US","locationType":"multi-region","storageClass":"STANDARD","iamConfiguration":{"publicAccessPrevention":"inherited",
            "uniformBucketLevelAccess":{"enabled":false},"bucketPolicyOnly":{"enabled":false}}}"#,
        actions: &[own("getIamPolicy", buckets::policy), own("setIamPolicy", buckets::set_policy)],
        before: buckets::before,
        shown: buckets::shown,
        ..PLAIN
    },
    Kind {
        service: "sqladmin",
        collection: "instances",
        noun: "instances",
        kind: "sql#instance",
        family: Family::Sql,
        defaults: r#"{"databaseVersion":"MYSQL_8_0","backendType":"SECOND_GEN","instanceType":"CLOUD_SQL_INSTANCE","region":"us-central1",
            "settings":{"tier":"db-n1-standard-1","activationPolicy":"ALWAYS","kind":"sql#settings","dataDiskSizeGb":"10","dataDiskType":"PD_SSD",
            "availabilityType":"ZONAL","pricingPlan":"PER_USE","settingsVersion":"1"}}"#,
        state: "state",
        states: ("RUNNABLE", "PENDING_CREATE"),
        takes: |t| t.starting,
        actions: &[change("restart", databases::restart)],
        before: databases::before,
        shown: databases::shown,
        deleted: databases::deleted,
        ..PLAIN
    },
    Kind {
        service: "iam",
        collection: "projects.serviceAccounts",
        noun: "serviceAccounts",
        family: Family::Plain,
        items: "accounts",
        actions: &[own("enable", identity::enable), own("disable", identity::disable)],
        name: identity::name,
        before: identity::before,
        shown: identity::shown,
        deleted: identity::deleted,
        ..PLAIN
    },
    Kind {
        service: "iam",
        collection: "projects.serviceAccounts.keys",
        noun: "keys",
        family: Family::Plain,
        items: "keys",
        actions: &[own("enable", identity::enable_key), own("disable", identity::disable_key)],
        name: identity::key_name,
        before: identity::before_key,
        shown: identity::shown_key,
        ..PLAIN
    },
    Kind {
        service: "secretmanager",
        collection: "projects.secrets",
        noun: "secrets",
        family: Family::Plain,
        items: "secrets",
        actions: &[own("addVersion", secrets::add_version)],
        name: |_, call, _| call.of_query("secretId").map(str::to_owned),
        shown: secrets::shown,
        deleted: secrets::deleted,
        ..PLAIN
    },
    Kind {
        service: "secretmanager",
        collection: "projects.secrets.versions",
        noun: "versions",
        family: Family::Plain,
        items: "versions",
        actions: &[
            own("access", secrets::access),
            own("enable", |world, call, address| secrets::set_state(world, call, address, "ENABLED")),
            own("disable", |world, call, address| secrets::set_state(world, call, address, "DISABLED")),
            own("destroy", |world, call, address| secrets::set_state(world, call, address, "DESTROYED")),
        ],
        state: "state",
        states: ("ENABLED", "ENABLED"),
        shown: secrets::shown_version,
        ..PLAIN
    },
];

impl Kind {
    /// What its resources are kept under.
    pub(crate) fn table(&self) -> String {
        format!("gcp/{}/{}", self.service, self.collection)
    }
}

/// The kind of a service's collection.
pub(crate) fn kind(service: &str, collection: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.service == service && kind.collection == collection)
}

/// Where instances are kept.
pub(crate) const INSTANCES: &str = "gcp/compute/instances";
/// Where disks are kept.
pub(crate) const DISKS: &str = "gcp/compute/disks";
