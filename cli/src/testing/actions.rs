//! Mocks of actions: in the program of a test, an action gives what the test says, for the arguments that it says.

use std::sync::Arc;

pub(super) use escher_core::FunctionNames as Names;
use escher_ir::Value;
use escher_ir::program::{BinaryOp, Block, Expr, Function, Program};

/// A mock of an action, with its values worked out.
#[derive(Clone, Debug)]
pub(super) struct MockedAction {
    /// Its file and its name there.
    pub(super) action: (usize, String),
    /// What its arguments must be, by place.
    pub(super) arguments: Vec<(usize, Value)>,
    /// What it gives then.
    pub(super) answer: Value,
}

/// The program with its actions mocked. What names arguments comes first, then what was written last, as with operations.
pub(super) fn mocked(program: Arc<Program>, names: &Names, mocks: &[MockedAction]) -> Arc<Program> {
    if mocks.is_empty() {
        return program;
    }
    let mut changed = (*program).clone();
    let mut sorted: Vec<&MockedAction> = mocks.iter().collect();
    sorted.sort_by_key(|mock| mock.arguments.len());
    for mock in sorted {
        if let Some(function) = names.get(&mock.action).and_then(|name| changed.functions.get_mut(name)) {
            function.body = answering(function, mock);
        }
    }
    Arc::new(changed)
}

/// The body that gives the answer where the arguments are those of the mock, and does what it did before elsewhere.
fn answering(function: &mut Function, mock: &MockedAction) -> Block {
    let value = |e: Expr| Block { nodes: Vec::new(), value: Some(Box::new(e)) };
    let answer = Expr::Literal(mock.answer.clone());
    let conditions = mock.arguments.iter().filter_map(|(at, wanted)| {
        let given = Expr::Local(function.params.get(*at)?.clone());
        Some(Expr::Binary(BinaryOp::Equal, Box::new(given), Box::new(Expr::Literal(wanted.clone()))))
    });
    let all = conditions.reduce(|a, b| Expr::Binary(BinaryOp::And, Box::new(a), Box::new(b)));
    match all {
        None => value(answer),
        Some(condition) => value(Expr::If {
            condition: Box::new(condition),
            then: Box::new(value(answer)),
            otherwise: Some(Box::new(std::mem::take(&mut function.body))),
        }),
    }
}
