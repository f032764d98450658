//! How a body becomes a DAG: what is written first happens first, except for neighbouring readings and the branches of
//! `parallel`, which wait only for what they use.

use std::collections::BTreeSet;

use escher_catalog::Effect;
use escher_ir::program::{Each, Expr, Node, NodeKind, Step};
use escher_syntax::Diagnostic;
use escher_syntax::ast::{self, StmtKind};

use crate::checker::Checker;

/// The nodes of a body so far, and what the next one must wait for.
#[derive(Default)]
pub(crate) struct Order {
    pub(crate) nodes: Vec<Node>,
    /// The statements at which everything above has ended.
    barrier: BTreeSet<String>,
    /// Nodes since then.
    since: Vec<String>,
    /// How many `parallel` stand around.
    forks: u32,
    counters: std::collections::HashMap<&'static str, u32>,
}

impl Order {
    /// `require.2`
    pub(crate) fn id(&mut self, word: &'static str) -> String {
        let n = self.counters.entry(word).or_insert(0);
        *n += 1;
        format!("{word}.{n}")
    }

    /// A reading statement: begins when what it uses is there, after the last barrier.
    pub(crate) fn reading(&mut self, id: String, doc: Option<String>, uses: &BTreeSet<String>, kind: NodeKind) {
        let mut after: BTreeSet<String> =
            uses.iter().filter(|u| self.nodes.iter().any(|n| n.id == **u)).cloned().collect();
        after.extend(self.barrier.iter().cloned());
        self.since.push(id.clone());
        self.nodes.push(Node { id, doc, after: after.into_iter().collect(), kind });
    }

    /// A statement that begins when everything above it has ended; in a `parallel`, when what it uses is there.
    pub(crate) fn waiting(&mut self, id: String, doc: Option<String>, uses: &BTreeSet<String>, kind: NodeKind) {
        if self.forks > 0 {
            return self.reading(id, doc, uses, kind);
        }
        let mut after: BTreeSet<String> = self.since.drain(..).collect();
        after.append(&mut self.barrier);
        self.barrier.insert(id.clone());
        self.nodes.push(Node { id, doc, after: after.into_iter().collect(), kind });
    }

    /// A `parallel` begins, when everything above it has ended. Gives the number of nodes so far.
    pub(crate) fn fork(&mut self) -> usize {
        if self.forks == 0 {
            self.barrier.extend(self.since.drain(..));
        }
        self.forks += 1;
        self.nodes.len()
    }

    /// It ends; what follows begins after all of its branches.
    pub(crate) fn join(&mut self, first: usize) {
        self.forks -= 1;
        // A value is waited for where it is used.
        let act = |n: &&Node| !matches!(n.kind, NodeKind::Let { .. });
        let branches: BTreeSet<String> = self.nodes.iter().skip(first).filter(act).map(|n| n.id.clone()).collect();
        if self.forks == 0 && !branches.is_empty() {
            self.since.clear();
            self.barrier = branches;
        }
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.forks > 0
    }
}

impl Checker<'_> {
    /// Branches whose changing steps share a source need `after`: one might change what the other goes over.
    pub(crate) fn check_branches(&mut self, branches: &ast::Block, nodes: &[Node]) {
        let of = |name: &str| nodes.iter().find(|n| n.id == name);
        let steps: Vec<&ast::Step> = branches
            .statements
            .iter()
            .filter_map(|s| if let StmtKind::Step(step) = &s.kind { Some(&**step) } else { None })
            .collect();
        for (i, later) in steps.iter().enumerate() {
            for earlier in steps.iter().take(i) {
                let (Some(a), Some(b)) = (of(&earlier.name.text), of(&later.name.text)) else { continue };
                let (NodeKind::Step(first), NodeKind::Step(second)) = (&a.kind, &b.kind) else { continue };
                if self.acts(&first.name)
                    && self.acts(&second.name)
                    && share(first, second, nodes)
                    && !follows(b, a, nodes)
                {
                    let (one, two) = (&first.name, &second.name);
                    let words = format!("steps `{one}` and `{two}` change things from one source, side by side");
                    self.say(
                        Diagnostic::error("E0417", later.name.span, words)
                            .label(earlier.name.span, "the other one")
                            .help(format!("say which is first: add `after {one}`")),
                    );
                }
            }
        }
    }

    /// Whether a step changes anything.
    pub(crate) fn acts(&self, step: &str) -> bool {
        let reads = |e: &Effect| matches!(e, Effect::Observe | Effect::Reveal);
        self.witnesses.iter().any(|w| w.step == step && !w.effects.iter().all(reads))
    }
}

/// Whether two steps go over things that were read, or given, together.
fn share(a: &Step, b: &Step, nodes: &[Node]) -> bool {
    let (Some(a), Some(b)) = (&a.each, &b.each) else { return false };
    let (mut one, mut other) = (BTreeSet::new(), BTreeSet::new());
    origins(a, nodes, &mut one);
    origins(b, nodes, &mut other);
    one.intersection(&other).next().is_some()
}

/// The names that a step's items come from: readings, parameters, other steps and what those went over.
fn origins(each: &Each, nodes: &[Node], found: &mut BTreeSet<String>) {
    found.extend(each.sources.iter().cloned());
    if let Expr::Local(name) = root(&each.list) {
        found.insert(name.clone());
    }
    let earlier = each.from_step.as_ref().and_then(|name| nodes.iter().find(|n| n.id == *name));
    if let Some(Node { id, kind: NodeKind::Step(step), .. }) = earlier
        && found.insert(id.clone())
        && let Some(each) = &step.each
    {
        origins(each, nodes, found);
    }
}

/// What a chain of methods begins with.
fn root(expr: &Expr) -> &Expr {
    match expr {
        Expr::Method { base, .. } => root(base),
        other => other,
    }
}

/// Whether a node begins after another has ended.
fn follows(node: &Node, other: &Node, nodes: &[Node]) -> bool {
    node.after.iter().any(|id| {
        *id == other.id || nodes.iter().find(|n| n.id == *id).is_some_and(|before| follows(before, other, nodes))
    })
}
