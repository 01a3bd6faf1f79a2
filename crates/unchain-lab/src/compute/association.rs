//! Which instance profile an instance has: given, exchanged and taken, which is what takes the role from a machine that
//! runs.

use serde_json::{Map, Value, json};

use super::ec2::{
    Instance, arn, associate_asks_on, error, known_profile, not_found, own, shown_profile,
};
use crate::call::{Call, Fault, Recorded, Reply};
use crate::operation::Ask;
use crate::trail::elements;
use crate::world::World;

/// A new association's id.
pub(super) fn id(world: &mut World) -> String {
    format!("iip-assoc-0{:016x}", world.ids.number())
}

/// The instance of the caller's that an association is of.
fn instance(world: &World, call: &Call<'_>) -> Result<String, Fault> {
    let wanted = call.text("AssociationId").unwrap_or_default();
    let found = own(world, call).find(|(_, instance)| {
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

fn shown(world: &World, (id, instance): (&str, &Instance)) -> Option<Value> {
    let (name, association) = instance.profile.as_ref()?;
    Some(json!({
        "AssociationId": association,
        "InstanceId": id,
        "IamInstanceProfile": shown_profile(world, instance, name),
        "State": "associated",
    }))
}

/// The association that an instance has now. CloudTrail keeps the whole request under the name of its element, in the
/// API's names (recorded events of AssociateIamInstanceProfile).
fn answered(world: &World, call: &Call<'_>, id: &str) -> Reply {
    let instance = world.compute.instances.get(id);
    let shown = instance.and_then(|instance| shown(world, (id, instance)));
    let answer = json!({ "IamInstanceProfileAssociation": shown });
    let around = |end: &str, inside: Value| {
        let name = format!("{}{end}", call.operation.name);
        Value::Object(Map::from_iter([(name, inside)]))
    };
    let recorded = Recorded {
        request: Some(around("Request", Value::Object(call.params.clone()))),
        response: Some(around("Response", elements::response(&answer))),
        ..Recorded::default()
    };
    Reply {
        recorded,
        ..Reply::of(answer)
    }
}

/// The profile that a call must name.
fn profile(world: &World, call: &Call<'_>) -> Result<String, Fault> {
    known_profile(world, call)?.ok_or_else(|| {
        error(
            "MissingParameter",
            "The request must contain the parameter IamInstanceProfile",
        )
    })
}

pub(super) fn associate(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.text("InstanceId").unwrap_or_default();
    let name = profile(world, call)?;
    let found = own(world, call).find(|(known, _)| **known == id);
    let (_, instance) = found.ok_or_else(|| not_found(&id))?;
    if instance.profile.is_some() {
        return Err(error(
            "IncorrectState",
            "There is an existing association for instance",
        ));
    }
    give(world, &id, name);
    Ok(answered(world, call, &id))
}

fn give(world: &mut World, id: &str, profile: String) {
    let association = self::id(world);
    if let Some(instance) = world.compute.instances.get_mut(id) {
        instance.profile = Some((profile, association));
    }
}

pub(super) fn replace(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = instance(world, call)?;
    let name = profile(world, call)?;
    give(world, &id, name);
    Ok(answered(world, call, &id))
}

pub(super) fn disassociate(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = instance(world, call)?;
    let mut reply = answered(world, call, &id);
    if let Some(state) = reply
        .value
        .pointer_mut("/IamInstanceProfileAssociation/State")
    {
        *state = "disassociating".into();
    }
    if let Some(instance) = world.compute.instances.get_mut(&id) {
        instance.profile = None;
    }
    Ok(reply)
}

/// Filters are not offered.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let all: Vec<Value> = own(world, call)
        .filter_map(|(id, instance)| shown(world, (id, instance)))
        .collect();
    Ok(Reply::of(json!({ "IamInstanceProfileAssociations": all })))
}
