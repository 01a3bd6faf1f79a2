//! Holes in the chains of digests, and log files that digests list and that are not here.
//!
//! CloudTrail writes a digest for each hour, region and trail, also where nothing was logged, and a last one
//! when logging stops (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html).

use super::{Last, last_before};
use crate::deed::{Attribute, Deed};
use crate::detect::{Scene, logging_tampered};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Break, Fact, Hole, Seconds, Symbol};
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The last digest ends so long after logging was stopped, at most, and the first one begins so long after
/// it was started again.
const NEAR: Seconds = 2 * 3600;

/// An event is in a log file about so long after it happened.
const DELIVERY: Seconds = 900;

/// An account and a region.
type Place = (Symbol, Symbol);

/// A hole that is not explained, and what stands beside it.
struct Judged<'l> {
    hole: Hole,
    severity: Severity,
    /// What was done to the trail.
    deed: Option<&'l Fact>,
    /// Whether there are events of that time.
    busy: bool,
}

/// Log files of one account that digests list.
#[derive(Default)]
struct Listed {
    /// How many digests list files of hours with events.
    given: u64,
    digests: u64,
    files: u64,
    regions: BTreeSet<Symbol>,
    span: Option<(Seconds, Seconds)>,
}

pub(super) fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let hours: BTreeMap<Place, &BTreeSet<i64>> = scene
        .ledger
        .places()
        .map(|(place, hours)| ((place.account, place.region), hours))
        .collect();
    let holes = judged(scene, &hours);
    let files = unread(scene, &hours);
    if holes.is_empty() && files.is_empty() {
        return;
    }
    let of_holes = holes
        .values()
        .map(|(worst, _)| (worst.hole.next.account, worst.hole.from));
    let of_files = files
        .iter()
        .map(|(account, listed)| (*account, from(listed)));
    let asked: Vec<(Symbol, i64)> = of_holes
        .chain(of_files)
        .flat_map(|(account, time)| [(account, i64::from(time)), (account, i64::MAX)])
        .collect();
    let last = last_before(scene, &asked);
    // Who called last before, else who called last at all.
    let mut last = last
        .as_chunks()
        .0
        .iter()
        .map(|[before, any]| before.or(*any));
    for (worst, count) in holes.values() {
        found.extend(hole_draft(scene, (worst, *count), last.next().flatten()));
    }
    for (account, listed) in &files {
        found.extend(files_draft(
            scene,
            (*account, listed),
            last.next().flatten(),
        ));
    }
}

fn from(listed: &Listed) -> Seconds {
    listed.span.unwrap_or_default().0
}

/// The worst hole of each account, by name, and how many there are.
fn judged<'l>(
    scene: &Scene<'_, 'l>,
    hours: &BTreeMap<Place, &BTreeSet<i64>>,
) -> BTreeMap<&'l str, (Judged<'l>, usize)> {
    let holes = scene.ledger.holes();
    let deeds = if holes.is_empty() {
        Vec::new()
    } else {
        deeds(scene)
    };
    let moments = moments(scene, &holes);
    let mut by_account: BTreeMap<&str, Vec<Judged<'l>>> = BTreeMap::new();
    for hole in holes {
        let place = (hole.next.account, hole.next.region);
        let busy = hours
            .get(&place)
            .is_some_and(|hours| has_hour(&hole, hours))
            || moments.get(&place).is_some_and(|at| has_moment(&hole, at));
        let account = scene.ledger.text(hole.next.account);
        let list = by_account.entry(account).or_default();
        list.extend(judge(scene, (hole, busy), &deeds));
    }
    let worst = |list: Vec<Judged<'l>>| {
        let count = list.len();
        let length = |j: &Judged<'_>| j.hole.next.start - j.hole.from;
        // Holes come in the order of their texts, so that the first of equals is always the same one.
        let each = list.into_iter().enumerate();
        let worst = each.max_by_key(|(n, j)| (j.severity, length(j), Reverse(*n)))?;
        Some((worst.1, count))
    };
    let each = by_account.into_iter();
    each.filter_map(|(account, list)| Some((account, worst(list)?)))
        .collect()
}

/// What was done to trails, and whether nothing may be logged after it.
fn deeds<'l>(scene: &Scene<'_, 'l>) -> Vec<(&'l Fact, bool)> {
    let deeds = scene.deeds(Deed::Change);
    let deeds = deeds.map(|fact| (fact, logging_tampered::blinds(scene, fact)));
    let named = |fact| {
        matches!(
            scene.name(fact),
            "StopLogging" | "StartLogging" | "UpdateTrail"
        )
    };
    deeds
        .filter(|(fact, blinds)| *blinds || named(fact))
        .collect()
}

/// How bad a hole is; none if the log says why it is there and nothing is wrong with that.
fn judge<'l>(
    scene: &Scene<'_, 'l>,
    (hole, busy): (Hole, bool),
    deeds: &[(&'l Fact, bool)],
) -> Option<Judged<'l>> {
    let trail = scene.ledger.text(hole.next.trail);
    let near =
        |fact: &Fact| fact.time.saturating_add(NEAR) >= hole.from && fact.time <= hole.next.start;
    let own = |fact: &Fact| logging_tampered::target(scene, fact) == trail;
    let here = |fact: &Fact| {
        let place = scene.ledger.place_of(&fact.key);
        own(fact) || place.is_some_and(|place| place.account == hole.next.account)
    };
    let blinding = deeds
        .iter()
        .find(|(fact, blinds)| *blinds && near(fact) && here(fact));
    let off = |fact: &Fact| scene.text(fact, Attribute::LogFileValidation) == "false";
    let switched_off = deeds
        .iter()
        .find(|(fact, _)| near(fact) && own(fact) && off(fact));
    let written = hole.why != Break::Missing;
    let (severity, deed) = if written && restarted(scene, &hole, deeds) {
        return None;
    } else if let Some((fact, _)) = switched_off.filter(|_| written) {
        (Severity::Informational, Some(*fact))
    } else if let Some((fact, _)) = blinding {
        (Severity::High, Some(*fact))
    } else if busy || written {
        (Severity::Medium, None)
    } else {
        // Neither the digests nor what they covered is here: a part of the bucket may not have been copied.
        (Severity::Low, None)
    };
    Some(Judged {
        hole,
        severity,
        deed,
        busy: busy && !written,
    })
}

/// Whether the same hand stopped the trail before a hole and started it again.
fn restarted(scene: &Scene<'_, '_>, hole: &Hole, deeds: &[(&Fact, bool)]) -> bool {
    let trail = scene.ledger.text(hole.next.trail);
    let root = |fact: &Fact| scene.actor(fact).map(|actor| scene.root(actor));
    let of = |name: &'static str| {
        let named = move |fact: &&Fact| scene.name(fact) == name;
        let own = |fact: &&Fact| logging_tampered::target(scene, fact) == trail;
        deeds
            .iter()
            .map(|(fact, _)| *fact)
            .filter(named)
            .filter(own)
    };
    let mut stops = of("StopLogging").filter(|stop| stop.time.abs_diff(hole.from) <= NEAR);
    stops.any(|stop| {
        let until = hole.next.start.saturating_add(NEAR);
        let mut starts =
            of("StartLogging").filter(|start| (stop.time..=until).contains(&start.time));
        starts.any(|start| root(start) == root(stop))
    })
}

/// The instants at which calls are known to have been made at the places of holes, in order.
fn moments(scene: &Scene<'_, '_>, holes: &[Hole]) -> BTreeMap<Place, Vec<Seconds>> {
    let mut found: BTreeMap<Place, Vec<Seconds>> = BTreeMap::new();
    for hole in holes {
        found.insert((hole.next.account, hole.next.region), Vec::new());
    }
    let uses = scene.ledger.uses().iter().filter(|_| !holes.is_empty());
    for usage in uses {
        let place = scene.ledger.place_of(&usage.key);
        if let Some(at) = place.and_then(|place| found.get_mut(&(place.account, place.region))) {
            at.extend(scene.records(usage).map(|(time, _)| time));
        }
    }
    found.values_mut().for_each(|at| at.sort_unstable());
    found
}

fn has_moment(hole: &Hole, moments: &[Seconds]) -> bool {
    let next = moments.partition_point(|time| *time < hole.from);
    let time = moments.get(next);
    time.is_some_and(|time| time.saturating_add(DELIVERY) < hole.next.start)
}

fn has_hour(hole: &Hole, hours: &BTreeSet<i64>) -> bool {
    let first = hole.from.div_ceil(3600);
    let end = hole.next.start.saturating_sub(DELIVERY) / 3600;
    first < end
        && hours
            .range(i64::from(first)..i64::from(end))
            .next()
            .is_some()
}

fn hole_draft(
    scene: &Scene<'_, '_>,
    (judged, count): (&Judged<'_>, usize),
    last: Option<Last>,
) -> Option<Draft> {
    let (subject, record, by, confidence) = match judged.deed {
        Some(fact) => {
            let actor = scene.actor(fact)?;
            let by = format!(", after {} by {}", scene.name(fact), scene.label(actor));
            (actor, (fact.time, fact.id), by, Confidence::High)
        }
        None => {
            let (time, id, node) = last?;
            (node, (time, id), String::new(), Confidence::Medium)
        }
    };
    let more = match count {
        1 => String::new(),
        n => format!(", and {} more holes", n - 1),
    };
    let account = scene.ledger.text(judged.hole.next.account);
    let what = format!("account {account} has {}{by}{more}", told(scene, judged));
    let draft = Draft::new(subject, what)
        .distinct(format!("{account} digests"))
        .severity(judged.severity)
        .confidence(confidence)
        .seen(record.0, record.1);
    Some(draft.not_visible(
        "Whether the digests are in the bucket: compare with it, and validate those around.",
    ))
}

fn told(scene: &Scene<'_, '_>, Judged { hole, busy, .. }: &Judged<'_>) -> String {
    let text = |symbol: Symbol| scene.ledger.text(symbol);
    let says = match hole.why {
        Break::Anew => "the next one begins a new chain",
        Break::Pause => "the next one names the one before, so none was written",
        Break::Missing => "the next one names one that is not here",
    };
    let busy = if *busy {
        ", and there are events of that time"
    } else {
        ""
    };
    let (trail, region) = (text(hole.next.trail), text(hole.next.region));
    let (from, to) = (at(hole.from), at(hole.next.start));
    format!("no digest of trail {trail} in {region} from {from} to {to} ({says}{busy})")
}

/// The log files of each account that are listed and not here, if others that are listed are.
fn unread(scene: &Scene<'_, '_>, hours: &BTreeMap<Place, &BTreeSet<i64>>) -> Vec<(Symbol, Listed)> {
    let mut by_account: BTreeMap<&str, (Symbol, Listed)> = BTreeMap::new();
    for digest in scene.ledger.digests() {
        let Some((oldest, newest)) = digest.events.filter(|_| digest.files > 0) else {
            continue;
        };
        let name = scene.ledger.text(digest.account);
        let (_, listed) = by_account
            .entry(name)
            .or_insert_with(|| (digest.account, Listed::default()));
        let span = i64::from(oldest / 3600)..=i64::from(newest / 3600);
        let known = hours.get(&(digest.account, digest.region));
        if known.is_some_and(|hours| hours.range(span).next().is_some()) {
            listed.given += 1;
            continue;
        }
        listed.digests += 1;
        listed.files += u64::from(digest.files);
        listed.regions.insert(digest.region);
        let (from, to) = listed.span.unwrap_or((oldest, newest));
        listed.span = Some((from.min(oldest), to.max(newest)));
    }
    let found = by_account.into_values();
    found
        .filter(|(_, listed)| listed.given > 0 && listed.files > 0)
        .collect()
}

fn files_draft(
    scene: &Scene<'_, '_>,
    (account, listed): (Symbol, &Listed),
    last: Option<Last>,
) -> Option<Draft> {
    let (time, id, node) = last?;
    let (from, to) = listed.span?;
    let name = scene.ledger.text(account);
    let what = format!(
        "{} log files of account {name} that {} digests list, from {} region(s), are not here: no event of their hours is, \
         the first at {}, the last at {}",
        listed.files,
        listed.digests,
        listed.regions.len(),
        at(from),
        at(to),
    );
    let draft = Draft::new(node, what)
        .distinct(format!("{name} listed files"))
        .severity(Severity::Low)
        .confidence(Confidence::Low)
        .seen(time, id);
    Some(draft.not_visible("Whether these files are in the bucket: fetch them, and scan again."))
}

fn at(time: Seconds) -> Timestamp {
    Timestamp::from_seconds(i64::from(time))
}
