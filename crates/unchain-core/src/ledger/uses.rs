//! The uses as a set: events are gathered in batches, and the batches are folded in now and then.
//!
//! Events wait in a batch that fits the processor's near memory; a full batch becomes rows, one for each
//! use in it, and when there are many new rows they are sorted and united with the old ones in one
//! pass. Looking up every event's use in a table instead waits for far memory several times an event
//! (docs/decisions/0005-speed.md).
//! INVARIANT: the settled uses ascend by key without repeats, and so do the marks of a use; uniting two
//! rows unites their sets of events, so the order of arrival does not matter (`tests/ledger_law.rs`).

use super::load::StoredUse;
use super::ordered::{self, ordered, rows_of};
use super::usage::{EventKey, Many, Mark, Use, UseKey};

/// Events that are sorted together: with their order, two megabytes.
const BATCH: usize = 1 << 15;

/// One event of a use.
type Entry = (UseKey, Mark, EventKey);

/// So many new rows are folded in together: fifteen megabytes.
const NEW: usize = 1 << 18;

/// A use that is new, and before which of the known ones it belongs.
type Fresh = (usize, Use);

/// All uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    pending: Vec<Entry>,
    /// In any order, with repeats.
    new: Run,
    settled: Run,
}

/// Uses, and the marks of those that have more than one.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) uses: Vec<Use>,
    pub(super) many: Vec<Many>,
}

impl Uses {
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
        self.new.load(stored);
        if self.new.uses.len() >= NEW {
            self.fold();
        }
    }

    /// Adds rows whose keys are in any order.
    pub(super) fn unite(&mut self, mut rows: Run) {
        self.rest();
        let fresh = self.settled.sift(&mut rows);
        // Two ledgers are in memory now: what is not needed goes first.
        drop(rows);
        self.settled.uses.reserve_exact(fresh.len());
        self.settled.insert(&fresh);
    }

    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.new.uses.is_empty()
    }

    /// What is settled.
    pub(super) fn rows(&self) -> &Run {
        &self.settled
    }

    /// Brings everything into order.
    pub(super) fn settle(&mut self) {
        self.flush();
        self.fold();
    }

    /// Makes rows of what is pending.
    fn flush(&mut self) {
        self.new.add(&self.pending);
        self.pending.clear();
        if self.new.uses.len() >= NEW {
            self.fold();
        }
    }

    fn fold(&mut self) {
        let fresh = self.settled.sift(&mut self.new);
        self.new.uses.clear();
        self.new.many.clear();
        self.settled.insert(&fresh);
    }

    /// Everything, which is gone from here afterwards.
    pub(super) fn take(&mut self) -> Run {
        self.rest();
        std::mem::take(&mut self.settled)
    }

    /// Brings everything into order, and frees the room for more.
    fn rest(&mut self) {
        self.settle();
        self.pending = Vec::new();
        self.new = Run::default();
    }

    /// Frees the room kept for more.
    pub(super) fn shrink(&mut self) {
        self.rest();
        self.settled.uses.shrink_to_fit();
        self.settled.many.shrink_to_fit();
    }
}

/// What orders keys but for their last parts.
fn parts(key: &UseKey) -> [u32; 3] {
    [key.caller, key.call, key.client]
}

impl Run {
    /// Adds single events in any order.
    fn add(&mut self, entries: &[Entry]) {
        let order = ordered(entries.iter().map(|(key, ..)| parts(key)));
        let mut group = Vec::new();
        for alike in ordered::alike(&order) {
            let found = rows_of(alike, entries);
            if let [_] = alike {
                self.uses.extend(found.map(single));
                continue;
            }
            group.clear();
            group.extend(found.copied());
            group.sort_unstable();
            for events in group.chunk_by(|a, b| a.0 == b.0) {
                self.push_events(events);
            }
        }
    }

    /// Adds a use by its events, which ascend by mark and id.
    fn push_events(&mut self, events: &[Entry]) {
        let Some(first) = events.first() else { return };
        let mut usage = single(first);
        // Ties in the mark take the smaller id, so that order does not matter.
        let distinct = || events.chunk_by(|a, b| a.1 == b.1).filter_map(<[_]>::first);
        if let Some(&(_, last, last_id)) = distinct().next_back()
            && last != usage.first
        {
            let mut marks = Vec::with_capacity(events.len());
            marks.extend(distinct().map(|event| event.1));
            usage.many = push(&mut self.many, Many::new(marks, (last, last_id)));
        }
        self.uses.push(usage);
    }

    fn load(&mut self, stored: StoredUse) {
        let (first, first_id) = stored.first;
        let mut usage = single(&(stored.key, first, first_id));
        if stored.count > 1 {
            let unloaded = stored.count.saturating_sub(stored.marks.len() as u64);
            usage.many = push(
                &mut self.many,
                Many::stored(stored.marks, unloaded, stored.last),
            );
        }
        self.uses.push(usage);
    }

    /// Unites the rows of another run, which are in any order, with those of this one, which is in order,
    /// and gives those that are not here yet, in order.
    fn sift(&mut self, other: &mut Self) -> Vec<Fresh> {
        let order = ordered(other.uses.iter().map(|usage| parts(&usage.key)));
        let mut fresh: Vec<Fresh> = Vec::new();
        let mut at = 0;
        let mut group = Vec::new();
        for alike in ordered::alike(&order) {
            let found = rows_of(alike, &other.uses);
            group.clear();
            group.extend(found.copied());
            group.sort_by_key(|usage| usage.key);
            for usage in &group {
                let own = other.many.get_mut(usage.many as usize).map(Many::take);
                while self.uses.get(at).is_some_and(|known| known.key < usage.key) {
                    at += 1;
                }
                let known = match self.uses.get_mut(at) {
                    Some(known) if known.key == usage.key => Some(known),
                    _ => fresh
                        .last_mut()
                        .map(|(_, last)| last)
                        .filter(|last| last.key == usage.key),
                };
                match known {
                    Some(known) => unite(known, &mut self.many, (usage, own)),
                    None => {
                        let many = own.map_or(Use::ONE, |own| push(&mut self.many, own));
                        fresh.push((at, Use { many, ..*usage }));
                    }
                }
            }
        }
        fresh
    }

    /// Puts rows whose keys are all new and ascend where they belong, from the last to the first, so that
    /// no second copy of all rows is needed.
    fn insert(&mut self, fresh: &[Fresh]) {
        let mut end = self.uses.len();
        self.uses.extend(fresh.iter().map(|(_, usage)| *usage));
        for (left, &(start, usage)) in fresh.iter().enumerate().rev() {
            self.uses.copy_within(start..end, start + left + 1);
            end = start;
            if let Some(slot) = self.uses.get_mut(start + left) {
                *slot = usage;
            }
        }
    }
}

fn push(many: &mut Vec<Many>, own: Many) -> u32 {
    let number = u32::try_from(many.len()).unwrap_or(Use::ONE);
    many.push(own);
    number
}

/// Unites a row with another of the same key.
fn unite(known: &mut Use, many: &mut Vec<Many>, (usage, own): (&Use, Option<Many>)) {
    let own = own.unwrap_or_else(|| Many::one(usage));
    if let Some(many) = many.get_mut(known.many as usize) {
        many.unite(&own);
    } else if own.marks() != [known.first] {
        let mut all = Many::one(known);
        all.unite(&own);
        known.many = push(many, all);
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
