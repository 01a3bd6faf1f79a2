//! Deleting what the lineage made, at the end and only when asked.
//!
//! IAM deletes no user or role that still has something (IAM API Reference, "DeleteUser", "DeleteRole"). What the
//! accounts were not read for, such as SSH keys, is not deleted here: [`super::super::check`] tells it.

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
                Some(owner) if owner.kind == OwnerKind::User => self.of_user(ground, owner),
                Some(owner) if owner.kind == OwnerKind::Role => self.of_role(ground, owner),
                _ => provider(subject).into_iter().collect(),
            };
            for call in calls {
                self.delete(ground, number, call);
            }
        }
    }

    /// Once: a key may be deleted for itself and for its user.
    fn delete(&mut self, ground: &Ground<'_>, number: u32, call: Call) {
        let own = self.list.iter().rev();
        let mut own = own.take_while(|step| step.phase == Phase::Remove);
        if own.any(|step| matches!(&step.action, Action::Call(own) if *own == call)) {
            return;
        }
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
    let name = |name: &Option<Untrusted>| name.as_ref().map_or("", Untrusted::raw).to_owned();
    let arn = name(&subject.principal_arn);
    if subject.long_term {
        return vec![key(owner, &name(&subject.access_key_id))];
    }
    if is(subject, NodeKind::MfaDevice) {
        return device(owner, &arn);
    }
    match is(subject, NodeKind::LoginProfile) {
        true if arn.starts_with("ACCA") => vec![service_credential(owner, &arn)],
        true => vec![password(owner)],
        false => Vec::new(),
    }
}

fn key(owner: &Owner, id: &str) -> Call {
    named(owner, "DeleteAccessKey", ("AccessKeyId", id))
}

fn password(owner: &Owner) -> Call {
    let user = ("UserName", text(owner.name.raw()));
    iam(&owner.account, "DeleteLoginProfile", &[user])
}

fn service_credential(owner: &Owner, id: &str) -> Call {
    let action = "DeleteServiceSpecificCredential";
    named(owner, action, ("ServiceSpecificCredentialId", id))
}

fn device(owner: &Owner, serial: &str) -> Vec<Call> {
    let member = ("SerialNumber", serial);
    vec![
        named(owner, "DeactivateMFADevice", member),
        iam(
            &owner.account,
            "DeleteVirtualMFADevice",
            &[("SerialNumber", text(serial))],
        ),
    ]
}

/// A call about something that a user has.
fn named(owner: &Owner, action: &str, (member, name): (&str, &str)) -> Call {
    let user = ("UserName", text(owner.name.raw()));
    iam(&owner.account, action, &[user, (member, text(name))])
}

impl Steps {
    /// Policies must be gone before their user or role, also those that the plan itself put there.
    fn without_policies(&self, ground: &Ground<'_>, owner: &Owner) -> Vec<Call> {
        let held = ground.facts.policies(owner);
        let name = ground.policy_name();
        let inline = held.into_iter().flat_map(|held| held.inline.keys());
        let inline: BTreeSet<&str> = inline.chain([&name]).map(String::as_str).collect();
        let own = self.attached(owner);
        let attached = held.into_iter().flat_map(|held| &held.attached);
        let attached: BTreeSet<&str> = attached.map(String::as_str).chain(own.clone()).collect();
        let of =
            |verb, member, name: &str| of_owner(owner, (verb, "Policy"), &[(member, text(name))]);
        let inline = inline
            .into_iter()
            .map(|name| of("Delete", "PolicyName", name));
        let attached = attached
            .into_iter()
            .map(|arn| of("Detach", "PolicyArn", arn));
        // The name of each has that of its user or role in it: nobody else has need of it.
        let own = own
            .into_iter()
            .map(|arn| iam(&owner.account, "DeletePolicy", &[("PolicyArn", text(arn))]));
        inline.chain(attached).chain(own).collect()
    }

    /// ARNs of the managed policies that the plan attaches to a user or role.
    fn attached(&self, owner: &Owner) -> BTreeSet<&str> {
        let calls = self.list.iter().filter_map(|step| match &step.action {
            Action::Call(call) => Some(call),
            Action::Wait(_) | Action::Verify { .. } => None,
        });
        let arns = calls.filter_map(|call| {
            let arn = call.parameters.get("PolicyArn")?.as_str()?;
            let attach = of_owner(owner, ("Attach", "Policy"), &[("PolicyArn", text(arn))]);
            (*call == attach).then_some(arn)
        });
        arns.collect()
    }

    /// What was read of the user goes too, also what no call in the log made.
    fn of_user(&self, ground: &Ground<'_>, owner: &Owner) -> Vec<Call> {
        let mut calls = vec![password(owner)];
        if let Some(user) = ground.facts.user(owner) {
            let groups = user.groups.iter();
            calls.extend(user.keys.keys().map(|id| key(owner, id)));
            let credentials = user.service_credentials.keys();
            calls.extend(credentials.map(|id| service_credential(owner, id)));
            calls.extend(user.mfa_devices.iter().flat_map(|s| device(owner, s)));
            calls.extend(groups.map(|g| named(owner, "RemoveUserFromGroup", ("GroupName", g))));
        }
        calls.extend(self.without_policies(ground, owner));
        calls.push(of_owner(owner, ("Delete", ""), &[]));
        calls
    }

    fn of_role(&self, ground: &Ground<'_>, owner: &Owner) -> Vec<Call> {
        let role = ground.facts.role(owner);
        let profiles = role.into_iter().flat_map(|role| &role.instance_profiles);
        let mut calls: Vec<Call> = profiles
            .map(|profile| {
                let members = [
                    ("InstanceProfileName", text(profile)),
                    ("RoleName", text(owner.name.raw())),
                ];
                iam(&owner.account, "RemoveRoleFromInstanceProfile", &members)
            })
            .collect();
        calls.extend(self.without_policies(ground, owner));
        calls.push(of_owner(owner, ("Delete", ""), &[]));
        calls
    }
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
