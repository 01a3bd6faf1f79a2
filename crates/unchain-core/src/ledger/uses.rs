//! The uses as a set: events are gathered in batches, and the batches are folded in now and then.
//!
//! Events wait in a batch that fits the processor's near memory; a full batch becomes rows, one for each
//! use in it, and when there are many new rows they are sorted and united with the old ones in one
//! pass. Looking up every event's use in a table instead waits for far memory several times an event
//! (docs/decisions/0005-speed.md).
//! INVARIANT: the settled uses ascend by key without repeats, and so do the marks of a use; uniting two
//! rows unites their sets of events, so the order of arrival does not matter (`tests/ledger_law.rs`).

use super::event_key::EventKey;
use super::load::StoredUse;
use super::marks::Marks;
use super::ordered::{self, ordered, rows_of};
use super::spill::Spill;
use super::usage::{Many, Mark, Use, UseKey};
use std::sync::Arc;

/// Events that are sorted together: with their order, two megabytes.
const BATCH: usize = 1 << 15;

/// One event of a use.
type Entry = (UseKey, Mark, EventKey);

/// So many new rows are folded in together at least: four megabytes.
const NEW: usize = 1 << 16;
/// And this part of the rows that are there, so that those are not gone through too often.
const PART: usize = 8;

/// So many events are worth a word each to be sorted by.
const WORDS: usize = 21;

/// A row that is new.
struct Fresh {
    /// Before which of the known ones it belongs.
    before: u32,
    /// Where it is among the others.
    row: u32,
}

/// All uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    pending: Vec<Entry>,
    /// In any order, with repeats.
    new: Run,
    /// The marks of the new rows, one after the other.
    new_marks: Vec<Mark>,
    settled: Run,
    /// The marks of the settled rows.
    marks: Marks,
}

/// Uses, and more about those that have more than one event.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) uses: Vec<Use>,
    pub(super) many: Vec<Many>,
}

/// Marks that a settled row gets from another.
enum Added {
    One(Mark),
    /// Those of the other run's row of this number.
    Of(u32),
}

impl Uses {
    pub(super) fn set_spill(&mut self, spill: Arc<dyn Spill>) {
        self.marks.set_spill(spill);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.new.uses.is_empty() && self.settled.uses.is_empty()
    }

    #[inline]
    pub(super) fn add(&mut self, key: UseKey, mark: Mark, id: EventKey) {
        self.pending.push((key, mark, id));
        if self.pending.len() >= BATCH {
            self.flush();
        }
    }

    pub(super) fn load(&mut self, stored: StoredUse) {
        self.load_new(stored);
        if self.has_many_new() {
            self.fold();
        }
    }

    /// Adds another's rows, whose keys are in any order, to what rests.
    pub(super) fn unite(&mut self, mut rows: Run, marks: Marks) {
        let mut numbers = vec![Use::ONE; rows.many.len()];
        let order = by_callers(&mut rows.uses);
        let order = order.iter().flat_map(|own| own.start..own.end);
        let others = (&mut *rows.uses, &*rows.many);
        let fresh = self.settled.sift(others, order, |row, added| match added {
            Added::One(mark) => self.marks.add(row, &[mark]),
            Added::Of(number) => {
                if let Some(slot) = numbers.get_mut(number as usize) {
                    *slot = row;
                }
            }
        });
        // Two ledgers are in memory now: what is not needed goes first.
        rows.many = Vec::new();
        self.settled.insert(&fresh, &rows.uses);
        drop((rows, fresh));
        self.marks.unite(marks, &numbers);
    }

    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.new.uses.is_empty() && self.marks.is_settled()
    }

    /// What is settled.
    pub(super) fn rows(&self) -> &Run {
        &self.settled
    }

    /// The marks of what is settled.
    pub(super) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Brings everything into order.
    pub(super) fn settle(&mut self) {
        self.flush();
        self.fold();
        self.marks.settle(&mut self.settled.many);
    }

    fn has_many_new(&self) -> bool {
        self.new.uses.len() >= NEW.max(self.settled.uses.len() / PART)
    }

    /// Makes rows of what is pending.
    fn flush(&mut self) {
        self.add_new();
        self.pending.clear();
        if self.has_many_new() {
            self.fold();
        }
    }

    fn fold(&mut self) {
        let Run { uses, many } = &mut self.new;
        let marks = &self.new_marks;
        let order = by_keys(uses);
        let fresh = self
            .settled
            .sift((uses, many), order, |row, added| match added {
                Added::One(mark) => self.marks.add(row, &[mark]),
                Added::Of(number) => {
                    let own = many.get(number as usize);
                    let own = own.and_then(|m| marks.get(m.at as usize..)?.get(..m.count as usize));
                    self.marks.add(row, own.unwrap_or_default());
                }
            });
        self.settled.insert(&fresh, uses);
        uses.clear();
        many.clear();
        self.new_marks.clear();
        self.marks.settle_grown(&mut self.settled.many);
    }

    /// Everything that rests, which is gone from here afterwards.
    pub(super) fn take(&mut self) -> (Run, Marks) {
        (
            std::mem::take(&mut self.settled),
            std::mem::take(&mut self.marks),
        )
    }

    /// Folds everything in, and frees the room for more.
    pub(super) fn rest(&mut self) {
        self.flush();
        self.fold();
        self.pending = Vec::new();
        self.new = Run::default();
        self.new_marks = Vec::new();
    }

    /// Brings everything into order, and frees the room kept for more.
    pub(super) fn shrink(&mut self) {
        self.rest();
        self.marks.settle(&mut self.settled.many);
        self.settled.uses.shrink_to_fit();
        self.settled.many.shrink_to_fit();
    }

    /// Makes rows of the pending events, which are in any order.
    fn add_new(&mut self) {
        let entries = &self.pending;
        let order = ordered(entries.iter().map(|(key, ..)| parts(key)));
        let (mut group, mut words) = (Vec::new(), Vec::new());
        for alike in ordered::alike(&order) {
            let found = rows_of(alike, entries);
            if let [_] = alike {
                self.new.uses.extend(found.map(single));
                continue;
            }
            group.clear();
            group.extend(found.copied());
            sort(&mut group, &mut words);
            self.new.push_events(&group, &mut self.new_marks);
        }
    }

    fn load_new(&mut self, stored: StoredUse) {
        let (first, first_id) = stored.first;
        let mut usage = single(&(stored.key, first, first_id));
        if stored.count > 1 {
            let unloaded = stored.count.saturating_sub(stored.marks.len() as u64);
            let mut many = Many::new(stored.last);
            many.unloaded = u32::try_from(unloaded).unwrap_or(u32::MAX);
            usage.many = self.new.push(many, stored.marks, &mut self.new_marks);
        }
        self.new.uses.push(usage);
    }
}

/// Sorts events of one use; `words` is memory for it. Where they are many, words are sorted that hold all but
/// their ids: half of their size, and compared at once.
fn sort(events: &mut Vec<Entry>, words: &mut Vec<u128>) {
    if events.len() < WORDS {
        events.sort_unstable_by_key(|event| (event.1, event.2));
        return;
    }
    words.clear();
    let marks = events.iter().zip(0u32..);
    words.extend(marks.map(|(event, place)| u128::from(event.1.0) << 32 | u128::from(place)));
    words.sort_unstable();
    let count = events.len();
    for place in ordered::places(words) {
        if let Some(event) = events.get(place).copied() {
            events.push(event);
        }
    }
    events.drain(..count);
    for alike in events.chunk_by_mut(|a, b| a.1 == b.1) {
        alike.sort_unstable();
    }
}

/// What orders keys.
fn parts(key: &UseKey) -> [u32; 3] {
    [key.caller, key.act, key.client]
}

impl Run {
    /// Adds a use by its events, which ascend by mark and id.
    fn push_events(&mut self, events: &[Entry], marks: &mut Vec<Mark>) {
        let Some(first) = events.first() else { return };
        let mut usage = single(first);
        // Ties in the mark take the smaller id, so that order does not matter.
        let distinct = || events.chunk_by(|a, b| a.1 == b.1).filter_map(<[_]>::first);
        if let Some(&(_, last, last_id)) = distinct().next_back()
            && last != usage.first
        {
            let own = distinct().map(|event| event.1);
            usage.many = self.push(Many::new((last, last_id)), own, marks);
        }
        self.uses.push(usage);
    }

    /// Adds a row with its marks, to be put behind the others.
    fn push(
        &mut self,
        mut row: Many,
        own: impl IntoIterator<Item = Mark>,
        marks: &mut Vec<Mark>,
    ) -> u32 {
        let start = marks.len();
        marks.extend(own);
        row.at = u32::try_from(start).unwrap_or(u32::MAX);
        row.count = u32::try_from(marks.len() - start).unwrap_or(u32::MAX);
        push(&mut self.many, row)
    }

    /// Unites other rows with those of this run, which is in order, and gives those that are not here yet, in
    /// order. `order` has the places of the others in the order of their keys; `put` is told which row gets which marks.
    fn sift(
        &mut self,
        (others, others_many): (&mut [Use], &[Many]),
        order: impl IntoIterator<Item = u32>,
        mut put: impl FnMut(u32, Added),
    ) -> Vec<Fresh> {
        let mut fresh: Vec<Fresh> = Vec::new();
        let mut at = 0;
        for place in order {
            let Some(usage) = others.get(place as usize).copied() else {
                continue;
            };
            let own = others_many.get(usage.many as usize);
            while self.uses.get(at).is_some_and(|known| known.key < usage.key) {
                at += 1;
            }
            let known = match self.uses.get_mut(at) {
                Some(known) if known.key == usage.key => Some(known),
                _ => fresh
                    .last()
                    .and_then(|last| others.get_mut(last.row as usize))
                    .filter(|last| last.key == usage.key),
            };
            if let Some(known) = known {
                unite(known, &mut self.many, (&usage, own), &mut put);
                continue;
            }
            if let Some(own) = own {
                let row = push(&mut self.many, own.without_marks());
                put(row, Added::Of(usage.many));
                if let Some(usage) = others.get_mut(place as usize) {
                    usage.many = row;
                }
            }
            fresh.push(Fresh::new(at, place));
        }
        fresh
    }

    /// Puts those of some rows that are new where they belong, from the last to the first, so that no second
    /// copy of all rows is needed.
    fn insert(&mut self, fresh: &[Fresh], others: &[Use]) {
        let mut end = self.uses.len();
        let new = fresh
            .iter()
            .filter_map(|fresh| others.get(fresh.row as usize));
        self.uses.extend(new);
        // Most belong behind all others, where they are now: uses of callers that were not known.
        let between = fresh.partition_point(|fresh| (fresh.before as usize) < end);
        let between = fresh.get(..between).unwrap_or_default();
        for (left, fresh) in between.iter().enumerate().rev() {
            let before = fresh.before as usize;
            self.uses.copy_within(before..end, before + left + 1);
            end = before;
            if let (Some(slot), Some(usage)) = (
                self.uses.get_mut(before + left),
                others.get(fresh.row as usize),
            ) {
                *slot = *usage;
            }
        }
    }
}

impl Fresh {
    /// There are fewer rows than numbers for them.
    fn new(before: usize, row: u32) -> Self {
        Self {
            before: number(before),
            row,
        }
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The places of rows, which are in any order, in the order of their keys.
fn by_keys(rows: &[Use]) -> Vec<u32> {
    let order = ordered(rows.iter().map(|usage| parts(&usage.key)));
    ordered::places(&order).map(number).collect()
}

/// Rows of one caller.
struct Own {
    caller: u32,
    start: u32,
    end: u32,
}

/// Puts rows in order, of which those of a caller stand together, and tells where each caller's are, in the order of
/// callers.
fn by_callers(rows: &mut [Use]) -> Vec<Own> {
    let mut start = 0;
    let mut all = Vec::new();
    for own in rows.chunk_by_mut(|a, b| a.key.caller == b.key.caller) {
        own.sort_unstable_by_key(|usage| usage.key);
        let end = start + number(own.len());
        all.extend(own.first().map(|usage| Own {
            caller: usage.key.caller,
            start,
            end,
        }));
        start = end;
    }
    all.sort_by_key(|own| own.caller);
    all
}

fn push(many: &mut Vec<Many>, own: Many) -> u32 {
    let number = u32::try_from(many.len()).unwrap_or(Use::ONE);
    many.push(own);
    number
}

/// Unites a row with another of the same key.
fn unite(
    known: &mut Use,
    many: &mut Vec<Many>,
    (usage, own): (&Use, Option<&Many>),
    put: &mut impl FnMut(u32, Added),
) {
    if known.many != Use::ONE || own.is_some() || usage.first != known.first {
        if known.many == Use::ONE {
            known.many = push(many, Many::new((known.first, known.first_id)));
            put(known.many, Added::One(known.first));
        }
        let added = own.map_or(Added::One(usage.first), |_| Added::Of(usage.many));
        put(known.many, added);
        if let Some(many) = many.get_mut(known.many as usize) {
            many.see(own.map_or((usage.first, usage.first_id), |own| (own.last, own.last_id)));
            many.unloaded = many
                .unloaded
                .saturating_add(own.map_or(0, |own| own.unloaded));
        }
    }
    if (usage.first, usage.first_id) < (known.first, known.first_id) {
        (known.first, known.first_id) = (usage.first, usage.first_id);
    }
}

fn single(&(key, first, first_id): &Entry) -> Use {
    Use {
        key,
        first_id,
        first,
        many: Use::ONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Symbol;
    use proptest::prelude::*;

    fn event((mark, id): (u64, u8)) -> Entry {
        let (caller, act, client) = (1, 2, 3);
        let key = UseKey {
            caller,
            act,
            client,
        };
        (
            key,
            Mark(mark),
            EventKey::of_text(Symbol::from_number(id.into())),
        )
    }

    proptest! {
        #[test]
        fn events_of_one_use_are_sorted_as_all_are(
            rows in prop::collection::vec((prop_oneof![0u64..9, any::<u64>()], 0u8..4), 0..3 * WORDS),
        ) {
            let mut events: Vec<Entry> = rows.into_iter().map(event).collect();
            let mut expected = events.clone();
            expected.sort_unstable();
            sort(&mut events, &mut Vec::new());
            prop_assert_eq!(events, expected);
        }
    }
}
