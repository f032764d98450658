//! What constant expressions give.

use escher_eval::{Evaluator, NoHost};
use escher_ir::program::{Block, Expr, Playbook, Program};
use escher_ir::{Type, Value};

/// The value of an expression that needs no world.
pub(crate) fn fold(expr: &Expr) -> Option<Value> {
    try_fold(expr).ok().flatten()
}

/// The same, and why it cannot be worked out; none where it needs the world.
pub(crate) fn try_fold(expr: &Expr) -> Result<Option<Value>, escher_eval::EvalError> {
    if let Expr::Literal(value) = expr {
        return Ok(Some(value.clone()));
    }
    let program = empty_program();
    let mut host = NoHost;
    let limits = escher_eval::Limits { fuel: 100_000, ..Default::default() };
    Evaluator::new(&program, &mut host, "const").with_limits(limits).expr(expr)
}

/// A program that does nothing, for expressions that need none.
pub(crate) fn empty_program() -> Program {
    Program {
        edition: escher_ir::EDITION,
        playbook: Playbook {
            name: String::new(),
            doc: None,
            params: Vec::new(),
            returns: Type::None,
            risk: escher_catalog::Risk::Read,
            declared_risk: escher_catalog::Risk::Read,
            approval: None,
            blast_radius: None,
            freeze_exempt: false,
            body: Block::default(),
        },
        functions: Default::default(),
        operations: Default::default(),
        waiters: Default::default(),
    }
}
