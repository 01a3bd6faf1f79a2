//! Temporary credentials beside the key or session that asked for them: who was given which, whether it
//! was used, and what became of the long-term key at the top. Must not judge.

use super::history::Novelty;
use super::network::Network;
use super::scene::Scene;
use crate::deed::{Attribute, Deed};
use crate::ledger::{Fact, Seconds, Symbol, Use};
use crate::lineage::{Edge, NodeKind, Origin};
use crate::time::{DAY, HOUR};
use std::collections::{BTreeMap, BTreeSet};

/// Two successes of one call this close are one call made twice: SDKs fetch credentials in two places
/// at once, and a slow answer is asked for again.
const TWICE: Seconds = 1;

/// One credential and the call that issued it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issue<'s, 'l> {
    pub(super) edge: &'s Edge,
    pub(super) fact: &'l Fact,
}

impl Issue<'_, '_> {
    /// As evidence.
    pub(super) fn record(&self) -> (Seconds, crate::ledger::EventKey) {
        (self.fact.time, self.fact.id)
    }
}

/// What callers with a key were given by calls of these kinds, by caller and then by time. What a service
/// asked for, itself or for a caller, is left out.
pub(super) fn issues<'s, 'l>(
    scene: &Scene<'s, 'l>,
    wanted: impl Fn(Deed) -> bool,
) -> Vec<Issue<'s, 'l>> {
    let asked = |edge: &'s Edge| {
        let fact = scene.facts_of(edge).find(|fact| {
            let caller = scene.ledger.caller(fact.key.caller);
            wanted(fact.deed) && !caller.key.is_empty() && caller.invoked_by.is_empty()
        })?;
        (scene.actor(fact) == Some(edge.parent)).then_some(Issue { edge, fact })
    };
    let mut issues: Vec<Issue<'s, 'l>> = scene.lineage.edges().iter().filter_map(asked).collect();
    issues.sort_by_key(|i| (i.edge.parent, i.fact.time, i.fact.hash));
    issues
}

/// Hands over what each long-term key was given, with the call that switched the key off for good, if one
/// did.
pub(super) fn each_key<'s, 'l>(
    scene: &Scene<'s, 'l>,
    all: &[Issue<'s, 'l>],
    mut judge: impl FnMut(&[Issue<'s, 'l>], Option<&'l Fact>),
) {
    if all.is_empty() {
        return;
    }
    let off = switched_off(scene);
    for of_key in all.chunk_by(|a, b| a.edge.parent == b.edge.parent) {
        let first = of_key.first();
        let key = first.and_then(|issue| scene.node(issue.edge.parent));
        judge(of_key, key.and_then(|key| off.get(&key.key).copied()));
    }
}

/// The issues of one caller, each group the calls that [`TWICE`] makes one: same role, name and time.
pub(super) fn attempts<'i, 's, 'l>(
    scene: &Scene<'s, 'l>,
    issues: &'i [Issue<'s, 'l>],
) -> Vec<Vec<&'i Issue<'s, 'l>>> {
    let mut groups: Vec<Vec<&Issue<'_, '_>>> = Vec::new();
    let mut last: BTreeMap<(Symbol, Symbol, u32), usize> = BTreeMap::new();
    for issue in issues {
        let text = |attribute| scene.ledger.attribute(issue.fact, attribute);
        let asked = (
            text(Attribute::Role),
            text(Attribute::SessionName),
            scene.ledger.act(&issue.fact.key).call,
        );
        let near = |group: &&mut Vec<&Issue<'_, '_>>| {
            let first = group.first().map_or(0, |i| i.fact.time);
            issue.fact.time - first <= TWICE
        };
        let group = last.get(&asked).and_then(|&n| groups.get_mut(n));
        if let Some(group) = group.filter(near) {
            group.push(issue);
        } else {
            last.insert(asked, groups.len());
            groups.push(vec![issue]);
        }
    }
    groups
}

/// Where the log shows the use of credentials: the accounts that events were delivered to. In any other
/// account a credential that shows no use may have been used all the same.
pub(super) fn logged_accounts<'l>(scene: &Scene<'_, 'l>) -> BTreeSet<&'l str> {
    let accounts = scene
        .ledger
        .places()
        .map(|(place, _)| scene.ledger.text(place.account));
    accounts.filter(|account| !account.is_empty()).collect()
}

/// The calls that switched long-term keys off for good: deactivated or deleted, and not active again later.
pub(super) fn switched_off<'l>(scene: &Scene<'_, 'l>) -> BTreeMap<Symbol, &'l Fact> {
    let mut changes: Vec<&Fact> = scene
        .deeds(Deed::UpdateAccessKey)
        .chain(scene.deeds(Deed::DeleteAccessKey))
        .collect();
    changes.sort_by_key(|fact| (fact.time, fact.hash));
    let mut off = BTreeMap::new();
    for fact in changes {
        let key = scene.ledger.attribute(fact, Attribute::Key);
        let status = scene.text(fact, Attribute::Status);
        if fact.deed == Deed::UpdateAccessKey && status.eq_ignore_ascii_case("Active") {
            off.remove(&key);
        } else if !key.is_empty() {
            off.entry(key).or_insert(fact);
        }
    }
    off
}

/// The long-term key at the top of a credential's lineage, itself if it is one.
pub(super) fn key_above(scene: &Scene<'_, '_>, node: u32) -> Option<u32> {
    let above = scene.ancestors(node).into_iter().map(|edge| edge.parent);
    std::iter::once(node)
        .chain(above)
        .find(|&n| scene.is(n, NodeKind::LongTermKey))
}

/// Every temporary credential that came from a node, at any depth. What was made on the way (users, their
/// keys) is another matter.
pub(super) fn derived(scene: &Scene<'_, '_>, node: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([node]);
    let mut open = vec![node];
    while let Some(next) = open.pop() {
        for edge in scene.lineage.children(next) {
            let child = edge.child;
            let temporary = scene.node(child).is_some_and(|n| {
                n.kind.is_credential()
                    && n.kind != NodeKind::LongTermKey
                    && n.origin != Origin::Forwarded
            });
            if temporary && seen.insert(child) {
                open.push(child);
                found.push(child);
            }
        }
    }
    found.sort_unstable();
    found
}

/// The successful calls of a node after an instant. A call that AWS lets everybody make, and sign-in pages,
/// say nothing of what a credential may still do
/// (docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html).
pub(super) fn worked_after<'s, 'l>(
    scene: &'s Scene<'s, 'l>,
    node: u32,
    time: Seconds,
) -> impl Iterator<Item = &'l Use> + use<'s, 'l> {
    let uses = scene
        .uses(node)
        .filter(move |usage| scene.worked(usage) && scene.ledger.last(usage).0.seconds() > time);
    uses.filter(move |usage| {
        let service = scene
            .ledger
            .call_of(&usage.key)
            .map_or("", |call| scene.ledger.text(call.source));
        scene.call_name(&usage.key) != "GetCallerIdentity" && !service.starts_with("signin.")
    })
}

/// The last record of a use, as evidence.
pub(super) fn latest(scene: &Scene<'_, '_>, usage: &Use) -> (Seconds, crate::ledger::EventKey) {
    let [_, last] = scene.records(usage);
    last
}

/// The network of an issuing call.
pub(super) fn network(scene: &Scene<'_, '_>, fact: &Fact) -> Network {
    scene.networks.of_client(fact.key.client)
}

/// Whether a network came to a key as a second one less than a day before `time`: see [`came_later`].
pub(super) fn newcomer(scene: &Scene<'_, '_>, key: u32, at: (Network, Seconds)) -> bool {
    came_later(scene, key, at) < DAY
}

/// How long before `time` a network came to a key that was at home in another: none is
/// [`Seconds::MAX`], also where the user's settings or a baseline know the network, or it is private.
pub(super) fn came_later(
    scene: &Scene<'_, '_>,
    key: u32,
    (at, time): (Network, Seconds),
) -> Seconds {
    let networks = scene.networks;
    if !at.is_some() || networks.is_known(at) || networks.is_private(at) {
        return Seconds::MAX;
    }
    let (mut here, mut home) = (time, Seconds::MAX);
    for usage in scene.uses(key) {
        let (from, first) = (scene.network(usage), usage.first.seconds());
        if from == at {
            here = here.min(first);
        } else if from.is_some() {
            home = home.min(first);
        }
    }
    let who = scene.node(key).map_or(Symbol::EMPTY, |node| node.unique_id);
    if home < here && scene.place_novelty(who, at, here) != Novelty::Known {
        time - here
    } else {
        Seconds::MAX
    }
}

/// `5 s`, `40 min`, `12 h`.
pub(super) fn span(seconds: Seconds) -> String {
    if seconds < 120 {
        format!("{seconds} s")
    } else if seconds < 2 * HOUR {
        format!("{} min", seconds / 60)
    } else {
        format!("{} h", seconds / HOUR)
    }
}

/// `3 tokens`, `1 token`.
pub(super) fn count(number: usize, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {one}{s}")
}
