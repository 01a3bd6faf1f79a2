//! Ledgers out of the scenarios' stories.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

use serde_json::Value;
use unchain_core::digest::Digest;
use unchain_core::ledger::Ledger;
use unchain_core::record::plain;
use unchain_core::time::{Seconds, seconds};

/// Every kind of line, and one story for each kind of lineage.
pub(crate) const STORIES: [&str; 7] = [
    include_str!("../../../unchain-trail/tests/everything.trail"),
    include_str!("../../../../scenarios/whack-a-mole/story.trail"),
    include_str!("../../../../scenarios/console-and-switch-role/story.trail"),
    include_str!("../../../../scenarios/federation/story.trail"),
    include_str!("../../../../scenarios/identity-center/story.trail"),
    include_str!("../../../../scenarios/role-chain/story.trail"),
    include_str!("../../../../scenarios/workloads/story.trail"),
];

/// The records of a story.
pub(crate) fn story(n: usize) -> Vec<Value> {
    unchain_trail::records(STORIES[n]).unwrap()
}

/// The ledger of some records, and of a digest for each minute that has one.
pub(crate) fn ledger(records: &[Value]) -> Ledger {
    let mut ledger = Ledger::default();
    for record in records {
        let event = plain(record).unwrap();
        ledger.apply(&event);
        ledger.add_digest(&digest(seconds(event.time) / 60));
    }
    ledger.settle();
    ledger
}

/// A digest of a minute, with and without what may be missing.
fn digest(minute: Seconds) -> Digest<String> {
    let (start, odd) = (minute * 60, minute % 2 == 1);
    Digest {
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        trail: "main".to_owned(),
        backfill: minute.is_multiple_of(3),
        start,
        end: start + 60,
        previous: odd.then_some(start),
        files: minute % 5,
        events: odd.then_some((start, start + 9)),
    }
}
