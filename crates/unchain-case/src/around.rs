//! Loading the part of a case that one pivot needs.
//!
//! From the rows that the pivot names, [`crate::rules`] says what to look for next, until nothing new is
//! found. Then those rows are loaded as a ledger. The cost grows with the lineage, not with the case.

use crate::error::Fault;
use crate::joins::{FactTexts, Hasher, Join, of_number};
use crate::links::{Kind, Links};
use crate::pack::push_id;
use crate::read::{Marks, Reader};
use crate::rules::{Filter, Look, Looks, Reach, event_of_text};
use crate::usage::EventId;
use crate::write::caller_texts;
use hashbrown::{HashMap, HashSet};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::BTreeMap;
use unchain_core::deed::Attribute;
use unchain_core::id::{is_session_of, split_principal};
use unchain_core::ledger::{Caller, Fact, Ledger};

/// Records of published logs sometimes share an id. In a case of so many callers all of them are found by it; in a
/// larger one, those kept whole.
const SMALL: u32 = 100_000;

/// A row to go on from.
enum Step {
    Caller(u32, Reach),
    Fact(u32, Reach),
}

struct Closure<'c> {
    connection: &'c Connection,
    pivot: &'c str,
    links: Links,
    hasher: Hasher,
    /// Texts of the rows that were met; not the answer.
    reader: Reader<'c>,
    /// How far was gone from each row.
    callers: BTreeMap<u32, Reach>,
    facts: BTreeMap<u32, Reach>,
    /// Where facts and their callers are in the reader's ledger.
    fact_numbers: HashMap<u32, Option<(Fact, u32)>>,
    looked: HashSet<Look>,
    steps: Vec<Step>,
}

/// The ledger around a pivot, or nothing if the case does not know it.
pub(crate) fn load(connection: &Connection, pivot: &str) -> Result<Option<Ledger>, Fault> {
    let mut closure = Closure {
        connection,
        pivot,
        links: Links::open(connection)?,
        hasher: Hasher::default(),
        reader: Reader::new(connection, Marks::Left),
        callers: BTreeMap::new(),
        facts: BTreeMap::new(),
        fact_numbers: HashMap::new(),
        looked: HashSet::new(),
        steps: Vec::new(),
    };
    closure.begin()?;
    while let Some(step) = closure.steps.pop() {
        match step {
            Step::Caller(id, reach) => closure.caller(id, reach)?,
            Step::Fact(id, reach) => closure.fact(id, reach)?,
        }
    }
    if closure.callers.is_empty() {
        return Ok(None);
    }
    let (callers, facts) = (closure.callers.into_keys(), closure.facts.into_keys());
    Reader::new(connection, Marks::Left)
        .some(callers, facts)
        .map(Some)
}

impl Closure<'_> {
    /// From the rows that the pivot names.
    fn begin(&mut self) -> Result<(), Fault> {
        if self.pivot.is_empty() {
            return Ok(());
        }
        let mut looks = Looks::new(&mut self.hasher);
        looks.of_pivot(self.pivot);
        for client in clients(self.connection, self.pivot)? {
            looks.of_client(client);
        }
        let list = looks.list;
        self.look(list)?;
        let event = event_of_text(self.pivot);
        let hash = event.hash(&mut self.hasher);
        let kept = !self
            .links
            .find(self.connection, Kind::Fact, hash)?
            .is_empty();
        let an_event = kept || matches!(event, EventId::Guid(_));
        if self.steps.is_empty() || (an_event && (!kept || self.is_small()?)) {
            self.search_ends(&event)?;
        }
        Ok(())
    }

    /// Whether all callers are read in a few milliseconds.
    fn is_small(&self) -> Result<bool, Fault> {
        let sql = "SELECT coalesce(max(id), 0) <= ?1 FROM caller";
        Ok(self.connection.query_row(sql, [SMALL], |row| row.get(0))?)
    }

    /// Callers that have the event as the first or last of a use: they are not linked by it, because there
    /// are as many such events as uses, so every caller is read.
    fn search_ends(&mut self, event: &EventId<'_>) -> Result<(), Fault> {
        let mut statement = self
            .connection
            .prepare("SELECT id FROM caller WHERE instr(ends, ?1) > 0")?;
        let mut rows = statement.query([bytes_of(event)])?;
        while let Some(row) = rows.next()? {
            self.reach_caller(row.get(0)?, Reach::Down);
        }
        Ok(())
    }

    fn reach_caller(&mut self, id: u32, reach: Reach) {
        let known = self.callers.get(&id).copied();
        if known.is_none_or(|known| known < reach) {
            self.callers.insert(id, reach);
            self.steps.push(Step::Caller(id, reach));
        }
    }

    fn reach_fact(&mut self, id: u32, reach: Reach) {
        let known = self.facts.get(&id).copied();
        if known.is_none_or(|known| known < reach) {
            self.facts.insert(id, reach);
            self.steps.push(Step::Fact(id, reach));
        }
    }

    fn caller(&mut self, id: u32, reach: Reach) -> Result<(), Fault> {
        if reach == Reach::Here {
            return Ok(());
        }
        let number = self
            .reader
            .one_caller(id)?
            .ok_or(Fault::Damaged("caller", id.into()))?;
        let ledger = &self.reader.ledger;
        let caller = ledger.caller(number);
        let sign_in_session = ledger.text(ledger.rare(&caller).sign_in_session);
        let mut looks = Looks::new(&mut self.hasher);
        looks.of_caller(id, (&caller_texts(ledger, &caller), sign_in_session), reach);
        let list = looks.list;
        self.look(list)
    }

    fn fact(&mut self, id: u32, reach: Reach) -> Result<(), Fault> {
        let (fact, caller) = self.known_fact(id)?;
        self.reach_caller(caller, reach.min(Reach::Up));
        let ledger = &self.reader.ledger;
        let attributes = text_attributes(ledger, &fact);
        let texts = FactTexts {
            deed: fact.deed,
            time: fact.time,
            caller: caller_texts(ledger, &ledger.caller(fact.key.caller)),
            child: child_of(ledger, &fact),
            attributes: &attributes,
        };
        let mut looks = Looks::new(&mut self.hasher);
        looks.of_fact(&texts, reach);
        let list = looks.list;
        self.look(list)
    }

    /// A fact in the reader's ledger and its caller's number in the case.
    fn known_fact(&mut self, id: u32) -> Result<(Fact, u32), Fault> {
        let damaged = Fault::Damaged("fact", id.into());
        if let Some(known) = self.fact_numbers.get(&id) {
            return known.ok_or(damaged);
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT caller FROM fact WHERE id = ?1")?;
        let caller: Option<u32> = statement.query_row([id], |row| row.get(0)).optional()?;
        let found = self.reader.one_fact(id)?.zip(caller);
        self.fact_numbers.insert(id, found);
        found.ok_or(damaged)
    }

    fn look(&mut self, list: Vec<Look>) -> Result<(), Fault> {
        for look in list {
            if self.looked.insert(look) {
                let found = self.links.find(self.connection, look.kind, look.hash)?;
                match look.kind {
                    Kind::Caller => self.found_callers(found, look)?,
                    Kind::Fact => self.found_facts(found, look)?,
                    Kind::Identity => self.found_identities(found, look.reach)?,
                }
            }
        }
        Ok(())
    }

    fn found_callers(&mut self, found: Vec<u32>, look: Look) -> Result<(), Fault> {
        for id in found {
            if look.filter == Filter::Principal && !self.is_principal(id)? {
                continue;
            }
            self.reach_caller(id, look.reach);
        }
        Ok(())
    }

    fn found_facts(&mut self, found: Vec<u32>, look: Look) -> Result<(), Fault> {
        if let Filter::If(other) = look.filter
            && self
                .links
                .find(self.connection, Kind::Fact, other)?
                .is_empty()
        {
            return Ok(());
        }
        for id in found {
            let (fact, caller) = self.known_fact(id)?;
            let ledger = &self.reader.ledger;
            match look.filter {
                Filter::All | Filter::If(_) => {}
                Filter::Span(deed, from, to) => {
                    if fact.deed != deed || !(from..=to).contains(&fact.time) {
                        continue;
                    }
                }
                Filter::Principal => {
                    if !is_child(ledger, &fact, self.pivot) {
                        continue;
                    }
                }
                Filter::Callers => self.reach_caller(caller, look.reach),
                Filter::Event => {
                    if self.ends_with_pivot(caller)? {
                        self.reach_caller(caller, look.reach);
                    }
                }
            }
            self.reach_fact(id, look.reach);
        }
        Ok(())
    }

    fn found_identities(&mut self, found: Vec<u32>, reach: Reach) -> Result<(), Fault> {
        for identity in found {
            let hash = of_number(Join::OfIdentity, identity);
            for id in self.links.find(self.connection, Kind::Caller, hash)? {
                self.reach_caller(id, reach);
            }
        }
        Ok(())
    }

    /// Whether a caller's ARN or principal id is the pivot.
    fn is_principal(&mut self, id: u32) -> Result<bool, Fault> {
        let Some(number) = self.reader.one_caller(id)? else {
            return Ok(false);
        };
        let ledger = &self.reader.ledger;
        let caller: Caller = ledger.caller(number);
        let session = ledger.text(caller.session);
        let stem = self.pivot.strip_suffix(session).unwrap_or_default();
        Ok(stem == ledger.text(caller.arn)
            || stem.strip_suffix(':') == Some(ledger.text(caller.unique_id)))
    }

    /// Whether the event that is the pivot is an end of one of a caller's uses.
    fn ends_with_pivot(&self, caller: u32) -> Result<bool, Fault> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT instr(ends, ?2) > 0 FROM caller WHERE id = ?1")?;
        let bytes = bytes_of(&event_of_text(self.pivot));
        let found = statement
            .query_row((caller, bytes), |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or(false))
    }
}

/// A fact's text attributes, in their order.
pub(crate) fn text_attributes<'l>(ledger: &'l Ledger, fact: &Fact) -> Vec<(Attribute, &'l str)> {
    let kept = ledger
        .kept(fact)
        .iter()
        .filter(|kept| !kept.attribute.is_number());
    kept.map(|kept| (kept.attribute, ledger.text(kept.symbol())))
        .collect()
}

/// Whose session a fact began.
pub(crate) fn child_of<'l>(ledger: &'l Ledger, fact: &Fact) -> (&'l str, &'l str) {
    let (id, session) = ledger.child_principal(fact);
    (ledger.text(id), ledger.text(session))
}

/// Whether a principal id or ARN is that of the session that a fact began.
fn is_child(ledger: &Ledger, fact: &Fact, pivot: &str) -> bool {
    let (id, session) = child_of(ledger, fact);
    let text = |attribute| ledger.text(ledger.attribute(fact, attribute));
    text(Attribute::ChildArn) == pivot
        || is_session_of(pivot, text(Attribute::Role), session)
        || (!id.is_empty() && split_principal(pivot) == (id, session))
}

/// Clients with the pivot as their address or user agent.
fn clients(connection: &Connection, pivot: &str) -> Result<Vec<u32>, Fault> {
    let mut statement = connection.prepare(
        "SELECT id FROM client WHERE address = ?1 UNION \
         SELECT id FROM client WHERE agent = (SELECT id FROM text WHERE text = ?1)",
    )?;
    let found = statement
        .query_map([pivot], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

/// An event id as it stands in `caller.ends`.
fn bytes_of(event: &EventId<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_id(&mut bytes, event);
    bytes
}
