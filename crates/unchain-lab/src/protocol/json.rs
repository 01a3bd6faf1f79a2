//! JSON with the operation in `X-Amz-Target`.

use serde_json::{Map, Value};

use crate::call::{Fault, Trouble};
use crate::http::Request;
use crate::service::{Protocol, Service};

use super::names;

/// The operation and its parameters.
///
/// # Errors
///
/// `UnknownOperationException` without a target of this service, `SerializationException` for a body that is not a
/// JSON object.
pub fn read(
    service: Service,
    request: &Request,
    body: &[u8],
) -> Result<(String, Map<String, Value>), Fault> {
    let target = request.header("x-amz-target").unwrap_or_default();
    let operation = match target.rsplit_once('.') {
        Some((prefix, operation)) if names::is_target(service, prefix) => operation.to_owned(),
        _ => {
            let message = "the header X-Amz-Target names no operation of this service";
            return Err(Fault::of(400, Trouble::UnknownOperation, message));
        }
    };
    Ok((operation, object(body)?))
}

/// The object in a body; nothing is an empty one.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Fault::api(
            400,
            "SerializationException",
            "Start of structure or map found where not expected.",
        )),
        Err(error) => Err(Fault::api(400, "SerializationException", error.to_string())),
    }
}

/// The service that a target names, for requests without a signature.
pub fn service_of(request: &Request) -> Option<Service> {
    let (prefix, _) = request.header("x-amz-target")?.rsplit_once('.')?;
    let mut services = Service::ALL.iter().copied();
    services.find(|service| {
        matches!(service.protocol(), Protocol::Json(_)) && names::is_target(*service, prefix)
    })
}

/// The content type of a version of the protocol.
pub(super) fn content_type(version: &str) -> &'static str {
    match version {
        "1.0" => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    }
}

/// The body of a reply: instants as numbers; nothing is an empty object.
pub(super) fn body(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => b"{}".to_vec(),
        value => plain(value).to_string().into_bytes(),
    }
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        Value::Object(members) => match members.get("$time") {
            Some(time) if members.len() == 1 => time.clone(),
            _ => Value::Object(
                members
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(name, value)| (name.clone(), plain(value)))
                    .collect(),
            ),
        },
        scalar => scalar.clone(),
    }
}
