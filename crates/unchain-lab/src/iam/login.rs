//! Console passwords. They are in no answer and no record.

use serde_json::{Value, json};

use super::{Iam, Login, ROOT, answer, fault, find, passwords, record};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::session::Who;
use crate::world::World;

fn login<'i>(iam: &'i Iam, owner: &str) -> Option<&'i Login> {
    match owner {
        ROOT => iam.root_login.as_ref(),
        name => iam.users.get(name)?.login.as_ref(),
    }
}

fn login_mut<'i>(iam: &'i mut Iam, owner: &str) -> Result<&'i mut Option<Login>, Fault> {
    match owner {
        ROOT => Ok(&mut iam.root_login),
        name => Ok(&mut find::user_mut(iam, name)?.login),
    }
}

fn shown(owner: &str, login: &Login) -> Value {
    let mut value = json!({
        "CreateDate": answer::time(login.created_at),
        "PasswordResetRequired": login.reset_required,
    });
    let name = (owner != ROOT).then(|| json!(owner));
    answer::set(&mut value, "UserName", name);
    value
}

fn missing(owner: &str) -> Fault {
    fault::missing(format!("Login Profile for User {owner} cannot be found."))
}

fn reset_required(call: &Call<'_>) -> Option<bool> {
    call.text("PasswordResetRequired")
        .map(|text| text == "true")
}

/// `CreateLoginProfile`. The root user of a member account that has no password gets one without saying which: it is
/// chosen later by mail (docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html).
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let owner = find::known_owner(iam, call)?;
    let password = match call.text("Password") {
        None if owner == ROOT => String::new(),
        None => call.required("Password")?,
        Some(password) => password,
    };
    if owner != ROOT {
        passwords::check(iam, call, &password)?;
    }
    if login(iam, &owner).is_some() {
        return Err(fault::exists(format!(
            "Login Profile for user {owner} already exists."
        )));
    }
    let login = Login {
        password,
        created_at: call.at.seconds(),
        reset_required: reset_required(call).unwrap_or(false),
    };
    let value = json!({"LoginProfile": shown(&owner, &login)});
    *login_mut(find::change(world, call)?, &owner)? = Some(login);
    Ok(Reply {
        recorded: Recorded {
            request: Some(record::request_without(call, &["Password"])),
            ..Recorded::default()
        },
        ..Reply::of(value)
    })
}

/// `GetLoginProfile`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let owner = find::known_owner(iam, call)?;
    let login = login(iam, &owner).ok_or_else(|| missing(&owner))?;
    Ok(Reply::of(json!({"LoginProfile": shown(&owner, login)})))
}

/// `UpdateLoginProfile`.
pub(super) fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let owner = call.required("UserName")?;
    find::user(iam, &owner)?;
    login(iam, &owner).ok_or_else(|| missing(&owner))?;
    let password = call.text("Password");
    if let Some(password) = &password {
        passwords::check(iam, call, password)?;
    }
    if let Some(login) = login_mut(find::change(world, call)?, &owner)? {
        login.reset_required = reset_required(call).unwrap_or(login.reset_required);
        login.password = password.unwrap_or_else(|| login.password.clone());
    }
    Ok(record::quiet(call, &["Password"]))
}

/// `DeleteLoginProfile`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let owner = find::known_owner(iam, call)?;
    login(iam, &owner).ok_or_else(|| missing(&owner))?;
    *login_mut(find::change(world, call)?, &owner)? = None;
    Ok(answer::nothing())
}

/// `ChangePassword`, which a user does for itself.
pub(super) fn change_own(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let Who::User { name, .. } = &call.caller.who else {
        return Err(fault::other(
            400,
            "InvalidUserType",
            "Only IAM Users can change their own password",
        ));
    };
    let (old, new) = (call.required("OldPassword")?, call.required("NewPassword")?);
    let iam = find::iam(world, call)?;
    let login = login(iam, name).ok_or_else(|| missing(name))?;
    if login.password != old {
        return Err(Fault::denied("The old password was incorrect."));
    }
    passwords::check(iam, call, &new)?;
    if let Some(login) = login_mut(find::change(world, call)?, name)? {
        login.password = new;
        login.reset_required = false;
    }
    Ok(record::quiet(call, &["OldPassword", "NewPassword"]))
}
