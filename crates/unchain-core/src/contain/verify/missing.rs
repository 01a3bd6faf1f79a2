//! Which steps of a plan are not in force: their policy is gone or changed, or what they made inactive is active.
//!
//! What a step was put on can be gone as well, and then nothing is missing. A step that a later one puts more on top
//! of, as the second cut-off on the first, is in force when either is.

use super::super::after::owner;
use super::super::facts::{Facts, ScpLevel};
use super::super::owner::Owner;
use super::super::plan::{Action, Call, Phase, Plan, Step};
use crate::text::Untrusted;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is wrong with what a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingHow {
    /// It is not there.
    Gone,
    /// It is there, and says something else.
    Changed,
    /// The facts do not say.
    Unread,
}

impl MissingHow {
    /// In our words, for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Gone => "is not in force",
            Self::Changed => "was changed",
            Self::Unread => "could not be looked at",
        }
    }
}

/// A step that is not in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Its number.
    pub step: u32,
    /// The action that it called.
    pub action: String,
    /// What it changed.
    pub target: Untrusted,
    /// What is wrong.
    pub how: MissingHow,
}

/// The steps of a plan that are not in force, as far as these facts tell.
pub(super) fn missing(plan: &Plan, facts: &Facts) -> Vec<Missing> {
    let calls: Vec<(&Step, &Call)> = plan
        .steps
        .iter()
        .filter(|step| step.phase < Phase::Verify)
        .filter_map(|step| match &step.action {
            Action::Call(call) => Some((step, call)),
            Action::Wait(_) | Action::Verify { .. } => None,
        })
        .collect();
    let look = Look {
        facts,
        calls: &calls,
    };
    let found = calls.iter().filter_map(|(step, call)| {
        Some(Missing {
            step: step.number,
            action: call.action.clone(),
            target: step.target.clone(),
            how: look.wrong(step, call)?,
        })
    });
    found.collect()
}

struct Look<'a> {
    facts: &'a Facts,
    calls: &'a [(&'a Step, &'a Call)],
}

fn text<'c>(call: &'c Call, name: &str) -> &'c str {
    call.parameters
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl Look<'_> {
    fn wrong(&self, step: &Step, call: &Call) -> Option<MissingHow> {
        if let Some(owner) = owner(call) {
            match (self.read(&owner), self.facts.policies(&owner)) {
                (true, None) => return None,
                (false, _) => return Some(MissingHow::Unread),
                (true, Some(_)) => {}
            }
            return self.on_owner(step, call, &owner);
        }
        match (call.service.as_str(), call.action.as_str()) {
            ("iam", "CreatePolicy") => self.managed(step, call, &self.policy_arn(call)),
            ("iam", "CreatePolicyVersion") => self.managed(step, call, text(call, "PolicyArn")),
            ("organizations", "CreatePolicy") => self.scp(step, call),
            ("organizations", "AttachPolicy") => self.attached_scp(call),
            ("rolesanywhere", "DisableTrustAnchor") => {
                let account = self.facts.accounts.get(call.account.raw());
                let enabled = account.and_then(|a| a.trust_anchors.get(step.target.raw()));
                said(enabled.map(|enabled| !enabled))
            }
            _ => Some(MissingHow::Unread),
        }
    }

    fn read(&self, owner: &Owner) -> bool {
        let account = self.facts.accounts.get(owner.account.raw());
        account.is_some_and(|account| account.authorization_details)
    }

    fn on_owner(&self, step: &Step, call: &Call, owner: &Owner) -> Option<MissingHow> {
        let held = self.facts.policies(owner)?;
        match call.action.as_str() {
            "PutUserPolicy" | "PutRolePolicy" => {
                self.compared(step, call, held.inline.get(text(call, "PolicyName")))
            }
            "AttachUserPolicy" | "AttachRolePolicy" => {
                (!held.attached.contains(text(call, "PolicyArn"))).then_some(MissingHow::Gone)
            }
            "UpdateAssumeRolePolicy" => {
                self.compared(step, call, self.facts.role(owner).map(|r| &r.trust))
            }
            "UpdateAccessKey" => self.key(call, owner),
            "DeleteLoginProfile" => said(self.facts.user(owner)?.password.map(|has| !has)),
            "DeactivateMFADevice" => self.device(call, owner),
            "UpdateServiceSpecificCredential" => {
                let known = &self.facts.user(owner)?.service_credentials;
                let active = known.get(text(call, "ServiceSpecificCredentialId"));
                said(active.map(|active| *active == (text(call, "Status") == "Active")))
            }
            _ => Some(MissingHow::Unread),
        }
    }

    /// A document that is there against the one that was put, or one that a later step puts in its place.
    fn compared(&self, step: &Step, call: &Call, found: Option<&Value>) -> Option<MissingHow> {
        let Some(found) = found else {
            return Some(MissingHow::Gone);
        };
        let same = |other: &Call| {
            let name = |call: &Call| {
                (
                    owner(call),
                    text(call, "PolicyName").to_owned(),
                    call.action.clone(),
                )
            };
            name(other) == name(call) && other.parameters.get("PolicyDocument") == Some(found)
        };
        let later = self
            .calls
            .iter()
            .filter(|(other, _)| other.number >= step.number);
        let in_force = later.map(|(_, call)| *call).any(same);
        (!in_force).then_some(MissingHow::Changed)
    }

    fn policy_arn(&self, call: &Call) -> String {
        let name = format!(":policy/{}", text(call, "PolicyName"));
        let account = self.facts.accounts.get(call.account.raw());
        let known = account
            .into_iter()
            .flat_map(|account| account.policies.keys());
        known
            .into_iter()
            .find(|arn| arn.ends_with(&name))
            .cloned()
            .unwrap_or_default()
    }

    fn managed(&self, step: &Step, call: &Call, arn: &str) -> Option<MissingHow> {
        let account = self.facts.accounts.get(call.account.raw());
        let Some(account) = account.filter(|account| account.authorization_details) else {
            return Some(MissingHow::Unread);
        };
        let Some(found) = account.policies.get(arn) else {
            return (!self.holders_gone(step)).then_some(MissingHow::Gone);
        };
        let later = self
            .calls
            .iter()
            .filter(|(other, _)| other.number >= step.number);
        let same = later.map(|(_, call)| *call).any(|other| {
            let arns = [text(other, "PolicyArn").to_owned(), self.policy_arn(other)];
            let about = other.action.starts_with("CreatePolicy") && arns.iter().any(|a| a == arn);
            about && other.parameters.get("PolicyDocument") == Some(&found.document)
        });
        (!same).then_some(MissingHow::Changed)
    }

    /// Whether there is nobody any more to whom the policy of a step was attached: the same users and roles are the
    /// targets of the steps that attach it.
    fn holders_gone(&self, step: &Step) -> bool {
        let attached = self.calls.iter().filter(|(other, call)| {
            other.target == step.target && call.action.starts_with("Attach")
        });
        let mut owners = attached.filter_map(|(_, call)| owner(call)).peekable();
        owners.peek().is_some()
            && owners.all(|owner| self.read(&owner) && self.facts.policies(&owner).is_none())
    }

    fn key(&self, call: &Call, owner: &Owner) -> Option<MissingHow> {
        let user = self.facts.user(owner)?;
        let active = super::snapshot::key_active(user, text(call, "AccessKeyId"));
        said(active.map(|active| active == (text(call, "Status") == "Active")))
    }

    fn device(&self, call: &Call, owner: &Owner) -> Option<MissingHow> {
        let user = self.facts.user(owner)?;
        if user.mfa_devices.contains(text(call, "SerialNumber")) {
            return Some(MissingHow::Gone);
        }
        let known = user.mfa == Some(false) || !user.mfa_devices.is_empty();
        (!known).then_some(MissingHow::Unread)
    }

    /// A policy of the organization is found by what it says: its id was given by the service.
    fn scp(&self, step: &Step, call: &Call) -> Option<MissingHow> {
        let reference = format!("${{{}:Policy.PolicySummary.Id}}", step.number);
        let attached =
            |other: &&Call| other.action == "AttachPolicy" && text(other, "PolicyId") == reference;
        let calls = self.calls.iter().map(|(_, call)| *call);
        let mut targets = calls.filter(attached).map(|call| text(call, "TargetId"));
        targets.find_map(|target| self.says(target, call.parameters.get("Content")))
    }

    fn attached_scp(&self, call: &Call) -> Option<MissingHow> {
        let reference = text(call, "PolicyId");
        let maker = self.calls.iter().find(|(step, made)| {
            made.action == "CreatePolicy"
                && reference == format!("${{{}:Policy.PolicySummary.Id}}", step.number)
        });
        let content = maker.and_then(|(_, made)| made.parameters.get("Content"));
        self.says(text(call, "TargetId"), content)
    }

    /// Whether one of the policies on a target is this document.
    fn says(&self, target: &str, content: Option<&Value>) -> Option<MissingHow> {
        let organization = self.facts.organization.as_ref();
        let levels = organization
            .into_iter()
            .flat_map(|o| o.scps.values().flatten());
        let mut on: Vec<&ScpLevel> = levels.filter(|level| level.target == target).collect();
        if on.is_empty() {
            on = self.facts.scps(target).iter().collect();
        }
        if on.is_empty() {
            return Some(MissingHow::Unread);
        }
        let mut documents = on.iter().flat_map(|level| level.policies.values());
        let there = content.is_some_and(|content| documents.any(|document| document == content));
        (!there).then_some(MissingHow::Gone)
    }
}

fn said(in_force: Option<bool>) -> Option<MissingHow> {
    match in_force {
        Some(true) => None,
        Some(false) => Some(MissingHow::Gone),
        None => Some(MissingHow::Unread),
    }
}
