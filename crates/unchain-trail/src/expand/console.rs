//! Sign-in pages, switched roles, and `aws login`: sessions that act through keys which no record
//! issues, and are known by their principal and the time they began.

use super::call::{BROWSER, Grant, Link, Parent, own_identity, role_resource, role_session};
use super::sts::{emit_copies, gives, new_child, session_name};
use super::{Actor, Event};
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::ident::Prefix;
use crate::time::later;
use crate::truth::{Basis, Kind};
use crate::world::{Credential, Identity, Principal, World};
use serde_json::{Value, json};

const HOUR: i64 = 3_600;

/// ConsoleLogin with a password, or with a sign-in token.
pub(super) fn login(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let identity = match &event.actor {
        Actor::Principal(principal) if principal.kind != PrincipalKind::Person => {
            own_identity(principal)
        }
        Actor::Credential(_) => {
            acting(world, event, Kind::SigninToken, "a sign-in token")?.identity
        }
        _ => return Err(wrong_actor(event, "a user, root user or sign-in token")),
    };
    let mut draft = world.draft(event, "signin", "ConsoleLogin");
    draft.event_type = "AwsConsoleSignIn";
    if event.option("agent").is_none() {
        BROWSER.clone_into(&mut draft.agent);
    }
    let mfa = event.option("mfa");
    let mut additional = json!({
        "LoginTo": "https://console.aws.amazon.com/console/home",
        "MobileVersion": "No",
        "MFAUsed": if mfa.is_some() { "Yes" } else { "No" },
    });
    if let (Some(device), Value::Object(fields)) = (mfa, &mut additional) {
        let serial = format!("arn:aws:iam::{}:mfa/{device}", identity.account);
        fields.insert("MFAIdentifier".to_owned(), json!(serial));
    }
    draft.additional = additional;
    draft.response = json!({ "ConsoleLogin": if event.failed() { "Failure" } else { "Success" } });
    let parent = Parent::of(&draft);
    if let Value::Object(fields) = &mut draft.identity {
        fields.shift_remove("accessKeyId");
    }
    if let Some(failure) = &mut draft.failure {
        // A refused sign-in has a message and no code, and keeps its response.
        failure.code.clear();
        "Failed authentication".clone_into(&mut failure.message);
        world.emit(draft);
        return Ok(());
    }
    let mut link = Link {
        parent,
        ..Link::recorded(&draft)
    };
    if let Some(token) = world.acting(event) {
        link.basis = Basis::Matched;
        link.event_ids.splice(0..0, token.began.clone());
    }
    let agent = draft.agent.clone();
    world.emit(draft);
    let lasts = Some(12 * HOUR);
    let grant = Grant {
        kind: Kind::ConsoleSession,
        key: None,
        identity,
        lasts,
        mfa: mfa.is_some(),
    };
    world.grant(event, grant, link);
    if let Some(session) = world.credentials.last_mut() {
        session.agent = agent;
    }
    Ok(())
}

/// SwitchRole in the console: the page's own record, and an AssumeRole whose key is never used.
pub(super) fn switch_role(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let from = acting(world, event, Kind::ConsoleSession, "a console session")?;
    let role = event.object(0, "a role")?;
    let role = world
        .principal(PrincipalKind::Role, role, Some(&from.identity.account))?
        .clone();
    let usual = from.identity.user_name.as_deref();
    let session = match event.option("as").or(usual) {
        Some(name) => name.to_owned(),
        None => session_name(event),
    };
    let child = role_session(&role, &session);
    let Some(mut event_ids) = switch_page(world, event, (&from.identity, &child)) else {
        return Ok(());
    };
    event_ids.extend(switch_call(world, event, &role, &session));
    let parent = Parent {
        key: None,
        principal: from.identity.arn,
        account: Some(from.identity.account),
    };
    let link = Link {
        parent,
        api: "SwitchRole".to_owned(),
        basis: Basis::Matched,
        event_ids,
    };
    let grant = Grant {
        kind: Kind::ConsoleSession,
        key: None,
        identity: child,
        lasts: Some(HOUR),
        mfa: from.mfa,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// The record of the page that switches, in the role's account; nothing to go on with when it failed.
fn switch_page(
    world: &mut World,
    event: &Event<'_>,
    (from, child): (&Identity, &Identity),
) -> Option<Vec<String>> {
    let mut page = world.draft(event, "signin", "SwitchRole");
    page.event_type = "AwsConsoleSignIn";
    page.identity = json!({
        "type": child.kind,
        "principalId": child.principal_id,
        "arn": child.arn,
        "accountId": child.account,
    });
    page.recipient.clone_from(&child.account);
    page.response = json!({ "SwitchRole": if event.failed() { "Failure" } else { "Success" } });
    page.additional = json!({
        "SwitchFrom": from.arn,
        "RedirectTo": "https://console.aws.amazon.com/console/home",
    });
    let seen = world.is_logged(&page.recipient);
    let event_ids = if seen {
        vec![page.event_id.clone()]
    } else {
        Vec::new()
    };
    let failed = page.failure.is_some();
    if let Some(failure) = &mut page.failure {
        failure.code.clear();
    }
    world.emit(page);
    (!failed).then_some(event_ids)
}

/// The AssumeRole behind a switch, and the key in it that nobody uses. Gives the ids of its copies.
fn switch_call(
    world: &mut World,
    event: &Event<'_>,
    role: &Principal,
    session: &str,
) -> Vec<String> {
    let child = role_session(role, session);
    let mut call = world.draft(event, "sts", "AssumeRole");
    call.from_console = false;
    "AWS Internal".clone_into(&mut call.address);
    "AWS Internal".clone_into(&mut call.agent);
    if let Value::Object(fields) = &mut call.identity {
        fields.insert("invokedBy".to_owned(), json!("AWS Internal"));
    }
    call.params = json!({ "roleArn": role.arn(), "roleSessionName": session });
    let label = format!("{} unused", gives(event));
    let unused = world.new_key(Prefix::TemporaryKey, &role.account, &label);
    let element = world.credentials_element(&unused, later(event.at, HOUR));
    call.response = json!({
        "credentials": element,
        "assumedRoleUser": { "assumedRoleId": child.principal_id, "arn": child.arn },
    });
    call.resources = vec![role_resource(role)];
    let mut link = Link::recorded(&call);
    link.event_ids = emit_copies(world, call, &role.account);
    let event_ids = link.event_ids.clone();
    let grant = Grant {
        kind: Kind::RoleSession,
        key: Some(unused),
        identity: child,
        lasts: Some(HOUR),
        mfa: world.acting(event).is_some_and(|from| from.mfa),
    };
    world.grant(event, grant, link);
    set_aside_last(world);
    event_ids
}

/// GetSigninToken: with a duration AWS makes a new key, without one the session goes on with its own.
pub(super) fn signin_token(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let temporary = |kind| matches!(kind, Kind::RoleSession | Kind::FederatedSession);
    let Some(from) = world
        .acting(event)
        .filter(|from| temporary(from.kind))
        .cloned()
    else {
        return Err(wrong_actor(event, "a role session or federated session"));
    };
    let lasts = event.duration("for")?;
    let mut draft = world.draft(event, "signin", "GetSigninToken");
    draft.event_type = "AwsConsoleSignIn";
    draft.additional = json!({ "MobileVersion": "No", "MFAUsed": "No" });
    if event.failed() {
        world.emit(draft);
        return Ok(());
    }
    let account = from.identity.account.clone();
    let key = match lasts {
        Some(_) => Some(new_child(world, event, &account)),
        None => from.key.clone(),
    };
    draft.response = json!({ "credentials": { "accessKeyId": key }, "GetSigninToken": "Success" });
    let link = Link::recorded(&draft);
    world.emit(draft);
    if lasts.is_some() {
        let kind = Kind::SigninToken;
        let grant = Grant {
            kind,
            key,
            identity: from.identity,
            lasts,
            mfa: from.mfa,
        };
        world.grant(event, grant, link);
    } else {
        // The same key under another name: it can now open the console, and is no new credential.
        let label = gives(event).to_owned();
        let began = link.event_ids;
        let alias = Credential {
            label,
            kind: Kind::SigninToken,
            issued: event.at,
            began,
            ..from
        };
        world.credentials.push(alias);
    }
    Ok(())
}

/// The two calls of `aws login`. The key it vends carries the creation time of the browser session.
pub(super) fn oauth(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let from = acting(world, event, Kind::ConsoleSession, "a console session")?;
    let mut draft = world.draft(event, "signin", event.name);
    draft.read_only = true;
    let client = "arn:aws:signin:::devtools/same-device";
    let grants = event.name == "CreateOAuth2Token";
    draft.params = if grants {
        json!({ "client_id": client, "grant_type": "authorization_code" })
    } else {
        json!({
            "client_id": client,
            "redirect_uri": "http://127.0.0.1:52311/oauth/callback",
            "response_type": "code",
            "scope": "openid",
            "code_challenge_method": "S256",
        })
    };
    draft.additional = json!({ "success": if event.failed() { "false" } else { "true" } });
    if !grants || event.failed() {
        if let Some(label) = &event.statement.gives {
            return Err(Fault::new(label, "`->` only behind CreateOAuth2Token"));
        }
        world.emit(draft);
        return Ok(());
    }
    let account = from.identity.account.clone();
    let key = new_child(world, event, &account);
    let mut event_ids = from.began.clone();
    event_ids.push(draft.event_id.clone());
    let link = Link {
        basis: Basis::Matched,
        event_ids,
        ..Link::recorded(&draft)
    };
    world.emit(draft);
    let kind = Kind::LoginKey;
    let grant = Grant {
        kind,
        key: Some(key),
        identity: from.identity,
        lasts: Some(HOUR / 4),
        mfa: from.mfa,
    };
    world.grant(event, grant, link);
    if let Some(key) = world.credentials.last_mut() {
        key.created = from.created;
        super::call::USER_AGENT.clone_into(&mut key.agent);
    }
    Ok(())
}

/// The credential that acts, which must be of one kind.
pub(super) fn acting(
    world: &World,
    event: &Event<'_>,
    kind: Kind,
    expected: &str,
) -> Result<Credential, Fault> {
    let found = world
        .acting(event)
        .filter(|credential| credential.kind == kind);
    found.cloned().ok_or_else(|| wrong_actor(event, expected))
}

pub(super) fn wrong_actor(event: &Event<'_>, expected: &str) -> Fault {
    Fault::new(
        event.statement.words.first().map_or("", String::as_str),
        expected,
    )
}

/// Keeps the credential just entered out of reach of later lines: its name goes to the session that is
/// really used.
pub(super) fn set_aside_last(world: &mut World) {
    if let Some(unused) = world.credentials.pop()
        && let Some(token) = world.truth.tokens.get_mut(unused.token)
    {
        token.label.push_str(" unused");
    }
}
