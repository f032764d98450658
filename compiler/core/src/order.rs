//! How a body becomes a DAG: what is written first happens first, except for neighbouring readings and the branches of
//! `parallel`, which wait only for what they use.

use std::collections::{BTreeSet, HashMap, HashSet};

use escher_catalog::Effect;
use escher_ir::program::{Each, Expr, Node, NodeKind};
use escher_syntax::Diagnostic;
use escher_syntax::ast::{self, StmtKind};

use crate::branch::taken;
use crate::checker::Checker;
use crate::risk::Witness;

/// The nodes of a body so far, and what the next one must wait for.
#[derive(Default)]
pub(crate) struct Order {
    pub(crate) nodes: Vec<Node>,
    /// Their ids.
    ids: HashSet<String>,
    /// The statements at which everything above has ended.
    barrier: BTreeSet<String>,
    /// Nodes since then.
    since: Vec<String>,
    /// How many `parallel` stand around.
    forks: u32,
    counters: HashMap<&'static str, u32>,
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
        let mut after: BTreeSet<String> = uses.iter().filter(|u| self.ids.contains(*u)).cloned().collect();
        after.extend(self.barrier.iter().cloned());
        self.since.push(id.clone());
        self.add(Node { id, doc, after: after.into_iter().collect(), kind });
    }

    /// A statement that begins when everything above it has ended; in a `parallel`, when what it uses is there.
    pub(crate) fn waiting(&mut self, id: String, doc: Option<String>, uses: &BTreeSet<String>, kind: NodeKind) {
        if self.forks > 0 {
            return self.reading(id, doc, uses, kind);
        }
        let mut after: BTreeSet<String> = self.since.drain(..).collect();
        after.append(&mut self.barrier);
        self.barrier.insert(id.clone());
        self.add(Node { id, doc, after: after.into_iter().collect(), kind });
    }

    fn add(&mut self, node: Node) {
        self.ids.insert(node.id.clone());
        self.nodes.push(node);
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
        let nodes: HashMap<&str, &Node> = nodes.iter().map(|n| (&*n.id, n)).collect();
        let acting: HashSet<&str> = self.witnesses.iter().filter(|w| acts(w)).map(|w| w.step.as_str()).collect();
        let steps: Vec<(&ast::Step, &Node)> = branches
            .statements
            .iter()
            .filter_map(|s| if let StmtKind::Step(step) = &s.kind { Some(&**step) } else { None })
            .filter(|step| acting.contains(step.name.text.as_str()))
            .filter_map(|step| nodes.get(step.name.text.as_str()).map(|node| (step, *node)))
            .collect();
        // Those that go over things that were read, or given, together.
        let mut by_origin: HashMap<String, Vec<usize>> = HashMap::new();
        let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
        for (at, (_, node)) in steps.iter().enumerate() {
            let mut found = BTreeSet::new();
            if let NodeKind::Step(step) = &node.kind
                && let Some(each) = &step.each
            {
                origins(each, &nodes, &mut found);
            }
            for origin in found {
                let others = by_origin.entry(origin).or_default();
                pairs.extend(others.iter().map(|other| (at, *other)));
                others.push(at);
            }
        }
        let mut told = Vec::new();
        for (later, earlier) in pairs {
            let (Some((later, b)), Some((earlier, a))) = (steps.get(later), steps.get(earlier)) else { continue };
            if follows(b, a, &nodes) {
                continue;
            }
            let (one, two) = (&earlier.name.text, &later.name.text);
            let words = format!("steps `{one}` and `{two}` change things from one source, side by side");
            told.push(
                Diagnostic::error("E0417", later.name.span, words)
                    .label(earlier.name.span, "the other one")
                    .help(format!("say which is first: add `after {one}`")),
            );
        }
        told.into_iter().for_each(|d| self.say(d));
    }
}

/// Whether it changes anything.
pub(crate) fn acts(witness: &Witness) -> bool {
    !witness.effects.iter().all(|e| matches!(e, Effect::Observe | Effect::Reveal))
}

/// The names that a step's items come from: readings, parameters, other steps and what those went over.
fn origins(each: &Each, nodes: &HashMap<&str, &Node>, found: &mut BTreeSet<String>) {
    found.extend(each.sources.iter().cloned());
    if let Expr::Local(name) = root(taken(&each.list)) {
        found.insert(name.clone());
    }
    let earlier = each.from_step.as_ref().and_then(|name| nodes.get(name.as_str()).copied());
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
fn follows(node: &Node, other: &Node, nodes: &HashMap<&str, &Node>) -> bool {
    let (mut seen, mut left) = (HashSet::new(), vec![node]);
    while let Some(node) = left.pop() {
        for id in &node.after {
            if *id == other.id {
                return true;
            }
            if seen.insert(id.as_str()) {
                left.extend(nodes.get(id.as_str()));
            }
        }
    }
    false
}
