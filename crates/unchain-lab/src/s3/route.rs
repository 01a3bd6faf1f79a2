//! Which operation an S3 request means: method, whether path and host name a bucket and a key, and the query's
//! subresource (docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html and the API reference's request
//! syntax of each operation).

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::fault;
use crate::call::{Fault, Trouble};
use crate::http::{Request, decode};

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Service,
    Bucket,
    Object,
}

/// Query names that choose the operation.
const SUBRESOURCES: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

/// Method, subject, subresource (empty: none), operation.
const ROUTES: &[(&str, On, &str, &str)] = &[
    ("GET", On::Service, "", "ListBuckets"),
    ("PUT", On::Bucket, "", "CreateBucket"),
    ("HEAD", On::Bucket, "", "HeadBucket"),
    ("DELETE", On::Bucket, "", "DeleteBucket"),
    ("GET", On::Bucket, "", "ListObjects"),
    ("GET", On::Bucket, "location", "GetBucketLocation"),
    ("POST", On::Bucket, "delete", "DeleteObjects"),
    ("GET", On::Bucket, "uploads", "ListMultipartUploads"),
    ("GET", On::Bucket, "versioning", "GetBucketVersioning"),
    ("PUT", On::Bucket, "versioning", "PutBucketVersioning"),
    ("GET", On::Bucket, "policy", "GetBucketPolicy"),
    ("PUT", On::Bucket, "policy", "PutBucketPolicy"),
    ("DELETE", On::Bucket, "policy", "DeleteBucketPolicy"),
    ("GET", On::Bucket, "policyStatus", "GetBucketPolicyStatus"),
    (
        "GET",
        On::Bucket,
        "notification",
        "GetBucketNotificationConfiguration",
    ),
    (
        "PUT",
        On::Bucket,
        "notification",
        "PutBucketNotificationConfiguration",
    ),
    (
        "GET",
        On::Bucket,
        "publicAccessBlock",
        "GetPublicAccessBlock",
    ),
    (
        "PUT",
        On::Bucket,
        "publicAccessBlock",
        "PutPublicAccessBlock",
    ),
    (
        "DELETE",
        On::Bucket,
        "publicAccessBlock",
        "DeletePublicAccessBlock",
    ),
    ("GET", On::Bucket, "encryption", "GetBucketEncryption"),
    ("PUT", On::Bucket, "encryption", "PutBucketEncryption"),
    ("GET", On::Bucket, "tagging", "GetBucketTagging"),
    ("PUT", On::Bucket, "tagging", "PutBucketTagging"),
    ("DELETE", On::Bucket, "tagging", "DeleteBucketTagging"),
    ("GET", On::Bucket, "acl", "GetBucketAcl"),
    ("GET", On::Object, "", "GetObject"),
    ("HEAD", On::Object, "", "HeadObject"),
    ("PUT", On::Object, "", "PutObject"),
    ("DELETE", On::Object, "", "DeleteObject"),
    ("GET", On::Object, "tagging", "GetObjectTagging"),
    ("PUT", On::Object, "tagging", "PutObjectTagging"),
    ("DELETE", On::Object, "tagging", "DeleteObjectTagging"),
    ("POST", On::Object, "uploads", "CreateMultipartUpload"),
    ("PUT", On::Object, "uploadId", "UploadPart"),
    ("POST", On::Object, "uploadId", "CompleteMultipartUpload"),
    ("DELETE", On::Object, "uploadId", "AbortMultipartUpload"),
    ("GET", On::Object, "uploadId", "ListParts"),
];

/// The operation of a request and its parameters under the API's names. Bodies are left to the operations.
///
/// # Errors
///
/// `MethodNotAllowed`; `NotImplemented` for a subresource that the lab does not have.
pub fn route(request: &Request) -> Result<(&'static str, Map<String, Value>), Fault> {
    let (bucket, key) = subject(request);
    let on = match (&bucket, &key) {
        (None, _) => On::Service,
        (Some(_), None) => On::Bucket,
        (Some(_), Some(_)) => On::Object,
    };
    let query = request.query_pairs();
    let subresource = query
        .iter()
        .map(|(name, _)| name.as_str())
        .find(|name| SUBRESOURCES.contains(name))
        .unwrap_or_default();
    let operation = operation(request, on, subresource)?;
    let mut params = Map::new();
    for (name, value) in query {
        if !name.to_ascii_lowercase().starts_with("x-") {
            params.insert(api_name(&name), Value::String(value));
        }
    }
    let named = [("Bucket", bucket), ("Key", key)];
    for (name, value) in named {
        if let Some(value) = value {
            params.insert(name.to_owned(), Value::String(value));
        }
    }
    Ok((operation, params))
}

fn operation(request: &Request, on: On, subresource: &str) -> Result<&'static str, Fault> {
    let found = ROUTES.iter().find(|(method, subject, name, _)| {
        *method == request.method && *subject == on && *name == subresource
    });
    let Some((.., name)) = found else {
        return Err(missing(subresource));
    };
    let copies = request.header("x-amz-copy-source").is_some();
    let second = |name: &str| {
        request
            .query_pairs()
            .iter()
            .any(|(n, v)| n == name && v == "2")
    };
    match *name {
        "PutObject" if copies => Ok("CopyObject"),
        "UploadPart" if copies => Ok("UploadPartCopy"),
        "ListObjects" if second("list-type") => Ok("ListObjectsV2"),
        name => Ok(name),
    }
}

fn missing(subresource: &str) -> Fault {
    match subresource {
        "" => fault(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        ),
        _ => Fault::of(
            501,
            Trouble::Api("NotImplemented".to_owned()),
            "A header you provided implies functionality that is not implemented",
        ),
    }
}

/// `max-keys` → `MaxKeys`, `uploadId` → `UploadId`.
fn api_name(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect()
}

/// The bucket and the key that host and path name.
fn subject(request: &Request) -> (Option<String>, Option<String>) {
    let path = decode(request.path.strip_prefix('/').unwrap_or(&request.path));
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    match bucket_of_host(request.header("host").unwrap_or_default()) {
        Some(bucket) => (Some(bucket), filled(&path)),
        None => {
            let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
            (filled(bucket), filled(key))
        }
    }
}

/// The bucket in a host name such as `logs.s3.eu-west-1.amazonaws.com` or `logs.localhost:4566`; none where the path
/// names it.
pub(crate) fn bucket_of_host(host: &str) -> Option<String> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    if name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return None;
    }
    let at = name.rfind(".s3.").or_else(|| name.rfind(".s3-"));
    at.and_then(|at| name.get(..at))
        .or_else(|| {
            name.strip_suffix(".localhost")
                .filter(|front| *front != "s3")
        })
        .filter(|bucket| !bucket.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, host: &str, target: &str) -> (String, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("host".to_owned(), host.to_owned())],
            ..Request::default()
        };
        match route(&request) {
            Ok((name, params)) => (name.to_owned(), Value::Object(params)),
            Err(fault) => (format!("{:?}", fault.trouble), Value::Null),
        }
    }

    #[test]
    fn both_styles_name_the_same() {
        let hosts = [
            ("127.0.0.1:4566", "/logs/a/b%20c+d"),
            ("localhost:4566", "/logs/a/b%20c+d"),
            ("s3.eu-west-1.amazonaws.com", "/logs/a/b%20c+d"),
            ("s3.localhost:4566", "/logs/a/b%20c+d"),
            ("logs.s3.amazonaws.com", "/a/b%20c+d"),
            ("logs.s3.eu-west-1.amazonaws.com", "/a/b%20c+d"),
            ("logs.localhost:4566", "/a/b%20c+d"),
            ("logs.s3.localhost", "/a/b%20c+d"),
        ];
        for (host, target) in hosts {
            let (name, params) = asked("GET", host, target);
            assert_eq!(name, "GetObject", "{host}");
            assert_eq!(params["Bucket"], "logs", "{host}");
            assert_eq!(params["Key"], "a/b c+d", "{host}");
        }
    }

    #[test]
    fn the_query_chooses_among_operations() {
        let host = "127.0.0.1";
        let cases = [
            ("GET", "/", "ListBuckets"),
            ("GET", "/b", "ListObjects"),
            ("GET", "/b/?list-type=2&max-keys=3", "ListObjectsV2"),
            ("GET", "/b?versioning", "GetBucketVersioning"),
            ("POST", "/b?delete=", "DeleteObjects"),
            ("POST", "/b/k?uploads", "CreateMultipartUpload"),
            ("PUT", "/b/k?partNumber=1&uploadId=x", "UploadPart"),
            ("PUT", "/b/k?x-id=PutObject", "PutObject"),
            ("HEAD", "/b//k", "HeadObject"),
            ("GET", "/b?website", "Api(\"NotImplemented\")"),
            ("PATCH", "/b", "Api(\"MethodNotAllowed\")"),
        ];
        for (method, target, operation) in cases {
            assert_eq!(asked(method, host, target).0, operation, "{target}");
        }
        let (_, params) = asked(
            "GET",
            host,
            "/b?list-type=2&max-keys=3&continuation-token=q",
        );
        assert_eq!(params["MaxKeys"], "3");
        assert_eq!(params["ContinuationToken"], "q");
        assert_eq!(asked("HEAD", host, "/b//k").1["Key"], "/k");
    }
}
