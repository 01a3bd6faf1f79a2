//! From the SDK's errors to what the engine has to know of them.

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use std::error::Error;
use unchain_core::contain::{Refusal, RefusalKind};
use unchain_core::text::Untrusted;

/// Codes of a call that may do later what it did not do now: another change was being made, or there were too many
/// (IAM API Reference, "CommonErrors"; Organizations API Reference, "AttachPolicy").
const LATER: &[&str] = &[
    "ConcurrentModification",
    "ConcurrentModificationException",
    "EntityTemporarilyUnmodifiable",
    "EntityTemporarilyUnmodifiableException",
    "FinalizingOrganizationException",
    "PolicyChangesInProgressException",
    "RequestLimitExceeded",
    "ServiceFailure",
    "ServiceFailureException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Codes of a caller who may not, or whose credential is not good.
const DENIED: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// Codes of something that is not there, beside those that say so in their name.
const ABSENT: &[&str] = &[
    "AWSOrganizationsNotInUseException",
    "NoSuchEntity",
    "NoSuchEntityException",
    "PolicyNotAttachedException",
    "ReportNotPresent",
];

/// A refusal of our own.
pub(crate) fn refused(kind: RefusalKind, code: &str, message: impl Into<String>) -> Refusal {
    Refusal {
        kind,
        code: Untrusted::new(code),
        message: Untrusted::new(message.into()),
        request_id: None,
    }
}

/// What an error of the SDK says. `once` is whether the call, done once, must not be done a second time: then a
/// failure of the service leaves open whether it was carried out.
pub(crate) fn refusal<E>(error: &SdkError<E, HttpResponse>, once: bool) -> Refusal
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    let kind = match error {
        SdkError::ConstructionFailure(_) => RefusalKind::Refused,
        SdkError::ServiceError(_) => match (kind_of(error.code().unwrap_or_default()), status) {
            (Some(kind), _) => kind,
            (None, Some(200..=299)) => RefusalKind::Unanswered,
            (None, Some(500..)) if once => RefusalKind::Unanswered,
            (None, Some(429 | 500..)) => RefusalKind::Throttled,
            (None, Some(401 | 403)) => RefusalKind::Denied,
            (None, _) => RefusalKind::Refused,
        },
        _ if no_credential(error) => RefusalKind::Denied,
        _ => RefusalKind::Unanswered,
    };
    let words = error.message().map_or_else(|| chain(error), str::to_owned);
    let of_ours = if no_credential(error) {
        "NoCredential"
    } else {
        word(error)
    };
    Refusal {
        kind,
        code: Untrusted::new(error.code().unwrap_or(of_ours)),
        message: Untrusted::new(words),
        request_id: error.request_id().map(str::to_owned),
    }
}

/// An error and what it came from. The SDK's own way to print them shows answers too, and that of `AssumeRole` has a token.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}

fn kind_of(code: &str) -> Option<RefusalKind> {
    let ends = |with: &[&str]| with.iter().any(|end| code.ends_with(end));
    if ABSENT.contains(&code) || ends(&["NotFound", "NotFoundException"]) {
        return Some(RefusalKind::NotFound);
    }
    if DENIED.contains(&code) || code.starts_with("AccessDenied") {
        return Some(RefusalKind::Denied);
    }
    LATER.contains(&code).then_some(RefusalKind::Throttled)
}

/// Our word for an error for which the service sent no code.
fn word<E>(error: &SdkError<E, HttpResponse>) -> &'static str {
    match error {
        SdkError::ConstructionFailure(_) => "NotSent",
        SdkError::TimeoutError(_) => "Timeout",
        SdkError::DispatchFailure(_) => "NoConnection",
        SdkError::ResponseError(_) => "BadAnswer",
        SdkError::ServiceError(error) if error.raw().status().is_success() => "BadAnswer",
        _ => "Unknown",
    }
}

/// Whether the request was never sent because there was nothing to sign it with: no profile, a role that may not be
/// assumed, an expired sign-in.
fn no_credential<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: Error + 'static,
{
    let SdkError::DispatchFailure(_) = error else {
        return false;
    };
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = source {
        if cause.is::<aws_credential_types::provider::error::CredentialsError>() {
            return true;
        }
        source = cause.source();
    }
    false
}
