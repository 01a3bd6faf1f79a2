//! The numbers that a case gives to what many rows share: texts, identities, calls, clients, places,
//! lists of attributes. A number is found, or given if it is new.

use crate::detail::{self, Item};
use crate::error::Fault;
use crate::insert::Insert;
use crate::joins::{Hasher, Join};
use crate::links::{Kind, NewLinks};
use crate::usage::Numbers;
use hashbrown::HashMap;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension as _, Params, ToSql, params_from_iter};
use unchain_core::event::Category;
use unchain_core::ledger::{
    Act, Call, Caller, Client, IDENTITY_TYPES, IdentityType, Ledger, Place, Rare, Symbol, UseKey,
};

/// AWS's words for `eventCategory`, and ours for what it does not say.
pub(crate) const CATEGORIES: [(Category, &str); 6] = [
    (Category::Management, "Management"),
    (Category::Data, "Data"),
    (Category::NetworkActivity, "NetworkActivity"),
    (Category::Insight, "Insight"),
    (Category::Other, "other"),
    (Category::Unknown, ""),
];

const FIND_IDENTITY: &str = "SELECT id FROM identity WHERE (kind, mfa, from_console, \
    arn_ends_with_session, unique_id, arn, account, user_name, issuer_arn, issuer_id, invoked_by, \
    type_name, source_identity, sign_in_session, on_behalf_of, identity_store, credential_id, provider, \
    delegate, role_delivery, in_scope_of, assumed_root) = (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
const ADD_IDENTITY: &str = "INSERT INTO identity (kind, mfa, from_console, arn_ends_with_session, \
    unique_id, arn, account, user_name, issuer_arn, issuer_id, invoked_by, type_name, source_identity, \
    sign_in_session, on_behalf_of, identity_store, credential_id, provider, delegate, role_delivery, \
    in_scope_of, assumed_root) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

/// From the numbers of one ledger to those of the case.
pub(crate) struct Dictionary<'c, 'l> {
    connection: &'c Connection,
    ledger: &'l Ledger,
    /// Whether the case had no rows before: then nothing needs to be looked for.
    fresh: bool,
    symbols: HashMap<Symbol, u32>,
    texts: HashMap<Box<str>, u32>,
    identities: HashMap<Caller, u32>,
    calls: Vec<Option<u32>>,
    clients: Vec<Option<u32>>,
    places: Vec<Option<u32>>,
    details: HashMap<Box<[Item]>, u32>,
    hasher: Hasher,
}

/// The case's numbers of all that uses' keys are made of, for whoever does not know the case.
pub(crate) struct Numbering {
    clients: Vec<u32>,
    /// Those of acts, without a client.
    acts: Vec<Numbers>,
}

impl Numbering {
    /// The numbers of a use's key.
    pub(crate) fn of(&self, key: &UseKey) -> Numbers {
        let client = self.clients.get(key.client as usize).copied();
        let act = self.acts.get(key.act as usize).copied();
        Numbers {
            client: client.unwrap_or_default(),
            ..act.unwrap_or_default()
        }
    }
}

impl<'c, 'l> Dictionary<'c, 'l> {
    pub(crate) fn new(connection: &'c Connection, ledger: &'l Ledger, fresh: bool) -> Self {
        Self {
            connection,
            ledger,
            fresh,
            symbols: HashMap::new(),
            texts: HashMap::new(),
            identities: HashMap::new(),
            calls: vec![None; ledger.calls().len()],
            clients: vec![None; ledger.clients().len()],
            places: vec![None; ledger.places().count()],
            details: HashMap::new(),
            hasher: Hasher::default(),
        }
    }

    /// The number of a text of the ledger.
    pub(crate) fn symbol(&mut self, symbol: Symbol) -> Result<u32, Fault> {
        if symbol.is_empty() {
            return Ok(0);
        }
        if let Some(&id) = self.symbols.get(&symbol) {
            return Ok(id);
        }
        let id = self.text(self.ledger.text(symbol))?;
        self.symbols.insert(symbol, id);
        Ok(id)
    }

    /// The number of a text.
    pub(crate) fn text(&mut self, text: &str) -> Result<u32, Fault> {
        if text.is_empty() {
            return Ok(0);
        }
        if let Some(&id) = self.texts.get(text) {
            return Ok(id);
        }
        let sql = [
            "SELECT id FROM text WHERE text = ?",
            "INSERT INTO text (text) VALUES (?)",
        ];
        let id = self.find_or_add(sql, [text])?;
        self.texts.insert(text.into(), id);
        Ok(id)
    }

    fn find_or_add(
        &self,
        [find, add]: [&str; 2],
        values: impl Params + Clone,
    ) -> Result<u32, Fault> {
        Ok(self.found_or_added([find, add], values)?.0)
    }

    /// The number of a row, and whether it is new.
    fn found_or_added(
        &self,
        [find, add]: [&str; 2],
        values: impl Params + Clone,
    ) -> Result<(u32, bool), Fault> {
        if !self.fresh {
            let mut statement = self.connection.prepare_cached(find)?;
            let found = statement
                .query_row(values.clone(), |row| row.get(0))
                .optional()?;
            if let Some(id) = found {
                return Ok((id, false));
            }
        }
        self.connection.prepare_cached(add)?.execute(values)?;
        let id = self.connection.last_insert_rowid();
        match u32::try_from(id) {
            Ok(id) => Ok((id, true)),
            Err(_) => Err(Fault::Damaged("text", id)),
        }
    }

    /// The number of a caller's identity. A new one is linked by its texts.
    pub(crate) fn identity(&mut self, caller: &Caller, links: &mut NewLinks) -> Result<u32, Fault> {
        let own = Caller {
            key: Symbol::EMPTY,
            session: Symbol::EMPTY,
            created: None,
            ..*caller
        };
        if let Some(&id) = self.identities.get(&own) {
            return Ok(id);
        }
        let rare = self.ledger.rare(caller);
        let mut values = identity_head(caller);
        for symbol in identity_texts(caller, &rare) {
            values.push(i64::from(self.symbol(symbol)?).into());
        }
        let values = params_from_iter(values);
        let (id, new) = self.found_or_added([FIND_IDENTITY, ADD_IDENTITY], values)?;
        if new {
            self.link_identity((caller, &rare), id, links);
        }
        self.identities.insert(own, id);
        Ok(id)
    }

    /// Everything in an identity that a pivot may name. A service that forwarded a call is not one.
    fn link_identity(&mut self, (caller, rare): (&Caller, &Rare), id: u32, links: &mut NewLinks) {
        let issuer = self.ledger.text(caller.issuer_arn);
        let role = issuer.rsplit('/').next().unwrap_or_default();
        let service = match caller.kind {
            IdentityType::AwsService | IdentityType::Absent => caller.invoked_by,
            _ => Symbol::EMPTY,
        };
        let texts = [
            service,
            caller.unique_id,
            caller.arn,
            caller.user_name,
            caller.issuer_arn,
            caller.issuer_id,
            rare.source_identity,
            rare.sign_in_session,
            rare.on_behalf_of,
            rare.credential_id,
        ]
        .map(|symbol| self.ledger.text(symbol));
        for text in texts
            .into_iter()
            .chain([role])
            .filter(|text| !text.is_empty())
        {
            links.push(Kind::Identity, self.hasher.text(Join::Identity, text), id);
        }
    }

    /// The numbers of a use's key.
    pub(crate) fn numbers(&mut self, key: &UseKey) -> Result<Numbers, Fault> {
        Ok(Numbers {
            client: self.client(key.client)?,
            ..self.act(self.ledger.act(key))?
        })
    }

    /// The numbers of an act, without a client.
    fn act(&mut self, act: Act) -> Result<Numbers, Fault> {
        Ok(Numbers {
            call: self.call(act.call)?,
            place: self.place(act.place)?,
            outcome: self.symbol(act.outcome)?,
            ..Numbers::default()
        })
    }

    /// The numbers of all that uses' keys are made of, each given now if it is new.
    pub(crate) fn numbering(&mut self) -> Result<Numbering, Fault> {
        let ledger = self.ledger;
        let numbers = |rows: usize| 0..u32::try_from(rows).unwrap_or(u32::MAX);
        if self.fresh {
            self.add_clients()?;
        }
        let clients = numbers(ledger.clients().len()).map(|n| self.client(n));
        let clients = clients.collect::<Result<_, _>>()?;
        let acts = ledger.acts().iter().map(|act| self.act(*act));
        let acts = acts.collect::<Result<_, _>>()?;
        Ok(Numbering { clients, acts })
    }

    fn call(&mut self, number: u32) -> Result<u32, Fault> {
        if let Some(&Some(id)) = self.calls.get(number as usize) {
            return Ok(id);
        }
        let Some(Call {
            source,
            name,
            category,
            read_only,
        }) = self.ledger.call(number).copied()
        else {
            return Ok(0);
        };
        let category = CATEGORIES
            .iter()
            .find(|(c, _)| *c == category)
            .map_or("", |(_, name)| name);
        let values = (
            self.ledger.text(source),
            self.ledger.text(name),
            category,
            flag(read_only),
        );
        let sql = [
            "SELECT id FROM call WHERE (source, name, category, read_only) = (?,?,?,?)",
            "INSERT INTO call (source, name, category, read_only) VALUES (?,?,?,?)",
        ];
        let id = self.find_or_add(sql, values)?;
        Ok(remember(&mut self.calls, number, id))
    }

    fn client(&mut self, number: u32) -> Result<u32, Fault> {
        if let Some(&Some(id)) = self.clients.get(number as usize) {
            return Ok(id);
        }
        let Some(Client {
            address,
            agent,
            endpoint,
        }) = self.ledger.client(number).copied()
        else {
            return Ok(0);
        };
        let values = (
            self.ledger.text(address),
            self.symbol(agent)?,
            self.symbol(endpoint)?,
        );
        let sql = [
            "SELECT id FROM client WHERE (address, agent, endpoint) = (?,?,?)",
            "INSERT INTO client (address, agent, endpoint) VALUES (?,?,?)",
        ];
        let id = self.find_or_add(sql, values)?;
        Ok(remember(&mut self.clients, number, id))
    }

    /// Adds all clients to a case without any, in the order of the table's index: a row in the middle of it costs twice
    /// as much as one at its end.
    fn add_clients(&mut self) -> Result<(), Fault> {
        let ledger = self.ledger;
        let mut rows = Vec::with_capacity(ledger.clients().len());
        for (number, client) in (0u32..).zip(ledger.clients()) {
            let (agent, endpoint) = (self.symbol(client.agent)?, self.symbol(client.endpoint)?);
            let (start, address) = (
                ledger.symbols().start(client.address),
                ledger.text(client.address),
            );
            rows.push((start, address, agent, endpoint, number));
        }
        rows.sort_unstable();
        let mut insert = Insert::new(self.connection, "client", &["address", "agent", "endpoint"])?;
        for (n, &(_, address, agent, endpoint, number)) in rows.iter().enumerate() {
            let values = rusqlite::params![address, agent, endpoint];
            let id = insert.row(values, rows.len() - n)?;
            remember(&mut self.clients, number, id);
        }
        Ok(())
    }

    /// The number of a place.
    pub(crate) fn place(&mut self, number: u32) -> Result<u32, Fault> {
        if let Some(&Some(id)) = self.places.get(number as usize) {
            return Ok(id);
        }
        let Some(Place { region, account }) = self.ledger.place(number).copied() else {
            return Ok(0);
        };
        let values = (self.ledger.text(region), self.ledger.text(account));
        let sql = [
            "SELECT id FROM place WHERE (region, account) = (?,?)",
            "INSERT INTO place (region, account) VALUES (?,?)",
        ];
        let id = self.find_or_add(sql, values)?;
        Ok(remember(&mut self.places, number, id))
    }

    /// The number of a list of attributes.
    pub(crate) fn detail(&mut self, attributes: &[Item]) -> Result<u32, Fault> {
        if let Some(&id) = self.details.get(attributes) {
            return Ok(id);
        }
        let sql = [
            "SELECT id FROM detail WHERE attributes = ?",
            "INSERT INTO detail (attributes) VALUES (?)",
        ];
        let id = self.find_or_add(sql, [detail::json(attributes)])?;
        self.details.insert(attributes.into(), id);
        Ok(id)
    }
}

fn remember(slots: &mut [Option<u32>], number: u32, id: u32) -> u32 {
    if let Some(slot) = slots.get_mut(number as usize) {
        *slot = Some(id);
    }
    id
}

/// A value for SQLite that can be cloned.
#[derive(Clone)]
pub(crate) enum Cell {
    Number(i64),
    Text(&'static str),
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Number(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

fn identity_head(caller: &Caller) -> Vec<Cell> {
    vec![
        Cell::Text(kind_name(caller.kind)),
        Cell::Text(flag(caller.mfa)),
        Cell::Number(caller.from_console.into()),
        Cell::Number(caller.arn_ends_with_session.into()),
    ]
}

/// The texts of an identity, in the order of the table's columns.
fn identity_texts(caller: &Caller, rare: &Rare) -> [Symbol; 18] {
    // Written out in full, so that a new part of `userIdentity` cannot be forgotten here.
    let Rare {
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
    } = *rare;
    [
        caller.unique_id,
        caller.arn,
        caller.account,
        caller.user_name,
        caller.issuer_arn,
        caller.issuer_id,
        caller.invoked_by,
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
    ]
}

fn kind_name(kind: IdentityType) -> &'static str {
    IDENTITY_TYPES
        .iter()
        .find(|(k, _)| *k == kind)
        .map_or("", |(_, name)| name)
}

/// A flag that may not be given, as AWS writes flags.
pub(crate) fn flag(value: Option<bool>) -> &'static str {
    match value {
        None => "",
        Some(false) => "false",
        Some(true) => "true",
    }
}
