//! A token that is asked for and at once used for something grave.

use super::calls::Kinds;
use super::visit::told;
use super::{Detection, Scene};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Seconds, Use};
use crate::lineage::{NodeKind, Origin};
use std::collections::{BTreeMap, BTreeSet};

/// Grave calls at once.
pub(super) const DETECTION: Detection = Detection {
    id: "high-impact-at-once",
    title: "Token used at once for a grave call",
    severity: Severity::Medium,
    techniques: &["T1078.004", "T1496", "T1485", "T1552"],
    finds: "Within two minutes of its issue a temporary credential leaves the organisation, closes the account, reads \
        the passwords of several instances, switches off GuardDuty or Config without having looked, or tries to start instances beyond the \
        quota and does nothing else. Failed calls count. One finding for each parent.",
    matters: "Work looks before it acts. A token made for one grave call is the step after the looking was done with \
        another credential.",
    evaded: "Waiting for two minutes, or a few harmless calls with the token before the grave one.",
    false_positives: &[
        "Pipelines that start instances, share snapshots or send mail with a fresh token: not counted.",
        "A pipeline at its quota that looked at anything before: not counted.",
    ],
    references: &[
        "https://stratus-red-team.cloud/attack-techniques/AWS/aws.defense-evasion.organizations-leave/",
        "https://stratus-red-team.cloud/attack-techniques/AWS/aws.credential-access.ec2-get-password-data/",
    ],
    run,
};

/// How soon after its issue.
const AT_ONCE: Seconds = 120;

/// Passwords of instances that one who manages them reads one at a time.
const PASSWORDS: u64 = 3;

/// Other calls of a token that switches off a guard; tools that take down a whole environment make more.
const LOOKED: usize = 2;

/// How grave a call is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grave {
    /// More instances than the quota allows.
    Quota,
    /// Passwords of instances.
    Passwords,
    /// Guards switched off.
    Guards,
    /// The account itself.
    Account,
}

fn grave(name: &str) -> Option<Grave> {
    Some(match name {
        "LeaveOrganization" | "RemoveAccountFromOrganization" | "CloseAccount" => Grave::Account,
        "DeleteDetector"
        | "StopMonitoringMembers"
        | "StopConfigurationRecorder"
        | "DeleteConfigurationRecorder" => Grave::Guards,
        "GetPasswordData" => Grave::Passwords,
        "RunInstances" | "RequestSpotInstances" | "RequestSpotFleet" => Grave::Quota,
        _ => return None,
    })
}

/// Error codes of EC2 for quotas
/// (docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
const QUOTA: [&str; 3] = [
    "VcpuLimitExceeded",
    "InstanceLimitExceeded",
    "MaxSpotInstanceCountExceeded",
];

/// One token's grave calls.
struct Token<'l> {
    node: u32,
    grave: Grave,
    uses: Vec<&'l Use>,
    worked: bool,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut parents: BTreeMap<u32, Vec<Token<'_>>> = BTreeMap::new();
    for (number, node) in (0u32..).zip(scene.lineage.nodes()) {
        let temporary = matches!(
            node.kind,
            NodeKind::TemporaryCredential | NodeKind::FederatedSession
        );
        let activity = scene.activity(number);
        let soon = node.created.is_some_and(|created| {
            activity.any() && activity.first <= created.saturating_add(AT_ONCE)
        });
        if !(temporary
            && soon
            && node.origin == Origin::Issued
            && activity.kinds.has(Kinds::IMPACT))
        {
            continue;
        }
        let parent = scene
            .lineage
            .primary(number)
            .map_or(number, |edge| edge.parent);
        if let Some(token) = token(scene, number) {
            parents.entry(parent).or_default().push(token);
        }
    }
    found.extend(
        parents
            .into_iter()
            .filter_map(|(parent, tokens)| draft(scene, parent, tokens)),
    );
}

fn token<'l>(scene: &Scene<'_, 'l>, node: u32) -> Option<Token<'l>> {
    let end = scene.node(node)?.created?.saturating_add(AT_ONCE);
    let soon = |usage: &&Use| usage.first.seconds() <= end;
    let outcome = |usage: &Use| scene.outcome(usage);
    let mut uses: Vec<&'l Use> = Vec::new();
    let mut worst: Option<Grave> = None;
    for usage in scene.uses(node).filter(soon) {
        let Some(grave) = grave(scene.call_name(&usage.key)) else {
            continue;
        };
        let quota = QUOTA.iter().any(|code| outcome(usage).ends_with(code));
        let counts = match grave {
            Grave::Quota => quota && others(scene, node, usage) == 0,
            Grave::Passwords => passwords(scene, node) >= PASSWORDS,
            Grave::Guards => others(scene, node, usage) <= LOOKED,
            Grave::Account => true,
        };
        if counts {
            worst = worst.max(Some(grave));
            uses.push(usage);
        }
    }
    let worked = uses.iter().any(|usage| scene.worked(usage));
    worst.map(|grave| Token {
        node,
        grave,
        uses,
        worked,
    })
}

/// How many other calls a token was used for.
fn others(scene: &Scene<'_, '_>, node: u32, call: &Use) -> usize {
    let own = |usage: &Use| scene.ledger.act(&usage.key).call;
    let others = scene.uses(node).map(own);
    let others: BTreeSet<u32> = others.filter(|other| *other != own(call)).collect();
    others.len()
}

fn passwords(scene: &Scene<'_, '_>, node: u32) -> u64 {
    let asked = scene
        .uses(node)
        .filter(|usage| scene.call_name(&usage.key) == "GetPasswordData");
    asked.map(|usage| scene.ledger.count(usage)).sum()
}

fn draft(scene: &Scene<'_, '_>, parent: u32, mut tokens: Vec<Token<'_>>) -> Option<Draft> {
    tokens.sort_by_key(|token| {
        let first = token.uses.iter().map(|usage| usage.first.seconds()).min();
        (first, scene.names(token.node))
    });
    let first = tokens.first()?;
    let worst = tokens
        .iter()
        .map(|token| (token.grave, token.worked))
        .max()?;
    let (severity, confidence) = match worst {
        (Grave::Account, true) => (Severity::High, Confidence::Medium),
        _ => (Severity::Medium, Confidence::Medium),
    };
    let uses = || tokens.iter().flat_map(|token| token.uses.iter().copied());
    let failed = uses().any(|usage| !scene.worked(usage));
    let made = tokens.len();
    let what = format!(
        "{} made {made} {} used at once for: {}{}",
        scene.label(parent),
        if made == 1 {
            "token that was"
        } else {
            "tokens that were"
        },
        told(scene, uses()),
        match (failed, tokens.iter().any(|token| token.worked)) {
            (true, false) => ", in vain",
            (true, true) => ", in part in vain",
            (false, _) => "",
        },
    );
    Some(
        Draft::new(first.node, what)
            .distinct(scene.names(parent))
            .severity(severity)
            .confidence(confidence)
            .also(tokens.iter().map(|token| token.node))
            .seen_in(uses().flat_map(|usage| scene.records(usage))),
    )
}
