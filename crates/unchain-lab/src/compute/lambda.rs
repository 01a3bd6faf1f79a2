//! Functions, which are kept and never run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::pass_role;
use crate::call::{Call, Fault, Recorded, Reply, lower_first};
use crate::operation::{Ask, Event, Operation, Permission};
use crate::service::Service;
use crate::world::World;

/// One function.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Function {
    /// The name.
    pub name: String,
    /// The ARN of its role.
    pub role: String,
    /// When it was last changed, virtual seconds since 1970.
    pub changed_at: i64,
    /// `Runtime`, `Handler` and the like, as given.
    pub settings: BTreeMap<String, Value>,
}

fn arn(call: &Call<'_>) -> String {
    let name = call.text("FunctionName").unwrap_or_default();
    match name.starts_with("arn:") {
        true => name,
        false => format!(
            "arn:aws:lambda:{}:{}:function:{name}",
            call.region, call.caller.account
        ),
    }
}

fn no_function(arn: &str) -> Fault {
    let message = format!("Function not found: {arn}");
    Fault::api(404, "ResourceNotFoundException", message)
}

fn function<'a>(world: &'a World, call: &Call<'_>) -> Result<(String, &'a Function), Fault> {
    let arn = arn(call);
    let found = world.compute.functions.get(&arn);
    let function = found.ok_or_else(|| no_function(&arn))?;
    Ok((arn, function))
}

fn shown(arn: &str, function: &Function) -> Value {
    let changed = unchain_core::time::Timestamp::from_seconds(function.changed_at);
    let mut fields = Map::new();
    fields.insert("FunctionName".to_owned(), json!(function.name));
    fields.insert("FunctionArn".to_owned(), json!(arn));
    fields.insert("Role".to_owned(), json!(function.role));
    let changed = changed.to_string().replace('Z', ".000+0000");
    fields.insert("LastModified".to_owned(), json!(changed));
    fields.insert("Version".to_owned(), json!("$LATEST"));
    fields.insert("State".to_owned(), json!("Active"));
    for (name, value) in &function.settings {
        fields.insert(name.clone(), value.clone());
    }
    Value::Object(fields)
}

const SETTINGS: &[&str] = &[
    "Runtime",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "Environment",
    "PackageType",
];

fn create_asks(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let role = call.text("Role").unwrap_or_default();
    Ok(vec![
        Ask::on("lambda:CreateFunction", arn(call)),
        pass_role(&role, "lambda.amazonaws.com"),
    ])
}

fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, role) = (call.required("FunctionName")?, call.required("Role")?);
    let arn = arn(call);
    if world.compute.functions.contains_key(&arn) {
        let message = format!("Function already exist: {name}");
        return Err(Fault::api(409, "ResourceConflictException", message));
    }
    let role_name = role.rsplit('/').next().unwrap_or_default();
    if super::role_arn(world, &call.caller.account, role_name).as_ref() != Some(&role) {
        return Err(Fault::api(
            400,
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        ));
    }
    let given = |name: &&&str| Some(((**name).to_owned(), call.params.get(**name)?.clone()));
    let function = Function {
        name,
        role,
        changed_at: world.now,
        settings: SETTINGS.iter().filter_map(|name| given(&name)).collect(),
    };
    let answer = shown(&arn, &function);
    world.compute.functions.insert(arn, function);
    Ok(Reply {
        status: Some(201),
        recorded: recorded(call, &answer),
        ..Reply::of(answer)
    })
}

/// CloudTrail has neither the code nor the environment's variables.
fn recorded(call: &Call<'_>, answer: &Value) -> Recorded {
    let clean = |fields: &Map<String, Value>| -> Value {
        let kept = fields.iter().filter(|(name, _)| *name != "Code");
        let fields: Map<String, Value> = kept
            .map(|(name, value)| match name.as_str() {
                "Environment" => (lower_first(name), json!({})),
                _ => (lower_first(name), value.clone()),
            })
            .collect();
        Value::Object(fields)
    };
    Recorded {
        request: Some(clean(&call.params)),
        response: answer.as_object().map(clean),
        ..Recorded::default()
    }
}

fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, function) = function(world, call)?;
    Ok(Reply::of(json!({ "Configuration": shown(&arn, function) })))
}

fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let first = format!("arn:aws:lambda:{}:{}:", call.region, call.caller.account);
    let all = world.compute.functions.iter();
    let functions: Vec<Value> = all
        .filter(|(arn, _)| arn.starts_with(&first))
        .map(|(arn, function)| shown(arn, function))
        .collect();
    Ok(Reply::of(json!({ "Functions": functions })))
}

fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, _) = function(world, call)?;
    world.compute.functions.remove(&arn);
    Ok(Reply {
        status: Some(204),
        ..Reply::default()
    })
}

/// Answers with an empty payload: no code is run.
fn invoke(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, _) = function(world, call)?;
    Ok(Reply {
        status: Some(200),
        headers: vec![("x-amz-executed-version".to_owned(), "$LATEST".to_owned())],
        body: Some(Vec::new()),
        recorded: Recorded {
            resources: vec![json!({ "accountId": call.caller.account,
                "type": "AWS::Lambda::Function", "ARN": arn })],
            ..Recorded::default()
        },
        ..Reply::default()
    })
}

macro_rules! row {
    ($name:literal, $read_only:literal, $event:ident, $permission:expr, $run:path) => {
        Operation {
            service: Service::Lambda,
            name: $name,
            read_only: $read_only,
            event: Event::$event,
            permission: $permission,
            run: $run,
        }
    };
}

macro_rules! on_function {
    ($action:literal) => {
        Permission::Asks(|_, call| Ok(vec![Ask::on($action, arn(call))]))
    };
}

/// Lambda's operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("CreateFunction", false, Management, Permission::Asks(create_asks), create),
    row!("ListFunctions", true, Management, Permission::Any, list),
    row!("GetFunction", true, Management, on_function!("lambda:GetFunction"), get),
    row!("DeleteFunction", false, Management, on_function!("lambda:DeleteFunction"), delete),
    row!("Invoke", false, Data, on_function!("lambda:InvokeFunction"), invoke),
];
