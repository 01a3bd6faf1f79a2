//! All roles, found by whom their trust policies name.

use super::super::facts::{Facts, Role};
use super::super::owner::{Owner, OwnerKind};
use super::super::plan::trust_names;
use super::super::policies::Cited;
use super::asker::Asker;
use crate::text::Untrusted;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use unchain_policy::Policy;

/// A role with its trust policy parsed.
pub(super) struct Door {
    pub(super) owner: Owner,
    pub(super) arn: String,
    pub(super) trust: Cited,
    /// Whether an instance profile carries it.
    pub(super) in_profile: bool,
}

/// All roles, by whom their trust policies name, and then by ARN.
pub(super) struct Doors {
    list: Vec<Door>,
    by_name: BTreeMap<String, BTreeMap<String, usize>>,
    by_service: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Doors {
    pub(super) fn new(facts: &Facts) -> Self {
        let mut doors = Self {
            list: Vec::new(),
            by_name: BTreeMap::new(),
            by_service: BTreeMap::new(),
        };
        for (id, account) in &facts.accounts {
            for (name, role) in &account.roles {
                let Some(door) = Door::new(id, name, role) else {
                    continue;
                };
                let (place, arn) = (doors.list.len(), door.arn.clone());
                for name in names(&role.trust) {
                    let named = doors.by_name.entry(name).or_default();
                    named.insert(arn.clone(), place);
                }
                for service in trust_names(&role.trust, "Service") {
                    let named = doors.by_service.entry(service).or_default();
                    named.insert(arn.clone(), place);
                }
                doors.list.push(door);
            }
        }
        doors
    }

    pub(super) fn get(&self, place: usize) -> Option<&Door> {
        self.list.get(place)
    }

    /// The roles whose trust policy names a principal. One that only names its account leaves it to the principal's
    /// own policies, so that of these only the roles count which those policies may mean.
    pub(super) fn for_assuming(&self, asker: &Asker) -> BTreeSet<usize> {
        let own = ["*", asker.arn.as_str(), asker.session.as_str()];
        let named = own.iter().filter_map(|name| self.by_name.get(*name));
        let mut found: BTreeSet<usize> = named.flat_map(BTreeMap::values).copied().collect();
        for name in [&asker.account, &asker.root] {
            let of_account = self.by_name.get(name);
            found.extend(
                of_account
                    .into_iter()
                    .flat_map(|doors| meant(doors, &asker.assumable)),
            );
        }
        found
    }

    /// The roles that trust a service and that the policies of a principal may let it pass.
    pub(super) fn for_passing(&self, asker: &Asker, service: &str) -> BTreeSet<usize> {
        let doors = self.by_service.get(service);
        doors
            .into_iter()
            .flat_map(|doors| meant(doors, &asker.passable))
            .collect()
    }
}

/// The places of the ARNs that begin as one of some patterns does.
fn meant(doors: &BTreeMap<String, usize>, beginnings: &BTreeSet<String>) -> BTreeSet<usize> {
    let of = |beginning: &String| {
        let from = doors.range(beginning.clone()..);
        let beginning = beginning.clone();
        from.take_while(move |(arn, _)| arn.starts_with(&beginning))
            .map(|(_, place)| *place)
    };
    beginnings.iter().flat_map(of).collect()
}

/// The texts by which a trust policy is found: those under `AWS`, a session's as its role's, and a star for
/// `NotPrincipal`, whom the evaluator understands.
fn names(trust: &Value) -> BTreeSet<String> {
    let mut names = trust_names(trust, "AWS");
    if trust.to_string().contains("\"NotPrincipal\"") {
        names.insert("*".to_owned());
    }
    let sessions = names.iter().filter_map(|name| {
        let (start, rest) = name.split_once(":assumed-role/")?;
        Some(session_key(
            start.split(':').nth(4)?,
            rest.split('/').next()?,
        ))
    });
    let sessions: Vec<String> = sessions.collect();
    names.extend(sessions);
    names
}

pub(super) fn session_key(account: &str, role: &str) -> String {
    format!("session of {account}/{role}")
}

impl Door {
    fn new(account: &str, name: &str, role: &Role) -> Option<Self> {
        let trust = Policy::from_value(&role.trust).ok()?;
        let owner = Owner {
            account: Untrusted::new(account),
            kind: OwnerKind::Role,
            name: Untrusted::new(name),
            partition: Untrusted::new(role.arn.split(':').nth(1).unwrap_or("aws")),
        };
        Some(Self {
            owner,
            arn: role.arn.clone(),
            trust: (format!("trust of {}", role.arn), trust),
            in_profile: !role.instance_profiles.is_empty(),
        })
    }
}
