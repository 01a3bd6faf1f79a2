//! Events that wait to be placed, so that look-ups in far memory overlap.
//!
//! What was met lately is found near by and resolved at once. All else (a caller or client that is new or
//! long gone, the texts of a fact) costs a visit to far memory, a quarter of a microsecond in which
//! nothing happens. So such events wait, with a copy of the texts they need, and are placed together:
//! first every place is touched, which the processor does for many at once, and then each is read.
//! INVARIANT: waiting changes when an event is placed, never how (`tests/ledger_law.rs`: any order and
//! any split give an equal ledger).

use super::Ledger;
use super::caller::{Caller, Parts, Rare};
use super::event_key::EventKey;
use super::fact::Kept;
use super::memory::Token;
use super::mix::join;
use super::usage::{Client, Mark, UseKey};
use crate::deed::{Attribute, Deed, Value};
use crate::event::Event;
use std::ops::Range;

/// So many events wait at most.
const EVENTS: usize = 128;
/// So many bytes of their texts, about; a part of a record may be larger.
const BYTES: usize = 64 << 10;

/// A row of the ledger, or what will be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ref {
    Row(u32),
    /// An index into the waiting callers or clients.
    Waiting(u32),
}

/// Events with what they are missing.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    texts: String,
    events: Vec<Placed>,
    callers: Vec<WaitingCaller>,
    clients: Vec<WaitingClient>,
    values: Vec<(Attribute, Stored)>,
}

/// An event and where it belongs.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) caller: Ref,
    pub(super) client: Ref,
    pub(super) act: u32,
    pub(super) mark: Mark,
    pub(super) id: EventKey,
    pub(super) deed: Option<DoneDeed>,
}

/// What an event did, with its values among the waiting ones.
#[derive(Clone, Debug)]
pub(super) struct DoneDeed {
    pub(super) deed: Deed,
    pub(super) failed: bool,
    pub(super) shared: EventKey,
    values: Range<usize>,
}

/// A copied text and its hash.
#[derive(Clone, Copy, Debug)]
struct Copied {
    start: usize,
    end: usize,
    hash: u128,
}

#[derive(Clone, Copy, Debug)]
enum Stored {
    Text(Copied),
    Number(u32),
}

#[derive(Clone, Debug)]
struct WaitingCaller {
    identity: Copied,
    from_console: bool,
    token: Option<Token>,
    row: Option<u32>,
}

#[derive(Clone, Debug)]
struct WaitingClient {
    key: u128,
    texts: [Copied; 3],
    row: Option<u32>,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn copy(&mut self, text: &str, hash: u128) -> Copied {
        let start = self.texts.len();
        self.texts.push_str(text);
        Copied {
            start,
            end: self.texts.len(),
            hash,
        }
    }

    fn text(&self, copied: Copied) -> &str {
        self.texts.get(copied.start..copied.end).unwrap_or_default()
    }

    /// A caller that was not found near by; `hash` tells its text and console flag.
    pub(super) fn caller(
        &mut self,
        (text, hash): (&str, u128),
        from_console: bool,
        token: Option<Token>,
    ) -> Ref {
        // Each token is told its row once that is known, so it has a caller of its own.
        let known = |c: &WaitingCaller| c.identity.hash == hash && c.token == token;
        let index = self.callers.iter().position(known).unwrap_or_else(|| {
            let identity = self.copy(text, hash);
            self.callers.push(WaitingCaller {
                identity,
                from_console,
                token,
                row: None,
            });
            self.callers.len() - 1
        });
        Ref::Waiting(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// A client that was not found near by.
    pub(super) fn client(&mut self, key: u128, texts: [(&str, u128); 3]) -> Ref {
        let known = |c: &WaitingClient| c.key == key;
        let index = self.clients.iter().position(known).unwrap_or_else(|| {
            let texts = texts.map(|(text, hash)| self.copy(text, hash));
            self.clients.push(WaitingClient {
                key,
                texts,
                row: None,
            });
            self.clients.len() - 1
        });
        Ref::Waiting(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Adds an event; `true` if it is time to place them.
    pub(super) fn add(&mut self, event: Placed) -> bool {
        self.events.push(event);
        self.events.len() >= EVENTS || self.texts.len() >= BYTES
    }

    fn row(&self, of: Ref, rows: impl Fn(&Self, usize) -> Option<u32>) -> u32 {
        match of {
            Ref::Row(row) => row,
            Ref::Waiting(index) => rows(self, index as usize).unwrap_or(u32::MAX),
        }
    }

    fn key(&self, event: &Placed) -> UseKey {
        let caller = |w: &Self, n: usize| w.callers.get(n)?.row;
        let client = |w: &Self, n: usize| w.clients.get(n)?.row;
        UseKey {
            caller: self.row(event.caller, caller),
            act: event.act,
            client: self.row(event.client, client),
        }
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.events.clear();
        self.callers.clear();
        self.clients.clear();
        self.values.clear();
    }
}

impl Ledger {
    /// What an event did, its texts copied.
    pub(super) fn deed_of(
        &mut self,
        event: &Event<'_>,
        deed: Deed,
        values: &[(Attribute, Value<'_>)],
    ) -> DoneDeed {
        let shared = if event.shared_id.is_empty() {
            EventKey::NONE
        } else {
            self.text_key(event.shared_id)
        };
        let start = self.waiting.values.len();
        for (attribute, value) in values {
            let stored = match value {
                Value::Number(number) => Stored::Number(*number),
                Value::Text(text) => {
                    let hash = self.symbols.hash(text);
                    Stored::Text(self.waiting.copy(text, hash))
                }
            };
            self.waiting.values.push((*attribute, stored));
        }
        DoneDeed {
            deed,
            failed: event.failed(),
            shared,
            values: start..self.waiting.values.len(),
        }
    }

    /// Places every waiting event.
    pub(super) fn place_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        self.touch(&waiting);
        self.place_clients(&mut waiting);
        self.place_callers(&mut waiting);
        let mut kept = Vec::new();
        for event in &waiting.events {
            let key = waiting.key(event);
            self.uses.add(key, event.mark, event.id);
            let Some(done) = &event.deed else { continue };
            kept.clear();
            let values = waiting.values.get(done.values.clone());
            for (attribute, stored) in values.unwrap_or_default() {
                let value = match stored {
                    Stored::Number(number) => *number,
                    Stored::Text(copied) => {
                        let text = waiting.text(*copied);
                        self.symbols.intern_hashed(text, copied.hash).number()
                    }
                };
                kept.push(Kept {
                    attribute: *attribute,
                    value,
                });
            }
            self.keep(done, (key, event.mark, event.id), &kept);
        }
        waiting.clear();
        self.waiting = waiting;
    }

    /// Brings what will be looked up nearer.
    fn touch(&self, waiting: &Waiting) {
        let callers = waiting.callers.iter().map(|c| c.identity.hash);
        let clients = waiting.clients.iter();
        let texts = clients.clone().flat_map(|c| c.texts).map(|t| t.hash);
        let values = waiting.values.iter().filter_map(|(_, value)| match value {
            Stored::Text(copied) => Some(copied.hash),
            Stored::Number(_) => None,
        });
        let touched = self.memory.callers.touch(callers)
            ^ self.memory.clients.touch(clients.map(|c| c.key))
            ^ self.symbols.touch(texts.chain(values));
        std::hint::black_box(touched);
    }

    fn place_clients(&mut self, waiting: &mut Waiting) {
        let mut clients = std::mem::take(&mut waiting.clients);
        for client in &mut clients {
            client.row = self.memory.clients.get(client.key);
        }
        let mut rows = Vec::with_capacity(clients.len());
        for client in clients.iter().filter(|client| client.row.is_none()) {
            let [address, agent, endpoint] = client.texts.map(|copied| {
                let text = waiting.text(copied);
                self.symbols.intern_hashed(text, copied.hash)
            });
            rows.push(Client {
                address,
                agent,
                endpoint,
            });
        }
        let unknown = clients.iter_mut().filter(|client| client.row.is_none());
        for (client, row) in unknown.zip(self.add_clients(rows.into_iter())) {
            self.memory.clients.get_or_add(client.key, row);
            client.row = Some(row);
        }
        waiting.clients = clients;
    }

    fn place_callers(&mut self, waiting: &mut Waiting) {
        let mut callers = std::mem::take(&mut waiting.callers);
        for caller in &mut callers {
            caller.row = self.memory.callers.get(caller.identity.hash);
        }
        let outlines = &mut self.memory.identities;
        let unknown = callers.iter().enumerate().filter(|(_, c)| c.row.is_none());
        let mut read: Vec<(usize, Parts<'_>)> = Vec::with_capacity(callers.len());
        let mut touched = 0;
        for (n, caller) in unknown {
            // Read where they stay: parts are half a kilobyte.
            read.push((n, Parts::default()));
            if let Some((_, parts)) = read.last_mut() {
                parts.read(waiting.text(caller.identity), outlines);
                let texts = parts.own_texts().map(|text| self.symbols.hash(text));
                touched ^= self.symbols.touch(texts.into_iter());
            }
        }
        std::hint::black_box(touched);
        let mut rows: Vec<(Caller, Rare)> = Vec::with_capacity(read.len());
        for (n, parts) in &read {
            let console = callers.get(*n).is_some_and(|c| c.from_console);
            rows.push(parts.caller(console, &mut |text| self.symbols.intern(text)));
        }
        for ((n, _), row) in read.iter().zip(self.add_callers(rows.into_iter())) {
            if let Some(caller) = callers.get_mut(*n) {
                self.memory.callers.get_or_add(caller.identity.hash, row);
                caller.row = Some(row);
            }
        }
        for caller in &callers {
            if let (Some(token), Some(row)) = (caller.token, caller.row) {
                self.memory.set_token(token, Ref::Row(row));
            }
        }
        waiting.callers = callers;
    }

    /// The client of an event, if it was met lately; else it waits.
    pub(super) fn client_of(&mut self, event: &Event<'_>) -> Ref {
        let (address, agent) = (event.address, event.user_agent);
        let endpoint = event.vpc_endpoint;
        // One by one: mapping an array of them takes twice as many instructions.
        let hash = |text| self.symbols.hash(text);
        let hashes = [hash(address), hash(agent), hash(endpoint)];
        let key = join(hashes);
        if let Some(row) = self.memory.clients.near(key) {
            return Ref::Row(row);
        }
        let [a, b, c] = hashes;
        let texts = [(address, a), (agent, b), (endpoint, c)];
        self.waiting.client(key, texts)
    }
}
