//! What the emulator must answer to a credential, service by service. The codes are those of AWS; where they come from
//! is in docs/containment-peers.md.

use serde_json::Value;
use std::collections::BTreeMap;

/// What is asked of each credential, in the order of the columns below.
const ASKED: [&str; 12] = [
    "s3:ListBuckets",
    "iam:ListUsers",
    "iam:CreateAccessKey",
    "sts:GetCallerIdentity",
    "sts:AssumeRole",
    "sts:GetSessionToken",
    "sts:GetFederationToken",
    "ec2:DescribeInstances",
    "dynamodb:ListTables",
    "sqs:ListQueues",
    "lambda:ListFunctions",
    "secretsmanager:ListSecrets",
];

/// A long-term key that works. The user whose key is asked for is not there.
const KEY: [&str; 12] = [
    "OK",
    "OK",
    "NoSuchEntity/404",
    "OK",
    "OK",
    "OK",
    "OK",
    "OK",
    "OK",
    "OK",
    "OK",
    "OK",
];

/// A session that works. STS gives no session token and no federation token to a session.
const SESSION: [&str; 12] = [
    "OK",
    "OK",
    "NoSuchEntity/404",
    "OK",
    "OK",
    "AccessDenied/403",
    "AccessDenied/403",
    "OK",
    "OK",
    "OK",
    "OK",
    "OK",
];

/// An inactive key.
const INACTIVE: [&str; 12] = [
    "InvalidAccessKeyId/403",
    "InvalidClientTokenId/403",
    "InvalidClientTokenId/403",
    "InvalidClientTokenId/403",
    "InvalidClientTokenId/403",
    "InvalidClientTokenId/403",
    "InvalidClientTokenId/403",
    "AuthFailure/401",
    "UnrecognizedClientException/400",
    "InvalidClientTokenId/403",
    "UnrecognizedClientException/403",
    "UnrecognizedClientException/400",
];

/// A session that a policy denies. GetCallerIdentity is always answered; GetSessionToken is refused to every session
/// before policies are looked at.
const DENIED: [&str; 12] = [
    "AccessDenied/403 explicit",
    "AccessDenied/403 explicit",
    "AccessDenied/403 explicit",
    "OK",
    "AccessDenied/403 explicit",
    "AccessDenied/403",
    "AccessDenied/403 explicit",
    "UnauthorizedOperation/403 explicit",
    "AccessDeniedException/403 explicit",
    "AccessDenied/403 explicit",
    "AccessDeniedException/403 explicit",
    "AccessDeniedException/403 explicit",
];

/// How a credential stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    Works,
    Refused,
}

/// What is otherwise than it must be, one line each. Names are of the story; `long_term` says which are keys of users.
pub(super) fn otherwise(
    rows: &Value,
    long_term: &[&str],
    stands: impl Fn(&str) -> Stands,
) -> Vec<String> {
    let rows: BTreeMap<&str, &Value> = members(rows).collect();
    let mut wrong = Vec::new();
    for (name, row) in rows {
        let expected = match (stands(name), long_term.contains(&name)) {
            (Stands::Works, true) => KEY,
            (Stands::Works, false) => SESSION,
            (Stands::Refused, true) => INACTIVE,
            (Stands::Refused, false) => DENIED,
        };
        for (asked, expected) in ASKED.iter().zip(expected) {
            let answer = row.get(*asked).and_then(Value::as_str).unwrap_or("nothing");
            if answer != expected {
                wrong.push(format!("{name} {asked}: {answer}, not {expected}"));
            }
        }
    }
    wrong
}

/// The credentials that open anything beyond saying who they are.
pub(super) fn open(rows: &Value) -> Vec<&str> {
    let opens = |row: &Value| {
        members(row).any(|(asked, answer)| {
            let done = matches!(answer.as_str(), Some("OK" | "NoSuchEntity/404"));
            done && asked != "sts:GetCallerIdentity"
        })
    };
    let open = members(rows).filter(|(_, row)| opens(row));
    open.map(|(name, _)| name).collect()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let object = value.as_object().into_iter().flatten();
    object.map(|(name, value)| (name.as_str(), value))
}

/// The number of questions of a matrix.
pub(super) fn asked(rows: &Value) -> usize {
    members(rows).count() * ASKED.len()
}
