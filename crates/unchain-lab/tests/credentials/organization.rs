//! What an organization adds: control policies, its id in conditions, root sessions of members.

use serde_json::{Value, json};
use unchain_lab::call::Fault;
use unchain_lab::operation::Ask;
use unchain_lab::service::Service;
use unchain_lab::session::{Caller, Who};

use crate::desk::{
    ALLOW_ALL, AWAY, Desk, HOME, LIST_USERS, allow, deny_if, policy, refused, trust,
};

/// `HOME` is the management account, `AWAY` a member.
fn desk() -> Desk {
    let mut desk = Desk::new();
    let root = desk.root();
    desk.organizations(&root, "CreateOrganization", &json!({"FeatureSet": "ALL"}));
    let invited = desk.organizations(
        &root,
        "InviteAccountToOrganization",
        &json!({"Target": {"Id": AWAY, "Type": "ACCOUNT"}}),
    );
    let handshake = json!({"HandshakeId": invited["Handshake"]["Id"]});
    let member = member();
    desk.organizations(&member, "AcceptHandshake", &handshake);
    let top = desk.organizations(&root, "ListRoots", &json!({}))["Roots"][0]["Id"].clone();
    for kind in ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"] {
        desk.organizations(
            &root,
            "EnablePolicyType",
            &json!({"RootId": top, "PolicyType": kind}),
        );
    }
    desk
}

fn member() -> Caller {
    Caller {
        account: AWAY.to_owned(),
        who: Who::Root,
        ..Caller::anonymous()
    }
}

impl Desk {
    fn organizations(&mut self, caller: &Caller, name: &str, params: &Value) -> Value {
        let operation = Service::Organizations.operation(name).unwrap();
        self.reply(caller, operation, params).unwrap().value
    }

    fn control(&mut self, kind: &str, text: &str) {
        let root = self.root();
        let params = json!({"Name": kind, "Description": "", "Type": kind, "Content": text});
        let made = self.organizations(&root, "CreatePolicy", &params);
        let id = made["Policy"]["PolicySummary"]["Id"].clone();
        self.organizations(
            &root,
            "AttachPolicy",
            &json!({"PolicyId": id, "TargetId": AWAY}),
        );
    }
}

fn session_of_member(desk: &mut Desk) -> Caller {
    let user = desk.user("eve", ALLOW_ALL);
    let arn = format!("arn:aws:iam::{HOME}:user/eve");
    let role = desk.role(AWAY, "far", &trust(&json!({"AWS": arn})));
    desk.assume(&user, &role)
}

#[test]
fn a_service_control_policy_denies_members_with_their_root_and_not_the_management_account() {
    let mut desk = desk();
    let session = session_of_member(&mut desk);
    let member = member();
    assert!(desk.may(&session) && desk.may(&member));
    desk.control("SERVICE_CONTROL_POLICY", &deny_if(&json!({})));
    for caller in [&session, &member] {
        refused(
            desk.list_buckets(caller),
            (
                "AccessDenied",
                "with an explicit deny in a service control policy",
            ),
        );
        desk.arn(caller);
    }
    let root = desk.root();
    assert!(desk.may(&root));
}

#[test]
fn a_service_linked_role_is_not_controlled() {
    let mut desk = desk();
    let session = session_of_member(&mut desk);
    desk.control("SERVICE_CONTROL_POLICY", &deny_if(&json!({})));
    assert!(!desk.may(&session));
    desk.edit_role(AWAY, "far").path = "/aws-service-role/x.amazonaws.com/".to_owned();
    assert!(desk.may(&session));
}

#[test]
fn a_resource_control_policy_bears_on_roles_of_the_member() {
    let mut desk = desk();
    let session = session_of_member(&mut desk);
    let outside = policy(&json!({
        "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*",
        "Condition": {"StringEquals": {"aws:username": "eve"}},
    }));
    desk.control("RESOURCE_CONTROL_POLICY", &outside);
    let user = desk.user("bob", ALLOW_ALL);
    assert!(desk.may(&user) && desk.may(&session));
    let eve = desk.user("eve", ALLOW_ALL);
    let params =
        json!({"RoleArn": format!("arn:aws:iam::{AWAY}:role/far"), "RoleSessionName": "test"});
    refused(
        desk.sts(&eve, "AssumeRole", &params),
        (
            "AccessDenied",
            "with an explicit deny in a resource control policy",
        ),
    );
}

#[test]
fn the_organization_is_a_condition() {
    let mut desk = desk();
    let id = desk.world.organizations.organizations[HOME].id.clone();
    let user = desk.user("eve", ALLOW_ALL);
    desk.put(
        "eve",
        "org",
        &deny_if(&json!({"StringNotEquals": {"aws:PrincipalOrgID": id}})),
    );
    assert!(desk.may(&user));
    desk.put(
        "eve",
        "org",
        &deny_if(&json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": format!("{id}/*")}})),
    );
    assert!(!desk.may(&user));
}

fn assume_root(desk: &mut Desk, caller: &Caller, task: &str) -> Result<Value, Fault> {
    let params = json!({
        "TargetPrincipal": AWAY,
        "TaskPolicyArn": {"arn": format!("arn:aws:iam::aws:policy/root-task/{task}")},
    });
    desk.sts(caller, "AssumeRoot", &params)
}

fn enable_root_sessions(desk: &mut Desk) {
    let organization = desk.world.organizations.organizations.get_mut(HOME);
    let features = &mut organization.unwrap().root_features;
    features.insert("RootSessions".to_owned());
}

#[test]
fn the_root_user_of_a_member_is_assumed_for_one_task() {
    let mut desk = desk();
    let user = desk.user("eve", ALLOW_ALL);
    refused(
        assume_root(&mut desk, &user, "IAMAuditRootUserCredentials"),
        ("AccessDenied", "sts:AssumeRoot"),
    );
    enable_root_sessions(&mut desk);
    let value = assume_root(&mut desk, &user, "IAMAuditRootUserCredentials").unwrap();
    let session = desk.bearer(&value);
    let kept = session.session.clone().unwrap();
    assert_eq!(kept.expires_at - kept.issued_at, 900);
    assert_eq!(desk.arn(&session), format!("arn:aws:iam::{AWAY}:root"));
    assert!(!desk.may(&session));
    assert!(desk.reply(&session, &LIST_USERS, &json!({})).is_err());
    refused(
        assume_root(&mut desk, &session, "IAMAuditRootUserCredentials"),
        ("AccessDenied", "Roles may not be assumed by root accounts."),
    );
    for (action, resource, word) in [
        ("iam:GetLoginProfile", "root", "allowed"),
        ("iam:GetLoginProfile", "user/eve", "explicitly_denied"),
        ("iam:CreateAccessKey", "root", "explicitly_denied"),
    ] {
        let ask = Ask::on(action, format!("arn:aws:iam::{AWAY}:{resource}"));
        let decision = unchain_lab::enforce::decide(&desk.world, &session, &ask);
        assert_eq!(decision.word(), word, "{action} {resource}");
    }
}

#[test]
fn root_sessions_need_a_task_a_permission_and_a_regional_endpoint() {
    let mut desk = desk();
    enable_root_sessions(&mut desk);
    let user = desk.user("eve", ALLOW_ALL);
    refused(
        assume_root(&mut desk, &user, "Everything"),
        ("ValidationError", "not a valid task policy"),
    );
    let poor = desk.user("bob", &allow("s3:*"));
    let root = desk.root();
    for caller in [&poor, &root] {
        let outcome = assume_root(&mut desk, caller, "S3UnlockBucketPolicy");
        refused(outcome, ("AccessDenied", ""));
    }
    let limited = policy(&json!({
        "Effect": "Allow", "Action": "sts:AssumeRoot", "Resource": "*",
        "Condition": {"StringEquals": {"sts:TaskPolicyArn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}},
    }));
    desk.put("bob", "root", &limited);
    assert!(assume_root(&mut desk, &poor, "S3UnlockBucketPolicy").is_ok());
    assert!(assume_root(&mut desk, &poor, "SQSUnlockQueuePolicy").is_err());
    let long = json!({
        "TargetPrincipal": AWAY, "DurationSeconds": 901,
        "TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"},
    });
    refused(
        desk.sts(&user, "AssumeRoot", &long),
        ("ValidationError", "less than or equal to 900"),
    );
    let itself = json!({
        "TargetPrincipal": HOME,
        "TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"},
    });
    refused(desk.sts(&user, "AssumeRoot", &itself), ("AccessDenied", ""));
    desk.host = "sts.amazonaws.com".to_owned();
    refused(
        assume_root(&mut desk, &user, "S3UnlockBucketPolicy"),
        ("ValidationError", "Regional endpoint"),
    );
}
