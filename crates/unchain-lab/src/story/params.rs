//! What a line asks, under the names of the API: the story knows it under CloudTrail's. What only the client has
//! (codes, passwords, tokens) is added by whoever plays.

use serde_json::{Map, Value, json};
use unchain_trail::{Asked, Step};

use super::assertion;
use super::request::Ask;
use super::stage::PASSWORD;
use crate::service::Service;

/// The call of a step, or why the lab cannot be asked so.
pub(super) fn ask(step: &Step) -> Result<Ask, String> {
    let own = step.own().ok_or("the line asks for nothing")?;
    let (service, operation) = operation(own)?;
    let mut ask = Ask {
        service,
        operation: operation.to_owned(),
        region: own.region.clone(),
        params: upper(&own.params),
        body: Vec::new(),
    };
    adapt(&mut ask, step);
    Ok(ask)
}

/// The service and the API's name of a logged call. CloudTrail adds an API version to some of Lambda's.
pub(super) fn operation(asked: &Asked) -> Result<(Service, &'static str), String> {
    let service = Service::named(&asked.source)
        .ok_or_else(|| format!("the lab has no service `{}`", asked.source))?;
    let name = match asked.name.split_once("20") {
        Some((name, _)) if service == Service::Lambda => name,
        _ => &asked.name,
    };
    let operation = service.operation(name);
    operation
        .map(|operation| (service, operation.name))
        .ok_or_else(|| format!("the lab has no {}:{name}", asked.source))
}

/// `roleArn` → `RoleArn` at every depth, but for `arn`, which STS writes so.
fn upper(value: &Value) -> Map<String, Value> {
    let Value::Object(fields) = value else {
        return Map::new();
    };
    fields
        .iter()
        .map(|(name, inner)| (upper_first(name), upper_inner(inner)))
        .collect()
}

fn upper_inner(value: &Value) -> Value {
    match value {
        Value::Object(_) => Value::Object(upper(value)),
        Value::Array(items) => Value::Array(items.iter().map(upper_inner).collect()),
        other => other.clone(),
    }
}

fn upper_first(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) if name != "arn" => first.to_uppercase().chain(letters).collect(),
        _ => name.to_owned(),
    }
}

/// What the log says otherwise than the API, and what the log leaves out.
fn adapt(ask: &mut Ask, step: &Step) {
    let word = step.objects.first().map_or("", String::as_str);
    let mut set = |name: &str, value: Value| {
        ask.params.insert(name.to_owned(), value);
    };
    match ask.operation.as_str() {
        "CreateLoginProfile" | "UpdateLoginProfile" => set("Password", json!(PASSWORD)),
        "CreateSAMLProvider" | "UpdateSAMLProvider" => {
            set("SAMLMetadataDocument", json!(assertion::metadata(word)));
        }
        "CreateOpenIDConnectProvider" | "UpdateOpenIDConnectProviderThumbprint" => {
            set("ThumbprintList", json!(["0".repeat(40)]));
        }
        "GetItem" => set("Key", json!({"id": {"S": "1"}})),
        "PutItem" => set("Item", json!({"id": {"S": "1"}})),
        "RunInstances" | "AssociateIamInstanceProfile" => instance(ask, step),
        "SendCommand" => {
            let id = ask.params.get("InstanceIds").cloned().unwrap_or_default();
            ask.params.insert("InstanceIds".to_owned(), json!([id]));
            ask.params
                .insert("DocumentName".to_owned(), json!("AWS-RunShellScript"));
            ask.params
                .insert("Parameters".to_owned(), json!({"commands": ["id"]}));
        }
        "CreateFunction" => {
            set("Handler", json!("index.handler"));
            set(
                "Code",
                json!({"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}),
            );
        }
        _ => {}
    }
    if ask.service == Service::S3 {
        object(ask);
    }
}

/// EC2's log and EC2's API have little in common.
fn instance(ask: &mut Ask, step: &Step) {
    let profile = step.option("profile").map(|name| json!({"Name": name}));
    let mut params = Map::new();
    if ask.operation == "RunInstances" {
        params.insert("ImageId".to_owned(), json!("ami-0123456789abcdef0"));
        params.insert("InstanceType".to_owned(), json!("t3.micro"));
        params.insert("MinCount".to_owned(), json!(1));
        params.insert("MaxCount".to_owned(), json!(1));
    } else {
        let asked = ask.params.get("AssociateIamInstanceProfileRequest");
        let id = asked.and_then(|inner| inner.get("InstanceId")).cloned();
        params.insert("InstanceId".to_owned(), id.unwrap_or_default());
    }
    if let Some(profile) = profile {
        params.insert("IamInstanceProfile".to_owned(), profile);
    }
    ask.params = params;
}

fn object(ask: &mut Ask) {
    ask.params.shift_remove("Host");
    for (logged, name) in [("BucketName", "Bucket"), ("Name", "Bucket")] {
        if let Some(value) = ask.params.shift_remove(logged) {
            ask.params.insert(name.to_owned(), value);
        }
    }
    if ask.operation == "PutObject" {
        ask.body = b"story".to_vec();
    }
    if ask.operation == "CopyObject" {
        let source = format!("{}/{}", ask.text("Bucket"), ask.text("Key"));
        ask.params.insert("CopySource".to_owned(), json!(source));
        let copy = format!("{}.copy", ask.text("Key"));
        ask.params.insert("Key".to_owned(), json!(copy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_the_apis() {
        let logged = json!({"taskPolicyArn": {"arn": "x"}, "sAMLProviderArn": "y",
            "eventSelectors": [{"readWriteType": "All"}]});
        let expected = json!({"TaskPolicyArn": {"arn": "x"}, "SAMLProviderArn": "y",
            "EventSelectors": [{"ReadWriteType": "All"}]});
        assert_eq!(Value::Object(upper(&logged)), expected);
    }
}
