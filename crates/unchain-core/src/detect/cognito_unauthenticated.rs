//! A guest of a Cognito identity pool who does more than an app does.

use super::calls::Kinds;
use super::visit::{told, visits};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Use};
use std::collections::{BTreeMap, BTreeSet};

/// Guests of Cognito who do more than an app.
pub(super) const DETECTION: Detection = Detection {
    id: "cognito-unauthenticated",
    title: "Guest of a Cognito identity pool does more than an app",
    severity: Severity::Medium,
    techniques: &["T1078.004", "T1552", "T1580"],
    finds: "A session that GetCredentialsForIdentity gave without a login looks around with several different calls, \
        reads a secret, calls IAM, or does something with lasting effect. One finding for each role.",
    matters: "Anybody who reads an identity pool's id out of an app gets such a session, without a password or an \
        account. Its role should allow what the app needs and nothing else.",
    evaded: "The classic flow (GetOpenIdToken, then AssumeRoleWithWebIdentity), whose record does not say that the \
        identity is a guest; and identity pools without data events.",
    false_positives: &[
        "Apps whose guests are meant to call such an API: an entry of the allow-list for the role.",
    ],
    references: &[
        "https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html",
        "https://hackingthe.cloud/aws/exploitation/cognito_identity_pool_excessive_privileges/",
    ],
    run,
};

/// Different calls that look around: an app makes one to know itself.
const LOOKS: usize = 3;

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    if scene
        .deeds(Deed::GetCredentialsForIdentity)
        .next()
        .is_none()
    {
        return;
    }
    let mut roles: BTreeMap<&str, Vec<(u32, &Fact)>> = BTreeMap::new();
    for edge in scene.lineage.edges() {
        let issue = scene.facts_of(edge).next();
        let guest = issue.filter(|fact| {
            fact.deed == Deed::GetCredentialsForIdentity
                && scene.ledger.attribute(fact, Attribute::Provider).is_empty()
        });
        let node = scene.node(edge.child);
        if let (Some(fact), Some(node)) = (guest, node)
            && odd_kinds(scene.activity(edge.child).kinds)
        {
            let role = scene.ledger.text(node.unique_id);
            roles.entry(role).or_default().push((edge.child, fact));
        }
    }
    found.extend(
        roles
            .iter()
            .filter_map(|(role, sessions)| judge(scene, (role, sessions))),
    );
}

fn odd_kinds(kinds: Kinds) -> bool {
    let odd = Kinds::RECON
        .with(Kinds::SECRET)
        .with(Kinds::IAM)
        .with(Kinds::IMPACT);
    kinds.has(odd)
}

/// What a session did that an app would not.
fn odd<'l>(scene: &Scene<'_, 'l>, node: u32) -> Vec<&'l Use> {
    let uses: Vec<&Use> = scene
        .uses(node)
        .filter(|u| odd_kinds(scene.kinds(u)))
        .collect();
    let grave = Kinds::SECRET.with(Kinds::IMPACT).with(Kinds::IAM);
    let looks: BTreeSet<u32> = uses
        .iter()
        .map(|usage| scene.ledger.act(&usage.key).call)
        .collect();
    if looks.len() >= LOOKS || uses.iter().any(|usage| scene.kinds(usage).has(grave)) {
        uses
    } else {
        Vec::new()
    }
}

fn judge(scene: &Scene<'_, '_>, (role, sessions): (&str, &[(u32, &Fact)])) -> Option<Draft> {
    let done = sessions
        .iter()
        .map(|&(node, fact)| (node, fact, odd(scene, node)));
    let mut done: Vec<(u32, &Fact, Vec<&Use>)> =
        done.filter(|(_, _, uses)| !uses.is_empty()).collect();
    done.sort_by_key(|(node, fact, _)| (fact.time, scene.names(*node)));
    let (node, fact, _) = done.first()?;
    let address = scene.address(fact.key.client);
    let what = format!(
        "{}, which a guest of Cognito got at {} without a login, did more than an app: {}",
        scene.label(*node),
        scene.ledger.text(address),
        told(
            scene,
            done.iter().flat_map(|(_, _, uses)| uses.iter().copied())
        ),
    );
    let places = visits(scene, *node);
    let from = places.first().map_or(address, |visit| visit.symbol(scene));
    let uses = done.iter().flat_map(|(_, _, uses)| uses.iter().copied());
    Some(
        Draft::new(*node, what)
            .distinct(role)
            .confidence(Confidence::Medium)
            .also(done.iter().map(|(node, ..)| *node))
            .from(from)
            .seen_in(done.iter().map(|(_, fact, _)| (fact.time, fact.id)))
            .seen_in(uses.flat_map(|usage| scene.records(usage))),
    )
}
