//! One program of a playbook and the functions of all modules that it reaches.
//!
//! In the program a function has the name that its module gives it; where two modules have one of the same name, the
//! second that is reached is `name.2`. Nothing of it says in which file a function stands, so that a file can be renamed
//! without changing what was approved.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use escher_ir::program::{Block, Expr, Function, OperationUse};
use escher_ir::{Digest, visit};

use super::Lowered;
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

/// What a body reaches.
#[derive(Debug, Default)]
pub(crate) struct Linked {
    pub(crate) functions: BTreeMap<String, Function>,
    pub(crate) usage: Usage,
    pub(crate) operations: BTreeMap<String, OperationUse>,
    pub(crate) waiters: BTreeMap<String, Digest>,
    /// Names in the program, by module and name there.
    pub(crate) names: BTreeMap<(usize, String), String>,
}

impl Checker<'_> {
    /// Gives the functions that a body reaches, and names them in its calls as they are named in the program.
    pub(crate) fn link(&self, body: &mut Block) -> Linked {
        let mut names = Names::default();
        let mut linked = Linked::default();
        names.rename(self.module, body);
        while let Some((module, name, own)) = names.todo.pop_front() {
            let Some(lowered) = self.lowered(module, &name) else { continue };
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

    fn lowered(&self, module: usize, name: &str) -> Option<&Lowered> {
        if module == self.module {
            return self.functions.get(name);
        }
        self.modules.get(module)?.as_ref()?.functions.get(name)
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
