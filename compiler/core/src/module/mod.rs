//! Modules: which files a text is made of, and what one of them shows to another.
//!
//! Each module is checked once, those that it uses first; what others may see of it is [`Exports`]. Where the texts come
//! from is the business of the [`World`](crate::World).

mod graph;
mod link;
mod names;
pub(crate) mod path;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use escher_ir::program::{Function, OperationUse};
use escher_ir::{Digest, Type, Value};
use escher_syntax::Span;

use crate::checker::Signature;
use crate::project::Usage;
use crate::testing::PlaybookInfo;

pub(crate) use graph::{Graph, Named, Node, Parses, load};
pub use graph::{MAX_DEPTH, MAX_MODULES, MAX_TEXT};
pub use link::FunctionNames;
pub(crate) use link::Unlinked;

/// Which module.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ModuleId {
    /// A file, by its path relative to the project, with `/` between the folders.
    File(String),
    /// A module of the library, such as `std.tags`.
    Library(String),
}

impl std::fmt::Display for ModuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ModuleId::File(name) | ModuleId::Library(name) => f.write_str(name),
        }
    }
}

/// A module that a file uses, under the name that it has there.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    /// Which of the modules; none where it could not be had, which was told.
    pub(crate) module: Option<usize>,
    /// Where the file says so.
    pub(crate) span: Span,
}

/// A function, lowered, with what a program that calls it must know.
#[derive(Clone, Debug)]
pub(crate) struct Lowered {
    /// What executes. The functions that it calls are named as in [`link`].
    pub(crate) function: Function,
    /// What it reads of the clouds' shapes.
    pub(crate) usage: Usage,
    /// The operations that it calls.
    pub(crate) operations: BTreeMap<String, OperationUse>,
    /// The waiters that it asks.
    pub(crate) waiters: BTreeMap<String, Digest>,
}

/// What a module shows to others, with what it takes to link its functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exports {
    pub(crate) own: Arc<Own>,
    /// The modules that it uses.
    pub(crate) uses: BTreeMap<usize, Arc<Exports>>,
}

impl std::ops::Deref for Exports {
    type Target = Own;

    fn deref(&self) -> &Own {
        &self.own
    }
}

/// What a module itself has.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// Which of the modules it is.
    pub(crate) module: usize,
    /// Whether parts of it could not be read, which may have defined what is missed.
    pub(crate) incomplete: bool,
    /// The module, as it is shown.
    pub(crate) shown: String,
    /// What each name of it is, in a word: `playbook`.
    pub(crate) kinds: BTreeMap<String, &'static str>,
    pub(crate) types: HashMap<String, Type>,
    pub(crate) constants: HashMap<String, (Type, Value)>,
    pub(crate) signatures: HashMap<String, Arc<Signature>>,
    pub(crate) functions: BTreeMap<String, Arc<Lowered>>,
    pub(crate) playbooks: HashMap<String, PlaybookInfo>,
}

impl Own {
    /// Whether whoever uses this module finds in it what it found before: all but the bodies of its functions.
    pub(crate) fn looks_as(&self, before: &Own) -> bool {
        self.incomplete == before.incomplete
            && self.shown == before.shown
            && self.kinds == before.kinds
            && self.types == before.types
            && self.constants == before.constants
            && alike(&self.signatures, &before.signatures, |a, b| a.looks_as(b))
            && alike(&self.playbooks, &before.playbooks, PlaybookInfo::looks_as)
    }
}

fn alike<T>(now: &HashMap<String, T>, before: &HashMap<String, T>, same: impl Fn(&T, &T) -> bool) -> bool {
    now.len() == before.len() && now.iter().all(|(name, a)| before.get(name).is_some_and(|b| same(a, b)))
}

#[cfg(test)]
mod tests;
