//! The instances that a story takes for granted: those that it gives a profile to without having started them.

use unchain_trail::{Script, Step};

use crate::compute::Instance;
use crate::world::World;

/// Sets them up, under the ids of the story.
pub(super) fn set(world: &mut World, script: &Script) {
    for (id, instance) in script
        .steps
        .iter()
        .filter_map(|step| started(step, world.now))
    {
        world.compute.instances.entry(id).or_insert(instance);
    }
}

/// The instance that a step needs.
fn started(step: &Step, at: i64) -> Option<(String, Instance)> {
    if step.call != "AssociateIamInstanceProfile" {
        return None;
    }
    let own = step.own()?;
    let id = own
        .params
        .pointer("/AssociateIamInstanceProfileRequest/InstanceId")?
        .as_str()?;
    let instance = Instance {
        account: own.recipient.clone(),
        region: own.region.clone(),
        reservation: id.replacen("i-", "r-", 1),
        image: "ami-0123456789abcdef0".to_owned(),
        kind: "t3.micro".to_owned(),
        launched_at: at,
        profile: None,
        tokens_required: false,
        terminated: false,
        tags: std::collections::BTreeMap::new(),
    };
    Some((id.to_owned(), instance))
}
