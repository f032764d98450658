//! The table of strings of a chunk: each is made once, when it is first asked for.
//!
//! Most operations of a service are never asked for, and neither are their strings.

use std::sync::Arc;

use crate::CatalogError;
use crate::names;

/// Strings that stand together are made together with room for this many.
const PAGE: usize = 64;

/// Where each string of a blob begins; each ends with a NUL.
#[derive(Debug, Default)]
pub(super) struct Table {
    starts: Box<[u32]>,
}

impl Table {
    /// The table of a blob that is said to hold `count` strings.
    pub(super) fn new(blob: &[u8], count: usize) -> Result<Table, CatalogError> {
        std::str::from_utf8(blob).map_err(|_| CatalogError::Malformed("text that is not UTF-8"))?;
        u32::try_from(blob.len()).map_err(|_| CatalogError::Malformed("a length beyond memory"))?;
        // Each string has an end mark, so more strings than bytes is a lie.
        if count > blob.len() {
            return Err(CatalogError::Malformed("more strings than text"));
        }
        let mut starts = Vec::with_capacity(count + 2);
        starts.push(0);
        starts.extend(blob.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at as u32 + 1));
        // What stands behind the last mark is a string, too.
        starts.push(blob.len() as u32 + 1);
        Ok(Table { starts: starts.into_boxed_slice() })
    }

    pub(super) fn len(&self) -> u32 {
        (self.starts.len() as u32).saturating_sub(1)
    }

    /// A string of the blob that this is the table of.
    pub(super) fn get<'a>(&self, blob: &'a [u8], at: u32) -> Option<&'a str> {
        std::str::from_utf8(self.bytes(blob, at)?).ok()
    }

    /// The same as bytes, which may be no text.
    pub(super) fn bytes<'a>(&self, blob: &'a [u8], at: u32) -> Option<&'a [u8]> {
        let at = at as usize;
        let (start, next) = (*self.starts.get(at)?, *self.starts.get(at + 1)?);
        blob.get(start as usize..(next as usize).checked_sub(1)?)
    }
}

/// A string, and its snake-case form.
#[derive(Clone, Debug, Default)]
struct Slot {
    text: Option<Arc<str>>,
    snake: Option<Arc<str>>,
}

/// The strings that were made already.
#[derive(Debug, Default)]
pub(super) struct Made {
    pages: Vec<Option<Box<[Slot]>>>,
    /// Where names are made.
    buffer: String,
}

impl Made {
    fn slot(&mut self, at: u32) -> Option<&mut Slot> {
        let (page, place) = (at as usize / PAGE, at as usize % PAGE);
        if page >= self.pages.len() {
            // As long as the table at most: whoever asks has looked the string up there.
            self.pages.resize(page + 1, None);
        }
        self.pages.get_mut(page)?.get_or_insert_with(|| vec![Slot::default(); PAGE].into_boxed_slice()).get_mut(place)
    }
}

/// A table, its blob, and what was made of them.
#[derive(Debug)]
pub(super) struct Strings<'a> {
    pub(super) blob: &'a [u8],
    pub(super) table: &'a Table,
    pub(super) made: &'a mut Made,
}

impl Strings<'_> {
    fn get(&self, at: u32) -> Result<&str, CatalogError> {
        self.table.get(self.blob, at).ok_or(CatalogError::Malformed("a string out of range"))
    }

    /// A string, made once.
    pub(super) fn text(&mut self, at: u32) -> Result<Arc<str>, CatalogError> {
        let out_of_range = CatalogError::Malformed("a string out of range");
        if at >= self.table.len() {
            return Err(out_of_range);
        }
        let Some(slot) = self.made.slot(at) else { return Err(out_of_range) };
        if let Some(text) = &slot.text {
            return Ok(Arc::clone(text));
        }
        let text = Arc::from(self.table.get(self.blob, at).ok_or(out_of_range)?);
        slot.text = Some(Arc::clone(&text));
        Ok(text)
    }

    /// The name that people write for an operation: as [`Strings::snake`], with the dots between its groups.
    pub(super) fn operation(&mut self, at: u32) -> Result<Arc<str>, CatalogError> {
        let official = self.get(at)?;
        if official.contains('.') { Ok(Arc::from(names::operation(official))) } else { self.snake(at) }
    }

    /// The snake-case form of a string, made once.
    pub(super) fn snake(&mut self, at: u32) -> Result<Arc<str>, CatalogError> {
        if let Some(Slot { snake: Some(name), .. }) = self.made.slot(at) {
            return Ok(Arc::clone(name));
        }
        let mut buffer = std::mem::take(&mut self.made.buffer);
        buffer.clear();
        let official = self.get(at)?;
        names::snake_into(official, &mut buffer);
        let name = names::writable(&buffer);
        let name = if *name == *official { self.text(at)? } else { Arc::from(name) };
        self.made.buffer = buffer;
        if let Some(slot) = self.made.slot(at) {
            slot.snake = Some(Arc::clone(&name));
        }
        Ok(name)
    }
}
