//! Which credential came from which: the ledger's facts and uses joined into a graph.
//!
//! A credential's identity is not its key id: AWS issues `ASIA` ids again, publishers mask them, a
//! console uses keys that no record issues. So a use joins an issue on the key id where principal and
//! creation time agree (*recorded*), else on (principal, creation time = time of the issuing event)
//! (*matched*), else by circumstance (*inferred*). Nothing is stored: a lineage is built from a
//! ledger when it is asked for. Must not know time: `liveness` says what still works.

mod build;
mod console;
mod content;
mod describe;
mod finish;
mod infer;
mod issue;
mod made;
mod named;
mod order;
mod pivot;
mod walk;

pub(crate) use build::Mixing;
pub use describe::UsesByNode;
pub use pivot::{Match, Pivot};

use crate::ledger::{Ledger, Seconds, Symbol};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// A long-term access key of a user or of root.
    LongTermKey,
    /// A temporary access key: a role session, a session token of a user, or root's.
    TemporaryCredential,
    /// A temporary access key made by GetFederationToken.
    FederatedSession,
    /// A console session; the keys that the console mints are its children.
    ConsoleSession,
    /// A session granted by `aws login` or another OAuth client.
    OAuthSession,
    /// A session of an Identity Center user.
    IdentityCenterSession,
    /// A person or workload that a SAML or OpenID Connect identity provider vouched for.
    IdpSubject,
    /// The holder of an X.509 certificate (IAM Roles Anywhere).
    Certificate,
    /// An AWS service acting by itself.
    Service,
    /// An instance, function, task or pod for which a service assumed a role.
    Workload,
    /// An MFA device.
    MfaDevice,
    /// A password for the console.
    LoginProfile,
    /// An IAM user that was created.
    User,
    /// A role that was created or whose trust policy was changed.
    Role,
    /// A SAML or OpenID Connect provider or a Roles Anywhere trust anchor.
    IdentityProvider,
    /// A principal of an account whose own record of the call is not in the log, or a caller that
    /// used no key.
    Identity,
}

impl NodeKind {
    /// A stable name for output.
    pub fn name(self) -> &'static str {
        match self {
            Self::LongTermKey => "long-term-key",
            Self::TemporaryCredential => "temporary-credential",
            Self::FederatedSession => "federated-session",
            Self::ConsoleSession => "console-session",
            Self::OAuthSession => "oauth-session",
            Self::IdentityCenterSession => "identity-center-session",
            Self::IdpSubject => "idp-subject",
            Self::Certificate => "certificate",
            Self::Service => "service",
            Self::Workload => "workload",
            Self::MfaDevice => "mfa-device",
            Self::LoginProfile => "login-profile",
            Self::User => "user",
            Self::Role => "role",
            Self::IdentityProvider => "identity-provider",
            Self::Identity => "identity",
        }
    }

    /// Whether requests can be made with it: what the inventory of tokens lists.
    pub fn is_credential(self) -> bool {
        self <= Self::OAuthSession
    }
}

/// Where a credential came from, as far as the log shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A call by a credential or a person issued it.
    Issued,
    /// The console minted it.
    Console,
    /// A service forwarded a caller's request with it (`invokedBy`).
    Forwarded,
    /// A service assumed a role for itself or for a workload.
    Service,
    /// The log does not show who made it.
    Unseen,
}

impl Origin {
    /// A stable name for output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Console => "console",
            Self::Forwarded => "forwarded",
            Self::Service => "service",
            Self::Unseen => "unseen",
        }
    }
}

/// On what an edge rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// One record names both ends.
    Recorded,
    /// Two records agree on principal and creation time, or on a session's ARN.
    Matched,
    /// Circumstances fit; other explanations are possible.
    Inferred,
}

impl Basis {
    /// A stable name for output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Matched => "matched",
            Self::Inferred => "inferred",
        }
    }
}

/// From where a node's names are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// The caller with this number.
    Caller(u32),
    /// The issuing fact with this number.
    Fact(u32),
    /// Only `Node::name` and `Node::unique_id`.
    Name,
}

/// No node, edge or fact.
pub(crate) const NONE: u32 = u32::MAX;

/// A credential, or something that credentials come from. Symbols are the ledger's.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it came from; meaningful for credentials.
    pub origin: Origin,
    /// Its access key id; empty if it has none.
    pub key: Symbol,
    /// Its principal's unique id (`AIDA…`, `AROA…`, account id), where known.
    pub unique_id: Symbol,
    /// Its role session name or federated user name, or the workload's id.
    pub session: Symbol,
    /// A service's DNS name, a device's serial, a user's name: what names a node without a key.
    pub name: Symbol,
    /// Its account, where it is not part of its ARN.
    pub account: Symbol,
    /// When it was created: the issuing event's time, or what its uses say.
    pub created: Option<Seconds>,
    pub(crate) face: Face,
    /// The edge to the parent that best explains it.
    pub(crate) primary: u32,
}

/// One step of a lineage.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// Index of the node that acted.
    pub parent: u32,
    /// Index of the node that it made.
    pub child: u32,
    /// `eventName` of the call.
    pub api: Symbol,
    /// When.
    pub time: Seconds,
    /// On what it rests.
    pub basis: Basis,
    /// The facts that are its evidence: indexes into [`Ledger::facts`].
    pub(crate) facts: [u32; 3],
}

/// A graph over one ledger.
#[derive(Debug)]
pub struct Lineage<'l> {
    ledger: &'l Ledger,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// The node of each caller.
    caller_nodes: Vec<u32>,
    /// Edges by parent: `child_edges[child_starts[n]..child_starts[n + 1]]`.
    child_starts: Vec<u32>,
    child_edges: Vec<u32>,
    parent_starts: Vec<u32>,
    parent_edges: Vec<u32>,
    caller_starts: Vec<u32>,
    callers_by_node: Vec<u32>,
}

impl<'l> Lineage<'l> {
    /// The ledger that this was built from.
    pub fn ledger(&self) -> &'l Ledger {
        self.ledger
    }

    /// All nodes; the position is the number that edges hold.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node with this number.
    pub fn node(&self, number: u32) -> Option<&Node> {
        self.nodes.get(number as usize)
    }

    /// All edges.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The node of a caller.
    pub fn node_of_caller(&self, caller: u32) -> Option<u32> {
        self.caller_nodes
            .get(caller as usize)
            .copied()
            .filter(|&n| n != NONE)
    }

    /// The callers that are this node.
    pub fn callers_of(&self, node: u32) -> &[u32] {
        run(&self.caller_starts, &self.callers_by_node, node)
    }

    /// The edges out of a node, in order of time.
    pub fn children(&self, node: u32) -> impl Iterator<Item = &Edge> {
        run(&self.child_starts, &self.child_edges, node)
            .iter()
            .filter_map(|&e| self.edges.get(e as usize))
    }

    /// The edges into a node.
    pub fn parents(&self, node: u32) -> impl Iterator<Item = &Edge> {
        run(&self.parent_starts, &self.parent_edges, node)
            .iter()
            .filter_map(|&e| self.edges.get(e as usize))
    }

    /// The edge that best explains a node.
    pub fn primary(&self, node: u32) -> Option<&Edge> {
        self.edges.get(self.node(node)?.primary as usize)
    }
}

/// A slice of a compressed adjacency list.
fn run<'a>(starts: &[u32], items: &'a [u32], node: u32) -> &'a [u32] {
    let n = node as usize;
    match (starts.get(n), starts.get(n + 1)) {
        (Some(&start), Some(&end)) => items.get(start as usize..end as usize).unwrap_or_default(),
        _ => &[],
    }
}

/// Builds a compressed adjacency list of `count` nodes from (node, item) pairs.
fn adjacency(
    count: usize,
    pairs: impl Iterator<Item = (u32, u32)> + Clone,
) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; count + 1];
    for (node, _) in pairs.clone() {
        if let Some(slot) = starts.get_mut(node as usize + 1) {
            *slot += 1;
        }
    }
    let mut sum = 0;
    for slot in &mut starts {
        sum += *slot;
        *slot = sum;
    }
    let mut next = starts.clone();
    let mut items = vec![NONE; sum as usize];
    for (node, item) in pairs {
        if let Some(at) = next.get_mut(node as usize) {
            if let Some(slot) = items.get_mut(*at as usize) {
                *slot = item;
            }
            *at += 1;
        }
    }
    (starts, items)
}
