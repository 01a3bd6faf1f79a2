//! Damage of every kind, and that it never costs a good record.

#![cfg(test)]

mod common;

use common::{gzip, ids, log, read, read_windowed, record, records};
use unchain_core::event::{Notes, Refusal};
use unchain_source::{Compression, Damage, FileKind, Limits, Reader, read_bytes};

/// Three records with the middle one replaced; the outer ones must be kept.
fn middle(damaged: &str) -> Vec<(Vec<u8>, &'static str)> {
    let (a, c) = (record(0), record(2));
    vec![
        (
            format!("{{\"Records\":[{a},{damaged},{c}]}}").into_bytes(),
            "log file",
        ),
        (format!("{a}\n{damaged}\n{c}\n").into_bytes(), "lines"),
        (
            format!("[\n  {a},\n  {damaged},\n  {c}\n]\n").into_bytes(),
            "list",
        ),
    ]
}

fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).expect("ASCII")
}

fn check_refused(damaged: &str, reason: Refusal) {
    for (text, shape) in middle(damaged) {
        for (seen, report) in [read(&text), read_windowed(&text, 64)] {
            assert_eq!(seen.ids, ["0", "2"], "{shape}: {damaged}");
            assert_eq!(
                report.counts.refused.get(reason),
                1,
                "{shape}: {damaged} {report:?}"
            );
            assert_eq!(report.counts.read, 3, "{shape}: {damaged} {report:?}");
            assert_eq!(report.damage, None, "{shape}: {damaged}");
            assert_eq!(seen.ordinals, [0, 2], "{shape}: {damaged}");
        }
    }
}

fn check_noted(damaged: &str, note: Notes) {
    for (text, shape) in middle(damaged) {
        let (seen, report) = read(&text);
        assert_eq!(seen.ids, ids(3), "{shape}: {damaged}");
        assert_eq!(report.counts.notes.get(note), 1, "{shape}: {damaged}");
    }
}

#[test]
fn a_bad_record_keeps_its_neighbours() {
    let good = record(1);
    check_refused(
        &good.replacen("\"eventName\":", "\"eventName:", 1),
        Refusal::NotJson,
    );
    check_refused(
        &good.replacen("\"eventName\":", "eventName\":", 1),
        Refusal::NotJson,
    );
    check_refused(
        &good.replacen("\"eventName\":", "\"eventName\"", 1),
        Refusal::NotJson,
    );
    check_refused(
        &good.replacen("}},\"eventTime\"", "},\"eventTime\"", 1),
        Refusal::NotJson,
    );
    check_refused(
        &good.replacen("\"readOnly\":true", "\"readOnly\":tru", 1),
        Refusal::NotJson,
    );
    check_refused(part(&good, 0, good.len() / 2), Refusal::NotJson);
    check_refused(part(&good, 0, good.len() - 1), Refusal::NotJson);
    check_refused(part(&good, 1, good.len()), Refusal::NotJson);
    check_refused(
        &good.replacen("\"list\":[", "\"list\":[[[[[", 1),
        Refusal::NotJson,
    );
    check_refused(
        &good.replacen("\"eventName\"", "\"eventname\"", 1),
        Refusal::NoEventName,
    );
    check_refused(
        &good.replacen("\"eventTime\"", "\"eventtime\"", 1),
        Refusal::NoTime,
    );
}

#[test]
fn a_bracket_too_many() {
    let damaged = record(1).replacen("}}},\"eventTime\"", "}}}},\"eventTime\"", 1);
    check_refused(&damaged, Refusal::NoEventName);
}

#[test]
fn brackets_between_records_cost_nothing() {
    for text in [
        format!("[{}}}}},{}]", record(0), record(1)),
        format!("{{\"Records\":[{},{}]}}]}}", record(0), record(1)),
        format!("{}\n}}\n{}\n", record(0), record(1)),
    ] {
        let (seen, report) = read(text.as_bytes());
        assert_eq!((seen.ids, report.counts.read), (ids(2), 2), "{text}");
    }
}

#[test]
fn a_whole_record_in_a_damaged_wrapper_is_read() {
    let text = format!("[{{\"aws\":{{\"cloudtrail\":{}}},{}]", record(0), record(1));
    let (seen, report) = read(text.as_bytes());
    assert_eq!(
        (seen.ids, report.counts.read),
        (ids(2), 2),
        "{text} {report:?}"
    );
}

#[test]
fn two_bad_records_side_by_side_are_two() {
    let broken = record(1).replacen("\"eventName\":", "\"eventName:", 1);
    let text = format!(
        "{{\"Records\":[{},{broken},{broken},{}]}}",
        record(0),
        record(3)
    );
    let (seen, report) = read(text.as_bytes());
    assert_eq!(seen.ordinals, [0, 3]);
    assert_eq!(report.counts.refused.get(Refusal::NotJson), 2);
}

#[test]
fn the_last_record_may_be_the_bad_one() {
    let broken = record(1).replacen("\"eventName\":", "\"eventName:", 1);
    for text in [
        format!("{{\"Records\":[{},{broken}]}}", record(0)),
        format!("{}\n{broken}\n", record(0)),
    ] {
        let (seen, report) = read(text.as_bytes());
        assert_eq!(seen.ids, ["0"]);
        assert_eq!(
            (report.counts.refused.get(Refusal::NotJson), report.damage),
            (1, None),
            "{text}"
        );
    }
}

#[test]
fn odd_neighbours_are_found_too() {
    let odd = |id: usize| record(id).replace("eventTime", "@timestamp");
    let broken = odd(1).replacen("\"eventName\":", "\"eventName:", 1);
    for text in [
        format!("{}\n{broken}\n{}\n", odd(0), odd(2)),
        format!("[{},{broken},{}]", odd(0), odd(2)),
    ] {
        assert_eq!(read(text.as_bytes()).0.ids, ["0", "2"], "{text}");
    }
}

#[test]
fn a_cut_yields_every_whole_record_and_one_refusal() {
    let text = log(4);
    let starts: Vec<usize> = (0..4)
        .map(|id| text.find(&record(id)).expect("there"))
        .collect();
    let ends: Vec<usize> = (0..4).map(|id| starts[id] + record(id).len()).collect();
    for cut in starts[0]..text.len() {
        let (seen, report) = read(&text.as_bytes()[..cut]);
        let whole = ends.iter().filter(|&&end| end <= cut).count();
        let inside = (0..4).any(|id| starts[id] < cut && cut < ends[id]);
        assert_eq!(seen.ids, ids(whole), "cut at {cut}");
        assert_eq!(
            report.counts.refused.get(Refusal::Truncated),
            u64::from(inside),
            "cut at {cut}"
        );
        assert_eq!(
            report.counts.read,
            report.counts.parsed + u64::from(inside),
            "cut at {cut}"
        );
        assert_eq!(report.damage, Some(Damage::EndsEarly), "cut at {cut}");
    }
}

#[test]
fn a_cut_pretty_file() {
    let pretty = serde_json::to_string_pretty(
        &serde_json::from_str::<serde_json::Value>(&log(3)).expect("JSON"),
    )
    .expect("JSON");
    let (seen, report) = read(&pretty.as_bytes()[..pretty.len() / 2]);
    assert_eq!(seen.ids, ["0"]);
    assert_eq!(report.counts.refused.get(Refusal::Truncated), 1);
}

#[test]
fn oddities_are_read_and_noted() {
    let good = record(1);
    check_noted(
        &good.replacen("\"readOnly\":true", "\"readOnly\":NaN", 1),
        Notes::NOT_A_NUMBER,
    );
    check_noted(
        &good.replacen("\"readOnly\":true", "\"readOnly\":-Infinity", 1),
        Notes::NOT_A_NUMBER,
    );
    check_noted(&good.replacen("[tool", "[to\u{1}ol", 1), Notes::REPAIRED);
    check_noted(&good.replacen("[tool", "[to\nol", 1), Notes::REPAIRED);
    check_noted(&good.replacen("[tool", "[to\\ol", 1), Notes::REPAIRED);
    check_noted(
        &good.replacen("\"awsRegion\"", "\"awsRegion\":\"x\",\"awsRegion\"", 1),
        Notes::DUPLICATE_KEY,
    );
    check_noted(
        &good.replacen("\"eventID\":\"1\"", "\"eventID\":\"\",\"eventID\":\"1\"", 1),
        Notes::DUPLICATE_KEY,
    );
    let identity = good.find("\"userIdentity\":{").expect("there");
    let end = good.find(",\"eventTime\"").expect("there");
    check_noted(
        &format!(
            "{}\"userIdentity\":\"root\"{}",
            part(&good, 0, identity),
            part(&good, end, good.len())
        ),
        Notes::UNUSUAL_TYPE,
    );
}

#[test]
fn a_record_without_id_is_noted() {
    let (seen, report) = read(record(1).replace("\"eventID\":\"1\",", "").as_bytes());
    assert_eq!(seen.ids, [""]);
    assert_eq!(report.counts.notes.get(Notes::NO_EVENT_ID), 1);
}

#[test]
fn bytes_that_are_not_utf8_cost_only_themselves() {
    for (text, shape) in middle(&record(1).replacen("[tool", "[to#ol", 1)) {
        let mut bytes = text;
        let at = bytes.iter().position(|&b| b == b'#').expect("there");
        bytes[at] = 0xff;
        for (seen, report) in [read(&bytes), read_windowed(&bytes, 64)] {
            assert_eq!(seen.ids, ids(3), "{shape}");
            assert_eq!(report.counts.notes.get(Notes::NON_UTF8), 1, "{shape}");
        }
    }
}

#[test]
fn depth_is_refused_for_one_record_only() {
    let nested = |levels: usize| {
        format!(
            "\"list\":{}1{},\"x\":[",
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    let deep = |levels: usize| record(1).replacen("\"list\":[", &nested(levels), 1);
    check_refused(&deep(126), Refusal::TooDeep);
    check_refused(&deep(100_000), Refusal::TooDeep);
    for (text, shape) in middle(&deep(125)) {
        assert_eq!(read(&text).0.ids, ids(3), "{shape}");
    }
}

#[test]
fn a_record_beyond_the_cap_is_refused_alone() {
    let large = record(1).replacen("[tool", &"x".repeat(300_000), 1);
    for whole in [16, 64 << 20] {
        for (text, shape) in middle(&large) {
            let limits = Limits {
                record: 100_000,
                whole,
                window: 4096,
                ..Limits::default()
            };
            let mut seen = common::Seen::default();
            let report = read_bytes("x", &text, &mut Reader::new(limits), &mut seen);
            assert_eq!(seen.ids, ["0", "2"], "{shape} {whole} {report:?}");
            assert_eq!(
                (
                    report.counts.read,
                    report.counts.refused.get(Refusal::TooLarge)
                ),
                (3, 1),
                "{shape} {whole}"
            );
        }
    }
}

#[test]
fn packed_files_whole_cut_and_corrupt() {
    let text = log(400);
    let packed = gzip(text.as_bytes());
    let (seen, report) = read(&packed);
    assert_eq!(
        (seen.ids, report.compression, report.damage),
        (ids(400), Compression::Gzip, None)
    );
    assert_eq!(report.bytes, text.len() as u64);
    let (seen, report) = read(&packed[..packed.len() * 3 / 4]);
    assert!((200..400).contains(&seen.ids.len()), "{}", seen.ids.len());
    assert_eq!(seen.ids, ids(seen.ids.len()));
    assert_eq!(
        (report.damage, report.counts.refused.total()),
        (Some(Damage::PackedTruncated), 1)
    );
    let mut corrupt = packed.clone();
    let at = packed.len() * 3 / 4;
    corrupt[at..at + 32].fill(0);
    let (seen, report) = read(&corrupt);
    assert!(seen.ids.len() > 200, "{}", seen.ids.len());
    assert!(report.damage.is_some());
    let zstd = zstd::encode_all(text.as_bytes(), 3).expect("memory");
    let (seen, report) = read(&zstd);
    assert_eq!(
        (seen.ids, report.compression, report.damage),
        (ids(400), Compression::Zstd, None)
    );
    let (seen, _) = read(&gzip(&gzip(text.as_bytes())));
    assert_eq!(seen.ids, ids(400));
    let members: Vec<u8> = records(50)
        .iter()
        .flat_map(|r| gzip(format!("{r}\n").as_bytes()))
        .collect();
    assert_eq!(read(&members).0.ids, ids(50));
}

#[test]
fn a_bomb_stops_at_the_cap() {
    let limits = Limits {
        unpacked: 1 << 20,
        unpacked_times: 1,
        bomb_floor: 1 << 20,
        whole: 1 << 16,
        window: 1 << 14,
        ..Limits::default()
    };
    for bomb in [
        gzip(&vec![b' '; 64 << 20]),
        gzip(&gzip(&vec![b'['; 64 << 20])),
        zstd::encode_all(&*vec![b'{'; 64 << 20], 1).expect("memory"),
    ] {
        let report = read_bytes(
            "bomb",
            &bomb,
            &mut Reader::new(limits),
            &mut common::Seen::default(),
        );
        assert_eq!(report.damage, Some(Damage::TooLarge));
        assert!(report.bytes < 4 << 20, "{report:?}");
    }
}

#[test]
fn a_large_file_passes_through_a_window() {
    let text = records(5000).join("\n");
    let (seen, report) = read_windowed(text.as_bytes(), 1 << 12);
    assert_eq!(seen.ids, ids(5000));
    assert_eq!(
        (report.kind, report.bytes),
        (FileKind::Records, text.len() as u64)
    );
    assert_eq!(
        read_windowed(log(5000).as_bytes(), 1 << 12).0.ids,
        ids(5000)
    );
}

/// Each of these made some reader look at the rest of the file again and again. It would take minutes.
#[test]
fn text_made_to_mislead_costs_no_more_than_its_size() {
    for piece in [
        "[",
        "{\"a\":",
        "{\"a\":[",
        ",{\"a\":1",
        "{\"eventName\":[",
        "{\"Records\":[",
        "{\"Records\":[{\"eventName\":{",
        "{\"x\"[{\"eventName\":1}",
        "\"",
        "{ hello \"world\n",
    ] {
        let text = piece.repeat((1 << 17) / piece.len());
        assert!(read(text.as_bytes()).0.ids.is_empty(), "{piece}");
        let log = format!("{{\"Records\":[{},{text}x\n{}]}}", record(0), record(1));
        let (seen, _) = read(log.as_bytes());
        assert_eq!(seen.ids, ids(2), "{piece}");
    }
}
