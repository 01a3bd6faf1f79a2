//! Hours without events where there should be some, and digests that are not there.

mod digests;

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
        between two times of at least a day in each of whose hours it had some (low). After tampering, \
        a silence to the end of the log counts. Where digests were read, a time for which the chain of one trail has none \
        (medium; high if logging was tampered with then; low if a digest is named that is not here, and neither is any event \
        of its time; informational after digests were switched off), and log files that digests list and of whose hours \
        there is no event (low). One finding of each sort for each account; \
        its subject is whoever tampered, else whoever made the last call before the longest gap.",
    matters: "What was done in the gap is not in any answer; credentials that were issued in it look as if nobody \
        made them.",
    evaded: "Leaving some events in each hour, as a trail for one region or for writes only does.",
    false_positives: &[
        "Accounts that rest at night or at the week's end: not counted, as they are not busy around the gap.",
        "Files that were not copied: a gap is low unless tampering came before it, and what is older or newer than the \
         digests that were given is no hole in them.",
        "A trail that whoever stopped it started again, and digests that CloudTrail wrote afterwards: not counted as \
         holes.",
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

/// Seconds in an hour.
const HOUR: i64 = 3600;

/// Hours since 1970 without events: from, and the first with events again.
type Gap = (i64, i64);

/// The strange gaps of one account.
struct Holes<'l> {
    account: Symbol,
    /// The longest.
    longest: Gap,
    count: usize,
    /// The first one after logging was stopped, and what stopped it.
    blinded: Option<(Gap, &'l Fact)>,
}

/// A node, when it did something, and the record.
type Last = (Seconds, EventKey, u32);

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    silent_hours(scene, found);
    digests::run(scene, found);
}

fn silent_hours(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut hours: BTreeMap<Symbol, BTreeSet<i64>> = BTreeMap::new();
    for (place, of) in scene.ledger.places() {
        hours.entry(place.account).or_default().extend(of);
    }
    let stops: Vec<&Fact> = scene
        .deeds(Deed::Change)
        .filter(|fact| logging_tampered::blinds(scene, fact))
        .collect();
    let holes: Vec<Holes<'_>> = hours
        .into_iter()
        .filter(|(account, _)| !account.is_empty())
        .filter_map(|(account, hours)| holes(scene, account, (&hours, &stops)))
        .collect();
    if holes.is_empty() {
        return;
    }
    let asked: Vec<(Symbol, i64)> = holes
        .iter()
        .map(|hole| (hole.account, hole.longest.0 * HOUR))
        .collect();
    let last = last_before(scene, &asked);
    let told = holes.iter().zip(last);
    found.extend(told.filter_map(|(holes, last)| judge(scene, holes, last)));
}

/// The gaps of an account that are strange.
fn holes<'l>(
    scene: &Scene<'_, '_>,
    account: Symbol,
    (hours, stops): (&BTreeSet<i64>, &[&'l Fact]),
) -> Option<Holes<'l>> {
    let of = |fact: &Fact| scene.ledger.place_of(&fact.key).map(|p| p.account) == Some(account);
    let stops: Vec<&'l Fact> = stops.iter().copied().filter(|fact| of(fact)).collect();
    let blinded = |gap: &Gap| {
        let close = |fact: &Fact| (gap.0 - 1..=gap.0).contains(&(i64::from(fact.time) / HOUR));
        let long = gap.1 - gap.0 >= AFTER_TAMPERING;
        stops.iter().copied().find(|fact| long && close(fact))
    };
    let mut gaps = gaps(hours);
    // The account may stay silent to the end, while others go on.
    let (last, end) = (*hours.last()?, i64::from(scene.span().1) / HOUR);
    if last < end {
        gaps.push((last + 1, end + 1));
    }
    gaps.retain(|gap| blinded(gap).is_some() || busy_around(hours, gap));
    let longest = gaps
        .iter()
        .max_by_key(|gap| (gap.1 - gap.0, std::cmp::Reverse(gap.0)))?;
    Some(Holes {
        account,
        longest: *longest,
        count: gaps.len(),
        blinded: gaps.iter().find_map(|gap| Some((*gap, blinded(gap)?))),
    })
}

fn judge(scene: &Scene<'_, '_>, holes: &Holes<'_>, last: Option<Last>) -> Option<Draft> {
    let name = scene.ledger.text(holes.account);
    let more = match holes.count {
        1 => String::new(),
        n => format!(", and in {} more gaps", n - 1),
    };
    let (subject, record, gap, why) = match holes.blinded {
        Some((gap, fact)) => {
            let actor = scene.actor(fact)?;
            let why = format!(" after {} by {}", scene.name(fact), scene.label(actor));
            (actor, (fact.time, fact.id), gap, why)
        }
        None => {
            let (time, id, node) = last?;
            let why = format!("; the last call before was by {}", scene.label(node));
            (node, (time, id), holes.longest, why)
        }
    };
    let (severity, confidence) = match holes.blinded {
        Some(_) => (Severity::Medium, Confidence::High),
        None => (Severity::Low, Confidence::Low),
    };
    let what = format!("account {name} has no event {}{more}{why}", span(&gap));
    let draft = Draft::new(subject, what)
        .distinct(name)
        .severity(severity)
        .confidence(confidence)
        .seen(record.0, record.1);
    Some(draft.not_visible(
        "Whether log files of these hours exist: compare with the bucket and its digests.",
    ))
}

/// The gaps between hours with events.
fn gaps(hours: &BTreeSet<i64>) -> Vec<Gap> {
    let pairs = hours.iter().zip(hours.iter().skip(1));
    let gaps = pairs.filter(|(a, b)| *b - *a > 1);
    gaps.map(|(a, b)| (a + 1, *b)).collect()
}

/// Whether each of the hours around a gap has events, for a day on both sides.
fn busy_around(hours: &BTreeSet<i64>, gap: &Gap) -> bool {
    let full = |from: i64| (from..from + BUSY).all(|hour| hours.contains(&hour));
    full(gap.0 - BUSY) && full(gap.1)
}

fn span((from, to): &Gap) -> String {
    let at = |hour: i64| crate::time::Timestamp::from_seconds(hour * HOUR);
    let hours = to - from;
    let unit = if hours == 1 { "hour" } else { "hours" };
    format!("from {} to {} ({hours} {unit})", at(*from), at(*to))
}

/// Who made the last call in each account before an instant: one pass for all.
fn last_before(scene: &Scene<'_, '_>, asked: &[(Symbol, i64)]) -> Vec<Option<Last>> {
    let of_place: Vec<Vec<usize>> = scene
        .ledger
        .places()
        .map(|(place, _)| {
            let each = asked.iter().enumerate();
            let own = each.filter(|(_, (account, _))| *account == place.account);
            own.map(|(n, _)| n).collect()
        })
        .collect();
    let mut last: Vec<Option<Last>> = vec![None; asked.len()];
    for usage in scene.ledger.uses() {
        let positions = of_place.get(scene.ledger.act(&usage.key).place as usize);
        let Some(positions) = positions.filter(|positions| !positions.is_empty()) else {
            continue;
        };
        let Some(node) = scene.lineage.node_of_caller(usage.key.caller) else {
            continue;
        };
        for &n in positions {
            let Some(((_, end), slot)) = asked.get(n).zip(last.get_mut(n)) else {
                continue;
            };
            for (time, id) in scene.records(usage) {
                let later = slot.is_none_or(|(at, known, _)| (at, known) < (time, id));
                if i64::from(time) < *end && later {
                    *slot = Some((time, id, node));
                }
            }
        }
    }
    last
}
