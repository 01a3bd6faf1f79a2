//! INVARIANT: a process killed at any moment leaves what its last finished write left, or the one that it was
//! finishing.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod common;

use common::{ledger, story};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use unchain_case::Case;

/// Names the case to the process that is to be killed.
const CASE: &str = "UNCHAIN_TEST_CASE";

/// What is written, one part at a time: enough for a transaction not to fit into SQLite's memory.
fn parts() -> Vec<Vec<Value>> {
    let story = story(0);
    (0..14)
        .map(|part| {
            let copies = (0..12).flat_map(|copy| {
                let copy = part * 12 + copy;
                story.iter().map(move |record| {
                    let mut record = record.clone();
                    record["eventID"] = format!("{copy}-{}", record["eventID"]).into();
                    record["userAgent"] = format!("agent/{copy}").into();
                    record
                })
            });
            copies.collect()
        })
        .collect()
}

/// The process that is killed: it writes and says so, until it is.
fn write_until_killed(path: &Path) {
    let mut ledgers: Vec<_> = parts().iter().map(|part| ledger(part)).collect();
    let mut case = Case::open(path).expect("a case");
    for ledger in &mut ledgers {
        case.write(ledger, &[]).expect("written");
        writeln!(std::io::stdout(), "\nwritten").expect("a pipe");
    }
}

#[test]
fn a_killed_process_leaves_a_committed_case() {
    if let Some(path) = std::env::var_os(CASE) {
        write_until_killed(Path::new(&path));
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let parts = parts();
    for after in [0, 1, 4, 9] {
        let path = folder.path().join(format!("{after}.case"));
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "a_killed_process_leaves_a_committed_case"])
            .env(CASE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        // Not dropped before the child is killed: a broken pipe would end it otherwise.
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let told = lines
            .by_ref()
            .map_while(Result::ok)
            .filter(|line| line == "written")
            .take(after)
            .count();
        // SQLite's journal is there while a write is under way: that is when to kill.
        let journal = folder.path().join(format!("{after}.case-journal"));
        while !journal.exists() && child.try_wait().expect("a state").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert_eq!(told, after, "the child ended by itself");
        let case = Case::open(&path).expect("a case that opens");
        let loaded = case.load_with_marks().expect("loaded").canonical();
        let states = after..parts.len().min(after + 4);
        let found = states
            .clone()
            .find(|&n| ledger(&parts[..n].concat()).canonical() == loaded);
        assert!(
            found.is_some(),
            "after {after} writes: none of the states {states:?}"
        );
    }
}
