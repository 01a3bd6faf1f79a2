//! Managed policies on users, groups and roles.

use super::holder::Holder;
use super::{answer, fault, find, names, page};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Most managed policies on one user, group or role.
const MOST: usize = 10;

/// `AttachUserPolicy`, `AttachGroupPolicy`, `AttachRolePolicy`. What is attached already stays attached.
pub(super) fn attach(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let holder = Holder::of(call)?;
    let arn = call.required("PolicyArn")?;
    let iam = find::iam(world, call)?;
    let attached = holder.own(iam)?;
    check_attachable(iam, &arn)?;
    if attached.managed.contains(&arn) {
        return Ok(answer::nothing());
    }
    if attached.managed.len() >= MOST {
        let name = format!("PoliciesPer{}", holder.kind.title());
        return Err(fault::quota(&name, MOST));
    }
    holder
        .attached_mut(find::change(world, call)?)?
        .managed
        .push(arn);
    Ok(answer::nothing())
}

/// A policy of AWS or of this account.
pub(super) fn check_attachable(iam: &super::Iam, arn: &str) -> Result<(), Fault> {
    if !arn.starts_with("arn:") {
        return Err(fault::input(format!("ARN {arn} is not valid.")));
    }
    match iam.managed(arn) {
        Some(_) => Ok(()),
        None => Err(fault::missing(format!(
            "Policy {arn} does not exist or is not attachable."
        ))),
    }
}

/// `DetachUserPolicy`, `DetachGroupPolicy`, `DetachRolePolicy`.
pub(super) fn detach(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let holder = Holder::of(call)?;
    let arn = call.required("PolicyArn")?;
    if !holder.own(find::iam(world, call)?)?.managed.contains(&arn) {
        return Err(find::no_policy(&arn));
    }
    holder
        .attached_mut(find::change(world, call)?)?
        .managed
        .retain(|there| *there != arn);
    Ok(answer::nothing())
}

/// `ListAttachedUserPolicies`, `ListAttachedGroupPolicies`, `ListAttachedRolePolicies`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let attached = Holder::of(call)?.attached(iam)?;
    let prefix = names::path_prefix(call);
    let mut arns: Vec<&String> = attached
        .managed
        .iter()
        .filter(|arn| path_of(iam, arn).starts_with(&prefix))
        .collect();
    arns.sort();
    let rows = arns
        .into_iter()
        .map(|arn| (arn.clone(), answer::attached_policy(arn)));
    page::list(call, "AttachedPolicies", rows)
}

fn path_of<'i>(iam: &'i super::Iam, arn: &str) -> &'i str {
    iam.managed(arn).map_or("/", |policy| &policy.path)
}
