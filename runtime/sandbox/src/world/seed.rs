//! Seed files: what a practice cloud starts with. TOML or JSON; a key that isn't described here is an error.
//!
//! ```toml
//! seed = 7                          # of all ids and of faults; the same seed gives the same ids
//! regions = ["us-east-1", "eu-central-1"]   # the first is the default
//!
//! [timing]                          # how long a change of state takes, in milliseconds
//! starting = 1500                   # pending → running
//! stopping = 1500                   # stopping → stopped
//! terminating = 1000                # shutting-down → terminated
//! volume = 500                      # creating → available
//! snapshot = 2000                   # pending → completed
//! terminated_shown = 3600000        # how long a terminated instance is still described
//!
//! [[accounts]]                      # the first owns every access key that no account lists
//! id = "123456789012"
//! name = "development"
//! access_keys = ["AKIAIOSFODNN7EXAMPLE"]
//!
//! [[instances]]
//! name = "web-{n}"                  # tag Name; {n} counts from 1, {n:3} with leading zeros
//! count = 5                         # how many; 1 where it isn't said
//! account = "123456789012"          # the first account where it isn't said
//! region = "us-east-1"              # the first region where it isn't said
//! az = "us-east-1b"                 # in turn over the region's zones where it isn't said
//! type = "t3.micro"
//! state = "running"                 # or stopped, terminated
//! id = "i-0123456789abcdef0"        # from the seed and the name where it isn't said; not with a count
//! image = "ami-0123456789abcdef0"
//! launched = "2026-01-15T09:00:00Z"
//! termination_protection = true
//! tags = { env = "dev", team = "web" }
//!
//! [[volumes]]                       # beside the root volume that every instance has
//! name = "scratch-{n}"
//! count = 2
//! size = 20                         # GiB
//! type = "gp3"
//! created = "2025-11-01T00:00:00Z"
//! tags = { env = "dev" }
//!
//! [azure]
//! subscription = "00000000-0000-0000-0000-000000000001"
//!
//! [[azure.machines]]
//! name = "web-{n}"
//! count = 2
//! group = "practice"                # resource group
//! location = "westeurope"
//! size = "Standard_B2s"
//! stopped = false                   # deallocated at the start
//! tags = { env = "dev" }
//!
//! [gcp]
//! project = "practice"
//!
//! [[gcp.instances]]
//! name = "web-{n}"
//! count = 2
//! zone = "europe-west1-b"
//! type = "e2-small"
//! stopped = false
//! deletion_protection = false
//! labels = { env = "dev" }
//! ```
//!
//! Does *not* make the resources: that is the matter of each cloud's own state.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The seed of a sandbox that was given none.
const BUILT_IN: &str = include_str!("default-seed.toml");

/// How many resources of one kind a seed may ask for.
pub const MAX_RESOURCES: u32 = 500_000;

/// What a practice cloud starts with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Seed of ids and faults.
    #[serde(default)]
    pub seed: u64,
    /// Regions that exist; the first is the default.
    #[serde(default = "default_regions")]
    pub regions: Vec<String>,
    /// How long changes take.
    #[serde(default)]
    pub timing: Timing,
    /// Accounts; the first owns every access key that no account lists.
    #[serde(default = "default_accounts")]
    pub accounts: Vec<AccountSeed>,
    /// Instances.
    #[serde(default)]
    pub instances: Vec<InstanceSeed>,
    /// Volumes beside the root volumes.
    #[serde(default)]
    pub volumes: Vec<VolumeSeed>,
    /// Azure.
    #[serde(default)]
    pub azure: AzureSeed,
    /// Google Cloud.
    #[serde(default)]
    pub gcp: GcpSeed,
}

/// What Azure starts with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AzureSeed {
    /// The one subscription.
    pub subscription: String,
    /// Virtual machines.
    pub machines: Vec<MachineSeed>,
}

impl Default for AzureSeed {
    fn default() -> Self {
        AzureSeed { subscription: "00000000-0000-0000-0000-000000000001".into(), machines: Vec::new() }
    }
}

/// One virtual machine, or `count` alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineSeed {
    /// Name, in which `{n}` counts.
    pub name: String,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// Resource group.
    #[serde(default = "default_group")]
    pub group: String,
    /// Location.
    #[serde(default = "default_location")]
    pub location: String,
    /// Size.
    #[serde(default = "default_machine_size")]
    pub size: String,
    /// Deallocated at the start.
    #[serde(default)]
    pub stopped: bool,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// What Google Cloud starts with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GcpSeed {
    /// The one project.
    pub project: String,
    /// Instances of Compute Engine.
    pub instances: Vec<GcpInstanceSeed>,
}

impl Default for GcpSeed {
    fn default() -> Self {
        GcpSeed { project: "practice".into(), instances: Vec::new() }
    }
}

/// One instance of Compute Engine, or `count` alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GcpInstanceSeed {
    /// Name, in which `{n}` counts.
    pub name: String,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// Zone.
    #[serde(default = "default_zone")]
    pub zone: String,
    /// Machine type.
    #[serde(default = "default_machine_type", rename = "type")]
    pub kind: String,
    /// Stopped at the start.
    #[serde(default)]
    pub stopped: bool,
    /// Can't be deleted.
    #[serde(default)]
    pub deletion_protection: bool,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// How long changes of state take, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// `pending` to `running`.
    pub starting: u32,
    /// `stopping` to `stopped`.
    pub stopping: u32,
    /// `shutting-down` to `terminated`.
    pub terminating: u32,
    /// `creating` to `available`.
    pub volume: u32,
    /// `pending` to `completed`.
    pub snapshot: u32,
    /// How long a terminated instance is still described.
    pub terminated_shown: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            starting: 1_500,
            stopping: 1_500,
            terminating: 1_000,
            volume: 500,
            snapshot: 2_000,
            terminated_shown: 3_600_000,
        }
    }
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSeed {
    /// Twelve digits.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Access key ids that belong to it.
    #[serde(default)]
    pub access_keys: Vec<String>,
}

/// One instance, or `count` alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceSeed {
    /// Tag `Name`, in which `{n}` counts.
    #[serde(default)]
    pub name: Option<String>,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// Owner.
    #[serde(default)]
    pub account: Option<String>,
    /// Region.
    #[serde(default)]
    pub region: Option<String>,
    /// Availability zone.
    #[serde(default)]
    pub az: Option<String>,
    /// Instance type.
    #[serde(default = "default_type", rename = "type")]
    pub kind: String,
    /// State at the start.
    #[serde(default)]
    pub state: SeedState,
    /// Id; only where `count` is 1.
    #[serde(default)]
    pub id: Option<String>,
    /// Image.
    #[serde(default)]
    pub image: Option<String>,
    /// Launch time, RFC 3339.
    #[serde(default)]
    pub launched: Option<String>,
    /// `disableApiTermination`.
    #[serde(default)]
    pub termination_protection: bool,
    /// Tags beside `Name`.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// One volume, or `count` alike, attached to nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeSeed {
    /// Tag `Name`, in which `{n}` counts.
    #[serde(default)]
    pub name: Option<String>,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
    /// Owner.
    #[serde(default)]
    pub account: Option<String>,
    /// Region.
    #[serde(default)]
    pub region: Option<String>,
    /// Availability zone.
    #[serde(default)]
    pub az: Option<String>,
    /// Volume type.
    #[serde(default = "default_volume_type", rename = "type")]
    pub kind: String,
    /// GiB.
    #[serde(default = "default_size")]
    pub size: u32,
    /// Id; only where `count` is 1.
    #[serde(default)]
    pub id: Option<String>,
    /// Time of creation, RFC 3339.
    #[serde(default)]
    pub created: Option<String>,
    /// Tags beside `Name`.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// State that a seed can give an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeedState {
    /// Runs.
    #[default]
    Running,
    /// Stopped.
    Stopped,
    /// Gone, still described.
    Terminated,
}

/// A seed that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed: {0}")]
pub struct SeedError(pub(crate) String);

impl Default for Seed {
    /// The built-in seed: one account, some two dozen machines.
    fn default() -> Self {
        // A test reads the built-in text; the empty seed is only what the type needs here.
        Seed::parse(BUILT_IN).unwrap_or_else(|_| Seed::empty())
    }
}

impl Seed {
    /// One account, two regions, nothing in them.
    pub fn empty() -> Seed {
        Seed {
            seed: 0,
            regions: default_regions(),
            timing: Timing::default(),
            accounts: default_accounts(),
            instances: Vec::new(),
            volumes: Vec::new(),
            azure: AzureSeed::default(),
            gcp: GcpSeed::default(),
        }
    }

    /// Reads JSON (a text that starts with `{`) or TOML, and checks it.
    pub fn parse(text: &str) -> Result<Seed, SeedError> {
        let seed: Seed = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|e| SeedError(e.to_string()))?
        } else {
            toml::from_str(text).map_err(|e| SeedError(e.to_string().trim_end().to_owned()))?
        };
        seed.validate()?;
        Ok(seed)
    }

    pub(crate) fn validate(&self) -> Result<(), SeedError> {
        let refuse = |text: String| Err(SeedError(text));
        let bad_region = |r: &String| r.is_empty() || !r.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if self.regions.is_empty() || self.regions.iter().any(bad_region) {
            return refuse("`regions` needs names such as us-east-1".into());
        }
        if let Some(bad) = self.accounts.iter().find(|a| a.id.len() != 12 || !a.id.bytes().all(|b| b.is_ascii_digit()))
        {
            return refuse(format!("the account id `{}` is not twelve digits", bad.id));
        }
        let ids: BTreeSet<_> = self.accounts.iter().map(|a| &a.id).collect();
        if self.accounts.is_empty() || ids.len() != self.accounts.len() {
            return refuse("`accounts` needs at least one, each once".into());
        }
        let instances = self.instances.iter().map(|i| (i.count, &i.id, &i.account, &i.region, &i.az));
        let volumes = self.volumes.iter().map(|v| (v.count, &v.id, &v.account, &v.region, &v.az));
        for (count, id, account, region, az) in instances.chain(volumes) {
            if count > 1 && id.is_some() {
                return refuse("an `id` is of one resource, so it can't stand beside a `count`".into());
            }
            if let Some(account) = account.as_ref().filter(|a| !ids.contains(a)) {
                return refuse(format!("the account `{account}` is not among `accounts`"));
            }
            if let Some(region) = region.as_ref().filter(|r| !self.regions.contains(r)) {
                return refuse(format!("the region `{region}` is not among `regions`"));
            }
            let region = region.as_ref().or(self.regions.first()).map_or("", String::as_str);
            let zones = ["a", "b", "c"];
            if let Some(az) = az.as_ref().filter(|az| !az.strip_prefix(region).is_some_and(|z| zones.contains(&z))) {
                return refuse(format!("the zone `{az}` is not {region}a, {region}b or {region}c"));
            }
        }
        let many =
            |counts: &mut dyn Iterator<Item = u32>| counts.map(u64::from).sum::<u64>() > u64::from(MAX_RESOURCES);
        let rest = many(&mut self.azure.machines.iter().map(|m| m.count))
            || many(&mut self.gcp.instances.iter().map(|i| i.count));
        let own = many(&mut self.instances.iter().map(|i| i.count)) || many(&mut self.volumes.iter().map(|v| v.count));
        if own || rest {
            return refuse(format!("more than {MAX_RESOURCES} resources of one kind"));
        }
        Ok(())
    }
}

/// `web-{n:3}` and 7 give `web-007`.
pub(crate) fn numbered(pattern: &str, n: u32) -> String {
    let Some((before, rest)) = pattern.split_once("{n") else { return pattern.to_owned() };
    let Some((width, after)) = rest.split_once('}') else { return pattern.to_owned() };
    let width: usize = width.trim_start_matches(':').parse().unwrap_or(0);
    format!("{before}{n:0width$}{after}", width = width.min(12))
}

fn default_regions() -> Vec<String> {
    vec!["us-east-1".into(), "eu-central-1".into()]
}

fn default_accounts() -> Vec<AccountSeed> {
    vec![AccountSeed { id: "123456789012".into(), name: Some("practice".into()), access_keys: Vec::new() }]
}

fn one() -> u32 {
    1
}

fn default_group() -> String {
    "practice".into()
}

fn default_location() -> String {
    "westeurope".into()
}

fn default_machine_size() -> String {
    "Standard_B2s".into()
}

fn default_zone() -> String {
    "europe-west1-b".into()
}

fn default_machine_type() -> String {
    "e2-small".into()
}

fn default_type() -> String {
    "t3.micro".into()
}

fn default_volume_type() -> String {
    "gp3".into()
}

fn default_size() -> u32 {
    8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_seed_is_what_the_readme_says() {
        let seed = Seed::parse(BUILT_IN).unwrap();
        let count = |env: &str, state: SeedState| -> u32 {
            let like = seed.instances.iter().filter(|i| i.state == state);
            like.filter(|i| i.tags.get("env").is_some_and(|e| e == env)).map(|i| i.count).sum()
        };
        assert_eq!(count("dev", SeedState::Running), 12);
        assert_eq!(count("prod", SeedState::Running), 4);
        assert_eq!(count("staging", SeedState::Running), 2);
        let stopped = seed.instances.iter().filter(|i| i.state == SeedState::Stopped).map(|i| i.count).sum::<u32>();
        assert_eq!(stopped, 3);
        assert_eq!(seed.regions, ["us-east-1", "eu-central-1"]);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (text, says) in [
            ("colour = 1", "colour"),
            ("{\"instances\": [{\"typ\": \"t3.micro\"}]}", "typ"),
            ("regions = []", "regions"),
            ("[[accounts]]\nid = \"12\"", "twelve digits"),
            ("[[instances]]\ncount = 2\nid = \"i-0123456789abcdef0\"", "count"),
            ("[[instances]]\nregion = \"mars-1\"", "mars-1"),
            ("[[instances]]\naz = \"eu-central-1a\"", "eu-central-1a"),
            ("[[instances]]\naccount = \"000000000000\"", "000000000000"),
            ("[[instances]]\ncount = 4000000000", "more than"),
        ] {
            let error = Seed::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn numbers_names() {
        assert_eq!(numbered("web-{n}", 7), "web-7");
        assert_eq!(numbered("web-{n:3}-x", 7), "web-007-x");
        assert_eq!(numbered("web", 7), "web");
        assert_eq!(numbered("web-{n", 7), "web-{n");
    }
}
