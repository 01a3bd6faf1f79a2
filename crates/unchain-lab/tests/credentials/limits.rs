//! Durations, names, sizes and codes: what AWS takes and what it refuses, with its words.

use serde_json::{Value, json};
use unchain_lab::mfa::totp;
use unchain_lab::service::Service;
use unchain_lab::session::Caller;

use crate::desk::{
    ALLOW_ALL, AWAY, Desk, HOME, LIST_USERS, SEED, START, policy, refused, trust, trust_account,
};

fn desk() -> (Desk, Caller, String) {
    let mut desk = Desk::new();
    let user = desk.user("eve", ALLOW_ALL);
    let role = desk.role(HOME, "app", &trust_account(HOME));
    (desk, user, role)
}

fn assume(role: &str, more: Value) -> Value {
    let mut params = json!({"RoleArn": role, "RoleSessionName": "work"});
    let Value::Object(more) = more else {
        panic!("an object")
    };
    params.as_object_mut().unwrap().extend(more);
    params
}

fn lasts(desk: &Desk, value: &Value) -> i64 {
    let session = desk.bearer(value).session.unwrap();
    assert_eq!(session.issued_at, desk.world.now);
    assert_eq!(
        value["Credentials"]["Expiration"]["$time"],
        json!(session.expires_at)
    );
    session.expires_at - session.issued_at
}

#[test]
fn a_role_session_is_what_the_reply_says() {
    let (mut desk, user, role) = desk();
    let value = desk
        .sts(&user, "AssumeRole", &assume(&role, json!({})))
        .unwrap();
    assert_eq!(lasts(&desk, &value), 3600);
    let key = value["Credentials"]["AccessKeyId"].as_str().unwrap();
    assert!(key.starts_with("ASIA") && key.len() == 20);
    assert_eq!(
        value["AssumedRoleUser"]["Arn"],
        "arn:aws:sts::111122223333:assumed-role/app/work"
    );
    let id = value["AssumedRoleUser"]["AssumedRoleId"].as_str().unwrap();
    assert!(id.starts_with("AROA") && id.ends_with(":work"));
    assert_eq!(value.get("PackedPolicySize"), None);
    let session = desk.bearer(&value);
    assert_eq!(
        desk.arn(&session),
        "arn:aws:sts::111122223333:assumed-role/app/work"
    );
    let hash = unchain_lab::sts::token_hash(value["Credentials"]["SessionToken"].as_str().unwrap());
    assert_eq!(session.session.unwrap().token_hash, hash);
}

#[test]
fn a_role_that_does_not_exist_is_refused_as_one_that_does_not_trust() {
    let (mut desk, user, _) = desk();
    let missing = format!("arn:aws:iam::{HOME}:role/missing");
    let other_path = format!("arn:aws:iam::{HOME}:role/path/app");
    let no_account = "arn:aws:iam::999999999999:role/app".to_owned();
    let distrusting = desk.role(HOME, "closed", &trust_account(AWAY));
    for role in [missing, other_path, no_account, distrusting] {
        let words = format!(
            "User: arn:aws:iam::{HOME}:user/eve is not authorized to perform: sts:AssumeRole on resource: {role}"
        );
        let fault = desk
            .sts(&user, "AssumeRole", &assume(&role, json!({})))
            .unwrap_err();
        assert_eq!(fault.message, words);
        assert_eq!(fault.status, 403);
    }
}

#[test]
fn durations_of_a_role_are_limited_by_the_api_and_by_the_role() {
    let (mut desk, user, role) = desk();
    let mut ask = |seconds: i64| {
        desk.sts(
            &user,
            "AssumeRole",
            &assume(&role, json!({"DurationSeconds": seconds})),
        )
    };
    refused(
        ask(899),
        (
            "ValidationError",
            "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must \
             have value greater than or equal to 900",
        ),
    );
    refused(
        ask(43_201),
        ("ValidationError", "less than or equal to 43200"),
    );
    refused(
        ask(3601),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ),
    );
    assert!(ask(900).is_ok() && ask(3600).is_ok());
    desk.edit_role(HOME, "app").max_session = 43_200;
    let params = assume(&role, json!({"DurationSeconds": "43200"}));
    let value = desk.sts(&user, "AssumeRole", &params).unwrap();
    assert_eq!(lasts(&desk, &value), 43_200);
}

#[test]
fn a_temporary_credential_makes_role_sessions_of_an_hour_at_most() {
    let (mut desk, user, role) = desk();
    desk.edit_role(HOME, "app").max_session = 43_200;
    let words = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
    for caller in [desk.assume(&user, &role), desk.token(&user)] {
        let longer = assume(&role, json!({"DurationSeconds": 3601}));
        refused(
            desk.sts(&caller, "AssumeRole", &longer),
            ("ValidationError", words),
        );
        let hour = assume(&role, json!({"DurationSeconds": 3600}));
        assert!(desk.sts(&caller, "AssumeRole", &hour).is_ok());
    }
}

#[test]
fn an_instance_does_not_chain() {
    let (mut desk, user, role) = desk();
    desk.edit_role(HOME, "app").max_session = 43_200;
    let mut caller = desk.assume(&user, &role);
    let mut session = (*caller.session.take().unwrap()).clone();
    session.made_by = unchain_lab::session::MadeBy::Service {
        service: "ec2.amazonaws.com".to_owned(),
        ec2_role_delivery: Some("2.0".to_owned()),
    };
    caller.session = Some(session.into());
    let params = assume(&role, json!({"DurationSeconds": 43_200}));
    assert!(desk.sts(&caller, "AssumeRole", &params).is_ok());
}

#[test]
fn tokens_of_users_last_up_to_36_hours_and_those_of_root_one() {
    let (mut desk, user, _) = desk();
    let root = desk.root();
    let federate = json!({"Name": "guest", "Policy": ALLOW_ALL});
    for (name, params) in [
        ("GetSessionToken", json!({})),
        ("GetFederationToken", federate),
    ] {
        let mut ask = |caller: &Caller, seconds: Option<i64>| {
            let mut params = params.clone();
            if let Some(seconds) = seconds {
                params["DurationSeconds"] = json!(seconds);
            }
            let value = desk.sts(caller, name, &params)?;
            Ok(lasts(&desk, &value))
        };
        assert_eq!(ask(&user, None).unwrap(), 43_200);
        assert_eq!(ask(&user, Some(129_600)).unwrap(), 129_600);
        assert_eq!(ask(&user, Some(900)).unwrap(), 900);
        refused(
            ask(&user, Some(129_601)),
            ("ValidationError", "less than or equal to 129600"),
        );
        refused(
            ask(&user, Some(899)),
            ("ValidationError", "greater than or equal to 900"),
        );
        assert_eq!(ask(&root, None).unwrap(), 3600, "{name}");
        assert_eq!(ask(&root, Some(129_600)).unwrap(), 3600, "{name}");
        assert_eq!(ask(&root, Some(1800)).unwrap(), 1800, "{name}");
    }
}

#[test]
fn two_tokens_are_two_keys() {
    let (mut desk, user, _) = desk();
    let (one, two) = (desk.token(&user), desk.token(&user));
    assert_ne!(one.access_key_id, two.access_key_id);
    assert_eq!(desk.arn(&one), "arn:aws:iam::111122223333:user/eve");
    assert_eq!(one.user_id(), user.user_id());
}

#[test]
fn names_and_ids_have_their_letters_and_lengths() {
    let (mut desk, user, role) = desk();
    let long = "x".repeat(65);
    for (name, value, words) in [
        (
            "RoleSessionName",
            "x",
            "'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
        ),
        (
            "RoleSessionName",
            long.as_str(),
            "length less than or equal to 64",
        ),
        (
            "RoleSessionName",
            "a b",
            r"Member must satisfy regular expression pattern: [\w+=,.@-]*",
        ),
        ("ExternalId", "x", "'externalId'"),
        ("ExternalId", "a b", r"[\w+=,.@:\/-]*"),
        ("SourceIdentity", "a/b", "'sourceIdentity'"),
        ("SourceIdentity", &long, "length less than or equal to 64"),
    ] {
        let mut params = assume(&role, json!({}));
        params[name] = json!(value);
        refused(
            desk.sts(&user, "AssumeRole", &params),
            ("ValidationError", words),
        );
    }
    let both = json!({"RoleArn": role, "RoleSessionName": "x", "DurationSeconds": 1});
    refused(
        desk.sts(&user, "AssumeRole", &both),
        ("ValidationError", "2 validation errors detected"),
    );
    refused(
        desk.sts(&user, "AssumeRole", &json!({})),
        (
            "ValidationError",
            "Value null at 'roleArn' failed to satisfy constraint: Member must not be null; Value null at 'roleSessionName'",
        ),
    );
    refused(
        desk.sts(
            &user,
            "AssumeRole",
            &assume("arn:aws:s3:::bucket-of-someone", json!({})),
        ),
        ("ValidationError", "is invalid"),
    );
    let name = json!({"Name": "x".repeat(33)});
    refused(
        desk.sts(&user, "GetFederationToken", &name),
        ("ValidationError", "length less than or equal to 32"),
    );
}

#[test]
fn session_policies_are_limited_in_form_number_and_size() {
    let (mut desk, user, role) = desk();
    let mut ask = |more: Value| desk.sts(&user, "AssumeRole", &assume(&role, more));
    let value = ask(json!({"Policy": ALLOW_ALL})).unwrap();
    let size = value["PackedPolicySize"].as_i64().unwrap();
    assert!((1..=15).contains(&size), "{size}");
    refused(
        ask(json!({"Policy": "{"})),
        (
            "MalformedPolicyDocument",
            "The policy is not in the valid JSON format.",
        ),
    );
    refused(
        ask(json!({"Policy": r#"{"Statement":{"Effect":"Maybe"}}"#})),
        ("MalformedPolicyDocument", "Syntax errors in policy"),
    );
    let named =
        policy(&json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}));
    refused(
        ask(json!({"Policy": named})),
        ("MalformedPolicyDocument", "Principal"),
    );
    refused(
        ask(json!({"Policy": " ".repeat(2049)})),
        ("ValidationError", "length less than or equal to 2048"),
    );
    let arn = json!({"arn": format!("arn:aws:iam::{HOME}:policy/missing")});
    refused(
        ask(json!({"PolicyArns": [arn]})),
        ("MalformedPolicyDocument", "policy/missing"),
    );
    refused(
        ask(json!({"PolicyArns": vec![arn; 11]})),
        ("ValidationError", "'policyArns'"),
    );
    let tags: Vec<_> = (0..50)
        .map(|n| json!({"Key": format!("k{n}"), "Value": noise(n, 250)}))
        .collect();
    refused(
        ask(json!({"Tags": tags})),
        (
            "PackedPolicyTooLarge",
            "% of allotted space, please use smaller policy.",
        ),
    );
}

/// Text that does not pack well.
fn noise(seed: u64, length: usize) -> String {
    unchain_lab::ids::Ids::new(seed).text(length)
}

#[test]
fn tags_have_limits_of_their_own() {
    let (mut desk, user, role) = desk();
    let mut ask =
        |tags: Value| desk.sts(&user, "AssumeRole", &assume(&role, json!({"Tags": tags})));
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    assert!(ask(json!([tag("team", "red"), tag("cost centre", "")])).is_ok());
    refused(
        ask(json!([tag("a", "1"), tag("A", "2")])),
        ("ValidationError", "Duplicate tag keys found"),
    );
    refused(
        ask(json!([tag("aws:x", "1")])),
        ("ValidationError", "reserved prefix"),
    );
    refused(
        ask(json!([tag(&"k".repeat(129), "1")])),
        ("ValidationError", "length less than or equal to 128"),
    );
    refused(
        ask(json!([tag("k", &"v".repeat(257))])),
        ("ValidationError", "length less than or equal to 256"),
    );
    refused(
        ask(json!([tag("k", "a*b")])),
        ("ValidationError", "regular expression"),
    );
    let many: Vec<_> = (0..51).map(|n| tag(&n.to_string(), "")).collect();
    refused(
        ask(json!(many)),
        ("ValidationError", "length less than or equal to 50"),
    );
    let loose = assume(&role, json!({"TransitiveTagKeys": ["team"]}));
    refused(
        desk.sts(&user, "AssumeRole", &loose),
        (
            "InvalidParameterValue",
            "must be included in the requested tags",
        ),
    );
}

#[test]
fn a_code_of_the_users_own_device_counts_once() {
    let (mut desk, user, _) = desk();
    let serial = desk.device("eve");
    let code = |at: i64| json!({"SerialNumber": serial, "TokenCode": totp(SEED, at)});
    let value = desk.sts(&user, "GetSessionToken", &code(START)).unwrap();
    let token = desk.bearer(&value);
    assert_eq!(
        token.session.as_ref().unwrap().mfa_serial,
        Some(serial.clone())
    );
    assert!(desk.reply(&token, &LIST_USERS, &json!({})).is_ok());
    let invalid = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
    for at in [START, START - 30, START + 90] {
        let fault = desk.sts(&user, "GetSessionToken", &code(at)).unwrap_err();
        assert!(fault.message.starts_with(invalid), "{}", fault.message);
        assert!(fault.keep_request);
    }
    desk.world.now += 30;
    assert!(
        desk.sts(&user, "GetSessionToken", &code(START + 30))
            .is_ok()
    );
}

#[test]
fn a_device_of_another_and_half_a_pair_are_refused() {
    let (mut desk, user, role) = desk();
    desk.user("bob", ALLOW_ALL);
    let other = desk.device("bob");
    let own = desk.device("eve");
    let unable = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number \
                  is valid and associated with this user.";
    for serial in [other.as_str(), "arn:aws:iam::111122223333:mfa/none"] {
        let params = json!({"SerialNumber": serial, "TokenCode": totp(SEED, START)});
        refused(
            desk.sts(&user, "GetSessionToken", &params),
            ("AccessDenied", unable),
        );
        refused(
            desk.sts(&user, "AssumeRole", &assume(&role, params)),
            ("AccessDenied", unable),
        );
    }
    refused(
        desk.sts(&user, "GetSessionToken", &json!({"SerialNumber": own})),
        ("AccessDenied", "must provide both"),
    );
    refused(
        desk.sts(
            &user,
            "GetSessionToken",
            &json!({"SerialNumber": own, "TokenCode": "12345"}),
        ),
        ("ValidationError", "'tokenCode'"),
    );
}

#[test]
fn a_role_that_asks_for_mfa_gets_it_and_its_session_does_not_have_it() {
    let (mut desk, user, _) = desk();
    let serial = desk.device("eve");
    let guarded = policy(&json!({
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{HOME}:root")}, "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "60"}},
    }));
    let role = desk.role(HOME, "guarded", &guarded);
    refused(
        desk.sts(&user, "AssumeRole", &assume(&role, json!({}))),
        ("AccessDenied", "sts:AssumeRole"),
    );
    let code = json!({"SerialNumber": serial, "TokenCode": totp(SEED, START)});
    let value = desk
        .sts(&user, "AssumeRole", &assume(&role, code.clone()))
        .unwrap();
    let session = desk.bearer(&value);
    assert!(session.session.as_ref().unwrap().mfa_logged);
    refused(
        desk.sts(&session, "AssumeRole", &assume(&role, json!({}))),
        ("AccessDenied", "sts:AssumeRole"),
    );
    refused(
        desk.sts(&user, "AssumeRole", &assume(&role, code)),
        ("AccessDenied", "invalid MFA one time pass code"),
    );
    desk.world.now += 60;
    let code = json!({"SerialNumber": serial, "TokenCode": totp(SEED, START + 60)});
    let token = desk.sts(&user, "GetSessionToken", &code).unwrap();
    let token = desk.bearer(&token);
    assert!(
        desk.sts(&token, "AssumeRole", &assume(&role, json!({})))
            .is_ok()
    );
    desk.world.now += 61;
    assert!(
        desk.sts(&token, "AssumeRole", &assume(&role, json!({})))
            .is_err()
    );
}

#[test]
fn root_assumes_no_roles() {
    let (mut desk, _, role) = desk();
    let root = desk.root();
    refused(
        desk.sts(&root, "AssumeRole", &assume(&role, json!({}))),
        ("AccessDenied", "Roles may not be assumed by root accounts."),
    );
    assert_eq!(desk.arn(&root), "arn:aws:iam::111122223333:root");
}

#[test]
fn the_account_of_any_key_is_told() {
    let (mut desk, user, role) = desk();
    let session = desk.assume(&user, &role);
    let foreign = unchain_trail::identifier(unchain_trail::Prefix::TemporaryKey, AWAY, "x");
    for (key, account) in [
        (user.access_key_id.clone().unwrap(), HOME),
        (session.access_key_id.clone().unwrap(), HOME),
        (foreign, AWAY),
    ] {
        let value = desk
            .sts(&session, "GetAccessKeyInfo", &json!({"AccessKeyId": key}))
            .unwrap();
        assert_eq!(value, json!({"Account": account}));
    }
    for key in ["short", "no-key-at-all-is-this", "0000000000000000"] {
        let outcome = desk.sts(&user, "GetAccessKeyInfo", &json!({"AccessKeyId": key}));
        refused(outcome, ("ValidationError", ""));
    }
}

#[test]
fn every_operation_answers_any_parameters_without_falling() {
    let (mut desk, user, role) = desk();
    let odd = [
        json!({}),
        json!({"RoleArn": null, "Tags": "x", "PolicyArns": [1, null, {}], "TransitiveTagKeys": [[]]}),
        json!({"RoleArn": role, "RoleSessionName": "é\u{0}", "DurationSeconds": "many", "Policy": ""}),
        json!({"RoleArn": role, "RoleSessionName": "xx", "Tags": [{}], "WebIdentityToken": "a.b.c"}),
        json!({"Name": 7, "EncodedMessage": "*", "AccessKeyId": true, "TaskPolicyArn": [], "TargetPrincipal": 1}),
        json!({"RoleArn": "arn:aws:iam::111122223333:role/", "RoleSessionName": "xx", "SAMLAssertion": "////"}),
    ];
    for operation in Service::Sts.operations() {
        for params in &odd {
            let _ = desk.reply(&user, operation, params);
            let _ = desk.reply(&Caller::anonymous(), operation, params);
            let _ = unchain_lab::sts::bearer(operation, params.as_object().unwrap());
        }
    }
    assert_eq!(Service::Sts.operations().len(), 9);
    let anyone = trust(&json!("*"));
    desk.role(HOME, "open", &anyone);
    refused(
        desk.sts(
            &Caller::anonymous(),
            "AssumeRole",
            &assume(&format!("arn:aws:iam::{HOME}:role/open"), json!({})),
        ),
        (
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
    );
}
