//! A session that counts as authenticated with MFA although nothing before it presented a device.

use super::{Detection, Scene};
use crate::deed::Attribute;
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Caller, Fact, Seconds};
use crate::lineage::{Basis, NodeKind, Origin};
use std::collections::BTreeMap;

/// MFA that nothing explains.
pub(super) const DETECTION: Detection = Detection {
    id: "mfa-not-in-ancestry",
    title: "MFA that nothing in the lineage presented",
    severity: Severity::Medium,
    techniques: &["T1556.006", "T1550.001"],
    finds: "A session's records say mfaAuthenticated, its ancestry is recorded step by step up to a long-term key, \
        and no step gave an MFA device.",
    matters: "Either records were changed, or the session's key id was taken for another's: the lineage should not \
        be trusted before that is explained.",
    evaded: "A session below a console, OAuth, federated or Identity Center sign-in, where AWS names no device.",
    false_positives: &[
        "An issuing record without its request, as some exports leave out: then nothing is said of a device; compare \
         with the original.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html",
    ],
    run,
};

/// No chain of sessions is longer; a circle of edges ends here.
const LONGEST: usize = 64;

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut roots: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (number, caller) in (0u32..).zip(scene.ledger.callers()) {
        if !says_mfa(caller) {
            continue;
        }
        let node = scene.lineage.node_of_caller(number);
        if let Some((node, root)) = node.and_then(|node| Some((node, unexplained(scene, node)?))) {
            roots.entry(root).or_default().push(node);
        }
    }
    found.extend(
        roots
            .into_iter()
            .filter_map(|(root, nodes)| judge(scene, root, nodes)),
    );
}

fn says_mfa(caller: &Caller) -> bool {
    caller.mfa == Some(true) && !caller.from_console && caller.invoked_by.is_empty()
}

/// The long-term key at the top, if every step from there is recorded and none gave a device.
fn unexplained(scene: &Scene<'_, '_>, node: u32) -> Option<u32> {
    let of = scene.node(node)?;
    if of.kind != NodeKind::TemporaryCredential || of.origin != Origin::Issued {
        return None;
    }
    let mut at = node;
    for _ in 0..LONGEST {
        let Some(edge) = scene.lineage.primary(at) else {
            break;
        };
        let issued = matches!(
            scene.ledger.text(edge.api),
            "GetSessionToken" | "AssumeRole"
        );
        let device = |fact: &Fact| !scene.ledger.attribute(fact, Attribute::Serial).is_empty();
        if !issued || edge.basis != Basis::Recorded || scene.facts_of(edge).any(device) {
            return None;
        }
        at = edge.parent;
    }
    scene.is(at, NodeKind::LongTermKey).then_some(at)
}

fn judge(scene: &Scene<'_, '_>, root: u32, mut nodes: Vec<u32>) -> Option<Draft> {
    let first = |node: u32| -> Seconds { scene.activity(node).first };
    nodes.sort_by_cached_key(|&node| (first(node), scene.names(node)));
    nodes.dedup();
    let subject = *nodes.first()?;
    let also = match nodes.len() {
        1 => " counts".to_owned(),
        2 => " and another session count".to_owned(),
        n => format!(" and {} more sessions count", n - 1),
    };
    let what = format!(
        "{}{also} as authenticated with MFA, but nothing from {} on presented a device",
        scene.label(subject),
        scene.label(root)
    );
    let issued = nodes.iter().filter_map(|&node| scene.lineage.primary(node));
    let issued: Vec<_> = issued
        .flat_map(|edge| scene.facts_of(edge))
        .map(|f| (f.time, f.id))
        .collect();
    let used = scene
        .uses(subject)
        .filter(|u| says_mfa(&scene.ledger.caller(u.key.caller)));
    let used: Vec<_> = used.flat_map(|usage| scene.records(usage)).collect();
    let draft = Draft::new(subject, what)
        .confidence(Confidence::Medium)
        .also(nodes)
        .seen_in(issued)
        .seen_in(used)
        .not_visible("The records as AWS wrote them: compare these with the original files.");
    Some(draft)
}
