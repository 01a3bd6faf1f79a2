//! Log text is hostile and session tokens are secret: neither reaches an output as it is.

use crate::common::{Room, log, scenario};
use serde_json::{Value, json};
use unchain_trail::TOKEN_MARKER;

/// Escapes, a bidirectional override, an 8-bit control, a line separator, a formula, and a bell.
pub(crate) const EVIL: &str =
    "=cmd|'/C calc'!A0\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}\u{9b}31m\u{2028}\u{e0041}x\r\n";

/// Every way to ask.
const QUESTIONS: [&[&str]; 33] = [
    &["scan", "logs", "--no-case"],
    &["scan", "logs", "--no-case", "--format", "json"],
    &["tokens", "--source", "logs"],
    &["tokens", "--source", "logs", "--format", "json"],
    &["tokens", "--source", "logs", "--format", "jsonl"],
    &["tokens", "--source", "logs", "--format", "csv"],
    &["edges", "--source", "logs"],
    &["edges", "--source", "logs", "--format", "json"],
    &["edges", "--source", "logs", "--format", "jsonl"],
    &["edges", "--source", "logs", "--format", "csv"],
    &["trace", "PIVOT", "--source", "logs"],
    &["trace", "PIVOT", "--source", "logs", "--all"],
    &["trace", "PIVOT", "--source", "logs", "--format", "json"],
    &["trace", "PIVOT", "--source", "logs", "--format", "jsonl"],
    &["trace", "PIVOT", "--source", "logs", "--format", "dot"],
    &["trace", "PIVOT", "--source", "logs", "--format", "mermaid"],
    &["trace", "PIVOT", "--source", "logs", "--format", "graphml"],
    &["queries", "PIVOT", "--kind", "session"],
    &["trace", "PIVOT-", "--source", "logs"],
    &["events", "PIVOT", "--source", "logs"],
    &["events", "PIVOT", "--source", "logs", "--format", "jsonl"],
    &["findings", "--source", "logs"],
    &["findings", "--source", "logs", "--format", "json"],
    &["findings", "--source", "logs", "--format", "jsonl"],
    &["findings", "--source", "logs", "--format", "csv"],
    &["explain", "f-", "--source", "logs"],
    &["report", "--source", "logs", "--format", "html"],
    &["report", "--source", "logs", "--format", "markdown"],
    &["report", "--source", "logs", "--format", "json"],
    &["report", "--source", "logs", "--format", "ocsf"],
    &["report", "--source", "logs", "--format", "timesketch"],
    &["scan", "logs", "--case", "here.case"],
    &["case", "info", "--case", "here.case"],
];

/// Asks everything; what is said to which question.
fn ask_all(room: &Room, pivot: &str) -> Vec<(String, String)> {
    QUESTIONS
        .iter()
        .map(|question| {
            let words: Vec<String> = question.iter().map(|w| w.replace("PIVOT", pivot)).collect();
            let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
            let said = room.run(&arguments);
            (words.join(" "), said.out + &said.err)
        })
        .collect()
}

/// Appends to every string of a record that the program may print.
pub(crate) fn poison(value: &mut Value, with: &str) {
    match value {
        Value::String(text) => text.push_str(with),
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, with)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if ![
                    "eventTime",
                    "eventName",
                    "eventSource",
                    "type",
                    "eventType",
                    "creationDate",
                    "expiration",
                    "eventCategory",
                    "awsRegion",
                ]
                .contains(&name.as_str())
                {
                    poison(member, with);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_safe(c: char) -> bool {
    c == '\n' || !(c.is_control() || "\u{202e}\u{2028}\u{e0041}".contains(c))
}

#[test]
fn hostile_text_never_reaches_an_output_raw() {
    let trail = scenario("role-chain");
    let long = format!("{EVIL}{}", "A".repeat(100_000));
    for evil in [EVIL, &long] {
        let mut records = trail.records();
        for record in &mut records {
            poison(record, evil);
        }
        let room = Room::new();
        room.write("logs/trail.json", log(&records).as_bytes());
        // An argument cannot be as long as a log line.
        let pivot = if evil == EVIL {
            format!("{}{EVIL}", trail.key("A").unwrap_or("AKIA"))
        } else {
            "AKIA".to_owned()
        };
        let mut evil_seen = false;
        for (question, said) in ask_all(&room, &pivot) {
            for line in said.split('\n') {
                // CSV ends its lines as RFC 4180 says.
                let line = line.strip_suffix('\r').unwrap_or(line);
                let bad = line.chars().find(|c| !is_safe(*c));
                assert_eq!(bad, None, "{question}: {line:?}");
                let formula =
                    question.contains("csv") && line.split(',').any(|cell| cell.starts_with('='));
                assert!(!formula, "{question}: {line}");
            }
            evil_seen |= said.contains("calc");
        }
        assert!(evil_seen, "the text is shown, escaped");
    }
}

#[test]
fn tables_stay_readable_beside_a_huge_value() {
    let mut records = scenario("role-chain").records();
    for record in &mut records {
        record["userAgent"] = json!("x".repeat(100_000));
        record["userIdentity"]["principalId"] =
            json!(format!("AROAEXAMPLE:{}", "y".repeat(100_000)));
    }
    let room = Room::new();
    room.write("logs/trail.json", log(&records).as_bytes());
    for question in [
        &["tokens", "--source", "logs"][..],
        &["edges", "--source", "logs"],
    ] {
        let said = room.run(question);
        assert!(
            said.out.len() < 100_000,
            "{question:?}: {} bytes",
            said.out.len()
        );
        assert!(said.out.lines().all(|line| line.chars().count() <= 80));
    }
}

#[test]
fn no_output_holds_a_session_token() {
    for (name, trail) in crate::common::scenarios() {
        let records = trail.records();
        let text = log(&records);
        assert!(text.contains(TOKEN_MARKER), "{name} holds tokens to find");
        let room = Room::new();
        room.write("logs/trail.json", text.as_bytes());
        let token = trail.truth().tokens.into_iter().find_map(|token| token.key);
        for (question, said) in ask_all(&room, &token.unwrap()) {
            assert!(!said.contains(TOKEN_MARKER), "{name}: {question}");
        }
        for entry in std::fs::read_dir(room.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                let marker = TOKEN_MARKER.as_bytes();
                let found = bytes.windows(marker.len()).any(|window| window == marker);
                assert!(!found, "{name}: {}", path.display());
            }
        }
    }
}

#[test]
fn a_struck_out_token_shows_that_it_was_there() {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    let b = trail.key("B").unwrap();
    let said = room.run(&["events", b, "--source", "logs", "--format", "jsonl"]);
    assert!(
        said.out.contains(unchain_source::STRUCK_OUT),
        "{}",
        said.out
    );
}
