//! The case file: one SQLite database that holds a ledger and what was read.
//!
//! `case = case ∪ ledger`: what a case holds depends on the set of events and files that were written to it,
//! not on their order or repetition. One [`Case::write`] is one transaction, so a killed process leaves
//! what the last write left. [`Case::load_around`] reads only what one pivot needs. Plans of containment and their
//! journals are beside it ([`Case::add_plan`], [`Case::add_receipt`]).
//! docs/case-file.md describes the tables; decision 4 says why they are as they are.
//! Must never judge: it keeps what the ledger says, and joins nothing but to know what to load.

mod around;
mod by_day;
mod detail;
mod dictionary;
mod digest;
mod error;
mod file;
mod info;
mod insert;
mod joins;
mod journal;
mod links;
mod pack;
mod pulse;
mod read;
mod rules;
mod schema;
mod usage;
mod write;
mod write_callers;
mod write_facts;

pub use error::CaseError;
pub use file::FileRow;
pub use info::{Info, PlaceInfo};
pub use joins::key_hash;
pub use journal::PlanRow;
pub use pulse::Pulse;
pub use write::{Threads, Written};

use error::{Fault, shown};
use read::{Marks, Reader};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;
use unchain_core::ledger::Ledger;

/// How long to wait for another program that writes the same case.
const PATIENCE: Duration = Duration::from_secs(5);
/// Kilobytes of the file to keep in memory. Rows are written in order, so little is enough.
const CACHE: i64 = -16_384;
/// Bytes of a page; 4,096 costs a tenth more time to write, 16,384 gains nothing.
const PAGE: i64 = 8192;

/// An open case.
#[derive(Debug)]
pub struct Case {
    connection: Connection,
    path: PathBuf,
}

impl Case {
    /// Opens a case, and makes it if nothing is there. A case of an earlier version becomes one of this.
    ///
    /// # Errors
    ///
    /// The file is not a case, or one of a later version, or it or its folder cannot be written.
    pub fn open(path: &Path) -> Result<Self, CaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Self::with(
            path,
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX),
        )
    }

    /// Opens a case that is there. One that may only be read can be read.
    ///
    /// # Errors
    ///
    /// As [`Case::open`], and if nothing is there.
    pub fn open_existing(path: &Path) -> Result<Self, CaseError> {
        if !path.exists() {
            return Err(CaseError::Missing { path: shown(path) });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::with(path, Connection::open_with_flags(path, flags))
    }

    /// A case in memory, gone when it is dropped.
    ///
    /// # Errors
    ///
    /// SQLite cannot be used.
    pub fn in_memory() -> Result<Self, CaseError> {
        Self::with(Path::new(":memory:"), Connection::open_in_memory())
    }

    fn with(path: &Path, connection: rusqlite::Result<Connection>) -> Result<Self, CaseError> {
        let fault = |error: rusqlite::Error| Fault::Sql(error).at(path);
        let mut connection = connection.map_err(fault)?;
        settings(&connection).map_err(fault)?;
        schema::prepare(&mut connection, path)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    /// Unites a ledger and files with the case, in one transaction. Nothing changes if all of it is there.
    ///
    /// # Errors
    ///
    /// The case cannot be written or is damaged, or the ledger was loaded without its marks; then the case
    /// is as it was.
    pub fn write(&mut self, ledger: &mut Ledger, files: &[FileRow]) -> Result<Written, CaseError> {
        ledger.settle();
        self.begin(files)?.finish(ledger, Threads::One)
    }

    /// Begins what [`Case::write`] does with the files, while others make the ledger. Nothing changes before
    /// [`Writing::finish`].
    ///
    /// # Errors
    ///
    /// The case cannot be written or is damaged; then it is as it was.
    pub fn begin(&mut self, files: &[FileRow]) -> Result<Writing<'_>, CaseError> {
        let Self { connection, path } = self;
        let (transaction, files) = begin(connection, files).map_err(|fault| fault.at(path))?;
        Ok(Writing {
            transaction,
            path,
            files,
        })
    }

    /// The whole ledger without its marks: to answer from, not to write.
    ///
    /// # Errors
    ///
    /// The case cannot be read or is damaged.
    pub fn load(&self) -> Result<Ledger, CaseError> {
        self.snapshot(|connection| Reader::new(connection, Marks::Left).all())
    }

    /// The whole ledger with the marks of all events: equal to the one that was written.
    ///
    /// # Errors
    ///
    /// As [`Case::load`].
    pub fn load_with_marks(&self) -> Result<Ledger, CaseError> {
        self.snapshot(|connection| Reader::new(connection, Marks::Read).all())
    }

    /// The part of the ledger, without marks, on which a lineage has the same ancestors and descendants of
    /// what the pivot names as on the whole. Nothing if the case does not know the pivot.
    ///
    /// A pivot is an access key id, a principal's ARN, unique id or principal id, a session's, user's, role's
    /// or service's name, an MFA serial, a source identity, an address, a user agent, or the id of an
    /// event that the case names: one kept whole, or the first or last of a use. Other event ids are not in a
    /// case.
    ///
    /// # Errors
    ///
    /// As [`Case::load`].
    pub fn load_around(&self, pivot: &str) -> Result<Option<Ledger>, CaseError> {
        self.snapshot(|connection| around::load(connection, pivot))
    }

    /// The files in which one of some keys ([`key_hash`]) was met, and which may have records from `since`
    /// to `until`, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// As [`Case::load`].
    pub fn files_with(
        &self,
        keys: &[u32],
        since: Option<i64>,
        until: Option<i64>,
    ) -> Result<Vec<FileRow>, CaseError> {
        self.snapshot(|connection| file::with(connection, keys, (since, until)))
    }

    /// Every file that was read.
    ///
    /// # Errors
    ///
    /// As [`Case::load`].
    pub fn files(&self) -> Result<Vec<FileRow>, CaseError> {
        self.snapshot(file::all)
    }

    /// What the case holds, in numbers.
    ///
    /// # Errors
    ///
    /// As [`Case::load`].
    pub fn info(&self) -> Result<Info, CaseError> {
        let bytes = std::fs::metadata(&self.path).map_or(0, |data| data.len());
        let info = self.snapshot(info::read)?;
        Ok(Info { bytes, ..info })
    }

    /// Reads in one transaction, so that another program's write is seen whole or not at all.
    fn snapshot<'c, T>(
        &'c self,
        read: impl FnOnce(&'c Connection) -> Result<T, Fault>,
    ) -> Result<T, CaseError> {
        let read = || {
            let transaction = self.connection.unchecked_transaction()?;
            let found = read(&self.connection);
            transaction.finish()?;
            found
        };
        read().map_err(|fault| fault.at(&self.path))
    }
}

fn begin<'c>(
    connection: &'c mut Connection,
    files: &[FileRow],
) -> Result<(Transaction<'c>, u64), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let files = file::write(&transaction, files)?;
    Ok((transaction, files))
}

/// A write to a case that has begun; it is undone unless it is finished.
#[derive(Debug)]
pub struct Writing<'c> {
    transaction: Transaction<'c>,
    path: &'c Path,
    /// How many files were added.
    files: u64,
}

impl Writing<'_> {
    /// Adds a ledger for which [`Ledger::settle`] was called, and keeps everything.
    ///
    /// # Errors
    ///
    /// As [`Case::write`].
    pub fn finish(self, ledger: &Ledger, threads: Threads) -> Result<Written, CaseError> {
        let Self {
            transaction,
            path,
            files,
        } = self;
        let finish = || {
            let written = write::write(&transaction, ledger, (files, threads))?;
            if written.is_empty() {
                transaction.rollback()?;
            } else {
                transaction.commit()?;
            }
            Ok(written)
        };
        finish().map_err(|fault: Fault| fault.at(path))
    }
}

/// Nothing that a damaged or forged file says is run.
fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "page_size", PAGE)?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}
