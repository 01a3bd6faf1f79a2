//! Instance profiles: how a role gets to an EC2 instance.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Iam, InstanceProfile, answer, fault, find, names, page};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Most instance profiles of an account.
const MOST: usize = 1000;

/// A profile with its tags.
fn shown(here: (&str, &Iam), name: &str, profile: &InstanceProfile) -> Value {
    let mut value = answer::profile(here, name, profile);
    if let Some(tags) = here.1.tags.get(&profile.arn(here.0, name)) {
        answer::set_tags(&mut value, tags);
    }
    value
}

/// `CreateInstanceProfile`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = names::new(call, "InstanceProfileName", 128)?;
    let (path, tags) = (names::path(call, "Path")?, names::tags(call)?);
    let iam = find::iam(world, call)?;
    if find::taken(iam.instance_profiles.keys(), &name) {
        return Err(fault::exists(format!(
            "Instance Profile {name} already exists."
        )));
    }
    if iam.instance_profiles.len() >= MOST {
        return Err(fault::quota("InstanceProfilesPerAccount", MOST));
    }
    let account = &call.caller.account;
    let profile = InstanceProfile {
        id: world.ids.unique("AIPA", account),
        path,
        created_at: call.at.seconds(),
        role: None,
    };
    let iam = find::change(world, call)?;
    if !tags.is_empty() {
        iam.tags.insert(profile.arn(account, &name), tags);
    }
    let value = shown((account, iam), &name, &profile);
    iam.instance_profiles.insert(name, profile);
    Ok(Reply::of(json!({ "InstanceProfile": value })))
}

/// `GetInstanceProfile`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("InstanceProfileName")?;
    let here = answer::here(world, call)?;
    let profile = shown(here, &name, find::profile(here.1, &name)?);
    Ok(Reply::of(json!({ "InstanceProfile": profile })))
}

/// `ListInstanceProfiles`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let here = answer::here(world, call)?;
    let prefix = names::path_prefix(call);
    let profiles = here.1.instance_profiles.iter();
    let rows = profiles
        .filter(|(_, profile)| profile.path.starts_with(&prefix))
        .map(|(name, profile)| (name.clone(), answer::profile(here, name, profile)));
    page::list(call, "InstanceProfiles", rows)
}

/// `ListInstanceProfilesForRole`.
pub(super) fn of_role(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let role = call.required("RoleName")?;
    let here = answer::here(world, call)?;
    find::role(here.1, &role)?;
    let rows = with_role(here.1, &role)
        .map(|(name, profile)| (name.clone(), answer::profile(here, name, profile)));
    page::list(call, "InstanceProfiles", rows)
}

fn with_role<'i>(
    iam: &'i Iam,
    role: &str,
) -> impl Iterator<Item = (&'i String, &'i InstanceProfile)> {
    iam.instance_profiles
        .iter()
        .filter(move |(_, profile)| profile.role.as_deref() == Some(role))
}

/// All instance profiles that hold a role.
pub(super) fn holding(here: (&str, &Iam), role: &str) -> Value {
    with_role(here.1, role)
        .map(|(name, profile)| answer::profile(here, name, profile))
        .collect()
}

/// `DeleteInstanceProfile`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = call.required("InstanceProfileName")?;
    let profile = find::profile(find::iam(world, call)?, &name)?;
    if profile.role.is_some() {
        return Err(fault::must_first("remove roles from instance profile"));
    }
    let arn = profile.arn(&call.caller.account, &name);
    let iam = find::change(world, call)?;
    iam.instance_profiles.remove(&name);
    iam.tags.remove(&arn);
    Ok(answer::nothing())
}

/// `AddRoleToInstanceProfile`: one role at most.
pub(super) fn add_role(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, role) = names_of(call)?;
    let iam = find::iam(world, call)?;
    let full = find::profile(iam, &name)?.role.is_some();
    find::own_role(iam, &role)?;
    if full {
        return Err(fault::quota("InstanceSessionsPerInstanceProfile", 1));
    }
    find::profile_mut(find::change(world, call)?, &name)?.role = Some(role);
    Ok(answer::nothing())
}

/// `RemoveRoleFromInstanceProfile`.
pub(super) fn remove_role(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, role) = names_of(call)?;
    let there = &find::profile(find::iam(world, call)?, &name)?.role;
    if there.as_ref() != Some(&role) {
        let message = format!("The role with name {role} cannot be found in the instance profile.");
        return Err(fault::missing(message));
    }
    find::profile_mut(find::change(world, call)?, &name)?.role = None;
    Ok(answer::nothing())
}

fn names_of(call: &Call<'_>) -> Result<(String, String), Fault> {
    Ok((
        call.required("InstanceProfileName")?,
        call.required("RoleName")?,
    ))
}

/// The ARN of the profile that a call names and its tags.
fn tags_of(world: &World, call: &Call<'_>) -> Result<(String, BTreeMap<String, String>), Fault> {
    let name = call.required("InstanceProfileName")?;
    let iam = find::iam(world, call)?;
    let arn = find::profile(iam, &name)?.arn(&call.caller.account, &name);
    let tags = iam.tags.get(&arn).cloned().unwrap_or_default();
    Ok((arn, tags))
}

/// `TagInstanceProfile`.
pub(super) fn tag(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, there) = tags_of(world, call)?;
    let tags = names::added_tags(call, &there)?;
    find::change(world, call)?.tags.insert(arn, tags);
    Ok(answer::nothing())
}

/// `UntagInstanceProfile`.
pub(super) fn untag(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (arn, mut tags) = tags_of(world, call)?;
    let keys = names::tag_keys(call);
    tags.retain(|key, _| !keys.contains(key));
    find::change(world, call)?.tags.insert(arn, tags);
    Ok(answer::nothing())
}

/// `ListInstanceProfileTags`.
pub(super) fn list_tags(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (_, tags) = tags_of(world, call)?;
    page::tags(call, &tags)
}
