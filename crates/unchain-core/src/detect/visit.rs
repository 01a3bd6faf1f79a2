//! How a node was used: one [`Visit`] for each client, and what its user agent says of the machine.
//!
//! Calls that a service forwarded (`invokedBy`) and calls from inside AWS are left out: they say nothing
//! of where the caller was. Must not know what is suspicious.

use super::calls::Kinds;
use super::network::Network;
use super::{Numbered, Scene};
use crate::ledger::{EventKey, Seconds, Symbol, Use};
use std::collections::{BTreeMap, BTreeSet};

/// What made the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Tool {
    /// Software that belongs to a machine: agents of Systems Manager, CloudWatch, ECS, functions.
    Machine,
    Browser,
    Cli,
    Terraform,
    Python,
    Go,
    Java,
    JavaScript,
    Other,
}

/// The operating system that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum System {
    Unnamed,
    Linux,
    Darwin,
    Windows,
}

/// What a user agent says, as far as a judgement needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Agent {
    pub(super) tool: Tool,
    pub(super) system: System,
}

/// Words in user agents, the most telling first.
const TOOLS: &[(&str, Tool)] = &[
    ("amazon-ssm-agent", Tool::Machine),
    ("CWAgent", Tool::Machine),
    ("amazon-ecs-agent", Tool::Machine),
    ("exec-env/AWS_Lambda", Tool::Machine),
    ("exec-env/AWS_ECS", Tool::Machine),
    ("awslambda-worker", Tool::Machine),
    ("Mozilla/", Tool::Browser),
    ("console.", Tool::Browser),
    ("AWSCloudShell", Tool::Browser),
    ("exec-env/CloudShell", Tool::Browser),
    ("aws-internal", Tool::Browser),
    ("AWS Internal", Tool::Browser),
    ("Terraform/", Tool::Terraform),
    ("aws-cli/", Tool::Cli),
    ("Boto", Tool::Python),
    ("aws-sdk-go", Tool::Go),
    ("aws-sdk-java", Tool::Java),
    ("aws-sdk-nodejs", Tool::JavaScript),
    ("aws-sdk-js", Tool::JavaScript),
];

const SYSTEMS: &[(&str, System)] = &[
    ("darwin", System::Darwin),
    ("macos", System::Darwin),
    ("mac os x", System::Darwin),
    ("windows", System::Windows),
    ("linux", System::Linux),
];

impl Agent {
    /// Says nothing.
    pub(super) const NONE: Self = Self {
        tool: Tool::Other,
        system: System::Unnamed,
    };

    /// Reads a user agent.
    pub(super) fn read(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let tool = TOOLS.iter().find(|(word, _)| text.contains(word));
        let system = SYSTEMS.iter().find(|(word, _)| lower.contains(word));
        Self {
            tool: tool.map_or(Tool::Other, |(_, tool)| *tool),
            system: system.map_or(System::Unnamed, |(_, system)| *system),
        }
    }

    /// Whether two agents can hardly be one program on one machine.
    pub(super) fn differs(self, other: Self) -> bool {
        self.tool != other.tool || self.on_another_system(other)
    }

    /// Whether both name their operating systems, and not the same.
    pub(super) fn on_another_system(self, other: Self) -> bool {
        let named = |agent: Self| agent.system != System::Unnamed;
        named(self) && named(other) && self.system != other.system
    }
}

/// Everything that one node did with one client.
#[derive(Clone, Debug)]
pub(super) struct Visit<'l> {
    pub(super) node: u32,
    pub(super) client: u32,
    pub(super) network: Network,
    pub(super) agent: Agent,
    /// `userAgent`.
    pub(super) text: &'l str,
    pub(super) first: Seconds,
    pub(super) last: Seconds,
    pub(super) kinds: Kinds,
    pub(super) uses: Vec<&'l Use>,
}

/// The visits of a node whose network is known, the earliest first.
pub(super) fn visits<'l>(scene: &Scene<'_, 'l>, node: u32) -> Vec<Visit<'l>> {
    // A node has few clients: a list is searched faster than a map is made.
    let mut found: Vec<Visit<'l>> = Vec::new();
    for usage in scene.uses(node) {
        let network = scene.network(usage);
        let forwarded = !scene.ledger.caller(usage.key.caller).invoked_by.is_empty();
        let text = scene.agent(usage.key.client);
        if forwarded || !network.is_some() || of_service(text) {
            continue;
        }
        let client = usage.key.client;
        match found.iter_mut().find(|visit| visit.client == client) {
            Some(visit) => visit.add(scene, usage),
            None => {
                let mut visit = Visit {
                    node,
                    client,
                    network,
                    agent: scene.machine(client),
                    text,
                    first: Seconds::MAX,
                    last: 0,
                    kinds: Kinds::default(),
                    uses: Vec::new(),
                };
                visit.add(scene, usage);
                found.push(visit);
            }
        }
    }
    found.sort_by(|a, b| a.order(scene).cmp(&b.order(scene)));
    found
}

/// Whether a service made the call with what its caller had handed it: Lambda opens a function's
/// variables with KMS so, from a machine of its own.
fn of_service(agent: &str) -> bool {
    agent.starts_with("aws-internal/") || agent == "AWS Internal"
}

impl<'l> Visit<'l> {
    fn add(&mut self, scene: &Scene<'_, 'l>, usage: &'l Use) {
        self.first = self.first.min(usage.first.seconds());
        self.last = self.last.max(scene.ledger.last(usage).0.seconds());
        self.kinds = self.kinds.with(scene.kinds(usage));
        self.uses.push(usage);
    }

    /// An order that does not depend on numbers of the ledger.
    pub(super) fn order(&self, scene: &Scene<'_, 'l>) -> (Seconds, &'l str, &'l str) {
        (self.first, self.address(scene), self.text)
    }

    /// `sourceIPAddress`.
    pub(super) fn address(&self, scene: &Scene<'_, 'l>) -> &'l str {
        scene.ledger.text(self.symbol(scene))
    }

    /// `sourceIPAddress`, as the ledger's symbol.
    pub(super) fn symbol(&self, scene: &Scene<'_, 'l>) -> Symbol {
        scene.address(self.client)
    }

    /// Whether it came through a VPC endpoint: the network is the endpoint's, not an address block's.
    pub(super) fn through_endpoint(&self, scene: &Scene<'_, 'l>) -> bool {
        scene.networks.name(self.network).starts_with("vpce-")
    }

    /// Whether its address is an IPv6 one.
    pub(super) fn is_v6(&self, scene: &Scene<'_, 'l>) -> bool {
        self.address(scene).contains(':')
    }

    /// Whether the other may be the same host at the same time: a dual-stack client has an address of
    /// each kind, and an instance with an endpoint a private and a public one.
    pub(super) fn beside(&self, other: &Self, scene: &Scene<'_, 'l>) -> bool {
        self.network == other.network
            || self.through_endpoint(scene) != other.through_endpoint(scene)
            || self.is_v6(scene) != other.is_v6(scene) && !self.agent.differs(other.agent)
    }
}

/// When each principal (a unique id) was first seen: a role made yesterday has no usual place.
pub(super) fn first_seen(scene: &Scene<'_, '_>) -> Numbered<Symbol, Seconds> {
    let mut found = Numbered::default();
    for (number, node) in (0u32..).zip(scene.lineage.nodes()) {
        let activity = scene.activity(number);
        if activity.any() && !node.unique_id.is_empty() {
            let first = found.entry(node.unique_id).or_insert(activity.first);
            *first = activity.first.min(*first);
        }
    }
    found
}

/// A principal must have been seen this long before a place can be called new to it.
pub(super) const SETTLED: Seconds = 24 * 3600;

/// The records of some visits, as evidence.
pub(super) fn records<'v, 'l: 'v>(
    scene: &Scene<'_, 'l>,
    visits: impl IntoIterator<Item = &'v Visit<'l>>,
) -> Vec<(Seconds, EventKey)> {
    let uses = visits.into_iter().flat_map(|visit| &visit.uses);
    uses.flat_map(|usage| scene.records(usage)).collect()
}

/// How many calls are named before the rest is only counted.
const NAMED: usize = 6;

/// What some uses called, as `GetObject 2 times, ListBuckets`, the first call first.
pub(super) fn told<'u>(scene: &Scene<'_, '_>, uses: impl IntoIterator<Item = &'u Use>) -> String {
    let mut calls: BTreeMap<&str, (Seconds, u64)> = BTreeMap::new();
    for usage in uses {
        let time = usage.first.seconds();
        let entry = calls
            .entry(scene.call_name(&usage.key))
            .or_insert((time, 0));
        entry.0 = entry.0.min(time);
        entry.1 += scene.ledger.count(usage);
    }
    let mut calls: Vec<(Seconds, &str, u64)> =
        calls.into_iter().map(|(c, (t, n))| (t, c, n)).collect();
    calls.sort_unstable();
    let rest = calls.len().saturating_sub(NAMED);
    let mut told: Vec<String> = calls
        .into_iter()
        .take(NAMED)
        .map(|(_, call, count)| match count {
            1 => call.to_owned(),
            _ => format!("{call} {count} times"),
        })
        .collect();
    if rest > 0 {
        told.push(format!("{rest} more"));
    }
    told.join(", ")
}

/// The addresses of some visits, sorted, joined by commas.
pub(super) fn addresses<'v, 'l: 'v>(
    scene: &Scene<'_, 'l>,
    visits: impl IntoIterator<Item = &'v Visit<'l>>,
) -> String {
    let found: BTreeSet<&str> = visits
        .into_iter()
        .map(|visit| visit.address(scene))
        .collect();
    found.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents_are_told_apart() {
        let read = |text| {
            let agent = Agent::read(text);
            (agent.tool, agent.system)
        };
        assert_eq!(
            read("aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/"),
            (Tool::Machine, System::Linux)
        );
        assert_eq!(
            read("[aws-cli/1.18.136 Python/3.8.5 Darwin/19.5.0 botocore/1.17.59]"),
            (Tool::Cli, System::Darwin)
        );
        assert_eq!(
            read("Boto3/1.40 md/Botocore os/windows#11"),
            (Tool::Python, System::Windows)
        );
        assert_eq!(
            read("aws-cli/2.31 os/linux exec-env/CloudShell"),
            (Tool::Browser, System::Linux)
        );
        assert_eq!(read("odd"), (Tool::Other, System::Unnamed));
    }

    #[test]
    fn one_program_may_leave_its_system_out() {
        let agent = |tool, system| Agent { tool, system };
        let cli = agent(Tool::Cli, System::Unnamed);
        assert!(!cli.differs(agent(Tool::Cli, System::Linux)));
        assert!(agent(Tool::Cli, System::Linux).differs(agent(Tool::Cli, System::Darwin)));
        assert!(cli.differs(agent(Tool::Go, System::Unnamed)));
    }
}
