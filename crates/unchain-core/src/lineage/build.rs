//! Building the graph: issues become nodes, callers find theirs, and the rest is joined in turn.
//!
//! The rules are those of AWS's documentation for each API and of records seen: the child's
//! `sessionContext.attributes.creationDate` equals the issuing `eventTime` to the second
//! (docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html).

use super::{Basis, Edge, Face, Lineage, NONE, Node, NodeKind, Origin, adjacency};
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
    /// Issued nodes by whose session they are.
    pub(super) sessions: HashMap<Session, u32, Mixing>,
    /// Nodes without a key, by kind and names.
    named: HashMap<Name, u32, Mixing>,
    /// The node whose key each fact's response names.
    pub(super) issued_by_fact: Vec<u32>,
    /// The edge that issued each issued node.
    pub(super) issue_edge: HashMap<u32, u32, Mixing>,
    /// The facts in an order that does not depend on their arrival: by time, then by their hash.
    order: Vec<u32>,
    /// For each caller, whether it called with the user agent of a browser or of the console.
    pub(super) console_agent: Vec<bool>,
}

/// What names a node that has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) kind: NodeKind,
    pub(super) name: Symbol,
    pub(super) session: Symbol,
    pub(super) account: Symbol,
    pub(super) created: Option<Seconds>,
}

impl Name {
    pub(super) fn new(kind: NodeKind, name: Symbol, session: Symbol) -> Self {
        Self {
            kind,
            name,
            session,
            account: Symbol::EMPTY,
            created: None,
        }
    }
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
        builder.finish()
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
            sessions: HashMap::default(),
            named: HashMap::default(),
            issued_by_fact: vec![NONE; ledger.facts().len()],
            issue_edge: HashMap::default(),
            order: in_order(ledger),
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
        if let Some(&number) = self.named.get(&id) {
            return number;
        }
        let number = self.add(Node {
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
        });
        self.named.insert(id, number);
        number
    }

    /// The node with this name, if there is one.
    pub(super) fn find_named(&self, id: &Name) -> Option<u32> {
        self.named.get(id).copied()
    }

    /// All facts with their numbers, in order of time.
    pub(super) fn facts(&self) -> impl Iterator<Item = (u32, &'l Fact)> {
        let facts = self.ledger.facts();
        self.order
            .iter()
            .filter_map(move |&n| Some((n, facts.get(n as usize)?)))
    }

    /// The node of whoever called in a fact.
    pub(super) fn caller_node(&self, fact: &Fact) -> Option<u32> {
        let node = self.caller_nodes.get(fact.key.caller as usize);
        node.copied().filter(|&node| node != NONE)
    }

    pub(super) fn api(&self, fact: &Fact) -> Symbol {
        self.ledger
            .call(fact.key.call)
            .map_or(Symbol::EMPTY, |call| call.name)
    }

    /// A node for every key that a response names. The two copies of a cross-account call, and the
    /// two records that some services write for one issue, are one node.
    fn issued(&mut self) {
        let issues = |fact: &Fact| fact.deed.issues() || fact.deed == Deed::CreateAccessKey;
        let facts: Vec<(u32, &Fact)> = self.facts().filter(|(_, fact)| issues(fact)).collect();
        for (number, fact) in facts {
            let key = self.ledger.attribute(fact, Attribute::ChildKey);
            if key.is_empty()
                || (fact.deed == Deed::GetSigninToken
                    && key == self.ledger.caller(fact.key.caller).key)
            {
                continue;
            }
            let (unique_id, session) = self.ledger.child_principal(fact);
            let twin = self.nodes_with_key(key).find(|&n| {
                self.node(n).is_some_and(|node| {
                    near(node.created, fact.time, 2) && agree(node.unique_id, unique_id)
                })
            });
            let node =
                twin.unwrap_or_else(|| self.add_issued(number, fact, (key, unique_id, session)));
            if let Some(slot) = self.issued_by_fact.get_mut(number as usize) {
                *slot = node;
            }
            if let Some(known) = self.nodes.get_mut(node as usize)
                && known.unique_id.is_empty()
            {
                (known.unique_id, known.session) = (unique_id, session);
            }
            if !unique_id.is_empty() {
                self.sessions
                    .entry((unique_id, session, fact.time))
                    .or_insert(node);
            }
        }
    }

    fn add_issued(
        &mut self,
        number: u32,
        fact: &Fact,
        (key, unique_id, session): (Symbol, Symbol, Symbol),
    ) -> u32 {
        let kind = match fact.deed {
            Deed::CreateAccessKey => NodeKind::LongTermKey,
            Deed::GetFederationToken => NodeKind::FederatedSession,
            _ => NodeKind::TemporaryCredential,
        };
        let face = Face::Fact(number);
        let created = Some(fact.time);
        let (name, account) = (Symbol::EMPTY, Symbol::EMPTY);
        let origin = Origin::Issued;
        self.add(Node {
            kind,
            origin,
            key,
            unique_id,
            session,
            name,
            account,
            created,
            face,
            primary: NONE,
        })
    }

    fn place_callers(&mut self) {
        let agents = self.console_agents();
        let ledger = self.ledger;
        // Callers of one key are placed in an order of their content, not of their arrival: the first
        // of them decides what the node is.
        let keyed = (0u32..)
            .zip(ledger.callers())
            .map(|(n, c)| (c.key.number(), n));
        let (starts, mut callers) = adjacency(ledger.symbols().len(), keyed);
        for bounds in starts.windows(2) {
            let &[start, end] = bounds else { continue };
            let Some(group) = callers.get_mut(start as usize..end as usize) else {
                continue;
            };
            if group.len() > 1 {
                group.sort_by_cached_key(|&n| self.content(n));
            }
            for &number in group.iter() {
                let caller = ledger.caller(number);
                let node = if caller.key.is_empty() {
                    self.without_key(number, &caller)
                } else {
                    self.with_a_key(number, &caller)
                };
                if let Some(slot) = self.caller_nodes.get_mut(number as usize) {
                    *slot = node;
                }
            }
        }
        self.origins(agents);
    }

    /// What tells callers of one key apart.
    pub(super) fn content(&self, number: u32) -> impl Ord + use<'l> {
        let ledger = self.ledger;
        let caller = ledger.caller(number);
        let texts = [
            caller.unique_id,
            caller.session,
            caller.arn,
            caller.account,
            caller.user_name,
        ];
        (caller.created, caller.kind, texts.map(|s| ledger.text(s)))
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
        let fact = self.ledger.facts().get(fact as usize);
        let expires = fact.and_then(|fact| self.ledger.number(fact, Attribute::Expires));
        used.abs_diff(made) <= SLACK || expires.is_some_and(|end| (made..=end).contains(&used))
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

    fn finish(mut self) -> Lineage<'l> {
        self.sort_edges();
        self.choose_primary();
        let count = self.nodes.len();
        let numbered = || (0u32..).zip(&self.edges);
        let (child_starts, child_edges) = adjacency(count, numbered().map(|(n, e)| (e.parent, n)));
        let (parent_starts, parent_edges) = adjacency(count, numbered().map(|(n, e)| (e.child, n)));
        let callers = (0u32..)
            .zip(&self.caller_nodes)
            .filter(|(_, n)| **n != NONE)
            .map(|(c, &n)| (n, c));
        let (caller_starts, callers_by_node) = adjacency(count, callers);
        Lineage {
            ledger: self.ledger,
            nodes: self.nodes,
            edges: self.edges,
            caller_nodes: self.caller_nodes,
            child_starts,
            child_edges,
            parent_starts,
            parent_edges,
            caller_starts,
            callers_by_node,
        }
    }

    /// By time, then by what does not depend on the order of arrival.
    fn sort_edges(&mut self) {
        let (ledger, nodes) = (self.ledger, &self.nodes);
        let hash = |e: &Edge| {
            let fact = e
                .facts
                .first()
                .and_then(|&n| ledger.facts().get(n as usize));
            fact.map_or(0, |fact| fact.hash)
        };
        let names = |number: u32| {
            let node = nodes.get(number as usize);
            node.map(|n| {
                (
                    n.kind,
                    [n.key, n.name, n.session].map(|s| ledger.text(s)),
                    n.created,
                )
            })
        };
        self.edges.sort_by(|a, b| {
            (a.time, a.basis, hash(a))
                .cmp(&(b.time, b.basis, hash(b)))
                .then_with(|| names(a.child).cmp(&names(b.child)))
                .then_with(|| names(a.parent).cmp(&names(b.parent)))
        });
        self.edges
            .dedup_by_key(|e| (e.parent, e.child, e.api, e.time, e.facts));
    }

    /// The edge that best explains each node. A credential as parent beats a service or an identity
    /// provider, which say less of where it came from; then the stronger basis; then the earlier.
    fn choose_primary(&mut self) {
        let weak = |node: Option<&Node>| {
            node.is_none_or(|n| {
                matches!(
                    n.kind,
                    NodeKind::Service | NodeKind::IdpSubject | NodeKind::Identity
                )
            })
        };
        let mut best: Vec<(bool, Basis, u32)> =
            vec![(true, Basis::Inferred, NONE); self.nodes.len()];
        for (number, edge) in (0u32..).zip(&self.edges) {
            if edge.parent == edge.child {
                continue;
            }
            let rank = (
                weak(self.nodes.get(edge.parent as usize)),
                edge.basis,
                number,
            );
            if let Some(slot) = best.get_mut(edge.child as usize)
                && rank < *slot
            {
                *slot = rank;
            }
        }
        for (node, (_, _, edge)) in self.nodes.iter_mut().zip(best) {
            node.primary = edge;
        }
    }
}

fn in_order(ledger: &Ledger) -> Vec<u32> {
    let mut order: Vec<(Seconds, u32, u32)> = (0u32..)
        .zip(ledger.facts())
        .map(|(n, fact)| (fact.time, fact.hash, n))
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, _, n)| n).collect()
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
pub(super) struct Mixing(u64);

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
