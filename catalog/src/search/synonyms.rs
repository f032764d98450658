//! What people say, and what operations are called.

use std::collections::HashMap;

use super::words;

const TABLE: &str = include_str!("synonyms.txt");

/// A way to say something in names: all of the words, with how much of what was said it is.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) words: Vec<String>,
    pub(super) weight: f32,
}

/// One thing that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Concept {
    pub(super) ways: Vec<Way>,
    /// Whether it is something that is done.
    pub(super) verb: bool,
}

type Table = HashMap<String, (bool, Vec<Vec<String>>)>;

fn table() -> Table {
    let mut table = Table::new();
    let mut verb = false;
    for line in TABLE.lines().filter(|l| !l.starts_with('#')) {
        let Some((said, called)) = line.split_once('|') else {
            verb = line.starts_with("[verbs]");
            continue;
        };
        let called: Vec<Vec<String>> = called.split(',').map(words::split).collect();
        for said in said.split(',') {
            table.entry(words::split(said).join(" ")).or_insert_with(|| (verb, called.clone()));
        }
    }
    table
}

/// The things that a question asks for; the longest phrase that is known counts as one.
pub(super) fn concepts(said: &[String]) -> Vec<Concept> {
    let table = table();
    let mut concepts = Vec::new();
    let mut rest = said;
    while let Some(first) = rest.first() {
        let known = (1..=rest.len().min(5)).rev().find_map(|count| {
            let phrase = rest.get(..count)?;
            Some((phrase, table.get(&phrase.join(" "))?))
        });
        let taken = match known {
            Some((phrase, (verb, called))) => {
                let mut ways = vec![Way { words: phrase.to_vec(), weight: 1.0 }];
                for (place, words) in (0u8..).zip(called) {
                    ways.push(Way { words: words.clone(), weight: (0.97 - 0.03 * f32::from(place)).max(0.6) });
                }
                concepts.push(Concept { ways, verb: *verb });
                phrase.len()
            }
            None => {
                if !words::is_empty(first) {
                    concepts.push(Concept { ways: vec![Way { words: vec![first.clone()], weight: 1.0 }], verb: false });
                }
                1
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    concepts
}
