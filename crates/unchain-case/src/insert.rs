//! Adding many rows to a table, several with one statement: starting a statement and finding the end of the
//! table costs SQLite as much as a row. Must not know what the rows mean.

use crate::error::Fault;
use rusqlite::{Connection, Statement, ToSql};

/// Rows of one statement.
const ROWS: usize = 16;

/// Adds rows at the end of a table.
pub(crate) struct Insert<'c> {
    connection: &'c Connection,
    table: &'static str,
    one: Statement<'c>,
    many: Statement<'c>,
    /// Values bound to `many`.
    bound: usize,
    /// The id of the next row.
    next: u32,
}

impl<'c> Insert<'c> {
    /// Into these columns of a table whose ids grow by one.
    pub(crate) fn new(
        connection: &'c Connection,
        table: &'static str,
        columns: &[&str],
    ) -> rusqlite::Result<Self> {
        // Whoever fails undoes the whole transaction, so a statement need not keep what would undo it alone.
        let into = format!("INSERT OR FAIL INTO {table} ({}) VALUES", columns.join(","));
        let row = format!("({})", vec!["?"; columns.len()].join(","));
        let rows = vec![row.as_str(); ROWS].join(",");
        let next = format!("SELECT coalesce(max(id), 0) + 1 FROM {table}");
        Ok(Self {
            connection,
            table,
            one: connection.prepare(&format!("{into} {row}"))?,
            many: connection.prepare(&format!("{into} {rows}"))?,
            bound: 0,
            next: connection.query_row(&next, [], |row| row.get(0))?,
        })
    }

    /// The id of the row that is added next.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// Adds a row and tells its id. At least so many are `to_come`, this one included; the row may be in the
    /// table only when the last of them is.
    pub(crate) fn row(&mut self, values: &[&dyn ToSql], to_come: usize) -> Result<u32, Fault> {
        let id = self.next;
        self.next += 1;
        if self.bound == 0 && to_come < ROWS {
            self.one.execute(values)?;
            return self.check(id);
        }
        for value in values {
            self.bound += 1;
            self.many.raw_bind_parameter(self.bound, value)?;
        }
        if self.bound == values.len() * ROWS {
            self.many.raw_execute()?;
            self.bound = 0;
            return self.check(id);
        }
        Ok(id)
    }

    /// SQLite appends faster than it looks for the place of a given id; it must have given the same.
    fn check(&self, id: u32) -> Result<u32, Fault> {
        let given = self.connection.last_insert_rowid();
        if given == i64::from(id) {
            Ok(id)
        } else {
            Err(Fault::Damaged(self.table, given))
        }
    }
}
