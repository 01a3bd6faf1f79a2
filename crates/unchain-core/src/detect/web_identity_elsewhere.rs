//! The session of a pipeline or pod, used where nothing else of its identity provider is.

use super::network::Network;
use super::visit::{System, Visit, addresses, records, told, visits};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::Fact;
use std::collections::{HashMap, HashSet};

/// Web identity sessions used elsewhere.
pub(super) const DETECTION: Detection = Detection {
    id: "web-identity-elsewhere",
    title: "Web identity session used elsewhere",
    severity: Severity::Medium,
    techniques: &["T1550.001", "T1528", "T1078.004"],
    finds: "A session from AssumeRoleWithWebIdentity (GitHub Actions, EKS service accounts and the like) is used from \
        a network other than the one that asked for it, in which no other session of its provider was ever issued or \
        used, and with another program. The provider's own sessions are the measure of what is usual.",
    matters: "A runner or pod asks for its session and uses it in one place. Elsewhere it is in the hands of \
        somebody who read it out of a build log, a step or the pod.",
    evaded: "Use from inside the pipeline, or from the provider's own network: another runner of the same cloud \
        may share it when no database of networks is given.",
    false_positives: &[
        "Runners with several ways out: the same program is not counted.",
        "Sign-ins of people and phones (Cognito, Google, Facebook, Amazon): not counted.",
        "Providers with few sessions: low, since nothing is usual yet.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html",
        "https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html",
    ],
    run,
};

/// Sessions of a provider from which on its networks say what is usual.
const MEASURE: usize = 5;

/// Providers that vouch for people and their phones, which move about.
const PEOPLE: [&str; 4] = [
    "cognito-identity.",
    "accounts.google.com",
    "graph.facebook.com",
    "www.amazon.com",
];

/// A session of a provider.
struct Session<'l> {
    node: u32,
    issue: &'l Fact,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    if scene
        .deeds(Deed::AssumeRoleWithWebIdentity)
        .next()
        .is_none()
    {
        return;
    }
    let mut providers: HashMap<&str, Vec<Session<'_>>> = HashMap::new();
    for edge in scene.lineage.edges() {
        let issue = scene.facts_of(edge).next();
        let Some(issue) = issue.filter(|f| f.deed == Deed::AssumeRoleWithWebIdentity) else {
            continue;
        };
        let provider = scene.text(issue, Attribute::Provider);
        if !PEOPLE.iter().any(|people| provider.contains(people)) {
            let session = Session {
                node: edge.child,
                issue,
            };
            providers.entry(provider).or_default().push(session);
        }
    }
    for (provider, sessions) in &providers {
        judge(scene, (provider, sessions), found);
    }
}

fn home(scene: &Scene<'_, '_>, session: &Session<'_>) -> Network {
    scene.networks.of_client(session.issue.key.client)
}

/// Whether a session may have been used elsewhere than it was issued, at a glance.
fn suspect(scene: &Scene<'_, '_>, session: &Session<'_>) -> bool {
    let activity = scene.activity(session.node);
    let home = home(scene, session);
    let moved = activity.several || activity.network != home;
    activity.network.is_some() && home.is_some() && moved
}

fn judge(
    scene: &Scene<'_, '_>,
    (provider, sessions): (&str, &[Session<'_>]),
    found: &mut Vec<Draft>,
) {
    let suspects: Vec<&Session<'_>> = sessions.iter().filter(|s| suspect(scene, s)).collect();
    if suspects.is_empty() {
        return;
    }
    // Where sessions were issued, and where those were used that never left: what is usual.
    let mut usual: HashSet<Network> = sessions.iter().map(|s| home(scene, s)).collect();
    let seen: Vec<(u32, Vec<Visit<'_>>)> = suspects
        .iter()
        .map(|session| (session.node, visits(scene, session.node)))
        .collect();
    let mut by: HashMap<Network, HashSet<u32>> = HashMap::new();
    for (node, visit) in seen
        .iter()
        .flat_map(|(node, all)| all.iter().map(move |v| (*node, v)))
    {
        by.entry(visit.network).or_default().insert(node);
    }
    let shared = by.into_iter().filter(|(_, nodes)| nodes.len() > 1);
    usual.extend(shared.map(|(network, _)| network));
    let enough = sessions.len() >= MEASURE;
    for (session, (_, all)) in suspects.iter().zip(&seen) {
        let away = all.iter().filter(|v| is_away(scene, (session, v), &usual));
        let away: Vec<&Visit<'_>> = away.collect();
        found.extend(draft(scene, (session, provider), (&away, enough)));
    }
}

fn is_away<'l>(
    scene: &Scene<'_, 'l>,
    (session, visit): (&Session<'_>, &Visit<'l>),
    usual: &HashSet<Network>,
) -> bool {
    let issuer = scene.address(session.issue.key.client);
    let same_kind = scene.ledger.text(issuer).contains(':') == visit.is_v6(scene);
    let own = scene.machine(session.issue.key.client);
    let known = usual.contains(&visit.network) || scene.networks.is_known(visit.network);
    let endpoint = visit.through_endpoint(scene)
        || scene
            .networks
            .name(home(scene, session))
            .starts_with("vpce-");
    same_kind && !known && !endpoint && own.differs(visit.agent)
}

fn draft(
    scene: &Scene<'_, '_>,
    (session, provider): (&Session<'_>, &str),
    (away, enough): (&[&Visit<'_>], bool),
) -> Option<Draft> {
    let first = away.first()?;
    let desktop = away
        .iter()
        .any(|v| matches!(v.agent.system, System::Darwin | System::Windows));
    let (severity, confidence) = match (enough, desktop) {
        (true, true) => (Severity::High, Confidence::High),
        (true, false) => (Severity::Medium, Confidence::Medium),
        (false, _) => (Severity::Low, Confidence::Low),
    };
    let issue = session.issue;
    let what = format!(
        "{}, issued to {} of {provider} at {}, was used from {} with {}: {}",
        scene.label(session.node),
        scene.text(issue, Attribute::Subject),
        scene.ledger.text(scene.address(issue.key.client)),
        addresses(scene, away.iter().copied()),
        first.text,
        told(scene, away.iter().flat_map(|v| v.uses.iter().copied())),
    );
    let draft = Draft::new(session.node, what)
        .severity(severity)
        .confidence(confidence)
        .from(first.symbol(scene))
        .seen(issue.time, issue.id)
        .seen_in(records(scene, away.iter().copied()));
    Some(if enough {
        draft
    } else {
        draft.not_visible(
            "Where this provider's sessions are usually used: the log holds too few of them.",
        )
    })
}
