//! The kinds of resources that the practice cloud has of Azure: a row each.
//!
//! A row says what the catalogue does not: what a resource has that nobody gave it, how long it takes, and which of its
//! actions move it from one state to another. Paths, parameters and required members come from the catalogue.

use serde_json::{Map, Value as Json};

use super::address::Address;
use super::{databases, disks, machines, networks, storage};
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::seed::Timing;
use crate::world::things::Thing;

/// How long something takes: one of the durations of the seed.
pub(crate) type Takes = fn(&Timing) -> u32;

/// One kind.
pub(crate) struct Kind {
    /// Namespace and types, such as `Microsoft.Sql/servers/databases`.
    pub(crate) name: &'static str,
    /// What lies under every body, as JSON.
    pub(crate) defaults: &'static str,
    /// How long making and deleting one take; done with the answer where it is none.
    pub(crate) takes: Option<Takes>,
    /// Status of the answer that one is made with: real clients take no other.
    pub(crate) made: u16,
    /// State of one that is made and at rest, and the one on the way there.
    pub(crate) states: (&'static str, &'static str),
    /// What can be asked of one beside reading and writing it.
    pub(crate) actions: &'static [Action],
    /// Looks at a body before it is kept, and at what it names.
    pub(crate) before: Hook,
    /// Adds what is worked out to what is shown.
    pub(crate) shown: Shown,
    /// What becomes of others when one is deleted; may refuse.
    pub(crate) deleted: fn(&mut World, &Address) -> Result<(), Refusal>,
}

/// Looks at a body before it is kept: with the body that was there before.
pub(crate) type Hook = fn(&mut World, &Address, Option<&Thing>, &mut Map<String, Json>) -> Result<(), Refusal>;
/// Adds to what is shown.
pub(crate) type Shown = fn(&World, &Thing, &mut Map<String, Json>, i64);

/// An action: its method, its word in the path, and what it does.
pub(crate) struct Action {
    pub(crate) method: &'static str,
    pub(crate) word: &'static str,
    pub(crate) does: Does,
}

pub(crate) enum Does {
    /// Moves a resource by way of a state to another, from some (all where none is named).
    Move { from: &'static [&'static str], via: &'static str, to: &'static str, takes: Takes },
    /// Anything else.
    Own(fn(&mut World, &mut Call<'_>, &Kind, &Address) -> Result<Answer, Refusal>),
}

/// Where a row says nothing.
const PLAIN: Kind = Kind {
    name: "",
    defaults: "{}",
    takes: None,
    made: 201,
    states: ("Succeeded", "Updating"),
    actions: &[],
    before: |_, _, _, _| Ok(()),
    shown: |_, _, _, _| {},
    deleted: |_, _| Ok(()),
};

/// Groups: what everything else lies in.
pub(crate) const GROUP: &str = "Microsoft.Resources/resourceGroups";
/// Virtual machines.
pub(crate) const MACHINE: &str = "Microsoft.Compute/virtualMachines";
/// Managed disks.
pub(crate) const DISK: &str = "Microsoft.Compute/disks";
/// Network interfaces.
pub(crate) const INTERFACE: &str = "Microsoft.Network/networkInterfaces";

/// All kinds.
pub(crate) static KINDS: &[Kind] = &[
    Kind { name: GROUP, takes: Some(|t| t.terminating), ..PLAIN },
    Kind {
        name: MACHINE,
        defaults: r#"{"properties":{"storageProfile":{"osDisk":{"osType":"Linux","createOption":"FromImage","caching":"ReadWrite"},"dataDisks":[]},
            "osProfile":{"adminUsername":"practice","secrets":[],"allowExtensionOperations":true},"networkProfile":{"networkInterfaces":[]}}}"#,
        takes: Some(|t| t.starting),
        made: 201,
        states: ("running", "starting"),
        actions: machines::ACTIONS,
        before: machines::before,
        shown: machines::shown,
        deleted: machines::deleted,
    },
    Kind {
        name: DISK,
        defaults: r#"{"sku":{"name":"Premium_LRS","tier":"Premium"},"properties":{"diskState":"Unattached","networkAccessPolicy":"AllowAll","encryption":{"type":"EncryptionAtRestWithPlatformKey"}}}"#,
        takes: Some(|t| t.volume),
        made: 202,
        before: disks::before,
        shown: disks::shown,
        deleted: disks::deleted,
        ..PLAIN
    },
    Kind {
        name: "Microsoft.Compute/snapshots",
        defaults: r#"{"sku":{"name":"Standard_LRS","tier":"Standard"},"properties":{"diskState":"Unattached","incremental":false,"networkAccessPolicy":"AllowAll"}}"#,
        takes: Some(|t| t.snapshot),
        made: 202,
        before: disks::before,
        shown: disks::shown,
        ..PLAIN
    },
    Kind { name: "Microsoft.Compute/images", takes: Some(|t| t.snapshot), ..PLAIN },
    Kind { name: "Microsoft.Compute/sshPublicKeys", ..PLAIN },
    Kind { name: "Microsoft.Compute/availabilitySets", ..PLAIN },
    Kind {
        name: "Microsoft.Network/virtualNetworks",
        defaults: r#"{"properties":{"subnets":[],"enableDdosProtection":false}}"#,
        before: networks::network,
        shown: networks::with_subnets,
        ..PLAIN
    },
    Kind {
        name: "Microsoft.Network/virtualNetworks/subnets",
        defaults: r#"{"properties":{"privateEndpointNetworkPolicies":"Disabled"}}"#,
        ..PLAIN
    },
    Kind {
        name: INTERFACE,
        defaults: r#"{"properties":{"ipConfigurations":[],"enableAcceleratedNetworking":false,"primary":true}}"#,
        before: networks::interface,
        ..PLAIN
    },
    Kind {
        name: "Microsoft.Network/publicIPAddresses",
        defaults: r#"{"sku":{"name":"Standard","tier":"Regional"},"properties":{"publicIPAllocationMethod":"Static","publicIPAddressVersion":"IPv4","idleTimeoutInMinutes":4}}"#,
        before: networks::address,
        ..PLAIN
    },
    Kind {
        name: "Microsoft.Network/networkSecurityGroups",
        defaults: r#"{"properties":{"securityRules":[],"defaultSecurityRules":[]}}"#,
        before: networks::group,
        shown: networks::with_rules,
        ..PLAIN
    },
    Kind { name: "Microsoft.Network/networkSecurityGroups/securityRules", ..PLAIN },
    Kind {
        name: "Microsoft.Storage/storageAccounts",
        defaults: r#"{"kind":"StorageV2","sku":{"name":"Standard_RAGRS","tier":"Standard"},"properties":{"allowBlobPublicAccess":false,"publicNetworkAccess":"Enabled",
            "minimumTlsVersion":"TLS1_2","supportsHttpsTrafficOnly":true,"accessTier":"Hot","statusOfPrimary":"available",
            "networkAcls":{"bypass":"AzureServices","defaultAction":"Allow","ipRules":[],"virtualNetworkRules":[]}}}"#,
        made: 200,
        actions: storage::ACTIONS,
        shown: storage::shown,
        ..PLAIN
    },
    Kind {
        name: "Microsoft.Storage/storageAccounts/blobServices/containers",
        defaults: r#"{"properties":{"publicAccess":"None","leaseStatus":"Unlocked","leaseState":"Available","hasImmutabilityPolicy":false,"hasLegalHold":false}}"#,
        before: storage::container,
        ..PLAIN
    },
    Kind {
        name: "Microsoft.Sql/servers",
        defaults: r#"{"kind":"v12.0","properties":{"state":"Ready","version":"12.0","publicNetworkAccess":"Enabled","minimalTlsVersion":"1.2"}}"#,
        takes: Some(|t| t.starting),
        states: ("Ready", "Creating"),
        before: databases::server,
        shown: databases::shown_server,
        ..PLAIN
    },
    Kind {
        name: "Microsoft.Sql/servers/databases",
        defaults: r#"{"kind":"v12.0,user","sku":{"name":"GP_Gen5","tier":"GeneralPurpose","family":"Gen5","capacity":2},"properties":{
            "collation":"SQL_Latin1_General_CP1_CI_AS","maxSizeBytes":34359738368,"zoneRedundant":false}}"#,
        takes: Some(|t| t.starting),
        states: ("Online", "Creating"),
        actions: databases::ACTIONS,
        shown: databases::shown,
        ..PLAIN
    },
    Kind { name: "Microsoft.Sql/servers/firewallRules", ..PLAIN },
    Kind { name: "Microsoft.ManagedIdentity/userAssignedIdentities", shown: machines::identity, ..PLAIN },
];

/// The kind of this name.
pub(crate) fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
}
