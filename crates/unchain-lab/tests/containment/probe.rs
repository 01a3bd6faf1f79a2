//! What a credential can still do, by trying: a call of each service that the lab has, and each way to more credentials.

use super::scene::{Outcome, Scene};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use unchain_lab::service::Service;
use unchain_lab::story::Keys;

/// How a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reply {
    /// The key is unknown, inactive or deleted, or its time is over.
    Dead,
    /// A statement denies it.
    Denied,
    /// Nothing allows it, or it is not for this kind of credential.
    NotAllowed,
    /// It was carried out, or refused for another reason than who asks.
    Works,
}

/// Each call with its answer.
pub(crate) type Replies = BTreeMap<String, Reply>;

/// Calls that only read, one at least of each service.
const READS: [(Service, &str); 16] = [
    (Service::Athena, "ListWorkGroups"),
    (Service::CloudFormation, "ListStacks"),
    (Service::CloudTrail, "DescribeTrails"),
    (Service::DynamoDb, "ListTables"),
    (Service::Ec2, "DescribeInstances"),
    (Service::Iam, "GetAccountSummary"),
    (Service::Iam, "ListUsers"),
    (Service::Iam, "ListRoles"),
    (Service::Lambda, "ListFunctions"),
    (Service::Organizations, "DescribeOrganization"),
    (Service::S3, "ListBuckets"),
    (Service::SecretsManager, "ListSecrets"),
    (Service::Sns, "ListTopics"),
    (Service::Sqs, "ListQueues"),
    (Service::Ssm, "DescribeParameters"),
    (Service::Ssm, "DescribeInstanceInformation"),
];

fn read(outcome: &Outcome) -> Reply {
    const GONE: [&str; 9] = [
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "UnrecognizedClientException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidToken",
        "IncompleteSignature",
    ];
    let Err((code, message)) = outcome else {
        return Reply::Works;
    };
    let refused = code.starts_with("AccessDenied") || code == "UnauthorizedOperation";
    match code.as_str() {
        code if GONE.contains(&code) => Reply::Dead,
        _ if refused && message.contains("explicit deny") => Reply::Denied,
        _ if refused => Reply::NotAllowed,
        _ => Reply::Works,
    }
}

/// The ways to more credentials and past a deny; none of them changes anything that the tests look at.
fn mints(scene: &Scene) -> Vec<((Service, &'static str), Value)> {
    let mut ways = vec![
        ((Service::Sts, "GetSessionToken"), json!({})),
        (
            (Service::Sts, "GetFederationToken"),
            json!({"Name": "probe"}),
        ),
        (
            (Service::Iam, "CreateAccessKey"),
            json!({"UserName": "nobody-of-this-name"}),
        ),
        (
            (Service::Iam, "DeleteUserPolicy"),
            json!({"UserName": "nobody-of-this-name", "PolicyName": "none"}),
        ),
    ];
    for account in &scene.accounts {
        let roles = scene
            .lab
            .world()
            .iam(account)
            .unwrap()
            .roles
            .keys()
            .cloned()
            .collect::<Vec<_>>();
        for role in roles {
            let arn = format!("arn:aws:iam::{account}:role/{role}");
            let params = json!({"RoleArn": arn, "RoleSessionName": "probe"});
            ways.push(((Service::Sts, "AssumeRole"), params));
        }
    }
    ways
}

/// Every call with its answer.
pub(crate) fn probe(scene: &Scene, keys: &Keys) -> Replies {
    let reads = READS.map(|what| (what, json!({})));
    let calls = reads.into_iter().chain(mints(scene));
    let tried = calls.map(|(what, params)| {
        let name = match params.get("RoleArn").and_then(Value::as_str) {
            Some(role) => format!("{} {role}", what.1),
            None => format!("{}:{}", what.0.name(), what.1),
        };
        (name, read(&scene.ask(what, params, keys)))
    });
    tried.collect()
}

/// Whether a call of a probe only reads.
pub(crate) fn is_read(call: &str) -> bool {
    READS
        .iter()
        .any(|(service, name)| call == format!("{}:{name}", service.name()))
}

/// The calls that work.
pub(crate) fn works(replies: &Replies) -> Vec<&str> {
    let work = replies.iter().filter(|(_, reply)| **reply == Reply::Works);
    work.map(|(name, _)| name.as_str()).collect()
}
