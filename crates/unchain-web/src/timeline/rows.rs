//! Which lines there are and in what order. Must not know instants or how a line is drawn.

use super::forest::Forest;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use unchain_core::lineage::Lineage;

/// So many that are alike are drawn as one.
const MANY: usize = 20;

/// What is shown.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Only these credentials; all, where there is none.
    pub(crate) keep: Option<HashSet<u32>>,
    /// Credentials that have a line of their own, however many are like them.
    pub(crate) alone: BTreeSet<u32>,
    /// Credentials whose lineages come first, in this order.
    pub(crate) first: Vec<u32>,
    /// Groups whose members are shown one by one.
    pub(crate) open: BTreeSet<String>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A credential.
    One {
        /// Its node.
        node: u32,
        /// How many credentials of the drawing it stands under.
        depth: usize,
    },
    /// Credentials that are alike, with what came of them.
    Many {
        /// Its name in an address.
        group: String,
        /// Their nodes, in order of creation.
        nodes: Vec<u32>,
        /// As above.
        depth: usize,
        /// Whether the members follow.
        open: bool,
    },
}

/// The lines, a credential before what came of it.
pub(crate) fn lines(forest: &Forest, wanted: &Wanted, name: impl Fn(u32) -> String) -> Vec<Line> {
    let walk = Walk {
        forest,
        wanted,
        name: &name,
        alone: with_paths(forest, &wanted.alone),
    };
    let mut lines = Vec::new();
    let mut waiting = walk.siblings((None, &tops(forest, wanted)), 0);
    waiting.reverse();
    while let Some(line) = waiting.pop() {
        match &line {
            Line::One { node, depth } => {
                let mut below = walk.siblings((Some(*node), forest.below(*node)), depth + 1);
                below.reverse();
                waiting.extend(below);
            }
            Line::Many { open: false, .. } => {}
            Line::Many { nodes, depth, .. } => {
                let one = |&node: &u32| Line::One {
                    node,
                    depth: *depth,
                };
                waiting.extend(nodes.iter().rev().map(one));
            }
        }
        lines.push(line);
    }
    lines
}

/// What stands at the top, first the lineages that are to come first.
fn tops(forest: &Forest, wanted: &Wanted) -> Vec<u32> {
    let firsts = wanted.first.iter();
    let firsts = firsts.filter_map(|&node| forest.path(node).last());
    let mut seen = HashSet::new();
    let firsts = firsts.filter(|&top| forest.is_shown(top));
    let all = firsts.chain(forest.tops().iter().copied());
    all.filter(|&top| seen.insert(top)).collect()
}

/// Nodes and all above them.
fn with_paths(forest: &Forest, nodes: &BTreeSet<u32>) -> HashSet<u32> {
    let mut found = HashSet::new();
    for &node in nodes {
        for above in forest.path(node) {
            if !found.insert(above) {
                break;
            }
        }
    }
    found
}

struct Walk<'a> {
    forest: &'a Forest,
    wanted: &'a Wanted,
    name: &'a dyn Fn(u32) -> String,
    /// What is never drawn together with others.
    alone: HashSet<u32>,
}

impl Walk<'_> {
    /// The lines of what stands under one node, in its order; those that are alike stand where their first does.
    fn siblings(&self, (above, nodes): (Option<u32>, &[u32]), depth: usize) -> Vec<Line> {
        let kept = |node: &&u32| match &self.wanted.keep {
            Some(keep) => keep.contains(node),
            None => true,
        };
        let mut sizes: HashMap<u32, usize> = HashMap::new();
        for node in nodes
            .iter()
            .filter(kept)
            .filter(|node| !self.alone.contains(node))
        {
            *sizes.entry(self.forest.class(*node)).or_default() += 1;
        }
        let mut lines = Vec::new();
        let mut place: BTreeMap<u32, usize> = BTreeMap::new();
        for &node in nodes.iter().filter(kept) {
            let class = self.forest.class(node);
            let many = sizes.get(&class).is_some_and(|&size| size > MANY);
            if self.alone.contains(&node) || !many {
                lines.push(Line::One { node, depth });
                continue;
            }
            match place.get(&class).and_then(|&at| lines.get_mut(at)) {
                Some(Line::Many { nodes, .. }) => nodes.push(node),
                _ => {
                    place.insert(class, lines.len());
                    lines.push(self.begun((above, class), (node, depth)));
                }
            }
        }
        lines
    }

    fn begun(&self, (above, class): (Option<u32>, u32), (node, depth): (u32, usize)) -> Line {
        let above = above.map(self.name).unwrap_or_default();
        let group = self.forest.group(&above, class);
        Line::Many {
            open: self.wanted.open.contains(&group),
            group,
            nodes: vec![node],
            depth,
        }
    }
}

/// Some nodes with all that they came from and all that came of them, as far as they have lines.
pub(crate) fn around(lineage: &Lineage<'_>, forest: &Forest, nodes: &[u32]) -> HashSet<u32> {
    let mut found: BTreeSet<u32> = nodes.iter().copied().collect();
    let mut waiting = nodes.to_vec();
    while let Some(node) = waiting.pop() {
        for edge in lineage.children(node) {
            if found.insert(edge.child) {
                waiting.push(edge.child);
            }
        }
    }
    with_paths(forest, &found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::tests::{fan, ledger, story};

    #[test]
    fn a_credential_stands_before_what_came_of_it() {
        let ledger = ledger(&story().records());
        let lineage = Lineage::build(&ledger);
        let forest = Forest::new(&lineage);
        let lines = lines(&forest, &Wanted::default(), |node| node.to_string());
        let mut path: Vec<u32> = Vec::new();
        for line in &lines {
            let Line::One { node, depth } = line else {
                panic!("nothing in the story is frequent: {line:?}")
            };
            path.truncate(*depth);
            assert_eq!(forest.above(*node), path.last().copied());
            path.push(*node);
        }
        assert!(lines.len() > 20);
    }

    #[test]
    fn what_is_alike_is_one_line_unless_it_is_opened_or_wanted() {
        let ledger = ledger(&fan(300));
        let lineage = Lineage::build(&ledger);
        let forest = Forest::new(&lineage);
        let told = |wanted: &Wanted| lines(&forest, wanted, |node| node.to_string());
        let shut = told(&Wanted::default());
        let [
            Line::One { node: root, .. },
            Line::Many {
                group, nodes, open, ..
            },
        ] = &shut[..]
        else {
            panic!("{shut:?}")
        };
        assert_eq!((nodes.len(), *open), (300, false));
        let opened = told(&Wanted {
            open: BTreeSet::from([group.clone()]),
            ..Wanted::default()
        });
        assert_eq!(opened.len(), 302);
        let wanted = told(&Wanted {
            alone: BTreeSet::from([nodes[7]]),
            ..Wanted::default()
        });
        assert_eq!(wanted.len(), 3);
        assert!(wanted.contains(&Line::One {
            node: nodes[7],
            depth: 1
        }));
        let kept = told(&Wanted {
            keep: Some(around(&lineage, &forest, &nodes[..3])),
            ..Wanted::default()
        });
        let one = |line: &Line| matches!(line, Line::One { .. });
        assert_eq!(kept.len(), 4);
        assert!(kept.iter().all(one) && forest.above(nodes[0]) == Some(*root));
    }
}
