//! A decompressed chunk: a table of strings and numbered columns of varints.
//!
//! Written by `xtask/catalog/pack.py`. This module knows numbers and strings, *not* what a column means.
//! Nothing in it allocates by a length that the bytes only claim.

use std::sync::Arc;

use crate::CatalogError;
use crate::names;

/// Reads varints off a byte slice.
#[derive(Clone, Debug)]
pub(crate) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Bytes(bytes)
    }

    /// The next unsigned number, seven bits a byte, lowest first.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, CatalogError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(CatalogError::Truncated)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CatalogError::Malformed("a number of more than 64 bits"))
    }

    /// The next number as a length or index.
    #[inline]
    pub(crate) fn size(&mut self) -> Result<usize, CatalogError> {
        usize::try_from(self.number()?).map_err(|_| CatalogError::Malformed("a length beyond memory"))
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], CatalogError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(CatalogError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    /// Text behind its length.
    pub(crate) fn text(&mut self) -> Result<&'a str, CatalogError> {
        let count = self.size()?;
        std::str::from_utf8(self.take(count)?).map_err(|_| CatalogError::Malformed("text that is not UTF-8"))
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

/// Columns of a service's chunk, in the order in which the importer writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Meta,
    Kind,
    ShapeFlags,
    Range,
    ShapeText,
    EnumCount,
    EnumValue,
    MemberCount,
    MemberName,
    Target,
    MemberFlags,
    MemberText,
    Error,
    OpName,
    OpHttp,
    OpShapes,
    OpFlags,
    OpErrors,
    OpText,
    Paging,
    Waiter,
}

/// Most elements that room is made for at once; more than any service has.
const ROOM_LIMIT: usize = 1 << 16;

/// How many there are; a chunk with another number is of another format.
const COLUMNS: usize = Column::Waiter as usize + 1;

/// URI and prefix of an XML namespace.
type Namespace = (Arc<str>, Option<Arc<str>>);

/// A chunk being read: each column goes forward on its own.
#[derive(Debug)]
pub(crate) struct Columns<'a> {
    columns: [Bytes<'a>; COLUMNS],
    /// Strings that were used already.
    strings: Vec<Arc<str>>,
    /// Snake-case forms of `strings`, made when first asked for.
    names: Vec<Option<Arc<str>>>,
    /// Strings not used yet.
    fresh: std::str::Split<'a, char>,
    /// Where names are made.
    buffer: String,
}

/// A string of the chunk and its place in the table.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) text: Arc<str>,
    at: usize,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(chunk: &'a [u8]) -> Result<Self, CatalogError> {
        let mut bytes = Bytes::new(chunk);
        let count = bytes.size()?;
        let blob = std::str::from_utf8({
            let length = bytes.size()?;
            bytes.take(length)?
        })
        .map_err(|_| CatalogError::Malformed("text that is not UTF-8"))?;
        // Each string has an end mark, so more strings than bytes is a lie.
        if count > blob.len() {
            return Err(CatalogError::Malformed("more strings than text"));
        }
        if bytes.size()? != COLUMNS {
            return Err(CatalogError::Malformed("another number of columns"));
        }
        let mut lengths = [0usize; COLUMNS];
        for length in &mut lengths {
            *length = bytes.size()?;
        }
        let mut columns = [const { Bytes(&[]) }; COLUMNS];
        for (column, length) in columns.iter_mut().zip(lengths) {
            *column = Bytes(bytes.take(length)?);
        }
        Ok(Columns {
            columns,
            strings: Vec::with_capacity(count),
            names: Vec::with_capacity(count),
            fresh: blob.split('\0'),
            buffer: String::new(),
        })
    }

    #[inline]
    fn column(&mut self, column: Column) -> Result<&mut Bytes<'a>, CatalogError> {
        self.columns.get_mut(column as usize).ok_or(CatalogError::Truncated)
    }

    /// The next number of a column.
    #[inline]
    pub(crate) fn number(&mut self, column: Column) -> Result<u64, CatalogError> {
        self.column(column)?.number()
    }

    /// The next number of a column, as one that fits 32 bits.
    #[inline]
    pub(crate) fn small(&mut self, column: Column) -> Result<u32, CatalogError> {
        u32::try_from(self.number(column)?).map_err(|_| CatalogError::Malformed("a number of more than 32 bits"))
    }

    /// The next signed number of a column.
    pub(crate) fn signed(&mut self, column: Column) -> Result<i64, CatalogError> {
        let number = self.number(column)?;
        let half = i64::try_from(number >> 1).map_err(|_| CatalogError::Malformed("a signed number"))?;
        Ok(if number & 1 == 0 { half } else { -half - 1 })
    }

    /// The next string of a column, if it is there.
    pub(crate) fn option(&mut self, column: Column) -> Result<Option<Text>, CatalogError> {
        let at = match self.column(column)?.size()? {
            0 => return Ok(None),
            1 => {
                let text = self.fresh.next().ok_or(CatalogError::Malformed("more strings than the table has"))?;
                self.strings.push(Arc::from(text));
                self.names.push(None);
                self.strings.len() - 1
            }
            index => index - 2,
        };
        let text = self.strings.get(at).ok_or(CatalogError::Malformed("a string out of range"))?;
        Ok(Some(Text { text: Arc::clone(text), at }))
    }

    /// The next string of a column, if it is there, without its place.
    pub(crate) fn option_text(&mut self, column: Column) -> Result<Option<Arc<str>>, CatalogError> {
        Ok(self.option(column)?.map(|t| t.text))
    }

    /// The next string of a column, which must be there.
    pub(crate) fn name(&mut self, column: Column) -> Result<Text, CatalogError> {
        self.option(column)?.ok_or(CatalogError::Malformed("a name is missing"))
    }

    /// The next string of a column, which must be there, without its place.
    pub(crate) fn text(&mut self, column: Column) -> Result<Arc<str>, CatalogError> {
        Ok(self.name(column)?.text)
    }

    /// `count` strings of a column.
    pub(crate) fn texts(&mut self, column: Column) -> Result<Vec<Arc<str>>, CatalogError> {
        let count = self.number(column)?;
        // No capacity ahead: the column ends a false count.
        (0..count).map(|_| self.text(column)).collect()
    }

    /// Two strings of a column, of which the second may be absent: an XML namespace.
    pub(crate) fn namespace(&mut self, column: Column) -> Result<Option<Namespace>, CatalogError> {
        Ok(Some((self.text(column)?, self.option_text(column)?)))
    }

    /// How many elements to make room for that a column is said to hold: no more than it has bytes.
    pub(crate) fn room(&self, column: Column, claimed: u64) -> usize {
        let bytes = self.columns.get(column as usize).map_or(0, |c| c.rest().len());
        usize::try_from(claimed).unwrap_or(usize::MAX).min(bytes).min(ROOM_LIMIT)
    }

    /// The snake-case form of a string, made once for each.
    pub(crate) fn snake(&mut self, of: &Text) -> Arc<str> {
        let buffer = &mut self.buffer;
        let mut make = || {
            buffer.clear();
            names::snake_into(&of.text, buffer);
            let name = buffer.trim_start_matches('_');
            if *name == *of.text { Arc::clone(&of.text) } else { Arc::from(name) }
        };
        match self.names.get_mut(of.at) {
            Some(slot) => Arc::clone(slot.get_or_insert_with(make)),
            None => make(),
        }
    }
}
