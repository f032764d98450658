//! Fills regions with what a seed describes.
//!
//! Does *not* read seed files (see [`crate::world::seed`]).

use std::sync::Arc;

use super::model::{Attachment, Attributes, Instance, InstanceState, Region, Volume, VolumeState};
use crate::aws::filter::Tags;
use crate::aws::state::Aws;
use crate::protocol::time::parse_iso8601;
use crate::world::ids::{Ids, hash, mix};
use crate::world::lifecycle::Lifecycle;
use crate::world::seed::{InstanceSeed, Seed, SeedError, SeedState, VolumeSeed, numbered};

/// When what says nothing else was made: 2026-01-15T09:00:00Z, and up to ten days after.
const EPOCH: i64 = 1_768_467_600_000;
const SPREAD: u64 = 864_000;

/// Makes everything.
pub(crate) fn fill(aws: &mut Aws, seed: &Seed, ids: &mut Ids) -> Result<(), SeedError> {
    let home = |account: &Option<String>, region: &Option<String>| {
        let account = account.clone().or_else(|| seed.accounts.first().map(|a| a.id.clone())).unwrap_or_default();
        let region = region.clone().or_else(|| seed.regions.first().cloned()).unwrap_or_default();
        (account, region)
    };
    let nowhere = || SeedError("a resource is in no region".into());
    for (at, entry) in seed.instances.iter().enumerate() {
        let (account, region) = home(&entry.account, &entry.region);
        let place = aws.region(&account, &region).ok_or_else(nowhere)?;
        let mut batch = Batch { key: format!("{account}/{region}"), at, ids, place };
        batch.instances(entry)?;
    }
    for (at, entry) in seed.volumes.iter().enumerate() {
        let (account, region) = home(&entry.account, &entry.region);
        let place = aws.region(&account, &region).ok_or_else(nowhere)?;
        let mut batch = Batch { key: format!("{account}/{region}"), at, ids, place };
        batch.volumes(entry)?;
    }
    Ok(())
}

struct Batch<'a> {
    key: String,
    at: usize,
    ids: &'a mut Ids,
    place: &'a mut Region,
}

impl Batch<'_> {
    /// What ids are made of: the name, which stays when a seed grows, or the position where there is none.
    fn identity(&self, what: &str, name: Option<&str>, pattern: bool, n: u32) -> String {
        match name {
            Some(name) if pattern || n == 1 => format!("{}/{what}/{name}", self.key),
            _ => format!("{}/{what}/#{}/{n}", self.key, self.at),
        }
    }

    fn instances(&mut self, seed: &InstanceSeed) -> Result<(), SeedError> {
        let launched = instant(seed.launched.as_deref())?;
        let (kind, reservation) =
            (Arc::<str>::from(seed.kind.as_str()), self.ids.named("r-", &format!("{}/{}", self.key, self.at)));
        let image = seed.image.as_deref().map_or_else(|| self.ids.named("ami-", &self.key), Arc::from);
        let tags = tags(&seed.tags);
        let numbered_name = seed.name.as_deref().is_some_and(|p| p.contains("{n"));
        for n in 1..=seed.count {
            let name = seed.name.as_deref().map(|p| numbered(p, n));
            let identity = self.identity("instance", name.as_deref(), numbered_name, n);
            let id = match &seed.id {
                Some(id) if super::ids::is_id(id, "i-") => id.as_str().into(),
                Some(id) => return Err(SeedError(format!("`{id}` is no instance id"))),
                None => self.ids.named("i-", &identity),
            };
            let Some((zone, subnet)) = zone(self.place, seed.az.as_deref(), n) else { continue };
            let launched = launched.unwrap_or_else(|| some_day(&identity));
            let state = match seed.state {
                SeedState::Running => InstanceState::Running,
                SeedState::Stopped => InstanceState::Stopped,
                SeedState::Terminated => InstanceState::Terminated,
            };
            // A seed's terminated instance is one of just now, or nobody would see it.
            let since = if state == InstanceState::Terminated { crate::world::clock::now() } else { launched };
            let root = self.ids.named("vol-", &identity);
            let instance = Instance {
                id: Arc::clone(&id),
                reservation: if seed.count == 1 { reservation.clone() } else { self.ids.named("r-", &identity) },
                launch_index: 0,
                state: Lifecycle::settled(state, since),
                kind: kind.clone(),
                image: image.clone(),
                key_name: None,
                zone: zone.clone(),
                subnet,
                groups: vec![self.place.network.group.clone()],
                address: self.place.next_address,
                launched,
                stopped_by_user: (state != InstanceState::Running).then_some(since),
                token: None,
                volumes: vec![root.clone()],
                attributes: Attributes {
                    disable_api_termination: seed.termination_protection,
                    ..Attributes::default()
                },
                tags: with_name(&tags, name.as_deref()),
            };
            self.place.next_address = self.place.next_address.wrapping_add(1);
            if !self.place.instances.insert(instance) {
                return Err(SeedError(format!("two instances have the id {id}; give them different names or ids")));
            }
            if state != InstanceState::Terminated {
                let attachment = Attachment {
                    instance: id,
                    device: "/dev/xvda".into(),
                    since: launched,
                    delete_on_termination: true,
                };
                let mut volume = volume(root, "gp3", 8, zone, launched);
                volume.state = Lifecycle::settled(VolumeState::InUse, launched);
                volume.attachment = Some(attachment);
                self.place.volumes.insert(volume);
            }
        }
        Ok(())
    }

    fn volumes(&mut self, seed: &VolumeSeed) -> Result<(), SeedError> {
        let created = instant(seed.created.as_deref())?;
        let tags = tags(&seed.tags);
        let numbered_name = seed.name.as_deref().is_some_and(|p| p.contains("{n"));
        for n in 1..=seed.count {
            let name = seed.name.as_deref().map(|p| numbered(p, n));
            let identity = self.identity("volume", name.as_deref(), numbered_name, n);
            let id = match &seed.id {
                Some(id) if super::ids::is_id(id, "vol-") => id.as_str().into(),
                Some(id) => return Err(SeedError(format!("`{id}` is no volume id"))),
                None => self.ids.named("vol-", &identity),
            };
            let Some((zone, _)) = zone(self.place, seed.az.as_deref(), n) else { continue };
            let created = created.unwrap_or_else(|| some_day(&identity));
            let mut volume = volume(Arc::clone(&id), &seed.kind, i64::from(seed.size), zone, created);
            volume.tags = with_name(&tags, name.as_deref());
            if !self.place.volumes.insert(volume) {
                return Err(SeedError(format!("two volumes have the id {id}; give them different names or ids")));
            }
        }
        Ok(())
    }
}

/// A volume that hangs on nothing.
pub(crate) fn volume(id: Arc<str>, kind: &str, size: i64, zone: Arc<str>, created: i64) -> Volume {
    let (iops, throughput) = match kind {
        "gp3" => (Some(3000), Some(125)),
        "gp2" => (Some((size * 3).clamp(100, 16_000)), None),
        _ => (None, None),
    };
    Volume {
        id,
        state: Lifecycle::settled(VolumeState::Available, created),
        kind: kind.into(),
        size,
        iops,
        throughput,
        zone,
        created,
        encrypted: false,
        snapshot: None,
        attachment: None,
        tags: Tags::new(),
    }
}

fn zone(place: &Region, wanted: Option<&str>, n: u32) -> Option<(Arc<str>, Arc<str>)> {
    let zones = &place.network.zones;
    match wanted {
        Some(wanted) => zones.iter().find(|(zone, _)| &**zone == wanted).cloned(),
        None => zones.iter().cycle().nth(usize::try_from(n).unwrap_or(0) % zones.len().max(1)).cloned(),
    }
}

fn instant(text: Option<&str>) -> Result<Option<i64>, SeedError> {
    text.map(|t| parse_iso8601(t).ok_or_else(|| SeedError(format!("`{t}` is no instant such as 2026-01-15T09:00:00Z"))))
        .transpose()
}

fn some_day(identity: &str) -> i64 {
    let seconds = mix(hash(identity.as_bytes())) % SPREAD;
    EPOCH + i64::try_from(seconds).unwrap_or(0) * 1000
}

fn tags(seed: &std::collections::BTreeMap<String, String>) -> Tags {
    seed.iter().map(|(k, v)| (Arc::from(k.as_str()), Arc::from(v.as_str()))).collect()
}

fn with_name(tags: &Tags, name: Option<&str>) -> Tags {
    let mut tags = tags.clone();
    if let Some(name) = name {
        tags.insert("Name".into(), name.into());
    }
    tags
}
