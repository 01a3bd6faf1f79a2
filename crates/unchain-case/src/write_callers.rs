//! Writing callers with their uses.
//!
//! A second thread packs the uses of the next callers, while those of the last are written.

use crate::by_day;
use crate::dictionary::Numbering;
use crate::error::Fault;
use crate::insert::Insert;
use crate::joins::{Join, of_number};
use crate::links::Kind;
use crate::pack::{BY_DAY, Packed, read_uses};
use crate::usage::{UseRow, unite};
use crate::write::{Threads, Writer, caller_texts, event_id};
use hashbrown::HashMap;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension as _, Row, Statement, ToSql};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::mpsc::sync_channel;
use unchain_core::ledger::{Caller, Ledger};

const COLUMNS: [&str; 7] = [
    "identity", "key", "session", "created", "uses", "ends", "marks",
];

/// The marks of so many callers are brought near together.
const BATCH: u32 = 64;
/// So many bytes a batch has about.
const BATCH_BYTES: usize = 16 << 10;
/// So many batches are packed before they are written, at most: two megabytes, so that neither thread waits often.
const AHEAD: usize = 128;
/// A caller with more marks than this has them in `caller_day`.
pub(crate) const INLINE_MARKS: usize = 4096;

/// What tells two callers of a case apart.
#[derive(PartialEq, Eq, Hash)]
struct Own {
    identity: u32,
    key: Option<String>,
    session: Option<String>,
    created: Option<u32>,
}

/// ASCII text, which need not be checked again to be text.
struct Json<'a>(&'a [u8]);

impl ToSql for Json<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// The statements of one write.
struct Statements<'c> {
    insert: Insert<'c>,
    select: Statement<'c>,
    update: Statement<'c>,
}

/// What is written of the uses of some callers, one after the other.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    clients: Vec<u32>,
    rows: std::vec::IntoIter<Option<PackedRow>>,
}

/// Where a caller's parts are in its batch.
struct PackedRow {
    uses: Range<usize>,
    ends: Range<usize>,
    marks: Range<usize>,
    /// Most callers have one; repeats that are left go when links are sorted.
    clients: Range<usize>,
    /// How many uses there are.
    count: u64,
    events: u64,
}

/// Packs uses, which needs a ledger and no case: another thread does it while rows are written.
struct Packer<'w, 'l> {
    uses: UsesOf<'w, 'l>,
    /// These are not packed: they must be united with what is there.
    known: &'w HashMap<u32, u32>,
    rows: Vec<UseRow<'l>>,
    packed: Packed,
}

/// The uses of callers as the case numbers them.
#[derive(Clone, Copy)]
struct UsesOf<'w, 'l> {
    ledger: &'l Ledger,
    numbering: &'w Numbering,
    /// Where the uses of each caller begin in the ledger.
    starts: &'w [usize],
}

impl<'c, 'l> Writer<'c, 'l> {
    /// Every caller, in the ledger's order: reading its rows in another costs more than it saves.
    pub(crate) fn callers(&mut self, threads: Threads) -> Result<(), Fault> {
        let ledger = self.ledger;
        let mut identities = Vec::with_capacity(ledger.callers().len());
        for caller in ledger.callers() {
            identities.push(self.dictionary.identity(caller, &mut self.new_links)?);
        }
        let known = &self.known_callers(&identities)?;
        let (numbering, starts) = (&self.dictionary.numbering()?, &starts(ledger));
        let uses = UsesOf {
            ledger,
            numbering,
            starts,
        };
        let callers = u32::try_from(identities.len()).unwrap_or(u32::MAX);
        let batches = (0..callers).step_by(BATCH as usize);
        let mut packer = Packer::new(uses, known);
        if threads == Threads::One {
            let batches = batches.map(|start| packer.batch(start));
            return self.write_callers(&identities, (uses, known), batches);
        }
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(AHEAD);
            scope.spawn(move || {
                // Whoever fails to write takes no more.
                batches
                    .map(|start| packer.batch(start))
                    .try_for_each(|batch| sender.send(batch))
            });
            self.write_callers(&identities, (uses, known), receiver.into_iter())
        })
    }

    fn write_callers(
        &mut self,
        identities: &[u32],
        (uses, known): (UsesOf<'_, 'l>, &HashMap<u32, u32>),
        mut batches: impl Iterator<Item = Result<Batch, Fault>>,
    ) -> Result<(), Fault> {
        let mut statements = Statements::new(self.connection)?;
        let mut packed = Packed::default();
        let mut batch = Batch::default();
        for (number, identity) in (0u32..).zip(identities) {
            if number % BATCH == 0 {
                batch = batches.next().transpose()?.unwrap_or_default();
            }
            let row = batch.rows.next().flatten();
            if let Some(&id) = known.get(&number) {
                let uses = uses.of(number)?;
                self.unite_caller((id, number), uses, (&mut statements, &mut packed))?;
                continue;
            }
            let id = statements.insert.next();
            let columns = match &row {
                Some(row) => {
                    self.count(id, (row.count, row.events), batch.clients_of(row));
                    batch.columns(row)
                }
                None => {
                    let mut uses = uses.of(number)?;
                    let events = uses.iter().map(|row| row.count).sum();
                    let clients: Vec<u32> = clients(&uses).collect();
                    self.count(id, (uses.len() as u64, events), &clients);
                    self.pack(id, &mut uses, &mut packed)?;
                    (
                        packed.uses.as_slice(),
                        packed.ends.as_slice(),
                        packed.marks(),
                    )
                }
            };
            self.add_caller((id, *identity, number), columns, &mut statements)?;
        }
        Ok(())
    }

    /// Counts what is added with a new caller, and links it by its clients.
    fn count(&mut self, id: u32, (uses, events): (u64, u64), clients: &[u32]) {
        self.written.callers += 1;
        self.written.uses += uses;
        self.written.events += events;
        self.link_clients(id, clients.iter().copied());
    }

    fn add_caller(
        &mut self,
        (id, identity, number): (u32, u32, u32),
        (uses, ends, marks): (&[u8], &[u8], Option<&[u8]>),
        statements: &mut Statements<'c>,
    ) -> Result<(), Fault> {
        let caller = self.ledger.caller(number);
        let links = &mut self.new_links;
        let texts = caller_texts(self.ledger, &caller);
        texts.joins(&mut self.hasher, |hash| links.push(Kind::Caller, hash, id));
        links.push(Kind::Caller, of_number(Join::OfIdentity, identity), id);
        let (key, session) = (filled(texts.key), filled(texts.session));
        let row = rusqlite::params![
            identity,
            key,
            session,
            caller.created,
            Json(uses),
            ends,
            marks
        ];
        // Which callers are new is certain in a new case only.
        let to_come = match &self.links {
            None => self.callers.len() - number as usize,
            Some(_) => 1,
        };
        statements.insert.row(row, to_come)?;
        if let Some(slot) = self.callers.get_mut(number as usize) {
            *slot = id;
        }
        Ok(())
    }

    /// Packs the uses of a caller, and moves many marks to their days.
    fn pack(&self, id: u32, uses: &mut [UseRow<'_>], packed: &mut Packed) -> Result<(), Fault> {
        let many = has_many_marks(uses);
        if many {
            by_day::unite(self.connection, id, uses)?;
            uses.iter_mut()
                .for_each(|row| row.marks = Cow::Borrowed(&[]));
        }
        packed.fill(uses);
        if many {
            packed.marks.push(BY_DAY);
        }
        Ok(())
    }

    fn unite_caller(
        &mut self,
        (id, number): (u32, u32),
        new: Vec<UseRow<'_>>,
        (statements, packed): (&mut Statements<'c>, &mut Packed),
    ) -> Result<(), Fault> {
        if let Some(slot) = self.callers.get_mut(number as usize) {
            *slot = id;
        }
        let mut rows = statements.select.query([id])?;
        let row = rows.next()?.ok_or(Fault::Damaged("caller", id.into()))?;
        let (known, daily) = stored(id, row)?;
        drop(rows);
        let before = (known.len(), known.iter().map(|row| row.count).sum::<u64>());
        let unchanged = known.clone();
        let mut united = if daily {
            by_day::add(self.connection, id, (known, new))?
        } else {
            unite(known, new)
        };
        if united == unchanged {
            return Ok(());
        }
        self.link_clients(id, clients(&united));
        let events: u64 = united.iter().map(|row| row.count).sum();
        self.written.uses += (united.len() - before.0) as u64;
        self.written.events += events - before.1;
        self.written.changed += 1;
        if daily {
            packed.fill(&united);
            packed.marks.push(BY_DAY);
        } else {
            self.pack(id, &mut united, packed)?;
        }
        let values = rusqlite::params![id, Json(&packed.uses), packed.ends, packed.marks()];
        statements.update.execute(values)?;
        Ok(())
    }

    fn link_clients(&mut self, id: u32, clients: impl Iterator<Item = u32>) {
        for client in clients {
            let hash = of_number(Join::Client, client);
            self.new_links.push(Kind::Caller, hash, id);
        }
    }

    /// The case's numbers of those callers of the ledger that it has already.
    fn known_callers(&mut self, identities: &[u32]) -> Result<HashMap<u32, u32>, Fault> {
        let mut known = HashMap::new();
        let Some(links) = &self.links else {
            return Ok(known);
        };
        let ledger = self.ledger;
        let mut hashes: Vec<(u32, u32)> = Vec::with_capacity(ledger.callers().len());
        for (number, caller) in (0u32..).zip(ledger.callers()) {
            hashes.push((caller_texts(ledger, caller).node(&mut self.hasher), number));
        }
        hashes.sort_unstable();
        let mut statement = self
            .connection
            .prepare("SELECT identity, key, session, created FROM caller WHERE id = ?1")?;
        // Masked logs have one key for many callers: each group of candidates is read once.
        for group in hashes.chunk_by(|a, b| a.0 == b.0) {
            let hash = group.first().map_or(0, |(hash, _)| *hash);
            let mut candidates = HashMap::new();
            for id in links.find(self.connection, Kind::Caller, hash)? {
                if let Some(own) = statement.query_row([id], own_of_row).optional()? {
                    candidates.insert(own, id);
                }
            }
            for (_, number) in group {
                let identity = identities
                    .get(*number as usize)
                    .copied()
                    .unwrap_or_default();
                let caller = ledger.caller(*number);
                let own = own(identity, &caller, &caller_texts(ledger, &caller));
                if let Some(&id) = candidates.get(&own) {
                    known.insert(*number, id);
                }
            }
        }
        Ok(known)
    }
}

impl<'w, 'l> Packer<'w, 'l> {
    fn new(uses: UsesOf<'w, 'l>, known: &'w HashMap<u32, u32>) -> Self {
        Self {
            uses,
            known,
            rows: Vec::new(),
            packed: Packed::default(),
        }
    }

    /// The callers from a number on, as many as a batch has.
    fn batch(&mut self, start: u32) -> Result<Batch, Fault> {
        let all = u32::try_from(self.uses.ledger.callers().len()).unwrap_or(u32::MAX);
        let callers = start..all.min(start.saturating_add(BATCH));
        self.uses.fetch(callers.clone());
        let mut batch = Batch {
            bytes: Vec::with_capacity(BATCH_BYTES),
            ..Batch::default()
        };
        let rows = callers.map(|number| self.row(number, &mut batch));
        let rows: Vec<Option<PackedRow>> = rows.collect::<Result<_, _>>()?;
        batch.rows = rows.into_iter();
        Ok(batch)
    }

    /// `None` for a caller that only whoever knows the case can write.
    fn row(&mut self, number: u32, batch: &mut Batch) -> Result<Option<PackedRow>, Fault> {
        if self.known.contains_key(&number) {
            return Ok(None);
        }
        self.uses.read(number, &mut self.rows)?;
        let uses = &self.rows;
        if has_many_marks(uses) {
            return Ok(None);
        }
        self.packed.fill(uses);
        let first = batch.clients.len();
        batch.clients.extend(clients(uses));
        let mut add = |part: &[u8]| {
            let start = batch.bytes.len();
            batch.bytes.extend_from_slice(part);
            start..batch.bytes.len()
        };
        Ok(Some(PackedRow {
            uses: add(&self.packed.uses),
            ends: add(&self.packed.ends),
            marks: add(&self.packed.marks),
            clients: first..batch.clients.len(),
            count: uses.len() as u64,
            events: uses.iter().map(|row| row.count).sum(),
        }))
    }
}

impl Batch {
    /// The packed uses, ends and marks of a caller.
    fn columns(&self, row: &PackedRow) -> (&[u8], &[u8], Option<&[u8]>) {
        let part = |part: &Range<usize>| self.bytes.get(part.clone()).unwrap_or_default();
        let marks = Some(part(&row.marks)).filter(|marks| !marks.is_empty());
        (part(&row.uses), part(&row.ends), marks)
    }

    fn clients_of(&self, row: &PackedRow) -> &[u32] {
        self.clients.get(row.clients.clone()).unwrap_or_default()
    }
}

impl<'l> UsesOf<'_, 'l> {
    /// Brings the last events of some callers' uses near. Most of the time of a caller is spent waiting for rows far
    /// apart in memory; steps that each go over all uses wait for many rows at once.
    fn fetch(&self, callers: Range<u32>) {
        let start = self.starts.get(callers.start as usize).copied();
        let end = self.starts.get(callers.end as usize).copied();
        let range = start.unwrap_or_default()..end.unwrap_or(self.ledger.uses().len());
        let uses = self.ledger.uses().get(range).unwrap_or_default();
        let last = |usage| self.ledger.last(usage).0.0;
        std::hint::black_box(uses.iter().fold(0, |sum, usage| sum ^ last(usage)));
    }

    fn of(&self, number: u32) -> Result<Vec<UseRow<'l>>, Fault> {
        let mut rows = Vec::new();
        self.read(number, &mut rows)?;
        Ok(rows)
    }

    /// A caller's uses, in the order of their numbers.
    fn read(&self, number: u32, out: &mut Vec<UseRow<'l>>) -> Result<(), Fault> {
        let ledger = self.ledger;
        let n = number as usize;
        let range = self.starts.get(n).zip(self.starts.get(n + 1));
        let range = range.map_or(0..0, |(start, end)| *start..*end);
        out.clear();
        for usage in ledger.uses().get(range).unwrap_or_default() {
            let (last, last_id) = ledger.last(usage);
            let (count, marks) = (ledger.count(usage), ledger.marks(usage));
            if count != marks.len() as u64 {
                return Err(Fault::WithoutMarks);
            }
            out.push(UseRow {
                numbers: self.numbering.of(&usage.key),
                first: (usage.first, event_id(ledger, usage.first_id)),
                last: (last, event_id(ledger, last_id)),
                count,
                marks: Cow::Owned(marks),
            });
        }
        out.sort_unstable_by_key(|row| row.numbers);
        Ok(())
    }
}

/// Whether a caller's marks are kept by day.
fn has_many_marks(uses: &[UseRow<'_>]) -> bool {
    uses.iter().map(|row| row.marks.len()).sum::<usize>() > INLINE_MARKS
}

/// The clients of uses, those that repeat the one before left out.
fn clients(uses: &[UseRow<'_>]) -> impl Iterator<Item = u32> {
    let clients = uses.chunk_by(|a, b| a.numbers.client == b.numbers.client);
    clients.filter_map(|alike| Some(alike.first()?.numbers.client))
}

/// Where the uses of each caller begin in the ledger, which has them in the order of their callers; and the end.
fn starts(ledger: &Ledger) -> Vec<usize> {
    let mut starts = vec![0; ledger.callers().len() + 1];
    for (end, usage) in (1..).zip(ledger.uses()) {
        if let Some(slot) = starts.get_mut(usage.key.caller as usize + 1) {
            *slot = end;
        }
    }
    let mut last = 0;
    for slot in &mut starts {
        // A caller may have no uses.
        last = last.max(*slot);
        *slot = last;
    }
    starts
}

impl<'c> Statements<'c> {
    fn new(connection: &'c rusqlite::Connection) -> Result<Self, Fault> {
        Ok(Self {
            insert: Insert::new(connection, "caller", &COLUMNS)?,
            select: connection.prepare("SELECT uses, ends, marks FROM caller WHERE id = ?1")?,
            update: connection
                .prepare("UPDATE caller SET uses = ?2, ends = ?3, marks = ?4 WHERE id = ?1")?,
        })
    }
}

/// The uses of a stored caller with their marks, and whether those are kept by day.
fn stored(id: u32, row: &Row<'_>) -> Result<(Vec<UseRow<'static>>, bool), Fault> {
    let damaged = |_| Fault::Damaged("caller", id.into());
    let uses = row.get_ref(0)?.as_str().map_err(damaged)?;
    let ends = row.get_ref(1)?.as_blob().map_err(damaged)?;
    let marks = row
        .get_ref(2)?
        .as_blob_or_null()
        .map_err(damaged)?
        .unwrap_or_default();
    let daily = marks == [BY_DAY];
    let wanted = if daily { None } else { Some(marks) };
    let uses = read_uses(uses, ends, wanted).ok_or(Fault::Damaged("caller", id.into()))?;
    Ok((uses, daily))
}

fn own_of_row(row: &Row<'_>) -> rusqlite::Result<Own> {
    Ok(Own {
        identity: row.get(0)?,
        key: row.get(1)?,
        session: row.get(2)?,
        created: row.get(3)?,
    })
}

fn own(identity: u32, caller: &Caller, texts: &crate::joins::CallerTexts<'_>) -> Own {
    let text = |text: &str| filled(text).map(str::to_owned);
    Own {
        identity,
        key: text(texts.key),
        session: text(texts.session),
        created: caller.created,
    }
}

/// Absent and empty are the same in a ledger; a case stores them as NULL.
pub(crate) fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
