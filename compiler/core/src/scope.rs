//! Names in scope.

use escher_ir::{Type, Value};
use escher_syntax::Span;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A parameter of a playbook or function.
    Param,
    /// The value of a node of a body.
    Node,
    /// A parameter of a lambda, or the item of a step.
    Lambda,
    /// A constant of the file.
    Const(Value),
    /// What a playbook did, in a test.
    Run(crate::testing::PlaybookInfo),
    /// A step, with the type of its items and of its body's value.
    Step {
        /// Type of an item; none for a step that is done once.
        item: Option<Type>,
        /// Type of what the body gives.
        value: Type,
    },
}

/// A name with its type.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    /// The name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: Type,
    /// What it stands for.
    pub(crate) origin: Origin,
    /// Where it was made.
    pub(crate) span: Span,
}
