//! The canonical request: what client and server must write alike.

use crate::call::{Fault, Trouble};
use crate::http::{Request, decode_bytes, encode_bytes};

use super::claim::Claim;
use super::key;

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The last line of the canonical request, after checking it against the body where it is a hash.
pub(super) fn payload(claim: &Claim, request: &Request) -> Result<String, Fault> {
    let stated = request.header("x-amz-content-sha256").map(str::to_owned);
    let stated = stated.or_else(|| {
        let pairs = request.query_pairs();
        let mut found = pairs
            .into_iter()
            .filter(|(name, _)| name == "X-Amz-Content-Sha256");
        found.next().map(|(_, value)| value)
    });
    match stated {
        Some(stated) if stated == UNSIGNED || stated.starts_with("STREAMING-") => Ok(stated),
        Some(stated) => {
            if key::same(
                &stated.to_ascii_lowercase(),
                &key::sha256_hex(&request.body),
            ) {
                return Ok(stated);
            }
            let message =
                "The provided 'x-amz-content-sha256' header does not match what was computed.";
            Err(Fault::api(400, "XAmzContentSHA256Mismatch", message))
        }
        None if claim.lifetime.is_some() && claim.scope.service == "s3" => Ok(UNSIGNED.to_owned()),
        None => Ok(key::sha256_hex(&request.body)),
    }
}

/// The canonical request.
pub(super) fn request(claim: &Claim, request: &Request, payload: &str) -> Result<String, Fault> {
    check_headers(claim, request)?;
    let headers = claim.headers.iter().map(|name| header(request, name));
    let headers = headers.collect::<Result<String, Fault>>()?;
    Ok([
        request.method.as_str(),
        &path(claim, &request.path),
        &query(&request.query),
        &headers,
        &claim.headers.join(";"),
        payload,
    ]
    .join("\n"))
}

/// S3 encodes a path once and keeps it as it is; the others encode the path as sent again, without dots and double
/// slashes.
fn path(claim: &Claim, sent: &str) -> String {
    if claim.scope.service == "s3" {
        let segments = sent
            .split('/')
            .map(|segment| encode_bytes(&decode_bytes(segment)));
        return segments.collect::<Vec<_>>().join("/");
    }
    let mut kept = Vec::new();
    for segment in sent.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(encode_bytes(segment.as_bytes())),
        }
    }
    let slash = if sent.ends_with('/') && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{slash}", kept.join("/"))
}

/// Names and values encoded alike whoever sent them, sorted; without the signature itself.
fn query(sent: &str) -> String {
    let recode = |text: &str| encode_bytes(&decode_bytes(&text.replace('+', " ")));
    let mut pairs: Vec<(String, String)> = sent
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (recode(name), recode(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// One line of the canonical headers: repeated headers joined, runs of spaces made one.
fn header(request: &Request, name: &str) -> Result<String, Fault> {
    let values: Vec<String> = request
        .headers
        .iter()
        .filter(|(found, _)| found == name)
        .map(|(_, value)| value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    if values.is_empty() {
        let message = format!("'{name}' is named as a signed header and is not in the request.");
        return Err(Fault::of(403, Trouble::BadSignature, message));
    }
    Ok(format!("{name}:{}\n", values.join(",")))
}

/// `Host` must be signed, and with S3 every `x-amz-` header that is sent.
fn check_headers(claim: &Claim, request: &Request) -> Result<(), Fault> {
    let signed = |name: &str| claim.headers.iter().any(|header| header == name);
    if !signed("host") && !signed(":authority") {
        let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
        return Err(Fault::of(403, Trouble::BadSignature, message));
    }
    let unsigned = request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .any(|name| name.starts_with("x-amz-") && name != "x-amz-content-sha256" && !signed(name));
    if claim.scope.service == "s3" && unsigned {
        return Err(Fault::denied(
            "There were headers present in the request which were not signed",
        ));
    }
    Ok(())
}
