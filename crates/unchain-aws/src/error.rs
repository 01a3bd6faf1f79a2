//! Why no session came about.

use unchain_core::contain::Refusal;

/// Why there is no session with AWS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AwsError {
    /// The threads or sockets that calls need were not to be had.
    #[error("the network was not to be set up")]
    Runtime(#[source] std::io::Error),
    /// The endpoint is neither reached through TLS nor on this machine.
    #[error(
        "`{0}` is no endpoint: credentials are sent by https, or to this machine; give https://…, or http:// with \
         127.0.0.1, [::1] or localhost"
    )]
    Endpoint(String),
    /// The caller could not be told.
    #[error(
        "sts:GetCallerIdentity was refused: {code}; give a profile, or credentials in the environment, and the region",
        code = refusal.code.terminal()
    )]
    Caller {
        /// What came back.
        refusal: Box<Refusal>,
    },
    /// The answer about the caller names no account, or the ARN is none.
    #[error("the answer of sts:GetCallerIdentity names no account; is the endpoint one of AWS's?")]
    NoIdentity,
}
