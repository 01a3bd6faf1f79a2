//! The root and the organizational units.

use serde_json::{Value, json};

use super::{Organization, Unit, account, error, short_id, to_read, tree_to_change};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// How deep units may be nested
/// (docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
const DEEPEST: usize = 5;

fn no_parent() -> Fault {
    error(
        "ParentNotFoundException",
        "We can't find a root or OU with the ParentId that you specified.",
    )
}

pub(super) fn root(organization: &Organization) -> Value {
    let types: Vec<Value> = organization
        .tree
        .enabled
        .iter()
        .map(|kind| json!({ "Type": kind.name(), "Status": "ENABLED" }))
        .collect();
    let id = &organization.tree.root;
    json!({ "Id": id, "Arn": organization.arn("root", id), "Name": "Root", "PolicyTypes": types })
}

pub(super) fn roots(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let root = root(to_read(world, call)?);
    Ok(Reply::of(json!({ "Roots": [root] })))
}

fn shown(organization: &Organization, (id, unit): (&str, &Unit)) -> Value {
    json!({ "Id": id, "Arn": organization.arn("ou", id), "Name": unit.name })
}

/// A root, unit or account as the target of a policy.
pub(super) fn target(organization: &Organization, id: &str) -> Value {
    let (kind, in_arn, name) = match (
        organization.tree.units.get(id),
        organization.members.get(id),
    ) {
        (Some(unit), _) => ("ORGANIZATIONAL_UNIT", "ou", unit.name.as_str()),
        (None, Some(member)) => ("ACCOUNT", "account", member.name.as_str()),
        (None, None) => ("ROOT", "root", "Root"),
    };
    json!({ "TargetId": id, "Arn": organization.arn(in_arn, id), "Name": name, "Type": kind })
}

pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (parent, name) = (call.required("ParentId")?, call.required("Name")?);
    let random = short_id(&mut world.ids, "", 8);
    let tree = tree_to_change(world, call)?;
    if !tree.is_parent(&parent) {
        return Err(no_parent());
    }
    if tree.path(&parent).len() > DEEPEST {
        return Err(error(
            "ConstraintViolationException",
            "You have exceeded the maximum depth of organizational units.",
        ));
    }
    let unit = Unit { name, parent };
    if tree.units.values().any(|other| *other == unit) {
        return Err(error(
            "DuplicateOrganizationalUnitException",
            "An OU with the same name already exists.",
        ));
    }
    let root = tree.root.trim_start_matches("r-");
    let id = format!("ou-{root}-{random}");
    tree.units.insert(id.clone(), unit.clone());
    tree.open(&id);
    let shown = shown(to_read(world, call)?, (&id, &unit));
    Ok(Reply::of(json!({ "OrganizationalUnit": shown })))
}

/// The organization and the parent that a listing names.
fn below<'a>(world: &'a World, call: &Call<'_>) -> Result<(&'a Organization, String), Fault> {
    let parent = call.required("ParentId")?;
    let organization = to_read(world, call)?;
    match organization.tree.is_parent(&parent) {
        true => Ok((organization, parent)),
        false => Err(no_parent()),
    }
}

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (organization, parent) = below(world, call)?;
    let units: Vec<Value> = organization
        .tree
        .units
        .iter()
        .filter(|(_, unit)| unit.parent == parent)
        .map(|(id, unit)| shown(organization, (id, unit)))
        .collect();
    Ok(Reply::of(json!({ "OrganizationalUnits": units })))
}

pub(super) fn accounts(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (organization, parent) = below(world, call)?;
    let accounts: Vec<Value> = organization
        .tree
        .accounts
        .iter()
        .filter(|(_, of)| **of == parent)
        .filter_map(|(id, _)| account::shown(organization, id))
        .collect();
    Ok(Reply::of(json!({ "Accounts": accounts })))
}

pub(super) fn parents(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let child = call.required("ChildId")?;
    let tree = &to_read(world, call)?.tree;
    let parent = tree.parent(&child).ok_or_else(|| {
        error(
            "ChildNotFoundException",
            "We can't find an organizational unit (OU) or AWS account with the ChildId that you specified.",
        )
    })?;
    let kind = match tree.root == parent {
        true => "ROOT",
        false => "ORGANIZATIONAL_UNIT",
    };
    Ok(Reply::of(
        json!({ "Parents": [{ "Id": parent, "Type": kind }] }),
    ))
}

pub(super) fn children(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (organization, parent) = below(world, call)?;
    let kind = call.required("ChildType")?;
    let tree = &organization.tree;
    let ids: Vec<&String> = match kind.as_str() {
        "ACCOUNT" => {
            let inside = tree.accounts.iter().filter(|(_, of)| **of == parent);
            inside.map(|(id, _)| id).collect()
        }
        "ORGANIZATIONAL_UNIT" => {
            let inside = tree.units.iter().filter(|(_, unit)| unit.parent == parent);
            inside.map(|(id, _)| id).collect()
        }
        _ => {
            return Err(error(
                "InvalidInputException",
                "You specified an invalid value.",
            ));
        }
    };
    let children: Vec<Value> = ids
        .into_iter()
        .map(|id| json!({ "Id": id, "Type": kind }))
        .collect();
    Ok(Reply::of(json!({ "Children": children })))
}
