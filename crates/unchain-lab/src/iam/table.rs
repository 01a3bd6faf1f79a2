//! IAM's operations. Which of them CloudTrail calls reading ones follows from the recorded logs and from the access
//! levels of docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html.

use super::{
    account, asks, attach, boundary, details, groups, inline, keys, last_accessed, login, mfa,
    oidc, passwords, policies, profiles, report, roles, root_access, saml, service_credentials,
    service_roles, simulate, tags, users, versions,
};
use crate::call::{Call, Fault, Reply};
use crate::operation::{Ask, Event, Operation, Permission};
use crate::service::Service;
use crate::world::World;

type Asks = fn(&World, &Call<'_>) -> Result<Vec<Ask>, Fault>;
type Run = fn(&mut World, &Call<'_>) -> Result<Reply, Fault>;

const fn reads(name: &'static str, asks: Asks, run: Run) -> Operation {
    Operation {
        read_only: true,
        ..writes(name, asks, run)
    }
}

const fn writes(name: &'static str, asks: Asks, run: Run) -> Operation {
    Operation {
        service: Service::Iam,
        name,
        read_only: false,
        event: Event::Management,
        permission: Permission::Asks(asks),
        run,
    }
}

/// Its operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    writes("CreateUser", asks::new_user, users::create),
    reads("GetUser", asks::user, users::get),
    reads("ListUsers", asks::users, users::list),
    writes("UpdateUser", asks::renamed_user, users::update),
    writes("DeleteUser", asks::user, users::delete),
    writes("TagUser", asks::user, tags::add),
    writes("UntagUser", asks::user, tags::remove),
    reads("ListUserTags", asks::user, tags::list),

    writes("CreateGroup", asks::new_group, groups::create),
    reads("GetGroup", asks::group, groups::get),
    reads("ListGroups", asks::groups, groups::list),
    writes("DeleteGroup", asks::group, groups::delete),
    writes("AddUserToGroup", asks::group, groups::add_user),
    writes("RemoveUserFromGroup", asks::group, groups::remove_user),
    reads("ListGroupsForUser", asks::user, groups::of_user),

    writes("CreateRole", asks::new_role, roles::create),
    reads("GetRole", asks::role, roles::get),
    reads("ListRoles", asks::roles, roles::list),
    writes("UpdateRole", asks::role, roles::update),
    writes("UpdateRoleDescription", asks::role, roles::describe),
    writes("UpdateAssumeRolePolicy", asks::role, roles::update_trust),
    writes("DeleteRole", asks::role, roles::delete),
    writes("TagRole", asks::role, tags::add),
    writes("UntagRole", asks::role, tags::remove),
    reads("ListRoleTags", asks::role, tags::list),
    writes("CreateServiceLinkedRole", asks::service_role, service_roles::create),
    writes("DeleteServiceLinkedRole", asks::role, service_roles::delete),
    reads("GetServiceLinkedRoleDeletionStatus", asks::deleted_role, service_roles::deletion_status),

    writes("CreateAccessKey", asks::user, keys::create),
    reads("ListAccessKeys", asks::user, keys::list),
    writes("UpdateAccessKey", asks::user, keys::update),
    writes("DeleteAccessKey", asks::user, keys::delete),
    reads("GetAccessKeyLastUsed", asks::key_owner, keys::last_used),

    writes("PutUserPolicy", asks::user, inline::put),
    writes("PutGroupPolicy", asks::group, inline::put),
    writes("PutRolePolicy", asks::role, inline::put),
    reads("GetUserPolicy", asks::user, inline::get),
    reads("GetGroupPolicy", asks::group, inline::get),
    reads("GetRolePolicy", asks::role, inline::get),
    reads("ListUserPolicies", asks::user, inline::list),
    reads("ListGroupPolicies", asks::group, inline::list),
    reads("ListRolePolicies", asks::role, inline::list),
    writes("DeleteUserPolicy", asks::user, inline::delete),
    writes("DeleteGroupPolicy", asks::group, inline::delete),
    writes("DeleteRolePolicy", asks::role, inline::delete),

    writes("AttachUserPolicy", asks::user, attach::attach),
    writes("AttachGroupPolicy", asks::group, attach::attach),
    writes("AttachRolePolicy", asks::role, attach::attach),
    writes("DetachUserPolicy", asks::user, attach::detach),
    writes("DetachGroupPolicy", asks::group, attach::detach),
    writes("DetachRolePolicy", asks::role, attach::detach),
    reads("ListAttachedUserPolicies", asks::user, attach::list),
    reads("ListAttachedGroupPolicies", asks::group, attach::list),
    reads("ListAttachedRolePolicies", asks::role, attach::list),

    writes("PutUserPermissionsBoundary", asks::user, boundary::put),
    writes("PutRolePermissionsBoundary", asks::role, boundary::put),
    writes("DeleteUserPermissionsBoundary", asks::user, boundary::delete),
    writes("DeleteRolePermissionsBoundary", asks::role, boundary::delete),

    writes("CreatePolicy", asks::new_policy, policies::create),
    reads("GetPolicy", asks::policy, policies::get),
    reads("ListPolicies", asks::policies, policies::list),
    writes("DeletePolicy", asks::policy, policies::delete),
    reads("ListEntitiesForPolicy", asks::policy, policies::entities),
    writes("TagPolicy", asks::policy, policies::tag),
    writes("UntagPolicy", asks::policy, policies::untag),
    reads("ListPolicyTags", asks::policy, policies::list_tags),
    writes("CreatePolicyVersion", asks::policy, versions::create),
    reads("GetPolicyVersion", asks::policy, versions::get),
    reads("ListPolicyVersions", asks::policy, versions::list),
    writes("SetDefaultPolicyVersion", asks::policy, versions::set_default),
    writes("DeletePolicyVersion", asks::policy, versions::delete),

    writes("CreateLoginProfile", asks::user, login::create),
    reads("GetLoginProfile", asks::user, login::get),
    writes("UpdateLoginProfile", asks::user, login::update),
    writes("DeleteLoginProfile", asks::user, login::delete),
    writes("ChangePassword", asks::user, login::change_own),
    reads("GetAccountPasswordPolicy", asks::any, passwords::get),
    writes("UpdateAccountPasswordPolicy", asks::any, passwords::update),
    writes("DeleteAccountPasswordPolicy", asks::any, passwords::delete),

    writes("CreateVirtualMFADevice", asks::new_device, mfa::create),
    writes("EnableMFADevice", asks::user, mfa::enable),
    writes("DeactivateMFADevice", asks::user, mfa::deactivate),
    writes("ResyncMFADevice", asks::user, mfa::resync),
    writes("DeleteVirtualMFADevice", asks::device, mfa::delete),
    reads("GetMFADevice", asks::user, mfa::get),
    reads("ListMFADevices", asks::user, mfa::list),
    reads("ListVirtualMFADevices", asks::devices, mfa::list_virtual),

    writes("CreateServiceSpecificCredential", asks::user, service_credentials::create),
    reads("ListServiceSpecificCredentials", asks::user_or_all, service_credentials::list),
    writes("UpdateServiceSpecificCredential", asks::user, service_credentials::update),
    writes("DeleteServiceSpecificCredential", asks::user, service_credentials::delete),
    reads("ListSigningCertificates", asks::user, service_credentials::list_certificates),
    reads("ListSSHPublicKeys", asks::user, service_credentials::list_ssh_keys),

    writes("CreateSAMLProvider", asks::new_saml, saml::create),
    reads("GetSAMLProvider", asks::saml, saml::get),
    writes("UpdateSAMLProvider", asks::saml, saml::update),
    writes("DeleteSAMLProvider", asks::saml, saml::delete),
    reads("ListSAMLProviders", asks::any, saml::list),
    writes("CreateOpenIDConnectProvider", asks::new_oidc, oidc::create),
    reads("GetOpenIDConnectProvider", asks::oidc, oidc::get),
    reads("ListOpenIDConnectProviders", asks::any, oidc::list),
    writes("DeleteOpenIDConnectProvider", asks::oidc, oidc::delete),
    writes("AddClientIDToOpenIDConnectProvider", asks::oidc, oidc::add_client),
    writes("RemoveClientIDFromOpenIDConnectProvider", asks::oidc, oidc::remove_client),
    writes("UpdateOpenIDConnectProviderThumbprint", asks::oidc, oidc::update_thumbprints),

    writes("CreateInstanceProfile", asks::new_profile, profiles::create),
    reads("GetInstanceProfile", asks::profile, profiles::get),
    reads("ListInstanceProfiles", asks::profiles, profiles::list),
    reads("ListInstanceProfilesForRole", asks::role, profiles::of_role),
    writes("DeleteInstanceProfile", asks::profile, profiles::delete),
    writes("AddRoleToInstanceProfile", asks::profile_and_role, profiles::add_role),
    writes("RemoveRoleFromInstanceProfile", asks::profile, profiles::remove_role),
    writes("TagInstanceProfile", asks::profile, profiles::tag),
    writes("UntagInstanceProfile", asks::profile, profiles::untag),
    reads("ListInstanceProfileTags", asks::profile, profiles::list_tags),

    writes("CreateAccountAlias", asks::any, account::create_alias),
    writes("DeleteAccountAlias", asks::any, account::delete_alias),
    reads("ListAccountAliases", asks::any, account::list_aliases),
    writes("EnableOrganizationsRootCredentialsManagement", asks::any, root_access::enable_credentials),
    writes("EnableOrganizationsRootSessions", asks::any, root_access::enable_sessions),
    writes("DisableOrganizationsRootCredentialsManagement", asks::any, root_access::disable_credentials),
    writes("DisableOrganizationsRootSessions", asks::any, root_access::disable_sessions),
    reads("ListOrganizationsFeatures", asks::any, root_access::list),
    reads("GetAccountSummary", asks::any, account::summary),
    reads("GetAccountAuthorizationDetails", asks::any, details::get),
    reads("GenerateCredentialReport", asks::any, report::generate),
    reads("GetCredentialReport", asks::any, report::get),
    reads("GenerateServiceLastAccessedDetails", asks::arn_given, last_accessed::generate),
    reads("GetServiceLastAccessedDetails", asks::any, last_accessed::get),
    reads("SimulateCustomPolicy", asks::any, simulate::custom),
    reads("SimulatePrincipalPolicy", asks::policy_source, simulate::principal),
];
