//! What is S3's own in records: names of events, the bucket and subresources as parameters, the object and bucket as
//! resources (docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html).

use serde_json::{Map, Value, json};

use crate::call::Call;

/// `eventName`, where it is not the API's.
pub(super) fn event_name(operation: &'static str) -> &'static str {
    match operation {
        "ListObjectsV2" => "ListObjects",
        "PutPublicAccessBlock" => "PutBucketPublicAccessBlock",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "DeletePublicAccessBlock" => "DeleteBucketPublicAccessBlock",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "PutBucketNotificationConfiguration" => "PutBucketNotification",
        "GetBucketLifecycleConfiguration" => "GetBucketLifecycle",
        "PutBucketLifecycleConfiguration" => "PutBucketLifecycle",
        "GetBucketAccelerateConfiguration" => "GetAccelerateConfiguration",
        "GetObjectLockConfiguration" => "GetBucketObjectLockConfiguration",
        other => other,
    }
}

/// The host name of the bucket, or of S3 where no bucket is meant.
pub(super) fn host(call: &Call<'_>) -> String {
    match call.text("Bucket") {
        Some(bucket) => format!("{bucket}.s3.{}.amazonaws.com", call.region),
        None => format!("s3.{}.amazonaws.com", call.region),
    }
}

/// `requestParameters`: bucket, host, key and the query as sent, without what signs it.
pub(super) fn request(call: &Call<'_>) -> Value {
    let mut request = Map::new();
    if let Some(bucket) = call.text("Bucket") {
        request.insert("bucketName".to_owned(), bucket.into());
    }
    request.insert("Host".to_owned(), host(call).into());
    if let Some(key) = call.text("Key") {
        request.insert("key".to_owned(), key.into());
    }
    for (name, value) in call.http.query_pairs() {
        if !name.to_ascii_lowercase().starts_with("x-amz-") && name != "x-id" {
            request.insert(name, value.into());
        }
    }
    Value::Object(request)
}

/// `additionalEventData` of a call that an operation says nothing of.
pub(super) fn additional(call: &Call<'_>) -> Value {
    let query = call
        .http
        .query_pairs()
        .iter()
        .any(|(name, _)| name == "X-Amz-Signature");
    let mut data = Map::new();
    if call.caller.access_key_id.is_some() {
        data.insert("SignatureVersion".to_owned(), "SigV4".into());
    }
    data.insert("CipherSuite".to_owned(), "TLS_AES_128_GCM_SHA256".into());
    data.insert("bytesTransferredIn".to_owned(), call.body.len().into());
    if call.caller.access_key_id.is_some() {
        let method = if query { "QueryString" } else { "AuthHeader" };
        data.insert("AuthenticationMethod".to_owned(), method.into());
    }
    data.insert(
        "x-amz-id-2".to_owned(),
        crate::trail::record::id_2(&call.request_id).into(),
    );
    data.insert("bytesTransferredOut".to_owned(), 0.into());
    Value::Object(data)
}

/// `resources`: the object, if one is named, and its bucket.
pub(super) fn resources(call: &Call<'_>, owner: Option<&str>) -> Vec<Value> {
    let Some(bucket) = call.text("Bucket") else {
        return Vec::new();
    };
    let key = call.text("Key");
    let object = key.map(
        |key| json!({"type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::{bucket}/{key}")}),
    );
    let bucket = json!({
        "accountId": owner, "type": "AWS::S3::Bucket", "ARN": format!("arn:aws:s3:::{bucket}"),
    });
    object.into_iter().chain([bucket]).collect()
}
