//! Access keys, passwords and MFA devices.

use super::super::owner::{Owner, OwnerKind};
use super::make::Ground;
use super::steps::{About, Steps, iam, text};
use super::{Action, Call, Level, Phase, Subject, Undo};
use crate::lineage::NodeKind;
use crate::text::Untrusted;
use serde_json::Value;

impl Steps {
    /// Keys are made inactive, not deleted: that keeps the evidence and can be undone (AWS Security Incident Response
    /// Guide, "Containment").
    pub(super) fn keys(&mut self, ground: &Ground<'_>) {
        for (number, subject) in (0u32..).zip(ground.subjects) {
            let call =
                key_call(subject, "Inactive").or_else(|| service_credential(subject, "Inactive"));
            let back =
                key_call(subject, "Active").or_else(|| service_credential(subject, "Active"));
            if let (Some(call), Some(back)) = (call, back) {
                let inactive = was_inactive(ground, subject);
                let undo = if inactive {
                    Undo::Nothing
                } else {
                    Undo::Calls(vec![back])
                };
                let why =
                    "new tokens could be asked for with it; tokens made from it go on without it";
                let target = target(subject);
                let about = About::new(Phase::Keys, target, why, std::slice::from_ref(&number));
                self.add(about, ground.subjects, (Action::Call(call), undo));
            } else if subject.long_term
                && subject
                    .owner
                    .as_ref()
                    .is_none_or(|o| o.kind == OwnerKind::Root)
            {
                let why = "a key that no user has: its owner must delete it";
                self.leave_open(&[number], ground.subjects, why);
            }
        }
    }

    /// Passwords and MFA devices that the lineage made or changed.
    pub(super) fn sign_in(&mut self, ground: &Ground<'_>) {
        if ground.settings.level < Level::Evict {
            return;
        }
        for (number, subject) in (0u32..).zip(ground.subjects) {
            let of = std::slice::from_ref(&number);
            let Some(owner) = user(subject).filter(|_| subject.by_lineage) else {
                continue;
            };
            if is(subject, NodeKind::LoginProfile) && service_credential(subject, "").is_none() {
                let call = iam(
                    &owner.account,
                    "DeleteLoginProfile",
                    &[("UserName", text(owner.name.raw()))],
                );
                let arn = ground.facts.arn(owner);
                let about = About::new(Phase::SignIn, &arn, "a password that the lineage set", of);
                let never = "nobody but who set it knows the password; the user is given a new one";
                self.add(
                    about,
                    ground.subjects,
                    (Action::Call(call), Undo::Never(never.to_owned())),
                );
            } else if is(subject, NodeKind::MfaDevice) {
                let members = [
                    ("UserName", text(owner.name.raw())),
                    ("SerialNumber", text(target(subject))),
                ];
                let call = iam(&owner.account, "DeactivateMFADevice", &members);
                let about = About::new(
                    Phase::SignIn,
                    target(subject),
                    "an MFA device that the lineage enabled",
                    of,
                );
                let never = "only who holds the device can enable it again";
                self.add(
                    about,
                    ground.subjects,
                    (Action::Call(call), Undo::Never(never.to_owned())),
                );
            }
        }
    }
}

pub(super) fn is(subject: &Subject, kind: NodeKind) -> bool {
    subject.kind.raw() == kind.name()
}

pub(super) fn user(subject: &Subject) -> Option<&Owner> {
    subject
        .owner
        .as_ref()
        .filter(|owner| owner.kind == OwnerKind::User && owner.is_sound())
}

fn target(subject: &Subject) -> &str {
    let name = subject
        .access_key_id
        .as_ref()
        .or(subject.principal_arn.as_ref());
    name.map_or("", Untrusted::raw)
}

fn key_call(subject: &Subject, status: &str) -> Option<Call> {
    let owner = user(subject).filter(|_| subject.long_term)?;
    let key = subject.access_key_id.as_ref()?;
    let members: [(&str, Value); 3] = [
        ("UserName", text(owner.name.raw())),
        ("AccessKeyId", text(key.raw())),
        ("Status", text(status)),
    ];
    Some(iam(&owner.account, "UpdateAccessKey", &members))
}

/// A credential for one service, such as CodeCommit, is known by its own id (IAM API Reference,
/// "ServiceSpecificCredential").
fn service_credential(subject: &Subject, status: &str) -> Option<Call> {
    let owner = user(subject).filter(|_| is(subject, NodeKind::LoginProfile))?;
    let id = subject
        .principal_arn
        .as_ref()
        .filter(|id| id.raw().starts_with("ACCA"))?;
    let members = [
        ("UserName", text(owner.name.raw())),
        ("ServiceSpecificCredentialId", text(id.raw())),
        ("Status", text(status)),
    ];
    Some(iam(
        &owner.account,
        "UpdateServiceSpecificCredential",
        &members,
    ))
}

/// Whether a key was inactive before, as the accounts or the log say.
fn was_inactive(ground: &Ground<'_>, subject: &Subject) -> bool {
    let key = subject.access_key_id.as_ref().map(Untrusted::raw);
    let state = user(subject)
        .and_then(|owner| ground.facts.user(owner))
        .zip(key);
    match state.and_then(|(user, key)| user.keys.get(key)) {
        Some(active) => !active,
        None => {
            subject.long_term && subject.status.raw() == crate::liveness::Status::Revoked.name()
        }
    }
}
