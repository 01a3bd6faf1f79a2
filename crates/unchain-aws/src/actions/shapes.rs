//! IAM's shapes as JSON (IAM API Reference, "Data Types"); documents stay percent-encoded, as the service sends them.

use crate::value::members;
use aws_sdk_iam::types::{
    AccessKeyLastUsed, AccessKeyMetadata, AttachedPermissionsBoundary, AttachedPolicy, Group,
    GroupDetail, InstanceProfile, LoginProfile, ManagedPolicyDetail, MfaDevice,
    OpenIdConnectProviderListEntry, PasswordPolicy, Policy, PolicyDetail, PolicyVersion, Role,
    RoleDetail, RoleLastUsed, SamlProviderListEntry, ServiceSpecificCredentialMetadata, Tag, User,
    UserDetail, VirtualMfaDevice,
};
use serde_json::Value;

fn tag(of: &Tag) -> Value {
    members!(of; "Key" text key, "Value" text value)
}

fn boundary(of: &AttachedPermissionsBoundary) -> Value {
    members!(of;
        "PermissionsBoundaryType" word permissions_boundary_type,
        "PermissionsBoundaryArn" text permissions_boundary_arn)
}

pub(super) fn attached(of: &AttachedPolicy) -> Value {
    members!(of; "PolicyName" text policy_name, "PolicyArn" text policy_arn)
}

fn inline(of: &PolicyDetail) -> Value {
    members!(of; "PolicyName" text policy_name, "PolicyDocument" text policy_document)
}

fn last_used(of: &RoleLastUsed) -> Value {
    members!(of; "LastUsedDate" time last_used_date, "Region" text region)
}

pub(super) fn user(of: &User) -> Value {
    members!(of;
        "Path" text path, "UserName" text user_name, "UserId" text user_id, "Arn" text arn,
        "CreateDate" time create_date, "PasswordLastUsed" time password_last_used,
        "PermissionsBoundary" one(boundary) permissions_boundary, "Tags" some(tag) tags)
}

pub(super) fn user_detail(of: &UserDetail) -> Value {
    members!(of;
        "Path" text path, "UserName" text user_name, "UserId" text user_id, "Arn" text arn,
        "CreateDate" time create_date, "UserPolicyList" some(inline) user_policy_list,
        "GroupList" texts group_list,
        "AttachedManagedPolicies" list(attached) attached_managed_policies,
        "PermissionsBoundary" one(boundary) permissions_boundary, "Tags" list(tag) tags)
}

pub(super) fn role(of: &Role) -> Value {
    members!(of;
        "Path" text path, "RoleName" text role_name, "RoleId" text role_id, "Arn" text arn,
        "CreateDate" time create_date,
        "AssumeRolePolicyDocument" text assume_role_policy_document,
        "Description" text description, "MaxSessionDuration" number max_session_duration,
        "PermissionsBoundary" one(boundary) permissions_boundary, "Tags" some(tag) tags,
        "RoleLastUsed" one(last_used) role_last_used)
}

pub(super) fn role_detail(of: &RoleDetail) -> Value {
    members!(of;
        "Path" text path, "RoleName" text role_name, "RoleId" text role_id, "Arn" text arn,
        "CreateDate" time create_date,
        "AssumeRolePolicyDocument" text assume_role_policy_document,
        "InstanceProfileList" list(instance_profile) instance_profile_list,
        "RolePolicyList" list(inline) role_policy_list,
        "AttachedManagedPolicies" list(attached) attached_managed_policies,
        "PermissionsBoundary" one(boundary) permissions_boundary, "Tags" list(tag) tags,
        "RoleLastUsed" one(last_used) role_last_used)
}

pub(super) fn group(of: &Group) -> Value {
    members!(of;
        "Path" text path, "GroupName" text group_name, "GroupId" text group_id, "Arn" text arn,
        "CreateDate" time create_date)
}

pub(super) fn group_detail(of: &GroupDetail) -> Value {
    members!(of;
        "Path" text path, "GroupName" text group_name, "GroupId" text group_id, "Arn" text arn,
        "CreateDate" time create_date, "GroupPolicyList" list(inline) group_policy_list,
        "AttachedManagedPolicies" list(attached) attached_managed_policies)
}

pub(super) fn instance_profile(of: &InstanceProfile) -> Value {
    members!(of;
        "Path" text path, "InstanceProfileName" text instance_profile_name,
        "InstanceProfileId" text instance_profile_id, "Arn" text arn,
        "CreateDate" time create_date, "Roles" list(role) roles, "Tags" some(tag) tags)
}

pub(super) fn policy(of: &Policy) -> Value {
    members!(of;
        "PolicyName" text policy_name, "PolicyId" text policy_id, "Arn" text arn,
        "Path" text path, "DefaultVersionId" text default_version_id,
        "AttachmentCount" number attachment_count,
        "PermissionsBoundaryUsageCount" number permissions_boundary_usage_count,
        "IsAttachable" flag is_attachable, "Description" text description,
        "CreateDate" time create_date, "UpdateDate" time update_date, "Tags" some(tag) tags)
}

pub(super) fn policy_detail(of: &ManagedPolicyDetail) -> Value {
    members!(of;
        "PolicyName" text policy_name, "PolicyId" text policy_id, "Arn" text arn,
        "Path" text path, "DefaultVersionId" text default_version_id,
        "AttachmentCount" number attachment_count,
        "PermissionsBoundaryUsageCount" number permissions_boundary_usage_count,
        "IsAttachable" flag is_attachable, "Description" text description,
        "CreateDate" time create_date, "UpdateDate" time update_date,
        "PolicyVersionList" list(policy_version) policy_version_list)
}

pub(super) fn policy_version(of: &PolicyVersion) -> Value {
    members!(of;
        "Document" text document, "VersionId" text version_id,
        "IsDefaultVersion" flag is_default_version, "CreateDate" time create_date)
}

pub(super) fn access_key(of: &AccessKeyMetadata) -> Value {
    members!(of;
        "UserName" text user_name, "AccessKeyId" text access_key_id, "Status" word status,
        "CreateDate" time create_date)
}

pub(super) fn key_last_used(of: &AccessKeyLastUsed) -> Value {
    members!(of;
        "LastUsedDate" time last_used_date, "ServiceName" text service_name, "Region" text region)
}

pub(super) fn login_profile(of: &LoginProfile) -> Value {
    members!(of;
        "UserName" text user_name, "CreateDate" time create_date,
        "PasswordResetRequired" flag password_reset_required)
}

pub(super) fn password_policy(of: &PasswordPolicy) -> Value {
    members!(of;
        "MinimumPasswordLength" number minimum_password_length,
        "RequireSymbols" flag require_symbols, "RequireNumbers" flag require_numbers,
        "RequireUppercaseCharacters" flag require_uppercase_characters,
        "RequireLowercaseCharacters" flag require_lowercase_characters,
        "AllowUsersToChangePassword" flag allow_users_to_change_password,
        "ExpirePasswords" flag expire_passwords, "MaxPasswordAge" number max_password_age,
        "PasswordReusePrevention" number password_reuse_prevention,
        "HardExpiry" flag hard_expiry)
}

pub(super) fn mfa_device(of: &MfaDevice) -> Value {
    members!(of;
        "UserName" text user_name, "SerialNumber" text serial_number, "EnableDate" time enable_date)
}

/// Without the seed and the picture of it, which are secrets.
pub(super) fn virtual_device(of: &VirtualMfaDevice) -> Value {
    members!(of;
        "SerialNumber" text serial_number, "User" one(user) user, "EnableDate" time enable_date,
        "Tags" some(tag) tags)
}

pub(super) fn service_credential(of: &ServiceSpecificCredentialMetadata) -> Value {
    members!(of;
        "UserName" text user_name, "Status" word_of status,
        "ServiceUserName" text service_user_name,
        "ServiceCredentialAlias" text service_credential_alias, "CreateDate" time create_date,
        "ExpirationDate" time expiration_date,
        "ServiceSpecificCredentialId" text service_specific_credential_id,
        "ServiceName" text service_name)
}

pub(super) fn saml_provider(of: &SamlProviderListEntry) -> Value {
    members!(of; "Arn" text arn, "ValidUntil" time valid_until, "CreateDate" time create_date)
}

pub(super) fn open_id_provider(of: &OpenIdConnectProviderListEntry) -> Value {
    members!(of; "Arn" text arn)
}
