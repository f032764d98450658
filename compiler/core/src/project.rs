//! What a program reads of the answers that it gets.
//!
//! Counted per shape, not per value: a member that is read of one `aws.ec2.Instance` is fetched of every one. That is
//! simple, never too little, and keeps memory and journals to what the program can look at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escher_ir::Type;
use escher_ir::program::{Expr, Projection};

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

pub(crate) mod visit {
    //! Visits every expression of a block, those inside first.

    use std::sync::Arc;

    use escher_ir::program::{Block, CatchArm, CatchOutcome, Expr, Identity, NodeKind, RecordPart, Step, TextPart};

    pub(crate) fn block(block: &mut Block, each: &mut dyn FnMut(&mut Expr)) {
        for node in &mut block.nodes {
            match &mut node.kind {
                NodeKind::Let { value, .. } | NodeKind::Do { value } => expr(value, each),
                NodeKind::Require { condition, otherwise } => {
                    expr(condition, each);
                    otherwise.iter_mut().for_each(|e| expr(e, each));
                }
                NodeKind::Confirm { question } => expr(question, each),
                NodeKind::Sleep { duration } => expr(duration, each),
                NodeKind::Return { value } => value.iter_mut().for_each(|e| expr(e, each)),
                NodeKind::Report { title, body } => {
                    title.iter_mut().for_each(|e| expr(e, each));
                    self::block(body, each);
                }
                NodeKind::Wait(wait) => {
                    expr(&mut wait.poll, each);
                    expr(&mut wait.timeout, each);
                }
                NodeKind::Step(step) => self::step(step, each),
            }
        }
        block.value.iter_mut().for_each(|e| expr(e, each));
    }

    fn step(step: &mut Step, each: &mut dyn FnMut(&mut Expr)) {
        step.title.iter_mut().for_each(|e| expr(e, each));
        if let Some(item) = &mut step.each {
            expr(&mut item.list, each);
            item.by.iter_mut().for_each(|e| expr(e, each));
            if let Identity::Key(key) = &mut item.identity {
                expr(key, each);
            }
        }
        for bound in &mut step.max {
            expr(&mut bound.value, each);
            [&mut bound.of, &mut bound.per].into_iter().flatten().for_each(|e| expr(e, each));
        }
        [&mut step.at_once, &mut step.retry, &mut step.timeout].into_iter().for_each(|e| expr(e, each));
        let guards = [&mut step.tolerate, &mut step.when, &mut step.otherwise, &mut step.unless];
        guards.into_iter().flatten().for_each(|e| expr(e, each));
        block(&mut step.body, each);
        step.undo.iter_mut().for_each(|b| block(b, each));
        catch(&mut step.catch, each);
    }

    fn catch(arms: &mut [CatchArm], each: &mut dyn FnMut(&mut Expr)) {
        for arm in arms {
            if let CatchOutcome::Value(e) = &mut arm.outcome {
                expr(e, each);
            }
        }
    }

    fn expr(e: &mut Expr, each: &mut dyn FnMut(&mut Expr)) {
        match e {
            Expr::Literal(_) | Expr::Local(_) | Expr::StepResult { .. } => {}
            Expr::Text(parts) => parts.iter_mut().for_each(|p| {
                if let TextPart::Hole(e) = p {
                    expr(e, each);
                }
            }),
            Expr::List(items) => items.iter_mut().for_each(|e| expr(e, each)),
            Expr::Record(parts) => parts.iter_mut().for_each(|p| match p {
                RecordPart::Field(_, e) | RecordPart::Spread(e) => expr(e, each),
            }),
            Expr::Map(entries) => entries.iter_mut().for_each(|(k, v)| {
                expr(k, each);
                expr(v, each);
            }),
            Expr::Member { base, .. } | Expr::Maybe(base) | Expr::Unary(_, base) => expr(base, each),
            Expr::Index { base, index } => {
                expr(base, each);
                expr(index, each);
            }
            Expr::Binary(_, left, right) => {
                expr(left, each);
                expr(right, each);
            }
            Expr::If { condition, then, otherwise } => {
                expr(condition, each);
                self::block(then, each);
                otherwise.iter_mut().for_each(|b| self::block(b, each));
            }
            Expr::Match { subject, arms } => {
                expr(subject, each);
                arms.iter_mut().for_each(|a| self::block(&mut a.body, each));
            }
            Expr::Lambda { body, .. } => expr(body, each),
            Expr::Method { base, arguments, .. } => {
                expr(base, each);
                arguments.iter_mut().for_each(|e| expr(e, each));
            }
            Expr::Builtin(_, arguments) | Expr::Function { arguments, .. } => {
                arguments.iter_mut().for_each(|e| expr(e, each));
            }
            Expr::Call(call) => {
                let call = Arc::make_mut(call);
                call.arguments.values_mut().for_each(|e| expr(e, each));
                catch(&mut call.catch, each);
                call.probe.iter_mut().for_each(|e| expr(e, each));
            }
            Expr::With { target, body } => {
                expr(target, each);
                self::block(body, each);
            }
            Expr::StepOf { item, .. } => expr(item, each),
            Expr::Catch { body, arms } => {
                expr(body, each);
                catch(arms, each);
            }
        }
        each(e);
    }
}
