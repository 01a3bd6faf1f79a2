//! Groups and who is in them.

use serde_json::{Value, json};

use super::{Attached, Group, answer, fault, find, names, page};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Most groups in an account.
const MOST: usize = 300;
/// Most groups that a user is in.
const OF_A_USER: usize = 10;

/// `CreateGroup`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = names::new(call, "GroupName", 128)?;
    let path = names::path(call, "Path")?;
    let iam = find::iam(world, call)?;
    if find::taken(iam.groups.keys(), &name) {
        return Err(fault::exists(format!(
            "Group with name {name} already exists."
        )));
    }
    if iam.groups.len() >= MOST {
        return Err(fault::quota("GroupsPerAccount", MOST));
    }
    let group = Group {
        id: world.ids.unique("AGPA", &call.caller.account),
        path,
        created_at: call.at.seconds(),
        attached: Attached::default(),
    };
    let value = json!({"Group": answer::group(&call.caller.account, &name, &group)});
    find::change(world, call)?.groups.insert(name, group);
    Ok(Reply::of(value))
}

/// `GetGroup`: the group and its users.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("GroupName")?;
    let (account, iam) = answer::here(world, call)?;
    let group = answer::group(account, &name, find::group(iam, &name)?);
    let rows = iam
        .users
        .iter()
        .filter(|(_, user)| user.groups.contains(&name))
        .map(|(user_name, user)| {
            let row = answer::user_listed(account, user_name, user);
            (user_name.clone(), row)
        });
    let page = page::page(call, rows)?;
    let value = json!({"Group": group, "Users": page.rows});
    Ok(Reply::of(page::ended(value, page.marker)))
}

/// `ListGroups`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (account, iam) = answer::here(world, call)?;
    let prefix = names::path_prefix(call);
    let rows = iam
        .groups
        .iter()
        .filter(|(_, group)| group.path.starts_with(&prefix))
        .map(|(name, group)| (name.clone(), answer::group(account, name, group)));
    page::list(call, "Groups", rows)
}

/// `DeleteGroup`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("GroupName")?;
    let iam = find::iam(world, call)?;
    let attached = &find::group(iam, &name)?.attached;
    let first = if !attached.managed.is_empty() {
        Some("detach all policies")
    } else if !attached.inline.is_empty() {
        Some("delete policies")
    } else if iam.users.values().any(|user| user.groups.contains(&name)) {
        Some("remove users from group")
    } else {
        None
    };
    if let Some(first) = first {
        return Err(fault::must_first(first));
    }
    find::change(world, call)?.groups.remove(&name);
    Ok(answer::nothing())
}

/// `AddUserToGroup`. Who is in already stays in.
pub(super) fn add_user(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (group, name) = (call.required("GroupName")?, call.required("UserName")?);
    let iam = find::iam(world, call)?;
    find::group(iam, &group)?;
    let groups = &find::user(iam, &name)?.groups;
    if groups.contains(&group) {
        return Ok(answer::nothing());
    }
    if groups.len() >= OF_A_USER {
        return Err(fault::quota("GroupsPerUser", OF_A_USER));
    }
    find::user_mut(find::change(world, call)?, &name)?
        .groups
        .push(group);
    Ok(answer::nothing())
}

/// `RemoveUserFromGroup`.
pub(super) fn remove_user(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (group, name) = (call.required("GroupName")?, call.required("UserName")?);
    let iam = find::iam(world, call)?;
    find::group(iam, &group)?;
    find::user(iam, &name)?;
    find::user_mut(find::change(world, call)?, &name)?
        .groups
        .retain(|there| *there != group);
    Ok(answer::nothing())
}

/// `ListGroupsForUser`.
pub(super) fn of_user(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("UserName")?;
    let (account, iam) = answer::here(world, call)?;
    let user = find::user(iam, &name)?;
    let mut rows: Vec<(String, Value)> = user
        .groups
        .iter()
        .filter_map(|name| Some((name, iam.groups.get(name)?)))
        .map(|(name, group)| (name.clone(), answer::group(account, name, group)))
        .collect();
    rows.sort_by(|(one, _), (two, _)| one.cmp(two));
    page::list(call, "Groups", rows.into_iter())
}
