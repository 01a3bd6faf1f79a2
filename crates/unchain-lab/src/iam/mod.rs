//! IAM: what an account holds of users, groups, roles, policies, keys, devices and providers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unchain_policy::Policy;

mod account;
mod answer;
mod asks;
mod attach;
mod aws_managed;
mod boundary;
mod details;
mod documents;
mod fault;
mod find;
mod groups;
mod holder;
mod inline;
mod keys;
mod last_accessed;
mod login;
mod mfa;
mod names;
mod oidc;
mod page;
mod passwords;
mod policies;
mod principals;
mod profiles;
mod record;
mod report;
mod roles;
mod root_access;
mod saml;
mod service_credentials;
mod service_roles;
mod simulate;
mod table;
mod tags;
mod users;
mod versions;

#[cfg(test)]
mod tests;

pub use table::OPERATIONS;

/// The name under which the root user stands where users stand by name, as in the credential report
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html). No user can be called so.
pub const ROOT: &str = "<root_account>";

/// A policy document: the text as given, parsed once.
#[derive(Debug, Clone)]
pub struct Document {
    /// Name for messages: an inline policy's name, a managed policy's ARN.
    pub name: String,
    /// The JSON text as the caller gave it.
    pub text: String,
    /// The parsed policy.
    pub policy: Arc<Policy>,
}

impl Document {
    /// Parses a policy.
    ///
    /// # Errors
    ///
    /// The policy language's error, for `MalformedPolicyDocument`.
    pub fn parse(name: &str, text: &str) -> Result<Self, unchain_policy::PolicyError> {
        Ok(Self {
            name: name.to_owned(),
            text: text.to_owned(),
            policy: Arc::new(Policy::parse(text)?),
        })
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.name, &self.text).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (name, text) = <(String, String)>::deserialize(deserializer)?;
        Self::parse(&name, &text).map_err(serde::de::Error::custom)
    }
}

/// All of one account's IAM. Names are unique in an account whatever their case
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html); maps are by the name as given.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Iam {
    /// Users by name.
    pub users: BTreeMap<String, User>,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Roles by name.
    pub roles: BTreeMap<String, Role>,
    /// Customer-managed policies by ARN. AWS's own are in a table of the program.
    pub policies: BTreeMap<String, ManagedPolicy>,
    /// Instance profiles by name.
    pub instance_profiles: BTreeMap<String, InstanceProfile>,
    /// Virtual MFA devices by serial (an ARN), assigned or not.
    pub mfa_devices: BTreeMap<String, MfaDevice>,
    /// SAML and OIDC providers by ARN.
    pub providers: BTreeMap<String, Provider>,
    /// The root user's own access keys.
    pub root_keys: Vec<AccessKey>,
    /// The account alias.
    pub alias: Option<String>,
    /// The root user's console password, where it has one.
    #[serde(default)]
    pub root_login: Option<Login>,
    /// Passwords of single services, by user name.
    #[serde(default)]
    pub service_credentials: BTreeMap<String, Vec<ServiceCredential>>,
    /// Tags of providers, MFA devices and instance profiles, by ARN.
    #[serde(default)]
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// The password policy, where one was set.
    #[serde(default)]
    pub password_policy: Option<PasswordPolicy>,
    /// The last credential report and when it was made, virtual seconds since 1970.
    #[serde(default)]
    pub credential_report: Option<(i64, String)>,
    /// Jobs of `GenerateServiceLastAccessedDetails`, the last hundred.
    #[serde(default)]
    pub access_jobs: Vec<AccessJob>,
}

impl Iam {
    /// A managed policy by its ARN: the account's own or one of AWS's.
    pub fn managed(&self, arn: &str) -> Option<&ManagedPolicy> {
        self.policies.get(arn).or_else(|| aws_managed::find(arn))
    }
}

/// A password for one service, such as CodeCommit's Git over HTTPS
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_service-specific-creds.html).
#[derive(Clone, Serialize, Deserialize)]
pub struct ServiceCredential {
    /// `ACCA…`
    pub id: String,
    /// Such as `codecommit.amazonaws.com`.
    pub service: String,
    /// The user name at that service.
    pub service_user: String,
    /// In clear, as all secrets of the pretence.
    pub password: String,
    /// Active or inactive.
    pub active: bool,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// Virtual seconds since 1970; none: it does not end.
    pub expires_at: Option<i64>,
}

shown!(ServiceCredential: id, service, active, created_at, expires_at);

/// What a console password must be
/// (docs.aws.amazon.com/IAM/latest/APIReference/API_PasswordPolicy.html).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PasswordPolicy {
    /// Characters, 6 to 128.
    pub minimum_length: i64,
    /// At least one of `! @ # …`.
    pub symbols: bool,
    /// At least one digit.
    pub numbers: bool,
    /// At least one of A to Z.
    pub uppercase: bool,
    /// At least one of a to z.
    pub lowercase: bool,
    /// Every user may change its own password.
    pub users_may_change: bool,
    /// Days until a password ends; none: never.
    pub max_age: Option<i64>,
    /// How many former passwords may not come again.
    pub reuse_prevention: Option<i64>,
    /// A password that ended cannot be renewed by its user.
    pub hard_expiry: bool,
}

/// A job of `GenerateServiceLastAccessedDetails`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessJob {
    /// A GUID.
    pub id: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// What is asked about: a user, group, role or policy.
    pub arn: String,
    /// `SERVICE_LEVEL` or `ACTION_LEVEL`.
    pub granularity: String,
}

/// What users and roles have in common.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Attached {
    /// Inline policies by name.
    pub inline: BTreeMap<String, Document>,
    /// ARNs of attached managed policies, in the order attached.
    pub managed: Vec<String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// An IAM user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// `AIDA…`
    pub id: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// Policies and tags.
    pub attached: Attached,
    /// Access keys, at most two.
    pub keys: Vec<AccessKey>,
    /// The console password, where there is one.
    pub login: Option<Login>,
    /// Serials of assigned MFA devices.
    pub mfa: Vec<String>,
    /// Names of groups.
    pub groups: Vec<String>,
    /// Last console sign-in, virtual seconds since 1970.
    pub password_last_used: Option<i64>,
}

/// A console password.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    /// In clear: the account is a pretence. Never in a record or an answer.
    pub password: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// Must be changed at the next sign-in.
    pub reset_required: bool,
}

shown!(Login: created_at, reset_required);

/// A long-term access key.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: String,
    /// The secret.
    pub secret: String,
    /// Active or inactive.
    pub active: bool,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// When, which service and region it was last used with.
    pub last_used: Option<(i64, String, String)>,
}

shown!(AccessKey: id, active, created_at, last_used);

/// A group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// `AGPA…`
    pub id: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// Policies.
    pub attached: Attached,
}

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    /// `AROA…`
    pub id: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// Policies and tags.
    pub attached: Attached,
    /// Who may assume it.
    pub trust: Document,
    /// `MaxSessionDuration`, seconds, 3,600 to 43,200.
    pub max_session: i64,
    /// Free text.
    pub description: Option<String>,
    /// When, and from which region it was last used.
    pub last_used: Option<(i64, String)>,
}

/// A customer-managed policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// `ANPA…`
    pub id: String,
    /// The name, without path.
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// Versions by number, at most five.
    pub versions: BTreeMap<u32, (Document, i64)>,
    /// The version in force.
    pub default_version: u32,
    /// The number of the newest version ever made.
    pub newest_version: u32,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// Free text.
    pub description: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl ManagedPolicy {
    /// The document in force.
    pub fn document(&self) -> Option<&Document> {
        self.versions
            .get(&self.default_version)
            .map(|(document, _)| document)
    }

    /// The ARN, in an account or in `aws`.
    pub fn arn(&self, account: &str) -> String {
        format!("arn:aws:iam::{account}:policy{}{}", self.path, self.name)
    }

    /// When it last changed, virtual seconds since 1970.
    pub fn updated_at(&self) -> i64 {
        self.versions
            .values()
            .map(|(_, made)| *made)
            .fold(self.created_at, i64::max)
    }
}

impl User {
    /// The ARN of the user of this name.
    pub fn arn(&self, account: &str, name: &str) -> String {
        format!("arn:aws:iam::{account}:user{}{name}", self.path)
    }
}

impl Group {
    /// The ARN of the group of this name.
    pub fn arn(&self, account: &str, name: &str) -> String {
        format!("arn:aws:iam::{account}:group{}{name}", self.path)
    }
}

impl Role {
    /// The ARN of the role of this name.
    pub fn arn(&self, account: &str, name: &str) -> String {
        format!("arn:aws:iam::{account}:role{}{name}", self.path)
    }

    /// Only AWS may change it: a service-linked role, or one of Identity Center's permission sets
    /// (docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html and
    /// docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html).
    pub fn protected(&self) -> bool {
        self.path.starts_with("/aws-service-role/") || self.path.starts_with("/aws-reserved/")
    }
}

impl InstanceProfile {
    /// The ARN of the instance profile of this name.
    pub fn arn(&self, account: &str, name: &str) -> String {
        format!("arn:aws:iam::{account}:instance-profile{}{name}", self.path)
    }
}

/// An instance profile: at most one role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstanceProfile {
    /// `AIPA…`
    pub id: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// The role's name.
    pub role: Option<String>,
}

/// A virtual MFA device.
#[derive(Clone, Serialize, Deserialize)]
pub struct MfaDevice {
    /// The TOTP seed (RFC 6238, six digits, thirty seconds, SHA-1).
    pub seed: Vec<u8>,
    /// Whose it is, once enabled, and since when (virtual seconds since 1970).
    pub enabled: Option<(String, i64)>,
    /// The last time step whose code was taken: a code counts once.
    pub last_step: Option<i64>,
}

shown!(MfaDevice: enabled, last_step);

/// An identity provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Provider {
    /// SAML 2.0.
    Saml {
        /// The metadata document.
        metadata: String,
        /// Virtual seconds since 1970.
        created_at: i64,
    },
    /// OpenID Connect.
    Oidc {
        /// Issuer without `https://`.
        url: String,
        /// Audiences.
        client_ids: Vec<String>,
        /// Certificate thumbprints.
        thumbprints: Vec<String>,
        /// Virtual seconds since 1970.
        created_at: i64,
    },
}
