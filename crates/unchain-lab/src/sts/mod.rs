//! Security Token Service: hands out temporary credentials within AWS's limits.
//!
//! Limits are those of docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html and of the API
//! reference (docs.aws.amazon.com/STS/latest/APIReference/). What a kind of credential may not call at all is
//! decided in `enforce`; here is what remains: parameters, durations, chains, trust.
//!
//! What is **not** verified: the signature of a SAML assertion; the signature of an OIDC token whose issuer has no
//! key set in [`crate::world::World::key_sets`] (with one, RS256 is verified and nothing else is accepted); the
//! certificate of an OIDC provider. Tokens of `www.amazon.com` and `graph.facebook.com` are opaque, so they are
//! refused. `PackedPolicySize` follows a packing of our own: AWS does not publish its.
//!
//! Must not know: how a request arrived, or what CloudTrail makes of it beyond [`crate::call::Recorded`].

mod assertion;
mod assume_role;
mod assume_root;
mod caller;
mod federation_token;
mod input;
mod issue;
mod jwt;
mod packed;
mod role;
mod saml;
mod second_factor;
mod session_token;
mod tags;
mod web_identity;

use serde_json::{Map, Value};

pub use issue::{Draft, Issued, issue, token_hash};

use crate::call::{Call, Fault, Reply};
use crate::operation::{Event, Operation, Permission};
use crate::service::Service;
use crate::session::Caller;
use crate::world::World;

/// Its operations. `read_only` is as CloudTrail records it: true also for the calls that assume a role
/// (docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html, the examples).
pub const OPERATIONS: &[Operation] = &[
    row(
        "AssumeRole",
        true,
        Permission::Asks(assume_role::asks),
        assume_role::run,
    ),
    row("AssumeRoleWithSAML", true, Permission::Free, saml::run),
    row(
        "AssumeRoleWithWebIdentity",
        true,
        Permission::Free,
        web_identity::run,
    ),
    row(
        "AssumeRoot",
        true,
        Permission::Asks(assume_root::asks),
        assume_root::run,
    ),
    row(
        "DecodeAuthorizationMessage",
        true,
        Permission::Any,
        caller::decode_authorization_message,
    ),
    row(
        "GetAccessKeyInfo",
        true,
        Permission::Any,
        caller::get_access_key_info,
    ),
    row(
        "GetCallerIdentity",
        true,
        Permission::Free,
        caller::get_caller_identity,
    ),
    row(
        "GetFederationToken",
        false,
        Permission::Asks(federation_token::asks),
        federation_token::run,
    ),
    row(
        "GetSessionToken",
        false,
        Permission::Free,
        session_token::run,
    ),
];

const fn row(
    name: &'static str,
    read_only: bool,
    permission: Permission,
    run: fn(&mut World, &Call<'_>) -> Result<Reply, Fault>,
) -> Operation {
    Operation {
        service: Service::Sts,
        name,
        read_only,
        event: Event::Management,
        permission,
        run,
    }
}

/// Who calls by the token or assertion among the parameters, unverified: what CloudTrail names as the caller of
/// `AssumeRoleWithWebIdentity` and `AssumeRoleWithSAML`. None for other operations and for what cannot be read.
pub fn bearer(operation: &Operation, params: &Map<String, Value>) -> Option<Caller> {
    let text = |name: &str| params.get(name).and_then(Value::as_str);
    let who = match (operation.service, operation.name) {
        (Service::Sts, "AssumeRoleWithWebIdentity") => {
            jwt::Token::read(text("WebIdentityToken")?).ok()?.who()
        }
        (Service::Sts, "AssumeRoleWithSAML") => {
            let read = assertion::Assertion::read(text("SAMLAssertion")?)?;
            saml::who(text("PrincipalArn")?, &read)
        }
        _ => return None,
    };
    Some(Caller {
        who,
        ..Caller::anonymous()
    })
}
