//! A role session that assumes another role.

use super::history::Novelty;
use super::{Detection, Numbered, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Seconds, Symbol};
use crate::lineage::{Edge, NodeKind};
use crate::time::DAY;
use std::cmp::Reverse;

/// Role chaining.
pub(super) const DETECTION: Detection = Detection {
    id: "role-chaining",
    title: "Role chaining",
    severity: Severity::Medium,
    techniques: &["T1550.001", "T1078.004", "T1548"],
    finds: "A role session assumes a role that its own role has not assumed before, in another account, or as \
        the third session in a row from a long-term key. One finding for each role that assumes others.",
    matters: "Each step hides the credential it began with, and each session lives on when the one before it is \
        revoked.",
    evaded: "A pair of roles that was usual before; a log that begins after the first chained call: then \
        novelty cannot be told, and a short chain is informational.",
    false_positives: &[
        "Deployment tools assume a role in each account from one role: a pair that comes back day after day is \
         routine; a new tool belongs on the allow-list.",
        "Pipelines that begin with an identity provider or a workload and need two more roles: low.",
        "Roles that people switch to in the console, and sessions that services ask for: not counted.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining",
        "https://redcanary.com/blog/threat-detection/aws-sts/",
    ],
    run,
};

/// Sessions in a row from which on a chain is long.
const LONG: usize = 3;

/// A pair that comes back this often over more than a day is routine, where the log cannot say more.
const ROUTINE: u32 = 3;

/// Where counting ends, also for sessions that are said to have made each other.
const DEEPEST: usize = 99;

/// Roles that a finding names.
const NAMED: usize = 3;

/// Everything that one role did to assume another.
struct Pair<'e> {
    first: (&'e Edge, &'e Fact),
    last: Seconds,
    times: u32,
    depth: usize,
}

/// A pair that is worth telling.
struct Odd<'e> {
    pair: Pair<'e>,
    novelty: Novelty,
    crosses: bool,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut roles: Numbered<Symbol, Numbered<Symbol, Pair<'_>>> = Numbered::default();
    for edge in scene.lineage.edges() {
        let Some(fact) = chained(scene, edge) else {
            continue;
        };
        let from = scene.ledger.caller(fact.key.caller).unique_id;
        let role = scene.ledger.attribute(fact, Attribute::Role);
        let depth = depth(scene, edge);
        let new = Pair {
            first: (edge, fact),
            last: edge.time,
            times: 0,
            depth,
        };
        // Edges come in order of time.
        let pair = roles.entry(from).or_default().entry(role).or_insert(new);
        pair.last = pair.last.max(edge.time);
        pair.times += 1;
        pair.depth = pair.depth.max(depth);
    }
    for (from, pairs) in roles {
        let odd = pairs.into_values().filter_map(|pair| odd(scene, pair));
        found.extend(draft(scene, from, odd.collect()));
    }
}

/// The call by which a role session assumed a role by itself.
fn chained<'l>(scene: &Scene<'_, 'l>, edge: &Edge) -> Option<&'l Fact> {
    // What costs least comes first: there are as many edges as credentials.
    let direct = |node| scene.is(node, NodeKind::TemporaryCredential) && !scene.is_indirect(node);
    let session = |node| direct(node) && scene.is_role_session(node);
    if !direct(edge.parent) || !session(edge.child) || !session(edge.parent) {
        return None;
    }
    let invoked = |fact: &Fact| !scene.ledger.caller(fact.key.caller).invoked_by.is_empty();
    let own = |fact: &&Fact| fact.deed == Deed::AssumeRole && !invoked(fact);
    scene.facts_of(edge).find(own)
}

/// Role sessions in a row up to and with the child of an edge, [`DEEPEST`] at most.
fn depth(scene: &Scene<'_, '_>, edge: &Edge) -> usize {
    let mut depth = 2;
    let mut at = edge.parent;
    while let Some(above) = scene.lineage.primary(at)
        && depth < DEEPEST
        && scene.is_role_session(above.parent)
    {
        depth += 1;
        at = above.parent;
    }
    depth
}

fn odd<'e>(scene: &Scene<'_, '_>, pair: Pair<'e>) -> Option<Odd<'e>> {
    let (edge, fact) = pair.first;
    let who = scene.ledger.caller(fact.key.caller).unique_id;
    let role = scene.ledger.attribute(fact, Attribute::Role);
    let novelty = scene.pair_novelty(who, role, edge.time);
    let routine = pair.times >= ROUTINE && pair.last - edge.time >= DAY;
    if novelty == Novelty::Known || novelty == Novelty::Unknown && routine {
        return None;
    }
    let crosses = scene.lineage.crosses_accounts(edge) && {
        let account = scene.lineage.account(edge.child);
        !scene.settings.accounts.contains_key(account.raw())
    };
    let worth = novelty == Novelty::New || crosses || pair.depth >= LONG;
    worth.then_some(Odd {
        pair,
        novelty,
        crosses,
    })
}

fn judge(scene: &Scene<'_, '_>, odd: &Odd<'_>) -> Severity {
    let root = scene.root(odd.pair.first.0.child);
    let long = odd.pair.depth >= LONG;
    let from_key = scene.is(root, NodeKind::LongTermKey);
    match odd.novelty {
        Novelty::New if from_key && (long || odd.crosses) => Severity::High,
        Novelty::New => Severity::Medium,
        _ if long && from_key => Severity::Medium,
        _ if long => Severity::Low,
        _ => Severity::Informational,
    }
}

/// One finding for a role: its worst and earliest pair tells it.
fn draft(scene: &Scene<'_, '_>, from: Symbol, mut odd: Vec<Odd<'_>>) -> Option<Draft> {
    let name = |o: &Odd<'_>| scene.text(o.pair.first.1, Attribute::Role);
    odd.sort_by_cached_key(|o| (Reverse(judge(scene, o)), o.pair.first.0.time, name(o)));
    let worst = odd.first()?;
    let (edge, _) = worst.pair.first;
    let depth = odd.iter().map(|o| o.pair.depth).max().unwrap_or_default();
    let named: Vec<&str> = odd.iter().take(NAMED).map(name).collect();
    let more = match odd.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let across = if odd.iter().any(|o| o.crosses) {
        ", across accounts"
    } else {
        ""
    };
    let what = format!(
        "{} assumed {}{more}{across}: {depth} role sessions in a row",
        scene.label(edge.parent),
        named.join(", "),
    );
    let unknown = odd.iter().any(|o| o.novelty == Novelty::Unknown);
    let confidence = if unknown {
        Confidence::Low
    } else {
        Confidence::Medium
    };
    let facts = odd.iter().map(|o| o.pair.first.1);
    let draft = Draft::new(edge.child, what)
        .distinct(scene.ledger.text(from))
        .severity(judge(scene, worst))
        .confidence(confidence)
        .also(odd.iter().map(|o| o.pair.first.0.child))
        .seen_in(facts.map(|fact| (fact.time, fact.id)));
    Some(if unknown {
        draft.not_visible(UNKNOWN)
    } else {
        draft
    })
}

/// What a short log cannot tell.
const UNKNOWN: &str = "Whether these pairs of roles are usual: the log does not reach back a week before them; \
    give a baseline.";
