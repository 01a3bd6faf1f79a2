//! Sources that are missing, empty, damaged or something else, and what the exit code says.

use crate::common::{Room, log, scenario};
use insta::assert_snapshot;

const SCAN: [&str; 5] = ["scan", "logs", "--no-case", "--at", "2026-03-03"];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_missing_path() {
    assert_snapshot!(Room::new().told(&SCAN));
}

#[test]
fn an_empty_folder() {
    let room = Room::new();
    std::fs::create_dir(room.path().join("logs")).unwrap();
    assert_snapshot!(room.told(&SCAN));
}

#[test]
fn a_file_that_is_not_cloudtrail() {
    let room = Room::new();
    room.write("logs/readme.txt", b"just some words\n");
    assert_snapshot!(room.told(&SCAN));
}

#[test]
fn such_a_file_beside_logs_is_no_error() {
    let room = Room::with(&scenario("role-chain"));
    room.write("logs/readme.txt", b"just some words\n");
    let said = room.run(&SCAN);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("readme.txt: nothing in it is CloudTrail"));
}

#[test]
fn a_broken_gzip_gives_what_came_before() {
    let records = scenario("whack-a-mole").records();
    let room = Room::new();
    let whole = gzip(log(&records).as_bytes());
    room.write("logs/a.json.gz", &whole[..whole.len() / 2]);
    let said = room.run(&SCAN);
    assert_eq!(said.code, 2);
    assert!(
        said.out
            .contains("a.json.gz: the compressed data is cut off"),
        "{}",
        said.out
    );
    let tokens = room.run(&["tokens", "--source", "logs", "--format", "jsonl"]);
    assert_eq!(tokens.code, 2, "an answer from damaged input says so");
    assert!(!tokens.out.is_empty(), "and is given all the same");
    assert!(tokens.err.contains("incomplete"), "{}", tokens.err);
}

#[test]
fn a_refused_record_is_counted_and_told() {
    let room = Room::new();
    let good = &scenario("role-chain").records()[0];
    room.write(
        "logs/a.json",
        format!("{good}\n{{\"eventName\":\"X\"}}\n[1]\n{good}\n").as_bytes(),
    );
    assert_snapshot!(room.told(&SCAN));
}

#[test]
fn standard_input() {
    let trail = scenario("role-chain");
    let room = Room::new();
    let log = gzip(log(&trail.records()).as_bytes());
    let said = room.fed(&["scan", "-", "--no-case", "--at", "2026-03-03"], &log);
    assert_eq!(said.code, 0, "{}", said.err);
    let count = trail.records().len();
    assert!(
        said.out.contains(&format!("{count} records read")),
        "{}",
        said.out
    );
    let said = room.fed(&["edges", "--source", "-", "--format", "jsonl"], &log);
    assert!(said.out.lines().count() > 3);
}

#[test]
fn records_cannot_be_fetched_from_standard_input() {
    let trail = scenario("role-chain");
    let log = log(&trail.records());
    let said = Room::new().fed(
        &["events", trail.key("A").unwrap(), "--source", "-"],
        log.as_bytes(),
    );
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.err.contains("hint: write it to a file"),
        "{}",
        said.err
    );
}

#[test]
fn a_very_deep_lineage_is_traced_to_its_end() {
    const DEPTH: usize = 3000;
    let step = |n: usize| {
        let key = |n: usize| format!("ASIADEEP{n:012}");
        serde_json::json!({
            "eventTime": "2026-03-02T09:00:00Z", "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRole", "eventID": format!("deep-{n}"),
            "userIdentity": {"type": "AssumedRole", "accessKeyId": key(n),
                "principalId": format!("AROADEEP:{n}")},
            "responseElements": {"credentials": {"accessKeyId": key(n + 1)},
                "assumedRoleUser": {"assumedRoleId": format!("AROADEEP:{}", n + 1),
                    "arn": format!("arn:aws:sts::111122223333:assumed-role/deep/{}", n + 1)}},
        })
    };
    let room = Room::new();
    let records: Vec<_> = (0..DEPTH).map(step).collect();
    room.write("logs/deep.json", log(&records).as_bytes());
    let top = "ASIADEEP000000000000";
    for format in ["table", "json", "jsonl", "dot"] {
        let said = room.run(&["trace", top, "--source", "logs", "--format", format]);
        assert_eq!(said.code, 0, "{format}: {}", said.err);
        let last = format!("ASIADEEP{DEPTH:012}");
        assert!(said.out.contains(&last), "{format} reaches the end");
    }
}

/// Needs the corpus: set `UNCHAIN_CORPUS` to its folder.
#[test]
fn recorded_and_broken_logs_are_read_without_a_crash() {
    let Some(corpus) = std::env::var_os("UNCHAIN_CORPUS").map(std::path::PathBuf::from) else {
        println!("skipped: UNCHAIN_CORPUS is not set");
        return;
    };
    let room = Room::new();
    let scan = |folder: &str| {
        let path = corpus.join(folder);
        let path = path.to_string_lossy();
        let said = room.run(&["scan", &path, "--no-case", "--format", "json"]);
        let summary: serde_json::Value = serde_json::from_str(&said.out).expect(folder);
        let read = &summary["read"];
        let number = |name: &str| read[name].as_u64().unwrap();
        assert_eq!(
            number("records"),
            number("parsed") + number("refused"),
            "{folder}"
        );
        (said.code, number("events"))
    };
    assert_eq!(scan("recorded/invictus_ir"), (0, 2900));
    assert_eq!(scan("recorded/otrf_cloud_breach"), (0, 103));
    assert_eq!(scan("recorded/stratus_detonation"), (0, 310));
    scan("edge");
    scan("ndjson");
}

#[test]
fn no_case_yet() {
    assert_snapshot!(Room::new().told(&["tokens"]));
}

#[test]
fn wrong_arguments() {
    let room = Room::new();
    assert_eq!(room.run(&["scan"]).code, 2);
    assert_eq!(room.run(&["tokens", "--at", "yesterday"]).code, 2);
    assert_eq!(room.run(&["--version"]).code, 0);
    assert!(
        room.run(&["tokens", "--at", "yesterday"])
            .err
            .contains("-2h")
    );
}

#[test]
fn a_filter_that_keeps_nothing_is_no_error() {
    let room = Room::with(&scenario("role-chain"));
    let mut scan = SCAN.to_vec();
    scan.extend(["--since", "2040-01-01"]);
    let said = room.run(&scan);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("no event was read"), "{}", said.out);
}
