//! Permissions boundaries of users and roles
//! (docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html).

use super::holder::Holder;
use super::{Iam, answer, fault, find};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// The boundary that a new user or role is given.
pub(super) fn of_new(iam: &Iam, call: &Call<'_>) -> Result<Option<String>, Fault> {
    let Some(arn) = call.text("PermissionsBoundary") else {
        return Ok(None);
    };
    check(iam, &arn)?;
    Ok(Some(arn))
}

fn check(iam: &Iam, arn: &str) -> Result<(), Fault> {
    if iam.managed(arn).is_none() {
        return Err(fault::missing(format!(
            "Scope ARN: {arn} does not exist or is not attachable."
        )));
    }
    Ok(())
}

/// `PutUserPermissionsBoundary`, `PutRolePermissionsBoundary`.
pub(super) fn put(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let holder = Holder::of(call)?;
    let arn = call.required("PermissionsBoundary")?;
    let iam = find::iam(world, call)?;
    holder.own(iam)?;
    check(iam, &arn)?;
    holder.attached_mut(find::change(world, call)?)?.boundary = Some(arn);
    Ok(answer::nothing())
}

/// `DeleteUserPermissionsBoundary`, `DeleteRolePermissionsBoundary`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let holder = Holder::of(call)?;
    if holder.own(find::iam(world, call)?)?.boundary.is_none() {
        return Err(fault::missing(format!(
            "{} {} does not have a permission boundary attached.",
            holder.kind.title(),
            holder.name
        )));
    }
    holder.attached_mut(find::change(world, call)?)?.boundary = None;
    Ok(answer::nothing())
}
