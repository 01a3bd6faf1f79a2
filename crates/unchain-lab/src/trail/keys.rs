//! The keys that digests are signed with: one a region, 2,048 bits of RSA, out of the world's stream of numbers so
//! that a story told twice signs alike. They keep no secret from anybody who has the lab.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs1v15::SigningKey;
use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::signature::{SignatureEncoding, Signer};
use rsa::{RsaPrivateKey, sha2::Sha256};
use serde::{Deserialize, Serialize};

use super::hex;
use crate::ids::Ids;

/// Keys by region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Keys {
    regions: BTreeMap<String, Key>,
}

/// One region's key.
#[derive(Clone, Serialize, Deserialize)]
pub struct Key {
    /// PKCS #1, DER, base64: `RSAPrivateKey`.
    private: String,
    /// PKCS #1, DER, base64: `RSAPublicKey`, as `ListPublicKeys` gives it.
    pub public: String,
    /// Hexadecimal MD5 of the public key's DER bytes.
    pub fingerprint: String,
    /// Virtual seconds since 1970.
    pub made_at: i64,
    /// The private key, read.
    #[serde(skip)]
    signer: Option<SigningKey<Sha256>>,
}

shown!(Key: fingerprint, made_at);

impl Keys {
    /// A region's key, if it has one by now.
    pub fn get(&self, region: &str) -> Option<&Key> {
        self.regions.get(region)
    }

    /// A region's key, made on first use.
    pub(super) fn of(&mut self, region: &str, ids: &mut Ids, now: i64) -> Option<&mut Key> {
        if !self.regions.contains_key(region) {
            let key = Key::make(ids, now)?;
            self.regions.insert(region.to_owned(), key);
        }
        self.regions.get_mut(region)
    }
}

impl Key {
    fn make(ids: &mut Ids, now: i64) -> Option<Self> {
        let private = RsaPrivateKey::new(&mut Stream(ids), 2048).ok()?;
        let public = private.to_public_key().to_pkcs1_der().ok()?;
        let der = private.to_pkcs1_der().ok()?;
        Some(Self {
            private: STANDARD.encode(der.as_bytes()),
            public: STANDARD.encode(public.as_bytes()),
            fingerprint: hex(&Md5::digest(public.as_bytes())),
            made_at: now,
            signer: Some(SigningKey::new(private)),
        })
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256, hexadecimal; none when the kept key cannot be read any more.
    pub(super) fn sign(&mut self, text: &str) -> Option<String> {
        if self.signer.is_none() {
            let der = STANDARD.decode(&self.private).ok()?;
            let private = RsaPrivateKey::from_pkcs1_der(&der).ok()?;
            self.signer = Some(SigningKey::new(private));
        }
        let signature = self.signer.as_ref()?.try_sign(text.as_bytes()).ok()?;
        Some(hex(&signature.to_bytes()))
    }
}

/// The world's numbers in the form that key generation asks for.
struct Stream<'a>(&'a mut Ids);

impl RngCore for Stream<'_> {
    fn next_u32(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.0.number().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    fn next_u64(&mut self) -> u64 {
        self.0.number()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            for (byte, drawn) in chunk.iter_mut().zip(self.0.number().to_le_bytes()) {
                *byte = drawn;
            }
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Stream<'_> {}
