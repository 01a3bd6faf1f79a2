//! The services' ways of putting calls into HTTP: form and XML ([`query`], [`xml`]), JSON by target ([`json`]), JSON
//! by path ([`rest`]) and S3's own. Facts from smithy.io/2.0/aws/protocols and botocore's service models.
//!
//! In replies an instant is `{"$time": seconds since 1970}`, written as the service writes dates. It must not know
//! what any operation does.

pub mod fault;
pub mod json;
mod names;
pub mod query;
pub mod rest;
pub mod xml;

use serde_json::{Map, Value};

pub use fault::{code, fault};

use crate::call::{Fault, Reply, Trouble};
use crate::http::{Request, Response};
use crate::operation::Operation;
use crate::service::{Protocol, Service};

/// The longest body of a call to anything but S3, in bytes.
const LONGEST_BODY: usize = 10 << 20;

/// The longest headers and query of a call to S3, in bytes
/// (docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPUT.html: the header section is limited to 8 KB).
const LONGEST_HEAD: usize = 8 << 10;

/// The operation a request names and its parameters.
pub struct Asked {
    /// The operation.
    pub operation: &'static Operation,
    /// Parameters under the API's names.
    pub params: Map<String, Value>,
}

shown!(Asked: operation);

/// How this request is spoken: SQS took the query protocol before it took JSON.
fn spoken(service: Service, request: &Request) -> Protocol {
    match service.protocol() {
        Protocol::Json(_)
            if service == Service::Sqs && request.header("x-amz-target").is_none() =>
        {
            Protocol::Query
        }
        protocol => protocol,
    }
}

/// Whether headers and query are short enough for a service.
///
/// # Errors
///
/// `RequestHeaderSectionTooLarge` of S3 (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
pub fn fits(service: Service, request: &Request) -> Result<(), Fault> {
    let headers = request.headers.iter();
    let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
    if service == Service::S3 && headers + request.query.len() > LONGEST_HEAD {
        let message = "Your request header and the query parameters used to make the request exceed the maximum \
                       allowed size.";
        return Err(Fault::api(400, "RequestHeaderSectionTooLarge", message));
    }
    Ok(())
}

/// Reads what is asked of a service.
///
/// # Errors
///
/// `InvalidAction` and its like; `MalformedInput`, `SerializationException` for a body that cannot be read.
pub fn read(service: Service, request: &Request, body: &[u8]) -> Result<Asked, Fault> {
    if service != Service::S3 && body.len() > LONGEST_BODY {
        let message = "Request size exceeded the limit of 10 MB";
        return Err(Fault::api(413, "RequestEntityTooLarge", message));
    }
    let (name, params) = match spoken(service, request) {
        Protocol::Query | Protocol::Ec2 => query::read(service, request, body)?,
        Protocol::Json(_) => json::read(service, request, body)?,
        Protocol::RestJson => rest::read(request, body)?,
        Protocol::RestXml => {
            let (name, params) = crate::s3::route::route(request)?;
            (name.to_owned(), params)
        }
    };
    match service.operation(&name) {
        Some(operation) => Ok(Asked { operation, params }),
        None => Err(unknown_operation(service, request, &name)),
    }
}

fn unknown_operation(service: Service, request: &Request, name: &str) -> Fault {
    let message = match spoken(service, request) {
        Protocol::Query | Protocol::Ec2 => {
            let version = names::version(service);
            format!("Could not find operation {name} for version {version}")
        }
        _ => format!("the lab does not know the operation {name}"),
    };
    Fault::of(400, Trouble::UnknownOperation, message)
}

/// A reply in the service's form.
pub fn reply(
    operation: &Operation,
    request: &Request,
    reply: &Reply,
    request_id: &str,
) -> Response {
    let service = operation.service;
    let (kind, body) = match (&reply.body, spoken(service, request)) {
        (Some(body), _) => (None, body.clone()),
        (None, Protocol::Query) => (
            Some("text/xml"),
            xml::query_reply(operation, &reply.value, request_id),
        ),
        (None, Protocol::Ec2) => (
            Some("text/xml;charset=UTF-8"),
            xml::ec2_reply(operation, &reply.value, request_id),
        ),
        (None, Protocol::Json(version)) => {
            let body = json::body(&reply.value);
            return finish(
                service,
                reply,
                (Some(json::content_type(version)), body),
                request_id,
            );
        }
        (None, Protocol::RestJson) => (Some("application/json"), json::body(&reply.value)),
        (None, Protocol::RestXml) => match xml::s3_reply(&reply.value) {
            Some(body) => (Some("application/xml"), body),
            None => (None, Vec::new()),
        },
    };
    finish(service, reply, (kind, body), request_id)
}

fn finish(
    service: Service,
    reply: &Reply,
    (kind, body): (Option<&'static str>, Vec<u8>),
    request_id: &str,
) -> Response {
    let mut headers = request_ids(service, request_id);
    if let Some(kind) = kind {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    headers.extend(reply.headers.iter().cloned());
    Response {
        status: reply.status.unwrap_or(200),
        headers,
        body,
    }
}

/// The headers that name the request; S3 has a second one, which no client reads.
fn request_ids(service: Service, request_id: &str) -> Vec<(String, String)> {
    let name = match service {
        Service::S3 => "x-amz-request-id",
        _ => "x-amzn-requestid",
    };
    let mut headers = vec![(name.to_owned(), request_id.to_owned())];
    if service == Service::S3 {
        headers.push(("x-amz-id-2".to_owned(), fault::host_id(request_id)));
    }
    headers
}

#[cfg(test)]
mod tests;
