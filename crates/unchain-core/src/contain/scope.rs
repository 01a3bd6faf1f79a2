//! Which nodes a containment is about: from a pivot up to what everything came from, and down again.

use super::owner::Owner;
use super::plan::{Mark, Subject};
use crate::deed::Attribute;
use crate::ledger::{Ledger, Use};
use crate::lineage::{Edge, Lineage, NodeKind};
use crate::report::Report;
use crate::text::Untrusted;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The members of a lineage.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The nodes, in order of creation.
    pub(super) nodes: Vec<u32>,
    /// What made a member and is not one: a service, a workload, or a caller at which climbing stopped.
    pub(super) beyond: BTreeSet<u32>,
}

impl Scope {
    /// The lineages of all nodes that a pivot may mean.
    pub(super) fn of(report: &Report<'_, '_>, pivot: &str, exempt: &[Untrusted]) -> Self {
        let lineage = report.lineage();
        let exempt: BTreeSet<Owner> = exempt
            .iter()
            .filter_map(|arn| Owner::of_arn(arn.raw()))
            .collect();
        let mut scope = Self::default();
        let mut members = BTreeSet::new();
        let found = lineage.find(pivot);
        let mut next: Vec<u32> = found
            .iter()
            .map(|m| scope.top(lineage, m.node, &exempt))
            .collect();
        while !next.is_empty() {
            let found = next.iter().flat_map(|&top| lineage.descendants(top));
            let new: Vec<u32> = found.filter(|&node| members.insert(node)).collect();
            next = of_made(lineage, &members, &new);
        }
        scope.nodes = members.into_iter().collect();
        let name = |n: u32| {
            lineage
                .node(n)
                .map(|node| (node.created, node.kind, report.label(n)))
        };
        scope
            .nodes
            .sort_by_cached_key(|&n| (name(n), lineage.principal(n)));
        scope
    }

    /// What a node came from. A service and a workload make sessions for many, and who started a workload need not
    /// be who stole its credentials: climbing ends below the one and at the other, and below who is exempt.
    fn top(&mut self, lineage: &Lineage<'_>, node: u32, exempt: &BTreeSet<Owner>) -> u32 {
        let kind = |n: u32| lineage.node(n).map(|node| node.kind);
        let mut at = node;
        for edge in lineage.ancestors(node) {
            let stop = kind(edge.parent) == Some(NodeKind::Service)
                || kind(at) == Some(NodeKind::Workload);
            if stop || owner(lineage, edge.parent).is_some_and(|owner| exempt.contains(&owner)) {
                self.beyond.insert(edge.parent);
                break;
            }
            at = edge.parent;
        }
        at
    }
}

/// Credentials of users and roles that the lineage made, and that outsiders took: no record of ours ties them to it.
fn of_made(lineage: &Lineage<'_>, members: &BTreeSet<u32>, new: &[u32]) -> Vec<u32> {
    let made = |n: &u32| {
        let node = lineage.node(*n)?;
        let made = matches!(
            node.kind,
            NodeKind::User | NodeKind::Role | NodeKind::LoginProfile
        );
        let owner = Owner::of_arn(lineage.principal(*n).raw()).filter(|_| made)?;
        Some((
            owner,
            (
                node.created,
                node.kind == NodeKind::Role && !is_created(lineage, *n),
            ),
        ))
    };
    let made: BTreeMap<Owner, _> = new.iter().filter_map(made).collect();
    if made.is_empty() {
        return Vec::new();
    }
    let outside = (0u32..).zip(lineage.nodes()).filter(|(n, node)| {
        if !node.kind.is_credential() || members.contains(n) {
            return false;
        }
        let owner = owner(lineage, *n);
        let Some((since, changed_only)) = owner.and_then(|owner| made.get(&owner)) else {
            return false;
        };
        node.created >= *since && (!changed_only || from_outside(lineage, *n))
    });
    outside.map(|(n, _)| n).collect()
}

/// Whether a made role or user was made, and not only changed.
pub(super) fn is_created(lineage: &Lineage<'_>, node: u32) -> bool {
    lineage
        .parents(node)
        .any(|edge| lineage.ledger().text(edge.api).starts_with("Create"))
}

/// Whether nothing of our own accounts issued a credential.
fn from_outside(lineage: &Lineage<'_>, node: u32) -> bool {
    let issuer = lineage
        .primary(node)
        .and_then(|edge| lineage.node(edge.parent));
    issuer.is_none_or(|parent| {
        matches!(
            parent.kind,
            NodeKind::Identity | NodeKind::IdpSubject | NodeKind::Certificate
        )
    })
}

/// Whose policies decide for a node: a federated user's are those of the user that asked for it.
pub(super) fn owner(lineage: &Lineage<'_>, number: u32) -> Option<Owner> {
    let node = lineage.node(number)?;
    if node.kind == NodeKind::MfaDevice {
        return device_owner(lineage, number);
    }
    let arn = lineage.principal(number);
    if !arn.raw().contains(":federated-user/") {
        return Owner::of_arn(arn.raw()).or_else(|| profile_owner(lineage, number));
    }
    let parents = lineage
        .ancestors(number)
        .into_iter()
        .map(|edge| lineage.principal(edge.parent));
    parents.filter_map(|arn| Owner::of_arn(arn.raw())).next()
}

/// The facts that are an edge's evidence, with one attribute of each.
fn attribute(lineage: &Lineage<'_>, edge: &Edge, wanted: Attribute) -> Option<Untrusted> {
    let ledger = lineage.ledger();
    let facts = edge
        .facts
        .iter()
        .filter_map(|&n| ledger.facts().get(n as usize));
    let mut texts = facts.map(|fact| ledger.text(ledger.attribute(fact, wanted)));
    texts.find(|text| !text.is_empty()).map(Untrusted::new)
}

/// The user that a call names, or the caller's own user where it names none.
fn user_of(lineage: &Lineage<'_>, edge: &Edge) -> Option<Owner> {
    let caller = Owner::of_arn(lineage.principal(edge.parent).raw())?;
    match attribute(lineage, edge, Attribute::User) {
        Some(name) => Some(Owner {
            kind: super::owner::OwnerKind::User,
            name,
            ..caller
        }),
        None => Some(caller),
    }
}

/// The user that a device was enabled for; else, of a device that was only made, nobody.
fn device_owner(lineage: &Lineage<'_>, number: u32) -> Option<Owner> {
    let enabled = |edge: &&Edge| lineage.ledger().text(edge.api) == "EnableMFADevice";
    lineage
        .parents(number)
        .find(enabled)
        .and_then(|edge| user_of(lineage, edge))
}

/// The user of a service-specific credential, which is named by its own id.
fn profile_owner(lineage: &Lineage<'_>, number: u32) -> Option<Owner> {
    let profile = lineage.node(number)?.kind == NodeKind::LoginProfile;
    lineage
        .parents(number)
        .next()
        .filter(|_| profile)
        .and_then(|edge| user_of(lineage, edge))
}

/// How far a ledger reaches.
pub(super) fn mark(ledger: &Ledger) -> Mark {
    let last = ledger
        .uses()
        .iter()
        .map(|usage| ledger.last(usage).0.seconds())
        .max();
    Mark {
        events: ledger.events(),
        last: last.map(|s| Timestamp::from_seconds(i64::from(s))),
    }
}

/// A node as a plan about these members tells it.
pub(super) fn subject(
    report: &Report<'_, '_>,
    number: u32,
    members: &BTreeSet<u32>,
) -> Option<Subject> {
    let lineage = report.lineage();
    let node = lineage.node(number)?;
    let (end, life) = (report.end(number), report.life(number));
    let edges = lineage.parents(number);
    let evidence: BTreeSet<String> = edges.flat_map(|edge| lineage.evidence(edge)).collect();
    Some(Subject {
        kind: Untrusted::new(end.kind),
        access_key_id: end.access_key_id,
        user_id: user_id(lineage, number),
        source_identity: source_identity(lineage, number),
        principal_arn: end.principal_arn,
        account: end.account,
        owner: owner(lineage, number),
        credential: node.kind.is_credential(),
        by_lineage: lineage
            .parents(number)
            .any(|edge| members.contains(&edge.parent)),
        long_term: node.kind == NodeKind::LongTermKey,
        issued_at: node.created.map(|s| Timestamp::from_seconds(i64::from(s))),
        expires_at: life.expires,
        status: Untrusted::new(life.status.name()),
        actions: actions(report, number)
            .into_iter()
            .map(Untrusted::new)
            .collect(),
        evidence: evidence.into_iter().map(Untrusted::new).collect(),
    })
}

/// The value of `aws:userid` (IAM User Guide, "AWS global condition context keys").
fn user_id(lineage: &Lineage<'_>, number: u32) -> Option<Untrusted> {
    let node = lineage.node(number)?;
    let ledger = lineage.ledger();
    let (id, session) = (ledger.text(node.unique_id), ledger.text(node.session));
    let id = match (id, session) {
        ("", _) => return None,
        (id, "") => id.to_owned(),
        (id, session) => format!("{id}:{session}"),
    };
    Some(Untrusted::new(id))
}

/// Nobody can change it in a chain of roles, so a session has that of the one that it came from, also when it was
/// never used (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html).
pub(super) fn source_identity(lineage: &Lineage<'_>, number: u32) -> Option<Untrusted> {
    let mut found = shown_identity(lineage, number);
    for edge in lineage.ancestors(number) {
        if found.is_some() || !lineage.ledger().text(edge.api).starts_with("AssumeRole") {
            break;
        }
        found = attribute(lineage, edge, Attribute::SourceIdentity)
            .or_else(|| shown_identity(lineage, edge.parent));
    }
    found
}

/// The source identity that a node's own requests show.
fn shown_identity(lineage: &Lineage<'_>, number: u32) -> Option<Untrusted> {
    let ledger = lineage.ledger();
    let callers = lineage.callers_of(number).iter();
    let texts =
        callers.map(|&caller| ledger.text(ledger.rare(&ledger.caller(caller)).source_identity));
    texts
        .filter(|text| !text.is_empty())
        .min()
        .map(Untrusted::new)
}

/// What a node was seen doing, in the form of IAM's actions. CloudTrail's event names are API operations, nearly
/// always named as the permission is; denies here are of every action, so a difference decides nothing.
pub(super) fn actions(report: &Report<'_, '_>, number: u32) -> BTreeSet<String> {
    let uses = report.uses().uses(report.lineage(), number);
    uses.filter_map(|usage| action(report.lineage().ledger(), usage))
        .collect()
}

fn action(ledger: &Ledger, usage: &Use) -> Option<String> {
    let call = ledger.call_of(&usage.key)?;
    let (service, _) = ledger.text(call.source).split_once('.')?;
    let name = ledger.text(call.name);
    (!name.is_empty()).then(|| format!("{service}:{name}"))
}
