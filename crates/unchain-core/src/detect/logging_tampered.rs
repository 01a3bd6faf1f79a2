//! Logging or monitoring that was switched off or narrowed.

use super::odd::{Odd, graded};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, IdentityType, Seconds};
use crate::time::HOUR;
use std::collections::{BTreeMap, BTreeSet};

/// Logging switched off or narrowed.
pub(super) const DETECTION: Detection = Detection {
    id: "logging-tampered",
    title: "Logging switched off or narrowed",
    severity: Severity::High,
    techniques: &["T1562.008", "T1562.001"],
    finds: "A trail or event data store is stopped, deleted or narrowed (one region only, without global events, \
        without digests, into another bucket, or with selectors that lose management events), GuardDuty is \
        switched off, or the recorder of AWS Config. One finding for each root.",
    matters: "What follows is not logged; selectors without reads hide every AssumeRole and GetCallerIdentity, and \
        with them the lineage.",
    evaded: "Deleting or expiring the files in the bucket, or cutting off its delivery by the bucket's policy or \
        key, leaves the trail as it was.",
    false_positives: &[
        "Logging that is switched on again within ten minutes: lowered.",
        "A trail that the same maker created before in this log, and the selectors it is given then: lowered, or \
         let through while it is being set up.",
        "Trails for data events only have no management events by design; settings that widen a trail are not \
         counted.",
    ],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html",
        "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html",
        "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_DeleteDetector.html",
    ],
    run,
};

/// Logging that is back within this time was restarted, as some changes to a trail ask for.
const RESTART: Seconds = 600;

/// Selectors and settings given this soon after a trail's creation belong to setting it up.
const SETUP: Seconds = HOUR;

/// One deed against logging, and what it does in words.
struct Tampering<'l> {
    fact: &'l Fact,
    severity: Severity,
    does: String,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut by_root: BTreeMap<u32, Vec<Tampering<'_>>> = BTreeMap::new();
    for fact in scene.deeds(Deed::Change) {
        let of = tampering(scene, fact).zip(scene.actor(fact));
        if let Some((tampering, actor)) = of {
            by_root
                .entry(scene.root(actor))
                .or_default()
                .push(tampering);
        }
    }
    found.extend(
        by_root
            .into_iter()
            .filter_map(|(root, list)| judge(scene, root, list)),
    );
}

/// Whether nothing may be logged after a call: logging was stopped and not started again at once.
pub(super) fn blinds(scene: &Scene<'_, '_>, fact: &Fact) -> bool {
    match scene.name(fact) {
        "DeleteTrail" | "DeleteEventDataStore" | "StopEventDataStoreIngestion" => true,
        "StopLogging" => !restarted(scene, fact),
        "PutEventSelectors" => scene.text(fact, Attribute::ManagementEvents) == "None",
        _ => false,
    }
}

/// Whether logging that was stopped was back within minutes.
fn restarted(scene: &Scene<'_, '_>, stop: &Fact) -> bool {
    scene.deeds(Deed::Change).any(|f| {
        scene.name(f) == "StartLogging"
            && target(scene, f) == target(scene, stop)
            && f.time >= stop.time
            && f.time - stop.time <= RESTART
    })
}

/// What a call does to logging, if it is against it.
fn tampering<'l>(scene: &Scene<'_, 'l>, fact: &'l Fact) -> Option<Tampering<'l>> {
    let (severity, does) = match scene.name(fact) {
        "StopLogging" => (Severity::High, "stopped".to_owned()),
        "DeleteTrail" | "DeleteEventDataStore" => (Severity::High, "deleted".to_owned()),
        "StopEventDataStoreIngestion" => (Severity::High, "stopped the intake of".to_owned()),
        "DeleteDetector" => (Severity::Medium, "deleted GuardDuty's detector".to_owned()),
        "StopMonitoringMembers" | "DisassociateMembers" | "DeleteMembers" => (
            Severity::Medium,
            "took members from GuardDuty's detector".to_owned(),
        ),
        "UpdateDetector" if scene.text(fact, Attribute::Status) == "false" => (
            Severity::Medium,
            "switched off GuardDuty's detector".to_owned(),
        ),
        "StopConfigurationRecorder" | "DeleteConfigurationRecorder" | "DeleteDeliveryChannel" => (
            Severity::Low,
            "stopped AWS Config's recorder or delivery".to_owned(),
        ),
        "PutEventSelectors" => selectors(scene.text(fact, Attribute::ManagementEvents))?,
        "UpdateTrail" => narrowed(scene, fact)?,
        _ => return None,
    };
    let by_service = scene.ledger.caller(fact.key.caller).kind == IdentityType::AwsService;
    let tampering = Tampering {
        fact,
        severity,
        does,
    };
    Some(tampering).filter(|_| !by_service)
}

fn selectors(left: &str) -> Option<(Severity, String)> {
    let lost = match left {
        "None" => "all management events",
        "WriteOnly" => "all reads, AssumeRole among them,",
        "ReadOnly" => "all writes",
        _ => return None,
    };
    Some((Severity::Medium, format!("took {lost} from")))
}

fn narrowed(scene: &Scene<'_, '_>, fact: &Fact) -> Option<(Severity, String)> {
    let off = |attribute| scene.text(fact, attribute) == "false";
    let settings = [
        (off(Attribute::MultiRegion), "all regions but one"),
        (off(Attribute::GlobalEvents), "global events"),
        (off(Attribute::LogFileValidation), "digests"),
        (moved(scene, fact), "its former bucket"),
    ];
    let lost: Vec<&str> = settings
        .into_iter()
        .filter(|(yes, _)| *yes)
        .map(|(_, name)| name)
        .collect();
    (!lost.is_empty()).then(|| {
        (
            Severity::Medium,
            format!("took {} from", lost.join(" and ")),
        )
    })
}

/// Whether a trail writes to another bucket than an earlier call in this log told it to.
fn moved(scene: &Scene<'_, '_>, fact: &Fact) -> bool {
    let bucket = scene.text(fact, Attribute::Resource);
    let earlier = scene.deeds(Deed::Change).take_while(|f| f.time < fact.time);
    let known = earlier
        .filter(|f| matches!(scene.name(f), "CreateTrail" | "UpdateTrail"))
        .filter(|f| target(scene, f) == target(scene, fact))
        .map(|f| scene.text(f, Attribute::Resource))
        .filter(|b| !b.is_empty());
    !bucket.is_empty() && known.last().is_some_and(|known| known != bucket)
}

/// The trail, by name without the rest of an ARN, or the detector or recorder.
pub(super) fn target<'l>(scene: &Scene<'_, 'l>, fact: &Fact) -> &'l str {
    let trail = scene.text(fact, Attribute::Trail);
    if trail.is_empty() {
        return scene.text(fact, Attribute::Resource);
    }
    trail.rsplit('/').next().unwrap_or_default()
}

fn judge(scene: &Scene<'_, '_>, root: u32, list: Vec<Tampering<'_>>) -> Option<Draft> {
    let list: Vec<Tampering<'_>> = list
        .into_iter()
        .filter_map(|t| excused(scene, root, t))
        .collect();
    let first = list
        .iter()
        .max_by_key(|t| (t.severity, std::cmp::Reverse((t.fact.time, t.fact.hash))))?;
    let actor = scene.actor(first.fact)?;
    let odd = Odd::of(scene, first.fact);
    let mut does: Vec<&str> = list.iter().map(|t| t.does.as_str()).collect();
    let mut said = BTreeSet::new();
    does.retain(|text| said.insert(*text));
    let what = format!("{} {}", scene.label(actor), does.join(", "));
    let draft = Draft::new(actor, odd.told(&what))
        .severity(graded(first.severity, odd.count()))
        .confidence(Confidence::High)
        .also(list.iter().filter_map(|t| scene.actor(t.fact)))
        .seen_in(list.iter().map(|t| (t.fact.time, t.fact.id)))
        .not_visible("What happened while logging was off or narrowed.");
    Some(odd.shown(draft))
}

/// The deed with its target in words, lowered where the maker made the trail itself or put it right;
/// none while a trail is being set up.
fn excused<'l>(
    scene: &Scene<'_, 'l>,
    root: u32,
    tampering: Tampering<'l>,
) -> Option<Tampering<'l>> {
    let Tampering {
        fact,
        severity,
        does,
    } = tampering;
    let name = target(scene, fact);
    let own = |f: &&Fact| scene.actor(f).is_some_and(|a| scene.root(a) == root);
    let created = scene.deeds(Deed::Change).filter(own).find(|f| {
        scene.name(f) == "CreateTrail" && target(scene, f) == name && f.time <= fact.time
    });
    let sets_up = matches!(scene.name(fact), "PutEventSelectors" | "UpdateTrail");
    if sets_up && created.is_some_and(|c| fact.time - c.time <= SETUP) {
        return None;
    }
    let back = scene.name(fact) == "StopLogging" && restarted(scene, fact);
    let (severity, how) = match (created.is_some(), back) {
        (true, _) => (Severity::Low, " (which it had created itself)"),
        (_, true) => (Severity::Low, " (started again within minutes)"),
        _ => (severity, ""),
    };
    Some(Tampering {
        fact,
        severity,
        does: format!("{}{how}", format!("{does} {name}").trim_end()),
    })
}
