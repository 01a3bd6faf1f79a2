//! The state of the accounts: who there is, with which policies, keys and devices, as far as it was read.
//!
//! Plain data. It is filled from what the AWS CLI prints ([`Facts::read`]) or from its own form, so that it can be
//! kept beside a plan. What could not be read is in [`Facts::unread`]: unseen is not absent.

mod credential_report;
mod read;

use super::document::hash;
use super::owner::{Owner, OwnerKind};
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
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            unchain_facts: FACTS_VERSION,
            accounts: BTreeMap::new(),
            organization: None,
            unread: BTreeSet::new(),
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
    /// Whether root has access keys, and an MFA device; from the credential report.
    pub root_keys: Option<bool>,
    /// See `root_keys`.
    pub root_mfa: Option<bool>,
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
    /// Whether it has a password; from the credential report.
    pub password: Option<bool>,
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
    /// Reads one text into the facts: the answer of `GetAccountAuthorizationDetails`, `GetCredentialReport` (as JSON,
    /// or its CSV), `ListAccessKeys`, `ListMFADevices`, `ListVirtualMFADevices`, `ListSAMLProviders`,
    /// `ListOpenIDConnectProviders` or `DescribeOrganization` as the AWS CLI prints it, or facts in their own form.
    /// `account` is taken where the text names none. Reading the same text again changes nothing.
    ///
    /// # Errors
    ///
    /// When the text is none of these; the facts are then as before.
    pub fn read(&mut self, text: &str, account: Option<&str>) -> Result<(), FactsError> {
        read::read(self, text, account)
    }

    /// SHA-256 of the facts, in hexadecimal digits.
    pub fn digest(&self) -> String {
        hash(self).unwrap_or_default()
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

    /// The levels of SCPs over an account; none for the management account and where the organization was not read.
    pub fn scps(&self, account: &str) -> &[ScpLevel] {
        let organization = self
            .organization
            .as_ref()
            .filter(|o| o.management_account != account);
        organization
            .and_then(|o| o.scps.get(account))
            .map_or(&[], Vec::as_slice)
    }
}
