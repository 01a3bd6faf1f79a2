//! One temporary token in use from several networks at once.

use super::calls::Kinds;
use super::network::Network;
use super::visit::{Agent, Visit, addresses, records, told, visits};
use super::workloads::is_workload;
use super::{Detection, Novelty, Scene};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::Seconds;
use crate::lineage::{NodeKind, Origin};
use std::collections::BTreeSet;

/// A token used from several networks at once.
pub(super) const DETECTION: Detection = Detection {
    id: "token-from-several-networks",
    title: "Token used from several networks at once",
    severity: Severity::Medium,
    techniques: &["T1550.001", "T1078.004"],
    finds: "One temporary credential is used from two networks or more in turns: it did not move, it is in two \
        places. Other software in the second place makes it medium, and high if that place is new to the principal \
        and the calls look around, change IAM or read data. Workloads have a detection of their own.",
    matters: "A temporary credential is meant for the process that asked for it. A second place means that it was \
        copied, and deactivating the key that it came from ends neither copy.",
    evaded: "Use from the same network or provider, use only after the owner has stopped, or a log in which the \
        owner's own calls are missing.",
    false_positives: &[
        "A laptop that changes between networks, and fleets that share one session (EMR, data platforms): the same \
         user agents in both places, low.",
        "IPv4 and IPv6 of one host, VPC endpoints, networks that the settings name, keys of the console, calls that \
         services forward: not counted.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html",
        "https://netskope.com/blog/securing-aws-temporary-tokens",
    ],
    run,
};

/// Changes of place below which a token may have moved there and back.
const TURNS: usize = 3;

/// A token in two places.
#[derive(Clone, Debug)]
pub(super) struct Split<'l> {
    /// Where it was used first.
    pub(super) home: Vec<Visit<'l>>,
    /// What was done elsewhere, the earliest first; never empty.
    pub(super) away: Vec<Visit<'l>>,
    /// Whether other software is used there.
    pub(super) differs: bool,
}

/// The tokens that are in two places.
pub(super) fn splits<'l>(scene: &Scene<'_, 'l>) -> Vec<Split<'l>> {
    let nodes = (0u32..).zip(scene.lineage.nodes());
    let candidates = nodes.filter(|&(number, node)| {
        let kind = matches!(
            node.kind,
            NodeKind::TemporaryCredential | NodeKind::FederatedSession
        );
        let own = matches!(node.origin, Origin::Issued | Origin::Unseen);
        kind && own && scene.activity(number).several && !is_workload(scene, number)
    });
    candidates
        .filter_map(|(number, _)| split(scene, number))
        .collect()
}

fn split<'l>(scene: &Scene<'_, 'l>, node: u32) -> Option<Split<'l>> {
    let all = visits(scene, node);
    let start = all.first()?.network;
    let (home, other): (Vec<_>, Vec<_>) = all.into_iter().partition(|visit| visit.network == start);
    let end = home.iter().map(|visit| visit.last).max()?;
    let away = other.into_iter().filter(|visit| {
        let beside = home.iter().any(|h| h.beside(visit, scene));
        visit.first < end && !beside && !scene.networks.is_known(visit.network)
    });
    let away: Vec<Visit<'l>> = away.collect();
    let in_turns = turns(scene, home.iter().chain(&away)) >= TURNS;
    // One laptop has many programs; only when it goes there and back again and again is it two.
    let other = |a: Agent, b: Agent| a.on_another_system(b) || in_turns && a.differs(b);
    let differs = away
        .iter()
        .any(|visit| home.iter().all(|h| other(h.agent, visit.agent)));
    (!away.is_empty() && (differs || in_turns)).then_some(Split {
        home,
        away,
        differs,
    })
}

/// How often the network changed from one record to the next, as far as the first and last record of
/// each use tell.
fn turns<'v, 'l: 'v>(scene: &Scene<'_, '_>, visits: impl Iterator<Item = &'v Visit<'l>>) -> usize {
    let points = visits.flat_map(|visit| {
        let times = visit.uses.iter().flat_map(|usage| {
            let last = scene.ledger.last(usage).0.seconds();
            [usage.first.seconds(), last]
        });
        times.map(move |time| (time, visit.network))
    });
    let mut points: Vec<(Seconds, Network)> = points.collect();
    // Points of one second in two places count as one change, whatever order they come in.
    points.sort_by_key(|&(time, network)| (time, scene.networks.name(network)));
    points.dedup();
    points
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.1 != b.1))
        .count()
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    found.extend(splits(scene).iter().filter_map(|split| draft(scene, split)));
}

fn draft(scene: &Scene<'_, '_>, split: &Split<'_>) -> Option<Draft> {
    let begin = split.away.first()?;
    let who = scene.node(begin.node)?.unique_id;
    let novelty = scene.place_novelty(who, begin.network, begin.first);
    let kinds = Kinds::RECON.with(Kinds::IAM).with(Kinds::DATA);
    let grave = split.away.iter().any(|visit| visit.kinds.has(kinds));
    let new = novelty == Novelty::New;
    let (severity, confidence) = match (split.differs, new && grave) {
        (true, true) => (Severity::High, Confidence::Medium),
        (true, false) => (Severity::Medium, Confidence::Medium),
        (false, _) => (Severity::Low, Confidence::Low),
    };
    let what = format!(
        "{} was used from {} with {}, and meanwhile from {} with {}: {}",
        scene.label(begin.node),
        addresses(scene, &split.home),
        programs(&split.home),
        addresses(scene, &split.away),
        programs(&split.away),
        told(
            scene,
            split.away.iter().flat_map(|v| v.uses.iter().copied())
        ),
    );
    let draft = Draft::new(begin.node, what)
        .severity(severity)
        .confidence(confidence)
        .from(begin.symbol(scene))
        .seen_in(records(scene, &split.away))
        .beside(records(scene, &split.home));
    Some(if new {
        draft
    } else {
        draft.not_visible(
            "Whether the second network is usual for this principal: the log does not reach back a week, or \
             it was used before.",
        )
    })
}

/// The user agents of some visits, sorted.
fn programs(visits: &[Visit<'_>]) -> String {
    let found: BTreeSet<&str> = visits.iter().map(|visit| visit.text).collect();
    found.into_iter().collect::<Vec<_>>().join("; ")
}
