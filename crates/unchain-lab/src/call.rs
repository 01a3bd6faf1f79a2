//! One call as an operation sees it, and what comes back: a reply or a fault.

use serde_json::{Map, Value};
use unchain_core::time::Timestamp;

use crate::http::Request;
use crate::operation::Operation;
use crate::service::Protocol;
use crate::session::Caller;

/// A call whose signature was right and whose operation is known.
pub struct Call<'a> {
    /// What is asked.
    pub operation: &'static Operation,
    /// Who asks.
    pub caller: Caller,
    /// The region the request was signed for, or the service's own for global services.
    pub region: String,
    /// Parameters under the names of the API: `{"RoleArn": …, "Tags": [{"Key": …}]}`, whatever the protocol. S3's
    /// come from path, query and headers (`Bucket`, `Key`, …).
    pub params: Map<String, Value>,
    /// The request itself, for headers and an object's body.
    pub http: &'a Request,
    /// The decoded body (S3's chunks put together).
    pub body: Vec<u8>,
    /// Virtual time.
    pub at: Timestamp,
    /// What CloudTrail's `sourceIPAddress` says.
    pub source_ip: String,
    /// What CloudTrail's `userAgent` says.
    pub user_agent: String,
    /// The request id of reply and record.
    pub request_id: String,
}

shown!(Call<'_>: operation, caller, region, at, source_ip, user_agent, request_id);

impl Call<'_> {
    /// A parameter as text; numbers and booleans are written out. None when absent.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.params.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    ///
    /// `ValidationError`, as AWS answers when a required parameter is missing.
    pub fn required(&self, name: &str) -> Result<String, Fault> {
        self.text(name).ok_or_else(|| {
            Fault::validation(format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                lower_first(name)
            ))
        })
    }

    /// A whole number; none when absent.
    ///
    /// # Errors
    ///
    /// The error of the call's protocol when it is there and is no number that 64 bits hold.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Fault> {
        let number = self.text(name).map(|text| text.parse()).transpose();
        number.map_err(|_| {
            let code = match self.operation.service.protocol() {
                Protocol::Query => "MalformedInput",
                Protocol::Ec2 => "InvalidParameterValue",
                Protocol::Json(_) | Protocol::RestJson => "SerializationException",
                Protocol::RestXml => "InvalidArgument",
            };
            Fault::api(400, code, format!("{name} is not a number"))
        })
    }

    /// The elements of a list; empty when absent.
    pub fn list(&self, name: &str) -> &[Value] {
        self.params
            .get(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

/// `RoleArn` → `roleArn`, as CloudTrail and AWS's validation messages write names; `MFASerial`-like runs of capitals
/// are lowered only at their first letter, as AWS does (`sAMLAssertionID`).
pub fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// What an operation answers.
#[derive(Default)]
pub struct Reply {
    /// The result under the names of the API; `Value::Null` for operations that answer nothing. Instants are
    /// [`Value::Number`]s of epoch seconds under names the protocol writes as its own dates (see `protocol`).
    pub value: Value,
    /// Status other than 200 (S3).
    pub status: Option<u16>,
    /// Headers beside the usual (S3).
    pub headers: Vec<(String, String)>,
    /// A body that is not made from `value` (S3's objects).
    pub body: Option<Vec<u8>>,
    /// What CloudTrail says, where it is not what follows from parameters and value.
    pub recorded: Recorded,
}

shown!(Reply: status, headers);

impl Reply {
    /// A reply of a value, recorded as the operation's table says.
    pub fn of(value: Value) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }
}

/// What CloudTrail says of a successful call, where it differs from the rule: `requestParameters` are the parameters
/// with names in camel case, `responseElements` the value likewise for operations that write, `null` for those that
/// read.
#[derive(Debug, Default)]
pub struct Recorded {
    /// In place of the parameters.
    pub request: Option<Value>,
    /// In place of the value; secrets must already be out.
    pub response: Option<Value>,
    /// `additionalEventData`.
    pub additional: Option<Value>,
    /// `resources`, in CloudTrail's own form (`ARN`, `accountId`, `type`).
    pub resources: Vec<Value>,
    /// Other accounts that receive a copy of their own (`sharedEventID`).
    pub also_in: Vec<String>,
    /// Not recorded at all.
    pub silent: bool,
}

/// Why a call failed, as the client is told.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The HTTP status.
    pub status: u16,
    /// Which error; the protocol gives it the service's own code.
    pub trouble: Trouble,
    /// The message.
    pub message: String,
    /// What CloudTrail keeps as `requestParameters` of the failure; none: null.
    pub keep_request: bool,
}

/// The kinds of failure whose code differs by protocol (test-peers, error codes by protocol), and all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// No permission: `AccessDenied`, `AccessDeniedException`, `UnauthorizedOperation`.
    Denied,
    /// The key is unknown, inactive or deleted: `InvalidClientTokenId`, `InvalidAccessKeyId`, `AuthFailure`, …
    UnknownKey,
    /// The session token does not belong to the key.
    WrongToken,
    /// The signature does not match.
    BadSignature,
    /// The token has expired.
    Expired,
    /// The request carries no signature where one is needed.
    Unsigned,
    /// There is a signature, and it cannot be read.
    Unreadable,
    /// The request is authorized in another way than by Signature Version 4.
    OtherScheme,
    /// Signed too long ago or in the future.
    Skewed,
    /// A presigned request is past its end.
    UrlExpired,
    /// The operation does not exist.
    UnknownOperation,
    /// An error of the operation itself, by its code.
    Api(String),
}

impl Fault {
    /// An error of the operation.
    pub fn api(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self::of(status, Trouble::Api(code.to_owned()), message)
    }

    /// `ValidationError`, 400.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::api(400, "ValidationError", message)
    }

    /// `NoSuchEntity`, 404.
    pub fn no_such_entity(message: impl Into<String>) -> Self {
        Self::api(404, "NoSuchEntity", message)
    }

    /// A refusal by policy, with AWS's message.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::of(403, Trouble::Denied, message)
    }

    /// Any trouble.
    pub fn of(status: u16, trouble: Trouble, message: impl Into<String>) -> Self {
        Self {
            status,
            trouble,
            message: message.into(),
            keep_request: false,
        }
    }
}
