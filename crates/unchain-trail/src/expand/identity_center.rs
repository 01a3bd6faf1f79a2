//! Identity Center: from a person's sign-in over a portal session to a role session, whose key is not
//! the one that the role's record shows.

use super::call::{Grant, Link, Parent, on_behalf_of};
use super::console::{acting, set_aside_last, wrong_actor};
use super::federation::saml;
use super::sts::gives;
use super::{Actor, Event};
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::ident::{Prefix, guid};
use crate::truth::{Basis, Kind};
use crate::world::{Credential, Identity, Principal, World};
use serde_json::json;

const HOUR: i64 = 3_600;
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// CredentialVerification and UserAuthentication.
pub(super) fn sign_in(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    person(event)?;
    let mut draft = world.draft(event, "signin", event.name);
    draft.event_type = "AwsServiceEvent";
    draft.additional = json!({
        "AuthWorkflowID": guid(&["workflow", &draft.event_id]),
        "CredentialType": if event.option("mfa").is_some() { "TOTP" } else { "PASSWORD" },
    });
    let outcome = if event.failed() { "Failure" } else { "Success" };
    draft.details = json!({ event.name: outcome });
    draft.failure = None;
    world.emit(draft);
    Ok(())
}

/// CreateToken: a bearer token for the portal, masked in the record.
pub(super) fn create_token(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let person = person(event)?;
    let mut draft = world.draft(event, "sso", "CreateToken");
    draft.params = json!({
        "clientId": guid(&["client", &person.id]),
        "clientSecret": HIDDEN,
        "deviceCode": HIDDEN,
        "grantType": "urn:ietf:params:oauth:grant-type:device_code",
    });
    if event.failed() {
        world.emit(draft);
        return Ok(());
    }
    draft.response = json!({
        "accessToken": HIDDEN,
        "idToken": HIDDEN,
        "refreshToken": HIDDEN,
        "tokenType": "Bearer",
        "expiresIn": 8 * HOUR,
    });
    let link = Link {
        parent: parent(&person),
        ..Link::recorded(&draft)
    };
    world.emit(draft);
    let identity = Identity {
        kind: "IdentityCenterUser",
        principal_id: person.id.clone(),
        arn: person.arn(),
        account: person.account.clone(),
        user_name: Some(person.name.clone()),
        issuer: json!({}),
        federation: json!({}),
        source_identity: None,
        delivery: None,
        on_behalf_of: on_behalf_of(&person),
    };
    let kind = Kind::PortalSession;
    let grant = Grant {
        kind,
        key: None,
        identity,
        lasts: Some(8 * HOUR),
        mfa: false,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// GetRoleCredentials in the portal's account and AssumeRoleWithSAML in the role's. The key that works
/// afterwards is in neither.
pub(super) fn role_credentials(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let portal = acting(
        world,
        event,
        Kind::PortalSession,
        "a portal session, from CreateToken",
    )?;
    let role = event.object(0, "a role")?;
    let role = world.principal(PrincipalKind::Role, role, None)?.clone();
    let lasts = event.duration("for")?.unwrap_or(role.longest);
    let mut draft = world.draft(event, "sso", "GetRoleCredentials");
    draft.event_type = "AwsServiceEvent";
    draft.details = json!({ "role_name": role.name, "account_id": role.account });
    let mut event_ids = Vec::new();
    if world.is_logged(&draft.recipient) {
        event_ids.push(draft.event_id.clone());
    }
    world.emit(draft);
    if event.failed() {
        return Ok(());
    }
    let Some((recorded, identity)) = assume(world, event, &portal, (&role, lasts)) else {
        return Ok(());
    };
    event_ids.extend(recorded);
    let label = format!("{} portal", gives(event));
    let used = world.new_key(Prefix::TemporaryKey, &role.account, &label);
    let from = &portal.identity;
    let parent = Parent {
        key: None,
        principal: from.arn.clone(),
        account: Some(from.account.clone()),
    };
    let link = Link {
        parent,
        api: "GetRoleCredentials".to_owned(),
        basis: Basis::Matched,
        event_ids,
    };
    let grant = Grant {
        kind: Kind::RoleSession,
        key: Some(used),
        identity,
        lasts: Some(lasts),
        mfa: false,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// The AssumeRoleWithSAML of the portal, and the key in it that nobody uses. Gives its event ids and the
/// identity of the session.
fn assume(
    world: &mut World,
    event: &Event<'_>,
    portal: &Credential,
    (role, lasts): (&Principal, i64),
) -> Option<(Vec<String>, Identity)> {
    const PROVIDER: &str = "AWSSSO_portal_DO_NOT_DELETE";
    let person = portal.identity.user_name.clone().unwrap_or_default();
    let mut draft = world.draft(event, "sts", "AssumeRoleWithSAML");
    "sso.amazonaws.com".clone_into(&mut draft.address);
    "sso.amazonaws.com".clone_into(&mut draft.agent);
    let (draft, unused, mut identity) =
        saml(world, event, draft, (PROVIDER, &person, role, lasts))?;
    let link = Link::recorded(&draft);
    let event_ids = match world.is_logged(&draft.recipient) {
        true => link.event_ids.clone(),
        false => Vec::new(),
    };
    world.emit(draft);
    identity
        .on_behalf_of
        .clone_from(&portal.identity.on_behalf_of);
    let grant = Grant {
        kind: Kind::RoleSession,
        key: Some(unused),
        identity: identity.clone(),
        lasts: Some(lasts),
        mfa: false,
    };
    world.grant(event, grant, link);
    set_aside_last(world);
    Some((event_ids, identity))
}

fn person(event: &Event<'_>) -> Result<Principal, Fault> {
    match &event.actor {
        Actor::Principal(person) if person.kind == PrincipalKind::Person => Ok(person.clone()),
        _ => Err(wrong_actor(event, "a person of Identity Center")),
    }
}

fn parent(person: &Principal) -> Parent {
    Parent {
        key: None,
        principal: person.arn(),
        account: Some(person.account.clone()),
    }
}
