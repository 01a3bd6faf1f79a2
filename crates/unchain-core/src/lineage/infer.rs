//! Edges that circumstance suggests: who stood behind a service that issued a credential.

use super::build::{Builder, Mixing};
use super::{Basis, Edge, NONE, adjacency, run};
use crate::deed::{Attribute, Deed};
use crate::ledger::{Fact, Symbol};
use hashbrown::HashMap;

/// Records of one vending are written within this many seconds of each other.
const TOGETHER: u32 = 5;

impl Builder<'_> {
    /// Adds edges from callers whose request made a service issue a credential.
    pub(super) fn inferred(&mut self) {
        let mut asked: HashMap<Deed, Vec<u32>, Mixing> = HashMap::default();
        for &(number, deed) in self.order.rows() {
            if matches!(
                deed,
                Deed::AssumeRoleForPodIdentity | Deed::GetRoleCredentials | Deed::GetDataAccess
            ) {
                asked.entry(deed).or_default().push(number);
            }
        }
        if asked.is_empty() {
            return;
        }
        let mut matched: HashMap<u32, Vec<u32>, Mixing> = HashMap::default();
        for edge in self.edges.iter().filter(|e| e.basis == Basis::Matched) {
            if let Some(&issue) = edge.facts.first() {
                matched.entry(issue).or_default().push(edge.child);
            }
        }
        let answers = |deed| matches!(deed, Deed::AssumeRole | Deed::AssumeRoleWithSaml);
        let facts: Vec<(u32, &Fact)> = self.facts(answers).collect();
        let callers = adjacency(self.nodes.len(), self.placed());
        for (number, fact) in facts {
            let Some(child) = self
                .issued_by_fact
                .get(number as usize)
                .copied()
                .filter(|&n| n != NONE)
            else {
                continue;
            };
            let Some(wanted) = self.asked_with(fact) else {
                continue;
            };
            let Some(list) = asked.get(&wanted) else {
                continue;
            };
            let used = matched.get(&number).map(Vec::as_slice).unwrap_or_default();
            let people = self.people(used, &callers);
            if let Some((asking, basis)) = self.best(list, fact, (wanted, &people)) {
                // Keys used in the session of this issue came the same way.
                for &child in [child].iter().chain(used) {
                    self.suggest((child, basis), fact, (asking, number));
                }
            }
        }
    }

    /// Which request a service answers with this issue.
    fn asked_with(&self, fact: &Fact) -> Option<Deed> {
        let caller = self.ledger.caller(fact.key.caller);
        match (fact.deed, self.ledger.text(caller.invoked_by)) {
            (Deed::AssumeRole, "pods.eks.amazonaws.com") => Some(Deed::AssumeRoleForPodIdentity),
            (Deed::AssumeRole, "access-grants.s3.amazonaws.com") => Some(Deed::GetDataAccess),
            (Deed::AssumeRoleWithSaml, _) => Some(Deed::GetRoleCredentials),
            (Deed::AssumeRole, service) if service.starts_with("sso.") => {
                Some(Deed::GetRoleCredentials)
            }
            _ => None,
        }
    }

    /// The people on whose behalf keys of a session acted, where their uses say it.
    fn people(&self, nodes: &[u32], callers: &(Vec<u32>, Vec<u32>)) -> Vec<Symbol> {
        let numbers = nodes
            .iter()
            .flat_map(|&node| run(&callers.0, &callers.1, node));
        let people = numbers.map(|&n| self.ledger.rare(&self.ledger.caller(n)).on_behalf_of);
        people.filter(|person| !person.is_empty()).collect()
    }

    /// The request that fits best: nearest in time among those that name the same thing. Where both
    /// sides name a person it must be the same one, and then the join is more than circumstance.
    fn best(
        &self,
        list: &[u32],
        issue: &Fact,
        (deed, people): (Deed, &[Symbol]),
    ) -> Option<(u32, Basis)> {
        let facts = self.ledger.facts();
        let time = |n: &u32| facts.get(*n as usize).map_or(0, |f| f.time);
        let person = |n: &u32| {
            let caller = facts
                .get(*n as usize)
                .map(|f| self.ledger.caller(f.key.caller));
            caller.map_or(Symbol::EMPTY, |caller| {
                self.ledger.rare(&caller).on_behalf_of
            })
        };
        let start = list.partition_point(|n| time(n) + TOGETHER < issue.time);
        let found = list
            .get(start..)?
            .iter()
            .take_while(|n| time(n) <= issue.time.saturating_add(TOGETHER))
            .filter(|n| {
                facts
                    .get(**n as usize)
                    .is_some_and(|asking| self.fits(asking, issue, deed))
            })
            .filter(|n| people.is_empty() || person(n).is_empty() || people.contains(&person(n)))
            .min_by_key(|n| time(n).abs_diff(issue.time))
            .copied()?;
        let basis = if people.contains(&person(&found)) {
            Basis::Matched
        } else {
            Basis::Inferred
        };
        Some((found, basis))
    }

    fn fits(&self, asking: &Fact, issue: &Fact, deed: Deed) -> bool {
        let text =
            |fact: &Fact, attribute| self.ledger.text(self.ledger.attribute(fact, attribute));
        match deed {
            Deed::AssumeRoleForPodIdentity => {
                let cluster = text(asking, Attribute::Cluster);
                let session = text(issue, Attribute::SessionName);
                session.strip_prefix("eks-").is_some_and(|rest| {
                    rest.strip_prefix(cluster)
                        .is_some_and(|rest| rest.starts_with('-') || rest.is_empty())
                })
            }
            Deed::GetRoleCredentials => {
                let role = text(issue, Attribute::Role);
                let (name, account) = (
                    text(asking, Attribute::Role),
                    text(asking, Attribute::TargetAccount),
                );
                let set = role.rsplit('/').next().unwrap_or_default();
                // The role of a permission set is `AWSReservedSSO_<set>_<hash>`.
                let named = set.strip_prefix("AWSReservedSSO_").is_some_and(|rest| {
                    rest == name || rest.rsplit_once('_').is_some_and(|(set, _)| set == name)
                });
                let named = named || set == name;
                named && role.split(':').nth(4) == Some(account)
            }
            _ => {
                let place = |fact: &Fact| self.ledger.act(&fact.key).place;
                place(asking) == place(issue)
            }
        }
    }

    fn suggest(
        &mut self,
        (child, basis): (u32, Basis),
        issue: &Fact,
        (asking, number): (u32, u32),
    ) {
        let Some(fact) = self.ledger.facts().get(asking as usize) else {
            return;
        };
        let Some(parent) = self.caller_node(fact) else {
            return;
        };
        let (api, time) = (self.api(fact), issue.time);
        let facts = [number, asking, NONE];
        self.edges.push(Edge {
            parent,
            child,
            api,
            time,
            basis,
            facts,
        });
    }

    /// The symbol of a text that may not be in the ledger.
    pub(super) fn symbol(&self, text: &str) -> Symbol {
        self.ledger.symbols().find(text).unwrap_or_default()
    }
}
