//! All roles, found by whom their trust policies name.

use super::super::facts::{Facts, Role};
use super::super::owner::{Owner, OwnerKind};
use super::super::plan::trust_names;
use super::super::policies::Cited;
use super::asker::Asker;
use crate::text::Untrusted;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use unchain_policy::Policy;

/// A role with its trust policy parsed.
pub(super) struct Door {
    pub(super) owner: Owner,
    pub(super) arn: String,
    pub(super) trust: Cited,
    /// Whether an instance profile carries it.
    pub(super) in_profile: bool,
}

/// All roles in order of their ARNs, by whom their trust policies name.
pub(super) struct Doors {
    list: Vec<Door>,
    by_name: BTreeMap<String, Vec<usize>>,
    by_service: BTreeMap<String, Vec<usize>>,
}

/// What of the doors was entered, and what is left of those that a name opens.
#[derive(Default)]
pub(super) struct Entered {
    places: HashSet<usize>,
    left: BTreeMap<String, Vec<usize>>,
}

impl Entered {
    pub(super) fn enter(&mut self, place: usize) {
        self.places.insert(place);
    }
}

impl Doors {
    pub(super) fn new(facts: &Facts) -> Self {
        let roles = facts.accounts.iter().flat_map(|(id, account)| {
            let roles = account.roles.iter();
            roles.map(move |(name, role)| (id, name, role))
        });
        let mut roles: Vec<(&Role, Door)> = roles
            .filter_map(|(id, name, role)| Some((role, Door::new(id, name, role)?)))
            .collect();
        roles.sort_by(|a, b| a.1.arn.cmp(&b.1.arn));
        let (mut by_name, mut by_service) = (BTreeMap::new(), BTreeMap::new());
        let add = |to: &mut BTreeMap<String, Vec<usize>>, names: BTreeSet<String>, place| {
            for name in names {
                to.entry(name).or_default().push(place);
            }
        };
        for (place, (role, _)) in roles.iter().enumerate() {
            add(&mut by_name, names(&role.trust), place);
            add(&mut by_service, trust_names(&role.trust, "Service"), place);
        }
        Self {
            list: roles.into_iter().map(|(_, door)| door).collect(),
            by_name,
            by_service,
        }
    }

    pub(super) fn get(&self, place: usize) -> Option<&Door> {
        self.list.get(place)
    }

    /// The roles left whose trust policy names a principal. One that only names its account leaves it to the
    /// principal's own policies, so that of these only the roles count which those policies may mean.
    pub(super) fn for_assuming(&self, asker: &Asker, entered: &mut Entered) -> BTreeSet<usize> {
        let everything = BTreeSet::from([String::new()]);
        let own = ["*", asker.arn.as_str(), asker.session.as_str()];
        let own = own.map(|name| (name, &everything));
        let account = [asker.account.as_str(), asker.root.as_str()];
        let account = account.map(|name| (name, &asker.assumable));
        let all = own.into_iter().chain(account);
        all.flat_map(|(name, beginnings)| self.left(&self.by_name, (name, beginnings), entered))
            .collect()
    }

    /// The roles left that trust a service and that the policies of a principal may let it pass.
    pub(super) fn for_passing(
        &self,
        asker: &Asker,
        service: &str,
        entered: &mut Entered,
    ) -> BTreeSet<usize> {
        let found = self.left(&self.by_service, (service, &asker.passable), entered);
        found.into_iter().collect()
    }

    /// The places left under a name whose ARNs begin as one of some patterns does. Who was entered is not looked at
    /// again and again.
    fn left(
        &self,
        of: &BTreeMap<String, Vec<usize>>,
        (name, beginnings): (&str, &BTreeSet<String>),
        entered: &mut Entered,
    ) -> Vec<usize> {
        let Some(all) = of.get(name).filter(|_| !beginnings.is_empty()) else {
            return Vec::new();
        };
        let (mut found, mut looked) = (Vec::new(), 0usize);
        let left = entered
            .left
            .entry(name.to_owned())
            .or_insert_with(|| all.clone());
        let arn = |place: usize| self.list.get(place).map_or("", |door| door.arn.as_str());
        for beginning in beginnings {
            let first = left.partition_point(|&place| arn(place) < beginning.as_str());
            let from = left.get(first..).unwrap_or_default();
            let meant = from
                .iter()
                .take_while(|&&place| arn(place).starts_with(beginning.as_str()));
            for &place in meant {
                looked += 1;
                if !entered.places.contains(&place) {
                    found.push(place);
                }
            }
        }
        if found.len() * 2 < looked {
            left.retain(|place| !entered.places.contains(place));
        }
        found
    }
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
