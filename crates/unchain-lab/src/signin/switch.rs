//! Switching to a role in the console and back. The console calls `AssumeRole` for it, with a key of the session; the
//! key of that answer is not the one that acts afterwards, but both have the same `creationDate`.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::request::Asked;
use super::{CONSOLE, Console, KEY, find, open};
use crate::call::{Call, Fault, Reply};
use crate::http::Request;
use crate::session::{Caller, MadeBy, Session};
use crate::trail::{self, identity};
use crate::world::World;
use crate::{enforce, service::Service};

/// What CloudTrail names as the source of calls that the console makes by itself.
const INTERNAL: &str = "AWS Internal";

/// Switches to `role` of `account`.
pub(super) fn switch(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let (id, console) = find(world, asked)?;
    let (account, role) = (asked.account(world)?, asked.required("role")?);
    let role_arn = if role.starts_with("arn:") {
        role.to_owned()
    } else {
        identity::role_arn(world, &account, role)
    };
    let from = identity::arn(world, &console.session.account, &console.session.who);
    let name = from.rsplit('/').next().unwrap_or_default();
    let name = if name.contains(':') { "root" } else { name };
    let caller = console.key(world, (MadeBy::Console, KEY)).0;
    let assumed = assume(world, asked, (caller, &role_arn, name))?;
    let switched = Console {
        session: Session {
            expires_at: world
                .now
                .saturating_add(CONSOLE)
                .min(console.session.expires_at),
            made_by: MadeBy::Console,
            ..Session::clone(&assumed)
        },
        before: Some(id),
    };
    record(world, asked, ("SwitchRole", &switched, &from));
    Ok(open(world, switched))
}

/// Goes back to the session that was before.
pub(super) fn exit(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let (id, console) = find(world, asked)?;
    let Some(before) = console.before.clone() else {
        return Err(Fault::validation("the session did not switch to a role"));
    };
    let from = identity::arn(world, &console.session.account, &console.session.who);
    record(world, asked, ("ExitRole", &console, &from));
    world.signin.consoles.remove(&id);
    Ok(json!({"session": before}))
}

fn record(world: &mut World, asked: &Asked<'_>, (name, role, from): (&str, &Console, &str)) {
    let mut draft = asked.draft(name, &role.session.account);
    draft.identity = identity::of(world, &role.caller());
    draft.response = [(name.to_owned(), Value::from("Success"))]
        .into_iter()
        .collect();
    let side = if name == "SwitchRole" {
        "SwitchFrom"
    } else {
        "SwitchBack"
    };
    draft.additional = Some(json!({side: from, "RedirectTo": asked.console_url()}));
    trail::emit(world, draft);
}

/// Calls `AssumeRole` as the console does: with all that STS and policies demand, recorded in both accounts.
fn assume(
    world: &mut World,
    asked: &Asked<'_>,
    (caller, role_arn, name): (Caller, &str, &str),
) -> Result<Arc<Session>, Fault> {
    let params = json!({"RoleArn": role_arn, "RoleSessionName": name});
    let reply = call(world, asked, (caller, params))?;
    let key = reply.value.pointer("/Credentials/AccessKeyId");
    let key = key.and_then(Value::as_str).unwrap_or_default();
    world
        .sessions
        .get(key)
        .cloned()
        .ok_or_else(|| Fault::api(500, "InternalFailure", "the role's session is gone"))
}

fn call(
    world: &mut World,
    asked: &Asked<'_>,
    (caller, params): (Caller, Value),
) -> Result<Reply, Fault> {
    let Some(operation) = Service::Sts.operation("AssumeRole") else {
        return Err(Fault::api(
            501,
            "NotImplemented",
            "the lab has no AssumeRole",
        ));
    };
    let http = Request::default();
    let call = Call {
        operation,
        caller: Caller {
            invoked_by: Some(INTERNAL.to_owned()),
            ..caller
        },
        region: asked.region.clone(),
        params: params.as_object().cloned().unwrap_or_else(Map::new),
        http: &http,
        body: Vec::new(),
        at: world.time(),
        source_ip: asked.ip.clone(),
        user_agent: asked.agent.clone(),
        request_id: world.ids.guid(),
    };
    let outcome = enforce::authorize(world, &call).and_then(|()| (operation.run)(world, &call));
    trail::record(world, &call, &outcome);
    outcome
}
