//! What a store's root key signs: who may sign approvals, who has which role, by which rules and in which times things may
//! be done, and whether one person is alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::codec::Stored;
use crate::digest::Digest;
use crate::statement::Signed;

/// The SSHSIG namespace of statements about trust.
pub const TRUST_NAMESPACE: &str = "escher-trust";

/// The settings that decide who may have something run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustSettings {
    /// Files of operations in the place of those inside the program: clouds, and the SHA-256 of their files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub catalog: BTreeMap<String, String>,
    /// Freezes by name, in which nothing is changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub freezes: BTreeMap<String, Calendar>,
    /// Version of the policy: of the rules of every project, and of the project's own.
    pub policy: String,
    /// Principals by role.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Lines of the allowed-signers file, without comments and outer white space.
    pub signers: Vec<String>,
    /// One person alone may approve their own runs.
    pub solo: bool,
    /// Time zone in whose hours and days the policy speaks; UTC where it is not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
}

impl Stored for TrustSettings {
    const FORMAT: &'static str = "escher.trust-settings";
    const VERSION: u16 = 1;
}

/// One entry of a store's trust, numbered from 0; the last one holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustEntry {
    /// Its number, from 0.
    pub number: u64,
    /// The root key, as a public key line has it. The same in every entry.
    pub root: String,
    /// What holds from here on.
    pub settings: TrustSettings,
    /// The statement under the root key; the first entry, which pins that key, may be without.
    pub signed: Option<Signed>,
}

impl Stored for TrustEntry {
    const FORMAT: &'static str = "escher.trust";
    const VERSION: u16 = 1;
}

/// What the root key signs: JSON with sorted keys, no white space, one line feed at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustStatement {
    // Fields stand in alphabetical order: serialising them in order is the canonical form.
    /// Number of the entry: an older statement can't come back.
    pub number: u64,
    /// `escher.trust/1`.
    pub schema: String,
    /// Digest of the settings.
    pub settings: Digest,
    /// When.
    pub signed: Timestamp,
    /// Id of the state store that it is for.
    pub store: String,
}

impl TrustStatement {
    /// The bytes that are signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::statement::canonical_json(self)
    }
}
