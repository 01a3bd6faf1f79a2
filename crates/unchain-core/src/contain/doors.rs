//! Who may still take the roles whose trust policy a lineage wrote.

use super::facts::{Facts, Role};
use super::owner::{Owner, OwnerKind};
use super::plan::{Plan, Subject, trust_names};
use crate::lineage::NodeKind;
use crate::text::Untrusted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use unchain_policy::{
    Context, Layers, Named, Policy, Principal, Request, ResourceKind, ResourcePolicy, evaluate,
};

/// A way into a role that the lineage opened and the plan does not close.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Door {
    /// The role's ARN.
    pub role: Untrusted,
    /// The account, principal or identity provider that its trust policy lets in; `*` for everybody.
    pub who: Untrusted,
}

/// An account of nobody's, to stand for everybody.
const ANYBODY: &str = "arn:aws:iam::000000000000:role/anybody";

/// The open doors after a plan. A principal of an account that was read counts only for roles that the lineage made:
/// what it may do is seen at its own credentials.
pub(super) fn doors(plan: &Plan, after: &Facts) -> BTreeSet<Door> {
    let mut open = BTreeSet::new();
    let made: BTreeSet<&str> = plan.subjects.iter().filter_map(provider).collect();
    for (id, account) in &after.accounts {
        for (name, role) in &account.roles {
            let written = plan.subjects.iter().any(|subject| {
                let owner = subject.owner.as_ref().filter(|o| o.kind == OwnerKind::Role);
                let same = owner.is_some_and(|o| o.account.raw() == id && o.name.raw() == name);
                same && subject.kind.raw() == NodeKind::Role.name()
            });
            let mut who = BTreeSet::new();
            if written {
                who.extend(
                    trust_names(&role.trust, "AWS")
                        .into_iter()
                        .filter(|who| stranger(after, who)),
                );
            }
            let vouched = trust_names(&role.trust, "Federated");
            who.extend(
                vouched
                    .into_iter()
                    .filter(|provider| made.contains(provider.as_str())),
            );
            let lets = who.into_iter().filter(|who| lets_in(role, who));
            open.extend(lets.map(|who| Door {
                role: Untrusted::new(role.arn.as_str()),
                who: Untrusted::new(who),
            }));
        }
    }
    open
}

fn provider(subject: &Subject) -> Option<&str> {
    let name = subject.principal_arn.as_ref()?;
    (subject.kind.raw() == NodeKind::IdentityProvider.name()).then_some(name.raw())
}

/// Whether a name of a trust policy is of no account that was read.
fn stranger(facts: &Facts, who: &str) -> bool {
    let account = who.split(':').nth(4).unwrap_or(who);
    !facts.accounts.contains_key(account)
}

/// Whether a trust policy may let somebody in who is allowed everything at home.
fn lets_in(role: &Role, who: &str) -> bool {
    let Ok(trust) = Policy::from_value(&role.trust) else {
        return true;
    };
    let all = serde_json::json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let Ok(all) = Policy::from_value(&all) else {
        return true;
    };
    let layers = Layers {
        identity: vec![Named {
            name: "anything",
            policy: &all,
        }],
        resource: Some(ResourcePolicy {
            named: Named {
                name: "trust",
                policy: &trust,
            },
            kind: ResourceKind::Trust,
        }),
        ..Layers::default()
    };
    let (principal, account, actions) = asker(who);
    let context = Context::new().others_unknown();
    let context = match &account {
        Some(account) => context.with("aws:PrincipalAccount", account.as_str()),
        None => context.absent("aws:PrincipalAccount"),
    };
    actions.iter().any(|action| {
        let resource_account = Owner::of_arn(&role.arn).map(|owner| owner.account);
        let request = Request {
            principal: &principal,
            action,
            resource: &role.arn,
            resource_account: resource_account.as_ref().map(Untrusted::raw),
            context: &context,
        };
        evaluate(&request, &layers).may_be_allowed()
    })
}

/// Who would come, of which account, and by which calls.
fn asker(who: &str) -> (Principal, Option<String>, &'static [&'static str]) {
    if who.contains("-provider/") {
        let calls = &["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];
        return (Principal::federated(who), None, calls);
    }
    let account = who.split(':').nth(4).unwrap_or(who);
    let arn = match who {
        "*" => ANYBODY.to_owned(),
        who if who.ends_with(":root") || !who.contains(':') => {
            format!("arn:aws:iam::{account}:role/anybody")
        }
        who => who.to_owned(),
    };
    let account = arn.split(':').nth(4).map(str::to_owned);
    (Principal::from_arn(&arn), account, &["sts:AssumeRole"])
}
