//! What holds for any bytes: no panic, numbers that add up, neighbours that are kept, two paths that
//! agree.

#![cfg(test)]

mod common;

use common::{Seen, gzip, ids, log, read, read_windowed, record, records};
use proptest::prelude::*;
use serde_json::Value;
use unchain_core::event::Event;
use unchain_core::json::Node;
use unchain_core::record::{parse_at, plain};

/// Everything an event says, in a form that does not show which path made it.
fn shown(event: &Event<'_>) -> String {
    let nodes = [
        event.error_message,
        event.identity,
        event.request,
        event.response,
        event.additional,
        event.details,
    ];
    let nodes = nodes.map(|node| node.map(Node::to_value));
    let plain = Event {
        error_message: None,
        identity: None,
        identity_token: None,
        request: None,
        response: None,
        additional: None,
        details: None,
        ..*event
    };
    format!("{plain:?} {nodes:?}")
}

/// Whatever the fast path accepts, the plain path reads alike.
fn agree(text: &str) -> Result<(), TestCaseError> {
    if let Some((event, end)) = parse_at(text, 0) {
        let value: Value = serde_json::from_str(text.get(..end).unwrap_or_default())
            .map_err(|e| TestCaseError::fail(format!("{e}: {text}")))?;
        let plain = plain(&value).map_err(|e| TestCaseError::fail(format!("{e:?}: {text}")))?;
        prop_assert_eq!(shown(&event), shown(&plain));
    }
    Ok(())
}

/// JSON-like text made of the pieces of records.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("\"".to_owned()),
        Just("\n".to_owned()),
        Just("{\"Records\":[".to_owned()),
        Just("\"Message\":".to_owned()),
        Just("\"eventName\":\"x\"".to_owned()),
        Just("\"eventTime\":\"2024-05-06T07:08:09Z\"".to_owned()),
        Just("\"\\u00e9\\ud83d\"".to_owned()),
        Just("-1.5e3".to_owned()),
        Just("NaN".to_owned()),
        (0usize..9).prop_map(record),
        "[ -~]{0,4}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// One change to a text.
#[derive(Clone, Debug)]
enum Change {
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Replace(usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let any_byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(b"{}[]\",:\\\n 0".to_vec())
    ];
    prop_oneof![
        (any::<usize>(), 1usize..200).prop_map(|(at, count)| Change::Remove(at, count)),
        (
            any::<usize>(),
            prop::collection::vec(any_byte.clone(), 1..4)
        )
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<usize>(), any_byte).prop_map(|(at, byte)| Change::Replace(at, byte)),
    ]
}

fn changed(text: &str, change: &Change) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    match change {
        Change::Remove(at, count) => {
            let at = at % bytes.len();
            let end = (at + count).min(bytes.len());
            bytes.drain(at..end);
        }
        Change::Insert(at, new) => {
            let at = at % bytes.len();
            bytes.splice(at..at, new.iter().copied());
        }
        Change::Replace(at, byte) => {
            let at = at % bytes.len();
            bytes[at] = *byte;
        }
    }
    bytes
}

/// The damaged middle record may be read or not; the others must be.
fn neighbours_are_kept(text: &[u8], others: &[String]) -> Result<(), TestCaseError> {
    for (seen, report) in [read(text), read_windowed(text, 256)] {
        let kept: Vec<&String> = others.iter().filter(|id| seen.ids.contains(id)).collect();
        prop_assert_eq!(
            kept.len(),
            others.len(),
            "{:?} {}",
            report,
            String::from_utf8_lossy(text)
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_reconcile(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (_, report) = read(&bytes);
        prop_assert!(report.reconciles());
        read_windowed(&bytes, 32);
    }

    #[test]
    fn a_cut_log_file_keeps_what_came_before(count in 1usize..6, at in any::<usize>(), window in 1usize..5000) {
        let text = log(count);
        let cut = at % text.len();
        let (seen, report) = read_windowed(&text.as_bytes()[..cut], window);
        prop_assert_eq!(&seen.ids, &ids(seen.ids.len()));
        let whole = (0..count).filter(|id| text.find(&record(*id)).is_some_and(|start| start + record(*id).len() <= cut));
        prop_assert_eq!(seen.ids.len(), whole.count());
        prop_assert!(report.counts.refused.total() <= 1);
    }

    #[test]
    fn any_packed_bytes_reconcile(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<usize>(), byte in any::<u8>()) {
        for mut packed in [gzip(&bytes), zstd::encode_all(&*bytes, 1).expect("memory")] {
            let at = at % packed.len();
            packed[at] = byte;
            read(&packed);
        }
    }

    // Behind damage a window may know less of what came before than the whole text does.
    #[test]
    fn pieces_of_records_reconcile_and_windows_change_nothing_sound(text in pieces()) {
        let (whole, report): (Seen, _) = read(text.as_bytes());
        let (windowed, other) = read_windowed(text.as_bytes(), 32);
        if report.counts.refused.total() == 0 && other.counts.refused.total() == 0 {
            prop_assert_eq!(whole.ids, windowed.ids);
            prop_assert_eq!(report.counts, other.counts);
        }
    }

    #[test]
    fn windows_change_nothing(count in 0usize..8, window in 1usize..3000, shape in 0usize..3) {
        let text = match shape {
            0 => log(count),
            1 => records(count).join("\n"),
            _ => format!("[{}]", records(count).join(" ,\n")),
        };
        let (whole, report) = read(text.as_bytes());
        let (windowed, other) = read_windowed(text.as_bytes(), window);
        prop_assert_eq!(&whole.ids, &ids(count));
        prop_assert_eq!(whole.ids, windowed.ids);
        prop_assert_eq!(report.counts, other.counts);
    }

    #[test]
    fn the_fast_path_equals_the_plain_path_on_pieces(text in pieces()) {
        agree(&text)?;
    }

    #[test]
    fn the_fast_path_equals_the_plain_path_on_changed_records(changes in prop::collection::vec(change(), 1..4)) {
        let mut text = record(5);
        for change in &changes {
            text = String::from_utf8_lossy(&changed(&text, change)).into_owned();
            if text.is_empty() {
                break;
            }
        }
        agree(&text)?;
    }

    #[test]
    fn one_damaged_record_keeps_the_others_of_a_log_file(change in change(), at in 0usize..5) {
        let mut all: Vec<Vec<u8>> = records(5).into_iter().map(String::into_bytes).collect();
        all[at] = changed(&record(at), &change);
        let text = [b"{\"Records\":[", all.join(&b","[..]).as_slice(), b"]}"].concat();
        let others: Vec<String> = (0..5).filter(|id| *id != at).map(|id| id.to_string()).collect();
        neighbours_are_kept(&text, &others)?;
    }

    #[test]
    fn one_damaged_record_keeps_the_other_lines(change in change(), at in 0usize..5) {
        let mut all: Vec<Vec<u8>> = records(5).into_iter().map(String::into_bytes).collect();
        all[at] = changed(&record(at), &change);
        let others: Vec<String> = (0..5).filter(|id| *id != at).map(|id| id.to_string()).collect();
        neighbours_are_kept(&all.join(&b"\n"[..]), &others)?;
    }
}
