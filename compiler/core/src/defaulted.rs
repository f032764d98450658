//! A value that stands for what a cloud left out: it may be shown, and says nothing of what is to be changed.
//!
//! `v.volume_id? ?? ""` as an argument that a changing call needs would change something else than was meant. It is found
//! where it is written, under the name of a `let`, and through the parameters of actions.

use std::collections::BTreeSet;

use escher_ir::Value;
use escher_ir::program::{BinaryOp, Block, Expr, Method, TextPart};
use escher_syntax::{Diagnostic, Span};

use crate::checker::Checker;

/// Whether a value is, or holds, a constant in the place of one that is missing.
pub(crate) fn is_defaulted(expr: &Expr, names: &BTreeSet<String>) -> bool {
    match expr {
        Expr::Binary(BinaryOp::Coalesce, _, right) => {
            matches!(&**right, Expr::Literal(value) if *value != Value::None) || is_defaulted(right, names)
        }
        Expr::Local(name) => names.contains(name),
        Expr::List(items) => items.iter().any(|item| is_defaulted(item, names)),
        Expr::Text(parts) => parts.iter().any(|p| matches!(p, TextPart::Hole(hole) if is_defaulted(hole, names))),
        Expr::Method { base, method, arguments } => match method {
            // What each element becomes; the elements alone are not what they were made of.
            Method::Map | Method::FlatMap => arguments.iter().any(|lambda| of_lambda(lambda, base, names)),
            Method::Concat => is_defaulted(base, names) || arguments.iter().any(|other| is_defaulted(other, names)),
            // Whoever cuts a list down by its elements has looked at them.
            Method::Filter => false,
            _ => is_defaulted(base, names),
        },
        Expr::Index { base, .. } | Expr::Maybe(base) => is_defaulted(base, names),
        Expr::If { then, otherwise, .. } => {
            of_block(then, names) || otherwise.as_ref().is_some_and(|block| of_block(block, names))
        }
        Expr::With { body, .. } => of_block(body, names),
        _ => false,
    }
}

fn of_block(block: &Block, names: &BTreeSet<String>) -> bool {
    block.value.as_ref().is_some_and(|value| is_defaulted(value, names))
}

/// What a lambda gives for the elements of a list.
fn of_lambda(lambda: &Expr, list: &Expr, names: &BTreeSet<String>) -> bool {
    let Expr::Lambda { params, body } = lambda else { return false };
    let mut inside = names.clone();
    inside.retain(|name| !params.contains(name));
    if is_defaulted(list, names) {
        inside.extend(params.iter().cloned());
    }
    is_defaulted(body, &inside)
}

/// The parameters of an action that a value is made of.
pub(crate) fn params_of(expr: &Expr, params: &[String]) -> Vec<usize> {
    match expr {
        Expr::Local(name) => params.iter().position(|p| p == name).into_iter().collect(),
        Expr::List(items) => items.iter().flat_map(|item| params_of(item, params)).collect(),
        Expr::Text(parts) => parts
            .iter()
            .flat_map(|p| if let TextPart::Hole(hole) = p { params_of(hole, params) } else { Vec::new() })
            .collect(),
        _ => Vec::new(),
    }
}

impl Checker<'_> {
    /// Remembers whether a name stands for such a value. A name means one thing in a body, and bodies are left one by one.
    pub(crate) fn note_default(&mut self, name: &str, value: &Expr) {
        match is_defaulted(value, &self.defaulted) {
            true => drop(self.defaulted.insert(name.to_string())),
            false => drop(self.defaulted.remove(name)),
        }
    }

    /// An argument that a changing call needs: a constant does not stand for it.
    pub(crate) fn not_defaulted(&mut self, expr: &Expr, span: Span, what: &str, operation: &str) {
        if is_defaulted(expr, &self.defaulted) {
            self.say(
                Diagnostic::error("E0424", span, format!("`{operation}` needs {what}, and this gives a constant where there is none"))
                    .help("less knowledge must not change something else: `require … != none`, or leave the item out with `.filter(…)`"),
            );
        }
    }
}
