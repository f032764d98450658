//! Ids that look like a cloud's and repeat with the seed.
//!
//! Two kinds: of what a seed names (the same for the same name, whatever else the seed holds), and of what comes later
//! (the same for the same order of calls). Not a source of secrets.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Hands out ids.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ids {
    seed: u64,
    given: u64,
}

impl Ids {
    /// A source that repeats with `seed`.
    pub(crate) fn new(seed: u64) -> Ids {
        Ids { seed, given: 0 }
    }

    /// The next id: `i-0123456789abcdef0` for the prefix `i-`.
    pub(crate) fn next(&mut self, prefix: &str) -> Arc<str> {
        self.given = self.given.wrapping_add(1);
        id(prefix, mix(self.seed ^ mix(self.given)))
    }

    /// The id of something that has a name.
    pub(crate) fn named(&self, prefix: &str, name: &str) -> Arc<str> {
        id(prefix, mix(self.seed ^ hash(prefix.as_bytes()) ^ mix(hash(name.as_bytes()))))
    }
}

fn id(prefix: &str, number: u64) -> Arc<str> {
    format!("{prefix}0{number:016x}").into()
}

/// A 64-bit mixing function (SplitMix64's): every bit of the input reaches every bit of the output.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A 64-bit hash (FNV-1a) that stays the same in every version.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_repeat_and_differ() {
        let (mut a, mut b) = (Ids::new(1), Ids::new(1));
        let first = a.next("i-");
        assert_eq!(first, b.next("i-"));
        assert_ne!(first, a.next("i-"));
        assert_eq!(first.len(), "i-0123456789abcdef0".len());
        assert_eq!(a.named("vpc-", "x"), b.named("vpc-", "x"));
        assert_ne!(a.named("vpc-", "x"), Ids::new(2).named("vpc-", "x"));
    }
}
