//! Access keys of users and of the root user.

use serde_json::{Map, Value, json};
use unchain_trail::Prefix;

use super::{AccessKey, Iam, ROOT, answer, fault, find, page, record};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Most keys of one user.
const MOST: usize = 2;

fn keys<'i>(iam: &'i Iam, owner: &str) -> Result<&'i Vec<AccessKey>, Fault> {
    if owner == ROOT {
        return Ok(&iam.root_keys);
    }
    Ok(&find::user(iam, owner)?.keys)
}

fn keys_mut<'i>(iam: &'i mut Iam, owner: &str) -> Result<&'i mut Vec<AccessKey>, Fault> {
    if owner == ROOT {
        return Ok(&mut iam.root_keys);
    }
    Ok(&mut find::user_mut(iam, owner)?.keys)
}

fn status(key: &AccessKey) -> &'static str {
    if key.active { "Active" } else { "Inactive" }
}

/// What the API says of a key; the root user has no name there.
fn shown(owner: &str, key: &AccessKey) -> Map<String, Value> {
    let mut fields = Map::new();
    if owner != ROOT {
        fields.insert("UserName".to_owned(), json!(owner));
    }
    fields.insert("AccessKeyId".to_owned(), json!(key.id));
    fields.insert("Status".to_owned(), json!(status(key)));
    fields.insert("CreateDate".to_owned(), answer::time(key.created_at));
    fields
}

/// `CreateAccessKey`. The answer is the only one that has the secret; CloudTrail never has it.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let owner = find::known_owner(find::iam(world, call)?, call)?;
    if keys(find::iam(world, call)?, &owner)?.len() >= MOST {
        return Err(fault::quota("AccessKeysPerUser", MOST));
    }
    let account = &call.caller.account;
    let key = AccessKey {
        id: world.ids.identifier(Prefix::LongTermKey, account),
        secret: world.ids.secret(),
        active: true,
        created_at: call.at.seconds(),
        last_used: None,
    };
    let user = (owner != ROOT).then(|| owner.clone());
    world
        .key_owners
        .insert(key.id.clone(), (account.clone(), user));
    let mut fields = shown(&owner, &key);
    fields.insert("SecretAccessKey".to_owned(), json!(key.secret));
    keys_mut(find::change(world, call)?, &owner)?.push(key);
    Ok(record::hiding("AccessKey", fields, &["SecretAccessKey"]))
}

/// `ListAccessKeys`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let owner = find::known_owner(iam, call)?;
    let mut rows: Vec<_> = keys(iam, &owner)?
        .iter()
        .map(|key| (key.id.clone(), Value::Object(shown(&owner, key))))
        .collect();
    rows.sort_by(|(one, _), (two, _)| one.cmp(two));
    page::list(call, "AccessKeyMetadata", rows.into_iter())
}

/// The key that a call names, which must be the owner's.
fn named(iam: &Iam, call: &Call<'_>) -> Result<(String, String), Fault> {
    let owner = find::known_owner(iam, call)?;
    let id = call.required("AccessKeyId")?;
    if keys(iam, &owner)?.iter().any(|key| key.id == id) {
        return Ok((owner, id));
    }
    let message = format!("The Access Key with id {id} cannot be found.");
    Err(fault::missing(message))
}

/// `UpdateAccessKey`.
pub(super) fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let active = active(call)?;
    let (owner, id) = named(find::iam(world, call)?, call)?;
    let keys = keys_mut(find::change(world, call)?, &owner)?;
    if let Some(key) = keys.iter_mut().find(|key| key.id == id) {
        key.active = active;
    }
    Ok(answer::nothing())
}

/// The status that a call sets.
pub(super) fn active(call: &Call<'_>) -> Result<bool, Fault> {
    match call.required("Status")?.as_str() {
        "Active" => Ok(true),
        "Inactive" => Ok(false),
        other => Err(fault::constraint(
            "Status",
            other,
            "satisfy enum value set: [Active, Inactive, Expired]",
        )),
    }
}

/// `DeleteAccessKey`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (owner, id) = named(find::iam(world, call)?, call)?;
    keys_mut(find::change(world, call)?, &owner)?.retain(|key| key.id != id);
    Ok(answer::nothing())
}

/// `GetAccessKeyLastUsed`. A key never used has the service and region `N/A` and no date.
pub(super) fn last_used(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("AccessKeyId")?;
    let unknown = || fault::missing(format!("The Access Key with id {id} cannot be found."));
    let owner = match world.key_owners.get(&id) {
        Some((account, user)) if *account == call.caller.account => {
            user.clone().unwrap_or_else(|| ROOT.to_owned())
        }
        _ => return Err(unknown()),
    };
    let keys = keys(find::iam(world, call)?, &owner).map_err(|_| unknown())?;
    let key = keys.iter().find(|key| key.id == id).ok_or_else(unknown)?;
    let used = match &key.last_used {
        Some((at, service, region)) => json!({
            "LastUsedDate": answer::time(*at), "ServiceName": service, "Region": region,
        }),
        None => json!({"ServiceName": "N/A", "Region": "N/A"}),
    };
    Ok(Reply::of(
        json!({"UserName": owner, "AccessKeyLastUsed": used}),
    ))
}
