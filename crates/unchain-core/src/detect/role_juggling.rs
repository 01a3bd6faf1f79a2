//! Role sessions that renew themselves without a new sign-in.

use super::minted::{count, span};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Seconds, Symbol};
use crate::lineage::{Edge, NodeKind, Origin};
use crate::time::HOUR;
use std::collections::{BTreeMap, BTreeSet};

/// Role juggling.
pub(super) const DETECTION: Detection = Detection {
    id: "role-juggling",
    title: "Role sessions that keep themselves alive",
    severity: Severity::High,
    techniques: &["T1550.001", "T1098.003"],
    finds: "A chain of role sessions in which a role comes back: its own session assumes it again, or over other \
        roles. High if the chain is alive after the session that it began with is over, medium if it comes \
        back three times, or twice in more than an hour, else low. One finding for each first session.",
    matters: "Each session lives for an hour, but a chain of them lives for ever: no sign-in, no MFA, and no key \
        that could be deactivated.",
    evaded: "A chain of which every role is another one, or one whose beginning is not in the log.",
    false_positives: &[
        "A program that assumes its own role to cut its permissions with a session policy: not counted.",
        "A workload that assumes its own role with the credentials that its service delivers: counted from the \
         second time in a row.",
        "Tools that go to a hub role and back to where they came from, once: low.",
    ],
    references: &[
        "https://hackingthe.cloud/aws/post_exploitation/role-chain-juggling/",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining",
    ],
    run,
};

/// Returns of one role from which on a chain is no detour.
const RETURNS: usize = 3;

/// The longest that a session lives that a role session assumed: a chain this old was renewed.
const CHAINED: Seconds = HOUR;

/// Sessions of one chain that are looked back upon: more would be years of juggling in one log.
const LOOK_BACK: usize = 1024;

/// The sessions of a chain from its first: the edges between them, the earliest first.
type Chain<'s> = Vec<&'s Edge>;

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    // Below each first session, the chain in which a role came back most often.
    let mut chains: BTreeMap<u32, (usize, Chain<'_>)> = BTreeMap::new();
    for edge in scene.lineage.edges() {
        if !links(scene, edge) || scene.lineage.children(edge.child).any(|e| links(scene, e)) {
            continue;
        }
        let Some((first, returns, chain)) = juggled(scene, edge) else {
            continue;
        };
        let rank = |chain: &Chain<'_>, returns| {
            let end = chain.last().map_or(0, |edge| edge.time);
            (returns, chain.len(), std::cmp::Reverse(end))
        };
        let kept = chains.get(&first);
        if kept.is_none_or(|(most, kept)| rank(&chain, returns) > rank(kept, *most)) {
            chains.insert(first, (returns, chain));
        }
    }
    found.extend(
        chains
            .into_iter()
            .filter_map(|(first, (returns, chain))| judge(scene, first, (returns, &chain))),
    );
}

/// Whether a role session assumed a role by a call of its own, and did not cut what it may do.
fn links(scene: &Scene<'_, '_>, edge: &Edge) -> bool {
    let is_session = |n: u32| {
        scene.is(n, NodeKind::TemporaryCredential)
            && scene.is_role_session(n)
            && !scene.is_indirect(n)
    };
    is_session(edge.child) && is_session(edge.parent) && assumed(scene, edge).is_some()
}

fn assumed<'l>(scene: &Scene<'_, 'l>, edge: &Edge) -> Option<&'l Fact> {
    scene.facts_of(edge).find(|fact| {
        let invoked = scene.ledger.caller(fact.key.caller).invoked_by;
        let cut = scene.ledger.attribute(fact, Attribute::Policy);
        fact.deed == Deed::AssumeRole && invoked.is_empty() && cut.is_empty()
    })
}

fn role(scene: &Scene<'_, '_>, node: u32) -> Symbol {
    scene
        .node(node)
        .map_or(Symbol::EMPTY, |node| node.unique_id)
}

/// The first session of the chain that ends with an edge, how often a role came back in it, and the chain.
fn juggled<'s>(scene: &Scene<'s, '_>, edge: &'s Edge) -> Option<(u32, usize, Chain<'s>)> {
    let mut chain = vec![edge];
    let mut seen = BTreeMap::from([(role(scene, edge.child), 0)]);
    let mut at = edge.parent;
    loop {
        seen.entry(role(scene, at))
            .and_modify(|n| *n += 1)
            .or_insert(0);
        let above = scene.lineage.primary(at).filter(|e| links(scene, e));
        let Some(above) = above.filter(|_| chain.len() < LOOK_BACK) else {
            break;
        };
        chain.push(above);
        at = above.parent;
    }
    chain.reverse();
    // What a service delivers is renewed by the service: one step in its own role is no chain yet.
    let delivered = scene.node(at).is_some_and(|n| n.origin == Origin::Service);
    let own_step = chain.len() == 1 && delivered;
    let returns: usize = seen.into_values().max()?;
    (returns > 0 && !own_step).then_some((at, returns, chain))
}

fn judge(
    scene: &Scene<'_, '_>,
    first: u32,
    (returns, chain): (usize, &Chain<'_>),
) -> Option<Draft> {
    let last = chain.last()?;
    let expires = scene.life(first, last.time).expires;
    let outlived = expires
        .is_some_and(|end| end <= crate::time::Timestamp::from_seconds(i64::from(last.time)));
    let age = last.time.saturating_sub(chain.first()?.time);
    let severity = match (outlived, returns) {
        (true, _) => Severity::High,
        (false, RETURNS..) => Severity::Medium,
        (false, 2) if age >= CHAINED => Severity::Medium,
        (false, _) => Severity::Low,
    };
    let names: BTreeSet<&str> = chain
        .iter()
        .filter_map(|edge| assumed(scene, edge))
        .map(|fact| scene.text(fact, Attribute::Role))
        .collect();
    let names: Vec<&str> = names.into_iter().take(3).collect();
    let alive = if outlived {
        ", beyond the end of the first session"
    } else {
        ""
    };
    let what = format!(
        "{} began a chain of {} in which a role came back {}; it assumed {} over {}{alive}",
        scene.label(first),
        count(chain.len() + 1, "role session"),
        count(returns, "time"),
        names.join(", "),
        span(age),
    );
    let issued = chain.iter().filter_map(|edge| assumed(scene, edge));
    let used = scene
        .uses(last.child)
        .flat_map(|usage| scene.records(usage));
    Some(
        Draft::new(first, what)
            .severity(severity)
            .confidence(Confidence::High)
            .also(chain.iter().map(|edge| edge.child))
            .seen_in(issued.map(|fact| (fact.time, fact.id)))
            .seen_in(used),
    )
}
