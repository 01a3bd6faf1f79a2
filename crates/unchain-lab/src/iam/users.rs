//! Users: `CreateUser` and its kin.

use serde_json::json;
use unchain_trail::Prefix;

use super::principals::{self, Gone};
use super::{Attached, ROOT, User, answer, boundary, fault, find, names, page};
use crate::call::{Call, Fault, Reply};
use crate::session::Who;
use crate::world::World;

/// Most users in an account.
const MOST: usize = 5000;

/// `CreateUser`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = names::new(call, "UserName", 64)?;
    let path = names::path(call, "Path")?;
    let iam = find::iam(world, call)?;
    let attached = Attached {
        boundary: boundary::of_new(iam, call)?,
        tags: names::tags(call)?,
        ..Attached::default()
    };
    check_new_name(iam, &name)?;
    if iam.users.len() >= MOST {
        return Err(fault::quota("UsersPerAccount", MOST));
    }
    let user = User {
        id: world.ids.identifier(Prefix::User, &call.caller.account),
        path,
        created_at: call.at.seconds(),
        attached,
        keys: Vec::new(),
        login: None,
        mfa: Vec::new(),
        groups: Vec::new(),
        password_last_used: None,
    };
    let value = json!({"User": answer::user(&call.caller.account, &name, &user)});
    find::change(world, call)?.users.insert(name, user);
    Ok(Reply::of(value))
}

fn check_new_name(iam: &super::Iam, name: &str) -> Result<(), Fault> {
    if find::taken(iam.users.keys(), name) {
        return Err(fault::exists(format!(
            "User with name {name} already exists."
        )));
    }
    Ok(())
}

/// `GetUser`: the user named, else the caller, who may be the root user.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = find::owner(call)?;
    if name == ROOT && call.caller.who == Who::Root {
        return Ok(Reply::of(root(world, call)));
    }
    let (account, iam) = answer::here(world, call)?;
    let user = find::user(iam, &name)?;
    Ok(Reply::of(
        json!({"User": answer::user(account, &name, user)}),
    ))
}

/// The root user's `CreateDate` is the account's, which the lab takes from its first key.
fn root(world: &World, call: &Call<'_>) -> serde_json::Value {
    let account = &call.caller.account;
    let made = world
        .iam(account)
        .and_then(|iam| iam.root_keys.first())
        .map_or(0, |key| key.created_at);
    json!({"User": {
        "Path": "/",
        "UserName": "",
        "UserId": account,
        "Arn": format!("arn:aws:iam::{account}:root"),
        "CreateDate": answer::time(made),
    }})
}

/// `ListUsers`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (account, iam) = answer::here(world, call)?;
    let prefix = names::path_prefix(call);
    let rows = iam
        .users
        .iter()
        .filter(|(_, user)| user.path.starts_with(&prefix))
        .map(|(name, user)| (name.clone(), answer::user_listed(account, name, user)));
    page::list(call, "Users", rows)
}

/// `UpdateUser`: a new name, a new path or both. Keys, devices and trust go with the user.
pub(super) fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let old = call.required("UserName")?;
    let new = call.text("NewUserName").unwrap_or_else(|| old.clone());
    names::check("NewUserName", &new, 64)?;
    let iam = find::iam(world, call)?;
    let mut user = find::user(iam, &old)?.clone();
    if !new.eq_ignore_ascii_case(&old) {
        check_new_name(iam, &new)?;
    }
    let arn = user.arn(&call.caller.account, &old);
    if call.text("NewPath").is_some() {
        user.path = names::path(call, "NewPath")?;
    }
    let now = user.arn(&call.caller.account, &new);
    rename(world, call, (&old, &new))?;
    find::change(world, call)?.users.insert(new, user);
    principals::rewrite(
        world,
        &Gone {
            arn: &arn,
            now: &now,
        },
    );
    Ok(answer::nothing())
}

fn rename(world: &mut World, call: &Call<'_>, (old, new): (&str, &str)) -> Result<(), Fault> {
    let iam = find::change(world, call)?;
    let user = iam.users.remove(old);
    for device in iam.mfa_devices.values_mut() {
        if let Some((name, _)) = device.enabled.as_mut().filter(|(name, _)| name == old) {
            new.clone_into(name);
        }
    }
    if let Some(credentials) = iam.service_credentials.remove(old) {
        iam.service_credentials.insert(new.to_owned(), credentials);
    }
    for key in user.iter().flat_map(|user| &user.keys) {
        let owner = (call.caller.account.clone(), Some(new.to_owned()));
        world.key_owners.insert(key.id.clone(), owner);
    }
    Ok(())
}

/// `DeleteUser`. Everything that belongs to the user must be gone before.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("UserName")?;
    let iam = find::iam(world, call)?;
    let user = find::user(iam, &name)?;
    let (arn, id) = (user.arn(&call.caller.account, &name), user.id.clone());
    check_empty(user)?;
    if iam
        .service_credentials
        .get(&name)
        .is_some_and(|there| !there.is_empty())
    {
        return Err(fault::must_first("delete service specific credentials"));
    }
    let iam = find::change(world, call)?;
    iam.users.remove(&name);
    iam.service_credentials.remove(&name);
    principals::rewrite(
        world,
        &Gone {
            arn: &arn,
            now: &id,
        },
    );
    Ok(answer::nothing())
}

fn check_empty(user: &User) -> Result<(), Fault> {
    let rules = [
        (user.attached.managed.is_empty(), "detach all policies"),
        (user.attached.inline.is_empty(), "delete policies"),
        (user.keys.is_empty(), "delete access keys"),
        (user.login.is_none(), "delete login profile"),
        (user.mfa.is_empty(), "deactivate MFA devices"),
        (user.groups.is_empty(), "remove users from group"),
    ];
    match rules.iter().find(|(gone, _)| !gone) {
        Some((_, first)) => Err(fault::must_first(first)),
        None => Ok(()),
    }
}
