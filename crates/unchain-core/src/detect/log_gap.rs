//! Hours without events where there should be some.

use super::{Detection, Scene, logging_tampered};
use crate::deed::Deed;
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{EventKey, Fact, Seconds, Symbol};
use std::collections::{BTreeMap, BTreeSet};

/// A gap in the log.
pub(super) const DETECTION: Detection = Detection {
    id: "log-gap",
    title: "Gap in an account's log",
    severity: Severity::Medium,
    techniques: &["T1562.008"],
    finds: "An account has no event at all for an hour or more: right after logging was tampered with (medium), or \
        between two times of at least a day in each of whose hours it had some (low). One finding for each account; \
        its subject is whoever tampered, else whoever made the last call before the longest gap.",
    matters: "What was done in the gap is not in any answer; credentials that were issued in it look as if nobody \
        made them.",
    evaded: "Leaving some events in each hour, as a trail for one region or for writes only does.",
    false_positives: &[
        "Accounts that rest at night or at the week's end: not counted, as they are not busy around the gap.",
        "Files that were not copied: a gap is low unless tampering came before it.",
    ],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html",
        "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html",
    ],
    run,
};

/// Hours with events in a row on both sides that make an hour without any strange.
const BUSY: i64 = 24;

/// A quiet account may have nothing to log for an hour; after tampering so many are needed.
const AFTER_TAMPERING: i64 = 2;

const HOUR_OF_TIME: i64 = 3600;

/// Hours since 1970 without events: from, and the first with events again.
type Gap = (i64, i64);

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut hours: BTreeMap<Symbol, BTreeSet<i64>> = BTreeMap::new();
    for (place, of) in scene.ledger.places() {
        hours.entry(place.account).or_default().extend(of);
    }
    let tampered: Vec<&Fact> = scene
        .deeds(Deed::Change)
        .filter(|fact| logging_tampered::tampers(scene, fact))
        .collect();
    for (account, hours) in hours.into_iter().filter(|(account, _)| !account.is_empty()) {
        found.extend(judge(scene, account, (&hours, &tampered)));
    }
}

fn judge(
    scene: &Scene<'_, '_>,
    account: Symbol,
    (hours, tampered): (&BTreeSet<i64>, &[&Fact]),
) -> Option<Draft> {
    let gaps = gaps(hours);
    let blinded = |gap: &Gap| {
        let of =
            |fact: &Fact| scene.ledger.place(fact.key.place).map(|p| p.account) == Some(account);
        let close =
            |fact: &Fact| (gap.0 - 1..=gap.0).contains(&(i64::from(fact.time) / HOUR_OF_TIME));
        let long = gap.1 - gap.0 >= AFTER_TAMPERING;
        tampered
            .iter()
            .copied()
            .find(|fact| long && of(fact) && close(fact))
    };
    let strange = |gap: &&Gap| blinded(gap).is_some() || busy_around(hours, gap);
    let gaps: Vec<&Gap> = gaps.iter().filter(strange).collect();
    let cause = gaps.iter().find_map(|gap| Some((*gap, blinded(gap)?)));
    let longest = gaps
        .iter()
        .copied()
        .max_by_key(|gap| (gap.1 - gap.0, std::cmp::Reverse(gap.0)))?;
    let name = scene.ledger.text(account);
    let (subject, gap, shown) = match cause {
        Some((gap, fact)) => (scene.actor(fact)?, gap, (fact.time, fact.id)),
        None => {
            let (node, time, id) = last_before(scene, account, longest)?;
            (node, longest, (time, id))
        }
    };
    let more = match gaps.len() {
        1 => String::new(),
        n => format!(", and in {} more gaps", n - 1),
    };
    let why = match cause {
        Some((_, fact)) => format!(" after {} by {}", scene.name(fact), scene.label(subject)),
        None => format!("; the last call before was by {}", scene.label(subject)),
    };
    let what = format!("account {name} has no event {}{more}{why}", span(gap));
    let severity = if cause.is_some() {
        Severity::Medium
    } else {
        Severity::Low
    };
    let draft = Draft::new(subject, what)
        .distinct(name)
        .severity(severity)
        .confidence(if cause.is_some() {
            Confidence::High
        } else {
            Confidence::Low
        })
        .seen(shown.0, shown.1)
        .not_visible(
            "Whether log files of these hours exist: compare with the bucket and its digests.",
        );
    Some(draft)
}

/// The gaps between hours with events.
fn gaps(hours: &BTreeSet<i64>) -> Vec<Gap> {
    let pairs = hours.iter().zip(hours.iter().skip(1));
    let gaps = pairs.filter(|(a, b)| *b - *a > 1);
    gaps.map(|(a, b)| (a + 1, *b)).collect()
}

/// Whether each of the hours around a gap has events, for a day on both sides.
fn busy_around(hours: &BTreeSet<i64>, gap: &Gap) -> bool {
    let full = |from: i64| hours.range(from..from + BUSY).count() == BUSY as usize;
    full(gap.0 - BUSY) && full(gap.1)
}

fn span((from, to): &Gap) -> String {
    let at = |hour: i64| crate::time::Timestamp::from_seconds(hour * HOUR_OF_TIME);
    let hours = to - from;
    let unit = if hours == 1 { "hour" } else { "hours" };
    format!("from {} to {} ({hours} {unit})", at(*from), at(*to))
}

/// Who made the last call of an account before a gap, when, and its record.
fn last_before(
    scene: &Scene<'_, '_>,
    account: Symbol,
    gap: &Gap,
) -> Option<(u32, Seconds, EventKey)> {
    let end = u32::try_from(gap.0 * HOUR_OF_TIME).ok()?;
    let of = |place: u32| {
        scene
            .ledger
            .place(place)
            .is_some_and(|p| p.account == account)
    };
    let uses = scene.ledger.uses().iter().filter(|u| of(u.key.place));
    let records = uses.flat_map(|usage| {
        let node = scene.lineage.node_of_caller(usage.key.caller);
        scene.records(usage).map(|(time, id)| (time, id, node))
    });
    let known = records.filter_map(|(time, id, node)| Some((time, id, node?)));
    let (time, id, node) = known
        .filter(|(time, ..)| *time < end)
        .max_by_key(|&(time, id, _)| (time, id))?;
    Some((node, time, id))
}
