//! One program of a playbook and the functions of all modules that it reaches.
//!
//! In the program a function has the name that its module gives it; where two modules have one of the same name, the
//! second that is reached is `name.2`. Nothing of it says in which file a function stands, so that a file can be renamed
//! without changing what was approved.
//!
//! Linking waits until somebody wants the program: checking needs signatures only, for all but tests, schedules and
//! secrets that are shown once.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use escher_ir::program::{Block, Expr, Function, OperationUse, Program};
use escher_ir::{Digest, visit};

use super::{Exports, Lowered};
use crate::checker::Checker;
use crate::project::Usage;

/// The key of a function of another module, which the checker writes into a lowered call. `:` stands in no name.
pub(crate) fn key(module: usize, name: &str) -> String {
    format!("{module}:{name}")
}

fn parts(here: usize, key: &str) -> (usize, &str) {
    match key.split_once(':') {
        Some((module, name)) => (module.parse().unwrap_or(here), name),
        None => (here, key),
    }
}

/// What functions and actions are called in a program, by place of their file and name there.
pub type FunctionNames = BTreeMap<(usize, String), String>;

/// A playbook, lowered, without the functions that it calls.
#[derive(Debug)]
pub(crate) struct Unlinked {
    /// The program; it has no functions, and its operations and waiters are those of the playbook's own body.
    pub(crate) program: Program,
    /// What that body reads.
    pub(crate) usage: Usage,
}

/// Where functions of modules are found.
pub(crate) trait Functions {
    /// One of them.
    fn lowered(&self, module: usize, name: &str) -> Option<&Arc<Lowered>>;
}

/// A module that was checked, and those that it uses, and theirs.
struct Reach<'a>(HashMap<usize, &'a Exports>);

impl<'a> Reach<'a> {
    fn of(home: &'a Exports) -> Reach<'a> {
        let mut known = HashMap::new();
        let mut todo = vec![home];
        while let Some(next) = todo.pop() {
            if known.insert(next.module, next).is_none() {
                todo.extend(next.uses.values().map(|used| &**used));
            }
        }
        Reach(known)
    }
}

impl Functions for Reach<'_> {
    fn lowered(&self, module: usize, name: &str) -> Option<&Arc<Lowered>> {
        self.0.get(&module)?.functions.get(name)
    }
}

impl Functions for Checker<'_> {
    fn lowered(&self, module: usize, name: &str) -> Option<&Arc<Lowered>> {
        if module == self.module {
            return self.functions.get(name);
        }
        self.modules.get(module)?.as_ref()?.functions.get(name)
    }
}

impl Checker<'_> {
    /// Gives the functions that a body of this module reaches, and names them in its calls as the program does.
    pub(crate) fn link(&self, body: &mut Block) -> BTreeMap<String, Function> {
        self.linked.set(true);
        Linked::of(self, self.module, body).functions
    }

    /// The program of a playbook of a module, or of this one.
    pub(crate) fn program_of(&self, module: usize, unlinked: &Unlinked) -> Program {
        self.linked.set(true);
        unlinked.linked(self, module).0
    }
}

impl Unlinked {
    /// The whole program of a playbook of this module, and what its functions are called in it.
    pub(crate) fn program(&self, home: &Exports) -> (Program, FunctionNames) {
        self.linked(&Reach::of(home), home.module)
    }

    fn linked(&self, all: &impl Functions, home: usize) -> (Program, FunctionNames) {
        let mut program = self.program.clone();
        let linked = Linked::of(all, home, &mut program.playbook.body);
        let mut usage = self.usage.clone();
        usage.join(&linked.usage);
        usage.project(&mut program.playbook.body);
        program.functions = linked.functions;
        program.functions.values_mut().for_each(|function| usage.project(&mut function.body));
        program.operations.extend(linked.operations);
        program.waiters.extend(linked.waiters);
        (program, linked.names)
    }
}

/// What a body reaches.
#[derive(Debug, Default)]
struct Linked {
    functions: BTreeMap<String, Function>,
    usage: Usage,
    operations: BTreeMap<String, OperationUse>,
    waiters: BTreeMap<String, Digest>,
    names: FunctionNames,
}

impl Linked {
    fn of(all: &impl Functions, home: usize, body: &mut Block) -> Linked {
        let mut names = Names::default();
        let mut linked = Linked::default();
        names.rename(home, body);
        while let Some((module, name, own)) = names.todo.pop_front() {
            let Some(lowered) = all.lowered(module, &name) else { continue };
            let mut function = lowered.function.clone();
            names.rename(module, &mut function.body);
            linked.usage.join(&lowered.usage);
            linked.operations.extend(lowered.operations.iter().map(|(n, o)| (n.clone(), o.clone())));
            linked.waiters.extend(lowered.waiters.iter().map(|(n, d)| (n.clone(), *d)));
            linked.functions.insert(own, function);
        }
        linked.names = names.known.into_iter().collect();
        linked
    }
}

#[derive(Default)]
struct Names {
    known: HashMap<(usize, String), String>,
    taken: BTreeSet<String>,
    todo: VecDeque<(usize, String, String)>,
}

impl Names {
    fn rename(&mut self, here: usize, block: &mut Block) {
        visit::block(block, &mut |e| {
            if let Expr::Function { name, .. } = e {
                let (module, plain) = parts(here, name);
                *name = self.name(module, plain);
            }
        });
    }

    fn name(&mut self, module: usize, plain: &str) -> String {
        let which = (module, plain.to_string());
        if let Some(known) = self.known.get(&which) {
            return known.clone();
        }
        let mut own = plain.to_string();
        let mut n = 1;
        while !self.taken.insert(own.clone()) {
            n += 1;
            own = format!("{plain}.{n}");
        }
        self.known.insert(which, own.clone());
        self.todo.push_back((module, plain.to_string(), own.clone()));
        own
    }
}
