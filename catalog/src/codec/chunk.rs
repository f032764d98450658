//! A decompressed chunk: read once to the end without making anything, then in parts as they are asked for.
//!
//! Written by `xtask/catalog/pack.py`: a table of strings and numbered columns of varints. A playbook needs a few of a
//! service's shapes, and the greatest service has thousands.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::columns::{Bytes, COLUMNS, Column, Columns, Cursor, Mark};
use super::operations::{self, Facts};
use super::shapes;
use super::skim;
use super::strings::{Made, Strings, Table};
use crate::CatalogError;
use crate::model::{Operation, ServiceMeta, Shape, ShapeId, ShapeKind, Waiter};

/// A place is kept of every so many shapes and operations; from there it is skimmed to the one that is asked for.
const STRIDE: u32 = 4;

/// What stands for the name of a shape without one.
const NAMELESS: u32 = u32::MAX;

/// A chunk that was read to the end once: all of it can be decoded.
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    blob: Range<usize>,
    /// Where each column ends, and where all begin.
    ends: [u32; COLUMNS],
    start: Mark,
    table: Table,
    state: Mutex<State>,
    /// Places of shapes, and the string that is each one's name.
    shape_marks: Vec<Mark>,
    shape_names: Vec<u32>,
    /// Places of operations, and their names.
    operation_marks: Vec<Mark>,
    operation_names: Vec<Arc<str>>,
}

/// What grows as parts are asked for.
#[derive(Debug, Default)]
struct State {
    made: Made,
    /// A shape, and its place: behind the one that was decoded last. Whoever asks for all asks in order.
    next: Option<(ShapeId, Mark)>,
}

/// What of a service is decoded at once.
pub(crate) struct Front {
    pub(crate) meta: ServiceMeta,
    pub(crate) rule_set: u32,
    pub(crate) waiters: Vec<Waiter>,
}

impl std::fmt::Debug for Chunk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Chunk").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Chunk {
    /// Reads a chunk to the end. Whatever is damaged in it is found here.
    pub(crate) fn open(cloud: &str, name: &str, bytes: Vec<u8>) -> Result<(Chunk, Front), CatalogError> {
        let mut reader = Bytes::new(&bytes);
        let small =
            |length: usize| u32::try_from(length).map_err(|_| CatalogError::Malformed("a length beyond memory"));
        small(bytes.len())?;
        let (count, length) = (reader.size()?, reader.size()?);
        let start = bytes.len() - reader.rest().len();
        let table = Table::new(reader.take(length)?, count)?;
        let blob = start..start + length;
        if reader.size()? != COLUMNS {
            return Err(CatalogError::Malformed("another number of columns"));
        }
        let mut lengths = [0; COLUMNS];
        for length in &mut lengths {
            *length = small(reader.size()?)?;
        }
        let mut ends = [0; COLUMNS];
        for (end, length) in ends.iter_mut().zip(lengths) {
            reader.take(length as usize)?;
            *end = small(bytes.len() - reader.rest().len())?;
        }
        let start = Mark::start(lengths);
        let mut chunk = Chunk {
            bytes,
            blob,
            ends,
            start,
            table,
            state: Mutex::default(),
            shape_marks: Vec::new(),
            shape_names: Vec::new(),
            operation_marks: Vec::new(),
            operation_names: Vec::new(),
        };
        let front = chunk.pass(cloud, name)?;
        Ok((chunk, front))
    }

    /// Reads meta data and waiters, and passes everything between them.
    fn pass(&mut self, cloud: &str, name: &str) -> Result<Front, CatalogError> {
        let mut made = Made::default();
        let mut columns = Columns { cursor: self.cursor(&self.start), strings: self.strings(&mut made) };
        let (meta, rule_set) = super::meta(&mut columns, cloud, name)?;
        let shape_count = columns.small(Column::Meta)?;
        let operation_count = columns.small(Column::Meta)?;
        let waiter_count = columns.small(Column::Meta)?;
        let room = columns.room(Column::Kind, shape_count.into());
        let (mut shape_marks, mut shape_names) =
            (Vec::with_capacity(room / STRIDE as usize + 1), Vec::with_capacity(room));
        for id in 0..shape_count {
            if id % STRIDE == 0 {
                shape_marks.push(columns.cursor.mark());
            }
            shape_names.push(skim::shape(&mut columns.cursor, shape_count)?.unwrap_or(NAMELESS));
        }
        let room = columns.room(Column::OpName, operation_count.into());
        let (mut marks, mut names) = (Vec::with_capacity(room / STRIDE as usize + 1), Vec::with_capacity(room));
        for at in 0..operation_count {
            if at % STRIDE == 0 {
                marks.push(columns.cursor.mark());
            }
            let name = skim::operation(&mut columns.cursor, shape_count)?;
            names.push(columns.strings.operation(name)?);
        }
        if !names.is_sorted_by(|a, b| a < b) {
            return Err(CatalogError::Malformed("operations out of order"));
        }
        let waiters = operations::waiters(&mut columns, waiter_count)?;
        (self.shape_marks, self.shape_names) = (shape_marks, shape_names);
        (self.operation_marks, self.operation_names) = (marks, names);
        self.state = Mutex::new(State { made, next: None });
        Ok(Front { meta, rule_set, waiters })
    }

    fn blob(&self) -> &[u8] {
        self.bytes.get(self.blob.clone()).unwrap_or_default()
    }

    fn cursor(&self, place: &Mark) -> Cursor<'_> {
        Cursor::new(&self.bytes, &self.ends, place, self.table.len())
    }

    fn strings<'a>(&'a self, made: &'a mut Made) -> Strings<'a> {
        Strings { blob: self.blob(), table: &self.table, made }
    }

    /// How many shapes there are.
    pub(crate) fn shape_count(&self) -> usize {
        self.shape_names.len()
    }

    /// The snake-case names of the operations, sorted.
    pub(crate) fn operation_names(&self) -> &[Arc<str>] {
        &self.operation_names
    }

    /// The first shape of this name.
    pub(crate) fn shape_named(&self, name: &str) -> Option<ShapeId> {
        let blob = self.blob();
        let is = |at: &u32| *at != NAMELESS && self.table.bytes(blob, *at) == Some(name.as_bytes());
        let at = self.shape_names.iter().position(is).filter(|_| !name.is_empty())?;
        ShapeId::try_from(at).ok()
    }

    /// Decodes a shape.
    pub(crate) fn shape(&self, id: ShapeId) -> Option<Shape> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { made, next } = &mut *state;
        let (mut shape, tagged, behind) = self.plain_shape(id, made, next.as_ref())?;
        *next = Some((id + 1, behind));
        for at in tagged {
            let (ShapeKind::Structure(members) | ShapeKind::Union(members)) = &mut shape.kind else { continue };
            let Some(member) = members.get_mut(at) else { continue };
            let mut plain = |id| self.plain_shape(id, made, None).map(|(shape, ..)| shape);
            let Some(Shape { kind: ShapeKind::List { item, .. }, .. }) = plain(member.shape) else { continue };
            member.tags = plain(item).and_then(|tag| shapes::tag_names(tag.members()));
        }
        Some(shape)
    }

    /// A shape whose members do not know yet how their tags are called; which of them are tags; and the place behind it.
    fn plain_shape(
        &self,
        id: ShapeId,
        made: &mut Made,
        next: Option<&(ShapeId, Mark)>,
    ) -> Option<(Shape, Vec<usize>, Mark)> {
        let count = self.shape_names.len() as u32;
        if id >= count {
            return None;
        }
        let kept = (id - id % STRIDE, self.shape_marks.get((id / STRIDE) as usize)?);
        let near = next.filter(|(at, _)| (kept.0..=id).contains(at)).map(|(at, mark)| (*at, mark));
        let (from, mark) = near.unwrap_or(kept);
        let mut cursor = self.cursor(mark);
        for _ in from..id {
            skim::shape(&mut cursor, count).ok()?;
        }
        let mut columns = Columns { cursor, strings: self.strings(made) };
        let (shape, tagged) = shapes::shape(&mut columns, count).ok()?;
        Some((shape, tagged, columns.cursor.mark()))
    }

    /// Decodes an operation, classed as the worst, and the facts to judge it by.
    pub(crate) fn operation(&self, at: usize) -> Option<(Operation, Facts)> {
        self.operation_names.get(at)?;
        let (at, shapes) = (u32::try_from(at).ok()?, self.shape_names.len() as u32);
        let mut cursor = self.cursor(self.operation_marks.get((at / STRIDE) as usize)?);
        for _ in 0..at % STRIDE {
            skim::operation(&mut cursor, shapes).ok()?;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        operations::operation(&mut Columns { cursor, strings: self.strings(&mut state.made) }, shapes).ok()
    }
}
