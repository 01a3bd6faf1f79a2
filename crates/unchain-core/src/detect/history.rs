//! What is new: first seen after a time in which it could have been seen.
//!
//! A log that begins an hour before the event says nothing about what is usual; then novelty is
//! unknown, and a detection says so instead of guessing. A baseline (the case of a quiet time) makes
//! the log longer.

use super::Numbered;
use super::network::{Network, Networks};
use crate::deed::{Attribute, Deed};
use crate::ledger::{Ledger, Seconds, Symbol};
use crate::lineage::Lineage;
use crate::time::DAY;
use std::collections::BTreeSet;

/// A log must reach this far back before something not in it is called new.
pub(super) const WARM_UP: Seconds = 7 * DAY;

/// After a hole as long as this a log begins anew: one record with a wrong date, or an old log beside a new
/// one, says nothing of what was usual in between.
const HOLE: Seconds = 30 * DAY;

/// Whether something was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Novelty {
    /// It was seen before.
    Known,
    /// The log does not reach back far enough to say.
    Unknown,
    /// It could have been seen before and was not.
    New,
}

/// What was usual in a quiet time, taken from another ledger.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    pairs: BTreeSet<(String, String)>,
    places: BTreeSet<(String, String)>,
}

impl Baseline {
    /// Everything in a lineage is usual.
    pub fn of(lineage: &Lineage<'_>, networks: &Networks) -> Self {
        let ledger = lineage.ledger();
        let history = History::of(ledger, networks);
        let text = |symbol| ledger.text(symbol).to_owned();
        let pairs = history
            .pairs
            .keys()
            .map(|&(who, role)| (text(who), text(role)));
        let places = history
            .places
            .keys()
            .map(|&(who, network)| (text(who), networks.name(network).to_owned()));
        Self {
            pairs: pairs.collect(),
            places: places.collect(),
        }
    }
}

/// When things were first seen in a ledger. Principals are unique ids (`AIDA…`, `AROA…`), not sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// When the log begins, and begins anew.
    begins: Vec<Seconds>,
    pairs: Numbered<(Symbol, Symbol), Seconds>,
    places: Numbered<(Symbol, Network), Seconds>,
}

impl History {
    pub(super) fn of(ledger: &Ledger, networks: &Networks) -> Self {
        let mut history = Self::default();
        let mut days = vec![Seconds::MAX; (Seconds::MAX / DAY) as usize + 1];
        for usage in ledger.uses() {
            let time = usage.first.seconds();
            if let Some(first) = days.get_mut((time / DAY) as usize) {
                *first = time.min(*first);
            }
            let network = networks.of_client(usage.key.client);
            let who = ledger.caller(usage.key.caller).unique_id;
            if network.is_some() && !who.is_empty() {
                let first = history.places.entry((who, network)).or_insert(time);
                *first = time.min(*first);
            }
        }
        for fact in ledger
            .facts()
            .iter()
            .filter(|fact| fact.deed == Deed::AssumeRole)
        {
            let who = ledger.caller(fact.key.caller).unique_id;
            let role = ledger.attribute(fact, Attribute::Role);
            if !who.is_empty() && !role.is_empty() {
                let first = history.pairs.entry((who, role)).or_insert(fact.time);
                *first = fact.time.min(*first);
            }
        }
        days.retain(|first| *first < Seconds::MAX);
        history.begins = begins(days);
        history
    }

    /// Whether a principal assumed a role before `time`.
    pub(super) fn pair(
        &self,
        (who, role): (Symbol, Symbol),
        time: Seconds,
        known: bool,
    ) -> Novelty {
        self.judge(self.pairs.get(&(who, role)).copied(), time, known)
    }

    /// Whether a principal called from a network before `time`.
    pub(super) fn place(
        &self,
        (who, network): (Symbol, Network),
        time: Seconds,
        known: bool,
    ) -> Novelty {
        self.judge(self.places.get(&(who, network)).copied(), time, known)
    }

    fn judge(&self, first: Option<Seconds>, time: Seconds, known: bool) -> Novelty {
        if known || first.is_some_and(|first| first < time) {
            Novelty::Known
        } else if self.reaches_back(time) {
            Novelty::New
        } else {
            Novelty::Unknown
        }
    }

    fn reaches_back(&self, time: Seconds) -> bool {
        let begin = self.begins.iter().rfind(|begin| **begin <= time);
        begin.is_some_and(|begin| time - begin >= WARM_UP)
    }
}

/// The first of some times, and each that comes after a hole.
fn begins(mut times: Vec<Seconds>) -> Vec<Seconds> {
    times.sort_unstable();
    let mut before = None;
    times.retain(|&time| {
        let last = before.replace(time);
        last.is_none_or(|last| time - last >= HOLE)
    });
    times
}

impl Baseline {
    pub(super) fn has_pair(&self, who: &str, role: &str) -> bool {
        self.pairs.contains(&(who.to_owned(), role.to_owned()))
    }

    pub(super) fn has_place(&self, who: &str, network: &str) -> bool {
        self.places.contains(&(who.to_owned(), network.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_with_a_wrong_date_does_not_make_the_log_longer() {
        let now = 20_000 * DAY;
        let history = |times: &[Seconds]| History {
            begins: begins(times.to_vec()),
            ..History::default()
        };
        let short = [now, now + DAY];
        assert!(!history(&short).reaches_back(now + DAY));
        assert!(!history(&[0, now, now + DAY, 40_000 * DAY]).reaches_back(now + DAY));
        let long = [0, now - 20 * DAY, now - 3 * DAY, now];
        assert!(history(&long).reaches_back(now));
    }
}
