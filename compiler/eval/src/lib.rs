//! The one evaluator: pure, deterministic, fuel-limited. Used by the checker (constants), the engine and `escher test`.
//!
//! It never waits and never calls anything: where an expression needs an answer of a cloud it asks its [`Host`], which
//! has it already (from a journal, a mock, a plan), refuses it, or notes it down and says [`Reply::Pending`]. A pending
//! evaluation goes on through the other elements of the list at hand, so that the host learns of all reads that may
//! run side by side, then stops; the host answers them and evaluates again from the start.

mod arithmetic;
mod compare;
mod error;
mod evaluator;
mod methods;

pub use compare::order;
pub use error::EvalError;
pub use evaluator::{Evaluator, Limits};

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_ir::journal::CallFailure;
use escher_ir::program::{Call, CatchArm, CatchPattern, StepPart, Wait};
use escher_ir::{Named, Target, Value};

/// A call that an expression needs the answer of.
#[derive(Debug)]
pub struct CallRequest<'p> {
    /// Stable path: scope, then call site, with the index of each list element that a lambda was applied to
    /// (`machines/describe_instances`, `volumes[3]/describe_volumes`, `stop/i-0abc/stop_instances`).
    pub path: String,
    /// The call in the program.
    pub call: &'p Arc<Call>,
    /// Its arguments, evaluated; an argument that is `none` is left out.
    pub arguments: Named<Value>,
    /// The target of the innermost `with`, or none: the host's ambient one, or the item's.
    pub target: Option<Arc<Target>>,
    /// The arms of every `catch` around it, its own first. A host needs them only to know whether a failure is caught.
    pub catch: Vec<CatchArm>,
    /// The names that its probe sees; empty where it has none.
    pub names: BTreeMap<String, Value>,
}

/// A statement that takes time: `wait` or `sleep`.
#[derive(Debug)]
pub struct PauseRequest<'p> {
    /// Stable path, as of a call.
    pub path: String,
    /// The wait; none for a `sleep`.
    pub wait: Option<&'p Wait>,
    /// How long at most, or how long: a duration, or a hole while planning.
    pub time: Value,
    /// The names in scope.
    pub names: BTreeMap<String, Value>,
    /// The target of the innermost `with`, or none.
    pub target: Option<Arc<Target>>,
}

/// What a host says to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The answer.
    Value(Value),
    /// Not yet: evaluation stops, and is tried again later.
    Pending,
    /// It failed; the evaluator applies what stands around it in `catch`.
    Failed(EvalError),
}

/// The world, as an evaluation sees it.
pub trait Host {
    /// The answer to a call.
    fn call(&mut self, request: CallRequest<'_>) -> Reply;

    /// `now()`, `run.id`, `run.started`, `run.due`, `run.last`, `targets(…)`: by path, so that each is fixed once.
    fn fixed(&mut self, path: String, what: Fixed) -> Reply;

    /// `stop.items` and its like.
    fn step(&mut self, step: &str, part: StepPart) -> Reply;

    /// `stop.of(x)`.
    fn step_of(&mut self, step: &str, item: &Value) -> Reply;

    /// `wait` or `sleep` inside a block: a value once it is over.
    fn pause(&mut self, _: PauseRequest<'_>) -> Reply {
        Reply::Failed(EvalError::new("nothing can be waited for here"))
    }

    /// Whether both branches of a condition that is not known yet are looked into, for the calls in them.
    fn explores(&self) -> bool {
        false
    }
}

/// The first arm that takes this failure.
pub fn matching_arm<'c>(arms: &'c [CatchArm], failure: &CallFailure) -> Option<&'c CatchArm> {
    arms.iter().find(|arm| {
        arm.patterns.iter().any(|pattern| match pattern {
            CatchPattern::Any => true,
            CatchPattern::Kind(kind) => *kind == failure.kind,
            CatchPattern::Code(code) => failure.code.as_ref() == Some(code),
        })
    })
}

/// What is not a function of the program, but is fixed once per run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// `now()`
    Now,
    /// `run.id`
    RunId,
    /// `run.started`
    RunStarted,
    /// `run.due`
    RunDue,
    /// `run.last`
    RunLast,
    /// `targets("group")`
    Targets(String),
}

/// A host without a world, for constants: every question fails.
#[derive(Debug, Default)]
pub struct NoHost;

impl Host for NoHost {
    fn call(&mut self, _: CallRequest<'_>) -> Reply {
        Reply::Failed(EvalError::new("a constant cannot call a cloud"))
    }

    fn fixed(&mut self, _: String, _: Fixed) -> Reply {
        Reply::Failed(EvalError::new("a constant cannot ask for the time or the run"))
    }

    fn step(&mut self, _: &str, _: StepPart) -> Reply {
        Reply::Failed(EvalError::new("a constant cannot use what a step did"))
    }

    fn step_of(&mut self, _: &str, _: &Value) -> Reply {
        Reply::Failed(EvalError::new("a constant cannot use what a step did"))
    }
}

#[cfg(test)]
mod tests;
