//! The federation endpoint: temporary credentials become a console session
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html).

use serde_json::{Value, json};

use super::request::Asked;
use super::{CONSOLE, Console, open};
use crate::call::Fault;
use crate::session::{Caller, MadeBy, Session, Who};
use crate::sts;
use crate::trail::{self, identity};
use crate::world::World;

/// A sign-in token is good for fifteen minutes, in seconds.
const TOKEN: i64 = 900;

/// `getSigninToken`: `sessionId`, `sessionKey`, `sessionToken` are the credentials, `SessionDuration` seconds of the
/// console session (900 to 43,200), which credentials of `GetFederationToken` and of a chain may not ask for.
pub(super) fn token(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let session = signed_in(world, asked)?;
    let duration = asked.number("SessionDuration");
    let restricted = session.chained || session.made_by == MadeBy::FederationToken;
    let wrong = duration.is_some_and(|seconds| !(900..=CONSOLE).contains(&seconds) || restricted);
    if wrong {
        return Err(Fault::api(
            400,
            "BadRequest",
            "SessionDuration is not allowed",
        ));
    }
    let key = match duration {
        None => session.access_key_id.clone(),
        Some(_) => world
            .ids
            .identifier(unchain_trail::Prefix::TemporaryKey, &session.account),
    };
    let caller = Caller {
        account: session.account.clone(),
        who: session.who.clone(),
        access_key_id: Some(session.access_key_id.clone()),
        session: Some(std::sync::Arc::new(session.clone())),
        invoked_by: None,
    };
    let mut draft = asked.draft("GetSigninToken", &session.account);
    draft.identity = identity::of(world, &caller);
    draft.response = json!({"credentials": {"accessKeyId": key}, "GetSigninToken": "Success"});
    draft.additional = Some(json!({"MobileVersion": "No", "MFAUsed": "No"}));
    trail::emit(world, draft);
    let until = duration.map_or(session.expires_at, |seconds| {
        world.now.saturating_add(seconds)
    });
    let console = Console {
        session: Session {
            expires_at: until,
            made_by: MadeBy::Console,
            ..session
        },
        before: None,
    };
    let token = world.ids.text(64);
    let until = world.now.saturating_add(TOKEN);
    world.signin.tokens.insert(token.clone(), (until, console));
    Ok(json!({"SigninToken": token}))
}

/// The credentials' session, if all three parts are right and it may open a console.
fn signed_in(world: &World, asked: &Asked<'_>) -> Result<Session, Fault> {
    let refused = || {
        Fault::api(
            400,
            "BadRequest",
            "the credentials are not valid for sign-in",
        )
    };
    let key = asked.required("sessionId")?;
    let (secret, token) = (
        asked.required("sessionKey")?,
        asked.required("sessionToken")?,
    );
    let session = world.sessions.get(key).ok_or_else(refused)?;
    let right = session.secret == secret
        && session.token_hash == sts::token_hash(token)
        && session.expires_at > world.now
        && matches!(session.who, Who::Role { .. } | Who::Federated { .. });
    right.then(|| Session::clone(session)).ok_or_else(refused)
}

/// Opens the console with a `SigninToken`, once.
pub(super) fn login(world: &mut World, asked: &Asked<'_>) -> Result<Value, Fault> {
    let token = asked.required("SigninToken")?;
    let Some((_, mut console)) = world.signin.tokens.remove(token) else {
        return Err(Fault::api(
            400,
            "BadRequest",
            "the sign-in token is unknown or too old",
        ));
    };
    let mut draft = asked.draft("ConsoleLogin", &console.session.account);
    draft.identity = identity::of(world, &console.caller());
    draft.response = json!({"ConsoleLogin": "Success"});
    draft.additional = Some(json!({
        "LoginTo": asked.text("Destination").unwrap_or("https://console.aws.amazon.com/"),
        "MobileVersion": "No",
        "MFAUsed": "No",
    }));
    trail::emit(world, draft);
    // What the console's keys say of their beginning is the sign-in, not the credentials behind it.
    console.session.created_at = world.now;
    Ok(open(world, console))
}
