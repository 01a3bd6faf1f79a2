//! Deeds that end or weaken credentials and principals, undo that, or blind the trail.

use super::Event;
use super::console::wrong_actor;
use crate::cast::PrincipalKind;
use crate::error::Fault;
use crate::time::Moment;
use crate::truth::{Ended, Kind};
use crate::world::World;
use serde_json::{Value, json};

const NAMES: &[&str] = &[
    "UpdateAccessKey",
    "DeleteAccessKey",
    "DeleteUser",
    "DeleteRole",
    "DeleteLoginProfile",
    "PutUserPolicy",
    "PutRolePolicy",
    "DeleteUserPolicy",
    "DeleteRolePolicy",
    "AttachUserPolicy",
    "AttachRolePolicy",
    "DetachUserPolicy",
    "DetachRolePolicy",
    "StopLogging",
    "StartLogging",
    "DeleteTrail",
    "PutEventSelectors",
];

/// A call about to be written, and what it ends.
struct Deed {
    source: &'static str,
    params: Value,
    response: Value,
    target: String,
    detail: String,
    before: Option<String>,
}

pub(super) fn knows(name: &str) -> bool {
    NAMES.contains(&name)
}

pub(super) fn call(world: &mut World, event: &Event<'_>) -> Result<(), Fault> {
    if let Some(label) = &event.statement.gives {
        return Err(Fault::new(
            label,
            "`->` only behind a call that gives a credential",
        ));
    }
    let home = world
        .home(event)
        .ok_or_else(|| wrong_actor(event, "a key or session"))?;
    let deed = match event.name {
        "UpdateAccessKey" | "DeleteAccessKey" => key(world, event)?,
        "StopLogging" | "StartLogging" | "DeleteTrail" | "PutEventSelectors" => {
            logging(world, event, &home)?
        }
        _ => principal(world, event, &home)?,
    };
    let mut draft = world.draft(event, deed.source, event.name);
    draft.params = deed.params;
    draft.response = deed.response;
    if !event.failed() {
        world.truth.ended.push(Ended {
            target: deed.target,
            api: event.name.to_owned(),
            detail: deed.detail,
            issued_before: deed.before,
            time: event.at.to_string(),
            event_id: draft.event_id.clone(),
        });
    }
    world.emit(draft);
    Ok(())
}

fn key(world: &World, event: &Event<'_>) -> Result<Deed, Fault> {
    let label = event.object(0, "a key")?;
    let place = world.credential_at(label, event.at)?;
    let credential = world
        .credentials
        .get(place)
        .filter(|found| found.kind == Kind::LongTermKey);
    let credential = credential.ok_or_else(|| Fault::new(label, "a long-term key"))?;
    let key = credential.key.clone().unwrap_or_default();
    let user = &credential.identity.user_name;
    let (params, detail) = if event.name == "UpdateAccessKey" {
        let status = event.object(1, "`Active` or `Inactive`")?;
        if !matches!(status, "Active" | "Inactive") {
            return Err(Fault::new(status, "`Active` or `Inactive`"));
        }
        (
            json!({ "userName": user, "accessKeyId": key, "status": status }),
            status,
        )
    } else {
        (json!({ "userName": user, "accessKeyId": key }), "deleted")
    };
    Ok(Deed {
        source: "iam",
        params,
        response: Value::Null,
        target: key,
        detail: detail.to_owned(),
        before: None,
    })
}

/// Users, roles and their policies.
fn principal(world: &World, event: &Event<'_>, home: &str) -> Result<Deed, Fault> {
    let role = event.name.contains("Role");
    let (kind, field) = if role {
        (PrincipalKind::Role, "roleName")
    } else {
        (PrincipalKind::User, "userName")
    };
    let word = event.object(0, if role { "a role" } else { "a user" })?;
    let target = world.principal(kind, word, Some(home))?;
    let mut params = json!({ field: target.name });
    let mut detail = "deleted".to_owned();
    let mut before = None;
    if event.name.ends_with("Policy") {
        let policy = event.object(1, "the name of a policy")?;
        policy.clone_into(&mut detail);
        let inline = event.name.starts_with("Put") || event.name.starts_with("Delete");
        let attached = format!("arn:aws:iam::aws:policy/{policy}");
        let attached = if policy.starts_with("arn:") {
            policy
        } else {
            &attached
        };
        if let Value::Object(fields) = &mut params {
            let (field, value) = if inline {
                ("policyName", policy)
            } else {
                ("policyArn", attached)
            };
            fields.insert(field.to_owned(), json!(value));
            if event.name.starts_with("Put") {
                let (document, cut_off) = policy_document(world, event, policy)?;
                fields.insert("policyDocument".to_owned(), json!(document));
                before = cut_off;
            }
        }
    }
    let (target, response) = (target.arn(), Value::Null);
    Ok(Deed {
        source: "iam",
        params,
        response,
        target,
        detail,
        before,
    })
}

/// The text of an inline policy: a deny of tokens issued before a time, a deny of everything, or, with
/// `policy allow`, an allow of everything.
fn policy_document(
    world: &World,
    event: &Event<'_>,
    name: &str,
) -> Result<(String, Option<String>), Fault> {
    let effect = event.option("policy");
    let mut statement = json!({ "Effect": "Deny", "Action": ["*"], "Resource": ["*"] });
    let mut cut_off = None;
    let before = event.option("before");
    if let (Some(before), Value::Object(fields)) = (before, &mut statement) {
        let moment = Moment::parse(before).and_then(|moment| moment.on(world.day));
        let moment = moment.ok_or_else(|| Fault::new(before, "a time such as `10:30`"))?;
        cut_off = Some(moment.to_string());
        let condition = json!({ "DateLessThan": { "aws:TokenIssueTime": moment.to_string() } });
        fields.insert("Condition".to_owned(), condition);
    } else {
        match effect {
            Some("deny") => {}
            None if name.contains("Deny") => {}
            Some("allow") => {
                if let Value::Object(fields) = &mut statement {
                    fields.insert("Effect".to_owned(), json!("Allow"));
                }
            }
            _ => {
                return Err(Fault::new(
                    effect.unwrap_or(name),
                    "`before` and a time, `policy deny` or `policy allow`",
                ));
            }
        }
    }
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    Ok((document.to_string(), cut_off))
}

fn logging(world: &World, event: &Event<'_>, home: &str) -> Result<Deed, Fault> {
    let name = event.object(0, "a trail")?;
    let region = event.option("region").unwrap_or(&world.region);
    let arn = format!("arn:aws:cloudtrail:{region}:{home}:trail/{name}");
    let (params, response) = if event.name == "PutEventSelectors" {
        let management = event.objects.get(1).map(String::as_str);
        if !matches!(management, None | Some("All" | "ReadOnly" | "WriteOnly")) {
            let found = management.unwrap_or_default();
            return Err(Fault::new(found, "`All`, `ReadOnly` or `WriteOnly`"));
        }
        let selectors = json!([{
            "readWriteType": management.unwrap_or("WriteOnly"),
            "includeManagementEvents": management.is_some(),
            "dataResources": [],
            "excludeManagementEventSources": [],
        }]);
        let response = json!({ "trailARN": arn, "eventSelectors": selectors });
        (
            json!({ "trailName": name, "eventSelectors": selectors }),
            response,
        )
    } else {
        (json!({ "name": arn }), Value::Null)
    };
    let detail = name.to_owned();
    Ok(Deed {
        source: "cloudtrail",
        params,
        response,
        target: arn,
        detail,
        before: None,
    })
}
