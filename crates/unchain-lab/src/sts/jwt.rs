//! A JSON Web Token (RFC 7519) as an OIDC provider gives it to a workload.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::call::Fault;
use crate::session::Who;

/// A token that could be read; whether it is to be trusted is another question.
#[derive(Debug, Clone)]
pub(super) struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// What the signature is over.
    signed: String,
    signature: Vec<u8>,
}

impl Token {
    /// Reads header, claims and signature; `iss`, `sub` and an audience must be there.
    ///
    /// # Errors
    ///
    /// `InvalidIdentityToken`.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        Self::parse(text).ok_or_else(|| {
            invalid(
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
            )
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.').filter(|_| text.len() <= 20_000)?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
            serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
        };
        let token = Self {
            header: object(header)?,
            claims: object(claims)?,
            signed: signed.to_owned(),
            signature: URL_SAFE_NO_PAD
                .decode(signature.trim_end_matches('='))
                .ok()?,
        };
        let whole = token.claim("iss").is_some()
            && token.claim("sub").is_some()
            && token.audience().is_some();
        whole.then_some(token)
    }

    /// A claim that is one text.
    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// A claim that is one number, such as `exp` (seconds since 1970, UTC).
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        let value = self.claims.get(name)?;
        // RFC 7519 lets these have fractions; AWS's own providers write whole seconds.
        value.as_i64().or_else(|| {
            let text = value.as_f64().map(|seconds| format!("{seconds:.0}"))?;
            text.parse().ok()
        })
    }

    /// A claim that is an object.
    pub(super) fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.claims.get(name)?.as_object()
    }

    /// The texts of a claim that is one or a list.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        match self.claims.get(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(texts)) => {
                let texts = texts.iter().filter_map(Value::as_str);
                texts.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The issuer without its scheme, as condition keys and provider ARNs have it.
    pub(super) fn issuer(&self) -> &str {
        let issuer = self.claim("iss").unwrap_or_default();
        issuer.strip_prefix("https://").unwrap_or(issuer)
    }

    /// Who the token speaks of.
    pub(super) fn subject(&self) -> &str {
        self.claim("sub").unwrap_or_default()
    }

    /// The application that the token is for: `azp` where there is one, else the first `aud`
    /// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html, federation keys).
    pub(super) fn audience(&self) -> Option<String> {
        self.claim("azp")
            .map(str::to_owned)
            .or_else(|| self.texts("aud").into_iter().next())
    }

    /// The bearer.
    pub(super) fn who(&self) -> Who {
        Who::WebIdentity {
            issuer: self.issuer().to_owned(),
            audience: self.audience().unwrap_or_default(),
            subject: self.subject().to_owned(),
        }
    }

    /// Verifies the signature with a JSON Web Key Set (RFC 7517). Only RS256 (RFC 7518, section 3.3).
    ///
    /// # Errors
    ///
    /// `InvalidIdentityToken`: another algorithm, no such key, a wrong signature.
    pub(super) fn verify(&self, key_set: &str) -> Result<(), Fault> {
        let header = |name: &str| self.header.get(name).and_then(Value::as_str);
        if header("alg") != Some("RS256") {
            return Err(invalid("Unsupported token signature algorithm"));
        }
        let digest = Sha256::digest(&self.signed);
        let keys = keys(key_set, header("kid"));
        if keys.is_empty() {
            return Err(invalid(
                "Couldn't retrieve verification key from your identity provider,  please reference \
                 AssumeRoleWithWebIdentity documentation for requirements",
            ));
        }
        keys.iter()
            .any(|key| {
                key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, &self.signature)
                    .is_ok()
            })
            .then_some(())
            .ok_or_else(|| invalid("Token signature invalid"))
    }
}

/// The RSA keys of a set that a token with this `kid` may be signed with.
fn keys(key_set: &str, kid: Option<&str>) -> Vec<RsaPublicKey> {
    let set: Value = serde_json::from_str(key_set).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array);
    keys.map_or(&[][..], Vec::as_slice)
        .iter()
        .filter(|key| kid.is_none() || key.get("kid").and_then(Value::as_str) == kid)
        .filter_map(|key| {
            let part = |name: &str| {
                let text = key.get(name)?.as_str()?;
                let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
                Some(BigUint::from_bytes_be(&bytes))
            };
            RsaPublicKey::new(part("n")?, part("e")?).ok()
        })
        .collect()
}

/// `InvalidIdentityToken`, 400.
pub(super) fn invalid(message: impl Into<String>) -> Fault {
    Fault::api(400, "InvalidIdentityToken", message)
}

/// `ExpiredTokenException`, 400: the identity token's end, not that of a session.
pub(super) fn expired(message: impl Into<String>) -> Fault {
    Fault::api(400, "ExpiredTokenException", message)
}
