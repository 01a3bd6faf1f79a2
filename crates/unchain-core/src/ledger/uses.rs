//! The uses as a set: sorted runs that are united, as a log-structured merge tree does it.
//!
//! Events wait in a batch that fits the processor's near memory; a full batch is sorted into a [`Run`],
//! and runs of like size are merged. Looking up every event's use in a table instead waits for far
//! memory several times an event (docs/decisions/0005-speed.md).
//! INVARIANT: within a run the uses ascend by key without repeats, and so do the marks of a use; merging
//! two runs unites their sets of events, so the order of arrival does not matter
//! (`tests/ledger_law.rs`).

use super::load::StoredUse;
use super::usage::{EventKey, Many, Mark, Use, UseKey};

/// Events that are sorted together: with their order, two megabytes.
const BATCH: usize = 1 << 15;

/// One event of a use.
type Entry = (UseKey, Mark, EventKey);

/// All uses.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    pending: Vec<Entry>,
    /// Each larger than the next.
    runs: Vec<Run>,
    /// Uses that came whole, in any order.
    loaded: Run,
}

/// Uses in the order of their keys, with the marks of those that have more than one.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    pub(super) uses: Vec<Use>,
    pub(super) many: Vec<Many>,
}

impl Uses {
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.runs.is_empty() && self.loaded.uses.is_empty()
    }

    #[inline]
    pub(super) fn add(&mut self, key: UseKey, mark: Mark, id: EventKey) {
        self.pending.push((key, mark, id));
        if self.pending.len() >= BATCH {
            self.flush();
        }
    }

    pub(super) fn load(&mut self, stored: StoredUse) {
        self.loaded.load(stored);
    }

    /// Adds a run whose keys are in any order.
    pub(super) fn unite(&mut self, mut run: Run) {
        run.uses.sort_unstable_by_key(|usage| usage.key);
        self.runs.push(run);
    }

    /// Whether [`Uses::settled`] holds everything.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.loaded.uses.is_empty() && self.runs.len() <= 1
    }

    pub(super) fn settled(&self) -> Option<&Run> {
        self.runs.first()
    }

    /// Brings everything into one run.
    pub(super) fn settle(&mut self) {
        self.flush();
        let mut loaded = std::mem::take(&mut self.loaded);
        if !loaded.uses.is_empty() {
            loaded.uses.sort_by_key(|usage| usage.key);
            self.runs.push(loaded.united());
        }
        while let Some(last) = self.runs.pop() {
            let Some(before) = self.runs.pop() else {
                self.runs.push(last);
                break;
            };
            self.runs.push(before.merged(last));
        }
    }

    /// Sorts what is pending into a run.
    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        self.push(Run::of(&self.pending));
        self.pending.clear();
    }

    fn push(&mut self, mut run: Run) {
        while let Some(before) = self
            .runs
            .pop_if(|before| before.uses.len() <= 2 * run.uses.len())
        {
            run = before.merged(run);
        }
        self.runs.push(run);
    }

    /// Everything in one run, which is gone from here afterwards.
    pub(super) fn take(&mut self) -> Run {
        self.settle();
        self.runs.pop().unwrap_or_default()
    }

    /// Frees the room kept for more.
    pub(super) fn shrink(&mut self) {
        self.pending = Vec::new();
        for run in &mut self.runs {
            run.uses.shrink_to_fit();
            run.many.shrink_to_fit();
        }
    }
}

impl Run {
    /// Of single events in any order.
    fn of(entries: &[Entry]) -> Self {
        let word = |key: &UseKey, n: usize| {
            let index = u32::try_from(n).unwrap_or(u32::MAX);
            let parts = [key.caller, key.call, key.client, index];
            parts
                .iter()
                .fold(0u128, |word, &part| word << 32 | u128::from(part))
        };
        let mut order: Vec<u128> = (0..entries.len())
            .zip(entries)
            .map(|(n, (key, ..))| word(key, n))
            .collect();
        order.sort_unstable();
        let mut run = Self::default();
        let mut group = Vec::new();
        for alike in order.chunk_by(|a, b| a >> 32 == b >> 32) {
            let at = |word: &u128| usize::try_from(word & 0xffff_ffff).unwrap_or(usize::MAX);
            let found = alike.iter().filter_map(|word| entries.get(at(word)));
            if let [_] = alike {
                run.uses.extend(found.map(single));
                continue;
            }
            group.clear();
            group.extend(found.copied());
            group.sort_unstable();
            for events in group.chunk_by(|a, b| a.0 == b.0) {
                run.push_events(events);
            }
        }
        run
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

    /// Of a run whose keys ascend with repeats.
    fn united(mut self) -> Self {
        let uses = std::mem::take(&mut self.uses);
        let mut run = Self::default();
        run.uses.reserve(uses.len());
        for usage in uses {
            run.append(usage, &mut self.many);
        }
        run
    }

    fn merged(self, other: Self) -> Self {
        let (mut a, mut b) = (self, other);
        let mut run = Self::default();
        run.uses.reserve(a.uses.len() + b.uses.len());
        run.many.reserve(a.many.len() + b.many.len());
        let mut left = std::mem::take(&mut a.uses).into_iter().peekable();
        let mut right = std::mem::take(&mut b.uses).into_iter().peekable();
        loop {
            let next = match (left.peek(), right.peek()) {
                (Some(x), Some(y)) if x.key <= y.key => left.next().map(|u| (u, &mut a.many)),
                (Some(_), None) => left.next().map(|u| (u, &mut a.many)),
                _ => right.next().map(|u| (u, &mut b.many)),
            };
            let Some((usage, many)) = next else { break };
            run.append(usage, many);
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
