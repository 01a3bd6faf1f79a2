//! What is new: first seen after a time in which it could have been seen.
//!
//! A log that begins an hour before the event says nothing about what is usual; then novelty is
//! unknown, and a detection says so instead of guessing. A baseline (the case of a quiet time) makes
//! the log longer.

use super::network::{Network, Networks};
use crate::deed::{Attribute, Deed};
use crate::ledger::{Ledger, Seconds, Symbol};
use crate::lineage::Lineage;
use std::collections::{BTreeSet, HashMap};

/// A log must reach this far back before something not in it is called new.
pub(super) const WARM_UP: Seconds = 7 * 24 * 3600;

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
    begin: Seconds,
    pairs: HashMap<(Symbol, Symbol), Seconds>,
    places: HashMap<(Symbol, Network), Seconds>,
}

impl History {
    pub(super) fn of(ledger: &Ledger, networks: &Networks) -> Self {
        let mut history = Self {
            begin: Seconds::MAX,
            ..Self::default()
        };
        for usage in ledger.uses() {
            let time = usage.first.seconds();
            history.begin = history.begin.min(time);
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
        } else if time.saturating_sub(self.begin) >= WARM_UP {
            Novelty::New
        } else {
            Novelty::Unknown
        }
    }
}

impl Baseline {
    pub(super) fn has_pair(&self, who: &str, role: &str) -> bool {
        self.pairs.contains(&(who.to_owned(), role.to_owned()))
    }

    pub(super) fn has_place(&self, who: &str, network: &str) -> bool {
        self.places.contains(&(who.to_owned(), network.to_owned()))
    }
}
