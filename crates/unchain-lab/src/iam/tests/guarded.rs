//! Which permission an operation asks for, and what holds for the whole table.

use std::collections::BTreeSet;

use super::*;

fn context(ask: &Ask, key: &str) -> Vec<String> {
    let mut found = ask.context.iter().filter(|(name, _)| name == key);
    found
        .next()
        .map(|(_, values)| values.clone())
        .unwrap_or_default()
}

#[test]
fn an_operation_asks_about_the_arn_with_its_path() {
    let mut bench = Bench::new();
    let view = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess";
    bench.ok(
        "CreateUser",
        json!({"UserName": "eve", "Path": "/dev/", "PermissionsBoundary": view, "Tags": [{"Key": "team", "Value": "a"}]}),
    );
    let params =
        json!({"UserName": "eve", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"});
    let ask = bench.asks("AttachUserPolicy", params).remove(0);
    assert_eq!(ask.action, "iam:AttachUserPolicy");
    assert_eq!(ask.resource, "arn:aws:iam::111122223333:user/dev/eve");
    assert_eq!(
        context(&ask, "iam:PolicyARN"),
        ["arn:aws:iam::aws:policy/AdministratorAccess"]
    );
    assert_eq!(context(&ask, "iam:PermissionsBoundary"), [view]);
    assert_eq!(context(&ask, "aws:ResourceTag/team"), ["a"]);
    let ask = bench
        .asks("GetPolicy", json!({"PolicyArn": view}))
        .remove(0);
    assert_eq!(
        (ask.resource.as_str(), context(&ask, "iam:PolicyARN").len()),
        (view, 0)
    );
    let create = json!({"UserName": "x", "Path": "/ops/", "Tags": [{"Key": "k", "Value": "v"}]});
    let ask = bench.asks("CreateUser", create).remove(0);
    assert_eq!(ask.resource, "arn:aws:iam::111122223333:user/ops/x");
    assert_eq!(
        (
            context(&ask, "aws:RequestTag/k"),
            context(&ask, "aws:TagKeys")
        ),
        (vec!["v".to_owned()], vec!["k".to_owned()])
    );
    let asks = bench.asks(
        "UpdateUser",
        json!({"UserName": "eve", "NewUserName": "mallory"}),
    );
    assert_eq!(
        asks.iter()
            .map(|ask| ask.resource.as_str())
            .collect::<Vec<_>>(),
        [
            "arn:aws:iam::111122223333:user/dev/eve",
            "arn:aws:iam::111122223333:user/mallory",
        ]
    );
    assert_eq!(bench.asks("GetAccountSummary", json!({}))[0].resource, "*");
    assert_eq!(
        bench.asks("ListMFADevices", json!({}))[0].resource,
        "arn:aws:iam::111122223333:root"
    );
}

#[test]
fn a_role_in_an_instance_profile_is_passed_to_ec2() {
    let mut bench = Bench::new();
    bench.role("app");
    bench.ok(
        "CreateInstanceProfile",
        json!({"InstanceProfileName": "app"}),
    );
    let asks = bench.asks(
        "AddRoleToInstanceProfile",
        json!({"InstanceProfileName": "app", "RoleName": "app"}),
    );
    assert_eq!(
        asks[0].resource,
        "arn:aws:iam::111122223333:instance-profile/app"
    );
    assert_eq!(
        (asks[1].action.as_str(), asks[1].resource.as_str()),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/app")
    );
    assert_eq!(
        context(&asks[1], "iam:PassedToService"),
        ["ec2.amazonaws.com"]
    );
}

#[test]
fn each_operation_is_in_the_table_once() {
    let names: BTreeSet<_> = super::super::OPERATIONS
        .iter()
        .map(|operation| operation.name)
        .collect();
    assert_eq!(names.len(), super::super::OPERATIONS.len());
    for operation in super::super::OPERATIONS {
        let reading = ["Get", "List", "Simulate", "Generate"];
        let reading = reading.iter().any(|verb| operation.name.starts_with(verb));
        assert_eq!(operation.read_only, reading, "{}", operation.name);
    }
}

const ODD: &[&str] = &[
    "",
    "/",
    ":",
    "*",
    "\u{0}",
    "é",
    "arn:",
    "arn:aws:iam::111122223333:role/",
    "{\"Statement\":[1]}",
    "-1",
];

/// Every parameter that holds a text, all with the same.
fn all_are(text: &str) -> Value {
    let names = "UserName RoleName GroupName PolicyArn PolicyName PolicyDocument AccessKeyId SerialNumber Marker \
        MaxItems Path VersionId InstanceProfileName Url Arn PolicySourceArn NewUserName AssumeRolePolicyDocument \
        Password DeletionTaskId AWSServiceName ServiceName JobId Name";
    let names = names.split_whitespace();
    names
        .map(|name| (name.to_owned(), json!(text)))
        .collect::<Map<_, _>>()
        .into()
}

#[test]
fn no_call_with_wrong_parameters_changes_anything_or_crashes() {
    let mut bench = Bench::new();
    let before = serde_json::to_string(&bench.world.accounts).unwrap();
    for operation in super::super::OPERATIONS {
        // Every parameter of this one may be absent.
        if operation.name == "UpdateAccountPasswordPolicy" {
            continue;
        }
        for text in ODD {
            let refused = bench.try_reply(operation.name, all_are(text)).is_err();
            assert!(
                refused || operation.read_only,
                "{} takes {text:?}",
                operation.name
            );
        }
    }
    bench.world.change_iam(ACCOUNT).unwrap().credential_report = None;
    assert_eq!(
        serde_json::to_string(&bench.world.accounts).unwrap(),
        before
    );
}

#[test]
fn an_account_that_is_not_there_is_refused() {
    let mut bench = Bench::new();
    bench.world.accounts.clear();
    assert_eq!(bench.code("ListUsers", json!({})), "NoSuchEntity");
}

#[test]
fn the_state_can_be_kept_in_a_file() {
    let mut bench = Bench::new();
    bench.user("eve");
    bench.role("app");
    bench.ok(
        "PutUserPolicy",
        json!({"UserName": "eve", "PolicyName": "own", "PolicyDocument": S3_ALL}),
    );
    let text = serde_json::to_string(&bench.world.accounts[ACCOUNT].iam).unwrap();
    let read: crate::iam::Iam = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
}
