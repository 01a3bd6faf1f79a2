//! IAM (docs.aws.amazon.com/IAM/latest/APIReference).

use super::shapes::{
    access_key, attached, group, group_detail, instance_profile, key_last_used, login_profile,
    mfa_device, open_id_provider, password_policy, policy, policy_detail, policy_version, role,
    role_detail, saml_provider, service_credential, user, user_detail, virtual_device,
};
use crate::value::{members, object};
use aws_sdk_iam::operation::get_account_summary::GetAccountSummaryOutput;
use aws_sdk_iam::operation::get_credential_report::GetCredentialReportOutput;
use base64::Engine as _;
use serde_json::{Map, Value};

/// The answer of a call that says no more than that it was done.
fn nothing<O>(_: &O) -> Value {
    object([])
}

fn summary(of: &GetAccountSummaryOutput) -> Value {
    let of = of.summary_map().into_iter().flatten();
    let map: Map<String, Value> = of
        .map(|(name, number)| (name.as_str().to_owned(), Value::from(*number)))
        .collect();
    object([("SummaryMap", Value::Object(map))])
}

fn report(of: &GetCredentialReportOutput) -> Value {
    let content = of
        .content()
        .map(|blob| base64::prelude::BASE64_STANDARD.encode(blob.as_ref()));
    object([
        ("Content", content.map_or(Value::Null, Value::from)),
        ("ReportFormat", crate::value::word(of.report_format())),
        ("GeneratedTime", crate::value::time(of.generated_time())),
    ])
}

super::actions! {
    aws_sdk_iam::Client;
    "AttachRolePolicy" attach_role_policy
        [set_role_name text "RoleName", set_policy_arn text "PolicyArn"] nothing;
    "AttachUserPolicy" attach_user_policy
        [set_user_name text "UserName", set_policy_arn text "PolicyArn"] nothing;
    "CreatePolicy" create_policy
        [set_policy_name text "PolicyName", set_path text "Path", set_policy_document document "PolicyDocument",
         set_description text "Description"]
        |of| members!(of; "Policy" one(policy) policy);
    "CreatePolicyVersion" create_policy_version
        [set_policy_arn text "PolicyArn", set_policy_document document "PolicyDocument",
         set_set_as_default flag "SetAsDefault"]
        |of| members!(of; "PolicyVersion" one(policy_version) policy_version);
    "DeactivateMFADevice" deactivate_mfa_device
        [set_user_name text "UserName", set_serial_number text "SerialNumber"] nothing;
    "DeleteAccessKey" delete_access_key
        [set_user_name text "UserName", set_access_key_id text "AccessKeyId"] nothing;
    "DeleteLoginProfile" delete_login_profile [set_user_name text "UserName"] nothing;
    "DeleteOpenIDConnectProvider" delete_open_id_connect_provider
        [set_open_id_connect_provider_arn text "OpenIDConnectProviderArn"] nothing;
    "DeletePolicy" delete_policy [set_policy_arn text "PolicyArn"] nothing;
    "DeletePolicyVersion" delete_policy_version
        [set_policy_arn text "PolicyArn", set_version_id text "VersionId"] nothing;
    "DeleteRole" delete_role [set_role_name text "RoleName"] nothing;
    "DeleteRolePolicy" delete_role_policy
        [set_role_name text "RoleName", set_policy_name text "PolicyName"] nothing;
    "DeleteSAMLProvider" delete_saml_provider [set_saml_provider_arn text "SAMLProviderArn"] nothing;
    "DeleteServiceSpecificCredential" delete_service_specific_credential
        [set_user_name text "UserName", set_service_specific_credential_id text "ServiceSpecificCredentialId"]
        nothing;
    "DeleteUser" delete_user [set_user_name text "UserName"] nothing;
    "DeleteUserPolicy" delete_user_policy
        [set_user_name text "UserName", set_policy_name text "PolicyName"] nothing;
    "DeleteVirtualMFADevice" delete_virtual_mfa_device [set_serial_number text "SerialNumber"] nothing;
    "DetachRolePolicy" detach_role_policy
        [set_role_name text "RoleName", set_policy_arn text "PolicyArn"] nothing;
    "DetachUserPolicy" detach_user_policy
        [set_user_name text "UserName", set_policy_arn text "PolicyArn"] nothing;
    "GenerateCredentialReport" generate_credential_report []
        |of| members!(of; "State" word state, "Description" text description);
    "GetAccessKeyLastUsed" get_access_key_last_used [set_access_key_id text "AccessKeyId"]
        |of| members!(of;
            "UserName" text user_name, "AccessKeyLastUsed" one(key_last_used) access_key_last_used);
    "GetAccountAuthorizationDetails" get_account_authorization_details [set_marker text "Marker"]
        |of| members!(of;
            "UserDetailList" list(user_detail) user_detail_list,
            "GroupDetailList" list(group_detail) group_detail_list,
            "RoleDetailList" list(role_detail) role_detail_list,
            "Policies" list(policy_detail) policies,
            "IsTruncated" flag is_truncated, "Marker" text marker);
    "GetAccountPasswordPolicy" get_account_password_policy []
        |of| members!(of; "PasswordPolicy" one(password_policy) password_policy);
    "GetAccountSummary" get_account_summary [] summary;
    "GetCredentialReport" get_credential_report [] report;
    "GetInstanceProfile" get_instance_profile [set_instance_profile_name text "InstanceProfileName"]
        |of| members!(of; "InstanceProfile" one(instance_profile) instance_profile);
    "GetLoginProfile" get_login_profile [set_user_name text "UserName"]
        |of| members!(of; "LoginProfile" one(login_profile) login_profile);
    "GetOpenIDConnectProvider" get_open_id_connect_provider
        [set_open_id_connect_provider_arn text "OpenIDConnectProviderArn"]
        |of| members!(of;
            "Url" text url, "ClientIDList" texts client_id_list, "ThumbprintList" texts thumbprint_list,
            "CreateDate" time create_date);
    "GetPolicy" get_policy [set_policy_arn text "PolicyArn"]
        |of| members!(of; "Policy" one(policy) policy);
    "GetPolicyVersion" get_policy_version [set_policy_arn text "PolicyArn", set_version_id text "VersionId"]
        |of| members!(of; "PolicyVersion" one(policy_version) policy_version);
    "GetRole" get_role [set_role_name text "RoleName"] |of| members!(of; "Role" one(role) role);
    "GetRolePolicy" get_role_policy [set_role_name text "RoleName", set_policy_name text "PolicyName"]
        |of| members!(of;
            "RoleName" text role_name, "PolicyName" text policy_name, "PolicyDocument" text policy_document);
    "GetSAMLProvider" get_saml_provider [set_saml_provider_arn text "SAMLProviderArn"]
        |of| members!(of;
            "SAMLProviderUUID" text saml_provider_uuid, "SAMLMetadataDocument" text saml_metadata_document,
            "CreateDate" time create_date, "ValidUntil" time valid_until);
    "GetUser" get_user [set_user_name text "UserName"] |of| members!(of; "User" one(user) user);
    "GetUserPolicy" get_user_policy [set_user_name text "UserName", set_policy_name text "PolicyName"]
        |of| members!(of;
            "UserName" text user_name, "PolicyName" text policy_name, "PolicyDocument" text policy_document);
    "ListAccessKeys" list_access_keys [set_user_name text "UserName", set_marker text "Marker"]
        |of| members!(of;
            "AccessKeyMetadata" list(access_key) access_key_metadata,
            "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListAccountAliases" list_account_aliases [set_marker text "Marker"]
        |of| members!(of;
            "AccountAliases" texts account_aliases, "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListAttachedRolePolicies" list_attached_role_policies
        [set_role_name text "RoleName", set_marker text "Marker"]
        |of| members!(of;
            "AttachedPolicies" list(attached) attached_policies,
            "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListAttachedUserPolicies" list_attached_user_policies
        [set_user_name text "UserName", set_marker text "Marker"]
        |of| members!(of;
            "AttachedPolicies" list(attached) attached_policies,
            "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListGroupsForUser" list_groups_for_user [set_user_name text "UserName", set_marker text "Marker"]
        |of| members!(of;
            "Groups" list(group) groups, "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListInstanceProfilesForRole" list_instance_profiles_for_role
        [set_role_name text "RoleName", set_marker text "Marker"]
        |of| members!(of;
            "InstanceProfiles" list(instance_profile) instance_profiles,
            "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListMFADevices" list_mfa_devices [set_user_name text "UserName", set_marker text "Marker"]
        |of| members!(of;
            "MFADevices" list(mfa_device) mfa_devices,
            "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListOpenIDConnectProviders" list_open_id_connect_providers []
        |of| members!(of;
            "OpenIDConnectProviderList" list(open_id_provider) open_id_connect_provider_list);
    "ListPolicyVersions" list_policy_versions [set_policy_arn text "PolicyArn", set_marker text "Marker"]
        |of| members!(of;
            "Versions" list(policy_version) versions,
            "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListRolePolicies" list_role_policies [set_role_name text "RoleName", set_marker text "Marker"]
        |of| members!(of;
            "PolicyNames" texts policy_names, "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListRoles" list_roles [set_marker text "Marker"]
        |of| members!(of; "Roles" list(role) roles, "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListSAMLProviders" list_saml_providers []
        |of| members!(of; "SAMLProviderList" list(saml_provider) saml_provider_list);
    "ListServiceSpecificCredentials" list_service_specific_credentials
        [set_user_name text "UserName", set_service_name text "ServiceName", set_marker text "Marker"]
        |of| members!(of;
            "ServiceSpecificCredentials" list(service_credential) service_specific_credentials,
            "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListUserPolicies" list_user_policies [set_user_name text "UserName", set_marker text "Marker"]
        |of| members!(of;
            "PolicyNames" texts policy_names, "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListUsers" list_users [set_marker text "Marker"]
        |of| members!(of; "Users" list(user) users, "IsTruncated" flag is_truncated, "Marker" text marker);
    "ListVirtualMFADevices" list_virtual_mfa_devices
        [set_assignment_status text "AssignmentStatus", set_marker text "Marker"]
        |of| members!(of;
            "VirtualMFADevices" list(virtual_device) virtual_mfa_devices,
            "IsTruncated" flag is_truncated, "Marker" text marker);
    "PutRolePolicy" put_role_policy
        [set_role_name text "RoleName", set_policy_name text "PolicyName",
         set_policy_document document "PolicyDocument"]
        nothing;
    "PutUserPolicy" put_user_policy
        [set_user_name text "UserName", set_policy_name text "PolicyName",
         set_policy_document document "PolicyDocument"]
        nothing;
    "RemoveRoleFromInstanceProfile" remove_role_from_instance_profile
        [set_instance_profile_name text "InstanceProfileName", set_role_name text "RoleName"] nothing;
    "RemoveUserFromGroup" remove_user_from_group
        [set_group_name text "GroupName", set_user_name text "UserName"] nothing;
    "SetDefaultPolicyVersion" set_default_policy_version
        [set_policy_arn text "PolicyArn", set_version_id text "VersionId"] nothing;
    "UpdateAccessKey" update_access_key
        [set_user_name text "UserName", set_access_key_id text "AccessKeyId", set_status text "Status"] nothing;
    "UpdateAssumeRolePolicy" update_assume_role_policy
        [set_role_name text "RoleName", set_policy_document document "PolicyDocument"] nothing;
    "UpdateServiceSpecificCredential" update_service_specific_credential
        [set_user_name text "UserName", set_service_specific_credential_id text "ServiceSpecificCredentialId",
         set_status text "Status"]
        nothing;
}
