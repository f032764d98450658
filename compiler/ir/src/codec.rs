//! Deterministic CBOR in an envelope: format, version, what it requires, producer, digest.
//!
//! Decoding is total: bytes of any kind give a value or a [`CodecError`], in memory bounded by the input's length. What
//! can be written can be read, and from one encoding alone.

use std::convert::Infallible;

use cbor4ii::core::dec::{Read, Reference};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::canonical::{BYTES, LIST, MAP, UNSIGNED, head, text, write};
use crate::digest::Digest;

/// Deepest nesting that is written and read: a thread's stack holds it.
pub const MAX_DEPTH: usize = 512;

/// A type with a place on disk.
pub trait Stored: Serialize + DeserializeOwned {
    /// Name of the format, such as `escher.ir`.
    const FORMAT: &'static str;
    /// The version this build writes; it reads this and all below.
    const VERSION: u16;
    /// Features that this build knows, beyond what the version says.
    const FEATURES: &'static [&'static str] = &[];

    /// Features without which this value can't be understood.
    fn requires(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Rewrites the CBOR of an older version as the next one. Pure; one step at a time.
    fn upgrade(from: u16, body: Vec<u8>) -> Result<Vec<u8>, CodecError> {
        let _ = body;
        Err(CodecError::TooOld { format: Self::FORMAT, version: from })
    }
}

/// Why bytes can't be read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Not CBOR, or not of this shape.
    #[error("damaged {format}: {reason}")]
    Damaged {
        /// What was expected.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Another kind of file.
    #[error("expected {expected}, found {found}")]
    WrongFormat {
        /// What was expected.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// Written by a newer Escher.
    #[error("{format} version {version} is newer than this program understands ({known}): use a newer Escher")]
    TooNew {
        /// What it is.
        format: &'static str,
        /// Its version.
        version: u16,
        /// The newest version that is understood.
        known: u16,
    },
    /// Written by an Escher too old for this one.
    #[error("{format} version {version} is no longer understood")]
    TooOld {
        /// What it is.
        format: &'static str,
        /// Its version.
        version: u16,
    },
    /// Needs something that this build lacks.
    #[error("{format} requires `{feature}`, which this program does not know")]
    Requires {
        /// What it is.
        format: &'static str,
        /// What it needs.
        feature: String,
    },
    /// The bytes are not those that were written.
    #[error("{format} was changed: its digest says {expected}, its bytes give {found}")]
    Digest {
        /// What it is.
        format: &'static str,
        /// The digest in the envelope.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// A value that has no deterministic form, such as NaN.
    #[error("cannot write {format}: {reason}")]
    Unwritable {
        /// What was to be written.
        format: &'static str,
        /// Why not.
        reason: String,
    },
}

/// What stands around every stored value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Such as `escher.ir`.
    pub format: String,
    /// Version of the format.
    pub version: u16,
    /// Features that a reader must know.
    pub requires: Vec<String>,
    /// Program that wrote it, such as `escher 0.1.0`; not in the digest.
    pub producer: String,
    /// Digest of `body` under `format/version`.
    pub digest: Digest,
    /// The value.
    #[serde(with = "bytes")]
    pub body: Vec<u8>,
}

/// The same, borrowed: a body may be most of what there is memory for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Borrowed<'a> {
    format: &'a str,
    version: u16,
    requires: Vec<String>,
    #[serde(rename = "producer")]
    _producer: &'a str,
    digest: Digest,
    body: &'a [u8],
}

pub(crate) mod bytes {
    //! Byte strings as CBOR byte strings, not as lists of numbers.
    use serde::{Deserializer, Serializer, de::Visitor};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(bytes)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, B: From<Vec<u8>>>(d: D) -> Result<B, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, v: &[u8]) -> Result<Vec<u8>, E> {
                Ok(v.to_vec())
            }
            fn visit_byte_buf<E>(self, v: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(v)
            }
        }
        d.deserialize_byte_buf(Bytes).map(B::from)
    }
}

pub(crate) fn domain<T: Stored>(version: u16) -> String {
    format!("{}/{}", T::FORMAT, version)
}

/// The canonical bytes of a value, without an envelope.
pub fn canonical<T: Stored>(value: &T) -> Result<Vec<u8>, CodecError> {
    append::<T, T>(Vec::with_capacity(256), value)
}

/// Appends the canonical bytes of a value that is written as a `T`.
pub(crate) fn append<T: Stored, V: Serialize>(out: Vec<u8>, value: &V) -> Result<Vec<u8>, CodecError> {
    // What is too deep is refused here, before anybody counts on reading it.
    write(out, value, MAX_DEPTH).map_err(|e| CodecError::Unwritable { format: T::FORMAT, reason: e.to_string() })
}

/// The digest of a value: of its canonical bytes, under its format and version.
pub fn digest<T: Stored>(value: &T) -> Result<Digest, CodecError> {
    Ok(Digest::of(&domain::<T>(T::VERSION), &canonical(value)?))
}

/// The digest of what has the bytes of a `T`.
pub(crate) fn digest_as<T: Stored>(value: &impl Serialize) -> Result<Digest, CodecError> {
    Ok(Digest::of(&domain::<T>(T::VERSION), &append::<T, _>(Vec::with_capacity(256), value)?))
}

/// A value as it is written, not yet in its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body<T> {
    /// The digest of its canonical bytes.
    pub digest: Digest,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    requires: Vec<&'static str>,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T: Stored> Body<T> {
    /// The canonical bytes of a value, with their digest.
    pub fn of(value: &T) -> Result<Body<T>, CodecError> {
        let bytes = canonical(value)?;
        let digest = Digest::of(&domain::<T>(T::VERSION), &bytes);
        Ok(Body { digest, bytes, requires: value.requires(), of: std::marker::PhantomData })
    }

    /// The bytes in their envelope.
    pub fn enveloped(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + 256);
        open(&mut out);
        out.extend_from_slice(&self.bytes);
        close::<T>(out, self.digest, &self.requires)
    }
}

/// Reads the canonical bytes of a value that has no envelope of its own, where they have this digest.
pub fn decode_body<T: Stored>(digest: &Digest, bytes: &[u8]) -> Result<T, CodecError> {
    let found = Digest::of(&domain::<T>(T::VERSION), bytes);
    if found != *digest {
        return Err(CodecError::Digest { format: T::FORMAT, expected: *digest, found });
    }
    checked(bytes)
}

/// A value from its canonical bytes; any other bytes of it are refused.
fn checked<T: Stored>(body: &[u8]) -> Result<T, CodecError> {
    let damaged = |reason: String| CodecError::Damaged { format: T::FORMAT, reason };
    check_depth(body, MAX_DEPTH).map_err(|r| damaged(r.to_string()))?;
    let value = read(body).map_err(damaged)?;
    // A second spelling, a member that is not known, an instant in another zone: what a digest stands for is one value,
    // and one value has one digest.
    if canonical(&value)? != body {
        return Err(damaged("it is not in the one encoding of its value".to_string()));
    }
    Ok(value)
}

/// A value in its envelope, as bytes, with its digest.
pub fn encode<T: Stored>(value: &T) -> Result<(Digest, Vec<u8>), CodecError> {
    let mut out = Vec::new();
    open(&mut out);
    finish::<T>(append::<T, T>(out, value)?, &value.requires())
}

/// What stands before a body at most: the head of the envelope, the name of the member, the head of the bytes.
const FRONT: usize = 1 + 5 + 9;

/// Leaves room for what stands before a body.
pub(crate) fn open(out: &mut Vec<u8>) {
    out.resize(FRONT, 0);
}

/// Puts the body that stands behind that room into its envelope, and gives its digest.
pub(crate) fn finish<T: Stored>(out: Vec<u8>, requires: &[&str]) -> Result<(Digest, Vec<u8>), CodecError> {
    let digest = Digest::of(&domain::<T>(T::VERSION), out.get(FRONT..).unwrap_or_default());
    Ok((digest, close::<T>(out, digest, requires)))
}

/// The bytes of an [`Envelope`], made around a body where it lies.
fn close<T: Stored>(mut out: Vec<u8>, digest: Digest, requires: &[&str]) -> Vec<u8> {
    let mut front = Vec::with_capacity(FRONT);
    head(&mut front, MAP, 6);
    text(&mut front, "body");
    head(&mut front, BYTES, out.len().saturating_sub(FRONT) as u64);
    let spare = FRONT.saturating_sub(front.len());
    if let Some(room) = out.get_mut(spare..FRONT) {
        room.copy_from_slice(&front);
    }
    out.drain(..spare);
    out.reserve_exact(256);
    for (name, value) in [("digest", &*digest.to_string()), ("format", T::FORMAT)] {
        text(&mut out, name);
        text(&mut out, value);
    }
    text(&mut out, "version");
    head(&mut out, UNSIGNED, T::VERSION.into());
    text(&mut out, "producer");
    text(&mut out, concat!("escher ", env!("CARGO_PKG_VERSION")));
    text(&mut out, "requires");
    head(&mut out, LIST, requires.len() as u64);
    requires.iter().for_each(|feature| text(&mut out, feature));
    out
}

/// Reads a value out of its envelope: the digest is verified first, older versions are upgraded then.
pub fn decode<T: Stored>(bytes: &[u8]) -> Result<(Digest, T), CodecError> {
    let damaged = |reason: String| CodecError::Damaged { format: T::FORMAT, reason };
    check_depth(bytes, MAX_DEPTH).map_err(|r| damaged(r.to_string()))?;
    let envelope: Borrowed<'_> = read(bytes).map_err(damaged)?;
    if envelope.format != T::FORMAT {
        return Err(CodecError::WrongFormat { expected: T::FORMAT, found: envelope.format.to_string() });
    }
    if envelope.version > T::VERSION {
        return Err(CodecError::TooNew { format: T::FORMAT, version: envelope.version, known: T::VERSION });
    }
    if let Some(feature) = envelope.requires.into_iter().find(|feature| !T::FEATURES.contains(&&**feature)) {
        return Err(CodecError::Requires { format: T::FORMAT, feature });
    }
    let found = Digest::of(&domain::<T>(envelope.version), envelope.body);
    if found != envelope.digest {
        return Err(CodecError::Digest { format: T::FORMAT, expected: envelope.digest, found });
    }
    if envelope.version == T::VERSION {
        return Ok((found, checked(envelope.body)?));
    }
    let mut body = envelope.body.to_vec();
    for version in envelope.version..T::VERSION {
        body = T::upgrade(version, body)?;
    }
    Ok((found, checked(&body)?))
}

/// Reads bytes whose depth was checked.
pub(crate) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    let mut from = serde_ipld_dagcbor::de::Deserializer::from_reader(Walked(bytes));
    T::deserialize(&mut from).map_err(|e| e.to_string())
}

/// Bytes that [`check_depth`] walked. The library's own reader counts steps instead of levels, and ends at 256 of them:
/// it would refuse programs that the compiler accepts and answers that clouds give.
struct Walked<'a>(&'a [u8]);

impl<'a> Read<'a> for Walked<'a> {
    type Error = Infallible;

    fn fill<'b>(&'b mut self, want: usize) -> Result<Reference<'a, 'b>, Infallible> {
        Ok(Reference::Long(self.0.get(..want).unwrap_or(self.0)))
    }

    fn advance(&mut self, n: usize) {
        self.0 = self.0.get(n..).unwrap_or_default();
    }
}

/// Walks CBOR without recursion and without allocating per item: refuses what a recursive reader could not survive.
fn check_depth(bytes: &[u8], limit: usize) -> Result<(), &'static str> {
    if end_of_item(bytes, 0, limit)? == bytes.len() { Ok(()) } else { Err("bytes after the end") }
}

/// Where the item ends that begins at `at`, without recursion and without allocating per item.
pub(crate) fn end_of_item(bytes: &[u8], mut at: usize, limit: usize) -> Result<usize, &'static str> {
    // How many items are still to come on each open level.
    let mut open: Vec<u64> = vec![1];
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        let head = *bytes.get(at).ok_or("ends too early")?;
        at += 1;
        let (major, info) = (head >> 5, head & 31);
        let argument = match info {
            0..=23 => u64::from(info),
            24..=27 => {
                let n = 1usize << (info - 24);
                let raw = bytes.get(at..at + n).ok_or("ends too early")?;
                at += n;
                raw.iter().fold(0u64, |v, b| (v << 8) | u64::from(*b))
            }
            _ => return Err("indefinite lengths are not deterministic"),
        };
        let children = match major {
            2 | 3 => {
                let n = usize::try_from(argument).map_err(|_| "too long")?;
                at = at.checked_add(n).filter(|end| *end <= bytes.len()).ok_or("ends too early")?;
                0
            }
            4 => argument,
            5 => argument.checked_mul(2).ok_or("too long")?,
            6 => 1,
            _ => 0,
        };
        if children > 0 {
            // Each child takes a byte at least: a huge count in a short input is refused before anyone allocates.
            if children > (bytes.len() - at) as u64 {
                return Err("ends too early");
            }
            open.push(children);
            if open.len() > limit {
                return Err("nested too deeply");
            }
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        name: String,
        count: u32,
    }
    impl Stored for Sample {
        const FORMAT: &'static str = "escher.sample";
        const VERSION: u16 = 1;
    }

    fn sample() -> Sample {
        Sample { name: "x".into(), count: 3 }
    }

    #[test]
    fn round_trip_is_stable() {
        let (d1, b1) = encode(&sample()).unwrap();
        let (d2, value) = decode::<Sample>(&b1).unwrap();
        assert_eq!((d1, sample()), (d2, value));
        assert_eq!(encode(&sample()).unwrap().1, b1);
    }

    #[test]
    fn an_envelope_has_the_bytes_of_the_library() {
        for length in [0, 1, 23, 24, 255, 256, 65_535, 65_536, 100_000] {
            let sample = Sample { name: "x".repeat(length), count: 3 };
            let (digest, bytes) = encode(&sample).unwrap();
            let envelope = Envelope {
                format: "escher.sample".into(),
                version: 1,
                requires: vec![],
                producer: concat!("escher ", env!("CARGO_PKG_VERSION")).into(),
                digest,
                body: canonical(&sample).unwrap(),
            };
            assert_eq!(bytes, serde_ipld_dagcbor::to_vec(&envelope).unwrap(), "{length}");
            assert_eq!(Body::of(&sample).unwrap().enveloped(), bytes);
            assert_eq!(decode::<Sample>(&bytes).unwrap(), (digest, sample));
        }
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let (_, bytes) = encode(&sample()).unwrap();
        let producer = b"escher 0.1.0";
        let at = bytes.windows(producer.len()).position(|w| w == producer).unwrap();
        for i in 0..bytes.len() {
            // The producer is told to people and decides nothing, so it is not covered by the digest.
            if (at..at + producer.len()).contains(&i) {
                continue;
            }
            for bit in 0..8 {
                let mut copy = bytes.clone();
                copy[i] ^= 1 << bit;
                assert!(decode::<Sample>(&copy).is_err(), "byte {i} bit {bit}");
            }
        }
    }

    #[test]
    fn hostile_nesting_is_refused() {
        let mut deep = vec![0x81; 1_000_000];
        deep.push(0);
        assert!(matches!(decode::<Sample>(&deep), Err(CodecError::Damaged { .. })));
        assert!(matches!(decode::<Sample>(&[0x9a, 0xff, 0xff, 0xff, 0xff]), Err(CodecError::Damaged { .. })));
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Tree {
        Leaf(u8),
        Node(Box<Tree>),
        Maybe(Option<Box<Tree>>),
    }
    impl Stored for Tree {
        const FORMAT: &'static str = "escher.tree";
        const VERSION: u16 = 1;
    }

    #[test]
    fn what_can_be_written_can_be_read() {
        for grow in [(|t| Tree::Node(Box::new(t))) as fn(Tree) -> Tree, |t| Tree::Maybe(Some(Box::new(t)))] {
            let mut tree = Tree::Leaf(1);
            for depth in 1..=MAX_DEPTH + 1 {
                let written = encode(&tree);
                assert_eq!(written.is_ok(), depth < MAX_DEPTH, "{depth}");
                if let Ok((_, bytes)) = written {
                    assert_eq!(decode::<Tree>(&bytes).unwrap().1, tree);
                }
                tree = grow(tree);
            }
        }
    }

    #[test]
    fn one_value_has_one_encoding() {
        let body = |text: &str| hex::decode(text).unwrap();
        let good = body("a2646e616d656178 65636f756e7403".replace(' ', "").as_str());
        assert_eq!(canonical(&sample()).unwrap(), good);
        // Members as a list, a longer number, a member that nobody knows.
        for other in ["82617803", "a2646e616d65617865636f756e741803", "a3617a0065636f756e7403646e616d656178"] {
            let body = body(other);
            let digest = Digest::of("escher.sample/1", &body);
            let envelope = Envelope {
                format: "escher.sample".into(),
                version: 1,
                requires: vec![],
                producer: String::new(),
                digest,
                body,
            };
            let bytes = serde_ipld_dagcbor::to_vec(&envelope).unwrap();
            assert!(matches!(decode::<Sample>(&bytes), Err(CodecError::Damaged { .. })), "{other}");
        }
    }

    #[test]
    fn a_newer_version_is_named() {
        let (_, bytes) = encode(&sample()).unwrap();
        let mut envelope: Envelope = serde_ipld_dagcbor::from_slice(&bytes).unwrap();
        envelope.version = 9;
        let bytes = serde_ipld_dagcbor::to_vec(&envelope).unwrap();
        assert!(matches!(decode::<Sample>(&bytes), Err(CodecError::TooNew { version: 9, .. })));
    }
}
