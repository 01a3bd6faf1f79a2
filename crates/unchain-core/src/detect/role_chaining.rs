//! A role session that assumes another role.

use super::history::Novelty;
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Seconds, Symbol};
use crate::lineage::{Edge, NodeKind};
use std::collections::BTreeMap;

/// Role chaining.
pub(super) const DETECTION: Detection = Detection {
    id: "role-chaining",
    title: "Role chaining",
    severity: Severity::Medium,
    techniques: &["T1550.001", "T1078.004", "T1548"],
    finds: "A role session assumes another role: three sessions deep or more, into another account, or a \
        role that its own role has not assumed before. One finding for each pair of roles.",
    matters: "Each step hides the credential it began with, and each session lives on when the one before it is \
        revoked.",
    evaded: "A pair that was usual before, or a log that begins after the first chained call: then novelty \
        cannot be told.",
    false_positives: &[
        "Deployment tools assume a role in each account from one role: a pair that comes back day after day is \
         routine; a new tool belongs on the allow-list.",
        "Roles that people switch to in the console, and sessions that services ask for: not counted.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining",
        "https://redcanary.com/blog/threat-detection/aws-sts/",
    ],
    run,
};

/// Sessions in a row from which on a chain is reported whatever its novelty.
const DEEP: usize = 3;

const DAY: Seconds = 24 * 3600;

/// Everything that one role did to assume another.
#[derive(Default)]
struct Pair<'e> {
    edges: Vec<(&'e Edge, usize)>,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut pairs: BTreeMap<(&str, &str), Pair<'_>> = BTreeMap::new();
    for edge in scene
        .lineage
        .edges()
        .iter()
        .filter(|edge| chains(scene, edge))
    {
        let Some(fact) = assumed(scene, edge) else {
            continue;
        };
        let from = scene.ledger.caller(fact.key.caller).unique_id;
        let pair = (scene.ledger.text(from), scene.text(fact, Attribute::Role));
        let depth = depth(scene, edge);
        pairs.entry(pair).or_default().edges.push((edge, depth));
    }
    found.extend(
        pairs
            .into_iter()
            .filter_map(|(names, pair)| judge(scene, names, &pair)),
    );
}

/// Whether a role session assumed a role by its own call.
fn chains(scene: &Scene<'_, '_>, edge: &Edge) -> bool {
    scene.is_role_session(edge.child)
        && scene.is_role_session(edge.parent)
        && scene.is(edge.child, NodeKind::TemporaryCredential)
        && !scene.is_indirect(edge.parent)
        && !scene.is_indirect(edge.child)
}

fn assumed<'l>(scene: &Scene<'_, 'l>, edge: &Edge) -> Option<&'l Fact> {
    let invoked = |fact: &Fact| scene.ledger.caller(fact.key.caller).invoked_by != Symbol::EMPTY;
    scene
        .facts_of(edge)
        .find(|fact| fact.deed == Deed::AssumeRole && !invoked(fact))
}

/// Role sessions in a row up to and with the child of an edge.
fn depth(scene: &Scene<'_, '_>, edge: &Edge) -> usize {
    let above = scene.ancestors(edge.child);
    1 + above
        .iter()
        .take_while(|e| scene.is_role_session(e.parent))
        .count()
}

/// A pair that was seen at the log's beginning and on later days is routine, as far as the log can say.
fn comes_back(pair: &Pair<'_>) -> bool {
    let times = || pair.edges.iter().map(|(edge, _)| edge.time);
    let span = times().max().unwrap_or_default() - times().min().unwrap_or_default();
    pair.edges.len() >= 3 && span >= DAY
}

fn judge(scene: &Scene<'_, '_>, (from, role): (&str, &str), pair: &Pair<'_>) -> Option<Draft> {
    let &(first, _) = pair.edges.iter().min_by_key(|(edge, _)| edge.time)?;
    let deepest = pair
        .edges
        .iter()
        .map(|(_, depth)| *depth)
        .max()
        .unwrap_or_default();
    let fact = assumed(scene, first)?;
    let who = scene.ledger.caller(fact.key.caller).unique_id;
    let target = scene.ledger.attribute(fact, Attribute::Role);
    let novelty = scene.pair_novelty(who, target, first.time);
    let crosses = scene.lineage.crosses_accounts(first);
    let usual = novelty != Novelty::New && comes_back(pair);
    if usual {
        return None;
    }
    let known_account = crosses
        && scene
            .settings
            .accounts
            .contains_key(scene.lineage.account(first.child).raw());
    let (severity, confidence) = match (novelty, deepest >= DEEP, crosses && !known_account) {
        (Novelty::New, true, _) | (Novelty::New, _, true) => (Severity::High, Confidence::Medium),
        (Novelty::New, ..) => (Severity::Medium, Confidence::Medium),
        (Novelty::Unknown, true, _) => (Severity::Medium, Confidence::Medium),
        (Novelty::Unknown, _, true) => (Severity::Low, Confidence::Low),
        (Novelty::Unknown, ..) | (Novelty::Known, ..) => return None,
    };
    let times = pair.edges.len();
    let what = format!(
        "{} assumed {role}{}: {deepest} role sessions in a row, {times} {}",
        scene.label(first.parent),
        if crosses { " in another account" } else { "" },
        if times == 1 { "time" } else { "times" },
    );
    let draft = Draft::new(first.child, what)
        .distinct(format!("{from}>{role}"))
        .severity(severity)
        .confidence(confidence)
        .also(pair.edges.iter().map(|(edge, _)| edge.child))
        .seen_in(
            pair.edges
                .iter()
                .filter_map(|(edge, _)| assumed(scene, edge))
                .map(|f| (f.time, f.id)),
        );
    Some(match novelty {
        Novelty::New => draft,
        _ => draft.not_visible("Whether this pair of roles is usual: the log does not reach back a week; give a baseline."),
    })
}
