//! Organizations (docs.aws.amazon.com/organizations/latest/APIReference).

use crate::value::{members, object};
use aws_sdk_organizations::types::{
    Account, Organization, Parent, Policy, PolicySummary, PolicyTargetSummary, PolicyTypeSummary,
    Root,
};
use serde_json::Value;

fn nothing<O>(_: &O) -> Value {
    object([])
}

fn summary(of: &PolicySummary) -> Value {
    members!(of;
        "Id" text id, "Arn" text arn, "Name" text name, "Description" text description,
        "Type" word r#type, "AwsManaged" flag aws_managed)
}

fn policy(of: &Policy) -> Value {
    members!(of; "PolicySummary" one(summary) policy_summary, "Content" text content)
}

fn target(of: &PolicyTargetSummary) -> Value {
    members!(of; "TargetId" text target_id, "Arn" text arn, "Name" text name, "Type" word r#type)
}

fn policy_type(of: &PolicyTypeSummary) -> Value {
    members!(of; "Type" word r#type, "Status" word status)
}

fn organization(of: &Organization) -> Value {
    members!(of;
        "Id" text id, "Arn" text arn, "FeatureSet" word feature_set,
        "MasterAccountArn" text master_account_arn, "MasterAccountId" text master_account_id,
        "MasterAccountEmail" text master_account_email,
        "AvailablePolicyTypes" list(policy_type) available_policy_types)
}

fn root(of: &Root) -> Value {
    members!(of;
        "Id" text id, "Arn" text arn, "Name" text name, "PolicyTypes" list(policy_type) policy_types)
}

fn parent(of: &Parent) -> Value {
    members!(of; "Id" text id, "Type" word r#type)
}

fn account(of: &Account) -> Value {
    members!(of;
        "Id" text id, "Arn" text arn, "Email" text email, "Name" text name, "State" word state,
        "JoinedMethod" word joined_method, "JoinedTimestamp" time joined_timestamp)
}

super::actions! {
    aws_sdk_organizations::Client;
    "AttachPolicy" attach_policy [set_policy_id text "PolicyId", set_target_id text "TargetId"] nothing;
    "CreatePolicy" create_policy
        [set_content document "Content", set_description text "Description", set_name text "Name",
         set_type text "Type"]
        |of| members!(of; "Policy" one(policy) policy);
    "DeletePolicy" delete_policy [set_policy_id text "PolicyId"] nothing;
    "DescribeOrganization" describe_organization []
        |of| members!(of; "Organization" one(organization) organization);
    "DescribePolicy" describe_policy [set_policy_id text "PolicyId"]
        |of| members!(of; "Policy" one(policy) policy);
    "DetachPolicy" detach_policy [set_policy_id text "PolicyId", set_target_id text "TargetId"] nothing;
    "ListAccounts" list_accounts [set_next_token text "NextToken"]
        |of| members!(of; "Accounts" list(account) accounts, "NextToken" text next_token);
    "ListParents" list_parents [set_child_id text "ChildId", set_next_token text "NextToken"]
        |of| members!(of; "Parents" list(parent) parents, "NextToken" text next_token);
    "ListPolicies" list_policies [set_filter text "Filter", set_next_token text "NextToken"]
        |of| members!(of; "Policies" list(summary) policies, "NextToken" text next_token);
    "ListPoliciesForTarget" list_policies_for_target
        [set_target_id text "TargetId", set_filter text "Filter", set_next_token text "NextToken"]
        |of| members!(of; "Policies" list(summary) policies, "NextToken" text next_token);
    "ListRoots" list_roots [set_next_token text "NextToken"]
        |of| members!(of; "Roots" list(root) roots, "NextToken" text next_token);
    "ListTargetsForPolicy" list_targets_for_policy
        [set_policy_id text "PolicyId", set_next_token text "NextToken"]
        |of| members!(of; "Targets" list(target) targets, "NextToken" text next_token);
    "UpdatePolicy" update_policy
        [set_policy_id text "PolicyId", set_name text "Name", set_description text "Description",
         set_content document "Content"]
        |of| members!(of; "Policy" one(policy) policy);
}
