//! Signature Version 4: PLACE.

use unchain_core::time::Timestamp;

use crate::call::Fault;
use crate::http::Request;
use crate::session::Caller;
use crate::world::World;

/// What a signature says before it is checked: enough to route the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The access key id.
    pub access_key_id: String,
    /// The region.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

/// Reads the scope of a request's signature, from the header or a presigned query; none where it is unsigned.
///
/// # Errors
///
/// A signature that cannot be read.
pub fn scope(_request: &Request) -> Result<Option<Scope>, Fault> {
    Ok(None)
}

/// A signature that was right.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Whose key it is.
    pub caller: Caller,
    /// The body, with S3's chunks put together and their signatures checked.
    pub body: Vec<u8>,
}

/// Checks signature, date, session token and the state of the key at the world's time.
///
/// # Errors
///
/// As AWS answers: unknown or inactive key, wrong token, expired, bad signature, skewed date.
pub fn verify(_world: &World, _request: &Request, _host: Timestamp) -> Result<Signed, Fault> {
    Err(Fault::denied("PLACE"))
}
