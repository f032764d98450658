//! What an `approve` divides a program into: the steps above it, and those that its approval covers.
//!
//! Part 0 is what a plan's own approval covers, part 1 what stands below the first `approve`, and so on.

use std::collections::{HashMap, HashSet};

use escher_catalog::Risk;
use escher_ir::program::{Approve, Expr, Node, NodeKind, Program, Step};
use escher_ir::visit;

use crate::error::EngineError;
use crate::limits;

/// The parts of a program.
pub(crate) struct Parts<'p> {
    program: &'p Program,
    /// The `approve`s in the order in which they are asked.
    asks: Vec<(&'p Node, &'p Approve)>,
    /// How many of them stand above each node.
    above: HashMap<&'p str, usize>,
    /// Readings that an `approve` is asked with: those right above it, with nothing that takes effect in between.
    read_for: HashMap<&'p str, &'p str>,
}

impl<'p> Parts<'p> {
    /// Errors: a program in which something runs beside an `approve`, which no compiler gives: what is approved there
    /// could change meanwhile.
    pub(crate) fn of(program: &'p Program) -> Result<Parts<'p>, EngineError> {
        let nodes = &program.playbook.body.nodes;
        let above = nodes.iter().map(|node| (node.id.as_str(), 0)).collect();
        let mut parts = Parts { program, asks: Vec::new(), above, read_for: HashMap::new() };
        let refused = |words: String| EngineError::Usage(format!("this program cannot be run: {words}"));
        let asks: Vec<_> = nodes
            .iter()
            .filter_map(
                |node| if let NodeKind::Approve(approve) = &node.kind { Some((node, &**approve)) } else { None },
            )
            .collect();
        if asks.is_empty() {
            return Ok(parts);
        }
        if asks.len() > limits::APPROVALS {
            return Err(refused(format!("it waits for more than {} approvals", limits::APPROVALS)));
        }
        let mut before: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut after: HashMap<&str, Vec<&str>> = HashMap::new();
        for node in nodes {
            for first in &node.after {
                before.entry(&node.id).or_default().push(first);
                after.entry(first).or_default().push(&node.id);
            }
        }
        for (node, approve) in asks {
            let below = reached(&node.id, &after);
            if reached(&node.id, &before).union(&below).count() + 1 != nodes.len() {
                return Err(refused(format!("something runs beside `{}`", node.id)));
            }
            for id in &below {
                *parts.above.entry(id).or_default() += 1;
            }
            parts.asks.push((node, approve));
        }
        let above = &parts.above;
        parts.asks.sort_by_key(|(node, _)| above.get(node.id.as_str()).copied().unwrap_or(0));
        let reads =
            |node: &Node| matches!(node.kind, NodeKind::Let { .. } | NodeKind::Require { .. } | NodeKind::Do { .. });
        for (at, (ask, _)) in parts.asks.iter().enumerate() {
            let here = |node: &&Node| parts.part(&node.id) == at && node.id != ask.id;
            let acts = nodes.iter().filter(here).filter(|node| !reads(node));
            let settled: HashSet<&str> = acts.flat_map(|node| reached(&node.id, &before)).collect();
            let own = |node: &&Node| here(node) && reads(node) && !settled.contains(&*node.id);
            let read: Vec<&str> = nodes.iter().filter(own).map(|node| node.id.as_str()).collect();
            parts.read_for.extend(read.into_iter().chain([ask.id.as_str()]).map(|id| (id, ask.id.as_str())));
        }
        Ok(parts)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.asks.is_empty()
    }

    /// The `approve`s in order.
    pub(crate) fn asks(&self) -> &[(&'p Node, &'p Approve)] {
        &self.asks
    }

    /// The number of the part that an `approve` begins.
    pub(crate) fn number(&self, ask: &str) -> Option<usize> {
        self.asks.iter().position(|(node, _)| node.id == ask).map(|at| at + 1)
    }

    /// The part that a node stands in.
    pub(crate) fn part(&self, node: &str) -> usize {
        self.above.get(node).copied().unwrap_or(0)
    }

    /// The last `approve` above a node.
    pub(crate) fn below(&self, node: &str) -> Option<&'p str> {
        let at = self.part(node).checked_sub(1)?;
        self.asks.get(at).map(|(node, _)| node.id.as_str())
    }

    /// The `approve` that the reading at a call path is asked with.
    pub(crate) fn read_for(&self, path: &str) -> Option<&'p str> {
        self.read_for.get(self.node(path)).copied()
    }

    /// The last `approve` above the node that a call path belongs to.
    pub(crate) fn below_path(&self, path: &str) -> Option<&'p str> {
        self.below(self.node(path))
    }

    fn node<'s>(&self, path: &'s str) -> &'s str {
        let end = path.find(['/', '[']).unwrap_or(path.len());
        let scope = path.get(..end).unwrap_or(path);
        // `delete.list` is of step `delete`; `require.1` is a node itself.
        match self.above.contains_key(scope) {
            true => scope,
            false => scope.rsplit_once('.').map_or(scope, |(node, _)| node),
        }
    }

    /// Ids of all nodes below an `approve`.
    pub(crate) fn rest(&self, ask: &str) -> HashSet<&'p str> {
        let number = self.number(ask).unwrap_or(usize::MAX);
        self.above.iter().filter(|(_, above)| **above >= number).map(|(id, _)| *id).collect()
    }

    /// The risk of a part: the highest of its steps, and never below that of what they can call.
    pub(crate) fn risk(&self, part: usize) -> Risk {
        let steps = self.program.playbook.body.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Step(step) if self.part(&node.id) == part => Some(step.risk.max(self.floor(step))),
            _ => None,
        });
        steps.max().unwrap_or(Risk::Read)
    }

    /// The highest risk of what a step can call.
    fn floor(&self, step: &Step) -> Risk {
        let (mut highest, mut functions) = self.calls(|each| visit::step(&mut step.clone(), each));
        let mut seen = HashSet::new();
        while let Some(name) = functions.pop() {
            let Some(function) = self.program.functions.get(&name) else { continue };
            if seen.insert(name) {
                let (risk, called) = self.calls(|each| visit::block(&mut function.body.clone(), each));
                highest = highest.max(risk);
                functions.extend(called);
            }
        }
        highest
    }

    /// The highest risk of the calls that a visit meets, and the functions.
    fn calls(&self, visit: impl FnOnce(&mut dyn FnMut(&mut Expr))) -> (Risk, Vec<String>) {
        let (mut highest, mut functions) = (Risk::Read, Vec::new());
        visit(&mut |expr| match expr {
            Expr::Call(call) => {
                let known = self.program.operations.get(&call.operation);
                highest = highest.max(known.map_or(Risk::Critical, |used| used.risk));
            }
            Expr::Function { name, .. } => functions.push(name.clone()),
            _ => {}
        });
        (highest, functions)
    }
}

/// All that can be reached from a node, without it.
fn reached<'n>(from: &str, edges: &HashMap<&'n str, Vec<&'n str>>) -> HashSet<&'n str> {
    let mut found = HashSet::new();
    let mut todo: Vec<&'n str> = edges.get(from).into_iter().flatten().copied().collect();
    while let Some(next) = todo.pop() {
        if found.insert(next) {
            todo.extend(edges.get(next).into_iter().flatten().copied());
        }
    }
    found
}
