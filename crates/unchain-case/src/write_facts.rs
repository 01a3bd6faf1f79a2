//! Writing facts and attempts.

use crate::around::{child_of, text_attributes};
use crate::detail::{self, ListWriter};
use crate::error::Fault;
use crate::insert::Insert;
use crate::joins::{CallerTexts, FactTexts, Hasher, Join, of_number};
use crate::links::Kind;
use crate::read::{Marks, Reader};
use crate::usage::{End, EventId, Numbers};
use crate::write::{Writer, caller_texts, event_id};
use crate::write_callers::filled;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Value, ValueRef};
use rusqlite::{OptionalExtension as _, Row, ToSql};
use std::borrow::Cow;
use unchain_core::deed::Attribute;
use unchain_core::ledger::{Attempt, AttemptKey, Fact, Ledger, Symbol};

const COLUMNS: [&str; 12] = [
    "caller",
    "call",
    "client",
    "place",
    "time",
    "hash",
    "event_id",
    "shared_id",
    "child_key",
    "session_name",
    "expires",
    "detail",
];
const UPDATE: &str = "UPDATE fact SET caller = ?1, call = ?2, client = ?3, place = ?4, time = ?5, \
    hash = ?6, event_id = ?7, shared_id = ?8, child_key = ?9, session_name = ?10, expires = ?11, \
    detail = ?12 WHERE id = ?13";
const ATTEMPT: &str = "(caller, call, client, place, outcome, target, serial) = (?,?,?,?,?,?,?)";

/// A fact with the case's numbers.
struct FactRow<'l> {
    caller: u32,
    numbers: Numbers,
    time: u32,
    hash: u32,
    event: EventId<'l>,
    shared: Option<EventId<'l>>,
    list: ListWriter<'l>,
    detail: u32,
}

impl<'l> Writer<'_, 'l> {
    /// Every fact, in the ledger's order.
    pub(crate) fn facts(&mut self) -> Result<(), Fault> {
        let ledger = self.ledger;
        let mut insert = Insert::new(self.connection, "fact", &COLUMNS)?;
        for (fact, to_come) in ledger.facts().iter().zip((1..=ledger.facts().len()).rev()) {
            let caller = self
                .callers
                .get(fact.key.caller as usize)
                .copied()
                .unwrap_or_default();
            let row = self.fact_row(caller, fact)?;
            let id =
                match self.known_fact(&row)? {
                    Some(id) if self.same_fact(id, &row)? => continue,
                    Some(id) => {
                        if !self.wins(id, fact)? {
                            continue;
                        }
                        self.connection.prepare_cached(UPDATE)?.execute(
                            rusqlite::params_from_iter(row.values().into_iter().chain([id.into()])),
                        )?;
                        self.written.changed += 1;
                        id
                    }
                    None => {
                        let to_come = if self.links.is_none() { to_come } else { 1 };
                        self.written.facts += 1;
                        insert.row(&row.params(), to_come)?
                    }
                };
            self.link_fact(id, fact, &row);
            self.list = row.list.list;
        }
        Ok(())
    }

    fn fact_row(&mut self, caller: u32, fact: &Fact) -> Result<FactRow<'l>, Fault> {
        let ledger = self.ledger;
        let name = ledger.attribute(fact, Attribute::SessionName);
        let mut list = ListWriter::new(filled(ledger.text(name)), std::mem::take(&mut self.list));
        for kept in ledger.kept(fact) {
            if kept.attribute.is_number() {
                list.number(kept.attribute, kept.value);
            } else if let Some((stem, end)) = list.stem(kept.attribute, ledger.text(kept.symbol()))
            {
                let text = if end == detail::End::Whole {
                    self.dictionary.symbol(kept.symbol())?
                } else {
                    self.dictionary.text(stem)?
                };
                list.push(kept.attribute, text, end);
            }
        }
        let mark = Ledger::fact_mark(fact);
        Ok(FactRow {
            caller,
            numbers: self.dictionary.numbers(&fact.key)?,
            time: fact.time,
            hash: u32::try_from(mark.0 & 0xffff_ffff).unwrap_or_default(),
            event: event_id(ledger, fact.id),
            shared: Some(event_id(ledger, fact.shared)).filter(|id| !id.is_empty()),
            detail: self.dictionary.detail(&list.list)?,
            list,
        })
    }

    /// The case's fact of the same event.
    fn known_fact(&mut self, row: &FactRow<'_>) -> Result<Option<u32>, Fault> {
        let Some(links) = &self.links else {
            return Ok(None);
        };
        let hash = row.event.hash(&mut self.hasher);
        let mut statement = self
            .connection
            .prepare_cached("SELECT time, hash, event_id FROM fact WHERE id = ?1")?;
        for id in links.find(self.connection, Kind::Fact, hash)? {
            let own = statement
                .query_row([id], |r| {
                    Ok((r.get(0)?, r.get(1)?, r.get::<_, EventId<'_>>(2)?))
                })
                .optional()?;
            if own == Some((row.time, row.hash, row.event.clone())) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn same_fact(&self, id: u32, row: &FactRow<'_>) -> Result<bool, Fault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM fact WHERE (caller, call, client, place, time, hash, event_id) = (?,?,?,?,?,?,?) \
             AND shared_id IS ? AND child_key IS ? AND session_name IS ? AND expires IS ? AND detail = ? \
             AND id = ?",
        )?;
        let values = row.values().into_iter().chain([id.into()]);
        Ok(statement
            .query_row(rusqlite::params_from_iter(values), |_| Ok(()))
            .optional()?
            .is_some())
    }

    /// Whether the ledger's record of an event is kept in place of the case's: as in the ledger, the text's
    /// order decides, so that the order of arrival does not.
    fn wins(&self, id: u32, fact: &Fact) -> Result<bool, Fault> {
        let mut known = Reader::new(self.connection, Marks::Left);
        let fact_there = known.one_fact(id)?;
        let known_text = fact_there.map(|fact| known.ledger.fact_text(&fact));
        Ok(Some(self.ledger.fact_text(fact)) < known_text)
    }

    fn link_fact(&mut self, id: u32, fact: &Fact, row: &FactRow<'_>) {
        let ledger = self.ledger;
        let attributes = text_attributes(ledger, fact);
        let texts = FactTexts {
            deed: fact.deed,
            time: fact.time,
            caller: caller_of_fact(ledger, fact),
            child: child_of(ledger, fact),
            attributes: &attributes,
        };
        let links = &mut self.new_links;
        texts.joins(&mut self.hasher, |hash| links.push(Kind::Fact, hash, id));
        for event in [Some(&row.event), row.shared.as_ref()]
            .into_iter()
            .flatten()
        {
            links.push(Kind::Fact, event.hash(&mut self.hasher), id);
        }
        links.push(Kind::Fact, of_number(Join::ByCaller, row.caller), id);
    }

    /// Denied and failed attempts.
    pub(crate) fn attempts(&mut self) -> Result<(), Fault> {
        let ledger = self.ledger;
        for (key, attempt) in ledger.attempts() {
            self.attempt(key, attempt)?;
        }
        Ok(())
    }

    fn attempt(&mut self, key: &AttemptKey, attempt: &Attempt) -> Result<(), Fault> {
        let caller = self
            .callers
            .get(key.key.caller as usize)
            .copied()
            .unwrap_or_default();
        let Numbers {
            call,
            client,
            place,
            outcome,
        } = self.dictionary.numbers(&key.key)?;
        let [target, serial] = [key.target, key.serial].map(|s: Symbol| self.dictionary.symbol(s));
        let own = [caller, call, client, place, outcome, target?, serial?];
        let known = if self.links.is_none() {
            None
        } else {
            let sql = format!(
                "SELECT first, first_hash, first_id, last, last_hash, last_id FROM attempt WHERE {ATTEMPT}"
            );
            self.connection
                .prepare_cached(&sql)?
                .query_row(own, ends_of_row)
                .optional()?
        };
        let end = |(mark, id)| (mark, event_id(self.ledger, id));
        let (mut first, mut last) = (end(attempt.first), end(attempt.last));
        if let Some((known_first, known_last)) = &known {
            first = first.min(known_first.clone());
            last = last.max(known_last.clone());
        }
        let ends = (first, last);
        if known.as_ref() == Some(&ends) {
            return Ok(());
        }
        self.written.changed += 1;
        let mut values: Vec<Value> = own.map(Value::from).into();
        for (mark, id) in [&ends.0, &ends.1] {
            values.push(mark.seconds().into());
            values.push(
                i64::try_from(mark.0 & 0xffff_ffff)
                    .unwrap_or_default()
                    .into(),
            );
            values.push(id.value());
        }
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO attempt VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)")?
            .execute(rusqlite::params_from_iter(values))?;
        Ok(())
    }
}

impl FactRow<'_> {
    fn params(&self) -> [&dyn ToSql; 12] {
        let Numbers {
            call,
            client,
            place,
            outcome: _,
        } = &self.numbers;
        [
            &self.caller,
            call,
            client,
            place,
            &self.time,
            &self.hash,
            &self.event,
            &self.shared,
            &self.list.columns.child_key,
            &self.list.columns.session_name,
            &self.list.columns.expires,
            &self.detail,
        ]
    }

    fn values(&self) -> Vec<Value> {
        let columns = &self.list.columns;
        let text =
            |text: Option<&str>| text.map_or(Value::Null, |text| Value::Text(text.to_owned()));
        let Numbers {
            call,
            client,
            place,
            outcome: _,
        } = self.numbers;
        let mut values: Vec<Value> = [self.caller, call, client, place, self.time, self.hash]
            .map(Value::from)
            .into();
        values.push(self.event.value());
        values.push(self.shared.as_ref().map_or(Value::Null, EventId::value));
        values.push(text(columns.child_key));
        values.push(text(columns.session_name));
        values.push(columns.expires.map_or(Value::Null, Value::from));
        values.push(self.detail.into());
        values
    }
}

fn ends_of_row(row: &Row<'_>) -> rusqlite::Result<(End<'static>, End<'static>)> {
    Ok((end_of_row(row, 0)?, end_of_row(row, 3)?))
}

/// The end that three columns hold: its second, its hash and its event id.
pub(crate) fn end_of_row(row: &Row<'_>, at: usize) -> rusqlite::Result<End<'static>> {
    let mark = crate::pack::mark(row.get(at)?, row.get(at + 1)?);
    Ok((mark, row.get(at + 2)?))
}

impl EventId<'_> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    /// The hash under which facts are found by event id.
    pub(crate) fn hash(&self, hasher: &mut Hasher) -> u32 {
        match self {
            Self::Guid(bytes) => hasher.of(Join::Event, &[bytes]),
            Self::Text(text) => hasher.text(Join::Event, text),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Guid(bytes) => Value::Blob(bytes.to_vec()),
            Self::Text(text) => Value::Text(text.as_ref().to_owned()),
        }
    }
}

/// The texts of a fact's caller by which the fact is found. The others are not looked at: each would be fetched
/// from far off in memory.
fn caller_of_fact<'l>(ledger: &'l Ledger, fact: &Fact) -> CallerTexts<'l> {
    let caller = ledger.caller(fact.key.caller);
    if FactTexts::names_its_caller(fact.deed) {
        return caller_texts(ledger, &caller);
    }
    CallerTexts {
        kind: caller.kind,
        user_name: ledger.text(caller.user_name),
        invoked_by: ledger.text(caller.invoked_by),
        ..CallerTexts::default()
    }
}

/// GUIDs are blobs of sixteen bytes.
impl ToSql for EventId<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Guid(bytes) => bytes.as_slice().to_sql(),
            Self::Text(text) => text.as_ref().to_sql(),
        }
    }
}

impl FromSql for EventId<'static> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(bytes) => match bytes.try_into() {
                Ok(bytes) => Ok(Self::Guid(bytes)),
                Err(_) => Err(FromSqlError::InvalidType),
            },
            ValueRef::Text(_) => Ok(Self::Text(Cow::Owned(value.as_str()?.to_owned()))),
            ValueRef::Null => Ok(Self::Text(Cow::Borrowed(""))),
            ValueRef::Integer(_) | ValueRef::Real(_) => Err(FromSqlError::InvalidType),
        }
    }
}
