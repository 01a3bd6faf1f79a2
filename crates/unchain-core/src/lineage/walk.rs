//! Going up to the root and down to the leaves. Hostile or mistaken logs can make a credential its own
//! ancestor, so every walk remembers where it was.

use super::{Edge, Lineage, NONE};
use std::collections::BTreeSet;

/// Steps of a chain that are compared one by one.
const SHORT: usize = 24;

impl<'l> Lineage<'l> {
    /// The chain of primary edges from a node up to its root, nearest first.
    pub fn ancestors(&self, node: u32) -> Vec<&Edge> {
        let mut chain: Vec<&Edge> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut at = node;
        while let Some(edge) = self.primary(at) {
            // Nearly all chains are short: a set is only worth its cost for the others.
            if chain.len() == SHORT {
                seen.extend(chain.iter().map(|e| e.parent));
            }
            let again = match chain.len() < SHORT {
                true => chain.iter().any(|e| e.parent == edge.parent),
                false => !seen.insert(edge.parent),
            };
            if again || edge.parent == node {
                break;
            }
            chain.push(edge);
            at = edge.parent;
        }
        chain
    }

    /// The root of a node: itself if nothing is known to have made it. Of nodes that made each other
    /// it is the one whose names come first.
    pub fn root(&self, node: u32) -> u32 {
        let mut seen = BTreeSet::new();
        let mut at = node;
        while seen.insert(at) {
            match self.primary(at) {
                Some(edge) => at = edge.parent,
                None => return at,
            }
        }
        self.first_of_circle(at)
    }

    /// The node of a circle of primary edges whose names come first, whatever the order of arrival.
    fn first_of_circle(&self, start: u32) -> u32 {
        let names = |number: u32| {
            let node = self.node(number);
            node.map(|n| {
                (
                    n.created,
                    [n.key, n.name, n.session].map(|s| self.ledger.text(s)),
                )
            })
        };
        let (mut first, mut at) = (start, start);
        while let Some(edge) = self.primary(at).filter(|edge| edge.parent != start) {
            at = edge.parent;
            if names(at) < names(first) {
                first = at;
            }
        }
        first
    }

    /// The root of every node, in time proportional to their number.
    pub fn roots(&self) -> Vec<u32> {
        let mut roots = vec![NONE; self.nodes.len()];
        // The walk that last came by a node: meeting one's own mark is a circle.
        let mut walks = vec![NONE; self.nodes.len()];
        let mut path = Vec::new();
        for start in 0..u32::try_from(self.nodes.len()).unwrap_or(NONE) {
            path.clear();
            let mut at = start;
            let root = loop {
                match (roots.get(at as usize), walks.get_mut(at as usize)) {
                    (Some(&known), _) if known != NONE => break known,
                    (_, Some(walk)) if *walk != start => *walk = start,
                    _ => break self.first_of_circle(at),
                }
                path.push(at);
                match self.primary(at) {
                    Some(edge) => at = edge.parent,
                    None => break at,
                }
            };
            for &node in &path {
                if let Some(slot) = roots.get_mut(node as usize) {
                    *slot = root;
                }
            }
        }
        roots
    }

    /// Every node below this one, itself first, each once, by its primary edge and by every other.
    pub fn descendants(&self, node: u32) -> Vec<u32> {
        let mut found = vec![node];
        let mut seen = BTreeSet::from([node]);
        let mut at = 0;
        while let Some(&next) = found.get(at) {
            at += 1;
            for edge in self.children(next) {
                if seen.insert(edge.child) {
                    found.push(edge.child);
                }
            }
        }
        found
    }

    /// The event ids of an edge's evidence, as logged.
    pub fn evidence(&self, edge: &Edge) -> Vec<String> {
        let facts = edge
            .facts
            .iter()
            .filter_map(|&n| self.ledger.facts().get(n as usize));
        let mut ids: Vec<String> = facts
            .map(|fact| self.ledger.event_id(fact.id).into_owned())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Whether an edge's ends are in two accounts, as far as both are known.
    pub fn crosses_accounts(&self, edge: &Edge) -> bool {
        let (parent, child) = (self.account(edge.parent), self.account(edge.child));
        !parent.is_empty() && !child.is_empty() && parent != child
    }
}
