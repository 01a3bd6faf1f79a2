//! Chains of roles: what goes on from session to session, and who may tag and name.

use serde_json::json;

use crate::desk::{ALLOW_ALL, AWAY, Desk, HOME, allow, policy, refused, trust, trust_account};

#[test]
fn a_role_assumes_a_role_also_in_another_account() {
    let mut desk = Desk::new();
    let user = desk.user("eve", ALLOW_ALL);
    let first = desk.role(HOME, "first", &trust_account(HOME));
    let second = desk.role(AWAY, "second", &trust(&json!({"AWS": first})));
    let session = desk.assume(&user, &first);
    let far = desk.assume(&session, &second);
    assert_eq!(far.account, AWAY);
    assert!(far.session.as_ref().unwrap().chained);
    assert!(!session.session.as_ref().unwrap().chained);
    let direct = json!({"RoleArn": second, "RoleSessionName": "test"});
    refused(
        desk.sts(&user, "AssumeRole", &direct),
        ("AccessDenied", "sts:AssumeRole"),
    );
}

#[test]
fn both_accounts_must_allow() {
    let mut desk = Desk::new();
    let user = desk.user("eve", &allow("s3:*"));
    let role = desk.role(
        AWAY,
        "far",
        &trust(&json!({"AWS": format!("arn:aws:iam::{HOME}:user/eve")})),
    );
    let near = desk.role(
        HOME,
        "near",
        &trust(&json!({"AWS": format!("arn:aws:iam::{HOME}:user/eve")})),
    );
    let params = |role: &str| json!({"RoleArn": role, "RoleSessionName": "test"});
    refused(
        desk.sts(&user, "AssumeRole", &params(&role)),
        ("AccessDenied", &role),
    );
    desk.assume(&user, &near);
    desk.put("eve", "assume", &allow("sts:AssumeRole"));
    desk.assume(&user, &role);
}

#[test]
fn transitive_tags_and_the_source_identity_go_on_and_cannot_be_changed() {
    let mut desk = Desk::new();
    let user = desk.user("eve", ALLOW_ALL);
    let first = desk.role(HOME, "first", &trust_account(HOME));
    let second = desk.role(HOME, "second", &trust_account(HOME));
    let params = json!({
        "RoleArn": first, "RoleSessionName": "one", "SourceIdentity": "eve",
        "Tags": [{"Key": "team", "Value": "red"}, {"Key": "cost", "Value": "7"}], "TransitiveTagKeys": ["team"],
    });
    let value = desk.sts(&user, "AssumeRole", &params).unwrap();
    assert_eq!(value["SourceIdentity"], "eve");
    assert!(value["PackedPolicySize"].is_number());
    let one = desk.bearer(&value);
    let two = desk.assume(&one, &second);
    let session = two.session.clone().unwrap();
    assert_eq!(session.source_identity.as_deref(), Some("eve"));
    assert_eq!(
        session.tags.clone().into_iter().collect::<Vec<_>>(),
        [("team".to_owned(), "red".to_owned())]
    );
    let three = desk.assume(&two, &first);
    assert_eq!(three.session.unwrap().tags, session.tags);

    let with = |name: &str, value: serde_json::Value| {
        let mut params = json!({"RoleArn": second, "RoleSessionName": "two"});
        params[name] = value;
        params
    };
    refused(
        desk.sts(&one, "AssumeRole", &with("SourceIdentity", json!("bob"))),
        ("AccessDenied", "source identity"),
    );
    assert!(
        desk.sts(&one, "AssumeRole", &with("SourceIdentity", json!("eve")))
            .is_ok()
    );
    let tag = json!([{"Key": "Team", "Value": "blue"}]);
    refused(
        desk.sts(&one, "AssumeRole", &with("Tags", tag)),
        (
            "InvalidParameterValue",
            "conflicts with a transitive tag key",
        ),
    );
}

#[test]
fn tagging_and_naming_must_be_trusted_also_where_they_are_inherited() {
    let mut desk = Desk::new();
    let user = desk.user("eve", ALLOW_ALL);
    let first = desk.role(HOME, "first", &trust_account(HOME));
    let only_assume = policy(&json!({
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": format!("arn:aws:iam::{HOME}:root")},
    }));
    let plain = desk.role(HOME, "plain", &only_assume);
    let params = |role: &str, more: serde_json::Value| {
        let mut params = json!({"RoleArn": role, "RoleSessionName": "one"});
        params
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        params
    };
    let tags = json!({"Tags": [{"Key": "a", "Value": "b"}], "TransitiveTagKeys": ["a"]});
    let name = json!({"SourceIdentity": "eve"});
    for (more, action) in [(&tags, "sts:TagSession"), (&name, "sts:SetSourceIdentity")] {
        let asked = params(&plain, more.clone());
        refused(
            desk.sts(&user, "AssumeRole", &asked),
            ("AccessDenied", action),
        );
        let value = desk
            .sts(&user, "AssumeRole", &params(&first, more.clone()))
            .unwrap();
        let session = desk.bearer(&value);
        let bare = params(&plain, json!({}));
        refused(
            desk.sts(&session, "AssumeRole", &bare),
            ("AccessDenied", action),
        );
    }
    desk.assume(&user, &plain);
}

#[test]
fn what_is_asked_for_can_be_a_condition_of_the_trust() {
    let mut desk = Desk::new();
    let user = desk.user("eve", ALLOW_ALL);
    let conditions = json!({
        "StringEquals": {
            "sts:ExternalId": "tenant-7", "sts:RoleSessionName": "${aws:username}", "sts:SourceIdentity": "eve",
            "aws:RequestTag/team": "red",
        },
        "ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["team"], "aws:TagKeys": ["team"]},
    });
    let guarded = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        "Principal": {"AWS": "*"}, "Condition": conditions,
    }]});
    let role = desk.role(HOME, "guarded", &guarded.to_string());
    let right = json!({
        "RoleArn": role, "RoleSessionName": "eve", "ExternalId": "tenant-7", "SourceIdentity": "eve",
        "Tags": [{"Key": "team", "Value": "red"}], "TransitiveTagKeys": ["team"],
    });
    assert!(desk.sts(&user, "AssumeRole", &right).is_ok());
    for (name, value) in [
        ("ExternalId", json!("tenant-8")),
        ("RoleSessionName", json!("bob")),
        ("SourceIdentity", json!("bob")),
        ("Tags", json!([{"Key": "team", "Value": "blue"}])),
        (
            "Tags",
            json!([{"Key": "team", "Value": "red"}, {"Key": "more", "Value": "1"}]),
        ),
    ] {
        let mut wrong = right.clone();
        wrong[name] = value;
        refused(
            desk.sts(&user, "AssumeRole", &wrong),
            ("AccessDenied", "sts:AssumeRole"),
        );
    }
}
