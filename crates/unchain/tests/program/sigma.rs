//! Sigma rules over logs and lineage, as a person and a program see what they found.

use crate::common::{NOON, Room, log, scenario};
use insta::assert_snapshot;
use serde_json::{Value, json};
use unchain_trail::TOKEN_MARKER;

/// The examples of docs/sigma.md.
fn examples() -> Vec<String> {
    let paper = include_str!("../../../../docs/sigma.md");
    let blocks = paper.split("```yaml\n").skip(1);
    let rules = blocks.map(|block| block.split("```").next().unwrap().to_owned());
    rules.collect()
}

/// The story with the examples as rules.
fn room() -> Room {
    let room = Room::with(&scenario("whack-a-mole"));
    for (n, rule) in examples().iter().enumerate() {
        room.write(&format!("rules/nested/{n}.yml"), rule.as_bytes());
    }
    room
}

const SCAN: [&str; 7] = [
    "scan",
    "logs",
    "--no-case",
    "--at",
    NOON,
    "--sigma",
    "rules",
];

fn found(room: &Room, more: &[&str]) -> Value {
    let arguments: Vec<&str> = SCAN
        .iter()
        .chain(&["--format", "json"])
        .chain(more)
        .copied()
        .collect();
    let said = room.run(&arguments);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let all: Value = serde_json::from_str(&said.out).unwrap();
    all.get("sigma").unwrap().clone()
}

#[test]
fn the_examples_of_the_paper_fire_where_the_lineage_says_so() {
    let room = room();
    let found = found(&room, &[]);
    assert_eq!(
        (&found["rules"], &found["correlations"], &found["unusable"]),
        (&json!(2), &json!(1), &json!([]))
    );
    let hits = found["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 1, "the base of the correlation reports nothing");
    assert_eq!(
        hits[0]["rule"]["title"],
        "Object read by a chained session without MFA"
    );
    let who = hits[0]["by_credential"].as_array().unwrap();
    let names: Vec<&str> = who
        .iter()
        .map(|w| w["credential"]["principal_arn"].as_str().unwrap())
        .collect();
    assert!(
        names
            .iter()
            .any(|name| name.ends_with("customer-data-admin/report")),
        "{names:?}"
    );
    // Sessions of services read objects too, but no call by a credential issued them.
    assert!(
        !names.iter().any(|name| name.contains("invoice-worker")),
        "{names:?}"
    );
    assert!(
        !names
            .iter()
            .any(|name| name.contains("assumed-role/deploy/release")),
        "{names:?}"
    );
    let denied = &found["correlation_hits"][0];
    assert_eq!(denied["rule"]["level"], "medium");
    assert!(
        denied["group"]["unchain.root"]
            .as_str()
            .unwrap()
            .starts_with("AKIA")
    );
    assert!(denied["count"].as_u64() >= Some(3));
}

#[test]
fn what_rules_find_is_told() {
    let room = room();
    room.write(
        "rules/broken.yml",
        b"title: Broken\nid: b-1\ndetection: [\n",
    );
    let windows = "title: Other\nlogsource:\n  product: windows\ndetection:\n  s:\n    a: b\n  condition: s\n";
    room.write("rules/windows.yaml", windows.as_bytes());
    room.write("rules/notes.txt", b"no rule");
    let said = room.run(&SCAN);
    let told = said.out.split("\nSIGMA").nth(1).unwrap();
    let told = told.split("\nNEXT").next().unwrap();
    for line in told.lines().filter(|line| !line.contains('!')) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_snapshot!(told);
}

#[test]
fn rules_find_the_same_however_the_logs_are_cut() {
    let one = room();
    let many = room();
    let records = scenario("whack-a-mole").records();
    many.write("logs/trail.json", log(&records[100..]).as_bytes());
    for (n, part) in records[..100].chunks(7).rev().enumerate() {
        many.write(&format!("logs/{n}.json"), log(part).as_bytes());
    }
    many.write("logs/again.json", log(&records[50..150]).as_bytes());
    let whole = found(&one, &[]);
    assert_eq!(found(&many, &["--threads", "1"]), whole);
    assert_eq!(found(&many, &["--threads", "5"]), whole);
}

#[test]
fn rules_find_the_same_when_a_case_is_written() {
    let room = room();
    let with_case = [
        "scan",
        "logs",
        "--case",
        "here.case",
        "--at",
        NOON,
        "--sigma",
        "rules",
        "--format",
        "json",
    ];
    let said = room.run(&with_case);
    let all: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(all.get("sigma"), Some(&found(&room, &[])));
}

#[test]
fn whether_a_credential_is_alive_depends_on_the_instant() {
    let room = Room::with(&scenario("whack-a-mole"));
    let rule = "title: Alive\nlogsource:\n  product: aws\ndetection:\n  s:\n    eventName: GetCallerIdentity\n    unchain.alive: true\n  condition: s\n";
    room.write("rules/alive.yml", rule.as_bytes());
    let count = |at: &str| {
        let said = room.run(&[
            "scan",
            "logs",
            "--no-case",
            "--at",
            at,
            "--sigma",
            "rules",
            "--format",
            "json",
        ]);
        let all: Value = serde_json::from_str(&said.out).unwrap();
        all["sigma"]["hits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["credentials"].as_u64().unwrap())
            .sum::<u64>()
    };
    assert!(count("2026-03-02T10:00:00Z") > count("2026-03-09T10:00:00Z"));
}

#[test]
fn rules_need_logs_that_can_be_read_twice() {
    let room = room();
    let said = room.fed(&["scan", "-", "--no-case", "--sigma", "rules"], b"");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("standard input"), "{}", said.err);
    for (place, wanted) in [("nowhere", "cannot read"), ("logs", "no *.yml")] {
        let said = room.run(&["scan", "logs", "--no-case", "--sigma", place]);
        assert_eq!((said.code, said.out.as_str()), (2, ""));
        assert!(said.err.contains(wanted), "{}", said.err);
    }
}

#[test]
fn rules_can_neither_drive_a_terminal_nor_bring_out_a_token() {
    let room = Room::with(&scenario("whack-a-mole"));
    let evil = "title: \"\\e]0;owned\\a\\e[2J\\u202E\"\nid: \"\\e[31m\"\n";
    let logs = "logsource:\n  product: aws\n";
    let issue = "detection:\n  s:\n    eventName: GetSessionToken\n  condition: s\nlevel: high\n";
    let together = "correlation:\n  type: event_count\n  rules:\n    - base\n  group-by:\n    - responseElements.credentials.sessionToken\n  timespan: 1h\n  condition:\n    gte: 1\n";
    let text = format!(
        "{evil}{logs}{issue}---\n{evil}{together}---\n{evil}name: base\n{logs}{issue}---\n{evil}{logs}"
    );
    room.write("rules/evil\u{1b}[2J.yml", text.as_bytes());
    for format in ["table", "json"] {
        let more = ["--format", format];
        let said = room.run(&[&SCAN[..], &more[..]].concat());
        let all = said.out + &said.err;
        assert!(!all.contains(TOKEN_MARKER), "{all}");
        assert!(!all.chars().any(|c| c.is_control() && c != '\n'), "{all}");
        assert!(!all.contains('\u{202e}'), "{all}");
        assert!(all.contains("owned"), "{all}");
    }
    let struck = found(&room, &[]);
    assert_eq!(
        struck["correlation_hits"][0]["group"],
        json!({"responseElements.credentials.sessionToken": "[struck out]"})
    );
}

#[test]
fn findings_ask_the_same_rules_of_logs_and_of_a_case() {
    let room = room();
    let scanned = found(&room, &[]);
    let asked = |more: &[&str]| {
        let mut arguments = vec![
            "findings", "--at", NOON, "--format", "json", "--sigma", "rules",
        ];
        arguments.extend(more);
        let said = room.run(&arguments);
        assert_eq!((said.code, said.err.as_str()), (1, ""));
        let all: Value = serde_json::from_str(&said.out).unwrap();
        all.get("sigma").unwrap().clone()
    };
    assert_eq!(asked(&["--source", "logs"]), scanned);
    room.run(&["scan", "logs"]);
    assert_eq!(asked(&[]), scanned);
    let none = room.run(&["findings", "--source", "-", "--sigma", "rules"]);
    assert_eq!(none.code, 2, "{}", none.err);
}
