//! Credentials as a client holds them, and its signature (Signature Version 4 in the header). The lab's own
//! `sigv4` checks signatures; this makes them, as clients do, from AWS's description alone
//! (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use unchain_core::time::Timestamp;

use crate::http::{Request, decode, encode, form};

/// A key, its secret, and its session token if it is temporary.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token.
    pub token: Option<String>,
}

/// Only the id is shown: the rest is secret.
impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Keys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What a signature is made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    /// The client's time, UTC.
    pub(super) at: Timestamp,
}

/// Adds date, token, body hash and signature to a request that has all its other headers.
pub(super) fn sign(request: &mut Request, keys: &Keys, scope: Scope<'_>) {
    let date = compact(scope.at);
    let hash = hex(&Sha256::digest(&request.body));
    let mut add = |name: &str, value: &str| {
        request.headers.push((name.to_owned(), value.to_owned()));
    };
    add("x-amz-date", &date);
    add("x-amz-content-sha256", &hash);
    if let Some(token) = &keys.token {
        add("x-amz-security-token", token);
    }
    request.headers.sort();
    let day = date.get(..8).unwrap_or_default();
    let range = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let (canonical, signed) = canonical(request, scope.service, &hash);
    let hashed = hex(&Sha256::digest(canonical));
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{range}\n{hashed}");
    let first = format!("AWS4{}", keys.secret).into_bytes();
    let key = range
        .split('/')
        .fold(first, |key, part| mac(&key, part.as_bytes()));
    let signature = hex(&mac(&key, text.as_bytes()));
    let id = &keys.id;
    request.headers.push((
        "authorization".to_owned(),
        format!("AWS4-HMAC-SHA256 Credential={id}/{range}, SignedHeaders={signed}, Signature={signature}"),
    ));
}

/// The canonical request and the list of signed headers. S3 encodes a path once, all others twice.
fn canonical(request: &Request, service: &str, hash: &str) -> (String, String) {
    let path = match service {
        "s3" => request.path.clone(),
        _ => {
            let parts: Vec<String> = request.path.split('/').map(encode).collect();
            parts.join("/")
        }
    };
    let mut pairs: Vec<(String, String)> = form(&request.query)
        .iter()
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let query: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let names: Vec<&str> = request.headers.iter().map(|(n, _)| n.as_str()).collect();
    let signed = names.join(";");
    let headers: String = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    let canonical = format!(
        "{}\n{path}\n{}\n{headers}\n{signed}\n{hash}",
        request.method,
        query.join("&")
    );
    (canonical, signed)
}

/// `20260302T092000Z`.
fn compact(at: Timestamp) -> String {
    at.to_string()
        .chars()
        .filter(|c| !matches!(c, '-' | ':'))
        .collect()
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(data);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

/// Bytes as lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A base32 seed as a device holds it (RFC 4648, no padding needed); none when a letter is not of the alphabet.
pub(super) fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut held, mut out) = (0_u32, 0_u32, Vec::new());
    for letter in decode(text).trim_end_matches('=').bytes() {
        let digit = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(digit)) & 0xffff;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AWS's own page on signing a request for IAM's `ListUsers`.
    #[test]
    fn the_example_of_the_documentation_is_signed_alike() {
        let mut request = Request {
            query: "Action=ListUsers&Version=2010-05-08".to_owned(),
            headers: vec![
                (
                    "content-type".into(),
                    "application/x-www-form-urlencoded; charset=utf-8".into(),
                ),
                ("host".into(), "iam.amazonaws.com".into()),
                ("x-amz-date".into(), "20150830T123600Z".into()),
            ],
            ..Request::default()
        };
        let hash = hex(&Sha256::digest(b""));
        let (canonical, signed) = canonical(&request, "iam", &hash);
        assert_eq!(signed, "content-type;host;x-amz-date");
        assert_eq!(
            hex(&Sha256::digest(canonical)),
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
        );
        request.headers.pop();
        let keys = Keys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
        };
        let scope = Scope {
            service: "iam",
            region: "us-east-1",
            at: Timestamp::from_seconds(1_440_938_160),
        };
        sign(&mut request, &keys, scope);
        let header = request.header("authorization").unwrap();
        assert!(header.contains("Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request"));
        assert_eq!(request.header("x-amz-date"), Some("20150830T123600Z"));
        assert!(!format!("{keys:?}").contains("wJalr"));
    }

    #[test]
    fn seeds_are_read() {
        assert_eq!(base32("MZXW6YTBOI======").as_deref(), Some(&b"foobar"[..]));
        assert_eq!(base32("a1"), None);
    }
}
