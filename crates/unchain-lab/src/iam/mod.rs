//! IAM: what an account holds of users, groups, roles, policies, keys, devices and providers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unchain_policy::Policy;

use crate::operation::Operation;

/// Its operations.
pub const OPERATIONS: &[Operation] = &[];

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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
    /// In clear: the account is a pretence. Never in a record or an answer.
    pub password: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// Must be changed at the next sign-in.
    pub reset_required: bool,
}

/// A long-term access key.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MfaDevice {
    /// The TOTP seed (RFC 6238, six digits, thirty seconds, SHA-1).
    pub seed: Vec<u8>,
    /// Whose it is, once enabled, and since when (virtual seconds since 1970).
    pub enabled: Option<(String, i64)>,
    /// The last time step whose code was taken: a code counts once.
    pub last_step: Option<i64>,
}

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
