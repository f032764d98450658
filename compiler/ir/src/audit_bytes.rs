//! A segment of the audit log, entry by entry, as far as its bytes can still be read: for finding what was changed.
//!
//! Trusts nothing: neither the envelope's digest nor that the rest can be read where one entry cannot.

use std::ops::Range;

use crate::audit::{AuditEntry, AuditSegment};
use crate::codec::{MAX_DEPTH, Stored, end_of_item, read};
use crate::digest::Digest;

/// An entry as it lies in a segment's bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct RawEntry {
    /// Where.
    pub range: Range<usize>,
    /// The digest that the next entry must hold.
    pub digest: Digest,
    /// What it says; none where that can't be read.
    pub entry: Option<AuditEntry>,
}

/// What of a segment can be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawSegment {
    /// Its entries, up to the first whose end can't be found.
    pub entries: Vec<RawEntry>,
    /// Whether the entries stand where they should, to the end.
    pub complete: bool,
}

/// Reads a segment's bytes, however damaged.
pub fn raw_segment(bytes: &[u8]) -> RawSegment {
    let mut raw = RawSegment::default();
    let Some(body) = body(bytes) else { return raw };
    let domain = format!("{}/{}", AuditEntry::FORMAT, AuditEntry::VERSION);
    let Some((mut at, count)) = list(bytes, body.start) else { return raw };
    for _ in 0..count {
        let end = end_of_item(bytes, at, MAX_DEPTH).ok().filter(|end| *end <= body.end);
        let Some((end, slice)) = end.and_then(|end| Some((end, bytes.get(at..end)?))) else {
            // It is there, and where it ends can't be found: the last that is known.
            let digest = Digest([0; 32]);
            raw.entries.push(RawEntry { range: at..body.end, digest, entry: None });
            return raw;
        };
        let digest = Digest::of(&domain, slice);
        let entry = read::<AuditEntry>(slice).ok();
        let readable = entry.is_some();
        raw.entries.push(RawEntry { range: at..end, digest, entry });
        if !readable {
            // A changed length may have swallowed what follows: the next ones are not to be trusted.
            let rest = bytes.get(end..body.end).unwrap_or_default();
            if read_next(rest).is_none() && !rest.is_empty() {
                return raw;
            }
        }
        at = end;
    }
    raw.complete = at == body.end;
    raw
}

/// Whether an entry begins here.
fn read_next(rest: &[u8]) -> Option<AuditEntry> {
    let end = end_of_item(rest, 0, MAX_DEPTH).ok()?;
    read(rest.get(..end)?).ok()
}

/// The range of the envelope's body: the value of its first member.
fn body(bytes: &[u8]) -> Option<Range<usize>> {
    let value = end_of_item(bytes, 1, MAX_DEPTH).ok()?;
    let (length, from) = head(bytes, value, 2)?;
    let end = from.checked_add(length)?;
    (end <= bytes.len()).then_some(from..end)
}

/// Where the first entry begins, and how many there are.
fn list(bytes: &[u8], body: usize) -> Option<(usize, usize)> {
    let value = end_of_item(bytes, body.checked_add(1)?, MAX_DEPTH).ok()?;
    let (count, at) = head(bytes, value, 4)?;
    Some((at, count))
}

/// The length in the head of a string of bytes (2) or a list (4), and where its content begins.
fn head(bytes: &[u8], at: usize, major: u8) -> Option<(usize, usize)> {
    let first = *bytes.get(at)?;
    if first >> 5 != major {
        return None;
    }
    let at = at.checked_add(1)?;
    match first & 31 {
        small @ 0..=23 => Some((usize::from(small), at)),
        info @ 24..=27 => {
            let end = at.checked_add(1usize << (info - 24))?;
            let length = bytes.get(at..end)?.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
            Some((usize::try_from(length).ok()?, end))
        }
        _ => None,
    }
}

/// Whether a segment reads as a whole, digest and all.
pub fn is_whole(bytes: &[u8]) -> bool {
    crate::codec::decode::<AuditSegment>(bytes).is_ok()
}
