//! Hits put together: rules over the hits of other rules within a time span.
//!
//! Logs are in no order, so nothing is decided while they are read. At the end the hits of a group are sorted by
//! time, and each second is asked whether the span that ends with it satisfies the rule. Spans that do and that
//! overlap are one episode and one hit. CloudTrail's times are whole seconds, so within one second any order of
//! events is taken to be possible. sigma-correlation-rules-specification, SigmaHQ/sigma-specification.

use crate::hits::EventRef;
use crate::rule::{Correlation, CorrelationKind};
use rsigma_parser::{ConditionExpr, ConditionOperator, Quantifier, SelectorPattern};
use std::collections::HashMap;
use unchain_core::text::Untrusted;
use unchain_core::time::{Seconds, Timestamp};

/// One episode in which a correlation held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrelationHit {
    /// The correlation's number.
    pub correlation: usize,
    /// What its events agree in: a value for each field of `group-by`, none where the field is missing.
    pub group: Vec<Option<Untrusted>>,
    /// The first event.
    pub first: Timestamp,
    /// The last event.
    pub last: Timestamp,
    /// Distinct events.
    pub count: u64,
    /// The ids of the first few, where they have one.
    pub event_ids: Vec<Untrusted>,
}

impl CorrelationHit {
    /// By what hits are sorted.
    pub(crate) fn order(&self) -> (usize, Timestamp, Timestamp, &[Option<Untrusted>]) {
        (self.correlation, self.first, self.last, &self.group)
    }
}

/// A hit as a correlation keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub(crate) event: EventRef,
    /// Which of the correlation's references it is a hit of.
    pub(crate) slot: u16,
    /// A hash of what is counted, for counts of values.
    pub(crate) value: u64,
}

/// A stretch of time in which the rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Episode {
    pub(crate) first: Seconds,
    pub(crate) last: Seconds,
    /// Distinct, by time.
    pub(crate) events: Vec<EventRef>,
}

/// The episodes of one group, whose members are sorted.
pub(crate) fn episodes(correlation: &Correlation, members: &[Member]) -> Vec<Episode> {
    let mut spans: Vec<(Seconds, Seconds)> = Vec::new();
    let mut window = Window::new(correlation);
    for second in members.chunk_by(|a, b| a.event.time() == b.event.time()) {
        let Some(now) = second.first().map(|member| member.event.time()) else {
            continue;
        };
        let Some(from) = window.reach(now, second, members) else {
            continue;
        };
        match spans.last_mut().filter(|(_, last)| from <= *last) {
            Some((_, last)) => *last = now,
            None => spans.push((from, now)),
        }
    }
    spans
        .into_iter()
        .map(|span| episode(span, members))
        .collect()
}

fn episode((first, last): (Seconds, Seconds), members: &[Member]) -> Episode {
    let start = members.partition_point(|member| member.event.time() < first);
    let end = members.partition_point(|member| member.event.time() <= last);
    let within = members.get(start..end).unwrap_or_default();
    let mut events: Vec<EventRef> = within.iter().map(|member| member.event).collect();
    events.dedup();
    Episode {
        first,
        last,
        events,
    }
}

/// The span of time that is looked at, which moves on from second to second.
struct Window<'c> {
    correlation: &'c Correlation,
    span: Seconds,
    /// The place of the first member that is within.
    start: usize,
    events: HashMap<EventRef, u32>,
    values: HashMap<u64, u32>,
    slots: Vec<u32>,
    /// For each reference the latest start of a chain that has come as far.
    chains: Vec<Option<Seconds>>,
}

impl<'c> Window<'c> {
    fn new(correlation: &'c Correlation) -> Self {
        let span = correlation.compiled.timespan_secs;
        Self {
            correlation,
            span: Seconds::try_from(span).unwrap_or(Seconds::MAX),
            start: 0,
            events: HashMap::new(),
            values: HashMap::new(),
            slots: vec![0; correlation.slots.len()],
            chains: vec![None; correlation.slots.len()],
        }
    }

    /// Moves on to `now`; where the rule holds then, when the first event of the span was.
    fn reach(&mut self, now: Seconds, second: &[Member], all: &[Member]) -> Option<Seconds> {
        let oldest = now.saturating_sub(self.span);
        while let Some(member) = all.get(self.start).filter(|m| m.event.time() < oldest) {
            self.remove(member);
            self.start += 1;
        }
        second.iter().for_each(|member| self.add(member));
        if self.correlation.kind == CorrelationKind::TemporalOrdered {
            return self.ordered(now, second).filter(|&start| start >= oldest);
        }
        let first = all.get(self.start).map(|member| member.event.time());
        first.filter(|_| self.holds())
    }

    fn add(&mut self, member: &Member) {
        *self.events.entry(member.event).or_default() += 1;
        *self.values.entry(member.value).or_default() += 1;
        if let Some(count) = self.slots.get_mut(usize::from(member.slot)) {
            *count += 1;
        }
    }

    fn remove(&mut self, member: &Member) {
        less(&mut self.events, &member.event);
        less(&mut self.values, &member.value);
        if let Some(count) = self.slots.get_mut(usize::from(member.slot)) {
            *count = count.saturating_sub(1);
        }
    }

    fn holds(&self) -> bool {
        let fired = || self.slots.iter().filter(|count| **count > 0).count();
        match (self.correlation.kind, &self.correlation.expression) {
            (CorrelationKind::EventCount, _) => self.check(self.events.len()),
            (CorrelationKind::ValueCount, _) => self.check(self.values.len()),
            (_, Some(expression)) => self.decide(expression),
            // The parser gives this for a rule without a condition, which means all of them.
            (_, None) if self.asks_for_one() => fired() == self.slots.len(),
            (_, None) => self.check(fired()),
        }
    }

    fn asks_for_one(&self) -> bool {
        let predicates = self.correlation.compiled.condition.predicates.as_slice();
        matches!(predicates, [(ConditionOperator::Gte, least)] if *least <= 1.0)
    }

    fn check(&self, count: usize) -> bool {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.correlation.compiled.condition.check(f64::from(count))
    }

    /// A condition over references, each of which holds if it has a hit in the span.
    fn decide(&self, expression: &ConditionExpr) -> bool {
        let mut slots = self.correlation.slots.iter().zip(&self.slots);
        match expression {
            ConditionExpr::And(parts) => parts.iter().all(|part| self.decide(part)),
            ConditionExpr::Or(parts) => parts.iter().any(|part| self.decide(part)),
            ConditionExpr::Not(part) => !self.decide(part),
            ConditionExpr::Identifier(name) => {
                slots.any(|(slot, count)| slot.name == *name && *count > 0)
            }
            ConditionExpr::Selector {
                quantifier,
                pattern,
            } => {
                let meant = |name: &str| match pattern {
                    SelectorPattern::Them => true,
                    SelectorPattern::Pattern(_) => pattern.matches_detection_name(name),
                };
                let meant: Vec<u32> = slots
                    .filter(|(slot, _)| meant(&slot.name))
                    .map(|(_, count)| *count)
                    .collect();
                let fired = meant.iter().filter(|count| **count > 0).count();
                match quantifier {
                    Quantifier::Any => fired > 0,
                    Quantifier::All => fired == meant.len(),
                    Quantifier::Count(least) => fired as u64 >= *least,
                }
            }
        }
    }

    /// Carries chains on by the hits of one second; the latest start of one that ends now.
    fn ordered(&mut self, now: Seconds, second: &[Member]) -> Option<Seconds> {
        let mut here = vec![false; self.chains.len()];
        for member in second {
            if let Some(here) = here.get_mut(usize::from(member.slot)) {
                *here = true;
            }
        }
        let mut before = Some(now);
        for (chain, here) in self.chains.iter_mut().zip(&here) {
            if *here {
                *chain = (*chain).max(before);
            }
            before = *chain;
        }
        let ends = here.last().is_some_and(|here| *here);
        before.filter(|_| ends)
    }
}

fn less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
