//! Which roles a principal can get to, by assuming one after the other.

use super::facts::{Facts, Role};
use super::owner::{Owner, OwnerKind};
use super::policies::{Cited, Laid};
use crate::text::Untrusted;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use unchain_policy::{Context, Decision, Policy, Principal, Request, evaluate};

/// A role that can be assumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// The role's ARN.
    pub role: Untrusted,
    /// The roles to assume before it, in order; empty if it can be assumed directly.
    pub through: Vec<Untrusted>,
    /// Condition keys that decide at some step, as far as they are not known.
    pub depends_on: BTreeSet<String>,
}

/// No more questions are put to the evaluator for one principal: a bound for accounts made to be slow.
const QUESTIONS: usize = 2_000_000;

/// A role with its trust policy parsed.
struct Door {
    owner: Owner,
    arn: String,
    trust: Cited,
}

/// Every role of the accounts read that a user or role can assume, directly or by way of others, the nearest way
/// first. Whoever can be let in by a trust policy alone, such as an identity provider's subjects, is another matter.
/// The flag says whether all was looked at.
pub fn reach(facts: &Facts, from: &Owner) -> (Vec<Reached>, bool) {
    let mut doors = Doors::new(facts);
    let mut found: Vec<Reached> = Vec::new();
    let mut next = VecDeque::from([(from.clone(), Vec::new(), BTreeSet::new())]);
    let mut questions = 0usize;
    while let Some((owner, way, depends)) = next.pop_front() {
        let laid = Laid::of(facts, &owner);
        let me = Me::new(facts, &owner);
        for place in doors.naming(&me, &laid) {
            questions += 1;
            if questions > QUESTIONS {
                return (found, false);
            }
            let Some((door, keys)) = doors.enter(place, (&me, &laid)) else {
                continue;
            };
            let depends: BTreeSet<String> = keys.iter().chain(&depends).cloned().collect();
            let role = Untrusted::new(door.arn.as_str());
            let longer: Vec<Untrusted> = way.iter().cloned().chain([role.clone()]).collect();
            next.push_back((door.owner.clone(), longer, depends.clone()));
            found.push(Reached {
                role,
                through: way.clone(),
                depends_on: depends,
            });
        }
    }
    (found, true)
}

/// All roles, by whom their trust policies name.
struct Doors {
    /// A role that was entered is gone.
    list: Vec<Option<Door>>,
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Doors {
    fn new(facts: &Facts) -> Self {
        let mut doors = Self {
            list: Vec::new(),
            by_name: BTreeMap::new(),
        };
        for (id, account) in &facts.accounts {
            for (name, role) in &account.roles {
                let Some(door) = Door::new(id, name, role) else {
                    continue;
                };
                for name in names(&role.trust) {
                    doors
                        .by_name
                        .entry(name)
                        .or_default()
                        .push(doors.list.len());
                }
                doors.list.push(Some(door));
            }
        }
        doors
    }

    /// The roles whose trust policy names a principal. One that only names its account leaves it to the principal's
    /// own policies.
    fn naming(&mut self, me: &Me, laid: &Laid) -> BTreeSet<usize> {
        let own = ["*", me.arn.as_str(), me.session.as_str()];
        let account = [me.account.as_str(), me.root.as_str()];
        let account = account.into_iter().filter(|_| !laid.grants_nothing());
        let mut named = BTreeSet::new();
        for name in own.into_iter().chain(account) {
            if let Some(places) = self.by_name.get_mut(name) {
                // Who is gone is not looked at again by the next principal.
                places.retain(|&place| self.list.get(place).is_some_and(Option::is_some));
                named.extend(places.iter().copied());
            }
        }
        named
    }

    /// Takes a role out if the principal can assume it, with the condition keys that decide.
    fn enter(
        &mut self,
        place: usize,
        (me, laid): (&Me, &Laid),
    ) -> Option<(Door, BTreeSet<String>)> {
        let slot = self.list.get_mut(place)?;
        let keys = me.enters(laid, slot.as_ref()?)?;
        Some((slot.take()?, keys))
    }
}

/// The texts by which a trust policy is found: those under `AWS`, a session's as its role's, and a star for
/// `NotPrincipal`, whom the evaluator understands.
fn names(trust: &Value) -> BTreeSet<String> {
    let mut names = super::plan::trust_names(trust, "AWS");
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

fn session_key(account: &str, role: &str) -> String {
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
        })
    }
}

/// Who asks.
struct Me {
    arn: String,
    account: String,
    root: String,
    session: String,
    principal: Principal,
    context: Context,
}

impl Me {
    fn new(facts: &Facts, owner: &Owner) -> Self {
        let arn = facts.arn(owner);
        let (account, partition) = (owner.account.raw().to_owned(), owner.partition.raw());
        let id = facts.user(owner).map(|user| user.id.clone());
        let context = Context::new()
            .others_unknown()
            .with("aws:PrincipalArn", arn.as_str());
        let context = context
            .with("aws:PrincipalAccount", account.as_str())
            .absent("aws:PrincipalIsAWSService");
        let context = id
            .iter()
            .filter(|id| !id.is_empty())
            .fold(context, |c, id| c.with("aws:userid", id.as_str()));
        Self {
            principal: Principal::from_arn(&arn),
            root: format!("arn:{partition}:iam::{account}:root"),
            session: session_key(&account, owner.name.raw()),
            account,
            arn,
            context,
        }
    }

    /// The condition keys on which it depends whether the role can be assumed; none if it cannot be.
    fn enters(&self, laid: &Laid, door: &Door) -> Option<BTreeSet<String>> {
        let request = Request {
            principal: &self.principal,
            action: "sts:AssumeRole",
            resource: &door.arn,
            resource_account: Some(door.owner.account.raw()),
            context: &self.context,
        };
        match evaluate(&request, &laid.layers(Some(&door.trust))) {
            Decision::Allowed(_) => Some(BTreeSet::new()),
            Decision::Depends(depends) if depends.allowed.is_some() => Some(depends.keys),
            _ => None,
        }
    }
}
