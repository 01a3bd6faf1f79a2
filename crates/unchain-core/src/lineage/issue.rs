//! Edges that one record proves: who called an issuing API and got which key.

use super::build::{Builder, Name};
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
        let facts = self.ledger.facts();
        let mut by_node: Vec<(u32, u8, u32, u32)> = (0u32..)
            .zip(self.facts())
            .filter_map(|(place, (number, fact))| {
                let node = self
                    .issued_by_fact
                    .get(number as usize)
                    .copied()
                    .filter(|&n| n != NONE)?;
                Some((node, self.rank(fact), place, number))
            })
            .collect();
        by_node.sort_unstable();
        for group in by_node.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(child, _, _, first)) = group.first() else {
                continue;
            };
            let Some(fact) = facts.get(first as usize) else {
                continue;
            };
            let mut evidence = [NONE; 3];
            for (slot, (_, _, _, number)) in evidence.iter_mut().zip(group) {
                *slot = *number;
            }
            let parent = self.issuer(first, fact);
            let edge = Edge {
                parent,
                child,
                api: self.api(fact),
                time: fact.time,
                basis: Basis::Recorded,
                facts: evidence,
            };
            let number = u32::try_from(self.edges.len()).unwrap_or(NONE);
            self.edges.push(edge);
            self.issue_edge.insert(child, number);
            let by_service = self
                .node(parent)
                .is_some_and(|n| matches!(n.kind, NodeKind::Service | NodeKind::Workload));
            if by_service && let Some(node) = self.nodes.get_mut(child as usize) {
                node.origin = Origin::Service;
            }
        }
    }

    /// How much a record says of the issuer, best first: the caller's own copy names its key, the
    /// role account's copy of a cross-account call names an account only.
    fn rank(&self, fact: &Fact) -> u8 {
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
    fn issuer(&mut self, number: u32, fact: &Fact) -> u32 {
        let caller = self.ledger.caller(fact.key.caller);
        let own = self.caller_node(fact).unwrap_or(NONE);
        if fact.deed == Deed::RolesAnywhereCreateSession && caller.key.is_empty() {
            let subject = self.ledger.attribute(fact, Attribute::Subject);
            let name = if subject.is_empty() {
                caller.unique_id
            } else {
                subject
            };
            return self.named(
                Name::new(NodeKind::Certificate, name, caller.session),
                Face::Fact(number),
            );
        }
        if fact.deed == Deed::GetCredentialsForIdentity && caller.key.is_empty() {
            let identity = self.ledger.attribute(fact, Attribute::IdentityId);
            return self.named(
                Name::new(NodeKind::IdpSubject, identity, Symbol::EMPTY),
                Face::Fact(number),
            );
        }
        if caller.kind == IdentityType::AwsService {
            return self.workload(fact, caller.invoked_by).unwrap_or(own);
        }
        own
    }

    fn workload(&mut self, fact: &Fact, service: Symbol) -> Option<u32> {
        let session = self.ledger.attribute(fact, Attribute::SessionName);
        let known = WORKLOAD_SERVICES.contains(&self.ledger.text(service));
        if !known || session.is_empty() {
            return None;
        }
        Some(self.workload_named(service, session, fact))
    }

    /// The workload that a service's session name stands for, in the account of the record.
    pub(super) fn workload_named(&mut self, service: Symbol, session: Symbol, fact: &Fact) -> u32 {
        let account = self
            .ledger
            .place(fact.key.place)
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
