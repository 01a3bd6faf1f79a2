//! The part of a lineage that a trace shows, as a list of steps in the order they are written.
//!
//! Hostile logs can hold very deep lineages and credentials that are their own ancestors, so nothing
//! here recurses and every node is expanded once. Must not know how a step is written.

use std::collections::{BTreeMap, BTreeSet};
use unchain_core::lineage::{Edge, Lineage, NodeKind, Origin};
use unchain_core::liveness::Status;
use unchain_core::report::Report;

/// More children than this that are alike are written as one line.
const ALIKE: usize = 8;
/// Of these, so many are written out.
const SAMPLES: usize = 3;

/// Which way to go from a pivot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Up to the root only.
    Up,
    /// Down to the leaves only.
    Down,
    /// Both.
    Both,
}

/// One line or group of lines of a trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// How far from the top.
    pub(crate) depth: usize,
    /// Whether it is the last child of its parent.
    pub(crate) last: bool,
    /// What stands here.
    pub(crate) what: What,
}

/// What stands on a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// A node.
    Node {
        /// Which.
        node: u32,
        /// How it came from the node above; none at the top.
        edge: Option<Edge>,
        /// Whether it was asked for.
        pivot: bool,
        /// Whether it stands further up with its children.
        repeated: bool,
        /// Whether children follow.
        parent: bool,
    },
    /// Children that are like those before.
    More(Alike),
}

/// A number of children without children of their own that differ in little.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alike {
    /// What they are.
    pub(crate) kind: NodeKind,
    /// How they came to be; none at the top.
    pub(crate) edge: Option<Edge>,
    /// Where they came from.
    pub(crate) origin: Origin,
    /// Their state.
    pub(crate) status: Status,
    /// How many.
    pub(crate) count: u64,
    /// Uses of all.
    pub(crate) uses: u64,
}

/// How much to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// Which way to go.
    pub(crate) direction: Direction,
    /// Whether every child is shown.
    pub(crate) children: Children,
}

/// Which children are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Children {
    /// Every one.
    All,
    /// Of many that are alike, a few.
    Few,
}

/// Walks the lineage of all pivots.
pub(crate) fn walk(report: &Report<'_, '_>, pivots: &BTreeSet<u32>, view: View) -> Vec<Step> {
    let mut walk = Walk::new(report, pivots, view);
    let tops = walk.tops();
    walk.forest(&tops);
    walk.steps
}

struct Walk<'w, 'r, 'l> {
    report: &'w Report<'r, 'l>,
    pivots: &'w BTreeSet<u32>,
    view: View,
    /// Nodes above a pivot.
    above: BTreeSet<u32>,
    expanded: BTreeSet<u32>,
    steps: Vec<Step>,
}

/// A step that waits for its turn.
struct Waiting {
    step: Step,
    /// Whether everything below belongs to the trace.
    open: bool,
}

impl<'w, 'r, 'l> Walk<'w, 'r, 'l> {
    fn new(report: &'w Report<'r, 'l>, pivots: &'w BTreeSet<u32>, view: View) -> Self {
        Self {
            report,
            pivots,
            view,
            above: BTreeSet::new(),
            expanded: BTreeSet::new(),
            steps: Vec::new(),
        }
    }

    fn lineage(&self) -> &'r Lineage<'l> {
        self.report.lineage()
    }

    /// The nodes at which the trace begins, each once, in the order of the pivots.
    fn tops(&mut self) -> Vec<u32> {
        let mut tops = Vec::new();
        for &pivot in self.pivots {
            let chain: Vec<u32> = self
                .lineage()
                .ancestors(pivot)
                .iter()
                .map(|e| e.parent)
                .collect();
            let top = if self.view.direction == Direction::Down {
                let inside = chain.iter().any(|node| self.pivots.contains(node));
                (!inside).then_some(pivot)
            } else {
                self.above.extend(&chain);
                Some(chain.last().copied().unwrap_or(pivot))
            };
            tops.extend(top.filter(|top| !tops.contains(top)));
        }
        tops
    }

    /// The trees, those of a single node that are alike after a few as one line.
    fn forest(&mut self, tops: &[u32]) {
        let mut groups: BTreeMap<(NodeKind, Origin, Status), Vec<u32>> = BTreeMap::new();
        if self.view.children == Children::Few && tops.len() > ALIKE {
            for &top in tops
                .iter()
                .filter(|&&top| self.children(top, true).is_empty())
            {
                groups.entry(self.sort(top)).or_default().push(top);
            }
            groups.retain(|_, members| members.len() > ALIKE);
        }
        let hidden: BTreeSet<u32> = groups
            .values()
            .flat_map(|members| members.iter().skip(SAMPLES).copied())
            .collect();
        for &top in tops.iter().filter(|top| !hidden.contains(top)) {
            self.below(top);
        }
        for ((kind, origin, status), members) in groups {
            let hidden = || members.iter().skip(SAMPLES);
            let what = What::More(Alike {
                kind,
                edge: None,
                origin,
                status,
                count: hidden().count() as u64,
                uses: hidden().map(|&node| self.uses(node)).sum(),
            });
            self.steps.push(Step {
                depth: 0,
                last: true,
                what,
            });
        }
    }

    fn sort(&self, node: u32) -> (NodeKind, Origin, Status) {
        let (kind, origin) = self
            .lineage()
            .node(node)
            .map_or((NodeKind::Identity, Origin::Unseen), |n| (n.kind, n.origin));
        (kind, origin, self.report.life(node).status)
    }

    fn uses(&self, node: u32) -> u64 {
        self.report.uses().usage(self.lineage(), node).count
    }

    fn below(&mut self, top: u32) {
        let mut waiting = vec![self.waiting(top, None, (0, true, false))];
        while let Some(Waiting { mut step, open }) = waiting.pop() {
            let What::Node {
                node,
                ref mut repeated,
                ref mut parent,
                ..
            } = step.what
            else {
                self.steps.push(step);
                continue;
            };
            let children = self.children(node, open);
            if !self.expanded.insert(node) {
                *repeated = !children.is_empty();
                self.steps.push(step);
                continue;
            }
            *parent = !children.is_empty();
            self.steps.push(step);
            let next = self.next(&children, (step.depth + 1, open));
            waiting.extend(next.into_iter().rev());
        }
    }

    fn waiting(
        &self,
        node: u32,
        edge: Option<Edge>,
        (depth, last, open): (usize, bool, bool),
    ) -> Waiting {
        let pivot = self.pivots.contains(&node);
        Waiting {
            step: Step {
                depth,
                last,
                what: What::Node {
                    node,
                    edge,
                    pivot,
                    repeated: false,
                    parent: false,
                },
            },
            open: (open || pivot) && self.view.direction != Direction::Up,
        }
    }

    /// The edges to follow: all below a pivot, above it only those that lead to one.
    fn children(&self, node: u32, open: bool) -> Vec<Edge> {
        let lineage = self.lineage();
        let leads = |edge: &&Edge| {
            let child = edge.child;
            open || (self.above.contains(&child) || self.pivots.contains(&child))
                && lineage
                    .primary(child)
                    .is_some_and(|p| std::ptr::eq(p, *edge))
        };
        lineage.children(node).filter(leads).copied().collect()
    }

    /// The children as steps, the many that are alike as one.
    fn next(&self, children: &[Edge], (depth, open): (usize, bool)) -> Vec<Waiting> {
        let mut groups: BTreeMap<(NodeKind, usize, Status), Vec<usize>> = BTreeMap::new();
        if self.view.children == Children::Few && children.len() > ALIKE {
            for (n, edge) in children.iter().enumerate() {
                let key = self.alike(edge);
                groups
                    .entry(key)
                    .or_default()
                    .extend(self.is_plain(edge).then_some(n));
            }
            groups.retain(|_, members| members.len() > ALIKE);
        }
        let hidden: BTreeSet<usize> = groups
            .values()
            .flat_map(|members| members.iter().skip(SAMPLES).copied())
            .collect();
        let mut next = Vec::new();
        for (n, edge) in children.iter().enumerate() {
            if !hidden.contains(&n) {
                next.push(self.waiting(edge.child, Some(*edge), (depth, false, open)));
            }
            let key = self.alike(edge);
            if let Some(members) = groups.get(&key).filter(|m| m.last() == Some(&n)) {
                next.push(self.more(children, (members, key), depth));
            }
        }
        if let Some(last) = next.last_mut() {
            last.step.last = true;
        }
        next
    }

    /// Whether a child may be hidden among others: it leads nowhere, and was not asked for by itself.
    fn is_plain(&self, edge: &Edge) -> bool {
        let asked = self.pivots.contains(&edge.child) && self.pivots.len() <= ALIKE;
        !asked
            && !self.above.contains(&edge.child)
            && self.lineage().children(edge.child).next().is_none()
    }

    fn alike(&self, edge: &Edge) -> (NodeKind, usize, Status) {
        let kind = self
            .lineage()
            .node(edge.child)
            .map_or(NodeKind::Identity, |n| n.kind);
        (kind, edge.api.index(), self.report.life(edge.child).status)
    }

    fn more(
        &self,
        children: &[Edge],
        (members, (kind, _, status)): (&[usize], (NodeKind, usize, Status)),
        depth: usize,
    ) -> Waiting {
        let hidden: Vec<Edge> = members
            .iter()
            .skip(SAMPLES)
            .filter_map(|&n| children.get(n).copied())
            .collect();
        let what = hidden.last().map(|edge| {
            What::More(Alike {
                kind,
                edge: Some(*edge),
                origin: self.sort(edge.child).1,
                status,
                count: hidden.len() as u64,
                uses: hidden.iter().map(|edge| self.uses(edge.child)).sum(),
            })
        });
        let empty = self.waiting(0, None, (depth, false, false));
        Waiting {
            step: Step {
                what: what.unwrap_or(empty.step.what),
                ..empty.step
            },
            open: false,
        }
    }
}
