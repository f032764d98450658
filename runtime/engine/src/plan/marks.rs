//! Which names an expression mentions: what makes an argument *from the item*.
//!
//! By name only: a lambda's parameter that hides one counts as a mention, which errs towards *from the item*.

use std::collections::BTreeSet;

use escher_ir::program::{Block, Expr, Node, NodeKind, RecordPart, TextPart};

/// Names that hold something of the item: the step's variable, and the body's `let`s that mention one.
pub(crate) fn item_names(variable: Option<&str>, body: &Block) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = variable.map(str::to_string).into_iter().collect();
    for node in &body.nodes {
        if let NodeKind::Let { name, value } = &node.kind
            && mentions(value, &names)
        {
            names.insert(name.clone());
        }
    }
    names
}

/// Whether an expression mentions one of these names.
pub(crate) fn mentions(expr: &Expr, names: &BTreeSet<String>) -> bool {
    let any = |exprs: &[Expr]| exprs.iter().any(|e| mentions(e, names));
    match expr {
        Expr::Literal(_) | Expr::StepResult { .. } => false,
        Expr::Local(name) => names.contains(name),
        Expr::Text(parts) => parts.iter().any(|p| matches!(p, TextPart::Hole(e) if mentions(e, names))),
        Expr::List(items) => any(items),
        Expr::Record(parts) => parts.iter().any(|part| match part {
            RecordPart::Field(_, e) | RecordPart::Spread(e) => mentions(e, names),
        }),
        Expr::Map(entries) => entries.iter().any(|(k, v)| mentions(k, names) || mentions(v, names)),
        Expr::Member { base, .. } | Expr::Maybe(base) | Expr::Unary(_, base) => mentions(base, names),
        Expr::Index { base, index } => mentions(base, names) || mentions(index, names),
        Expr::Binary(_, left, right) => mentions(left, names) || mentions(right, names),
        Expr::If { condition, then, otherwise } => {
            mentions(condition, names)
                || in_block(then, names)
                || otherwise.as_ref().is_some_and(|block| in_block(block, names))
        }
        Expr::Match { subject, arms } => mentions(subject, names) || arms.iter().any(|arm| in_block(&arm.body, names)),
        Expr::Lambda { body, .. } => mentions(body, names),
        Expr::Method { base, arguments, .. } => mentions(base, names) || any(arguments),
        Expr::Builtin(_, arguments) | Expr::Function { arguments, .. } => any(arguments),
        Expr::Call(call) => call.arguments.values().any(|e| mentions(e, names)),
        Expr::With { target, body } => mentions(target, names) || in_block(body, names),
        Expr::StepOf { item, .. } => mentions(item, names),
        Expr::Catch { body, .. } => mentions(body, names),
    }
}

fn in_block(block: &Block, names: &BTreeSet<String>) -> bool {
    let in_node = |node: &Node| match &node.kind {
        NodeKind::Let { value, .. } | NodeKind::Do { value } => mentions(value, names),
        NodeKind::Require { condition, .. } => mentions(condition, names),
        NodeKind::Return { value } => value.as_ref().is_some_and(|e| mentions(e, names)),
        _ => false,
    };
    block.nodes.iter().any(in_node) || block.value.as_ref().is_some_and(|e| mentions(e, names))
}
