//! Made-up records and a sink that remembers what it was given.

use unchain_core::event::{Event, Notes};
use unchain_source::{FileReport, Limits, Position, Reader, Sink, read_bytes};

/// A record whose `eventID` is `id`. The escapes in every second one keep it from the fast path.
pub(crate) fn record(id: usize) -> String {
    let minute = id / 60 % 60;
    let second = id % 60;
    let agent = if id.is_multiple_of(2) {
        "[tool/1 {x}]"
    } else {
        r#"[tool \"x\" {1}]"#
    };
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE:s{id}","arn":"arn:aws:sts::111122223333:assumed-role/reader/s{id}","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{{"attributes":{{"mfaAuthenticated":"false"}}}}}},"eventTime":"2024-05-06T07:{minute:02}:{second:02}Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.7","userAgent":"{agent}","requestParameters":{{"bucketName":"b","policy":"{{\"Statement\":[{{\"Effect\":\"Deny\"}}]}}","list":[{{"key":"a"}},{{"key":"b"}}]}},"responseElements":null,"eventID":"{id}","readOnly":true,"eventType":"AwsApiCall","recipientAccountId":"111122223333"}}"#
    )
}

/// The records 0 to `count` as a log file.
pub(crate) fn log(count: usize) -> String {
    format!("{{\"Records\":[{}]}}", records(count).join(","))
}

pub(crate) fn records(count: usize) -> Vec<String> {
    (0..count).map(record).collect()
}

/// What was kept: event id, ordinal, time, notes.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) ids: Vec<String>,
    pub(crate) ordinals: Vec<u64>,
    pub(crate) times: Vec<String>,
    pub(crate) notes: Notes,
}

impl Sink for Seen {
    fn event(&mut self, event: &Event<'_>, at: Position) {
        self.ids.push(event.id.to_owned());
        self.ordinals.push(at.record);
        self.times.push(event.time.to_string());
        self.notes.add(event.notes);
    }
}

/// Reads bytes that fit into memory.
pub(crate) fn read(bytes: &[u8]) -> (Seen, FileReport) {
    let mut seen = Seen::default();
    let report = read_bytes("test", bytes, &mut Reader::default(), &mut seen);
    assert!(report.reconciles(), "{report:?}");
    (seen, report)
}

/// Reads bytes through a window of at first `window` bytes.
pub(crate) fn read_windowed(bytes: &[u8], window: usize) -> (Seen, FileReport) {
    let limits = Limits {
        whole: 16,
        window,
        ..Limits::default()
    };
    let mut seen = Seen::default();
    let report = read_bytes("test", bytes, &mut Reader::new(limits), &mut seen);
    assert!(report.reconciles(), "{report:?}");
    (seen, report)
}

pub(crate) fn ids(count: usize) -> Vec<String> {
    (0..count).map(|id| id.to_string()).collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
