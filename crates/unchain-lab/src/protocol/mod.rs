//! The services' ways of putting calls into HTTP: PLACE.

use serde_json::{Map, Value};

use crate::call::{Fault, Reply};
use crate::http::{Request, Response};
use crate::operation::Operation;
use crate::service::Service;

/// The operation a request names and its parameters.
#[derive(Debug)]
pub struct Asked {
    /// The operation.
    pub operation: &'static Operation,
    /// Parameters under the API's names.
    pub params: Map<String, Value>,
}

/// Reads what is asked of a service.
///
/// # Errors
///
/// `InvalidAction` and its like; `MalformedInput`, `SerializationException` for a body that cannot be read.
pub fn read(_service: Service, _request: &Request, _body: &[u8]) -> Result<Asked, Fault> {
    Err(Fault::denied("PLACE"))
}

/// A reply in the service's form.
pub fn reply(
    _operation: &Operation,
    _request: &Request,
    _reply: &Reply,
    _request_id: &str,
) -> Response {
    Response::default()
}

/// A fault in the service's form.
pub fn fault(
    _service: Option<Service>,
    _request: &Request,
    _fault: &Fault,
    _request_id: &str,
) -> Response {
    Response::default()
}

/// The error code of a fault in a service's protocol, which CloudTrail's `errorCode` has too.
pub fn code(_service: Service, _fault: &Fault) -> String {
    String::new()
}
