//! Adding one event. The hot path of a scan: about three hash look-ups for a caller met before.

use super::caller::{self, Caller, Rare};
use super::fact::{Attempt, AttemptKey, Fact, Kept};
use super::memory::Recent;
use super::mix::{half, mix, spread};
use super::symbols::Symbol;
use super::usage::{Call, Client, EventKey, Many, Mark, Place, Use, UseKey};
use super::{FIRST_USES, Ledger};
use crate::deed::{self, Attribute, Rule, Value};
use crate::event::Event;
use crate::id::uuid_bytes;
use crate::json::Node;
use crate::time::seconds;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The marks in a case file must mean the same to every run, so their hash has a fixed seed.
const MARK_SEED: u64 = 0x6d61_726b;
/// So many events are counted together.
const PENDING: usize = 256;
/// The outcome of a call that failed without an error code, as console sign-ins do.
const FAILURE: &str = "Failure";

impl Ledger {
    /// Adds an event. Adding it again changes nothing.
    pub fn apply(&mut self, event: &Event<'_>) {
        let call = self.call_of(event);
        let caller = self.caller_of(event);
        let client = self.client_of(event);
        let place = self.place_of(event);
        let outcome = match event.error_code {
            "" if event.failed() => self.symbols.intern(FAILURE),
            code => self.symbols.intern(code),
        };
        let key = UseKey {
            caller,
            call,
            client,
            place,
            outcome,
        };
        let id = self.id_of(event);
        let hash = self.identity_hash(event, id);
        let mark = Mark::new(seconds(event.time), hash);
        self.pending.push((key, mark, id));
        if self.pending.len() == PENDING {
            self.flush();
        }
        let hour = event.time.hour();
        if self.memory.last_hour != Some((place, hour)) {
            self.memory.last_hour = Some((place, hour));
            if let Some(hours) = self.hours.get_mut(place as usize) {
                hours.insert(hour);
            }
        }
        let known = self.rules.get(call as usize).copied().flatten();
        if let Some(rule) = known.or_else(|| {
            event
                .response
                .is_some_and(deed::vends)
                .then_some(Rule::VEND)
        }) {
            self.keep(event, rule, (key, mark, id));
        }
    }

    fn caller_of(&mut self, event: &Event<'_>) -> u32 {
        let key = match event.identity {
            Some(Node::Text(text)) => Some(self.memory.identity(text, event.from_console)),
            _ => None,
        };
        if let Some(number) = key.and_then(|key| self.memory.callers.get(key)) {
            return number;
        }
        let (caller, rare) = caller::read(event, &mut self.symbols);
        let number = self.add_caller(caller, rare);
        if let Some(key) = key {
            self.memory.callers.set(key, number);
        }
        number
    }

    pub(super) fn add_caller(&mut self, mut caller: Caller, rare: Rare) -> u32 {
        let seed = self.seed;
        caller.rare = self.rare.add(rare, |row| hash_rare(seed, row));
        self.callers.add(caller, |row| hash_caller(seed, row))
    }

    fn call_of(&mut self, event: &Event<'_>) -> u32 {
        let slot = Recent::slot([event.source, event.name]);
        if let Some(number) = self.memory.calls.get(slot)
            && self.call(number).is_some_and(|call| {
                let flags = (call.category, call.read_only) == (event.category, event.read_only);
                flags
                    && self.text(call.name) == event.name
                    && self.text(call.source) == event.source
            })
        {
            return number;
        }
        let (source, name) = (
            self.symbols.intern(event.source),
            self.symbols.intern(event.name),
        );
        let number = self.add_call(Call {
            source,
            name,
            category: event.category,
            read_only: event.read_only,
        });
        self.memory.calls.set(slot, number);
        number
    }

    pub(super) fn add_call(&mut self, call: Call) -> u32 {
        let seed = self.seed;
        let number = self.calls.add(call, |row| {
            let flags =
                u64::from(row.category as u8) << 8 | u64::from(row.read_only.map_or(2, u8::from));
            mix(seed, &[pair(row.source, row.name), flags])
        });
        if number as usize == self.rules.len() {
            let (source, name) = (self.symbols.get(call.source), self.symbols.get(call.name));
            self.rules.push(Rule::find(source, name));
        }
        number
    }

    fn client_of(&mut self, event: &Event<'_>) -> u32 {
        let slot = Recent::slot([event.address, event.user_agent]);
        if let Some(number) = self.memory.clients.get(slot)
            && self.client(number).is_some_and(|client| {
                self.text(client.address) == event.address
                    && self.text(client.agent) == event.user_agent
                    && self.text(client.endpoint) == event.vpc_endpoint
            })
        {
            return number;
        }
        let (address, agent) = (
            self.symbols.intern(event.address),
            self.symbols.intern(event.user_agent),
        );
        let endpoint = self.symbols.intern(event.vpc_endpoint);
        let number = self.add_client(Client {
            address,
            agent,
            endpoint,
        });
        self.memory.clients.set(slot, number);
        number
    }

    pub(super) fn add_client(&mut self, client: Client) -> u32 {
        let seed = self.seed;
        self.clients.add(client, |row| {
            mix(
                seed,
                &[
                    pair(row.address, row.agent),
                    u64::from(row.endpoint.number()),
                ],
            )
        })
    }

    fn place_of(&mut self, event: &Event<'_>) -> u32 {
        let slot = Recent::slot([event.region, event.recipient]);
        if let Some(number) = self.memory.places.get(slot)
            && self.place(number).is_some_and(|place| {
                self.text(place.region) == event.region
                    && self.text(place.account) == event.recipient
            })
        {
            return number;
        }
        let (region, account) = (
            self.symbols.intern(event.region),
            self.symbols.intern(event.recipient),
        );
        let number = self.add_place(Place { region, account });
        self.memory.places.set(slot, number);
        number
    }

    pub(super) fn add_place(&mut self, place: Place) -> u32 {
        let seed = self.seed;
        let number = self
            .places
            .add(place, |row| mix(seed, &[pair(row.region, row.account)]));
        if number as usize == self.hours.len() {
            self.hours.push(std::collections::BTreeSet::new());
        }
        number
    }

    pub(super) fn text_key(&mut self, id: &str) -> EventKey {
        uuid_bytes(id).map_or_else(|| EventKey::Text(self.symbols.intern(id)), EventKey::Guid)
    }

    /// The event's id, or one made from its content where the log gives none.
    fn id_of(&mut self, event: &Event<'_>) -> EventKey {
        if !event.id.is_empty() {
            return self.text_key(event.id);
        }
        let part =
            |node: Option<Node<'_>>| node.map(|n| n.to_value().to_string()).unwrap_or_default();
        let content = [
            event.source,
            event.name,
            event.address,
            event.user_agent,
            event.error_code,
            &part(event.identity),
            &part(event.request),
            &part(event.response),
        ]
        .join("\n");
        let made = format!(
            "no-event-id-{:016x}",
            xxh3_64_with_seed(content.as_bytes(), MARK_SEED)
        );
        EventKey::Text(self.symbols.intern(&made))
    }

    /// A hash of what makes an event the same event: its id, name and recipient. Published logs
    /// sometimes give many records one id; with the second of the mark and the name they stay apart.
    fn identity_hash(&self, event: &Event<'_>, id: EventKey) -> u64 {
        let id_hash = match id {
            EventKey::Guid(bytes) => xxh3_64_with_seed(&bytes, MARK_SEED),
            EventKey::Text(symbol) => {
                xxh3_64_with_seed(self.symbols.get(symbol).as_bytes(), MARK_SEED)
            }
        };
        let name = xxh3_64_with_seed(event.name.as_bytes(), id_hash);
        xxh3_64_with_seed(event.recipient.as_bytes(), name)
    }

    /// Counts what is pending. Most of the time of a count is spent waiting for rows far apart in
    /// memory; steps that each go over all pending events wait for many rows at once.
    pub(super) fn flush(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        let mut found = [None; PENDING];
        for ((key, _, _), slot) in pending.iter().zip(&mut found) {
            let half = half(hash_use(self.seed, key));
            let first = self.first_uses.get(key.caller as usize);
            let candidate = first.and_then(|slots| slots.iter().find(|(h, _)| *h == half));
            *slot = candidate.map(|(_, number)| *number);
        }
        for slot in &mut found {
            let usage = slot.and_then(|number| self.uses.get(number as usize));
            *slot = usage
                .map(|usage| usage.many)
                .filter(|many| *many != Use::ONE);
        }
        for slot in &found {
            std::hint::black_box(
                slot.and_then(|many| self.many.get(many as usize))
                    .map(|m| m.last),
            );
        }
        for &(key, mark, id) in &pending {
            self.count_use(key, mark, id);
        }
        pending.clear();
        self.pending = pending;
    }

    pub(super) fn count_use(&mut self, key: UseKey, mark: Mark, id: EventKey) {
        let hash = hash_use(self.seed, &key);
        let Some(number) = self.find_use(hash, &key) else {
            let usage = Use {
                key,
                first: mark,
                first_id: id,
                many: Use::ONE,
            };
            self.insert_use(usage, hash);
            return;
        };
        let Some(usage) = self.uses.get_mut(number as usize) else {
            return;
        };
        let first = usage.first;
        if mark == first {
            usage.first_id = usage.first_id.min(id);
            return;
        }
        if let Some(many) = self.many.get_mut(usage.many as usize) {
            many.add(mark);
            // Ties in the mark take the smaller id, so that order does not matter.
            if mark > many.last {
                (many.last, many.last_id) = (mark, id);
            } else if mark == many.last {
                many.last_id = many.last_id.min(id);
            }
        } else {
            let last = if mark > first {
                (mark, id)
            } else {
                (first, usage.first_id)
            };
            usage.many = u32::try_from(self.many.len()).unwrap_or(Use::ONE);
            self.many.push(Many::new(first.min(mark), last));
        }
        if mark < first {
            (usage.first, usage.first_id) = (mark, id);
        }
    }

    pub(super) fn find_use(&self, hash: u64, key: &UseKey) -> Option<u32> {
        let half = half(hash);
        let same = |&(h, n): &(u32, u32)| {
            h == half
                && self
                    .uses
                    .get(n as usize)
                    .is_some_and(|usage| usage.key == *key)
        };
        let first = self.first_uses.get(key.caller as usize)?;
        if let Some(&(_, number)) = first.iter().find(|slot| same(slot)) {
            return Some(number);
        }
        // A caller's further uses are in the table only once its own slots are full.
        first.last().filter(|slot| slot.1 != Use::NONE)?;
        self.use_table.find(spread(half), same).map(|&(_, n)| n)
    }

    pub(super) fn insert_use(&mut self, usage: Use, hash: u64) {
        let number = u32::try_from(self.uses.len()).unwrap_or(u32::MAX);
        let (half, caller) = (half(hash), usage.key.caller as usize);
        self.uses.push(usage);
        if caller >= self.first_uses.len() {
            self.first_uses
                .resize(caller + 1, [(0, Use::NONE); FIRST_USES]);
        }
        let first = self.first_uses.get_mut(caller);
        match first.and_then(|slots| slots.iter_mut().find(|slot| slot.1 == Use::NONE)) {
            Some(slot) => *slot = (half, number),
            None => {
                let rehash = |(half, _): &(u32, u32)| spread(*half);
                self.use_table
                    .insert_unique(spread(half), (half, number), rehash);
            }
        }
    }

    /// Keeps a deed: a success as a fact, a failure as an attempt.
    fn keep(&mut self, event: &Event<'_>, rule: Rule, (key, mark, id): (UseKey, Mark, EventKey)) {
        let deed = rule.deed();
        let values = deed::attributes(event, rule);
        let kept: Vec<Kept> = values
            .into_iter()
            .map(|(attribute, value)| self.kept_of(attribute, &value))
            .collect();
        if event.failed() {
            let find = |wanted: &[Attribute]| {
                let found = wanted
                    .iter()
                    .find_map(|w| kept.iter().find(|k| k.attribute == *w));
                found.map_or(Symbol::EMPTY, |k| k.symbol())
            };
            let target = find(&[
                Attribute::Role,
                Attribute::User,
                Attribute::Key,
                Attribute::Resource,
            ]);
            let attempt = AttemptKey {
                key,
                deed,
                target,
                serial: find(&[Attribute::Serial]),
            };
            self.add_attempt(
                attempt,
                Attempt {
                    first: (mark, id),
                    last: (mark, id),
                },
            );
            return;
        }
        let shared = if event.shared_id.is_empty() {
            EventKey::Text(Symbol::EMPTY)
        } else {
            self.text_key(event.shared_id)
        };
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
        self.add_fact(fact, &kept);
    }

    pub(super) fn kept_of(&mut self, attribute: Attribute, value: &Value<'_>) -> Kept {
        let value = match value {
            Value::Text(text) => self.symbols.intern(text).number(),
            Value::Number(number) => *number,
        };
        Kept { attribute, value }
    }

    pub(super) fn add_attempt(&mut self, key: AttemptKey, attempt: Attempt) {
        self.attempts
            .entry(key)
            .and_modify(|known| {
                known.first = known.first.min(attempt.first);
                known.last = known.last.max(attempt.last);
            })
            .or_insert(attempt);
    }

    /// Adds a fact unless it is there. Two records with one id and different content are kept by
    /// their text's order, so that the order of arrival does not matter.
    pub(super) fn add_fact(&mut self, mut fact: Fact, kept: &[Kept]) {
        let hash = mix(self.seed, &[u64::from(fact.hash), u64::from(fact.time)]);
        let same = |known: &Fact| {
            known.hash == fact.hash && known.time == fact.time && known.id == fact.id
        };
        let found = self
            .fact_table
            .find(hash, |&n| self.facts.get(n as usize).is_some_and(same))
            .copied();
        fact.first_attribute = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
        fact.attributes = u8::try_from(kept.len()).unwrap_or(u8::MAX);
        let Some(number) = found else {
            self.kept.extend_from_slice(kept);
            let (facts, seed) = (&self.facts, self.seed);
            let rehash = |&n: &u32| {
                facts
                    .get(n as usize)
                    .map(|f| mix(seed, &[u64::from(f.hash), u64::from(f.time)]))
                    .unwrap_or_default()
            };
            let number = u32::try_from(self.facts.len()).unwrap_or(u32::MAX);
            self.fact_table.insert_unique(hash, number, rehash);
            self.facts.push(fact);
            return;
        };
        let Some(known) = self.facts.get(number as usize).copied() else {
            return;
        };
        if known.key == fact.key && known.shared == fact.shared && self.kept(&known) == kept {
            return;
        }
        self.kept.extend_from_slice(kept);
        if self.fact_line(&fact) < self.fact_line(&known)
            && let Some(slot) = self.facts.get_mut(number as usize)
        {
            *slot = fact;
        }
    }
}

fn pair(a: Symbol, b: Symbol) -> u64 {
    u64::from(a.number()) << 32 | u64::from(b.number())
}

pub(super) fn hash_use(seed: u64, key: &UseKey) -> u64 {
    let UseKey {
        caller,
        call,
        client,
        place,
        outcome,
    } = *key;
    let word = |a: u32, b: u32| u64::from(a) << 32 | u64::from(b);
    mix(
        seed,
        &[
            word(caller, call),
            word(client, place),
            u64::from(outcome.number()),
        ],
    )
}

fn hash_caller(seed: u64, row: &Caller) -> u64 {
    let flags = u64::from(row.kind as u8)
        | u64::from(row.mfa.map_or(2, u8::from)) << 8
        | u64::from(row.from_console) << 16
        | u64::from(row.arn_ends_with_session) << 17
        | u64::from(row.created.is_some()) << 18;
    mix(
        seed,
        &[
            pair(row.key, row.unique_id),
            pair(row.session, row.arn),
            pair(row.account, row.user_name),
            pair(row.issuer_arn, row.issuer_id),
            pair(row.invoked_by, Symbol::EMPTY) | u64::from(row.rare),
            u64::from(row.created.unwrap_or_default()) << 32 | flags,
        ],
    )
}

pub(super) fn hash_rare(seed: u64, row: &Rare) -> u64 {
    mix(
        seed,
        &[
            pair(row.type_name, row.source_identity),
            pair(row.sign_in_session, row.on_behalf_of),
            pair(row.identity_store, row.credential_id),
            pair(row.provider, row.delegate),
            pair(row.role_delivery, row.in_scope_of),
            u64::from(row.assumed_root.number()),
        ],
    )
}
