//! INVARIANT: what a case holds depends on the set of events and files written to it only.

#![expect(
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod common;

use common::{STORIES, ledger, story};
use proptest::prelude::*;
use serde_json::{Value, json};
use unchain_case::{Case, FileRow, Threads};

/// Calls of one service in great number, over a few days and clients.
fn service_calls(count: u32) -> Vec<Value> {
    (0..count)
        .map(|n| {
            let name = if n % 2 == 0 { "Decrypt" } else { "GenerateDataKey" };
            let (day, second) = (1 + n % 3, n * 7 % 86_400);
            let time = format!(
                "2026-03-{day:02}T{:02}:{:02}:{:02}Z",
                second / 3600,
                second / 60 % 60,
                second % 60
            );
            json!({
                "eventTime": time, "eventName": name,
                "eventSource": "kms.amazonaws.com", "eventID": format!("00000000-0000-0000-0000-{n:012x}"),
                "awsRegion": "eu-west-1", "recipientAccountId": "111122223333",
                "sourceIPAddress": format!("s3-{}.amazonaws.com", n % 5),
                "userIdentity": {"type": "AWSService", "invokedBy": "s3.amazonaws.com"},
            })
        })
        .collect()
}

fn file(path: &str, parsed: u64) -> FileRow {
    FileRow {
        path: path.to_owned(),
        read: 9,
        parsed,
        earliest: Some(100),
        latest: Some(200),
        keys: vec![unchain_case::key_hash("AKIAQNZGKIQY56JQ7WMA")],
        ..FileRow::default()
    }
}

#[test]
fn a_case_gives_back_the_ledger_it_was_given() {
    for n in 0..STORIES.len() {
        let mut whole = ledger(&story(n));
        let mut case = Case::in_memory().expect("a case");
        let written = case.write(&mut whole, &[]).expect("written");
        assert_eq!(written.events, whole.events());
        assert_eq!(
            case.load_with_marks().expect("loaded").canonical(),
            whole.canonical()
        );
        let counts = case.load().expect("loaded");
        assert_eq!(counts.events(), whole.events());
        assert_eq!(counts.facts().len(), whole.facts().len());
    }
}

#[test]
fn two_threads_write_what_one_writes() {
    // The last has callers with so many events that their marks are kept by day.
    let all = (0..STORIES.len()).map(story).chain([service_calls(9000)]);
    for records in all {
        let mut cases = [Threads::One, Threads::Two].map(|threads| {
            let mut case = Case::in_memory().expect("a case");
            // The second write meets callers that are there, and new ones.
            let written = [&records[..records.len() / 2], &records[..]].map(|part| {
                let mut part = ledger(part);
                part.settle();
                let writing = case.begin(&[file("a", 3)]).expect("begun");
                writing.finish(&part, threads).expect("written")
            });
            (case, written)
        });
        let [(one, by_one), (two, by_two)] = &mut cases;
        assert_eq!(by_one, by_two);
        let whole = ledger(&records).canonical();
        for case in [one, two] {
            assert_eq!(case.load_with_marks().expect("loaded").canonical(), whole);
        }
    }
}

#[test]
fn a_write_that_is_not_finished_is_undone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unchain.case");
    let mut case = Case::open(&path).expect("a case");
    case.write(&mut ledger(&story(0)), &[file("a", 3)])
        .expect("written");
    let before = std::fs::read(&path).expect("read");
    drop(case.begin(&[file("b", 4)]).expect("begun"));
    assert_eq!(case.files().expect("files").len(), 1);
    assert_eq!(std::fs::read(&path).expect("read"), before);
}

#[test]
fn writing_again_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unchain.case");
    let mut whole = ledger(&story(0));
    let files = [file("a", 3), file("b", 4)];
    let mut case = Case::open(&path).expect("a case");
    assert_eq!(case.write(&mut whole, &files).expect("written").files, 2);
    let before = (
        std::fs::read(&path).expect("read"),
        case.info().expect("info"),
    );
    assert!(case.write(&mut whole, &files).expect("written").is_empty());
    assert!(
        case.write(&mut ledger(&story(0)[3..9]), &files[1..])
            .expect("written")
            .is_empty()
    );
    assert_eq!(
        (
            std::fs::read(&path).expect("read"),
            case.info().expect("info")
        ),
        before
    );
}

#[test]
fn very_many_marks_are_kept_by_day_and_still_united() {
    let records = service_calls(15_000);
    let mut whole = ledger(&records);
    let mut case = Case::in_memory().expect("a case");
    for part in [
        &records[..3_000],
        &records[2_000..9_000],
        &records[5_000..],
        &records[..],
    ] {
        case.write(&mut ledger(part), &[]).expect("written");
    }
    assert_eq!(
        case.load_with_marks().expect("loaded").canonical(),
        whole.canonical()
    );
    assert!(case.write(&mut whole, &[]).expect("written").is_empty());
    assert_eq!(case.info().expect("info").events, 15_000);
    let at_once = {
        let mut case = Case::in_memory().expect("a case");
        case.write(&mut whole, &[]).expect("written");
        case.load_with_marks().expect("loaded")
    };
    assert_eq!(at_once.canonical(), whole.canonical());
}

#[test]
fn a_ledger_without_marks_is_refused_and_nothing_is_written() {
    let mut case = Case::in_memory().expect("a case");
    case.write(&mut ledger(&story(0)), &[]).expect("written");
    let before = case.info().expect("info");
    let mut counts = case.load().expect("loaded");
    let error = case.write(&mut counts, &[]).expect_err("no marks");
    assert!(
        error.to_string().contains("without its event marks"),
        "{error}"
    );
    assert_eq!(case.info().expect("info"), before);
}

/// Records of one event id that differ: which stays must not depend on the order.
fn contradicting(n: usize) -> Vec<Value> {
    let mut records = story(n);
    let changed: Vec<Value> = records
        .iter()
        .step_by(3)
        .map(|record| {
            let mut record = record.clone();
            record["sourceIPAddress"] = json!("203.0.113.99");
            record
        })
        .collect();
    records.extend(changed);
    records
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_order_split_and_repetition_gives_an_equal_case(
        n in 0..STORIES.len(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
        cuts in prop::collection::vec(1usize..60, 1..8),
    ) {
        let records = contradicting(n);
        let whole = ledger(&records);
        let shuffled: Vec<Value> = picks
            .iter()
            .map(|pick| pick.get(&records).clone())
            .chain(records.iter().rev().cloned())
            .collect();
        let mut case = Case::in_memory().expect("a case");
        let mut rest = shuffled.as_slice();
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            case.write(&mut ledger(now), &[]).expect("written");
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(case.load_with_marks().expect("loaded").canonical(), whole.canonical());
        let info = case.info().expect("info");
        prop_assert_eq!(info.events, whole.events());
        prop_assert_eq!(info.uses, whole.uses().len() as u64);
        prop_assert_eq!(info.facts, whole.facts().len() as u64);
    }
}

#[test]
fn no_session_token_reaches_a_case() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unchain.case");
    let mut case = Case::open(&path).expect("a case");
    for n in 0..STORIES.len() {
        let records = story(n);
        let text = Value::Array(records.clone()).to_string();
        assert!(
            text.contains(unchain_trail::TOKEN_MARKER) || n > 1,
            "the stories have tokens"
        );
        case.write(&mut ledger(&records), &[]).expect("written");
    }
    drop(case);
    let bytes = std::fs::read(&path).expect("read");
    let marker = unchain_trail::TOKEN_MARKER.as_bytes();
    assert!(!bytes.windows(marker.len()).any(|window| window == marker));
}
