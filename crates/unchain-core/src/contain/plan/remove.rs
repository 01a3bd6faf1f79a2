//! Deleting what the lineage made, at the end and only when asked.

use super::super::owner::{Owner, OwnerKind};
use super::keys::{is, user};
use super::make::Ground;
use super::steps::{About, Steps, iam, of_owner, text};
use super::{Action, Call, Phase, Subject, Undo};
use crate::lineage::NodeKind;
use crate::text::Untrusted;
use std::collections::BTreeSet;

const NEVER: &str = "what is deleted is gone; its policies are in the facts and in the log";

impl Steps {
    /// Keys and devices first, then what had them. INVARIANT: after `Phase::Verify`, so that the denies stand until
    /// nothing works any more.
    pub(super) fn remove(&mut self, ground: &Ground<'_>) {
        for (number, subject) in (0u32..).zip(ground.subjects) {
            for call in loose(subject) {
                self.delete(ground, number, call);
            }
        }
        for (number, subject) in (0u32..).zip(ground.subjects) {
            let owner = subject
                .owner
                .as_ref()
                .filter(|owner| owner.is_sound() && subject.by_lineage);
            let made = owner.filter(|owner| {
                (is(subject, NodeKind::User) || is(subject, NodeKind::Role)) && whole(ground, owner)
            });
            let calls = match made {
                Some(owner) if owner.kind == OwnerKind::User => of_user(ground, owner),
                Some(owner) if owner.kind == OwnerKind::Role => of_role(ground, owner),
                _ => provider(subject).into_iter().collect(),
            };
            for call in calls {
                self.delete(ground, number, call);
            }
        }
    }

    fn delete(&mut self, ground: &Ground<'_>, number: u32, call: Call) {
        let subject = ground.subjects.get(number as usize);
        let name = subject.and_then(|s| s.access_key_id.as_ref().or(s.principal_arn.as_ref()));
        let target = name.map_or("", Untrusted::raw);
        let about = About::new(
            Phase::Remove,
            target,
            "the lineage made it",
            std::slice::from_ref(&number),
        );
        self.add(
            about,
            ground.subjects,
            (Action::Call(call), Undo::Never(NEVER.to_owned())),
        );
    }
}

fn whole(ground: &Ground<'_>, owner: &Owner) -> bool {
    ground
        .targets
        .iter()
        .any(|t| t.owner == *owner && t.width == super::denies::Width::Whole)
}

/// Keys and virtual devices that a call of the lineage made, whosever they are.
fn loose(subject: &Subject) -> Vec<Call> {
    let Some(owner) = user(subject).filter(|_| subject.by_lineage) else {
        return Vec::new();
    };
    let named = ("UserName", text(owner.name.raw()));
    let name = |name: &Option<Untrusted>| text(name.as_ref().map_or("", Untrusted::raw));
    if subject.long_term {
        return vec![iam(
            &owner.account,
            "DeleteAccessKey",
            &[named, ("AccessKeyId", name(&subject.access_key_id))],
        )];
    }
    if is(subject, NodeKind::MfaDevice) {
        let serial = ("SerialNumber", name(&subject.principal_arn));
        return vec![
            iam(
                &owner.account,
                "DeactivateMFADevice",
                &[named, serial.clone()],
            ),
            iam(&owner.account, "DeleteVirtualMFADevice", &[serial]),
        ];
    }
    let password = is(subject, NodeKind::LoginProfile)
        && !name(&subject.principal_arn)
            .to_string()
            .starts_with("\"ACCA");
    if password {
        return vec![iam(&owner.account, "DeleteLoginProfile", &[named])];
    }
    Vec::new()
}

/// Policies must be gone before their user or role (IAM API Reference, "DeleteUser", "DeleteRole").
fn without_policies(ground: &Ground<'_>, owner: &Owner) -> Vec<Call> {
    let held = ground.facts.policies(owner);
    let own = ground.policy_name();
    let inline = held
        .into_iter()
        .flat_map(|held| held.inline.keys())
        .chain([&own]);
    let inline: BTreeSet<&str> = inline.map(String::as_str).collect();
    let inline = inline
        .into_iter()
        .map(|name| of_owner(owner, ("Delete", "Policy"), &[("PolicyName", text(name))]));
    let attached = held.into_iter().flat_map(|held| &held.attached);
    let attached =
        attached.map(|arn| of_owner(owner, ("Detach", "Policy"), &[("PolicyArn", text(arn))]));
    inline.chain(attached).collect()
}

fn of_user(ground: &Ground<'_>, owner: &Owner) -> Vec<Call> {
    let groups = ground
        .facts
        .user(owner)
        .into_iter()
        .flat_map(|user| &user.groups);
    let mut calls: Vec<Call> = groups
        .map(|group| {
            let members = [
                ("GroupName", text(group)),
                ("UserName", text(owner.name.raw())),
            ];
            iam(&owner.account, "RemoveUserFromGroup", &members)
        })
        .collect();
    calls.extend(without_policies(ground, owner));
    calls.push(of_owner(owner, ("Delete", ""), &[]));
    calls
}

fn of_role(ground: &Ground<'_>, owner: &Owner) -> Vec<Call> {
    let profiles = ground
        .facts
        .role(owner)
        .into_iter()
        .flat_map(|role| &role.instance_profiles);
    let mut calls: Vec<Call> = profiles
        .map(|profile| {
            let members = [
                ("InstanceProfileName", text(profile)),
                ("RoleName", text(owner.name.raw())),
            ];
            iam(&owner.account, "RemoveRoleFromInstanceProfile", &members)
        })
        .collect();
    calls.extend(without_policies(ground, owner));
    calls.push(of_owner(owner, ("Delete", ""), &[]));
    calls
}

fn provider(subject: &Subject) -> Option<Call> {
    let arn = subject
        .principal_arn
        .as_ref()
        .filter(|_| is(subject, NodeKind::IdentityProvider) && subject.by_lineage)?;
    let account = Untrusted::new(arn.raw().split(':').nth(4)?);
    if arn.raw().contains(":saml-provider/") {
        return Some(iam(
            &account,
            "DeleteSAMLProvider",
            &[("SAMLProviderArn", text(arn.raw()))],
        ));
    }
    let open_id = arn.raw().contains(":oidc-provider/");
    open_id.then(|| {
        iam(
            &account,
            "DeleteOpenIDConnectProvider",
            &[("OpenIDConnectProviderArn", text(arn.raw()))],
        )
    })
}
