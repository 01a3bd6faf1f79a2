//! What CloudTrail says of S3 calls: `requestParameters` hold bucket, key, host, the query as sent and the document
//! of a setting, also when the call fails (recorded events of DeleteBucket, GetBucketPolicy and others show both).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Bucket, xml};
use crate::call::{Call, Recorded, Reply};
use crate::world::World;

/// CloudTrail's `eventName` for an operation of S3 (docs.aws.amazon.com/AmazonS3/latest/userguide/
/// cloudtrail-logging-s3-info.html).
pub fn event_name(operation: &'static str) -> &'static str {
    match operation {
        "ListObjectsV2" => "ListObjects",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" => "PutBucketPublicAccessBlock",
        "DeletePublicAccessBlock" => "DeleteBucketPublicAccessBlock",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "PutBucketNotificationConfiguration" => "PutBucketNotification",
        other => other,
    }
}

/// The second id of a request, which reply and record share.
fn host_id(call: &Call<'_>) -> String {
    STANDARD.encode(Sha256::digest(call.request_id.as_bytes()))
}

/// Adds to a reply what every reply of S3 has, and its record.
pub(super) fn finished(world: &World, call: &Call<'_>, mut reply: Reply) -> Reply {
    let response = reply.recorded.response.take();
    let bytes_out = reply.body.as_ref().map_or(0, Vec::len);
    reply.recorded = Recorded {
        response: Some(response.unwrap_or(Value::Null)),
        ..recorded(world, call, bytes_out)
    };
    reply.headers.push(("x-amz-id-2".to_owned(), host_id(call)));
    reply
}

/// The record of a call, successful or not, but for its response: `bytes_out` is the length of the reply's body.
pub fn recorded(world: &World, call: &Call<'_>, bytes_out: usize) -> Recorded {
    let bucket = call.text("Bucket");
    let owner = bucket
        .as_ref()
        .and_then(|name| world.s3.buckets.get(name))
        .map_or(&call.caller.account, |bucket| &bucket.account);
    Recorded {
        request: Some(Value::Object(request(call))),
        response: None,
        additional: Some(additional(call, bytes_out)),
        resources: bucket.map_or_else(Vec::new, |name| resources(call, &name, owner)),
        also_in: Some(owner)
            .filter(|owner| **owner != call.caller.account && !owner.is_empty())
            .cloned()
            .into_iter()
            .collect(),
        silent: false,
    }
}

fn request(call: &Call<'_>) -> Map<String, Value> {
    let mut params = Map::new();
    let host = call.http.header("host").unwrap_or_default();
    let named = [
        ("bucketName", call.text("Bucket")),
        ("Host", Some(host.to_owned())),
        ("key", call.text("Key")),
    ];
    for (name, value) in named {
        params.extend(value.map(|value| (name.to_owned(), Value::String(value))));
    }
    for (name, value) in call.http.query_pairs() {
        if !is_secret(&name) {
            params.insert(name, Value::String(value));
        }
    }
    for (name, value) in &call.http.headers {
        if recorded_header(name) {
            params.insert(name.clone(), Value::String(value.clone()));
        }
    }
    params.extend(sent_document(call));
    params
}

/// Parts of a presigned query that sign or identify.
fn is_secret(name: &str) -> bool {
    [
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-credential",
    ]
    .iter()
    .any(|secret| name.eq_ignore_ascii_case(secret))
}

fn recorded_header(name: &str) -> bool {
    matches!(
        name,
        "x-amz-acl" | "x-amz-server-side-encryption" | "x-amz-copy-source" | "x-amz-storage-class"
    )
}

/// The document of a call that sets something: the policy as JSON, others as their XML's tree.
fn sent_document(call: &Call<'_>) -> Option<(String, Value)> {
    match call.operation.name {
        "PutBucketPolicy" => {
            let policy = serde_json::from_slice(&call.body).ok()?;
            Some(("bucketPolicy".to_owned(), policy))
        }
        "CreateBucket"
        | "PutBucketVersioning"
        | "PutBucketEncryption"
        | "PutPublicAccessBlock"
        | "PutBucketNotificationConfiguration" => {
            let node = xml::parse(&call.body).ok()?;
            let mut value = node.to_json();
            if let Value::Object(object) = &mut value {
                object.insert("xmlns".to_owned(), Value::String(xml::NAMESPACE.to_owned()));
            }
            Some((node.name().to_owned(), value))
        }
        _ => None,
    }
}

fn additional(call: &Call<'_>, bytes_out: usize) -> Value {
    let presigned = call.http.query.contains("X-Amz-Signature=");
    let mut fields = Map::new();
    if call.caller.access_key_id.is_some() {
        fields.insert("SignatureVersion".to_owned(), json!("SigV4"));
    }
    let rest = json!({
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": call.body.len(),
        "AuthenticationMethod": match presigned {
            true => "QueryString",
            false => "AuthHeader",
        },
        "x-amz-id-2": host_id(call),
        "bytesTransferredOut": bytes_out,
    });
    if let Value::Object(rest) = rest {
        fields.extend(rest);
    }
    if call.caller.access_key_id.is_none() {
        fields.shift_remove("AuthenticationMethod");
    }
    Value::Object(fields)
}

fn resources(call: &Call<'_>, name: &str, owner: &str) -> Vec<Value> {
    let arn = Bucket::arn(name);
    let bucket = json!({ "accountId": owner, "type": "AWS::S3::Bucket", "ARN": arn });
    let object = match (call.text("Key"), call.operation.name) {
        (Some(key), _) => json!({ "type": "AWS::S3::Object", "ARN": format!("{arn}/{key}") }),
        (None, "ListObjects" | "ListObjectsV2" | "DeleteObjects") => {
            let prefix = call.text("Prefix").unwrap_or_default();
            json!({ "type": "AWS::S3::Object", "ARNPrefix": format!("{arn}/{prefix}") })
        }
        (None, _) => return vec![bucket],
    };
    vec![object, bucket]
}
