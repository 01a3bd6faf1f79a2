//! A principal that asks, with its policies and what they may mean.

use super::super::facts::Facts;
use super::super::owner::Owner;
use super::super::policies::Laid;
use super::Keys;
use super::doors::{Door, session_key};
use std::collections::BTreeSet;
use std::rc::Rc;
use unchain_policy::{Context, Decision, Principal, Request, evaluate};

pub(super) struct Asker {
    pub(super) number: usize,
    pub(super) arn: String,
    pub(super) account: String,
    pub(super) root: String,
    pub(super) session: String,
    pub(super) laid: Laid,
    /// How the ARNs begin of what its policies may let it assume, and pass.
    pub(super) assumable: BTreeSet<String>,
    pub(super) passable: BTreeSet<String>,
    principal: Principal,
    context: Context,
}

impl Asker {
    pub(super) fn new(facts: &Facts, owner: &Owner, number: usize) -> Self {
        let (arn, laid) = (facts.arn(owner), Laid::of(facts, owner));
        let (account, partition) = (owner.account.raw().to_owned(), owner.partition.raw());
        let id = facts.user(owner).map(|user| user.id.clone());
        let context = Context::new()
            .others_unknown()
            .with("aws:PrincipalArn", arn.as_str())
            .with("aws:PrincipalAccount", account.as_str())
            .absent("aws:PrincipalIsAWSService");
        let context = id
            .iter()
            .filter(|id| !id.is_empty())
            .fold(context, |c, id| c.with("aws:userid", id.as_str()));
        Self {
            number,
            principal: Principal::from_arn(&arn),
            root: format!("arn:{partition}:iam::{account}:root"),
            session: session_key(&account, owner.name.raw()),
            assumable: laid.beginnings("sts:AssumeRole"),
            passable: laid.beginnings("iam:PassRole"),
            laid,
            account,
            arn,
            context,
        }
    }

    /// The condition keys on which it depends whether a role can be assumed; none if it cannot be.
    pub(super) fn assumes(&self, door: &Door) -> Keys {
        let request = Request {
            principal: &self.principal,
            action: "sts:AssumeRole",
            resource: &door.arn,
            resource_account: Some(door.owner.account.raw()),
            context: &self.context,
        };
        keys(evaluate(&request, &self.laid.layers(Some(&door.trust)))).map(Rc::new)
    }

    /// The same of passing a role to a service, which only works within an account
    /// (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html).
    pub(super) fn passes(&self, door: &Door, service: &str) -> Option<BTreeSet<String>> {
        let carried = door.in_profile || service != "ec2.amazonaws.com";
        if door.owner.account.raw() != self.account {
            return None;
        }
        let context = self.context.clone().with("iam:PassedToService", service);
        let passed = self.decides(("iam:PassRole", &door.arn), &context)?;
        // An instance has a role by an instance profile only.
        let profiled = if carried {
            BTreeSet::new()
        } else {
            self.may("iam:AddRoleToInstanceProfile")?
        };
        Some(passed.union(&profiled).cloned().collect())
    }

    /// Whether an action may be allowed on any resource that its policies name.
    pub(super) fn may(&self, action: &str) -> Option<BTreeSet<String>> {
        let resources = self.laid.examples(action);
        let mut found = resources
            .iter()
            .filter_map(|resource| self.decides((action, resource), &self.context));
        found.next()
    }

    fn decides(
        &self,
        (action, resource): (&str, &str),
        context: &Context,
    ) -> Option<BTreeSet<String>> {
        let request = Request {
            principal: &self.principal,
            action,
            resource,
            resource_account: Some(&self.account),
            context,
        };
        keys(evaluate(&request, &self.laid.layers(None)))
    }
}

fn keys(decision: Decision) -> Option<BTreeSet<String>> {
    match decision {
        Decision::Allowed(_) => Some(BTreeSet::new()),
        Decision::Depends(depends) if depends.allowed.is_some() => Some(depends.keys),
        _ => None,
    }
}
