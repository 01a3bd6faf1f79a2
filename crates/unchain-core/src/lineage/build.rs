//! Building the graph: issues become nodes, callers find theirs, and the rest is joined in turn.
//!
//! The rules are those of AWS's documentation for each API and of records seen: the child's
//! `sessionContext.attributes.creationDate` equals the issuing `eventTime` to the second
//! (docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html).

use super::content;
use super::finish::Graph;
use super::named::{Name, Names};
use super::order::{Issue, Issues, Order};
use super::{Edge, Face, Lineage, NONE, Node, NodeKind, Origin};
use crate::deed::{Attribute, Deed};
use crate::ledger::{Caller, Fact, IdentityType, Ledger, Seconds, Symbol};
use hashbrown::HashMap;

/// A use belongs to an issue of the same key if their times differ by no more. They agree to the
/// second in every record seen; the slack is for clocks of services that issue by themselves.
const SLACK: Seconds = 120;

/// Whose session it is and since when: what a use and an issue share when their keys differ.
pub(super) type Session = (Symbol, Symbol, Seconds);

/// A graph in the making.
pub(super) struct Builder<'l> {
    pub(super) ledger: &'l Ledger,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) caller_nodes: Vec<u32>,
    /// The latest node with a key, by the key's symbol; earlier ones follow in `next_with_key`.
    with_key: Vec<u32>,
    next_with_key: Vec<u32>,
    /// What each fact issued; empty once all callers are placed.
    pub(super) issues: Issues,
    /// The nodes below this number are issued.
    pub(super) issued: usize,
    /// The issued node of each session that somebody asks for.
    pub(super) sessions: HashMap<Session, u32, Mixing>,
    /// Nodes without a key, by kind and names.
    named: Names,
    /// The node whose key each fact's response names.
    pub(super) issued_by_fact: Vec<u32>,
    pub(super) order: Order,
    /// `type` of each caller.
    pub(super) kinds: Vec<IdentityType>,
    /// Successful console sign-ins by whose session they began.
    pub(super) sign_ins: HashMap<Session, u32, Mixing>,
    /// For each caller, whether it called with the user agent of a browser or of the console.
    pub(super) console_agent: Vec<bool>,
}

impl<'l> Lineage<'l> {
    /// Joins everything in a ledger. Call [`Ledger::settle`] before, for exact counts.
    pub fn build(ledger: &'l Ledger) -> Self {
        let mut builder = Builder::new(ledger);
        builder.issued();
        builder.place_callers();
        builder.issue_edges();
        builder.console_edges();
        builder.made();
        builder.inferred();
        builder.graph().finish()
    }
}

impl<'l> Builder<'l> {
    fn new(ledger: &'l Ledger) -> Self {
        Self {
            ledger,
            nodes: Vec::with_capacity(ledger.callers().len() + ledger.facts().len() / 2),
            edges: Vec::with_capacity(ledger.facts().len()),
            caller_nodes: vec![NONE; ledger.callers().len()],
            with_key: vec![NONE; ledger.symbols().len()],
            next_with_key: Vec::new(),
            issues: Issues::new(ledger),
            issued: 0,
            sessions: HashMap::default(),
            named: Names::default(),
            issued_by_fact: vec![NONE; ledger.facts().len()],
            order: Order::new(ledger),
            kinds: ledger.callers().iter().map(|caller| caller.kind).collect(),
            sign_ins: HashMap::default(),
            console_agent: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, node: Node) -> u32 {
        let number = u32::try_from(self.nodes.len()).unwrap_or(NONE);
        let mut next = NONE;
        if !node.key.is_empty()
            && let Some(head) = self.with_key.get_mut(node.key.index())
        {
            next = std::mem::replace(head, number);
        }
        self.next_with_key.push(next);
        self.nodes.push(node);
        number
    }

    pub(super) fn nodes_with_key(&self, key: Symbol) -> impl Iterator<Item = u32> {
        let first = if key.is_empty() {
            NONE
        } else {
            self.with_key.get(key.index()).copied().unwrap_or(NONE)
        };
        std::iter::successors(Some(first).filter(|&n| n != NONE), |&n| {
            self.next_with_key
                .get(n as usize)
                .copied()
                .filter(|&n| n != NONE)
        })
    }

    pub(super) fn node(&self, number: u32) -> Option<&Node> {
        self.nodes.get(number as usize)
    }

    /// The node with this name, made if it is new.
    pub(super) fn named(&mut self, id: Name, face: Face) -> u32 {
        if let Some(number) = self.find_named(&id) {
            return number;
        }
        let number = self.add_named(&id, face);
        self.named.add(&id, number);
        number
    }

    /// A node without a key.
    pub(super) fn add_named(&mut self, id: &Name, face: Face) -> u32 {
        self.add(Node {
            kind: id.kind,
            origin: Origin::Unseen,
            key: Symbol::EMPTY,
            unique_id: if id.kind == NodeKind::ConsoleSession {
                id.name
            } else {
                Symbol::EMPTY
            },
            session: id.session,
            name: id.name,
            account: id.account,
            created: id.created,
            face,
            primary: NONE,
        })
    }

    /// The node with this name, if there is one.
    pub(super) fn find_named(&self, id: &Name) -> Option<u32> {
        self.named.find(id, &self.nodes)
    }

    /// The facts of some deeds with their numbers, in order of time.
    pub(super) fn facts(
        &self,
        wanted: impl Fn(Deed) -> bool,
    ) -> impl Iterator<Item = (u32, &'l Fact)> {
        let facts = self.ledger.facts();
        let order = self.order.rows().iter();
        order
            .filter(move |(_, deed)| wanted(*deed))
            .filter_map(move |&(n, _)| Some((n, facts.get(n as usize)?)))
    }

    /// Whether any fact is of some deeds.
    pub(super) fn did(&self, wanted: impl Fn(Deed) -> bool) -> bool {
        self.order.rows().iter().any(|&(_, deed)| wanted(deed))
    }

    /// The node of whoever called in a fact.
    pub(super) fn caller_node(&self, fact: &Fact) -> Option<u32> {
        let node = self.caller_nodes.get(fact.key.caller as usize);
        node.copied().filter(|&node| node != NONE)
    }

    pub(super) fn api(&self, fact: &Fact) -> Symbol {
        self.ledger
            .call_of(&fact.key)
            .map_or(Symbol::EMPTY, |call| call.name)
    }

    /// A node for every key that a response names. The two copies of a cross-account call, and the
    /// two records that some services write for one issue, are one node.
    fn issued(&mut self) {
        let (order, issues) = (
            std::mem::take(&mut self.order),
            std::mem::take(&mut self.issues),
        );
        for &(number, deed) in order.rows() {
            let Some(issue) = issues
                .rows
                .get(number as usize)
                .filter(|i| !i.key.is_empty())
            else {
                continue;
            };
            let twin = self.nodes_with_key(issue.key).find(|&n| {
                self.node(n).is_some_and(|node| {
                    near(node.created, issue.time, 2) && agree(node.unique_id, issue.unique_id)
                })
            });
            let node = twin.unwrap_or_else(|| self.add_issued(number, deed, issue));
            if let Some(slot) = self.issued_by_fact.get_mut(number as usize) {
                *slot = node;
            }
            if twin.is_some()
                && let Some(known) = self.nodes.get_mut(node as usize)
                && known.unique_id.is_empty()
            {
                (known.unique_id, known.session) = (issue.unique_id, issue.session);
            }
        }
        self.issued = self.nodes.len();
        (self.order, self.issues) = (order, issues);
    }

    fn add_issued(&mut self, number: u32, deed: Deed, issue: &Issue) -> u32 {
        let kind = match deed {
            Deed::CreateAccessKey => NodeKind::LongTermKey,
            Deed::GetFederationToken => NodeKind::FederatedSession,
            _ => NodeKind::TemporaryCredential,
        };
        self.add(Node {
            kind,
            origin: Origin::Issued,
            key: issue.key,
            unique_id: issue.unique_id,
            session: issue.session,
            name: Symbol::EMPTY,
            account: Symbol::EMPTY,
            created: Some(issue.time),
            face: Face::Fact(number),
            primary: NONE,
        })
    }

    /// The edge that issued a node. INVARIANT: issued nodes come first, and until the edges are sorted
    /// such an edge has its node's number. Held by an assertion in `issue_edges` and `tests/truth.rs`.
    pub(super) fn issue_of(&self, node: u32) -> Option<&Edge> {
        let edge = self.edges.get(node as usize);
        edge.filter(|edge| edge.child == node)
    }

    fn place_callers(&mut self) {
        let ledger = self.ledger;
        // Callers of one key are placed in an order of their content, not of their arrival: the first
        // of them decides what the node is.
        let keyed = (0u32..).zip(ledger.callers());
        let mut keyed: Vec<(u32, u32)> = keyed.map(|(n, c)| (c.key.number(), n)).collect();
        keyed.sort_unstable_by_key(|&(key, n)| u64::from(key) << 32 | u64::from(n));
        for group in keyed.chunk_by_mut(|a, b| a.0 == b.0) {
            content::sort(ledger, group);
            for &(_, number) in &*group {
                let Some(caller) = ledger.callers().get(number as usize) else {
                    continue;
                };
                let node = if caller.key.is_empty() {
                    self.without_key(number, caller)
                } else {
                    self.with_a_key(number, caller)
                };
                if let Some(slot) = self.caller_nodes.get_mut(number as usize) {
                    *slot = node;
                }
            }
        }
        drop(keyed);
        self.origins();
    }

    /// Finds the issued node of every session in `wanted`: the first in the order of the facts.
    pub(super) fn find_sessions(&mut self, wanted: impl Iterator<Item = Session>) {
        self.sessions = wanted.map(|session| (session, NONE)).collect();
        let issues = std::mem::take(&mut self.issues);
        for &(number, _) in self.order.rows() {
            let Some(issue) = issues.rows.get(number as usize) else {
                continue;
            };
            if issue.key.is_empty() || issue.unique_id.is_empty() {
                continue;
            }
            let session = (issue.unique_id, issue.session, issue.time);
            if let Some(slot) = self.sessions.get_mut(&session)
                && *slot == NONE
                && let Some(&node) = self.issued_by_fact.get(number as usize)
            {
                *slot = node;
            }
        }
        self.sessions.retain(|_, node| *node != NONE);
    }

    /// The node of a caller that used a key.
    fn with_a_key(&mut self, number: u32, caller: &Caller) -> u32 {
        let temporary = caller.created.is_some() || self.is_temporary(caller);
        let found = self
            .nodes_with_key(caller.key)
            .filter(|&n| {
                self.node(n).is_some_and(|node| {
                    let same_kind = temporary == (node.kind != NodeKind::LongTermKey);
                    let same_time = self.in_life(node, caller);
                    same_kind && same_time && agree(node.unique_id, caller.unique_id)
                })
            })
            .min_by_key(|&n| {
                let made = self.node(n).and_then(|node| node.created);
                (
                    made.zip(caller.created)
                        .map_or(0, |(made, used)| used.abs_diff(made)),
                    made,
                )
            });
        if let Some(node) = found {
            self.learn(node, number, caller);
            return node;
        }
        let kind = match (temporary, caller.kind) {
            (false, _) => NodeKind::LongTermKey,
            (true, IdentityType::FederatedUser) => NodeKind::FederatedSession,
            (true, _) => NodeKind::TemporaryCredential,
        };
        self.add(Node {
            kind,
            origin: Origin::Unseen,
            key: caller.key,
            unique_id: caller.unique_id,
            session: caller.session,
            name: Symbol::EMPTY,
            account: caller.account,
            created: caller.created,
            face: Face::Caller(number),
            primary: NONE,
        })
    }

    /// Whether a use may be of this node by its time: of a node known from uses it must say the same;
    /// an issued one may also say a later time of its life, as federated console sessions do.
    fn in_life(&self, node: &Node, caller: &Caller) -> bool {
        let (Some(used), Some(made)) = (caller.created, node.created) else {
            return true;
        };
        let Face::Fact(fact) = node.face else {
            return used == made;
        };
        if used.abs_diff(made) <= SLACK {
            return true;
        }
        let fact = self.ledger.facts().get(fact as usize);
        let expires = fact.and_then(|fact| self.ledger.number(fact, Attribute::Expires));
        expires.is_some_and(|end| (made..=end).contains(&used))
    }

    /// A use tells more of a node than its issue does: the full ARN.
    fn learn(&mut self, node: u32, number: u32, caller: &Caller) {
        let Some(node) = self.nodes.get_mut(node as usize) else {
            return;
        };
        if node.unique_id.is_empty() {
            (node.unique_id, node.session) = (caller.unique_id, caller.session);
        }
        if node.kind == NodeKind::LongTermKey && matches!(node.face, Face::Fact(_)) {
            node.face = Face::Caller(number);
        }
    }

    /// A key whose prefix says temporary, without a session context to say so.
    fn is_temporary(&self, caller: &Caller) -> bool {
        self.ledger.text(caller.key).starts_with("ASIA")
            || matches!(
                caller.kind,
                IdentityType::AssumedRole | IdentityType::FederatedUser
            )
    }

    fn without_key(&mut self, number: u32, caller: &Caller) -> u32 {
        let rare = self.ledger.rare(caller);
        let own = if caller.unique_id.is_empty() {
            (caller.arn, caller.session)
        } else {
            (caller.unique_id, caller.session)
        };
        let (kind, (name, session)) = match caller.kind {
            IdentityType::AwsService => {
                let names = [caller.invoked_by, caller.arn, caller.unique_id];
                let name = names
                    .into_iter()
                    .find(|s| !s.is_empty())
                    .unwrap_or_default();
                (NodeKind::Service, (name, Symbol::EMPTY))
            }
            IdentityType::Absent if own.0.is_empty() && !caller.invoked_by.is_empty() => {
                (NodeKind::Service, (caller.invoked_by, Symbol::EMPTY))
            }
            IdentityType::SamlUser | IdentityType::WebIdentityUser => (NodeKind::IdpSubject, own),
            IdentityType::IdentityCenterUser | IdentityType::Unknown
                if !rare.on_behalf_of.is_empty() =>
            {
                (
                    NodeKind::IdentityCenterSession,
                    (rare.on_behalf_of, rare.credential_id),
                )
            }
            IdentityType::IdentityCenterUser => (NodeKind::IdentityCenterSession, own),
            _ if caller.created.is_some() => (NodeKind::ConsoleSession, own),
            _ => (NodeKind::Identity, own),
        };
        let mut id = Name::new(kind, name, session);
        if kind == NodeKind::ConsoleSession {
            id.created = caller.created;
        }
        if matches!(kind, NodeKind::Identity) {
            id.account = caller.account;
        }
        self.named(id, Face::Caller(number))
    }

    /// What remains of the builder: its tables are freed before the edges are sorted.
    fn graph(self) -> Graph<'l> {
        Graph {
            ledger: self.ledger,
            nodes: self.nodes,
            edges: self.edges,
            caller_nodes: self.caller_nodes,
        }
    }
}

/// Whether a node was created within `slack` seconds of an event.
pub(super) fn near(created: Option<Seconds>, time: Seconds, slack: Seconds) -> bool {
    created.is_some_and(|created| created.abs_diff(time) <= slack)
}

/// Whether two unique ids may be the same principal's: equal, or one is not known.
fn agree(a: Symbol, b: Symbol) -> bool {
    a == b || a.is_empty() || b.is_empty()
}

/// Hashes small tuples of the ledger's own numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mixing(u64);

impl std::hash::BuildHasher for Mixing {
    type Hasher = Self;
    fn build_hasher(&self) -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl std::hash::Hasher for Mixing {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0xa076_1d64_78bd_642f);
    }
}
