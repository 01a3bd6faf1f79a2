//! The state of the accounts after a plan was carried out, up to the deletions at its end: the proof must hold while
//! everything that the lineage made is still there.

use super::facts::{Facts, Managed, Policies, Role, ScpLevel, User};
use super::owner::{Owner, OwnerKind};
use super::plan::{Action, Call, Phase, Plan};
use crate::text::Untrusted;
use serde_json::Value;
use std::collections::BTreeMap;

/// The facts with a plan's calls applied. A user or role that was not read is added, with what the plan gives it.
pub(super) fn after(facts: &Facts, plan: &Plan) -> Facts {
    let mut after = facts.clone();
    let mut made: BTreeMap<String, Value> = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| step.phase < Phase::Remove) {
        let Action::Call(call) = &step.action else {
            continue;
        };
        match call.service.as_str() {
            "iam" => iam(&mut after, call),
            "organizations" => organizations(&mut after, call, (&mut made, step.number)),
            _ => {}
        }
    }
    after
}

fn text<'c>(call: &'c Call, name: &str) -> &'c str {
    call.parameters
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn document(call: &Call, name: &str) -> Value {
    call.parameters.get(name).cloned().unwrap_or_default()
}

/// The user or role that a call of IAM names.
pub(super) fn owner(call: &Call) -> Option<Owner> {
    let (kind, name) = match (text(call, "UserName"), text(call, "RoleName")) {
        ("", "") => return None,
        ("", role) => (OwnerKind::Role, role),
        (user, _) => (OwnerKind::User, user),
    };
    let [account, partition] = [call.account.clone(), Untrusted::new("aws")];
    Some(Owner {
        account,
        kind,
        name: Untrusted::new(name),
        partition,
    })
}

fn policies<'f>(facts: &'f mut Facts, owner: &Owner) -> &'f mut Policies {
    let account = facts
        .accounts
        .entry(owner.account.raw().to_owned())
        .or_default();
    let name = owner.name.raw().to_owned();
    if owner.kind == OwnerKind::User {
        let user = || User {
            arn: owner.arn(),
            ..User::default()
        };
        &mut account.users.entry(name).or_insert_with(user).policies
    } else {
        let role = || Role {
            arn: owner.arn(),
            ..Role::default()
        };
        &mut account.roles.entry(name).or_insert_with(role).policies
    }
}

fn iam(facts: &mut Facts, call: &Call) {
    let account = call.account.raw();
    match (call.action.as_str(), owner(call)) {
        ("PutUserPolicy" | "PutRolePolicy", Some(owner)) => {
            let name = text(call, "PolicyName").to_owned();
            policies(facts, &owner)
                .inline
                .insert(name, document(call, "PolicyDocument"));
        }
        ("AttachUserPolicy" | "AttachRolePolicy", Some(owner)) => {
            policies(facts, &owner)
                .attached
                .insert(text(call, "PolicyArn").to_owned());
        }
        ("UpdateAssumeRolePolicy", Some(owner)) => {
            let account = facts.accounts.entry(account.to_owned()).or_default();
            account
                .roles
                .entry(owner.name.raw().to_owned())
                .or_default()
                .trust = document(call, "PolicyDocument");
        }
        ("UpdateAccessKey", Some(owner)) => {
            let account = facts.accounts.entry(account.to_owned()).or_default();
            let user = account
                .users
                .entry(owner.name.raw().to_owned())
                .or_default();
            user.keys.insert(
                text(call, "AccessKeyId").to_owned(),
                text(call, "Status") == "Active",
            );
        }
        ("CreatePolicy", None) => {
            let arn = format!("arn:aws:iam::{account}:policy/{}", text(call, "PolicyName"));
            managed(facts, call, arn);
        }
        ("CreatePolicyVersion", None) => managed(facts, call, text(call, "PolicyArn").to_owned()),
        _ => {}
    }
}

fn managed(facts: &mut Facts, call: &Call, arn: String) {
    let account = facts
        .accounts
        .entry(call.account.raw().to_owned())
        .or_default();
    account.policies.insert(
        arn,
        Managed {
            document: document(call, "PolicyDocument"),
        },
    );
}

fn organizations(
    facts: &mut Facts,
    call: &Call,
    (made, number): (&mut BTreeMap<String, Value>, u32),
) {
    match call.action.as_str() {
        "CreatePolicy" => {
            made.insert(
                format!("${{{number}:Policy.PolicySummary.Id}}"),
                document(call, "Content"),
            );
        }
        "AttachPolicy" => {
            let (policy, target) = (text(call, "PolicyId"), text(call, "TargetId"));
            let levels = facts
                .organization
                .as_mut()
                .and_then(|o| o.scps.get_mut(target));
            let level = levels.and_then(|levels| level(levels, target));
            if let (Some(level), Some(document)) = (level, made.get(policy)) {
                level.policies.insert(policy.to_owned(), document.clone());
            }
        }
        _ => {}
    }
}

/// The account's own level; if it was not read, the last, as a deny counts at any.
fn level<'l>(levels: &'l mut [ScpLevel], target: &str) -> Option<&'l mut ScpLevel> {
    let own = levels.iter().position(|level| level.target == target);
    let place = own.or(levels.len().checked_sub(1))?;
    levels.get_mut(place)
}
