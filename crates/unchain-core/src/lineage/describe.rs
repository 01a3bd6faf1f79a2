//! What a node is called, where it belongs, and what it did.

use super::{Face, Lineage, NONE, Node, NodeKind, adjacency, run};
use crate::deed::{Attribute, Deed};
use crate::ledger::{Caller, Fact, Seconds, Use};
use crate::text::Untrusted;
use std::collections::BTreeSet;

/// The uses of every node, found once for many questions.
#[derive(Debug)]
pub struct UsesByNode {
    starts: Vec<u32>,
    uses: Vec<u32>,
}

/// When and how often a node was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The first use.
    pub first: Option<Seconds>,
    /// The last use.
    pub last: Option<Seconds>,
    /// The number of distinct events.
    pub count: u64,
}

impl UsesByNode {
    /// Sorts all uses by node.
    pub fn new(lineage: &Lineage<'_>) -> Self {
        let ledger = lineage.ledger;
        let pairs = (0u32..)
            .zip(ledger.uses())
            .filter_map(|(n, usage)| Some((lineage.node_of_caller(usage.key.caller)?, n)));
        let (starts, uses) = adjacency(lineage.nodes.len(), pairs);
        Self { starts, uses }
    }

    /// Sorts the uses of some nodes: of others it will know none.
    pub fn of(lineage: &Lineage<'_>, nodes: &[u32]) -> Self {
        let ledger = lineage.ledger;
        let mut node_of = vec![NONE; ledger.callers().len()];
        for &node in nodes {
            for &caller in lineage.callers_of(node) {
                if let Some(slot) = node_of.get_mut(caller as usize) {
                    *slot = node;
                }
            }
        }
        let pairs = (0u32..).zip(ledger.uses()).filter_map(|(n, usage)| {
            let node = node_of.get(usage.key.caller as usize).copied();
            Some((node.filter(|&node| node != NONE)?, n))
        });
        let pairs: Vec<(u32, u32)> = pairs.collect();
        let (starts, uses) = adjacency(lineage.nodes.len(), pairs.into_iter());
        Self { starts, uses }
    }

    /// The uses of a node.
    pub fn uses<'l>(&self, lineage: &Lineage<'l>, node: u32) -> impl Iterator<Item = &'l Use> {
        let ledger = lineage.ledger;
        run(&self.starts, &self.uses, node)
            .iter()
            .filter_map(move |&n| ledger.uses().get(n as usize))
    }

    /// When and how often a node was used.
    pub fn usage(&self, lineage: &Lineage<'_>, node: u32) -> Usage {
        let mut total = Usage::default();
        for usage in self.uses(lineage, node) {
            let first = usage.first.seconds();
            let last = lineage.ledger.last(usage).0.seconds();
            total.first = Some(total.first.map_or(first, |t| t.min(first)));
            total.last = Some(total.last.map_or(last, |t| t.max(last)));
            total.count += lineage.ledger.count(usage);
        }
        total
    }

    /// The addresses from which a node was used, sorted.
    pub fn addresses(&self, lineage: &Lineage<'_>, node: u32) -> Vec<Untrusted> {
        let found: BTreeSet<&str> = self
            .uses(lineage, node)
            .filter_map(|usage| lineage.ledger.client(usage.key.client))
            .map(|client| lineage.ledger.text(client.address))
            .filter(|address| !address.is_empty())
            .collect();
        found.into_iter().map(Untrusted::new).collect()
    }
}

impl Lineage<'_> {
    /// The ARN of a node's principal as AWS writes it in `userIdentity.arn`; a service's DNS name; the
    /// best name there is for anything else. Empty where nothing is known.
    pub fn principal(&self, number: u32) -> Untrusted {
        let Some(node) = self.node(number) else {
            return Untrusted::default();
        };
        if let Some(arn) = self.arn_of_callers(number, node) {
            return Untrusted::new(arn);
        }
        let text = match node.face {
            Face::Caller(caller) => self.name_of_callers(number, caller),
            Face::Fact(fact) => self
                .ledger
                .facts()
                .get(fact as usize)
                .map(|f| self.issued_arn(node, f))
                .unwrap_or_default(),
            Face::Name => self.made_name(node),
        };
        Untrusted::new(text)
    }

    /// The account of a node: that of its principal.
    pub fn account(&self, number: u32) -> Untrusted {
        let Some(node) = self.node(number) else {
            return Untrusted::default();
        };
        let arn = self.principal(number);
        let in_arn = arn
            .raw()
            .strip_prefix("arn:")
            .and_then(|rest| rest.split(':').nth(3))
            .unwrap_or_default();
        if !in_arn.is_empty() {
            return Untrusted::new(in_arn);
        }
        let text = self.ledger.text(node.account);
        if !text.is_empty() {
            return Untrusted::new(text);
        }
        match node.face {
            Face::Caller(face) => {
                let callers = self.callers_of(number).iter().chain([&face]);
                let accounts =
                    callers.map(|&caller| self.ledger.text(self.ledger.caller(caller).account));
                Untrusted::new(accounts.min().unwrap_or_default())
            }
            Face::Fact(fact) => Untrusted::new(self.place_account(fact)),
            Face::Name => Untrusted::default(),
        }
    }

    fn place_account(&self, fact: u32) -> &str {
        let place = self
            .ledger
            .facts()
            .get(fact as usize)
            .and_then(|f| self.ledger.place_of(&f.key));
        place.map_or("", |place| self.ledger.text(place.account))
    }

    /// A use tells the full ARN.
    fn arn_of_callers(&self, number: u32, node: &Node) -> Option<String> {
        if matches!(node.kind, NodeKind::Service | NodeKind::Workload) {
            return None;
        }
        let callers = self
            .callers_of(number)
            .iter()
            .map(|&c| self.ledger.caller(c));
        callers
            .map(|caller| self.caller_arn(&caller))
            .filter(|arn| !arn.is_empty())
            .min()
    }

    /// The first name of a node's callers, whichever of them came first.
    fn name_of_callers(&self, number: u32, face: u32) -> String {
        let callers = self.callers_of(number).iter().copied();
        let names = callers.map(|caller| self.caller_name(&self.ledger.caller(caller)));
        names
            .min()
            .unwrap_or_else(|| self.caller_name(&self.ledger.caller(face)))
    }

    /// `userIdentity.arn` of a caller.
    pub fn caller_arn(&self, caller: &Caller) -> String {
        let session = if caller.arn_ends_with_session {
            self.ledger.text(caller.session)
        } else {
            ""
        };
        format!("{}{session}", self.ledger.text(caller.arn))
    }

    /// The ARN of a caller, or what else names it.
    fn caller_name(&self, caller: &Caller) -> String {
        let arn = self.caller_arn(caller);
        let texts = [
            caller.invoked_by,
            caller.user_name,
            caller.unique_id,
            caller.account,
        ]
        .map(|s| self.ledger.text(s));
        let principal = [arn.as_str()]
            .into_iter()
            .chain(texts)
            .find(|t| !t.is_empty())
            .unwrap_or_default();
        let session = self.ledger.text(caller.session);
        if principal == self.ledger.text(caller.unique_id) && !session.is_empty() {
            return format!("{principal}:{session}");
        }
        principal.to_owned()
    }

    fn made_name(&self, node: &Node) -> String {
        let (name, account) = (self.ledger.text(node.name), self.ledger.text(node.account));
        match node.kind {
            NodeKind::User | NodeKind::LoginProfile if !name.contains(':') => {
                format!("arn:aws:iam::{account}:user/{name}")
            }
            NodeKind::Role if !name.contains(':') => format!("arn:aws:iam::{account}:role/{name}"),
            _ => name.to_owned(),
        }
    }

    /// The ARN that an unused credential would show, from its issuing record.
    fn issued_arn(&self, node: &Node, fact: &Fact) -> String {
        let text = |attribute| self.ledger.text(self.ledger.attribute(fact, attribute));
        let child = text(Attribute::ChildArn);
        if !child.is_empty() {
            return child.to_owned();
        }
        let caller = self.ledger.caller(fact.key.caller);
        match fact.deed {
            Deed::GetSessionToken | Deed::S3ExpressCreateSession | Deed::GetSigninToken => {
                self.caller_name(&caller)
            }
            Deed::AssumeRoot => {
                let account = text(Attribute::TargetAccount);
                if account.contains(':') {
                    account.to_owned()
                } else {
                    format!("arn:aws:iam::{account}:root")
                }
            }
            Deed::CreateAccessKey => {
                let user = text(Attribute::User);
                let arn = self.caller_arn(&caller);
                let partition = arn
                    .split(':')
                    .nth(1)
                    .filter(|p| !p.is_empty())
                    .unwrap_or("aws");
                let account = self.ledger.text(caller.account);
                if user.is_empty() {
                    arn
                } else {
                    format!("arn:{partition}:iam::{account}:user/{user}")
                }
            }
            _ if node.kind == NodeKind::Certificate => text(Attribute::Subject).to_owned(),
            _ if node.kind == NodeKind::IdpSubject => text(Attribute::IdentityId).to_owned(),
            _ => crate::id::assumed_role(text(Attribute::Role), text(Attribute::SessionName)),
        }
    }
}
