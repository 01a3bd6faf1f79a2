//! Somebody who begins by finding out where they are.

use super::calls::Kinds;
use super::network::Network;
use super::visit::{Agent, SETTLED, Tool, Visit, first_seen, told, visits};
use super::{Detection, Novelty, Scene};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{Ledger, Seconds, Use};
use crate::lineage::{Node, NodeKind, Origin};
use crate::time::DAY;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Reconnaissance at the start.
pub(super) const DETECTION: Detection = Detection {
    id: "recon-at-session-start",
    title: "Reconnaissance at the start of a session",
    severity: Severity::Medium,
    techniques: &["T1087.004", "T1526", "T1580", "T1069.003"],
    finds: "In its first ten minutes, or in the first ten minutes in another place, a credential makes six different \
        calls or more that ask who it is, who else is there and what it may do. Medium if the place is new to the \
        principal or to the key and other software calls from there, or if several of the calls are denied and the \
        principal is not known to be usual there; else low. One finding for each principal.",
    matters: "An owner knows what the credential is for. Who found or stole it has to ask, and asks at once.",
    evaded: "Asking slowly, with few calls, or by other means than the API.",
    false_positives: &[
        "The console and Terraform, which ask by themselves: not counted, Terraform unless its place is new.",
        "Security scanners: what comes back on three days from the same place is routine.",
        "A new colleague, an inventory tool on its first day: low.",
        "Hosted runners and functions, which come from another network each time: a new place is no sign in a \
         principal that came with the same program from five others within a week.",
    ],
    references: &[
        "https://attack.mitre.org/techniques/T1580/",
        "https://securitylabs.datadoghq.com/articles/tales-from-the-cloud-trenches-aws-activity-to-phishing/",
    ],
    run,
};

/// Different calls that look around: people use a few of them each day, whoever explores uses many.
const LOOKS: usize = 6;

/// The start of a session, in seconds.
const START: Seconds = 10 * 60;

/// Different calls denied: one or two are missing rights, more is somebody who tries doors.
const DENIED: usize = 3;

/// A principal that looked around on so many days does that for a living.
const ROUTINE_DAYS: usize = 3;

/// A principal to which so many other networks came within [`ROAMING`] has no home that one more would be far
/// from: hosted runners and functions come from another block each time, people from three or four.
const NETWORKS: usize = 5;

/// The time before a look in which networks are counted.
const ROAMING: Seconds = 7 * DAY;

/// A credential's first minutes in one place.
struct Look<'l> {
    visits: Vec<Visit<'l>>,
    uses: Vec<&'l Use>,
    looks: usize,
    denied: BTreeSet<&'l str>,
    first: Seconds,
    /// Whether the place is new to the principal or the key.
    new: bool,
    /// Whether the credential itself was elsewhere before, with other software.
    moved: bool,
    /// Whether several doors were tried in vain.
    strange: bool,
    /// Whether Terraform asks, which does so for all that it keeps.
    terraform: bool,
    severity: Severity,
}

/// A credential that somebody uses from a place that is not its owner's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stranger {
    pub(super) node: u32,
    pub(super) network: Network,
    /// When they came.
    pub(super) first: Seconds,
}

/// The credentials with which somebody looked around from a new place.
pub(super) fn strangers(scene: &Scene<'_, '_>) -> Vec<Stranger> {
    let looks = by_principal(scene).into_values().flatten();
    let new = looks.filter(|look| look.new);
    let stranger = |look: Look<'_>| {
        let visit = look.visits.first()?;
        Some(Stranger {
            node: visit.node,
            network: visit.network,
            first: look.first,
        })
    };
    let mut found: Vec<Stranger> = new.filter_map(stranger).collect();
    found.sort_by_key(|s| (s.first, scene.names(s.node)));
    found
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let principals = by_principal(scene);
    found.extend(
        principals
            .iter()
            .filter_map(|(who, looks)| judge(scene, (who, looks))),
    );
}

/// What looks around, by unique id.
fn by_principal<'l>(scene: &Scene<'_, 'l>) -> BTreeMap<&'l str, Vec<Look<'l>>> {
    let mut principals: BTreeMap<&str, Vec<Look<'_>>> = BTreeMap::new();
    let candidates = candidates(scene);
    if candidates.is_empty() {
        return principals;
    }
    let since = first_seen(scene);
    for node in candidates {
        let Some(n) = scene.node(node) else {
            continue;
        };
        let who = principal(scene, n);
        let list = principals.entry(who).or_default();
        list.extend(looks(scene, node, since.get(&n.unique_id).copied()));
    }
    settle_roaming(scene, &mut principals);
    principals
}

/// What names a principal; the unique id of a federated session is its account's.
fn principal<'l>(scene: &Scene<'_, 'l>, node: &Node) -> &'l str {
    scene.ledger.text(match node.kind {
        NodeKind::FederatedSession => node.session,
        _ => node.unique_id,
    })
}

/// When a principal first came from each network with each program.
type Comings<'l> = HashMap<&'l str, HashMap<(Network, Agent), Seconds>>;

/// A new place is no sign in a principal that comes from new places all the time, with the program that it
/// always has: then there is nothing to look for there.
fn settle_roaming<'l>(scene: &Scene<'_, 'l>, principals: &mut BTreeMap<&'l str, Vec<Look<'l>>>) {
    let in_question = |looks: &[Look<'_>]| looks.iter().any(|look| look.new && !look.moved);
    let mut comings: Comings<'l> = principals
        .iter()
        .filter(|(_, looks)| in_question(looks))
        .map(|(who, _)| (*who, HashMap::new()))
        .collect();
    if comings.is_empty() {
        return;
    }
    come(scene, &mut comings);
    for (who, looks) in principals {
        let Some(comings) = comings.get(who) else {
            continue;
        };
        for look in looks.iter_mut().filter(|look| look.new && !look.moved) {
            if roams(comings, look) {
                look.new = false;
                look.severity = graded(false, look.strange);
            }
        }
        looks.retain(|look| look.new || !look.terraform);
    }
}

fn come<'l>(scene: &Scene<'_, 'l>, comings: &mut Comings<'l>) {
    for (number, node) in (0u32..).zip(scene.lineage.nodes()) {
        let who = principal(scene, node);
        let Some(places) = comings
            .get_mut(who)
            .filter(|_| scene.activity(number).any())
        else {
            continue;
        };
        for usage in scene.uses(number) {
            let network = scene.network(usage);
            let place = (network, scene.machine(usage.key.client));
            let first = places.entry(place).or_insert(Seconds::MAX);
            *first = usage.first.seconds().min(*first);
        }
    }
}

fn roams(comings: &HashMap<(Network, Agent), Seconds>, look: &Look<'_>) -> bool {
    let Some(begin) = look.visits.first() else {
        return false;
    };
    let lately = |first: Seconds| first < look.first && look.first - first <= ROAMING;
    let earlier = comings.iter().filter(|(_, first)| lately(**first));
    let same = earlier.filter(|((network, agent), _)| {
        network.is_some() && *network != begin.network && *agent == begin.agent
    });
    let networks: BTreeSet<Network> = same.map(|((network, _), _)| *network).collect();
    networks.len() >= NETWORKS
}

fn graded(new: bool, strange: bool) -> Severity {
    if new || strange {
        Severity::Medium
    } else {
        Severity::Low
    }
}

/// Credentials that began enough calls that look around within [`START`]. Uses are in the order of their
/// callers.
fn candidates(scene: &Scene<'_, '_>) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut caller = u32::MAX;
    let mut times = Vec::new();
    for usage in scene.ledger.uses() {
        if usage.key.caller != caller {
            found.extend(node_of(scene, caller, &mut times));
            caller = usage.key.caller;
        }
        if scene.kinds(usage).has(Kinds::RECON) {
            times.push(usage.first.seconds());
        }
    }
    found.extend(node_of(scene, caller, &mut times));
    found
}

/// The node of a caller whose calls, begun at these times, may look around. Leaves no times behind.
fn node_of(scene: &Scene<'_, '_>, caller: u32, times: &mut Vec<Seconds>) -> Option<u32> {
    times.sort_unstable();
    let mut rows = times.windows(LOOKS);
    let many = rows.any(|row| matches!(row, [first, .., last] if last - first <= START));
    times.clear();
    let node = scene.lineage.node_of_caller(caller).filter(|_| many)?;
    is_own(scene, node).then_some(node)
}

/// Whether a credential's calls are its holder's own.
fn is_own(scene: &Scene<'_, '_>, node: u32) -> bool {
    scene.node(node).is_some_and(|n| {
        let credential = n.kind.is_credential() && n.kind != NodeKind::ConsoleSession;
        credential && !matches!(n.origin, Origin::Console | Origin::Forwarded)
    })
}

/// The beginnings in each place that look around.
fn looks<'l>(scene: &Scene<'_, 'l>, node: u32, since: Option<Seconds>) -> Vec<Look<'l>> {
    let all = visits(scene, node);
    let mut places: Vec<Network> = all.iter().map(|visit| visit.network).collect();
    places.sort_unstable();
    places.dedup();
    let of = |place: Network| look(scene, (&all, place), since);
    places.into_iter().filter_map(of).collect()
}

fn look<'l>(
    scene: &Scene<'_, 'l>,
    (all, place): (&[Visit<'l>], Network),
    since: Option<Seconds>,
) -> Option<Look<'l>> {
    let here = || all.iter().filter(|visit| visit.network == place);
    let begin = here().next()?;
    let (first, agent) = (begin.first, begin.agent);
    let within = |usage: &&Use| {
        scene.kinds(usage).has(Kinds::RECON) && usage.first.seconds() <= first.saturating_add(START)
    };
    let many = here()
        .flat_map(|visit| visit.uses.iter().copied())
        .filter(within)
        .count();
    if many < LOOKS {
        return None;
    }
    let before = || all.iter().filter(|v| v.network != place && v.first < first);
    // A key whose owner is elsewhere, and whose new place has other software.
    let moved = before().next().is_some()
        && before().all(|v| v.agent.differs(agent) || v.text != begin.text);
    let who = scene.node(begin.node)?.unique_id;
    let novelty = scene.place_novelty(who, begin.network, first);
    let settled = since.is_some_and(|since| since.saturating_add(SETTLED) <= first);
    let new = settled && novelty == Novelty::New || moved && novelty != Novelty::Known;
    let known = scene.networks.is_known(begin.network);
    let counted = |visit: &&Visit<'l>| match visit.agent.tool {
        Tool::Browser | Tool::Machine => false,
        Tool::Terraform => new,
        _ => true,
    };
    let uses = here()
        .filter(counted)
        .flat_map(|visit| visit.uses.iter().copied());
    let uses: Vec<&Use> = uses.filter(within).collect();
    let names: BTreeSet<&str> = uses.iter().map(|u| scene.call_name(&u.key)).collect();
    let denied = uses.iter().filter(|usage| !scene.worked(usage));
    let denied: BTreeSet<&str> = denied.map(|u| scene.call_name(&u.key)).collect();
    let strange = denied.len() >= DENIED && novelty != Novelty::Known && !known;
    let new = new && !known;
    let enough = names.len() >= LOOKS && !daily(scene.ledger, &uses);
    enough.then(|| Look {
        looks: names.len(),
        visits: here().cloned().collect(),
        uses,
        denied,
        first,
        new,
        moved: moved && novelty != Novelty::Known,
        strange,
        terraform: agent.tool == Tool::Terraform,
        severity: graded(new, strange),
    })
}

/// Whether most of the calls come back a day later or more: the credential does nothing else.
fn daily(ledger: &Ledger, uses: &[&Use]) -> bool {
    let again = uses.iter().filter(|usage| {
        let (last, _) = ledger.last(usage);
        last.seconds().saturating_sub(usage.first.seconds()) >= DAY
    });
    again.count() * 2 > uses.len()
}

fn judge(scene: &Scene<'_, '_>, (who, looks): (&str, &[Look<'_>])) -> Option<Draft> {
    let days: BTreeSet<Seconds> = looks.iter().map(|look| look.first / DAY).collect();
    // What comes back day after day is its work, except in another place.
    let routine = days.len() >= ROUTINE_DAYS;
    let odd = looks.iter().filter(|look| look.new || !routine);
    let worst = odd.min_by_key(|look| {
        let place = look.visits.first().map(|visit| visit.order(scene));
        (std::cmp::Reverse(look.severity), look.first, place)
    })?;
    let begin = worst.visits.first()?;
    let what = format!(
        "{} began at {} with {}: {} different calls that look around within {} minutes{}: {}",
        scene.label(begin.node),
        begin.address(scene),
        begin.text,
        worst.looks,
        START / 60,
        match worst.denied.len() {
            0 => String::new(),
            denied => format!(", {denied} of them denied"),
        },
        told(scene, worst.uses.iter().copied()),
    );
    let confidence = match worst.severity {
        Severity::Medium => Confidence::Medium,
        _ => Confidence::Low,
    };
    let seen = worst.uses.iter().flat_map(|usage| scene.records(usage));
    let draft = Draft::new(begin.node, what)
        .distinct(who)
        .severity(worst.severity)
        .confidence(confidence)
        .also(
            looks
                .iter()
                .flat_map(|look| look.visits.iter().map(|visit| visit.node)),
        )
        .seen_in(seen);
    Some(if worst.new {
        draft.from(begin.symbol(scene))
    } else {
        draft.not_visible(
            "Whether this is the principal's usual work: the log shows no other day of it.",
        )
    })
}
