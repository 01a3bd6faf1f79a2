//! Which roles a principal can get to, by assuming one after the other.

use super::facts::{Facts, Role};
use super::owner::{Owner, OwnerKind};
use super::policies::{Cited, Laid};
use crate::text::Untrusted;
use serde::Serialize;
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
    /// The texts under `AWS` and the stars in its trust policy's allows.
    names: BTreeSet<String>,
}

/// Every role of the accounts read that a user or role can assume, directly or by way of others, the nearest way
/// first. Whoever can be let in by a trust policy alone, such as an identity provider's subjects, is another matter.
/// The flag says whether all was looked at.
pub fn reach(facts: &Facts, from: &Owner) -> (Vec<Reached>, bool) {
    let doors: Vec<Door> = facts
        .accounts
        .iter()
        .flat_map(|(id, account)| {
            account
                .roles
                .iter()
                .filter_map(move |(name, role)| Door::new(id, name, role))
        })
        .collect();
    let mut left: BTreeMap<usize, &Door> = doors.iter().enumerate().collect();
    let mut found: Vec<Reached> = Vec::new();
    let mut next: VecDeque<(Owner, Vec<Untrusted>, BTreeSet<String>)> =
        VecDeque::from([(from.clone(), Vec::new(), BTreeSet::new())]);
    let mut questions = 0usize;
    while let Some((owner, way, depends)) = next.pop_front() {
        let laid = Laid::of(facts, &owner);
        let me = Me::new(facts, &owner);
        let open = left.iter().filter(|(_, door)| {
            door.owner != owner
                && (door.may_name(&me) && !laid.grants_nothing() || door.names_directly(&me))
        });
        let mut entered = Vec::new();
        for (&place, door) in open {
            questions += 1;
            if questions > QUESTIONS {
                return (found, false);
            }
            if let Some(keys) = me.enters(&laid, door) {
                entered.push((place, keys));
            }
        }
        for (place, keys) in entered {
            let Some(door) = left.remove(&place) else {
                continue;
            };
            let depends: BTreeSet<String> = depends.iter().cloned().chain(keys).collect();
            let role = Untrusted::new(door.arn.as_str());
            found.push(Reached {
                role: role.clone(),
                through: way.clone(),
                depends_on: depends.clone(),
            });
            let way = way.iter().cloned().chain([role]).collect();
            next.push_back((door.owner.clone(), way, depends));
        }
    }
    (found, true)
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
        let mut names = super::plan::trust_names(&role.trust, "AWS");
        // Whom `NotPrincipal` names, the evaluator knows.
        if role.trust.to_string().contains("\"NotPrincipal\"") {
            names.insert("*".to_owned());
        }
        Some(Self {
            owner,
            arn: role.arn.clone(),
            trust: (format!("trust of {}", role.arn), trust),
            names,
        })
    }

    fn may_name(&self, me: &Me) -> bool {
        self.names_directly(me) || self.names.contains(&me.account) || self.names.contains(&me.root)
    }

    fn names_directly(&self, me: &Me) -> bool {
        let all_or_me = ["*", me.arn.as_str()]
            .iter()
            .any(|name| self.names.contains(*name));
        all_or_me || self.names.iter().any(|name| me.session_of(name))
    }
}

/// Who asks.
struct Me {
    arn: String,
    account: String,
    root: String,
    name: String,
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
            name: owner.name.raw().to_owned(),
            account,
            arn,
            context,
        }
    }

    /// A trust policy may name one session of a role.
    fn session_of(&self, name: &str) -> bool {
        let rest = name
            .split_once(":assumed-role/")
            .filter(|(start, _)| start.ends_with(&self.account));
        rest.is_some_and(|(_, session)| session.split('/').next() == Some(self.name.as_str()))
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
