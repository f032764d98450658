//! Walks expressions and blocks.

use escher_ir::Value;
use escher_ir::program::{Block, Expr, Program};

use crate::{EvalError, Host};

/// How much an evaluation may do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Steps of evaluation.
    pub fuel: u64,
    /// Nesting of calls and lambdas.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { fuel: 50_000_000, depth: 256 }
    }
}

/// What an evaluation gave.
pub type Evaluated = Result<Option<Value>, EvalError>;

/// One evaluation: a program, a host, the names in scope.
pub struct Evaluator<'p, 'h> {
    program: Option<&'p Program>,
    host: &'h mut dyn Host,
    path: String,
    locals: Vec<(String, Value)>,
    fuel: u64,
    depth: u32,
    skipped: Vec<(Value, String)>,
}
