//! Accounts, their regions, and who owns an access key.
//!
//! Does *not* know what is in a region: that is [`super::ec2::model`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ec2::model::Region;
use crate::world::ids::Ids;
use crate::world::seed::{Seed, SeedError, Timing};

/// Roles assumed at one time.
const MAX_SESSIONS: usize = 10_000;

/// All of AWS that the practice cloud has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Aws {
    /// Names of the regions, the default first.
    pub(crate) regions: Vec<String>,
    /// How long changes take.
    pub(crate) timing: Timing,
    /// Accounts, the default first.
    pub(crate) accounts: Vec<Account>,
    /// Temporary access keys.
    pub(crate) sessions: BTreeMap<String, Session>,
}

/// One account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// Twelve digits.
    pub(crate) id: Arc<str>,
    /// What people call it.
    pub(crate) name: Option<String>,
    /// Keys that belong to it.
    pub(crate) access_keys: Vec<String>,
    /// What it has, by region.
    pub(crate) regions: BTreeMap<String, Region>,
}

/// A role that somebody assumed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    /// Account of the role.
    pub(crate) account: Arc<str>,
    /// Name of the role.
    pub(crate) role: String,
    /// Name of the session.
    pub(crate) name: String,
    /// When it ends.
    pub(crate) expires: i64,
}

impl Aws {
    pub(crate) fn from_seed(seed: &Seed, ids: &mut Ids) -> Result<Aws, SeedError> {
        let account = |a: &crate::world::seed::AccountSeed| Account {
            id: a.id.as_str().into(),
            name: a.name.clone(),
            access_keys: a.access_keys.clone(),
            regions: seed.regions.iter().map(|r| (r.clone(), Region::new(&a.id, r, ids))).collect(),
        };
        let mut aws = Aws {
            regions: seed.regions.clone(),
            timing: seed.timing,
            accounts: seed.accounts.iter().map(account).collect(),
            sessions: BTreeMap::new(),
        };
        super::ec2::seeding::fill(&mut aws, seed, ids)?;
        Ok(aws)
    }

    /// The account that an access key belongs to.
    pub(crate) fn owner(&self, access_key: &str) -> Option<Arc<str>> {
        if let Some(session) = self.sessions.get(access_key) {
            return Some(session.account.clone());
        }
        let listed = self.accounts.iter().find(|a| a.access_keys.iter().any(|k| k == access_key));
        listed.or(self.accounts.first()).map(|a| a.id.clone())
    }

    /// A region of an account.
    pub(crate) fn region(&mut self, account: &str, region: &str) -> Option<&mut Region> {
        self.accounts.iter_mut().find(|a| &*a.id == account)?.regions.get_mut(region)
    }

    /// Remembers a session; forgets ended ones, and the first of too many.
    pub(crate) fn assume(&mut self, access_key: String, session: Session, now: i64) {
        self.sessions.retain(|_, s| s.expires > now);
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.pop_first();
        }
        self.sessions.insert(access_key, session);
    }

    pub(crate) fn settle(&mut self, now: i64) {
        let shown = i64::from(self.timing.terminated_shown);
        for region in self.accounts.iter_mut().flat_map(|a| a.regions.values_mut()) {
            region.settle(now, shown);
        }
    }
}
