//! A deny that responders placed, taken away again.

use super::odd::{Odd, Owner, line};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Seconds};
use std::collections::BTreeMap;

/// A containing policy stripped.
pub(super) const DETECTION: Detection = Detection {
    id: "deny-policy-stripped",
    title: "A denying policy taken away",
    severity: Severity::High,
    techniques: &["T1562.001", "T1098.003"],
    finds: "A policy that denies everything, revokes older sessions or quarantines is detached, deleted or \
        overwritten by a credential of the denied user or role or of one that came from it, or by somebody else \
        within ten minutes of its being placed; or such a credential removes a permissions boundary.",
    matters: "Whoever does this is watching the containment and works against it; the window before a deny takes \
        effect everywhere is a few seconds long.",
    evaded: "Working through a principal whose link to the denied one no log shows, after the ten minutes.",
    false_positives: &[
        "Whoever placed the deny corrects or lifts it: let through, also with another session from the same root.",
        "Responders who lift it later: let through.",
        "A tool that manages boundaries of other roles: let through.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
        "https://github.com/OffensAI/notyet",
    ],
    run,
};

/// Containment that is undone this soon was raced; tools that do so look every few seconds.
const RACE: Seconds = 600;

/// AWS's own policies that deny, by the end of their ARN
/// (docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html).
const DENYING: &[&str] = &["/AWSDenyAll", "/AWSCompromisedKeyQuarantine"];

type Target<'l> = (&'l str, Owner<'l>, &'l str);

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut denies: BTreeMap<Target<'_>, Vec<&Fact>> = BTreeMap::new();
    for fact in [Deed::PutPolicy, Deed::AttachPolicy]
        .into_iter()
        .flat_map(|d| scene.deeds(d))
    {
        if denying(scene, fact)
            && let Some(target) = target(scene, fact)
        {
            denies.entry(target).or_default().push(fact);
        }
    }
    for fact in strips(scene) {
        let Some(target) = target(scene, fact) else {
            continue;
        };
        let list = denies.get(&target).map(Vec::as_slice).unwrap_or_default();
        let placed = list
            .iter()
            .rfind(|deny| (deny.time, deny.hash) < (fact.time, fact.hash));
        found.extend(judge(scene, (fact, target), placed.copied()));
    }
}

/// Everything that may take a deny away.
fn strips<'l>(scene: &Scene<'_, 'l>) -> impl Iterator<Item = &'l Fact> {
    let removed = [Deed::DetachPolicy, Deed::DeletePolicy]
        .into_iter()
        .flat_map(|d| scene.deeds(d));
    let over = scene
        .deeds(Deed::PutPolicy)
        .filter(|fact| !denying(scene, fact));
    let bound = scene
        .deeds(Deed::Change)
        .filter(|fact| removes_boundary(scene, fact));
    removed.chain(over).chain(bound)
}

fn removes_boundary(scene: &Scene<'_, '_>, fact: &Fact) -> bool {
    matches!(
        scene.name(fact),
        "DeleteUserPermissionsBoundary" | "DeleteRolePermissionsBoundary"
    )
}

fn denying(scene: &Scene<'_, '_>, fact: &Fact) -> bool {
    let has = |attribute| {
        scene
            .ledger
            .kept(fact)
            .iter()
            .any(|k| k.attribute == attribute)
    };
    has(Attribute::DenyAll)
        || has(Attribute::DenyBefore)
        || has(Attribute::DenyUserId)
        || by_name(scene.text(fact, Attribute::PolicyArn))
}

fn by_name(arn: &str) -> bool {
    DENYING.iter().any(|name| arn.contains(name))
}

/// Account, user or role, and policy.
fn target<'l>(scene: &Scene<'_, 'l>, fact: &Fact) -> Option<Target<'l>> {
    let account = scene.ledger.place_of(&fact.key).map(|place| place.account);
    let account = scene.ledger.text(account.unwrap_or_default());
    let arn = scene.text(fact, Attribute::PolicyArn);
    let policy = if arn.is_empty() {
        scene.text(fact, Attribute::PolicyName)
    } else {
        arn
    };
    Some((account, Owner::named(scene, fact)?, policy))
}

fn judge(
    scene: &Scene<'_, '_>,
    (fact, (account, owner, policy)): (&Fact, Target<'_>),
    placed: Option<&Fact>,
) -> Option<Draft> {
    let actor = scene.actor(fact)?;
    let boundary = removes_boundary(scene, fact);
    if placed.is_none() && !boundary && !by_name(policy) {
        return None;
    }
    let root = scene.root(actor);
    let placed_by = placed.and_then(|p| scene.actor(p));
    if placed_by.is_some_and(|p| scene.root(p) == root) {
        return None;
    }
    let own = belongs(scene, actor, (account, owner));
    let raced = placed.filter(|p| fact.time - p.time <= RACE);
    if !own && raced.is_none() {
        return None;
    }
    let odd = Odd::of(scene, fact);
    let taken = match (boundary, scene.name(fact)) {
        (true, _) => "removed the permissions boundary of".to_owned(),
        (_, name) if name.starts_with("Put") => format!("overwrote {policy} on"),
        _ => format!("took {policy} from"),
    };
    let mut what = format!("{} {taken} {}", scene.label(actor), owner.words());
    if let Some(placed) = placed {
        what.push_str(&format!(
            ", {} seconds after it was placed",
            fact.time - placed.time
        ));
    }
    if own {
        what.push_str(", with whose permissions it or what it came from acts");
    }
    let draft = Draft::new(actor, odd.told(&what))
        .distinct(format!("{account} {} {policy}", owner.words()))
        .confidence(if own {
            Confidence::High
        } else {
            Confidence::Medium
        })
        .seen_in(placed.map(|p| (p.time, p.id)))
        .seen(fact.time, fact.id);
    Some(odd.shown(draft))
}

/// Whether a node, or anything it came from, acts with this user's or role's permissions.
fn belongs(scene: &Scene<'_, '_>, node: u32, (account, owner): (&str, Owner<'_>)) -> bool {
    line(scene, node).into_iter().any(|n| {
        let principal = scene.lineage.principal(n);
        let same = Owner::of(principal.raw()) == Some(owner);
        same && principal.raw().split(':').nth(4) == Some(account)
    })
}
