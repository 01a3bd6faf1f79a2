//! The facts as a set: appended as they come, brought into order and freed of repeats now and then.
//!
//! Looking up each new fact in a table would wait for far memory; sorting all costs a tenth of that.

use super::Ledger;
use super::fact::{Fact, Kept};
use super::ordered::{ordered, rows_of};

/// So many new facts are sorted together at least.
const BATCH: usize = 1 << 19;
/// What is kept of repeated facts is dropped when it is more than this part of everything.
const PART: usize = 8;

/// All facts and what is kept of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) rows: Vec<Fact>,
    kept: Vec<Kept>,
    /// How many of the rows are in order and without repeats.
    settled: usize,
}

impl Facts {
    pub(super) fn is_settled(&self) -> bool {
        self.settled == self.rows.len()
    }

    /// Everything, which is gone from here afterwards.
    pub(super) fn take(&mut self) -> (Vec<Fact>, Vec<Kept>) {
        let all = std::mem::take(self);
        (all.rows, all.kept)
    }

    pub(super) fn kept(&self, fact: &Fact) -> &[Kept] {
        let start = fact.first_attribute as usize;
        self.kept
            .get(start..start + usize::from(fact.attributes))
            .unwrap_or_default()
    }

    fn push(&mut self, mut fact: Fact, kept: &[Kept]) -> Fact {
        fact.first_attribute = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        fact.attributes = u8::try_from(kept.len()).unwrap_or(u8::MAX);
        self.kept.extend_from_slice(kept);
        self.rows.push(fact);
        fact
    }
}

impl Ledger {
    pub(super) fn add_fact(&mut self, fact: Fact, kept: &[Kept]) -> Fact {
        let added = self.facts.push(fact, kept);
        // Reading the same logs again and again must not fill the memory with repeats.
        if self.facts.rows.len() >= 2 * self.facts.settled + BATCH {
            self.settle_facts();
        }
        added
    }

    /// Sorts by time. Of two records with one id and different content the one is kept whose text comes
    /// first, so that the order of arrival does not matter.
    pub(super) fn settle_facts(&mut self) {
        if self.facts.is_settled() {
            return;
        }
        let rows = &self.facts.rows;
        let order = ordered(rows.iter().map(|fact| [fact.time, fact.hash, 0]));
        let mut sorted = Vec::with_capacity(rows.len());
        sorted.extend(rows_of(&order, rows).copied());
        self.facts.rows = sorted;
        self.drop_repeats();
    }

    /// Adds the facts of another ledger, all of whose numbers are those of this one, both being settled.
    pub(super) fn unite_facts(&mut self, (others, kept): (&[Fact], impl Iterator<Item = Kept>)) {
        self.facts.unite(others);
        self.facts.kept.extend(kept);
        self.drop_repeats();
    }

    /// Drops repeats of facts that are in order of time and hash.
    fn drop_repeats(&mut self) {
        let mut rows = std::mem::take(&mut self.facts.rows);
        let alike = rows.chunk_by_mut(|a, b| (a.time, a.hash) == (b.time, b.hash));
        for alike in alike.filter(|alike| alike.len() > 1) {
            alike.sort_by_key(|fact| fact.id);
        }
        rows.dedup_by(|later, first| {
            let same = (later.time, later.hash, later.id) == (first.time, first.hash, first.id);
            if same && !self.is_equal(later, first) && self.fact_line(later) < self.fact_line(first)
            {
                *first = *later;
            }
            same
        });
        self.facts.settled = rows.len();
        self.facts.rows = rows;
        self.facts.drop_unused_kept();
    }

    /// Whether two facts of one event say the same.
    fn is_equal(&self, one: &Fact, other: &Fact) -> bool {
        let content = |fact: &Fact| (fact.key, fact.shared, fact.deed);
        content(one) == content(other) && self.facts.kept(one) == self.facts.kept(other)
    }
}

impl Facts {
    /// Puts the rows of another, in order, where they belong, from the last to the first, so that no third copy is
    /// needed. What is kept of them is expected behind what is here.
    fn unite(&mut self, others: &[Fact]) {
        let start = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        let mut mine = self.rows.len();
        let mut end = mine + others.len();
        self.rows.extend_from_slice(others);
        let place = |fact: &Fact| (fact.time, fact.hash);
        for other in others.iter().rev() {
            while let Some(fact) = mine
                .checked_sub(1)
                .and_then(|last| self.rows.get(last).copied())
                && place(&fact) > place(other)
            {
                (mine, end) = (mine - 1, end - 1);
                self.rows.copy_within(mine..=mine, end);
            }
            end -= 1;
            if let Some(slot) = self.rows.get_mut(end) {
                *slot = *other;
                slot.first_attribute = other.first_attribute.saturating_add(start);
            }
        }
    }

    /// Unless it is little: a few repeats are not worth going through everything.
    fn drop_unused_kept(&mut self) {
        let used = self.rows.iter().map(|fact| usize::from(fact.attributes));
        let used: usize = used.sum();
        if self.kept.len().saturating_sub(used) <= self.kept.len() / PART {
            return;
        }
        let kept = Vec::with_capacity(used);
        let all = std::mem::replace(&mut self.kept, kept);
        for fact in &mut self.rows {
            let start = fact.first_attribute as usize;
            let own = all.get(start..start + usize::from(fact.attributes));
            fact.first_attribute = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
            self.kept.extend_from_slice(own.unwrap_or_default());
        }
    }
}
