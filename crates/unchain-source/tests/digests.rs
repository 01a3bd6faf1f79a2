//! Digest files: they are handed on once, through any window, and a broken one is only counted.

#![cfg(test)]

use proptest::prelude::*;
use std::fs;
use std::path::Path;
use unchain_core::digest::Digest;
use unchain_core::event::Event;
use unchain_source::{
    FileKind, FileReport, Files, Filter, Limits, Position, ReadSummary, Reader, Sink, Source,
    read_bytes,
};

/// What was handed on.
#[derive(Default)]
struct Seen {
    digests: Vec<Digest<String>>,
    events: usize,
}

impl Sink for Seen {
    fn event(&mut self, _: &Event<'_>, _: Position) {
        self.events += 1;
    }

    fn digest(&mut self, digest: &Digest<String>) {
        self.digests.push(digest.clone());
    }
}

const RECORD: &str =
    r#"{"eventTime":"2024-05-06T07:00:00Z","eventName":"x","eventSource":"y","userIdentity":{}}"#;

fn read(text: &[u8], limits: Limits) -> (Seen, FileReport) {
    let mut seen = Seen::default();
    let report = read_bytes("test", text, &mut Reader::new(limits), &mut seen);
    (seen, report)
}

fn name(tree: &str, trail: &str, hour: usize) -> String {
    format!("111122223333_CloudTrail{tree}_eu-west-1_{trail}_20240506T{hour:02}0000Z.json.gz")
}

/// A digest file of the hour before `hour`, with `files` log files.
fn digest(hour: usize, files: usize) -> String {
    let file = serde_json::json!({
        "s3Object": name("", "x", hour),
        "oldestEventTime": "2024-05-06T07:00:00Z",
        "newestEventTime": "2024-05-06T07:09:00Z",
    });
    let digest = serde_json::json!({
        "awsAccountId": "111122223333",
        "digestStartTime": format!("2024-05-06T{:02}:00:00Z", hour - 1),
        "digestEndTime": format!("2024-05-06T{hour:02}:00:00Z"),
        "digestS3Object": name("-Digest", "main_us-east-1", hour),
        "previousDigestS3Object": name("-Digest", "main_us-east-1", hour - 1),
        "logFiles": vec![file; files],
    });
    digest.to_string()
}

fn read_folder(folder: &Path, filter: Filter) -> (Seen, ReadSummary) {
    let files = Files::discover(&[folder], filter).expect("found");
    let (mut seen, mut summary) = (Seen::default(), ReadSummary::default());
    for unit in files.units().iter() {
        summary.add(&files.read(&unit, &mut Reader::default(), &mut seen));
    }
    (seen, summary)
}

#[test]
fn a_digest_in_its_place_is_handed_on_unless_a_filter_is_set() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root
        .path()
        .join("111122223333/CloudTrail-Digest/eu-west-1/2024/05/06");
    fs::create_dir_all(&folder).expect("a folder");
    for (hour, content) in [
        (8, digest(8, 2)),
        (9, digest(9, 0)),
        (10, "not a digest".to_owned()),
        (11, "{\"digestS3Object\":\"k\"}".to_owned()),
    ] {
        let path = folder.join(name("-Digest", "main_us-east-1", hour));
        fs::write(path, content).expect("a file");
    }
    let (seen, summary) = read_folder(root.path(), Filter::default());
    let files: Vec<u32> = seen.digests.iter().map(|digest| digest.files).collect();
    assert_eq!((files, summary.of_kind(FileKind::Digest)), (vec![2, 0], 4));
    let one_region = Filter {
        regions: ["eu-west-1".to_owned()].into(),
        ..Filter::default()
    };
    let (seen, summary) = read_folder(root.path(), one_region);
    assert_eq!(
        (seen.digests, summary.of_kind(FileKind::Digest)),
        (vec![], 4)
    );
}

#[test]
fn records_under_the_name_of_a_digest_are_records() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("111122223333/CloudTrail-Digest/eu-west-1");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name("-Digest", "x", 8)), RECORD).expect("a file");
    let (seen, summary) = read_folder(root.path(), Filter::default());
    assert_eq!((seen.events, summary.of_kind(FileKind::Records)), (1, 1));
}

proptest! {
    #[test]
    fn windows_change_no_digest(before in 0usize..3, files in 0usize..20, window in 1usize..3000) {
        let mut lines = vec![RECORD.to_owned(); before];
        lines.push(digest(8, files));
        let text = lines.join("\n");
        let (whole, report) = read(text.as_bytes(), Limits::default());
        let small = Limits { whole: 16, window, ..Limits::default() };
        let (windowed, other) = read(text.as_bytes(), small);
        prop_assert_eq!(whole.digests.len(), 1);
        prop_assert_eq!(whole.digests, windowed.digests);
        prop_assert_eq!(report.counts, other.counts);
    }

    #[test]
    fn a_damaged_digest_is_counted_at_most(at in any::<usize>(), count in 0usize..60, byte in any::<u8>()) {
        let mut text = digest(8, 3).into_bytes();
        let at = at % text.len();
        let end = (at + count).min(text.len());
        text.splice(at..end, [byte]);
        let (seen, report) = read(&text, Limits::default());
        prop_assert!(seen.digests.len() as u64 <= report.counts.other.digests);
        prop_assert!(report.counts.other.digests <= 1);
    }
}
