//! The queries of docs/case-file.md run, and each finds something.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail where the test should"
)]

mod common;
#[path = "common/plans.rs"]
mod plans;

use common::{ledger, story};
use plans::{made, receipt};
use rusqlite::Connection;
use unchain_case::{Case, FileRow};
use unchain_core::contain::Happened;

const PAGE: &str = include_str!("../../../docs/case-file.md");

fn case(folder: &tempfile::TempDir) -> Connection {
    let path = folder.path().join("unchain.case");
    let mut case = Case::open(&path).expect("a case");
    let file = FileRow {
        path: "a.json.gz".to_owned(),
        read: 9,
        parsed: 8,
        ..FileRow::default()
    };
    case.write(&mut ledger(&story(1)), &[file])
        .expect("written");
    let name = case.add_plan(&made("a", 7)).expect("a plan");
    case.add_receipt(&receipt(&name, 1, Happened::Waited))
        .expect("a line");
    drop(case);
    Connection::open(&path).expect("a database")
}

fn count(connection: &Connection, query: &str) -> usize {
    let mut statement = connection
        .prepare(query)
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut rows = statement.query([]).expect("rows");
    let mut count = 0;
    while rows.next().expect("a row").is_some() {
        count += 1;
    }
    count
}

#[test]
fn the_queries_of_the_page_find_something() {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = case(&folder);
    let queries: Vec<&str> = PAGE
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(queries.len() >= 7, "{queries:?}");
    for query in queries {
        assert!(count(&connection, query) > 0, "nothing found by {query}");
    }
}

#[test]
fn the_page_names_every_table_and_view_and_their_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = case(&folder);
    let mut statement = connection
        .prepare(
            "SELECT s.name, c.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS c \
             WHERE s.type IN ('table', 'view')",
        )
        .expect("the schema");
    let columns = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("columns");
    for column in columns {
        let (table, column): (String, String) = column.expect("a column");
        assert!(PAGE.contains(&format!("`{table}`")), "{table}");
        if table.starts_with("v_") && !["caller", "fact"].contains(&column.as_str()) {
            let row = PAGE
                .lines()
                .find(|line| line.starts_with(&format!("| `{table}` ")));
            let row = row.unwrap_or_else(|| panic!("no row for {table}"));
            assert!(row.contains(&column), "{table}.{column}");
        }
    }
}

#[test]
fn views_agree_with_the_ledger() {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = case(&folder);
    let whole = ledger(&story(1));
    let number = |query: &str| -> u64 {
        let number: i64 = connection
            .query_row(query, [], |row| row.get(0))
            .expect("a number");
        number.unsigned_abs()
    };
    assert_eq!(number("SELECT sum(events) FROM v_uses"), whole.events());
    assert_eq!(
        number("SELECT count(*) FROM v_uses"),
        whole.uses().len() as u64
    );
    assert_eq!(
        number("SELECT count(*) FROM v_callers"),
        whole.callers().len() as u64
    );
    assert_eq!(
        number("SELECT count(*) FROM v_facts"),
        whole.facts().len() as u64
    );
    let kept: usize = whole
        .facts()
        .iter()
        .map(|fact| whole.kept(fact).len())
        .sum();
    let columns =
        number("SELECT count(child_key) + count(session_name) + count(expires) FROM v_facts");
    assert_eq!(
        number("SELECT count(*) FROM v_details") + columns,
        kept as u64
    );
    assert_eq!(
        number("SELECT count(*) FROM v_details WHERE value IS NULL"),
        0
    );
}
