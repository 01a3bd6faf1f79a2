//! What is found, explained, expected and refused.

use crate::common::{Room, log};
use insta::assert_snapshot;
use maxminddb_writer::Database;
use maxminddb_writer::paths::IpAddrWithMask;
use serde_json::Value;
use unchain_trail::Trail;

const AT: &str = "2026-03-02T12:00:00Z";

/// The story in which a detection fires.
fn story(detection: &str) -> Trail {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/detections");
    let path = format!("{folder}/{detection}/fires.trail");
    Trail::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A leaked key that walks through three roles into another account.
fn chain() -> Trail {
    story("role-chaining")
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

/// A database that knows one provider with two blocks.
fn provider() -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Row {
        autonomous_system_number: u32,
        autonomous_system_organization: &'static str,
    }
    let mut database = Database::default();
    database.metadata.binary_format_major_version = 2;
    database.metadata.database_type = "GeoLite2-ASN".to_owned();
    for block in ["192.0.2.0/24", "203.0.113.0/24"] {
        let row = Row {
            autonomous_system_number: 64500,
            autonomous_system_organization: "Example",
        };
        let row = database.insert_value(row).unwrap();
        database.insert_node(block.parse::<IpAddrWithMask>().unwrap(), row);
    }
    database.write_to(Vec::new()).unwrap()
}

#[test]
fn addresses_of_one_provider_are_one_place() {
    let trail = story("token-from-several-networks");
    let mut records = trail.records();
    // Names of services and of AWS itself stand where addresses do, and an IPv6 one is in no IPv4 database.
    for (record, address) in records.iter_mut().skip(2).zip([
        "AWS Internal",
        "cloudformation.amazonaws.com",
        "2001:db8::7",
        "",
    ]) {
        record["sourceIPAddress"] = address.into();
    }
    let room = Room::new();
    room.write("logs/trail.json", log(&records).as_bytes());
    room.write("asn.mmdb", &provider());
    let key = trail.key("ET").unwrap();
    let of = |more: &[&str]| {
        let found = findings(&room, more).into_iter();
        let several = found.filter(|f| f["detection"] == "token-from-several-networks");
        several
            .filter(|f| f["subject"]["access_key_id"] == key)
            .count()
    };
    assert_eq!(of(&[]), 1);
    assert_eq!(of(&["--geoip", "asn.mmdb"]), 0);
}
