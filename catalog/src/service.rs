//! A service of the catalogue: its parts are decoded when they are first asked for, and kept.

use std::sync::{Arc, OnceLock};

use crate::CatalogError;
use crate::class;
use crate::codec::Chunk;
use crate::model::{Operation, ServiceMeta, Shape, ShapeId, ShapeKind, Waiter};
use crate::permission::{self, Permission};

/// A whole service.
#[derive(Debug)]
pub struct Service {
    /// What all operations share.
    pub meta: ServiceMeta,
    /// Shapes, referred to by index.
    pub shapes: Shapes,
    /// Operations, sorted by `name`.
    pub operations: Operations,
    /// Waiters, sorted by `name`.
    pub waiters: Vec<Waiter>,
    /// Number of the endpoint rule set in this catalogue, 0 for none. Means nothing in another catalogue.
    pub rule_set: u32,
}

/// The shapes of a service.
#[derive(Debug)]
pub struct Shapes {
    chunk: Arc<Chunk>,
    // In boxes: most places stay empty.
    made: Vec<OnceLock<Box<Shape>>>,
}

/// The operations of a service, classified.
#[derive(Debug)]
pub struct Operations {
    chunk: Arc<Chunk>,
    cloud: Arc<str>,
    service: Arc<str>,
    made: Vec<OnceLock<Box<Operation>>>,
}

/// What stands at a place; made now where it was not yet.
fn kept<T>(place: &OnceLock<Box<T>>, make: impl FnOnce() -> Option<T>) -> Option<&T> {
    if place.get().is_none() {
        // Two threads may have made it; all get the first.
        let _ = place.set(Box::new(make()?));
    }
    place.get().map(|made| &**made)
}

fn places<T>(count: usize) -> Vec<OnceLock<T>> {
    std::iter::repeat_with(OnceLock::new).take(count).collect()
}

impl Service {
    /// The service of a decompressed chunk. Whatever is damaged in it is found here.
    pub(crate) fn open(cloud: &str, name: &str, chunk: Vec<u8>) -> Result<Service, CatalogError> {
        let (chunk, front) = Chunk::open(cloud, name, chunk)?;
        let chunk = Arc::new(chunk);
        let shapes = Shapes { made: places(chunk.shape_count()), chunk: Arc::clone(&chunk) };
        let operations = Operations {
            made: places(chunk.operation_names().len()),
            cloud: Arc::clone(&front.meta.cloud),
            service: Arc::clone(&front.meta.name),
            chunk,
        };
        Ok(Service { meta: front.meta, shapes, operations, waiters: front.waiters, rule_set: front.rule_set })
    }

    /// The shape of this index.
    pub fn shape(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(id as usize)
    }

    /// The structure, union or enumeration of this official name.
    pub fn structure(&self, name: &str) -> Option<&Shape> {
        self.shape(self.shapes.chunk.shape_named(name)?)
    }

    /// Whether a shape is text.
    pub fn is_text(&self, id: ShapeId) -> bool {
        self.shape(id).is_some_and(|s| matches!(s.kind, ShapeKind::String { .. }))
    }

    /// The operation of this snake-case name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        let at = self.operations.names().binary_search_by(|o| (**o).cmp(name)).ok()?;
        self.operations.get(at)
    }

    /// The permissions that the operation of this name needs.
    pub fn permissions(&self, name: &str) -> Option<Vec<Permission>> {
        let at = self.operations.names().binary_search_by(|o| (**o).cmp(name)).ok()?;
        let (operation, facts) = self.operations.chunk.operation(at)?;
        Some(permission::permissions(&self.meta, &operation, &facts))
    }

    /// The waiter of this snake-case name.
    pub fn waiter(&self, name: &str) -> Option<&Waiter> {
        self.waiters.iter().find(|w| &*w.name == name)
    }
}

impl Shapes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.made.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    /// The shape of this index.
    pub fn get(&self, at: usize) -> Option<&Shape> {
        kept(self.made.get(at)?, || self.chunk.shape(ShapeId::try_from(at).ok()?))
    }

    /// All of them, in order. Decodes what was not yet.
    pub fn iter(&self) -> impl Iterator<Item = &Shape> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// A shape of one's own; the service does not keep it.
    pub(crate) fn copy(&self, id: ShapeId) -> Option<Shape> {
        match self.made.get(id as usize)?.get() {
            Some(kept) => Some(Shape::clone(kept)),
            None => self.chunk.shape(id),
        }
    }
}

impl Operations {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.made.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    /// The snake-case names of all operations, sorted; decodes none.
    pub fn names(&self) -> &[Arc<str>] {
        self.chunk.operation_names()
    }

    /// The operation at this place in the order of names.
    pub fn get(&self, at: usize) -> Option<&Operation> {
        kept(self.made.get(at)?, || {
            let (mut operation, facts) = self.chunk.operation(at)?;
            operation.class = class::judge(&self.cloud, &self.service, &operation, &facts, &self.chunk);
            Some(operation)
        })
    }

    /// All of them, in order. Decodes and classifies what was not yet.
    pub fn iter(&self) -> impl Iterator<Item = &Operation> {
        (0..self.len()).filter_map(|at| self.get(at))
    }
}

impl<'a> IntoIterator for &'a Operations {
    type Item = &'a Operation;
    type IntoIter = Box<dyn Iterator<Item = &'a Operation> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl<'a> IntoIterator for &'a Shapes {
    type Item = &'a Shape;
    type IntoIter = Box<dyn Iterator<Item = &'a Shape> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}
