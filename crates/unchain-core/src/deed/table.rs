//! Which events are deeds, and which members of each are kept: one row a group of calls.
//!
//! Member names: the services' API references (STS, IAM, EC2, Lambda, …) with the first letter
//! lowered, as CloudTrail writes them. No row names `sessionToken`; a test holds that.

use super::{Attribute as A, Deed};

/// A part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Request,
    Response,
    Additional,
    Details,
}

/// Members to keep out of one object: where it is, and which member becomes which attribute.
pub(super) type Group = (Part, &'static [&'static str], &'static [(&'static str, A)]);

/// No group names more members.
pub(super) const MEMBERS: usize = 10;

/// No row has more groups.
pub(super) const GROUPS: usize = 4;

#[derive(Debug)]
pub(super) struct Row {
    /// The first label of `eventSource`.
    pub(super) service: &'static str,
    pub(super) names: &'static [&'static str],
    pub(super) deed: Deed,
    pub(super) keep: &'static [Group],
}

use Part::{Additional, Details, Request, Response};

// One line a call reads better than one line a member.
#[rustfmt::skip]
mod groups {
    use super::*;

    pub(super) const CREDENTIALS: Group = (Response, &["credentials"], &[("accessKeyId", A::ChildKey),
        ("expiration", A::Expires)]);

    pub(super) const ASSUMED: Group = (Response, &["assumedRoleUser"], &[("assumedRoleId", A::ChildId),
        ("arn", A::ChildArn)]);

    pub(super) const ROLE_REQUEST: Group = (Request, &[], &[("roleArn", A::Role), ("roleSessionName",
        A::SessionName), ("durationSeconds", A::Duration), ("serialNumber", A::Serial),
        ("sourceIdentity", A::SourceIdentity), ("policy", A::Policy), ("principalArn", A::Provider),
        ("providerId", A::Provider)]);

    pub(super) const IAM_TARGET: Group = (Request, &[], &[("userName", A::User), ("roleName", A::Role),
        ("groupName", A::Group), ("accessKeyId", A::Key), ("status", A::Status), ("policyName",
        A::PolicyName), ("policyArn", A::PolicyArn), ("policyDocument", A::Document), ("serialNumber",
        A::Serial), ("permissionsBoundary", A::PolicyArn)]);
}
use groups::{ASSUMED, CREDENTIALS, IAM_TARGET, ROLE_REQUEST};

/// A call of a service that is not in the table, whose response carries an access key id.
pub(super) const VEND: Row = row("", &[], Deed::Vend, &[ROLE_REQUEST]);

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    row("sts", &["AssumeRole"], Deed::AssumeRole, &[ROLE_REQUEST, CREDENTIALS, ASSUMED]),
    row("sts", &["AssumeRoleWithSAML"], Deed::AssumeRoleWithSaml, &[ROLE_REQUEST, CREDENTIALS,
        ASSUMED, (Response, &[], &[("subject", A::Subject)])]),
    row("sts", &["AssumeRoleWithWebIdentity"], Deed::AssumeRoleWithWebIdentity, &[ROLE_REQUEST,
        CREDENTIALS, ASSUMED, (Response, &[], &[("subjectFromWebIdentityToken", A::Subject),
        ("provider", A::Provider)])]),
    row("sts", &["GetSessionToken"], Deed::GetSessionToken, &[ROLE_REQUEST, CREDENTIALS]),
    row("sts", &["GetFederationToken"], Deed::GetFederationToken, &[(Request, &[], &[("name",
        A::SessionName), ("durationSeconds", A::Duration), ("policy", A::Policy)]), CREDENTIALS,
        (Response, &["federatedUser"], &[("federatedUserId", A::ChildId), ("arn",
        A::ChildArn)])]),
    row("sts", &["AssumeRoot"], Deed::AssumeRoot, &[(Request, &[], &[("targetPrincipal",
        A::TargetAccount), ("durationSeconds", A::Duration)]), (Request, &["taskPolicyArn"],
        &[("arn", A::PolicyArn)]), CREDENTIALS]),
    row("sts", &["GetDelegatedAccessToken"], Deed::Vend, &[ROLE_REQUEST, CREDENTIALS, ASSUMED]),
    row("signin", &["GetSigninToken"], Deed::GetSigninToken, &[CREDENTIALS]),
    row("signin", &["ConsoleLogin"], Deed::ConsoleLogin, &[(Additional, &[], &[("MFAUsed",
        A::MfaUsed), ("MFAIdentifier", A::Serial)])]),
    row("signin", &["SwitchRole", "RenewRole"], Deed::SwitchRole, &[(Additional, &[],
        &[("SwitchFrom", A::SwitchFrom)])]),
    row("sso", &["GetRoleCredentials"], Deed::GetRoleCredentials, &[(Details, &[],
        &[("role_name", A::Role), ("account_id", A::TargetAccount)]), (Request, &[],
        &[("roleName", A::Role), ("accountId", A::TargetAccount)]), (Response,
        &["roleCredentials"], &[("accessKeyId", A::ChildKey)])]),
    row("sso", &["CreateToken"], Deed::CreateToken, &[(Request, &[], &[("clientId",
        A::ClientId), ("grantType", A::Status)])]),
    row("sso-oauth", &["CreateToken", "CreateTokenWithIAM"], Deed::CreateToken, &[(Additional,
        &[], &[("identitystore:UserId", A::UserId), ("identitycenter:CredentialId",
        A::SignInSession)])]),
    row("signin", &["AuthorizeOAuth2Access"], Deed::AuthorizeOAuth2Access, &[(Request, &[],
        &[("client_id", A::ClientId), ("resource", A::Resource)])]),
    row("signin", &["CreateOAuth2Token", "CreateOAuth2TokenWithIAM"], Deed::CreateOAuth2Token,
        &[(Request, &[], &[("client_id", A::ClientId), ("resource", A::Resource)]), (Additional,
        &[], &[("signInSessionArn", A::SignInSession), ("grant_type", A::Status)])]),
    row("cognito-identity", &["GetCredentialsForIdentity"], Deed::GetCredentialsForIdentity,
        &[(Request, &[], &[("identityId", A::IdentityId), ("customRoleArn", A::Role)]),
        CREDENTIALS]),
    row("eks-auth", &["AssumeRoleForPodIdentity"], Deed::AssumeRoleForPodIdentity, &[(Request,
        &[], &[("clusterName", A::Cluster)])]),
    row("rolesanywhere", &["CreateSession"], Deed::RolesAnywhereCreateSession, &[(Request, &[],
        &[("roleArn", A::Role), ("durationSeconds", A::Duration), ("trustAnchorArn",
        A::Provider), ("sessionName", A::SessionName)]), (Response, &[], &[("subjectArn",
        A::Subject)])]),
    row("s3express", &["CreateSession"], Deed::S3ExpressCreateSession, &[(Request, &[],
        &[("bucketName", A::Resource)]), CREDENTIALS]),
    row("s3", &["CreateSession"], Deed::S3ExpressCreateSession, &[(Request, &[],
        &[("bucketName", A::Resource)]), CREDENTIALS]),
    row("s3", &["GetDataAccess"], Deed::GetDataAccess, &[(Request, &[], &[("target",
        A::Resource), ("durationSeconds", A::Duration)]), CREDENTIALS]),
    row("signin", &["UserAuthentication", "CredentialVerification", "CredentialChallenge"],
        Deed::UserAuthentication, &[(Additional, &[], &[("CredentialType", A::MfaUsed)])]),
    row("iam", &["CreateAccessKey"], Deed::CreateAccessKey, &[(Request, &[], &[("userName",
        A::User)]), (Response, &["accessKey"], &[("accessKeyId", A::ChildKey), ("userName",
        A::User)])]),
    row("lightsail", &["CreateBucketAccessKey"], Deed::CreateAccessKey, &[(Response,
        &["accessKey"], &[("accessKeyId", A::ChildKey)])]),
    row("iam", &["CreateUser"], Deed::CreateUser, &[(Request, &[], &[("userName", A::User)]),
        (Response, &["user"], &[("userId", A::UserId), ("arn", A::ChildArn)])]),
    row("iam", &["CreateLoginProfile"], Deed::CreateLoginProfile, &[(Request, &[],
        &[("userName", A::User)])]),
    row("iam", &["UpdateLoginProfile"], Deed::UpdateLoginProfile, &[(Request, &[],
        &[("userName", A::User)])]),
    row("iam", &["CreateServiceSpecificCredential"], Deed::CreateServiceSpecificCredential,
        &[(Request, &[], &[("userName", A::User), ("serviceName", A::Resource)]), (Response,
        &["serviceSpecificCredential"], &[("serviceSpecificCredentialId", A::Key)])]),
    row("iam", &["CreateVirtualMFADevice"], Deed::CreateVirtualMfaDevice, &[(Request, &[],
        &[("virtualMFADeviceName", A::SessionName)]), (Response, &["virtualMFADevice"],
        &[("serialNumber", A::Serial)])]),
    row("iam", &["EnableMFADevice"], Deed::EnableMfaDevice, &[IAM_TARGET]),
    row("iam", &["CreateRole"], Deed::CreateRole, &[(Request, &[], &[("roleName", A::Role),
        ("assumeRolePolicyDocument", A::Document)]), (Response, &["role"], &[("roleId",
        A::UserId), ("arn", A::ChildArn)])]),
    row("iam", &["UpdateAssumeRolePolicy"], Deed::UpdateAssumeRolePolicy, &[(Request, &[],
        &[("roleName", A::Role), ("policyDocument", A::Document)])]),
    row("iam", &["CreateSAMLProvider", "UpdateSAMLProvider", "CreateOpenIDConnectProvider",
        "AddClientIDToOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint"],
        Deed::IdentityProvider, &[(Request, &[], &[("sAMLProviderArn", A::Provider),
        ("openIDConnectProviderArn", A::Provider), ("name", A::Resource), ("url",
        A::Resource)]), (Response, &[], &[("sAMLProviderArn", A::Provider),
        ("openIDConnectProviderArn", A::Provider)])]),
    row("rolesanywhere", &["CreateTrustAnchor", "UpdateTrustAnchor", "CreateProfile",
        "UpdateProfile"], Deed::TrustAnchor, &[(Request, &[], &[("name", A::Resource)]),
        (Response, &["trustAnchor"], &[("trustAnchorArn", A::Provider)]), (Response,
        &["profile"], &[("profileArn", A::Provider)]), (Request, &["source"], &[("sourceType",
        A::Status)])]),
    row("ec2", &["RunInstances"], Deed::RunInstances, &[(Request, &["iamInstanceProfile"],
        &[("arn", A::InstanceProfile), ("name", A::InstanceProfile)])]),
    row("ec2", &["AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"],
        Deed::InstanceProfile, &[(Request, &["AssociateIamInstanceProfileRequest"],
        &[("InstanceId", A::Instance)]), (Request, &["AssociateIamInstanceProfileRequest",
        "IamInstanceProfile"], &[("Name", A::InstanceProfile), ("Arn", A::InstanceProfile)]),
        (Response, &["AssociateIamInstanceProfileResponse", "iamInstanceProfileAssociation"],
        &[("instanceId", A::Instance)]), (Response, &["iamInstanceProfileAssociation"],
        &[("instanceId", A::Instance)])]),
    row("lambda", &["CreateFunction", "UpdateFunctionConfiguration"], Deed::Function,
        &[(Request, &[], &[("functionName", A::Function), ("role", A::Role)])]),
    row("ecs", &["RegisterTaskDefinition"], Deed::TaskDefinition, &[(Request, &[], &[("family",
        A::Function), ("taskRoleArn", A::Role)])]),
    row("iam", &["UpdateAccessKey"], Deed::UpdateAccessKey, &[IAM_TARGET]),
    row("iam", &["DeleteAccessKey"], Deed::DeleteAccessKey, &[IAM_TARGET]),
    row("iam", &["DeleteUser"], Deed::DeleteUser, &[IAM_TARGET]),
    row("iam", &["DeleteRole"], Deed::DeleteRole, &[IAM_TARGET]),
    row("iam", &["DeleteLoginProfile"], Deed::DeleteLoginProfile, &[IAM_TARGET]),
    row("iam", &["DeactivateMFADevice", "DeleteVirtualMFADevice"], Deed::DeactivateMfaDevice,
        &[IAM_TARGET]),
    row("iam", &["PutUserPolicy", "PutRolePolicy", "PutGroupPolicy"], Deed::PutPolicy,
        &[IAM_TARGET]),
    row("iam", &["DeleteUserPolicy", "DeleteRolePolicy", "DeleteGroupPolicy"],
        Deed::DeletePolicy, &[IAM_TARGET]),
    row("iam", &["AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy"],
        Deed::AttachPolicy, &[IAM_TARGET]),
    row("iam", &["DetachUserPolicy", "DetachRolePolicy", "DetachGroupPolicy"],
        Deed::DetachPolicy, &[IAM_TARGET]),
    row("iam", &["ResyncMFADevice", "PutUserPermissionsBoundary", "PutRolePermissionsBoundary",
        "DeleteUserPermissionsBoundary", "DeleteRolePermissionsBoundary", "CreatePolicyVersion",
        "SetDefaultPolicyVersion", "AddUserToGroup", "RemoveUserFromGroup",
        "DeleteSAMLProvider", "DeleteOpenIDConnectProvider", "AddRoleToInstanceProfile",
        "UpdateRole", "ChangePassword", "UploadSigningCertificate", "UploadSSHPublicKey",
        "AcceptDelegationRequest", "CreateDelegationRequest", "SendDelegationToken"],
        Deed::Change, &[IAM_TARGET]),
    row("cloudtrail", &["StopLogging", "StartLogging", "DeleteTrail", "UpdateTrail",
        "CreateTrail", "PutEventSelectors", "PutInsightSelectors", "DeleteEventDataStore",
        "StopEventDataStoreIngestion"], Deed::Change, &[(Request, &[], &[("name", A::Trail),
        ("trailName", A::Trail), ("eventDataStore", A::Trail), ("s3BucketName", A::Resource),
        ("isMultiRegionTrail", A::MultiRegion), ("includeGlobalServiceEvents", A::GlobalEvents),
        ("enableLogFileValidation", A::LogFileValidation)])]),
    row("guardduty", &["DeleteDetector", "UpdateDetector", "StopMonitoringMembers",
        "DisassociateMembers", "DeleteMembers"], Deed::Change, &[(Request, &[], &[("detectorId",
        A::Resource), ("enable", A::Status)])]),
    row("config", &["StopConfigurationRecorder", "DeleteConfigurationRecorder",
        "DeleteDeliveryChannel"], Deed::Change, &[(Request, &[], &[("configurationRecorderName",
        A::Resource), ("deliveryChannelName", A::Resource)])]),
    row("organizations", &["AttachPolicy", "DetachPolicy", "LeaveOrganization",
        "RemoveAccountFromOrganization"], Deed::Change, &[(Request, &[], &[("policyId",
        A::PolicyName), ("targetId", A::Resource), ("accountId", A::TargetAccount)])]),
    row("s3", &["PutBucketPolicy", "DeleteBucketPolicy"], Deed::Change, &[(Request, &[],
        &[("bucketName", A::Resource)])]),
    row("signin", &["ExitRole", "CheckMfa"], Deed::Change, &[]),
];

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
    fn groups_in_one_place_are_the_same() {
        let mut lengths = std::collections::HashMap::new();
        let all = TABLE.iter().chain([&VEND]).map(|row| row.keep);
        for keep in all.filter(|keep| !keep.is_empty()) {
            let length = *lengths.entry(keep.as_ptr()).or_insert(keep.len());
            assert_eq!(length, keep.len());
        }
    }

    #[test]
    fn no_row_is_too_large() {
        for row in TABLE {
            let mut groups = row.keep.iter();
            assert!(groups.all(|(_, _, members)| members.len() <= MEMBERS));
            assert!(row.keep.len() <= GROUPS);
        }
    }
}
