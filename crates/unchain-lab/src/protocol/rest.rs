//! JSON where method and path name the operation: Lambda (docs.aws.amazon.com/lambda/latest/api).

use serde_json::{Map, Value};

use crate::call::{Fault, Trouble};
use crate::http::{Request, decode};

use super::json;

/// What follows `/2015-03-31/functions`, with the method; `*` is the function's name.
const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "", "ListFunctions"),
    ("POST", "", "CreateFunction"),
    ("GET", "*", "GetFunction"),
    ("DELETE", "*", "DeleteFunction"),
    ("PUT", "*/code", "UpdateFunctionCode"),
    ("GET", "*/configuration", "GetFunctionConfiguration"),
    ("PUT", "*/configuration", "UpdateFunctionConfiguration"),
    ("POST", "*/invocations", "Invoke"),
    ("GET", "*/policy", "GetPolicy"),
    ("POST", "*/policy", "AddPermission"),
];

/// The operation and its parameters: the body's, the query's and the function's name. The payload of `Invoke` is
/// no parameter: it is the call's body.
///
/// # Errors
///
/// No operation has such a path, or the body is no JSON object.
pub fn read(request: &Request, body: &[u8]) -> Result<(String, Map<String, Value>), Fault> {
    let rest = request
        .path
        .strip_prefix("/2015-03-31/functions")
        .ok_or_else(no_such_path)?;
    let rest = rest.trim_matches('/');
    let (function, sub) = rest.split_once('/').unwrap_or((rest, ""));
    let shape = match (function.is_empty(), sub.is_empty()) {
        (true, _) => String::new(),
        (false, true) => "*".to_owned(),
        (false, false) => format!("*/{sub}"),
    };
    let operation = ROUTES
        .iter()
        .find(|(method, path, _)| *method == request.method && *path == shape)
        .map(|(.., operation)| *operation)
        .ok_or_else(no_such_path)?;
    let mut params = match operation {
        "Invoke" => Map::new(),
        _ => json::object(body).map_err(|fault| unparsed(&fault))?,
    };
    for (name, value) in request.query_pairs() {
        if !name.starts_with("X-Amz-") {
            params.insert(name, Value::String(value));
        }
    }
    if !function.is_empty() {
        params.insert("FunctionName".to_owned(), Value::String(decode(function)));
    }
    Ok((operation.to_owned(), params))
}

/// Lambda's own code for a body that is no JSON
/// (docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, errors of `Invoke` and others).
fn unparsed(fault: &Fault) -> Fault {
    let message = format!("Could not parse request body into json: {}", fault.message);
    Fault::api(400, "InvalidRequestContentException", message)
}

fn no_such_path() -> Fault {
    Fault::of(404, Trouble::UnknownOperation, "no operation has this path")
}
