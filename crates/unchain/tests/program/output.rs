//! What the program says, as a person sees it at 80 columns and as a program reads it.

use crate::common::{NOON, Room, log, scenario};
use insta::assert_snapshot;
use std::io::Write;

#[test]
fn help_of_every_command() {
    let room = Room::new();
    let mut text = room.told(&["--help"]);
    for command in [
        "scan",
        "findings",
        "explain",
        "tokens",
        "trace",
        "edges",
        "events",
        "queries",
        "report",
        "serve",
        "case",
        "completions",
        "man",
    ] {
        text.push_str(&format!("\n===== {command}\n"));
        text.push_str(&room.told(&[command, "--help"]));
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_snapshot!(text);
}

#[test]
fn scan_of_the_story() {
    let room = Room::with(&scenario("whack-a-mole"));
    assert_snapshot!(room.told(&["scan", "logs", "--no-case", "--at", NOON]));
    assert_snapshot!(
        "scan_of_the_story_as_json",
        room.told(&[
            "scan",
            "logs",
            "--no-case",
            "--at",
            NOON,
            "--format",
            "json"
        ])
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let room = Room::new();
    let records = scenario("whack-a-mole").records();
    for (n, part) in records.chunks(20).enumerate() {
        room.write(&format!("logs/{n}.json"), log(part).as_bytes());
    }
    let with = |threads| {
        let scan = [
            "scan",
            "logs",
            "--no-case",
            "--at",
            NOON,
            "--threads",
            threads,
        ];
        room.told(&scan)
    };
    assert_eq!(with("1"), with("2"));
    assert_eq!(with("1"), with("7"));
}

#[test]
fn tokens_of_a_small_story() {
    let room = Room::with(&scenario("role-chain"));
    for format in ["table", "jsonl", "csv"] {
        let said = room.told(&[
            "tokens", "--source", "logs", "--at", NOON, "--format", format,
        ]);
        assert_snapshot!(format!("tokens_as_{format}"), said);
    }
}

#[test]
fn edges_of_a_small_story() {
    let room = Room::with(&scenario("role-chain"));
    for format in ["table", "jsonl", "csv"] {
        let said = room.told(&["edges", "--source", "logs", "--format", format]);
        assert_snapshot!(format!("edges_as_{format}"), said);
    }
}

#[test]
fn json_and_json_lines_say_the_same() {
    let room = Room::with(&scenario("federation"));
    for command in ["edges", "tokens"] {
        let ask = |format| {
            room.run(&[command, "--source", "logs", "--format", format])
                .out
        };
        let json: Vec<serde_json::Value> = serde_json::from_str(&ask("json")).unwrap();
        let jsonl: Vec<serde_json::Value> = ask("jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(!json.is_empty());
        assert_eq!(json, jsonl);
    }
}

#[test]
fn trace_of_the_leaked_key() {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    let (a, d) = (trail.key("A").unwrap(), trail.key("D").unwrap());
    let trace = |more: &[&str]| {
        let mut arguments = vec!["trace", "--source", "logs", "--at", NOON];
        arguments.extend(more);
        room.told(&arguments)
    };
    assert_snapshot!("trace_of_the_leaked_key", trace(&[a]));
    assert_snapshot!("trace_up", trace(&[d, "--up"]));
    assert_snapshot!(
        "trace_down_as_jsonl",
        trace(&[d, "--down", "--format", "jsonl"])
    );
    assert_snapshot!("trace_as_dot", trace(&[d, "--up", "--format", "dot"]));
    assert_snapshot!(
        "trace_as_mermaid",
        trace(&[d, "--up", "--format", "mermaid"])
    );
    assert_snapshot!(
        "trace_as_graphml",
        trace(&[d, "--up", "--format", "graphml"])
    );
}

#[test]
fn a_tree_as_json_nests_like_the_lines() {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    let ask = |format| {
        let pivot = trail.key("B").unwrap();
        room.run(&[
            "trace", pivot, "--source", "logs", "--at", NOON, "--format", format,
        ])
        .out
    };
    let trees: serde_json::Value = serde_json::from_str(&ask("json")).unwrap();
    let mut nested = Vec::new();
    let mut waiting: Vec<(usize, &serde_json::Value)> = trees
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|t| (0, t))
        .collect();
    while let Some((depth, tree)) = waiting.pop() {
        nested.push((depth, tree["token"].clone(), tree["edge"].clone()));
        let children = tree["children"].as_array().unwrap();
        waiting.extend(children.iter().rev().map(|child| (depth + 1, child)));
    }
    let flat: Vec<_> = ask("jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|v| {
            (
                usize::try_from(v["depth"].as_u64().unwrap()).unwrap(),
                v["token"].clone(),
                v["edge"].clone(),
            )
        })
        .collect();
    assert!(flat.len() > 8);
    assert_eq!(nested, flat);
}

#[test]
fn many_alike_children_are_one_line() {
    let trail = unchain_trail::Trail::parse(
        "account 111122223333 as prod\n\
         user alice in prod key A\n\
         role app in prod\n\
         08:00 A AssumeRole app as job -> T every 10m times 30\n\
         14:00 A AssumeRole app as last -> L\n\
         14:01 L ListBuckets\n",
    )
    .unwrap();
    let room = Room::with(&trail);
    let a = trail.key("A").unwrap();
    let mut trace = vec!["trace", a, "--source", "logs", "--at", "2026-03-02"];
    if trail.records()[0]["eventTime"].as_str().unwrap() < "2026-03-02" {
        trace.pop();
        trace.push("2030-01-01");
    }
    assert_snapshot!(room.told(&trace));
    trace.push("--all");
    let all = room.run(&trace).out;
    assert_eq!(all.matches("AssumeRole").count(), 31);
}

#[test]
fn a_pivot_with_several_meanings_lists_them() {
    let trail = unchain_trail::Trail::parse(
        "account 111122223333 as prod\n\
         account 444455556666 as shared\n\
         user alice in prod key A\n\
         user bob in shared key B\n\
         role app in prod\n\
         role audit in shared\n\
         08:00 A AssumeRole app as ops -> T every 1h times 4\n\
         08:01 T ListBuckets every 1h times 4\n\
         08:30 B AssumeRole audit as ops -> U\n\
         08:31 U LookupEvents\n",
    )
    .unwrap();
    let room = Room::with(&trail);
    let trace = ["trace", "ops", "--source", "logs"];
    let said = room.run(&trace);
    assert_eq!(said.code, 0);
    assert_snapshot!(room.redacted(&said));
    for line in said
        .out
        .lines()
        .filter(|line| line.contains("unchain trace"))
    {
        let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
        let chosen = room.run(&arguments);
        assert_eq!(chosen.code, 0, "{line}: {}", chosen.err);
        assert!(!chosen.out.contains("Choose one"), "{line} chooses");
    }
}

#[test]
fn every_kind_of_pivot_is_found() {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    let find = |text: &str| {
        let said = room.run(&["trace", text, "--source", "logs", "--format", "jsonl"]);
        assert_eq!(said.code, 0, "{text}: {}", said.err);
        crate::common::lines(&said)
    };
    for pivot in [
        trail.key("C").unwrap(),
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:iam::111122223333:role/customer-data-admin",
        "arn:aws:sts::111122223333:assumed-role/customer-data-admin/report-2",
        "customer-data-admin",
        "report-2",
        "alice",
        "198.51.100.23",
        "arn:aws:iam::111122223333:mfa/alice-2",
        "Boto3/1.35.0 md/Botocore#1.35.0 lang/python#3.12.3",
    ] {
        let rows = find(pivot);
        assert!(rows.iter().any(|row| row["pivot"] == true), "{pivot}");
    }
}

#[test]
fn an_unknown_pivot_gets_a_suggestion() {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    let mistyped = trail.key("B").unwrap().to_lowercase();
    let said = room.run(&["trace", &mistyped, "--source", "logs"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains(trail.key("B").unwrap()), "{}", said.err);
    assert_snapshot!(room.told(&["trace", "no-such-thing", "--source", "logs"]));
}

#[test]
fn events_of_a_token() {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    let d = trail.key("D").unwrap();
    let since = [
        "--since",
        "2026-03-02T12:00:00Z",
        "--until",
        "2026-03-02T12:04:00Z",
    ];
    let mut events = vec!["events", d, "--source", "logs"];
    events.extend(since);
    assert_snapshot!(room.told(&events));
    let all = room.run(&["events", d, "--source", "logs", "--format", "jsonl"]);
    let expected: Vec<serde_json::Value> = trail
        .records()
        .into_iter()
        .filter(|record| record.to_string().contains(d))
        .map(|mut record| {
            unchain_source::strike_out(&mut record);
            record
        })
        .collect();
    assert!(expected.len() > 10);
    assert_eq!(
        crate::common::lines(&all),
        expected,
        "every record that names the key, and no other"
    );
}

#[test]
fn one_event_by_its_id() {
    let trail = scenario("whack-a-mole");
    let room = Room::with(&trail);
    for record in trail.records().iter().step_by(40) {
        let id = record["eventID"].as_str().unwrap();
        let said = room.run(&["events", id, "--source", "logs", "--format", "jsonl"]);
        let found = crate::common::lines(&said);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["eventID"], id);
    }
}

#[test]
fn completions_and_man_page() {
    let room = Room::new();
    for shell in ["bash", "zsh", "fish"] {
        let said = room.run(&["completions", shell]);
        assert_eq!(said.code, 0);
        assert!(said.out.contains("unchain"), "{shell}");
    }
    assert!(room.run(&["man"]).out.contains(".TH unchain"));
    assert_eq!(room.run(&["man", "--out", "man"]).code, 0);
    assert!(room.read("man/unchain-trace.1").starts_with(b".ie"));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let room = Room::new();
    let mut log = std::io::BufWriter::new(Vec::new());
    for n in 0..5000 {
        writeln!(
            log,
            r#"{{"eventTime":"2026-03-02T09:00:00Z","eventName":"GetObject","eventID":"{n}","userIdentity":{{"type":"IAMUser","accessKeyId":"AKIA{n:016}"}}}}"#
        )
        .unwrap();
    }
    room.write("log.ndjson", &log.into_inner().unwrap());
    let command = "\"$UNCHAIN\" tokens --source log.ndjson --format jsonl 2>errors | head -n 1 >first; \
                   printf %s \"${PIPESTATUS[0]}\" >code";
    let status = std::process::Command::new("bash")
        .args(["-c", command])
        .env("UNCHAIN", env!("CARGO_BIN_EXE_unchain"))
        .current_dir(room.path())
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(room.read("code"), b"0");
    assert_eq!(room.read("errors"), b"");
    assert_eq!(
        room.read("first").iter().filter(|b| **b == b'\n').count(),
        1
    );
}
