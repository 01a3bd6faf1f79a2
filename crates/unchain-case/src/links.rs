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
    kinds: [Entries; 3],
}

/// Entries in parts by the first byte of the hash. The parts are sorted one by one, which takes half the time of
/// sorting all at once and no second copy.
struct Entries(Vec<Vec<u64>>);

impl Default for Entries {
    fn default() -> Self {
        Self(vec![Vec::new(); 256])
    }
}

impl Entries {
    fn push(&mut self, entry: u64) {
        let part = usize::try_from(entry >> 56).unwrap_or_default();
        if let Some(part) = self.0.get_mut(part) {
            part.push(entry);
        }
    }

    fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

impl NewLinks {
    /// Links a row.
    pub(crate) fn push(&mut self, kind: Kind, hash: u32, number: u32) {
        if let Some(entries) = self.kinds.get_mut(kind as usize) {
            entries.push(u64::from(hash) << 32 | u64::from(number));
        }
    }

    /// Writes them all, and forgets them.
    pub(crate) fn write(&mut self, connection: &Connection) -> Result<(), Fault> {
        for (kind, entries) in (0u8..).zip(&mut self.kinds) {
            let entries = std::mem::take(entries);
            if entries.len() > 0 {
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

fn add_run(connection: &Connection, kind: u8, mut entries: Entries) -> Result<(), Fault> {
    while let Some(run) = newest(connection, kind)? {
        if run.entries > (entries.len() as u64).saturating_mul(LARGER) {
            break;
        }
        take_run(connection, run, &mut entries)?;
    }
    let mut bits = 0;
    while bits < 24 && entries.len() >> bits > CHUNK {
        bits += 1;
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO link_run (kind, bits, entries) VALUES (?1, ?2, ?3) RETURNING id",
    )?;
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let run: i64 = statement.query_row((kind, bits, count), |row| row.get(0))?;
    let mut chunks = Chunks {
        connection,
        id: 0,
        bytes: Vec::with_capacity(CHUNK * 8),
    };
    for mut part in entries.0 {
        part.sort_unstable();
        part.dedup();
        for entry in part {
            chunks.push(chunk_id(run, bits, hash_of(entry)), entry)?;
        }
    }
    chunks.finish()
}

/// Writes entries that come in order, chunk by chunk. A chunk may begin in one part and end in the next.
struct Chunks<'c> {
    connection: &'c Connection,
    id: i64,
    bytes: Vec<u8>,
}

impl Chunks<'_> {
    fn push(&mut self, id: i64, entry: u64) -> Result<(), Fault> {
        if id != self.id {
            self.finish()?;
            self.id = id;
        }
        self.bytes.extend_from_slice(&entry.to_be_bytes());
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Fault> {
        if !self.bytes.is_empty() {
            self.connection
                .prepare_cached("INSERT INTO link VALUES (?1, ?2)")?
                .execute((self.id, &self.bytes))?;
            self.bytes.clear();
        }
        Ok(())
    }
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
fn take_run(connection: &Connection, run: Run, entries: &mut Entries) -> Result<(), Fault> {
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
        let all = chunk.as_chunks::<8>().0.iter().copied();
        all.map(u64::from_be_bytes)
            .for_each(|entry| entries.push(entry));
    }
    connection
        .prepare_cached("DELETE FROM link WHERE id BETWEEN ?1 AND ?2")?
        .execute([first, last])?;
    connection
        .prepare_cached("DELETE FROM link_run WHERE id = ?1")?
        .execute([run.id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_linked_is_found(
            writes in prop::collection::vec(prop::collection::vec((0u32..40, any::<u32>()), 0..3_000), 1..6),
        ) {
            let connection = Connection::open_in_memory().expect("memory");
            connection.execute_batch(include_str!("../schema/1.sql")).expect("tables");
            let mut expected: Vec<Vec<u32>> = vec![Vec::new(); 40];
            for write in writes {
                let mut new = NewLinks::default();
                for (hash, number) in write {
                    let spread = hash.wrapping_mul(107_374_182);
                    new.push(Kind::Fact, spread, number);
                    expected[hash as usize].push(number);
                }
                new.write(&connection).expect("written");
            }
            let links = Links::open(&connection).expect("runs");
            prop_assert!(links.runs.len() <= 4, "{} runs", links.runs.len());
            for (hash, numbers) in (0u32..).zip(&mut expected) {
                numbers.sort_unstable();
                numbers.dedup();
                let found = links.find(&connection, Kind::Fact, hash.wrapping_mul(107_374_182));
                prop_assert_eq!(&found.expect("found"), numbers);
                let other = links.find(&connection, Kind::Caller, hash).expect("found");
                prop_assert!(other.is_empty());
            }
        }
    }
}
