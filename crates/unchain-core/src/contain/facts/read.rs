//! From what the AWS CLI prints to facts: which call a text answers, and who reads it.

use super::{Account, FACTS_VERSION, Facts, FactsError, User};
use super::{anywhere, credential_report, details, iam, merge, organization, settle, trails};
use crate::deed::parse_policy;
use crate::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

/// One answer, with what is known of its call.
#[derive(Clone, Copy)]
pub(super) struct Answer<'v> {
    pub(super) value: &'v Value,
    /// The call's parameters, where the text tells them.
    parameters: Option<&'v Value>,
    /// The account that the call was made in.
    pub(super) account: Option<&'v str>,
}

/// By which member of an unwrapped answer its call is known. A member that more than one call answers with comes
/// after those that tell more.
const TOLD_BY: [(&str, &str); 28] = [
    ("UserDetailList", "iam GetAccountAuthorizationDetails"),
    ("RoleDetailList", "iam GetAccountAuthorizationDetails"),
    ("GroupDetailList", "iam GetAccountAuthorizationDetails"),
    ("ReportFormat", "iam GetCredentialReport"),
    ("AccessKeyMetadata", "iam ListAccessKeys"),
    ("AccessKeyLastUsed", "iam GetAccessKeyLastUsed"),
    ("MFADevices", "iam ListMFADevices"),
    ("VirtualMFADevices", "iam ListVirtualMFADevices"),
    (
        "ServiceSpecificCredentials",
        "iam ListServiceSpecificCredentials",
    ),
    ("LoginProfile", "iam GetLoginProfile"),
    ("Roles", "iam ListRoles"),
    ("Role", "iam GetRole"),
    ("SAMLProviderList", "iam ListSAMLProviders"),
    (
        "OpenIDConnectProviderList",
        "iam ListOpenIDConnectProviders",
    ),
    ("SummaryMap", "iam GetAccountSummary"),
    ("PasswordPolicy", "iam GetAccountPasswordPolicy"),
    ("AccountAliases", "iam ListAccountAliases"),
    ("trustAnchors", "rolesanywhere ListTrustAnchors"),
    ("profiles", "rolesanywhere ListProfiles"),
    ("Organization", "organizations DescribeOrganization"),
    ("Roots", "organizations ListRoots"),
    ("Accounts", "organizations ListAccounts"),
    ("Parents", "organizations ListParents"),
    ("Policies", "organizations ListPoliciesForTarget"),
    ("Policy", "organizations DescribePolicy"),
    ("trailList", "cloudtrail DescribeTrails"),
    ("IsLogging", "cloudtrail GetTrailStatus"),
    ("TrailARN", "cloudtrail GetEventSelectors"),
];

pub(super) fn read(facts: &mut Facts, text: &str, account: Option<&str>) -> Result<(), FactsError> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with("user,arn,") {
        credential_report::read(facts, text);
    } else {
        let value: Value = serde_json::from_str(text)?;
        if value.get("unchain_facts").is_some() {
            own(facts, value)?;
        } else if let Some(call) = value.get("unchain_call") {
            wrapped(facts, call, (&value, account))?;
        } else {
            let call = called(&value).ok_or(FactsError::Unknown)?;
            let answer = Answer {
                value: &value,
                parameters: None,
                account,
            };
            answered(facts, call, answer)?;
        }
    }
    settle::settle(facts);
    Ok(())
}

fn called(value: &Value) -> Option<&'static str> {
    let has = |name: &str| value.get(name).is_some();
    if has("Account") && has("Arn") && has("UserId") {
        return Some("sts GetCallerIdentity");
    }
    let told = TOLD_BY.iter().find(|(member, _)| has(member))?;
    Some(told.1)
}

/// An answer beside its call, in the form of a plan's calls.
fn wrapped(
    facts: &mut Facts,
    call: &Value,
    (whole, account): (&Value, Option<&str>),
) -> Result<(), FactsError> {
    let member = |name: &str| call.get(name).and_then(Value::as_str);
    let name = format!(
        "{} {}",
        member("service").unwrap_or_default(),
        member("action").unwrap_or_default()
    );
    let answer = Answer {
        value: whole.get("answer").unwrap_or(&Value::Null),
        parameters: call.get("parameters"),
        account: member("account").filter(|a| !a.is_empty()).or(account),
    };
    match whole.get("error") {
        Some(error) => iam::refused(facts, &name, (answer, error)),
        None if answer.value.is_object() => answered(facts, &name, answer),
        None => Err(FactsError::Unknown),
    }
}

fn answered(facts: &mut Facts, call: &str, answer: Answer<'_>) -> Result<(), FactsError> {
    match call {
        "iam GetAccountAuthorizationDetails" => details::read(facts, answer)?,
        "iam GetCredentialReport" => credential_report::read_json(facts, answer.value)?,
        "iam ListVirtualMFADevices" => iam::virtual_devices(facts, answer.value),
        "iam ListRoles" | "iam GetRole" => iam::roles(facts, answer.value),
        "iam ListSAMLProviders" | "iam ListOpenIDConnectProviders" => {
            iam::providers(facts, answer.value);
        }
        "iam ListAccessKeys" | "iam ListMFADevices" | "iam ListServiceSpecificCredentials" => {
            iam::of_users(facts, answer)?;
        }
        "iam GetAccessKeyLastUsed" => iam::key_last_used(facts, answer)?,
        "iam GetLoginProfile" => iam::login_profile(facts, answer)?,
        "iam GetAccountSummary" | "iam GetAccountPasswordPolicy" | "iam ListAccountAliases" => {
            iam::of_account(facts, answer)?;
        }
        "rolesanywhere ListTrustAnchors" | "rolesanywhere ListProfiles" => {
            anywhere::read(facts, answer.value);
        }
        "cloudtrail DescribeTrails" => trails::described(facts, answer)?,
        "cloudtrail GetTrailStatus" => trails::status(facts, answer)?,
        "cloudtrail GetEventSelectors" => trails::selectors(facts, answer)?,
        "sts GetCallerIdentity" => iam::caller(facts, answer.value)?,
        call => organization::read(facts, call, answer)?,
    }
    settle::page(facts, call, answer);
    Ok(())
}

/// Facts in their own form.
fn own(facts: &mut Facts, value: Value) -> Result<(), FactsError> {
    let found = value
        .get("unchain_facts")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    if found != u64::from(FACTS_VERSION) {
        return Err(FactsError::Version { found });
    }
    merge::facts(facts, serde_json::from_value(value)?);
    Ok(())
}

impl<'v> Answer<'v> {
    /// A parameter of the call, or a member of the answer that stands for it.
    pub(super) fn asked(&self, name: &str) -> Option<&'v str> {
        let parameter = self.parameters.and_then(|p| p.get(name));
        let told = parameter
            .or_else(|| self.value.get(name))
            .and_then(Value::as_str);
        told.filter(|text| !text.is_empty())
    }

    /// The call's parameters.
    pub(super) fn parameters(&self) -> Option<&'v serde_json::Map<String, Value>> {
        self.parameters.and_then(Value::as_object)
    }

    /// The account that is asked, as the facts have it.
    pub(super) fn here<'f>(
        &self,
        facts: &'f mut Facts,
    ) -> Result<(&'v str, &'f mut Account), FactsError> {
        let account = self.account.ok_or(FactsError::NoAccount)?;
        Ok((
            account,
            facts.accounts.entry(account.to_owned()).or_default(),
        ))
    }
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// A member that is a text and not empty.
pub(super) fn named(value: &Value, name: &str) -> Option<String> {
    Some(text(value, name)).filter(|text| !text.is_empty())
}

pub(super) fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

pub(super) fn texts(value: &Value, name: &str) -> BTreeSet<String> {
    items(value, name)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// An instant: text as the AWS CLI prints it, or seconds since 1970 as the services send it.
pub(super) fn time(value: &Value, name: &str) -> Option<Timestamp> {
    match value.get(name)? {
        Value::String(text) => Timestamp::parse(text),
        Value::Number(number) => {
            let seconds = number.as_f64().filter(|s| s.is_finite())?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "an instant is whole seconds, clamped"
            )]
            Some(Timestamp::from_seconds(seconds as i64))
        }
        _ => None,
    }
}

pub(super) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

pub(super) fn at<'f>(facts: &'f mut Facts, arn: &str) -> Option<&'f mut Account> {
    let account = account_of(arn)?;
    Some(facts.accounts.entry(account.to_owned()).or_default())
}

/// A user by name; without its path where nothing told it yet.
pub(super) fn user<'a>(here: &'a mut Account, account: &str, name: &str) -> &'a mut User {
    let user = here.users.entry(name.to_owned()).or_default();
    if user.arn.is_empty() {
        user.arn = format!("arn:aws:iam::{account}:user/{name}");
    }
    user
}

/// Of two answers to one question one may be some hours old, as the credential report is: yes is kept.
pub(super) fn either(known: &mut Option<bool>, told: Option<bool>) {
    *known = match (*known, told) {
        (Some(a), Some(b)) => Some(a || b),
        (a, b) => a.or(b),
    };
}

/// A policy: an object as the AWS CLI prints it, or percent-encoded text as the API sends it.
pub(super) fn document(value: &Value, name: &str) -> Option<Value> {
    match value.get(name)? {
        Value::String(text) => parse_policy(text),
        object @ Value::Object(_) => Some(object.clone()),
        _ => None,
    }
}
