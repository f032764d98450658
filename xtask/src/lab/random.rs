//! Drawn moments: reproducible from a seed that is printed.

use std::time::{SystemTime, UNIX_EPOCH};

/// SplitMix64: enough for drawing moments.
pub struct Random(u64);

impl Random {
    /// From `ESCHER_LAB_SEED`, else from the clock. Gives the seed too, for printing.
    pub fn new() -> (Self, u64) {
        let given = std::env::var("ESCHER_LAB_SEED").ok().and_then(|text| text.parse().ok());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_secs() % 1_000_000);
        let seed = given.unwrap_or_else(now);
        (Self(seed), seed)
    }

    /// A number from 0 up to, but not including, `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_row() {
        let row = |seed| {
            let mut random = Random(seed);
            (0..8).map(|_| random.below(100)).collect::<Vec<_>>()
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
        assert!(row(7).iter().all(|n| *n < 100));
    }
}
