//! Where the places of a drawing stand: a tidy tree that grows to the right. Must not know what a place shows.
//!
//! A column is a generation: whatever made something stands left of it. Within a column the children of one
//! place stand in their order, which is that of time, and the first beside its parent, so that a drawing of
//! any size begins in its upper left corner. Subtrees move up as far as the ones above them leave room.

use std::collections::BTreeMap;

/// A cell of the drawing; no two places have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    /// Counted from the left.
    pub(crate) column: usize,
    /// Counted from the top.
    pub(crate) row: usize,
}

/// The first and the last row of a subtree in a column.
type Contour = BTreeMap<usize, (usize, usize)>;

/// Sets out places, each with the place above it in the tree, if any, and lines from place to place beside
/// those of the tree; `order` has every place once, siblings in the order in which they shall stand.
/// INVARIANT: the tree has no circle; the lines may have.
pub(crate) fn layout(
    tree: &[Option<usize>],
    across: &[(usize, usize)],
    order: &[usize],
) -> Vec<Spot> {
    let columns = columns(tree, across);
    let mut children = vec![Vec::new(); tree.len()];
    let mut roots = Vec::new();
    for &place in order {
        let parent = tree.get(place).copied().flatten();
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(place),
            None => roots.push(place),
        }
    }
    let order = preorder(&roots, &children);
    let shifts = shifts(&order, &children, &columns);
    let mut rows = vec![0; tree.len()];
    for &place in &order {
        let above = tree.get(place).copied().flatten();
        let start = above.and_then(|above| rows.get(above).copied());
        let shift = shifts.get(place).copied().unwrap_or_default();
        if let Some(row) = rows.get_mut(place) {
            *row = start.unwrap_or_default() + shift;
        }
    }
    let spots = columns.into_iter().zip(rows);
    spots.map(|(column, row)| Spot { column, row }).collect()
}

/// The longest way from any root, along the tree and the lines that close no circle.
fn columns(tree: &[Option<usize>], across: &[(usize, usize)]) -> Vec<usize> {
    let mut state = Columns::new(tree, across);
    while state.done < tree.len() {
        let ready = state.ready.pop();
        let Some(place) = ready.or_else(|| state.begins_a_circle(tree)) else {
            break;
        };
        state.finish(place);
    }
    state.pull(tree, across);
    state.columns
}

#[derive(Debug)]
struct Columns {
    columns: Vec<usize>,
    /// Lines out of each place, the tree's among them.
    out: Vec<Vec<usize>>,
    /// Lines into each place that were not walked.
    waiting: Vec<usize>,
    finished: Vec<bool>,
    ready: Vec<usize>,
    done: usize,
}

impl Columns {
    fn new(tree: &[Option<usize>], across: &[(usize, usize)]) -> Self {
        let count = tree.len();
        let (mut out, mut waiting) = (vec![Vec::new(); count], vec![0; count]);
        let of_tree = tree.iter().enumerate();
        let of_tree = of_tree.filter_map(|(place, parent)| Some(((*parent)?, place)));
        for (from, to) in of_tree.chain(across.iter().copied()) {
            if let (Some(out), Some(waiting)) = (out.get_mut(from), waiting.get_mut(to)) {
                out.push(to);
                *waiting += 1;
            }
        }
        let first = waiting.iter().enumerate();
        let first = first.filter(|(_, lines)| **lines == 0);
        Self {
            columns: vec![0; count],
            ready: first.map(|(place, _)| place).collect(),
            finished: vec![false; count],
            out,
            waiting,
            done: 0,
        }
    }

    fn finish(&mut self, place: usize) {
        if let Some(finished) = self.finished.get_mut(place) {
            *finished = true;
        }
        self.done += 1;
        let next = self.columns.get(place).copied().unwrap_or_default() + 1;
        for to in self
            .out
            .get_mut(place)
            .map(std::mem::take)
            .unwrap_or_default()
        {
            if self.finished.get(to) != Some(&false) {
                continue;
            }
            if let (Some(column), Some(waiting)) =
                (self.columns.get_mut(to), self.waiting.get_mut(to))
            {
                *column = next.max(*column);
                *waiting = waiting.saturating_sub(1);
                if *waiting == 0 {
                    self.ready.push(to);
                }
            }
        }
    }

    /// The first place for which only lines of circles wait: its parent in the tree has its column.
    fn begins_a_circle(&self, tree: &[Option<usize>]) -> Option<usize> {
        let is_done = |place: usize| self.finished.get(place) == Some(&true);
        let mut open = tree
            .iter()
            .enumerate()
            .filter(|(place, _)| !is_done(*place));
        let first = open.find(|(_, parent)| parent.is_none_or(is_done));
        first.map(|(place, _)| place)
    }

    /// What only a line leads away from stands just before what it leads to.
    fn pull(&mut self, tree: &[Option<usize>], across: &[(usize, usize)]) {
        let mut nearest: BTreeMap<usize, usize> = BTreeMap::new();
        for (from, to) in across {
            let column = self.columns.get(*to).copied().unwrap_or_default();
            let known = nearest.entry(*from).or_insert(column);
            *known = column.min(*known);
        }
        for parent in tree.iter().flatten() {
            nearest.remove(parent);
        }
        for (place, column) in nearest {
            let is_root = tree.get(place) == Some(&None);
            if let Some(own) = self.columns.get_mut(place).filter(|_| is_root) {
                *own = column.saturating_sub(1).max(*own);
            }
        }
    }
}

fn preorder(roots: &[usize], children: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(children.len());
    let mut waiting: Vec<usize> = roots.iter().rev().copied().collect();
    while let Some(place) = waiting.pop() {
        order.push(place);
        let below = children.get(place).map_or(&[][..], Vec::as_slice);
        waiting.extend(below.iter().rev());
    }
    order
}

/// How many rows each place stands below its parent, or a root below the top.
fn shifts(order: &[usize], children: &[Vec<usize>], columns: &[usize]) -> Vec<usize> {
    let column = |place: usize| columns.get(place).copied().unwrap_or_default();
    let mut shifts = vec![0; columns.len()];
    let mut contours: Vec<Contour> = vec![Contour::new(); columns.len()];
    let mut is_child = vec![false; columns.len()];
    for &place in order.iter().rev() {
        let mut whole = Contour::new();
        for &child in children.get(place).map_or(&[][..], Vec::as_slice) {
            let mut part = contours
                .get_mut(child)
                .map(std::mem::take)
                .unwrap_or_default();
            // The line to a child that stands further right needs the cells that it passes.
            part.extend((column(place) + 1..column(child)).map(|passed| (passed, (0, 0))));
            set(&mut shifts, child, join(&mut whole, part));
            set(&mut is_child, child, true);
        }
        whole.insert(column(place), (0, 0));
        set(&mut contours, place, whole);
    }
    let mut whole = Contour::new();
    for &root in order {
        if is_child.get(root) == Some(&false) {
            let part = contours
                .get_mut(root)
                .map(std::mem::take)
                .unwrap_or_default();
            set(&mut shifts, root, join(&mut whole, part));
        }
    }
    shifts
}

fn set<T>(values: &mut [T], place: usize, value: T) {
    if let Some(slot) = values.get_mut(place) {
        *slot = value;
    }
}

/// Puts one contour below another, as high as it goes; by how many rows it went down.
fn join(whole: &mut Contour, part: Contour) -> usize {
    let below = |(column, (top, _)): (&usize, &(usize, usize))| {
        let bottom = whole.get(column).map(|(_, bottom)| bottom + 1);
        bottom.unwrap_or_default().saturating_sub(*top)
    };
    let shift = part.iter().map(below).max().unwrap_or_default();
    for (column, (top, bottom)) in part {
        let moved = (top + shift, bottom + shift);
        let known = whole.entry(column).or_insert(moved);
        *known = (known.0.min(moved.0), known.1.max(moved.1));
    }
    shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn spots(tree: &[Option<usize>], across: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let order: Vec<usize> = (0..tree.len()).collect();
        let spots = layout(tree, across, &order);
        spots.iter().map(|spot| (spot.column, spot.row)).collect()
    }

    #[test]
    fn nothing_one_place_and_a_chain() {
        assert_eq!(spots(&[], &[]), []);
        assert_eq!(spots(&[None], &[(0, 0)]), [(0, 0)]);
        assert_eq!(
            spots(&[None, Some(0), Some(1)], &[]),
            [(0, 0), (1, 0), (2, 0)]
        );
    }

    #[test]
    fn children_stand_in_their_order_and_the_first_beside_its_parent() {
        let tree = [None, Some(0), Some(0), Some(0), Some(1), Some(1), Some(3)];
        assert_eq!(
            spots(&tree, &[]),
            [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]
        );
    }

    #[test]
    fn a_line_across_moves_its_end_to_the_right_and_what_explains_it_beside_it() {
        // 2 is made by 1 as well; 4 is only there to explain 3.
        let tree = [None, Some(0), Some(0), Some(2), None];
        let found = spots(&tree, &[(1, 2), (4, 3)]);
        assert_eq!(found, [(0, 0), (1, 0), (2, 1), (3, 1), (2, 2)]);
    }

    #[test]
    fn circles_end() {
        let tree = [None, Some(0), Some(1)];
        assert_eq!(spots(&tree, &[(2, 0), (2, 1)]), [(0, 0), (1, 0), (2, 0)]);
        assert_eq!(spots(&[None, None], &[(0, 1), (1, 0)]).len(), 2);
    }

    /// A forest of up to 400 places in any order of depth, and lines that may close circles.
    fn graphs() -> impl Strategy<Value = (Vec<Option<usize>>, Vec<(usize, usize)>)> {
        (0usize..400).prop_flat_map(|count| {
            let above = (0..count).map(|place| prop::option::weighted(0.9, 0..place.max(1)));
            let tree: Vec<_> = above.collect();
            let tree = tree.prop_map(|mut tree| {
                if let Some(first) = tree.first_mut() {
                    *first = None;
                }
                tree
            });
            (
                tree,
                prop::collection::vec((0..count.max(1), 0..count.max(1)), 0..30),
            )
        })
    }

    proptest! {
        #[test]
        fn no_two_places_share_a_cell_and_children_stand_to_the_right((tree, across) in graphs()) {
            let across: Vec<_> = across.into_iter().filter(|(from, _)| *from < tree.len()).collect();
            let order: Vec<usize> = (0..tree.len()).rev().collect();
            let spots = layout(&tree, &across, &order);
            prop_assert_eq!(&spots, &layout(&tree, &across, &order));
            let cells: BTreeSet<_> = spots.iter().collect();
            prop_assert_eq!(cells.len(), tree.len());
            for (place, parent) in tree.iter().enumerate() {
                let Some(parent) = *parent else { continue };
                prop_assert!(spots[parent].column < spots[place].column);
                prop_assert!(spots[parent].row <= spots[place].row);
                // Nothing stands on the way of a line of the tree.
                let passed = (spots[parent].column + 1..spots[place].column)
                    .map(|column| Spot { column, row: spots[place].row });
                for cell in passed {
                    prop_assert!(!cells.contains(&cell), "{cell:?} is on the way to {place}");
                }
            }
        }
    }
}
