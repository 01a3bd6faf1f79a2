//! Data or secrets read in bulk by a credential that has no business there.

use super::calls::Kinds;
use super::recon_at_session_start::strangers;
use super::token_from_several_networks::splits;
use super::visit::{SETTLED, Visit, addresses, first_seen, told, visits};
use super::workloads::{Tell, strays};
use super::{Detection, Novelty, Numbered, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Seconds, Symbol, Use};
use crate::lineage::Origin;
use crate::time::DAY;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Data read in bulk.
pub(super) const DETECTION: Detection = Detection {
    id: "bulk-data-read",
    title: "Data read with a credential that was taken or chained",
    severity: Severity::Medium,
    techniques: &["T1530", "T1555.006", "T1119"],
    finds: "Objects, items or secrets are read with a credential that is in use elsewhere than its workload or in two \
        places at once, or that came of one with which a stranger had looked around; or twenty times and more on one day by \
        role sessions that another role's sessions made, if that pair of roles is new; or secrets are read twenty times and more within ten minutes by a principal that does that \
        once only.",
    matters: "This is what the credential was taken for. What was read has to be taken for known to others.",
    evaded: "Buckets and tables whose data events are not logged, and slow reading.",
    false_positives: &[
        "Pipelines through chained roles: a pair of roles that was there before is let through; low while the log is \
         too short to say.",
        "Programs that load all their secrets when they start: the second such session makes it routine.",
    ],
    references: &[
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging.html",
        "https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-cloudtrail.html",
    ],
    run,
};

/// Reads by a chained session from which on it is more than a configuration.
const MANY: u64 = 20;

/// Reads through a pair of roles are added up over the first day of that pair.
const FIRST: Seconds = DAY;

/// Secrets read in a row: a program needs a handful.
const SECRETS: u64 = 20;

/// The row, in seconds.
const ROW: Seconds = 10 * 60;

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut told = BTreeSet::new();
    taken(scene, &mut told, found);
    descended(scene, &mut told, found);
    chained(scene, &mut told, found);
    secrets(scene, &told, found);
}

/// Successful reads of data among some uses.
fn reads<'u, 'l: 'u>(
    scene: &Scene<'_, '_>,
    uses: impl IntoIterator<Item = &'u &'l Use>,
) -> Vec<&'l Use> {
    let read = |usage: &&'l Use| scene.worked(usage) && scene.kinds(usage).has(Kinds::DATA);
    uses.into_iter().copied().filter(read).collect()
}

/// With credentials that others have.
fn taken(scene: &Scene<'_, '_>, done: &mut BTreeSet<u32>, found: &mut Vec<Draft>) {
    let strays = strays(scene).into_iter().map(|stray| {
        let placed = stray.tell != Tell::System;
        (stray.tell.severity(), placed, stray.away)
    });
    let splits = splits(scene).into_iter().map(|split| {
        let severity = if split.differs {
            Severity::Medium
        } else {
            Severity::Low
        };
        (severity, true, split.away)
    });
    for (severity, placed, away) in strays.chain(splits) {
        let uses = reads(scene, away.iter().flat_map(|visit| &visit.uses));
        let Some(first) = away.first().filter(|_| !uses.is_empty()) else {
            continue;
        };
        done.extend(away.iter().map(|visit| visit.node));
        let what = format!(
            "{}, in use elsewhere, read data from {}: {}",
            scene.label(first.node),
            addresses(scene, &away),
            told(scene, uses.iter().copied()),
        );
        let draft = Draft::new(first.node, what)
            .severity(severity)
            .confidence(Confidence::Medium)
            .seen_in(uses.iter().flat_map(|usage| scene.records(usage)));
        // Where only the user agent tells, the address may be the workload's own.
        found.push(if placed {
            draft.from(first.symbol(scene))
        } else {
            draft
        });
    }
}

/// With tokens that came of a credential after a stranger had looked around with it, at the stranger's place.
fn descended(scene: &Scene<'_, '_>, done: &mut BTreeSet<u32>, found: &mut Vec<Draft>) {
    for stranger in strangers(scene) {
        let below = scene.lineage.descendants(stranger.node);
        let data = |n: &u32| scene.activity(*n).kinds.has(Kinds::DATA) && !done.contains(n);
        let visits = below
            .into_iter()
            .filter(data)
            .flat_map(|n| visits(scene, n));
        let there = visits.filter(|v| v.network == stranger.network && v.first >= stranger.first);
        let there: Vec<Visit<'_>> = there.collect();
        let uses = reads(scene, there.iter().flat_map(|visit| &visit.uses));
        let Some(first) = there
            .iter()
            .min_by_key(|v| v.order(scene))
            .filter(|_| !uses.is_empty())
        else {
            continue;
        };
        let mut nodes: Vec<u32> = there.iter().map(|visit| visit.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let what = format!(
            "data was read from {} with {}, where somebody had looked around with {}: {}",
            addresses(scene, &there),
            match nodes.as_slice() {
                [node] => scene.label(*node),
                many => format!("{} credentials", many.len()),
            },
            scene.label(stranger.node),
            told(scene, uses.iter().copied()),
        );
        let draft = Draft::new(stranger.node, what)
            .distinct(scene.networks.name(stranger.network))
            .severity(Severity::High)
            .confidence(Confidence::Medium)
            .also(nodes.iter().copied())
            .from(first.symbol(scene))
            .seen_in(uses.iter().flat_map(|usage| scene.records(usage)));
        found.push(draft);
        done.extend(nodes);
    }
}

/// A chained session, when it was issued, and whether its pair of roles is new.
type Chained = (u32, Seconds, Novelty);

/// Through roles that other role sessions assumed.
fn chained(scene: &Scene<'_, '_>, done: &mut BTreeSet<u32>, found: &mut Vec<Draft>) {
    let mut pairs: BTreeMap<(&str, &str), Vec<Chained>> = BTreeMap::new();
    for (number, node) in (0u32..).zip(scene.lineage.nodes()) {
        let data = scene.activity(number).kinds.has(Kinds::DATA);
        if !data || node.origin != Origin::Issued || done.contains(&number) {
            continue;
        }
        let Some(issue) = scene
            .lineage
            .issue(number)
            .filter(|_| scene.lineage.is_chained(number))
        else {
            continue;
        };
        if issue.deed != Deed::AssumeRole
            || !scene.ledger.caller(issue.key.caller).invoked_by.is_empty()
        {
            continue;
        }
        let from = scene.ledger.caller(issue.key.caller).unique_id;
        let role = scene.ledger.attribute(issue, Attribute::Role);
        let novelty = scene.pair_novelty(from, role, issue.time);
        let pair = (scene.ledger.text(from), scene.ledger.text(role));
        pairs
            .entry(pair)
            .or_default()
            .push((number, issue.time, novelty));
    }
    for ((from, role), mut sessions) in pairs {
        let first = sessions
            .iter()
            .min_by_key(|(n, time, _)| (*time, scene.names(*n)));
        let Some(&(node, began, novelty)) =
            first.filter(|(.., novelty)| *novelty != Novelty::Known)
        else {
            continue;
        };
        let often = sessions.len() > 2;
        // A new pipeline that reads its configuration each time adds up to a lot in a month.
        sessions.retain(|(_, time, _)| time - began < FIRST);
        let all: Vec<&Use> = sessions.iter().flat_map(|(n, ..)| scene.uses(*n)).collect();
        let uses = reads(scene, &all);
        let count: u64 = uses.iter().map(|usage| scene.ledger.count(usage)).sum();
        // A log that begins after the pair did cannot say; one that comes back is a pipeline.
        let routine = novelty == Novelty::Unknown && often;
        if count < MANY || routine {
            continue;
        }
        done.insert(node);
        let what = format!(
            "{} read data through {role}, which a role session assumed: {}",
            scene.label(node),
            told(scene, uses.iter().copied()),
        );
        let draft = Draft::new(node, what)
            .distinct(format!("{from}>{role}"))
            .confidence(Confidence::Medium)
            .also(sessions.iter().map(|(n, ..)| *n))
            .seen_in(uses.iter().flat_map(|usage| scene.records(usage)));
        found.push(judged(draft, novelty));
    }
}

fn judged(draft: Draft, novelty: Novelty) -> Draft {
    match novelty {
        Novelty::New => draft,
        _ => draft
            .severity(Severity::Low)
            .confidence(Confidence::Low)
            .not_visible(
                "Whether this is usual: the log does not reach back a week; give a baseline.",
            ),
    }
}

/// Calls that read secrets in number, by the principal that made them.
fn secret_reads<'l>(scene: &Scene<'_, 'l>) -> HashMap<Symbol, Vec<(u32, &'l Use)>> {
    let mut principals: HashMap<Symbol, Vec<(u32, &Use)>> = HashMap::new();
    for usage in scene.ledger.uses() {
        let secret = scene.kinds(usage).has(Kinds::SECRET) && scene.worked(usage);
        if !secret || scene.ledger.count(usage) < SECRETS {
            continue;
        }
        let caller = scene.ledger.caller(usage.key.caller);
        let node = scene.lineage.node_of_caller(usage.key.caller);
        if let Some(node) = node.filter(|_| caller.invoked_by.is_empty()) {
            let reads = principals.entry(caller.unique_id).or_default();
            reads.push((node, usage));
        }
    }
    principals
}

/// Many secrets in a row.
fn secrets(scene: &Scene<'_, '_>, done: &BTreeSet<u32>, found: &mut Vec<Draft>) {
    let principals = secret_reads(scene);
    let since = if principals.is_empty() {
        Numbered::default()
    } else {
        first_seen(scene)
    };
    for (who, rows) in principals {
        let &[(node, usage)] = rows.as_slice() else {
            continue;
        };
        let last = scene.ledger.last(usage).0.seconds();
        if done.contains(&node) || last - usage.first.seconds() > ROW {
            continue;
        }
        let what = format!(
            "{} read secrets within minutes from {}: {}",
            scene.label(node),
            scene.ledger.text(scene.address(usage.key.client)),
            told(scene, [usage]),
        );
        let first = usage.first.seconds();
        let settled = since
            .get(&who)
            .is_some_and(|since| since.saturating_add(SETTLED) <= first);
        let place = scene.place_novelty(who, scene.network(usage), usage.first.seconds());
        let draft = Draft::new(node, what)
            .distinct("secrets")
            .confidence(Confidence::Low)
            .seen_in(scene.records(usage))
            .not_visible(
                "Which secrets: the ledger counts calls and does not keep what each asked for.",
            );
        found.push(match place {
            Novelty::New if settled => draft.from(scene.address(usage.key.client)),
            _ => draft.severity(Severity::Low),
        });
    }
}
