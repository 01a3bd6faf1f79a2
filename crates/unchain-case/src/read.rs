//! From rows back to a ledger: all of it, or the callers and facts that are asked for.

use crate::by_day;
use crate::detail::{self, Columns};
use crate::dictionary::CATEGORIES;
use crate::digest;
use crate::error::Fault;
use crate::pack::{BY_DAY, read_uses};
use crate::usage::{EventId, Numbers};
use crate::write_facts::end_of_row;
use hashbrown::HashMap;
use rusqlite::{Connection, OptionalExtension as _, Row};
use unchain_core::deed::{Deed, Rule, Value};
use unchain_core::event::Category;
use unchain_core::ledger::{
    Act, Attempt, AttemptKey, Call, Caller, Client, EventKey, Fact, IdentityType, Ledger, NO_SEED,
    Place, Rare, StoredUse, Symbol, UseKey,
};

const CALLER: &str = "SELECT id, identity, key, session, created, uses, ends, marks FROM caller";
const FACT: &str = "SELECT id, caller, call, client, place, time, hash, event_id, shared_id, child_key, \
    session_name, expires, detail FROM fact";
const ATTEMPT: &str = "SELECT caller, call, client, place, outcome, target, serial, first, first_hash, \
    first_id, last, last_hash, last_id FROM attempt";
const IDENTITY: &str = "SELECT kind, mfa, from_console, arn_ends_with_session, unique_id, arn, account, \
    user_name, issuer_arn, issuer_id, invoked_by, type_name, source_identity, sign_in_session, \
    on_behalf_of, identity_store, credential_id, provider, delegate, role_delivery, in_scope_of, \
    assumed_root FROM identity WHERE id = ?1";

/// Whether the marks of events are read with the uses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// Only counts and ends: enough to answer, not to unite.
    Left,
    /// All of them.
    Read,
}

/// Builds a ledger out of rows. What rows share is read when it is first met.
pub(crate) struct Reader<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) ledger: Ledger,
    marks: Marks,
    texts: HashMap<u32, Symbol>,
    identities: HashMap<u32, (Caller, Rare)>,
    calls: HashMap<u32, (u32, Deed)>,
    clients: HashMap<u32, u32>,
    places: HashMap<u32, u32>,
    details: HashMap<u32, String>,
    callers: HashMap<u32, u32>,
}

impl<'c> Reader<'c> {
    pub(crate) fn new(connection: &'c Connection, marks: Marks) -> Self {
        Self {
            connection,
            ledger: Ledger::new(NO_SEED),
            marks,
            texts: HashMap::new(),
            identities: HashMap::new(),
            calls: HashMap::new(),
            clients: HashMap::new(),
            places: HashMap::new(),
            details: HashMap::new(),
            callers: HashMap::new(),
        }
    }

    /// Everything.
    pub(crate) fn all(mut self) -> Result<Ledger, Fault> {
        self.coverage()?;
        let connection = self.connection;
        let mut statement = connection.prepare(&format!("{CALLER} ORDER BY id"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let number = self.caller(row)?;
            self.uses(row, number)?;
        }
        let mut statement = connection.prepare(&format!("{FACT} ORDER BY id"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.fact(row)?;
        }
        let mut statement = connection.prepare(ATTEMPT)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.attempt(row)?;
        }
        digest::read(connection, &mut self.ledger)?;
        self.finish()
    }

    /// Some callers and facts, with every place and call and without digests: no edge rests on one. The lists are in order, and hold the callers of
    /// the facts.
    pub(crate) fn some(
        mut self,
        callers: impl Iterator<Item = u32>,
        facts: impl Iterator<Item = u32>,
    ) -> Result<Ledger, Fault> {
        self.coverage()?;
        self.every_call()?;
        self.services()?;
        let connection = self.connection;
        let mut caller = connection.prepare(&format!("{CALLER} WHERE id = ?1"))?;
        let mut attempts = connection.prepare(&format!("{ATTEMPT} WHERE caller = ?1"))?;
        for id in callers {
            let mut rows = caller.query([id])?;
            if let Some(row) = rows.next()? {
                let number = self.caller(row)?;
                self.uses(row, number)?;
            }
            let mut rows = attempts.query([id])?;
            while let Some(row) = rows.next()? {
                self.attempt(row)?;
            }
        }
        let mut fact = connection.prepare(&format!("{FACT} WHERE id = ?1"))?;
        for id in facts {
            let mut rows = fact.query([id])?;
            if let Some(row) = rows.next()? {
                self.fact(row)?;
            }
        }
        self.finish()
    }

    /// A caller without its uses. The result is its number in the ledger.
    pub(crate) fn one_caller(&mut self, id: u32) -> Result<Option<u32>, Fault> {
        if let Some(&number) = self.callers.get(&id) {
            return Ok(Some(number));
        }
        let mut statement = self
            .connection
            .prepare_cached(&format!("{CALLER} WHERE id = ?1"))?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(|row| self.caller(row)).transpose()
    }

    /// A fact with its caller.
    pub(crate) fn one_fact(&mut self, id: u32) -> Result<Option<Fact>, Fault> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{FACT} WHERE id = ?1"))?;
        let mut rows = statement.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        self.one_caller(row.get(1)?)?;
        self.fact(row).map(Some)
    }

    fn finish(mut self) -> Result<Ledger, Fault> {
        self.ledger.settle();
        Ok(self.ledger)
    }

    fn coverage(&mut self) -> Result<(), Fault> {
        let connection = self.connection;
        let mut statement = connection.prepare(
            "SELECT place.id, day, hours FROM place LEFT JOIN coverage ON place = place.id ORDER BY 1, 2",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let number = self.place(row.get(0)?)?;
            let Some(place) = self.ledger.place(number).copied() else {
                continue;
            };
            if let (Some(day), Some(bits)) =
                (row.get::<_, Option<i64>>(1)?, row.get::<_, Option<u32>>(2)?)
            {
                let hours = (0..24).filter(|hour| bits >> hour & 1 == 1);
                self.ledger
                    .load_place(place, hours.map(|hour| day * 24 + i64::from(hour)));
            }
        }
        Ok(())
    }

    fn every_call(&mut self) -> Result<(), Fault> {
        let connection = self.connection;
        let mut statement = connection.prepare("SELECT id FROM call ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            self.call(row.get(0)?)?;
        }
        Ok(())
    }

    /// A lineage names a workload by the text of its service, if the ledger has it at all.
    fn services(&mut self) -> Result<(), Fault> {
        let mut statement = self
            .connection
            .prepare("SELECT id FROM text WHERE text = ?1")?;
        for service in [
            "ec2.amazonaws.com",
            "lambda.amazonaws.com",
            "ecs-tasks.amazonaws.com",
        ] {
            let id: Option<u32> = statement
                .query_row([service], |row| row.get(0))
                .optional()?;
            self.text(id.unwrap_or_default())?;
        }
        Ok(())
    }

    fn caller(&mut self, row: &Row<'_>) -> Result<u32, Fault> {
        let id = row.get(0)?;
        let (identity, rare) = self.identity(row.get(1)?)?;
        let text = |at| {
            row.get_ref(at)?
                .as_str_or_null()
                .map_err(|_| damaged_caller(id))
        };
        let caller = Caller {
            key: self.ledger.intern(text(2)?.unwrap_or_default()),
            session: self.ledger.intern(text(3)?.unwrap_or_default()),
            created: row.get(4)?,
            ..identity
        };
        let number = self.ledger.load_caller(caller, rare);
        self.callers.insert(id, number);
        Ok(number)
    }

    fn uses(&mut self, row: &Row<'_>, caller: u32) -> Result<(), Fault> {
        let id = row.get(0)?;
        let damaged = |_| damaged_caller(id);
        let uses = row.get_ref(5)?.as_str().map_err(damaged)?;
        let ends = row.get_ref(6)?.as_blob().map_err(damaged)?;
        let mut days = HashMap::new();
        let marks = match self.marks {
            Marks::Left => None,
            Marks::Read => {
                let marks = row
                    .get_ref(7)?
                    .as_blob_or_null()
                    .map_err(damaged)?
                    .unwrap_or_default();
                if marks == [BY_DAY] {
                    days = by_day::all(self.connection, id)?;
                }
                Some(marks).filter(|_| days.is_empty())
            }
        };
        for mut row in read_uses(uses, ends, marks).ok_or(damaged_caller(id))? {
            let marks = days
                .remove(&row.numbers)
                .unwrap_or_else(|| std::mem::take(row.marks.to_mut()));
            let stored = StoredUse {
                key: self.key(caller, row.numbers)?,
                first: (row.first.0, self.event(row.first.1)),
                last: (row.last.0, self.event(row.last.1)),
                count: row.count,
                marks,
            };
            self.ledger.load_use(stored);
        }
        Ok(())
    }

    fn fact(&mut self, row: &Row<'_>) -> Result<Fact, Fault> {
        let id: i64 = row.get(0)?;
        let damaged = || Fault::Damaged("fact", id);
        let caller: u32 = row.get(1)?;
        let caller = *self.callers.get(&caller).ok_or_else(damaged)?;
        let (call, deed) = self.call(row.get(2)?)?;
        let client = self.client(row.get(3)?)?;
        let act = Act {
            call,
            place: self.place(row.get(4)?)?,
            outcome: Symbol::EMPTY,
        };
        let act = self.ledger.load_act(act);
        let key = UseKey {
            caller,
            act,
            client,
        };
        let mark = crate::pack::mark(row.get(5)?, row.get(6)?);
        let ids = [self.event(row.get(7)?), self.event(row.get(8)?)];
        let (child_key, session_name): (Option<String>, Option<String>) =
            (row.get(9)?, row.get(10)?);
        let columns = Columns {
            child_key: child_key.as_deref(),
            session_name: session_name.as_deref(),
            expires: row.get(11)?,
        };
        let list = self.detail(row.get(12)?)?;
        let attributes = detail::read(&columns, &list, |text| {
            let symbol = self.text(text).ok()?;
            Some(self.ledger.text(symbol).to_owned())
        });
        let mut kept = Vec::new();
        for (attribute, value) in attributes.ok_or_else(damaged)? {
            let value = match &value {
                detail::Kept::Text(text) => Value::Text(text.into()),
                detail::Kept::Number(number) => Value::Number(*number),
            };
            kept.push(self.ledger.kept_value(attribute, &value));
        }
        Ok(self.ledger.load_fact((key, deed, mark), ids, &kept))
    }

    fn attempt(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let id: u32 = row.get(0)?;
        let caller = *self
            .callers
            .get(&id)
            .ok_or(Fault::Damaged("attempt", id.into()))?;
        let numbers = Numbers {
            call: row.get(1)?,
            client: row.get(2)?,
            place: row.get(3)?,
            outcome: row.get(4)?,
        };
        let (_, deed) = self.call(numbers.call)?;
        let key = AttemptKey {
            key: self.key(caller, numbers)?,
            deed,
            target: self.text(row.get(5)?)?,
            serial: self.text(row.get(6)?)?,
        };
        let [first, last] =
            [end_of_row(row, 7)?, end_of_row(row, 10)?].map(|(mark, id)| (mark, self.event(id)));
        self.ledger.load_attempt(key, Attempt { first, last });
        Ok(())
    }

    fn key(&mut self, caller: u32, numbers: Numbers) -> Result<UseKey, Fault> {
        let act = Act {
            call: self.call(numbers.call)?.0,
            place: self.place(numbers.place)?,
            outcome: self.text(numbers.outcome)?,
        };
        Ok(UseKey {
            caller,
            act: self.ledger.load_act(act),
            client: self.client(numbers.client)?,
        })
    }

    fn event(&mut self, id: EventId<'_>) -> EventKey {
        match id {
            EventId::Guid(bytes) => self.ledger.guid_key(bytes),
            EventId::Text(text) => self.ledger.event_key(&text),
        }
    }

    fn text(&mut self, id: u32) -> Result<Symbol, Fault> {
        if id == 0 {
            return Ok(Symbol::EMPTY);
        }
        if let Some(&symbol) = self.texts.get(&id) {
            return Ok(symbol);
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT text FROM text WHERE id = ?1")?;
        let text: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?;
        let symbol = self
            .ledger
            .intern(&text.ok_or(Fault::Damaged("text", id.into()))?);
        self.texts.insert(id, symbol);
        Ok(symbol)
    }

    fn detail(&mut self, id: u32) -> Result<String, Fault> {
        if let Some(list) = self.details.get(&id) {
            return Ok(list.clone());
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT attributes FROM detail WHERE id = ?1")?;
        let list: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?;
        let list = list.ok_or(Fault::Damaged("detail", id.into()))?;
        self.details.insert(id, list.clone());
        Ok(list)
    }

    fn identity(&mut self, id: u32) -> Result<(Caller, Rare), Fault> {
        if let Some(&known) = self.identities.get(&id) {
            return Ok(known);
        }
        let mut statement = self.connection.prepare_cached(IDENTITY)?;
        let mut rows = statement.query([id])?;
        let row = rows.next()?.ok_or(Fault::Damaged("identity", id.into()))?;
        let mut texts = [Symbol::EMPTY; 18];
        for (slot, at) in texts.iter_mut().zip(4..) {
            *slot = self.text(row.get(at)?)?;
        }
        let [
            unique_id,
            arn,
            account,
            user_name,
            issuer_arn,
            issuer_id,
            invoked_by,
            rest @ ..,
        ] = texts;
        let caller = Caller {
            unique_id,
            arn,
            account,
            user_name,
            issuer_arn,
            issuer_id,
            invoked_by,
            kind: IdentityType::read(&row.get::<_, String>(0)?),
            mfa: flag(&row.get::<_, String>(1)?),
            from_console: row.get(2)?,
            arn_ends_with_session: row.get(3)?,
            ..Caller::default()
        };
        let found = (caller, rare(rest));
        self.identities.insert(id, found);
        Ok(found)
    }

    fn call(&mut self, id: u32) -> Result<(u32, Deed), Fault> {
        if let Some(&known) = self.calls.get(&id) {
            return Ok(known);
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT source, name, category, read_only FROM call WHERE id = ?1")?;
        let mut rows = statement.query([id])?;
        let row = rows.next()?.ok_or(Fault::Damaged("call", id.into()))?;
        let (source, name): (String, String) = (row.get(0)?, row.get(1)?);
        let category: String = row.get(2)?;
        let category = CATEGORIES.iter().find(|(_, name)| *name == category);
        let call = Call {
            source: self.ledger.intern(&source),
            name: self.ledger.intern(&name),
            category: category.map_or(Category::Other, |(category, _)| *category),
            read_only: flag(&row.get::<_, String>(3)?),
        };
        // The table of deeds belongs to the program: a call that a later version keeps has no facts yet.
        let deed = Rule::find(&source, &name).map_or(Deed::Vend, Rule::deed);
        let found = (self.ledger.load_call(call), deed);
        self.calls.insert(id, found);
        Ok(found)
    }

    fn client(&mut self, id: u32) -> Result<u32, Fault> {
        if let Some(&known) = self.clients.get(&id) {
            return Ok(known);
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT address, agent, endpoint FROM client WHERE id = ?1")?;
        let mut rows = statement.query([id])?;
        let row = rows.next()?.ok_or(Fault::Damaged("client", id.into()))?;
        let client = Client {
            address: self.ledger.intern(&row.get::<_, String>(0)?),
            agent: self.text(row.get(1)?)?,
            endpoint: self.text(row.get(2)?)?,
        };
        let number = self.ledger.load_client(client);
        self.clients.insert(id, number);
        Ok(number)
    }

    fn place(&mut self, id: u32) -> Result<u32, Fault> {
        if let Some(&known) = self.places.get(&id) {
            return Ok(known);
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT region, account FROM place WHERE id = ?1")?;
        let mut rows = statement.query([id])?;
        let row = rows.next()?.ok_or(Fault::Damaged("place", id.into()))?;
        let place = Place {
            region: self.ledger.intern(&row.get::<_, String>(0)?),
            account: self.ledger.intern(&row.get::<_, String>(1)?),
        };
        let number = self.ledger.load_place(place, []);
        self.places.insert(id, number);
        Ok(number)
    }
}

fn rare(texts: [Symbol; 11]) -> Rare {
    let [
        type_name,
        source_identity,
        sign_in_session,
        on_behalf_of,
        identity_store,
        credential_id,
        provider,
        delegate,
        role_delivery,
        in_scope_of,
        assumed_root,
    ] = texts;
    Rare {
        type_name,
        source_identity,
        sign_in_session,
        on_behalf_of,
        identity_store,
        credential_id,
        provider,
        delegate,
        role_delivery,
        in_scope_of,
        assumed_root,
    }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn damaged_caller(id: u32) -> Fault {
    Fault::Damaged("caller", id.into())
}
