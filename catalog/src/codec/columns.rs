//! Numbered columns of varints, each of which goes forward on its own.
//!
//! This module knows numbers and strings, *not* what a column means.
//! Nothing in it allocates by a length that the bytes only claim.

use std::sync::Arc;

use super::strings::Strings;
use crate::CatalogError;

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
        match self.0 {
            // Nearly all are small.
            [byte @ ..0x80, rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, CatalogError> {
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
pub(super) enum Column {
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
    Completion,
    Permission,
}

/// Most elements that room is made for at once; more than any service has.
const ROOM_LIMIT: usize = 1 << 16;

/// How many there are; a chunk with another number is of another format.
pub(super) const COLUMNS: usize = Column::Permission as usize + 1;

/// URI and prefix of an XML namespace.
type Namespace = (Arc<str>, Option<Arc<str>>);

/// A place in all columns at once: how much is left of each, and which string comes next.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    left: [u32; COLUMNS],
    fresh: u32,
}

impl Mark {
    /// The beginning of columns of these lengths.
    pub(super) fn start(lengths: [u32; COLUMNS]) -> Mark {
        Mark { left: lengths, fresh: 0 }
    }
}

/// A chunk being read: each column goes forward on its own. Strings are numbers here.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    columns: [Bytes<'a>; COLUMNS],
    /// The first string that was not used yet.
    fresh: u32,
    /// How many strings there are.
    strings: u32,
}

impl<'a> Cursor<'a> {
    /// A place in a chunk whose columns end where `ends` says.
    pub(super) fn new(chunk: &'a [u8], ends: &[u32; COLUMNS], place: &Mark, strings: u32) -> Self {
        let mut columns = [const { Bytes(&[]) }; COLUMNS];
        for (column, (end, left)) in columns.iter_mut().zip(ends.iter().zip(place.left)) {
            *column = Bytes(chunk.get(end.saturating_sub(left) as usize..*end as usize).unwrap_or_default());
        }
        Cursor { columns, fresh: place.fresh, strings }
    }

    /// This place, to come back to.
    pub(super) fn mark(&self) -> Mark {
        let mut left = [0; COLUMNS];
        for (left, column) in left.iter_mut().zip(&self.columns) {
            // Chunks are smaller than 4 GiB.
            *left = column.0.len() as u32;
        }
        Mark { left, fresh: self.fresh }
    }

    #[inline]
    fn column(&mut self, column: Column) -> Result<&mut Bytes<'a>, CatalogError> {
        self.columns.get_mut(column as usize).ok_or(CatalogError::Truncated)
    }

    /// The next number of a column.
    #[inline]
    pub(super) fn number(&mut self, column: Column) -> Result<u64, CatalogError> {
        self.column(column)?.number()
    }

    /// The next number of a column, as one that fits 32 bits.
    #[inline]
    pub(super) fn small(&mut self, column: Column) -> Result<u32, CatalogError> {
        u32::try_from(self.number(column)?).map_err(|_| CatalogError::Malformed("a number of more than 32 bits"))
    }

    /// The next signed number of a column.
    pub(super) fn signed(&mut self, column: Column) -> Result<i64, CatalogError> {
        let number = self.number(column)?;
        let half = i64::try_from(number >> 1).map_err(|_| CatalogError::Malformed("a signed number"))?;
        Ok(if number & 1 == 0 { half } else { -half - 1 })
    }

    /// The next string of a column, if it is there.
    #[inline]
    pub(super) fn string(&mut self, column: Column) -> Result<Option<u32>, CatalogError> {
        match self.number(column)? {
            0 => Ok(None),
            1 if self.fresh < self.strings => {
                self.fresh += 1;
                Ok(Some(self.fresh - 1))
            }
            1 => Err(CatalogError::Malformed("more strings than the table has")),
            index if index - 2 < u64::from(self.fresh) => Ok(Some((index - 2) as u32)),
            _ => Err(CatalogError::Malformed("a string out of range")),
        }
    }

    /// The next string of a column, which must be there.
    #[inline]
    pub(super) fn name(&mut self, column: Column) -> Result<u32, CatalogError> {
        self.string(column)?.ok_or(CatalogError::Malformed("a name is missing"))
    }

    /// How many elements to make room for that a column is said to hold: no more than it has bytes.
    pub(super) fn room(&self, column: Column, claimed: u64) -> usize {
        let bytes = self.columns.get(column as usize).map_or(0, |c| c.rest().len());
        usize::try_from(claimed).unwrap_or(usize::MAX).min(bytes).min(ROOM_LIMIT)
    }
}

/// A cursor that also makes the strings it passes.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) strings: Strings<'a>,
}

impl Columns<'_> {
    /// The next number of a column.
    #[inline]
    pub(super) fn number(&mut self, column: Column) -> Result<u64, CatalogError> {
        self.cursor.number(column)
    }

    /// The next number of a column, as one that fits 32 bits.
    #[inline]
    pub(super) fn small(&mut self, column: Column) -> Result<u32, CatalogError> {
        self.cursor.small(column)
    }

    /// The next signed number of a column.
    pub(super) fn signed(&mut self, column: Column) -> Result<i64, CatalogError> {
        self.cursor.signed(column)
    }

    /// The next string of a column, if it is there.
    pub(super) fn option(&mut self, column: Column) -> Result<Option<Arc<str>>, CatalogError> {
        self.cursor.string(column)?.map(|at| self.strings.text(at)).transpose()
    }

    /// The next string of a column, which must be there.
    pub(super) fn text(&mut self, column: Column) -> Result<Arc<str>, CatalogError> {
        let at = self.cursor.name(column)?;
        self.strings.text(at)
    }

    /// The next string of a column, which must be there, and its snake-case form.
    pub(super) fn name(&mut self, column: Column) -> Result<(Arc<str>, Arc<str>), CatalogError> {
        let at = self.cursor.name(column)?;
        Ok((self.strings.text(at)?, self.strings.snake(at)?))
    }

    /// The name of an operation, and the name that people write for it; its groups stay groups.
    pub(super) fn operation_name(&mut self, column: Column) -> Result<(Arc<str>, Arc<str>), CatalogError> {
        let at = self.cursor.name(column)?;
        Ok((self.strings.text(at)?, self.strings.operation(at)?))
    }

    /// `count` strings of a column.
    pub(super) fn texts(&mut self, column: Column) -> Result<Vec<Arc<str>>, CatalogError> {
        let count = self.number(column)?;
        let mut texts = Vec::with_capacity(self.room(column, count));
        for _ in 0..count {
            texts.push(self.text(column)?);
        }
        Ok(texts)
    }

    /// Two strings of a column, of which the second may be absent: an XML namespace.
    pub(super) fn namespace(&mut self, column: Column) -> Result<Option<Namespace>, CatalogError> {
        Ok(Some((self.text(column)?, self.option(column)?)))
    }

    /// See [`Cursor::room`].
    pub(super) fn room(&self, column: Column, claimed: u64) -> usize {
        self.cursor.room(column, claimed)
    }
}
