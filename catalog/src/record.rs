//! The self-contained record of one operation: only the shapes it reaches, numbered in order of first visit.
//!
//! The same operation gives the same record whatever else its service holds. This module does *not* look anything up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::model::{Operation, Record, Service, Shape, ShapeId, ShapeKind};

/// The record of an operation of `service`.
pub(crate) fn record(service: &Service, operation: &Operation) -> Record {
    let mut renumber = Renumber { ids: HashMap::new(), shapes: Vec::new() };
    let mut operation = operation.clone();
    // Depth first without recursion: a model's nesting is no reason for a deep stack.
    operation.input = operation.input.map(|id| renumber.visit_all(service, id));
    operation.output = operation.output.map(|id| renumber.visit_all(service, id));
    for error in &mut operation.errors {
        *error = renumber.visit_all(service, *error);
    }
    let Renumber { ids, mut shapes } = renumber;
    shapes.iter_mut().for_each(|shape| renumbered(&ids, shape));
    shapes.shrink_to_fit();
    Record { service: service.meta.clone(), operation, shapes }
}

struct Renumber {
    ids: HashMap<ShapeId, ShapeId>,
    /// In their new order, still with the old numbers in them.
    shapes: Vec<Shape>,
}

impl Renumber {
    /// Numbers a shape and all below it; returns its new number.
    fn visit_all(&mut self, service: &Service, root: ShapeId) -> ShapeId {
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            let Entry::Vacant(place) = self.ids.entry(id) else { continue };
            let Some(shape) = service.shapes.copy(id) else { continue };
            place.insert(ShapeId::try_from(self.shapes.len()).unwrap_or(ShapeId::MAX));
            let before = stack.len();
            shape.each_target(|target| stack.push(target));
            // Members in written order come off the stack first to last.
            if let Some(pushed) = stack.get_mut(before..) {
                pushed.reverse();
            }
            self.shapes.push(shape);
        }
        new_id(&self.ids, root)
    }
}

fn new_id(ids: &HashMap<ShapeId, ShapeId>, id: ShapeId) -> ShapeId {
    ids.get(&id).copied().unwrap_or(ShapeId::MAX)
}

fn renumbered(ids: &HashMap<ShapeId, ShapeId>, shape: &mut Shape) {
    match &mut shape.kind {
        ShapeKind::Structure(members) | ShapeKind::Union(members) => {
            for member in members {
                member.shape = new_id(ids, member.shape);
            }
        }
        ShapeKind::List { item, .. } => *item = new_id(ids, *item),
        ShapeKind::Map { key, value, .. } => {
            *key = new_id(ids, *key);
            *value = new_id(ids, *value);
        }
        _ => {}
    }
}
