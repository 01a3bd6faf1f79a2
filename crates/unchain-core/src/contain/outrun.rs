//! Whether an attacker who watches could be quicker than a plan: strip a deny before it is in force, make a credential
//! that the plan does not know, or get hold of a principal that is exempt.

use super::facts::Facts;
use super::owner::{Owner, OwnerKind};
use super::plan::{Action, Phase, Plan, frozen};
use super::policies::Laid;
use crate::text::Untrusted;
use std::collections::BTreeSet;
use unchain_policy::{Context, Policy, Principal, Request, evaluate};

/// The ways into a role that is exempt.
const INTO_ROLE: [&str; 2] = ["sts:AssumeRole", "iam:UpdateAssumeRolePolicy"];
/// The ways to a credential of a user that is exempt.
const INTO_USER: [&str; 3] = [
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
];

/// The accounts in which a plan puts denies and that it does not freeze, and whether the organization could.
pub(super) fn not_frozen(plan: &Plan, facts: &Facts) -> BTreeSet<(String, bool)> {
    let stands = |account: &str| {
        let levels = facts.scps(account).iter();
        let mut policies = levels.flat_map(|level| level.policies.values());
        policies.any(|document| document.to_string().contains(super::plan::FREEZE_SID))
    };
    let frozen: BTreeSet<&str> = plan.steps.iter().filter_map(frozen).collect();
    let denies = plan.steps.iter().filter(|step| step.phase == Phase::Deny);
    let accounts = denies.filter_map(|step| match &step.action {
        Action::Call(call) => Some(call.account.raw()),
        _ => None,
    });
    let accounts: BTreeSet<&str> = accounts.collect();
    let open = accounts
        .into_iter()
        .filter(|a| !frozen.contains(a) && !stands(a));
    open.map(|account| (account.to_owned(), !facts.scps(account).is_empty()))
        .collect()
}

/// The accounts that a plan freezes although it has to change something in them and nobody there is exempt.
pub(super) fn frozen_out(plan: &Plan) -> BTreeSet<String> {
    let exempt = plan.settings.exempt.iter();
    let exempt: BTreeSet<Untrusted> = exempt
        .filter_map(|arn| Some(Owner::of_arn(arn.raw())?.account))
        .collect();
    let frozen = plan.steps.iter().filter_map(frozen);
    let alone = frozen.filter(|account| !exempt.iter().any(|a| a.raw() == *account));
    alone.map(str::to_owned).collect()
}

/// Exempt principals of a lineage's accounts that the lineage could take, or make credentials of, as the accounts are
/// now. Whoever holds one is exempt from all that the organization denies.
pub(super) fn exempt_in_reach(plan: &Plan, facts: &Facts) -> BTreeSet<Owner> {
    let owners = plan.subjects.iter().filter(|s| s.credential);
    let owners: BTreeSet<&Owner> = owners.filter_map(|s| s.owner.as_ref()).collect();
    let exempt = plan.settings.exempt.iter();
    // Nothing of IAM makes a credential of root.
    let exempt: BTreeSet<Owner> = exempt
        .filter_map(|arn| Owner::of_arn(arn.raw()).filter(|owner| owner.kind != OwnerKind::Root))
        .collect();
    let reached = |exempt: &Owner| {
        let mut others = owners.iter().filter(|o| o.kind != OwnerKind::Root);
        others.any(|owner| reaches(facts, owner, exempt))
    };
    exempt.into_iter().filter(reached).collect()
}

/// Whether a principal may get hold of another.
fn reaches(facts: &Facts, owner: &Owner, exempt: &Owner) -> bool {
    let laid = Laid::of(facts, owner);
    let (own, arn) = (facts.arn(owner), facts.arn(exempt));
    let trust = facts
        .role(exempt)
        .and_then(|role| Policy::from_value(&role.trust).ok())
        .map(|policy| (format!("trust of {arn}"), policy));
    let principal = Principal::from_arn(&own);
    let context = Context::new()
        .others_unknown()
        .with("aws:PrincipalArn", own.as_str())
        .with("aws:PrincipalAccount", owner.account.raw())
        .absent("aws:PrincipalIsAWSService");
    let same = owner.account == exempt.account;
    let ways: &[&str] = match exempt.kind {
        OwnerKind::Role => &INTO_ROLE,
        OwnerKind::User if same => &INTO_USER,
        OwnerKind::User | OwnerKind::Root => &[],
    };
    ways.iter().any(|action| {
        let taken = action.starts_with("sts:");
        if taken && trust.is_none() || !taken && !same {
            return false;
        }
        let request = Request {
            principal: &principal,
            action,
            resource: &arn,
            resource_account: Some(exempt.account.raw()),
            context: &context,
        };
        let layers = laid.layers(trust.as_ref().filter(|_| taken));
        evaluate(&request, &layers).may_be_allowed()
    })
}
