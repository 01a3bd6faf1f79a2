//! Temporary credentials that live on after the long-term key that they came from was switched off.

use super::minted::{came_later, count, derived, latest, switched_off, worked_after};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Fact, Seconds, Use};
use crate::lineage::NodeKind;
use crate::liveness::Status;
use crate::time::{DAY, HOUR};

/// Tokens that outlive their key.
pub(super) const DETECTION: Detection = Detection {
    id: "token-outlives-key",
    title: "Temporary credentials outlive their key",
    severity: Severity::High,
    techniques: &["T1550.001", "T1078.004"],
    finds: "A long-term key was deactivated or deleted, and temporary credentials that came from it, directly \
        or over further sessions, worked afterwards. High if from a network that was new to the key, \
        else medium; informational if they were only alive. One finding for each key.",
    matters: "Switching a key off ends none of the credentials that it made; whoever holds them stays, and makes \
        new ones, while the key looks dealt with.",
    evaded: "Nothing: but what came from a key before the log begins is not seen.",
    false_positives: &[
        "A key that its own user switches off, or that is switched off after the user got a new one: rotation, \
         reported (medium) only if a network that came to the key within the last day is in use afterwards.",
        "A key that was switched off by mistake and on again: not counted as off.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html",
        "https://aws.amazon.com/blogs/security/what-to-do-if-you-inadvertently-expose-an-aws-access-key/",
    ],
    run,
};

/// A change of keys takes some weeks in slow houses.
const ROTATION: Seconds = 45 * DAY;

/// How lately a network came to a key for it to be a stranger's: intruders are found after weeks.
const RECENT: Seconds = 30 * DAY;

/// Life left from which on a credential that nobody uses is worth a word.
const WORTH: Seconds = HOUR / 2;

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let off = switched_off(scene);
    if off.is_empty() {
        return;
    }
    for (number, node) in (0u32..).zip(scene.lineage.nodes()) {
        if node.kind == NodeKind::LongTermKey
            && let Some(off) = off.get(&node.key)
        {
            found.extend(judge(scene, number, off));
        }
    }
}

/// What was left of a key after it was switched off.
#[derive(Default)]
struct Left<'l> {
    alive: Vec<u32>,
    later: Vec<u32>,
    used: Vec<(u32, &'l Use)>,
}

impl<'l> Left<'l> {
    fn of(scene: &Scene<'_, 'l>, key: u32, off: &Fact) -> Self {
        let mut left = Self::default();
        for node in derived(scene, key) {
            let after = |n: &u32| scene.node(*n).and_then(|n| n.created) > Some(off.time);
            if after(&node) {
                left.later.push(node);
            } else if alive(scene, node, off.time + WORTH) {
                left.alive.push(node);
            }
            let uses = worked_after(scene, node, off.time);
            left.used.extend(uses.map(|usage| (node, usage)));
        }
        left
    }
}

fn alive(scene: &Scene<'_, '_>, node: u32, at: Seconds) -> bool {
    matches!(scene.life(node, at).status, Status::Alive | Status::Unknown)
}

fn judge(scene: &Scene<'_, '_>, key: u32, off: &Fact) -> Option<Draft> {
    let left = Left::of(scene, key, off);
    if left.used.is_empty() && left.alive.is_empty() {
        return None;
    }
    let rotated = rotated(scene, key, off);
    let recent = if rotated { DAY } else { RECENT };
    let strange = |(_, usage): &&(u32, &Use)| {
        let time = usage.first.seconds().min(off.time);
        came_later(scene, key, (scene.network(usage), time)) < recent
    };
    let foreign = left.used.iter().filter(strange);
    let foreign = foreign.min_by_key(|(_, usage)| (usage.first, usage.first_id));
    let severity = match (left.used.is_empty(), foreign, rotated) {
        (_, Some(_), false) => Severity::High,
        (_, Some(_), true) | (false, None, false) => Severity::Medium,
        (true, None, false) => Severity::Informational,
        (_, None, true) => return None,
    };
    let mut users: Vec<u32> = left.used.iter().map(|(node, _)| *node).collect();
    users.dedup();
    let what = words(scene, (key, off), (&left, users.len()));
    let issued = left.alive.iter().chain(&left.later).flat_map(|&node| {
        let edge = scene.lineage.primary(node);
        edge.and_then(|edge| scene.facts_of(edge).next())
    });
    let draft = Draft::new(key, what)
        .severity(severity)
        .confidence(if foreign.is_some() {
            Confidence::High
        } else {
            Confidence::Medium
        })
        .also(left.alive.iter().chain(&left.later).copied())
        .also(users)
        .seen(off.time, off.id)
        .beside(issued.map(|fact| (fact.time, fact.id)))
        .seen_in(left.used.iter().map(|(_, usage)| latest(scene, usage)));
    let draft = match foreign {
        Some((_, usage)) => draft.from(scene.address(usage.key.client)),
        None => draft,
    };
    Some(if left.used.is_empty() {
        draft.not_visible(
            "Uses in accounts, regions and data events that are not in the log: the credentials may have worked there.",
        )
    } else {
        draft
    })
}

fn words(
    scene: &Scene<'_, '_>,
    (key, off): (u32, &Fact),
    (left, users): (&Left<'_>, usize),
) -> String {
    let how = if off.deed == Deed::DeleteAccessKey {
        "deleted"
    } else {
        "deactivated"
    };
    let who = scene.actor(off).map(|node| scene.label(node));
    let by = who.map(|who| format!(" by {who}")).unwrap_or_default();
    let alive = count(left.alive.len(), "temporary credential");
    let key = scene.label(key);
    if left.used.is_empty() {
        return format!(
            "{key} was {how}{by} while {alive} that came from it lived on, not used since"
        );
    }
    let later = match left.later.len() {
        0 => String::new(),
        1 => ", 1 more was made after that".to_owned(),
        n => format!(", {n} more were made after that"),
    };
    let last = left.used.iter().map(|(_, u)| scene.ledger.last(u).0).max();
    let last = last.map(|mark| mark.time().to_string()).unwrap_or_default();
    format!(
        "{key} was {how}{by}, but {alive} that came from it lived on{later}, and {users} worked until {last}"
    )
}

/// Whether the user changed keys: switched the key off itself, or got another one before.
fn rotated(scene: &Scene<'_, '_>, key: u32, off: &Fact) -> bool {
    let Some(node) = scene.node(key) else {
        return false;
    };
    let own = |fact: &Fact| {
        let caller = scene.ledger.caller(fact.key.caller);
        !node.unique_id.is_empty() && caller.unique_id == node.unique_id
    };
    let principal = scene.lineage.principal(key);
    let user = principal.raw().rsplit('/').next().unwrap_or_default();
    let account = scene.lineage.account(key);
    let for_user = |fact: &&Fact| match scene.text(fact, Attribute::User) {
        "" => own(fact),
        name => {
            let caller = scene.ledger.caller(fact.key.caller);
            name == user && scene.ledger.text(caller.account) == account.raw()
        }
    };
    let other = |fact: &&Fact| scene.ledger.attribute(fact, Attribute::ChildKey) != node.key;
    let near = |fact: &&Fact| fact.time.abs_diff(off.time) <= ROTATION;
    own(off)
        || scene
            .deeds(Deed::CreateAccessKey)
            .filter(near)
            .filter(other)
            .any(|fact| for_user(&fact))
}
