//! What callers did, rolled up: one [`Use`] for each (caller, call, outcome, client, place). Call, place and outcome are
//! one number, that of an [`Act`].
//!
//! A use holds the set of its events, each as a [`Mark`]: the second of the event and 32 bits of a
//! hash of its id. A set can be united in any order and any number of times, which is what makes the
//! whole ledger a set; its size is the count. Eight bytes an event is the one cost that grows with
//! events (docs/decisions/0003-the-ledger-is-a-set.md has the odds of a collision).

use super::event_key::EventKey;
use super::symbols::Symbol;
use crate::time::Seconds;
use crate::time::Timestamp;

/// What was called. Two calls that differ in these are different rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// `eventSource`.
    pub source: Symbol,
    /// `eventName`.
    pub name: Symbol,
    /// `eventCategory`.
    pub category: crate::event::Category,
    /// `readOnly`.
    pub read_only: Option<bool>,
}

/// From where a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client {
    /// `sourceIPAddress`.
    pub address: Symbol,
    /// `userAgent`.
    pub agent: Symbol,
    /// `vpcEndpointId`.
    pub endpoint: Symbol,
}

/// Where a call was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// `awsRegion`.
    pub region: Symbol,
    /// `recipientAccountId`.
    pub account: Symbol,
}

/// What was called, where that was logged, and how it ended; numbers are the ledger's own. Many uses share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Act {
    /// Index of the call.
    pub call: u32,
    /// Index of the place.
    pub place: u32,
    /// `errorCode`; empty for success.
    pub outcome: Symbol,
}

/// The key of a use; numbers are the ledger's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UseKey {
    /// Index of the caller.
    pub caller: u32,
    /// Index of the act: see [`super::Ledger::act`].
    pub act: u32,
    /// Index of the client.
    pub client: u32,
}

/// One event in a use: its second in the high half, 32 bits of a hash of its id in the low half.
// Packed: aligned to eight bytes, rows that hold one would have holes of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed(4))]
pub struct Mark(pub u64);

impl Mark {
    /// A mark for an event at `time` whose identity hashes to `hash`.
    pub fn new(time: Seconds, hash: u64) -> Self {
        Self(u64::from(time) << 32 | hash >> 32)
    }

    /// The second of the event.
    pub fn time(self) -> Timestamp {
        Timestamp::from_seconds(i64::from(self.seconds()))
    }

    /// The second of the event, as stored.
    pub fn seconds(self) -> Seconds {
        u32::try_from(self.0 >> 32).unwrap_or(u32::MAX)
    }
}

/// A use with its first and last event and, from two on, the marks of all.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// What is counted.
    pub key: UseKey,
    /// The event id of `first`.
    pub first_id: EventKey,
    /// The earliest mark.
    pub first: Mark,
    /// Which row of marks it has, or [`Use::ONE`].
    pub many: u32,
}

impl Use {
    /// The value of `many` for a use with a single event.
    pub const ONE: u32 = u32::MAX;
}

/// What a use with more than one event has beside its first.
#[derive(Clone, Debug)]
pub(super) struct Many {
    /// The latest mark.
    pub(super) last: Mark,
    /// The event id of `last`.
    pub(super) last_id: EventKey,
    /// Events of this use whose marks are not here: a ledger loaded only to be read has the count and
    /// not the marks.
    pub(super) unloaded: u32,
    /// The number of marks, once they are in order.
    pub(super) count: u32,
    /// Where they begin, in words.
    pub(super) at: u32,
}

impl Many {
    /// With the event at the end, and no marks yet.
    pub(super) fn new((last, last_id): (Mark, EventKey)) -> Self {
        Self {
            last,
            last_id,
            unloaded: 0,
            count: 0,
            at: 0,
        }
    }

    /// For another run, where its marks are not yet.
    pub(super) fn without_marks(&self) -> Self {
        Self {
            count: 0,
            at: 0,
            ..self.clone()
        }
    }

    /// Learns of an event that may be the last. Ties in the mark take the smaller id, so that order does not
    /// matter.
    pub(super) fn see(&mut self, (last, last_id): (Mark, EventKey)) {
        if last > self.last {
            (self.last, self.last_id) = (last, last_id);
        } else if last == self.last {
            self.last_id = self.last_id.min(last_id);
        }
    }
}
