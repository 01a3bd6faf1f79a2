//! What can be wrong with a case file. Errors name the file and say what to do next.

use std::path::Path;
use unchain_core::text::terminal;

/// A case that cannot be opened, read or written. Paths are escaped for a terminal.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// Nothing is there.
    #[error("`{path}` does not exist; make it with `unchain scan`, or name another with `--case`")]
    Missing {
        /// The file.
        path: String,
    },
    /// It is a file of another kind.
    #[error("`{path}` is not a case file; name another with `--case`, or move it away")]
    NotACase {
        /// The file.
        path: String,
    },
    /// A later version of this program wrote it.
    #[error(
        "`{path}` has case version {version} and this program knows versions up to {known}; use a newer unchain, or scan into another file"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its version.
        version: i64,
        /// The latest version known here.
        known: i64,
    },
    /// The file or its folder cannot be written.
    #[error(
        "cannot write `{path}` or the folder that it is in; change the permissions, name a file elsewhere with `--case`, or keep nothing with `--no-case`"
    )]
    NotWritable {
        /// The file.
        path: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Another program has it locked.
    #[error("`{path}` is being written by another program; wait for it to end and try again")]
    Busy {
        /// The file.
        path: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// No space is left.
    #[error("no space is left for `{path}`; free some, or name a file elsewhere with `--case`")]
    Full {
        /// The file.
        path: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A row does not hold what this program writes.
    #[error(
        "`{path}` is damaged: table `{table}`, row {row}; scan the logs again into another file"
    )]
    Damaged {
        /// The file.
        path: String,
        /// The table.
        table: &'static str,
        /// The row's id.
        row: i64,
    },
    /// A ledger that was loaded to be read only has counts without marks, and cannot be united.
    #[error(
        "a ledger without its event marks cannot be written to `{path}`; load it with its marks"
    )]
    WithoutMarks {
        /// The file.
        path: String,
    },
    /// The beginning of a name fits more than one plan.
    #[error("`{path}` has several plans that begin with `{name}`; give more digits")]
    SeveralPlans {
        /// The file.
        path: String,
        /// What was asked for.
        name: String,
    },
    /// The place of a line in a journal is taken by another line.
    #[error(
        "another program carries out or undoes the same plan in `{path}` (line {sequence} of the journal is its own); let one of them end, then go on with the other"
    )]
    Contested {
        /// The file.
        path: String,
        /// The place.
        sequence: u32,
    },
    /// SQLite failed otherwise.
    #[error("cannot use `{path}`; if it is damaged, move it away and scan the logs again")]
    Database {
        /// The file.
        path: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// What goes wrong inside, where the path is not known.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    Damaged(&'static str, i64),
    WithoutMarks,
    Contested(u32),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Fault {
    /// The same with the file's name, for the caller of this crate.
    pub(crate) fn at(self, path: &Path) -> CaseError {
        let path = shown(path);
        match self {
            Self::Damaged(table, row) => CaseError::Damaged { path, table, row },
            Self::WithoutMarks => CaseError::WithoutMarks { path },
            Self::Contested(sequence) => CaseError::Contested { path, sequence },
            Self::Sql(source) => of_sqlite(path, source),
        }
    }
}

/// A path as it may be printed.
pub(crate) fn shown(path: &Path) -> String {
    terminal(&path.to_string_lossy()).into_owned()
}

fn of_sqlite(path: String, source: rusqlite::Error) -> CaseError {
    use rusqlite::ErrorCode as Code;
    match source.sqlite_error_code() {
        Some(Code::NotADatabase) => CaseError::NotACase { path },
        Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => {
            CaseError::NotWritable { path, source }
        }
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => CaseError::Busy { path, source },
        Some(Code::DiskFull) => CaseError::Full { path, source },
        _ => CaseError::Database { path, source },
    }
}
