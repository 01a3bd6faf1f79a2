//! Writing rows as they are made: tables for people, JSON and CSV for programs.
//!
//! Text from a log reaches an output only through one of these; none of them lets it drive a terminal.
//! Must not know what the rows mean.

pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod words;

use clap::ValueEnum;
use serde::Serialize;
use std::io::{self, Write};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// For people; fits the terminal.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// Comma-separated, formulas defused.
    Csv,
}

/// A kind of row that every [`RowFormat`] can write.
pub(crate) trait Row: Serialize {
    /// The names of the CSV columns.
    const CSV: &'static [&'static str];
    /// The cells of one CSV line, not yet escaped.
    fn csv(&self) -> Vec<String>;
    /// The columns of the table at this width.
    fn columns(width: usize) -> Vec<table::Column>;
    /// The cells of one table row, already fit for a terminal.
    fn cells(&self) -> Vec<String>;
}

/// Writes every row in the format that was asked for, each as it comes.
pub(crate) fn rows<R: Row>(
    out: &mut dyn Write,
    (format, width): (RowFormat, usize),
    rows: impl Iterator<Item = R>,
) -> io::Result<()> {
    match format {
        RowFormat::Table => {
            let mut table = table::Table::new(out, R::columns(width));
            for row in rows {
                table.row(&row.cells())?;
            }
            table.finish()
        }
        RowFormat::Json => {
            let mut list = json::List::new(out);
            for row in rows {
                list.item(&row)?;
            }
            list.finish()
        }
        RowFormat::Jsonl => {
            for row in rows {
                json::line(out, &row)?;
            }
            Ok(())
        }
        RowFormat::Csv => {
            csv::line(out, R::CSV.iter().copied())?;
            for row in rows {
                csv::line(out, row.csv().iter().map(String::as_str))?;
            }
            Ok(())
        }
    }
}
