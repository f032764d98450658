//! Names, types, effects, risk, approval, bounds, and lowering to the IR.
//!
//! Reads only the plain syntax and the outside that [`World`] shows. Never returns `Err` for a user's mistake: always
//! what could be made of the text, and a list of diagnostics. What the language has and this version does not do yet is
//! a diagnostic (`E0199`), never silence.

mod bounds;
mod call;
mod checker;
mod constant;
mod expr;
mod item;
mod literal;
mod member;
mod method;
mod once;
mod operators;
pub mod pages;
mod playbook;
mod project;
mod risk;
mod scope;
mod shapes;
mod statement;
mod step;
mod suggest;
mod types;
mod unsupported;
mod world;

pub use escher_syntax::{Diagnostic, Edit, Fix, Label, Severity, Span};
pub use risk::Witness;
pub use world::{CatalogWorld, World};

use escher_ir::program::Program;

/// A playbook that was checked.
#[derive(Clone, Debug)]
pub struct CheckedPlaybook {
    /// Its name.
    pub name: String,
    /// The program; none where there are errors.
    pub program: Option<Program>,
    /// The calls that its risk comes from, the riskiest first.
    pub witnesses: Vec<Witness>,
}

/// What checking a file gives.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Its playbooks, in order.
    pub playbooks: Vec<CheckedPlaybook>,
    /// Everything there is to say, in order of spans.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Whether there are errors.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// Checks the text of one file.
pub fn check(world: &dyn World, source: &str) -> Checked {
    let parsed = escher_syntax::parse(source);
    let (mut checked, broken) = item::check_file(world, &parsed.file);
    let found = once::told_once(source, &parsed.diagnostics, &broken, checked.diagnostics);
    checked.diagnostics = parsed.diagnostics;
    checked.diagnostics.extend(found);
    checked.diagnostics.sort_by_key(|d| (d.span, d.code));
    // The same trouble at the same place is told once.
    checked.diagnostics.dedup_by(|a, b| a.span == b.span && a.code == b.code && a.message == b.message);
    if checked.has_errors() {
        for playbook in &mut checked.playbooks {
            playbook.program = None;
        }
    }
    checked
}

#[cfg(test)]
mod tests;
