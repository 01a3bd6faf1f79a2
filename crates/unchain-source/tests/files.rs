//! Files as the program reads them: found, pruned, filtered, read on threads, and read again.

#![cfg(test)]

mod common;

use common::{Seen, gzip, ids, log, read, read_windowed, record, records};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use unchain_core::time::Timestamp;
use unchain_source::{
    Damage, FileKind, FileReport, Files, Filter, ReadSummary, Reader, STRUCK_OUT, Source as _,
    SourceError, Unit, record_at,
};

/// A trail of two accounts, two regions and two days; each file holds one record.
fn trail(root: &Path) {
    for account in ["111122223333", "444455556666"] {
        for region in ["eu-west-1", "us-east-1"] {
            for day in ["2024-05-06", "2024-07-06"] {
                let folder = root.join(format!(
                    "AWSLogs/{account}/CloudTrail/{region}/{}",
                    day.replace('-', "/")
                ));
                fs::create_dir_all(&folder).expect("a folder");
                let name = format!(
                    "{account}_CloudTrail_{region}_{}T0800Z_x.json.gz",
                    day.replace('-', "")
                );
                let text = record(0)
                    .replace("111122223333", account)
                    .replace("eu-west-1", region)
                    .replace("2024-05-06", day)
                    .replace(
                        "\"eventID\":\"0\"",
                        &format!("\"eventID\":\"{account} {region} {day}\""),
                    );
                fs::write(
                    folder.join(name),
                    gzip(format!("{{\"Records\":[{text}]}}").as_bytes()),
                )
                .expect("a file");
            }
        }
    }
}

fn read_all(root: &Path, filter: Filter) -> (Vec<String>, ReadSummary, u64) {
    let files = Files::discover(&[root], filter).expect("found");
    let mut seen = Seen::default();
    let mut summary = ReadSummary::default();
    let mut reader = Reader::default();
    for unit in files.units().iter() {
        summary.add(&files.read(&unit, &mut reader, &mut seen));
    }
    assert!(summary.reconciles());
    seen.ids.sort();
    (seen.ids, summary, files.pruned())
}

/// The filters over [`trail`], how many records each keeps, and how many files it leaves out unopened.
fn filters() -> [(Filter, usize, u64); 8] {
    let at = |text| Timestamp::parse(text);
    let of = |accounts: &[&str], regions: &[&str]| Filter {
        accounts: accounts.iter().map(|&a| a.to_owned()).collect(),
        regions: regions.iter().map(|&r| r.to_owned()).collect(),
        ..Filter::default()
    };
    let since = |text, filter: Filter| Filter {
        since: at(text),
        ..filter
    };
    let until = |text| Filter {
        until: at(text),
        ..Filter::default()
    };
    let july = "2024-07-01T00:00:00Z";
    [
        (Filter::default(), 8, 0),
        (since(july, Filter::default()), 4, 4),
        (until("2024-05-06T07:00:00Z"), 0, 4),
        (until("2024-05-06T07:00:01Z"), 4, 4),
        (of(&["444455556666"], &[]), 4, 4),
        (of(&[], &["eu-west-1"]), 4, 4),
        (of(&[], &["us-east-1"]), 4, 0),
        (since(july, of(&["444455556666"], &["eu-west-1"])), 1, 7),
    ]
}

#[test]
fn pruning_changes_the_work_and_never_the_answer() {
    let (named, flat) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    trail(named.path());
    // The same files under names that say nothing.
    for (index, unit) in Files::discover(&[named.path()], Filter::default())
        .expect("found")
        .units()
        .iter()
        .enumerate()
    {
        fs::copy(
            unit.path().expect("a file"),
            flat.path().join(format!("{index}.bin")),
        )
        .expect("a copy");
    }
    for (filter, kept, pruned) in filters() {
        let (ids, summary, left_out) = read_all(named.path(), filter.clone());
        assert_eq!((ids.len(), left_out), (kept, pruned), "{filter:?}");
        assert_eq!(summary.counts.parsed, 8 - pruned);
        assert_eq!(
            summary.counts.filtered,
            8 - pruned - u64::try_from(kept).expect("small")
        );
        let (flat_ids, flat_summary, none) = read_all(flat.path(), filter.clone());
        assert_eq!((flat_ids, none), (ids, 0), "{filter:?}");
        assert_eq!(flat_summary.counts.parsed, 8);
    }
}

#[test]
fn ordinals_do_not_depend_on_the_filter() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("a.json"), log(5)).expect("a file");
    let filter = Filter {
        since: Timestamp::parse("2024-05-06T07:00:03Z"),
        ..Filter::default()
    };
    let files = Files::discover(&[root.path()], filter).expect("found");
    let mut seen = Seen::default();
    let report = files.read(
        &files.units().get(0).expect("a file"),
        &mut Reader::default(),
        &mut seen,
    );
    assert_eq!(seen.ordinals, [3, 4]);
    assert_eq!((report.counts.read, report.counts.filtered), (5, 3));
    assert_eq!(
        report.counts.earliest,
        Timestamp::parse("2024-05-06T07:00:03Z")
    );
    assert_eq!(
        report.counts.latest,
        Timestamp::parse("2024-05-06T07:00:04Z")
    );
}

#[test]
fn sibling_trees_are_counted_by_their_names() {
    let root = tempfile::tempdir().expect("a folder");
    for (tree, kind) in [
        ("Digest", FileKind::Digest),
        ("Insight", FileKind::Insight),
        ("Aggregated", FileKind::Aggregated),
    ] {
        let folder = root.path().join(format!(
            "111122223333/CloudTrail-{tree}/eu-west-1/2024/05/06"
        ));
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(format!(
            "111122223333_CloudTrail-{tree}_eu-west-1_20240506T0800Z_x.json.gz"
        ));
        fs::write(&file, "not even gzip").expect("a file");
        let (_, summary, _) = read_all(&folder, Filter::default());
        assert_eq!((summary.of_kind(kind), summary.counts.read), (1, 0));
        // Without the name the content decides.
        fs::rename(file, folder.join("renamed.json.gz")).expect("renamed");
        let (_, summary, _) = read_all(&folder, Filter::default());
        assert_eq!(summary.of_kind(FileKind::NotCloudTrail), 1);
    }
}

#[test]
fn a_file_that_is_gone_is_in_its_report() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("a.json"), log(1)).expect("a file");
    let files = Files::discover(&[root.path()], Filter::default()).expect("found");
    fs::remove_file(root.path().join("a.json")).expect("removed");
    let report = files.read(
        &files.units().get(0).expect("a file"),
        &mut Reader::default(),
        &mut Seen::default(),
    );
    assert_eq!(report.kind, FileKind::Unreadable);
    assert_eq!(
        report.damage,
        Some(Damage::Failed(std::io::ErrorKind::NotFound))
    );
}

#[test]
fn threads_share_the_source_and_have_readers_of_their_own() {
    let root = tempfile::tempdir().expect("a folder");
    trail(root.path());
    let files = Files::discover(&[root.path()], Filter::default()).expect("found");
    let units: Vec<Unit> = files.units().iter().collect();
    let (left, right) = units.split_at(4);
    let reports: Vec<FileReport> = std::thread::scope(|scope| {
        let threads: Vec<_> = [left, right]
            .into_iter()
            .map(|units| {
                let files = &files;
                scope.spawn(move || {
                    let mut reader = Reader::default();
                    units
                        .iter()
                        .map(|unit| files.read(unit, &mut reader, &mut Seen::default()))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let mut halves = [ReadSummary::default(), ReadSummary::default()];
    let mut all = ReadSummary::default();
    for (index, report) in reports.iter().enumerate() {
        halves[index % 2].add(report);
        all.add(report);
    }
    let [mut sum, other] = halves;
    sum.merge(&other);
    assert_eq!(sum, all);
    assert_eq!((all.files, all.counts.parsed), (8, 8));
}

/// A record that issues a credential, in the shapes in which records are stored.
fn issue(id: usize, token: &str) -> Value {
    let mut value: Value = serde_json::from_str(&record(id)).expect("JSON");
    value["eventName"] = json!("AssumeRole");
    value["responseElements"] =
        json!({"credentials": {"accessKeyId": "ASIAEXAMPLE", "sessionToken": token}});
    value
}

#[test]
fn records_are_read_again_with_tokens_struck_out() {
    let root = tempfile::tempdir().expect("a folder");
    let token = "FwoGZXIvYXdzEXAMPLETOKEN";
    let wrapped = json!({"CloudTrailEvent": issue(3, token).to_string()});
    let broken = record(1).replacen("\"eventName\":", "\"eventName:", 1);
    let text = format!(
        "{{\"Records\":[{},{broken},{},{wrapped}]}}",
        record(0),
        issue(2, token)
    );
    for (name, bytes) in [
        ("a.json", text.clone().into_bytes()),
        ("a.json.gz", gzip(text.as_bytes())),
    ] {
        let path = root.path().join(name);
        fs::write(&path, bytes).expect("a file");
        let mut found = Vec::new();
        let unit = Unit::file(path);
        record_at(
            &unit,
            &mut Reader::default(),
            &[3, 1, 2, 2, 99],
            &mut |ordinal, value| found.push((ordinal, value)),
        )
        .expect("a file");
        let ids: Vec<(u64, &str)> = found
            .iter()
            .map(|(o, v)| (*o, v["eventID"].as_str().unwrap_or_default()))
            .collect();
        assert_eq!(ids, [(2, "2"), (3, "3")]);
        for (_, value) in &found {
            assert_eq!(
                value["responseElements"]["credentials"]["sessionToken"],
                STRUCK_OUT
            );
            assert_eq!(
                value["responseElements"]["credentials"]["accessKeyId"],
                "ASIAEXAMPLE"
            );
            assert!(!value.to_string().contains(token));
        }
    }
    let error = record_at(&Unit::stdin(), &mut Reader::default(), &[0], &mut |_, _| {})
        .expect_err("refused");
    assert!(matches!(error, SourceError::NotRepeatable { .. }));
}

#[test]
fn reports_never_hold_what_a_record_says() {
    let text = log(1).replace("reader", "secretrole");
    let (_, report) = read(text.as_bytes());
    assert!(!format!("{report:?}").contains("secretrole"));
}

#[test]
fn a_reader_is_used_again() {
    let root = tempfile::tempdir().expect("a folder");
    let files = [
        gzip(log(200).as_bytes()),
        gzip(log(1).as_bytes()),
        log(3).into_bytes(),
        gzip(b""),
        records(2).join("\n").into_bytes(),
    ];
    for (index, bytes) in files.iter().enumerate() {
        fs::write(root.path().join(index.to_string()), bytes).expect("a file");
    }
    let found = Files::discover(&[root.path()], Filter::default()).expect("found");
    let mut reader = Reader::default();
    let counts: Vec<usize> = found
        .units()
        .iter()
        .map(|unit| {
            let mut seen = Seen::default();
            found.read(&unit, &mut reader, &mut seen);
            assert_eq!(seen.ids, ids(seen.ids.len()));
            seen.ids.len()
        })
        .collect();
    assert_eq!(counts, [200, 1, 3, 0, 2]);
    assert_eq!(read_windowed(&files[0], 100).0.ids, ids(200));
}
