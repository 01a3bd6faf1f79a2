//! Which permission each operation needs, on which ARN, with which condition keys
//! (docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html).

use std::collections::BTreeMap;

use super::{Attached, Iam, ROOT, find, names, service_roles};
use crate::call::{Call, Fault};
use crate::operation::Ask;
use crate::world::World;

type Asks = Result<Vec<Ask>, Fault>;
type Context = Vec<(String, Vec<String>)>;

/// A question about this call's operation and a resource, with the keys that come from the parameters.
fn ask(call: &Call<'_>, resource: String) -> Ask {
    let mut context = Context::new();
    let attaches = ["Attach", "Detach"]
        .iter()
        .any(|verb| call.operation.name.starts_with(verb));
    if let (true, Some(arn)) = (attaches, call.text("PolicyArn")) {
        context.push(("iam:PolicyARN".to_owned(), vec![arn]));
    }
    if let Some(arn) = call.text("PermissionsBoundary") {
        context.push(("iam:PermissionsBoundary".to_owned(), vec![arn]));
    }
    request_tags(call, &mut context);
    Ask {
        context,
        ..Ask::on(format!("iam:{}", call.operation.name), resource)
    }
}

fn request_tags(call: &Call<'_>, context: &mut Context) {
    let mut keys = names::tag_keys(call);
    for tag in call.list("Tags") {
        if let (Some(key), Some(value)) = (names::field(tag, "Key"), names::field(tag, "Value")) {
            context.push((format!("aws:RequestTag/{key}"), vec![value]));
            keys.push(key);
        }
    }
    if !keys.is_empty() {
        context.push(("aws:TagKeys".to_owned(), keys));
    }
}

/// Adds what the thing that is there says: its tags, and its boundary where the call names none.
fn about(mut ask: Ask, there: Option<&Attached>) -> Ask {
    let Some(there) = there else { return ask };
    let named = |key: &(String, Vec<String>)| key.0 == "iam:PermissionsBoundary";
    if let (false, Some(arn)) = (ask.context.iter().any(named), &there.boundary) {
        ask.context
            .push(("iam:PermissionsBoundary".to_owned(), vec![arn.clone()]));
    }
    tagged(ask, &there.tags)
}

fn tagged(mut ask: Ask, tags: &BTreeMap<String, String>) -> Ask {
    for (key, value) in tags {
        for prefix in ["aws", "iam"] {
            let key = format!("{prefix}:ResourceTag/{key}");
            ask.context.push((key, vec![value.clone()]));
        }
    }
    ask
}

fn arn(call: &Call<'_>, kind: &str, path_and_name: &str) -> String {
    format!("arn:aws:iam::{}:{kind}{path_and_name}", call.caller.account)
}

/// The ARN that something new will have.
fn new_arn(call: &Call<'_>, kind: &str, parameter: &str) -> String {
    let path = call.text("Path").unwrap_or_else(|| "/".to_owned());
    let name = call.text(parameter).unwrap_or_default();
    arn(call, kind, &format!("{path}{name}"))
}

/// On everything.
pub(super) fn any(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(call, "*".to_owned())])
}

fn user_named(iam: &Iam, call: &Call<'_>, name: &str) -> Ask {
    let there = iam.users.get(name);
    let resource = match there {
        Some(user) => user.arn(&call.caller.account, name),
        None if name == ROOT => arn(call, "root", ""),
        None => arn(call, "user/", name),
    };
    about(ask(call, resource), there.map(|user| &user.attached))
}

/// On a user: the one that is named, else the caller.
pub(super) fn user(world: &World, call: &Call<'_>) -> Asks {
    let iam = find::iam(world, call)?;
    Ok(vec![user_named(iam, call, &find::owner(call)?)])
}

/// On a user, or on everything where a call asks for all users.
pub(super) fn user_or_all(world: &World, call: &Call<'_>) -> Asks {
    match call.text("AllUsers").as_deref() {
        Some("true") => any(world, call),
        _ => user(world, call),
    }
}

/// On a user that is made.
pub(super) fn new_user(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(call, new_arn(call, "user", "UserName"))])
}

/// On a user under its old and its new name.
pub(super) fn renamed_user(world: &World, call: &Call<'_>) -> Asks {
    let mut asks = user(world, call)?;
    if call.text("NewUserName").is_some() || call.text("NewPath").is_some() {
        let path = call.text("NewPath").unwrap_or_else(|| "/".to_owned());
        let name = call
            .text("NewUserName")
            .map_or_else(|| find::owner(call), Ok)?;
        asks.push(ask(call, arn(call, "user", &format!("{path}{name}"))));
    }
    Ok(asks)
}

/// On the users of a path.
pub(super) fn users(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(
        call,
        arn(call, "user", &names::path_prefix(call)),
    )])
}

/// On the user whose access key is asked about.
pub(super) fn key_owner(world: &World, call: &Call<'_>) -> Asks {
    let key = call.required("AccessKeyId")?;
    let iam = find::iam(world, call)?;
    Ok(vec![match world.key_owners.get(&key) {
        Some((account, Some(user))) if *account == call.caller.account => {
            user_named(iam, call, user)
        }
        _ => ask(call, "*".to_owned()),
    }])
}

/// On a group.
pub(super) fn group(world: &World, call: &Call<'_>) -> Asks {
    let name = call.required("GroupName")?;
    let resource = match find::iam(world, call)?.groups.get(&name) {
        Some(group) => group.arn(&call.caller.account, &name),
        None => arn(call, "group/", &name),
    };
    Ok(vec![ask(call, resource)])
}

/// On a group that is made.
pub(super) fn new_group(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(call, new_arn(call, "group", "GroupName"))])
}

/// On the groups of a path.
pub(super) fn groups(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(
        call,
        arn(call, "group", &names::path_prefix(call)),
    )])
}

/// On a role.
pub(super) fn role(world: &World, call: &Call<'_>) -> Asks {
    let name = call.required("RoleName")?;
    let there = find::iam(world, call)?.roles.get(&name);
    let resource = there.map_or_else(
        || arn(call, "role/", &name),
        |role| role.arn(&call.caller.account, &name),
    );
    Ok(vec![about(
        ask(call, resource),
        there.map(|role| &role.attached),
    )])
}

/// On a role that is made.
pub(super) fn new_role(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(call, new_arn(call, "role", "RoleName"))])
}

/// On the roles of a path.
pub(super) fn roles(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(
        call,
        arn(call, "role", &names::path_prefix(call)),
    )])
}

/// On a service-linked role that is made.
pub(super) fn service_role(_world: &World, call: &Call<'_>) -> Asks {
    let service = call.required("AWSServiceName")?;
    let name = service_roles::name(call)?;
    let resource = arn(call, "role", &format!("/aws-service-role/{service}/{name}"));
    let mut ask = ask(call, resource);
    ask.context
        .push(("iam:AWSServiceName".to_owned(), vec![service]));
    Ok(vec![ask])
}

/// On the role whose deletion is asked about.
pub(super) fn deleted_role(_world: &World, call: &Call<'_>) -> Asks {
    let task = call.required("DeletionTaskId")?;
    let (_, role) = task.split_once('/').unwrap_or_default();
    let role = role.rsplit_once('/').map_or(role, |(role, _)| role);
    Ok(vec![ask(call, arn(call, "role/", role))])
}

/// On a managed policy.
pub(super) fn policy(world: &World, call: &Call<'_>) -> Asks {
    let policy = call.required("PolicyArn")?;
    let ask = ask(call, policy.clone());
    Ok(vec![match find::iam(world, call)?.managed(&policy) {
        Some(policy) => tagged(ask, &policy.tags),
        None => ask,
    }])
}

/// On a managed policy that is made.
pub(super) fn new_policy(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(call, new_arn(call, "policy", "PolicyName"))])
}

/// On the policies of a path.
pub(super) fn policies(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(
        call,
        format!("policy path {}", names::path_prefix(call)),
    )])
}

/// On an instance profile.
pub(super) fn profile(world: &World, call: &Call<'_>) -> Asks {
    let name = call.required("InstanceProfileName")?;
    let resource = match find::iam(world, call)?.instance_profiles.get(&name) {
        Some(profile) => profile.arn(&call.caller.account, &name),
        None => arn(call, "instance-profile/", &name),
    };
    Ok(vec![thing(world, call, resource)?])
}

/// On an instance profile, and on the role that is passed to EC2 with it.
pub(super) fn profile_and_role(world: &World, call: &Call<'_>) -> Asks {
    let mut asks = profile(world, call)?;
    if let Some(passed) = role(world, call)?.pop() {
        let to = (
            "iam:PassedToService".to_owned(),
            vec!["ec2.amazonaws.com".to_owned()],
        );
        asks.push(Ask {
            context: vec![to],
            ..Ask::on("iam:PassRole", passed.resource)
        });
    }
    Ok(asks)
}

/// On an instance profile that is made.
pub(super) fn new_profile(_world: &World, call: &Call<'_>) -> Asks {
    let resource = new_arn(call, "instance-profile", "InstanceProfileName");
    Ok(vec![ask(call, resource)])
}

/// On the instance profiles of a path.
pub(super) fn profiles(_world: &World, call: &Call<'_>) -> Asks {
    let prefix = names::path_prefix(call);
    Ok(vec![ask(call, arn(call, "instance-profile", &prefix))])
}

/// On an MFA device.
pub(super) fn device(world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![thing(world, call, call.required("SerialNumber")?)?])
}

/// On an MFA device that is made.
pub(super) fn new_device(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(
        call,
        new_arn(call, "mfa", "VirtualMFADeviceName"),
    )])
}

/// On the MFA devices of the account.
pub(super) fn devices(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(call, arn(call, "mfa/", ""))])
}

/// On a SAML provider.
pub(super) fn saml(world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![thing(world, call, call.required("SAMLProviderArn")?)?])
}

/// On a SAML provider that is made.
pub(super) fn new_saml(_world: &World, call: &Call<'_>) -> Asks {
    let name = call.required("Name")?;
    Ok(vec![ask(call, arn(call, "saml-provider/", &name))])
}

/// On an OIDC provider.
pub(super) fn oidc(world: &World, call: &Call<'_>) -> Asks {
    let provider = call.required("OpenIDConnectProviderArn")?;
    Ok(vec![thing(world, call, provider)?])
}

/// On an OIDC provider that is made.
pub(super) fn new_oidc(_world: &World, call: &Call<'_>) -> Asks {
    let url = call.required("Url")?;
    let host = url.trim_start_matches("https://");
    Ok(vec![ask(call, arn(call, "oidc-provider/", host))])
}

/// On what an ARN names.
pub(super) fn arn_given(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(call, call.required("Arn")?)])
}

/// On the principal whose policies are tried.
pub(super) fn policy_source(_world: &World, call: &Call<'_>) -> Asks {
    Ok(vec![ask(call, call.required("PolicySourceArn")?)])
}

fn thing(world: &World, call: &Call<'_>, resource: String) -> Result<Ask, Fault> {
    let tags = find::iam(world, call)?.tags.get(&resource).cloned();
    Ok(tagged(ask(call, resource), &tags.unwrap_or_default()))
}
