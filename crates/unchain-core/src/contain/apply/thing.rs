//! What a call changes, as data: which thing, by what names, and what the call leaves of it. A closed list: an action
//! that is not in it is never called.
//!
//! Actions and members: docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html,
//! …/organizations/latest/APIReference/API_Operations.html, …/rolesanywhere/latest/APIReference/API_Operations.html.

use crate::contain::plan::{Call, Phase};
use crate::text::Untrusted;
use serde_json::{Map, Value, json};

/// A kind of thing that a call changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    UserPolicy,
    RolePolicy,
    UserAttachment,
    RoleAttachment,
    ManagedPolicy,
    AccessKey,
    ServiceCredential,
    Password,
    MfaDevice,
    VirtualDevice,
    TrustPolicy,
    GroupMembership,
    ProfileRole,
    User,
    Role,
    SamlProvider,
    OpenIdProvider,
    Scp,
    ScpAttachment,
    TrustAnchor,
}

impl Kind {
    /// The members of a request that together name one thing.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::UserPolicy => &["UserName", "PolicyName"],
            Self::RolePolicy => &["RoleName", "PolicyName"],
            Self::UserAttachment => &["UserName", "PolicyArn"],
            Self::RoleAttachment => &["RoleName", "PolicyArn"],
            Self::ManagedPolicy => &["PolicyArn"],
            Self::AccessKey => &["UserName", "AccessKeyId"],
            Self::ServiceCredential => &["UserName", "ServiceSpecificCredentialId"],
            Self::Password | Self::User => &["UserName"],
            Self::MfaDevice => &["UserName", "SerialNumber"],
            Self::VirtualDevice => &["SerialNumber"],
            Self::TrustPolicy | Self::Role => &["RoleName"],
            Self::GroupMembership => &["GroupName", "UserName"],
            Self::ProfileRole => &["InstanceProfileName", "RoleName"],
            Self::SamlProvider => &["SAMLProviderArn"],
            Self::OpenIdProvider => &["OpenIDConnectProviderArn"],
            Self::Scp => &["Name"],
            Self::ScpAttachment => &["PolicyId", "TargetId"],
            Self::TrustAnchor => &["trustAnchorId", "region"],
        }
    }

    /// Whether a plan's own policies, and that they are attached, are things of this kind.
    pub(super) fn holds_denies(self) -> bool {
        matches!(
            self,
            Self::UserPolicy
                | Self::RolePolicy
                | Self::UserAttachment
                | Self::RoleAttachment
                | Self::ManagedPolicy
                | Self::Scp
                | Self::ScpAttachment
        )
    }
}

/// What a call leaves of its thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    /// It is not there any more.
    Nothing,
    /// It is there.
    There,
    /// It is enabled, or not.
    Enabled(bool),
    /// It has the value of this member.
    Member(&'static str),
    /// It has the document of this member.
    Document(&'static str),
}

/// One action that a plan may have.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) service: &'static str,
    pub(super) action: &'static str,
    pub(super) kind: Kind,
    pub(super) leaves: Leaves,
    /// Members beside those that name the thing and the one that `leaves` names.
    pub(super) beside: &'static [&'static str],
    pub(super) phases: &'static [Phase],
    /// The member of the answer that later steps refer to.
    pub(super) answer: Option<&'static str>,
}

const DENY: &[Phase] = &[Phase::Deny, Phase::CutAgain];
const REMOVE: &[Phase] = &[Phase::Remove];
const SIGN_IN: &[Phase] = &[Phase::SignIn, Phase::Remove];

const fn iam(action: &'static str, kind: Kind, leaves: Leaves, phases: &'static [Phase]) -> Rule {
    Rule {
        service: "iam",
        action,
        kind,
        leaves,
        beside: &[],
        phases,
        answer: None,
    }
}

const fn delete(action: &'static str, kind: Kind) -> Rule {
    iam(action, kind, Leaves::Nothing, REMOVE)
}

/// The path of a service control policy's id in the answer that made it.
pub(super) const SCP_ID: &str = "/Policy/PolicySummary/Id";

const DOCUMENT: Leaves = Leaves::Document("PolicyDocument");
const STATUS: Leaves = Leaves::Member("Status");
const VERSION: &str = "/PolicyVersion/VersionId";

/// Every action that a plan may have.
static RULES: &[Rule] = &[
    Rule {
        service: "organizations",
        beside: &["Description", "Type"],
        answer: Some(SCP_ID),
        ..iam(
            "CreatePolicy",
            Kind::Scp,
            Leaves::Document("Content"),
            &[Phase::Organization],
        )
    },
    Rule {
        service: "organizations",
        ..iam(
            "AttachPolicy",
            Kind::ScpAttachment,
            Leaves::There,
            &[Phase::Organization],
        )
    },
    iam("PutUserPolicy", Kind::UserPolicy, DOCUMENT, DENY),
    iam("PutRolePolicy", Kind::RolePolicy, DOCUMENT, DENY),
    Rule {
        beside: &["PolicyName"],
        answer: Some("/Policy/Arn"),
        ..iam("CreatePolicy", Kind::ManagedPolicy, DOCUMENT, DENY)
    },
    Rule {
        beside: &["SetAsDefault"],
        answer: Some(VERSION),
        ..iam("CreatePolicyVersion", Kind::ManagedPolicy, DOCUMENT, DENY)
    },
    iam(
        "AttachUserPolicy",
        Kind::UserAttachment,
        Leaves::There,
        DENY,
    ),
    iam(
        "AttachRolePolicy",
        Kind::RoleAttachment,
        Leaves::There,
        DENY,
    ),
    iam("UpdateAccessKey", Kind::AccessKey, STATUS, &[Phase::Keys]),
    iam(
        "UpdateServiceSpecificCredential",
        Kind::ServiceCredential,
        STATUS,
        &[Phase::Keys],
    ),
    iam(
        "DeleteLoginProfile",
        Kind::Password,
        Leaves::Nothing,
        SIGN_IN,
    ),
    iam(
        "DeactivateMFADevice",
        Kind::MfaDevice,
        Leaves::Nothing,
        SIGN_IN,
    ),
    iam(
        "UpdateAssumeRolePolicy",
        Kind::TrustPolicy,
        DOCUMENT,
        &[Phase::Trust],
    ),
    Rule {
        service: "rolesanywhere",
        ..iam(
            "DisableTrustAnchor",
            Kind::TrustAnchor,
            Leaves::Enabled(false),
            &[Phase::Trust],
        )
    },
    delete("DeleteAccessKey", Kind::AccessKey),
    delete("DeleteServiceSpecificCredential", Kind::ServiceCredential),
    delete("DeleteVirtualMFADevice", Kind::VirtualDevice),
    delete("RemoveUserFromGroup", Kind::GroupMembership),
    delete("RemoveRoleFromInstanceProfile", Kind::ProfileRole),
    delete("DeleteUserPolicy", Kind::UserPolicy),
    delete("DeleteRolePolicy", Kind::RolePolicy),
    delete("DetachUserPolicy", Kind::UserAttachment),
    delete("DetachRolePolicy", Kind::RoleAttachment),
    delete("DeletePolicy", Kind::ManagedPolicy),
    delete("DeleteUser", Kind::User),
    delete("DeleteRole", Kind::Role),
    delete("DeleteSAMLProvider", Kind::SamlProvider),
    delete("DeleteOpenIDConnectProvider", Kind::OpenIdProvider),
];

/// The rule of a call, if a plan may have it.
pub(super) fn rule(call: &Call) -> Option<&'static Rule> {
    RULES
        .iter()
        .find(|rule| rule.service == call.service && rule.action == call.action)
}

/// One thing that calls change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    pub(super) account: Untrusted,
    pub(super) names: Map<String, Value>,
}

impl Thing {
    /// The thing that a call changes; none if the call is not one of [`RULES`].
    pub(super) fn of(call: &Call, partition: &str) -> Option<Self> {
        let kind = rule(call)?.kind;
        let name = |name: &&str| {
            let value = call.parameters.get(*name).cloned();
            Some(((*name).to_owned(), value.or_else(|| arn(call, partition))?))
        };
        Some(Self {
            kind,
            account: call.account.clone(),
            names: kind.names().iter().map(name).collect::<Option<_>>()?,
        })
    }

    /// One of the names.
    pub(super) fn name(&self, name: &str) -> &str {
        self.names
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// A call about this thing.
    pub(super) fn call(&self, action: &str, names: &[&str]) -> Call {
        let service = match self.kind {
            Kind::Scp | Kind::ScpAttachment => "organizations",
            Kind::TrustAnchor => "rolesanywhere",
            _ => "iam",
        };
        let member = |name: &&str| Some(((*name).to_owned(), self.names.get(*name)?.clone()));
        Call {
            service: service.to_owned(),
            action: action.to_owned(),
            account: self.account.clone(),
            parameters: names.iter().filter_map(member).collect(),
        }
    }

    /// A call about one version of a managed policy.
    pub(super) fn of_version(&self, action: &str, version: Value) -> Call {
        let mut call = self.call(action, &["PolicyArn"]);
        call.parameters.insert("VersionId".to_owned(), version);
        call
    }

    /// The call that looks whether the user or role that has this thing is there; none for things without one.
    pub(super) fn holder(&self) -> Option<Call> {
        if self.names.contains_key("UserName") {
            return Some(self.call("GetUser", &["UserName"]));
        }
        let role = self.names.contains_key("RoleName");
        role.then(|| self.call("GetRole", &["RoleName"]))
    }
}

/// The ARN of a managed policy that a call makes: its answer has it, but whoever looks first has only the name.
fn arn(call: &Call, partition: &str) -> Option<Value> {
    let name = call.parameters.get("PolicyName")?.as_str()?;
    let account = call.account.raw();
    let creates = call.service == "iam" && call.action == "CreatePolicy";
    creates.then(|| json!(format!("arn:{partition}:iam::{account}:policy/{name}")))
}

/// What a call leaves of its thing, in the form in which `look` finds it.
pub(super) fn wanted(call: &Call) -> Value {
    let member = |name: &str| call.parameters.get(name).cloned().unwrap_or_default();
    match rule(call).map(|rule| (rule.leaves, rule.kind)) {
        None | Some((Leaves::Nothing, _)) => Value::Null,
        Some((Leaves::There, _)) => Value::Bool(true),
        Some((Leaves::Enabled(enabled), _)) => Value::Bool(enabled),
        Some((Leaves::Document(name), Kind::ManagedPolicy | Kind::Scp)) => {
            json!({"document": member(name)})
        }
        Some((Leaves::Member(name) | Leaves::Document(name), _)) => member(name),
    }
}
