//! An order of callers that comes from what they say, not from when they were met.

use crate::ledger::{Caller, IdentityType, Ledger, Seconds, Symbol};
use std::cmp::Ordering;

/// Compares all that tells callers of one key apart.
pub(super) fn compare(ledger: &Ledger, a: u32, b: u32) -> Ordering {
    let (a, b) = (ledger.caller(a), ledger.caller(b));
    let texts = |caller: &Caller| {
        [
            caller.unique_id,
            caller.session,
            caller.arn,
            caller.account,
            caller.user_name,
        ]
    };
    // A text is kept once, so equal symbols are equal texts.
    let differ = texts(&a).into_iter().zip(texts(&b)).find(|(a, b)| a != b);
    let texts = differ.map_or(Ordering::Equal, |(a, b)| ledger.text(a).cmp(ledger.text(b)));
    (a.created, a.kind).cmp(&(b.created, b.kind)).then(texts)
}

/// Sorts (key, caller) pairs of one key. There may be very many without a key.
pub(super) fn sort(ledger: &Ledger, group: &mut [(u32, u32)]) {
    if group.len() < 2 {
        return;
    }
    let rows = group.iter().map(|&(_, number)| Row::new(ledger, number));
    let mut rows: Vec<Row> = rows.collect();
    rows.sort_by(|a, b| {
        a.compare(b)
            .then_with(|| compare(ledger, a.number, b.number))
    });
    for ((_, number), row) in group.iter_mut().zip(rows) {
        *number = row.number;
    }
}

/// What decides between most callers without a look at their texts.
struct Row {
    created: Option<Seconds>,
    kind: IdentityType,
    unique_id: Symbol,
    unique_id_start: u128,
    session_start: u128,
    number: u32,
}

impl Row {
    fn new(ledger: &Ledger, number: u32) -> Self {
        let caller = ledger.caller(number);
        Self {
            created: caller.created,
            kind: caller.kind,
            unique_id: caller.unique_id,
            unique_id_start: ledger.symbols().start(caller.unique_id),
            session_start: ledger.symbols().start(caller.session),
            number,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let key = |row: &Self| (row.created, row.kind, row.unique_id_start);
        key(self).cmp(&key(other)).then_with(|| {
            if self.unique_id == other.unique_id {
                self.session_start.cmp(&other.session_start)
            } else {
                Ordering::Equal
            }
        })
    }
}
