//! Actions that are worth more than they say: those that start something with a role, and those that give permissions.

use super::asker::Asker;
use std::collections::{BTreeMap, BTreeSet};

/// Services that run what a caller gives them with a role that the caller passes, and the actions of the caller. The
/// services are those of docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html and of the pages of the
/// Service Authorization Reference where `iam:PassRole` is a dependent action; only those are here that run anybody's
/// code or calls.
const LAUNCHING: [(&str, &[&str]); 11] = [
    ("apprunner.amazonaws.com", &["apprunner:CreateService"]),
    (
        "cloudformation.amazonaws.com",
        &["cloudformation:CreateStack"],
    ),
    (
        "codebuild.amazonaws.com",
        &["codebuild:CreateProject", "codebuild:StartBuild"],
    ),
    ("ec2.amazonaws.com", &["ec2:RunInstances"]),
    (
        "ecs-tasks.amazonaws.com",
        &["ecs:RegisterTaskDefinition", "ecs:RunTask"],
    ),
    (
        "glue.amazonaws.com",
        &["glue:CreateJob", "glue:StartJobRun"],
    ),
    (
        "lambda.amazonaws.com",
        &["lambda:CreateFunction", "lambda:InvokeFunction"],
    ),
    (
        "sagemaker.amazonaws.com",
        &["sagemaker:CreateNotebookInstance"],
    ),
    ("scheduler.amazonaws.com", &["scheduler:CreateSchedule"]),
    ("ssm.amazonaws.com", &["ssm:StartAutomationExecution"]),
    (
        "states.amazonaws.com",
        &["states:CreateStateMachine", "states:StartExecution"],
    ),
];

/// What an action gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any permission, to whom it is given.
    Permissions,
    /// The permissions of somebody else.
    Credentials,
}

/// Access level "Permissions management" of
/// docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html, as far as it
/// widens what a principal may do, and what makes a credential for somebody else.
const GRANTING: [(&str, Kind); 15] = [
    ("iam:AddUserToGroup", Kind::Permissions),
    ("iam:AttachGroupPolicy", Kind::Permissions),
    ("iam:AttachRolePolicy", Kind::Permissions),
    ("iam:AttachUserPolicy", Kind::Permissions),
    ("iam:CreatePolicyVersion", Kind::Permissions),
    ("iam:PutGroupPolicy", Kind::Permissions),
    ("iam:PutRolePolicy", Kind::Permissions),
    ("iam:PutUserPolicy", Kind::Permissions),
    ("iam:SetDefaultPolicyVersion", Kind::Permissions),
    ("iam:CreateAccessKey", Kind::Credentials),
    ("iam:CreateLoginProfile", Kind::Credentials),
    ("iam:CreateServiceSpecificCredential", Kind::Credentials),
    ("iam:UpdateAssumeRolePolicy", Kind::Credentials),
    ("iam:UpdateLoginProfile", Kind::Credentials),
    ("sts:AssumeRoot", Kind::Credentials),
];

/// The services that run something with a role, and what of a principal's actions starts it.
pub(super) fn launching() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    LAUNCHING.into_iter()
}

/// The condition keys that decide whether a principal may do all of some actions; none if it may not.
pub(super) fn may_all(asker: &Asker, actions: &[&str]) -> Option<BTreeSet<String>> {
    let each = actions.iter().map(|action| asker.may(action));
    let each: Option<Vec<BTreeSet<String>>> = each.collect();
    Some(each?.into_iter().flatten().collect())
}

/// What a principal may do of [`GRANTING`], with the condition keys that decide.
pub(super) fn grants(asker: &Asker) -> BTreeMap<&'static str, BTreeSet<String>> {
    let of = |(action, _): &(&'static str, Kind)| Some((*action, asker.may(action)?));
    GRANTING.iter().filter_map(of).collect()
}

/// Whether a principal may give permissions, and not only take another's credentials.
pub(super) fn gives_permissions(asker: &Asker) -> bool {
    let mut giving = GRANTING
        .iter()
        .filter(|(_, kind)| *kind == Kind::Permissions);
    giving.any(|(action, _)| asker.may(action).is_some())
}
