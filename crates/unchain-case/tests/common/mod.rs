//! Ledgers out of the scenarios' stories.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

use serde_json::Value;
use unchain_core::ledger::Ledger;
use unchain_core::record::plain;

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

/// The ledger of some records.
pub(crate) fn ledger(records: &[Value]) -> Ledger {
    let mut ledger = Ledger::default();
    for record in records {
        ledger.apply(&plain(record).unwrap());
    }
    ledger.settle();
    ledger
}
