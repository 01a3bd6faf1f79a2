//! Which events matter beyond being a use: they issue a credential, make something that lasts,
//! change trust, end something, or sign somebody in. One table says which, and what to keep of each.
//! `table` lists the calls and what is kept of each; `find` finds it in a record, `keep` reads it.

mod denies;
mod find;
mod keep;
mod table;

pub use denies::allows_everything;
pub(crate) use denies::{listed, parse as parse_policy};
pub(crate) use keep::attributes;
pub use keep::{UNNAMED_DEVICE, vends};

use std::borrow::Cow;

/// A thing that an event did and that the ledger keeps as a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "the variants are named as the API actions they stand for"
)]
pub enum Deed {
    AssumeRole,
    AssumeRoleWithSaml,
    AssumeRoleWithWebIdentity,
    GetSessionToken,
    GetFederationToken,
    AssumeRoot,
    GetSigninToken,
    ConsoleLogin,
    SwitchRole,
    GetRoleCredentials,
    CreateToken,
    AuthorizeOAuth2Access,
    CreateOAuth2Token,
    GetCredentialsForIdentity,
    AssumeRoleForPodIdentity,
    RolesAnywhereCreateSession,
    S3ExpressCreateSession,
    GetDataAccess,
    /// Any other call whose response carries an access key id.
    Vend,
    UserAuthentication,
    CreateAccessKey,
    CreateUser,
    CreateLoginProfile,
    UpdateLoginProfile,
    CreateServiceSpecificCredential,
    CreateVirtualMfaDevice,
    EnableMfaDevice,
    CreateRole,
    UpdateAssumeRolePolicy,
    IdentityProvider,
    TrustAnchor,
    RunInstances,
    InstanceProfile,
    Function,
    TaskDefinition,
    UpdateAccessKey,
    DeleteAccessKey,
    DeleteUser,
    DeleteRole,
    DeleteLoginProfile,
    DeactivateMfaDevice,
    PutPolicy,
    DeletePolicy,
    AttachPolicy,
    DetachPolicy,
    /// Another change to identity, trust, logging or persistence, kept for its own sake.
    Change,
}

impl Deed {
    /// Whether a success gives the caller (or somebody) temporary credentials or a session.
    pub fn issues(self) -> bool {
        self <= Self::Vend
    }
}

/// What is kept of an event, beside time, caller, call, client and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "the variants are named as the members they are read from"
)]
pub enum Attribute {
    ChildKey,
    /// The child's principal id up to a colon.
    ChildId,
    /// The child's ARN, where it does not follow from role and session name.
    ChildArn,
    /// Seconds since 1970, a number.
    Expires,
    /// Seconds, a number.
    Duration,
    Role,
    SessionName,
    Serial,
    SourceIdentity,
    Provider,
    Subject,
    Policy,
    TargetAccount,
    User,
    UserId,
    Group,
    Key,
    Status,
    PolicyName,
    PolicyArn,
    /// A number: tokens issued before this second are denied everything.
    DenyBefore,
    /// A number, 1: everything is denied.
    DenyAll,
    /// Everything is denied to this `aws:userid`.
    DenyUserId,
    Document,
    Instance,
    InstanceProfile,
    Function,
    Trail,
    SwitchFrom,
    SignInSession,
    ClientId,
    Cluster,
    IdentityId,
    MfaUsed,
    Resource,
    /// The child's session name, where it is not [`Attribute::SessionName`].
    ChildSession,
    /// Which management events the selectors of a trail leave: `All`, `ReadOnly`, `WriteOnly` or `None`.
    ManagementEvents,
    /// Whether a trail covers all regions, `true` or `false`.
    MultiRegion,
    /// Whether a trail has the events of global services, `true` or `false`.
    GlobalEvents,
    /// Whether a trail writes digests, `true` or `false`.
    LogFileValidation,
}

/// All attributes with the names under which the case file stores them. Append only.
pub const ATTRIBUTES: [(Attribute, &str); 40] = [
    (Attribute::ChildKey, "child_key"),
    (Attribute::ChildId, "child_id"),
    (Attribute::ChildArn, "child_arn"),
    (Attribute::Expires, "expires"),
    (Attribute::Duration, "duration"),
    (Attribute::Role, "role"),
    (Attribute::SessionName, "session_name"),
    (Attribute::Serial, "mfa_serial"),
    (Attribute::SourceIdentity, "source_identity"),
    (Attribute::Provider, "provider"),
    (Attribute::Subject, "subject"),
    (Attribute::Policy, "session_policy"),
    (Attribute::TargetAccount, "target_account"),
    (Attribute::User, "user"),
    (Attribute::UserId, "user_id"),
    (Attribute::Group, "group"),
    (Attribute::Key, "key"),
    (Attribute::Status, "status"),
    (Attribute::PolicyName, "policy_name"),
    (Attribute::PolicyArn, "policy_arn"),
    (Attribute::DenyBefore, "deny_before"),
    (Attribute::DenyAll, "deny_all"),
    (Attribute::DenyUserId, "deny_user_id"),
    (Attribute::Document, "document"),
    (Attribute::Instance, "instance"),
    (Attribute::InstanceProfile, "instance_profile"),
    (Attribute::Function, "function"),
    (Attribute::Trail, "trail"),
    (Attribute::SwitchFrom, "switch_from"),
    (Attribute::SignInSession, "sign_in_session"),
    (Attribute::ClientId, "client_id"),
    (Attribute::Cluster, "cluster"),
    (Attribute::IdentityId, "identity_id"),
    (Attribute::MfaUsed, "mfa_used"),
    (Attribute::Resource, "resource"),
    (Attribute::ChildSession, "child_session"),
    (Attribute::ManagementEvents, "management_events"),
    (Attribute::MultiRegion, "multi_region"),
    (Attribute::GlobalEvents, "global_events"),
    (Attribute::LogFileValidation, "log_file_validation"),
];

impl Attribute {
    /// Whether the value is a number and not a text.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Expires | Self::Duration | Self::DenyBefore | Self::DenyAll
        )
    }
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// Seconds, or seconds since 1970.
    Number(u32),
}

impl Value<'_> {
    fn into_owned<'b>(self) -> Value<'b> {
        match self {
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => Value::Number(number),
        }
    }
}

/// How to read one kind of deed.
#[derive(Clone, Copy, Debug)]
pub struct Rule(&'static table::Row);

impl Rule {
    /// For any call whose response carries an access key id.
    pub const VEND: Self = Self(&table::VEND);

    /// What an event of this source and name does, if the ledger keeps it as a fact.
    pub fn find(source: &str, name: &str) -> Option<Self> {
        let service = source.split('.').next().unwrap_or_default();
        // Lambda appends the API's date to the name: `CreateFunction20150331`.
        let digits = |c: char| c.is_ascii_digit();
        let bare = if service == "lambda" {
            name.split(digits).next().unwrap_or(name)
        } else {
            name
        };
        let row = table::TABLE
            .iter()
            .find(|row| row.service == service && row.names.contains(&bare));
        row.map(Self)
    }

    /// What it does.
    pub fn deed(self) -> Deed {
        self.0.deed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_by_service_and_name() {
        let deed = |source, name| Rule::find(source, name).map(Rule::deed);
        assert_eq!(
            deed("lambda.amazonaws.com", "CreateFunction20150331"),
            Some(Deed::Function)
        );
        assert_eq!(
            deed("sts.amazonaws.com.cn", "AssumeRole"),
            Some(Deed::AssumeRole)
        );
        assert_eq!(deed("cloudshell.amazonaws.com", "CreateSession"), None);
    }

    #[test]
    fn attributes_are_numbered_in_order() {
        for (n, (attribute, _)) in ATTRIBUTES.iter().enumerate() {
            assert_eq!(*attribute as usize, n);
        }
    }
}
