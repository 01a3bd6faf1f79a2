//! What credentials may do: by their kind, and by every layer of policy.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use unchain_lab::iam::{Document, ManagedPolicy};
use unchain_lab::operation::Ask;
use unchain_lab::session::{Caller, MadeBy};
use unchain_policy::{Decision, Layer};

use crate::desk::{
    ALLOW_ALL, AWAY, DESCRIBE_INSTANCES, Desk, HOME, LIST_BUCKETS, LIST_USERS, START, allow,
    deny_if, policy, refused, trust, trust_account,
};

struct Cast {
    desk: Desk,
    user: Caller,
    token: Caller,
    role: String,
    session: Caller,
}

fn cast() -> Cast {
    let mut desk = Desk::new();
    let user = desk.user("eve", ALLOW_ALL);
    let role = desk.role(HOME, "app", &trust_account(HOME));
    let session = desk.assume(&user, &role);
    let token = desk.token(&user);
    Cast {
        desk,
        user,
        token,
        role,
        session,
    }
}

fn federate(desk: &mut Desk, caller: &Caller, policy: Option<&str>) -> Caller {
    let mut params = json!({"Name": "guest"});
    if let Some(policy) = policy {
        params["Policy"] = json!(policy);
    }
    let value = desk.sts(caller, "GetFederationToken", &params).unwrap();
    desk.bearer(&value)
}

#[test]
fn user_role_and_token_are_allowed_what_their_policies_allow() {
    let Cast {
        mut desk,
        user,
        token,
        session,
        ..
    } = cast();
    for caller in [&user, &token, &session, &desk.root()] {
        assert!(desk.may(caller));
    }
    let poor = desk.user("bob", &allow("ec2:*"));
    assert!(!desk.may(&poor));
}

#[test]
fn each_kind_of_credential_has_calls_it_may_not_make() {
    let Cast {
        mut desk,
        user,
        token,
        role,
        session,
    } = cast();
    let guest = federate(&mut desk, &user, Some(ALLOW_ALL));
    let assume = json!({"RoleArn": role, "RoleSessionName": "test"});
    let no_token = (
        "InvalidClientTokenId",
        "The security token included in the request is invalid",
    );
    refused(desk.reply(&token, &LIST_USERS, &json!({})), no_token);
    refused(desk.reply(&guest, &LIST_USERS, &json!({})), no_token);
    assert!(desk.reply(&session, &LIST_USERS, &json!({})).is_ok());
    for caller in [&token, &guest, &session] {
        for name in ["GetSessionToken", "GetFederationToken"] {
            let words = format!("Cannot call {name} with session credentials");
            let params = json!({"Name": "guest"});
            refused(desk.sts(caller, name, &params), ("AccessDenied", &words));
        }
        desk.arn(caller);
    }
    refused(
        desk.sts(&guest, "AssumeRole", &assume),
        ("AccessDenied", "Cannot call AssumeRole"),
    );
    let key = json!({"AccessKeyId": user.access_key_id});
    refused(
        desk.sts(&token, "GetAccessKeyInfo", &key),
        ("AccessDenied", "Cannot call GetAccessKeyInfo"),
    );
    assert!(desk.sts(&session, "GetAccessKeyInfo", &key).is_ok());
    assert!(desk.sts(&token, "AssumeRole", &assume).is_ok());
}

#[test]
fn a_console_session_of_a_federated_user_may_use_iam() {
    let Cast { mut desk, user, .. } = cast();
    let mut guest = federate(&mut desk, &user, Some(ALLOW_ALL));
    let mut session = (*guest.session.take().unwrap()).clone();
    session.made_by = MadeBy::Console;
    guest.session = Some(session.into());
    assert!(desk.reply(&guest, &LIST_USERS, &json!({})).is_ok());
}

#[test]
fn a_deny_on_a_user_blocks_key_and_tokens_and_not_the_role() {
    let Cast {
        mut desk,
        user,
        token,
        session,
        ..
    } = cast();
    let guest = federate(&mut desk, &user, Some(ALLOW_ALL));
    assert!(desk.may(&guest));
    desk.put("eve", "deny", &deny_if(&json!({})));
    assert!(!desk.may(&user) && !desk.may(&token) && !desk.may(&guest));
    assert!(desk.may(&session));
    for caller in [&user, &token, &guest] {
        desk.arn(caller);
    }
    assert!(desk.sts(&user, "GetSessionToken", &json!({})).is_ok());
}

#[test]
fn a_cut_off_denies_older_sessions_only() {
    for (shift, old, new) in [(0, false, true), (-3600, true, true), (3600, false, false)] {
        for form in ["%S.000Z", "%SZ"] {
            let Cast {
                mut desk,
                user,
                role,
                session,
                ..
            } = cast();
            desk.world.now += 10;
            let cut = unchain_core::time::Timestamp::from_seconds(desk.world.now + shift);
            let cut = form
                .replace("%SZ", "%S")
                .replace("%S", cut.to_string().trim_end_matches('Z'));
            let cut = format!("{}Z", cut.trim_end_matches('Z'));
            let revoke = deny_if(&json!({"DateLessThan": {"aws:TokenIssueTime": cut}}));
            let document = Document::parse("AWSRevokeOlderSessions", &revoke).unwrap();
            let inline = &mut desk.edit_role(HOME, "app").attached.inline;
            inline.insert(document.name.clone(), document);
            let later = desk.assume(&user, &role);
            assert_eq!(desk.may(&session), old, "{cut}, {shift}");
            assert_eq!(desk.may(&later), new, "{cut}, {shift}");
        }
    }
}

#[test]
fn the_issue_time_is_with_tokens_only() {
    let Cast {
        mut desk,
        user,
        token,
        ..
    } = cast();
    let cut = "2099-01-01T00:00:00Z";
    desk.put(
        "eve",
        "cut",
        &deny_if(&json!({"DateLessThan": {"aws:TokenIssueTime": cut}})),
    );
    assert!(desk.may(&user) && !desk.may(&token));
    desk.put(
        "eve",
        "cut",
        &deny_if(&json!({"Null": {"aws:TokenIssueTime": "true"}})),
    );
    assert!(!desk.may(&user) && desk.may(&token));
}

#[test]
fn conditions_see_address_name_and_the_other_global_keys() {
    let Cast {
        mut desk,
        user,
        session,
        ..
    } = cast();
    let user_id = user.user_id();
    let role_id = session.user_id();
    for (caller, condition, denied) in [
        (
            &user,
            json!({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}),
            false,
        ),
        (
            &user,
            json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}),
            true,
        ),
        (
            &user,
            json!({"StringEquals": {"aws:username": "eve"}}),
            true,
        ),
        (
            &user,
            json!({"StringEquals": {"aws:username": "other"}}),
            false,
        ),
        (
            &user,
            json!({"StringEquals": {"aws:userid": user_id}}),
            true,
        ),
        (
            &user,
            json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/eve"}}),
            true,
        ),
        (
            &user,
            json!({"StringEquals": {"aws:PrincipalAccount": HOME}}),
            true,
        ),
        (
            &user,
            json!({"StringEquals": {"aws:PrincipalType": "User"}}),
            true,
        ),
        (
            &user,
            json!({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}),
            false,
        ),
        (
            &user,
            json!({"StringEquals": {"aws:UserAgent": "test"}}),
            true,
        ),
        (
            &user,
            json!({"Bool": {"aws:SecureTransport": "false"}}),
            false,
        ),
        (
            &user,
            json!({"DateLessThan": {"aws:CurrentTime": "2026-11-22T09:00:01Z"}}),
            true,
        ),
        (
            &user,
            json!({"DateLessThan": {"aws:CurrentTime": "2026-11-22T09:00:00Z"}}),
            false,
        ),
        (
            &user,
            json!({"NumericEquals": {"aws:EpochTime": START.to_string()}}),
            true,
        ),
        (&user, json!({"Bool": {"aws:ViaAWSService": "false"}}), true),
        (
            &user,
            json!({"Bool": {"aws:PrincipalIsAWSService": "true"}}),
            false,
        ),
        (
            &user,
            json!({"Null": {"aws:MultiFactorAuthPresent": "true"}}),
            true,
        ),
    ] {
        desk.put("eve", "deny", &deny_if(&condition));
        assert_eq!(!desk.may(caller), denied, "{condition}");
    }
    desk.put(
        "eve",
        "deny",
        &deny_if(&json!({"Bool": {"aws:none": "true"}})),
    );
    for (condition, denied) in [
        (json!({"StringEquals": {"aws:userid": role_id}}), true),
        (json!({"StringLike": {"aws:userid": "AROA*:test"}}), true),
        (
            json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/app"}}),
            true,
        ),
        (
            json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:sts::111122223333:assumed-role/app/test"}}),
            false,
        ),
        (
            json!({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}),
            true,
        ),
        (json!({"Null": {"aws:username": "false"}}), false),
        (
            json!({"Null": {"aws:MultiFactorAuthPresent": "false"}}),
            false,
        ),
        (
            json!({"StringEquals": {"aws:PrincipalTag/team": "red"}}),
            true,
        ),
    ] {
        let document = Document::parse("deny", &deny_if(&condition)).unwrap();
        let attached = &mut desk.edit_role(HOME, "app").attached;
        attached.inline.insert("deny".to_owned(), document);
        attached.tags.insert("team".to_owned(), "red".to_owned());
        assert_eq!(!desk.may(&session), denied, "{condition}");
    }
}

#[test]
fn a_session_policy_restricts() {
    let Cast {
        mut desk,
        user,
        role,
        ..
    } = cast();
    for (action, allowed) in [("s3:*", true), ("ec2:*", false)] {
        let params = json!({"RoleArn": role, "RoleSessionName": "test", "Policy": allow(action)});
        let value = desk.sts(&user, "AssumeRole", &params).unwrap();
        let session = desk.bearer(&value);
        assert_eq!(desk.may(&session), allowed, "{action}");
    }
    let params = json!({"RoleArn": role, "RoleSessionName": "test", "Policy": allow("ec2:*")});
    let value = desk.sts(&user, "AssumeRole", &params).unwrap();
    let session = desk.bearer(&value);
    refused(
        desk.list_buckets(&session),
        (
            "AccessDenied",
            "because no session policy allows the s3:ListAllMyBuckets action",
        ),
    );
}

#[test]
fn a_federated_user_has_what_both_user_and_session_policy_allow() {
    let Cast { mut desk, user, .. } = cast();
    let bare = federate(&mut desk, &user, None);
    assert!(!desk.may(&bare));
    let with = federate(&mut desk, &user, Some(&allow("s3:*")));
    assert!(desk.may(&with));
    assert_eq!(
        desk.arn(&with),
        "arn:aws:sts::111122223333:federated-user/guest"
    );
    let poor = desk.user("bob", &allow("sts:GetFederationToken"));
    let guest = federate(&mut desk, &poor, Some(ALLOW_ALL));
    assert!(!desk.may(&guest));
    let root = desk.root();
    let of_root = federate(&mut desk, &root, Some(&allow("s3:*")));
    assert!(desk.may(&of_root));
    assert!(
        desk.reply(&of_root, &DESCRIBE_INSTANCES, &json!({}))
            .is_err()
    );
}

fn managed(desk: &mut Desk, name: &str, text: &str) -> String {
    let arn = format!("arn:aws:iam::{HOME}:policy/{name}");
    let document = Document::parse(&arn, text).unwrap();
    let policy = ManagedPolicy {
        id: "ANPA".to_owned(),
        name: name.to_owned(),
        path: "/".to_owned(),
        versions: BTreeMap::from([(1, (document, START))]),
        default_version: 1,
        newest_version: 1,
        created_at: START,
        description: None,
        tags: BTreeMap::new(),
    };
    let iam = desk.world.change_iam(HOME).unwrap();
    iam.policies.insert(arn.clone(), policy);
    arn
}

#[test]
fn a_boundary_restricts_and_groups_and_managed_policies_allow() {
    let Cast { mut desk, user, .. } = cast();
    let only_ec2 = managed(&mut desk, "boundary", &allow("ec2:*"));
    desk.edit_user("eve").attached.boundary = Some(only_ec2);
    refused(
        desk.list_buckets(&user),
        (
            "AccessDenied",
            "because no permissions boundary allows the s3:ListAllMyBuckets action",
        ),
    );
    desk.edit_user("eve").attached.boundary = Some(format!("arn:aws:iam::{HOME}:policy/gone"));
    assert!(!desk.may(&user));

    let poor = desk.user("bob", &allow("ec2:*"));
    let s3 = managed(&mut desk, "s3", &allow("s3:*"));
    desk.edit_user("bob").attached.managed.push(s3.clone());
    assert!(desk.may(&poor));
    desk.edit_user("bob").attached.managed.clear();
    let group = unchain_lab::iam::Group {
        id: "AGPA".to_owned(),
        path: "/".to_owned(),
        created_at: START,
        attached: unchain_lab::iam::Attached {
            managed: vec![s3],
            ..Default::default()
        },
    };
    let iam = desk.world.change_iam(HOME).unwrap();
    iam.groups.insert("staff".to_owned(), group);
    assert!(!desk.may(&poor));
    desk.edit_user("bob").groups.push("staff".to_owned());
    assert!(desk.may(&poor));
}

#[test]
fn the_trust_policy_is_enforced_also_where_it_denies() {
    let Cast { mut desk, user, .. } = cast();
    let deny = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{HOME}:root")}, "Action": "sts:AssumeRole"},
        {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
         "Condition": {"StringEquals": {"aws:username": "eve"}}},
    ]});
    let role = desk.role(HOME, "denying", &deny.to_string());
    let params = json!({"RoleArn": role, "RoleSessionName": "test"});
    refused(
        desk.sts(&user, "AssumeRole", &params),
        (
            "AccessDenied",
            "with an explicit deny in a resource-based policy",
        ),
    );
    let other = desk.user("bob", ALLOW_ALL);
    assert!(desk.sts(&other, "AssumeRole", &params).is_ok());
}

#[test]
fn a_role_assumes_itself_only_where_its_trust_says_so() {
    let Cast {
        mut desk,
        user,
        role,
        session,
        ..
    } = cast();
    let only_user = trust(&json!({"AWS": format!("arn:aws:iam::{HOME}:user/eve")}));
    desk.edit_role(HOME, "app").trust = Document::parse("trust", &only_user).unwrap();
    let params = json!({"RoleArn": role, "RoleSessionName": "test"});
    assert!(desk.sts(&user, "AssumeRole", &params).is_ok());
    assert!(desk.sts(&session, "AssumeRole", &params).is_err());
}

#[test]
fn who_was_deleted_is_denied_also_where_another_has_the_name() {
    let Cast {
        mut desk,
        user,
        token,
        session,
        ..
    } = cast();
    let guest = federate(&mut desk, &user, Some(ALLOW_ALL));
    let iam = desk.world.change_iam(HOME).unwrap();
    iam.roles.remove("app");
    iam.users.remove("eve");
    let gone = [&token, &guest, &session];
    for caller in gone {
        assert!(!desk.may(caller));
    }
    desk.role(HOME, "app", &trust_account(HOME));
    desk.user("eve", ALLOW_ALL);
    for caller in gone {
        assert!(!desk.may(caller));
    }
}

#[test]
fn changes_take_effect_after_the_delay() {
    let mut desk = Desk::new();
    desk.world.settings.consistency_delay = 4;
    let user = desk.user("eve", ALLOW_ALL);
    desk.world.now += 5;
    desk.put("eve", "deny", &deny_if(&json!({})));
    assert!(desk.may(&user));
    desk.world.now += 3;
    assert!(desk.may(&user));
    desk.world.now += 1;
    assert!(!desk.may(&user));
}

#[test]
fn a_resource_of_another_account_needs_both_sides() {
    let Cast { mut desk, user, .. } = cast();
    let object = |policy: Option<&Value>| Ask {
        resource_account: Some(AWAY.to_owned()),
        resource_policy: policy.map(|policy| {
            Document::parse("bucket", &policy.to_string())
                .unwrap()
                .policy
        }),
        ..Ask::on("s3:GetObject", "arn:aws:s3:::theirs/key")
    };
    let grant = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "s3:GetObject", "Resource": "*",
    }]});
    let decide = |desk: &Desk, ask: &Ask| unchain_lab::enforce::decide(&desk.world, &user, ask);
    assert_eq!(
        decide(&desk, &object(None)),
        Decision::ImplicitlyDenied(Layer::Resource)
    );
    assert_eq!(decide(&desk, &object(Some(&grant))).word(), "allowed");
    desk.put("eve", "deny", &deny_if(&json!({})));
    assert_eq!(
        decide(&desk, &object(Some(&grant))).word(),
        "explicitly_denied"
    );
}

#[test]
fn refusals_are_in_the_words_of_the_service() {
    let Cast { mut desk, .. } = cast();
    let poor = desk.user("bob", &allow("sts:*"));
    let arn = format!("arn:aws:iam::{HOME}:user/bob");
    let message = |desk: &mut Desk, operation| {
        let fault = desk.reply(&poor, operation, &json!({})).unwrap_err();
        fault.message
    };
    assert_eq!(
        message(&mut desk, &LIST_USERS),
        format!(
            "User: {arn} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::{HOME}:user/ because \
             no identity-based policy allows the iam:ListUsers action"
        )
    );
    assert_eq!(
        message(&mut desk, &LIST_BUCKETS),
        format!(
            "User: {arn} is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows \
             the s3:ListAllMyBuckets action"
        )
    );
    desk.put(
        "bob",
        "deny",
        &policy(
            &json!({"Effect": "Deny", "Action": ["iam:*", "ec2:*"], "Resource": "*", "Sid": "No"}),
        ),
    );
    assert!(
        message(&mut desk, &LIST_USERS)
            .ends_with(":user/ with an explicit deny in an identity-based policy")
    );
    let refusal = message(&mut desk, &DESCRIBE_INSTANCES);
    let (words, encoded) = refusal
        .split_once(". Encoded authorization failure message: ")
        .unwrap();
    assert_eq!(
        words,
        format!(
            "You are not authorized to perform this operation. User: {arn} is not authorized to perform: \
             ec2:DescribeInstances with an explicit deny in an identity-based policy"
        )
    );
    let params = json!({"EncodedMessage": encoded});
    let value = desk
        .sts(&poor, "DecodeAuthorizationMessage", &params)
        .unwrap();
    let decoded: Value = serde_json::from_str(value["DecodedMessage"].as_str().unwrap()).unwrap();
    assert_eq!(decoded["allowed"], false);
    assert_eq!(decoded["explicitDeny"], true);
    assert_eq!(decoded["context"]["action"], "ec2:DescribeInstances");
    assert_eq!(
        decoded["matchedStatements"]["items"][0]["statementId"],
        "No"
    );
    refused(
        desk.sts(
            &poor,
            "DecodeAuthorizationMessage",
            &json!({"EncodedMessage": "x"}),
        ),
        ("InvalidAuthorizationMessageException", ""),
    );
}
