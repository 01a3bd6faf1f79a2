//! Federated sessions that outlive the key that made them, or open the console.

use super::calls::Kinds;
use super::minted::{
    Issue, count, derived, each_key, issues, latest, network, newcomer, worked_after,
};
use super::network::Network;
use super::{Detection, Scene};
use crate::deed::{Attribute, Deed, allows_everything};
use crate::finding::{Confidence, Draft, Severity};
use crate::ledger::{EventKey, Fact, Seconds, Symbol};
use crate::lineage::NodeKind;
use crate::time::DAY;
use std::collections::{BTreeSet, HashMap};

/// Federated sessions as persistence.
pub(super) const DETECTION: Detection = Detection {
    id: "federation-token-persistence",
    title: "Federated session that outlives its key",
    severity: Severity::Medium,
    techniques: &["T1550.001", "T1098.001", "T1548.005"],
    finds: "GetFederationToken whose session policy allows everything or names an administrator policy; whose \
        session opens the console and calls IAM there; or whose session still works after the key that \
        made it was switched off. One finding for each key.",
    matters: "A federated session works for up to 36 hours whatever happens to the key that made it, and its \
        console may call IAM, which its keys may not.",
    evaded: "A session policy that lists services instead of everything, and no console.",
    false_positives: &[
        "An identity broker that opens the console for many people: low once it has done so on an earlier day, \
         or for five names; and so is a tool with which five users or more of the account open their consoles.",
        "A user who does this from where the key had been at home for a day: low.",
        "A session without a policy, which may do nothing by itself: low, and only after its key was switched off.",
        "A session with a narrow policy, for example one that may read one bucket: not reported.",
    ],
    references: &[
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html",
        "https://hackingthe.cloud/aws/post_exploitation/survive_access_key_deletion_with_sts_getfederationtoken/",
    ],
    run,
};

/// AWS's own policies that give all or nearly all that there is.
const ADMINISTRATOR: [&str; 3] = [
    ":aws:policy/AdministratorAccess",
    ":aws:policy/PowerUserAccess",
    ":aws:policy/IAMFullAccess",
];

/// Calls of a broker on another day before a session from which on it is routine.
const ROUTINE: usize = 3;

/// Names from which on a key is a broker's, who serves many people: an intruder needs one or two.
const PEOPLE: usize = 5;

/// What one session could do and did.
struct Session<'i, 's, 'l> {
    issue: &'i Issue<'s, 'l>,
    policy: Policy,
    console: bool,
    iam: Vec<(Seconds, EventKey)>,
    after: Vec<(Seconds, EventKey)>,
    routine: bool,
    /// The key's owner does this from home, or as several others do.
    usual: bool,
    foreign: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    None,
    Narrow,
    All,
}

fn run(scene: &Scene<'_, '_>, found: &mut Vec<Draft>) {
    let all = issues(scene, |deed| deed == Deed::GetFederationToken);
    let openers = openers(scene, &all);
    each_key(scene, &all, |of_key, off| {
        let first = of_key.first();
        let key = first.and_then(|issue| scene.node(issue.edge.parent));
        let company = key.is_some_and(|key| openers.get(&key.account) >= Some(&PEOPLE));
        found.extend(judge(scene, of_key, (off, company)));
    });
}

/// How many users of each account opened the console with federated sessions.
fn openers(scene: &Scene<'_, '_>, all: &[Issue<'_, '_>]) -> HashMap<Symbol, usize> {
    let opened = |issue: &&Issue<'_, '_>| {
        let mut below = scene.lineage.children(issue.edge.child);
        below.any(|edge| scene.is(edge.child, NodeKind::ConsoleSession))
    };
    let keys = all.iter().filter(opened).map(|issue| issue.edge.parent);
    let users: BTreeSet<(Symbol, Symbol)> = keys
        .filter_map(|key| scene.node(key))
        .map(|key| (key.account, key.unique_id))
        .collect();
    let mut openers = HashMap::new();
    for (account, _) in users {
        *openers.entry(account).or_default() += 1;
    }
    openers
}

/// Whether a session and the console that it opened are where the key had been in use for a day.
fn at_home(scene: &Scene<'_, '_>, issue: &Issue<'_, '_>, consoles: &[u32]) -> bool {
    let since = |place: Network| {
        let uses = scene
            .uses(issue.edge.parent)
            .filter(|u| scene.network(u) == place);
        uses.map(|usage| usage.first.seconds()).min()
    };
    let home = |place: Network| {
        place.is_some()
            && since(place).is_some_and(|since| since.saturating_add(DAY) <= issue.fact.time)
    };
    let elsewhere = |&node: &u32| {
        let mut uses = scene.uses(node).map(|usage| scene.network(usage));
        uses.any(|place| place.is_some() && !home(place))
    };
    home(network(scene, issue.fact)) && !consoles.iter().any(elsewhere)
}

fn judge(
    scene: &Scene<'_, '_>,
    of_key: &[Issue<'_, '_>],
    (off, company): (Option<&Fact>, bool),
) -> Option<Draft> {
    let name = |issue: &Issue<'_, '_>| scene.ledger.attribute(issue.fact, Attribute::SessionName);
    let names: BTreeSet<Symbol> = of_key.iter().map(name).collect();
    let mut sessions: Vec<(Severity, Session<'_, '_, '_>)> = of_key
        .iter()
        .filter_map(|issue| {
            let earlier = |other: &&Issue<'_, '_>| other.fact.time + DAY <= issue.fact.time;
            let before = of_key.iter().take(ROUTINE).filter(earlier).count();
            let routine = before >= ROUTINE || names.len() >= PEOPLE;
            let session = session(scene, issue, (off, routine, company));
            Some((severity(&session)?, session))
        })
        .collect();
    sessions.sort_by_key(|(severity, s)| (std::cmp::Reverse(*severity), s.issue.fact.time));
    let (severity, worst) = sessions.first()?;
    let child = worst.issue.edge.child;
    let what = words(scene, worst, of_key.len());
    let all = || sessions.iter().map(|(_, session)| session);
    let draft = Draft::new(child, what)
        .severity(*severity)
        .confidence(Confidence::High)
        .also(all().map(|s| s.issue.edge.child))
        .seen_in(all().map(|s| s.issue.record()))
        .seen_in(off.map(|off| (off.time, off.id)))
        .seen_in(all().flat_map(|s| s.iam.iter().chain(&s.after).copied()));
    Some(if worst.foreign {
        draft.from(scene.address(worst.issue.fact.key.client))
    } else {
        draft
    })
}

fn session<'i, 's, 'l>(
    scene: &Scene<'s, 'l>,
    issue: &'i Issue<'s, 'l>,
    (off, routine, company): (Option<&Fact>, bool, bool),
) -> Session<'i, 's, 'l> {
    let consoles: Vec<u32> = derived(scene, issue.edge.child)
        .into_iter()
        .filter(|&n| scene.is(n, NodeKind::ConsoleSession) || scene.is_indirect(n))
        .collect();
    let off = off.filter(|off| off.time > issue.fact.time);
    let nodes = || consoles.iter().copied().chain([issue.edge.child]);
    let after = |node: u32| {
        let calls = off.map(|off| worked_after(scene, node, off.time));
        let calls = calls.into_iter().flatten();
        calls.map(|usage| latest(scene, usage))
    };
    let iam = |node: u32| {
        let calls = scene
            .uses(node)
            .filter(|usage| scene.worked(usage) && scene.kinds(usage).has(Kinds::IAM));
        calls.flat_map(|usage| scene.records(usage))
    };
    let foreign = newcomer(
        scene,
        issue.edge.parent,
        (network(scene, issue.fact), issue.fact.time),
    );
    Session {
        issue,
        policy: policy(scene, issue.fact),
        console: !consoles.is_empty(),
        iam: consoles.iter().flat_map(|&node| iam(node)).collect(),
        after: nodes().flat_map(after).collect(),
        routine,
        usual: !foreign && (company || at_home(scene, issue, &consoles)),
        foreign,
    }
}

fn policy(scene: &Scene<'_, '_>, fact: &Fact) -> Policy {
    let of = |wanted: Attribute| {
        let kept = scene.ledger.kept(fact).iter();
        let kept = kept.filter(move |kept| kept.attribute == wanted);
        kept.map(|kept| scene.ledger.text(kept.symbol()))
    };
    let administrator = |arn: &str| ADMINISTRATOR.iter().any(|end| arn.ends_with(end));
    if of(Attribute::Policy).any(allows_everything) || of(Attribute::PolicyArn).any(administrator) {
        return Policy::All;
    }
    let any = of(Attribute::Policy).chain(of(Attribute::PolicyArn)).next();
    any.map_or(Policy::None, |_| Policy::Narrow)
}

fn severity(session: &Session<'_, '_, '_>) -> Option<Severity> {
    let iam = !session.iam.is_empty();
    let outlives = !session.after.is_empty();
    match session.policy {
        Policy::None => outlives.then_some(Severity::Low),
        _ if outlives => Some(Severity::High),
        Policy::Narrow => (iam && !session.routine).then_some(Severity::Low),
        Policy::All if session.routine => Some(Severity::Low),
        Policy::All if iam => Some(Severity::High),
        Policy::All if session.usual => Some(Severity::Low),
        Policy::All => Some(Severity::Medium),
    }
}

fn words(scene: &Scene<'_, '_>, worst: &Session<'_, '_, '_>, made: usize) -> String {
    let policy = match worst.policy {
        Policy::None => "without a policy",
        Policy::Narrow => "with a narrow policy",
        Policy::All => "with a policy that allows everything",
    };
    let mut did = Vec::new();
    if worst.console {
        did.push("opened the console");
    }
    if !worst.iam.is_empty() {
        did.push("called IAM there");
    }
    if !worst.after.is_empty() {
        did.push("worked on after its key was switched off");
    }
    let did = if did.is_empty() {
        String::new()
    } else {
        format!(", which {}", did.join(" and "))
    };
    format!(
        "{} made {}; {} {policy}{did}",
        scene.label(worst.issue.edge.parent),
        count(made, "federated session"),
        scene.label(worst.issue.edge.child),
    )
}
