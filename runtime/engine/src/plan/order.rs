//! The order of a block's nodes: what may begin when. petgraph, in memory only.

use std::collections::{BTreeSet, HashMap};

use escher_ir::program::{Block, Node};
use petgraph::algo::toposort;
use petgraph::graph::DiGraph;

use crate::error::EngineError;

/// Nodes of a block that have not ended, and those that may begin.
pub(crate) struct Order<'p> {
    waiting: Vec<&'p Node>,
    ended: BTreeSet<&'p str>,
}

impl<'p> Order<'p> {
    /// Checks that every name after which a node begins is there, that none is there twice, and that there is no
    /// circle.
    pub(crate) fn new(block: &'p Block) -> Result<Order<'p>, EngineError> {
        let damaged = |reason: String| EngineError::Usage(format!("this program cannot be run: {reason}"));
        let mut graph = DiGraph::<&str, ()>::new();
        let mut places = HashMap::new();
        for node in &block.nodes {
            let place = graph.add_node(&*node.id);
            if places.insert(&*node.id, place).is_some() {
                return Err(damaged(format!("two statements are called `{}`", node.id)));
            }
        }
        for node in &block.nodes {
            let Some(to) = places.get(&*node.id) else { continue };
            for before in &node.after {
                let from = places
                    .get(&**before)
                    .ok_or_else(|| damaged(format!("`{}` waits for `{before}`, which is not there", node.id)))?;
                graph.add_edge(*from, *to, ());
            }
        }
        if let Err(circle) = toposort(&graph, None) {
            let name = graph.node_weight(circle.node_id()).copied().unwrap_or_default();
            return Err(damaged(format!("`{name}` waits for itself")));
        }
        Ok(Order { waiting: block.nodes.iter().collect(), ended: BTreeSet::new() })
    }

    /// Nodes that may begin, in written order.
    pub(crate) fn ready(&self) -> Vec<&'p Node> {
        let ready = |node: &&&'p Node| node.after.iter().all(|before| self.ended.contains(&**before));
        self.waiting.iter().filter(ready).copied().collect()
    }

    /// Says that a node has ended.
    pub(crate) fn end(&mut self, id: &str) {
        if let Some(at) = self.waiting.iter().position(|n| n.id == id) {
            self.ended.insert(&self.waiting.remove(at).id);
        }
    }
}
