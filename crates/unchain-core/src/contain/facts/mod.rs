//! The state of the accounts: who there is, with which policies, keys and devices, as far as it was read.
//!
//! Plain data. It is filled from what the AWS CLI prints ([`Facts::read`]) or from its own form, so that it can be
//! kept beside a plan. What could not be read is in [`Facts::unread`]: unseen is not absent.
//!
//! All texts are of one state of the accounts. They may come in any order and more than once.

mod anywhere;
mod credential_report;
mod details;
mod iam;
mod merge;
mod organization;
mod read;
mod settle;
mod trails;

pub use anywhere::AnywhereProfile;
pub use credential_report::ReportedKey;
pub use settle::{Answers, Pages};
pub use trails::{Recorded, Trail};

use super::document::hash;
use super::owner::{Owner, OwnerKind};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The version of the form of facts.
const FACTS_VERSION: u32 = 1;

/// Why a text was not read as facts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// It is neither JSON nor a credential report.
    #[error("the text is neither JSON nor a credential report")]
    Json(#[from] serde_json::Error),
    /// It is JSON of a call that is not known here.
    #[error("this is the answer of no call that is read here")]
    Unknown,
    /// It names no account, and none was given.
    #[error("the text does not say which account it is about")]
    NoAccount,
    /// It does not say what it is about.
    #[error(
        "the answer does not name what it is about: put it under `answer`, beside the `unchain_call` that it answers"
    )]
    NoSubject,
    /// It is of another version.
    #[error("the facts are of version {found}; this program reads version {FACTS_VERSION}")]
    Version {
        /// The text's version.
        found: u64,
    },
}

/// The accounts as they were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The version of this form.
    pub unchain_facts: u32,
    /// By account id.
    pub accounts: BTreeMap<String, Account>,
    /// The organization, if it was read.
    pub organization: Option<Organization>,
    /// What could not be read, in words.
    pub unread: BTreeSet<String>,
    /// Single answers that say something only together with others.
    #[serde(default)]
    pub answers: Answers,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            unchain_facts: FACTS_VERSION,
            accounts: BTreeMap::new(),
            organization: None,
            unread: BTreeSet::new(),
            answers: Answers::default(),
        }
    }
}

/// One account. Members as in `GetAccountAuthorizationDetails`
/// (docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Whether users, roles, groups and policies were read: only then is one that is not here not there.
    pub authorization_details: bool,
    /// By name.
    pub users: BTreeMap<String, User>,
    /// By name.
    pub roles: BTreeMap<String, Role>,
    /// By name.
    pub groups: BTreeMap<String, Group>,
    /// By ARN.
    pub policies: BTreeMap<String, Managed>,
    /// ARNs of SAML and OpenID Connect providers.
    pub providers: BTreeSet<String>,
    /// Whether root has access keys, and an MFA device; from the credential report or the account summary.
    pub root_keys: Option<bool>,
    /// See `root_keys`.
    pub root_mfa: Option<bool>,
    /// Trust anchors of Roles Anywhere by ARN, and whether each is enabled
    /// (docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_TrustAnchorDetail.html).
    pub trust_anchors: BTreeMap<String, bool>,
    /// Profiles of Roles Anywhere by ARN.
    pub profiles: BTreeMap<String, AnywhereProfile>,
    /// Whether the trails were listed: only then is one that is not here not there.
    pub trails_read: bool,
    /// Trails by ARN, also those of the organization that the account sees.
    pub trails: BTreeMap<String, Trail>,
    /// Counts and quotas by the names of `GetAccountSummary`
    /// (docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html).
    pub summary: BTreeMap<String, u64>,
    /// The least number of characters of a password, from the account's password policy.
    pub password_length: Option<u64>,
    /// The account's aliases.
    pub aliases: BTreeSet<String>,
    /// When what was last used. It changes by itself, so it is not in [`Facts::digest`].
    pub last_used: LastUsed,
    /// ARNs with which the account was read; not in [`Facts::digest`] either.
    pub read_as: BTreeSet<String>,
}

/// When credentials and roles were last used, UTC. What is there without an instant was not used while AWS looked:
/// since 2015 for keys, in the last 400 days for roles
/// (docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastUsed {
    /// Access keys by id; from `GetAccessKeyLastUsed`.
    pub keys: BTreeMap<String, Option<Timestamp>>,
    /// Access keys by user, first and second; from the credential report, which does not name them.
    pub reported: BTreeMap<String, Vec<Option<Timestamp>>>,
    /// Roles by name.
    pub roles: BTreeMap<String, Option<Timestamp>>,
}

/// Policies of a user, role or group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// Inline policies by name.
    pub inline: BTreeMap<String, Value>,
    /// ARNs of attached managed policies.
    pub attached: BTreeSet<String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
}

/// An IAM user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Its ARN.
    pub arn: String,
    /// `AIDA…`.
    pub id: String,
    /// Its own policies.
    pub policies: Policies,
    /// Names of its groups.
    pub groups: BTreeSet<String>,
    /// Access keys by id, and whether each is active; from `ListAccessKeys`.
    pub keys: BTreeMap<String, bool>,
    /// The number of active keys; from the credential report, which does not name them.
    pub active_keys: Option<u8>,
    /// Serial numbers of MFA devices; from `ListMFADevices` or `ListVirtualMFADevices`.
    pub mfa_devices: BTreeSet<String>,
    /// Whether it has an MFA device; from the credential report.
    pub mfa: Option<bool>,
    /// Whether it has a password; from the credential report or `GetLoginProfile`.
    pub password: Option<bool>,
    /// When access keys were made, by id, UTC; from `ListAccessKeys`.
    pub keys_made: BTreeMap<String, Timestamp>,
    /// First and second access key; from the credential report, which does not name them.
    pub reported_keys: Vec<ReportedKey>,
    /// Service-specific credentials by id, and whether each is active
    /// (docs.aws.amazon.com/IAM/latest/APIReference/API_ListServiceSpecificCredentials.html).
    pub service_credentials: BTreeMap<String, bool>,
}

/// An IAM role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// `AROA…`.
    pub id: String,
    /// The trust policy.
    pub trust: Value,
    /// Its own policies.
    pub policies: Policies,
    /// Names of the instance profiles that carry it.
    pub instance_profiles: BTreeSet<String>,
    /// The longest session in seconds; from `GetRole` or `ListRoles`, as the authorization details do not tell it
    /// (docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html).
    pub max_session: Option<u32>,
}

/// A group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// Its ARN.
    pub arn: String,
    /// Its policies.
    pub policies: Policies,
}

/// A managed policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Managed {
    /// The version in force.
    pub document: Value,
}

/// An organization, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Organization {
    /// The management account, which SCPs do not affect (AWS Organizations User Guide, "SCP evaluation").
    pub management_account: String,
    /// For each member account the levels from the root down to the account itself, the last.
    pub scps: BTreeMap<String, Vec<ScpLevel>>,
}

/// The service control policies attached to a root, an organizational unit or an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScpLevel {
    /// The id of the root, unit or account.
    pub target: String,
    /// Documents by policy id or name.
    pub policies: BTreeMap<String, Value>,
}

impl Facts {
    /// Reads one text into the facts, as the AWS CLI prints it. `account` is taken where the text names none. Reading
    /// the same text again changes nothing. What is read:
    ///
    /// - IAM: `GetAccountAuthorizationDetails`, `GetCredentialReport` (also its CSV), `ListAccessKeys`,
    ///   `GetAccessKeyLastUsed`, `ListMFADevices`, `ListVirtualMFADevices`, `ListServiceSpecificCredentials`,
    ///   `GetLoginProfile`, `ListRoles`, `GetRole`, `ListSAMLProviders`, `ListOpenIDConnectProviders`,
    ///   `GetAccountSummary`, `GetAccountPasswordPolicy`, `ListAccountAliases`;
    /// - Roles Anywhere: `ListTrustAnchors`, `ListProfiles`;
    /// - Organizations: `DescribeOrganization`, `ListRoots`, `ListAccounts`, `ListParents`, `ListPoliciesForTarget`,
    ///   `DescribePolicy`;
    /// - CloudTrail: `DescribeTrails`, `GetTrailStatus`, `GetEventSelectors`; STS: `GetCallerIdentity`;
    /// - facts in their own form.
    ///
    /// An answer that does not name its subject, and a page after the first, is put beside its call, in the form of
    /// [`super::Call`]: `{"unchain_call": {"service": "organizations", "action": "ListPoliciesForTarget", "account":
    /// "111122223333", "parameters": {"TargetId": "ou-1", "Filter": "SERVICE_CONTROL_POLICY"}}, "answer": {…}}`. In
    /// place of `answer`, `error` tells the code of a refusal, such as `AccessDenied`.
    ///
    /// # Errors
    ///
    /// When the text is none of these, or does not say what it is about; the facts are then as before.
    pub fn read(&mut self, text: &str, account: Option<&str>) -> Result<(), FactsError> {
        read::read(self, text, account)
    }

    /// SHA-256 of the facts, in hexadecimal digits, without what changes when nobody changes anything: when things were
    /// last used, and who read.
    pub fn digest(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        let accounts = value.get_mut("accounts").and_then(Value::as_object_mut);
        for account in accounts.into_iter().flat_map(|map| map.values_mut()) {
            if let Some(members) = account.as_object_mut() {
                members.remove("last_used");
                members.remove("read_as");
            }
        }
        hash(&value).unwrap_or_default()
    }

    /// The user that an owner is.
    pub fn user(&self, owner: &Owner) -> Option<&User> {
        let account = self.accounts.get(owner.account.raw())?;
        account
            .users
            .get(owner.name.raw())
            .filter(|_| owner.kind == OwnerKind::User)
    }

    /// The role that an owner is.
    pub fn role(&self, owner: &Owner) -> Option<&Role> {
        let account = self.accounts.get(owner.account.raw())?;
        account
            .roles
            .get(owner.name.raw())
            .filter(|_| owner.kind == OwnerKind::Role)
    }

    /// The policies of a user or role.
    pub fn policies(&self, owner: &Owner) -> Option<&Policies> {
        match owner.kind {
            OwnerKind::User => self.user(owner).map(|user| &user.policies),
            OwnerKind::Role => self.role(owner).map(|role| &role.policies),
            OwnerKind::Root => None,
        }
    }

    /// The ARN of a user or role with its path, where it was read.
    pub fn arn(&self, owner: &Owner) -> String {
        let known = self
            .user(owner)
            .map(|user| &user.arn)
            .or_else(|| Some(&self.role(owner)?.arn));
        known
            .filter(|arn| !arn.is_empty())
            .cloned()
            .unwrap_or_else(|| owner.arn())
    }

    /// The levels of SCPs over an account; none for the management account, and where it is not known which that is.
    pub fn scps(&self, account: &str) -> &[ScpLevel] {
        let organization = self
            .organization
            .as_ref()
            .filter(|o| o.management_account != account && !o.management_account.is_empty());
        organization
            .and_then(|o| o.scps.get(account))
            .map_or(&[], Vec::as_slice)
    }
}
