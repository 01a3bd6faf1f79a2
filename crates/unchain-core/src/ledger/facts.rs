//! The facts as a set: appended as they come, brought into order and freed of repeats now and then.
//!
//! Looking up each new fact in a table would wait for far memory; sorting all costs a tenth of that.

use super::Ledger;
use super::fact::{Fact, Kept};
use super::ordered::{self, ordered, rows_of};

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
        let rows = std::mem::take(&mut self.facts.rows);
        let order = ordered(rows.iter().map(|fact| [fact.time, fact.hash, 0]));
        let mut sorted = Vec::with_capacity(rows.len());
        let mut alike: Vec<Fact> = Vec::new();
        for group in ordered::alike(&order) {
            let found = rows_of(group, &rows).copied();
            if let [_] = group {
                sorted.extend(found);
                continue;
            }
            alike.clear();
            alike.extend(found);
            alike.sort_by_key(|fact| fact.id);
            let distinct = alike.chunk_by(|a, b| a.id == b.id);
            sorted.extend(distinct.filter_map(|same| self.first_of(same)));
        }
        self.facts.settled = sorted.len();
        self.facts.rows = sorted;
        self.facts.drop_unused_kept();
    }

    fn first_of(&self, same: &[Fact]) -> Option<Fact> {
        let (first, others) = same.split_first()?;
        let content = |fact: &Fact| (fact.key, fact.shared, fact.deed);
        let equal = |fact: &Fact| {
            content(fact) == content(first) && self.facts.kept(fact) == self.facts.kept(first)
        };
        if others.iter().all(equal) {
            return Some(*first);
        }
        same.iter().copied().min_by_key(|fact| self.fact_line(fact))
    }
}

impl Facts {
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
