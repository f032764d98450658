//! Deterministic CBOR, written in one pass into one buffer. Knows no envelope and no digest.
//!
//! The bytes are those of `serde_ipld_dagcbor`, which reads them and which the tests hold this against. That library
//! gives every member of every record a buffer of its own and copies it once per level: journals, audit logs and plans
//! are written too often for that.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Write as _};

use serde::ser::{self, Serialize};

pub(crate) const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
pub(crate) const BYTES: u8 = 2;
const TEXT: u8 = 3;
pub(crate) const LIST: u8 = 4;
pub(crate) const MAP: u8 = 5;

/// Why a value has no such bytes. One word wide: it lies in the frame of every level.
#[derive(Debug)]
pub(crate) struct Unwritable(Box<Reason>);

#[derive(Debug)]
struct Reason(Cow<'static, str>);

fn unwritable(reason: impl Into<Cow<'static, str>>) -> Unwritable {
    Unwritable(Box::new(Reason(reason.into())))
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(message: T) -> Unwritable {
        unwritable(message.to_string())
    }
}

/// Appends the bytes of a value, nested at most `limit` deep.
pub(crate) fn write<T: Serialize + ?Sized>(out: Vec<u8>, value: &T, limit: usize) -> Result<Vec<u8>, Unwritable> {
    let (starts, scratch, text) = SPARE.take();
    let mut encoder = Encoder { out, starts, scratch, text, open: 1, limit };
    let result = value.serialize(&mut encoder);
    let Encoder { out, mut starts, scratch, text, .. } = encoder;
    if starts.capacity() <= KEPT && scratch.capacity() <= KEPT && text.capacity() <= KEPT {
        starts.clear();
        SPARE.set((starts, scratch, text));
    }
    result.map(|()| out)
}

/// Room that is kept from one value to the next, at most of each kind.
const KEPT: usize = 16 << 10;

thread_local! {
    /// What a value needs besides its bytes: small values come by the thousand.
    static SPARE: Cell<(Vec<usize>, Vec<u8>, String)> = const { Cell::new((Vec::new(), Vec::new(), String::new())) };
}

struct Encoder {
    out: Vec<u8>,
    /// Where the entries of the open maps begin: those of an inner map stand above those of the outer ones.
    starts: Vec<usize>,
    scratch: Vec<u8>,
    text: String,
    /// Levels that are open, as a reader counts them.
    open: usize,
    limit: usize,
}

impl Encoder {
    fn head(&mut self, major: u8, argument: u64) {
        head(&mut self.out, major, argument);
    }

    /// Begins a level; an empty one is none.
    fn enter(&mut self) -> Result<(), Unwritable> {
        self.open += 1;
        if self.open > self.limit {
            return Err(unwritable("nested too deeply"));
        }
        Ok(())
    }

    /// Begins a map; `outer` is how many levels were open before it.
    fn map(&mut self, length: Option<usize>, outer: usize) -> Result<Entries<'_>, Unwritable> {
        if length != Some(0) {
            self.enter()?;
        }
        let at = self.out.len();
        if let Some(length) = length {
            self.head(MAP, length as u64);
        }
        let (from, base) = (self.out.len(), self.starts.len());
        Ok(Entries { encoder: self, at, from, base, announced: length, outer })
    }

    fn list(&mut self, length: Option<usize>, outer: usize) -> Result<Elements<'_>, Unwritable> {
        if length != Some(0) {
            self.enter()?;
        }
        let at = self.out.len();
        if let Some(length) = length {
            self.head(LIST, length as u64);
        }
        Ok(Elements { encoder: self, at, count: 0, announced: length, outer })
    }

    /// A map of one entry, as an enum's variant with content has it.
    fn variant(&mut self, variant: &str) -> Result<(), Unwritable> {
        self.enter()?;
        self.head(MAP, 1);
        self.text(variant);
        Ok(())
    }

    fn text(&mut self, written: &str) {
        text(&mut self.out, written);
    }

    /// Puts the entries of a map, which end the buffer, into the order of their keys: shorter ones first.
    fn sort(&mut self, base: usize) {
        let end = self.out.len();
        let starts = self.starts.get(base..).unwrap_or_default();
        let from = starts.first().copied().unwrap_or(end);
        let out = &self.out;
        let entry = |n: usize| {
            let to = starts.get(n + 1).copied().unwrap_or(end);
            starts.get(n).and_then(|start| out.get(*start..to)).unwrap_or_default()
        };
        if (1..starts.len()).all(|n| entry(n - 1) <= entry(n)) {
            return;
        }
        let mut order: Vec<usize> = (0..starts.len()).collect();
        order.sort_unstable_by(|a, b| entry(*a).cmp(entry(*b)));
        self.scratch.clear();
        for n in order {
            self.scratch.extend_from_slice(entry(n));
        }
        self.out.truncate(from);
        self.out.extend_from_slice(&self.scratch);
    }
}

/// Appends the head of an item: its kind and its number, or the length of what follows.
pub(crate) fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    let [.., b4, b5, b6, b7] = argument.to_be_bytes();
    match argument {
        0..=23 => out.push(major | b7),
        24..=0xff => out.extend_from_slice(&[major | 24, b7]),
        0x100..=0xffff => out.extend_from_slice(&[major | 25, b6, b7]),
        0x1_0000..=0xffff_ffff => out.extend_from_slice(&[major | 26, b4, b5, b6, b7]),
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}

/// Appends a text.
pub(crate) fn text(out: &mut Vec<u8>, written: &str) {
    head(out, TEXT, written.len() as u64);
    out.extend_from_slice(written.as_bytes());
}

// Values nest as deep as a thread's stack holds: nothing on the way from level to level is a function of its own.

/// The entries of a map that is open.
struct Entries<'e> {
    encoder: &'e mut Encoder,
    /// Where its head stands, or will.
    at: usize,
    /// Where its entries begin.
    from: usize,
    /// Where its entries begin among [`Encoder::starts`].
    base: usize,
    announced: Option<usize>,
    /// Levels that were open before it.
    outer: usize,
}

impl Entries<'_> {
    fn begin(&mut self) {
        self.encoder.starts.push(self.encoder.out.len());
    }

    fn close(self) -> Result<(), Unwritable> {
        let count = self.encoder.starts.len() - self.base;
        self.encoder.sort(self.base);
        self.encoder.starts.truncate(self.base);
        self.encoder.open = self.outer;
        match self.announced {
            Some(announced) if announced == count => Ok(()),
            Some(_) => Err(unwritable("a record has not as many members as it says")),
            None => insert_head(&mut self.encoder.out, self.at, self.from, MAP, count),
        }
    }
}

/// Puts a head where its number of elements is known only at their end.
fn insert_head(out: &mut Vec<u8>, at: usize, from: usize, major: u8, count: usize) -> Result<(), Unwritable> {
    let mut written = Vec::with_capacity(9);
    head(&mut written, major, count as u64);
    out.splice(at..from, written);
    Ok(())
}

/// The elements of a list that is open, or the one entry of a variant that is a list.
struct Elements<'e> {
    encoder: &'e mut Encoder,
    at: usize,
    count: usize,
    announced: Option<usize>,
    /// Levels that were open before it.
    outer: usize,
}

impl Elements<'_> {
    fn close(self) -> Result<(), Unwritable> {
        self.encoder.open = self.outer;
        match self.announced {
            Some(announced) if announced == self.count => Ok(()),
            Some(_) => Err(unwritable("a list has not as many elements as it says")),
            None => insert_head(&mut self.encoder.out, self.at, self.at, LIST, self.count),
        }
    }
}

impl<'e> ser::Serializer for &'e mut Encoder {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Elements<'e>;
    type SerializeTuple = Elements<'e>;
    type SerializeTupleStruct = Elements<'e>;
    type SerializeTupleVariant = Elements<'e>;
    type SerializeMap = Entries<'e>;
    type SerializeStruct = Entries<'e>;
    type SerializeStructVariant = Entries<'e>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, v: bool) -> Result<(), Unwritable> {
        self.out.push(if v { 0xf5 } else { 0xf4 });
        Ok(())
    }

    fn serialize_i8(self, v: i8) -> Result<(), Unwritable> {
        self.serialize_i64(v.into())
    }

    fn serialize_i16(self, v: i16) -> Result<(), Unwritable> {
        self.serialize_i64(v.into())
    }

    fn serialize_i32(self, v: i32) -> Result<(), Unwritable> {
        self.serialize_i64(v.into())
    }

    fn serialize_i64(self, v: i64) -> Result<(), Unwritable> {
        match u64::try_from(v) {
            Ok(v) => self.head(UNSIGNED, v),
            // -1 is 0, and so on.
            Err(_) => self.head(NEGATIVE, v.unsigned_abs() - 1),
        }
        Ok(())
    }

    fn serialize_u8(self, v: u8) -> Result<(), Unwritable> {
        self.serialize_u64(v.into())
    }

    fn serialize_u16(self, v: u16) -> Result<(), Unwritable> {
        self.serialize_u64(v.into())
    }

    fn serialize_u32(self, v: u32) -> Result<(), Unwritable> {
        self.serialize_u64(v.into())
    }

    fn serialize_u64(self, v: u64) -> Result<(), Unwritable> {
        self.head(UNSIGNED, v);
        Ok(())
    }

    fn serialize_f32(self, v: f32) -> Result<(), Unwritable> {
        self.serialize_f64(v.into())
    }

    fn serialize_f64(self, v: f64) -> Result<(), Unwritable> {
        if !v.is_finite() {
            return Err(unwritable("neither an infinite number nor what is none can be written"));
        }
        // The two zeros are one value.
        let v = if v == 0.0 { 0.0 } else { v };
        self.out.push(0xfb);
        self.out.extend_from_slice(&v.to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, v: char) -> Result<(), Unwritable> {
        self.text(v.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, v: &str) -> Result<(), Unwritable> {
        self.text(v);
        Ok(())
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        write!(text, "{value}").map_err(|_| unwritable("this cannot be put into words"))?;
        self.text(&text);
        self.text = text;
        Ok(())
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<(), Unwritable> {
        self.head(BYTES, v.len() as u64);
        self.out.extend_from_slice(v);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unwritable> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unwritable> {
        self.out.push(0xf6);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritable> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unwritable> {
        self.text(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        let outer = self.open;
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.open = outer;
        Ok(())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Elements<'e>, Unwritable> {
        let outer = self.open;
        self.list(length, outer)
    }

    fn serialize_tuple(self, length: usize) -> Result<Elements<'e>, Unwritable> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Elements<'e>, Unwritable> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Elements<'e>, Unwritable> {
        let outer = self.open;
        self.variant(variant)?;
        self.list(Some(length), outer)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Entries<'e>, Unwritable> {
        let outer = self.open;
        self.map(length, outer)
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Entries<'e>, Unwritable> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Entries<'e>, Unwritable> {
        let outer = self.open;
        self.variant(variant)?;
        self.map(Some(length), outer)
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.begin();
        let at = self.encoder.out.len();
        key.serialize(&mut *self.encoder)?;
        match self.encoder.out.get(at) {
            Some(first) if first >> 5 == TEXT => Ok(()),
            _ => Err(unwritable("the key of a map is text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        value.serialize(&mut *self.encoder)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close()
    }
}

impl ser::SerializeStruct for Entries<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
        self.begin();
        self.encoder.text(name);
        value.serialize(&mut *self.encoder)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Entries<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
        self.begin();
        self.encoder.text(name);
        value.serialize(&mut *self.encoder)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close()
    }
}

impl ser::SerializeSeq for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.count += 1;
        value.serialize(&mut *self.encoder)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close()
    }
}

impl ser::SerializeTuple for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.count += 1;
        value.serialize(&mut *self.encoder)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.count += 1;
        value.serialize(&mut *self.encoder)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close()
    }
}

impl ser::SerializeTupleVariant for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.count += 1;
        value.serialize(&mut *self.encoder)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.close()
    }
}

#[cfg(test)]
mod tests;
