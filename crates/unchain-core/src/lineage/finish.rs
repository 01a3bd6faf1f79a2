//! From nodes and edges in the order of their making to a graph that answers.

use super::{Edge, Lineage, NONE, Node, NodeKind, adjacency, run};
use crate::ledger::Ledger;
use std::cmp::Ordering;

/// Everything that was joined.
pub(super) struct Graph<'l> {
    pub(super) ledger: &'l Ledger,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) caller_nodes: Vec<u32>,
}

impl<'l> Graph<'l> {
    /// Sorts the edges and lists them by their ends.
    pub(super) fn finish(mut self) -> Lineage<'l> {
        self.sort_edges();
        let count = self.nodes.len();
        let numbered = || (0u32..).zip(&self.edges);
        let (child_starts, child_edges) = adjacency(count, numbered().map(|(n, e)| (e.parent, n)));
        let (parent_starts, parent_edges) = adjacency(count, numbered().map(|(n, e)| (e.child, n)));
        let callers = (0u32..)
            .zip(&self.caller_nodes)
            .filter(|(_, n)| **n != NONE)
            .map(|(c, &n)| (n, c));
        let (caller_starts, callers_by_node) = adjacency(count, callers);
        self.choose_primary(&parent_starts, &parent_edges);
        Lineage {
            ledger: self.ledger,
            nodes: self.nodes,
            edges: self.edges,
            caller_nodes: self.caller_nodes,
            child_starts,
            child_edges,
            parent_starts,
            parent_edges,
            caller_starts,
            callers_by_node,
        }
    }

    /// By time, then by what does not depend on the order of arrival.
    fn sort_edges(&mut self) {
        let mut edges = std::mem::take(&mut self.edges);
        edges.sort_by(|a, b| {
            (a.time, a.basis)
                .cmp(&(b.time, b.basis))
                .then_with(|| self.by_evidence(a, b))
                .then_with(|| self.by_names(a.child, b.child))
                .then_with(|| self.by_names(a.parent, b.parent))
        });
        edges.dedup_by_key(|e| (e.parent, e.child, e.api, e.time, e.facts));
        self.edges = edges;
    }

    fn by_evidence(&self, a: &Edge, b: &Edge) -> Ordering {
        let hash = |edge: &Edge| {
            let [first, ..] = edge.facts;
            let fact = self.ledger.facts().get(first as usize);
            fact.map_or(0, |fact| fact.hash)
        };
        hash(a).cmp(&hash(b))
    }

    fn by_names(&self, a: u32, b: u32) -> Ordering {
        let names = |number: u32| {
            let node = self.nodes.get(number as usize)?;
            let names = [node.key, node.name, node.session];
            let names = names.map(|symbol| self.ledger.text(symbol));
            Some((node.kind, names, node.created))
        };
        names(a).cmp(&names(b))
    }

    /// The edge that best explains each node. A credential as parent beats a service or an identity
    /// provider, which say less of where it came from; then the stronger basis; then the earlier.
    fn choose_primary(&mut self, starts: &[u32], edges: &[u32]) {
        let weak = |edge: &Edge| {
            let node = self.nodes.get(edge.parent as usize);
            node.is_none_or(|n| {
                matches!(
                    n.kind,
                    NodeKind::Service | NodeKind::IdpSubject | NodeKind::Identity
                )
            })
        };
        let rank = |number: u32| {
            let edge = self.edges.get(number as usize)?;
            let rank = (weak(edge), edge.basis, number);
            (edge.parent != edge.child).then_some(rank)
        };
        let best = |node: u32| match run(starts, edges, node) {
            [] => NONE,
            // Most nodes have one, and the parents of all lie far apart.
            &[only] => self.edges.get(only as usize).map_or(NONE, |edge| {
                if edge.parent == edge.child {
                    NONE
                } else {
                    only
                }
            }),
            many => {
                let ranks = many.iter().filter_map(|&n| rank(n));
                ranks.min().map_or(NONE, |(_, _, number)| number)
            }
        };
        let count = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        let primary: Vec<u32> = (0..count).map(best).collect();
        for (node, edge) in self.nodes.iter_mut().zip(primary) {
            node.primary = edge;
        }
    }
}
