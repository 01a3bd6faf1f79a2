//! Recorded CloudTrail that nobody on the project wrote. Runs where `UNCHAIN_CORPUS` names it.

#![cfg(test)]

use std::io::Write as _;
use std::path::PathBuf;
use unchain_core::event::{Event, Notes, Refusal};
use unchain_source::{FileKind, Files, Filter, Position, ReadSummary, Reader, Source as _};

fn corpus(part: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("UNCHAIN_CORPUS") else {
        writeln!(std::io::stderr(), "skipped: UNCHAIN_CORPUS is not set").expect("stderr");
        return None;
    };
    Some(PathBuf::from(root).join(part))
}

/// Reads a folder and returns the sum, with a line for every file that refused something.
fn read(part: &str) -> Option<(ReadSummary, Vec<String>)> {
    let files = Files::discover(&[corpus(part)?], Filter::default()).expect("the corpus");
    assert!(files.unreachable().is_empty());
    let mut reader = Reader::default();
    let mut summary = ReadSummary::default();
    let mut refused = Vec::new();
    let mut handed = 0;
    for unit in files.units().iter() {
        let report = files.read(&unit, &mut reader, &mut |_: &Event<'_>, _: Position| {
            handed += 1
        });
        assert!(report.reconciles());
        assert_eq!(report.damage, None, "{}", report.name);
        for (reason, count) in report.counts.refused.iter().filter(|(_, count)| *count > 0) {
            let name = unit.name();
            let name = name.rsplit('/').next().unwrap_or_default();
            refused.push(format!("{name} {} {count}", reason.name()));
        }
        summary.add(&report);
    }
    assert_eq!(handed, summary.counts.parsed);
    Some((summary, refused))
}

#[test]
fn every_odd_record_reads() {
    let Some((summary, refused)) = read("edge") else {
        return;
    };
    assert_eq!(refused, Vec::<String>::new());
    assert_eq!(summary.of_kind(FileKind::Digest), 2);
    assert_eq!(summary.of_kind(FileKind::Records), summary.files - 2);
    // 40 files of records; three of them hold more than one.
    assert!(summary.counts.parsed >= 40);
}

#[test]
fn every_single_record_reads() {
    let Some((summary, refused)) = read("ndjson") else {
        return;
    };
    assert_eq!(summary.counts.read, 888);
    // Three records have no time at all, and two have `redacted` and `...` in its place.
    assert_eq!(refused, ["panther_analysis.ndjson no_time 5"]);
}

#[test]
fn every_recorded_set_reads() {
    for (set, records) in [
        ("invictus_ir", 2900),
        ("stratus_detonation", 310),
        ("otrf_cloud_breach", 103),
        ("opensearch_catalog", 891),
        ("grycap", 142),
        ("umccr_flaws_slice/test_input/AWSLogs", 185),
    ] {
        let Some((summary, refused)) = read(&format!("recorded/{set}")) else {
            return;
        };
        assert_eq!(summary.counts.parsed, records, "{set} {refused:?}");
        assert_eq!(refused, Vec::<String>::new(), "{set}");
        assert_eq!(summary.counts.refused.get(Refusal::NotJson), 0);
        assert_eq!(summary.counts.notes.get(Notes::NON_UTF8), 0);
    }
}
