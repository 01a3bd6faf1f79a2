//! Presigned URLs of S3 in the older form, Signature Version 2, which SDKs still make where nobody asks for another
//! (docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html). Headers signed so are not taken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::key::same;
use crate::http::Request;

/// Parameters of the query that name what is asked for, and are signed.
const SIGNED: [&str; 27] = [
    "accelerate",
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "website",
];

/// Whether a request's query carries such a signature.
pub(super) fn is_signed(request: &Request) -> bool {
    let has = |name: &str| request.query.split('&').any(|pair| pair.starts_with(name));
    has("Signature=") && has("AWSAccessKeyId=")
}

/// Whether the signature is that of the request.
pub(super) fn signs(secret: &str, request: &Request, signature: &str) -> bool {
    // HMAC takes keys of any length; the error of its constructor cannot come about.
    let made = Hmac::<Sha1>::new_from_slice(secret.as_bytes())
        .map(|mac| mac.chain_update(to_sign(request)).finalize().into_bytes());
    made.is_ok_and(|made| same(&STANDARD.encode(made), signature))
}

fn to_sign(request: &Request) -> String {
    let query = request.query_pairs();
    let expires = query.iter().find(|(name, _)| name == "Expires");
    let mut lines = vec![
        request.method.clone(),
        request.header("content-md5").unwrap_or_default().to_owned(),
        request
            .header("content-type")
            .unwrap_or_default()
            .to_owned(),
        expires.map(|(_, value)| value.clone()).unwrap_or_default(),
    ];
    lines.extend(amazon(request, &query));
    lines.push(resource(request, &query));
    lines.join("\n")
}

/// `x-amz-…` of headers and query, which stand for headers in a URL.
fn amazon(request: &Request, query: &[(String, String)]) -> Vec<String> {
    let given = request.headers.iter().chain(query);
    let mut lines: Vec<String> = given
        .filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-amz-"))
        .map(|(name, value)| format!("{}:{}", name.to_ascii_lowercase(), value.trim()))
        .collect();
    lines.sort();
    lines
}

/// The path, with the bucket before it where the host names it, and the signed parameters.
fn resource(request: &Request, query: &[(String, String)]) -> String {
    let bucket = request.header("host").and_then(crate::s3::bucket_of_host);
    let mut named: Vec<String> = query
        .iter()
        .filter(|(name, _)| SIGNED.contains(&name.as_str()))
        .map(|(name, value)| match value.as_str() {
            "" => name.clone(),
            value => format!("{name}={value}"),
        })
        .collect();
    named.sort();
    let path = match bucket {
        Some(bucket) => format!("/{bucket}{}", request.path),
        None => request.path.clone(),
    };
    match named.is_empty() {
        true => path,
        false => format!("{path}?{}", named.join("&")),
    }
}
