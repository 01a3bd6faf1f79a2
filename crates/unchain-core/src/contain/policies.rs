//! The policies that decide what a principal may do, parsed and laid out for the evaluator.

use super::facts::{Facts, Policies as Held, ScpLevel};
use super::owner::{Owner, OwnerKind};
use crate::deed::listed;
use serde_json::{Value, json};
use std::collections::BTreeSet;
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
    /// What the statements that allow something name.
    allows: Vec<Allow>,
}

/// Actions and resources of a statement that allows, as it writes them. It is only asked what the statement may mean:
/// what it does mean is the evaluator's.
#[derive(Clone, Debug)]
struct Allow {
    actions: Vec<String>,
    resources: Vec<String>,
}

impl Allow {
    /// What is written by `NotAction` and `NotResource` may mean anything.
    fn of(document: &Value) -> impl Iterator<Item = Self> {
        let statements = document.get("Statement").map(listed).unwrap_or_default();
        let allowing = statements
            .into_iter()
            .filter(|s| s.get("Effect").and_then(Value::as_str) == Some("Allow"));
        allowing.map(Self::of_statement)
    }

    fn of_statement(statement: &Value) -> Self {
        let texts = |name: &str| {
            let texts = statement.get(name).map(listed);
            texts.map_or_else(
                || vec!["*".to_owned()],
                |texts| {
                    texts
                        .iter()
                        .filter_map(|t| t.as_str())
                        .map(str::to_owned)
                        .collect()
                },
            )
        };
        Self {
            actions: texts("Action"),
            resources: texts("Resource"),
        }
    }

    fn may_mean(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| {
            let beginning = beginning(pattern);
            let start = action.get(..beginning.len());
            let exact = beginning.len() == pattern.len() && pattern.len() != action.len();
            !exact && start.is_some_and(|start| start.eq_ignore_ascii_case(beginning))
        })
    }
}

/// Whether a statement of a policy denies an action, under whatever condition.
pub(super) fn denies(document: &Value, action: &str) -> bool {
    let statements = document.get("Statement").map(listed).unwrap_or_default();
    let mut denying = statements
        .into_iter()
        .filter(|s| s.get("Effect").and_then(Value::as_str) == Some("Deny"));
    denying.any(|statement| Allow::of_statement(statement).may_mean(action))
}

/// A pattern up to its first wildcard or variable.
fn beginning(pattern: &str) -> &str {
    pattern.split(['*', '?', '$']).next().unwrap_or_default()
}

/// So many resources of one action are tried.
const EXAMPLES: usize = 16;

impl Laid {
    /// Lays out the policies of an owner.
    pub(super) fn of(facts: &Facts, owner: &Owner) -> Self {
        let mut laid = Self {
            root: owner.kind == OwnerKind::Root,
            ..Self::default()
        };
        let held = facts.policies(owner);
        if let Some(held) = held {
            laid.held(facts, owner, held);
        }
        let account = facts.accounts.get(owner.account.raw());
        let read = account.is_some_and(|account| account.authorization_details);
        if !laid.root && (held.is_none() || !read) {
            laid.missing
                .push(format!("the policies of {}", owner.arn()));
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
                self.allows.extend(Allow::of(document));
                self.identity.push((name, policy));
            }
        }
        for arn in &held.attached {
            if let Some(policy) = self.managed(facts, owner, arn) {
                let account = facts.accounts.get(owner.account.raw());
                let held = account.and_then(|account| account.policies.get(arn));
                self.allows
                    .extend(held.into_iter().flat_map(|held| Allow::of(&held.document)));
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

    /// A level of which a policy was not read may allow anything; what its other policies deny is denied all the same.
    fn level(&mut self, level: &ScpLevel) -> Vec<Cited> {
        let before = self.missing.len();
        let named = level.policies.iter().map(|(id, document)| {
            let name = format!("scp {id} on {}", level.target);
            Some((name.clone(), self.parsed(&name, document)?))
        });
        let mut known: Vec<Cited> = named.flatten().collect();
        if self.missing.len() > before {
            let all = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
            let name = format!("what was not read of {}", level.target);
            known.extend(Policy::from_value(&all).ok().map(|all| (name, all)));
        }
        known
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

    /// How the resources begin on which the principal's own policies may allow an action; shorter ones stand for
    /// longer ones.
    pub(super) fn beginnings(&self, action: &str) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = BTreeSet::new();
        for pattern in self.resources(action) {
            let beginning = beginning(pattern);
            // In order of the texts a beginning comes before what it begins.
            if !found
                .iter()
                .any(|shorter| beginning.starts_with(shorter.as_str()))
            {
                found.insert(beginning.to_owned());
            }
        }
        found
    }

    /// Resources on which the principal's own policies may allow an action, with something in place of wildcards.
    pub(super) fn examples(&self, action: &str) -> BTreeSet<String> {
        let plain = self
            .resources(action)
            .into_iter()
            .filter(|p| !p.contains("${"));
        let whole = |pattern: &str| pattern == "*";
        plain
            .map(|p| {
                if whole(p) {
                    p.to_owned()
                } else {
                    p.replace(['*', '?'], "x")
                }
            })
            .take(EXAMPLES)
            .collect()
    }

    fn resources(&self, action: &str) -> BTreeSet<&str> {
        let allows = self.allows.iter().filter(|allow| allow.may_mean(action));
        allows
            .flat_map(|allow| allow.resources.iter().map(String::as_str))
            .collect()
    }
}

fn named(cited: &Cited) -> Named<'_> {
    Named {
        name: &cited.0,
        policy: &cited.1,
    }
}
