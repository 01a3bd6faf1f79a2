//! A record's members as the fields of Sigma rules, read from its text in place.
//!
//! Field names are CloudTrail's own, a dot for each step into an object. What a path means is what it means to
//! `rsigma_eval::JsonEvent` on the parsed record; `tests/fields.rs` holds the two equal.

use crate::enrichment::{Enrichment, PREFIX};
use rsigma_eval::{Event, EventValue};
use rsigma_parser::fieldpath::{first_unescaped, unescape_brackets};
use std::borrow::Cow;
use std::cell::{LazyCell, OnceCell};
use std::collections::BTreeMap;
use unchain_core::json::Node;

/// Strings nested deeper are not searched for keywords.
const DEEPEST: usize = 64;

/// A record as rules see it, for whoever wants to ask for a field.
pub fn fields_of<'e>(record: Node<'e>, enrich: impl FnOnce() -> Enrichment<'e>) -> impl Event {
    Fields::new(record, enrich)
}

/// One record with what the lineage adds. The lineage is asked only if a field of it is.
pub(crate) struct Fields<'e, F: FnOnce() -> Enrichment<'e>> {
    record: Node<'e>,
    members: OnceCell<Vec<(Cow<'e, str>, Node<'e>)>>,
    enrichment: LazyCell<Enrichment<'e>, F>,
}

impl<'e, F: FnOnce() -> Enrichment<'e>> Fields<'e, F> {
    pub(crate) fn new(record: Node<'e>, enrich: F) -> Self {
        Self {
            record,
            members: OnceCell::new(),
            enrichment: LazyCell::new(enrich),
        }
    }

    /// What the lineage adds.
    pub(crate) fn enrichment(&self) -> &Enrichment<'e> {
        &self.enrichment
    }

    /// A member of the record itself, the last of a repeated one.
    fn member(&self, name: &str) -> Option<Node<'e>> {
        let members = self.members.get_or_init(|| members(self.record));
        let mut found = members.iter().rev();
        found
            .find(|(known, _)| known == name)
            .map(|(_, node)| *node)
    }
}

impl<'e, F: FnOnce() -> Enrichment<'e>> Event for Fields<'e, F> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        if let Some(name) = path.strip_prefix(PREFIX) {
            return self.enrichment.field(name);
        }
        if let Some(node) = self.member(path) {
            return Some(value(node));
        }
        if !path.contains(['.', '[', '\\']) {
            return None;
        }
        let mut found = Vec::new();
        if let Some((Step::Member(name), rest)) = steps(path).split_first() {
            follow(self.member(name)?, rest, &mut found);
        }
        match found.len() {
            0 => None,
            1 => found.pop(),
            _ => Some(EventValue::Array(found)),
        }
    }

    fn any_string_value(&self, pred: &dyn Fn(&str) -> bool) -> bool {
        any_string(self.record, pred, DEEPEST)
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        let all = std::cell::RefCell::new(Vec::new());
        self.any_string_value(&|text| {
            all.borrow_mut().push(Cow::Owned(text.to_owned()));
            false
        });
        all.into_inner()
    }

    fn to_json(&self) -> serde_json::Value {
        self.record.to_value()
    }
}

/// The members of an object; of a repeated one every one.
fn members(node: Node<'_>) -> Vec<(Cow<'_, str>, Node<'_>)> {
    let mut members = Vec::with_capacity(32);
    node.members(|name, value| members.push((name, value)));
    members
}

/// One step of a path.
enum Step<'p> {
    /// Into a member of an object, or of each object in an array.
    Member(Cow<'p, str>),
    /// To one element of an array, from its end if negative.
    Place(i64),
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let cut = first_unescaped(part, b'[').and_then(|at| part.split_at_checked(at));
        match cut.and_then(|(name, groups)| Some((name, places(groups)?))) {
            Some((name, places)) => {
                let name = Some(name).filter(|name| !name.is_empty());
                steps.extend(name.map(|name| Step::Member(unescape_brackets(name))));
                steps.extend(places.into_iter().map(Step::Place));
            }
            None => steps.push(Step::Member(unescape_brackets(part))),
        }
    }
    steps
}

/// `[0][-1]` as numbers; `None` if it is anything else.
fn places(mut groups: &str) -> Option<Vec<i64>> {
    let mut found = Vec::new();
    while !groups.is_empty() {
        let (number, rest) = groups.strip_prefix('[')?.split_once(']')?;
        found.push(number.parse().ok()?);
        groups = rest;
    }
    Some(found)
}

/// Collects what the steps lead to.
fn follow<'e>(node: Node<'e>, steps: &[Step<'_>], found: &mut Vec<EventValue<'e>>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value(node));
        return;
    };
    match step {
        Step::Place(place) => {
            if let Some(item) = element(&node.items(), *place) {
                follow(item, rest, found);
            }
        }
        Step::Member(name) if node.is_object() => {
            if let Some(next) = node.get(name) {
                follow(next, rest, found);
            }
        }
        Step::Member(_) => node
            .items()
            .into_iter()
            .for_each(|item| follow(item, steps, found)),
    }
}

fn element<'e>(items: &[Node<'e>], place: i64) -> Option<Node<'e>> {
    let steps = usize::try_from(place.unsigned_abs()).ok()?;
    let at = if place < 0 {
        items.len().checked_sub(steps)?
    } else {
        steps
    };
    items.get(at).copied()
}

/// A value as the matchers want it.
pub(crate) fn value(node: Node<'_>) -> EventValue<'_> {
    if let Some(text) = node.str() {
        return EventValue::Str(text);
    }
    match node {
        Node::Value(value) => EventValue::from(value),
        Node::Text("true") => EventValue::Bool(true),
        Node::Text("false") => EventValue::Bool(false),
        Node::Text("null") => EventValue::Null,
        Node::Text(text) if text.starts_with('[') => {
            EventValue::Array(node.items().into_iter().map(value).collect())
        }
        Node::Text(text) if text.starts_with('{') => EventValue::Map(map(node)),
        Node::Text(text) => number(text),
    }
}

fn map(node: Node<'_>) -> Vec<(Cow<'_, str>, EventValue<'_>)> {
    let mut entries: Vec<(Cow<'_, str>, EventValue<'_>)> = Vec::new();
    let mut known: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
    node.members(|name, node| {
        let at = known.get(&name).copied();
        match at.and_then(|at| entries.get_mut(at)) {
            Some((_, entry)) => *entry = value(node),
            None => {
                known.insert(name.clone(), entries.len());
                entries.push((name, value(node)));
            }
        }
    });
    entries
}

/// Read by `serde_json`, so that a number is the same as in a parsed record.
fn number<'a>(text: &str) -> EventValue<'a> {
    let number: Option<serde_json::Number> = serde_json::from_str(text).ok();
    match number.as_ref().map(|n| (n.as_i64(), n.as_f64())) {
        Some((Some(whole), _)) => EventValue::Int(whole),
        Some((None, Some(real))) => EventValue::Float(real),
        Some((None, None)) | None => EventValue::Float(f64::NAN),
    }
}

fn any_string(node: Node<'_>, pred: &dyn Fn(&str) -> bool, depth: usize) -> bool {
    let Some(deeper) = depth.checked_sub(1) else {
        return false;
    };
    if let Some(text) = node.str() {
        return pred(&text);
    }
    if node.is_object() {
        // Of a repeated member the last one counts, as in a parsed record.
        let members: BTreeMap<_, _> = members(node).into_iter().collect();
        return members
            .into_values()
            .any(|node| any_string(node, pred, deeper));
    }
    node.items()
        .into_iter()
        .any(|node| any_string(node, pred, deeper))
}
