//! Bucket policies and Block Public Access.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::xml::{Node, parse};
use super::{Bucket, bucket_of, bucket_to_change, document, fault, no_content};
use crate::call::{Call, Fault, Reply};
use crate::iam::Document;
use crate::world::World;

/// The largest bucket policy, bytes (docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html).
const LARGEST: usize = 20 * 1024;

/// Block Public Access of a bucket (docs.aws.amazon.com/AmazonS3/latest/userguide/
/// access-control-block-public-access.html). Access control lists grant nothing in the lab, so of the four switches
/// those of policies have an effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAccessBlock {
    /// There is a configuration at all.
    pub configured: bool,
    /// `BlockPublicAcls`.
    pub block_public_acls: bool,
    /// `IgnorePublicAcls`.
    pub ignore_public_acls: bool,
    /// `BlockPublicPolicy`: a policy that is public is refused.
    pub block_public_policy: bool,
    /// `RestrictPublicBuckets`: a policy that is public counts within the account only.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// What a new bucket has.
    pub fn all() -> Self {
        Self {
            configured: true,
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        }
    }
}

pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    let policy = bucket.policy.as_ref().ok_or_else(no_policy)?;
    Ok(Reply {
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Some(policy.text.clone().into_bytes()),
        ..Reply::default()
    })
}

pub(super) fn put(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, bucket) = bucket_to_change(world, call)?;
    let policy = read(&name, &call.body)?;
    if bucket.public_access.block_public_policy && is_public(&policy) {
        return Err(Fault::denied(format!(
            "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"{}\" because public policies \
             are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            call.caller.user_id(),
            Bucket::arn(&name)
        )));
    }
    bucket.policy = Some(policy);
    Ok(no_content())
}

fn read(name: &str, body: &[u8]) -> Result<Document, Fault> {
    let malformed = |message: &str| fault(400, "MalformedPolicy", message);
    if body.len() > LARGEST {
        return Err(malformed(
            "Normalized policy document exceeds the maximum allowed size of 20480 bytes.",
        ));
    }
    let text = std::str::from_utf8(body).map_err(|_| malformed("Policies must be valid JSON"))?;
    let policy = Document::parse("bucket policy", text)
        .map_err(|error| malformed(&format!("Policy could not be read: {error}")))?;
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    for statement in statements(&json) {
        if statement.get("Principal").is_none() && statement.get("NotPrincipal").is_none() {
            return Err(malformed("Missing required field Principal"));
        }
        let own = |resource: &str| is_within(resource, name);
        if !strings(statement.get("Resource")).all(own) {
            return Err(malformed("Policy has invalid resource"));
        }
    }
    Ok(policy)
}

/// A policy may speak of its own bucket only; wildcards are taken if their fixed part may begin the bucket's ARN.
fn is_within(resource: &str, bucket: &str) -> bool {
    let arn = Bucket::arn(bucket);
    let fixed = resource.split(['*', '?', '$']).next().unwrap_or_default();
    resource == arn
        || resource
            .strip_prefix(&arn)
            .is_some_and(|rest| rest.starts_with(['/', '*', '?']))
        || (fixed.len() < resource.len() && arn.starts_with(fixed))
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_to_change(world, call)?;
    bucket.policy = None;
    Ok(no_content())
}

pub(super) fn status(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    let policy = bucket.policy.as_ref().ok_or_else(no_policy)?;
    Ok(document(
        &Node::new("PolicyStatus").text("IsPublic", is_public(policy)),
    ))
}

fn no_policy() -> Fault {
    fault(
        404,
        "NoSuchBucketPolicy",
        "The bucket policy does not exist",
    )
}

/// Whether a policy allows anyone something: a wildcard principal with no condition that ties it to fixed values of a
/// key from the list of docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
/// (the meaning of "public"). A condition on such a key whose value has no wildcard is taken to tie it.
pub(super) fn is_public(policy: &Document) -> bool {
    let json: Value = serde_json::from_str(&policy.text).unwrap_or_default();
    statements(&json).any(|statement| {
        statement.get("Effect").and_then(Value::as_str) == Some("Allow")
            && (statement.get("NotPrincipal").is_some() || anyone(statement.get("Principal")))
            && !is_tied(statement.get("Condition"))
    })
}

fn anyone(principal: Option<&Value>) -> bool {
    match principal {
        Some(Value::String(text)) => text == "*",
        Some(Value::Object(kinds)) => strings(kinds.get("AWS")).any(|arn| arn == "*"),
        _ => false,
    }
}

fn is_tied(condition: Option<&Value>) -> bool {
    const KEYS: &[&str] = &[
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    ];
    let operators = condition.and_then(Value::as_object).into_iter().flatten();
    operators
        .filter(|(operator, _)| !operator.contains("Not") && !operator.ends_with("IfExists"))
        .filter_map(|(_, keys)| keys.as_object())
        .flatten()
        .any(|(key, values)| {
            KEYS.contains(&key.to_lowercase().as_str())
                && strings(Some(values)).all(|value| !value.contains('*') && value != "0.0.0.0/0")
        })
}

fn statements(policy: &Value) -> impl Iterator<Item = &Value> {
    match policy.get("Statement") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
    .iter()
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    match value {
        Some(Value::Array(list)) => list.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
    .iter()
    .filter_map(Value::as_str)
}

pub(super) fn get_block(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_of(world, call)?;
    let block = bucket.public_access;
    if !block.configured {
        return Err(fault(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ));
    }
    let answer = Node::new("PublicAccessBlockConfiguration")
        .text("BlockPublicAcls", block.block_public_acls)
        .text("IgnorePublicAcls", block.ignore_public_acls)
        .text("BlockPublicPolicy", block.block_public_policy)
        .text("RestrictPublicBuckets", block.restrict_public_buckets);
    Ok(document(&answer))
}

pub(super) fn put_block(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let asked = parse(&call.body)?;
    let on = |name: &str| {
        asked
            .value(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    };
    let (_, bucket) = bucket_to_change(world, call)?;
    bucket.public_access = PublicAccessBlock {
        configured: true,
        block_public_acls: on("BlockPublicAcls"),
        ignore_public_acls: on("IgnorePublicAcls"),
        block_public_policy: on("BlockPublicPolicy"),
        restrict_public_buckets: on("RestrictPublicBuckets"),
    };
    Ok(Reply::default())
}

pub(super) fn delete_block(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, bucket) = bucket_to_change(world, call)?;
    bucket.public_access = PublicAccessBlock::default();
    Ok(no_content())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn public(principal: &Value, condition: &Value) -> bool {
        let policy = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::logs/*", "Condition": condition}});
        is_public(&Document::parse("p", &policy.to_string()).unwrap())
    }

    #[test]
    fn public_is_as_block_public_access_says() {
        let (star, one) = (json!("*"), json!({"AWS": "arn:aws:iam::111122223333:root"}));
        let org = json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc"}});
        let wild = json!({"StringLike": {"aws:PrincipalArn": "*"}});
        assert!(public(&star, &json!({})));
        assert!(public(&json!({"AWS": ["*"]}), &json!({})));
        assert!(public(&star, &wild));
        assert!(public(
            &star,
            &json!({"StringNotEquals": {"aws:SourceVpc": "v"}})
        ));
        assert!(!public(&star, &org));
        assert!(!public(&one, &json!({})));
    }

    #[test]
    fn a_policy_speaks_of_its_own_bucket() {
        let within = [
            "arn:aws:s3:::logs",
            "arn:aws:s3:::logs/*",
            "arn:aws:s3:::lo*",
            "*",
        ];
        assert!(within.iter().all(|resource| is_within(resource, "logs")));
        let not = [
            "arn:aws:s3:::logs2/*",
            "arn:aws:s3:::other",
            "arn:aws:s3:::x*",
        ];
        assert!(!not.iter().any(|resource| is_within(resource, "logs")));
    }
}
