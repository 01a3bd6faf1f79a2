//! INVARIANT: on the part of a case around a pivot, a lineage says of what the pivot names what it says on
//! the whole case: the same matches, ancestors, descendants, states and uses.

#![expect(
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod common;
#[path = "common/told.rs"]
mod told;

use common::{STORIES, ledger, story};
use proptest::prelude::*;
use serde_json::{Value, json};
use unchain_case::Case;
use unchain_core::ledger::IDENTITY_TYPES;

#[test]
fn around_a_pivot_each_story_is_told_as_on_the_whole() {
    for n in 0..STORIES.len() {
        let known = told::check(&mut ledger(&story(n)), 1);
        assert!(known > 20, "story {n} has only {known} pivots");
    }
}

#[test]
fn all_stories_in_one_case_are_told_apart() {
    let records: Vec<_> = (0..STORIES.len()).flat_map(story).collect();
    assert!(told::check(&mut ledger(&records), 1) > 200);
}

#[test]
fn a_pivot_that_is_not_there_gives_nothing() {
    let mut case = Case::in_memory().expect("a case");
    case.write(&mut ledger(&story(1)), &[]).expect("written");
    for pivot in [
        "",
        "AKIANOTTHERE",
        "a9c3f5f2-0000-4000-8000-000000000000",
        "arn:aws:iam::1:user/x",
    ] {
        assert!(
            case.load_around(pivot).expect("loaded").is_none(),
            "{pivot}"
        );
    }
}

/// One of a few texts.
fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(texts)
}

const KEYS: &[&str] = &[
    "AKIAQNZGKIQY56JQ7WMA",
    "AKIAQNZGKIQY56JQ7WMB",
    "ASIAQNZGKIQY56JQ7WMC",
    "ASIAQNZGKIQY56JQ7WMD",
    "ASIAQNZGKIQY56JQ7WME",
    "ASIAQNZGKIQY56JQ7WMF",
    "ASIAQNZGKIQY56JQ7WMG",
    "ASIAQNZGKIQY56JQ7WMH",
    "",
];
const PROVIDER: &str = "arn:aws:iam::1:saml-provider/p";
const PRINCIPALS: &[&str] = &[
    "AIDAALICE",
    "AIDABOB",
    "AROAAPP:one",
    "AROAAPP:two",
    "AROAAPP:i-0aa",
    "AROAWEB:one",
    "AROAWEB:three",
];
const NAMES: &[(&str, &str)] = &[
    ("sts", "AssumeRole"),
    ("sts", "AssumeRole"),
    ("sts", "AssumeRoleWithSAML"),
    ("sts", "GetSessionToken"),
    ("s3", "GetObject"),
    ("iam", "CreateAccessKey"),
    ("iam", "CreateUser"),
    ("iam", "CreateLoginProfile"),
    ("iam", "UpdateAccessKey"),
    ("iam", "PutRolePolicy"),
    ("iam", "CreateSAMLProvider"),
    ("signin", "ConsoleLogin"),
    ("signin", "SwitchRole"),
    ("signin", "GetSigninToken"),
    ("signin", "CreateOAuth2Token"),
    ("sso", "GetRoleCredentials"),
    ("ec2", "RunInstances"),
];

/// Who calls, of a small world in which records collide: few keys, principals and seconds.
fn identities() -> impl Strategy<Value = Value> {
    let parts = (
        one_of(&["", "AWSService"]),
        one_of(KEYS),
        one_of(PRINCIPALS),
        prop::option::of(0u32..12),
        one_of(&["", "", "ec2.amazonaws.com", "sso.amazonaws.com"]),
    );
    parts.prop_map(|(kind, key, principal, created, invoked_by)| {
        let user = if principal == "AIDABOB" {
            "bob"
        } else {
            "alice"
        };
        let role = if principal.starts_with("AROAWEB") {
            "web"
        } else {
            "app"
        };
        let mut identity = match principal.split_once(':') {
            None => json!({
                "type": "IAMUser", "userName": user,
                "arn": format!("arn:aws:iam::111122223333:user/{user}"),
            }),
            Some((_, session)) => json!({
                "type": "AssumedRole",
                "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}"),
            }),
        };
        identity["principalId"] = principal.into();
        identity["accountId"] = "111122223333".into();
        for (member, text) in [
            ("type", kind),
            ("accessKeyId", key),
            ("invokedBy", invoked_by),
        ] {
            if !text.is_empty() {
                identity[member] = text.into();
            }
        }
        if let Some(created) = created {
            identity["sessionContext"]["attributes"]["creationDate"] = time(created).into();
        }
        identity
    })
}

fn time(second: u32) -> String {
    format!("2026-03-02T10:00:{:02}Z", second * 3)
}

/// What is asked for and given.
fn parameters() -> impl Strategy<Value = Value> {
    let parts = (
        one_of(KEYS),
        one_of(PRINCIPALS),
        one_of(&["app", "alice", "AKIAQNZGKIQY56JQ7WMA"]),
        one_of(&["arn:aws:signin:x:1:session/s", PROVIDER, ""]),
    );
    parts.prop_map(|(key, principal, target, arn)| {
        let session = principal.split(':').nth(1).unwrap_or_default();
        let credentials = json!({"accessKeyId": key, "expiration": "Mar 2, 2026, 11:00:00 PM"});
        json!({
            "requestParameters": {
                "roleArn": "arn:aws:iam::111122223333:role/app", "roleSessionName": session,
                "userName": target, "roleName": "app", "accessKeyId": target, "status": "Inactive",
                "principalArn": PROVIDER, "accountId": "111122223333", "policyName": "x", "name": "p",
            },
            "responseElements": {
                "credentials": credentials, "ConsoleLogin": "Success",
                "assumedRoleUser": {"assumedRoleId": principal, "arn": ""},
                "accessKey": credentials, "roleCredentials": credentials,
                "sAMLProviderArn": PROVIDER,
                "instancesSet": {"items": [{"instanceId": "i-0aa"}]},
            },
            "additionalEventData": {"signInSessionArn": arn},
        })
    })
}

fn colliding() -> impl Strategy<Value = Value> {
    let call = prop::sample::select(NAMES);
    let address = one_of(&["192.0.2.1", "192.0.2.2", "console.amazonaws.com"]);
    let agent = one_of(&["aws-cli/2", "Mozilla/5.0"]);
    let parts = (identities(), call, 0u32..12, address, agent, parameters());
    parts.prop_map(
        |(mut identity, (service, name), second, address, agent, mut record)| {
            // AssumeRoleWithSAML is not signed: nobody else calls it, and its callers call nothing else.
            if name == "AssumeRoleWithSAML" {
                identity["type"] = "SAMLUser".into();
                identity["accessKeyId"] = Value::Null;
            }
            for (member, text) in [
                ("eventTime", time(second).as_str()),
                ("eventName", name),
                ("eventSource", &format!("{service}.amazonaws.com")),
                ("awsRegion", "us-east-1"),
                ("recipientAccountId", "111122223333"),
                ("sourceIPAddress", address),
                ("userAgent", agent),
            ] {
                record[member] = text.into();
            }
            record["userIdentity"] = identity;
            // Of records that share an id and differ, not all are found by it: these do not.
            let hash = unchain_case::key_hash(&record.to_string());
            // A GUID that begins so is kept as other texts are.
            let id = match hash % 2 {
                0 => format!("id-{hash:08x}"),
                _ => format!("00000000-0000-0000-0000-0000{hash:08x}"),
            };
            record["eventID"] = id.into();
            record
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn colliding_records_are_told_as_on_the_whole(records in prop::collection::vec(colliding(), 1..40)) {
        told::check(&mut ledger(&records), 1);
    }
}

/// A long-term key is a user's, whatever type of caller its calls name.
#[test]
fn who_made_the_user_of_a_key_is_told_for_every_type_of_caller() {
    let record = |(service, name): (&str, &str), identity: &Value, key: &str| {
        json!({
            "eventTime": time(0), "eventName": name, "eventSource": format!("{service}.amazonaws.com"),
            "eventID": format!("id-{name}"), "recipientAccountId": "111122223333", "awsRegion": "us-east-1",
            "userIdentity": identity, "requestParameters": {"userName": "alice"},
            "responseElements": {"credentials": {"accessKeyId": key}},
        })
    };
    let of_role = |key: &str| {
        json!({
            "type": "AssumedRole", "principalId": "AROAAPP:one", "accountId": "111122223333",
            "arn": "arn:aws:sts::111122223333:assumed-role/app/one", "accessKeyId": key,
        })
    };
    for (_, kind) in IDENTITY_TYPES {
        let of_user = json!({
            "type": kind, "principalId": "AIDAALICE", "accountId": "111122223333", "userName": "alice",
            "arn": "arn:aws:iam::111122223333:user/alice", "accessKeyId": KEYS[0],
        });
        let records = [
            record(("sts", "GetCallerIdentity"), &of_user, ""),
            record(("iam", "CreateUser"), &of_role(KEYS[5]), ""),
            record(("signin", "GetSigninToken"), &of_role(KEYS[1]), KEYS[5]),
        ];
        assert!(told::check(&mut ledger(&records), 1) > 10, "{kind}");
    }
}

#[test]
fn a_part_is_small() {
    let account = |n: usize| format!("{:012}", 100_000_000_000 + n);
    let records: Vec<Value> = (0..500)
        .flat_map(|n| {
            let (account, key) = (account(n), format!("ASIA{n:016}"));
            let user = json!({"type": "IAMUser", "accountId": account, "accessKeyId": format!("AKIA{n:016}"),
                "principalId": format!("AIDA{n:017}"), "userName": format!("user-{n}"),
                "arn": format!("arn:aws:iam::{account}:user/user-{n}")});
            let mut session = user.clone();
            session["accessKeyId"] = key.clone().into();
            session["sessionContext"]["attributes"]["creationDate"] = "2026-03-02T10:00:00Z".into();
            let record = |name: &str, identity: Value, response: Value| json!({
                "eventTime": "2026-03-02T10:00:00Z", "eventName": name, "eventSource": "sts.amazonaws.com",
                "eventID": format!("{name}-{n}"), "recipientAccountId": account, "awsRegion": "us-east-1",
                "userIdentity": identity, "responseElements": response});
            let issue = json!({"credentials": {"accessKeyId": key}});
            [record("GetSessionToken", user, issue), record("GetCallerIdentity", session, Value::Null)]
        })
        .collect();
    let mut case = Case::in_memory().expect("a case");
    case.write(&mut ledger(&records), &[]).expect("written");
    let part = case
        .load_around(&format!("ASIA{:016}", 77))
        .expect("loaded")
        .expect("known");
    assert_eq!((part.callers().len(), part.facts().len()), (2, 1));
}
