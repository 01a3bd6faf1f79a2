//! Many temporary credentials from one key in a short time.

use super::minted::{
    Issue, attempts, count, issues, key_above, logged_accounts, network, newcomer, span,
};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Seconds, Symbol};
use crate::time::{DAY, HOUR};
use std::collections::{BTreeMap, BTreeSet};

/// Credential fan-out.
pub(super) const DETECTION: Detection = Detection {
    id: "credential-fan-out",
    title: "Many temporary credentials from one key",
    severity: Severity::Low,
    techniques: &["T1550.001", "T1078.004"],
    finds: "A user or role asks five times or more within 15 minutes for temporary credentials: session tokens, \
        federated sessions, or sessions of three roles or more; or of one role, where most are never \
        used. Medium if from a network that came to the key within the last day, or if most are never \
        used. Also one MFA device that opens five sessions within 15 minutes for several keys.",
    matters: "Spare credentials survive the deactivation of the key that they came from, and each must be \
        found and revoked by itself.",
    evaded: "Asking more slowly than five times in 15 minutes.",
    false_positives: &[
        "A deployment tool that assumes a role in each account: low, and not reported at all once it has come \
         back on another day.",
        "Retries, denied attempts and the twin of the same second: one attempt each, or none.",
        "Parallel jobs of a pipeline in one role, all of which work: not reported.",
    ],
    references: &[
        "https://redcanary.com/blog/threat-detection/aws-sts/",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html",
    ],
    run,
};

/// The time in which attempts are counted: recorded intrusions mint theirs within a quarter of an hour.
const WINDOW: Seconds = HOUR / 4;

/// Attempts in [`WINDOW`] from which on they are a burst. A person opens two or three profiles at once.
const MANY: usize = 5;

/// Roles in one burst from which on it is no pipeline with parallel jobs.
const ROLES: usize = 3;

type Group<'i, 's, 'l> = Vec<&'i Issue<'s, 'l>>;

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let mut all = issues(scene, |deed| {
        matches!(
            deed,
            Deed::AssumeRole | Deed::GetSessionToken | Deed::GetFederationToken
        )
    });
    // The user or role that asked; where the log does not say, the key.
    let who = |issue: &Issue<'_, '_>| {
        let caller = scene.ledger.caller(issue.fact.key.caller);
        let unnamed = caller.unique_id.is_empty();
        (
            caller.unique_id,
            if unnamed { issue.edge.parent } else { 0 },
        )
    };
    all.sort_by_cached_key(|issue| (who(issue), issue.fact.time, issue.fact.hash));
    let mut logged = None;
    let mut by_device: BTreeMap<Symbol, Vec<Issue<'_, '_>>> = BTreeMap::new();
    for of_caller in all.chunk_by(|a, b| who(a) == who(b)) {
        if crowded(of_caller) {
            let logged = logged.get_or_insert_with(|| logged_accounts(scene));
            found.extend(judge(scene, of_caller, logged));
        }
        for issue in of_caller {
            let serial = scene.ledger.attribute(issue.fact, Attribute::Serial);
            if !serial.is_empty() {
                by_device.entry(serial).or_default().push(*issue);
            }
        }
    }
    let shared = by_device.into_iter().filter_map(|(serial, mut list)| {
        list.sort_by_key(|issue| (issue.fact.time, issue.fact.hash));
        device(scene, serial, &list)
    });
    found.extend(shared);
}

/// Whether enough issues, by time, stand close enough to look closer.
fn crowded(issues: &[Issue<'_, '_>]) -> bool {
    let near = |list: &[Issue<'_, '_>]| match (list.first(), list.last()) {
        (Some(first), Some(last)) => last.fact.time - first.fact.time <= WINDOW,
        _ => false,
    };
    issues.windows(MANY).any(near)
}

fn time(group: &[&Issue<'_, '_>]) -> Seconds {
    group.first().map_or(0, |issue| issue.fact.time)
}

/// The bursts of a list of attempts: the longest runs within [`WINDOW`] of their first.
fn bursts<'g, 'i, 's, 'l>(attempts: &'g [Group<'i, 's, 'l>]) -> Vec<&'g [Group<'i, 's, 'l>]> {
    let mut rest = attempts;
    let mut found = Vec::new();
    while let Some(first) = rest.first() {
        let end = rest.partition_point(|group| time(group) - time(first) <= WINDOW);
        if end >= MANY {
            let (burst, after) = rest.split_at(end);
            found.push(burst);
            rest = after;
        } else {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    found
}

/// What one burst consists of.
struct Burst {
    tokens: usize,
    unused: usize,
    idle_attempts: usize,
    attempts: usize,
    new_place: bool,
    roles: BTreeSet<Symbol>,
    without_role: bool,
}

impl Burst {
    fn of(scene: &Scene<'_, '_>, burst: &[Group<'_, '_, '_>], logged: &BTreeSet<&str>) -> Self {
        // An unused session of an account without a log says nothing.
        let idle = |issue: &&&Issue<'_, '_>| {
            let child = issue.edge.child;
            !scene.activity(child).any() && logged.contains(scene.lineage.account(child).raw())
        };
        let tokens = || burst.iter().flatten();
        let role = |issue: &&Issue<'_, '_>| scene.ledger.attribute(issue.fact, Attribute::Role);
        let roles: BTreeSet<Symbol> = tokens().map(role).collect();
        let first = burst.first().and_then(|group| group.first());
        let new_place = first.is_some_and(|issue| {
            let place = (network(scene, issue.fact), issue.fact.time);
            key_above(scene, issue.edge.parent).is_some_and(|key| newcomer(scene, key, place))
        });
        Self {
            new_place,
            tokens: tokens().count(),
            unused: tokens().filter(idle).count(),
            idle_attempts: burst.iter().filter(|g| g.iter().all(|i| idle(&i))).count(),
            attempts: burst.len(),
            without_role: roles.contains(&Symbol::EMPTY),
            roles: roles.into_iter().filter(|r| !r.is_empty()).collect(),
        }
    }

    fn spares(&self) -> bool {
        self.idle_attempts * 2 > self.attempts
    }

    fn counts(&self) -> bool {
        self.roles.len() >= ROLES || self.without_role || self.spares()
    }
}

fn judge(
    scene: &Scene<'_, '_>,
    of_caller: &[Issue<'_, '_>],
    logged: &BTreeSet<&str>,
) -> Option<Draft> {
    let attempts = attempts(scene, of_caller);
    let mut bursts: Vec<_> = bursts(&attempts)
        .into_iter()
        .map(|burst| (burst, Burst::of(scene, burst, logged)))
        .collect();
    bursts.retain(|(_, parts)| parts.counts());
    let (first, last) = (bursts.first()?.0, bursts.last()?.0);
    let worst = bursts.iter().max_by_key(|(burst, parts)| {
        let begin = std::cmp::Reverse(burst.first().map(|group| time(group)));
        (parts.new_place, parts.spares(), parts.attempts, begin)
    });
    let (burst, parts) = worst?;
    let comes_back = time(last.first()?) - time(first.first()?) >= DAY;
    let strange = parts.new_place || parts.spares();
    if comes_back && !strange {
        return None;
    }
    let severity = if parts.new_place || parts.spares() && !comes_back {
        Severity::Medium
    } else {
        Severity::Low
    };
    let (began, ended) = (burst.first()?.first()?, burst.last()?.last()?);
    let parent = began.edge.parent;
    let what = words(
        &scene.label(parent),
        parts,
        ended.fact.time - began.fact.time,
    );
    let draft = Draft::new(parent, what)
        .severity(severity)
        .confidence(Confidence::Medium)
        .also(burst.iter().flatten().map(|issue| issue.edge.child))
        .seen_in(burst.iter().flatten().map(|issue| issue.record()))
        .not_visible(
            "Uses in accounts, regions and data events that are not in the log: a credential that seems \
             unused may have worked there.",
        );
    Some(if parts.new_place {
        draft.from(scene.address(began.fact.key.client))
    } else {
        draft
    })
}

fn words(who: &str, parts: &Burst, time: Seconds) -> String {
    format!(
        "{who} was given {} within {}, by {} attempts for {}: {} never used",
        count(parts.tokens, "temporary credential"),
        span(time),
        parts.attempts,
        count(parts.roles.len(), "role"),
        parts.unused,
    )
}

/// One MFA device that opens sessions for several keys: a device belongs to one person.
fn device(scene: &Scene<'_, '_>, serial: Symbol, issues: &[Issue<'_, '_>]) -> Option<Draft> {
    if !crowded(issues) {
        return None;
    }
    let attempts = attempts(scene, issues);
    let bursts = bursts(&attempts);
    let of_several = bursts.into_iter().find(|burst| {
        let parents: BTreeSet<u32> = burst.iter().flatten().map(|i| i.edge.parent).collect();
        parents.len() > 1
    })?;
    let all = || of_several.iter().flatten();
    let first = all().next()?;
    let parents: BTreeSet<u32> = all().map(|issue| issue.edge.parent).collect();
    let what = format!(
        "MFA device {} opened {} for {} within {}, first for {}",
        scene.ledger.text(serial),
        count(of_several.len(), "session"),
        count(parents.len(), "key"),
        span(all().last()?.fact.time - first.fact.time),
        scene.label(first.edge.parent),
    );
    let draft = Draft::new(first.edge.parent, what)
        .distinct(scene.ledger.text(serial))
        .severity(Severity::Medium)
        .confidence(Confidence::Medium)
        .also(parents)
        .also(all().map(|issue| issue.edge.child))
        .seen_in(all().map(|issue| issue.record()));
    Some(draft)
}
