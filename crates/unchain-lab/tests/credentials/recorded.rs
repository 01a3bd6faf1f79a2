//! What CloudTrail is told of a call that issued a credential.

use serde_json::{Value, json};
use unchain_lab::call::Recorded;
use unchain_lab::mfa::totp;
use unchain_lab::service::Service;
use unchain_lab::session::Caller;

use crate::desk::{ALLOW_ALL, AWAY, Desk, HOME, SEED, START, trust};

fn record(desk: &mut Desk, caller: &Caller, name: &str, params: &Value) -> (Value, Recorded) {
    let operation = Service::Sts.operation(name).unwrap();
    let reply = desk.reply(caller, operation, params).unwrap();
    let told = json!([
        reply.recorded.request,
        reply.recorded.response,
        reply.recorded.additional,
        reply.recorded.resources
    ]);
    if let Some(secret) = reply.value["Credentials"]["SecretAccessKey"].as_str() {
        assert!(!told.to_string().contains(secret), "the secret is recorded");
    }
    (reply.value, reply.recorded)
}

#[test]
fn an_assumed_role_is_recorded_with_its_key_and_never_with_secret_or_code() {
    let mut desk = Desk::new();
    let user = desk.user("eve", ALLOW_ALL);
    let serial = desk.device("eve");
    let role = desk.role(
        AWAY,
        "far",
        &trust(&json!({"AWS": format!("arn:aws:iam::{HOME}:user/eve")})),
    );
    let code = totp(SEED, START);
    let params = json!({
        "RoleArn": role, "RoleSessionName": "work", "DurationSeconds": "900", "ExternalId": "x7",
        "SourceIdentity": "eve", "SerialNumber": serial, "TokenCode": code, "Policy": ALLOW_ALL,
        "Tags": [{"Key": "team", "Value": "red"}], "TransitiveTagKeys": ["team"],
    });
    let (value, recorded) = record(&mut desk, &user, "AssumeRole", &params);
    assert_eq!(
        recorded.request,
        Some(json!({
            "roleArn": role, "roleSessionName": "work", "externalId": "x7", "sourceIdentity": "eve",
            "serialNumber": serial, "durationSeconds": 900, "policy": ALLOW_ALL,
            "tags": [{"key": "team", "value": "red"}], "transitiveTagKeys": ["team"],
        }))
    );
    let response = recorded.response.unwrap();
    assert_eq!(
        response["credentials"],
        json!({
            "accessKeyId": value["Credentials"]["AccessKeyId"],
            "sessionToken": value["Credentials"]["SessionToken"],
            "expiration": "Nov 22, 2026, 9:15:00 AM",
        })
    );
    assert_eq!(
        response["assumedRoleUser"]["arn"],
        "arn:aws:sts::444455556666:assumed-role/far/work"
    );
    assert_eq!(response["sourceIdentity"], "eve");
    assert_eq!(response["packedPolicySize"], value["PackedPolicySize"]);
    assert_eq!(
        recorded.resources,
        [json!({"accountId": AWAY, "type": "AWS::IAM::Role", "ARN": role})]
    );
    assert_eq!(recorded.also_in, [AWAY]);
    assert_eq!(
        recorded.additional,
        Some(
            json!({"RequestDetails": {"awsServingRegion": "eu-west-1", "endpointType": "regional"}})
        )
    );

    let far = desk.bearer(&value);
    let next = desk.role(AWAY, "next", &trust(&json!({"AWS": role})));
    let params = json!({"RoleArn": next, "RoleSessionName": "on"});
    let (_, recorded) = record(&mut desk, &far, "AssumeRole", &params);
    assert_eq!(
        recorded.request.unwrap(),
        json!({"roleArn": next, "roleSessionName": "on", "incomingTransitiveTags": {"team": "red"}})
    );
    assert!(recorded.also_in.is_empty());
}

#[test]
fn tokens_of_users_are_recorded_as_calls_that_write() {
    let mut desk = Desk::new();
    let user = desk.user("eve", ALLOW_ALL);
    desk.host = "sts.amazonaws.com:8080".to_owned();
    let (_, recorded) = record(&mut desk, &user, "GetSessionToken", &json!({}));
    assert_eq!(recorded.request, Some(Value::Null));
    assert_eq!(
        recorded.additional.unwrap()["RequestDetails"]["endpointType"],
        "global"
    );
    let params = json!({"Name": "guest", "Policy": ALLOW_ALL, "DurationSeconds": 900});
    let (_, recorded) = record(&mut desk, &user, "GetFederationToken", &params);
    assert_eq!(
        recorded.request,
        Some(json!({"name": "guest", "durationSeconds": 900, "policy": ALLOW_ALL}))
    );
    let response = recorded.response.unwrap();
    assert_eq!(
        response["federatedUser"],
        json!({
            "federatedUserId": "111122223333:guest",
            "arn": "arn:aws:sts::111122223333:federated-user/guest",
        })
    );
    for (name, reads) in [
        ("AssumeRole", true),
        ("AssumeRoleWithSAML", true),
        ("AssumeRoleWithWebIdentity", true),
        ("GetCallerIdentity", true),
        ("GetSessionToken", false),
        ("GetFederationToken", false),
    ] {
        assert_eq!(
            Service::Sts.operation(name).unwrap().read_only,
            reads,
            "{name}"
        );
    }
}
