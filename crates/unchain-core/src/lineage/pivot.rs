//! From whatever a responder has in hand to the nodes that it may mean.

use super::{Lineage, NodeKind};
use crate::deed::Attribute;
use crate::ledger::{Ledger, Symbol};
use std::collections::BTreeMap;

/// What a text was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pivot {
    /// An access key id.
    AccessKeyId,
    /// The ARN of a principal, a role or a user.
    Arn,
    /// A unique id, or a principal id with its session name.
    PrincipalId,
    /// A role session name or federated user name.
    SessionName,
    /// A user's, role's, service's or workload's name.
    Name,
    /// The serial number of an MFA device.
    MfaSerial,
    /// A source identity.
    SourceIdentity,
    /// An address.
    Address,
    /// A user agent.
    UserAgent,
    /// An event id.
    EventId,
}

impl Pivot {
    /// A name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessKeyId => "access key id",
            Self::Arn => "ARN",
            Self::PrincipalId => "principal id",
            Self::SessionName => "session name",
            Self::Name => "name",
            Self::MfaSerial => "MFA device",
            Self::SourceIdentity => "source identity",
            Self::Address => "address",
            Self::UserAgent => "user agent",
            Self::EventId => "event id",
        }
    }
}

/// One node that a text may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// What the text was taken for.
    pub pivot: Pivot,
    /// The node.
    pub node: u32,
}

impl Lineage<'_> {
    /// Every node that a text may mean, each once, by the most specific reading.
    pub fn find(&self, text: &str) -> Vec<Match> {
        let mut found: BTreeMap<u32, Pivot> = BTreeMap::new();
        let mut add = |node: u32, pivot: Pivot| {
            found
                .entry(node)
                .and_modify(|known| *known = (*known).min(pivot))
                .or_insert(pivot);
        };
        let symbol = self.ledger.symbols().find(text).filter(|s| !s.is_empty());
        for (number, node) in (0u32..).zip(&self.nodes) {
            let is = |s: Symbol| symbol == Some(s);
            let principal = text.split_once(':').is_some_and(|(id, session)| {
                self.ledger.text(node.unique_id) == id
                    && self.ledger.text(node.session) == session
                    && !id.is_empty()
            });
            if is(node.key) {
                add(number, Pivot::AccessKeyId);
            } else if is(node.unique_id) || principal {
                add(number, Pivot::PrincipalId);
            } else if node.kind == NodeKind::MfaDevice && is(node.name) {
                add(number, Pivot::MfaSerial);
            } else if is(node.session) {
                add(number, Pivot::SessionName);
            } else if is(node.name) {
                add(number, Pivot::Name);
            }
        }
        self.by_callers(text, symbol, &mut add);
        self.by_facts(text, symbol, &mut add);
        self.by_uses(text, symbol, &mut add);
        let mut matches: Vec<Match> = found
            .into_iter()
            .map(|(node, pivot)| Match { pivot, node })
            .collect();
        matches.sort_unstable();
        matches
    }

    fn by_callers(&self, text: &str, symbol: Option<Symbol>, add: &mut impl FnMut(u32, Pivot)) {
        for (caller, node) in self.ledger.callers().iter().zip(&self.caller_nodes) {
            let rare = self.ledger.rare(caller);
            let is = |s: Symbol| symbol == Some(s);
            if text.starts_with("arn:")
                && (self.caller_arn(caller) == text || is(caller.issuer_arn))
            {
                add(*node, Pivot::Arn);
            } else if is(rare.source_identity) {
                add(*node, Pivot::SourceIdentity);
            } else if is(caller.issuer_id) {
                add(*node, Pivot::PrincipalId);
            } else if is(caller.user_name) || text == last_part(self.ledger.text(caller.issuer_arn))
            {
                add(*node, Pivot::Name);
            }
        }
    }

    fn by_facts(&self, text: &str, symbol: Option<Symbol>, add: &mut impl FnMut(u32, Pivot)) {
        let wanted = self.ledger.find_event(text);
        for edge in &self.edges {
            for fact in edge
                .facts
                .iter()
                .filter_map(|&n| self.ledger.facts().get(n as usize))
            {
                if wanted.is_some_and(|id| [fact.id, fact.shared].contains(&id)) {
                    add(edge.child, Pivot::EventId);
                }
                let Some(symbol) = symbol else { continue };
                for kept in self
                    .ledger
                    .kept(fact)
                    .iter()
                    .filter(|k| !k.attribute.is_number() && k.symbol() == symbol)
                {
                    match kept.attribute {
                        Attribute::Serial => add(edge.child, Pivot::MfaSerial),
                        Attribute::SourceIdentity => add(edge.child, Pivot::SourceIdentity),
                        Attribute::Role | Attribute::ChildArn => add(edge.child, Pivot::Arn),
                        _ => {}
                    }
                }
            }
        }
    }

    fn by_uses(&self, text: &str, symbol: Option<Symbol>, add: &mut impl FnMut(u32, Pivot)) {
        let ledger: &Ledger = self.ledger;
        let wanted = ledger.find_event(text);
        let event = |id| wanted == Some(id);
        for usage in ledger.uses() {
            let Some(node) = self.node_of_caller(usage.key.caller) else {
                continue;
            };
            if event(usage.first_id) || event(ledger.last(usage).1) {
                add(node, Pivot::EventId);
            }
            let Some((client, symbol)) = ledger.client(usage.key.client).zip(symbol) else {
                continue;
            };
            if client.address == symbol {
                add(node, Pivot::Address);
            } else if client.agent == symbol {
                add(node, Pivot::UserAgent);
            }
        }
    }
}

fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}
