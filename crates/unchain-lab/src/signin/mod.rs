//! The console and what else people sign in with: passwords, switching of roles, the federation endpoint, `aws login`
//! and Identity Center. No AWS client asks for these; stories and operators do, through the control address. What
//! CloudTrail says of them follows docs.aws.amazon.com/awscloudtrail/latest/userguide/
//! cloudtrail-event-reference-aws-console-sign-in-events.html.
//!
//! A console session has no key of its own: each request of the console is signed with a fresh one, and all of them
//! carry the time of the sign-in as `creationDate`. It must not know what is done with the keys.

mod federation;
mod identity_center;
mod login;
mod oauth;
mod request;
mod switch;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Fault;
use crate::session::{Caller, MadeBy, Session};
use crate::sts;
use crate::world::World;

use request::Asked;

/// A console session lasts twelve hours at most, in seconds
/// (docs.aws.amazon.com/IAM/latest/UserGuide/console_sessions.html).
const CONSOLE: i64 = 12 * 3600;
/// A key that the console makes for its own requests lasts a quarter of an hour.
const KEY: i64 = 900;

/// Who is signed in.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct State {
    /// Console sessions by id.
    consoles: BTreeMap<String, Console>,
    /// Sign-in tokens of the federation endpoint: each once, for fifteen minutes.
    tokens: BTreeMap<String, (i64, Console)>,
    /// Grants of `aws login`: the code or refresh token, and until when.
    grants: BTreeMap<String, (i64, Console)>,
    /// Bearer tokens of Identity Center.
    people: BTreeMap<String, identity_center::Person>,
}

shown!(State:);

/// A console session.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Console {
    /// The principal with what its keys will have. It has no key itself.
    session: Session,
    /// The session to go back to when the role is left.
    before: Option<String>,
}

impl Console {
    /// Who is signed in, without a key.
    fn caller(&self) -> Caller {
        Caller {
            account: self.session.account.clone(),
            who: self.session.who.clone(),
            access_key_id: None,
            session: Some(Arc::new(self.session.clone())),
            invoked_by: None,
        }
    }

    /// A key of the session for requests of any client, as the API names its parts.
    fn key(&self, world: &mut World, (made_by, seconds): (MadeBy, i64)) -> (Caller, Value) {
        let from = &self.session;
        let seconds = seconds.min(from.expires_at.saturating_sub(world.now));
        let draft = sts::Draft {
            mfa_serial: from.mfa_serial.clone(),
            mfa_logged: from.mfa_logged,
            policies: from.policies.clone(),
            tags: from.tags.clone(),
            transitive: from.transitive.clone(),
            source_identity: from.source_identity.clone(),
            chained: from.chained,
            ..sts::Draft::new(&from.account, from.who.clone(), made_by, seconds)
        };
        let issued = sts::issue(world, draft);
        let key = issued.session.access_key_id.clone();
        let dated = Arc::new(Session {
            created_at: from.created_at,
            ..Session::clone(&issued.session)
        });
        world.sessions.insert(key.clone(), Arc::clone(&dated));
        let caller = Caller {
            access_key_id: Some(key),
            session: Some(dated),
            ..self.caller()
        };
        (caller, issued.credentials())
    }
}

/// Answers the control address: `path` is what follows `/_lab/console/`, `body` a JSON object.
///
/// # Errors
///
/// A wrong password or code, an unknown session, a missing member.
pub fn control(world: &mut World, path: &str, body: &Value) -> Result<Value, Fault> {
    let now = world.now;
    let state = &mut world.signin;
    state
        .consoles
        .retain(|_, console| console.session.expires_at > now);
    state.tokens.retain(|_, (until, _)| *until > now);
    state.grants.retain(|_, (until, _)| *until > now);
    let asked = Asked::new(world, body);
    match path.trim_start_matches("/_lab/console").trim_matches('/') {
        "login" => login::login(world, &asked),
        "key" => key(world, &asked),
        "switch-role" => switch::switch(world, &asked),
        "exit-role" => switch::exit(world, &asked),
        "federation/token" => federation::token(world, &asked),
        "federation/login" => federation::login(world, &asked),
        "authorize" => oauth::authorize(world, &asked),
        "token" => oauth::token(world, &asked),
        "sso/login" => identity_center::login(world, &asked),
        "sso/provision" => identity_center::provision(world, &asked),
        "sso/role" => identity_center::role(world, &asked),
        _ => Err(Fault::api(404, "NotFound", "the console has no such page")),
    }
}

/// A key of a console session.
fn key(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let console = find(world, asked)?.1;
    Ok(console.key(world, (MadeBy::Console, KEY)).1)
}

/// The console session that is named, and its id.
fn find(world: &World, asked: &Asked<'_>) -> Result<(String, Console), Fault> {
    let id = asked.required("session")?.to_owned();
    let console = world.signin.consoles.get(&id).cloned();
    console.map(|console| (id, console)).ok_or_else(|| {
        Fault::api(
            403,
            "ExpiredSession",
            "the console session is unknown or over",
        )
    })
}

/// Opens a console session; the answer that tells of it.
fn open(world: &mut World, console: Console) -> Value {
    let id = world.ids.guid();
    let session = &console.session;
    let answer = json!({
        "session": id,
        "principal": crate::trail::identity::arn(world, &session.account, &session.who),
        "expires": unchain_core::time::Timestamp::from_seconds(session.expires_at).to_string(),
    });
    world.signin.consoles.insert(id, console);
    answer
}
