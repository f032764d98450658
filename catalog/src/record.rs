//! The self-contained record of one operation: only the shapes it reaches, numbered in order of first visit.
//!
//! The same operation gives the same record whatever else its service holds. This module does *not* look anything up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::model::{Operation, Record, Service, Shape, ShapeId, ShapeKind};

/// The record of an operation of `service`.
pub(crate) fn record(service: &Service, operation: &Operation) -> Record {
    let mut renumber = Renumber { ids: HashMap::new(), order: Vec::new() };
    let mut operation = operation.clone();
    // Depth first without recursion: a model's nesting is no reason for a deep stack.
    operation.input = operation.input.map(|id| renumber.visit_all(service, id));
    operation.output = operation.output.map(|id| renumber.visit_all(service, id));
    for error in &mut operation.errors {
        *error = renumber.visit_all(service, *error);
    }
    let shapes = renumber.order.iter().filter_map(|id| service.shape(*id)).map(|s| renumber.shape(s)).collect();
    Record { service: service.meta.clone(), operation, shapes }
}

struct Renumber {
    ids: HashMap<ShapeId, ShapeId>,
    order: Vec<ShapeId>,
}

impl Renumber {
    /// Numbers a shape and all below it; returns its new number.
    fn visit_all(&mut self, service: &Service, root: ShapeId) -> ShapeId {
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            let Some(shape) = service.shape(id) else { continue };
            if let Entry::Vacant(place) = self.ids.entry(id) {
                place.insert(ShapeId::try_from(self.order.len()).unwrap_or(ShapeId::MAX));
                self.order.push(id);
                let before = stack.len();
                shape.each_target(|target| stack.push(target));
                // Members in written order come off the stack first to last.
                if let Some(pushed) = stack.get_mut(before..) {
                    pushed.reverse();
                }
            }
        }
        self.new_id(root)
    }

    fn new_id(&self, id: ShapeId) -> ShapeId {
        self.ids.get(&id).copied().unwrap_or(ShapeId::MAX)
    }

    fn shape(&self, shape: &Shape) -> Shape {
        let mut shape = shape.clone();
        match &mut shape.kind {
            ShapeKind::Structure(members) | ShapeKind::Union(members) => {
                for member in members {
                    member.shape = self.new_id(member.shape);
                }
            }
            ShapeKind::List { item, .. } => *item = self.new_id(*item),
            ShapeKind::Map { key, value, .. } => {
                *key = self.new_id(*key);
                *value = self.new_id(*value);
            }
            _ => {}
        }
        shape
    }
}
