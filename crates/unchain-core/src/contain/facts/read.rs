//! From what the AWS CLI prints to facts.

use super::{
    Account, FACTS_VERSION, Facts, FactsError, Group, Managed, Organization, Policies, Role, User,
};
use crate::deed::parse_policy;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn read(facts: &mut Facts, text: &str, account: Option<&str>) -> Result<(), FactsError> {
    if text.trim_start().starts_with("user,arn,") {
        return super::credential_report::read(facts, text);
    }
    let value: Value = serde_json::from_str(text)?;
    let has = |name: &str| value.get(name).is_some();
    if has("unchain_facts") {
        return own(facts, value);
    }
    if has("UserDetailList") || has("RoleDetailList") {
        return details(facts, &value);
    }
    if has("Content") && has("ReportFormat") {
        return super::credential_report::read_json(facts, &value);
    }
    if has("Organization") {
        return organization(facts, &value);
    }
    if has("AccessKeyMetadata") || has("MFADevices") {
        return of_users(facts, &value, account);
    }
    if has("VirtualMFADevices") {
        return virtual_devices(facts, &value);
    }
    if has("SAMLProviderList") || has("OpenIDConnectProviderList") {
        return providers(facts, &value);
    }
    Err(FactsError::Unknown)
}

/// Facts in their own form. An account read before is replaced.
fn own(facts: &mut Facts, value: Value) -> Result<(), FactsError> {
    let found = value
        .get("unchain_facts")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    if found != u64::from(FACTS_VERSION) {
        return Err(FactsError::Version { found });
    }
    let read: Facts = serde_json::from_value(value)?;
    facts.accounts.extend(read.accounts);
    facts.unread.extend(read.unread);
    if read.organization.is_some() {
        facts.organization = read.organization;
    }
    Ok(())
}

fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

pub(super) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

fn at<'f>(facts: &'f mut Facts, arn: &str) -> Option<&'f mut Account> {
    let account = account_of(arn)?;
    Some(facts.accounts.entry(account.to_owned()).or_default())
}

fn details(facts: &mut Facts, value: &Value) -> Result<(), FactsError> {
    let lists = [
        "UserDetailList",
        "RoleDetailList",
        "GroupDetailList",
        "Policies",
    ];
    let mut arns = lists
        .iter()
        .flat_map(|list| items(value, list))
        .map(|item| text(item, "Arn"));
    let account = arns.find_map(|arn| {
        account_of(&arn)
            .filter(|account| *account != "aws")
            .map(str::to_owned)
    });
    let account = account.ok_or(FactsError::NoAccount)?;
    let mut unread = BTreeSet::new();
    let here = facts.accounts.entry(account.clone()).or_default();
    here.authorization_details = true;
    for item in items(value, "UserDetailList") {
        let user = here.users.entry(text(item, "UserName")).or_default();
        user.arn = text(item, "Arn");
        user.id = text(item, "UserId");
        user.policies = policies(item, "UserPolicyList", &mut unread);
        user.groups = texts(item, "GroupList");
    }
    for item in items(value, "RoleDetailList") {
        here.roles
            .insert(text(item, "RoleName"), role(item, &mut unread));
    }
    for item in items(value, "GroupDetailList") {
        let policies = policies(item, "GroupPolicyList", &mut unread);
        here.groups.insert(
            text(item, "GroupName"),
            Group {
                arn: text(item, "Arn"),
                policies,
            },
        );
    }
    managed(here, value, &mut unread);
    if value.get("IsTruncated") == Some(&Value::Bool(true)) {
        here.authorization_details = false;
        unread.insert(format!(
            "the rest of the authorization details of {account}"
        ));
    }
    facts.unread.extend(unread);
    Ok(())
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

fn texts(value: &Value, name: &str) -> BTreeSet<String> {
    items(value, name)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn role(item: &Value, unread: &mut BTreeSet<String>) -> Role {
    let arn = text(item, "Arn");
    let trust = document(item, "AssumeRolePolicyDocument");
    if trust.is_none() {
        unread.insert(format!("the trust policy of {arn}"));
    }
    let profiles =
        items(item, "InstanceProfileList").map(|profile| text(profile, "InstanceProfileName"));
    Role {
        arn,
        id: text(item, "RoleId"),
        trust: trust.unwrap_or_default(),
        policies: policies(item, "RolePolicyList", unread),
        instance_profiles: profiles.collect(),
    }
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

/// A policy: an object as the AWS CLI prints it, or percent-encoded text as the API sends it.
fn document(value: &Value, name: &str) -> Option<Value> {
    match value.get(name)? {
        Value::String(text) => parse_policy(text),
        object @ Value::Object(_) => Some(object.clone()),
        _ => None,
    }
}

fn organization(facts: &mut Facts, value: &Value) -> Result<(), FactsError> {
    let of = value.get("Organization").ok_or(FactsError::Unknown)?;
    let management = ["MasterAccountId", "ManagementAccountId"].map(|name| text(of, name));
    let management = management
        .into_iter()
        .find(|id| !id.is_empty())
        .ok_or(FactsError::NoAccount)?;
    facts
        .organization
        .get_or_insert_with(Organization::default)
        .management_account = management;
    Ok(())
}

/// `ListAccessKeys` and `ListMFADevices` name users, not accounts.
fn of_users(facts: &mut Facts, value: &Value, account: Option<&str>) -> Result<(), FactsError> {
    let account = account.ok_or(FactsError::NoAccount)?;
    let here = facts.accounts.entry(account.to_owned()).or_default();
    for item in items(value, "AccessKeyMetadata") {
        let user = named(here, account, &text(item, "UserName"));
        user.keys
            .insert(text(item, "AccessKeyId"), text(item, "Status") == "Active");
    }
    for item in items(value, "MFADevices") {
        named(here, account, &text(item, "UserName"))
            .mfa_devices
            .insert(text(item, "SerialNumber"));
    }
    Ok(())
}

pub(super) fn named<'a>(here: &'a mut Account, account: &str, name: &str) -> &'a mut User {
    let user = here.users.entry(name.to_owned()).or_default();
    if user.arn.is_empty() {
        user.arn = format!("arn:aws:iam::{account}:user/{name}");
    }
    user
}

fn virtual_devices(facts: &mut Facts, value: &Value) -> Result<(), FactsError> {
    for item in items(value, "VirtualMFADevices") {
        let serial = text(item, "SerialNumber");
        let (Some(account), Some(holder)) = (account_of(&serial), item.get("User")) else {
            continue;
        };
        let name = text(holder, "UserName");
        if !name.is_empty() {
            let here = facts.accounts.entry(account.to_owned()).or_default();
            named(here, account, &name)
                .mfa_devices
                .insert(serial.clone());
        }
    }
    Ok(())
}

fn providers(facts: &mut Facts, value: &Value) -> Result<(), FactsError> {
    let both = items(value, "SAMLProviderList").chain(items(value, "OpenIDConnectProviderList"));
    for arn in both.map(|item| text(item, "Arn")) {
        if let Some(here) = at(facts, &arn) {
            here.providers.insert(arn);
        }
    }
    Ok(())
}
