//! Signature Version 4: is a request signed by the holder of a key that may be used now?
//!
//! [`Claim::read`] takes apart what the request says, [`credential::find`] looks its key up in the world, and
//! [`Claim::verify`] computes; only the second needs the world, so the hashing runs outside its lock. Not done:
//! SigV4A, and SigV2 but for presigned URLs of S3. Facts from docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
//! and docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html.

mod canonical;
mod chunks;
mod claim;
pub mod credential;
mod key;
mod version2;

use unchain_core::time::Timestamp;

pub use claim::{Claim, Scope};
pub use credential::Credential;

use crate::call::{Fault, Trouble};
use crate::http::Request;
use crate::session::Caller;
use crate::world::World;
use key::SigningKey;

/// A header's date may be this far from the clock, either way, in seconds.
const SKEW: i64 = 15 * 60;

/// Reads the scope of a request's signature, from the header or a presigned query; none where it is unsigned.
///
/// # Errors
///
/// A signature that cannot be read.
pub fn scope(request: &Request) -> Result<Option<Scope>, Fault> {
    Ok(Claim::read(request)?.map(|claim| claim.scope))
}

/// A signature that was right.
#[derive(Clone)]
pub struct Signed {
    /// Whose key it is.
    pub caller: Caller,
    /// The body, with S3's chunks put together and their signatures checked.
    pub body: Vec<u8>,
    /// Headers sent behind the body (`x-amz-checksum-…`), names in lower case.
    pub trailers: Vec<(String, String)>,
}

shown!(Signed: caller);

/// The clocks that a signature's date is held against.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The host's time, by which clients sign.
    pub host: Timestamp,
    /// The lab's time now.
    pub now: Timestamp,
    /// The lab's time when the request was signed.
    pub signed: Timestamp,
}

impl Moment {
    /// What a world's clock says of a claim. A signature dated in the host's future was made by the lab's own
    /// clock, so its date already is the lab's time.
    pub fn of(world: &World, claim: &Claim, host: Timestamp) -> Self {
        let ahead = claim.date.seconds() > host.seconds() + SKEW;
        let signed = if ahead && !claim.version2 {
            claim.date
        } else {
            world.clock.at(claim.date)
        };
        Self {
            host,
            now: world.time(),
            signed,
        }
    }
}

/// Checks signature, date, session token and the state of the key at the world's time.
///
/// # Errors
///
/// As AWS answers: unknown or inactive key, wrong token, expired, bad signature, skewed date.
pub fn verify(world: &World, request: &Request, host: Timestamp) -> Result<Signed, Fault> {
    let claim = Claim::read(request)?.ok_or_else(unsigned)?;
    let credential = credential::find(world, &claim)?;
    claim.verify(request, credential, Moment::of(world, &claim, host))
}

/// The request carries no signature where one is needed.
pub fn unsigned() -> Fault {
    Fault::of(
        403,
        Trouble::Unsigned,
        "Request is missing Authentication Token",
    )
}

impl Claim {
    /// Checks the claim against the credential that it names.
    ///
    /// # Errors
    ///
    /// As [`verify`].
    pub fn verify(
        &self,
        request: &Request,
        credential: Credential,
        moment: Moment,
    ) -> Result<Signed, Fault> {
        self.check_date(moment)?;
        if self.version2 {
            return self.verify_version2(request, credential);
        }
        let hash = canonical::payload(self, request)?;
        let canonical = canonical::request(self, request, &hash)?;
        let to_sign = key::string_to_sign(
            self,
            "AWS4-HMAC-SHA256",
            &[&key::sha256_hex(canonical.as_bytes())],
        );
        let key = SigningKey::derive(&credential.secret, &self.scope, self.day());
        if !key.signs(&to_sign, &self.signature) {
            return Err(bad_signature());
        }
        if credential.expired {
            return Err(expired());
        }
        let content = chunks::content(self, request, (&key, &hash))?;
        Ok(Signed {
            caller: credential.caller,
            body: content.body,
            trailers: content.trailers,
        })
    }

    fn verify_version2(&self, request: &Request, credential: Credential) -> Result<Signed, Fault> {
        if !version2::signs(&credential.secret, request, &self.signature) {
            return Err(bad_signature());
        }
        if credential.expired {
            return Err(expired());
        }
        Ok(Signed {
            caller: credential.caller,
            body: request.body.clone(),
            trailers: Vec::new(),
        })
    }

    fn check_date(&self, moment: Moment) -> Result<(), Fault> {
        match self.lifetime {
            Some(lifetime)
                if moment.now.seconds() > moment.signed.seconds().saturating_add(lifetime) =>
            {
                Err(Fault::of(403, Trouble::UrlExpired, "Request has expired"))
            }
            Some(_)
                if !self.version2
                    && self.date.seconds()
                        > moment.host.seconds().max(moment.now.seconds()) + SKEW =>
            {
                Err(Fault::of(
                    403,
                    Trouble::UrlExpired,
                    "Request is not valid yet",
                ))
            }
            Some(_) => Ok(()),
            None if self.near(moment.host) || self.near(moment.now) => Ok(()),
            None => Err(Fault::of(
                403,
                Trouble::Skewed,
                self.skew_message(moment.host),
            )),
        }
    }

    fn near(&self, clock: Timestamp) -> bool {
        (self.date.seconds() - clock.seconds()).abs() <= SKEW
    }

    /// The words clients of the query and JSON services match on.
    fn skew_message(&self, host: Timestamp) -> String {
        let basic = |at: Timestamp| at.to_string().replace(['-', ':'], "");
        let (date, now) = (basic(self.date), basic(host));
        if self.date < host {
            let limit = basic(host.plus(-SKEW));
            format!("Signature expired: {date} is now earlier than {limit} ({now} - 15 min.)")
        } else {
            let limit = basic(host.plus(SKEW));
            format!(
                "Signature not yet current: {date} is still later than {limit} ({now} + 15 min.)"
            )
        }
    }
}

fn expired() -> Fault {
    Fault::of(
        403,
        Trouble::Expired,
        "The security token included in the request is expired",
    )
}

fn bad_signature() -> Fault {
    Fault::of(
        403,
        Trouble::BadSignature,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    )
}

#[cfg(test)]
mod tests;
