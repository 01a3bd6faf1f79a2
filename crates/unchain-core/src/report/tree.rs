//! A lineage as a tree for one reader: up to the root, down to the leaves.

use super::{EdgeRow, End, Report, Token};
use serde::Serialize;
use std::collections::BTreeSet;

/// Which way to go from a pivot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Up to the root only.
    Up,
    /// Down to the leaves only.
    Down,
    /// Both.
    Both,
}

/// A node with what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// What it is.
    pub node: End,
    /// Its state and uses.
    pub token: Token,
    /// How it came from the node above it.
    pub edge: Option<EdgeRow>,
    /// Whether it is what was asked for.
    pub pivot: bool,
    /// Whether it stands elsewhere in this tree with its children.
    pub repeated: bool,
    /// What came of it, in order of time.
    pub children: Vec<Tree>,
}

impl Report<'_, '_> {
    /// The tree through a node: its chain of ancestors, then everything below it.
    ///
    /// Trees of hostile logs may be deep; this is built from the leaves up without recursion.
    pub fn tree(&self, pivot: u32, direction: Direction) -> Tree {
        let mut tree = match direction {
            Direction::Up => self.leaf(pivot, pivot),
            Direction::Down | Direction::Both => self.below(pivot),
        };
        if direction == Direction::Down {
            return tree;
        }
        for edge in self.lineage().ancestors(pivot) {
            tree.edge = Some(self.edge(edge));
            let mut above = self.leaf(edge.parent, pivot);
            above.children.push(tree);
            tree = above;
        }
        tree
    }

    fn leaf(&self, node: u32, pivot: u32) -> Tree {
        Tree {
            node: self.end(node),
            token: self.token(node),
            edge: None,
            pivot: node == pivot,
            repeated: false,
            children: Vec::new(),
        }
    }

    fn below(&self, pivot: u32) -> Tree {
        // Every node once, parents before children; each remembers where its parent is.
        let mut order: Vec<(Tree, usize)> = vec![(self.leaf(pivot, pivot), 0)];
        let mut nodes = vec![pivot];
        let mut expanded = BTreeSet::from([pivot]);
        let mut at = 0;
        while let Some(&node) = nodes.get(at) {
            let repeated = order.get(at).is_some_and(|(tree, _)| tree.repeated);
            for edge in self.lineage().children(node).filter(|_| !repeated) {
                let mut child = self.leaf(edge.child, pivot);
                child.edge = Some(self.edge(edge));
                child.repeated = !expanded.insert(edge.child);
                order.push((child, at));
                nodes.push(edge.child);
            }
            at += 1;
        }
        while let Some((mut tree, parent)) = order.pop() {
            tree.children.reverse();
            match order.get_mut(parent) {
                Some((above, _)) => above.children.push(tree),
                None => return tree,
            }
        }
        self.leaf(pivot, pivot)
    }
}
