//! Tags of users and roles.

use super::holder::Holder;
use super::{answer, find, names, page};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// `TagUser`, `TagRole`.
pub(super) fn add(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let holder = Holder::of(call)?;
    let there = &holder.own(find::iam(world, call)?)?.tags;
    let tags = names::added_tags(call, there)?;
    holder.attached_mut(find::change(world, call)?)?.tags = tags;
    Ok(answer::nothing())
}

/// `UntagUser`, `UntagRole`.
pub(super) fn remove(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let holder = Holder::of(call)?;
    holder.own(find::iam(world, call)?)?;
    let keys = names::tag_keys(call);
    let attached = holder.attached_mut(find::change(world, call)?)?;
    attached.tags.retain(|key, _| !keys.contains(key));
    Ok(answer::nothing())
}

/// `ListUserTags`, `ListRoleTags`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let attached = Holder::of(call)?.attached(find::iam(world, call)?)?;
    page::tags(call, &attached.tags)
}
