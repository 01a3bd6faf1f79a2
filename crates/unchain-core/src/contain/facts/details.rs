//! `GetAccountAuthorizationDetails`: users, roles, groups and managed policies.

use super::read::{Answer, account_of, document, items, named, text, texts, time};
use super::{Account, Facts, FactsError, Group, Managed, Policies, Role};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const LISTS: [&str; 4] = [
    "UserDetailList",
    "RoleDetailList",
    "GroupDetailList",
    "Policies",
];

/// The account that an answer is about: that of its ARNs, or else the one that was asked.
pub(super) fn account(answer: Answer<'_>) -> Option<String> {
    let arns = LISTS
        .iter()
        .flat_map(|list| items(answer.value, list))
        .filter_map(|item| item.get("Arn").and_then(Value::as_str));
    let mut accounts = arns.filter_map(account_of).filter(|a| *a != "aws");
    accounts.next().or(answer.account).map(str::to_owned)
}

pub(super) fn read(facts: &mut Facts, answer: Answer<'_>) -> Result<(), FactsError> {
    let account = account(answer).ok_or(FactsError::NoAccount)?;
    let (value, mut unread) = (answer.value, BTreeSet::new());
    let here = facts.accounts.entry(account).or_default();
    for item in items(value, "UserDetailList") {
        user(here, item, &mut unread);
    }
    for item in items(value, "RoleDetailList") {
        role(here, item, &mut unread);
    }
    for item in items(value, "GroupDetailList") {
        let policies = policies(item, "GroupPolicyList", &mut unread);
        let Some(name) = name(item, "GroupName", &mut unread) else {
            continue;
        };
        let arn = text(item, "Arn");
        here.groups.insert(name, Group { arn, policies });
    }
    managed(here, value, &mut unread);
    facts.unread.extend(unread);
    Ok(())
}

/// The name under which something is kept.
fn name(item: &Value, member: &str, unread: &mut BTreeSet<String>) -> Option<String> {
    let name = named(item, member);
    if name.is_none() {
        unread.insert(format!("an entry without {member}"));
    }
    name
}

fn user(here: &mut Account, item: &Value, unread: &mut BTreeSet<String>) {
    let Some(name) = name(item, "UserName", unread) else {
        return;
    };
    let user = here.users.entry(name).or_default();
    user.arn = named(item, "Arn").unwrap_or_else(|| std::mem::take(&mut user.arn));
    user.id = text(item, "UserId");
    user.policies = policies(item, "UserPolicyList", unread);
    user.groups = texts(item, "GroupList");
}

fn managed(here: &mut Account, value: &Value, unread: &mut BTreeSet<String>) {
    for item in items(value, "Policies") {
        let versions = || items(item, "PolicyVersionList");
        let default = versions().find(|v| v.get("IsDefaultVersion") == Some(&Value::Bool(true)));
        let document = default.and_then(|version| document(version, "Document"));
        let arn = text(item, "Arn");
        match document {
            Some(document) => {
                here.policies.insert(arn, Managed { document });
            }
            None => {
                unread.insert(format!("the default version of {arn}"));
            }
        }
    }
}

fn role(here: &mut Account, item: &Value, unread: &mut BTreeSet<String>) {
    let profiles =
        items(item, "InstanceProfileList").map(|profile| text(profile, "InstanceProfileName"));
    let profiles = profiles.collect();
    let policies = policies(item, "RolePolicyList", unread);
    let Some(role) = known_role(here, item, unread) else {
        return;
    };
    role.policies = policies;
    role.instance_profiles = profiles;
}

/// What every answer tells of a role; none if it does not tell which.
pub(super) fn known_role<'a>(
    here: &'a mut Account,
    item: &Value,
    unread: &mut BTreeSet<String>,
) -> Option<&'a mut Role> {
    let (name, arn) = (name(item, "RoleName", unread)?, text(item, "Arn"));
    if let Some(used) = item.get("RoleLastUsed") {
        let used = time(used, "LastUsedDate");
        let known = here.last_used.roles.entry(name.clone()).or_default();
        *known = used.max(*known);
    }
    let role = here.roles.entry(name).or_default();
    match document(item, "AssumeRolePolicyDocument") {
        Some(trust) => role.trust = trust,
        None => {
            unread.insert(format!("the trust policy of {arn}"));
        }
    }
    role.arn = arn;
    role.id = text(item, "RoleId");
    Some(role)
}

fn policies(item: &Value, inline: &str, unread: &mut BTreeSet<String>) -> Policies {
    let mut documents = BTreeMap::new();
    for policy in items(item, inline) {
        let name = text(policy, "PolicyName");
        match document(policy, "PolicyDocument") {
            Some(document) => {
                documents.insert(name, document);
            }
            None => {
                unread.insert(format!("the inline policy {name} of {}", text(item, "Arn")));
            }
        }
    }
    let boundary = item
        .get("PermissionsBoundary")
        .map(|b| text(b, "PermissionsBoundaryArn"));
    Policies {
        inline: documents,
        attached: items(item, "AttachedManagedPolicies")
            .map(|p| text(p, "PolicyArn"))
            .collect(),
        boundary: boundary.filter(|arn| !arn.is_empty()),
    }
}
