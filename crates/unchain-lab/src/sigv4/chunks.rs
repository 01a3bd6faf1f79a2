//! Bodies sent in chunks (`aws-chunked`): put together, every chunk's signature checked, trailers kept
//! (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html).

use crate::call::{Fault, Trouble};
use crate::http::Request;

use super::claim::Claim;
use super::key::{self, SigningKey};

/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A body and what came behind it.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<(String, String)>,
}

/// The body of a request whose own signature was right.
pub(super) fn content(
    claim: &Claim,
    request: &Request,
    (key, payload): (&SigningKey, &str),
) -> Result<Content, Fault> {
    let mut chain = match payload {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
            Chain::signed(claim, key)
        }
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Chain::unsigned(claim, key),
        other if other.starts_with("STREAMING-") => {
            let message = format!("the payload form `{other}` is not known here");
            return Err(Fault::api(501, "NotImplemented", message));
        }
        _ => {
            return Ok(Content {
                body: request.body.clone(),
                trailers: Vec::new(),
            });
        }
    };
    let content = chain.read(&request.body)?;
    let stated = request.header("x-amz-decoded-content-length");
    if stated.is_some_and(|length| length.parse() != Ok(content.body.len())) {
        return Err(incomplete());
    }
    Ok(content)
}

/// Chunk signatures: each covers the one before.
struct Chain<'a> {
    claim: &'a Claim,
    key: &'a SigningKey,
    /// The signature before; none where chunks are not signed.
    last: Option<String>,
}

impl<'a> Chain<'a> {
    fn signed(claim: &'a Claim, key: &'a SigningKey) -> Self {
        let last = Some(claim.signature.clone());
        Self { claim, key, last }
    }

    fn unsigned(claim: &'a Claim, key: &'a SigningKey) -> Self {
        Self {
            claim,
            key,
            last: None,
        }
    }

    fn read(&mut self, mut rest: &[u8]) -> Result<Content, Fault> {
        let mut content = Content::default();
        loop {
            let (head, after) = line(rest).ok_or_else(incomplete)?;
            let (size, signature) = chunk_head(head).ok_or_else(malformed)?;
            let (data, after) = after.split_at_checked(size).ok_or_else(incomplete)?;
            self.check(
                "AWS4-HMAC-SHA256-PAYLOAD",
                &[EMPTY, &key::sha256_hex(data)],
                signature,
            )?;
            if size == 0 {
                content.trailers = self.trailers(after)?;
                return Ok(content);
            }
            content.body.extend_from_slice(data);
            rest = after.strip_prefix(b"\r\n").ok_or_else(malformed)?;
        }
    }

    /// Trailers, which are covered by a signature of their own where chunks are signed.
    fn trailers(&mut self, mut rest: &[u8]) -> Result<Vec<(String, String)>, Fault> {
        let (mut trailers, mut signed) = (Vec::new(), String::new());
        let mut signature = None;
        while let Some((text, after)) = line(rest).filter(|(text, _)| !text.is_empty()) {
            rest = after;
            let (name, value) = text.split_once(':').ok_or_else(malformed)?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            if name == "x-amz-trailer-signature" {
                signature = Some(value);
            } else {
                signed.push_str(&format!("{name}:{value}\n"));
                trailers.push((name, value.to_owned()));
            }
        }
        if !trailers.is_empty() {
            let hash = key::sha256_hex(signed.as_bytes());
            self.check("AWS4-HMAC-SHA256-TRAILER", &[&hash], signature)?;
        }
        Ok(trailers)
    }

    fn check(
        &mut self,
        algorithm: &str,
        what: &[&str],
        signature: Option<&str>,
    ) -> Result<(), Fault> {
        let Some(last) = &self.last else {
            return Ok(());
        };
        let mut signed = vec![last.as_str()];
        signed.extend_from_slice(what);
        let text = key::string_to_sign(self.claim, algorithm, &signed);
        match signature {
            Some(signature) if self.key.signs(&text, signature) => {
                self.last = Some(signature.to_owned());
                Ok(())
            }
            _ => Err(Fault::of(
                403,
                Trouble::BadSignature,
                "The chunk signature we calculated does not match the signature you provided.",
            )),
        }
    }
}

/// A line and what follows it; lines end in CR LF.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let (text, rest) = bytes.split_at_checked(end)?;
    Some((std::str::from_utf8(text).ok()?, rest.get(2..)?))
}

/// `1f00;chunk-signature=…` → size and signature.
fn chunk_head(head: &str) -> Option<(usize, Option<&str>)> {
    let (size, extension) = head.split_once(';').unwrap_or((head, ""));
    let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
    let size = digits
        .then(|| usize::from_str_radix(size, 16).ok())
        .flatten()?;
    Some((size, extension.strip_prefix("chunk-signature=")))
}

fn incomplete() -> Fault {
    let message =
        "You did not provide the number of bytes specified by the Content-Length HTTP header";
    Fault::api(400, "IncompleteBody", message)
}

fn malformed() -> Fault {
    Fault::api(
        400,
        "InvalidRequest",
        "The body is not in the form aws-chunked",
    )
}
