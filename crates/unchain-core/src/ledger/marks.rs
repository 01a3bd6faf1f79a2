//! The marks of uses with more than one event: written down as they come, put in order when they are asked for.
//!
//! Growing a list for each use would visit far memory for every few events, and leave holes where lists had
//! been. So marks are appended to heaps, one for every few thousand rows, and a heap is put in order
//! alone, in near memory.
//! INVARIANT: what a heap holds of a row is a set; putting it in order changes how it is written, not which
//! marks are in it (`tests/ledger_law.rs`).

use super::spill::{BLOCK, Block, Room, Spill, is_full};
use super::usage::{Many, Mark, Use};
use std::sync::Arc;

/// Rows that share a heap: a third of a megabyte of them.
const ROWS: usize = if cfg!(test) { 4 } else { 1 << 13 };
/// A heap with so many words more than were in order is put in order before it grows further, so that reading
/// the same logs again and again does not fill the memory with repeats: a megabyte.
const REPEATS: usize = if cfg!(test) { 40 } else { 1 << 17 };

/// Marks by row.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    heaps: Vec<Heap>,
    room: Room,
}

/// The marks of [`ROWS`] rows, in pieces: a word with the row and the number of marks, and the marks.
#[derive(Clone, Debug, Default)]
struct Heap {
    /// Full blocks. A piece is in one block.
    blocks: Vec<Block>,
    /// The last block, which has room for a piece.
    last: Vec<u64>,
    /// How many words there are.
    words: usize,
    /// How many of them were in order when that was done last.
    settled: usize,
}

impl Marks {
    /// From now on, what is too much for the memory goes to a spill.
    pub(super) fn set_spill(&mut self, spill: Arc<dyn Spill>) {
        self.room.set_spill(spill);
    }

    /// Whether marks went to the spill that could not be read again.
    pub(super) fn has_lost(&self) -> bool {
        self.room.has_lost()
    }

    /// Adds marks to a row.
    #[inline]
    pub(super) fn add(&mut self, row: u32, marks: &[Mark]) {
        let heap = row as usize / ROWS;
        if heap >= self.heaps.len() {
            self.heaps.resize_with(heap + 1, Heap::default);
        }
        if let Some(heap) = self.heaps.get_mut(heap) {
            heap.add((row, marks), &mut self.room);
        }
    }

    /// Adds everything of another; `rows` has the number here of each row there.
    pub(super) fn unite(&mut self, mut other: Self, rows: &[u32]) {
        let mut marks = Vec::new();
        for heap in other.heaps {
            for block in heap.all() {
                for (row, words) in pieces(&other.room.take(block)) {
                    marks.clear();
                    marks.extend(words.iter().copied().map(Mark));
                    if let Some(&row) = rows.get(row as usize) {
                        self.add(row, &marks);
                    }
                }
            }
        }
        self.room.unite(&other.room);
    }

    /// Whether everything is in order.
    pub(super) fn is_settled(&self) -> bool {
        self.heaps.iter().all(|heap| heap.settled == heap.words)
    }

    /// Puts everything in order, and tells the rows how many marks they have and where.
    pub(super) fn settle(&mut self, rows: &mut [Many]) {
        self.settle_those(rows, |heap| heap.settled < heap.words);
    }

    /// Puts the heaps in order that have grown much.
    pub(super) fn settle_grown(&mut self, rows: &mut [Many]) {
        self.settle_those(rows, |heap| heap.words > 2 * heap.settled + REPEATS);
    }

    fn settle_those(&mut self, rows: &mut [Many], which: fn(&Heap) -> bool) {
        for (heap, rows) in self.heaps.iter_mut().zip(rows.chunks_mut(ROWS)) {
            if which(heap) {
                heap.settle(rows, &mut self.room);
            }
        }
    }

    /// The marks of a row that is in order, ascending.
    pub(super) fn of(&self, usage: &Use, many: &Many) -> Vec<Mark> {
        let mut out = Vec::with_capacity(many.count as usize);
        let heap = self.heaps.get(usage.many as usize / ROWS);
        let mut at = many.at as usize;
        while out.len() < many.count as usize {
            let end = at % BLOCK + 1 + many.count as usize - out.len();
            let range = at % BLOCK..end.min(BLOCK);
            let words = heap.and_then(|heap| match heap.blocks.get(at / BLOCK) {
                Some(block) => self.room.words(block, range),
                None => heap.last.get(range).map(Vec::from),
            });
            let Some(words) = words else { break };
            let Some((_, marks)) = pieces(&words).next() else {
                break;
            };
            out.extend(marks.iter().copied().map(Mark));
            at = (at / BLOCK + 1) * BLOCK;
        }
        out
    }
}

impl Heap {
    fn add(&mut self, (row, mut marks): (u32, &[Mark]), room: &mut Room) {
        while !marks.is_empty() {
            if self.last.capacity() == 0 {
                self.last = Vec::with_capacity(BLOCK);
            }
            let piece = marks.len().min(BLOCK - 1 - self.last.len());
            let (now, later) = marks.split_at(piece);
            self.last.push(u64::from(row) << 32 | piece as u64);
            self.last.extend(now.iter().map(|mark| mark.0));
            self.words += piece + 1;
            if is_full(&self.last) {
                self.blocks.push(room.keep(std::mem::take(&mut self.last)));
            }
            marks = later;
        }
    }

    /// All blocks.
    fn all(self) -> impl Iterator<Item = Block> {
        let last = Block::Here(self.last);
        self.blocks.into_iter().chain([last])
    }

    /// Where the next piece will be.
    fn end(&self) -> u32 {
        u32::try_from(self.blocks.len() * BLOCK + self.last.len()).unwrap_or(u32::MAX)
    }

    /// Puts the heap in order; `rows` are its own.
    fn settle(&mut self, rows: &mut [Many], room: &mut Room) {
        let blocks = std::mem::take(self).all();
        let blocks: Vec<Vec<u64>> = blocks.map(|block| room.take(block)).collect();
        let mut order: Vec<Piece<'_>> = blocks.iter().flat_map(|block| pieces(block)).collect();
        // Stable, so that the pieces of a row stay in the order of their arrival, which is nearly that of time.
        order.sort_by_key(|(row, _)| *row);
        let mut marks = Vec::new();
        for alike in order.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(row, _)) = alike.first() else {
                continue;
            };
            marks.clear();
            let words = alike.iter().flat_map(|(_, words)| words.iter());
            marks.extend(words.copied().map(Mark));
            if !marks.is_sorted_by(|a, b| a < b) {
                marks.sort_unstable();
                marks.dedup();
            }
            if let Some(many) = rows.get_mut(row as usize % ROWS) {
                many.count = u32::try_from(marks.len()).unwrap_or(u32::MAX);
                many.at = self.end();
            }
            self.add((row, &marks), room);
        }
        self.settled = self.words;
    }
}

/// A row and some of its marks.
type Piece<'b> = (u32, &'b [u64]);

/// The pieces that are written in a block.
fn pieces(mut words: &[u64]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let (head, rest) = words.split_first()?;
        let count = usize::try_from(head & u64::from(u32::MAX)).ok()?;
        // The word that is left over where no piece fits.
        if count == 0 {
            return None;
        }
        let (marks, rest) = rest.split_at_checked(count)?;
        words = rest;
        Some((u32::try_from(head >> 32).ok()?, marks))
    })
}

#[cfg(test)]
mod tests {
    use super::super::event_key::EventKey;
    use super::super::spill::tests::Board;
    use super::super::usage::UseKey;
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    const ALL: u32 = 10;

    fn rows() -> Vec<Many> {
        let end = (Mark(0), EventKey::NONE);
        (0..ALL).map(|_| Many::new(end)).collect()
    }

    fn usage(row: u32) -> Use {
        let (caller, act, client) = (0, 0, 0);
        Use {
            key: UseKey {
                caller,
                act,
                client,
            },
            first_id: EventKey::NONE,
            first: Mark(0),
            many: row,
        }
    }

    type Model = BTreeMap<u32, BTreeSet<u64>>;

    fn add(marks: &mut Marks, model: &mut Model, (row, own): (u32, &[u64])) {
        let new: Vec<Mark> = own.iter().copied().map(Mark).collect();
        marks.add(row, &new);
        model.entry(row).or_default().extend(own);
    }

    fn is_as(marks: &Marks, rows: &[Many], model: &Model) -> Result<(), TestCaseError> {
        for (row, many) in (0u32..).zip(rows) {
            let own = model.get(&row).cloned().unwrap_or_default();
            let own: Vec<Mark> = own.into_iter().map(Mark).collect();
            prop_assert_eq!(marks.of(&usage(row), many), own);
        }
        Ok(())
    }

    /// Marks of a row, few of which are new.
    fn added() -> impl Strategy<Value = (u32, Vec<u64>)> {
        (0..ALL, vec(0u64..60, 0..40))
    }

    proptest! {
        #[test]
        fn marks_are_sets_wherever_they_are(
            first in vec((added(), any::<bool>()), 0..30),
            other in vec(added(), 0..20),
            later in vec(added(), 0..9),
            room in prop::sample::select(vec![0usize, 600, 1 << 20]),
        ) {
            let (mut marks, mut rows, mut model) = (Marks::default(), rows(), Model::new());
            let board = Board::new(room, usize::MAX);
            marks.set_spill(board.clone());
            for ((row, own), settle) in &first {
                add(&mut marks, &mut model, (*row, own));
                if *settle {
                    marks.settle_grown(&mut rows);
                }
            }
            let mut others = Marks::default();
            others.set_spill(board);
            let mut theirs = Model::new();
            for (row, own) in &other {
                add(&mut others, &mut theirs, (*row, own));
            }
            let turned: Vec<u32> = (0..ALL).rev().collect();
            for (row, own) in theirs {
                model.entry(ALL - 1 - row).or_default().extend(own);
            }
            marks.unite(others, &turned);
            marks.settle(&mut rows);
            is_as(&marks, &rows, &model)?;
            for (row, own) in &later {
                add(&mut marks, &mut model, (*row, own));
            }
            marks.settle(&mut rows);
            prop_assert!(marks.is_settled() && !marks.has_lost());
            is_as(&marks, &rows, &model)?;
        }

        #[test]
        fn repeats_do_not_fill_the_memory(own in vec(0u64..60, 1..40)) {
            let (mut marks, mut rows, mut model) = (Marks::default(), rows(), Model::new());
            for _ in 0..50 {
                add(&mut marks, &mut model, (1, &own));
                marks.settle_grown(&mut rows);
            }
            let words: usize = marks.heaps.iter().map(|heap| heap.words).sum();
            prop_assert!(words <= 3 * 2 * 70 + REPEATS, "{words}");
        }
    }

    #[test]
    fn lost_marks_are_noticed() {
        let mut marks = Marks::default();
        marks.set_spill(Board::new(usize::MAX, 100));
        for n in 0..500 {
            marks.add(0, &[Mark(n)]);
        }
        marks.settle(&mut rows());
        assert!(marks.has_lost());
    }
}
