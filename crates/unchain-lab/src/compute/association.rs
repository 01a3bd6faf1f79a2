//! Instance profiles that are taken from an instance or exchanged: what takes the role from a machine that runs.

use serde_json::json;

use super::ec2::{
    arn, associate_asks_on, association, error, known_profile, own, shown_association,
};
use crate::call::{Call, Fault, Reply};
use crate::operation::Ask;
use crate::world::World;

/// The instance of the caller's that an association is of.
fn instance(world: &World, call: &Call<'_>) -> Result<String, Fault> {
    let wanted = call.text("AssociationId").unwrap_or_default();
    let mut own = own(world, call);
    let found = own.find(|(_, instance)| {
        let profile = instance.profile.as_ref();
        profile.is_some_and(|(_, association)| *association == wanted)
    });
    found.map(|(id, _)| id.clone()).ok_or_else(|| {
        let message = format!("An invalid association-id of '{wanted}' was given");
        error("InvalidAssociationID.NotFound", message)
    })
}

pub(super) fn disassociate_asks(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let arn = arn(call, &instance(world, call)?);
    Ok(vec![Ask::on("ec2:DisassociateIamInstanceProfile", arn)])
}

pub(super) fn replace_asks(world: &World, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
    let id = instance(world, call)?;
    let action = "ec2:ReplaceIamInstanceProfileAssociation";
    Ok(associate_asks_on(world, call, (action, &id)))
}

pub(super) fn disassociate(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = instance(world, call)?;
    let mut shown = None;
    if let Some(instance) = world.compute.instances.get(&id) {
        shown = shown_association(world, (&id, instance));
    }
    if let Some(fields) = shown.as_mut().and_then(serde_json::Value::as_object_mut) {
        fields.insert("State".to_owned(), "disassociating".into());
    }
    if let Some(instance) = world.compute.instances.get_mut(&id) {
        instance.profile = None;
    }
    Ok(Reply::of(json!({ "IamInstanceProfileAssociation": shown })))
}

pub(super) fn replace(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = instance(world, call)?;
    let name = known_profile(world, call)?.ok_or_else(|| {
        error(
            "MissingParameter",
            "The request must contain the parameter IamInstanceProfile",
        )
    })?;
    let association = association(world);
    if let Some(instance) = world.compute.instances.get_mut(&id) {
        instance.profile = Some((name, association));
    }
    let changed = world.compute.instances.get(&id);
    let shown = changed.and_then(|instance| shown_association(world, (&id, instance)));
    Ok(Reply::of(json!({ "IamInstanceProfileAssociation": shown })))
}
