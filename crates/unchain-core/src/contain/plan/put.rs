//! Putting the denies on users and roles, and moving their cut-off.

use super::super::inspect::{Revocation, revocation};
use super::super::owner::{Owner, OwnerKind};
use super::cut::PROPAGATION;
use super::denies::Target;
use super::make::Ground;
use super::pack::{Packed, Room, attachable, inline_room, pack};
use super::steps::{About, Steps, iam, of_owner, text};
use super::{Action, Call, Phase, Undo};
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde_json::{Value, json};

/// What the first deny on a target put there.
pub(super) enum First {
    Nothing,
    /// An inline policy with a cut-off, as it was put.
    Inline(Call),
    /// A managed policy with a cut-off: its ARN.
    Managed(String),
}

const WHY_USER: &str =
    "the user's keys and sessions are in the lineage: each can ask for new tokens";
const WHY_ROLE: &str = "sessions of the role are in the lineage";
const WHY_SOURCE: &str = "sessions of the role are in the lineage; those that it gets under another name have its \
                          source identity";

impl Steps {
    /// The denies on one user or role.
    pub(super) fn deny(&mut self, ground: &Ground<'_>, target: &Target) -> First {
        if let Some(why) = untouchable(ground, &target.owner) {
            self.leave_open(&target.subjects, ground.subjects, why);
            return First::Nothing;
        }
        let room = Room {
            inline: inline_room(
                target.owner.kind,
                ground.facts.policies(&target.owner),
                &ground.policy_name(),
            ),
            managed: attachable(ground.facts, &target.owner),
        };
        let Some(packed) = pack(target, ground.subjects, ground.times.first, room) else {
            let why = "no room for another policy: remove one first (IAM quotas)";
            self.leave_open(&target.subjects, ground.subjects, why);
            return First::Nothing;
        };
        self.put(ground, target, packed)
    }

    fn put(&mut self, ground: &Ground<'_>, target: &Target, packed: Packed) -> First {
        let arn = ground.facts.arn(&target.owner);
        let why = if target.owner.kind == OwnerKind::User {
            WHY_USER
        } else if target.identities.is_empty() {
            WHY_ROLE
        } else {
            WHY_SOURCE
        };
        let about = About {
            breaks: &target.breaks,
            ..About::new(Phase::Deny, &arn, why, &target.subjects)
        };
        let mut first = First::Nothing;
        if packed.ids_left_out {
            let why = "its sessions are too many to name: all sessions of the role are cut off";
            self.leave_open(&target.subjects, ground.subjects, why);
        }
        if let Some(document) = packed.inline {
            let call = put_policy(ground, &target.owner, document.clone());
            let delete = of_owner(
                &target.owner,
                ("Delete", "Policy"),
                &[("PolicyName", text(&ground.policy_name()))],
            );
            self.add(
                about,
                ground.subjects,
                (Action::Call(call.clone()), Undo::Calls(vec![delete])),
            );
            if has_cut(&document) {
                first = First::Inline(call);
            }
        }
        for (n, document) in packed.managed.into_iter().enumerate() {
            let managed = self.attach(ground, (target, about), (n, document.clone()));
            if has_cut(&document) {
                first = First::Managed(managed);
            }
        }
        first
    }

    /// A managed policy of our own, made and attached; its ARN.
    fn attach(
        &mut self,
        ground: &Ground<'_>,
        (target, about): (&Target, About<'_>),
        (n, document): (usize, Value),
    ) -> String {
        let owner = &target.owner;
        let kind = if owner.kind == OwnerKind::User {
            "user"
        } else {
            "role"
        };
        let name = format!("{}-{kind}-{}-{n}", ground.policy_name(), owner.name.raw());
        let arn = format!(
            "arn:{}:iam::{}:policy/{name}",
            owner.partition.raw(),
            owner.account.raw()
        );
        let create = iam(
            &owner.account,
            "CreatePolicy",
            &[("PolicyName", text(&name)), ("PolicyDocument", document)],
        );
        let delete = iam(&owner.account, "DeletePolicy", &[("PolicyArn", text(&arn))]);
        self.add(
            about,
            ground.subjects,
            (Action::Call(create), Undo::Calls(vec![delete])),
        );
        let attach = of_owner(owner, ("Attach", "Policy"), &[("PolicyArn", text(&arn))]);
        let detach = of_owner(owner, ("Detach", "Policy"), &[("PolicyArn", text(&arn))]);
        self.add(
            about,
            ground.subjects,
            (Action::Call(attach), Undo::Calls(vec![detach])),
        );
        arn
    }

    pub(super) fn wait(&mut self, ground: &Ground<'_>) {
        let all: Vec<u32> = (0u32..).zip(ground.subjects).map(|(n, _)| n).collect();
        let why = "policies take effect after seconds; tokens issued meanwhile are cut off next";
        let about = About::new(Phase::Wait, "", why, &all);
        self.add(about, &[], (Action::Wait(PROPAGATION), Undo::Nothing));
    }

    /// The same deny with a later cut-off.
    pub(super) fn cut_again(&mut self, ground: &Ground<'_>, target: &Target, first: First) {
        let arn = ground.facts.arn(&target.owner);
        let why = "what was issued before the first deny was in force everywhere";
        let about = About {
            breaks: &target.breaks,
            ..About::new(Phase::CutAgain, &arn, why, &target.subjects)
        };
        let later = ground.times.second;
        let (call, undo) = match first {
            First::Nothing => return,
            First::Inline(before) => {
                let document = before
                    .parameters
                    .get("PolicyDocument")
                    .map(|d| moved(d, later));
                (
                    put_policy(ground, &target.owner, document.unwrap_or_default()),
                    vec![before],
                )
            }
            First::Managed(policy) => second_version(&target.owner.account, &policy, later),
        };
        self.add(
            about,
            ground.subjects,
            (Action::Call(call), Undo::Calls(undo)),
        );
    }
}

/// The call by which a managed policy of our own has a later cut-off, and what takes that back.
fn second_version(account: &Untrusted, policy: &str, cut: Timestamp) -> (Call, Vec<Call>) {
    let document = super::denies::document(&[super::denies::issued_before(cut)]);
    let arn = ("PolicyArn", text(policy));
    let version = |action, id| iam(account, action, &[arn.clone(), ("VersionId", text(id))]);
    let default = ("SetAsDefault", Value::Bool(true));
    let members = [arn.clone(), ("PolicyDocument", document), default];
    let back = vec![
        version("SetDefaultPolicyVersion", "v1"),
        version("DeletePolicyVersion", "v2"),
    ];
    (iam(account, "CreatePolicyVersion", &members), back)
}

/// Why a principal's policies cannot be changed.
fn untouchable(ground: &Ground<'_>, owner: &Owner) -> Option<&'static str> {
    match revocation(ground.facts, owner) {
        Revocation::ServiceLinked => Some("a service-linked role: its sessions cannot be revoked"),
        Revocation::IdentityCenter => Some(
            "a role of Identity Center: IAM cannot change it; deny in its permission set or by an SCP",
        ),
        Revocation::UserPolicy | Revocation::RolePolicy | Revocation::Root => None,
    }
}

fn put_policy(ground: &Ground<'_>, owner: &Owner, document: Value) -> Call {
    let name = text(&ground.policy_name());
    of_owner(
        owner,
        ("Put", "Policy"),
        &[("PolicyName", name), ("PolicyDocument", document)],
    )
}

fn has_cut(document: &Value) -> bool {
    let mut statements = document
        .get("Statement")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    statements.any(|statement| statement.pointer("/Condition/DateLessThan").is_some())
}

/// A document with its cut-off moved.
fn moved(document: &Value, cut: Timestamp) -> Value {
    let mut document = document.clone();
    let statements = document.get_mut("Statement").and_then(Value::as_array_mut);
    for statement in statements.into_iter().flatten() {
        if let Some(condition) = statement.pointer_mut("/Condition/DateLessThan") {
            *condition = json!({"aws:TokenIssueTime": cut.to_string()});
        }
    }
    document
}
