//! The calls that commands make, as tables: what reads, what contains, what takes that back, what deletes.

/// Calls that read the state of the accounts; STS's `GetCallerIdentity` needs no permission.
pub(super) const READS: [&str; 27] = [
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetTrailStatus",
    "iam:GenerateCredentialReport",
    "iam:GetAccessKeyLastUsed",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountPasswordPolicy",
    "iam:GetAccountSummary",
    "iam:GetCredentialReport",
    "iam:GetLoginProfile",
    "iam:ListAccessKeys",
    "iam:ListAccountAliases",
    "iam:ListMFADevices",
    "iam:ListOpenIDConnectProviders",
    "iam:ListRoles",
    "iam:ListSAMLProviders",
    "iam:ListServiceSpecificCredentials",
    "iam:ListUsers",
    "iam:ListVirtualMFADevices",
    "organizations:DescribeOrganization",
    "organizations:DescribePolicy",
    "organizations:ListAccounts",
    "organizations:ListParents",
    "organizations:ListPoliciesForTarget",
    "organizations:ListRoots",
    "rolesanywhere:ListProfiles",
    "rolesanywhere:ListTrustAnchors",
];

/// A change: its service and action, and the calls that look at what it changes.
pub(super) type Change = (&'static str, &'static str, &'static [&'static str]);

pub(super) const POLICY: &[&str] = &["GetPolicy", "GetPolicyVersion", "ListPolicyVersions"];
const SCP: &[&str] = &["DescribePolicy", "ListPolicies"];
const ATTACHED_SCP: &[&str] = &["ListPoliciesForTarget", "ListTargetsForPolicy"];

/// Changes that contain. Where a policy cannot be put, the user or role is looked for: it may be gone.
pub(super) const CONTAINING: [Change; 14] = [
    (
        "iam",
        "AttachRolePolicy",
        &["ListAttachedRolePolicies", "GetRole"],
    ),
    (
        "iam",
        "AttachUserPolicy",
        &["ListAttachedUserPolicies", "GetUser"],
    ),
    ("iam", "CreatePolicy", POLICY),
    ("iam", "CreatePolicyVersion", POLICY),
    ("iam", "DeactivateMFADevice", &["ListMFADevices"]),
    ("iam", "DeleteLoginProfile", &["GetLoginProfile"]),
    ("iam", "PutRolePolicy", &["GetRolePolicy", "GetRole"]),
    ("iam", "PutUserPolicy", &["GetUserPolicy", "GetUser"]),
    ("iam", "UpdateAccessKey", &["ListAccessKeys"]),
    ("iam", "UpdateAssumeRolePolicy", &["GetRole"]),
    (
        "iam",
        "UpdateServiceSpecificCredential",
        &["ListServiceSpecificCredentials"],
    ),
    ("organizations", "AttachPolicy", ATTACHED_SCP),
    ("organizations", "CreatePolicy", SCP),
    ("rolesanywhere", "DisableTrustAnchor", &["GetTrustAnchor"]),
];

/// Changes that take containment back. Some of those that contain do so too.
pub(super) const UNDOING: [Change; 13] = [
    ("iam", "DeletePolicy", POLICY),
    ("iam", "DeletePolicyVersion", POLICY),
    ("iam", "DeleteRolePolicy", &["GetRolePolicy"]),
    ("iam", "DeleteUserPolicy", &["GetUserPolicy"]),
    ("iam", "DetachRolePolicy", &["ListAttachedRolePolicies"]),
    ("iam", "DetachUserPolicy", &["ListAttachedUserPolicies"]),
    ("iam", "PutRolePolicy", &["GetRolePolicy"]),
    ("iam", "PutUserPolicy", &["GetUserPolicy"]),
    ("iam", "SetDefaultPolicyVersion", POLICY),
    ("iam", "UpdateAccessKey", &["ListAccessKeys"]),
    ("organizations", "DeletePolicy", SCP),
    ("organizations", "DetachPolicy", ATTACHED_SCP),
    ("rolesanywhere", "EnableTrustAnchor", &["GetTrustAnchor"]),
];

/// Changes that take a step back, and nothing else does.
pub(super) const UNDOING_TOO: [Change; 2] = [
    ("iam", "UpdateAssumeRolePolicy", &["GetRole"]),
    (
        "iam",
        "UpdateServiceSpecificCredential",
        &["ListServiceSpecificCredentials"],
    ),
];

/// Changes that delete what a lineage made.
pub(super) const REMOVING: [Change; 14] = [
    ("iam", "DeactivateMFADevice", &["ListMFADevices"]),
    ("iam", "DeleteAccessKey", &["ListAccessKeys"]),
    ("iam", "DeleteLoginProfile", &["GetLoginProfile"]),
    (
        "iam",
        "DeleteOpenIDConnectProvider",
        &["GetOpenIDConnectProvider"],
    ),
    ("iam", "DeleteRole", &["GetRole"]),
    ("iam", "DeleteRolePolicy", &["GetRolePolicy"]),
    ("iam", "DeleteSAMLProvider", &["GetSAMLProvider"]),
    (
        "iam",
        "DeleteServiceSpecificCredential",
        &["ListServiceSpecificCredentials"],
    ),
    ("iam", "DeleteUser", &["GetUser"]),
    ("iam", "DeleteUserPolicy", &["GetUserPolicy"]),
    ("iam", "DeleteVirtualMFADevice", &["ListVirtualMFADevices"]),
    ("iam", "DetachRolePolicy", &["ListAttachedRolePolicies"]),
    ("iam", "DetachUserPolicy", &["ListAttachedUserPolicies"]),
    ("iam", "RemoveUserFromGroup", &["ListGroupsForUser"]),
];

/// Deleting managed policies that plans made, and versions that somebody filled them with.
pub(super) const REMOVING_OURS: [Change; 2] = [
    ("iam", "DeletePolicy", POLICY),
    ("iam", "DeletePolicyVersion", POLICY),
];

/// An instance profile is named by itself.
pub(super) const REMOVING_TOO: [Change; 1] = [(
    "iam",
    "RemoveRoleFromInstanceProfile",
    &["GetInstanceProfile"],
)];
