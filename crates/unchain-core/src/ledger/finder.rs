//! From a record to the caller that a finished ledger already holds, for whoever reads the records again.
//!
//! Must not add anything: what the ledger does not hold is not found.

use super::apply::{hash_caller, hash_rare};
use super::caller;
use super::symbols::Symbol;
use super::{Ledger, NO_SEED};
use crate::event::Event;
use crate::json::Node;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Identities that are remembered: a megabyte of each table, a power of two.
const REMEMBERED: usize = 1 << 16;

/// Finds the callers of records; each thread has its own.
#[derive(Debug)]
pub struct Finder<'l> {
    ledger: &'l Ledger,
    /// By a token of [`Event::identity_token`] and the console flag.
    tokens: Vec<Slot>,
    /// By a keyed hash of the identity's text and the console flag.
    texts: Vec<Slot>,
}

/// One answer that was given before.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Zero where nothing is remembered.
    key: u64,
    caller: Option<u32>,
}

impl<'l> Finder<'l> {
    /// A finder that remembers nothing yet. The ledger must be settled.
    pub fn new(ledger: &'l Ledger) -> Self {
        Self {
            ledger,
            tokens: vec![Slot::default(); REMEMBERED],
            texts: vec![Slot::default(); REMEMBERED],
        }
    }

    /// The number of an event's caller; `None` if the ledger was not made from this event.
    pub fn caller(&mut self, event: &Event<'_>) -> Option<u32> {
        let Some(token) = event.identity_token else {
            return self.by_text(event);
        };
        let key = token.get() << 1 | u64::from(event.from_console);
        let place = place(key);
        if let Some(slot) = self.tokens.get(place).filter(|slot| slot.key == key) {
            return slot.caller;
        }
        let caller = self.by_text(event);
        if let Some(slot) = self.tokens.get_mut(place) {
            *slot = Slot { key, caller };
        }
        caller
    }

    fn by_text(&mut self, event: &Event<'_>) -> Option<u32> {
        let Some(Node::Text(text)) = event.identity else {
            return self.ledger.find_caller(event);
        };
        // Two texts of one hash would be taken for one, so the hash is keyed as the ledger's are.
        let seed = self.ledger.seed ^ NO_SEED.rotate_left(u32::from(event.from_console));
        let key = xxh3_64_with_seed(text.as_bytes(), seed).max(1);
        let place = place(key);
        if let Some(slot) = self.texts.get(place).filter(|slot| slot.key == key) {
            return slot.caller;
        }
        let caller = self.ledger.find_caller(event);
        if let Some(slot) = self.texts.get_mut(place) {
            *slot = Slot { key, caller };
        }
        caller
    }
}

/// The slot for a word that is spread well in its low bits.
fn place(key: u64) -> usize {
    usize::try_from(key).unwrap_or_default() % REMEMBERED
}

impl Ledger {
    /// The number of an event's caller, if the ledger holds it.
    fn find_caller(&self, event: &Event<'_>) -> Option<u32> {
        let mut known = true;
        let mut symbol_of = |text: &str| {
            let symbol = self.symbols.find(text);
            known &= symbol.is_some();
            symbol.unwrap_or(Symbol::EMPTY)
        };
        let (mut caller, rare) = caller::read(event, &mut symbol_of);
        if !known {
            return None;
        }
        caller.rare = self.rare.table.find(hash_rare(self.seed, &rare))?;
        self.callers.table.find(hash_caller(self.seed, &caller))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record;
    use unchain_trail::Trail;

    #[test]
    fn every_caller_of_a_story_is_found_and_no_other() {
        let story = include_str!("../../../../scenarios/whack-a-mole/story.trail");
        let records = Trail::parse(story).unwrap().records();
        let mut ledger = Ledger::default();
        for record in &records {
            ledger.apply(&record::plain(record).unwrap());
        }
        ledger.finish();
        let texts: Vec<String> = records.iter().map(ToString::to_string).collect();
        let mut parser = record::Parser::default();
        let mut finder = Finder::new(&ledger);
        let mut keys = std::collections::BTreeSet::new();
        for (record, text) in records.iter().zip(&texts) {
            let by_value = finder.caller(&record::plain(record).unwrap()).unwrap();
            let (event, _) = parser.parse_at(text, 0).unwrap();
            assert_eq!(finder.caller(&event), Some(by_value));
            assert_eq!(finder.caller(&event), Some(by_value), "remembered");
            let key = record.pointer("/userIdentity/accessKeyId");
            let key = key.and_then(serde_json::Value::as_str).unwrap_or_default();
            assert_eq!(ledger.text(ledger.caller(by_value).key), key);
            keys.insert(key.to_owned());
        }
        assert!(keys.len() > 10, "{keys:?}");
        let mut stranger = records.first().unwrap().clone();
        *stranger.pointer_mut("/userIdentity").unwrap() =
            serde_json::json!({"type": "IAMUser", "accessKeyId": "AKIAUNKNOWN"});
        assert_eq!(finder.caller(&record::plain(&stranger).unwrap()), None);
    }
}
