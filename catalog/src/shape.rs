//! Small questions to shapes and services that more than one module asks.

use crate::model::{Member, Service, Shape, ShapeId, ShapeKind};

impl Shape {
    /// Members of a structure or union; none of anything else.
    pub fn members(&self) -> &[Member] {
        match &self.kind {
            ShapeKind::Structure(members) | ShapeKind::Union(members) => members,
            _ => &[],
        }
    }

    /// Calls `with` for each shape that this one is made of, in written order.
    pub fn each_target(&self, mut with: impl FnMut(ShapeId)) {
        match &self.kind {
            ShapeKind::Structure(members) | ShapeKind::Union(members) => members.iter().for_each(|m| with(m.shape)),
            ShapeKind::List { item, .. } => with(*item),
            ShapeKind::Map { key, value, .. } => {
                with(*key);
                with(*value);
            }
            _ => {}
        }
    }
}

impl Service {
    /// The structure, union or enumeration of this official name.
    pub fn structure(&self, name: &str) -> Option<&Shape> {
        self.shapes.iter().find(|s| !s.name.is_empty() && &*s.name == name)
    }

    /// Whether a shape is text.
    pub fn is_text(&self, id: ShapeId) -> bool {
        self.shape(id).is_some_and(|s| matches!(s.kind, ShapeKind::String { .. }))
    }
}
