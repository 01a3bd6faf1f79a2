//! What a kind of credential may not call at all, whatever policies say
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html).

use crate::call::{Call, Fault, Trouble};
use crate::service::Service;
use crate::session::{MadeBy, Session, Who};

/// Checks the call against the kind of its credential.
///
/// # Errors
///
/// `AccessDenied` of STS; `InvalidClientTokenId` of IAM.
pub(super) fn check(call: &Call<'_>) -> Result<(), Fault> {
    let (service, name) = (call.operation.service, call.operation.name);
    if service == Service::Sts && matches!(name, "AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity")
    {
        return Ok(());
    }
    if service == Service::Sts
        && call.caller.who == Who::Root
        && matches!(name, "AssumeRole" | "AssumeRoot")
    {
        return Err(Fault::denied("Roles may not be assumed by root accounts."));
    }
    match (&call.caller.session, service) {
        (Some(session), Service::Sts) => sts(session, name),
        (Some(session), Service::Iam) => iam(session),
        _ => Ok(()),
    }
}

fn sts(session: &Session, name: &str) -> Result<(), Fault> {
    let may = match &session.made_by {
        MadeBy::SessionToken => matches!(name, "AssumeRole" | "GetCallerIdentity"),
        MadeBy::FederationToken | MadeBy::AssumeRoot { .. } => name == "GetCallerIdentity",
        MadeBy::AssumeRole
        | MadeBy::Saml
        | MadeBy::IdentityCenter { .. }
        | MadeBy::WebIdentity { .. }
        | MadeBy::Console
        | MadeBy::Service { .. } => !matches!(name, "GetSessionToken" | "GetFederationToken"),
    };
    may.then_some(())
        .ok_or_else(|| Fault::denied(format!("Cannot call {name} with session credentials")))
}

/// IAM does not take tokens of `GetSessionToken` made without MFA, nor those of `GetFederationToken`; a console
/// session made from one it takes. The error is the one of a key that does not exist.
fn iam(session: &Session) -> Result<(), Fault> {
    let may = match &session.made_by {
        MadeBy::SessionToken => session.mfa_serial.is_some(),
        MadeBy::FederationToken => false,
        _ => true,
    };
    may.then_some(()).ok_or_else(|| {
        let message = "The security token included in the request is invalid";
        Fault::of(403, Trouble::UnknownKey, message)
    })
}
