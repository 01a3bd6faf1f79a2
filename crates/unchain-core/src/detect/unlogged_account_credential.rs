//! A credential of an account whose log is not here acts in one of ours.

use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, IdentityType, Seconds, Symbol};
use crate::lineage::NodeKind;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Credentials of accounts without a log.
pub(super) const DETECTION: Detection = Detection {
    id: "unlogged-account-credential",
    title: "Role assumed from an account without a log",
    severity: Severity::Informational,
    techniques: &["T1199", "T1078.004", "T1098.003"],
    finds: "A role is assumed from an account whose log is not here and which the settings do not name. Medium if the \
        session, or one that came of it, makes a user, key, password or MFA device, or if the role's trust policy was \
        changed to name that account shortly before; high if both. One finding for each account and role.",
    matters: "What began the lineage lies outside what can be seen, and cannot be revoked from here: only the role's \
        trust can.",
    evaded: "An account of the organisation that is logged, or a session that only reads.",
    false_positives: &[
        "Vendors and tool accounts: informational; name them in the settings.",
        "A role made for a vendor with its trust from the start is not a change of trust.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html",
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-sharedeventid-example.html",
    ],
    run,
};

/// How long before a role's first use from outside a change of its trust belongs to it.
const OPENED: Seconds = 24 * 3600;

/// Deeds by which an intruder stays. Roles and policies are left out: tool accounts make them daily.
const STAYING: [Deed; 7] = [
    Deed::CreateUser,
    Deed::CreateAccessKey,
    Deed::CreateLoginProfile,
    Deed::UpdateLoginProfile,
    Deed::CreateServiceSpecificCredential,
    Deed::CreateVirtualMfaDevice,
    Deed::EnableMfaDevice,
];

/// The sessions of one role from one account.
#[derive(Default)]
struct Visitors<'l> {
    sessions: Vec<(u32, &'l Fact)>,
    stayed: Vec<&'l Fact>,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut groups = groups(scene);
    if groups.is_empty() {
        return;
    }
    let of_session: HashMap<u32, (Symbol, Symbol)> = groups
        .iter()
        .flat_map(|(pair, group)| group.sessions.iter().map(|(node, _)| (*node, *pair)))
        .collect();
    for fact in STAYING.into_iter().flat_map(|deed| scene.deeds(deed)) {
        let Some(actor) = scene.actor(fact) else {
            continue;
        };
        let above = scene.ancestors(actor).into_iter().map(|edge| edge.parent);
        let pair = std::iter::once(actor)
            .chain(above)
            .find_map(|n| of_session.get(&n));
        if let Some(group) = pair.and_then(|pair| groups.get_mut(pair)) {
            group.stayed.push(fact);
        }
    }
    found.extend(
        groups
            .iter()
            .filter_map(|(pair, group)| draft(scene, *pair, group)),
    );
}

fn groups<'l>(scene: &Scene<'_, 'l>) -> BTreeMap<(Symbol, Symbol), Visitors<'l>> {
    let logged: HashSet<Symbol> = scene
        .ledger
        .places()
        .map(|(place, _)| place.account)
        .collect();
    let mut groups: BTreeMap<(Symbol, Symbol), Visitors<'l>> = BTreeMap::new();
    for edge in scene.lineage.edges() {
        if !scene.is(edge.parent, NodeKind::Identity) {
            continue;
        }
        let Some(fact) = scene.facts_of(edge).next() else {
            continue;
        };
        let caller = scene.ledger.caller(fact.key.caller);
        let from = caller.account;
        let outside = caller.kind == IdentityType::AwsAccount
            && fact.deed == Deed::AssumeRole
            && caller.invoked_by.is_empty()
            && !from.is_empty()
            && !logged.contains(&from);
        if outside
            && !scene
                .settings
                .accounts
                .contains_key(scene.ledger.text(from))
        {
            let role = scene.ledger.attribute(fact, Attribute::Role);
            let group = groups.entry((from, role)).or_default();
            group.sessions.push((edge.child, fact));
        }
    }
    groups
}

/// The change that let an account into a role, not long before it first came.
fn opened<'l>(
    scene: &Scene<'_, 'l>,
    (from, role): (&str, &str),
    first: Seconds,
) -> Option<&'l Fact> {
    let mut changes = scene.deeds(Deed::UpdateAssumeRolePolicy);
    changes.find(|fact| {
        let before = fact.time <= first && first - fact.time <= OPENED;
        let name = scene.text(fact, Attribute::Role);
        let place = scene.ledger.place_of(&fact.key);
        let account = place.map_or("", |place| scene.ledger.text(place.account));
        let same = role.split(':').nth(4) == Some(account)
            && role.rsplit('/').next() == name.rsplit('/').next();
        before && same && scene.text(fact, Attribute::Document).contains(from)
    })
}

fn draft(
    scene: &Scene<'_, '_>,
    (from, role): (Symbol, Symbol),
    group: &Visitors<'_>,
) -> Option<Draft> {
    let (from, role) = (scene.ledger.text(from), scene.ledger.text(role));
    let &(node, first) = group
        .sessions
        .iter()
        .min_by_key(|(node, fact)| (fact.time, scene.names(*node)))?;
    let opened = opened(scene, (from, role), first.time);
    let (severity, confidence) = match (opened.is_some(), group.stayed.is_empty()) {
        (true, false) => (Severity::High, Confidence::High),
        (true, true) | (false, false) => (Severity::Medium, Confidence::Medium),
        (false, true) => (Severity::Informational, Confidence::High),
    };
    let mut calls: Vec<&str> = group.stayed.iter().map(|fact| scene.name(fact)).collect();
    calls.sort_unstable();
    calls.dedup();
    let times = group.sessions.len();
    let what = format!(
        "account {from}, whose log is not here, assumed {role} {times} {}{}{}",
        if times == 1 { "time" } else { "times" },
        match opened {
            Some(fact) => format!(
                ", after {} had let it in with {}",
                scene
                    .actor(fact)
                    .map(|n| scene.label(n))
                    .unwrap_or_default(),
                scene.name(fact)
            ),
            None => String::new(),
        },
        if calls.is_empty() {
            String::new()
        } else {
            format!(", and its sessions called {}", calls.join(", "))
        },
    );
    let facts = group.sessions.iter().map(|(_, fact)| *fact);
    let facts = facts.chain(group.stayed.iter().copied()).chain(opened);
    Some(
        Draft::new(node, what)
            .distinct(format!("{from}>{role}"))
            .severity(severity)
            .confidence(confidence)
            .also(group.sessions.iter().map(|(node, _)| *node))
            .seen_in(facts.map(|fact| (fact.time, fact.id)))
            .not_visible(format!(
                "What the credential is that acts from account {from}: its log is not here."
            )),
    )
}
