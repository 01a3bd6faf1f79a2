//! Lists by pages. A cursor names the last row that was read, so that rows which a growing case adds between two pages
//! neither repeat others nor push them out.

use super::parameters::{LIMIT_DEFAULT, cursor, limit};
use crate::names::hexadecimal;
use crate::problem::Problem;
use crate::query::Query;
use crate::views::Visit;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use unchain_core::time::Timestamp;

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub(crate) struct List<T> {
    /// The instant that it speaks of, UTC.
    at: Timestamp,
    #[serde(flatten)]
    part: Part<T>,
}

/// Some items of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Part")]
pub(crate) struct Part<T> {
    /// The items of this page.
    items: Vec<T>,
    /// The address of the next page, with the same instant and filters; none where this is the last.
    next: Option<String>,
    /// How many items all pages have.
    total: u64,
}

/// The page that a visit asks for. `key` says in a text what a row is, and `item` how it is told.
pub(crate) fn list<R, T>(
    visit: &Visit<'_, '_>,
    rows: &[R],
    key: impl Fn(&R) -> String,
    item: impl Fn(&R) -> T,
) -> Result<List<T>, Problem> {
    let at = visit.report.at();
    let query = visit.query.with("at", &at.to_string());
    let part = part((visit.path, &query), rows, key, item)?;
    Ok(List { at, part })
}

/// The page that an address asks for.
pub(crate) fn part<R, T>(
    (path, query): (&str, &Query),
    rows: &[R],
    key: impl Fn(&R) -> String,
    item: impl Fn(&R) -> T,
) -> Result<Part<T>, Problem> {
    let begin = match query.get("cursor").and_then(cursor) {
        Some((number, mark)) => begin(rows, (number, mark), |row| self::mark(&key(row)))?,
        None => 0,
    };
    let limit = query.get("limit").and_then(limit).unwrap_or(LIMIT_DEFAULT);
    let end = rows.len().min(begin + limit);
    let shown = rows.get(begin..end).unwrap_or_default();
    let next = shown.last().filter(|_| end < rows.len()).map(|last| {
        let cursor = format!("{end}-{}", mark(&key(last)));
        query.with("cursor", &cursor).link(path)
    });
    Ok(Part {
        items: shown.iter().map(item).collect(),
        next,
        total: rows.len() as u64,
    })
}

/// The number of rows up to the one that a cursor names. It stands where it stood, unless the case has grown.
fn begin<R>(
    rows: &[R],
    (number, mark): (usize, &str),
    mark_of: impl Fn(&R) -> String,
) -> Result<usize, Problem> {
    let here = number.checked_sub(1).and_then(|last| rows.get(last));
    if here.is_some_and(|row| mark_of(row) == mark) {
        return Ok(number);
    }
    let moved = rows.iter().position(|row| mark_of(row) == mark);
    moved.map(|at| at + 1).ok_or_else(|| {
        let why = "The row after which this page begins is not there any more.";
        let hint = "Begin again without `cursor`.";
        Problem::new(StatusCode::GONE, why, hint)
    })
}

/// Twelve hexadecimal digits of a text.
fn mark(key: &str) -> String {
    hexadecimal(&Sha256::digest(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &[u32], address: &str) -> Part<u32> {
        let query = Query::read(address.strip_prefix("/all?").unwrap());
        part(("/all", &query), rows, |row| row.to_string(), |row| *row).unwrap()
    }

    #[test]
    fn all_pages_together_have_each_row_once() {
        let rows: Vec<u32> = (0..25).collect();
        for size in [1, 7, 24, 25, 26] {
            let mut found = Vec::new();
            let mut next = Some(format!("/all?limit={size}"));
            while let Some(address) = next {
                let part = read(&rows, &address);
                assert_eq!(part.total, 25);
                found.extend(part.items);
                next = part.next;
            }
            assert_eq!(found, rows, "{size} at once");
        }
        assert_eq!(read(&[], "/all?limit=5").next, None);
    }

    #[test]
    fn rows_that_come_in_between_repeat_nothing_and_push_nothing_out() {
        let next = read(&[10, 20, 30, 40], "/all?limit=2").next.unwrap();
        assert_eq!(read(&[5, 10, 15, 20, 30, 40], &next).items, [30, 40]);
        assert_eq!(read(&[20, 25, 30], &next).items, [25, 30]);
        let query = Query::read(next.strip_prefix("/all?").unwrap());
        let gone = part(("/all", &query), &[10, 30], u32::to_string, |row| *row);
        assert_eq!(gone.unwrap_err().status, StatusCode::GONE);
    }
}
