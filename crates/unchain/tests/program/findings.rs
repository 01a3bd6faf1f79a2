//! What is found, explained, expected and refused.

use crate::common::{Room, log};
use insta::assert_snapshot;
use serde_json::Value;
use unchain_trail::Trail;

const AT: &str = "2026-03-02T12:00:00Z";

/// A leaked key that walks through three roles into another account.
fn chain() -> Trail {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../scenarios/detections/role-chaining/fires.trail"
    );
    Trail::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The findings of a run as JSON lines.
fn findings(room: &Room, more: &[&str]) -> Vec<Value> {
    let mut arguments = vec![
        "findings", "--source", "logs", "--at", AT, "--format", "jsonl",
    ];
    arguments.extend(more);
    let all = lines(&room.run(&arguments).out);
    all.into_iter()
        .filter(|line| line["record"] == "finding")
        .collect()
}

fn role_chaining(found: &[Value]) -> Option<&Value> {
    found
        .iter()
        .find(|finding| finding["detection"] == "role-chaining")
}

#[test]
fn findings_of_a_story() {
    let room = Room::with(&chain());
    for format in ["table", "json", "jsonl", "csv"] {
        let said = room.told(&[
            "findings", "--source", "logs", "--at", AT, "--format", format,
        ]);
        assert_snapshot!(format!("findings_as_{format}"), said);
    }
}

#[test]
fn a_finding_an_incident_and_a_detection_are_explained() {
    let room = Room::with(&chain());
    let found = findings(&room, &[]);
    let finding = role_chaining(&found).unwrap();
    let (id, incident) = (
        finding["id"].as_str().unwrap(),
        finding["incident"].as_str().unwrap(),
    );
    for (name, what) in [("finding", id), ("incident", incident)] {
        let said = room.told(&["explain", what, "--source", "logs", "--at", AT]);
        assert_snapshot!(format!("explain_{name}"), said);
    }
    assert_snapshot!(
        "explain_detection",
        room.told(&["explain", "role-chaining"])
    );
    assert_snapshot!("explain_unknown", room.told(&["explain", "role-chainin"]));
    let none = room.run(&["explain", "f-none", "--source", "logs"]);
    assert_eq!(none.code, 2, "{}", none.err);
}

#[test]
fn ids_are_the_same_on_every_run_and_from_a_case() {
    let room = Room::with(&chain());
    let first = findings(&room, &[]);
    assert_eq!(first, findings(&room, &[]));
    room.run(&["scan", "logs"]);
    let said = room.run(&["findings", "--at", AT, "--format", "jsonl"]);
    let again: Vec<Value> = lines(&said.out)
        .into_iter()
        .filter(|line| line["record"] == "finding")
        .collect();
    assert_eq!(first, again);
}

#[test]
fn the_exit_code_follows_the_severity_that_was_asked_for() {
    let room = Room::with(&chain());
    let worst = findings(&room, &[]);
    assert!(worst.iter().all(|f| f["severity"] != "critical"));
    let code = |command: &[&str], level| {
        let mut arguments = command.to_vec();
        arguments.extend(["--fail-on", level]);
        room.run(&arguments).code
    };
    let ask = ["findings", "--source", "logs"];
    assert_eq!((code(&ask, "medium"), code(&ask, "critical")), (1, 0));
    let scan = ["scan", "logs", "--no-case"];
    assert_eq!((code(&scan, "medium"), code(&scan, "critical")), (1, 0));
    assert_eq!(room.run(&scan).code, 0);
    room.write("logs/broken.json", b"{\"Records\":[{]}");
    assert_eq!(code(&scan, "medium"), 2);
}

#[test]
fn what_the_settings_expect_is_no_incident() {
    let room = Room::with(&chain());
    room.write(
        "unchain.toml",
        b"[[allow]]\nprincipal = \"arn:aws:iam::*:user/alice\"\nreason = \"a drill\"\n",
    );
    assert!(findings(&room, &[]).is_empty());
    let all = findings(&room, &["--all"]);
    let expected = role_chaining(&all).unwrap();
    assert_eq!(
        (&expected["allowed_by"], &expected["incident"]),
        (&"a drill".into(), &Value::Null)
    );
    assert_eq!(room.run(&["findings", "--source", "logs"]).code, 0);
    room.write(
        "other.toml",
        b"[[allow]]\nprincipal = \"arn:aws:iam::*:user/bob\"\nreason = \"x\"\n",
    );
    assert!(role_chaining(&findings(&room, &["--settings", "other.toml"])).is_some());
}

#[test]
fn a_mistake_in_the_settings_is_told_before_the_work() {
    let room = Room::with(&chain());
    room.write(
        "unchain.toml",
        b"[[allow]]\nprincipal = \"*\"\nwhy = \"x\"\n",
    );
    assert_snapshot!(room.told(&["scan", "logs"]));
    assert!(!room.path().join("unchain.case").exists());
}

#[test]
fn a_baseline_makes_usual_what_was_usual() {
    let room = Room::with(&chain());
    assert!(role_chaining(&findings(&room, &[])).is_some());
    let said = room.run(&["scan", "logs", "--case", "quiet.case"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(role_chaining(&findings(&room, &["--baseline", "quiet.case"])).is_none());
}

#[test]
fn a_database_of_networks_must_be_one() {
    let room = Room::with(&chain());
    room.write("geo.mmdb", b"nothing of the kind");
    let said = room.run(&["findings", "--source", "logs", "--geoip", "geo.mmdb"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("MaxMind"), "{}", said.err);
}

#[test]
fn hostile_names_reach_no_terminal_and_no_spreadsheet() {
    let text = chain().records();
    let name = "=cmd|' /C calc'!A0\u{1b}[31m";
    let hostile = log(&text).replace(
        "probe",
        &serde_json::json!(name).to_string().replace('"', ""),
    );
    let room = Room::new();
    room.write("logs/trail.json", hostile.as_bytes());
    for format in ["table", "json", "jsonl", "csv"] {
        let said = room.run(&["findings", "--source", "logs", "--format", format]);
        assert!(said.out.contains("calc"), "{format}: {}", said.out);
        assert!(!said.out.contains('\u{1b}'), "{format}");
        assert!(
            !said.out.contains(",=cmd") && !said.out.contains("\"=cmd"),
            "{format}"
        );
    }
}
