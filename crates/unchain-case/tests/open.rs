//! Opening: what is no case, what is a later or an earlier one, and what cannot be written.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests fail where the test should"
)]

mod common;

use common::{ledger, story};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use unchain_case::{Case, CaseError};
use unchain_core::lineage::Lineage;

/// A case as version 1 left it, as text. Never edited.
const VERSION_1: &str = include_str!("version-1.sql");

fn file(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("a file");
    path
}

fn message(result: Result<Case, CaseError>) -> String {
    result.expect_err("not a case").to_string()
}

#[test]
fn another_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = file(
        &folder,
        "notes.txt",
        &b"not a database, and longer than a header ".repeat(40),
    );
    assert!(message(Case::open(&text)).contains("notes.txt` is not a case file; name another"));
    let other = folder.path().join("other.db");
    let connection = Connection::open(&other).expect("a database");
    connection
        .execute_batch("CREATE TABLE t (a)")
        .expect("a table");
    drop(connection);
    let before = std::fs::read(&other).expect("read");
    assert!(message(Case::open(&other)).contains("is not a case file"));
    assert_eq!(std::fs::read(&other).expect("read"), before);
}

#[test]
fn a_missing_case_is_made_only_when_it_may_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unchain.case");
    assert!(
        message(Case::open_existing(&path)).contains("does not exist; make it with `unchain scan`")
    );
    assert!(!path.exists());
    drop(Case::open(&path).expect("a case"));
    let case = Case::open_existing(&path).expect("a case");
    assert_eq!(case.info().expect("info").version, 4);
    // An empty file is an empty case: `touch unchain.case` is not a mistake.
    Case::open(&file(&folder, "empty.case", b"")).expect("a case");
}

#[test]
fn a_later_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("later.case");
    drop(Case::open(&path).expect("a case"));
    let connection = Connection::open(&path).expect("a database");
    connection
        .pragma_update(None, "user_version", 99)
        .expect("a version");
    drop(connection);
    let text = message(Case::open(&path));
    assert!(
        text.contains("case version 99") && text.contains("use a newer unchain"),
        "{text}"
    );
}

#[test]
fn a_case_of_version_1_becomes_one_of_this() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.case");
    let connection = Connection::open(&path).expect("a database");
    connection.execute_batch(VERSION_1).expect("version 1");
    drop(connection);
    let case = Case::open(&path).expect("migrated");
    let info = case.info().expect("info");
    assert_eq!(
        (info.version, info.events, info.facts, info.files),
        (4, 9, 3, 1)
    );
    assert_eq!(case.load_with_marks().expect("loaded").events(), 9);
    let part = case
        .load_around("ASIARTX3GSDSQSI6DWZB")
        .expect("loaded")
        .expect("known");
    let lineage = Lineage::build(&part);
    let found = lineage.find("ASIARTX3GSDSQSI6DWZB");
    let parents = found.iter().flat_map(|m| lineage.ancestors(m.node));
    let keys: Vec<_> = parents
        .map(|edge| lineage.nodes()[edge.parent as usize].key)
        .collect();
    let keys: Vec<_> = keys.into_iter().map(|key| part.text(key)).collect();
    assert_eq!(keys, ["ASIARTX3GSDS6MN6TH57", "AKIARTX3GSDSXNZDI2Z5"]);
    drop(case);
    let connection = Connection::open(&path).expect("a database");
    let edges: u32 = connection
        .query_row("SELECT count(*) FROM v_edges", [], |row| row.get(0))
        .expect("a view");
    assert_eq!(edges, 2);
}

#[test]
fn a_case_of_version_2_becomes_one_of_this_and_takes_digests() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.case");
    let connection = Connection::open(&path).expect("a database");
    connection.execute_batch(VERSION_1).expect("version 1");
    connection
        .execute_batch(include_str!("../schema/2.sql"))
        .expect("version 2");
    connection
        .pragma_update(None, "user_version", 2)
        .expect("a version");
    drop(connection);
    let mut case = Case::open(&path).expect("migrated");
    assert_eq!(case.info().expect("info").version, 4);
    assert_eq!(case.load().expect("loaded").digests().count(), 0);
    let mut more = ledger(&story(1));
    case.write(&mut more, &[]).expect("written");
    let (loaded, wanted) = (case.load().expect("loaded"), more.digests().count());
    assert!(wanted > 0 && loaded.digests().count() == wanted);
}

/// A path in a folder that nobody may write: for root, who may write any, one that is not on a disk.
fn unwritable(folder: &tempfile::TempDir) -> PathBuf {
    let locked = folder.path().join("locked");
    std::fs::create_dir(&locked).expect("a folder");
    let mut permissions = std::fs::metadata(&locked).expect("there").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&locked, permissions).expect("locked");
    let root = std::fs::write(locked.join("probe"), b"").is_ok();
    if root {
        PathBuf::from("/proc/unchain.case")
    } else {
        locked.join("unchain.case")
    }
}

#[test]
fn what_cannot_be_written_is_said_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("no/such/folder/unchain.case");
    for path in [nowhere.as_path(), folder.path(), &unwritable(&folder)] {
        let text = message(Case::open(path));
        assert!(
            text.contains("cannot write") && text.contains("--no-case"),
            "{text}"
        );
        assert!(text.contains(&*path.to_string_lossy()), "{text}");
    }
}

#[test]
fn damage_is_an_error_with_the_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged.case");
    let mut case = Case::open(&path).expect("a case");
    case.write(&mut ledger(&story(1)), &[]).expect("written");
    drop(case);
    let connection = Connection::open(&path).expect("a database");
    connection
        .execute("UPDATE caller SET ends = x'01ff' WHERE id = 3", [])
        .expect("damaged");
    drop(connection);
    let case = Case::open(Path::new(&path)).expect("a case");
    let text = case.load().expect_err("damaged").to_string();
    assert!(text.contains("table `caller`, row 3"), "{text}");
}
