//! `GetSessionToken` (docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html). It needs no permission,
//! and AWS says that policies cannot control it; that a session may not call it is `enforce`'s.

use serde_json::{Map, Value, json};

use super::input::Checks;
use super::issue::{Draft, issue, request_details};
use super::second_factor::SecondFactor;
use crate::call::{Call, Fault, Recorded, Reply};
use crate::session::{MadeBy, Who};
use crate::world::World;

/// The limits of `DurationSeconds`.
pub(super) const LIMITS: (i64, i64) = (900, 129_600);

/// Seconds that a credential of a user or of root lasts: twelve hours when nothing is asked, and of root never more
/// than one, whatever is asked.
pub(super) fn duration(who: &Who, asked: Option<i64>) -> i64 {
    let asked = asked.unwrap_or(43_200);
    match who {
        Who::Root => asked.min(3600),
        _ => asked,
    }
}

/// Issues the session.
pub(super) fn run(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let asked = call.number("DurationSeconds")?;
    let mut checks = Checks::default();
    checks.seconds(asked, LIMITS);
    checks.done()?;
    let factor = SecondFactor::read(call)?;
    if let Some(factor) = &factor {
        factor.redeem(world, &call.caller)?;
    }
    let caller = &call.caller;
    let seconds = duration(&caller.who, asked);
    let who = caller.who.clone();
    let draft = Draft {
        mfa_serial: factor.as_ref().map(|factor| factor.serial.clone()),
        mfa_logged: factor.is_some(),
        ..Draft::new(&caller.account, who, MadeBy::SessionToken, seconds)
    };
    let issued = issue(world, draft);
    let mut reply = Reply::of(json!({"Credentials": issued.credentials()}));
    reply.recorded = Recorded {
        request: Some(recorded(asked, factor)),
        response: Some(json!({"credentials": issued.recorded()})),
        additional: Some(request_details(call)),
        ..Recorded::default()
    };
    Ok(reply)
}

fn recorded(asked: Option<i64>, factor: Option<SecondFactor>) -> Value {
    let mut request = Map::new();
    if let Some(seconds) = asked {
        request.insert("durationSeconds".to_owned(), json!(seconds));
    }
    if let Some(factor) = factor {
        request.insert("serialNumber".to_owned(), json!(factor.serial));
    }
    if request.is_empty() {
        Value::Null
    } else {
        Value::Object(request)
    }
}
