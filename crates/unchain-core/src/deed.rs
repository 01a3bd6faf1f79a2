//! Which events matter beyond being a use: they issue a credential, make something that lasts,
//! change trust, end something, or sign somebody in. One table says which, and what to keep of each.
//!
//! Response and request member names: the services' API references (STS, IAM, EC2, Lambda, …) with
//! the first letter lowered, as CloudTrail writes them. The table never names `sessionToken`.

mod denies;

use crate::event::Event;
use crate::json::Node;
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
    /// `assumedRoleId`, `federatedUserId`: the child's principal id.
    ChildPrincipal,
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
}

/// All attributes with the names under which the case file stores them. Append only.
pub const ATTRIBUTES: [(Attribute, &str); 35] = [
    (Attribute::ChildKey, "child_key"),
    (Attribute::ChildPrincipal, "child_principal"),
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

/// A part of a record.
#[derive(Clone, Copy, Debug)]
enum Part {
    Request,
    Response,
    Additional,
    Details,
}

/// Members to keep out of one object: where it is, and which member becomes which attribute.
type Group = (
    Part,
    &'static [&'static str],
    &'static [(&'static str, Attribute)],
);

struct Row {
    /// The first label of `eventSource`; empty for any.
    service: &'static str,
    names: &'static [&'static str],
    deed: Deed,
    keep: &'static [Group],
}

use Attribute as A;
use Part::{Additional, Details, Request, Response};

const CREDENTIALS: Group = (
    Response,
    &["credentials"],
    &[("accessKeyId", A::ChildKey), ("expiration", A::Expires)],
);
const ASSUMED: Group = (
    Response,
    &["assumedRoleUser"],
    &[("assumedRoleId", A::ChildPrincipal), ("arn", A::ChildArn)],
);
const ROLE_REQUEST: Group = (
    Request,
    &[],
    &[
        ("roleArn", A::Role),
        ("roleSessionName", A::SessionName),
        ("durationSeconds", A::Duration),
        ("serialNumber", A::Serial),
        ("sourceIdentity", A::SourceIdentity),
        ("policy", A::Policy),
        ("principalArn", A::Provider),
        ("providerId", A::Provider),
    ],
);
const IAM_TARGET: Group = (
    Request,
    &[],
    &[
        ("userName", A::User),
        ("roleName", A::Role),
        ("groupName", A::Group),
        ("accessKeyId", A::Key),
        ("status", A::Status),
        ("policyName", A::PolicyName),
        ("policyArn", A::PolicyArn),
        ("policyDocument", A::Document),
        ("serialNumber", A::Serial),
        ("permissionsBoundary", A::PolicyArn),
    ],
);

const fn row(
    service: &'static str,
    names: &'static [&'static str],
    deed: Deed,
    keep: &'static [Group],
) -> Row {
    Row {
        service,
        names,
        deed,
        keep,
    }
}

const TABLE: &[Row] = &[
    row(
        "sts",
        &["AssumeRole"],
        Deed::AssumeRole,
        &[ROLE_REQUEST, CREDENTIALS, ASSUMED],
    ),
    row(
        "sts",
        &["AssumeRoleWithSAML"],
        Deed::AssumeRoleWithSaml,
        &[
            ROLE_REQUEST,
            CREDENTIALS,
            ASSUMED,
            (Response, &[], &[("subject", A::Subject)]),
        ],
    ),
    row(
        "sts",
        &["AssumeRoleWithWebIdentity"],
        Deed::AssumeRoleWithWebIdentity,
        &[
            ROLE_REQUEST,
            CREDENTIALS,
            ASSUMED,
            (
                Response,
                &[],
                &[
                    ("subjectFromWebIdentityToken", A::Subject),
                    ("provider", A::Provider),
                ],
            ),
        ],
    ),
    row(
        "sts",
        &["GetSessionToken"],
        Deed::GetSessionToken,
        &[ROLE_REQUEST, CREDENTIALS],
    ),
    row(
        "sts",
        &["GetFederationToken"],
        Deed::GetFederationToken,
        &[
            (
                Request,
                &[],
                &[
                    ("name", A::SessionName),
                    ("durationSeconds", A::Duration),
                    ("policy", A::Policy),
                ],
            ),
            CREDENTIALS,
            (
                Response,
                &["federatedUser"],
                &[("federatedUserId", A::ChildPrincipal), ("arn", A::ChildArn)],
            ),
        ],
    ),
    row(
        "sts",
        &["AssumeRoot"],
        Deed::AssumeRoot,
        &[
            (
                Request,
                &[],
                &[
                    ("targetPrincipal", A::TargetAccount),
                    ("durationSeconds", A::Duration),
                ],
            ),
            (Request, &["taskPolicyArn"], &[("arn", A::PolicyArn)]),
            CREDENTIALS,
        ],
    ),
    row(
        "sts",
        &["GetDelegatedAccessToken"],
        Deed::Vend,
        &[ROLE_REQUEST, CREDENTIALS, ASSUMED],
    ),
    row(
        "signin",
        &["GetSigninToken"],
        Deed::GetSigninToken,
        &[CREDENTIALS],
    ),
    row(
        "signin",
        &["ConsoleLogin"],
        Deed::ConsoleLogin,
        &[(
            Additional,
            &[],
            &[("MFAUsed", A::MfaUsed), ("MFAIdentifier", A::Serial)],
        )],
    ),
    row(
        "signin",
        &["SwitchRole", "RenewRole"],
        Deed::SwitchRole,
        &[(Additional, &[], &[("SwitchFrom", A::SwitchFrom)])],
    ),
    row(
        "sso",
        &["GetRoleCredentials"],
        Deed::GetRoleCredentials,
        &[
            (
                Details,
                &[],
                &[("role_name", A::Role), ("account_id", A::TargetAccount)],
            ),
            (
                Request,
                &[],
                &[("roleName", A::Role), ("accountId", A::TargetAccount)],
            ),
            (
                Response,
                &["roleCredentials"],
                &[("accessKeyId", A::ChildKey)],
            ),
        ],
    ),
    row(
        "sso",
        &["CreateToken"],
        Deed::CreateToken,
        &[(Request, &[], &[("clientId", A::ClientId)])],
    ),
    row(
        "sso-oauth",
        &["CreateToken", "CreateTokenWithIAM"],
        Deed::CreateToken,
        &[(
            Additional,
            &[],
            &[
                ("identitystore:UserId", A::UserId),
                ("identitycenter:CredentialId", A::SignInSession),
            ],
        )],
    ),
    row(
        "signin",
        &["AuthorizeOAuth2Access"],
        Deed::AuthorizeOAuth2Access,
        &[(
            Request,
            &[],
            &[("client_id", A::ClientId), ("resource", A::Resource)],
        )],
    ),
    row(
        "signin",
        &["CreateOAuth2Token", "CreateOAuth2TokenWithIAM"],
        Deed::CreateOAuth2Token,
        &[
            (
                Request,
                &[],
                &[("client_id", A::ClientId), ("resource", A::Resource)],
            ),
            (
                Additional,
                &[],
                &[
                    ("signInSessionArn", A::SignInSession),
                    ("grant_type", A::Status),
                ],
            ),
        ],
    ),
    row(
        "cognito-identity",
        &["GetCredentialsForIdentity"],
        Deed::GetCredentialsForIdentity,
        &[
            (
                Request,
                &[],
                &[("identityId", A::IdentityId), ("customRoleArn", A::Role)],
            ),
            CREDENTIALS,
        ],
    ),
    row(
        "eks-auth",
        &["AssumeRoleForPodIdentity"],
        Deed::AssumeRoleForPodIdentity,
        &[(Request, &[], &[("clusterName", A::Cluster)])],
    ),
    row(
        "rolesanywhere",
        &["CreateSession"],
        Deed::RolesAnywhereCreateSession,
        &[
            (
                Request,
                &[],
                &[
                    ("roleArn", A::Role),
                    ("durationSeconds", A::Duration),
                    ("trustAnchorArn", A::Provider),
                    ("sessionName", A::SessionName),
                ],
            ),
            (Response, &[], &[("subjectArn", A::Subject)]),
        ],
    ),
    row(
        "s3express",
        &["CreateSession"],
        Deed::S3ExpressCreateSession,
        &[(Request, &[], &[("bucketName", A::Resource)]), CREDENTIALS],
    ),
    row(
        "s3",
        &["CreateSession"],
        Deed::S3ExpressCreateSession,
        &[(Request, &[], &[("bucketName", A::Resource)]), CREDENTIALS],
    ),
    row(
        "s3",
        &["GetDataAccess"],
        Deed::GetDataAccess,
        &[
            (
                Request,
                &[],
                &[("target", A::Resource), ("durationSeconds", A::Duration)],
            ),
            CREDENTIALS,
        ],
    ),
    row(
        "signin",
        &[
            "UserAuthentication",
            "CredentialVerification",
            "CredentialChallenge",
        ],
        Deed::UserAuthentication,
        &[(Additional, &[], &[("CredentialType", A::MfaUsed)])],
    ),
    row(
        "iam",
        &["CreateAccessKey"],
        Deed::CreateAccessKey,
        &[
            (Request, &[], &[("userName", A::User)]),
            (
                Response,
                &["accessKey"],
                &[("accessKeyId", A::ChildKey), ("userName", A::User)],
            ),
        ],
    ),
    row(
        "lightsail",
        &["CreateBucketAccessKey"],
        Deed::CreateAccessKey,
        &[(Response, &["accessKey"], &[("accessKeyId", A::ChildKey)])],
    ),
    row(
        "iam",
        &["CreateUser"],
        Deed::CreateUser,
        &[
            (Request, &[], &[("userName", A::User)]),
            (
                Response,
                &["user"],
                &[("userId", A::UserId), ("arn", A::ChildArn)],
            ),
        ],
    ),
    row(
        "iam",
        &["CreateLoginProfile"],
        Deed::CreateLoginProfile,
        &[(Request, &[], &[("userName", A::User)])],
    ),
    row(
        "iam",
        &["UpdateLoginProfile"],
        Deed::UpdateLoginProfile,
        &[(Request, &[], &[("userName", A::User)])],
    ),
    row(
        "iam",
        &["CreateServiceSpecificCredential"],
        Deed::CreateServiceSpecificCredential,
        &[
            (
                Request,
                &[],
                &[("userName", A::User), ("serviceName", A::Resource)],
            ),
            (
                Response,
                &["serviceSpecificCredential"],
                &[("serviceSpecificCredentialId", A::Key)],
            ),
        ],
    ),
    row(
        "iam",
        &["CreateVirtualMFADevice"],
        Deed::CreateVirtualMfaDevice,
        &[
            (Request, &[], &[("virtualMFADeviceName", A::SessionName)]),
            (
                Response,
                &["virtualMFADevice"],
                &[("serialNumber", A::Serial)],
            ),
        ],
    ),
    row(
        "iam",
        &["EnableMFADevice"],
        Deed::EnableMfaDevice,
        &[IAM_TARGET],
    ),
    row(
        "iam",
        &["CreateRole"],
        Deed::CreateRole,
        &[
            (
                Request,
                &[],
                &[
                    ("roleName", A::Role),
                    ("assumeRolePolicyDocument", A::Document),
                ],
            ),
            (
                Response,
                &["role"],
                &[("roleId", A::UserId), ("arn", A::ChildArn)],
            ),
        ],
    ),
    row(
        "iam",
        &["UpdateAssumeRolePolicy"],
        Deed::UpdateAssumeRolePolicy,
        &[(
            Request,
            &[],
            &[("roleName", A::Role), ("policyDocument", A::Document)],
        )],
    ),
    row(
        "iam",
        &[
            "CreateSAMLProvider",
            "UpdateSAMLProvider",
            "CreateOpenIDConnectProvider",
            "AddClientIDToOpenIDConnectProvider",
            "UpdateOpenIDConnectProviderThumbprint",
        ],
        Deed::IdentityProvider,
        &[
            (
                Request,
                &[],
                &[
                    ("sAMLProviderArn", A::Provider),
                    ("openIDConnectProviderArn", A::Provider),
                    ("name", A::Resource),
                    ("url", A::Resource),
                ],
            ),
            (
                Response,
                &[],
                &[
                    ("sAMLProviderArn", A::Provider),
                    ("openIDConnectProviderArn", A::Provider),
                ],
            ),
        ],
    ),
    row(
        "rolesanywhere",
        &[
            "CreateTrustAnchor",
            "UpdateTrustAnchor",
            "CreateProfile",
            "UpdateProfile",
        ],
        Deed::TrustAnchor,
        &[
            (Request, &[], &[("name", A::Resource)]),
            (
                Response,
                &["trustAnchor"],
                &[("trustAnchorArn", A::Provider)],
            ),
            (Response, &["profile"], &[("profileArn", A::Provider)]),
        ],
    ),
    row(
        "ec2",
        &["RunInstances"],
        Deed::RunInstances,
        &[(
            Request,
            &["iamInstanceProfile"],
            &[("arn", A::InstanceProfile), ("name", A::InstanceProfile)],
        )],
    ),
    row(
        "ec2",
        &[
            "AssociateIamInstanceProfile",
            "ReplaceIamInstanceProfileAssociation",
        ],
        Deed::InstanceProfile,
        &[
            (
                Request,
                &["AssociateIamInstanceProfileRequest"],
                &[("InstanceId", A::Instance)],
            ),
            (
                Request,
                &["AssociateIamInstanceProfileRequest", "IamInstanceProfile"],
                &[("Name", A::InstanceProfile), ("Arn", A::InstanceProfile)],
            ),
            (
                Response,
                &[
                    "AssociateIamInstanceProfileResponse",
                    "iamInstanceProfileAssociation",
                ],
                &[("instanceId", A::Instance)],
            ),
            (
                Response,
                &["iamInstanceProfileAssociation"],
                &[("instanceId", A::Instance)],
            ),
        ],
    ),
    row(
        "lambda",
        &["CreateFunction", "UpdateFunctionConfiguration"],
        Deed::Function,
        &[(
            Request,
            &[],
            &[("functionName", A::Function), ("role", A::Role)],
        )],
    ),
    row(
        "ecs",
        &["RegisterTaskDefinition"],
        Deed::TaskDefinition,
        &[(
            Request,
            &[],
            &[("family", A::Function), ("taskRoleArn", A::Role)],
        )],
    ),
    row(
        "iam",
        &["UpdateAccessKey"],
        Deed::UpdateAccessKey,
        &[IAM_TARGET],
    ),
    row(
        "iam",
        &["DeleteAccessKey"],
        Deed::DeleteAccessKey,
        &[IAM_TARGET],
    ),
    row("iam", &["DeleteUser"], Deed::DeleteUser, &[IAM_TARGET]),
    row("iam", &["DeleteRole"], Deed::DeleteRole, &[IAM_TARGET]),
    row(
        "iam",
        &["DeleteLoginProfile"],
        Deed::DeleteLoginProfile,
        &[IAM_TARGET],
    ),
    row(
        "iam",
        &["DeactivateMFADevice", "DeleteVirtualMFADevice"],
        Deed::DeactivateMfaDevice,
        &[IAM_TARGET],
    ),
    row(
        "iam",
        &["PutUserPolicy", "PutRolePolicy", "PutGroupPolicy"],
        Deed::PutPolicy,
        &[IAM_TARGET],
    ),
    row(
        "iam",
        &["DeleteUserPolicy", "DeleteRolePolicy", "DeleteGroupPolicy"],
        Deed::DeletePolicy,
        &[IAM_TARGET],
    ),
    row(
        "iam",
        &["AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy"],
        Deed::AttachPolicy,
        &[IAM_TARGET],
    ),
    row(
        "iam",
        &["DetachUserPolicy", "DetachRolePolicy", "DetachGroupPolicy"],
        Deed::DetachPolicy,
        &[IAM_TARGET],
    ),
    row(
        "iam",
        &[
            "ResyncMFADevice",
            "PutUserPermissionsBoundary",
            "PutRolePermissionsBoundary",
            "DeleteUserPermissionsBoundary",
            "DeleteRolePermissionsBoundary",
            "CreatePolicyVersion",
            "SetDefaultPolicyVersion",
            "AddUserToGroup",
            "RemoveUserFromGroup",
            "DeleteSAMLProvider",
            "DeleteOpenIDConnectProvider",
            "AddRoleToInstanceProfile",
            "UpdateRole",
            "ChangePassword",
            "UploadSigningCertificate",
            "UploadSSHPublicKey",
            "AcceptDelegationRequest",
            "CreateDelegationRequest",
            "SendDelegationToken",
        ],
        Deed::Change,
        &[IAM_TARGET],
    ),
    row(
        "cloudtrail",
        &[
            "StopLogging",
            "StartLogging",
            "DeleteTrail",
            "UpdateTrail",
            "CreateTrail",
            "PutEventSelectors",
            "PutInsightSelectors",
            "DeleteEventDataStore",
            "StopEventDataStoreIngestion",
        ],
        Deed::Change,
        &[(
            Request,
            &[],
            &[
                ("name", A::Trail),
                ("trailName", A::Trail),
                ("eventDataStore", A::Trail),
            ],
        )],
    ),
    row(
        "organizations",
        &[
            "AttachPolicy",
            "DetachPolicy",
            "LeaveOrganization",
            "RemoveAccountFromOrganization",
        ],
        Deed::Change,
        &[(
            Request,
            &[],
            &[
                ("policyId", A::PolicyName),
                ("targetId", A::Resource),
                ("accountId", A::TargetAccount),
            ],
        )],
    ),
    row(
        "s3",
        &["PutBucketPolicy", "DeleteBucketPolicy"],
        Deed::Change,
        &[(Request, &[], &[("bucketName", A::Resource)])],
    ),
    row("signin", &["ExitRole", "CheckMfa"], Deed::Change, &[]),
];

/// What an event of this source and name does, if the ledger keeps it as a fact.
pub fn deed(source: &str, name: &str) -> Option<Deed> {
    find(source, name).map(|row| row.deed)
}

fn find(source: &str, name: &str) -> Option<&'static Row> {
    let service = source.split('.').next().unwrap_or_default();
    // Lambda appends the API's date to the name: `CreateFunction20150331`.
    let bare = if service == "lambda" {
        name.split(|c: char| c.is_ascii_digit())
            .next()
            .unwrap_or(name)
    } else {
        name
    };
    TABLE
        .iter()
        .find(|row| row.service == service && row.names.contains(&bare))
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// Seconds, or seconds since 1970.
    Number(u32),
}

/// What the ledger keeps of an event that is a deed, in a fixed order.
pub fn attributes<'a>(event: &Event<'a>, deed: Deed) -> Vec<(Attribute, Value<'a>)> {
    let mut out = Vec::with_capacity(12);
    let vend: &[Group] = &[ROLE_REQUEST, CREDENTIALS, ASSUMED];
    let keep = find(event.source, event.name).map_or(vend, |row| row.keep);
    for (part, path, members) in keep {
        let node = match part {
            Request => event.request,
            Response => event.response,
            Additional => event.additional,
            Details => event.details,
        };
        if let Some(object) = node.and_then(|node| node.at(path)) {
            object.members(|key, value| {
                for (name, attribute) in *members {
                    if key == *name {
                        keep_value(*attribute, value, &mut out);
                    }
                }
            });
        }
    }
    special(event, deed, &mut out);
    out.sort_by_key(|(attribute, _)| *attribute);
    out.dedup();
    out
}

fn keep_value<'a>(attribute: Attribute, value: Node<'a>, out: &mut Vec<(Attribute, Value<'a>)>) {
    let kept = match attribute {
        A::Expires => value
            .scalar()
            .and_then(|t| crate::time::Timestamp::parse(&t))
            .map(|t| Value::Number(crate::time::seconds(t))),
        A::Duration => value
            .u64()
            .and_then(|n| u32::try_from(n).ok())
            .map(Value::Number),
        A::Document | A::Policy => {
            let text = value
                .str()
                .unwrap_or_else(|| Cow::Owned(value.to_value().to_string()));
            denies::denies(&text)
                .into_iter()
                .for_each(|deny| out.push(deny));
            Some(Value::Text(capped(text)))
        }
        A::PolicyArn => value.scalar().map(Value::Text),
        _ => value.scalar().map(|t| Value::Text(capped(t))),
    };
    let empty = matches!(&kept, Some(Value::Text(t)) if t.is_empty());
    if let Some(kept) = kept.filter(|_| !empty) {
        // The first value wins: request before response where both name the same thing.
        if !out.iter().any(|(a, _)| *a == attribute) || attribute == A::Document {
            out.push((attribute, kept));
        }
    }
}

/// CloudTrail caps a part at 100 KB; a policy of IAM has at most 6,144 characters. More is cut.
const LONGEST: usize = 8192;

fn capped(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((at, _)) => Cow::Owned(text.get(..at).unwrap_or_default().to_owned()),
    }
}

/// What the table cannot say: lists, and what stands in an error message only.
fn special<'a>(event: &Event<'a>, deed: Deed, out: &mut Vec<(Attribute, Value<'a>)>) {
    match deed {
        Deed::RunInstances => {
            let instances = event
                .response
                .and_then(|r| r.at(&["instancesSet", "items"]))
                .map(Node::items);
            for instance in instances.unwrap_or_default() {
                if let Some(id) = instance.get("instanceId").and_then(Node::str) {
                    out.push((A::Instance, Value::Text(id)));
                }
            }
        }
        Deed::RolesAnywhereCreateSession => {
            let first = event
                .response
                .and_then(|r| r.get("credentialSet"))
                .map(Node::items)
                .unwrap_or_default();
            for set in first.iter().take(1) {
                let Some(credentials) = set.get("credentials") else {
                    continue;
                };
                credentials.members(|key, value| match key {
                    "accessKeyId" => keep_value(A::ChildKey, value, out),
                    "expiration" => keep_value(A::Expires, value, out),
                    _ => {}
                });
                if let Some(user) = set.get("assumedRoleUser") {
                    user.members(|key, value| match key {
                        "assumedRoleId" => keep_value(A::ChildPrincipal, value, out),
                        "arn" => keep_value(A::ChildArn, value, out),
                        _ => {}
                    });
                }
            }
        }
        Deed::AttachPolicy => {
            let deny_all = out.iter().any(|(a, v)| {
                *a == A::PolicyArn
                    && matches!(v, Value::Text(t) if t.ends_with(":policy/AWSDenyAll"))
            });
            if deny_all {
                out.push((A::DenyAll, Value::Number(1)));
            }
        }
        Deed::Vend => vended(event, out),
        _ => {}
    }
    if event.failed() {
        failure(event, out);
    }
}

/// Services wrap vended credentials in many ways; the first object with an access key id is taken.
fn vended<'a>(event: &Event<'a>, out: &mut Vec<(Attribute, Value<'a>)>) {
    fn search<'a>(node: Node<'a>, depth: u32, out: &mut Vec<(Attribute, Value<'a>)>) {
        if depth == 0 || out.iter().any(|(a, _)| *a == A::ChildKey) {
            return;
        }
        node.members(|key, value| match key {
            "accessKeyId" => keep_value(A::ChildKey, value, out),
            "expiration" => keep_value(A::Expires, value, out),
            _ if value.is_object() => search(value, depth - 1, out),
            _ => {}
        });
    }
    if let Some(response) = event.response {
        search(response, 4, out);
    }
}

/// A denied call has null parameters; its role stands in the message only
/// (`… to perform: sts:AssumeRole on resource: arn:…`).
fn failure<'a>(event: &Event<'a>, out: &mut Vec<(Attribute, Value<'a>)>) {
    let Some(message) = event.error_message.and_then(Node::str) else {
        return;
    };
    let role = message
        .split("on resource: ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .filter(|arn| arn.contains(":role/"));
    if let Some(role) = role
        && !out.iter().any(|(a, _)| *a == A::Role)
    {
        out.push((A::Role, Value::Text(Cow::Owned(role.to_owned()))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_call_once() {
        let mut seen = std::collections::BTreeSet::new();
        for row in TABLE {
            for name in row.names {
                assert!(
                    seen.insert((row.service, *name)),
                    "{} {name} stands twice",
                    row.service
                );
            }
        }
        assert_eq!(
            deed("lambda.amazonaws.com", "CreateFunction20150331"),
            Some(Deed::Function)
        );
        assert_eq!(deed("cloudshell.amazonaws.com", "CreateSession"), None);
    }

    #[test]
    fn no_row_keeps_a_session_token() {
        for row in TABLE {
            for (_, _, members) in row.keep {
                assert!(
                    members
                        .iter()
                        .all(|(name, _)| !name.eq_ignore_ascii_case("sessionToken"))
                );
            }
        }
    }

    #[test]
    fn attributes_are_numbered_in_order() {
        for (n, (attribute, _)) in ATTRIBUTES.iter().enumerate() {
            assert_eq!(*attribute as usize, n);
        }
    }
}
