//! The library's own bytes are what these are held against.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

/// Every form that serde has, in an order that is not the keys'.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    zebra: Option<u64>,
    of: Vec<Sample>,
    an_uncommonly_long_name_of_a_member: i64,
    map: BTreeMap<String, f64>,
    kind: Kind,
    pair: (bool, char),
    #[serde(skip_serializing_if = "String::is_empty", default)]
    text: String,
    rest: Rest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rest {
    #[serde(flatten)]
    more: BTreeMap<String, i32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Unit,
    One(String),
    Two(u8, i16),
    Named { b: u32, a: Vec<u8>, none: () },
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Unit),
        ".{0,300}".prop_map(Kind::One),
        any::<(u8, i16)>().prop_map(|(a, b)| Kind::Two(a, b)),
        (any::<u32>(), any::<Vec<u8>>()).prop_map(|(b, a)| Kind::Named { b, a, none: () }),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    let leaf = (
        any::<Option<u64>>(),
        any::<i64>(),
        prop::collection::btree_map(".{0,30}", -1e300f64..1e300, 0..5),
        kind(),
        any::<(bool, char)>(),
        ".{0,3}",
        prop::collection::btree_map("[a-z]{1,9}", any::<i32>(), 0..4),
    );
    let leaf = leaf.prop_map(|(zebra, an_uncommonly_long_name_of_a_member, map, kind, pair, text, more)| Sample {
        zebra,
        of: Vec::new(),
        an_uncommonly_long_name_of_a_member,
        map,
        kind,
        pair,
        text,
        rest: Rest { more },
    });
    let leaf = leaf.boxed();
    let whole = leaf.clone();
    leaf.prop_recursive(4, 30, 4, move |inner| {
        (whole.clone(), prop::collection::vec(inner, 0..4)).prop_map(|(sample, of)| Sample { of, ..sample })
    })
}

proptest! {
    #[test]
    fn the_bytes_are_those_of_the_library(sample in sample()) {
        let bytes = write(vec![7], &sample, 512).unwrap();
        prop_assert_eq!(&bytes[1..], serde_ipld_dagcbor::to_vec(&sample).unwrap());
    }
}

#[test]
fn what_has_no_bytes_is_refused() {
    assert!(write(Vec::new(), &f64::NAN, 9).is_err());
    assert!(write(Vec::new(), &f64::INFINITY, 9).is_err());
    assert!(write(Vec::new(), &BTreeMap::from([(1, 2)]), 9).is_err());
    assert!(write(Vec::new(), &[[[0u8; 0]; 1]; 1], 3).is_ok());
    assert!(write(Vec::new(), &[[[0u8; 1]; 1]; 1], 3).is_err());
    assert_eq!(write(Vec::new(), &-0.0f64, 9).unwrap(), write(Vec::new(), &0.0f64, 9).unwrap());
}
