//! What was read: one row a file, and which files to read again for a credential.
//!
//! A file read twice with different filters gives one row that says what both saw. Of two states of one
//! path the one modified later stays, whichever came first.

use crate::error::Fault;
use crate::insert::Insert;
use crate::usage::unite_sorted;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql};
use std::borrow::Cow;

/// One file, or another source of records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileRow {
    /// Its path as text, or `-`. From outside, so escape it before showing it.
    pub path: String,
    /// Bytes as stored; 0 where the size is not known before reading.
    pub size: u64,
    /// When it was modified, in seconds since 1970, where the place that holds it says so.
    pub modified: Option<i64>,
    /// A hash of its content, or of its first and last bytes; 0 if there is none.
    pub fingerprint: u64,
    /// What it turned out to be: `records`, `digest` ….
    pub kind: String,
    /// How it was packed: `plain`, `gzip`, `zstd`.
    pub compression: String,
    /// Records met.
    pub read: u64,
    /// Records understood.
    pub parsed: u64,
    /// Records understood that a filter left out.
    pub filtered: u64,
    /// Records not understood, per reason.
    pub refused: Vec<(String, u64)>,
    /// Oddities of records understood, per oddity.
    pub notes: Vec<(String, u64)>,
    /// What was wrong with the file as a whole.
    pub damage: Option<String>,
    /// The earliest `eventTime` of a record that was kept, in seconds since 1970.
    pub earliest: Option<i64>,
    /// The latest.
    pub latest: Option<i64>,
    /// Hashes ([`crate::key_hash`]) of the access key ids and principal ids met in it.
    pub keys: Vec<u32>,
}

const COLUMNS: [&str; 15] = [
    "path",
    "size",
    "modified",
    "fingerprint",
    "kind",
    "compression",
    "read",
    "parsed",
    "filtered",
    "refused",
    "notes",
    "damage",
    "earliest",
    "latest",
    "keys",
];

fn columns() -> String {
    COLUMNS.join(",")
}

/// Adds files. Says how many were new or changed.
pub(crate) fn write(connection: &Connection, files: &[FileRow]) -> Result<u64, Fault> {
    // Where there was no file, and paths ascend, none can be there: a look-up costs as much as adding it.
    let mut last = connection
        .query_row("SELECT max(path) FROM file", [], |row| {
            row.get::<_, Option<String>>(0)
        })?
        .map(Cow::Owned);
    if last.is_none() && files.is_sorted_by(|a, b| a.path < b.path) {
        return add(connection, files);
    }
    let columns = columns();
    let mut select = connection.prepare(&format!("SELECT {columns} FROM file WHERE path = ?1"))?;
    let mut upsert = connection.prepare(&format!(
        "INSERT INTO file ({columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET \
         size = excluded.size, modified = excluded.modified, fingerprint = excluded.fingerprint, \
         kind = excluded.kind, compression = excluded.compression, read = excluded.read, \
         parsed = excluded.parsed, filtered = excluded.filtered, refused = excluded.refused, \
         notes = excluded.notes, damage = excluded.damage, earliest = excluded.earliest, \
         latest = excluded.latest, keys = excluded.keys"
    ))?;
    let mut changed = 0;
    for new in files {
        let is_new = last.as_deref().is_none_or(|last| last < new.path.as_str());
        let known = if is_new {
            last = Some(Cow::Borrowed(new.path.as_str()));
            None
        } else {
            select
                .query_row([&new.path], |row| Ok(read(row)))
                .optional()?
                .transpose()?
        };
        let new = in_order(new);
        let united = match &known {
            Some(known) => Cow::Owned(unite(known, new.into_owned())),
            None => new,
        };
        if known.as_ref() != Some(&*united) {
            with_values(&united, |values| Ok(upsert.execute(values)?))?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Adds files, whose paths ascend, to a case without any.
fn add(connection: &Connection, files: &[FileRow]) -> Result<u64, Fault> {
    let mut insert = Insert::new(connection, "file", &COLUMNS)?;
    for (n, file) in files.iter().enumerate() {
        with_values(&in_order(file), |values| {
            insert.row(values, files.len() - n)
        })?;
    }
    Ok(files.len() as u64)
}

/// A file whose lists are in order.
fn in_order(file: &FileRow) -> Cow<'_, FileRow> {
    let lists = [&file.refused, &file.notes];
    if lists.iter().all(|list| list.is_sorted()) && file.keys.is_sorted_by(|a, b| a < b) {
        return Cow::Borrowed(file);
    }
    let mut file = file.clone();
    for list in [&mut file.refused, &mut file.notes] {
        list.sort_unstable();
    }
    file.keys.sort_unstable();
    file.keys.dedup();
    Cow::Owned(file)
}

/// The files that hold one of some keys, sorted, and that may have records from `since` to `until`, both in
/// seconds since 1970 and included.
pub(crate) fn with(
    connection: &Connection,
    keys: &[u32],
    (since, until): (Option<i64>, Option<i64>),
) -> Result<Vec<FileRow>, Fault> {
    let mut statement = connection.prepare(&format!(
        "SELECT {} FROM file WHERE coalesce(latest >= ?1, 1) AND coalesce(earliest <= ?2, 1) \
         ORDER BY earliest, path",
        columns()
    ))?;
    let mut rows = statement.query([since, until])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let file = read(row)?;
        if file.keys.iter().any(|key| keys.contains(key)) {
            found.push(file);
        }
    }
    Ok(found)
}

/// Every file, by path.
pub(crate) fn all(connection: &Connection) -> Result<Vec<FileRow>, Fault> {
    let mut statement =
        connection.prepare(&format!("SELECT {} FROM file ORDER BY path", columns()))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Two rows of one path as one. The order of the two does not matter.
fn unite(known: &FileRow, new: FileRow) -> FileRow {
    let state = |file: &FileRow| (file.modified, file.size, file.fingerprint);
    if state(known) != state(&new) {
        return if state(known) > state(&new) {
            known.clone()
        } else {
            new
        };
    }
    let keys = unite_sorted(&known.keys, &new.keys);
    let earliest = known.earliest.into_iter().chain(new.earliest).min();
    let latest = known.latest.max(new.latest);
    // Reading less of one file again is not damage to it: the fuller reading counts.
    let rank = |file: &FileRow| {
        let kept = file.parsed.saturating_sub(file.filtered);
        (
            file.read,
            file.parsed,
            kept,
            file.refused.clone(),
            file.notes.clone(),
            file.damage.clone(),
        )
    };
    let fuller = if rank(known) >= rank(&new) {
        known.clone()
    } else {
        new
    };
    FileRow {
        keys,
        earliest,
        latest,
        ..fuller
    }
}

/// Gives a file's values, in the order of the columns.
fn with_values<T>(
    file: &FileRow,
    take: impl FnOnce(&[&dyn ToSql]) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let keys: Vec<u8> = file.keys.iter().flat_map(|key| key.to_le_bytes()).collect();
    take(rusqlite::params![
        file.path,
        number(file.size),
        file.modified,
        file.fingerprint.cast_signed(),
        file.kind,
        file.compression,
        number(file.read),
        number(file.parsed),
        number(file.filtered),
        counts_text(&file.refused),
        counts_text(&file.notes),
        file.damage,
        file.earliest,
        file.latest,
        keys
    ])
}

/// Counts as a JSON object.
fn counts_text(counts: &[(String, u64)]) -> String {
    let object: serde_json::Map<String, serde_json::Value> = counts
        .iter()
        .map(|(name, count)| (name.clone(), (*count).into()))
        .collect();
    serde_json::Value::Object(object).to_string()
}

fn counts(text: &str) -> Option<Vec<(String, u64)>> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    object
        .into_iter()
        .map(|(name, count)| Some((name, count.as_u64()?)))
        .collect()
}

fn read(row: &Row<'_>) -> Result<FileRow, Fault> {
    let damaged = || Fault::Damaged("file", 0);
    let number = |at| Ok::<_, Fault>(u64::try_from(row.get::<_, i64>(at)?).unwrap_or_default());
    let keys: Vec<u8> = row.get(14)?;
    let (keys, rest) = keys.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(damaged());
    }
    Ok(FileRow {
        path: row.get(0)?,
        size: number(1)?,
        modified: row.get(2)?,
        fingerprint: row.get::<_, i64>(3)?.cast_unsigned(),
        kind: row.get(4)?,
        compression: row.get(5)?,
        read: number(6)?,
        parsed: number(7)?,
        filtered: number(8)?,
        refused: counts(&row.get::<_, String>(9)?).ok_or_else(damaged)?,
        notes: counts(&row.get::<_, String>(10)?).ok_or_else(damaged)?,
        damage: row.get(11)?,
        earliest: row.get(12)?,
        latest: row.get(13)?,
        keys: keys
            .iter()
            .map(|bytes| u32::from_le_bytes(*bytes))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(parsed: u64, keys: &[u32]) -> FileRow {
        FileRow {
            path: "a.json".to_owned(),
            read: 9,
            parsed,
            keys: keys.to_vec(),
            ..FileRow::default()
        }
    }

    #[test]
    fn two_readings_of_one_file_are_one_row() {
        let (a, b) = (file(9, &[1, 3]), file(4, &[2, 3]));
        let united = unite(&a, b.clone());
        assert_eq!(
            (united.parsed, united.keys.as_slice()),
            (9, [1, 2, 3].as_slice())
        );
        assert_eq!(unite(&b, a), united);
    }

    #[test]
    fn files_come_in_any_order_and_more_than_once() {
        let named = |path: &str, keys: &[u32]| FileRow {
            path: path.to_owned(),
            ..file(9, keys)
        };
        let mut case = crate::Case::in_memory().unwrap();
        let mut write = |files: &[FileRow]| {
            let mut ledger = unchain_core::ledger::Ledger::default();
            case.write(&mut ledger, files).unwrap().files
        };
        assert_eq!(
            write(&[named("b", &[2, 1]), named("d", &[]), named("b", &[3, 3])]),
            3
        );
        assert_eq!(
            write(&[named("a", &[]), named("e", &[]), named("d", &[])]),
            2
        );
        assert_eq!(write(&[named("e", &[4]), named("c", &[])]), 2);
        let files = case.files().unwrap();
        let found = files.iter().map(|f| (f.path.as_str(), f.keys.as_slice()));
        let mut found: Vec<_> = found.collect();
        found.sort_unstable();
        let none: &[u32] = &[];
        assert_eq!(
            found,
            [
                ("a", none),
                ("b", &[1, 2, 3]),
                ("c", none),
                ("d", none),
                ("e", &[4])
            ]
        );
    }

    #[test]
    fn the_later_state_of_a_path_stays() {
        let old = FileRow {
            modified: Some(1),
            ..file(9, &[1])
        };
        let new = FileRow {
            modified: Some(2),
            ..file(4, &[2])
        };
        assert_eq!(unite(&old, new.clone()), new);
        assert_eq!(unite(&new, old), new);
    }
}
