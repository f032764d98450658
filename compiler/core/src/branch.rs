//! `if` in the body of a playbook, around statements that do something.
//!
//! There are no branches in a program: the condition is a value of its own, and each statement of a branch is one of the
//! body, which does nothing where the condition does not hold. A step goes over no items then, so that it has a place in the
//! plan and a result, both empty; what a `let` of a branch names is `none` below it.

use std::collections::BTreeSet;

use escher_ir::program::{BinaryOp, Block, Expr, NodeKind, Step, UnaryOp};
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, ExprKind, StmtKind};

use crate::checker::Checker;
use crate::order::Order;
use crate::scope::{Binding, Origin};

/// The conditions around the statement at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// All of them together; none in no branch.
    condition: Option<Expr>,
    /// The nodes that they are.
    pub(crate) nodes: BTreeSet<String>,
    /// Whether one is known only once the run is under way.
    pub(crate) staged: bool,
}

/// Whether a branch does something: then it is no value.
fn does(block: &ast::Block) -> bool {
    block.statements.iter().any(|statement| match &statement.kind {
        StmtKind::Step(_)
        | StmtKind::Report { .. }
        | StmtKind::Notify { .. }
        | StmtKind::Confirm(_)
        | StmtKind::Sleep(_)
        | StmtKind::Wait { .. }
        | StmtKind::Parallel(_)
        | StmtKind::Approve { .. } => true,
        StmtKind::Expr(expr) => branching(expr),
        _ => false,
    })
}

/// Whether an expression is an `if` around statements that do something.
pub(crate) fn branching(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ExprKind::If { then, otherwise, .. } => does(then) || otherwise.as_ref().is_some_and(does),
        _ => false,
    }
}

/// The list that a step goes over where its branch is taken.
pub(crate) fn taken(list: &Expr) -> &Expr {
    match list {
        Expr::If { then, otherwise: Some(otherwise), .. } => match (&then.value, otherwise.value.as_deref()) {
            (Some(list), Some(Expr::Literal(Value::List(none)))) if none.is_empty() => list,
            _ => list,
        },
        _ => list,
    }
}

fn value(expr: Expr) -> Box<Block> {
    Box::new(Block { nodes: Vec::new(), value: Some(Box::new(expr)) })
}

impl Guard {
    fn also(&self, condition: Expr, node: &str, staged: bool) -> Guard {
        let condition = match self.condition.clone() {
            Some(outer) => Expr::Binary(BinaryOp::And, Box::new(outer), Box::new(condition)),
            None => condition,
        };
        let nodes = self.nodes.iter().cloned().chain([node.to_string()]).collect();
        Guard { condition: Some(condition), nodes, staged: self.staged || staged }
    }

    /// Whether the statement at hand stands in a branch.
    pub(crate) fn is_branch(&self) -> bool {
        self.condition.is_some()
    }

    /// A value; `none`, or another, where the branch is not taken.
    pub(crate) fn value(&self, expr: Expr, otherwise: Option<Expr>) -> Expr {
        match self.condition.clone() {
            None => expr,
            Some(condition) => {
                Expr::If { condition: Box::new(condition), then: value(expr), otherwise: otherwise.map(value) }
            }
        }
    }

    /// A step, which has no items where the branch is not taken; one that is done once is left as it is.
    pub(crate) fn step(&self, step: &mut Step) {
        if !self.is_branch() {
            return;
        }
        let take = |expr: &mut Expr| std::mem::replace(expr, Expr::Literal(Value::None));
        match &mut step.each {
            Some(each) => each.list = self.value(take(&mut each.list), Some(Expr::Literal(Value::list(Vec::new())))),
            None => {
                let when = step.when.take().unwrap_or(Expr::Literal(Value::Bool(true)));
                step.when = Some(self.value(when, Some(Expr::Literal(Value::Bool(false)))));
                step.otherwise.get_or_insert_with(|| Expr::Literal(Value::text("its branch is not taken")));
            }
        }
    }
}

impl Checker<'_> {
    /// `if c { … } else { … }` around statements of a body.
    pub(crate) fn branches(
        &mut self,
        condition: &ast::Expr,
        blocks: (&ast::Block, Option<&ast::Block>),
        returns: &Type,
        order: &mut Order,
    ) {
        self.staged = false;
        let (typed, uses, _) = self.tracked(|c| c.expr_of(condition, &Type::Bool, "the condition"));
        let staged = std::mem::take(&mut self.staged);
        let id = order.id("if");
        let mut after = uses;
        after.extend(self.guard.nodes.iter().cloned());
        let asked = self.guard.value(typed.expr, Some(Expr::Literal(Value::Bool(false))));
        order.reading(id.clone(), None, &after, NodeKind::Let { name: id.clone(), value: asked });
        let holds = Expr::Local(id.clone());
        let not = Expr::Unary(UnaryOp::Not, Box::new(holds.clone()));
        // Only one of them is taken: what a step of the one changed, no step of the other goes over again.
        let before = self.changed.clone();
        self.branch(blocks.0, Some(condition), self.guard.also(holds, &id, staged), returns, order);
        if let Some(otherwise) = blocks.1 {
            let changed = std::mem::replace(&mut self.changed, before);
            self.branch(otherwise, None, self.guard.also(not, &id, staged), returns, order);
            self.changed.extend(changed);
        }
    }

    fn branch(
        &mut self,
        block: &ast::Block,
        narrowed: Option<&ast::Expr>,
        guard: Guard,
        returns: &Type,
        order: &mut Order,
    ) {
        let outer = std::mem::replace(&mut self.guard, guard);
        let depth = self.scope.len();
        narrowed.into_iter().for_each(|condition| self.narrow(condition));
        let inside = self.scope.len();
        self.statements(block, returns, order);
        let named: Vec<Binding> = self.scope.iter().skip(inside).cloned().collect();
        self.scope.truncate(depth);
        // A name means one thing in all of the body. Below the branch a value may be none; a step has its result.
        for binding in named {
            let ty = if matches!(binding.origin, Origin::Step { .. }) { binding.ty } else { binding.ty.optional() };
            self.scope.push(Binding { ty, ..binding });
        }
        self.guard = outer;
    }
}
