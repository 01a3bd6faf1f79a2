//! Plans and their journals: what was written is there, once, and nobody else's.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests fail where the test should"
)]

#[path = "common/plans.rs"]
mod plans;

use plans::{made, receipt};
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;
use unchain_case::{Case, CaseError};
use unchain_core::contain::{Happened, Receipt, Refusal, RefusalKind, digest};
use unchain_core::text::Untrusted;

/// One of each.
fn happenings() -> Vec<Happened> {
    let refusal = Refusal {
        kind: RefusalKind::Denied,
        code: Untrusted::new("AccessDenied"),
        message: Untrusted::new("\u{1b}[31mno"),
        request_id: Some("r-1".to_owned()),
    };
    vec![
        Happened::Begun {
            before: json!({"document": "{ \"a\": 1 }"}),
        },
        Happened::Begun {
            before: json!(null),
        },
        Happened::Done {
            answer: json!({"Policy": {"Arn": "a"}}),
            request_id: None,
            already: true,
        },
        Happened::Failed(refusal),
        Happened::Waited,
        Happened::Surprise {
            expected: json!(null),
            found: json!(true),
        },
        Happened::Verified,
    ]
}

#[test]
fn what_was_written_is_there_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unchain.case");
    let plan = made("AKIAIOSFODNN7EXAMPLE", 1_772_467_200);
    let name = digest(&plan).expect("a digest");
    let mut case = Case::open(&path).expect("a case");
    assert_eq!(case.add_plan(&plan).expect("added"), name);
    let lines: Vec<Receipt> = (1u32..)
        .zip(happenings())
        .map(|(n, what)| receipt(&name, n, what))
        .collect();
    for line in &lines {
        case.add_receipt(line).expect("added");
    }
    drop(case);
    let before = std::fs::read(&path).expect("read");
    let mut case = Case::open_existing(&path).expect("a case");
    assert_eq!(case.receipts(&name).expect("read"), lines);
    assert_eq!(case.plan(&name).expect("read"), Some(plan.clone()));
    case.add_plan(&plan).expect("added");
    for line in lines.iter().rev() {
        case.add_receipt(line).expect("added");
    }
    drop(case);
    assert_eq!(
        std::fs::read(&path).expect("read"),
        before,
        "the same again changes nothing"
    );
}

#[test]
fn a_plan_is_found_by_the_beginning_of_its_digest_or_id() {
    let mut case = Case::in_memory().expect("a case");
    let (one, two) = (made("one", 7), made("two", 9));
    for plan in [&two, &one] {
        case.add_plan(plan).expect("added");
    }
    let plans = case.plans().expect("read");
    let ids: Vec<&str> = plans.iter().map(|plan| plan.id.as_str()).collect();
    assert_eq!(ids, [one.id.as_str(), &two.id]);
    for plan in [&one, &two] {
        let name = digest(plan).expect("a digest");
        let start: String = name.chars().take(12).collect();
        for name in [&name, &start, &plan.id] {
            assert_eq!(
                case.plan(name).expect("read").as_ref(),
                Some(plan),
                "{name}"
            );
        }
    }
    assert_eq!(case.plan("").expect("read"), None);
    assert_eq!(case.plan("nothing").expect("read"), None);
    // Of seventeen plans two begin alike.
    for pivot in 0..16 {
        case.add_plan(&made(&pivot.to_string(), 11)).expect("added");
    }
    let starts = "0123456789abcdef".chars().map(String::from);
    let several =
        starts.filter(|start| matches!(case.plan(start), Err(CaseError::SeveralPlans { .. })));
    assert!(several.count() > 0);
}

#[test]
fn two_programs_cannot_keep_one_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unchain.case");
    let plan = made("A", 7);
    let (mut one, mut two) = (open(&path), open(&path));
    let name = one.add_plan(&plan).expect("added");
    one.add_receipt(&receipt(&name, 1, Happened::Waited))
        .expect("added");
    let error = two
        .add_receipt(&receipt(&name, 1, Happened::Verified))
        .expect_err("another line is there");
    assert!(
        matches!(error, CaseError::Contested { sequence: 1, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("another program"), "{error}");
    assert_eq!(two.receipts(&name).expect("read").len(), 1);
}

fn open(path: &Path) -> Case {
    Case::open(path).expect("a case")
}

#[test]
fn a_plan_that_was_changed_in_the_file_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unchain.case");
    let mut case = open(&path);
    let name = case.add_plan(&made("A", 7)).expect("added");
    drop(case);
    let connection = Connection::open(&path).expect("a database");
    connection
        .execute(
            "UPDATE plan SET document = replace(document, '\"A\"', '\"B\"')",
            [],
        )
        .expect("changed");
    drop(connection);
    let error = open(&path).plan(&name).expect_err("damaged");
    assert!(error.to_string().contains("table `plan`"), "{error}");
}

#[test]
fn people_can_read_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unchain.case");
    let plan = made("A", 1_772_467_200);
    let mut case = open(&path);
    let name = case.add_plan(&plan).expect("added");
    for (n, what) in (1u32..).zip(happenings()) {
        case.add_receipt(&receipt(&name, n, what)).expect("added");
    }
    drop(case);
    let connection = Connection::open(&path).expect("a database");
    let (pivot, made_at, receipts): (String, String, u32) = connection
        .query_row("SELECT pivot, made_at, receipts FROM v_plans", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .expect("a view");
    assert_eq!(
        (pivot.as_str(), made_at.as_str(), receipts),
        ("A", "2026-03-02T16:00:00Z", 7)
    );
    let mut statement = connection
        .prepare("SELECT happened FROM v_receipts ORDER BY sequence")
        .expect("a view");
    let names: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("texts");
    let known = [
        "begun", "begun", "done", "failed", "waited", "surprise", "verified",
    ];
    assert_eq!(names, known);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_order_and_repetition_of_lines_gives_the_same_journal(
        order in prop::collection::vec(0usize..7, 0..30),
    ) {
        let mut case = Case::in_memory().expect("a case");
        let name = case.add_plan(&made("A", 7)).expect("added");
        let lines: Vec<Receipt> = (1u32..).zip(happenings()).map(|(n, what)| receipt(&name, n, what)).collect();
        for &n in &order {
            case.add_receipt(&lines[n]).expect("added");
        }
        let mut wanted = order;
        wanted.sort_unstable();
        wanted.dedup();
        let wanted: Vec<Receipt> = wanted.into_iter().map(|n| lines[n].clone()).collect();
        prop_assert_eq!(case.receipts(&name).expect("read"), wanted);
    }
}
