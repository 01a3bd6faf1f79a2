//! What credentials make that outlives them: users, passwords, MFA devices, roles and their trust,
//! identity providers, and workloads that are given a role.

use super::build::Builder;
use super::named::Name;
use super::{Basis, Edge, Face, NONE, NodeKind};
use crate::deed::{Attribute, Deed};
use crate::ledger::{Fact, Symbol};

impl Builder<'_> {
    /// Adds a node and an edge for each thing made, and joins to it what came of it.
    pub(super) fn made(&mut self) {
        let facts: Vec<(u32, Fact)> = self.facts(makes).map(|(n, f)| (n, *f)).collect();
        for (number, fact) in facts {
            let account = self
                .ledger
                .place_of(&fact.key)
                .map_or(Symbol::EMPTY, |place| place.account);
            let caller = self.ledger.caller(fact.key.caller);
            let account = if account.is_empty() {
                caller.account
            } else {
                account
            };
            match fact.deed {
                Deed::RunInstances | Deed::InstanceProfile => {
                    self.workloads(number, &fact, "ec2.amazonaws.com")
                }
                Deed::Function => self.workloads(number, &fact, "lambda.amazonaws.com"),
                Deed::TaskDefinition => self.workloads(number, &fact, "ecs-tasks.amazonaws.com"),
                _ => {
                    let Some((kind, attribute)) = made_kind(fact.deed) else {
                        continue;
                    };
                    let mut name = self.ledger.attribute(&fact, attribute);
                    if name.is_empty() {
                        // Without a user name, IAM means the caller's own user.
                        name = if attribute == Attribute::User {
                            caller.user_name
                        } else {
                            self.resource(&fact)
                        };
                    }
                    if !name.is_empty() {
                        let child = self.named(
                            Name {
                                account,
                                ..Name::new(kind, name, Symbol::EMPTY)
                            },
                            Face::Name,
                        );
                        self.made_edge(number, &fact, child);
                    }
                }
            }
        }
        self.of_users();
        self.of_providers();
    }

    fn resource(&self, fact: &Fact) -> Symbol {
        self.ledger.attribute(fact, Attribute::Resource)
    }

    fn made_edge(&mut self, number: u32, fact: &Fact, child: u32) {
        let Some(parent) = self.caller_node(fact) else {
            return;
        };
        let (api, time) = (self.api(fact), fact.time);
        if let Some(node) = self.nodes.get_mut(child as usize)
            && node.created.is_none()
        {
            node.created = Some(time);
        }
        self.edges.push(Edge {
            parent,
            child,
            api,
            time,
            basis: Basis::Recorded,
            facts: [number, NONE, NONE],
        });
    }

    /// Each workload that the call started or gave a role to. A service's sessions carry its id.
    fn workloads(&mut self, number: u32, fact: &Fact, service: &str) {
        let service = self.symbol(service);
        let names: Vec<Symbol> = self
            .ledger
            .kept(fact)
            .iter()
            .filter(|k| matches!(k.attribute, Attribute::Instance | Attribute::Function))
            .map(|k| k.symbol())
            .collect();
        if service.is_empty() {
            return;
        }
        for name in names {
            let child = self.workload_named(service, name, fact);
            self.made_edge(number, fact, child);
        }
    }

    /// A user that the log shows being made explains its password and its keys, where no record does.
    fn of_users(&mut self) {
        if !self.did(|deed| deed == Deed::CreateUser) {
            return;
        }
        let profiles: Vec<(u32, Symbol, Symbol)> = (0u32..)
            .zip(&self.nodes)
            .filter(|(_, node)| node.kind == NodeKind::LoginProfile)
            .map(|(number, node)| (number, node.name, node.account))
            .collect();
        let keys: Vec<(u32, Symbol, Symbol)> = (0u32..)
            .zip(&self.nodes)
            .filter(|(_, node)| node.kind == NodeKind::LongTermKey)
            .filter_map(|(number, node)| match node.face {
                Face::Caller(caller) if node.created.is_none() => {
                    let caller = self.ledger.caller(caller);
                    Some((number, caller.user_name, caller.account))
                }
                _ => None,
            })
            .collect();
        let mut explained = vec![false; self.nodes.len()];
        for edge in self.edges.iter().filter(|e| e.basis == Basis::Recorded) {
            if let Some(explained) = explained.get_mut(edge.child as usize) {
                *explained = true;
            }
        }
        for (child, name, account) in profiles.into_iter().chain(keys) {
            let Some(parent) = self.find_named(&Name {
                account,
                ..Name::new(NodeKind::User, name, Symbol::EMPTY)
            }) else {
                continue;
            };
            let created = self
                .node(parent)
                .and_then(|n| n.created)
                .unwrap_or_default();
            if explained.get(child as usize) == Some(&false) {
                let api = self.symbol("CreateUser");
                self.edges.push(Edge {
                    parent,
                    child,
                    api,
                    time: created,
                    basis: Basis::Inferred,
                    facts: [NONE; 3],
                });
            }
        }
    }

    /// A provider that the log shows being made explains the subjects that it vouched for.
    fn of_providers(&mut self) {
        let vouched = |deed| {
            matches!(
                deed,
                Deed::AssumeRoleWithSaml | Deed::AssumeRoleWithWebIdentity
            )
        };
        if !self.did(|deed| matches!(deed, Deed::IdentityProvider | Deed::TrustAnchor)) {
            return;
        }
        let issues: Vec<Fact> = self.facts(vouched).map(|(_, f)| *f).collect();
        for fact in &issues {
            let name = self.ledger.attribute(fact, Attribute::Provider);
            let account = self
                .ledger
                .place_of(&fact.key)
                .map_or(Symbol::EMPTY, |place| place.account);
            let Some(parent) = self.find_named(&Name {
                account,
                ..Name::new(NodeKind::IdentityProvider, name, Symbol::EMPTY)
            }) else {
                continue;
            };
            let Some(child) = self.caller_node(fact) else {
                continue;
            };
            let (api, time) = (self.api(fact), fact.time);
            self.edges.push(Edge {
                parent,
                child,
                api,
                time,
                basis: Basis::Inferred,
                facts: [NONE; 3],
            });
        }
    }
}

fn makes(deed: Deed) -> bool {
    made_kind(deed).is_some()
        || matches!(
            deed,
            Deed::RunInstances | Deed::InstanceProfile | Deed::Function | Deed::TaskDefinition
        )
}

/// The kind of thing that a deed makes or changes, and what names it.
fn made_kind(deed: Deed) -> Option<(NodeKind, Attribute)> {
    Some(match deed {
        Deed::CreateUser => (NodeKind::User, Attribute::User),
        Deed::CreateLoginProfile | Deed::UpdateLoginProfile => {
            (NodeKind::LoginProfile, Attribute::User)
        }
        Deed::CreateVirtualMfaDevice | Deed::EnableMfaDevice => {
            (NodeKind::MfaDevice, Attribute::Serial)
        }
        Deed::CreateRole | Deed::UpdateAssumeRolePolicy => (NodeKind::Role, Attribute::Role),
        Deed::IdentityProvider | Deed::TrustAnchor => {
            (NodeKind::IdentityProvider, Attribute::Provider)
        }
        Deed::CreateServiceSpecificCredential => (NodeKind::LoginProfile, Attribute::Key),
        _ => return None,
    })
}
