//! Checking the same project again and again, as an editor does: what did not change is not checked again.
//!
//! A file is checked again where its text changed, or what one of its modules shows to it: not where only the body of a
//! function of that module did. Modules know each other by number, so all are checked again where one came or went.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use escher_syntax::Diagnostic;

use crate::checker::Facts;
use crate::module::{self, Exports, Graph, ModuleId, Named, Node, Parses};
use crate::{Checked, CheckedFile, Entry, World, item, told};

/// What a check leaves for the next one. It is good for one world, whose catalogue and library stay as they are.
#[derive(Debug, Default)]
pub struct Memory {
    parsed: Parses,
    kept: Vec<Kept>,
    facts: Facts,
}

/// A file as it was checked last.
#[derive(Debug)]
struct Kept {
    id: ModuleId,
    text: Arc<str>,
    /// What there was to say of its `use`s, and what they name.
    uses: (Vec<Diagnostic>, Vec<Named>),
    checked: Arc<Checked>,
    exports: Arc<Exports>,
    /// Whether what was found depends on the bodies of functions of its modules.
    linked: bool,
}

/// What became of a file since it was checked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// Nothing, in all that it reaches.
    Nothing,
    /// What a function computes, of its own or of one that it reaches.
    Bodies,
    /// What others see of it.
    #[default]
    Face,
}

impl Memory {
    /// As [`crate::check_files`], and what did not change since the last time is as it was.
    pub fn check(&mut self, world: &dyn World, entries: Vec<Entry>) -> Vec<CheckedFile> {
        let entries = entries.into_iter().map(|e| (e.path, e.text)).collect();
        let graph = module::load(world, entries, &mut self.parsed);
        let same =
            self.kept.len() == graph.nodes.len() && self.kept.iter().zip(&graph.nodes).all(|(k, n)| k.id == n.id);
        let mut before: Vec<Option<Kept>> = std::mem::take(&mut self.kept).into_iter().map(Some).collect();
        let mut made: Vec<Option<Kept>> = graph.nodes.iter().map(|_| None).collect();
        let mut exports: Vec<Option<Arc<Exports>>> = graph.nodes.iter().map(|_| None).collect();
        let mut changes = vec![Change::default(); graph.nodes.len()];
        for at in graph.order.iter().copied() {
            let Some(node) = graph.nodes.get(at) else { continue };
            let uses = (node.told.clone(), node.named());
            let known = before.get_mut(at).and_then(Option::take).filter(|_| same);
            let below = uses.1.iter().filter_map(|(_, module, _)| changes.get((*module)?).copied());
            let below = below.max().unwrap_or(Change::Nothing);
            let holds = |kept: &Kept| {
                let least = if kept.linked { Change::Nothing } else { Change::Bodies };
                kept.text == node.text && kept.uses == uses && below <= least
            };
            let (kept, change) = match known {
                Some(kept) if holds(&kept) && below == Change::Nothing => (kept, below),
                Some(kept) if holds(&kept) => (kept.relinked(&exports), below),
                known => {
                    let kept = self.fresh(world, node, at, &exports, uses);
                    let looks_same = known.is_some_and(|before| kept.exports.looks_as(&before.exports));
                    (kept, if looks_same { Change::Bodies } else { Change::Face })
                }
            };
            if let (Some(e), Some(m), Some(c)) = (exports.get_mut(at), made.get_mut(at), changes.get_mut(at)) {
                *e = Some(kept.exports.clone());
                *m = Some(kept);
                *c = change;
            }
        }
        let checked = made.iter().map(|k| k.as_ref().map(|k| k.checked.clone()).unwrap_or_default()).collect();
        self.kept = made.into_iter().flatten().collect();
        files(graph, checked)
    }

    fn fresh(
        &self,
        world: &dyn World,
        node: &Node,
        at: usize,
        exports: &[Option<Arc<Exports>>],
        uses: (Vec<Diagnostic>, Vec<Named>),
    ) -> Kept {
        let found = item::check_file(world, node, at, exports, &self.facts);
        let (exports, linked) = (Arc::new(found.exports), found.linked);
        let mut checked = told(node, found.checked, &found.broken);
        checked.playbooks.iter_mut().for_each(|playbook| playbook.home = Some(exports.clone()));
        Kept { id: node.id.clone(), text: node.text.clone(), uses, checked: Arc::new(checked), exports, linked }
    }
}

impl Kept {
    /// The same, with the functions of its modules as they are now.
    fn relinked(mut self, now: &[Option<Arc<Exports>>]) -> Kept {
        let uses: BTreeMap<_, _> =
            self.exports.uses.keys().filter_map(|at| Some((*at, now.get(*at)?.clone()?))).collect();
        self.exports = Arc::new(Exports { own: self.exports.own.clone(), uses });
        for playbook in &mut Arc::make_mut(&mut self.checked).playbooks {
            playbook.home = Some(self.exports.clone());
            playbook.linked = OnceLock::new();
        }
        self
    }
}

/// What a check gives of each file: no program of one where it, or a module that it uses, has errors.
fn files(graph: Graph, results: Vec<Arc<Checked>>) -> Vec<CheckedFile> {
    let wrong: Vec<bool> = results.iter().map(|c| c.has_errors()).collect();
    let reach = graph.reach();
    let mut files = Vec::with_capacity(results.len());
    for ((node, mut checked), uses) in graph.nodes.into_iter().zip(results).zip(reach) {
        let broken = uses.iter().any(|at| wrong.get(*at).copied().unwrap_or(true));
        if broken && !(checked.playbooks.is_empty() && checked.standing.is_empty()) {
            let checked = Arc::make_mut(&mut checked);
            for playbook in &mut checked.playbooks {
                playbook.lowered = None;
                playbook.linked = OnceLock::new();
            }
            checked.standing.clear();
        }
        files.push(CheckedFile { id: node.id, text: node.text, checked, uses: uses.into_iter().skip(1).collect() });
    }
    files
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

    use super::*;
    use crate::{TextWorld, check_files};

    const BASE: &str = "fn limit() -> int = 5\n";
    const TOP: &str = "use \"./base.esc\" as base\n\nplaybook p() -> int {\n    return base.limit()\n}\n";
    const BESIDE: &str = "playbook q() {\n    report { \"x\" }\n}\n";

    fn project(base: &str, top: &str) -> (TextWorld, Vec<Entry>) {
        let files = [("base.esc", base), ("top.esc", top), ("beside.esc", BESIDE)];
        let entries = files.iter().map(|(path, text)| Entry { path: path.to_string(), text: (*text).into() });
        let world = files.iter().map(|(path, text)| (path.to_string(), Arc::from(*text))).collect();
        (TextWorld { files: world, ..TextWorld::default() }, entries.collect())
    }

    #[test]
    fn what_changed_is_checked_again_with_all_that_uses_it_and_nothing_else() {
        let mut memory = Memory::default();
        let mut check = |base: &str, top: &str| {
            let (world, entries) = project(base, top);
            let again = memory.check(&world, entries.clone());
            // As if it were the first time.
            let fresh = check_files(&world, entries);
            let shown = |files: &[CheckedFile]| format!("{files:?}");
            assert_eq!(shown(&again), shown(&fresh));
            again
        };
        let first = check(BASE, TOP);
        let same = check(BASE, TOP);
        assert!((0..3).all(|at| Arc::ptr_eq(&first[at].checked, &same[at].checked)));
        let leaf = check(BASE, &TOP.replace("    return", "    let a = 1\n    return"));
        assert!(Arc::ptr_eq(&leaf[0].checked, &first[0].checked) && !Arc::ptr_eq(&leaf[1].checked, &first[1].checked));
        // What a function computes is no business of who calls it, but of the program.
        let lowered = |files: &[CheckedFile]| files[1].checked.playbooks[0].lowered.clone().unwrap();
        let body = check(&BASE.replace('5', "6"), TOP);
        assert!(Arc::ptr_eq(&lowered(&body), &lowered(&check(BASE, TOP))));
        let face = check(&BASE.replace("int = 5", "int(1..=9) = 5"), TOP);
        assert!(!Arc::ptr_eq(&lowered(&face), &lowered(&body)));
        // A test runs what functions compute.
        let tested = format!("{TOP}\ntest \"t\" {{\n    expect base.limit() == 5\n}}\n");
        let (before, after) = (check(BASE, &tested), check(&BASE.replace('5', "6"), &tested));
        assert!(!Arc::ptr_eq(&lowered(&before), &lowered(&after)));
        let base = check(&BASE.replace('5', "\"5\""), TOP);
        assert!(base[0].checked.has_errors() && base[1].checked.playbooks[0].program().is_none());
        assert!(Arc::ptr_eq(&base[2].checked, &first[2].checked), "nothing that it uses has changed");
        assert!(check(BASE, TOP)[1].checked.playbooks[0].program().is_some());
    }
}
