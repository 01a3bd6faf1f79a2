//! Any bytes are read: the counts add up, every event stands where a record was read, and a sound file
//! that passes through a small window gives what it gives when it is held in memory whole.

#![no_main]

use libfuzzer_sys::fuzz_target;
use unchain_core::digest::Digest;
use unchain_core::event::Event;
use unchain_core::time::Timestamp;
use unchain_source::{FileReport, Limits, Position, Reader, Sink, read_bytes};

/// What is compared of an event.
type Seen = (u64, Timestamp, String, String);

#[derive(Default)]
struct Kept {
    events: Vec<Seen>,
    digests: Vec<Digest<String>>,
}

impl Sink for Kept {
    fn event(&mut self, event: &Event<'_>, at: Position) {
        let (id, name) = (event.id.to_owned(), event.name.to_owned());
        self.events.push((at.record, event.time, id, name));
    }

    fn digest(&mut self, digest: &Digest<String>) {
        self.digests.push(digest.clone());
    }
}

fuzz_target!(|bytes: &[u8]| {
    let whole = read(bytes, Limits::default());
    let windowed = read(
        bytes,
        Limits {
            whole: 16,
            window: 64,
            ..Limits::default()
        },
    );
    // Behind damage a window may know less of what came before than the whole text does.
    if [&whole.0, &windowed.0]
        .iter()
        .any(|report| report.counts.refused.total() > 0 || report.damage.is_some())
    {
        return;
    }
    assert_eq!(whole.1.events, windowed.1.events, "events");
    assert_eq!(whole.1.digests, windowed.1.digests, "digests");
    assert_eq!(whole.0.counts, windowed.0.counts, "counts");
    assert_eq!(whole.0.kind, windowed.0.kind, "kind");
});

fn read(bytes: &[u8], limits: Limits) -> (FileReport, Kept) {
    let mut kept = Kept::default();
    let report = read_bytes("fuzz", bytes, &mut Reader::new(limits), &mut kept);
    let seen = &kept.events;
    assert!(report.reconciles(), "read = parsed + refused: {report:?}");
    assert_eq!(
        u64::try_from(seen.len()).ok(),
        Some(report.counts.parsed - report.counts.filtered)
    );
    assert!(
        seen.iter().all(|(at, ..)| *at < report.counts.read),
        "a position behind the last record"
    );
    assert!(
        seen.windows(2).all(|pair| pair[0].0 < pair[1].0),
        "positions rise"
    );
    (report, kept)
}
