//! The tables of a case, and how an older case becomes a newer one.
//!
//! Version N is what the first N steps make, so a new case is an empty one that was migrated. A step is
//! never edited once a release has it.

use crate::error::{CaseError, Fault, shown};
use rusqlite::{Connection, TransactionBehavior};
use std::cmp::Ordering;
use std::path::Path;
use unchain_core::deed::ATTRIBUTES;

/// `unca`, in the header of the file, where `file(1)` finds it.
const APPLICATION_ID: i64 = 0x756e_6361;
/// Each makes a version out of the one before.
const STEPS: [&str; 4] = [
    include_str!("../schema/1.sql"),
    include_str!("../schema/2.sql"),
    include_str!("../schema/3.sql"),
    include_str!("../schema/4.sql"),
];

/// The version that this program writes.
pub(crate) fn version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or_default()
}

/// Checks that a database is a case of a known version, and makes it one of this version.
pub(crate) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), CaseError> {
    let path_shown = || shown(path);
    match state(connection).map_err(|fault| fault.at(path))? {
        State::Other => Err(CaseError::NotACase { path: path_shown() }),
        State::Newer(version) => Err(CaseError::Newer {
            path: path_shown(),
            version,
            known: self::version(),
        }),
        State::Current => Ok(()),
        State::Older => migrate(connection).map_err(|fault| fault.at(path)),
    }
}

enum State {
    /// Not a case.
    Other,
    /// A case of an earlier version, or an empty database.
    Older,
    Current,
    Newer(i64),
}

fn state(connection: &Connection) -> Result<State, Fault> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let id = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    if id == 0 && version == 0 && tables == 0 {
        return Ok(State::Older);
    }
    if id != APPLICATION_ID || version < 1 {
        return Ok(State::Other);
    }
    if version > self::version() {
        return Ok(State::Newer(version));
    }
    // Attributes are only ever added: more of them than this program knows are a later program's.
    let attributes = number("SELECT count(*) FROM attribute")?;
    let known = i64::try_from(ATTRIBUTES.len()).unwrap_or(i64::MAX);
    Ok(match attributes.cmp(&known) {
        Ordering::Greater => State::Newer(version),
        Ordering::Equal if version == self::version() => State::Current,
        Ordering::Equal | Ordering::Less => State::Older,
    })
}

fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for step in STEPS.iter().skip(from as usize) {
        transaction.execute_batch(step)?;
    }
    attributes(&transaction)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version())?;
    transaction.commit()?;
    Ok(())
}

/// The names of attributes, for people.
fn attributes(connection: &Connection) -> Result<(), Fault> {
    let mut statement = connection.prepare("INSERT OR IGNORE INTO attribute VALUES (?,?,?)")?;
    for (attribute, name) in ATTRIBUTES {
        statement.execute((attribute as u8, name, attribute.is_number()))?;
    }
    Ok(())
}
