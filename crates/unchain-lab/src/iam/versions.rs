//! Versions of managed policies: at most five, one of them in force
//! (docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html).

use serde_json::json;

use super::{ManagedPolicy, answer, fault, find, page, policies};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// Most versions of one policy.
const MOST: usize = 5;

/// `CreatePolicyVersion`.
pub(super) fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    let document = policies::document(call, &arn)?;
    if own(world, call, &arn)?.versions.len() >= MOST {
        return Err(fault::limit(format!(
            "A managed policy can have up to {MOST} versions. Before you create a new version, you must delete an \
             existing version."
        )));
    }
    let now = call.at.seconds();
    let policy = find::policy_mut(find::change(world, call)?, &arn)?;
    policy.newest_version += 1;
    let number = policy.newest_version;
    policy.versions.insert(number, (document, now));
    if call.text("SetAsDefault").as_deref() == Some("true") {
        policy.default_version = number;
    }
    Ok(Reply::of(
        json!({"PolicyVersion": answer::version(policy, number, now)}),
    ))
}

fn own<'w>(world: &'w World, call: &Call<'_>, arn: &str) -> Result<&'w ManagedPolicy, Fault> {
    find::iam(world, call)?
        .policies
        .get(arn)
        .ok_or_else(|| find::no_policy(arn))
}

/// The version that a call names, which must be there.
fn named(call: &Call<'_>, arn: &str, policy: &ManagedPolicy) -> Result<u32, Fault> {
    let version = call.required("VersionId")?;
    version
        .strip_prefix('v')
        .and_then(|number| number.parse().ok())
        .filter(|number| policy.versions.contains_key(number))
        .ok_or_else(|| {
            let message =
                format!("Policy {arn} version {version} does not exist or is not attachable.");
            fault::missing(message)
        })
}

/// `GetPolicyVersion`.
pub(super) fn get(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    let policy = find::policy(find::iam(world, call)?, &arn)?;
    let number = named(call, &arn, policy)?;
    let mut value = json!({});
    if let Some((document, made)) = policy.versions.get(&number) {
        value = answer::version(policy, number, *made);
        answer::set(&mut value, "Document", Some(answer::document(document)));
    }
    Ok(Reply::of(json!({ "PolicyVersion": value })))
}

/// `ListPolicyVersions`, newest first.
pub(super) fn list(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    let policy = find::policy(find::iam(world, call)?, &arn)?;
    let rows = policy.versions.iter().rev().map(|(number, (_, made))| {
        let key = format!("{:010}", u32::MAX - number);
        (key, answer::version(policy, *number, *made))
    });
    page::list(call, "Versions", rows)
}

/// `SetDefaultPolicyVersion`.
pub(super) fn set_default(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    let number = named(call, &arn, own(world, call, &arn)?)?;
    find::policy_mut(find::change(world, call)?, &arn)?.default_version = number;
    Ok(answer::nothing())
}

/// `DeletePolicyVersion`, of any but the one in force.
pub(super) fn delete(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let arn = call.required("PolicyArn")?;
    let policy = own(world, call, &arn)?;
    let number = named(call, &arn, policy)?;
    if number == policy.default_version {
        return Err(fault::conflict(
            "Cannot delete the default version of a policy.",
        ));
    }
    find::policy_mut(find::change(world, call)?, &arn)?
        .versions
        .remove(&number);
    Ok(answer::nothing())
}
