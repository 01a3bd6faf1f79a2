//! Raw records, as a page asks for them. The records themselves come from a function that the program passes:
//! here no file is read. Must not know HTML.

use serde_json::Value;
use std::collections::HashMap;
use unchain_core::ledger::{EventKey, Ledger};
use unchain_core::lineage::Lineage;
use unchain_core::time::Timestamp;

/// Finds records in the files that they came from; in words what prevents it, with what to do after the last
/// `; `. It must strike out session tokens and other secrets, and stop after a bounded work.
pub type Fetch<'s> = &'s (dyn Fn(&Lineage<'_>, &[Sought]) -> Result<Fetched, String> + Sync);

/// A record that somebody wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// Its event id, as logged.
    pub id: String,
    /// When it was logged (UTC), if the ledger knows it.
    pub at: Option<Timestamp>,
    /// Who called: numbers of the ledger's callers; none where the ledger does not know the event.
    pub callers: Vec<u32>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// Each record once, secrets struck out.
    pub records: Vec<RawRecord>,
    /// Files with which something is wrong, and what: they may hold what was not found.
    pub trouble: Vec<(String, &'static str)>,
    /// Whether there are files that were not looked into, because that would take too long.
    pub stopped: bool,
}

/// One record.
#[derive(Clone, Debug)]
pub struct RawRecord {
    /// Its event id, as logged.
    pub id: String,
    /// The path of its file. From outside.
    pub file: String,
    /// The record, secrets struck out.
    pub record: Value,
}

/// What a ledger knows of events by their ids, in the order of the ids.
pub(crate) fn sought(ledger: &Ledger, ids: &[String]) -> Vec<Sought> {
    let sought = |id: &String| Sought {
        id: id.clone(),
        at: None,
        callers: Vec::new(),
    };
    let mut found: Vec<Sought> = ids.iter().map(sought).collect();
    let keys = ids.iter().enumerate();
    let keys = keys.filter_map(|(n, id)| Some((ledger.find_event(id)?, n)));
    let places: HashMap<EventKey, usize> = keys.collect();
    let mut learn = |key: EventKey, at: Timestamp, caller: u32| {
        let place = places.get(&key).and_then(|&n| found.get_mut(n));
        if let Some(place) = place {
            place.at = Some(at);
            place.callers.push(caller);
        }
    };
    for fact in ledger.facts() {
        learn(fact.id, fact.time(), fact.key.caller);
    }
    for usage in ledger.uses() {
        let (last, last_id) = ledger.last(usage);
        learn(usage.first_id, usage.first.time(), usage.key.caller);
        learn(last_id, last.time(), usage.key.caller);
    }
    for (key, attempt) in ledger.attempts() {
        for (mark, id) in [attempt.first, attempt.last] {
            learn(id, mark.time(), key.key.caller);
        }
    }
    for known in &mut found {
        known.callers.sort_unstable();
        known.callers.dedup();
    }
    found
}
