//! What a program reads of the answers that it gets.
//!
//! Counted per shape, not per value: a member that is read of one `aws.ec2.Instance` is fetched of every one. That is
//! simple, never too little, and keeps memory and journals to what the program can look at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escher_ir::program::{Expr, Projection};
use escher_ir::{Type, visit};

use crate::checker::Checker;

/// Members read, by shape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    members: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    whole: BTreeSet<Arc<str>>,
}

impl Usage {
    /// A member of a shape is read.
    pub(crate) fn read(&mut self, shape: &Arc<str>, member: &str) {
        self.members.entry(shape.clone()).or_default().insert(Arc::from(member));
    }

    /// Adds what another reads.
    pub(crate) fn join(&mut self, other: &Usage) {
        for (shape, members) in &other.members {
            self.members.entry(shape.clone()).or_default().extend(members.iter().cloned());
        }
        self.whole.extend(other.whole.iter().cloned());
    }

    /// A value of this type is handed to something that may look at all of it.
    pub(crate) fn whole(&mut self, ty: &Type) {
        match ty {
            Type::Shape(name) => {
                self.whole.insert(name.clone());
            }
            Type::List(inner) | Type::Map(inner) | Type::Optional(inner) | Type::Secret(inner) => self.whole(inner),
            Type::Record(record) => record.fields.values().for_each(|f| self.whole(&f.ty)),
            _ => {}
        }
    }
}

impl Checker<'_> {
    /// What is read of a value of this type.
    pub(crate) fn projection(&mut self, ty: &Type) -> Projection {
        self.projection_below(ty, &mut Vec::new())
    }

    fn projection_below(&mut self, ty: &Type, above: &mut Vec<Arc<str>>) -> Projection {
        match ty {
            Type::List(inner) | Type::Map(inner) | Type::Optional(inner) | Type::Secret(inner) => {
                self.projection_below(inner, above)
            }
            Type::Shape(name) => {
                // A shape inside itself: how deep is known only to the answer.
                if self.usage.whole.contains(name) || above.contains(name) {
                    return Projection::All;
                }
                let members = self.usage.members.get(name).cloned().unwrap_or_default();
                let fields = self.shape_fields(name);
                above.push(name.clone());
                let projected = members
                    .into_iter()
                    .map(|member| {
                        let ty = fields.as_ref().and_then(|f| f.get(&member)).map(|f| f.ty.clone());
                        let below = ty.map_or(Projection::All, |ty| self.projection_below(&ty, above));
                        (member.to_string(), below)
                    })
                    .collect();
                above.pop();
                Projection::Members(projected)
            }
            Type::Json => Projection::All,
            _ => Projection::default(),
        }
    }

    /// Fills in what is read of each call's answer, once all of the program has been seen.
    pub(crate) fn project_calls(&mut self, block: &mut escher_ir::program::Block) {
        let mut pending = BTreeSet::new();
        visit::block(block, &mut |e| {
            if let Expr::Call(call) = e {
                pending.insert(call.operation.clone());
            }
        });
        let mut known: BTreeMap<String, Projection> = BTreeMap::new();
        for operation in pending {
            let projection = self.output_projection(&operation);
            known.insert(operation, projection);
        }
        visit::block(block, &mut |e| {
            if let Expr::Call(call) = e
                && let Some(projection) = known.get(&call.operation)
            {
                Arc::make_mut(call).reads = projection.clone();
            }
        });
    }

    fn output_projection(&mut self, operation: &str) -> Projection {
        match self.world.record(operation).and_then(|r| {
            let id = r.operation.output?;
            Some(format!("{}.{}.{}", r.service.cloud, r.service.name, r.shape(id)?.name))
        }) {
            Some(shape) => self.projection(&Type::Shape(Arc::from(shape))),
            None => Projection::default(),
        }
    }
}
