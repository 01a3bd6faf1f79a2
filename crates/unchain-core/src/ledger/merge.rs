//! Uniting two ledgers. Must not know how events are read.

use super::event_key::{EventKey, Unpacked};
use super::fact::{Attempt, AttemptKey, Kept};
use super::usage::{Act, Call, Client, Place, UseKey};
use super::{Caller, Ledger, Rare, Symbol};

/// So many rows are looked up together: the processor waits for all of them at once.
const TOGETHER: usize = 128;

/// Where the rows of one ledger are in another.
///
/// All move at once: in their order, looking one up need not wait for the one before.
#[derive(Default)]
struct Transfer {
    symbols: Vec<Symbol>,
    callers: Vec<u32>,
    calls: Vec<u32>,
    clients: Vec<u32>,
    places: Vec<u32>,
    acts: Vec<u32>,
}

impl Ledger {
    /// Adds everything in `other`. The order of merging does not matter, nor do events in both.
    pub fn merge(&mut self, mut other: Self) {
        self.rest();
        other.rest();
        if other.uses.is_empty() && other.places.rows.is_empty() {
            return self.merge_digests(&other);
        }
        if self.uses.is_empty() && self.places.rows.is_empty() && self.seed == other.seed {
            other.merge_digests(self);
            *self = other;
            return;
        }
        self.merge_digests(&other);
        let (mut run, marks) = other.uses.take();
        let transfer = Transfer::new(&other, self);
        for usage in &mut run.uses {
            usage.key = transfer.key(usage.key);
            usage.first_id = transfer.event(usage.first_id);
        }
        for many in &mut run.many {
            many.last_id = transfer.event(many.last_id);
        }
        self.uses.unite(run, marks);
        let (mut facts, kept) = other.facts.take();
        for fact in &mut facts {
            fact.key = transfer.key(fact.key);
            fact.id = transfer.event(fact.id);
            fact.shared = transfer.event(fact.shared);
        }
        let kept = kept.iter().map(|kept| transfer.kept(*kept));
        self.unite_facts((&facts, kept));
        for (attempt, ends) in &other.attempts {
            let key = AttemptKey {
                key: transfer.key(attempt.key),
                deed: attempt.deed,
                target: transfer.symbol(attempt.target),
                serial: transfer.symbol(attempt.serial),
            };
            let end = |(mark, id)| (mark, transfer.event(id));
            let (first, last) = (end(ends.first), end(ends.last));
            self.add_attempt(key, Attempt { first, last });
        }
    }
}

impl Transfer {
    fn new(from: &Ledger, to: &mut Ledger) -> Self {
        let mut new = Self {
            symbols: Vec::with_capacity(from.symbols.len()),
            callers: Vec::with_capacity(from.callers().len()),
            ..Self::default()
        };
        let mut texts = from.symbols.iter().map(|(_, text)| text);
        let mut near = Vec::with_capacity(TOGETHER);
        loop {
            near.clear();
            let next = texts.by_ref().take(TOGETHER);
            near.extend(next.map(|text| (text, to.symbols.hash(text))));
            if near.is_empty() {
                break;
            }
            let hashes = near.iter().map(|(_, hash)| *hash);
            std::hint::black_box(to.symbols.touch(hashes));
            let near = near.iter();
            new.symbols
                .extend(near.map(|(text, hash)| to.symbols.intern_hashed(text, *hash)));
        }
        for callers in from.callers().chunks(TOGETHER) {
            let rows = callers.iter();
            let rows = rows.map(|caller| (new.caller(caller), new.rare(from.rare(caller))));
            let numbers = to.add_callers(rows);
            new.callers.extend(numbers);
        }
        for call in from.calls() {
            let call = new.call(call);
            new.calls.push(to.add_call(call));
        }
        for clients in from.clients().chunks(TOGETHER) {
            let numbers = to.add_clients(clients.iter().map(|client| new.client(client)));
            new.clients.extend(numbers);
        }
        for (place, hours) in from.places() {
            let place = new.place(place);
            new.places.push(to.load_place(place, hours.iter().copied()));
        }
        for act in from.acts() {
            let act = new.act(act);
            new.acts.push(to.add_act(act));
        }
        new
    }

    fn symbol(&self, symbol: Symbol) -> Symbol {
        let known = self.symbols.get(symbol.index());
        known.copied().unwrap_or_default()
    }

    fn event(&self, key: EventKey) -> EventKey {
        match key.unpack() {
            Unpacked::Guid(_) => key,
            Unpacked::Text(symbol) => EventKey::of_text(self.symbol(symbol)),
        }
    }

    fn kept(&self, kept: Kept) -> Kept {
        if kept.attribute.is_number() {
            return kept;
        }
        Kept {
            attribute: kept.attribute,
            value: self.symbol(kept.symbol()).number(),
        }
    }

    fn key(&self, key: UseKey) -> UseKey {
        let number = |rows: &[u32], n: u32| rows.get(n as usize).copied().unwrap_or(n);
        UseKey {
            caller: number(&self.callers, key.caller),
            act: number(&self.acts, key.act),
            client: number(&self.clients, key.client),
        }
    }

    fn act(&self, from: &Act) -> Act {
        let number = |rows: &[u32], n: u32| rows.get(n as usize).copied().unwrap_or(n);
        Act {
            call: number(&self.calls, from.call),
            place: number(&self.places, from.place),
            outcome: self.symbol(from.outcome),
        }
    }

    fn caller(&self, from: &Caller) -> Caller {
        Caller {
            key: self.symbol(from.key),
            unique_id: self.symbol(from.unique_id),
            session: self.symbol(from.session),
            arn: self.symbol(from.arn),
            account: self.symbol(from.account),
            user_name: self.symbol(from.user_name),
            issuer_arn: self.symbol(from.issuer_arn),
            issuer_id: self.symbol(from.issuer_id),
            invoked_by: self.symbol(from.invoked_by),
            ..*from
        }
    }

    fn rare(&self, from: Rare) -> Rare {
        if from == Rare::default() {
            return from;
        }
        Rare {
            type_name: self.symbol(from.type_name),
            source_identity: self.symbol(from.source_identity),
            sign_in_session: self.symbol(from.sign_in_session),
            on_behalf_of: self.symbol(from.on_behalf_of),
            identity_store: self.symbol(from.identity_store),
            credential_id: self.symbol(from.credential_id),
            provider: self.symbol(from.provider),
            delegate: self.symbol(from.delegate),
            role_delivery: self.symbol(from.role_delivery),
            in_scope_of: self.symbol(from.in_scope_of),
            assumed_root: self.symbol(from.assumed_root),
        }
    }

    fn call(&self, from: &Call) -> Call {
        Call {
            source: self.symbol(from.source),
            name: self.symbol(from.name),
            ..*from
        }
    }

    fn client(&self, from: &Client) -> Client {
        Client {
            address: self.symbol(from.address),
            agent: self.symbol(from.agent),
            endpoint: self.symbol(from.endpoint),
        }
    }

    fn place(&self, from: &Place) -> Place {
        Place {
            region: self.symbol(from.region),
            account: self.symbol(from.account),
        }
    }
}
