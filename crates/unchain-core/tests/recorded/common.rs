//! Reading recorded trails.

use serde_json::Value;
use std::path::{Path, PathBuf};
use unchain_core::ledger::Ledger;
use unchain_core::record::plain;

/// A folder of recorded trails, if the corpus is at hand; says aloud if it is not.
pub(crate) fn recorded(name: &str) -> Option<PathBuf> {
    let corpus = std::env::var_os("UNCHAIN_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: UNCHAIN_CORPUS is not set");
        }
    }
    Some(corpus?.join("recorded").join(name))
}

/// The JSON files of a folder and of those in it, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    found.sort();
    let within = |path: PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    };
    let mut all: Vec<PathBuf> = found.into_iter().flat_map(within).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "json"));
    all
}

/// A ledger of every record of a file, or of the files below a folder.
pub(crate) fn ledger(path: &Path) -> Ledger {
    let mut ledger = Ledger::default();
    for record in records(path) {
        // Digests and notes lie beside the records.
        if let Ok(event) = plain(&record) {
            ledger.apply(&event);
        }
    }
    ledger.settle();
    assert!(ledger.events() > 0, "{} holds no record", path.display());
    ledger
}

/// Every record of a file or of the files below a folder.
fn records(path: &Path) -> Vec<Value> {
    if path.is_dir() {
        return files(path).iter().flat_map(|file| records(file)).collect();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    let mut rest = text.as_str();
    // Lists are read object by object, and what is no object is skipped: one set has commas too few and
    // braces too many.
    while let Some(at) = rest.find('{') {
        rest = rest.split_at(at).1;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(mut value)) = values.next() else {
            rest = rest.split_at(1).1;
            continue;
        };
        rest = rest.split_at(values.byte_offset()).1;
        match value.get_mut("Records").map(Value::take) {
            Some(Value::Array(records)) => found.extend(records),
            _ => match value.pointer_mut("/aws/cloudtrail").map(Value::take) {
                Some(record) => found.push(record),
                None => found.push(value),
            },
        }
    }
    found
}
