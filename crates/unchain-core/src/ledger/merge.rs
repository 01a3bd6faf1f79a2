//! Uniting two ledgers, and copying a part of one into another.

use super::fact::{Attempt, AttemptKey, Kept};
use super::usage::{Call, Client, EventKey, Place, UseKey};
use super::{Caller, Ledger, Rare, Symbol};
use std::collections::BTreeSet;

/// Where the rows of one ledger are in another; filled as they are met.
struct Transfer<'a> {
    from: &'a Ledger,
    symbols: Vec<Option<Symbol>>,
    callers: Vec<Option<u32>>,
    calls: Vec<Option<u32>>,
    clients: Vec<Option<u32>>,
    places: Vec<Option<u32>>,
}

impl Ledger {
    /// Adds everything in `other`. The order of merging does not matter, nor do events in both.
    pub fn merge(&mut self, mut other: Self) {
        self.place_waiting();
        other.place_waiting();
        if other.uses.is_empty() && other.places.rows.is_empty() {
            return;
        }
        if self.uses.is_empty() && self.places.rows.is_empty() && self.seed == other.seed {
            *self = other;
            return;
        }
        // Both ledgers are in memory until this is done: what only applying needs goes first, and
        // marks move instead of being copied.
        self.memory = super::memory::Memory::new(self.seed);
        other.memory = super::memory::Memory::new(other.seed);
        let mut run = other.uses.take();
        let mut transfer = Transfer::new(&other);
        for number in 0..u32::try_from(other.places.rows.len()).unwrap_or(u32::MAX) {
            transfer.place(self, number);
        }
        for usage in &mut run.uses {
            usage.key = transfer.key(self, usage.key);
            usage.first_id = transfer.event(self, usage.first_id);
        }
        for many in &mut run.many {
            many.last_id = transfer.event(self, many.last_id);
        }
        self.uses.unite(run);
        for fact in &other.facts.rows {
            let key = transfer.key(self, fact.key);
            let ids = [
                transfer.event(self, fact.id),
                transfer.event(self, fact.shared),
            ];
            let kept: Vec<Kept> = other
                .kept(fact)
                .iter()
                .map(|k| transfer.kept(self, *k))
                .collect();
            self.load_fact((key, fact.deed, Self::fact_mark(fact)), ids, &kept);
        }
        for (attempt, ends) in &other.attempts {
            let key = AttemptKey {
                key: transfer.key(self, attempt.key),
                deed: attempt.deed,
                target: transfer.symbol(self, attempt.target),
                serial: transfer.symbol(self, attempt.serial),
            };
            let end = |t: &mut Transfer<'_>, to: &mut Self, (mark, id)| (mark, t.event(to, id));
            let first = end(&mut transfer, self, ends.first);
            let last = end(&mut transfer, self, ends.last);
            self.add_attempt(key, Attempt { first, last });
        }
    }
}

impl<'a> Transfer<'a> {
    fn new(from: &'a Ledger) -> Self {
        Self {
            from,
            symbols: vec![None; from.symbols.len()],
            callers: vec![None; from.callers.rows.len()],
            calls: vec![None; from.calls.rows.len()],
            clients: vec![None; from.clients.rows.len()],
            places: vec![None; from.places.rows.len()],
        }
    }

    fn symbol(&mut self, to: &mut Ledger, symbol: Symbol) -> Symbol {
        let from = self.from;
        let Some(slot) = self.symbols.get_mut(symbol.index()) else {
            return Symbol::EMPTY;
        };
        *slot.get_or_insert_with(|| to.symbols.intern(from.text(symbol)))
    }

    fn event(&mut self, to: &mut Ledger, key: EventKey) -> EventKey {
        match key {
            EventKey::Guid(_) => key,
            EventKey::Text(symbol) => EventKey::Text(self.symbol(to, symbol)),
        }
    }

    fn kept(&mut self, to: &mut Ledger, kept: Kept) -> Kept {
        if kept.attribute.is_number() {
            return kept;
        }
        Kept {
            attribute: kept.attribute,
            value: self.symbol(to, kept.symbol()).number(),
        }
    }

    fn key(&mut self, to: &mut Ledger, key: UseKey) -> UseKey {
        UseKey {
            caller: self.caller(to, key.caller),
            call: self.call(to, key.call),
            client: self.client(to, key.client),
            place: self.place(to, key.place),
            outcome: self.symbol(to, key.outcome),
        }
    }

    fn caller(&mut self, to: &mut Ledger, number: u32) -> u32 {
        if let Some(Some(done)) = self.callers.get(number as usize) {
            return *done;
        }
        let from = self.from.caller(number);
        let rare = self.rare(to, self.from.rare(&from));
        let caller = Caller {
            key: self.symbol(to, from.key),
            unique_id: self.symbol(to, from.unique_id),
            session: self.symbol(to, from.session),
            arn: self.symbol(to, from.arn),
            account: self.symbol(to, from.account),
            user_name: self.symbol(to, from.user_name),
            issuer_arn: self.symbol(to, from.issuer_arn),
            issuer_id: self.symbol(to, from.issuer_id),
            invoked_by: self.symbol(to, from.invoked_by),
            ..from
        };
        let done = to.add_caller(caller, rare);
        remember(&mut self.callers, number, done)
    }

    fn rare(&mut self, to: &mut Ledger, from: Rare) -> Rare {
        if from == Rare::default() {
            return from;
        }
        Rare {
            type_name: self.symbol(to, from.type_name),
            source_identity: self.symbol(to, from.source_identity),
            sign_in_session: self.symbol(to, from.sign_in_session),
            on_behalf_of: self.symbol(to, from.on_behalf_of),
            identity_store: self.symbol(to, from.identity_store),
            credential_id: self.symbol(to, from.credential_id),
            provider: self.symbol(to, from.provider),
            delegate: self.symbol(to, from.delegate),
            role_delivery: self.symbol(to, from.role_delivery),
            in_scope_of: self.symbol(to, from.in_scope_of),
            assumed_root: self.symbol(to, from.assumed_root),
        }
    }

    fn call(&mut self, to: &mut Ledger, number: u32) -> u32 {
        if let Some(Some(done)) = self.calls.get(number as usize) {
            return *done;
        }
        let Some(from) = self.from.call(number).copied() else {
            return number;
        };
        let call = Call {
            source: self.symbol(to, from.source),
            name: self.symbol(to, from.name),
            ..from
        };
        let done = to.add_call(call);
        remember(&mut self.calls, number, done)
    }

    fn client(&mut self, to: &mut Ledger, number: u32) -> u32 {
        if let Some(Some(done)) = self.clients.get(number as usize) {
            return *done;
        }
        let Some(from) = self.from.client(number).copied() else {
            return number;
        };
        let client = Client {
            address: self.symbol(to, from.address),
            agent: self.symbol(to, from.agent),
            endpoint: self.symbol(to, from.endpoint),
        };
        let done = to.add_client(client);
        remember(&mut self.clients, number, done)
    }

    fn place(&mut self, to: &mut Ledger, number: u32) -> u32 {
        if let Some(Some(done)) = self.places.get(number as usize) {
            return *done;
        }
        let Some(from) = self.from.place(number).copied() else {
            return number;
        };
        let place = Place {
            region: self.symbol(to, from.region),
            account: self.symbol(to, from.account),
        };
        let none = BTreeSet::new();
        let hours = self.from.hours.get(number as usize).unwrap_or(&none);
        let done = to.load_place(place, hours.iter().copied());
        remember(&mut self.places, number, done)
    }
}

fn remember(slots: &mut [Option<u32>], number: u32, done: u32) -> u32 {
    if let Some(slot) = slots.get_mut(number as usize) {
        *slot = Some(done);
    }
    done
}
