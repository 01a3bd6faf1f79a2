//! The control address: what no AWS client can ask. PLACE.

use unchain_core::time::Timestamp;

use crate::http::{Request, Response};
use crate::world::World;

/// Every path of the control address begins so; a bucket cannot, since bucket names hold no underscore.
pub const PREFIX: &str = "/_lab/";

/// Answers a control request.
pub fn handle(_world: &mut World, _request: &Request, _host: Timestamp) -> Response {
    Response::default()
}
