//! Names in scope.

use std::collections::HashMap;

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

/// The names in scope, the innermost last.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    bindings: Vec<Binding>,
    /// Where each name stands, the innermost last: a long playbook asks for its names very often.
    places: HashMap<String, Vec<usize>>,
}

impl Scope {
    /// What a name means here.
    pub(crate) fn get(&self, name: &str) -> Option<&Binding> {
        self.places.get(name).and_then(|places| places.last()).and_then(|place| self.bindings.get(*place))
    }

    /// Puts a name in scope.
    pub(crate) fn push(&mut self, binding: Binding) {
        self.places.entry(binding.name.clone()).or_default().push(self.bindings.len());
        self.bindings.push(binding);
    }

    /// Number of names.
    pub(crate) fn len(&self) -> usize {
        self.bindings.len()
    }

    /// Forgets all names but the first `length`.
    pub(crate) fn truncate(&mut self, length: usize) {
        for binding in self.bindings.drain(length.min(self.bindings.len())..) {
            if let Some(places) = self.places.get_mut(&binding.name) {
                places.pop();
            }
        }
    }

    /// All names, the innermost last.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Binding> {
        self.bindings.iter()
    }
}

impl FromIterator<Binding> for Scope {
    fn from_iter<I: IntoIterator<Item = Binding>>(bindings: I) -> Scope {
        let mut scope = Scope::default();
        bindings.into_iter().for_each(|binding| scope.push(binding));
        scope
    }
}
