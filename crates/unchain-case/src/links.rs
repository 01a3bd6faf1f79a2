//! The index: from 32-bit hashes to the numbers of rows, in sorted runs of packed entries.
//!
//! A row of a table for each of them would cost more than the rows that they lead to. Each write adds one
//! run for each kind; a run not much larger than a newer one is merged with it, so there are few. A run is
//! cut into chunks by the first bits of the hash, and so a look-up reads one row from each run.
//! Must not know what is hashed.

use crate::error::Fault;
use rusqlite::{Connection, OptionalExtension as _};

/// What the numbers number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Caller = 0,
    Fact = 1,
    Identity = 2,
}

/// Entries of a chunk on average at most: seven of eight kilobytes of a page.
const CHUNK: usize = 896;
/// An older run is merged with a new one unless it is this many times as large.
const LARGER: u64 = 2;

/// New entries, not yet written.
#[derive(Default)]
pub(crate) struct NewLinks {
    entries: [Vec<u64>; 3],
}

impl NewLinks {
    /// Links a row.
    pub(crate) fn push(&mut self, kind: Kind, hash: u32, number: u32) {
        if let Some(entries) = self.entries.get_mut(kind as usize) {
            entries.push(u64::from(hash) << 32 | u64::from(number));
        }
    }

    /// Writes them all.
    pub(crate) fn write(&mut self, connection: &Connection) -> Result<(), Fault> {
        for (kind, entries) in (0u8..).zip(&mut self.entries) {
            let entries = std::mem::take(entries);
            if !entries.is_empty() {
                add_run(connection, kind, entries)?;
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Run {
    id: i64,
    kind: u8,
    bits: u32,
    entries: u64,
}

/// The runs of a case.
pub(crate) struct Links {
    runs: Vec<Run>,
}

impl Links {
    /// Reads which runs there are.
    pub(crate) fn open(connection: &Connection) -> Result<Self, Fault> {
        let mut statement = connection
            .prepare_cached("SELECT id, kind, bits, entries FROM link_run ORDER BY id")?;
        let runs = statement
            .query_map([], |row| {
                Ok(Run {
                    id: row.get(0)?,
                    kind: row.get(1)?,
                    bits: row.get::<_, u32>(2)?.min(31),
                    entries: row.get::<_, i64>(3)?.cast_unsigned(),
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(Self { runs })
    }

    /// The rows under a hash.
    pub(crate) fn find(
        &self,
        connection: &Connection,
        kind: Kind,
        hash: u32,
    ) -> Result<Vec<u32>, Fault> {
        let mut found = Vec::new();
        let mut statement = connection.prepare_cached("SELECT entries FROM link WHERE id = ?1")?;
        for run in self.runs.iter().filter(|run| run.kind == kind as u8) {
            let id = chunk_id(run.id, run.bits, hash);
            let mut rows = statement.query([id])?;
            if let Some(row) = rows.next()? {
                let chunk = row
                    .get_ref(0)?
                    .as_blob()
                    .map_err(|_| Fault::Damaged("link", id))?;
                search(chunk, hash, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Chunks of a run are numbered by the first bits of their hashes.
fn chunk_id(run: i64, bits: u32, hash: u32) -> i64 {
    // A shift by all 32 bits is not defined; with no bits there is one chunk.
    run << 32 | i64::from(hash.checked_shr(32 - bits).unwrap_or(0))
}

fn search(chunk: &[u8], hash: u32, found: &mut Vec<u32>) {
    let (entries, _) = chunk.as_chunks::<8>();
    let start = entries.partition_point(|e| u64::from_be_bytes(*e) >> 32 < u64::from(hash));
    let run = entries.get(start..).unwrap_or_default().iter();
    found.extend(
        run.map(|e| u64::from_be_bytes(*e))
            .take_while(|e| e >> 32 == u64::from(hash))
            .map(number_of),
    );
}

fn number_of(entry: u64) -> u32 {
    u32::try_from(entry & 0xffff_ffff).unwrap_or_default()
}

fn hash_of(entry: u64) -> u32 {
    u32::try_from(entry >> 32).unwrap_or_default()
}

fn add_run(connection: &Connection, kind: u8, mut entries: Vec<u64>) -> Result<(), Fault> {
    while let Some(run) = newest(connection, kind)? {
        if run.entries > (entries.len() as u64).saturating_mul(LARGER) {
            break;
        }
        take_run(connection, run, &mut entries)?;
    }
    entries.sort_unstable();
    entries.dedup();
    let mut bits = 0;
    while bits < 24 && entries.len() >> bits > CHUNK {
        bits += 1;
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO link_run (kind, bits, entries) VALUES (?1, ?2, ?3) RETURNING id",
    )?;
    let run: i64 = statement.query_row((kind, bits, entries.len() as i64), |row| row.get(0))?;
    let mut statement = connection.prepare_cached("INSERT INTO link VALUES (?1, ?2)")?;
    let mut bytes = Vec::with_capacity(CHUNK * 8);
    let same =
        |a: &u64, b: &u64| chunk_id(run, bits, hash_of(*a)) == chunk_id(run, bits, hash_of(*b));
    for chunk in entries.chunk_by(same) {
        bytes.clear();
        chunk
            .iter()
            .for_each(|e| bytes.extend_from_slice(&e.to_be_bytes()));
        let id = chunk
            .first()
            .map_or(0, |e| chunk_id(run, bits, hash_of(*e)));
        statement.execute((id, &bytes))?;
    }
    Ok(())
}

fn newest(connection: &Connection, kind: u8) -> Result<Option<Run>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT id, bits, entries FROM link_run WHERE kind = ?1 ORDER BY id DESC LIMIT 1",
    )?;
    let run = statement.query_row([kind], |row| {
        Ok(Run {
            id: row.get(0)?,
            kind,
            bits: row.get(1)?,
            entries: row.get::<_, i64>(2)?.cast_unsigned(),
        })
    });
    Ok(run.optional()?)
}

/// Takes the entries of a run and removes it.
fn take_run(connection: &Connection, run: Run, entries: &mut Vec<u64>) -> Result<(), Fault> {
    let (first, last) = (run.id << 32, run.id << 32 | 0xffff_ffff);
    let mut statement =
        connection.prepare_cached("SELECT id, entries FROM link WHERE id BETWEEN ?1 AND ?2")?;
    let mut rows = statement.query([first, last])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let chunk = row
            .get_ref(1)?
            .as_blob()
            .map_err(|_| Fault::Damaged("link", id))?;
        entries.extend(
            chunk
                .as_chunks::<8>()
                .0
                .iter()
                .map(|e| u64::from_be_bytes(*e)),
        );
    }
    connection
        .prepare_cached("DELETE FROM link WHERE id BETWEEN ?1 AND ?2")?
        .execute([first, last])?;
    connection
        .prepare_cached("DELETE FROM link_run WHERE id = ?1")?
        .execute([run.id])?;
    Ok(())
}
