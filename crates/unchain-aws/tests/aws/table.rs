//! The table has every call that the engine can make.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use unchain_aws::known;

/// How actions begin that a plan makes and that look at what a plan changes.
const VERBS: [&str; 15] = [
    "Attach",
    "Create",
    "Deactivate",
    "Delete",
    "Describe",
    "Detach",
    "Disable",
    "Enable",
    "Get",
    "List",
    "Lookup",
    "Put",
    "Remove",
    "Set",
    "Update",
];

/// What looks like an action and is a member of a request.
const MEMBERS: [&str; 1] = ["SetAsDefault"];

/// Words in quotation marks of the files of a folder.
fn words(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let texts = files.map(|file| fs::read_to_string(file).unwrap());
    let words = texts.flat_map(|text| {
        let odd = text.split('"').skip(1).step_by(2);
        odd.map(str::to_owned).collect::<Vec<_>>()
    });
    words.collect()
}

fn is_action(word: &str) -> bool {
    let rest = VERBS.iter().find_map(|verb| word.strip_prefix(verb));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
        && word.bytes().all(|b| b.is_ascii_alphanumeric())
        && !MEMBERS.contains(&word)
}

#[test]
fn whatever_the_engine_calls_is_in_the_table() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../unchain-core/src/contain/apply");
    let called: BTreeSet<String> = words(&core).into_iter().filter(|w| is_action(w)).collect();
    assert!(
        called.len() > 30,
        "the engine's closed list is no longer here: {called:?}"
    );
    let table: BTreeSet<String> = known().map(|known| known.action.to_owned()).collect();
    let missing: Vec<&String> = called.difference(&table).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
