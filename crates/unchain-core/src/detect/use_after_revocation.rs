//! Sessions that go on, are tried on, or come back after they were revoked.

use super::minted::{came_later, count, key_above, latest, switched_off, worked_after};
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{EventKey, Fact, Seconds, Symbol};
use crate::lineage::{NodeKind, Origin};
use crate::time::{DAY, HOUR};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Use after revocation.
pub(super) const DETECTION: Detection = Detection {
    id: "use-after-revocation",
    title: "Session used after it was revoked",
    severity: Severity::High,
    techniques: &["T1550.001", "T1078.004"],
    finds: "A policy denied everything to a session or to all that began before a cut-off, or its user or role \
        was deleted. Then it is tried on and denied: for an hour (low), or at all where its key was \
        switched off or the network is new to it (medium). Or it works five minutes later and more (high; \
        medium for workloads and after a deletion). Or it comes back, as a new session of the same role by \
        the same lineage: high where the key was switched off or the network is new, medium where no other \
        lineage had the role and a token of before made it. One finding for each principal, lineage and kind.",
    matters: "A holder who tries on is still there; a session that works or comes back means that the revocation \
        missed what it comes from.",
    evaded: "Waiting, or going on with other roles. A pre-signed URL that is tried after the revocation counts \
        as a use of the session that signed it, if data events are logged.",
    false_positives: &[
        "Workloads whose sessions are cut with all others of a shared role, and go on trying: not reported.",
        "People and tools that are cut with others, try for less than an hour and assume the role again: not \
         reported, unless their key was switched off or the network is new to it.",
        "Sessions issued after the cut-off by another sign-in: not reported.",
        "Calls within five minutes after the revocation: changes to policies take time to reach everywhere.",
    ],
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html",
    ],
    run,
};

/// Changes to policies reach everywhere within minutes.
const PROPAGATION: Seconds = 300;

/// How long an honest tool may go on with a session that is denied before its user sees to it.
const STUBBORN: Seconds = HOUR;

/// No temporary credential lives longer; older ones cannot be what was revoked.
const LONGEST: Seconds = 36 * HOUR;

/// How lately a network came to a key for it to be a stranger's.
const RECENT: Seconds = 30 * DAY;

/// What happens to revoked sessions, by principal (unique id) and lineage (root).
#[derive(Default)]
struct Revoked<'l> {
    sessions: Vec<u32>,
    by: Vec<&'l Fact>,
    denied: Vec<Call>,
    worked: Vec<Call>,
    /// New sessions of the principal after the revocation, each with the call that issued it.
    back: Vec<(Call, u32)>,
    workload: bool,
}

/// A call that shows it: when, its record, and the client.
type Call = (Seconds, EventKey, u32);

type Groups<'l> = BTreeMap<(Symbol, u32), Revoked<'l>>;

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let targets = targets(scene);
    if targets.is_empty() {
        return;
    }
    let mut groups = revoked(scene, &targets);
    come_back(scene, &mut groups);
    let mut lineages: HashMap<Symbol, usize> = HashMap::new();
    for ((principal, _), group) in &groups {
        *lineages.entry(*principal).or_default() += usize::from(!group.workload);
    }
    let off = switched_off(scene);
    for ((principal, root), group) in &groups {
        let sole = lineages.get(principal) == Some(&1);
        let off = key_above(scene, *root)
            .and_then(|key| scene.node(key))
            .is_some_and(|key| off.contains_key(&key.key));
        let about = About {
            root: *root,
            sole,
            off,
        };
        found.extend(denied(scene, group, &about));
        found.extend(worked(scene, group, &about));
        found.extend(back(scene, group, &about));
    }
}

/// What is known of a lineage beside its revoked sessions.
struct About {
    root: u32,
    /// No other lineage had sessions of the principal.
    sole: bool,
    /// The lineage's key was switched off.
    off: bool,
}

/// When something was denied to users and roles or they were deleted, by name.
type Targets<'l> = BTreeMap<&'l str, Vec<Seconds>>;

fn targets<'l>(scene: &Scene<'_, 'l>) -> Targets<'l> {
    let denies = |fact: &&Fact| {
        scene.ledger.kept(fact).iter().any(|kept| {
            matches!(
                kept.attribute,
                Attribute::DenyAll | Attribute::DenyBefore | Attribute::DenyUserId
            )
        })
    };
    let policies = scene
        .deeds(Deed::PutPolicy)
        .chain(scene.deeds(Deed::AttachPolicy))
        .filter(denies);
    let deletions = scene
        .deeds(Deed::DeleteUser)
        .chain(scene.deeds(Deed::DeleteRole));
    let mut targets = Targets::new();
    for fact in policies.chain(deletions) {
        for attribute in [Attribute::User, Attribute::Role] {
            let name = scene.text(fact, attribute).rsplit('/').next();
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                targets.entry(name).or_default().push(fact.time);
            }
        }
    }
    targets.values_mut().for_each(|times| times.sort_unstable());
    targets
}

/// The sessions that were alive when they were revoked.
fn revoked<'l>(scene: &Scene<'_, 'l>, targets: &Targets<'l>) -> Groups<'l> {
    let first = targets.values().flatten().min().copied();
    let mut concerned: HashMap<Symbol, Option<&[Seconds]>> = HashMap::new();
    let mut groups = Groups::new();
    for (number, node) in (0u32..).zip(scene.lineage.nodes()) {
        let old = node.created.map(|c| c.saturating_add(LONGEST)) < first;
        if node.created.is_some() && old || !sure(scene, number) || node.unique_id.is_empty() {
            continue;
        }
        let named = || {
            let principal = scene.lineage.principal(number);
            targets.get(owner(principal.raw())).map(Vec::as_slice)
        };
        let times = *concerned.entry(node.unique_id).or_insert_with(named);
        let by = times
            .unwrap_or_default()
            .iter()
            .find_map(|&time| ended(scene, number, time).filter(|f| was_alive(scene, number, f)));
        let Some(fact) = by else {
            continue;
        };
        let workload = node.origin == Origin::Service;
        let root = if workload {
            u32::MAX
        } else {
            scene.root(number)
        };
        let group = groups.entry((node.unique_id, root)).or_default();
        group.workload = workload;
        add(scene, group, (number, fact));
    }
    groups
}

/// What keeps a node from working at an instant.
fn ended<'l>(scene: &Scene<'_, 'l>, node: u32, at: Seconds) -> Option<&'l Fact> {
    let at = crate::time::Timestamp::from_seconds(i64::from(at));
    let (_, fact) = scene.denials.ended(scene.lineage, node, at)?;
    scene.ledger.facts().get(fact as usize)
}

/// Keys of the console and of OAuth have a time of issue that is not sure to be the one in the log; a
/// forwarded key is the service's.
fn sure(scene: &Scene<'_, '_>, node: u32) -> bool {
    let kind = scene.node(node).map(|n| n.kind);
    let kind = matches!(
        kind,
        Some(NodeKind::TemporaryCredential | NodeKind::FederatedSession | NodeKind::LongTermKey)
    );
    kind && !scene.is_indirect(node)
}

/// The name of the user or role in a principal's ARN.
fn owner(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    match resource.strip_prefix("assumed-role/") {
        Some(rest) => rest.split('/').next().unwrap_or_default(),
        None => resource.rsplit('/').next().unwrap_or_default(),
    }
}

fn was_alive(scene: &Scene<'_, '_>, node: u32, fact: &Fact) -> bool {
    let life = scene.life(node, fact.time);
    let begun = scene.node(node).and_then(|n| n.created) <= Some(fact.time);
    let over = life.expires.is_some_and(|end| end <= fact.time());
    begun && !over
}

fn add<'l>(scene: &Scene<'_, 'l>, group: &mut Revoked<'l>, (node, fact): (u32, &'l Fact)) {
    group.sessions.push(node);
    group.by.push(fact);
    for usage in scene.uses(node) {
        let (last, id) = scene.ledger.last(usage);
        let refused = scene.outcome(usage).contains("Denied")
            || scene.outcome(usage).starts_with("UnauthorizedOperation");
        if refused && last.seconds() > fact.time {
            group.denied.push((last.seconds(), id, usage.key.client));
        }
    }
    for usage in worked_after(scene, node, fact.time + PROPAGATION) {
        let (time, id) = latest(scene, usage);
        if ended(scene, node, time).is_none() {
            continue;
        }
        group.worked.push((time, id, usage.key.client));
    }
}

/// Sessions of the same principal that the same lineage made after the revocation. Only what the lineage
/// made out of what it held before counts: somebody who signs in again has proven who they are.
fn come_back(scene: &Scene<'_, '_>, groups: &mut Groups<'_>) {
    let principals: BTreeSet<Symbol> = groups.keys().map(|(principal, _)| *principal).collect();
    for (number, node) in (0u32..).zip(scene.lineage.nodes()) {
        if !principals.contains(&node.unique_id) || node.origin != Origin::Issued {
            continue;
        }
        let Some(group) = groups.get_mut(&(node.unique_id, scene.root(number))) else {
            continue;
        };
        let since = group.by.iter().map(|fact| fact.time).min();
        let made = scene.lineage.primary(number);
        let held = made.is_some_and(|edge| {
            scene
                .node(edge.parent)
                .is_some_and(|p| p.kind.is_credential())
        });
        let new = node.created > since && node.kind != NodeKind::LongTermKey;
        if let Some(fact) = made.and_then(|edge| scene.facts_of(edge).next())
            && new
            && held
            && sure(scene, number)
            && in_force(scene, group, fact.time)
            && !group.sessions.contains(&number)
        {
            group
                .back
                .push(((fact.time, fact.id, fact.key.client), number));
        }
    }
}

/// Whether a revocation still holds: after it was lifted, everybody may come back.
fn in_force(scene: &Scene<'_, '_>, group: &Revoked<'_>, at: Seconds) -> bool {
    let mut sessions = group.sessions.iter();
    sessions.any(|&session| ended(scene, session, at).is_some())
}

/// Whether calls came from a network that was new to the key at the top.
fn stranger(scene: &Scene<'_, '_>, root: u32, calls: &[Call]) -> bool {
    let Some(key) = key_above(scene, root) else {
        return false;
    };
    calls.iter().any(|&(time, _, client)| {
        came_later(scene, key, (scene.networks.of_client(client), time)) < RECENT
    })
}

fn denied(scene: &Scene<'_, '_>, group: &Revoked<'_>, about: &About) -> Option<Draft> {
    let since = group.by.iter().map(|fact| fact.time).min()?;
    let last = group.denied.iter().map(|(time, ..)| *time).max()?;
    let stranger = stranger(scene, about.root, &group.denied);
    let severity = if group.workload {
        return None;
    } else if stranger || about.off {
        Severity::Medium
    } else if last.saturating_sub(since) >= STUBBORN {
        Severity::Low
    } else {
        return None;
    };
    let what = format!(
        "is still tried on, denied, until {}",
        crate::time::Timestamp::from_seconds(i64::from(last))
    );
    let draft = draft(scene, group, ("denied", &what, &group.denied))?;
    Some(from(
        scene,
        draft.severity(severity),
        (stranger, &group.denied),
    ))
}

fn worked(scene: &Scene<'_, '_>, group: &Revoked<'_>, about: &About) -> Option<Draft> {
    let last = group.worked.iter().map(|(time, ..)| *time).max()?;
    let deleted = group
        .by
        .iter()
        .any(|fact| matches!(fact.deed, Deed::DeleteRole | Deed::DeleteUser));
    let stranger = stranger(scene, about.root, &group.worked);
    let (severity, confidence) = match (deleted, group.workload) {
        (true, _) => (Severity::Medium, Confidence::Low),
        (false, true) => (Severity::Medium, Confidence::Medium),
        (false, false) => (Severity::High, Confidence::Medium),
    };
    let what = format!(
        "worked all the same, until {}",
        crate::time::Timestamp::from_seconds(i64::from(last))
    );
    let draft = draft(scene, group, ("worked", &what, &group.worked))?
        .severity(severity)
        .confidence(confidence)
        .not_visible(
            "A change that lifted the denial again, in a region or account that is not in the log.",
        );
    Some(from(scene, draft, (stranger, &group.worked)))
}

fn back(scene: &Scene<'_, '_>, group: &Revoked<'_>, about: &About) -> Option<Draft> {
    let mut back = group.back.clone();
    back.sort_unstable();
    let &(_, first) = back.first()?;
    let calls: Vec<Call> = back.iter().map(|(call, _)| *call).collect();
    let parent = scene.lineage.primary(first)?.parent;
    let by_session = !scene.is(parent, NodeKind::LongTermKey);
    let stranger = stranger(scene, about.root, &calls);
    let severity = if about.off || stranger {
        Severity::High
    } else if about.sole && by_session {
        Severity::Medium
    } else {
        return None;
    };
    let what = format!(
        "came back: {} made {} of the same principal afterwards, first {}",
        scene.label(parent),
        count(back.len(), "session"),
        scene.label(first),
    );
    let nodes = back.iter().map(|(_, node)| *node);
    let draft = draft(scene, group, ("back", &what, &calls))?.also(nodes);
    Some(from(scene, draft.severity(severity), (stranger, &calls)))
}

/// About the earliest of the revoked sessions.
fn draft(
    scene: &Scene<'_, '_>,
    group: &Revoked<'_>,
    (kind, what, calls): (&str, &str, &[Call]),
) -> Option<Draft> {
    let created = |node: &u32| {
        (
            scene.node(*node).and_then(|n| n.created),
            scene.names(*node),
        )
    };
    let subject = group.sessions.iter().copied().min_by_key(created)?;
    let by = group.by.iter().min_by_key(|fact| (fact.time, fact.hash))?;
    let when = by.time();
    let others = match group.sessions.len() {
        1 => String::new(),
        n => format!(" and {}", count(n - 1, "other session")),
    };
    let what = format!(
        "{}{others}, revoked at {when} by {}, {what}",
        scene.label(subject),
        scene.name(by)
    );
    let evidence = group.by.iter().map(|fact| (fact.time, fact.id));
    let draft = Draft::new(subject, what)
        .distinct(kind)
        .also(group.sessions.iter().copied())
        .seen_in(evidence)
        .seen_in(calls.iter().map(|(time, id, _)| (*time, *id)));
    Some(draft)
}

fn from(scene: &Scene<'_, '_>, draft: Draft, (stranger, calls): (bool, &[Call])) -> Draft {
    match calls.iter().min().filter(|_| stranger) {
        Some((_, _, client)) => draft.from(scene.address(*client)),
        None => draft,
    }
}
