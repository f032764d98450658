//! Catalogues as `xtask/catalog/pack.py` writes them, so that what is mutated is not hidden behind their compression.

use std::sync::OnceLock;

use zstd::bulk::{Decompressor, compress};

static AWS: &[u8] = include_bytes!("../../../catalog/data/aws.bin");

const MAGIC: &[u8] = b"ESCATLG\x02";

/// Most bytes of a chunk: as the catalogue has it.
const LIMIT: usize = 4 << 20;

/// A catalogue of AWS with one service, `fuzzed`, and what stands beside it: partitions and rule sets, split by NULs.
pub(crate) fn write(chunk: &[u8], extra: &[u8]) -> Vec<u8> {
    // Whatever the level, the frame ends with no checksum that a mutation would have to fit.
    let packed = compress(chunk, 1).unwrap_or_default();
    let beside = compress(extra, 1).unwrap_or_default();
    let mut head = Vec::new();
    text(&mut head, "aws");
    for length in [0, beside.len(), extra.len(), 1] {
        number(&mut head, length);
    }
    text(&mut head, "fuzzed");
    for length in [1, packed.len(), chunk.len()] {
        number(&mut head, length);
    }
    let mut file = MAGIC.to_vec();
    number(&mut file, head.len());
    [file, head, beside, packed].concat()
}

/// A catalogue whose one service has rules of this text, with the partitions of AWS.
pub(crate) fn with_rules(rules: &[u8]) -> Vec<u8> {
    static BEFORE: OnceLock<Option<(Vec<u8>, Vec<u8>)>> = OnceLock::new();
    let before = BEFORE.get_or_init(|| {
        let aws = Packed::embedded()?;
        let place = escher_catalog::Catalog::embedded().service("aws", "sts")?.rule_set;
        let (mut extra, _) = aws.rules()?;
        extra.push_str(&"\0".repeat(place as usize));
        Some((aws.chunk("sts")?, extra.into_bytes()))
    });
    assert!(before.is_some(), "the embedded catalogue can't be read");
    before.as_ref().map(|(chunk, extra)| write(chunk, &[extra, rules].concat())).unwrap_or_default()
}

/// The embedded catalogue, read by other code than its own.
pub(crate) struct Packed {
    dictionary: &'static [u8],
    beside: (&'static [u8], usize),
    chunks: Vec<(String, &'static [u8], usize)>,
}

impl Packed {
    pub(crate) fn embedded() -> Option<Packed> {
        let mut rest = AWS.strip_prefix(MAGIC)?;
        let length = read_number(&mut rest)?;
        let (mut head, mut body) = rest.split_at_checked(length)?;
        let mut take = |length: usize| -> Option<&'static [u8]> {
            let (taken, left) = body.split_at_checked(length)?;
            body = left;
            Some(taken)
        };
        read_text(&mut head)?;
        let dictionary = take(read_number(&mut head)?)?;
        let beside = (take(read_number(&mut head)?)?, read_number(&mut head)?);
        let count = read_number(&mut head)?;
        let mut chunks = Vec::new();
        for _ in 0..count {
            let name = read_text(&mut head)?;
            read_number(&mut head)?;
            chunks.push((name, take(read_number(&mut head)?)?, read_number(&mut head)?));
        }
        Some(Packed { dictionary, beside, chunks })
    }

    fn unpack(&self, bytes: &[u8], length: usize) -> Option<Vec<u8>> {
        Decompressor::with_dictionary(self.dictionary).ok()?.decompress(bytes, length.min(LIMIT)).ok()
    }

    /// The chunk of a service.
    pub(crate) fn chunk(&self, service: &str) -> Option<Vec<u8>> {
        let (_, bytes, length) = self.chunks.iter().find(|(name, ..)| name == service)?;
        self.unpack(bytes, *length)
    }

    /// The partitions, and the text of each rule set.
    pub(crate) fn rules(&self) -> Option<(String, Vec<String>)> {
        let text = String::from_utf8(self.unpack(self.beside.0, self.beside.1)?).ok()?;
        let mut parts = text.split('\0').map(str::to_owned);
        Some((parts.next()?, parts.collect()))
    }
}

fn read_number(bytes: &mut &'static [u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= usize::from(first & 0x7f) << shift;
        if *first < 0x80 {
            return Some(number);
        }
    }
    None
}

fn read_text(bytes: &mut &'static [u8]) -> Option<String> {
    let length = read_number(bytes)?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

fn number(out: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        out.extend(u8::try_from(number & 0x7f).map(|low| low | 0x80));
        number >>= 7;
    }
    out.extend(u8::try_from(number));
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len());
    out.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use escher_catalog::Catalog;

    use super::*;

    #[test]
    fn what_is_packed_is_read() {
        let chunk = Packed::embedded().unwrap().chunk("sts").unwrap();
        let catalog = Catalog::from_packs([Cow::Owned(write(&chunk, b""))]).unwrap();
        assert!(catalog.record("aws.fuzzed.get_caller_identity").is_some());
        let (_, rules) = Packed::embedded().unwrap().rules().unwrap();
        let catalog = Catalog::from_packs([Cow::Owned(with_rules(rules[0].as_bytes()))]).unwrap();
        assert!(catalog.endpoint_rules("aws", "fuzzed").is_some());
        let catalog = Catalog::from_packs([Cow::Owned(with_rules(b"{"))]).unwrap();
        assert!(catalog.endpoint_rules("aws", "fuzzed").is_none());
    }
}
