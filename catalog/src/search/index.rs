//! All names, cut into words that are numbers.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;

use super::words;
use crate::Catalog;

/// The names of the embedded catalogue, as `examples/names.rs` wrote them.
static NAMES: &[u8] = include_bytes!("../../data/names.zst");

/// Greatest size of the names: several times what they are.
const LIMIT: u64 = 16 << 20;

/// Services that are meant when none is said, with the reasons.
const CORE: &str = include_str!("services.txt");

/// The names of a catalogue, to be searched.
#[derive(Debug, Default)]
pub struct Index {
    text: String,
    pub(super) vocabulary: Vec<String>,
    pub(super) services: Vec<Named>,
    pub(super) operations: Vec<Entry>,
    pub(super) words: Vec<u32>,
}

/// A service.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: Range<usize>,
    pub(super) words: Vec<u32>,
    pub(super) full: Vec<u32>,
    pub(super) core: bool,
}

/// An operation; ranges are of the text and of the words.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) service: usize,
    pub(super) name: Range<usize>,
    pub(super) words: Range<usize>,
    /// Of the words, those that say what is done.
    pub(super) verb: Range<usize>,
    /// Where what stands behind `by` begins; the end of the words where there is none.
    pub(super) by: usize,
}

/// The names of a catalogue as text: a line `# aws.ec2 Amazon Elastic Compute Cloud` for each service, below it its operations.
pub fn names_text(catalog: &Catalog) -> String {
    let mut text = String::new();
    for cloud in catalog.clouds() {
        for name in catalog.services(cloud) {
            let Some(service) = catalog.service(cloud, name) else { continue };
            text.push_str(&format!("# {cloud}.{name} {}\n", service.meta.full_name));
            for operation in service.operations.names() {
                text.push_str(operation);
                text.push('\n');
            }
        }
    }
    text
}

impl Index {
    /// The names of the embedded catalogue; built on first use.
    pub fn embedded() -> &'static Index {
        static EMBEDDED: OnceLock<Index> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            let mut text = String::new();
            // The embedded bytes are tested; no names are what remains of a damaged program.
            let read = zstd::Decoder::new(NAMES).and_then(|d| d.take(LIMIT).read_to_string(&mut text));
            read.map(|_| Index::of(text)).unwrap_or_default()
        })
    }

    /// The index of a text that [`names_text`] wrote.
    pub fn of(text: String) -> Index {
        let mut index = Index::default();
        let mut known: HashMap<String, u32> = HashMap::new();
        let mut raw: HashMap<&str, u32> = HashMap::new();
        let core: std::collections::HashSet<&str> = CORE
            .lines()
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| l.split('|').next())
            .flat_map(str::split_whitespace)
            .collect();
        let mut add = |vocabulary: &mut Vec<String>, word: String| {
            *known.entry(word).or_insert_with_key(|word| {
                vocabulary.push(word.clone());
                u32::try_from(vocabulary.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let mut start = 0;
        for line in text.lines() {
            let name = start..start + line.len();
            start += line.len() + 1;
            if let Some(rest) = line.strip_prefix("# ") {
                let (name, full) = rest.split_once(' ').unwrap_or((rest, ""));
                let mut of =
                    |text: &str| words::split(text).into_iter().map(|w| add(&mut index.vocabulary, w)).collect();
                let from = start - 1 - rest.len();
                let words = of(name);
                let full = of(full);
                index.services.push(Named { name: from..from + name.len(), words, full, core: core.contains(name) });
                continue;
            }
            let first = index.words.len();
            let mut verb = first..first;
            let mut by = None;
            for part in line.split('.') {
                verb.start = index.words.len();
                for word in part.split('_') {
                    if word == "by" && by.is_none() {
                        by = Some(index.words.len());
                    }
                    let id = match raw.get(word) {
                        Some(id) => *id,
                        None => {
                            let id = add(&mut index.vocabulary, words::stem(word).into_owned());
                            raw.insert(word, id);
                            id
                        }
                    };
                    index.words.push(id);
                }
            }
            verb.end = index.words.len();
            if !line.contains('.') {
                verb.end = verb.start + 1;
            }
            let service = index.services.len().saturating_sub(1);
            let words = first..index.words.len();
            index.operations.push(Entry { service, name, by: by.unwrap_or(words.end), words, verb });
        }
        drop(raw);
        index.text = text;
        index
    }

    /// The names that this index was built of.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn full_name(&self, operation: &Entry) -> String {
        let service = self.services.get(operation.service).and_then(|s| self.text.get(s.name.clone()));
        let name = self.text.get(operation.name.clone());
        format!("{}.{}", service.unwrap_or_default(), name.unwrap_or_default())
    }
}
