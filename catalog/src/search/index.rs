//! All names, cut into words that are numbers.
//!
//! The file is laid out as the index stands in memory, so that a single question costs little: words as numbers of two bytes,
//! an operation as a count of them. Names are put together from their words; they stand nowhere else.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;

use super::words;
use crate::codec::Bytes;
use crate::{Catalog, CatalogError};

/// The names of the embedded catalogue, as `examples/names.rs` wrote them.
static NAMES: &[u8] = include_bytes!("../../data/names.zst");

/// Greatest size of the names: several times what they are.
const LIMIT: u64 = 16 << 20;

/// Services that are meant when none is said, with the reasons.
const CORE: &str = include_str!("services.txt");

/// A word that begins a new part of a name: `stop` in `instances.stop`.
const PART: u16 = 1 << 15;

/// The names of a catalogue, to be searched.
#[derive(Debug, Default)]
pub struct Index {
    /// Words without their endings.
    pub(super) vocabulary: Vec<String>,
    pub(super) services: Vec<Named>,
    pub(super) operations: Vec<Entry>,
    /// Of all operations, one after the other, as numbers of the vocabulary.
    pub(super) words: Vec<u16>,
    /// The same words as they are written, as numbers of `spellings`, with [`PART`].
    spelt: Vec<u16>,
    spellings: Vec<String>,
}

/// A service.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    full_name: String,
    pub(super) words: Vec<u16>,
    pub(super) full: Vec<u16>,
    pub(super) core: bool,
}

/// An operation; places are of `Index::words`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) service: u16,
    first: u32,
    count: u8,
    /// Of the words, those that say what is done.
    verb: (u8, u8),
    /// Where what stands behind `by` begins; the count where there is none.
    by: u8,
}

impl Entry {
    fn range(&self, from: u8, to: u8) -> Range<usize> {
        let first = self.first as usize;
        first + from as usize..first + to as usize
    }

    pub(super) fn words(&self) -> Range<usize> {
        self.range(0, self.count)
    }

    pub(super) fn verb(&self) -> Range<usize> {
        self.range(self.verb.0, self.verb.1)
    }

    /// What stands before `by`, and what stands behind it.
    pub(super) fn around_by(&self) -> (Range<usize>, Range<usize>) {
        (self.range(0, self.by), self.range(self.by, self.count))
    }
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

/// The file of such a text, before it is compressed.
///
/// Vocabulary and spellings, a line each; per spelling the number of its word; per service its line, its words and its number of
/// operations; per operation its number of words; then all words. Texts begin with their length; numbers are two bytes, lowest first.
pub fn pack(text: &str) -> Result<Vec<u8>, CatalogError> {
    let mut vocabulary = Numbers::default();
    let mut spellings = Numbers::default();
    let (mut services, mut counts, mut words, mut stems) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let (name, full) = rest.split_once(' ').unwrap_or((rest, ""));
            let mut of =
                |text: &str| words::split(text).iter().map(|w| vocabulary.of(w)).collect::<Result<Vec<_>, _>>();
            services.push((rest, of(name)?, of(full)?, 0usize));
            continue;
        }
        let before = words.len();
        for (at, part) in line.split('.').enumerate() {
            for (within, word) in part.split('_').enumerate() {
                let number = spellings.of(word)?;
                if number as usize == stems.len() {
                    stems.push(vocabulary.of(&words::stem(word))?);
                }
                words.push(if at > 0 && within == 0 { number | PART } else { number });
            }
        }
        counts
            .push(u8::try_from(words.len() - before).map_err(|_| CatalogError::Malformed("a name of too many words"))?);
        if let Some((.., operations)) = services.last_mut() {
            *operations += 1;
        }
    }
    let mut out = Vec::new();
    vocabulary.put(&mut out);
    spellings.put(&mut out);
    put_all(&mut out, &stems);
    put_size(&mut out, services.len());
    for (line, name, full, operations) in services {
        put_text(&mut out, line);
        for words in [name, full] {
            put_size(&mut out, words.len());
            put_all(&mut out, &words);
        }
        put_size(&mut out, operations);
    }
    put_size(&mut out, counts.len());
    out.extend(&counts);
    put_all(&mut out, &words);
    Ok(out)
}

/// Words and their numbers, in order of first use.
#[derive(Default)]
struct Numbers {
    known: HashMap<String, u16>,
    words: Vec<String>,
}

impl Numbers {
    fn of(&mut self, word: &str) -> Result<u16, CatalogError> {
        if let Some(number) = self.known.get(word) {
            return Ok(*number);
        }
        let number = u16::try_from(self.words.len()).ok().filter(|n| *n < PART);
        let number = number.ok_or(CatalogError::Malformed("too many words"))?;
        self.known.insert(word.to_owned(), number);
        self.words.push(word.to_owned());
        Ok(number)
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_text(out, &self.words.join("\n"));
    }
}

fn put_size(out: &mut Vec<u8>, mut size: usize) {
    while size > 0x7f {
        out.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_size(out, text.len());
    out.extend(text.as_bytes());
}

fn put_all(out: &mut Vec<u8>, numbers: &[u16]) {
    out.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
}

/// So many numbers of two bytes.
fn numbers(bytes: &mut Bytes<'_>, count: usize) -> Result<Vec<u16>, CatalogError> {
    let taken = bytes.take(count.checked_mul(2).ok_or(CatalogError::Truncated)?)?;
    let two = |pair: &[u8]| if let [low, high] = pair { u16::from_le_bytes([*low, *high]) } else { 0 };
    Ok(taken.chunks_exact(2).map(two).collect())
}

fn lines(bytes: &mut Bytes<'_>) -> Result<Vec<String>, CatalogError> {
    Ok(bytes.text()?.split('\n').map(str::to_owned).collect())
}

impl Index {
    /// The names of the embedded catalogue; read on first use.
    pub fn embedded() -> &'static Index {
        static EMBEDDED: OnceLock<Index> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            let mut bytes = Vec::new();
            // The embedded bytes are tested; no names are what remains of a damaged program.
            let read = zstd::Decoder::new(NAMES).and_then(|d| d.take(LIMIT).read_to_end(&mut bytes));
            read.ok().and_then(|_| Index::open(&bytes).ok()).unwrap_or_default()
        })
    }

    /// The names of the catalogue that this process works with. Those of one that was installed are made of all its services.
    pub fn current() -> &'static Index {
        static CURRENT: OnceLock<Option<Index>> = OnceLock::new();
        let catalog = Catalog::current();
        let made = CURRENT.get_or_init(|| match std::ptr::eq(catalog, Catalog::embedded()) {
            true => None,
            false => Index::of(&names_text(catalog)).ok(),
        });
        made.as_ref().unwrap_or_else(|| Index::embedded())
    }

    /// The index of a text that [`names_text`] wrote.
    pub fn of(text: &str) -> Result<Index, CatalogError> {
        Index::open(&pack(text)?)
    }

    /// The index of what [`pack`] wrote.
    pub fn open(bytes: &[u8]) -> Result<Index, CatalogError> {
        let mut bytes = Bytes::new(bytes);
        let vocabulary = lines(&mut bytes)?;
        let spellings = lines(&mut bytes)?;
        let stems = numbers(&mut bytes, spellings.len())?;
        let by = spellings.iter().position(|w| w == "by");
        let core = core();
        let (mut services, mut of_service) = (Vec::new(), Vec::new());
        for _ in 0..bytes.size()? {
            let line = bytes.text()?;
            let (name, full_name) = line.split_once(' ').unwrap_or((line, ""));
            let mut words = || {
                let count = bytes.size()?;
                numbers(&mut bytes, count)
            };
            let (words, full) = (words()?, words()?);
            of_service.push(bytes.size()?);
            let (name, full_name, core) = (name.to_owned(), full_name.to_owned(), core.contains(&name));
            services.push(Named { name, full_name, words, full, core });
        }
        let count = bytes.size()?;
        let counts = bytes.take(count)?;
        let all = counts.iter().map(|n| *n as usize).sum();
        let spelt = numbers(&mut bytes, all)?;
        let stem = |word: &u16| stems.get((word & !PART) as usize).copied();
        let words: Vec<u16> = spelt.iter().map(stem).collect::<Option<_>>().ok_or(CatalogError::Malformed("a word"))?;
        let owners = of_service.iter().zip(0u16..).flat_map(|(count, service)| std::iter::repeat_n(service, *count));
        let mut operations = Vec::with_capacity(counts.len());
        let mut first = 0usize;
        for (service, count) in owners.zip(counts) {
            let own = spelt.get(first..first + *count as usize).unwrap_or_default();
            let last = own.iter().rposition(|w| w & PART != 0);
            let place = |at: usize| u8::try_from(at).unwrap_or(u8::MAX);
            let verb = last.map_or((0, 1.min(*count)), |at| (place(at), *count));
            let by = own.iter().position(|w| by == Some((w & !PART) as usize)).map_or(*count, place);
            let start = u32::try_from(first).map_err(|_| CatalogError::Malformed("too many words"))?;
            operations.push(Entry { service, first: start, count: *count, verb, by });
            first += *count as usize;
        }
        if operations.len() != counts.len() {
            return Err(CatalogError::Malformed("operations of no service"));
        }
        Ok(Index { vocabulary, services, operations, words, spelt, spellings })
    }

    /// The text that this index was built of.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut operations = self.operations.iter().peekable();
        for (at, service) in self.services.iter().enumerate() {
            text.push_str(&format!("# {} {}\n", service.name, service.full_name));
            while let Some(operation) = operations.next_if(|o| o.service as usize == at) {
                self.push_name(operation, &mut text);
                text.push('\n');
            }
        }
        text
    }

    fn push_name(&self, operation: &Entry, out: &mut String) {
        for (at, word) in self.spelt.get(operation.words()).unwrap_or_default().iter().enumerate() {
            if at > 0 {
                out.push(if word & PART == 0 { '_' } else { '.' });
            }
            out.push_str(self.spellings.get((word & !PART) as usize).map_or("", String::as_str));
        }
    }

    pub(super) fn full_name(&self, operation: &Entry) -> String {
        let service = self.services.get(operation.service as usize);
        let mut name = service.map(|s| s.name.clone()).unwrap_or_default();
        name.push('.');
        self.push_name(operation, &mut name);
        name
    }
}

/// Names of the services of the core.
fn core() -> std::collections::HashSet<&'static str> {
    let lines = CORE.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split('|').next());
    lines.flat_map(str::split_whitespace).collect()
}
