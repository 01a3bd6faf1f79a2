//! Every case in `tests/cases` is decided as AWS's documentation says.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail where the test should"
)]

#[path = "common/case.rs"]
mod case;

use case::Case;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for (line, text) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let place = format!("{file}:{}", line + 1);
            let case =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{place}: {error}"));
            cases.push((place, case));
        }
    }
    cases
}

#[test]
fn every_case_is_decided_as_documented() {
    let mut wrong = Vec::new();
    for (place, case) in cases() {
        let answer = case
            .answer()
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        if answer.agrees != Some(true) {
            wrong.push(format!("{place} {}: {answer:?}", case.name));
        }
    }
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}

#[test]
fn every_case_says_what_it_expects_and_why() {
    let cases = cases();
    assert!(cases.len() >= 120, "{} cases", cases.len());
    for (place, case) in &cases {
        assert!(case.expect.is_some(), "{place} expects nothing");
        let source = case.source.as_deref().unwrap_or_default();
        assert!(
            source.starts_with("https://docs.aws.amazon.com/"),
            "{place}: {source}"
        );
    }
    let names: BTreeSet<&str> = cases.iter().map(|(_, case)| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "a name is used twice");
}
