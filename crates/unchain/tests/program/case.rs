//! The case: the same answers as from the logs, whatever was written when.

use crate::common::{NOON, Room, lines, log, scenario, scenarios};
use insta::assert_snapshot;

/// Questions whose answers must be the same from a case and from the logs.
fn questions(pivot: &str) -> Vec<Vec<&str>> {
    let mut questions = vec![
        vec!["edges", "--format", "jsonl"],
        vec!["tokens", "--format", "jsonl", "--at", NOON],
        vec!["tokens", "--alive", "--at", NOON],
    ];
    for format in ["table", "jsonl"] {
        questions.push(vec!["trace", pivot, "--at", NOON, "--format", format]);
        questions.push(vec!["events", pivot, "--format", format]);
    }
    questions
}

/// What a room's program says to all questions, `more` added to each.
fn answers(room: &Room, pivot: &str, more: &[&str]) -> Vec<String> {
    let ask = |question: Vec<&str>| {
        let question: Vec<&str> = question.into_iter().chain(more.iter().copied()).collect();
        let said = room.run(&question);
        assert_eq!(said.code, 0, "{question:?}: {}", said.err);
        said.out
    };
    questions(pivot).into_iter().map(ask).collect()
}

/// Numbers of nodes may differ, so that lines of one second may be in another order.
fn sorted(answers: &[String]) -> Vec<Vec<&str>> {
    let each = answers.iter().map(|answer| {
        let mut lines: Vec<&str> = answer.lines().collect();
        lines.sort_unstable();
        lines
    });
    each.collect()
}

#[test]
fn a_case_answers_like_the_logs() {
    for (name, trail) in scenarios() {
        let room = Room::with(&trail);
        assert_eq!(room.run(&["scan", "logs", "--quiet"]).code, 0);
        for token in trail.truth().tokens.iter().step_by(3) {
            let Some(key) = token.key.as_deref().filter(|_| token.uses > 0) else {
                continue;
            };
            let from_logs = answers(&room, key, &["--source", "logs"]);
            let from_case = answers(&room, key, &[]);
            assert_eq!(sorted(&from_logs), sorted(&from_case), "{name}: {key}");
        }
    }
}

#[test]
fn scanning_again_changes_nothing() {
    let trail = scenario("whack-a-mole");
    let (whole, parts) = (Room::new(), Room::new());
    for (n, part) in trail.records().chunks(30).enumerate() {
        for room in [&whole, &parts] {
            room.write(&format!("logs/{n}.json"), log(part).as_bytes());
        }
    }
    whole.run(&["scan", "logs"]);
    let before = whole.read("unchain.case");
    let again = whole.run(&["scan", "logs"]);
    assert!(
        again.out.contains("held all of this before"),
        "{}",
        again.out
    );
    assert_eq!(whole.read("unchain.case"), before);
    for n in [7, 2, 0, 5, 3, 1, 6, 4, 2] {
        let said = parts.run(&["scan", &format!("logs/{n}.json")]);
        assert_eq!(said.code, 0, "{}", said.err);
    }
    let key = trail.key("B").unwrap();
    let (one, other) = (answers(&whole, key, &[]), answers(&parts, key, &[]));
    assert_eq!(sorted(&one), sorted(&other));
}

#[test]
fn scan_says_what_it_added_and_info_what_there_is() {
    let room = Room::with(&scenario("role-chain"));
    let said = room.run(&["scan", "logs", "--at", NOON]);
    let added = said
        .out
        .lines()
        .find(|line| line.starts_with("CASE"))
        .unwrap();
    assert_snapshot!(added);
    let said = room.run(&["case", "info"]);
    let text = said.out.replace(
        &format!("{:.1} kB", room.read("unchain.case").len() as f64 / 1000.0),
        "[SIZE]",
    );
    assert_snapshot!(text);
    let said = room.run(&["case", "info", "--format", "json"]);
    let info: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(info["events"], info["parsed"]);
    assert_eq!(info["bytes"], room.read("unchain.case").len());
}

#[test]
fn files_that_are_gone_or_changed_are_named() {
    let trail = scenario("whack-a-mole");
    let room = Room::new();
    let records = trail.records();
    for (n, part) in records.chunks(100).enumerate() {
        room.write(&format!("logs/{n}.json"), log(part).as_bytes());
    }
    room.run(&["scan", "logs"]);
    let key = trail.key("BUILD").unwrap();
    let whole = room.run(&["events", key, "--format", "jsonl"]);
    assert_eq!(whole.code, 0);
    std::fs::remove_file(room.path().join("logs/0.json")).unwrap();
    room.write("logs/1.json", log(&records[100..150]).as_bytes());
    let rest = room.run(&["events", key, "--format", "jsonl"]);
    assert_eq!(rest.code, 2);
    assert!(rest.err.contains("gone since the scan") && rest.err.contains("0.json"));
    assert!(rest.err.contains("changed since the scan") && rest.err.contains("1.json"));
    assert!(lines(&rest).len() < lines(&whole).len());
    for name in ["1.json", "2.json"] {
        std::fs::remove_file(room.path().join("logs").join(name)).unwrap();
    }
    let none = room.run(&["events", key]);
    assert_eq!((none.code, none.out.as_str()), (2, ""));
    assert!(none.err.contains("--source"), "{}", none.err);
}

#[test]
fn an_incomplete_case_says_so_with_every_answer() {
    let room = Room::with(&scenario("role-chain"));
    room.write("logs/broken.json", b"{\"Records\":[{\"eventName\":\"X\"}]}");
    assert_eq!(room.run(&["scan", "logs"]).code, 2);
    let said = room.run(&["tokens"]);
    assert_eq!(said.code, 2);
    assert!(!said.out.is_empty());
    assert!(
        said.err
            .contains("the answer is incomplete: 1 record refused")
    );
}

#[test]
fn a_file_that_is_not_a_case_is_left_alone() {
    let room = Room::with(&scenario("role-chain"));
    room.write(
        "unchain.case",
        b"some notes of mine, not a database at all, of some length",
    );
    for command in [&["scan", "logs"][..], &["tokens"], &["case", "info"]] {
        let said = room.run(command);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{command:?}");
        assert!(said.err.contains("is not a case file"), "{}", said.err);
    }
    assert!(room.read("unchain.case").starts_with(b"some notes"));
}

#[test]
fn a_case_elsewhere_is_named_in_what_to_run_next() {
    let room = Room::with(&scenario("role-chain"));
    let said = room.run(&["scan", "logs", "--case", "my.case", "--at", NOON]);
    let next = said
        .out
        .lines()
        .rfind(|line| line.contains("unchain tokens"))
        .unwrap();
    assert!(next.ends_with("--case my.case"), "{next}");
    assert!(room.path().join("my.case").is_file());
    assert!(!room.path().join("unchain.case").exists());
}

#[test]
fn no_case_keeps_nothing() {
    let room = Room::with(&scenario("role-chain"));
    room.run(&["scan", "logs", "--no-case"]);
    let left: Vec<_> = std::fs::read_dir(room.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only the logs: {left:?}");
}
