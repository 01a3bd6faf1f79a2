//! What kind of answer an error code is, in a log and from a service.
//!
//! Codes of refused credentials differ by protocol: STS and IAM say `InvalidClientTokenId`, S3 `InvalidAccessKeyId`, EC2
//! `AuthFailure`, the JSON services `UnrecognizedClientException`. Refused requests are `AccessDenied`,
//! `UnauthorizedOperation` (EC2) or `AccessDeniedException` (the common errors of each service's API reference).

use serde::{Deserialize, Serialize};

/// What an error code says of the credential that got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeClass {
    /// The credential is good, and the request was not allowed.
    Denied,
    /// The key is not known, inactive or deleted, or its token is not valid.
    DeadKey,
    /// Its time is over.
    Expired,
    /// Who called was not established: a wrong secret, a clock that is off, a wrong password.
    NotAuthenticated,
    /// Too many calls, or the service failed.
    Throttled,
    /// The request would have been carried out.
    WouldSucceed,
    /// Something else: nearly always it was allowed and failed afterwards.
    Other,
}

impl CodeClass {
    /// The class of a code. EC2's codes begin with `Client.` or `Server.` in a log.
    pub fn of(code: &str) -> Self {
        let code = code.rsplit('#').next().unwrap_or_default();
        let bare = code
            .strip_prefix("Client.")
            .or_else(|| code.strip_prefix("Server."));
        let code = bare.unwrap_or(code);
        if code.starts_with("AccessDenied") || DENIED.contains(&code) {
            Self::Denied
        } else if DEAD.contains(&code) {
            Self::DeadKey
        } else if EXPIRED.contains(&code) {
            Self::Expired
        } else if NOT_AUTHENTICATED
            .iter()
            .any(|begin| code.starts_with(begin))
        {
            Self::NotAuthenticated
        } else if code.contains("Throttl") || TROUBLE.contains(&code) {
            Self::Throttled
        } else if code == "DryRunOperation" {
            Self::WouldSucceed
        } else {
            Self::Other
        }
    }

    /// In our words, for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::DeadKey => "refused: the key is not valid",
            Self::Expired => "refused: expired",
            Self::NotAuthenticated => "not authenticated",
            Self::Throttled => "throttled, or the service failed",
            Self::WouldSucceed => "a dry run that would have succeeded",
            Self::Other => "failed for another reason: it may have been allowed",
        }
    }
}

const DENIED: [&str; 7] = [
    "UnauthorizedOperation",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedException",
    "NotAuthorized",
    "Forbidden",
    "ForbiddenException",
];

const DEAD: [&str; 6] = [
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "AuthFailure",
    "UnrecognizedClientException",
    "UnrecognizedClient",
    "InvalidToken",
];

const EXPIRED: [&str; 4] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "TokenExpired",
];

const NOT_AUTHENTICATED: [&str; 6] = [
    "SignatureDoesNotMatch",
    "InvalidSignature",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "RequestTimeTooSkewed",
    "Failed authentication",
];

const TROUBLE: [&str; 9] = [
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Unavailable",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
];

#[cfg(test)]
mod tests {
    use super::CodeClass::{self, *};

    #[test]
    fn codes_of_every_protocol_are_told_apart() {
        let cases: [(CodeClass, &[&str]); 7] = [
            (
                Denied,
                &[
                    "AccessDenied",
                    "AccessDeniedException",
                    "UnauthorizedOperation",
                    "Client.UnauthorizedOperation",
                    "com.amazonaws.kms#AccessDeniedException",
                ],
            ),
            (
                DeadKey,
                &[
                    "InvalidClientTokenId",
                    "InvalidAccessKeyId",
                    "AuthFailure",
                    "UnrecognizedClientException",
                ],
            ),
            (
                Expired,
                &["ExpiredToken", "ExpiredTokenException", "RequestExpired"],
            ),
            (
                NotAuthenticated,
                &["SignatureDoesNotMatch", "InvalidSignatureException"],
            ),
            (
                Throttled,
                &[
                    "Throttling",
                    "ThrottlingException",
                    "SlowDown",
                    "Server.InternalError",
                ],
            ),
            (WouldSucceed, &["DryRunOperation", "Client.DryRunOperation"]),
            (
                Other,
                &["NoSuchEntity", "NoSuchBucket", "", "Denied", "accessdenied"],
            ),
        ];
        for (class, codes) in cases {
            for code in codes {
                assert_eq!(CodeClass::of(code), class, "{code}");
            }
        }
    }
}
