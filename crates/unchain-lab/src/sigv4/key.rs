//! HMAC and hashes. A signing key costs four short HMACs, about as much as looking it up in a shared cache would.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::claim::{Claim, Scope};

/// The key that signs for one day, region and service.
pub(super) struct SigningKey(Vec<u8>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    pub(super) fn derive(secret: &str, scope: &Scope, day: &str) -> Self {
        let start = format!("AWS4{secret}").into_bytes();
        let parts = [day, &scope.region, &scope.service, "aws4_request"];
        Self(
            parts
                .iter()
                .fold(start, |key, part| hmac(&key, part.as_bytes())),
        )
    }

    /// The signature of a text, lower-case hexadecimal.
    pub(super) fn sign(&self, text: &str) -> String {
        hex(&hmac(&self.0, text.as_bytes()))
    }

    /// Whether `signature` is that of `text`; takes the same time wherever they differ.
    pub(super) fn signs(&self, text: &str, signature: &str) -> bool {
        same(&self.sign(text), signature)
    }
}

/// The string to sign: algorithm, date, scope, then what is signed.
pub(super) fn string_to_sign(claim: &Claim, algorithm: &str, what: &[&str]) -> String {
    let Scope {
        region, service, ..
    } = &claim.scope;
    let scope = format!("{}/{region}/{service}/aws4_request", claim.day());
    let mut lines = vec![algorithm, &claim.stamp, &scope];
    lines.extend_from_slice(what);
    lines.join("\n")
}

/// Equality in a time that depends on the lengths only.
pub(super) fn same(left: &str, right: &str) -> bool {
    let differ = left
        .bytes()
        .zip(right.bytes())
        .fold(0_u8, |differ, (left, right)| differ | (left ^ right));
    left.len() == right.len() && differ == 0
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length; the error of its constructor cannot come about.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect()
}
