//! Asking the rules of one record after another.

use crate::correlation::Member;
use crate::enrichment::Enrichment;
use crate::fields::Fields;
use crate::hits::{EventRef, Hits};
use crate::load::Rules;
use crate::rule::{CorrelationKind, Rule};
use rsigma_eval::compiler::eval_condition;
use rsigma_eval::correlation::GroupKey;
use rsigma_eval::{Event as _, EventValue};
use unchain_core::event::Event;
use unchain_core::json::Node;
use xxhash_rust::xxh3::Xxh3;

/// Asks rules; each thread has its own.
#[derive(Debug)]
pub struct Evaluator<'r> {
    rules: &'r Rules,
    asks: Asks,
    lower: String,
    matched: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// Those that the event's name and source leave.
    Candidates,
    Every,
}

impl<'r> Evaluator<'r> {
    /// An evaluator that asks the rules which can match.
    pub fn new(rules: &'r Rules) -> Self {
        Self {
            rules,
            asks: Asks::Candidates,
            lower: String::new(),
            matched: Vec::new(),
        }
    }

    /// An evaluator that asks every rule: slow, and what the other is measured against.
    pub fn thorough(rules: &'r Rules) -> Self {
        Self {
            asks: Asks::Every,
            ..Self::new(rules)
        }
    }

    /// Asks the rules of one event and adds what matches to `hits`. `enrich` is called at most once, and only
    /// if a rule asks for the lineage or a rule matches.
    pub fn event<'e>(
        &mut self,
        (event, record): (&Event<'_>, Node<'e>),
        enrich: impl FnOnce() -> Enrichment<'e>,
        hits: &mut Hits,
    ) {
        let fields = Fields::new(record, enrich);
        self.ask(event, &fields);
        if self.matched.is_empty() {
            return;
        }
        let about = EventRef::new(event, record, fields.enrichment().node);
        hits.know(event, &about);
        for &number in &self.matched {
            hits.add(number, about);
            self.correlate(number, &fields, (about, hits));
        }
    }

    /// The numbers of the rules that match one event, ascending.
    pub fn matching<'e>(
        &mut self,
        (event, record): (&Event<'_>, Node<'e>),
        enrich: impl FnOnce() -> Enrichment<'e>,
    ) -> Vec<u32> {
        self.ask(event, &Fields::new(record, enrich));
        self.matched.sort_unstable();
        self.matched.clone()
    }

    fn ask<'e, F: FnOnce() -> Enrichment<'e>>(
        &mut self,
        event: &Event<'_>,
        fields: &Fields<'e, F>,
    ) {
        self.matched.clear();
        let rules = self.rules.rules();
        let holds = |number: &u32| {
            let rule = rules.get(*number as usize);
            rule.is_some_and(|rule| matches(rule, fields))
        };
        if self.asks == Asks::Every {
            let all = 0..u32::try_from(rules.len()).unwrap_or(u32::MAX);
            self.matched.extend(all.filter(holds));
        } else {
            let candidates = self.rules.index.candidates(event, &mut self.lower);
            self.matched.extend(candidates.filter(holds));
        }
    }

    /// Hands a hit to the correlations that want it.
    fn correlate<'e, F: FnOnce() -> Enrichment<'e>>(
        &self,
        number: u32,
        fields: &Fields<'e, F>,
        (about, hits): (EventRef, &mut Hits),
    ) {
        let wanted = self.rules.wanted_by.get(number as usize);
        for &(at, slot) in wanted.into_iter().flatten() {
            let Some(correlation) = self.rules.correlations().get(at as usize) else {
                continue;
            };
            let names = correlation
                .slots
                .get(usize::from(slot))
                .map(|slot| slot.name.as_str());
            let mut names: Vec<&str> = names.into_iter().collect();
            let words = self.rules.rules().get(number as usize);
            names.extend(
                words
                    .and_then(|rule| rule.words.id.as_ref())
                    .map(|id| id.raw()),
            );
            let group = GroupKey::extract(fields, &correlation.fields, &names);
            let value = match correlation.kind {
                CorrelationKind::ValueCount => {
                    let wanted = correlation.compiled.condition.field.as_deref();
                    let Some(value) = value(fields, wanted.unwrap_or_default()) else {
                        continue;
                    };
                    value
                }
                _ => 0,
            };
            let member = Member {
                event: about,
                slot,
                value,
            };
            hits.correlate(at, group.0, member);
        }
    }
}

fn matches<'e, F: FnOnce() -> Enrichment<'e>>(rule: &Rule, fields: &Fields<'e, F>) -> bool {
    let rule = &rule.compiled;
    let mut selections = Vec::new();
    let mut conditions = rule.conditions.iter();
    conditions.any(|condition| eval_condition(condition, &rule.detections, fields, &mut selections))
}

/// A hash of the values of some fields; none if the record has none of them.
fn value<'e, F: FnOnce() -> Enrichment<'e>>(
    fields: &Fields<'e, F>,
    names: &[String],
) -> Option<u64> {
    let mut hash = Xxh3::new();
    let mut any = false;
    for name in names {
        let found = fields.get_field(name);
        any |= found.is_some();
        match found.as_ref().and_then(EventValue::as_str) {
            Some(text) => {
                hash.update(&text.len().to_le_bytes());
                hash.update(text.as_bytes());
            }
            None => hash.update(&usize::MAX.to_le_bytes()),
        }
    }
    any.then(|| hash.digest())
}
