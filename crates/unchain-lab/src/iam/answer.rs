//! The shapes of IAM's answers (docs.aws.amazon.com/IAM/latest/APIReference/API_Types.html).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Document, Group, Iam, InstanceProfile, ManagedPolicy, Role, User, find};
use crate::call::{Call, Fault, Reply};
use crate::http;

/// An instant, for the protocol to write.
pub(super) fn time(seconds: i64) -> Value {
    json!({ "$time": seconds })
}

/// A document as IAM gives it back: percent-encoded.
pub(super) fn document(document: &Document) -> Value {
    Value::String(http::encode(&document.text))
}

/// The answer of operations that only do.
pub(super) fn nothing() -> Reply {
    Reply::default()
}

/// Tags in their order.
pub(super) fn tags(tags: &BTreeMap<String, String>) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}

/// Sets a field where there is something to say.
pub(super) fn set(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(fields), Some(value)) = (object.as_object_mut(), value) {
        fields.insert(name.to_owned(), value);
    }
}

/// Sets `Tags` where there are any.
pub(super) fn set_tags(object: &mut Value, there: &BTreeMap<String, String>) {
    set(object, "Tags", (!there.is_empty()).then(|| tags(there)));
}

fn set_boundary(object: &mut Value, boundary: Option<&String>) {
    let value = boundary
        .map(|arn| json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}));
    set(object, "PermissionsBoundary", value);
}

/// A user as lists show it.
pub(super) fn user_listed(account: &str, name: &str, user: &User) -> Value {
    let mut value = json!({
        "Path": user.path,
        "UserName": name,
        "UserId": user.id,
        "Arn": user.arn(account, name),
        "CreateDate": time(user.created_at),
    });
    set(
        &mut value,
        "PasswordLastUsed",
        user.password_last_used.map(time),
    );
    value
}

/// A user in full.
pub(super) fn user(account: &str, name: &str, user: &User) -> Value {
    let mut value = user_listed(account, name, user);
    set_boundary(&mut value, user.attached.boundary.as_ref());
    set_tags(&mut value, &user.attached.tags);
    value
}

/// A group.
pub(super) fn group(account: &str, name: &str, group: &Group) -> Value {
    json!({
        "Path": group.path,
        "GroupName": name,
        "GroupId": group.id,
        "Arn": group.arn(account, name),
        "CreateDate": time(group.created_at),
    })
}

/// A role as its creation and instance profiles show it.
pub(super) fn role_made(account: &str, name: &str, role: &Role) -> Value {
    json!({
        "Path": role.path,
        "RoleName": name,
        "RoleId": role.id,
        "Arn": role.arn(account, name),
        "CreateDate": time(role.created_at),
        "AssumeRolePolicyDocument": document(&role.trust),
    })
}

/// A role as lists show it.
pub(super) fn role_listed(account: &str, name: &str, role: &Role) -> Value {
    let mut value = role_made(account, name, role);
    set(
        &mut value,
        "Description",
        role.description.clone().map(Value::String),
    );
    set(
        &mut value,
        "MaxSessionDuration",
        Some(role.max_session.into()),
    );
    value
}

/// A role in full.
pub(super) fn role(account: &str, name: &str, role: &Role) -> Value {
    let mut value = role_listed(account, name, role);
    set_role_extras(&mut value, role);
    set(&mut value, "RoleLastUsed", Some(role_last_used(role)));
    value
}

/// Boundary and tags of a role.
pub(super) fn set_role_extras(value: &mut Value, role: &Role) {
    set_boundary(value, role.attached.boundary.as_ref());
    set_tags(value, &role.attached.tags);
}

/// Boundary and tags of a user.
pub(super) fn set_user_extras(value: &mut Value, user: &User) {
    set_boundary(value, user.attached.boundary.as_ref());
    set_tags(value, &user.attached.tags);
}

/// When a role was last used; empty when never.
pub(super) fn role_last_used(role: &Role) -> Value {
    role.last_used.as_ref().map_or_else(
        || json!({}),
        |(at, region)| json!({"LastUsedDate": time(*at), "Region": region}),
    )
}

/// An instance profile with its role.
pub(super) fn profile(
    (account, iam): (&str, &Iam),
    name: &str,
    profile: &InstanceProfile,
) -> Value {
    let roles: Vec<Value> = profile
        .role
        .iter()
        .filter_map(|role| Some((role, iam.roles.get(role)?)))
        .map(|(role_name, role)| role_made(account, role_name, role))
        .collect();
    json!({
        "Path": profile.path,
        "InstanceProfileName": name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn(account, name),
        "CreateDate": time(profile.created_at),
        "Roles": roles,
    })
}

/// How often a policy is attached, and how often it is a boundary.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Uses {
    /// Attachments to users, groups and roles.
    pub attached: usize,
    /// Users and roles whose boundary it is.
    pub boundary: usize,
}

/// The uses of every policy of an account.
pub(super) fn uses(iam: &Iam) -> BTreeMap<&str, Uses> {
    let mut uses: BTreeMap<&str, Uses> = BTreeMap::new();
    let users = iam.users.values().map(|user| &user.attached);
    let groups = iam.groups.values().map(|group| &group.attached);
    let roles = iam.roles.values().map(|role| &role.attached);
    for attached in users.chain(groups).chain(roles) {
        for arn in &attached.managed {
            uses.entry(arn).or_default().attached += 1;
        }
        if let Some(arn) = &attached.boundary {
            uses.entry(arn).or_default().boundary += 1;
        }
    }
    uses
}

/// A managed policy as lists show it.
pub(super) fn policy_listed(arn: &str, policy: &ManagedPolicy, uses: Uses) -> Value {
    json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default_version),
        "AttachmentCount": uses.attached,
        "PermissionsBoundaryUsageCount": uses.boundary,
        "IsAttachable": true,
        "CreateDate": time(policy.created_at),
        "UpdateDate": time(policy.updated_at()),
    })
}

/// One version of a policy, without its document.
pub(super) fn version(policy: &ManagedPolicy, number: u32, made: i64) -> Value {
    json!({
        "VersionId": format!("v{number}"),
        "IsDefaultVersion": number == policy.default_version,
        "CreateDate": time(made),
    })
}

/// `PolicyName` and `PolicyArn` of attached policies.
pub(super) fn attached_policy(arn: &str) -> Value {
    let name = arn.rsplit('/').next().unwrap_or_default();
    json!({"PolicyName": name, "PolicyArn": arn})
}

/// The caller's account and its IAM, which most answers need.
pub(super) fn here<'w>(
    world: &'w crate::world::World,
    call: &'w Call<'_>,
) -> Result<(&'w str, &'w Iam), Fault> {
    Ok((call.caller.account.as_str(), find::iam(world, call)?))
}

/// Fields of a value that is known to be an object.
pub(super) fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
