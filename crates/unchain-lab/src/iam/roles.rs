//! Roles and their trust policies.

use serde_json::json;
use unchain_trail::Prefix;

use super::principals::{self, Gone};
use super::{Attached, Role, answer, boundary, documents, fault, find, names, page};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Most roles in an account.
const MOST: usize = 1000;

/// `CreateRole`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = names::new(call, "RoleName", 64)?;
    let path = unreserved_path(call, &name)?;
    let max_session = max_session(call)?.unwrap_or(3600);
    let description = names::description(call)?;
    let iam = find::iam(world, call)?;
    let attached = Attached {
        boundary: boundary::of_new(iam, call)?,
        tags: names::tags(call)?,
        ..Attached::default()
    };
    if find::taken(iam.roles.keys(), &name) {
        return Err(fault::exists(format!(
            "Role with name {name} already exists."
        )));
    }
    if iam.roles.len() >= MOST {
        return Err(fault::quota("RolesPerAccount", MOST));
    }
    let trust = documents::trust(world, &call.required("AssumeRolePolicyDocument")?)?;
    let role = Role {
        id: world.ids.identifier(Prefix::Role, &call.caller.account),
        path,
        created_at: call.at.seconds(),
        attached,
        trust,
        max_session,
        description,
        last_used: None,
    };
    keep(world, call, (name, role))
}

/// Puts a new role in its place and answers with it.
pub(super) fn keep(
    world: &mut World,
    call: &Call<'_>,
    (name, role): (String, Role),
) -> Result<Reply, Fault> {
    let mut value = answer::role_made(&call.caller.account, &name, &role);
    answer::set_role_extras(&mut value, &role);
    find::change(world, call)?.roles.insert(name, role);
    Ok(Reply::of(json!({ "Role": value })))
}

fn unreserved_path(call: &Call<'_>, name: &str) -> Result<String, Fault> {
    let path = names::path(call, "Path")?;
    let reserved = path.starts_with("/aws-service-role/") || path.starts_with("/aws-reserved/");
    if reserved || name.starts_with("AWSReservedSSO_") || name.starts_with("AWSServiceRoleFor") {
        return Err(fault::invalid(format!(
            "The role {path}{name} has a path or a name that is reserved for AWS."
        )));
    }
    Ok(path)
}

fn max_session(call: &Call<'_>) -> Result<Option<i64>, Fault> {
    let asked = call.number("MaxSessionDuration")?;
    let rule = match asked {
        Some(seconds) if seconds < 3600 => "have value greater than or equal to 3600",
        Some(seconds) if seconds > 43_200 => "have value less than or equal to 43200",
        _ => return Ok(asked),
    };
    let value = asked.unwrap_or_default().to_string();
    Err(fault::constraint("MaxSessionDuration", &value, rule))
}

/// `GetRole`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("RoleName")?;
    let (account, iam) = answer::here(world, call)?;
    let role = answer::role(account, &name, find::role(iam, &name)?);
    Ok(Reply::of(json!({ "Role": role })))
}

/// `ListRoles`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (account, iam) = answer::here(world, call)?;
    let prefix = names::path_prefix(call);
    let rows = iam
        .roles
        .iter()
        .filter(|(_, role)| role.path.starts_with(&prefix))
        .map(|(name, role)| (name.clone(), answer::role_listed(account, name, role)));
    page::list(call, "Roles", rows)
}

/// `UpdateRole`.
pub(super) fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("RoleName")?;
    let (seconds, description) = (max_session(call)?, names::description(call)?);
    find::own_role(find::iam(world, call)?, &name)?;
    let role = find::role_mut(find::change(world, call)?, &name)?;
    role.max_session = seconds.unwrap_or(role.max_session);
    role.description = description.or(role.description.take());
    // Its result is an element with nothing in it, unlike that of operations that answer nothing.
    Ok(Reply::of(json!({})))
}

/// `UpdateRoleDescription`, which also a service-linked role bears.
pub(super) fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("RoleName")?;
    let description = names::description(call)?;
    find::role(find::iam(world, call)?, &name)?;
    let role = find::role_mut(find::change(world, call)?, &name)?;
    role.description = description;
    let value = answer::role_listed(&call.caller.account, &name, role);
    Ok(Reply::of(json!({ "Role": value })))
}

/// `UpdateAssumeRolePolicy`.
pub(super) fn update_trust(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("RoleName")?;
    find::own_role(find::iam(world, call)?, &name)?;
    let trust = documents::trust(world, &call.required("PolicyDocument")?)?;
    find::role_mut(find::change(world, call)?, &name)?.trust = trust;
    Ok(answer::nothing())
}

/// `DeleteRole`. Who trusted it trusts nobody of its name afterwards.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("RoleName")?;
    let iam = find::iam(world, call)?;
    let role = find::own_role(iam, &name)?;
    let in_profile = iam
        .instance_profiles
        .values()
        .any(|profile| profile.role.as_ref() == Some(&name));
    let first = if in_profile {
        Some("remove roles from instance profile")
    } else if !role.attached.managed.is_empty() {
        Some("detach all policies")
    } else if !role.attached.inline.is_empty() {
        Some("delete policies")
    } else {
        None
    };
    if let Some(first) = first {
        return Err(fault::must_first(first));
    }
    remove(world, call, &name)
}

/// Takes a role away.
pub(super) fn remove(world: &mut World, call: &Call<'_>, name: &str) -> Result<Reply, Fault> {
    let role = find::role(find::iam(world, call)?, name)?;
    let (arn, id) = (role.arn(&call.caller.account, name), role.id.clone());
    find::change(world, call)?.roles.remove(name);
    principals::rewrite(
        world,
        &Gone {
            arn: &arn,
            now: &id,
        },
    );
    Ok(answer::nothing())
}
