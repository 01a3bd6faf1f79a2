//! Control policies: writing them, attaching them
//! (docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).

use serde_json::{Value, json};

use super::tree::read;
use super::{
    ControlPolicy, Kind, Organization, Tree, error, short_id, to_read, tree_to_change, unit,
};
use crate::call::{Call, Fault, Reply};
use crate::iam::Document;
use crate::world::World;

/// The longest document, characters.
const LONGEST: usize = 5_120;

/// The most policies of a type on one target.
const MOST: usize = 5;

fn no_policy() -> Fault {
    error(
        "PolicyNotFoundException",
        "We can't find a policy with the PolicyId that you specified.",
    )
}

fn no_target() -> Fault {
    error(
        "TargetNotFoundException",
        "We can't find a root, OU, or account with the TargetId that you specified.",
    )
}

pub(super) fn enable(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let kind = Kind::named(&call.required("PolicyType")?)?;
    let tree = tree_to_change(world, call)?;
    is_root(tree, call)?;
    if !tree.enabled.insert(kind) {
        return Err(error(
            "PolicyTypeAlreadyEnabledException",
            "The specified policy type is already enabled.",
        ));
    }
    for target in tree.targets() {
        tree.open(&target);
    }
    root_answer(world, call)
}

/// All attachments of the type are lost
/// (docs.aws.amazon.com/organizations/latest/APIReference/API_DisablePolicyType.html).
pub(super) fn disable(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let kind = Kind::named(&call.required("PolicyType")?)?;
    let tree = tree_to_change(world, call)?;
    is_root(tree, call)?;
    if !tree.enabled.remove(&kind) {
        return Err(not_enabled());
    }
    let Tree {
        attached, policies, ..
    } = tree;
    for ids in attached.values_mut() {
        ids.retain(|id| policies.get(id).is_some_and(|policy| policy.kind != kind));
    }
    root_answer(world, call)
}

fn not_enabled() -> Fault {
    error(
        "PolicyTypeNotEnabledException",
        "This operation can be performed only for enabled policy types.",
    )
}

fn is_root(tree: &Tree, call: &Call<'_>) -> Result<(), Fault> {
    match call.required("RootId")? == tree.root {
        true => Ok(()),
        false => Err(error(
            "RootNotFoundException",
            "We can't find a root with the RootId that you specified.",
        )),
    }
}

fn root_answer(world: &World, call: &Call<'_>) -> Result<Reply, Fault> {
    let root = unit::root(to_read(world, call)?);
    Ok(Reply::of(json!({ "Root": root })))
}

fn document(id: &str, text: &str, kind: Kind) -> Result<Document, Fault> {
    if text.chars().count() > LONGEST {
        return Err(error(
            "ConstraintViolationException",
            "You have exceeded the maximum length of a policy.",
        ));
    }
    let document = read(id, text)?;
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let statements = match json.get("Statement") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    let fits = statements.iter().all(|statement| match kind {
        Kind::ServiceControl => {
            statement.get("Principal").is_none() && statement.get("NotPrincipal").is_none()
        }
        Kind::ResourceControl => {
            statement.get("Principal").is_some_and(is_everyone)
                && statement.get("Effect").and_then(Value::as_str) == Some("Deny")
        }
    });
    match fits && !statements.is_empty() {
        true => Ok(document),
        false => Err(error(
            "MalformedPolicyDocumentException",
            "The provided policy document does not meet the requirements of the specified policy type.",
        )),
    }
}

fn is_everyone(principal: &Value) -> bool {
    principal.as_str() == Some("*") || principal.get("AWS").and_then(Value::as_str) == Some("*")
}

pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let kind = Kind::named(&call.required("Type")?)?;
    let name = call.required("Name")?;
    let id = short_id(&mut world.ids, "p-", 10);
    let policy = ControlPolicy {
        document: document(&id, &call.required("Content")?, kind)?,
        description: call.text("Description").unwrap_or_default(),
        name,
        kind,
    };
    let tree = tree_to_change(world, call)?;
    if tree
        .policies
        .values()
        .any(|other| other.name == policy.name)
    {
        return Err(error(
            "DuplicatePolicyException",
            "A policy with the same name already exists.",
        ));
    }
    tree.policies.insert(id.clone(), policy);
    described(world, call, &id)
}

pub(super) fn update(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("PolicyId")?;
    let tree = tree_to_change(world, call)?;
    let policy = tree.policies.get_mut(&id).ok_or_else(no_policy)?;
    if is_aws(&id) {
        return Err(super::no_access());
    }
    if let Some(text) = call.text("Content") {
        policy.document = document(&id, &text, policy.kind)?;
    }
    if let Some(name) = call.text("Name") {
        policy.name = name;
    }
    if let Some(description) = call.text("Description") {
        policy.description = description;
    }
    described(world, call, &id)
}

pub(super) fn describe(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    described(world, call, &call.required("PolicyId")?)
}

fn described(world: &World, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
    let organization = to_read(world, call)?;
    let policy = organization.tree.policies.get(id).ok_or_else(no_policy)?;
    let summary = summary(organization, (id, policy));
    Ok(Reply::of(json!({ "Policy": {
        "PolicySummary": summary,
        "Content": policy.document.text,
    } })))
}

fn is_aws(id: &str) -> bool {
    [Kind::ServiceControl, Kind::ResourceControl]
        .iter()
        .any(|kind| kind.full_access() == id)
}

fn summary(organization: &Organization, (id, policy): (&str, &ControlPolicy)) -> Value {
    let (management, kind) = (&organization.management, policy.kind.in_arn());
    let arn = match is_aws(id) {
        true => format!("arn:aws:organizations::aws:policy/{kind}/{id}"),
        false => format!(
            "arn:aws:organizations::{management}:policy/{}/{kind}/{id}",
            organization.id
        ),
    };
    json!({
        "Id": id,
        "Arn": arn,
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.kind.name(),
        "AwsManaged": is_aws(id),
    })
}

pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("PolicyId")?;
    let tree = tree_to_change(world, call)?;
    if !tree.policies.contains_key(&id) {
        return Err(no_policy());
    }
    if is_aws(&id) {
        return Err(super::no_access());
    }
    if tree.attached.values().any(|ids| ids.contains(&id)) {
        return Err(error(
            "PolicyInUseException",
            "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts \
             before performing this operation.",
        ));
    }
    tree.policies.remove(&id);
    Ok(Reply::default())
}

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let kind = Kind::named(&call.required("Filter")?)?;
    let organization = to_read(world, call)?;
    let policies: Vec<Value> = organization
        .tree
        .policies
        .iter()
        .filter(|(_, policy)| policy.kind == kind)
        .map(|(id, policy)| summary(organization, (id, policy)))
        .collect();
    Ok(Reply::of(json!({ "Policies": policies })))
}

pub(super) fn attach(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (id, target) = (call.required("PolicyId")?, call.required("TargetId")?);
    let tree = tree_to_change(world, call)?;
    let kind = tree.policies.get(&id).ok_or_else(no_policy)?.kind;
    if !tree.has(&target) {
        return Err(no_target());
    }
    if !tree.enabled.contains(&kind) {
        return Err(not_enabled());
    }
    if tree.on(&target, kind).any(|(attached, _)| *attached == id) {
        return Err(error(
            "DuplicatePolicyAttachmentException",
            "The selected policy is already attached to the specified target.",
        ));
    }
    if tree.on(&target, kind).count() >= MOST {
        return Err(error(
            "ConstraintViolationException",
            "You have attached the maximum number of policies to the specified target.",
        ));
    }
    tree.attached.entry(target).or_default().push(id);
    Ok(Reply::default())
}

/// The last service control policy of a target stays.
pub(super) fn detach(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (id, target) = (call.required("PolicyId")?, call.required("TargetId")?);
    let tree = tree_to_change(world, call)?;
    let kind = tree.policies.get(&id).ok_or_else(no_policy)?.kind;
    if !tree.has(&target) {
        return Err(no_target());
    }
    if !tree.on(&target, kind).any(|(attached, _)| *attached == id) {
        return Err(error(
            "PolicyNotAttachedException",
            "The policy isn't attached to the specified target in the specified root.",
        ));
    }
    let last = kind == Kind::ServiceControl && tree.on(&target, kind).count() == 1;
    if last || id == Kind::ResourceControl.full_access() {
        return Err(error(
            "ConstraintViolationException",
            "You cannot remove the last policy of the specified type from the specified target.",
        ));
    }
    if let Some(ids) = tree.attached.get_mut(&target) {
        ids.retain(|attached| *attached != id);
    }
    Ok(Reply::default())
}

pub(super) fn list_for_target(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (kind, target) = (
        Kind::named(&call.required("Filter")?)?,
        call.required("TargetId")?,
    );
    let organization = to_read(world, call)?;
    if !organization.tree.has(&target) {
        return Err(no_target());
    }
    let policies: Vec<Value> = organization
        .tree
        .on(&target, kind)
        .map(|(id, policy)| summary(organization, (id, policy)))
        .collect();
    Ok(Reply::of(json!({ "Policies": policies })))
}

pub(super) fn targets(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let id = call.required("PolicyId")?;
    let organization = to_read(world, call)?;
    let tree = &organization.tree;
    if !tree.policies.contains_key(&id) {
        return Err(no_policy());
    }
    let attached = tree.attached.iter().filter(|(_, ids)| ids.contains(&id));
    let targets: Vec<Value> = attached
        .map(|(target, _)| unit::target(organization, target))
        .collect();
    Ok(Reply::of(json!({ "Targets": targets })))
}
