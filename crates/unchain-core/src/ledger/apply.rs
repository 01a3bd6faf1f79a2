//! Adding one event: what was met lately is found near by, the rest waits (`waiting`).

use super::Ledger;
use super::caller::{self, Caller, Rare};
use super::event_key::{EventKey, Unpacked};
use super::fact::{Attempt, AttemptKey, Kept};
use super::memory::Token;
use super::mix::{join, mix};
use super::symbols::Symbol;
use super::usage::{Act, Call, Client, Mark, Place, UseKey};
use super::waiting::{DoneDeed, Placed, Ref};
use crate::deed::{self, Attribute, Rule, Value};
use crate::event::Event;
use crate::json::Node;
use crate::time::seconds;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The marks in a case file must mean the same to every run, so their hash has a fixed seed.
const MARK_SEED: u64 = 0x6d61_726b;
/// The outcome of a call that failed without an error code, as console sign-ins do.
const FAILURE: &str = "Failure";

impl Ledger {
    /// Adds an event. Adding it again changes nothing.
    pub fn apply(&mut self, event: &Event<'_>) {
        let number = self.act_of(event);
        let act = self.acts.get(number).copied().unwrap_or_default();
        let (caller, client) = (self.caller_of(event), self.client_of(event));
        let id = self.id_of(event);
        let hash = self.identity_hash(event, id);
        let mark = Mark::new(seconds(event.time), hash);
        let hour = event.time.hour();
        if self.memory.last_hour != Some((act.place, hour)) {
            self.memory.last_hour = Some((act.place, hour));
            if let Some(hours) = self.hours.get_mut(act.place as usize) {
                hours.insert(hour);
            }
        }
        let known = self.rules.get(act.call as usize).copied().flatten();
        let rule = known.or_else(|| {
            let vends = event.response.is_some_and(deed::vends);
            vends.then_some(Rule::VEND)
        });
        if let (Ref::Row(caller), Ref::Row(client), None) = (caller, client, rule) {
            let key = UseKey {
                caller,
                act: number,
                client,
            };
            self.uses.add(key, mark, id);
            return;
        }
        let deed = rule.map(|rule| {
            let values = deed::attributes(event, rule, &mut self.memory.parts);
            self.deed_of(event, rule.deed(), &values)
        });
        let placed = Placed {
            caller,
            client,
            act: number,
            mark,
            id,
            deed,
        };
        if self.waiting.add(placed) {
            self.place_waiting();
        }
    }

    /// The caller of an event, if it was met lately; else it waits.
    fn caller_of(&mut self, event: &Event<'_>) -> Ref {
        let Some(token) = event.identity_token else {
            return self.caller_by_text(event, None);
        };
        let token = (token.get(), event.from_console);
        if let Some(caller) = self.memory.by_token(token) {
            return caller;
        }
        let caller = self.caller_by_text(event, Some(token));
        self.memory.set_token(token, caller);
        caller
    }

    fn caller_by_text(&mut self, event: &Event<'_>, token: Option<Token>) -> Ref {
        let Some(Node::Text(text)) = event.identity else {
            let (caller, rare) = caller::read(event, &mut |text| self.symbols.intern(text));
            return Ref::Row(self.add_caller(caller, rare));
        };
        // The console flag is not part of the text but of the caller.
        let hash = self.symbols.hash(text) ^ u128::from(event.from_console);
        match self.memory.callers.near(hash) {
            Some(row) => Ref::Row(row),
            None => self.waiting.caller((text, hash), event.from_console, token),
        }
    }

    pub(super) fn add_caller(&mut self, caller: Caller, rare: Rare) -> u32 {
        let (caller, hash) = self.hashed(caller, rare);
        self.callers.add(caller, hash)
    }

    /// Adds callers, and gives their numbers.
    pub(super) fn add_callers(&mut self, rows: impl Iterator<Item = (Caller, Rare)>) -> Vec<u32> {
        let rows = rows.map(|(row, rare)| self.hashed(row, rare)).collect();
        self.callers.add_all(rows)
    }

    fn hashed(&mut self, mut caller: Caller, rare: Rare) -> (Caller, u128) {
        caller.rare = 0;
        if rare != Rare::default() {
            caller.rare = self.rare.add(rare, hash_rare(self.seed, &rare));
        }
        (caller, hash_caller(self.seed, &caller))
    }

    /// What the record says beside who called from where, and with which client.
    fn act_of(&mut self, event: &Event<'_>) -> u32 {
        let symbols = &self.symbols;
        let hash = |text: &str| symbols.hash(text);
        let failed = event.failed();
        let flags = u128::from(event.category as u8) << 8
            | u128::from(event.read_only.map_or(2, u8::from)) << 1
            | u128::from(failed);
        let key = join([
            hash(event.source),
            hash(event.name),
            self.memory.region.hash(event.region, hash),
            self.memory.recipient.hash(event.recipient, hash),
            hash(event.error_code),
            flags,
        ]);
        if let Some(act) = self.memory.acts.get(key) {
            return act;
        }
        let (source, name) = (
            self.symbols.intern(event.source),
            self.symbols.intern(event.name),
        );
        let call = self.add_call(Call {
            source,
            name,
            category: event.category,
            read_only: event.read_only,
        });
        let (region, account) = (
            self.symbols.intern(event.region),
            self.symbols.intern(event.recipient),
        );
        let place = self.add_place(Place { region, account });
        let outcome = match event.error_code {
            "" if failed => self.symbols.intern(FAILURE),
            code => self.symbols.intern(code),
        };
        let act = self.add_act(Act {
            call,
            place,
            outcome,
        });
        self.memory.acts.get_or_add(key, act);
        act
    }

    pub(super) fn add_act(&mut self, act: Act) -> u32 {
        let parts = [
            u64::from(act.call) << 32 | u64::from(act.place),
            u64::from(act.outcome.number()),
        ];
        self.acts.add(act, mix(self.seed, &parts))
    }

    pub(super) fn add_call(&mut self, call: Call) -> u32 {
        let seed = self.seed;
        let flags =
            u64::from(call.category as u8) << 8 | u64::from(call.read_only.map_or(2, u8::from));
        let hash = mix(seed, &[pair(call.source, call.name), flags]);
        let number = self.calls.add(call, hash);
        if number as usize == self.rules.len() {
            let (source, name) = (self.symbols.get(call.source), self.symbols.get(call.name));
            self.rules.push(Rule::find(source, name));
        }
        number
    }

    /// Adds clients, and gives their numbers.
    pub(super) fn add_clients(&mut self, rows: impl Iterator<Item = Client>) -> Vec<u32> {
        let rows = rows
            .map(|row| (row, hash_client(self.seed, &row)))
            .collect();
        self.clients.add_all(rows)
    }

    pub(super) fn add_client(&mut self, client: Client) -> u32 {
        self.clients.add(client, hash_client(self.seed, &client))
    }

    pub(super) fn add_place(&mut self, place: Place) -> u32 {
        let hash = mix(self.seed, &[pair(place.region, place.account)]);
        let number = self.places.add(place, hash);
        if number as usize == self.hours.len() {
            self.hours.push(std::collections::BTreeSet::new());
        }
        number
    }

    pub(super) fn text_key(&mut self, id: &str) -> EventKey {
        EventKey::of_guid_text(id).unwrap_or_else(|| EventKey::of_text(self.symbols.intern(id)))
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
        EventKey::of_text(self.symbols.intern(&made))
    }

    /// A hash of what makes an event the same event: its id, name and recipient. Published logs
    /// sometimes give many records one id; with the second of the mark and the name they stay apart.
    fn identity_hash(&self, event: &Event<'_>, id: EventKey) -> u64 {
        let id_hash = match id.unpack() {
            Unpacked::Guid(bytes) => xxh3_64_with_seed(&bytes, MARK_SEED),
            Unpacked::Text(symbol) => {
                xxh3_64_with_seed(self.symbols.get(symbol).as_bytes(), MARK_SEED)
            }
        };
        let name = xxh3_64_with_seed(event.name.as_bytes(), id_hash);
        xxh3_64_with_seed(event.recipient.as_bytes(), name)
    }

    /// Keeps a deed: a success as a fact, a failure as an attempt.
    pub(super) fn keep(
        &mut self,
        done: &DoneDeed,
        (key, mark, id): (UseKey, Mark, EventKey),
        kept: &[Kept],
    ) {
        let &DoneDeed { deed, shared, .. } = done;
        if !done.failed {
            self.load_fact((key, deed, mark), [id, shared], kept);
            return;
        }
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
        let end = (mark, id);
        self.add_attempt(
            attempt,
            Attempt {
                first: end,
                last: end,
            },
        );
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
}

fn pair(a: Symbol, b: Symbol) -> u64 {
    u64::from(a.number()) << 32 | u64::from(b.number())
}

fn hash_client(seed: u64, row: &Client) -> u128 {
    let endpoint = u64::from(row.endpoint.number());
    mix(seed, &[pair(row.address, row.agent), endpoint])
}

pub(super) fn hash_caller(seed: u64, row: &Caller) -> u128 {
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

pub(super) fn hash_rare(seed: u64, row: &Rare) -> u128 {
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
