//! PLACE.

use serde::{Deserialize, Serialize};

use crate::operation::Operation;

/// The state of the service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {}

/// Its operations.
pub const OPERATIONS: &[Operation] = &[];

/// Which operation a request names.
pub mod route {
    use serde_json::{Map, Value};

    use crate::call::{Fault, Trouble};
    use crate::http::Request;

    /// The operation's name and its parameters under the API's names.
    ///
    /// # Errors
    ///
    /// No operation has such a method, path and query.
    pub fn route(request: &Request) -> Result<(&'static str, Map<String, Value>), Fault> {
        let message = format!("{} is not known here", request.method);
        Err(Fault::of(405, Trouble::UnknownOperation, message))
    }
}
