//! Finding what a call is about, or saying in AWS's words that it is not there.

use super::{Group, Iam, InstanceProfile, ManagedPolicy, ROOT, Role, User, fault};
use crate::call::{Call, Fault};
use crate::session::Who;
use crate::world::World;

/// IAM of the caller's account.
pub(super) fn iam<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Iam, Fault> {
    world
        .iam(&call.caller.account)
        .ok_or_else(|| no_account(call))
}

/// IAM of the caller's account, to change it. Everything that can be refused is refused before.
pub(super) fn change<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Iam, Fault> {
    world
        .change_iam(&call.caller.account)
        .ok_or_else(|| no_account(call))
}

fn no_account(call: &Call<'_>) -> Fault {
    fault::missing(format!("Account {} cannot be found.", call.caller.account))
}

/// A user.
pub(super) fn user<'i>(iam: &'i Iam, name: &str) -> Result<&'i User, Fault> {
    iam.users.get(name).ok_or_else(|| no_user(name))
}

/// A user, to change it.
pub(super) fn user_mut<'i>(iam: &'i mut Iam, name: &str) -> Result<&'i mut User, Fault> {
    iam.users.get_mut(name).ok_or_else(|| no_user(name))
}

fn no_user(name: &str) -> Fault {
    fault::missing(format!("The user with name {name} cannot be found."))
}

/// A group.
pub(super) fn group<'i>(iam: &'i Iam, name: &str) -> Result<&'i Group, Fault> {
    iam.groups.get(name).ok_or_else(|| no_group(name))
}

/// A group, to change it.
pub(super) fn group_mut<'i>(iam: &'i mut Iam, name: &str) -> Result<&'i mut Group, Fault> {
    iam.groups.get_mut(name).ok_or_else(|| no_group(name))
}

fn no_group(name: &str) -> Fault {
    fault::missing(format!("The group with name {name} cannot be found."))
}

/// A role.
pub(super) fn role<'i>(iam: &'i Iam, name: &str) -> Result<&'i Role, Fault> {
    iam.roles.get(name).ok_or_else(|| no_role(name))
}

/// A role that its account may change.
pub(super) fn own_role<'i>(iam: &'i Iam, name: &str) -> Result<&'i Role, Fault> {
    let found = role(iam, name)?;
    if found.protected() {
        return Err(fault::protected(name));
    }
    Ok(found)
}

/// A role, to change it.
pub(super) fn role_mut<'i>(iam: &'i mut Iam, name: &str) -> Result<&'i mut Role, Fault> {
    iam.roles.get_mut(name).ok_or_else(|| no_role(name))
}

fn no_role(name: &str) -> Fault {
    fault::missing(format!("The role with name {name} cannot be found."))
}

/// A managed policy, the account's or AWS's.
pub(super) fn policy<'i>(iam: &'i Iam, arn: &str) -> Result<&'i ManagedPolicy, Fault> {
    iam.managed(arn).ok_or_else(|| no_policy(arn))
}

/// A policy of the account, to change it. AWS's own cannot be changed.
pub(super) fn policy_mut<'i>(iam: &'i mut Iam, arn: &str) -> Result<&'i mut ManagedPolicy, Fault> {
    iam.policies.get_mut(arn).ok_or_else(|| no_policy(arn))
}

/// The fault for a policy that is not there.
pub(super) fn no_policy(arn: &str) -> Fault {
    fault::missing(format!("Policy {arn} was not found."))
}

/// An instance profile.
pub(super) fn profile<'i>(iam: &'i Iam, name: &str) -> Result<&'i InstanceProfile, Fault> {
    iam.instance_profiles
        .get(name)
        .ok_or_else(|| no_profile(name))
}

/// An instance profile, to change it.
pub(super) fn profile_mut<'i>(
    iam: &'i mut Iam,
    name: &str,
) -> Result<&'i mut InstanceProfile, Fault> {
    iam.instance_profiles
        .get_mut(name)
        .ok_or_else(|| no_profile(name))
}

fn no_profile(name: &str) -> Fault {
    fault::missing(format!("Instance Profile {name} cannot be found."))
}

/// Whose keys, password or devices a call is about: the user it names, else the caller. The root user is [`ROOT`].
pub(super) fn owner(call: &Call<'_>) -> Result<String, Fault> {
    if let Some(name) = call.text("UserName") {
        return Ok(name);
    }
    match &call.caller.who {
        Who::User { name, .. } => Ok(name.clone()),
        Who::Root => Ok(ROOT.to_owned()),
        _ => Err(fault::invalid(
            "Must specify userName when calling with non-User credentials",
        )),
    }
}

/// As [`owner`], when it is there.
pub(super) fn known_owner(iam: &Iam, call: &Call<'_>) -> Result<String, Fault> {
    let name = owner(call)?;
    if name != ROOT || call.text("UserName").is_some() {
        user(iam, &name)?;
    }
    Ok(name)
}

/// Names are taken whatever their case.
pub(super) fn taken<'k>(mut names: impl Iterator<Item = &'k String>, name: &str) -> bool {
    names.any(|other| other.eq_ignore_ascii_case(name))
}
