//! Names, types, effects, risk, approval, bounds, and lowering to the IR.
//!
//! Reads only the plain syntax and the outside that [`World`] shows. Never returns `Err` for a user's mistake: always
//! what could be made of the text, and a list of diagnostics. What the language has and this version does not do yet is
//! a diagnostic (`E0199`), never silence.

mod again;
mod asked;
mod bounds;
mod branch;
mod call;
mod catch;
mod checker;
mod constant;
mod defaulted;
mod expr;
mod foreign;
mod item;
mod library;
mod literal;
mod member;
mod method;
mod module;
mod narrow;
mod once;
mod operators;
mod order;
pub mod pages;
mod playbook;
mod project;
mod risk;
mod rollback;
mod scope;
mod secret;
mod seen;
mod shapes;
mod spelling;
mod standing;
mod statement;
mod step;
mod suggest;
mod testing;
mod types;
mod union;
mod unsupported;
mod wait;
mod world;

pub use again::Memory;
pub use escher_syntax::{Diagnostic, Edit, Fix, Label, Severity, Span};
pub use module::{FunctionNames, MAX_DEPTH, MAX_MODULES, MAX_TEXT, ModuleId};
pub use risk::Witness;
pub use suggest::nearest;
pub use testing::{CheckedTest, ExprId, Mock, MockAction, MockAnswer, TestKind, TestStatement};
pub use world::{CatalogWorld, NoModule, TextWorld, World};

use std::sync::{Arc, OnceLock};

use escher_ir::program::Program;
use escher_ir::standing::Standing;

use crate::module::{Exports, Unlinked};

/// A playbook that was checked.
#[derive(Clone)]
pub struct CheckedPlaybook {
    /// Its name.
    pub name: String,
    /// The calls that its risk comes from, the riskiest first.
    pub witnesses: Arc<[Witness]>,
    lowered: Option<Arc<Unlinked>>,
    /// The module that it stands in, as it was checked.
    home: Option<Arc<Exports>>,
    linked: OnceLock<(Arc<Program>, FunctionNames)>,
}

impl CheckedPlaybook {
    fn new(name: String, lowered: Arc<Unlinked>, witnesses: Arc<[Witness]>) -> CheckedPlaybook {
        CheckedPlaybook { name, witnesses, lowered: Some(lowered), home: None, linked: OnceLock::new() }
    }

    /// The program, linked when it is first asked for; none where there are errors.
    pub fn program(&self) -> Option<&Arc<Program>> {
        self.linked().map(|(program, _)| program)
    }

    /// What its functions and actions are called in the program.
    pub fn functions(&self) -> Option<&FunctionNames> {
        self.linked().map(|(_, names)| names)
    }

    fn linked(&self) -> Option<&(Arc<Program>, FunctionNames)> {
        let (lowered, home) = (self.lowered.as_ref()?, self.home.as_ref()?);
        Some(self.linked.get_or_init(|| {
            let (program, names) = lowered.program(home);
            (Arc::new(program), names)
        }))
    }
}

impl std::fmt::Debug for CheckedPlaybook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("CheckedPlaybook");
        shown.field("name", &self.name).field("program", &self.program()).field("witnesses", &self.witnesses);
        shown.field("functions", &self.functions()).finish_non_exhaustive()
    }
}

/// What checking a file gives.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Its playbooks, in order.
    pub playbooks: Vec<CheckedPlaybook>,
    /// Its templates, schedules and triggers, in order; none where there are errors.
    pub standing: Vec<Arc<Standing>>,
    /// Its tests, in order.
    pub tests: Vec<CheckedTest>,
    /// Everything there is to say, in order of spans.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Whether there are errors.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// A file to check.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its path relative to the project, with `/` between folders: what `use "./…"` in it begins at.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
}

/// A file or module that was checked.
#[derive(Clone, Debug)]
pub struct CheckedFile {
    /// Which it is.
    pub id: ModuleId,
    /// Its text, which the spans of its diagnostics count in.
    pub text: Arc<str>,
    /// What checking gave. No playbook has a program where the file, or a module that it uses, has errors.
    pub checked: Arc<Checked>,
    /// Places, among the files that were checked, of the modules that it uses, and of those that they use.
    pub uses: Vec<usize>,
}

/// Checks the text of one file that stands at the root of the project.
pub fn check(world: &dyn World, source: &str) -> Checked {
    let entry = Entry { path: String::new(), text: Arc::from(source) };
    let mut files = check_files(world, vec![entry]);
    let mut modules = files.split_off(1.min(files.len()));
    let mut checked = files.pop().map(|f| Arc::unwrap_or_clone(f.checked)).unwrap_or_default();
    // Of a module there is one thing to say here: that it does not hold.
    modules.retain(|m| m.checked.has_errors());
    if let (Some(module), false) = (modules.first(), checked.has_errors()) {
        let message = format!("the module `{}` has errors", module.id);
        checked.diagnostics.push(Diagnostic::error("E0220", Span::default(), message));
    }
    checked
}

/// Checks files, and the modules that they use, each once. Gives the files in the order given, then the modules.
pub fn check_files(world: &dyn World, entries: Vec<Entry>) -> Vec<CheckedFile> {
    Memory::default().check(world, entries)
}

/// All that there is to say of a file, once and in order.
pub(crate) fn told(node: &module::Node, mut checked: Checked, broken: &[Span]) -> Checked {
    checked.diagnostics.extend(node.told.iter().cloned());
    let found = once::told_once(&node.text, &node.parsed, broken, checked.diagnostics);
    checked.diagnostics = node.parsed.to_vec();
    checked.diagnostics.extend(found);
    checked.diagnostics.sort_by_key(|d| (d.span, d.code));
    // The same trouble at the same place is told once.
    checked.diagnostics.dedup_by(|a, b| a.span == b.span && a.code == b.code && a.message == b.message);
    checked
}

#[cfg(test)]
mod tests;
