//! Uniting a ledger with a case, in the transaction in which its files were added.
//!
//! INVARIANT: what a write leaves depends on the set of events and files only, not on the order or number
//! of writes (`tests/law.rs`). A write that adds nothing leaves the file as it was.
//! Must not judge or drop anything: a row of the ledger is a row of the case.

use crate::detail::Item;
use crate::dictionary::Dictionary;
use crate::digest;
use crate::error::Fault;
use crate::joins::{CallerTexts, Hasher};
use crate::links::{Links, NewLinks};
use rusqlite::{Connection, OptionalExtension as _};
use unchain_core::ledger::{Caller, EventKey, Ledger, Unpacked};

/// What a write added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are new or have changed.
    pub files: u64,
    /// Distinct events.
    pub events: u64,
    /// Uses: what one caller did, from one client, at one place, with one outcome.
    pub uses: u64,
    /// Callers: a `userIdentity` with its key and session.
    pub callers: u64,
    /// Events kept whole.
    pub facts: u64,
    /// Rows that were there and changed without anything counted above.
    pub changed: u64,
}

/// How many threads may work on a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// That of the caller.
    One,
    /// One more.
    Two,
}

impl Written {
    /// Whether the case was left as it was.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What every part of a write needs.
pub(crate) struct Writer<'c, 'l> {
    pub(crate) connection: &'c Connection,
    pub(crate) ledger: &'l Ledger,
    pub(crate) dictionary: Dictionary<'c, 'l>,
    pub(crate) hasher: Hasher,
    /// Links of rows that were there before this write; none if the case had no callers.
    pub(crate) links: Option<Links>,
    pub(crate) new_links: NewLinks,
    pub(crate) written: Written,
    /// The case's number of each of the ledger's callers.
    pub(crate) callers: Vec<u32>,
    /// Memory for a fact's list.
    pub(crate) list: Vec<Item>,
}

/// Unites a settled ledger with a case to which so many files were added.
pub(crate) fn write(
    connection: &Connection,
    ledger: &Ledger,
    (files, threads): (u64, Threads),
) -> Result<Written, Fault> {
    let any = connection
        .query_row(
            "SELECT 1 FROM text WHERE id > 0 UNION SELECT 1 FROM place LIMIT 1",
            [],
            |_| Ok(()),
        )
        .optional()?;
    let links = any.map(|()| Links::open(connection)).transpose()?;
    let mut writer = Writer {
        connection,
        ledger,
        dictionary: Dictionary::new(connection, ledger, links.is_none()),
        hasher: Hasher::default(),
        links,
        new_links: NewLinks::default(),
        written: Written {
            files,
            ..Written::default()
        },
        callers: vec![0; ledger.callers().len()],
        list: Vec::new(),
    };
    writer.places()?;
    writer.callers(threads)?;
    // Not kept until the end, because there are many.
    writer.new_links.write(connection)?;
    writer.facts()?;
    writer.attempts()?;
    writer.written.changed += digest::write(connection, ledger, &mut writer.dictionary)?;
    let written = writer.written;
    if !written.is_empty() {
        writer.new_links.write(connection)?;
        let Written {
            files,
            events,
            uses,
            callers,
            facts,
            changed: _,
        } = written;
        connection.execute(
            "INSERT INTO scan (files, events, uses, callers, facts) VALUES (?,?,?,?,?)",
            [files, events, uses, callers, facts].map(|n| i64::try_from(n).unwrap_or(i64::MAX)),
        )?;
    }
    Ok(written)
}

impl Writer<'_, '_> {
    /// Places and the hours from which they have events.
    fn places(&mut self) -> Result<(), Fault> {
        let mut statement = self.connection.prepare(
            "INSERT INTO coverage VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET hours = hours | ?3 \
             WHERE hours | ?3 <> hours",
        )?;
        let ledger = self.ledger;
        for (number, (_, hours)) in (0u32..).zip(ledger.places()) {
            let place = self.dictionary.place(number)?;
            let mut days = hours.iter().peekable();
            while let Some(first) = days.next() {
                let day = first.div_euclid(24);
                let mut bits = 1 << first.rem_euclid(24);
                while let Some(hour) = days.next_if(|hour| hour.div_euclid(24) == day) {
                    bits |= 1 << hour.rem_euclid(24);
                }
                let changed = statement.execute((place, day, bits))?;
                self.written.changed += changed as u64;
            }
        }
        Ok(())
    }
}

/// The texts of a ledger's caller.
pub(crate) fn caller_texts<'l>(ledger: &'l Ledger, caller: &Caller) -> CallerTexts<'l> {
    let rare = ledger.rare(caller);
    CallerTexts {
        kind: caller.kind,
        key: ledger.text(caller.key),
        unique_id: ledger.text(caller.unique_id),
        session: ledger.text(caller.session),
        arn: ledger.text(caller.arn),
        user_name: ledger.text(caller.user_name),
        invoked_by: ledger.text(caller.invoked_by),
        on_behalf_of: ledger.text(rare.on_behalf_of),
        credential_id: ledger.text(rare.credential_id),
        created: caller.created,
    }
}

/// An event id of a ledger.
pub(crate) fn event_id(ledger: &Ledger, key: EventKey) -> crate::usage::EventId<'_> {
    use crate::usage::EventId;
    match key.unpack() {
        Unpacked::Guid(bytes) => EventId::Guid(bytes),
        Unpacked::Text(symbol) => crate::rules::event_of_text(ledger.text(symbol)),
    }
}
