//! Small questions to shapes that more than one module asks.

use crate::model::{Member, Shape, ShapeId, ShapeKind};

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
