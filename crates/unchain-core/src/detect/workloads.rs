//! Where the credentials of a workload are at home, and which of them were used elsewhere.
//!
//! A workload is one instance, function, task or pod: its sessions carry its id as their name, and a new
//! one comes every few hours. AWS gives an instance twins in one second, of which one may be taken. So
//! all sessions of one workload are judged together.

use super::Scene;
use super::calls::Kinds;
use super::network::Network;
use super::visit::{System, Tool, Visit, visits};
use crate::finding::Severity;
use crate::ledger::{Seconds, Symbol};
use crate::lineage::{NodeKind, Origin};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Calls with which a user makes an instance give away its credentials or opens a shell on it.
const COMMANDS: [&str; 4] = [
    "SendCommand",
    "StartSession",
    "SendSSHPublicKey",
    "GetPasswordData",
];

/// A stolen credential is used soon after the command that took it; later, chance explains as much.
const AFTER_COMMAND: Seconds = 15 * 60;

/// A network that this many keys of one workload used, one after the other, is one of its own ways out.
const OWN_WAY: usize = 3;

/// What tells that a workload's credential is elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tell {
    /// The workload went on at home meanwhile, with the same software.
    Network,
    /// The workload went on at home meanwhile, and this is other software of the same kind.
    Version,
    /// The user agent names an operating system that such a workload does not have.
    System,
    /// Used from where somebody had just sent it a command.
    Commanded(u32),
    /// The workload went on at home meanwhile, and this is another program.
    Program,
}

impl Tell {
    /// How bad it is if nothing else speaks for or against it.
    pub(super) fn severity(self) -> Severity {
        match self {
            Self::Program | Self::System => Severity::High,
            Self::Commanded(_) | Self::Version => Severity::Medium,
            Self::Network => Severity::Low,
        }
    }
}

/// A workload's credentials in use elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Stray<'l> {
    pub(super) tell: Tell,
    /// What was done elsewhere, the earliest first; never empty.
    pub(super) away: Vec<Visit<'l>>,
    /// What was done at home.
    pub(super) home: Vec<Visit<'l>>,
}

/// Whether a node is a session that a service made for one workload.
pub(super) fn is_workload(scene: &Scene<'_, '_>, node: u32) -> bool {
    let Some(n) = scene.node(node) else {
        return false;
    };
    let machine = matches!(n.origin, Origin::Service | Origin::Unseen)
        && n.kind == NodeKind::TemporaryCredential;
    machine && (is_instance(scene, node) || of_workload(scene, node))
}

fn of_workload(scene: &Scene<'_, '_>, node: u32) -> bool {
    let edge = scene.lineage.primary(node);
    edge.is_some_and(|edge| scene.is(edge.parent, NodeKind::Workload))
}

/// Whether a session is named after an instance, as those are that EC2 asks for.
pub(super) fn is_instance(scene: &Scene<'_, '_>, node: u32) -> bool {
    let Some(n) = scene.node(node) else {
        return false;
    };
    let name = scene.ledger.text(n.session);
    let hex = |id: &str| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_hexdigit());
    name.strip_prefix("i-").is_some_and(hex) && scene.is_role_session(node)
}

/// What is looked up once for all workloads.
struct Surroundings {
    /// Workloads' sessions with a program for macOS.
    macs: HashSet<u32>,
    /// Where agents of machines report from.
    machines: HashSet<Network>,
    /// (from where, first, last, who) of commands to instances by users.
    commands: Vec<(Network, Seconds, Seconds, u32)>,
}

impl Surroundings {
    fn of(scene: &Scene<'_, '_>) -> Self {
        let names = scene.ledger.calls().iter();
        let commanding: Vec<bool> = names
            .map(|call| COMMANDS.contains(&scene.ledger.text(call.name)))
            .collect();
        let mut found = Self {
            macs: HashSet::new(),
            machines: HashSet::new(),
            commands: Vec::new(),
        };
        for usage in scene.ledger.uses() {
            let routine = scene.kinds(usage).has(Kinds::ROUTINE);
            let command = commanding.get(scene.ledger.act(&usage.key).call as usize) == Some(&true);
            let mac = scene.machine(usage.key.client).system == System::Darwin;
            if !(routine || command || mac) {
                continue;
            }
            let Some(node) = scene.lineage.node_of_caller(usage.key.caller) else {
                continue;
            };
            if mac {
                found.macs.insert(node);
            }
            let network = scene.network(usage);
            if command {
                let last = scene.ledger.last(usage).0.seconds();
                let command = (network, usage.first.seconds(), last, node);
                found.commands.push(command);
            } else if !found.machines.contains(&network)
                && routine
                && scene.machine(usage.key.client).tool == Tool::Machine
                && is_workload(scene, node)
            {
                found.machines.insert(network);
            }
        }
        found
    }

    /// Who sent a command from this network shortly before.
    fn commanded(&self, scene: &Scene<'_, '_>, network: Network, time: Seconds) -> Option<u32> {
        let near = |&&(from, first, last, _): &&(Network, Seconds, Seconds, u32)| {
            from == network && first <= time && last.saturating_add(AFTER_COMMAND) >= time
        };
        let who = self.commands.iter().filter(near).map(|command| command.3);
        let who = who.filter(|&node| !is_workload(scene, node));
        who.min_by_key(|&node| scene.names(node))
    }
}

/// The credentials of workloads that were used elsewhere, one entry a workload. Asked again, it looks at
/// those workloads only.
pub(super) fn strays<'l>(scene: &Scene<'_, 'l>) -> Vec<Stray<'l>> {
    let known = scene.stray_sessions.get();
    let groups = known.cloned().unwrap_or_else(|| by_workload(scene));
    if groups.is_empty() {
        return Vec::new();
    }
    let around = Surroundings::of(scene);
    let (mut found, mut sessions) = (Vec::new(), Vec::new());
    for nodes in groups {
        if let Some(stray) = stray(scene, &around, &nodes) {
            found.push(stray);
            sessions.push(nodes);
        }
    }
    scene.stray_sessions.get_or_init(|| sessions);
    found
}

/// The sessions of each workload that were used.
fn by_workload(scene: &Scene<'_, '_>) -> Vec<Vec<u32>> {
    let mut groups: HashMap<(Symbol, Symbol), Vec<u32>> = HashMap::new();
    for (number, node) in (0u32..).zip(scene.lineage.nodes()) {
        if scene.activity(number).network.is_some() && is_workload(scene, number) {
            let sessions = groups.entry((node.unique_id, node.session)).or_default();
            sessions.push(number);
        }
    }
    groups.into_values().collect()
}

fn stray<'l>(scene: &Scene<'_, 'l>, around: &Surroundings, nodes: &[u32]) -> Option<Stray<'l>> {
    if is_quiet(scene, around, nodes) {
        return None;
    }
    let all: Vec<Visit<'l>> = nodes.iter().flat_map(|&node| visits(scene, node)).collect();
    if let Some(tell) = odd_system(scene, &all) {
        let (away, home) = all.into_iter().partition(|visit| tell(visit));
        return Some(Stray::new(scene, Tell::System, away, home));
    }
    let single = all
        .iter()
        .all(|visit| Some(visit.network) == all.first().map(|v| v.network));
    if single {
        return commanded(scene, around, all);
    }
    let homes = homes(around, &all);
    let (home, other): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|visit| homes.contains(&visit.network));
    let away = other
        .into_iter()
        .filter(|visit| is_away(scene, visit, &home));
    let away: Vec<Visit<'l>> = away.collect();
    let instance = nodes.iter().any(|&node| is_instance(scene, node));
    let tell = away.iter().map(|visit| tell(visit, &home)).max()?;
    // Functions, tasks and pods of one name run on many machines with many ways out.
    (instance || tell == Tell::Program).then(|| Stray::new(scene, tell, away, home))
}

/// Whether a workload shows at a glance that nothing is odd: one network, in which no command was sent,
/// or only such as agents of machines report from; and no program for macOS.
fn is_quiet(scene: &Scene<'_, '_>, around: &Surroundings, nodes: &[u32]) -> bool {
    let place = |&node: &u32| scene.activity(node);
    let networks = || nodes.iter().map(place);
    let Some(one) = networks().next().map(|activity| activity.network) else {
        return true;
    };
    let single = networks().all(|activity| activity.network == one && !activity.several);
    let reported = |network: &Network| around.machines.contains(network);
    let at_home = networks().all(|activity| reported(&activity.network) && !activity.several);
    let commanded = around.commands.iter().any(|(from, ..)| *from == one);
    (single && !commanded || at_home) && !nodes.iter().any(|node| around.macs.contains(node))
}

impl<'l> Stray<'l> {
    fn new(
        scene: &Scene<'_, 'l>,
        tell: Tell,
        mut away: Vec<Visit<'l>>,
        mut home: Vec<Visit<'l>>,
    ) -> Self {
        away.sort_by(|a, b| a.order(scene).cmp(&b.order(scene)));
        home.sort_by(|a, b| a.order(scene).cmp(&b.order(scene)));
        Self { tell, away, home }
    }
}

/// A workload runs on Linux or Windows and not on both; only an instance may be a Mac, and then its
/// agents say so too.
fn odd_system<'l>(
    scene: &Scene<'_, 'l>,
    all: &[Visit<'l>],
) -> Option<impl Fn(&Visit<'l>) -> bool + use<'l>> {
    let mac = |visit: &Visit<'l>| visit.agent.system == System::Darwin;
    let own = all.iter().any(|v| mac(v) && v.agent.tool == Tool::Machine);
    let known = |visit: &Visit<'l>| scene.networks.is_known(visit.network);
    (!own && all.iter().any(|v| mac(v) && !known(v))).then_some(mac)
}

/// Nothing is known of the workload's home, but somebody at this very place had just sent a command.
fn commanded<'l>(
    scene: &Scene<'_, 'l>,
    around: &Surroundings,
    all: Vec<Visit<'l>>,
) -> Option<Stray<'l>> {
    let begin = all.iter().map(|visit| visit.first).min()?;
    let network = all.first()?.network;
    let instance = all.iter().all(|visit| is_instance(scene, visit.node));
    if !instance || around.machines.contains(&network) || around.commands.is_empty() {
        return None;
    }
    let who = around.commanded(scene, network, begin)?;
    Some(Stray::new(scene, Tell::Commanded(who), all, Vec::new()))
}

/// The networks of a workload: those of its agents and of other machines, those that several of its keys
/// used; else that of most of its keys, the first used if several are equal.
fn homes(around: &Surroundings, all: &[Visit<'_>]) -> HashSet<Network> {
    let mut keys: BTreeMap<Network, (HashSet<u32>, Seconds)> = BTreeMap::new();
    for visit in all {
        let (nodes, first) = keys
            .entry(visit.network)
            .or_insert((HashSet::new(), Seconds::MAX));
        nodes.insert(visit.node);
        *first = visit.first.min(*first);
    }
    let agents = all.iter().filter(|visit| visit.agent.tool == Tool::Machine);
    let mut found: HashSet<Network> = agents.map(|visit| visit.network).collect();
    let own = |network: &Network, nodes: &HashSet<u32>| {
        around.machines.contains(network) || nodes.len() >= OWN_WAY
    };
    let own = keys
        .iter()
        .filter(|(network, (nodes, _))| own(network, nodes));
    found.extend(own.map(|(network, _)| *network));
    if found.is_empty() {
        let most = keys
            .iter()
            .max_by_key(|(_, (nodes, first))| (nodes.len(), std::cmp::Reverse(*first)));
        found.extend(most.map(|(network, _)| *network));
    }
    found
}

/// Whether a visit is elsewhere: the workload did not move there, and it is no second way out of the
/// same machine.
fn is_away<'l>(scene: &Scene<'_, 'l>, visit: &Visit<'l>, home: &[Visit<'l>]) -> bool {
    let stayed = home.iter().any(|h| h.last > visit.first);
    let beside = home.iter().any(|h| h.beside(visit, scene));
    stayed && !beside && !scene.networks.is_known(visit.network)
}

fn tell(visit: &Visit<'_>, home: &[Visit<'_>]) -> Tell {
    if home.iter().all(|h| h.agent.differs(visit.agent)) {
        Tell::Program
    } else if home.iter().all(|h| h.text != visit.text) {
        Tell::Version
    } else {
        Tell::Network
    }
}
