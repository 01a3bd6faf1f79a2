//! Edges that one record proves: who called an issuing API and got which key.

use super::build::Builder;
use super::named::Name;
use super::{Basis, Edge, Face, NONE, NodeKind, Origin};
use crate::deed::{Attribute, Deed};
use crate::ledger::{Fact, IdentityType, Symbol};

/// Services that assume a role for one workload of the customer's and name it in the session.
/// Session names: docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html (EC2 uses the
/// instance id, Lambda the function's name, ECS the task's id, EKS `eks-cluster-pod-uuid`).
const WORKLOAD_SERVICES: [&str; 9] = [
    "ec2.amazonaws.com",
    "lambda.amazonaws.com",
    "edgelambda.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "pods.eks.amazonaws.com",
    "sagemaker.amazonaws.com",
    "codebuild.amazonaws.com",
    "glue.amazonaws.com",
    "batch.amazonaws.com",
];

impl Builder<'_> {
    /// One edge for each issued node, with every record of the issue as evidence.
    pub(super) fn issue_edges(&mut self) {
        let services = WORKLOAD_SERVICES.map(|service| self.symbol(service));
        let issues = self.order.rows().iter().filter_map(|&(number, _)| {
            let node = self.issued_by_fact.get(number as usize).copied();
            Some((node.filter(|&node| node != NONE)?, number))
        });
        let mut issues: Vec<(u32, u32)> = issues.collect();
        // In order of time within each node; nearly in order of nodes already.
        issues.sort_by_key(|&(node, _)| node);
        for group in issues.chunk_by_mut(|a, b| a.0 == b.0) {
            if group.len() > 1 {
                group.sort_by_key(|&(_, number)| self.rank(number));
            }
            let mut evidence = [NONE; 3];
            for (slot, (_, number)) in evidence.iter_mut().zip(&*group) {
                *slot = *number;
            }
            if let Some(&(child, _)) = group.first() {
                debug_assert_eq!(child as usize, self.edges.len(), "see `Builder::issue_of`");
                self.issue_edge(child, evidence, &services);
            }
        }
    }

    fn issue_edge(&mut self, child: u32, evidence: [u32; 3], services: &[Symbol]) {
        let [first, ..] = evidence;
        let Some(fact) = self.ledger.facts().get(first as usize) else {
            return;
        };
        let parent = self.issuer(first, fact, services);
        self.edges.push(Edge {
            parent,
            child,
            api: self.api(fact),
            time: fact.time,
            basis: Basis::Recorded,
            facts: evidence,
        });
        let by_service = self.may_be_service(fact)
            && self
                .node(parent)
                .is_some_and(|n| matches!(n.kind, NodeKind::Service | NodeKind::Workload));
        if by_service && let Some(node) = self.nodes.get_mut(child as usize) {
            node.origin = Origin::Service;
        }
    }

    /// Whether the caller may be a service's node: it is asked before the node is looked up, as the
    /// nodes lie far apart.
    fn may_be_service(&self, fact: &Fact) -> bool {
        matches!(
            self.kind_of_caller(fact),
            IdentityType::AwsService | IdentityType::Absent
        )
    }

    fn kind_of_caller(&self, fact: &Fact) -> IdentityType {
        let kind = self.kinds.get(fact.key.caller as usize);
        kind.copied().unwrap_or_default()
    }

    /// How much a record says of the issuer, best first: the caller's own copy names its key, the
    /// role account's copy of a cross-account call names an account only.
    fn rank(&self, number: u32) -> u8 {
        let Some(fact) = self.ledger.facts().get(number as usize) else {
            return u8::MAX;
        };
        let caller = self.ledger.caller(fact.key.caller);
        match caller.kind {
            _ if fact.deed == Deed::RolesAnywhereCreateSession => 1,
            IdentityType::AwsService => 5,
            IdentityType::AwsAccount => 4,
            _ if !caller.key.is_empty() => 0,
            IdentityType::SamlUser
            | IdentityType::WebIdentityUser
            | IdentityType::IdentityCenterUser => 2,
            _ => 3,
        }
    }

    /// The node that issued: the caller's, or the workload for which a service acted.
    fn issuer(&mut self, number: u32, fact: &Fact, services: &[Symbol]) -> u32 {
        let own = self.caller_node(fact).unwrap_or(NONE);
        let caller = || self.ledger.caller(fact.key.caller);
        match fact.deed {
            Deed::RolesAnywhereCreateSession if caller().key.is_empty() => {
                let subject = self.ledger.attribute(fact, Attribute::Subject);
                let name = if subject.is_empty() {
                    caller().unique_id
                } else {
                    subject
                };
                let name = Name::new(NodeKind::Certificate, name, caller().session);
                self.named(name, Face::Fact(number))
            }
            Deed::GetCredentialsForIdentity if caller().key.is_empty() => {
                let identity = self.ledger.attribute(fact, Attribute::IdentityId);
                let name = Name::new(NodeKind::IdpSubject, identity, Symbol::EMPTY);
                self.named(name, Face::Fact(number))
            }
            _ if self.kind_of_caller(fact) == IdentityType::AwsService => {
                let service = caller().invoked_by;
                self.workload(fact, service, services).unwrap_or(own)
            }
            _ => own,
        }
    }

    fn workload(&mut self, fact: &Fact, service: Symbol, services: &[Symbol]) -> Option<u32> {
        if service.is_empty() || !services.contains(&service) {
            return None;
        }
        let session = self.ledger.attribute(fact, Attribute::SessionName);
        (!session.is_empty()).then(|| self.workload_named(service, session, fact))
    }

    /// The workload that a service's session name stands for, in the account of the record.
    pub(super) fn workload_named(&mut self, service: Symbol, session: Symbol, fact: &Fact) -> u32 {
        let account = self
            .ledger
            .place_of(&fact.key)
            .map_or(Symbol::EMPTY, |place| place.account);
        self.named(
            Name {
                account,
                ..Name::new(NodeKind::Workload, service, session)
            },
            Face::Name,
        )
    }
}
