//! Putting stored parts back, as the case file does and as [`Ledger::merge`] does.
//!
//! Rows are added with the texts of this ledger: whoever calls interns them first.

use super::event_key::EventKey;
use super::fact::{Attempt, AttemptKey, Fact, Kept};
use super::usage::{Act, Call, Client, Mark, Place, UseKey};
use super::{Caller, Ledger, Rare, Symbol};
use crate::deed::{Attribute, Deed, Value};
use crate::id::uuid_text;

/// A use as it is stored.
#[derive(Clone, Debug)]
pub struct StoredUse {
    /// What is counted.
    pub key: UseKey,
    /// The earliest event.
    pub first: (Mark, EventKey),
    /// The latest event.
    pub last: (Mark, EventKey),
    /// The number of events.
    pub count: u64,
    /// The marks of all events, or none of them when the ledger is only read.
    pub marks: Vec<Mark>,
}

impl Ledger {
    /// The symbol of a text, added if new.
    pub fn intern(&mut self, text: &str) -> Symbol {
        self.symbols.intern(text)
    }

    /// An event id from its text.
    pub fn event_key(&mut self, text: &str) -> EventKey {
        self.text_key(text)
    }

    /// An event id from the bytes of its GUID.
    pub fn guid_key(&mut self, bytes: [u8; 16]) -> EventKey {
        let as_text = || EventKey::of_text(self.symbols.intern(&uuid_text(bytes)));
        EventKey::of_guid(bytes).unwrap_or_else(as_text)
    }

    /// Adds a caller; `caller.rare` is ignored in favour of `rare`.
    pub fn load_caller(&mut self, caller: Caller, rare: Rare) -> u32 {
        self.add_caller(caller, rare)
    }

    /// Adds a call.
    pub fn load_call(&mut self, call: Call) -> u32 {
        self.add_call(call)
    }

    /// Adds a client.
    pub fn load_client(&mut self, client: Client) -> u32 {
        self.add_client(client)
    }

    /// Adds a place with hours (since 1970) from which it has events.
    pub fn load_place(&mut self, place: Place, hours: impl IntoIterator<Item = i64>) -> u32 {
        let number = self.add_place(place);
        if let Some(known) = self.hours.get_mut(number as usize) {
            known.extend(hours);
        }
        number
    }

    /// Adds what was called, where and with which outcome.
    pub fn load_act(&mut self, act: Act) -> u32 {
        self.add_act(act)
    }

    /// Adds a use. A use that is there already is united with it.
    pub fn load_use(&mut self, stored: StoredUse) {
        self.uses.load(stored);
    }

    /// Adds an attribute's value: a symbol for a text.
    pub fn kept_value(&mut self, attribute: Attribute, value: &Value<'_>) -> Kept {
        self.kept_of(attribute, value)
    }

    /// Adds a fact with what is kept of it. `mark` is the event's mark. The result can be asked about before the
    /// ledger is settled, unless a fact was added twice.
    pub fn load_fact(
        &mut self,
        (key, deed, mark): (UseKey, Deed, Mark),
        ids: [EventKey; 2],
        kept: &[Kept],
    ) -> Fact {
        let [id, shared] = ids;
        let hash = u32::try_from(mark.0 & 0xffff_ffff).unwrap_or_default();
        let fact = Fact {
            id,
            shared,
            key,
            deed,
            time: mark.seconds(),
            first_attribute: 0,
            attributes: 0,
            hash,
        };
        self.add_fact(fact, kept)
    }

    /// The mark of a fact's event.
    pub fn fact_mark(fact: &Fact) -> Mark {
        Mark::new(fact.time, u64::from(fact.hash) << 32)
    }

    /// A fact as the line of text by whose order one of two records of an event is kept.
    pub fn fact_text(&self, fact: &Fact) -> String {
        self.fact_line(fact)
    }

    /// Adds attempts.
    pub fn load_attempt(&mut self, key: AttemptKey, attempt: Attempt) {
        self.add_attempt(key, attempt);
    }
}
