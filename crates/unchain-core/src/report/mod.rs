//! What a person or a program is told: plain values made from a lineage, ready to be written.
//!
//! The field names are a promise (see docs/output.md): they are added to, never renamed. These and
//! those of `contain` are the only types of this crate that serialise.

mod ancestry;
mod cells;
mod coverage;
mod findings;
#[cfg(feature = "schema")]
mod schema;

pub use ancestry::Ancestry;
pub use coverage::{AccountCoverage, Coverage, DigestCoverage, coverage};
pub use findings::{FindingRow, Findings, IncidentRow, Next, StepRow};

use crate::ledger::Seconds;
use crate::lineage::{Edge, Lineage, UsesByNode};
use crate::liveness::{Denials, Life, Status, history, life};
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::{Serialize, Serializer};
use std::cell::OnceCell;
use std::cmp::Reverse;

impl Serialize for Untrusted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.raw())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One end of an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct End {
    /// A node kind's name.
    pub kind: &'static str,
    /// The access key id, if it has one.
    pub access_key_id: Option<Untrusted>,
    /// The principal's ARN as in `userIdentity.arn`, or a service's or thing's name.
    pub principal_arn: Option<Untrusted>,
    /// The account, where known.
    pub account: Option<Untrusted>,
    /// The instance, function, task or pod, for a workload.
    pub workload: Option<Untrusted>,
}

/// One step of a lineage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdgeRow {
    /// Who acted.
    pub parent: End,
    /// What came of it.
    pub child: End,
    /// `eventName` of the call.
    pub api: Untrusted,
    /// When, UTC.
    pub time: Timestamp,
    /// `recorded`, `matched` or `inferred`.
    pub basis: &'static str,
    /// The records that prove or suggest it.
    pub event_ids: Vec<Untrusted>,
    /// Whether its ends are in two accounts.
    pub cross_account: bool,
}

/// One credential of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Token {
    /// The access key id; none for a console or OAuth session as such.
    pub access_key_id: Option<Untrusted>,
    /// A node kind's name.
    pub kind: &'static str,
    /// The principal's ARN as in `userIdentity.arn`.
    pub principal_arn: Option<Untrusted>,
    /// The account.
    pub account: Option<Untrusted>,
    /// When it was issued, or first known to exist.
    pub issued_at: Option<Timestamp>,
    /// The key id of the parent, or its principal.
    pub issued_by: Option<Untrusted>,
    /// The call that issued it.
    pub issued_with: Option<Untrusted>,
    /// On what the parent rests.
    pub issued_basis: Option<&'static str>,
    /// When its time is over, at the latest.
    pub expires_at: Option<Timestamp>,
    /// How that is known: `recorded`, or the rule of an upper bound.
    pub expiry_basis: &'static str,
    /// `alive`, `unknown`, `revoked`, `expired` or `not-yet-issued`, at the instant asked for.
    pub status: &'static str,
    /// Why it is revoked.
    pub reason: Option<&'static str>,
    /// The event that revoked it.
    pub reason_event_id: Option<Untrusted>,
    /// `issued`, `console`, `forwarded`, `service` or `unseen`.
    pub origin: &'static str,
    /// The first use.
    pub first_used: Option<Timestamp>,
    /// The last use.
    pub last_used: Option<Timestamp>,
    /// The number of distinct events.
    pub uses: u64,
    /// From where it was used.
    pub addresses: Vec<Untrusted>,
    /// The root of its lineage: a key id, or a principal.
    pub root: Option<Untrusted>,
}

/// Answers about one lineage at one instant.
#[derive(Debug)]
pub struct Report<'r, 'l> {
    lineage: &'r Lineage<'l>,
    denials: Denials,
    uses: OnceCell<UsesByNode>,
    roots: OnceCell<Vec<u32>>,
    at: Timestamp,
}

impl<'r, 'l> Report<'r, 'l> {
    /// Prepares answers as of `at`.
    pub fn new(lineage: &'r Lineage<'l>, at: Timestamp) -> Self {
        Self {
            lineage,
            denials: Denials::new(lineage.ledger()),
            uses: OnceCell::new(),
            roots: OnceCell::new(),
            at,
        }
    }

    /// The instant of the answers.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The lineage that is asked.
    pub fn lineage(&self) -> &'r Lineage<'l> {
        self.lineage
    }

    /// The uses by node.
    pub fn uses(&self) -> &UsesByNode {
        self.uses.get_or_init(|| UsesByNode::new(self.lineage))
    }

    /// The state of a node.
    pub fn life(&self, node: u32) -> Life {
        life(self.lineage, &self.denials, node, self.at)
    }

    /// The states of a node one after another, each with the instant from which it holds (UTC), whatever the
    /// instant of the answers.
    pub fn history(&self, node: u32) -> Vec<(Timestamp, Life)> {
        history(self.lineage, &self.denials, node)
    }

    /// Every edge, in order of time.
    pub fn edges(&self) -> impl Iterator<Item = EdgeRow> + '_ {
        self.lineage.edges().iter().map(|edge| self.edge(edge))
    }

    /// One edge.
    pub fn edge(&self, edge: &Edge) -> EdgeRow {
        EdgeRow {
            parent: self.end(edge.parent),
            child: self.end(edge.child),
            api: Untrusted::new(self.lineage.ledger().text(edge.api)),
            time: instant(edge.time),
            basis: edge.basis.name(),
            event_ids: self
                .lineage
                .evidence(edge)
                .into_iter()
                .map(Untrusted::new)
                .collect(),
            cross_account: self.lineage.crosses_accounts(edge),
        }
    }

    /// One end of an edge.
    pub fn end(&self, node: u32) -> End {
        let (kind, key, workload) = self.lineage.node(node).map_or(("", "", ""), |n| {
            let ledger = self.lineage.ledger();
            let workload = if n.kind == crate::lineage::NodeKind::Workload {
                ledger.text(n.session)
            } else {
                ""
            };
            (n.kind.name(), ledger.text(n.key), workload)
        });
        End {
            kind,
            access_key_id: present(key),
            principal_arn: Some(self.lineage.principal(node)).filter(|t| !t.is_empty()),
            account: Some(self.lineage.account(node)).filter(|t| !t.is_empty()),
            workload: present(workload),
        }
    }

    /// The nodes that are credentials, in order of creation, then key id.
    pub fn credentials(&self) -> Vec<u32> {
        let ledger = self.lineage.ledger();
        let mut found: Vec<u32> = (0u32..)
            .zip(self.lineage.nodes())
            .filter(|(_, n)| n.kind.is_credential())
            .map(|(n, _)| n)
            .collect();
        found.sort_by_key(|&n| {
            self.lineage
                .node(n)
                .map(|node| (node.created, ledger.text(node.key), n))
        });
        found
    }

    /// Whether a credential may still work: alive, or not known to be dead.
    pub fn may_work(&self, node: u32) -> bool {
        matches!(self.life(node).status, Status::Alive | Status::Unknown)
    }

    /// One row of the inventory.
    pub fn token(&self, number: u32) -> Token {
        let roots = self.roots.get_or_init(|| self.lineage.roots());
        let root = roots.get(number as usize).copied();
        self.row(number, (self.uses(), root))
    }

    /// Of some credentials the rows of those that were used last, the last used first. It looks at no
    /// other's uses.
    pub fn last_used(&self, nodes: &[u32], count: usize) -> Vec<Token> {
        let uses = UsesByNode::of(self.lineage, nodes);
        let used = |&node: &u32| (Reverse(uses.usage(self.lineage, node).last), node);
        let mut found: Vec<_> = nodes.iter().map(used).collect();
        found.sort_unstable();
        found.truncate(count);
        let row = |(_, node)| self.row(node, (&uses, Some(self.lineage.root(node))));
        found.into_iter().map(row).collect()
    }

    fn row(&self, number: u32, (uses, root): (&UsesByNode, Option<u32>)) -> Token {
        let ledger = self.lineage.ledger();
        let life = self.life(number);
        let usage = uses.usage(self.lineage, number);
        let node = self.lineage.node(number);
        let primary = self.lineage.primary(number);
        let root = root.filter(|&root| root != number);
        let reason_event = life
            .reason
            .and_then(|(_, fact)| ledger.facts().get(fact as usize));
        Token {
            access_key_id: node.and_then(|n| present(ledger.text(n.key))),
            kind: node.map_or("", |n| n.kind.name()),
            principal_arn: Some(self.lineage.principal(number)).filter(|t| !t.is_empty()),
            account: Some(self.lineage.account(number)).filter(|t| !t.is_empty()),
            issued_at: node.and_then(|n| n.created).map(instant),
            issued_by: primary.map(|edge| self.label(edge.parent)),
            issued_with: primary.map(|edge| Untrusted::new(ledger.text(edge.api))),
            issued_basis: primary.map(|edge| edge.basis.name()),
            expires_at: life.expires,
            expiry_basis: life.basis.name(),
            status: life.status.name(),
            reason: life.reason.map(|(why, _)| why),
            reason_event_id: reason_event.map(|fact| Untrusted::new(ledger.event_id(fact.id))),
            origin: node.map_or("", |n| n.origin.name()),
            first_used: usage.first.map(instant),
            last_used: usage.last.map(instant),
            uses: usage.count,
            addresses: uses.addresses(self.lineage, number),
            root: root.map(|root| self.label(root)),
        }
    }

    /// A node in one word: its key id, a workload's id, or its principal.
    pub fn label(&self, number: u32) -> Untrusted {
        let ledger = self.lineage.ledger();
        let Some(node) = self.lineage.node(number) else {
            return Untrusted::default();
        };
        if !node.key.is_empty() {
            return Untrusted::new(ledger.text(node.key));
        }
        self.lineage.principal(number)
    }
}

fn present(text: &str) -> Option<Untrusted> {
    (!text.is_empty()).then(|| Untrusted::new(text))
}

fn instant(seconds: Seconds) -> Timestamp {
    Timestamp::from_seconds(i64::from(seconds))
}
