//! Damaged catalogues: an error or a service, never a panic, a hang or memory without bound.

use std::borrow::Cow;

use escher_catalog::{Catalog, CatalogError};

const AWS: &[u8] = include_bytes!("../data/aws.bin");

/// A small, repeatable source of chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }
}

fn read(bytes: Vec<u8>) -> Result<(), CatalogError> {
    let catalog = Catalog::from_packs([Cow::Owned(bytes)])?;
    for cloud in catalog.clouds() {
        for name in catalog.services(cloud).into_iter().take(3) {
            catalog.try_service(cloud, name)?;
        }
    }
    Ok(())
}

#[test]
fn a_damaged_header_is_an_error_or_read() {
    let mut dice = Dice(1);
    for _ in 0..300 {
        let mut bytes = AWS.to_vec();
        for _ in 0..=dice.below(4) {
            let at = dice.below(16_000);
            bytes[at] = dice.below(256) as u8;
        }
        let _ = read(bytes);
    }
}

#[test]
fn a_short_file_is_an_error() {
    let mut dice = Dice(2);
    for length in (0..40).chain((0..100).map(|_| dice.below(AWS.len()))) {
        assert!(read(AWS[..length].to_vec()).is_err(), "{length}");
    }
}

#[test]
fn a_damaged_dictionary_is_an_error() {
    let mut dice = Dice(3);
    for _ in 0..100 {
        let mut bytes = AWS.to_vec();
        for _ in 0..50 {
            // Behind the header comes the dictionary.
            let at = 10_000 + dice.below(110_000);
            bytes[at] ^= 1 << dice.below(8);
        }
        let _ = read(bytes);
    }
}

#[test]
fn formats_are_told_apart() {
    assert_eq!(read(b"not a catalogue".to_vec()), Err(CatalogError::NotACatalog));
    let mut bytes = AWS.to_vec();
    bytes[7] = 9;
    assert_eq!(read(bytes), Err(CatalogError::UnknownFormat(9)));
}
