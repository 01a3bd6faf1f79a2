//! Secrets. Their values are in no record.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Call, Fault, Recorded, Reply, lower_first};
use crate::operation::{Ask, Event, Operation, Permission};
use crate::service::Service;
use crate::world::World;

/// One secret with its current value.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secret {
    /// The name.
    pub name: String,
    /// `SecretString` or `SecretBinary`, whichever was given, by that name.
    pub value: Option<(String, String)>,
    /// The version's id.
    pub version: String,
    /// Virtual seconds since 1970.
    pub created_at: i64,
    /// When its value was last changed, virtual seconds since 1970.
    pub changed_at: i64,
    /// When it will be gone, virtual seconds since 1970; none: it is not to be deleted.
    pub deleted_at: Option<i64>,
}

shown!(Secret: name, version, created_at, changed_at, deleted_at);

/// How long a deleted secret can be restored, days
/// (docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html).
const RECOVERY_DAYS: i64 = 30;

fn first(call: &Call<'_>) -> String {
    format!(
        "arn:aws:secretsmanager:{}:{}:secret:",
        call.region, call.caller.account
    )
}

/// The ARN of the secret that a call names by name or ARN.
fn arn(world: &World, call: &Call<'_>) -> Result<String, Fault> {
    let id = call.required("SecretId")?;
    let own = first(call);
    let found = world
        .compute
        .secrets
        .iter()
        .find(|(arn, secret)| **arn == id || (arn.starts_with(&own) && secret.name == id));
    found.map(|(arn, _)| arn.clone()).ok_or_else(|| {
        Fault::api(
            400,
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret.",
        )
    })
}

fn on_secret(world: &World, call: &Call<'_>, action: &str) -> Result<Vec<Ask>, Fault> {
    let arn = arn(world, call)?;
    let owner = arn.split(':').nth(4).map(str::to_owned);
    Ok(vec![Ask {
        resource_account: owner,
        ..Ask::on(action, arn)
    }])
}

fn create_asks(_world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let arn = format!(
        "{}{}-??????",
        first(call),
        call.text("Name").unwrap_or_default()
    );
    Ok(vec![Ask::on("secretsmanager:CreateSecret", arn)])
}

fn value(call: &Call<'_>) -> Option<(String, String)> {
    ["SecretString", "SecretBinary"]
        .iter()
        .find_map(|name| Some(((*name).to_owned(), call.text(name)?)))
}

fn recorded(call: &Call<'_>, response: Value) -> Recorded {
    let kept = call
        .params
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "SecretString" | "SecretBinary"));
    let request: Map<String, Value> = kept
        .map(|(name, value)| (lower_first(name), value.clone()))
        .collect();
    Recorded {
        request: Some(Value::Object(request)),
        response: Some(response),
        ..Recorded::default()
    }
}

fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, own) = (call.required("Name")?, first(call));
    let mut own_secrets = world.compute.secrets.range(own.clone()..);
    if own_secrets.any(|(arn, secret)| arn.starts_with(&own) && secret.name == name) {
        let message = format!("The operation failed because the secret {name} already exists.");
        return Err(Fault::api(400, "ResourceExistsException", message));
    }
    let suffix = world.ids.text(6).replace(['+', '/'], "x");
    let arn = format!("{own}{name}-{suffix}");
    let given = call.text("ClientRequestToken");
    let secret = Secret {
        value: value(call),
        version: given.unwrap_or_else(|| world.ids.guid()),
        created_at: world.now,
        changed_at: world.now,
        deleted_at: None,
        name,
    };
    let answer = json!({ "ARN": arn, "Name": secret.name, "VersionId": secret.version });
    let recorded = recorded(call, json!({ "arn": arn }));
    world.compute.secrets.insert(arn, secret);
    Ok(Reply {
        recorded,
        ..Reply::of(answer)
    })
}

/// A secret that is not to be deleted.
fn living<'a>(world: &'a mut World, call: &Call<'_>) -> Result<(String, &'a mut Secret), Fault> {
    let arn = arn(world, call)?;
    let found = world.compute.secrets.get_mut(&arn);
    match found.filter(|secret| secret.deleted_at.is_none()) {
        Some(secret) => Ok((arn, secret)),
        None => Err(Fault::api(
            400,
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        )),
    }
}

fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, secret) = living(world, call)?;
    let Some((name, value)) = &secret.value else {
        return Err(Fault::api(
            400,
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
        ));
    };
    Ok(Reply::of(json!({
        "ARN": arn,
        "Name": secret.name,
        "VersionId": secret.version,
        name: value,
        "VersionStages": ["AWSCURRENT"],
        "CreatedDate": { "$time": secret.changed_at },
    })))
}

fn put(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let given = call.text("ClientRequestToken");
    let (version, now) = (given.unwrap_or_else(|| world.ids.guid()), world.now);
    let (arn, secret) = living(world, call)?;
    secret.value = value(call);
    secret.version = version;
    secret.changed_at = now;
    let answer = json!({ "ARN": arn, "Name": secret.name, "VersionId": secret.version,
        "VersionStages": ["AWSCURRENT"] });
    Ok(Reply {
        recorded: recorded(call, json!({ "arn": arn })),
        ..Reply::of(answer)
    })
}

fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let days = call
        .number("RecoveryWindowInDays")?
        .unwrap_or(RECOVERY_DAYS);
    let forced = call.text("ForceDeleteWithoutRecovery").as_deref() == Some("true");
    let now = world.now;
    let (arn, secret) = living(world, call)?;
    let at = match forced {
        true => now,
        false => now.saturating_add(days.clamp(7, 30).saturating_mul(86_400)),
    };
    secret.deleted_at = Some(at);
    let answer = json!({ "ARN": arn, "Name": secret.name, "DeletionDate": { "$time": at } });
    if forced {
        world.compute.secrets.remove(&arn);
    }
    Ok(Reply::of(answer))
}

fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let own = first(call);
    let all = world.compute.secrets.iter();
    let secrets: Vec<Value> = all
        .filter(|(arn, secret)| arn.starts_with(&own) && secret.deleted_at.is_none())
        .map(|(arn, secret)| {
            json!({ "ARN": arn, "Name": secret.name,
                "CreatedDate": { "$time": secret.created_at },
                "LastChangedDate": { "$time": secret.changed_at } })
        })
        .collect();
    Ok(Reply::of(json!({ "SecretList": secrets })))
}

macro_rules! row {
    ($name:literal, $read_only:literal, $permission:expr, $run:path) => {
        Operation {
            service: Service::SecretsManager,
            name: $name,
            read_only: $read_only,
            event: Event::Management,
            permission: $permission,
            run: $run,
        }
    };
}

macro_rules! on_secret {
    ($action:literal) => {
        Permission::Asks(|world, call| on_secret(world, call, $action))
    };
}

/// Secrets Manager's operations.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    row!("ListSecrets", true, Permission::Any, list),
    row!("CreateSecret", false, Permission::Asks(create_asks), create),
    row!("GetSecretValue", true, on_secret!("secretsmanager:GetSecretValue"), get),
    row!("PutSecretValue", false, on_secret!("secretsmanager:PutSecretValue"), put),
    row!("DeleteSecret", false, on_secret!("secretsmanager:DeleteSecret"), delete),
];
