//! Which rules an event can match at all, by its name and its source.
//!
//! INVARIANT: a rule that is left out for an event cannot match it. A rule is under a value of a field only if
//! every way in which its condition can hold asks the field for one of its values; all others are always asked.
//! Tests: `asking_fewer_rules_finds_the_same`, `only_what_every_way_asks_for_is_pinned`.

use rsigma_eval::matcher::{CompiledMatcher, GroupMode};
use rsigma_eval::{CompiledDetection, CompiledDetectionItem, CompiledRule};
use rsigma_parser::{ConditionExpr, Quantifier};
use std::collections::{BTreeSet, HashMap};
use unchain_core::event::Event;

/// Values in lower case of which one must be there.
type Values = BTreeSet<String>;
type Detections = HashMap<String, CompiledDetection>;

/// Rules by what an event must be called.
#[derive(Debug, Default)]
pub(crate) struct Index {
    by_name: HashMap<String, Vec<u32>>,
    by_source: HashMap<String, Vec<u32>>,
    /// Every rule in `by_source`.
    sourced: Vec<u32>,
    always: Vec<u32>,
}

impl Index {
    pub(crate) fn new<'r>(rules: impl Iterator<Item = &'r CompiledRule>) -> Self {
        let mut index = Self::default();
        for (number, rule) in (0u32..).zip(rules) {
            if let Some(names) = pinned(rule, "eventName") {
                put(&mut index.by_name, names, number);
            } else if let Some(sources) = pinned(rule, "eventSource") {
                put(&mut index.by_source, sources, number);
                index.sourced.push(number);
            } else {
                index.always.push(number);
            }
        }
        index
    }

    /// The rules that must be asked, rising within each of three runs. `lower` is space to work in.
    pub(crate) fn candidates<'i>(
        &'i self,
        event: &Event<'_>,
        lower: &mut String,
    ) -> impl Iterator<Item = u32> + use<'i> {
        let mut find = |table: &'i HashMap<String, Vec<u32>>, text: &str| {
            lowered(text, lower);
            table.get(lower.as_str()).map_or(&[][..], Vec::as_slice)
        };
        let named = find(&self.by_name, event.name);
        // A source that is no text could still be a list of texts.
        let sourced = if event.source.is_empty() {
            &self.sourced
        } else {
            find(&self.by_source, event.source)
        };
        let runs = [named, sourced, &self.always];
        runs.into_iter().flatten().copied()
    }

    /// How many rules are asked of every event.
    pub(crate) fn always(&self) -> usize {
        self.always.len()
    }
}

fn put(table: &mut HashMap<String, Vec<u32>>, values: Values, number: u32) {
    for value in values {
        table.entry(value).or_default().push(number);
    }
}

/// In lower case as the matchers do it.
fn lowered(text: &str, into: &mut String) {
    into.clear();
    if text.is_ascii() {
        into.push_str(text);
        into.make_ascii_lowercase();
    } else {
        into.push_str(&text.to_lowercase());
    }
}

/// The values of a field of which a rule needs one; `None` if it can match without.
fn pinned(rule: &CompiledRule, field: &str) -> Option<Values> {
    let conditions = rule.conditions.iter();
    any_of(conditions.map(|condition| by_condition(condition, &rule.detections, field)))
}

/// One of several ways holds: each must ask for a value.
fn any_of(mut ways: impl Iterator<Item = Option<Values>>) -> Option<Values> {
    ways.try_fold(Values::new(), |mut all, way| {
        all.extend(way?);
        Some(all)
    })
}

/// All parts hold: what one of them asks for is enough, and the shortest list is best.
fn all_of(parts: impl Iterator<Item = Option<Values>>) -> Option<Values> {
    parts.flatten().min_by_key(Values::len)
}

fn by_condition(expr: &ConditionExpr, detections: &Detections, field: &str) -> Option<Values> {
    let each = |exprs: &'_ [ConditionExpr]| -> Vec<Option<Values>> {
        let ways = exprs.iter().map(|e| by_condition(e, detections, field));
        ways.collect()
    };
    match expr {
        ConditionExpr::And(parts) => all_of(each(parts).into_iter()),
        ConditionExpr::Or(ways) => any_of(each(ways).into_iter()),
        ConditionExpr::Not(_) => None,
        // A selection that does not exist never holds, and so asks for a value that there is not.
        ConditionExpr::Identifier(name) => match detections.get(name) {
            Some(detection) => by_detection(detection, field),
            None => Some(Values::new()),
        },
        ConditionExpr::Selector {
            quantifier,
            pattern,
        } => {
            let meant = detections
                .iter()
                .filter(|(name, _)| pattern.matches_detection_name(name));
            let meant = meant.map(|(_, detection)| by_detection(detection, field));
            match quantifier {
                Quantifier::Count(0) => None,
                Quantifier::Any | Quantifier::Count(_) => any_of(meant),
                Quantifier::All => all_of(meant),
            }
        }
    }
}

fn by_detection(detection: &CompiledDetection, field: &str) -> Option<Values> {
    match detection {
        CompiledDetection::AllOf(items) => all_of(items.iter().map(|item| by_item(item, field))),
        CompiledDetection::AnyOf(ways) => any_of(ways.iter().map(|d| by_detection(d, field))),
        CompiledDetection::And(parts) => all_of(parts.iter().map(|d| by_detection(d, field))),
        CompiledDetection::Conditional { named, condition } => {
            by_condition(condition, named, field)
        }
        CompiledDetection::Keywords(_) | CompiledDetection::ArrayMatch { .. } => None,
    }
}

fn by_item(item: &CompiledDetectionItem, field: &str) -> Option<Values> {
    let asked = item.field.as_deref() == Some(field) && item.exists.is_none();
    if asked {
        by_matcher(&item.matcher)
    } else {
        None
    }
}

fn by_matcher(matcher: &CompiledMatcher) -> Option<Values> {
    match matcher {
        CompiledMatcher::Exact {
            value,
            case_insensitive: true,
        } => Some(Values::from([value.clone()])),
        CompiledMatcher::Exact { value, .. } => Some(Values::from([value.to_lowercase()])),
        CompiledMatcher::AnyOf(ways)
        | CompiledMatcher::CaseInsensitiveGroup {
            children: ways,
            mode: GroupMode::Any,
        } => any_of(ways.iter().map(by_matcher)),
        CompiledMatcher::AllOf(parts)
        | CompiledMatcher::CaseInsensitiveGroup {
            children: parts,
            mode: GroupMode::All,
        } => all_of(parts.iter().map(by_matcher)),
        _ => None,
    }
}
