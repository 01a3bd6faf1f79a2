//! The global context keys of a request
//! (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html).
//!
//! `aws:SecureTransport` is always true: the lab listens on loopback without TLS and stands for endpoints that have
//! it.

use std::collections::BTreeMap;

use unchain_core::time::Timestamp;
use unchain_policy::Context;

use super::{organization, principal};
use crate::call::Call;
use crate::operation::Ask;
use crate::organizations;
use crate::session::{Caller, MadeBy, Session, Who};
use crate::world::World;

/// All keys of a call, without those of a single question.
pub(super) fn of_call(world: &World, call: &Call<'_>) -> Context {
    request_keys(of_caller(world, &call.caller), call)
}

/// The keys that follow from the request, without those of a principal.
pub(super) fn of_request(world: &World, call: &Call<'_>) -> Context {
    request_keys(clock(world), call)
}

/// The same with the keys of one question, which go before the others.
pub(super) fn with(context: Context, ask: &Ask) -> Context {
    let context = match &ask.resource_account {
        Some(account) => context.with("aws:ResourceAccount", account.as_str()),
        None => context,
    };
    ask.context.iter().fold(context, |context, (key, values)| {
        context.with_all(key, values.iter().map(String::as_str))
    })
}

fn clock(world: &World) -> Context {
    Context::new()
        .with("aws:CurrentTime", world.time().to_string())
        .with("aws:EpochTime", world.now.to_string())
}

fn request_keys(context: Context, call: &Call<'_>) -> Context {
    context
        .with("aws:SourceIp", call.source_ip.as_str())
        .with("aws:UserAgent", call.user_agent.as_str())
        .with("aws:SecureTransport", "true")
        .with("aws:RequestedRegion", call.region.as_str())
}

/// The keys that follow from the caller and the clock.
pub(super) fn of_caller(world: &World, caller: &Caller) -> Context {
    let mut context = clock(world)
        .with("aws:userid", caller.user_id())
        .with("aws:PrincipalType", kind(&caller.who))
        .with("aws:ViaAWSService", caller.invoked_by.is_some().to_string())
        .with(
            "aws:PrincipalIsAWSService",
            matches!(caller.who, Who::Service(_)).to_string(),
        );
    match &caller.who {
        Who::Anonymous => return context,
        Who::Service(name) => return context.with("aws:PrincipalServiceName", name.as_str()),
        Who::User { name, .. } => context = context.with("aws:username", name.as_str()),
        _ => {}
    }
    context = context
        .with("aws:PrincipalArn", principal::principal_arn(world, caller))
        .with("aws:PrincipalAccount", caller.account.as_str());
    if let Some(id) = organization::id(world, &caller.account) {
        context = context.with("aws:PrincipalOrgID", id);
    }
    if let Some(path) = organizations::path(world, &caller.account) {
        context = context.with_all("aws:PrincipalOrgPaths", [path]);
    }
    for (key, value) in tags(world, caller) {
        context = context.with(&format!("aws:PrincipalTag/{key}"), value);
    }
    match &caller.session {
        Some(session) => of_session(world, context, session),
        None => context,
    }
}

/// `aws:PrincipalType`, by the table of principal key values.
fn kind(who: &Who) -> &'static str {
    match who {
        Who::Root => "Account",
        Who::User { .. } => "User",
        Who::Federated { .. } => "FederatedUser",
        Who::Role { .. } | Who::WebIdentity { .. } | Who::Saml { .. } => "AssumedRole",
        Who::Service(_) => "Service",
        Who::Anonymous => "Anonymous",
    }
}

/// MFA is in the context of `GetSessionToken` tokens and console sessions only: a role session does not carry it,
/// even where MFA was given to assume the role
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html).
fn of_session(world: &World, context: Context, session: &Session) -> Context {
    let issued = Timestamp::from_seconds(session.created_at);
    let mut context = context.with("aws:TokenIssueTime", issued.to_string());
    if let Some(identity) = &session.source_identity {
        context = context.with("aws:SourceIdentity", identity.as_str());
    }
    match &session.made_by {
        MadeBy::SessionToken | MadeBy::Console => {
            let present = session.mfa_serial.is_some();
            context = context.with("aws:MultiFactorAuthPresent", present.to_string());
            if present {
                let age = world.now.saturating_sub(session.created_at);
                context = context.with("aws:MultiFactorAuthAge", age.to_string());
            }
        }
        MadeBy::WebIdentity { provider } => {
            context = context.with("aws:FederatedProvider", provider.as_str());
        }
        MadeBy::AssumeRoot { .. } => context = context.with("aws:AssumedRoot", "true"),
        MadeBy::Service {
            ec2_role_delivery: Some(version),
            ..
        } => context = context.with("ec2:RoleDelivery", version.as_str()),
        _ => {}
    }
    context
}

/// The principal's own tags; session tags go before them.
fn tags(world: &World, caller: &Caller) -> BTreeMap<String, String> {
    let iam = world
        .accounts
        .get(&caller.account)
        .map(|account| account.enforced(world.now));
    let user = |name: &str| Some(&iam?.users.get(name)?.attached.tags);
    let own = match &caller.who {
        Who::User { name, .. } => user(name),
        Who::Federated {
            parent: Some((name, _)),
            ..
        } => user(name),
        Who::Role { name, .. } => iam
            .and_then(|iam| iam.roles.get(name))
            .map(|role| &role.attached.tags),
        _ => None,
    };
    let mut tags = own.cloned().unwrap_or_default();
    if let Some(session) = &caller.session {
        tags.extend(session.tags.clone());
    }
    tags
}
