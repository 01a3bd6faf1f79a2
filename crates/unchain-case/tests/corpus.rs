//! The case's two laws on recorded trails.
//!
//! Needs the corpus: set `UNCHAIN_CORPUS` to the folder that holds `recorded/` and `ndjson/`.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests fail where the test should"
)]

#[path = "common/told.rs"]
mod told;

use serde_json::Value;
use std::path::{Path, PathBuf};
use unchain_case::Case;
use unchain_core::ledger::Ledger;
use unchain_core::record::plain;

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("UNCHAIN_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: UNCHAIN_CORPUS is not set");
        }
    }
    folder
}

/// The records of every plain file in a folder and its folders, or of one file. What is no JSON is passed over:
/// reading it is not this crate's.
fn records(path: &Path, out: &mut Vec<Value>) {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).expect("a folder");
        let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
        paths.sort();
        paths.iter().for_each(|path| records(path, out));
        return;
    }
    let Ok(text) = std::fs::read_to_string(path) else {
        return;
    };
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(mut file)) if file.contains_key("Records") => {
            out.extend(
                file.remove("Records")
                    .and_then(|list| list.as_array().cloned())
                    .into_iter()
                    .flatten(),
            );
        }
        Ok(Value::Array(list)) => out.extend(list),
        Ok(one) => out.push(one),
        Err(_) => out.extend(
            text.lines()
                .filter_map(|line| serde_json::from_str(line).ok()),
        ),
    }
}

fn ledger(records: &[Value]) -> Ledger {
    let mut ledger = Ledger::default();
    for event in records.iter().filter_map(|record| plain(record).ok()) {
        ledger.apply(&event);
    }
    ledger.settle();
    ledger
}

fn sets(corpus: &Path) -> Vec<Vec<Value>> {
    let mut sets = Vec::new();
    for folder in ["recorded", "ndjson"] {
        let entries = std::fs::read_dir(corpus.join(folder)).expect("a folder of the corpus");
        for entry in entries {
            let mut set = Vec::new();
            records(&entry.expect("an entry").path(), &mut set);
            sets.push(set);
        }
    }
    sets
}

#[test]
fn recorded_trails_written_in_parts_are_given_back_whole() {
    let Some(corpus) = corpus() else { return };
    let mut events = 0;
    for set in sets(&corpus) {
        let whole = ledger(&set);
        let mut case = Case::in_memory().expect("a case");
        for part in set.chunks(set.len() / 3 + 1).rev().chain([set.as_slice()]) {
            case.write(&mut ledger(part), &[]).expect("written");
        }
        let loaded = case.load_with_marks().expect("loaded");
        assert!(loaded.canonical() == whole.canonical());
        events += whole.events();
    }
    assert!(events > 4_000, "only {events} events");
}

#[test]
fn around_a_pivot_recorded_trails_are_told_as_on_the_whole() {
    let Some(corpus) = corpus() else { return };
    let mut known = 0;
    for set in sets(&corpus) {
        let mut whole = ledger(&set);
        let step = whole.uses().len() / 150 + 1;
        known += told::check(&mut whole, step);
    }
    assert!(known > 100, "only {known} pivots");
}
