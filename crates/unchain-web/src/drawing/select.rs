//! Which part of a lineage is drawn: what is above and below one node, as far as there is room.
//!
//! The nearest comes first. A case may hold very wide and very deep lineages and credentials that are their
//! own ancestors: nothing here recurses, and every node has one place. Must not know how a place looks.

use super::fan::{Entry, Group, fan, leads_on};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use unchain_core::lineage::Edge;
use unchain_core::report::Report;

/// Entries that are shown at once of what one node made, and members of a group.
pub(crate) const SLICE: usize = 100;
/// Ancestors that are drawn besides the root.
const ABOVE: usize = 16;
/// Nodes that are drawn for no other reason than that they had a part in making another.
const BESIDE: usize = 24;
/// Lines that are drawn beside those of the tree.
const LINES: usize = 600;

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'w> {
    /// The node whose ancestors and descendants are drawn.
    pub(crate) pivot: u32,
    /// Places at most.
    pub(crate) most: usize,
    /// What is open, by its name in an address: the position of the first child that is shown.
    pub(crate) open: &'w BTreeMap<String, usize>,
    /// The name of a node in an address.
    pub(crate) name: &'w dyn Fn(u32) -> String,
}

impl std::fmt::Debug for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wanted")
            .field("pivot", &self.pivot)
            .finish_non_exhaustive()
    }
}

/// What stands in a place.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A node.
    Node(u32),
    /// Children that are alike, and whether some of them stand below.
    Group(Rc<Group>, Shown),
    /// More of what the name in an address stands for: how many, and the position of the first.
    Further(Slice),
    /// What a node made, for which there is no room.
    Beyond(u32),
    /// Generations between a root and the next ancestor that is drawn: how many, and the middle one.
    Between(usize, u32),
}

/// Whether the members of a group stand below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Some do.
    Open,
    /// None does.
    Folded,
}

/// Children that are not drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Whose, in an address.
    pub(crate) key: String,
    /// The position of the first that a reader who follows it sees.
    pub(crate) from: usize,
    /// How many there are.
    pub(crate) count: usize,
    /// Whether they come before those that are drawn.
    pub(crate) earlier: bool,
}

/// One place of a drawing.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// What stands there.
    pub(crate) what: What,
    /// The place above it in the tree.
    pub(crate) parent: Option<usize>,
    /// How it came from there.
    pub(crate) edge: Option<Edge>,
    /// How many calls there say so.
    pub(crate) calls: usize,
}

/// A line beside those of the tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Across {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) edge: Edge,
}

/// What is drawn.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) places: Vec<Place>,
    pub(crate) across: Vec<Across>,
    /// All places, siblings in the order in which they stand.
    pub(crate) order: Vec<usize>,
    /// The place of the node that was asked for.
    pub(crate) pivot: usize,
}

/// Chooses what is drawn.
pub(crate) fn select(report: &Report<'_, '_>, wanted: Wanted<'_>) -> Selection {
    let mut select = Select {
        report,
        wanted,
        places: Vec::new(),
        at: BTreeMap::new(),
        room: wanted.most,
        waiting: VecDeque::new(),
    };
    let above = select.above();
    let pivot = select.node(wanted.pivot, above);
    while let Some(place) = select.waiting.pop_front() {
        select.below(place);
    }
    select.beside();
    let moved = select.explain();
    Selection {
        across: select.across(),
        order: select.order(&moved),
        places: select.places,
        pivot,
    }
}

struct Select<'s, 'r, 'l> {
    report: &'s Report<'r, 'l>,
    wanted: Wanted<'s>,
    places: Vec<Place>,
    /// The place of each node that has one.
    at: BTreeMap<u32, usize>,
    /// Places that are left. Whoever waits has one kept, for `What::Beyond`.
    room: usize,
    waiting: VecDeque<usize>,
}

/// The place above another, and how it came from there.
type Link = (Option<usize>, Option<Edge>);

/// What is to be placed below a node, and how it came to be.
type Next = (What, Option<Edge>);

impl Select<'_, '_, '_> {
    fn place(&mut self, what: What, (parent, edge): Link) -> usize {
        self.room = self.room.saturating_sub(1);
        if let What::Node(node) = what {
            self.at.insert(node, self.places.len());
        }
        self.places.push(Place {
            what,
            parent,
            edge,
            calls: 1,
        });
        self.places.len() - 1
    }

    /// Places a node, whose children then wait.
    fn node(&mut self, node: u32, from: Link) -> usize {
        let place = self.place(What::Node(node), from);
        if leads_on(self.report, node) {
            self.room = self.room.saturating_sub(1);
            self.waiting.push_back(place);
        }
        place
    }

    /// Places what is above the pivot: the root, and the nearest of the others.
    fn above(&mut self) -> Link {
        let lineage = self.report.lineage();
        let chain: Vec<Edge> = lineage
            .ancestors(self.wanted.pivot)
            .into_iter()
            .copied()
            .collect();
        let hidden = match chain.len().saturating_sub(ABOVE + 1) {
            0 | 1 => 0..0,
            many => ABOVE..ABOVE + many,
        };
        let mut from: Link = (None, None);
        for (steps, up) in chain.iter().enumerate().rev() {
            if !hidden.contains(&steps) {
                from = (Some(self.place(What::Node(up.parent), from)), Some(*up));
            } else if steps + 1 == hidden.end {
                let middle = chain.get(hidden.start + hidden.len() / 2);
                let middle = middle.map_or(up.parent, |edge| edge.parent);
                let between = What::Between(hidden.len(), middle);
                from = (Some(self.place(between, (from.0, None))), None);
            }
        }
        from
    }

    /// Places what a node made, as much of it as there is room for.
    fn below(&mut self, place: usize) {
        self.room += 1;
        let Some(What::Node(node)) = self.places.get(place).map(|place| &place.what) else {
            return;
        };
        let node = *node;
        let name = (self.wanted.name)(node);
        let entries = fan(self.report, (node, &name), |node| {
            self.at.contains_key(&node)
        });
        let mut sizes =
            std::iter::successors(Some(SLICE), |size| Some(size / 2).filter(|size| *size > 0));
        let fitting = sizes.find_map(|size| {
            let next = self.next((&name, &entries), size);
            (next.iter().map(|(what, _)| self.cost(what)).sum::<usize>() <= self.room)
                .then_some(next)
        });
        let fitting = fitting.unwrap_or_else(|| vec![(What::Beyond(node), None)]);
        for (what, edge) in fitting {
            let from = (Some(place), edge);
            match what {
                What::Node(node) => self.node(node, from),
                what => self.place(what, from),
            };
        }
    }

    /// How many places are taken or kept.
    fn cost(&self, what: &What) -> usize {
        match what {
            What::Node(node) => 1 + usize::from(leads_on(self.report, *node)),
            _ => 1,
        }
    }

    /// At most `size` entries of what a node made, and as many members of each group that is open.
    fn next(&self, (name, entries): (&str, &[Entry]), size: usize) -> Vec<Next> {
        let mut next = Vec::new();
        let from = self.wanted.open.get(name).copied().unwrap_or_default();
        windowed(
            &mut next,
            (name, entries),
            (from, size),
            |next, entry| match entry {
                Entry::One(edge) => next.push((What::Node(edge.child), Some(*edge))),
                Entry::Alike(group) => self.members(next, group, size),
            },
        );
        next
    }

    fn members(&self, next: &mut Vec<Next>, group: &Rc<Group>, size: usize) {
        let edge = group.members.first().copied();
        let open = self.wanted.open.get(&group.key);
        let shown = if open.is_some() {
            Shown::Open
        } else {
            Shown::Folded
        };
        next.push((What::Group(Rc::clone(group), shown), edge));
        if let Some(&from) = open {
            windowed(
                next,
                (&group.key, &group.members),
                (from, size),
                |next, edge| {
                    next.push((What::Node(edge.child), Some(*edge)));
                },
            );
        }
    }

    /// Places the nodes that had a part in making those that are drawn.
    fn beside(&mut self) {
        let lineage = self.report.lineage();
        let drawn: Vec<u32> = self.at.keys().copied().collect();
        let mut left = BESIDE;
        for edge in drawn.iter().flat_map(|&node| lineage.parents(node)) {
            if left > 0 && self.room > 0 && !self.at.contains_key(&edge.parent) {
                self.place(What::Node(edge.parent), (None, None));
                left -= 1;
            }
        }
    }

    /// Puts nodes below the parent that best explains them, where that is drawn; the places that moved.
    fn explain(&mut self) -> BTreeSet<usize> {
        let lineage = self.report.lineage();
        let mut moved = BTreeSet::new();
        for (&node, &number) in &self.at {
            let best = lineage.primary(node).copied();
            let best = best.and_then(|edge| Some((*self.at.get(&edge.parent)?, edge)));
            let best = best.filter(|(parent, _)| !self.is_below(*parent, number));
            let Some(place) = self
                .places
                .get_mut(number)
                .filter(|place| place.parent.is_some())
            else {
                continue;
            };
            if let Some((parent, edge)) = best {
                moved.extend((place.parent != Some(parent)).then_some(number));
                (place.parent, place.edge) = (Some(parent), Some(edge));
            }
            if let Some(edge) = place.edge {
                let same = lineage
                    .parents(node)
                    .filter(|other| other.parent == edge.parent);
                place.calls = same.count().max(1);
            }
        }
        moved
    }

    /// Whether a place is another or stands below it.
    fn is_below(&self, place: usize, top: usize) -> bool {
        let above = |place: &usize| self.places.get(*place)?.parent;
        std::iter::successors(Some(place), above).any(|above| above == top)
    }

    /// The lines between places that are not the tree's, one for each two places.
    fn across(&self) -> Vec<Across> {
        let lineage = self.report.lineage();
        let mut found: BTreeMap<(usize, usize), Edge> = BTreeMap::new();
        for (&node, &to) in &self.at {
            let parent = self.places.get(to).and_then(|place| place.parent);
            for edge in lineage.parents(node) {
                let from = self.at.get(&edge.parent).copied();
                if let Some(from) = from.filter(|&from| Some(from) != parent && from != to) {
                    found.entry((from, to)).or_insert(*edge);
                }
            }
        }
        let lines = found.into_iter().take(LINES);
        lines
            .map(|((from, to), edge)| Across { from, to, edge })
            .collect()
    }

    /// The places in the order in which siblings stand: as they were placed, which is by time, and what moved
    /// by its own time among them.
    fn order(&self, moved: &BTreeSet<usize>) -> Vec<usize> {
        let mut last: BTreeMap<Option<usize>, u32> = BTreeMap::new();
        let mut order: Vec<(u32, usize)> = Vec::with_capacity(self.places.len());
        for (number, place) in self.places.iter().enumerate() {
            let own = place.edge.map_or(0, |edge| edge.time);
            let time = match last.entry(place.parent).or_default() {
                _ if moved.contains(&number) => own,
                before => {
                    *before = own.max(*before);
                    *before
                }
            };
            order.push((time, number));
        }
        order.sort_unstable();
        order.into_iter().map(|(_, number)| number).collect()
    }
}

/// Adds the items from a position on, and what stands for those before and after them.
fn windowed<T>(
    next: &mut Vec<Next>,
    (key, items): (&str, &[T]),
    (from, size): (usize, usize),
    mut add: impl FnMut(&mut Vec<Next>, &T),
) {
    let from = from.min(items.len().saturating_sub(1));
    let to = items.len().min(from + size);
    let further = |from, count, earlier| {
        What::Further(Slice {
            key: key.to_owned(),
            from,
            count,
            earlier,
        })
    };
    if from > 0 {
        next.push((further(from.saturating_sub(SLICE), from, true), None));
    }
    items
        .iter()
        .skip(from)
        .take(size)
        .for_each(|item| add(next, item));
    if to < items.len() {
        next.push((further(to, items.len() - to, false), None));
    }
}
