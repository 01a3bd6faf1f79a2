//! What matched, as a set: every hit once, however often its event was delivered and whoever read it.
//!
//! A hit is 28 bytes; nothing of the record is kept but its time, its id and, for correlations, the fields that
//! they group by. INVARIANT: adding hits in any order, split and repetition gives the same [`Tally`]
//! (`order_split_and_repetition_do_not_matter`).

use crate::correlation::{self, CorrelationHit, Member};
use crate::load::Rules;
use std::collections::HashMap;
use unchain_core::event::Event;
use unchain_core::id::{uuid_bytes, uuid_text};
use unchain_core::json::Node;
use unchain_core::text::Untrusted;
use unchain_core::time::{Seconds, Timestamp, seconds};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

/// Event ids that are named of many.
const NAMED: usize = 3;
/// Rows that are gathered before they are sorted for the first time.
const FEW: usize = 64;
/// Longer ids are cut: AWS's have 36 characters.
const LONGEST_ID: usize = 128;

/// The event of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventRef {
    /// When, in seconds since 1970, UTC.
    time: Seconds,
    /// Its id where that is a UUID, else a hash of its id or of the record.
    id: [u8; 16],
    /// A hash of recipient and name: one id may stand in the logs of several accounts.
    other: u32,
    /// The caller's node.
    node: u32,
}

impl EventRef {
    /// The event of a record.
    pub(crate) fn new(event: &Event<'_>, record: Node<'_>, node: Option<u32>) -> Self {
        let id = uuid_bytes(event.id).unwrap_or_else(|| match event.id {
            "" => xxh3_128(record.to_value().to_string().as_bytes()).to_le_bytes(),
            id => xxh3_128(id.as_bytes()).to_le_bytes(),
        });
        let name = xxh3_64_with_seed(event.name.as_bytes(), 0);
        let other = xxh3_64_with_seed(event.recipient.as_bytes(), name);
        Self {
            time: seconds(event.time),
            id,
            other: u32::try_from(other >> 32).unwrap_or_default(),
            node: node.unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn time(&self) -> Seconds {
        self.time
    }
}

/// The hits of one rule by one credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollup {
    /// The rule's number.
    pub rule: usize,
    /// The caller's node in the lineage, where it is known.
    pub node: Option<u32>,
    /// Distinct events.
    pub count: u64,
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// The ids of the first few, where they have one.
    pub event_ids: Vec<Untrusted>,
}

/// Everything that matched, added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By rule and credential, in the order of the rules and then of time.
    pub rollups: Vec<Rollup>,
    /// What the correlations found, in their order and then of time.
    pub correlations: Vec<CorrelationHit>,
}

/// Hits while records are read; each thread has its own, and they are merged.
#[derive(Debug, Default)]
pub struct Hits {
    /// By rule.
    rules: Vec<Rows<EventRef>>,
    /// By correlation and the fields that it groups by.
    groups: HashMap<(u32, Vec<Option<String>>), Rows<Member>>,
    /// Ids that are no UUIDs; empty for events without one.
    names: HashMap<[u8; 16], Untrusted>,
}

/// Rows of which equal ones count once. They are sorted whenever they have doubled.
#[derive(Clone, Debug)]
struct Rows<T> {
    rows: Vec<T>,
    /// So many rows are sorted the next time.
    full: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            full: FEW,
        }
    }
}

impl<T: Ord> Rows<T> {
    fn add(&mut self, row: T) {
        self.rows.push(row);
        if self.rows.len() >= self.full {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.rows.sort_unstable();
        self.rows.dedup();
        self.full = (self.rows.len() * 2).max(FEW);
    }

    fn merge(&mut self, other: Self) {
        if self.rows.is_empty() {
            *self = other;
        } else {
            self.rows.extend(other.rows);
            self.settle();
        }
    }

    fn settled(mut self) -> Vec<T> {
        self.settle();
        self.rows
    }
}

impl Hits {
    /// Keeps an id that is no UUID, so that it can be named; of an event without one, that it has none.
    pub(crate) fn know(&mut self, event: &Event<'_>, about: &EventRef) {
        if uuid_bytes(event.id).is_some() {
            return;
        }
        let end = event
            .id
            .char_indices()
            .nth(LONGEST_ID)
            .map_or(event.id.len(), |(at, _)| at);
        let id = event.id.get(..end).unwrap_or_default();
        self.names
            .entry(about.id)
            .or_insert_with(|| Untrusted::new(id));
    }

    pub(crate) fn add(&mut self, rule: u32, event: EventRef) {
        let at = rule as usize;
        if self.rules.len() <= at {
            self.rules.resize_with(at + 1, Rows::default);
        }
        if let Some(rows) = self.rules.get_mut(at) {
            rows.add(event);
        }
    }

    pub(crate) fn correlate(
        &mut self,
        correlation: u32,
        group: Vec<Option<String>>,
        member: Member,
    ) {
        let rows = self.groups.entry((correlation, group)).or_default();
        rows.add(member);
    }

    /// Adds the hits of another reader of the same rules.
    pub fn merge(&mut self, other: Self) {
        if self.rules.len() < other.rules.len() {
            self.rules.resize_with(other.rules.len(), Rows::default);
        }
        for (mine, theirs) in self.rules.iter_mut().zip(other.rules) {
            mine.merge(theirs);
        }
        for (group, theirs) in other.groups {
            self.groups.entry(group).or_default().merge(theirs);
        }
        self.names.extend(other.names);
    }

    /// Adds everything up and runs the correlations.
    pub fn tally(self, rules: &Rules) -> Tally {
        let names = self.names;
        let mut tally = Tally::default();
        for (number, rows) in self.rules.into_iter().enumerate() {
            if rules.rules().get(number).is_some_and(|rule| !rule.base) {
                tally
                    .rollups
                    .extend(by_node(number, &rows.settled(), &names));
            }
        }
        for ((number, group), rows) in self.groups {
            if let Some(correlation) = rules.correlations().get(number as usize) {
                let episodes = correlation::episodes(correlation, &rows.settled());
                tally
                    .correlations
                    .extend(episodes.into_iter().map(|episode| {
                        CorrelationHit {
                            correlation: number as usize,
                            group: group
                                .iter()
                                .map(|part| part.as_deref().map(Untrusted::new))
                                .collect(),
                            first: instant(episode.first),
                            last: instant(episode.last),
                            count: episode.events.len() as u64,
                            event_ids: named(episode.events.iter(), &names),
                        }
                    }));
            }
        }
        tally.correlations.sort_by(|a, b| a.order().cmp(&b.order()));
        tally
    }
}

fn by_node(rule: usize, rows: &[EventRef], names: &HashMap<[u8; 16], Untrusted>) -> Vec<Rollup> {
    let mut nodes: HashMap<u32, Vec<EventRef>> = HashMap::new();
    for row in rows {
        nodes.entry(row.node).or_default().push(*row);
    }
    let rollup = |(node, rows): (u32, Vec<EventRef>)| {
        let (first, last) = rows.first().zip(rows.last())?;
        Some(Rollup {
            rule,
            node: Some(node).filter(|&node| node != u32::MAX),
            count: rows.len() as u64,
            first: instant(first.time),
            last: instant(last.time),
            event_ids: named(rows.iter(), names),
        })
    };
    let mut rollups: Vec<Rollup> = nodes.into_iter().filter_map(rollup).collect();
    rollups.sort_by(|a, b| {
        let key = |r: &Rollup| (r.first, r.last, r.count);
        (key(a), &a.event_ids, a.node).cmp(&(key(b), &b.event_ids, b.node))
    });
    rollups
}

/// The ids of the first few events.
fn named<'a>(
    events: impl Iterator<Item = &'a EventRef>,
    names: &HashMap<[u8; 16], Untrusted>,
) -> Vec<Untrusted> {
    let id = |event: &EventRef| match names.get(&event.id) {
        Some(name) => name.clone(),
        None => Untrusted::new(uuid_text(event.id)),
    };
    events
        .map(id)
        .filter(|id| !id.is_empty())
        .take(NAMED)
        .collect()
}

fn instant(time: Seconds) -> Timestamp {
    Timestamp::from_seconds(i64::from(time))
}
