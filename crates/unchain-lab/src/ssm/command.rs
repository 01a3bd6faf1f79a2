//! Run Command. Two documents are known, those that run a shell; what they are given to run is kept nowhere.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use unchain_core::time::Timestamp;

use super::{error, node, remember};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::operation::Ask;
use crate::params::{text, text_list};
use crate::trail::elements::HIDDEN_TEXT;
use crate::world::World;

/// The documents of AWS that run commands in a shell.
const DOCUMENTS: [&str; 2] = ["AWS-RunShellScript", "AWS-RunPowerShellScript"];

/// The most instances that one request names (API_SendCommand).
const MOST: usize = 50;

/// One command that was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Command {
    /// A GUID.
    pub id: String,
    /// The account and region it was sent in.
    pub place: (String, String),
    /// The document's name.
    pub document: String,
    /// The comment, as given.
    pub comment: String,
    /// The instances.
    pub instances: Vec<String>,
    /// Virtual seconds since 1970.
    pub sent_at: i64,
}

fn place(call: &Call<'_>) -> (String, String) {
    (call.caller.account.clone(), call.region.clone())
}

/// The document's name, which may come as an ARN.
fn document(call: &Call<'_>) -> Result<String, Fault> {
    let given = call.required("DocumentName")?;
    let name = given.rsplit('/').next().unwrap_or_default();
    match DOCUMENTS.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(error(
            "InvalidDocument",
            format!("Document with name {given} does not exist."),
        )),
    }
}

/// The instances that a call names, by id or by target.
fn instances(world: &World, call: &Call<'_>) -> Vec<String> {
    let mut ids = text_list(call, "InstanceIds");
    for target in call.list("Targets") {
        let key = target
            .get("Key")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let values = target.get("Values").and_then(Value::as_array);
        let values: Vec<String> = values.into_iter().flatten().filter_map(text).collect();
        match key.strip_prefix("tag:") {
            Some(tag) => ids.extend(tagged(world, call, (tag, &values))),
            None if key == "InstanceIds" => ids.extend(values),
            None => {}
        }
    }
    ids
}

fn tagged(world: &World, call: &Call<'_>, (tag, values): (&str, &[String])) -> Vec<String> {
    let all = world.compute.instances.iter();
    all.filter(|(id, instance)| {
        let value = instance.tags.get(tag);
        value.is_some_and(|value| values.contains(value)) && node::living(world, call, id).is_some()
    })
    .map(|(id, _)| id.clone())
    .collect()
}

pub(super) fn send_asks(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let name = call.required("DocumentName")?;
    let name = name.rsplit('/').next().unwrap_or_default();
    let document = match name.starts_with("AWS-") {
        true => format!("arn:aws:ssm:{}::document/{name}", call.region),
        false => super::own(call, &format!("document/{name}")),
    };
    let mut asks = vec![Ask::on("ssm:SendCommand", document)];
    let mut ids = instances(world, call);
    if ids.is_empty() {
        ids.push("*".to_owned());
    }
    let on = |id: &String| Ask::on("ssm:SendCommand", node::arn(call, id));
    asks.extend(ids.iter().map(on));
    Ok(asks)
}

pub(super) fn send(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let document = document(call)?;
    let commands = call
        .params
        .get("Parameters")
        .and_then(|given| given.get("commands"));
    if commands.is_none() {
        return Err(error("InvalidParameters", "commands is required."));
    }
    let named = text_list(call, "InstanceIds");
    if named.is_empty() == call.list("Targets").is_empty() || named.len() > MOST {
        let message = "Name up to 50 instances by InstanceIds, or any by Targets.";
        return Err(error("InvalidInstanceId", message));
    }
    let lost = |id: &&String| node::living(world, call, id).is_none();
    let lost: Vec<&str> = named.iter().filter(lost).map(String::as_str).collect();
    if !lost.is_empty() {
        let message = format!(
            "Instances [[{}]] not in a valid state for account {}",
            lost.join(", "),
            call.caller.account
        );
        return Err(error("InvalidInstanceId", message));
    }
    let command = Command {
        id: world.ids.guid(),
        place: place(call),
        document,
        comment: call.text("Comment").unwrap_or_default(),
        instances: instances(world, call),
        sent_at: world.now,
    };
    let reply = sent(call, &command);
    remember(&mut world.ssm.commands, command);
    Ok(reply)
}

/// What was sent; the record hides what is to be run.
fn sent(call: &Call<'_>, command: &Command) -> Reply {
    const HOURS: i64 = 2 * 3600;
    let described = |parameters: Value| {
        let mut fields = json!({
            "CommandId": command.id,
            "DocumentName": command.document,
            "DocumentVersion": "$DEFAULT",
            "Comment": command.comment,
            "ExpiresAfter": { "$time": command.sent_at + HOURS },
            "InstanceIds": text_list(call, "InstanceIds"),
            "Targets": call.list("Targets"),
            "RequestedDateTime": { "$time": command.sent_at },
            "Status": "Pending", "StatusDetails": "Pending",
            "MaxConcurrency": "50", "MaxErrors": "0",
            "TargetCount": command.instances.len(), "CompletedCount": 0, "ErrorCount": 0,
            "DeliveryTimedOutCount": 0,
            "TimeoutSeconds": 3600,
        });
        if let Value::Object(fields) = &mut fields {
            fields.insert("Parameters".to_owned(), parameters);
        }
        json!({ "Command": fields })
    };
    let given = call.params.get("Parameters").cloned().unwrap_or_default();
    let logged = crate::trail::elements::response(&described(HIDDEN_TEXT.into()));
    Reply {
        recorded: Recorded {
            response: Some(logged),
            ..Recorded::default()
        },
        ..Reply::of(described(given))
    }
}

/// What became of a command on an instance: it is done as soon as it is sent, and printed nothing.
pub(super) fn invocation(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (id, instance) = (call.required("CommandId")?, call.required("InstanceId")?);
    let place = place(call);
    let mut commands = world.ssm.commands.iter();
    let command = commands
        .find(|command| command.id == id && command.place == place)
        .filter(|command| command.instances.contains(&instance))
        .ok_or_else(|| error("InvocationDoesNotExist", ""))?;
    let at = Timestamp::from_seconds(command.sent_at).to_string();
    Ok(Reply::of(json!({
        "CommandId": command.id,
        "InstanceId": instance,
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": "$DEFAULT",
        "PluginName": command.document.replace("AWS-R", "aws:r"),
        "ResponseCode": 0,
        "ExecutionStartDateTime": at,
        "ExecutionElapsedTime": "PT0S",
        "ExecutionEndDateTime": at,
        "Status": "Success",
        "StatusDetails": "Success",
        "StandardOutputContent": "",
        "StandardErrorContent": "",
    })))
}
