//! The security token service, called with a key or by a service.

use super::call::{Grant, Link, role_resource, role_session};
use super::{Actor, Event};
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::ident::{Prefix, guid, instance_id};
use crate::record::Draft;
use crate::time::later;
use crate::truth::Kind;
use crate::world::{Identity, Principal, World};
use serde_json::{Map, Value, json};

const HOUR: i64 = 3_600;

/// AssumeRole by a user, a role session or a service; in both accounts when there are two.
pub(super) fn assume_role(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let home = world.home(event);
    let role = world
        .principal(
            PrincipalKind::Role,
            event.object(0, "a role")?,
            home.as_deref(),
        )?
        .clone();
    let session = session_name(event);
    let lasts = role_duration(world, event, &role)?;
    let service = matches!(event.actor, Actor::Service(_));
    let mut draft = world.draft(event, "sts", "AssumeRole");
    let mut params = Map::new();
    params.insert("roleArn".to_owned(), json!(role.arn()));
    params.insert("roleSessionName".to_owned(), json!(session));
    put_options(&mut params, event, draft_account(&draft))?;
    draft.params = Value::Object(params);
    if event.failed() {
        refuse(&mut draft, event, &role)?;
        world.emit(draft);
        return Ok(());
    }
    let key = new_child(world, event, &role.account);
    let mut child = role_session(&role, &session);
    child.source_identity = event.option("source-identity").map(str::to_owned);
    child.delivery = delivery(event);
    let mut response =
        json!({ "credentials": world.credentials_element(&key, later(event.at, lasts)) });
    if let Value::Object(fields) = &mut response
        && !service
    {
        let user = json!({ "assumedRoleId": child.principal_id, "arn": child.arn });
        fields.insert("assumedRoleUser".to_owned(), user);
        if let Some(source) = &child.source_identity {
            fields.insert("sourceIdentity".to_owned(), json!(source));
        }
    }
    draft.response = response;
    draft.resources = vec![role_resource(&role)];
    let parent = world.acting(event);
    let inherited = parent.and_then(|parent| parent.identity.source_identity.clone());
    child.source_identity = child.source_identity.or(inherited);
    let mfa = with_mfa(event) || parent.is_some_and(|parent| parent.mfa);
    let mut link = Link::recorded(&draft);
    link.event_ids = emit_copies(world, draft, &role.account);
    let grant = Grant {
        kind: Kind::RoleSession,
        key: Some(key),
        identity: child,
        lasts: Some(lasts),
        mfa,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// What a refused AssumeRole says: that the code was wrong, or that the role is not allowed.
fn refuse(draft: &mut Draft, event: &Event<'_>, role: &Principal) -> Result<(), Fault> {
    let word = event.object(0, "a role")?;
    if let Some(failure) = &mut draft.failure {
        failure.message = match event.option("mfa") {
            Some(_) => WRONG_CODE.to_owned(),
            None => failure.message.replace(word, &role.arn()),
        };
    }
    Ok(())
}

/// GetSessionToken, with or without MFA. A refused one keeps what it asked for.
pub(super) fn get_session_token(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let (owner, lasts) = long_term_caller(world, event)?;
    let mut draft = world.draft(event, "sts", "GetSessionToken");
    let mut params = Map::new();
    put_options(&mut params, event, &owner.account)?;
    if !params.is_empty() {
        draft.params = Value::Object(params);
    }
    if let Some(failure) = &mut draft.failure {
        failure.keeps_params = true;
        if event.option("mfa").is_some() {
            WRONG_CODE.clone_into(&mut failure.message);
        }
        world.emit(draft);
        return Ok(());
    }
    let key = new_child(world, event, &owner.account);
    let element = world.credentials_element(&key, later(event.at, lasts));
    draft.response = json!({ "credentials": element });
    let link = Link::recorded(&draft);
    world.emit(draft);
    let mfa = with_mfa(event);
    let grant = Grant {
        kind: Kind::SessionToken,
        key: Some(key),
        identity: owner,
        lasts: Some(lasts),
        mfa,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// GetFederationToken for a name, with the session policy that makes it worth having unless it is `none`.
pub(super) fn get_federation_token(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    world.check_gives(event)?;
    let name = event.object(0, "a name for the federated session")?;
    let (owner, lasts) = long_term_caller(world, event)?;
    let mut draft = world.draft(event, "sts", "GetFederationToken");
    let mut params = Map::new();
    params.insert("name".to_owned(), json!(name));
    match event.option("policy").unwrap_or("all") {
        "none" => {}
        "all" => {
            params.insert("policy".to_owned(), json!(ALLOW_ALL));
        }
        arn => {
            params.insert("policyArns".to_owned(), json!([{ "arn": arn }]));
        }
    }
    put_options(&mut params, event, &owner.account)?;
    draft.params = Value::Object(params);
    if event.failed() {
        world.emit(draft);
        return Ok(());
    }
    let account = owner.account.clone();
    let key = new_child(world, event, &account);
    let child = Identity {
        kind: "FederatedUser",
        principal_id: format!("{account}:{name}"),
        arn: format!("arn:aws:sts::{account}:federated-user/{name}"),
        issuer: json!({
            "type": owner.kind,
            "principalId": owner.principal_id,
            "arn": owner.arn,
            "accountId": account,
            "userName": owner.user_name,
        }),
        user_name: None,
        ..owner
    };
    draft.response = json!({
        "credentials": world.credentials_element(&key, later(event.at, lasts)),
        "federatedUser": { "federatedUserId": child.principal_id, "arn": child.arn },
        "packedPolicySize": 4,
    });
    let link = Link::recorded(&draft);
    world.emit(draft);
    let (kind, mfa) = (Kind::FederatedSession, false);
    let grant = Grant {
        kind,
        key: Some(key),
        identity: child,
        lasts: Some(lasts),
        mfa,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// AssumeRoot of a member account, a quarter of an hour at most.
pub(super) fn assume_root(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    const LASTS: i64 = 900;
    world.check_gives(event)?;
    let member = world
        .account(event.object(0, "a member account")?)?
        .number
        .clone();
    let task = event
        .option("policy")
        .unwrap_or("IAMAuditRootUserCredentials");
    let mut draft = world.draft(event, "sts", "AssumeRoot");
    draft.params = json!({
        "targetPrincipal": member,
        "taskPolicyArn": { "arn": format!("arn:aws:iam::aws:policy/root-task/{task}") },
    });
    if event.failed() {
        world.emit(draft);
        return Ok(());
    }
    let key = new_child(world, event, &member);
    draft.response =
        json!({ "credentials": world.credentials_element(&key, later(event.at, LASTS)) });
    let link = Link::recorded(&draft);
    world.emit(draft);
    let arn = format!("arn:aws:iam::{member}:root");
    let identity = Identity {
        kind: "Root",
        principal_id: member.clone(),
        arn,
        account: member,
        user_name: None,
        issuer: json!({}),
        federation: json!({}),
        source_identity: None,
        delivery: None,
        on_behalf_of: Value::Null,
    };
    let grant = Grant {
        kind: Kind::RootSession,
        key: Some(key),
        identity,
        lasts: Some(LASTS),
        mfa: false,
    };
    world.grant(event, grant, link);
    Ok(())
}

/// Whether the new session counts as authenticated with MFA, whatever the record says of a device.
fn with_mfa(event: &Event<'_>) -> bool {
    event.option("mfa").is_some() || event.option("mfa-unrecorded").is_some()
}

/// The key id of a new temporary credential: its own, or, behind `reissues`, that of an older one, as AWS
/// gives ids out again.
pub(super) fn new_child(world: &mut World, event: &Event<'_>, account: &str) -> String {
    let older = event.option("reissues").and_then(|label| {
        let found = world
            .credentials
            .iter()
            .find(|credential| credential.label == label)?;
        found.key.clone()
    });
    match older {
        Some(key) => key,
        None => world.new_key(Prefix::TemporaryKey, account, gives(event)),
    }
}

/// The name a line gives, or one for a credential that nobody uses.
pub(super) fn gives<'a>(event: &Event<'a>) -> &'a str {
    let statement: &'a crate::syntax::Statement = event.statement;
    statement.gives.as_deref().unwrap_or("unnamed")
}

/// `roleSessionName`: as the line says; `instance:web` is the id of the instance web.
pub(super) fn session_name(event: &Event<'_>) -> String {
    match event.option("as") {
        Some(name) => match name.split_once("instance:") {
            Some(("", instance)) => instance_id(instance),
            _ => name.to_owned(),
        },
        None => format!("session-{}", event.at.as_second()),
    }
}

/// Writes the copies of a call on something in `other`: two when the caller is of another account, tied
/// by `sharedEventID`, the second without the caller's key. Gives the ids of the copies in our hands.
pub(super) fn emit_copies(world: &mut World, mut draft: Draft, other: &str) -> Vec<String> {
    let service = draft.address.ends_with(".amazonaws.com") && draft.identity.get("arn").is_none();
    let mut event_ids = Vec::new();
    if service {
        other.clone_into(&mut draft.recipient);
        draft.shared = Some(guid(&["shared", &draft.event_id]));
    } else if draft.recipient != other {
        draft.shared = Some(guid(&["shared", &draft.event_id]));
        let mut copy = draft.clone();
        let field = |name: &str| draft.identity.get(name).cloned().unwrap_or_default();
        copy.identity = json!({
            "type": "AWSAccount",
            "principalId": field("principalId"),
            "accountId": field("accountId"),
        });
        copy.event_id = guid(&["copy", &draft.event_id]);
        other.clone_into(&mut copy.recipient);
        if world.is_logged(other) {
            event_ids.push(copy.event_id.clone());
        }
        world.emit(copy);
    }
    if world.is_logged(&draft.recipient) {
        event_ids.insert(0, draft.event_id.clone());
    }
    world.emit(draft);
    event_ids
}

const WRONG_CODE: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";

const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// The request parameters that several calls share.
fn put_options(
    params: &mut Map<String, Value>,
    event: &Event<'_>,
    home: &str,
) -> Result<(), Fault> {
    if let Some(seconds) = event.duration("for")? {
        params.insert("durationSeconds".to_owned(), json!(seconds));
    }
    if let Some(device) = event.option("mfa") {
        let serial = format!("arn:aws:iam::{home}:mfa/{device}");
        params.insert("serialNumber".to_owned(), json!(serial));
    }
    if let Some(source) = event.option("source-identity") {
        params.insert("sourceIdentity".to_owned(), json!(source));
    }
    if let Some(external) = event.option("external-id") {
        params.insert("externalId".to_owned(), json!(external));
    }
    Ok(())
}

fn draft_account(draft: &Draft) -> &str {
    draft
        .identity
        .get("accountId")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// How long a role session lasts: as asked, within what AWS allows; services take what they like.
fn role_duration(world: &World, event: &Event<'_>, role: &Principal) -> Result<i64, Fault> {
    let asked = event.duration("for")?;
    if let Actor::Service(service) = &event.actor {
        return Ok(asked.unwrap_or(match service.as_str() {
            "ec2.amazonaws.com" | "ecs-tasks.amazonaws.com" => 6 * HOUR + 2_100,
            "lambda.amazonaws.com" => 2 * HOUR,
            _ => HOUR,
        }));
    }
    let chained = world
        .acting(event)
        .is_some_and(crate::world::Credential::chains);
    let most = if chained { HOUR } else { role.longest };
    let lasts = asked.unwrap_or(HOUR);
    if event.failed() || (900..=most).contains(&lasts) {
        return Ok(lasts);
    }
    let why = if chained {
        "from a role session at most 1h"
    } else {
        "at most the role's `max`"
    };
    Err(Fault::new(
        event.option("for").unwrap_or(""),
        format!("a duration of at least 15m, {why}"),
    ))
}

/// The user or root user behind a call that only a long-term key may make, and how long its token lasts.
fn long_term_caller(world: &World, event: &Event<'_>) -> Result<(Identity, i64), Fault> {
    let who = event.statement.words.first().map_or("", String::as_str);
    let caller = world
        .acting(event)
        .filter(|caller| caller.kind == Kind::LongTermKey || event.failed())
        .ok_or_else(|| Fault::new(who, "a long-term key, the only kind that may call this"))?;
    let root = caller.identity.kind == "Root";
    let (usual, most) = if root {
        (HOUR, HOUR)
    } else {
        (12 * HOUR, 36 * HOUR)
    };
    let lasts = event.duration("for")?.unwrap_or(usual);
    if !event.failed() && !(900..=most).contains(&lasts) {
        let text = event.option("for").unwrap_or("");
        return Err(Fault::new(
            text,
            format!("a duration from 15m to {}h", most / HOUR),
        ));
    }
    Ok((caller.identity.clone(), lasts))
}

/// How the instance service hands credentials to the instance.
fn delivery(event: &Event<'_>) -> Option<String> {
    match &event.actor {
        Actor::Service(service) if service == "ec2.amazonaws.com" => {
            Some(event.option("delivery").unwrap_or("2.0").to_owned())
        }
        _ => None,
    }
}
