//! The ledger: every caller, what each did, and every event that issued, made or ended something.
//!
//! INVARIANT: a ledger is a set. [`Ledger::apply`] adds an event to it, [`Ledger::merge`] unites two;
//! any order, split and repetition of the events gives an equal ledger (`tests/ledger_law.rs`).
//! So nothing here is resolved or overwritten: `lineage` joins uses to issues when it is asked.
//! Must not know files, formats of output, or the clock.

mod apply;
mod caller;
mod canonical;
mod digests;
mod event_key;
mod fact;
mod facts;
mod finder;
mod load;
mod marks;
mod memory;
mod merge;
mod mix;
mod ordered;
mod spill;
mod symbols;
mod table;
mod usage;
mod uses;
mod waiting;

pub use crate::id::split_principal;
pub use crate::time::{Seconds, seconds};
pub use caller::{Caller, IDENTITY_TYPES, IdentityType, Rare};
pub use digests::{Break, Hole};
pub use event_key::{EventKey, Unpacked};
pub use fact::{Attempt, AttemptKey, Fact, Kept};
pub use finder::Finder;
pub use load::StoredUse;
pub use spill::Spill;
pub use symbols::{Symbol, Symbols};
pub use usage::{Act, Call, Client, Mark, Place, Use, UseKey};

use crate::deed::{Attribute, Deed, Rule};
use crate::digest::Digest;
use crate::id::uuid_text;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The seed for hashes when the caller has none: fine for tests and trusted logs.
pub const NO_SEED: u64 = 0x756e_6368_6169_6e00;

/// Texts that `lineage` names nodes and edges by, also when no record holds them.
const KNOWN: [&str; 5] = [
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "ConsoleLogin",
    "CreateUser",
];

/// A table of distinct rows, addressed by number and told apart by their hashes.
#[derive(Clone, Debug)]
struct Rows<T> {
    rows: Vec<T>,
    table: table::Table,
}

impl<T> Rows<T> {
    fn new() -> Self {
        Self {
            rows: Vec::new(),
            table: table::Table::new(0),
        }
    }

    fn get(&self, number: u32) -> Option<&T> {
        self.rows.get(number as usize)
    }

    /// Adds rows with their hashes, whose places are far from each other: all are touched before one is read.
    fn add_all(&mut self, rows: Vec<(T, u128)>) -> Vec<u32> {
        std::hint::black_box(self.table.touch(rows.iter().map(|(_, hash)| *hash)));
        let rows = rows.into_iter();
        rows.map(|(row, hash)| self.add(row, hash)).collect()
    }

    fn add(&mut self, row: T, hash: u128) -> u32 {
        let next = u32::try_from(self.rows.len()).unwrap_or(u32::MAX - 1);
        let (number, new) = self.table.get_or_add(hash, next);
        if new {
            self.rows.push(row);
        }
        number
    }
}

/// Every credential seen and what it did, as a set of events.
#[derive(Clone, Debug)]
pub struct Ledger {
    seed: u64,
    symbols: Symbols,
    callers: Rows<Caller>,
    rare: Rows<Rare>,
    calls: Rows<Call>,
    rules: Vec<Option<Rule>>,
    clients: Rows<Client>,
    places: Rows<Place>,
    acts: Rows<Act>,
    hours: Vec<BTreeSet<i64>>,
    waiting: waiting::Waiting,
    uses: uses::Uses,
    facts: facts::Facts,
    attempts: BTreeMap<AttemptKey, Attempt>,
    digests: BTreeSet<Digest<Symbol>>,
    memory: memory::Memory,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new(NO_SEED)
    }
}

impl Ledger {
    /// An empty ledger. `seed` keys its hashes, so that a hostile log cannot aim at them; the content
    /// does not depend on it.
    pub fn new(seed: u64) -> Self {
        let mut rare = Rows::new();
        let none = Rare::default();
        rare.add(none, apply::hash_rare(seed, &none));
        let mut symbols = Symbols::new(seed);
        for text in KNOWN {
            symbols.intern(text);
        }
        Self {
            seed,
            symbols,
            callers: Rows::new(),
            rare,
            calls: Rows::new(),
            rules: Vec::new(),
            clients: Rows::new(),
            places: Rows::new(),
            acts: Rows::new(),
            hours: Vec::new(),
            waiting: waiting::Waiting::default(),
            uses: uses::Uses::default(),
            facts: facts::Facts::default(),
            attempts: BTreeMap::new(),
            digests: BTreeSet::new(),
            memory: memory::Memory::default(),
        }
    }

    /// Gives a place for marks that are too many for the memory. They may be there before and after others'.
    pub fn set_spill(&mut self, spill: Arc<dyn Spill>) {
        self.uses.set_spill(spill);
    }

    /// Whether the spill could not give back what was put there, so that counts would be wrong.
    pub fn has_lost(&self) -> bool {
        self.uses.marks().has_lost()
    }

    /// The texts.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.symbols.get(symbol)
    }

    /// All callers; the position is the number that uses and facts hold.
    pub fn callers(&self) -> &[Caller] {
        &self.callers.rows
    }

    /// The caller with this number.
    pub fn caller(&self, number: u32) -> Caller {
        self.callers.get(number).copied().unwrap_or_default()
    }

    /// The rare parts of a caller.
    pub fn rare(&self, caller: &Caller) -> Rare {
        self.rare.get(caller.rare).copied().unwrap_or_default()
    }

    /// The call with this number.
    pub fn call(&self, number: u32) -> Option<&Call> {
        self.calls.get(number)
    }

    /// All calls.
    pub fn calls(&self) -> &[Call] {
        &self.calls.rows
    }

    /// The client with this number.
    pub fn client(&self, number: u32) -> Option<&Client> {
        self.clients.get(number)
    }

    /// All clients.
    pub fn clients(&self) -> &[Client] {
        &self.clients.rows
    }

    /// The place with this number.
    pub fn place(&self, number: u32) -> Option<&Place> {
        self.places.get(number)
    }

    /// What was called, where it was logged and how it ended.
    pub fn act(&self, key: &UseKey) -> Act {
        self.acts.get(key.act).copied().unwrap_or_default()
    }

    /// All acts; the position is the number that keys hold.
    pub fn acts(&self) -> &[Act] {
        &self.acts.rows
    }

    /// What was called.
    pub fn call_of(&self, key: &UseKey) -> Option<&Call> {
        self.call(self.act(key).call)
    }

    /// Where it was logged.
    pub fn place_of(&self, key: &UseKey) -> Option<&Place> {
        self.place(self.act(key).place)
    }

    /// All places with the hours (since 1970) from which they have events.
    pub fn places(&self) -> impl Iterator<Item = (&Place, &BTreeSet<i64>)> {
        self.places.rows.iter().zip(&self.hours)
    }

    /// All uses, in the order of their keys. Call [`Ledger::settle`] first.
    pub fn uses(&self) -> &[Use] {
        debug_assert!(
            self.waiting.is_empty() && self.uses.is_settled(),
            "asked before it was settled"
        );
        &self.uses.rows().uses
    }

    fn many(&self, usage: &Use) -> Option<&usage::Many> {
        self.uses.rows().many.get(usage.many as usize)
    }

    /// The marks of a use, ascending. Call [`Ledger::settle`] first.
    pub fn marks(&self, usage: &Use) -> Vec<Mark> {
        match self.many(usage) {
            None => vec![usage.first],
            Some(many) if (many.count, many.unloaded) == (2, 0) => vec![usage.first, many.last],
            Some(many) => self.uses.marks().of(usage, many),
        }
    }

    /// The number of distinct events in a use. Call [`Ledger::settle`] first.
    pub fn count(&self, usage: &Use) -> u64 {
        self.many(usage)
            .map_or(1, |many| u64::from(many.count) + u64::from(many.unloaded))
    }

    /// The latest event of a use.
    pub fn last(&self, usage: &Use) -> (Mark, EventKey) {
        self.many(usage)
            .map_or((usage.first, usage.first_id), |many| {
                (many.last, many.last_id)
            })
    }

    /// All facts, by time and then by their hash, however they came. Call [`Ledger::settle`] first.
    pub fn facts(&self) -> &[Fact] {
        debug_assert!(
            self.waiting.is_empty() && self.facts.is_settled(),
            "asked before it was settled"
        );
        &self.facts.rows
    }

    /// What is kept of a fact.
    pub fn kept(&self, fact: &Fact) -> &[Kept] {
        self.facts.kept(fact)
    }

    /// A text attribute of a fact; the empty symbol if it has none.
    pub fn attribute(&self, fact: &Fact, wanted: Attribute) -> Symbol {
        self.kept(fact)
            .iter()
            .find(|k| k.attribute == wanted)
            .map_or(Symbol::EMPTY, |k| k.symbol())
    }

    /// A number attribute of a fact.
    pub fn number(&self, fact: &Fact, wanted: Attribute) -> Option<u32> {
        self.kept(fact)
            .iter()
            .find(|k| k.attribute == wanted)
            .map(|k| k.value)
    }

    /// The principal of an issued credential: what the response says, or the caller's own for a
    /// session token of a user.
    pub fn child_principal(&self, fact: &Fact) -> (Symbol, Symbol) {
        let caller = self.caller(fact.key.caller);
        match fact.deed {
            Deed::GetSessionToken | Deed::GetSigninToken => (caller.unique_id, caller.session),
            Deed::AssumeRoot => (
                self.attribute(fact, Attribute::TargetAccount),
                Symbol::EMPTY,
            ),
            Deed::CreateAccessKey => (Symbol::EMPTY, Symbol::EMPTY),
            _ => {
                let id = self.attribute(fact, Attribute::ChildId);
                let kept = self.kept(fact);
                let own = kept.iter().find(|k| k.attribute == Attribute::ChildSession);
                let session = match own {
                    Some(kept) => kept.symbol(),
                    None if id.is_empty() => Symbol::EMPTY,
                    None => self.attribute(fact, Attribute::SessionName),
                };
                (id, session)
            }
        }
    }

    /// Denied or failed attempts at deeds.
    pub fn attempts(&self) -> impl Iterator<Item = (&AttemptKey, &Attempt)> {
        self.attempts.iter()
    }

    /// An event id as text.
    pub fn event_id(&self, key: EventKey) -> Cow<'_, str> {
        match key.unpack() {
            Unpacked::Guid(bytes) => Cow::Owned(uuid_text(bytes)),
            Unpacked::Text(symbol) => Cow::Borrowed(self.text(symbol)),
        }
    }

    /// The key of an event id, if it may be here: a text must be.
    pub fn find_event(&self, id: &str) -> Option<EventKey> {
        EventKey::of_guid_text(id).or_else(|| self.symbols.find(id).map(EventKey::of_text))
    }

    /// The number of distinct events. Call [`Ledger::settle`] first.
    pub fn events(&self) -> u64 {
        self.uses().iter().map(|usage| self.count(usage)).sum()
    }

    /// Unites what was added. Whoever applied events calls this before asking for uses or counts.
    pub fn settle(&mut self) {
        self.place_waiting();
        self.uses.settle();
        self.settle_facts();
    }

    /// Does what [`Ledger::merge`] needs of this ledger alone, so that many do it side by side.
    pub fn rest(&mut self) {
        self.place_waiting();
        self.uses.rest();
        self.settle_facts();
        // Only applying needs it.
        self.memory = memory::Memory::default();
    }

    /// Settles, and frees what only [`Ledger::apply`] needs. Applying more events afterwards is slower
    /// at first.
    pub fn finish(&mut self) {
        self.settle();
        self.memory = memory::Memory::default();
        self.uses.shrink();
    }
}
