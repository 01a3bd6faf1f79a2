//! The account as a whole: its alias and its numbers.

use serde_json::{Value, json};

use super::{Iam, ROOT, answer, fault, find};
use crate::call::{Call, Fault, Reply};
use crate::world::World;

/// `CreateAccountAlias`: three to 63 of `a` to `z`, digits and single hyphens between.
pub(super) fn create_alias(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let alias = call.required("AccountAlias")?;
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let hyphens = alias.starts_with('-') || alias.ends_with('-') || alias.contains("--");
    if !(3..=63).contains(&alias.len()) || hyphens || !alias.bytes().all(letter) {
        let rule = "satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
        return Err(fault::constraint("AccountAlias", &alias, rule));
    }
    let of_others = world.accounts.iter().any(|(id, account)| {
        *id != call.caller.account && account.iam.alias.as_ref() == Some(&alias)
    });
    if of_others {
        let message = format!("The account alias {alias} already exists.");
        return Err(fault::exists(message));
    }
    find::change(world, call)?.alias = Some(alias);
    Ok(answer::nothing())
}

/// `DeleteAccountAlias`.
pub(super) fn delete_alias(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let alias = call.required("AccountAlias")?;
    if find::iam(world, call)?.alias.as_ref() != Some(&alias) {
        let message = format!("The account alias {alias} does not exist.");
        return Err(fault::missing(message));
    }
    find::change(world, call)?.alias = None;
    Ok(answer::nothing())
}

/// `ListAccountAliases`: one or none.
pub(super) fn list_aliases(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let alias: Vec<&String> = find::iam(world, call)?.alias.iter().collect();
    Ok(Reply::of(
        json!({"AccountAliases": alias, "IsTruncated": false}),
    ))
}

/// `GetAccountSummary` (docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html).
pub(super) fn summary(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let iam = find::iam(world, call)?;
    let mut map = quotas();
    for (name, number) in counts(iam) {
        answer::set(&mut map, name, Some(json!(number)));
    }
    Ok(Reply::of(json!({ "SummaryMap": map })))
}

fn counts(iam: &Iam) -> Vec<(&'static str, usize)> {
    let enabled = |owner: &str| {
        let mut devices = iam.mfa_devices.values().flat_map(|device| &device.enabled);
        devices.any(|(user, _)| user == owner)
    };
    let in_use = iam
        .mfa_devices
        .values()
        .filter(|device| device.enabled.is_some());
    let versions = iam.policies.values().map(|policy| policy.versions.len());
    vec![
        ("Users", iam.users.len()),
        ("Groups", iam.groups.len()),
        ("Roles", iam.roles.len()),
        ("Policies", iam.policies.len()),
        ("PolicyVersionsInUse", versions.sum()),
        ("InstanceProfiles", iam.instance_profiles.len()),
        ("Providers", iam.providers.len()),
        ("MFADevices", iam.mfa_devices.len()),
        ("MFADevicesInUse", in_use.count()),
        ("AccountMFAEnabled", usize::from(enabled(ROOT))),
        (
            "AccountAccessKeysPresent",
            usize::from(iam.root_keys.iter().any(|key| key.active)),
        ),
        (
            "AccountPasswordPresent",
            usize::from(iam.root_login.is_some()),
        ),
    ]
}

fn quotas() -> Value {
    json!({
        "AccessKeysPerUserQuota": 2,
        "AccountSigningCertificatesPresent": 0,
        "AssumeRolePolicySizeQuota": 2048,
        "AttachedPoliciesPerGroupQuota": 10,
        "AttachedPoliciesPerRoleQuota": 10,
        "AttachedPoliciesPerUserQuota": 10,
        "GlobalEndpointTokenVersion": 1,
        "GroupPolicySizeQuota": 5120,
        "GroupsPerUserQuota": 10,
        "GroupsQuota": 300,
        "InstanceProfilesQuota": 1000,
        "PoliciesQuota": 1500,
        "PolicySizeQuota": 6144,
        "PolicyVersionsInUseQuota": 10_000,
        "RolePolicySizeQuota": 10_240,
        "RolesQuota": 1000,
        "ServerCertificates": 0,
        "ServerCertificatesQuota": 20,
        "SigningCertificatesPerUserQuota": 2,
        "UserPolicySizeQuota": 2048,
        "UsersQuota": 5000,
        "VersionsPerPolicyQuota": 5,
    })
}
