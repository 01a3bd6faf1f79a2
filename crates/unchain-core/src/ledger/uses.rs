//! The uses as a set: events are gathered in batches, and the batches are sorted together now and then.
//!
//! Events wait in a batch that fits the processor's near memory; a full batch becomes rows, one for each
//! use in it, and when the new rows outnumber the old ones all are sorted and united. Looking up every
//! event's use in a table instead waits for far memory several times an event
//! (docs/decisions/0005-speed.md).
//! INVARIANT: once settled, uses ascend by key without repeats, and so do the marks of a use; uniting two
//! rows unites their sets of events, so the order of arrival does not matter (`tests/ledger_law.rs`).

use super::load::StoredUse;
use super::usage::{EventKey, Many, Mark, Use, UseKey};

/// Events that are sorted together: with their order, two megabytes.
const BATCH: usize = 1 << 15;

/// One event of a use.
type Entry = (UseKey, Mark, EventKey);

/// So many new rows are sorted together at least.
const ROWS: usize = 1 << 20;

/// All uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    pending: Vec<Entry>,
    rows: Run,
    /// How many of the rows are in order and without repeats.
    settled: usize,
}

/// Uses, and the marks of those that have more than one.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) uses: Vec<Use>,
    pub(super) many: Vec<Many>,
}

impl Uses {
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.rows.uses.is_empty()
    }

    #[inline]
    pub(super) fn add(&mut self, key: UseKey, mark: Mark, id: EventKey) {
        self.pending.push((key, mark, id));
        if self.pending.len() >= BATCH {
            self.flush();
        }
    }

    pub(super) fn load(&mut self, stored: StoredUse) {
        self.rows.load(stored);
    }

    /// Adds rows whose keys are in any order.
    pub(super) fn unite(&mut self, rows: Run) {
        let offset = u32::try_from(self.rows.many.len()).unwrap_or(Use::ONE);
        self.rows.many.extend(rows.many);
        self.rows
            .uses
            .extend(rows.uses.into_iter().map(|usage| Use {
                many: match usage.many {
                    Use::ONE => Use::ONE,
                    number => number.saturating_add(offset),
                },
                ..usage
            }));
    }

    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.settled == self.rows.uses.len()
    }

    /// What is settled.
    pub(super) fn rows(&self) -> &Run {
        &self.rows
    }

    /// Brings everything into order.
    pub(super) fn settle(&mut self) {
        self.flush();
        self.sort();
    }

    /// Makes rows of what is pending.
    fn flush(&mut self) {
        self.rows.add(&self.pending);
        self.pending.clear();
        if self.rows.uses.len() >= 2 * self.settled + ROWS {
            self.sort();
        }
    }

    fn sort(&mut self) {
        if self.settled < self.rows.uses.len() {
            self.rows = std::mem::take(&mut self.rows).sorted();
            self.settled = self.rows.uses.len();
        }
    }

    /// Everything, which is gone from here afterwards.
    pub(super) fn take(&mut self) -> Run {
        self.flush();
        self.settled = 0;
        std::mem::take(&mut self.rows)
    }

    /// Frees the room kept for more.
    pub(super) fn shrink(&mut self) {
        self.pending = Vec::new();
        self.rows.uses.shrink_to_fit();
        self.rows.many.shrink_to_fit();
    }
}

/// The order of keys but for their last parts, with a row's number.
fn word(key: &UseKey, n: usize) -> u128 {
    let index = u32::try_from(n).unwrap_or(u32::MAX);
    let parts = [key.caller, key.call, key.client, index];
    let shift = |word: u128, &part: &u32| word << 32 | u128::from(part);
    parts.iter().fold(0, shift)
}

/// The number in a [`word`].
fn number(word: &u128) -> usize {
    usize::try_from(word & 0xffff_ffff).unwrap_or(usize::MAX)
}

impl Run {
    /// Adds single events in any order.
    fn add(&mut self, entries: &[Entry]) {
        let mut order: Vec<u128> = (0..entries.len())
            .zip(entries)
            .map(|(n, (key, ..))| word(key, n))
            .collect();
        order.sort_unstable();
        let mut group = Vec::new();
        for alike in order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let found = alike.iter().filter_map(|word| entries.get(number(word)));
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
            usage.many = self.push_many(Many::new(marks, (last, last_id)));
        }
        self.uses.push(usage);
    }

    fn push_many(&mut self, many: Many) -> u32 {
        let number = u32::try_from(self.many.len()).unwrap_or(Use::ONE);
        self.many.push(many);
        number
    }

    fn load(&mut self, stored: StoredUse) {
        let (first, first_id) = stored.first;
        let mut usage = single(&(stored.key, first, first_id));
        if stored.count > 1 {
            let unloaded = stored.count.saturating_sub(stored.marks.len() as u64);
            usage.many = self.push_many(Many::stored(stored.marks, unloaded, stored.last));
        }
        self.uses.push(usage);
    }

    /// The same uses, in order and united.
    fn sorted(mut self) -> Self {
        let rows = std::mem::take(&mut self.uses);
        let mut order: Vec<u128> = (0..rows.len())
            .zip(&rows)
            .map(|(n, usage)| word(&usage.key, n))
            .collect();
        order.sort_unstable();
        let mut run = Self::default();
        run.uses.reserve(rows.len());
        let mut group = Vec::new();
        for alike in order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let found = alike.iter().filter_map(|word| rows.get(number(word)));
            group.clear();
            group.extend(found.cloned());
            group.sort_by_key(|usage| usage.key);
            for usage in group.drain(..) {
                run.append(usage, &mut self.many);
            }
        }
        run
    }

    /// Adds a use whose key is not before the last one's, with its marks out of `many`.
    fn append(&mut self, mut usage: Use, many: &mut [Many]) {
        let mut own = many.get_mut(usage.many as usize).map(Many::take);
        match self.uses.last_mut().filter(|last| last.key == usage.key) {
            None => {
                if let Some(own) = own {
                    usage.many = self.push_many(own);
                }
                self.uses.push(usage);
            }
            Some(known) => {
                let own = own.get_or_insert_with(|| Many::one(&usage));
                if let Some(many) = self.many.get_mut(known.many as usize) {
                    many.unite(own);
                } else if own.marks() != [known.first] {
                    let mut many = Many::one(known);
                    many.unite(own);
                    known.many = u32::try_from(self.many.len()).unwrap_or(Use::ONE);
                    self.many.push(many);
                }
                if (usage.first, usage.first_id) < (known.first, known.first_id) {
                    (known.first, known.first_id) = (usage.first, usage.first_id);
                }
            }
        }
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
