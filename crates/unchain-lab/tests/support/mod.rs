//! A client: signs requests by itself, so that what the lab verifies is not what the lab wrote.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use unchain_core::time::Timestamp;
use unchain_lab::http::Request;

/// A key and what it signs for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signer {
    pub key: String,
    pub secret: String,
    pub token: Option<String>,
    pub service: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(text));
    mac.map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

impl Signer {
    /// Signs a request whose path and query are in canonical form, for us-east-1.
    pub(crate) fn sign(&self, mut request: Request, at: Timestamp) -> Request {
        let stamp = at.to_string().replace(['-', ':'], "");
        let day = stamp.get(..8).unwrap_or_default();
        let stated = request.header("x-amz-content-sha256").map(str::to_owned);
        let hash = stated.unwrap_or_else(|| hex(&Sha256::digest(&request.body)));
        request
            .headers
            .retain(|(name, _)| name != "x-amz-content-sha256");
        let mut add =
            |name: &str, value: &str| request.headers.push((name.to_owned(), value.to_owned()));
        add("host", "127.0.0.1");
        add("x-amz-date", &stamp);
        add("x-amz-content-sha256", &hash);
        if let Some(token) = &self.token {
            add("x-amz-security-token", token);
        }
        let mut headers = request.headers.clone();
        headers.sort();
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{hash}",
            request.method, request.path, request.query
        );
        let scope = format!("{day}/us-east-1/{}/aws4_request", self.service);
        let text = format!(
            "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
            hex(&Sha256::digest(canonical))
        );
        let start = format!("AWS4{}", self.secret).into_bytes();
        let parts = [day, "us-east-1", &self.service, "aws4_request"];
        let key = parts.iter().fold(start, |key, part| mac(&key, part));
        let signature = hex(&mac(&key, &text));
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.key
        );
        request.headers.push(("authorization".to_owned(), value));
        request
    }

    /// A call of the query protocol.
    pub(crate) fn form(&self, body: &str, at: Timestamp) -> Request {
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        let request = Request {
            method: "POST".to_owned(),
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: body.as_bytes().to_vec(),
            ..Request::default()
        };
        self.sign(request, at)
    }

    /// A call of S3.
    pub(crate) fn s3(&self, (method, path): (&str, &str), body: &[u8], at: Timestamp) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            body: body.to_vec(),
            ..Request::default()
        };
        self.sign(request, at)
    }

    /// The same key for another service.
    pub(crate) fn of(&self, service: &str) -> Self {
        Self {
            service: service.to_owned(),
            ..self.clone()
        }
    }
}

/// The text of the first element of a name in an XML reply.
pub(crate) fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(value, _)| value.to_owned())
}
