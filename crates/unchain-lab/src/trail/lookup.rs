//! `LookupEvents`: the event history of an account in a region
//! (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::history::{Wanted, mark};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Ninety days, in seconds.
const KEPT: i64 = 90 * 86_400;

/// The attributes that events can be looked up by.
const KEYS: &[&str] = &[
    "EventId",
    "EventName",
    "ReadOnly",
    "Username",
    "ResourceType",
    "ResourceName",
    "EventSource",
    "AccessKeyId",
];

/// What stands for account and region among the marks.
const SCOPE: &str = "scope";

/// Everything that a record can be looked up by.
pub(super) fn attributes(record: &Value) -> Vec<(&'static str, String)> {
    let text = |pointer: &str| {
        let text = record.pointer(pointer).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let account = text("/recipientAccountId").unwrap_or_default();
    let scope = format!("{account} {}", text("/awsRegion").unwrap_or_default());
    let read_only = record.get("readOnly").and_then(Value::as_bool);
    let single = [
        ("EventId", text("/eventID")),
        ("EventName", text("/eventName")),
        ("EventSource", text("/eventSource")),
        ("AccessKeyId", text("/userIdentity/accessKeyId")),
        ("Username", user_name(record)),
        ("ReadOnly", read_only.map(|value| value.to_string())),
        (SCOPE, Some(scope)),
    ];
    let mut attributes: Vec<(&'static str, String)> = single
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect();
    for (kind, name) in resources(record) {
        attributes.push(("ResourceType", kind));
        attributes.push(("ResourceName", name));
    }
    attributes
}

/// The user's name, the name of a session, or `root`.
fn user_name(record: &Value) -> Option<String> {
    let identity = record.get("userIdentity")?;
    let text = |name: &str| identity.get(name).and_then(Value::as_str);
    if let Some(name) = text("userName") {
        return Some(name.to_owned());
    }
    match text("type")? {
        "Root" => Some("root".to_owned()),
        "AssumedRole" | "FederatedUser" => {
            let id = text("principalId")?;
            id.split_once(':').map(|(_, name)| name.to_owned())
        }
        _ => None,
    }
}

/// Members of parameters and answer that name a resource, with its type.
const NAMED: &[(&str, &str)] = &[
    ("userName", "AWS::IAM::User"),
    ("roleName", "AWS::IAM::Role"),
    ("groupName", "AWS::IAM::Group"),
    ("policyArn", "AWS::IAM::Policy"),
    ("policyName", "AWS::IAM::Policy"),
    ("serialNumber", "AWS::IAM::MFADevice"),
    ("instanceProfileName", "AWS::IAM::InstanceProfile"),
    ("bucketName", "AWS::S3::Bucket"),
    ("trailName", "AWS::CloudTrail::Trail"),
    ("trailARN", "AWS::CloudTrail::Trail"),
    ("roleArn", "AWS::IAM::Role"),
    ("secretId", "AWS::SecretsManager::Secret"),
    ("functionName", "AWS::Lambda::Function"),
    ("stackName", "AWS::CloudFormation::Stack"),
    ("accessKeyId", "AWS::IAM::AccessKey"),
];

/// The resources of an event: type and name. An issuing event names the new key.
fn resources(record: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |kind: &str, name: Option<&Value>| {
        if let Some(name) = name.and_then(Value::as_str).filter(|name| !name.is_empty()) {
            let resource = (kind.to_owned(), name.to_owned());
            if !found.contains(&resource) {
                found.push(resource);
            }
        }
    };
    for (name, kind) in NAMED {
        add(kind, record.pointer(&format!("/requestParameters/{name}")));
    }
    let answers = ["", "/credentials", "/accessKey", "/user", "/role"];
    for answer in answers {
        for (name, kind) in NAMED {
            let pointer = format!("/responseElements{answer}/{name}");
            add(kind, record.pointer(&pointer));
        }
    }
    for name in ["assumedRoleId", "arn"] {
        let pointer = format!("/responseElements/assumedRoleUser/{name}");
        add("AWS::STS::AssumedRole", record.pointer(&pointer));
    }
    if record
        .pointer("/responseElements/assumedRoleUser")
        .is_some()
    {
        let session = record.pointer("/requestParameters/roleSessionName");
        add("AWS::STS::AssumedRole", session);
    }
    for resource in record
        .get("resources")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let kind = resource.get("type").and_then(Value::as_str);
        add(kind.unwrap_or_default(), resource.get("ARN"));
    }
    found
}

/// `LookupEvents`.
pub(super) fn lookup(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let most = match call.number("MaxResults")? {
        None => 50,
        Some(number @ 1..=50) => usize::try_from(number).unwrap_or(50),
        Some(_) => {
            let message = "A max results value must be between 1 and 50.";
            return Err(Fault::api(400, "InvalidMaxResultsException", message));
        }
    };
    let mut wanted = Wanted {
        marks: vec![mark(
            SCOPE,
            &format!("{} {}", call.caller.account, call.region),
        )],
        between: between(world, call)?,
        before: world.trail.history.end(),
        most: most + 1,
    };
    wanted.marks.extend(attribute(call)?);
    let times = ["StartTime", "EndTime"].map(|name| time(call, name));
    let asked = mark("asked", &format!("{:?} {times:?}", wanted.marks));
    if let Some(token) = call.text("NextToken") {
        wanted.before = number_in(&token, asked)?;
    }
    if call.text("EventCategory").is_some() {
        return Ok(Reply::of(json!({"Events": []})));
    }
    let found = world.trail.history.find(&wanted);
    Ok(Reply::of(page(&found, most, asked)))
}

fn page(found: &[(u64, String)], most: usize, asked: u64) -> Value {
    let events: Vec<Value> = found
        .iter()
        .take(most)
        .map(|(_, text)| event(text))
        .collect();
    let mut answer = Map::new();
    answer.insert("Events".to_owned(), events.into());
    if found.len() > most
        && let Some((number, _)) = most.checked_sub(1).and_then(|last| found.get(last))
    {
        let token = STANDARD.encode(format!("{number} {asked}"));
        answer.insert("NextToken".to_owned(), token.into());
    }
    Value::Object(answer)
}

/// Where a token goes on; it belongs to the question that it came with.
fn number_in(token: &str, asked: u64) -> Result<u64, Fault> {
    let text = STANDARD.decode(token).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    let read = text.as_deref().and_then(|text| text.split_once(' '));
    read.filter(|(_, question)| *question == asked.to_string())
        .and_then(|(number, _)| number.parse().ok())
        .ok_or_else(|| {
            let message = "Invalid token.";
            Fault::api(400, "InvalidNextTokenException", message)
        })
}

fn attribute(call: &Call<'_>) -> Result<Option<u64>, Fault> {
    let invalid = |message: &str| Fault::api(400, "InvalidLookupAttributesException", message);
    let attribute = match call.list("LookupAttributes") {
        [] => return Ok(None),
        [attribute] => attribute,
        _ => return Err(invalid("Only one lookup attribute is allowed.")),
    };
    let text = |name: &str| attribute.get(name).and_then(Value::as_str);
    let (Some(key), Some(value)) = (text("AttributeKey"), text("AttributeValue")) else {
        return Err(invalid("A lookup attribute has a key and a value."));
    };
    if !KEYS.contains(&key) {
        return Err(invalid("The attribute key is not supported."));
    }
    Ok(Some(mark(key, value)))
}

/// The time asked for, within the last ninety days.
fn between(world: &World, call: &Call<'_>) -> Result<(i64, i64), Fault> {
    let from = time(call, "StartTime").unwrap_or(i64::MIN);
    let to = time(call, "EndTime").unwrap_or(i64::MAX);
    if from > to {
        let message = "Invalid time range: the start time is after the end time.";
        return Err(Fault::api(400, "InvalidTimeRangeException", message));
    }
    Ok((from.max(world.now.saturating_sub(KEPT)), to))
}

/// An instant among the parameters: epoch seconds, or text in any form that AWS takes.
pub(super) fn time(call: &Call<'_>, name: &str) -> Option<i64> {
    let text = call.text(name)?;
    let whole = text
        .split_once('.')
        .map_or(text.as_str(), |(whole, _)| whole);
    whole.parse().ok().or_else(|| {
        unchain_core::time::Timestamp::parse(&text).map(unchain_core::time::Timestamp::seconds)
    })
}

fn event(text: &str) -> Value {
    let record: Value = serde_json::from_str(text).unwrap_or_default();
    let mut event = Map::new();
    for (name, value) in attributes(&record) {
        if !matches!(name, SCOPE | "ResourceType" | "ResourceName") {
            event.insert(name.to_owned(), value.into());
        }
    }
    let at = record.get("eventTime").and_then(Value::as_str);
    if let Some(at) = at.and_then(unchain_core::time::Timestamp::parse) {
        event.insert("EventTime".to_owned(), json!({"$time": at.seconds()}));
    }
    let resources = resources(&record);
    let resources = resources
        .iter()
        .map(|(kind, name)| json!({"ResourceType": kind, "ResourceName": name}));
    event.insert("Resources".to_owned(), resources.collect());
    event.insert("CloudTrailEvent".to_owned(), text.into());
    Value::Object(event)
}
