//! The policies that decide what a principal may do, parsed and laid out for the evaluator.

use super::facts::{Facts, Policies as Held, ScpLevel};
use super::owner::{Owner, OwnerKind};
use serde_json::Value;
use unchain_policy::{Layers, Named, Policy, ResourceKind, ResourcePolicy};

/// A parsed policy with the name by which an answer cites it.
pub(super) type Cited = (String, Policy);

/// The parsed policies of one principal and of the organization above it.
#[derive(Clone, Debug, Default)]
pub(super) struct Laid {
    identity: Vec<Cited>,
    boundary: Option<Vec<Cited>>,
    scps: Vec<Vec<Cited>>,
    /// Policies that were not read or do not parse: what they allow and deny is not known.
    pub(super) missing: Vec<String>,
    root: bool,
}

impl Laid {
    /// Lays out the policies of an owner.
    pub(super) fn of(facts: &Facts, owner: &Owner) -> Self {
        let mut laid = Self {
            root: owner.kind == OwnerKind::Root,
            ..Self::default()
        };
        match facts.policies(owner) {
            Some(held) => laid.held(facts, owner, held),
            None if !laid.root => laid
                .missing
                .push(format!("the policies of {}", owner.arn())),
            None => {}
        }
        let groups = facts.user(owner).map(|user| &user.groups);
        for name in groups.into_iter().flatten() {
            let account = facts.accounts.get(owner.account.raw());
            if let Some(group) = account.and_then(|account| account.groups.get(name)) {
                laid.add(facts, owner, (&format!("group/{name}"), &group.policies));
            } else {
                laid.missing.push(format!("the policies of group {name}"));
            }
        }
        let service_linked = facts.arn(owner).contains(":role/aws-service-role/");
        let levels = if service_linked {
            &[]
        } else {
            facts.scps(owner.account.raw())
        };
        laid.scps = levels.iter().map(|level| laid.level(level)).collect();
        laid
    }

    fn held(&mut self, facts: &Facts, owner: &Owner, held: &Held) {
        let arn = facts.arn(owner);
        let (_, name) = arn.split_once(":iam::").unwrap_or_default();
        let name = name.split_once(':').map_or("", |(_, resource)| resource);
        self.add(facts, owner, (name, held));
        if let Some(boundary) = &held.boundary {
            let document = self.managed(facts, owner, boundary);
            self.boundary = Some(
                document
                    .map(|policy| (boundary.clone(), policy))
                    .into_iter()
                    .collect(),
            );
        }
    }

    fn add(&mut self, facts: &Facts, owner: &Owner, (holder, held): (&str, &Held)) {
        for (name, document) in &held.inline {
            let name = format!("{holder}/inline {name}");
            if let Some(policy) = self.parsed(&name, document) {
                self.identity.push((name, policy));
            }
        }
        for arn in &held.attached {
            if let Some(policy) = self.managed(facts, owner, arn) {
                self.identity.push((format!("{holder}/{arn}"), policy));
            }
        }
    }

    fn managed(&mut self, facts: &Facts, owner: &Owner, arn: &str) -> Option<Policy> {
        let account = facts.accounts.get(owner.account.raw());
        match account.and_then(|account| account.policies.get(arn)) {
            Some(managed) => self.parsed(arn, &managed.document),
            None => {
                self.missing.push(arn.to_owned());
                None
            }
        }
    }

    fn parsed(&mut self, name: &str, document: &Value) -> Option<Policy> {
        let policy = Policy::from_value(document).ok();
        if policy.is_none() {
            self.missing.push(name.to_owned());
        }
        policy
    }

    fn level(&mut self, level: &ScpLevel) -> Vec<Cited> {
        let named = level.policies.iter().map(|(id, document)| {
            let name = format!("scp {id} on {}", level.target);
            Some((name.clone(), self.parsed(&name, document)?))
        });
        named.flatten().collect()
    }

    /// The layers for a request of this principal, with the policy of the resource if there is one.
    pub(super) fn layers<'a>(&'a self, trust: Option<&'a Cited>) -> Layers<'a> {
        let named = |list: &'a [Cited]| list.iter().map(named).collect::<Vec<_>>();
        Layers {
            identity: named(&self.identity),
            boundary: self.boundary.as_deref().map(named),
            resource: trust.map(|cited| ResourcePolicy {
                named: self::named(cited),
                kind: ResourceKind::Trust,
            }),
            scps: self.scps.iter().map(|level| named(level)).collect(),
            ..Layers::default()
        }
    }

    /// Whether the principal's own account could let it do anything: no policies means no.
    pub(super) fn grants_nothing(&self) -> bool {
        !self.root && self.identity.is_empty() && self.missing.is_empty()
    }
}

fn named(cited: &Cited) -> Named<'_> {
    Named {
        name: &cited.0,
        policy: &cited.1,
    }
}
