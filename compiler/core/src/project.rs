//! What a program reads of the answers that it gets.
//!
//! Counted per shape, not per value: a member that is read of one `aws.ec2.Instance` is fetched of every one. That is
//! simple, never too little, and keeps memory and journals to what the program can look at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escher_ir::program::{Block, Expr, Projection};
use escher_ir::{Type, visit};

/// What lies below a member, in lists and maps too.
#[derive(Clone, Debug)]
enum Below {
    /// A scalar.
    Nothing,
    /// What no model says more of.
    Whole,
    /// A shape.
    Shape(Arc<str>),
}

/// Members read, by shape, with all that it takes to say what is read of a call's answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    members: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Below>>,
    whole: BTreeSet<Arc<str>>,
    /// The shape of each operation's answer.
    answers: BTreeMap<String, Arc<str>>,
}

impl Usage {
    /// A member of a shape, of this type, is read.
    pub(crate) fn read(&mut self, shape: &Arc<str>, member: &str, ty: &Type) {
        self.members.entry(shape.clone()).or_default().entry(Arc::from(member)).or_insert_with(|| below(ty));
    }

    /// An operation is called, whose answer has this shape.
    pub(crate) fn answers(&mut self, operation: &str, shape: Arc<str>) {
        self.answers.insert(operation.to_string(), shape);
    }

    /// Adds what another reads.
    pub(crate) fn join(&mut self, other: &Usage) {
        for (shape, members) in &other.members {
            let mine = self.members.entry(shape.clone()).or_default();
            mine.extend(members.iter().map(|(name, below)| (name.clone(), below.clone())));
        }
        self.whole.extend(other.whole.iter().cloned());
        self.answers.extend(other.answers.iter().map(|(operation, shape)| (operation.clone(), shape.clone())));
    }

    /// A value of this type is handed to something that may look at all of it.
    pub(crate) fn whole(&mut self, ty: &Type) {
        match ty {
            Type::Shape(name) => {
                self.whole.insert(name.clone());
            }
            Type::List(inner) | Type::Map(inner) | Type::Optional(inner) | Type::Secret(inner) => self.whole(inner),
            Type::Record(record) => record.fields.values().for_each(|f| self.whole(&f.ty)),
            Type::Union(records) => records.iter().for_each(|r| self.whole(&Type::Record(r.clone()))),
            _ => {}
        }
    }

    fn projection(&self, below: &Below, above: &mut Vec<Arc<str>>) -> Projection {
        let name = match below {
            Below::Nothing => return Projection::default(),
            Below::Whole => return Projection::All,
            // A shape inside itself: how deep is known only to the answer.
            Below::Shape(name) if self.whole.contains(name) || above.contains(name) => return Projection::All,
            Below::Shape(name) => name,
        };
        above.push(name.clone());
        let members = self.members.get(name).into_iter().flatten();
        let projected = members.map(|(member, below)| (member.to_string(), self.projection(below, above))).collect();
        above.pop();
        Projection::Members(projected)
    }

    /// Fills in what is read of each call's answer, once all of the program has been seen.
    pub(crate) fn project(&self, block: &mut Block) {
        let mut known: BTreeMap<String, Projection> = BTreeMap::new();
        visit::block(block, &mut |e| {
            let Expr::Call(call) = e else { return };
            if !known.contains_key(&call.operation) {
                let shape = self.answers.get(&call.operation).cloned();
                let below = shape.map_or(Below::Nothing, Below::Shape);
                known.insert(call.operation.clone(), self.projection(&below, &mut Vec::new()));
            }
            if let Some(projection) = known.get(&call.operation).filter(|p| **p != call.reads) {
                Arc::make_mut(call).reads = projection.clone();
            }
        });
    }
}

fn below(ty: &Type) -> Below {
    match ty {
        Type::List(inner) | Type::Map(inner) | Type::Optional(inner) | Type::Secret(inner) => below(inner),
        Type::Shape(name) => Below::Shape(name.clone()),
        Type::Json => Below::Whole,
        _ => Below::Nothing,
    }
}
