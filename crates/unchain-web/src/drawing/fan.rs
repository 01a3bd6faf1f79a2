//! What one node made, those that are alike together. Must not know what has room in a drawing.

use crate::names::hexadecimal;
use crate::timeline::forest::whose;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use unchain_core::lineage::{Edge, NodeKind};
use unchain_core::liveness::Status;
use unchain_core::report::Report;

/// More children than this that are alike and made nothing are one entry.
const ALIKE: usize = 6;
/// More children than this that are alike and made something are one entry.
const ALIKE_WITH_CHILDREN: usize = 24;

/// One child, or several that are alike.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// A child, by the first call that made it.
    One(Edge),
    /// Children of one kind and principal, made by one call, in the order of time.
    Alike(Rc<Group>),
}

/// Children that differ in little.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Its name in an address: the same for every instant and as the case grows.
    pub(crate) key: String,
    /// What they are.
    pub(crate) kind: NodeKind,
    /// The first calls that made them.
    pub(crate) members: Vec<Edge>,
    /// Whether they made something in turn.
    pub(crate) lead_on: bool,
}

/// What children that are alike have in common: kind, whether they made something, call, principal.
type Likeness = (NodeKind, bool, usize, String);

/// What a node made and is not yet `known`, by the time of its first call.
pub(crate) fn fan(
    report: &Report<'_, '_>,
    (node, name): (u32, &str),
    known: impl Fn(u32) -> bool,
) -> Vec<Entry> {
    let lineage = report.lineage();
    let mut seen = BTreeSet::from([node]);
    let new = |edge: &&Edge| !known(edge.child) && seen.insert(edge.child);
    let edges: Vec<Edge> = lineage.children(node).filter(new).copied().collect();
    if edges.len() <= ALIKE {
        return edges.into_iter().map(Entry::One).collect();
    }
    let mut groups: BTreeMap<Likeness, Vec<(usize, Edge)>> = BTreeMap::new();
    for (place, edge) in edges.into_iter().enumerate() {
        groups
            .entry(likeness(report, &edge))
            .or_default()
            .push((place, edge));
    }
    let mut entries: Vec<(usize, Entry)> = Vec::new();
    for (likeness, members) in groups {
        let most = if likeness.1 {
            ALIKE_WITH_CHILDREN
        } else {
            ALIKE
        };
        let first = members.first().map_or(0, |(place, _)| *place);
        if members.len() > most {
            entries.push((
                first,
                Entry::Alike(Rc::new(group(report, (name, likeness), members))),
            ));
        } else {
            let alone = members.into_iter();
            entries.extend(alone.map(|(place, edge)| (place, Entry::One(edge))));
        }
    }
    entries.sort_by_key(|(place, _)| *place);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

fn likeness(report: &Report<'_, '_>, edge: &Edge) -> Likeness {
    let lineage = report.lineage();
    let kind = lineage
        .node(edge.child)
        .map_or(NodeKind::Identity, |node| node.kind);
    let principal = lineage.principal(edge.child);
    let owner = whose(principal.raw()).to_owned();
    (kind, leads_on(report, edge.child), edge.api.index(), owner)
}

fn group(
    report: &Report<'_, '_>,
    (name, likeness): (&str, Likeness),
    members: Vec<(usize, Edge)>,
) -> Group {
    let (kind, lead_on, _, whose) = likeness;
    let members: Vec<Edge> = members.into_iter().map(|(_, edge)| edge).collect();
    let ledger = report.lineage().ledger();
    let api = members.first().map_or("", |edge| ledger.text(edge.api));
    let mut hash = Sha256::new();
    for part in [
        name,
        kind.name(),
        if lead_on { "leads on" } else { "" },
        api,
        &whose,
    ] {
        // With its length before it no text can reach into the next.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let key = hexadecimal(&hash.finalize());
    Group {
        key,
        kind,
        members,
        lead_on,
    }
}

/// Whether a node made another.
pub(crate) fn leads_on(report: &Report<'_, '_>, node: u32) -> bool {
    report
        .lineage()
        .children(node)
        .any(|edge| edge.child != node)
}

impl Group {
    /// How many there are of each state, the worst first.
    pub(crate) fn states(&self, report: &Report<'_, '_>) -> BTreeMap<Status, usize> {
        let mut states = BTreeMap::new();
        for edge in &self.members {
            *states.entry(report.life(edge.child).status).or_default() += 1;
        }
        states
    }
}
