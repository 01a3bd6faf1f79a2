//! Session Manager: shells on managed nodes, which the lab only notes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{error, node, own, page, remember};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::enforce;
use crate::operation::Ask;
use crate::session::{Caller, Who};
use crate::world::World;

/// One session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShellSession {
    /// The caller's name and random letters.
    pub id: String,
    /// The account and region it is in.
    pub place: (String, String),
    /// The instance.
    pub target: String,
    /// The ARN of who started it.
    pub owner: String,
    /// As given.
    pub reason: Option<String>,
    /// Virtual seconds since 1970.
    pub started_at: i64,
    /// Virtual seconds since 1970; none: it goes on.
    pub ended_at: Option<i64>,
}

pub(super) fn start_asks(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let target = node::arn(call, &call.required("Target")?);
    let mut asks = vec![Ask::on("ssm:StartSession", target)];
    if let Some(name) = call.text("DocumentName") {
        let document = match name.starts_with("AWS-") {
            true => format!("arn:aws:ssm:{}::document/{name}", call.region),
            false => own(call, &format!("document/{name}")),
        };
        asks.push(Ask::on("ssm:StartSession", document));
    }
    Ok(asks)
}

pub(super) fn terminate_asks(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let id = call.required("SessionId")?;
    let arn = own(call, &format!("session/{id}"));
    Ok(vec![Ask::on("ssm:TerminateSession", arn)])
}

fn name(caller: &Caller) -> &str {
    match &caller.who {
        Who::User { name, .. } | Who::Federated { name, .. } => name,
        Who::Role { session, .. } => session,
        _ => "root",
    }
}

pub(super) fn start(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let target = call.required("Target")?;
    let node = node::living(world, call, &target);
    if !node.is_some_and(|node| node.connected(world.now)) {
        let message = format!("{target} is not connected.");
        return Err(error("TargetNotConnected", message));
    }
    let letters = world.ids.text(26).to_lowercase().replace(['+', '/'], "2");
    let id = format!("{}-{letters}", name(&call.caller));
    let session = ShellSession {
        id: id.clone(),
        place: (call.caller.account.clone(), call.region.clone()),
        target,
        owner: enforce::arn(world, &call.caller),
        reason: call.text("Reason"),
        started_at: world.now,
        ended_at: None,
    };
    remember(&mut world.ssm.sessions, session);
    let stream = format!(
        "wss://ssmmessages.{}.amazonaws.com/v1/data-channel/{id}?role=publish_subscribe",
        call.region
    );
    let logged = json!({ "sessionId": id, "streamUrl": stream,
        "tokenValue": "Value hidden due to security reasons." });
    Ok(Reply {
        recorded: Recorded {
            response: Some(logged),
            ..Recorded::default()
        },
        ..Reply::of(
            json!({ "SessionId": id, "StreamUrl": stream, "TokenValue": world.ids.text(200) }),
        )
    })
}

pub(super) fn terminate(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (id, now) = (call.required("SessionId")?, world.now);
    let place = (call.caller.account.clone(), call.region.clone());
    let mut sessions = world.ssm.sessions.iter_mut();
    if let Some(found) = sessions.find(|session| session.id == id && session.place == place) {
        found.ended_at.get_or_insert(now);
    }
    Ok(Reply::of(json!({ "SessionId": id })))
}

pub(super) fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let active = call.required("State")? == "Active";
    let place = (call.caller.account.clone(), call.region.clone());
    if !call.list("Filters").is_empty() {
        return Err(error(
            "InvalidFilterKey",
            "The lab has no filters of sessions.",
        ));
    }
    let own = world.ssm.sessions.iter();
    let own = own.filter(|session| session.place == place && session.ended_at.is_none() == active);
    let mut rows: Vec<(String, Value)> = own.map(|one| (one.id.clone(), shown(one))).collect();
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    let (rows, next) = page(call, rows.into_iter())?;
    Ok(Reply::of(json!({ "Sessions": rows, "NextToken": next })))
}

fn shown(session: &ShellSession) -> Value {
    let status = match session.ended_at {
        None => "Connected",
        Some(_) => "Terminated",
    };
    json!({
        "SessionId": session.id,
        "Target": session.target,
        "Status": status,
        "StartDate": { "$time": session.started_at },
        "EndDate": session.ended_at.map(|at| json!({ "$time": at })),
        "Owner": session.owner,
        "Reason": session.reason,
    })
}
