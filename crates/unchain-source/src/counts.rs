//! What was read, in numbers that must add up.

use unchain_core::event::{Notes, Refusal};
use unchain_core::time::Timestamp;

/// How many records were refused, per reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefusalCounts([u64; Refusal::ALL.len()]);

/// How many parsed records were odd, per oddity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoteCounts([u64; Notes::ALL.len()]);

/// Things that a trail delivers beside records of calls. They are counted and not parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherRecords {
    /// Digests of log files.
    pub digests: u64,
    /// Insight records.
    pub insights: u64,
    /// Aggregated records.
    pub aggregated: u64,
    /// Messages that only announce a log file.
    pub notifications: u64,
}

/// The numbers of one file or of all. `read = parsed + refused`, and `filtered` is a part of `parsed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records met.
    pub read: u64,
    /// Records that were understood.
    pub parsed: u64,
    /// Understood records that the filter left out.
    pub filtered: u64,
    /// Records that were not understood.
    pub refused: RefusalCounts,
    /// Oddities of understood records.
    pub notes: NoteCounts,
    /// What was met beside records.
    pub other: OtherRecords,
    /// `eventTime` of the earliest record that was kept.
    pub earliest: Option<Timestamp>,
    /// `eventTime` of the latest record that was kept.
    pub latest: Option<Timestamp>,
}

impl RefusalCounts {
    /// How many were refused for this reason.
    pub fn get(&self, refusal: Refusal) -> u64 {
        self.iter()
            .find(|(reason, _)| *reason == refusal)
            .map_or(0, |(_, count)| count)
    }

    /// All reasons with their counts, also those that did not occur.
    pub fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> + '_ {
        Refusal::ALL.into_iter().zip(self.0)
    }

    /// How many were refused.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(crate) fn add(&mut self, refusal: Refusal, count: u64) {
        for (slot, reason) in self.0.iter_mut().zip(Refusal::ALL) {
            if reason == refusal {
                *slot += count;
            }
        }
    }
}

impl NoteCounts {
    /// How many records had this oddity.
    pub fn get(&self, note: Notes) -> u64 {
        Notes::ALL
            .iter()
            .zip(self.0)
            .find(|((n, _), _)| *n == note)
            .map_or(0, |(_, count)| count)
    }

    /// The stable name of each oddity with its count, also those that did not occur.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Notes::ALL.iter().map(|(_, name)| *name).zip(self.0)
    }

    pub(crate) fn add(&mut self, notes: Notes) {
        for (slot, (note, _)) in self.0.iter_mut().zip(Notes::ALL) {
            *slot += u64::from(notes.has(note));
        }
    }
}

impl OtherRecords {
    /// How many in all.
    pub fn total(&self) -> u64 {
        self.digests + self.insights + self.aggregated + self.notifications
    }
}

impl Counts {
    /// Whether the numbers add up.
    pub fn reconciles(&self) -> bool {
        self.read == self.parsed + self.refused.total() && self.filtered <= self.parsed
    }

    /// Adds the numbers of another file.
    pub fn merge(&mut self, other: &Self) {
        self.read += other.read;
        self.parsed += other.parsed;
        self.filtered += other.filtered;
        for (slot, count) in self.refused.0.iter_mut().zip(other.refused.0) {
            *slot += count;
        }
        for (slot, count) in self.notes.0.iter_mut().zip(other.notes.0) {
            *slot += count;
        }
        self.other.digests += other.other.digests;
        self.other.insights += other.other.insights;
        self.other.aggregated += other.other.aggregated;
        self.other.notifications += other.other.notifications;
        self.earliest = [self.earliest, other.earliest].into_iter().flatten().min();
        self.latest = [self.latest, other.latest].into_iter().flatten().max();
    }
}
