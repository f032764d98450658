//! The order of a block's nodes: what may begin when. petgraph, in memory only.

use std::collections::{BTreeSet, HashMap};

use escher_ir::program::{Block, Node};
use petgraph::algo::toposort;
use petgraph::graph::DiGraph;

use crate::error::EngineError;

/// Nodes of a block that have not ended, and those that may begin.
pub(crate) struct Order<'p> {
    nodes: Vec<&'p Node>,
    places: HashMap<&'p str, usize>,
    /// For each node, how many of those that it waits for have not ended.
    waits: Vec<usize>,
    /// For each node, those that wait for it.
    followers: Vec<Vec<usize>>,
    /// Nodes that may begin, in written order.
    ready: BTreeSet<usize>,
}

impl<'p> Order<'p> {
    /// Checks that every name after which a node begins is there, that none is there twice, and that there is no
    /// circle.
    pub(crate) fn new(block: &'p Block) -> Result<Order<'p>, EngineError> {
        let damaged = |reason: String| EngineError::Usage(format!("this program cannot be run: {reason}"));
        let mut places = HashMap::with_capacity(block.nodes.len());
        for (place, node) in block.nodes.iter().enumerate() {
            if places.insert(&*node.id, place).is_some() {
                return Err(damaged(format!("two statements are called `{}`", node.id)));
            }
        }
        let mut followers = vec![Vec::new(); block.nodes.len()];
        let mut graph = DiGraph::<usize, ()>::new();
        let known: Vec<_> = (0..block.nodes.len()).map(|place| graph.add_node(place)).collect();
        for (place, node) in block.nodes.iter().enumerate() {
            for before in &node.after {
                let from = places
                    .get(&**before)
                    .ok_or_else(|| damaged(format!("`{}` waits for `{before}`, which is not there", node.id)))?;
                if let (Some(mine), Some(a), Some(b)) = (followers.get_mut(*from), known.get(*from), known.get(place)) {
                    mine.push(place);
                    graph.add_edge(*a, *b, ());
                }
            }
        }
        let nodes: Vec<&Node> = block.nodes.iter().collect();
        if let Err(circle) = toposort(&graph, None) {
            let name = graph.node_weight(circle.node_id()).and_then(|place| nodes.get(*place)).map_or("", |n| &*n.id);
            return Err(damaged(format!("`{name}` waits for itself")));
        }
        let waits: Vec<usize> = nodes.iter().map(|node| node.after.len()).collect();
        let ready = waits.iter().enumerate().filter(|(_, waits)| **waits == 0).map(|(place, _)| place).collect();
        Ok(Order { nodes, places, waits, followers, ready })
    }

    /// Nodes that may begin, in written order.
    pub(crate) fn ready(&self) -> Vec<&'p Node> {
        self.ready.iter().filter_map(|place| self.nodes.get(*place)).copied().collect()
    }

    /// Says that a node has ended.
    pub(crate) fn end(&mut self, id: &str) {
        let Some(place) = self.places.get(id).copied().filter(|place| self.ready.remove(place)) else { return };
        for follower in self.followers.get(place).into_iter().flatten() {
            let Some(waits) = self.waits.get_mut(*follower) else { continue };
            *waits = waits.saturating_sub(1);
            if *waits == 0 {
                self.ready.insert(*follower);
            }
        }
    }
}
