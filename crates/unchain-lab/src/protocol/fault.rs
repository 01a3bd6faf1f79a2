//! Faults in each service's form, and the codes that differ by protocol.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::call::{Fault, Trouble};
use crate::http::{Request, Response};
use crate::service::{Protocol, Service};

use super::{json, request_ids, spoken, xml};

/// The error code of a fault in a service's protocol, which CloudTrail's `errorCode` has too. SQS keeps the codes of
/// its query protocol.
pub fn code(service: Service, fault: &Fault) -> String {
    wording(service, fault).1
}

/// Status, code and message as the service words them.
fn wording(service: Service, fault: &Fault) -> (u16, String, String) {
    let said = fault.message.clone();
    let own = match (service, service.protocol()) {
        (Service::Sqs, _) => query(&fault.trouble, fault.status),
        (_, Protocol::Query) => query(&fault.trouble, fault.status),
        (_, Protocol::Ec2) => ec2(&fault.trouble, fault.status),
        (_, Protocol::Json(_)) => json_services(&fault.trouble, 400),
        (_, Protocol::RestJson) => json_services(&fault.trouble, 403),
        (_, Protocol::RestXml) => s3(&fault.trouble, fault.status),
    };
    match (own, &fault.trouble) {
        (Some((status, code, message)), _) => {
            (status, code.to_owned(), reworded(service, message, said))
        }
        (None, Trouble::Api(code)) => (fault.status, code.clone(), said),
        (None, _) => (fault.status, "InternalFailure".to_owned(), said),
    }
}

/// Words of a service's own for a trouble; EC2 puts a sentence before a refusal.
fn reworded(service: Service, own: Option<&str>, said: String) -> String {
    match own {
        Some(own) if service == Service::Ec2 && own.ends_with("operation.") => {
            format!("{own} {said}")
        }
        Some(own) => own.to_owned(),
        None => said,
    }
}

/// A row: status, code, and the message where it is the service's own.
type Row = (u16, &'static str, Option<&'static str>);

fn query(trouble: &Trouble, status: u16) -> Option<Row> {
    Some(match trouble {
        Trouble::Denied => (403, "AccessDenied", None),
        Trouble::UnknownKey | Trouble::WrongToken => (403, "InvalidClientTokenId", None),
        Trouble::BadSignature | Trouble::Skewed | Trouble::UrlExpired => {
            (403, "SignatureDoesNotMatch", None)
        }
        Trouble::Expired => (403, "ExpiredToken", None),
        Trouble::Unsigned => (403, "MissingAuthenticationToken", None),
        Trouble::Unreadable | Trouble::OtherScheme => (400, "IncompleteSignature", None),
        Trouble::UnknownOperation => (status, "InvalidAction", None),
        Trouble::Api(_) => return None,
    })
}

fn ec2(trouble: &Trouble, status: u16) -> Option<Row> {
    const NOT_VALID: &str = "AWS was not able to validate the provided access credentials";
    Some(match trouble {
        Trouble::Denied => (
            403,
            "UnauthorizedOperation",
            Some("You are not authorized to perform this operation."),
        ),
        Trouble::UnknownKey | Trouble::WrongToken | Trouble::BadSignature => {
            (401, "AuthFailure", Some(NOT_VALID))
        }
        Trouble::Expired | Trouble::Skewed | Trouble::UrlExpired => {
            (400, "RequestExpired", Some("Request has expired."))
        }
        Trouble::Unsigned => (
            400,
            "MissingParameter",
            Some("The request must contain the parameter AWSAccessKeyId"),
        ),
        Trouble::Unreadable | Trouble::OtherScheme => (400, "IncompleteSignature", None),
        Trouble::UnknownOperation => (status, "InvalidAction", None),
        Trouble::Api(_) => return None,
    })
}

fn json_services(trouble: &Trouble, status: u16) -> Option<Row> {
    Some(match trouble {
        Trouble::Denied => (status, "AccessDeniedException", None),
        Trouble::UnknownKey | Trouble::WrongToken => (status, "UnrecognizedClientException", None),
        Trouble::BadSignature | Trouble::Skewed | Trouble::UrlExpired => {
            (status, "InvalidSignatureException", None)
        }
        Trouble::Expired => (status, "ExpiredTokenException", None),
        Trouble::Unsigned => (
            status,
            "MissingAuthenticationTokenException",
            Some("Missing Authentication Token"),
        ),
        Trouble::Unreadable | Trouble::OtherScheme => {
            (status, "IncompleteSignatureException", None)
        }
        Trouble::UnknownOperation if status == 403 => (404, "UnknownOperationException", None),
        Trouble::UnknownOperation => (400, "UnknownOperationException", None),
        Trouble::Api(_) => return None,
    })
}

/// S3's codes (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
fn s3(trouble: &Trouble, status: u16) -> Option<Row> {
    Some(match trouble {
        Trouble::Denied => (403, "AccessDenied", None),
        Trouble::UnknownKey => {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            (403, "InvalidAccessKeyId", Some(message))
        }
        Trouble::WrongToken => (
            400,
            "InvalidToken",
            Some("The provided token is malformed or otherwise invalid."),
        ),
        Trouble::BadSignature => {
            let message = "The request signature we calculated does not match the signature you provided. Check your \
                           key and signing method.";
            (403, "SignatureDoesNotMatch", Some(message))
        }
        Trouble::Expired => (400, "ExpiredToken", Some("The provided token has expired.")),
        Trouble::Skewed => {
            let message =
                "The difference between the request time and the current time is too large.";
            (403, "RequestTimeTooSkewed", Some(message))
        }
        Trouble::UrlExpired => (403, "AccessDenied", None),
        Trouble::Unsigned => (403, "AccessDenied", Some("Access Denied")),
        Trouble::Unreadable => (400, "AuthorizationHeaderMalformed", None),
        Trouble::OtherScheme => (400, "InvalidRequest", None),
        Trouble::UnknownOperation => (status, "MethodNotAllowed", None),
        Trouble::Api(_) => return None,
    })
}

/// A fault in the service's form; a request that names no service of the lab gets the query protocol's.
pub fn fault(
    service: Option<Service>,
    request: &Request,
    fault: &Fault,
    request_id: &str,
) -> Response {
    let service = service.unwrap_or(Service::Sts);
    let (status, code, message) = wording(service, fault);
    let mut headers = request_ids(service, request_id);
    let (kind, body) = match spoken(service, request) {
        Protocol::Query => (
            "text/xml",
            query_document(status, (&code, &message), request_id),
        ),
        Protocol::Ec2 => (
            "text/xml;charset=UTF-8",
            ec2_document((&code, &message), request_id),
        ),
        Protocol::RestXml => (
            "application/xml",
            s3_document(request, (&code, &message), request_id),
        ),
        Protocol::Json(version) => {
            let kind = json::content_type(version);
            (
                kind,
                json_document(service, (status, &code, &message), &mut headers),
            )
        }
        Protocol::RestJson => {
            headers.push(("x-amzn-errortype".to_owned(), code.clone()));
            let side = if status < 500 { "User" } else { "Server" };
            (
                "application/json",
                json!({"Type": side, "Message": message, "message": message}).to_string(),
            )
        }
    };
    headers.push(("content-type".to_owned(), kind.to_owned()));
    let body = if request.method == "HEAD" {
        Vec::new()
    } else {
        body.into_bytes()
    };
    Response {
        status,
        headers,
        body,
    }
}

fn side(status: u16) -> &'static str {
    if status < 500 { "Sender" } else { "Receiver" }
}

fn query_document(status: u16, (code, message): (&str, &str), request_id: &str) -> String {
    let mut out = String::from("<ErrorResponse><Error>");
    xml::leaf(&mut out, "Type", side(status));
    xml::leaf(&mut out, "Code", code);
    xml::leaf(&mut out, "Message", message);
    out.push_str("</Error>");
    xml::leaf(&mut out, "RequestId", request_id);
    out.push_str("</ErrorResponse>");
    out
}

fn ec2_document((code, message): (&str, &str), request_id: &str) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>");
    xml::leaf(&mut out, "Code", code);
    xml::leaf(&mut out, "Message", message);
    out.push_str("</Error></Errors>");
    xml::leaf(&mut out, "RequestID", request_id);
    out.push_str("</Response>");
    out
}

fn s3_document(request: &Request, (code, message): (&str, &str), request_id: &str) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    xml::leaf(&mut out, "Code", code);
    xml::leaf(&mut out, "Message", message);
    xml::leaf(&mut out, "Resource", &crate::http::decode(&request.path));
    xml::leaf(&mut out, "RequestId", request_id);
    xml::leaf(&mut out, "HostId", &host_id(request_id));
    out.push_str("</Error>");
    out
}

/// SQS names its errors anew in JSON and gives the old code in a header
/// (smithy.io/2.0/aws/protocols/aws-query-protocol.html, compatibility).
fn json_document(
    service: Service,
    (status, code, message): (u16, &str, &str),
    headers: &mut Vec<(String, String)>,
) -> String {
    let mut name = code.to_owned();
    if service == Service::Sqs {
        name = format!("com.amazonaws.sqs#{}", sqs_name(code));
        headers.push((
            "x-amzn-query-error".to_owned(),
            format!("{code};{}", side(status)),
        ));
    }
    headers.push(("x-amzn-errortype".to_owned(), name.clone()));
    json!({"__type": name, "message": message}).to_string()
}

fn sqs_name(code: &str) -> &str {
    match code {
        "AWS.SimpleQueueService.NonExistentQueue" => "QueueDoesNotExist",
        "AWS.SimpleQueueService.EmptyBatchRequest" => "EmptyBatchRequest",
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest" => "TooManyEntriesInBatchRequest",
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct" => "BatchEntryIdsNotDistinct",
        "AWS.SimpleQueueService.PurgeQueueInProgress" => "PurgeQueueInProgress",
        "QueueAlreadyExists" => "QueueNameExists",
        "AccessDenied" => "AccessDeniedException",
        other => other,
    }
}

/// S3's second request id: 56 bytes that nobody can read, in base64.
pub(super) fn host_id(request_id: &str) -> String {
    STANDARD.encode(Sha256::digest(request_id.as_bytes()))
}
