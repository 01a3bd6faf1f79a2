//! `aws login`: a console session grants keys to a program
//! (docs.aws.amazon.com/signin/latest/userguide/command-line-sign-in.html). The keys are in no record; they carry
//! principal and `creationDate` of the session that granted them.

use serde_json::{Value, json};

use super::request::Asked;
use super::{Console, KEY, find};
use crate::call::Fault;
use crate::enforce;
use crate::operation::Ask;
use crate::session::MadeBy;
use crate::trail::draft::{Access, Kind};
use crate::trail::{self, identity};
use crate::world::World;

/// An authorization code is good for ten minutes, in seconds.
const CODE: i64 = 600;
/// The program on the person's own machine.
const CLIENT: &str = "arn:aws:signin:::devtools/same-device";

/// `AuthorizeOAuth2Access`: the person agrees; the answer is a code.
pub(super) fn authorize(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let (_, console) = find(world, asked)?;
    allowed(world, &console, "signin:AuthorizeOAuth2Access")?;
    let request = json!({
        "client_id": CLIENT, "redirect_uri": "http://127.0.0.1:53682/oauth/callback",
        "response_type": "code", "scope": "openid", "code_challenge_method": "SHA-256",
    });
    record(world, asked, ("AuthorizeOAuth2Access", &console, request));
    let code = world.ids.text(43);
    let until = world.now.saturating_add(CODE);
    world.signin.grants.insert(code.clone(), (until, console));
    Ok(json!({"code": code}))
}

/// `CreateOAuth2Token`: a `code` or a `refresh_token` becomes keys of a quarter of an hour, and a new refresh token
/// until the session that granted them ends.
pub(super) fn token(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let (kind, grant) = match asked.text("refresh_token") {
        Some(token) => ("refresh_token", token),
        None => ("authorization_code", asked.required("code")?),
    };
    let Some((_, console)) = world.signin.grants.remove(grant) else {
        return Err(Fault::api(
            400,
            "AccessDeniedException",
            "the grant is unknown or over",
        ));
    };
    allowed(world, &console, "signin:CreateOAuth2Token")?;
    let request = json!({"client_id": CLIENT, "grant_type": kind});
    record(world, asked, ("CreateOAuth2Token", &console, request));
    let made_by = MadeBy::Service {
        service: "signin.amazonaws.com".to_owned(),
        ec2_role_delivery: None,
    };
    let mut answer = console.key(world, (made_by, KEY)).1;
    let refresh = world.ids.text(64);
    if let Some(members) = answer.as_object_mut() {
        members.insert("refresh_token".to_owned(), refresh.as_str().into());
    }
    let until = console.session.expires_at;
    world.signin.grants.insert(refresh, (until, console));
    Ok(answer)
}

fn allowed(world: &World, console: &Console, action: &str) -> Result<(), Fault> {
    let caller = console.caller();
    match enforce::decide(world, &caller, &Ask::on(action, CLIENT)) {
        unchain_policy::Decision::Allowed(_) => Ok(()),
        _ => {
            let arn = identity::arn(world, &caller.account, &caller.who);
            let message =
                format!("User: {arn} is not authorized to perform: {action} on resource: {CLIENT}");
            Err(Fault::denied(message))
        }
    }
}

fn record(world: &mut World, asked: &Asked<'_>, (name, console, request): (&str, &Console, Value)) {
    let mut draft = asked.draft(name, &console.session.account);
    draft.identity = identity::of(world, &console.caller());
    draft.request = request;
    draft.kind = Kind::ApiCall;
    draft.access = Access::Read;
    draft.request_id = Some(world.ids.guid());
    draft.additional = Some(json!({"success": "true"}));
    trail::emit(world, draft);
}
