//! What a detection may ask: the lineage with everything about it that more than one detection needs.

use super::Numbered;
use super::activity::{self, Activity};
use super::calls::{self, Kinds};
use super::history::{Baseline, History, Novelty};
use super::network::{Network, Networks};
use super::settings::Settings;
use super::visit::Agent;
use crate::deed::{Attribute, Deed};
use crate::ledger::{Act, EventKey, Fact, Ledger, Seconds, Symbol, Use, UseKey};
use crate::lineage::{Edge, Lineage, Node, NodeKind, Origin};
use crate::liveness::{Denials, Life, life};
use crate::time::Timestamp;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// One lineage, ready to be judged. Nothing in it depends on the order of events or on the clock.
#[derive(Debug)]
pub struct Scene<'s, 'l> {
    /// The lineage.
    pub lineage: &'s Lineage<'l>,
    /// Its ledger.
    pub ledger: &'l Ledger,
    /// What ended credentials before their time.
    pub denials: Denials,
    /// What the user knows.
    pub settings: &'s Settings,
    /// Where clients are.
    pub networks: &'s Networks,
    /// By act.
    kinds: Vec<Kinds>,
    activity: Vec<Activity>,
    deeds: BTreeMap<Deed, Vec<u32>>,
    baseline: Option<&'s Baseline>,
    history: OnceCell<History>,
    agents: OnceCell<Vec<Agent>>,
    /// The sessions of each workload of which some were used elsewhere, once they are known.
    pub(super) stray_sessions: OnceCell<Vec<Vec<u32>>>,
    span: (Seconds, Seconds),
}

impl<'s, 'l> Scene<'s, 'l> {
    /// Prepares a lineage; its ledger is settled.
    pub fn new(
        lineage: &'s Lineage<'l>,
        settings: &'s Settings,
        networks: &'s Networks,
        baseline: Option<&'s Baseline>,
    ) -> Self {
        let ledger = lineage.ledger();
        let calls = ledger.calls().iter();
        let kinds: Vec<Kinds> = calls.map(|call| calls::kinds(ledger, call)).collect();
        let of = |act: &Act| kinds.get(act.call as usize).copied().unwrap_or_default();
        let kinds: Vec<Kinds> = ledger.acts().iter().map(of).collect();
        let activity = activity::gather(lineage, networks, &kinds);
        let mut deeds: BTreeMap<Deed, Vec<u32>> = BTreeMap::new();
        for (number, fact) in (0u32..).zip(ledger.facts()) {
            deeds.entry(fact.deed).or_default().push(number);
        }
        let used = || activity.iter().filter(|a| a.any());
        let span = (
            used().map(|a| a.first).min().unwrap_or_default(),
            used().map(|a| a.last).max().unwrap_or_default(),
        );
        Self {
            lineage,
            ledger,
            denials: Denials::new(ledger),
            settings,
            networks,
            kinds,
            activity,
            deeds,
            baseline,
            history: OnceCell::new(),
            agents: OnceCell::new(),
            stray_sessions: OnceCell::new(),
            span,
        }
    }

    /// The first and the last event of the log.
    pub fn span(&self) -> (Seconds, Seconds) {
        self.span
    }

    /// The successful events that did this, by time.
    pub fn deeds(&self, deed: Deed) -> impl Iterator<Item = &'l Fact> + use<'_, 'l> {
        let numbers = self.deeds.get(&deed).map(Vec::as_slice).unwrap_or_default();
        let ledger = self.ledger;
        numbers
            .iter()
            .filter_map(move |&n| ledger.facts().get(n as usize))
    }

    /// The name of a fact's call.
    pub fn name(&self, fact: &Fact) -> &'l str {
        self.call_name(&fact.key)
    }

    /// The name of the call of a key.
    pub fn call_name(&self, key: &UseKey) -> &'l str {
        let call = self.ledger.call_of(key);
        call.map_or("", |call| self.ledger.text(call.name))
    }

    /// With which error a use failed; empty if it did not.
    pub fn outcome(&self, usage: &Use) -> &'l str {
        self.ledger.text(self.ledger.act(&usage.key).outcome)
    }

    /// Whether a use succeeded.
    pub fn worked(&self, usage: &Use) -> bool {
        self.ledger.act(&usage.key).outcome.is_empty()
    }

    /// A text attribute of a fact; empty if it has none.
    pub fn text(&self, fact: &Fact, attribute: Attribute) -> &'l str {
        self.ledger.text(self.ledger.attribute(fact, attribute))
    }

    /// The node that did a fact.
    pub fn actor(&self, fact: &Fact) -> Option<u32> {
        self.lineage.node_of_caller(fact.key.caller)
    }

    /// The facts on which an edge rests.
    pub fn facts_of(&self, edge: &Edge) -> impl Iterator<Item = &'l Fact> + use<'l> {
        let ledger = self.ledger;
        edge.facts
            .into_iter()
            .filter_map(move |n| ledger.facts().get(n as usize))
    }

    /// What a node did, in short.
    pub fn activity(&self, node: u32) -> Activity {
        self.activity
            .get(node as usize)
            .copied()
            .unwrap_or(Activity::NONE)
    }

    /// What kind of thing a use is.
    pub fn kinds(&self, usage: &Use) -> Kinds {
        self.kinds
            .get(usage.key.act as usize)
            .copied()
            .unwrap_or_default()
    }

    /// From which network a use came.
    pub fn network(&self, usage: &Use) -> Network {
        self.networks.of_client(usage.key.client)
    }

    /// The address of a client.
    pub fn address(&self, client: u32) -> Symbol {
        self.ledger
            .client(client)
            .map_or(Symbol::EMPTY, |client| client.address)
    }

    /// The user agent of a client.
    pub fn agent(&self, client: u32) -> &'l str {
        self.ledger
            .client(client)
            .map_or("", |client| self.ledger.text(client.agent))
    }

    /// What the user agent of a client says of the machine.
    pub(super) fn machine(&self, client: u32) -> Agent {
        let read = || {
            // Many clients have one user agent.
            let mut known = Numbered::default();
            let mut read = |agent: Symbol| {
                let text = self.ledger.text(agent);
                *known.entry(agent).or_insert_with(|| Agent::read(text))
            };
            let clients = self.ledger.clients().iter();
            clients.map(|client| read(client.agent)).collect()
        };
        let agents: &Vec<Agent> = self.agents.get_or_init(read);
        agents.get(client as usize).copied().unwrap_or(Agent::NONE)
    }

    /// The uses of a node, by caller and call.
    pub fn uses(&self, node: u32) -> impl Iterator<Item = &'l Use> + use<'_, 'l> {
        let uses = self.ledger.uses();
        self.lineage
            .callers_of(node)
            .iter()
            .flat_map(move |&caller| {
                let begin = uses.partition_point(|u| u.key.caller < caller);
                let rest = uses.get(begin..).unwrap_or_default();
                rest.iter().take_while(move |u| u.key.caller == caller)
            })
    }

    /// The first and the last record of a use, as evidence.
    pub fn records(&self, usage: &Use) -> [(Seconds, EventKey); 2] {
        let (last, last_id) = self.ledger.last(usage);
        [
            (usage.first.seconds(), usage.first_id),
            (last.seconds(), last_id),
        ]
    }

    /// A node.
    pub fn node(&self, number: u32) -> Option<&'s Node> {
        self.lineage.node(number)
    }

    /// Whether a node is of this kind.
    pub fn is(&self, number: u32, kind: NodeKind) -> bool {
        self.node(number).is_some_and(|node| node.kind == kind)
    }

    /// Whether a node is a session that the console minted or belongs to, or that a service forwarded.
    pub fn is_indirect(&self, number: u32) -> bool {
        self.node(number)
            .is_some_and(|node| matches!(node.origin, Origin::Console | Origin::Forwarded))
    }

    /// Whether a node is a role session: its principal's unique id begins as a role's.
    pub fn is_role_session(&self, number: u32) -> bool {
        let node = self.node(number);
        node.is_some_and(|n| {
            n.kind.is_credential() && self.ledger.text(n.unique_id).starts_with("AROA")
        })
    }

    /// The primary edges from a node up to its root, nearest first.
    pub fn ancestors(&self, node: u32) -> Vec<&'s Edge> {
        self.lineage.ancestors(node)
    }

    /// The node that an intrusion is told from: the highest ancestor that is not an AWS service acting
    /// for many.
    pub fn root(&self, node: u32) -> u32 {
        let shared = |n: u32| self.is(n, NodeKind::Service);
        let above = self.ancestors(node).into_iter().map(|edge| edge.parent);
        above.take_while(|&n| !shared(n)).last().unwrap_or(node)
    }

    /// A node in a few words: key id and whose it is.
    pub fn label(&self, number: u32) -> String {
        let principal = self.lineage.principal(number);
        let whose = principal.raw().rsplit(':').next().unwrap_or_default();
        let key = self.node(number).map_or("", |n| self.ledger.text(n.key));
        match (key.is_empty(), whose.is_empty()) {
            (false, false) => format!("{key} ({whose})"),
            (false, true) => key.to_owned(),
            _ => {
                let kind = self
                    .node(number)
                    .map_or("", |n| n.kind.name())
                    .replace('-', " ");
                format!("{kind} {whose}")
            }
        }
    }

    /// What names a node on every machine: texts only.
    pub fn names(&self, number: u32) -> String {
        let Some(node) = self.node(number) else {
            return String::new();
        };
        let texts = [
            node.key,
            node.unique_id,
            node.session,
            node.name,
            node.account,
        ];
        let texts = texts.map(|symbol| self.ledger.text(symbol));
        let created = node.created.map(|c| c.to_string()).unwrap_or_default();
        format!("{}|{}|{created}", node.kind.name(), texts.join("|"))
    }

    /// The state of a node at an instant.
    pub fn life(&self, node: u32, at: Seconds) -> Life {
        life(
            self.lineage,
            &self.denials,
            node,
            Timestamp::from_seconds(i64::from(at)),
        )
    }

    /// Why the allow-list expects a finding, if it does: the subject or any ancestor is on it.
    pub(super) fn allowed(&self, detection: &str, subject: u32, seen: Seconds) -> Option<String> {
        if self.settings.allowed.is_empty() {
            return None;
        }
        let above = self.ancestors(subject).into_iter().map(|edge| edge.parent);
        let nodes = std::iter::once(subject).chain(above);
        let principals: Vec<String> = nodes
            .map(|n| self.lineage.principal(n).raw().to_owned())
            .filter(|p| !p.is_empty())
            .collect();
        let seen = Timestamp::from_seconds(i64::from(seen));
        let entry = self.settings.allows(detection, &principals, seen)?;
        Some(if entry.reason.is_empty() {
            entry.principal.clone()
        } else {
            entry.reason.clone()
        })
    }

    fn history(&self) -> &History {
        self.history
            .get_or_init(|| History::of(self.ledger, self.networks))
    }

    /// Whether a principal (a unique id) assumed a role (an ARN) before `time`.
    pub fn pair_novelty(&self, who: Symbol, role: Symbol, time: Seconds) -> Novelty {
        let text = |symbol| self.ledger.text(symbol);
        let usual = self
            .baseline
            .is_some_and(|b| b.has_pair(text(who), text(role)));
        self.with_baseline(self.history().pair((who, role), time, usual))
    }

    /// Whether a principal (a unique id) called from a network before `time`.
    pub fn place_novelty(&self, who: Symbol, network: Network, time: Seconds) -> Novelty {
        let name = self.networks.name(network);
        let usual = self.networks.is_known(network)
            || self
                .baseline
                .is_some_and(|b| b.has_place(self.ledger.text(who), name));
        self.with_baseline(self.history().place((who, network), time, usual))
    }

    /// A baseline makes up for a log that does not reach back.
    fn with_baseline(&self, novelty: Novelty) -> Novelty {
        match novelty {
            Novelty::Unknown if self.baseline.is_some() => Novelty::New,
            other => other,
        }
    }

    /// The MFA devices presented anywhere in a node's ancestry, by the records that are visible.
    pub fn devices(&self, node: u32) -> Vec<Symbol> {
        let edges = self.ancestors(node);
        let facts = edges.iter().flat_map(|edge| self.facts_of(edge));
        let mut serials: Vec<Symbol> = facts
            .map(|fact| self.ledger.attribute(fact, Attribute::Serial))
            .filter(|serial| !serial.is_empty())
            .collect();
        serials.sort_by_key(|serial| self.ledger.text(*serial));
        serials.dedup();
        serials
    }
}
