//! Inline policies of users, groups and roles.

use serde_json::{Map, Value, json};

use super::holder::{Holder, Kind};
use super::{Attached, answer, documents, fault, find, names, page};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// `PutUserPolicy`, `PutGroupPolicy`, `PutRolePolicy`: a policy of that name is replaced.
pub(super) fn put(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let holder = Holder::of(call)?;
    let name = names::new(call, "PolicyName", 128)?;
    let document = documents::identity(&name, &call.required("PolicyDocument")?)?;
    let attached = holder.own(find::iam(world, call)?)?;
    check_size(&holder, attached, (&name, &document.text))?;
    holder
        .attached_mut(find::change(world, call)?)?
        .inline
        .insert(name, document);
    Ok(answer::nothing())
}

/// All inline policies of one holder share one limit.
fn check_size(
    holder: &Holder,
    attached: &Attached,
    (name, text): (&str, &str),
) -> Result<(), Fault> {
    let most = match holder.kind {
        Kind::User => 2048,
        Kind::Group => 5120,
        Kind::Role => 10_240,
    };
    let others = attached.inline.iter().filter(|(other, _)| *other != name);
    let size: usize = others
        .map(|(_, document)| documents::weight(&document.text))
        .sum();
    if size + documents::weight(text) > most {
        return Err(fault::limit(format!(
            "Maximum policy size of {most} bytes exceeded for {} {}",
            holder.kind.word(),
            holder.name
        )));
    }
    Ok(())
}

/// `GetUserPolicy`, `GetGroupPolicy`, `GetRolePolicy`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let holder = Holder::of(call)?;
    let name = call.required("PolicyName")?;
    let attached = holder.attached(find::iam(world, call)?)?;
    let document = attached
        .inline
        .get(&name)
        .ok_or_else(|| missing(&holder, &name))?;
    let mut fields = Map::new();
    fields.insert(
        format!("{}Name", holder.kind.title()),
        Value::String(holder.name.clone()),
    );
    fields.insert("PolicyName".to_owned(), Value::String(name));
    fields.insert("PolicyDocument".to_owned(), answer::document(document));
    Ok(Reply::of(Value::Object(fields)))
}

fn missing(holder: &Holder, name: &str) -> Fault {
    fault::missing(format!(
        "The {} policy with name {name} cannot be found.",
        holder.kind.word()
    ))
}

/// `ListUserPolicies`, `ListGroupPolicies`, `ListRolePolicies`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let attached = Holder::of(call)?.attached(find::iam(world, call)?)?;
    let rows = attached
        .inline
        .keys()
        .map(|name| (name.clone(), json!(name)));
    page::list(call, "PolicyNames", rows)
}

/// `DeleteUserPolicy`, `DeleteGroupPolicy`, `DeleteRolePolicy`.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let holder = Holder::of(call)?;
    let name = call.required("PolicyName")?;
    if !holder
        .own(find::iam(world, call)?)?
        .inline
        .contains_key(&name)
    {
        return Err(missing(&holder, &name));
    }
    holder
        .attached_mut(find::change(world, call)?)?
        .inline
        .remove(&name);
    Ok(answer::nothing())
}
