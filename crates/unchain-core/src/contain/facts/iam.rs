//! What IAM tells of single users, roles and of the account, and who asked.

use super::details::known_role;
use super::read::{Answer, account_of, at, either, items, named, text, texts, time, user};
use super::{Account, Facts, FactsError};
use serde_json::Value;
use std::collections::BTreeSet;

/// Lists that name users, not accounts.
pub(super) fn of_users(facts: &mut Facts, answer: Answer<'_>) -> Result<(), FactsError> {
    let (account, here) = answer.here(facts)?;
    let of = |item: &Value| {
        let asked = answer.asked("UserName").map(str::to_owned);
        named(item, "UserName").or(asked)
    };
    let active = |item: &Value| text(item, "Status") == "Active";
    for item in items(answer.value, "AccessKeyMetadata") {
        let (Some(name), Some(id)) = (of(item), named(item, "AccessKeyId")) else {
            continue;
        };
        let user = user(here, account, &name);
        user.keys.insert(id.clone(), active(item));
        user.keys_made
            .extend(time(item, "CreateDate").map(|made| (id, made)));
    }
    for item in items(answer.value, "MFADevices") {
        if let (Some(name), Some(serial)) = (of(item), named(item, "SerialNumber")) {
            user(here, account, &name).mfa_devices.insert(serial);
        }
    }
    for item in items(answer.value, "ServiceSpecificCredentials") {
        let id = named(item, "ServiceSpecificCredentialId");
        if let (Some(name), Some(id)) = (of(item), id) {
            let user = user(here, account, &name);
            user.service_credentials.insert(id, active(item));
        }
    }
    Ok(())
}

/// An answer without an instant: the key was never used.
pub(super) fn key_last_used(facts: &mut Facts, answer: Answer<'_>) -> Result<(), FactsError> {
    let key = answer.asked("AccessKeyId").ok_or(FactsError::NoSubject)?;
    let (account, here) = answer.here(facts)?;
    if let Some(name) = named(answer.value, "UserName") {
        user(here, account, &name);
    }
    let last = answer.value.get("AccessKeyLastUsed");
    let last = last.and_then(|last| time(last, "LastUsedDate"));
    let known = here.last_used.keys.entry(key.to_owned()).or_default();
    *known = last.max(*known);
    Ok(())
}

pub(super) fn login_profile(facts: &mut Facts, answer: Answer<'_>) -> Result<(), FactsError> {
    let profile = answer.value.get("LoginProfile").unwrap_or(&Value::Null);
    let name = named(profile, "UserName").or(answer.asked("UserName").map(str::to_owned));
    let name = name.ok_or(FactsError::NoSubject)?;
    let (account, here) = answer.here(facts)?;
    either(&mut user(here, account, &name).password, Some(true));
    Ok(())
}

/// A call that was refused: that a thing is not there is an answer, all else is unread.
pub(super) fn refused(
    facts: &mut Facts,
    call: &str,
    (answer, error): (Answer<'_>, &Value),
) -> Result<(), FactsError> {
    let code = error.as_str().unwrap_or("no answer");
    let absent = code.starts_with("NoSuchEntity");
    match (call, answer.asked("UserName")) {
        ("iam GetLoginProfile", Some(name)) if absent => {
            let (account, here) = answer.here(facts)?;
            either(&mut user(here, account, name).password, Some(false));
        }
        ("iam GetAccountPasswordPolicy", _) if absent => {
            answer.here(facts)?.1.password_length = Some(0);
        }
        ("organizations DescribeOrganization", _)
            if code.starts_with("AWSOrganizationsNotInUse") => {}
        _ => {
            let asked = answer.parameters().into_iter().flatten();
            let asked: BTreeSet<String> = asked
                .filter_map(|(_, value)| Some(value.as_str()?.to_owned()))
                .collect();
            let asked: Vec<String> = asked.into_iter().collect();
            let account = answer.account.unwrap_or("an account that is not named");
            let unread = format!("{call} {} in {account}: {code}", asked.join(" "));
            facts.unread.insert(unread.replace("  ", " "));
        }
    }
    Ok(())
}

pub(super) fn roles(facts: &mut Facts, value: &Value) {
    let mut unread = BTreeSet::new();
    for item in items(value, "Roles").chain(value.get("Role")) {
        let Some(here) = at(facts, &text(item, "Arn")) else {
            unread.insert("a role without an ARN".to_owned());
            continue;
        };
        let Some(role) = known_role(here, item, &mut unread) else {
            continue;
        };
        let longest = item.get("MaxSessionDuration").and_then(Value::as_u64);
        let longest = longest.and_then(|seconds| u32::try_from(seconds).ok());
        role.max_session = longest.or(role.max_session);
    }
    facts.unread.extend(unread);
}

pub(super) fn virtual_devices(facts: &mut Facts, value: &Value) {
    for item in items(value, "VirtualMFADevices") {
        let serial = text(item, "SerialNumber");
        let (Some(account), Some(holder)) = (account_of(&serial), item.get("User")) else {
            continue;
        };
        if let Some(name) = named(holder, "UserName") {
            let here = facts.accounts.entry(account.to_owned()).or_default();
            user(here, account, &name)
                .mfa_devices
                .insert(serial.clone());
        }
    }
}

pub(super) fn providers(facts: &mut Facts, value: &Value) {
    let both = items(value, "SAMLProviderList").chain(items(value, "OpenIDConnectProviderList"));
    for arn in both.map(|item| text(item, "Arn")) {
        if let Some(here) = at(facts, &arn) {
            here.providers.insert(arn);
        }
    }
}

/// What is told of the account as a whole.
pub(super) fn of_account(facts: &mut Facts, answer: Answer<'_>) -> Result<(), FactsError> {
    let (_, here) = answer.here(facts)?;
    let summary = answer.value.get("SummaryMap").and_then(Value::as_object);
    for (name, count) in summary.into_iter().flatten() {
        here.summary
            .extend(count.as_u64().map(|count| (name.clone(), count)));
    }
    summarized(here);
    let policy = answer.value.get("PasswordPolicy");
    let length = policy.and_then(|p| p.get("MinimumPasswordLength"));
    here.password_length = length.and_then(Value::as_u64).or(here.password_length);
    here.aliases.extend(texts(answer.value, "AccountAliases"));
    Ok(())
}

fn summarized(here: &mut Account) {
    let has = |name: &str| here.summary.get(name).map(|count| *count > 0);
    let (keys, device) = (has("AccountAccessKeysPresent"), has("AccountMFAEnabled"));
    either(&mut here.root_keys, keys);
    either(&mut here.root_mfa, device);
}

pub(super) fn caller(facts: &mut Facts, value: &Value) -> Result<(), FactsError> {
    let account = named(value, "Account").ok_or(FactsError::NoAccount)?;
    let here = facts.accounts.entry(account).or_default();
    here.read_as.extend(named(value, "Arn"));
    Ok(())
}
