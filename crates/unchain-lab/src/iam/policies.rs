//! Customer-managed policies, and AWS's own to look at.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::{self, Uses};
use super::{Attached, Iam, ManagedPolicy, aws_managed, documents, fault, find, names, page};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Most customer-managed policies in an account.
const MOST: usize = 1500;
/// Most characters of a managed policy.
const LONGEST: usize = 6144;

/// `CreatePolicy`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let name = names::new(call, "PolicyName", 128)?;
    let path = names::path(call, "Path")?;
    let (description, tags) = (names::description(call)?, names::tags(call)?);
    let account = call.caller.account.clone();
    let arn = format!("arn:aws:iam::{account}:policy{path}{name}");
    let document = document(call, &arn)?;
    check_new(find::iam(world, call)?, &name)?;
    let now = call.at.seconds();
    let policy = ManagedPolicy {
        id: world.ids.unique("ANPA", &account),
        name,
        path,
        versions: BTreeMap::from([(1, (document, now))]),
        default_version: 1,
        newest_version: 1,
        created_at: now,
        description,
        tags,
    };
    let mut value = answer::policy_listed(&arn, &policy, Uses::default());
    answer::set_tags(&mut value, &policy.tags);
    find::change(world, call)?.policies.insert(arn, policy);
    Ok(Reply::of(json!({ "Policy": value })))
}

/// The document of a call that makes a managed policy or a version of one.
pub(super) fn document(call: &Call<'_>, arn: &str) -> Result<super::Document, Fault> {
    let document = documents::identity(arn, &call.required("PolicyDocument")?)?;
    if documents::weight(&document.text) > LONGEST {
        return Err(fault::quota("PolicySize", LONGEST));
    }
    Ok(document)
}

fn check_new(iam: &Iam, name: &str) -> Result<(), Fault> {
    if find::taken(iam.policies.values().map(|policy| &policy.name), name) {
        return Err(fault::exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    if iam.policies.len() >= MOST {
        return Err(fault::quota("PoliciesPerAccount", MOST));
    }
    Ok(())
}

/// `GetPolicy`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    let iam = find::iam(world, call)?;
    let policy = find::policy(iam, &arn)?;
    let uses = answer::uses(iam).get(arn.as_str()).copied();
    let mut value = answer::policy_listed(&arn, policy, uses.unwrap_or_default());
    let description = policy.description.clone().map(Value::String);
    answer::set(&mut value, "Description", description);
    answer::set_tags(&mut value, &policy.tags);
    Ok(Reply::of(json!({ "Policy": value })))
}

/// `ListPolicies`.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let uses = answer::uses(iam);
    let scope = call.text("Scope").unwrap_or_else(|| "All".to_owned());
    let own = iam.policies.iter().filter(|_| scope != "AWS");
    let aws = aws_managed::all().iter().filter(|_| scope != "Local");
    let mut all: Vec<_> = own.chain(aws).collect();
    all.sort_by_key(|(arn, _)| *arn);
    let prefix = names::path_prefix(call);
    let usage = call.text("PolicyUsageFilter");
    let only_attached = call.text("OnlyAttached").as_deref() == Some("true");
    let rows = all.into_iter().filter_map(|(arn, policy)| {
        let uses = uses.get(arn.as_str()).copied().unwrap_or_default();
        let used = match usage.as_deref() {
            Some("PermissionsBoundary") => uses.boundary > 0,
            Some("PermissionsPolicy") => uses.attached > 0,
            _ => !only_attached || uses.attached > 0,
        };
        (used && policy.path.starts_with(&prefix))
            .then(|| (arn.clone(), answer::policy_listed(arn, policy, uses)))
    });
    page::list(call, "Policies", rows)
}

/// `DeletePolicy`. Nothing may use it, and only the default version may be left.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    let iam = find::iam(world, call)?;
    let policy = iam
        .policies
        .get(&arn)
        .ok_or_else(|| find::no_policy(&arn))?;
    let uses = answer::uses(iam).get(arn.as_str()).copied();
    if uses.is_some() {
        return Err(fault::conflict(
            "Cannot delete a policy attached to entities.",
        ));
    }
    if policy.versions.len() > 1 {
        return Err(fault::conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's \
             versions. The default version is deleted with the policy.",
        ));
    }
    find::change(world, call)?.policies.remove(&arn);
    Ok(answer::nothing())
}

/// `ListEntitiesForPolicy`: groups, then roles, then users.
pub(super) fn entities(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    let iam = find::iam(world, call)?;
    find::policy(iam, &arn)?;
    let filter = call.text("EntityFilter");
    let usage = call.text("PolicyUsageFilter");
    let prefix = names::path_prefix(call);
    let wanted = |kind: &str, path: &str, attached: &Attached| {
        let as_policy =
            attached.managed.contains(&arn) && usage.as_deref() != Some("PermissionsBoundary");
        let as_boundary = attached.boundary.as_ref() == Some(&arn)
            && usage.as_deref() != Some("PermissionsPolicy");
        filter.as_deref().is_none_or(|filter| filter == kind)
            && path.starts_with(&prefix)
            && (as_policy || as_boundary)
    };
    let groups = iam
        .groups
        .iter()
        .filter(|(_, group)| wanted("Group", &group.path, &group.attached))
        .map(|(name, group)| entity("Group", name, &group.id));
    let roles = iam
        .roles
        .iter()
        .filter(|(_, role)| wanted("Role", &role.path, &role.attached))
        .map(|(name, role)| entity("Role", name, &role.id));
    let users = iam
        .users
        .iter()
        .filter(|(_, user)| wanted("User", &user.path, &user.attached))
        .map(|(name, user)| entity("User", name, &user.id));
    let page = page::page(call, groups.chain(roles).chain(users))?;
    let of = |kind: &str| -> Vec<&Value> {
        let rows = page.rows.iter().filter(|(of, _)| *of == kind);
        rows.map(|(_, value)| value).collect()
    };
    let value = json!({
        "PolicyGroups": of("Group"),
        "PolicyRoles": of("Role"),
        "PolicyUsers": of("User"),
    });
    Ok(Reply::of(page::ended(value, page.marker)))
}

fn entity(kind: &'static str, name: &str, id: &str) -> (String, (&'static str, Value)) {
    let mut fields = serde_json::Map::new();
    fields.insert(format!("{kind}Name"), json!(name));
    fields.insert(format!("{kind}Id"), json!(id));
    (format!("{kind}/{name}"), (kind, Value::Object(fields)))
}

/// `TagPolicy`.
pub(super) fn tag(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    let iam = find::iam(world, call)?;
    let policy = iam
        .policies
        .get(&arn)
        .ok_or_else(|| find::no_policy(&arn))?;
    let tags = names::added_tags(call, &policy.tags)?;
    find::policy_mut(find::change(world, call)?, &arn)?.tags = tags;
    Ok(answer::nothing())
}

/// `UntagPolicy`.
pub(super) fn untag(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    if !find::iam(world, call)?.policies.contains_key(&arn) {
        return Err(find::no_policy(&arn));
    }
    let keys = names::tag_keys(call);
    let policy = find::policy_mut(find::change(world, call)?, &arn)?;
    policy.tags.retain(|key, _| !keys.contains(key));
    Ok(answer::nothing())
}

/// `ListPolicyTags`.
pub(super) fn list_tags(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let policy = call.required("PolicyArn")?;
    page::tags(call, &find::policy(find::iam(world, call)?, &policy)?.tags)
}
