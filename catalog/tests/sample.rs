//! The catalogue beside 200 labels that were written by hand before the rules (`data/sample.txt`).

#![allow(clippy::panic, clippy::unwrap_used)] // helpers outside of `#[test]` may fail a test, too

use escher_catalog::{Catalog, Risk};

fn level(word: &str) -> Risk {
    match word {
        "read" => Risk::Read,
        "low" => Risk::Low,
        "medium" => Risk::Medium,
        "high" => Risk::High,
        "critical" => Risk::Critical,
        other => panic!("{other}"),
    }
}

/// Name, label, reason.
fn rows() -> Vec<(&'static str, Risk, &'static str)> {
    let lines = include_str!("../data/sample.txt").lines().filter(|l| !l.starts_with('#'));
    let row = |line: &'static str| {
        let (row, reason) = line.split_once(" # ").unwrap();
        let (name, word) = row.split_once(' ').unwrap();
        (name, level(word), reason)
    };
    lines.map(row).collect()
}

#[test]
fn the_catalogue_agrees_and_is_too_low_on_none() {
    let (mut low, mut other) = (Vec::new(), Vec::new());
    for (name, label, reason) in rows() {
        let class = &Catalog::embedded().record(name).unwrap_or_else(|| panic!("{name}")).operation.class;
        if class.risk < label {
            low.push(format!("{name}: {:?} {:?}, label {label:?}: {reason}", class.risk, class.effects));
        } else if class.risk > label {
            other.push(format!("{name}: {:?} {:?}, label {label:?}: {reason}", class.risk, class.effects));
        }
    }
    println!("{} of 200 agree", 200 - low.len() - other.len());
    low.iter().for_each(|l| println!("too low: {l}"));
    other.iter().for_each(|l| println!("higher: {l}"));
    assert_eq!(low, Vec::<String>::new());
    assert!(other.len() <= 6, "fewer than 97% agree");
}

/// The book's table says of each row what the catalogue says, and the figure above it is right.
#[test]
fn the_page_of_the_book_is_in_step() {
    let page = include_str!("../../book/src/risk-sample.md");
    let mut agree = 0;
    for (name, label, reason) in rows() {
        let risk = Catalog::embedded().record(name).unwrap().operation.class.risk;
        agree += usize::from(risk == label);
        let word = |risk: Risk| format!("{risk:?}").to_lowercase();
        let found = if risk == label { "=".to_owned() } else { word(risk) };
        let row = format!("| `{name}` | {} | {found} | {reason} |\n", word(label));
        assert!(page.contains(&row), "{row}");
    }
    assert!(page.contains(&format!("**{agree} of 200** agree")), "{agree}");
}
