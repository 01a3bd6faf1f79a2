//! Counts every record as it is met, applies the filter, and hands on what is kept.

use crate::boundary;
use crate::counts::Counts;
use crate::filter::Filter;
use crate::report::Damage;
use serde_json::{Map, Value};
use std::ops::ControlFlow;
use unchain_core::digest::Digest;
use unchain_core::event::{Category, Event, Refusal};

/// A record as it stands in its file.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    Text(&'a str),
    Value(&'a Value),
}

/// Who receives the records of one file, with the record's ordinal.
pub(crate) trait Take {
    /// `Break` ends the reading of this file.
    fn take(&mut self, event: &Event<'_>, raw: Raw<'_>, record: u64) -> ControlFlow<()>;

    /// A digest file; nothing if it is of no use.
    fn digest(&mut self, digest: &Digest<String>) {
        let _ = digest;
    }
}

/// The numbers of one file while it is read.
pub(crate) struct Tally<'a> {
    pub(crate) counts: Counts,
    pub(crate) damage: Option<Damage>,
    /// Whether something was met that only CloudTrail writes.
    pub(crate) cloudtrail: bool,
    /// Whether anything but white space was met.
    pub(crate) anything: bool,
    /// Whether the receiver has had enough.
    pub(crate) stopped: bool,
    filter: Option<&'a Filter>,
    taker: &'a mut dyn Take,
}

/// What a trail delivers beside records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    Digest,
    Insight,
    Aggregated,
    Notification,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(filter: &'a Filter, taker: &'a mut dyn Take) -> Self {
        let filter = (!filter.is_empty()).then_some(filter);
        Self {
            counts: Counts::default(),
            damage: None,
            cloudtrail: false,
            anything: false,
            stopped: false,
            filter,
            taker,
        }
    }

    /// A record that was understood.
    #[inline]
    pub(crate) fn event(&mut self, event: &Event<'_>, raw: Raw<'_>) {
        if event.category == Category::Insight || event.event_type == "AwsCloudTrailInsight" {
            return self.other(Other::Insight);
        }
        let record = self.counts.read;
        self.counts.read += 1;
        self.counts.parsed += 1;
        if !event.notes.is_empty() {
            self.counts.notes.add(event.notes);
        }
        if self.filter.is_some_and(|filter| !filter.keeps(event)) {
            self.counts.filtered += 1;
            return;
        }
        if self
            .counts
            .earliest
            .is_none_or(|earliest| event.time < earliest)
        {
            self.counts.earliest = Some(event.time);
        }
        if self.counts.latest.is_none_or(|latest| event.time > latest) {
            self.counts.latest = Some(event.time);
        }
        if self.taker.take(event, raw, record).is_break() {
            self.stopped = true;
        }
    }

    /// Records that were not understood.
    pub(crate) fn refuse(&mut self, refusal: Refusal, count: u64) {
        self.counts.read += count;
        self.counts.refused.add(refusal, count);
    }

    /// Notices whether refused bytes look like CloudTrail at all; prose about CloudTrail does not.
    pub(crate) fn evidence(&mut self, bytes: &[u8]) {
        let names = [
            "eventVersion",
            "eventSource",
            "userIdentity",
            "CloudTrailEvent",
        ];
        self.cloudtrail |= names
            .iter()
            .any(|name| boundary::names_member(bytes, name.as_bytes()));
    }

    pub(crate) fn other(&mut self, other: Other) {
        let count = match other {
            Other::Digest => &mut self.counts.other.digests,
            Other::Insight => &mut self.counts.other.insights,
            Other::Aggregated => &mut self.counts.other.aggregated,
            Other::Notification => &mut self.counts.other.notifications,
        };
        *count += 1;
    }

    /// Hands on a digest that is sound. A filter leaves out events that digests speak of, so then none is
    /// handed on.
    pub(crate) fn digest(&mut self, members: &Map<String, Value>) {
        let digest = self.filter.is_none().then(|| Digest::read(members));
        if let Some(digest) = digest.flatten() {
            self.taker.digest(&digest);
        }
    }

    pub(crate) fn damaged(&mut self, damage: Damage) {
        self.damage.get_or_insert(damage);
    }
}
