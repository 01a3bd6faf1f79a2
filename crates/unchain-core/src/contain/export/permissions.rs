//! The least that each command needs, as an IAM policy.
//!
//! What an action is allowed on is as in the Service Authorization Reference
//! (docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html,
//! …/list_awsorganizations.html). A policy cannot say which document is put: who may put a policy on a user may give it
//! anything. With a plan only the users and roles of the plan are open to that.

use super::changes::{
    CONTAINING, Change, POLICY, READS, REMOVING, REMOVING_OURS, REMOVING_TOO, UNDOING, UNDOING_TOO,
};
use super::{calls, text};
use crate::contain::owner::Owner;
use crate::contain::plan::{Call, Plan, Undo};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be done with the permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Reading the state of the accounts: for inspecting, planning and verifying.
    Read,
    /// Carrying out a plan.
    Apply,
    /// Undoing it.
    Undo,
}

/// Policies that a plan makes, in any account.
const OURS: &str = "arn:aws:iam::*:policy/UnchainContain-*";

/// A condition: operator, key and value.
type Condition = Option<(&'static str, &'static str, String)>;

/// Who may do what on what, under which condition.
#[derive(Debug, Default)]
struct Grants(BTreeMap<(String, Condition), BTreeSet<String>>);

/// The policy for a duty: with a plan exactly its calls on what it changes, and looking at that; without one all calls
/// that plans make.
pub fn permissions(duty: Duty, plan: Option<&Plan>) -> Value {
    let mut grants = Grants::default();
    match (duty, plan) {
        (Duty::Read, _) => READS
            .iter()
            .for_each(|action| grants.add(action, ("*".to_owned(), None))),
        (Duty::Apply, None) => {
            grants.general(&CONTAINING, Reach::Ours);
            grants.general(&REMOVING_OURS, Reach::Ours);
            grants.general(&REMOVING, Reach::All);
            grants.general(&REMOVING_TOO, Reach::All);
        }
        (Duty::Undo, None) => {
            grants.general(&UNDOING, Reach::Ours);
            grants.general(&UNDOING_TOO, Reach::All);
        }
        (Duty::Apply, Some(plan)) => {
            for (_, call) in calls(plan) {
                grants.call(plan, call);
                grants.beside(plan, call, &["CreatePolicy", "CreatePolicyVersion"]);
            }
        }
        (Duty::Undo, Some(plan)) => {
            let undone = plan.steps.iter().filter_map(|step| match &step.undo {
                Undo::Calls(calls) => Some(calls),
                Undo::Nothing | Undo::Never(_) => None,
            });
            for call in undone.flatten() {
                grants.call(plan, call);
            }
            for (_, call) in calls(plan) {
                grants.beside(plan, call, &["DeletePolicy", "SetDefaultPolicyVersion"]);
                if matches!(call.action.as_str(), "PutUserPolicy" | "PutRolePolicy") {
                    grants.call(plan, call);
                }
            }
        }
    }
    grants.policy()
}

/// Whether managed policies are only those that plans make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Ours,
    All,
}

impl Grants {
    fn add(&mut self, action: &str, (resource, condition): (String, Condition)) {
        self.0
            .entry((resource, condition))
            .or_default()
            .insert(action.to_owned());
    }

    fn general(&mut self, changes: &[Change], reach: Reach) {
        for &(service, action, looks) in changes {
            let ours = reach == Reach::Ours && service == "iam";
            let (resource, condition) = match action {
                "AttachRolePolicy" | "AttachUserPolicy" | "DetachRolePolicy"
                | "DetachUserPolicy"
                    if ours =>
                {
                    let of = ("ArnLike", "iam:PolicyARN", OURS.to_owned());
                    ("*".to_owned(), Some(of))
                }
                _ if ours && looks == POLICY => (OURS.to_owned(), None),
                _ => ("*".to_owned(), None),
            };
            let condition = condition.or_else(|| scp(service, action));
            self.add(&format!("{service}:{action}"), (resource, condition));
            for look in looks {
                self.add(&format!("{service}:{look}"), ("*".to_owned(), None));
            }
        }
    }

    /// One call of a plan, and the looks at what it changes. A call whose names could mean more than themselves is
    /// allowed nothing.
    fn call(&mut self, plan: &Plan, call: &Call) {
        let service = call.service.as_str();
        let tables = [
            &CONTAINING[..],
            &UNDOING,
            &UNDOING_TOO,
            &REMOVING,
            &REMOVING_TOO,
        ];
        let known = tables.into_iter().flatten();
        let mut known = known.filter(|(of, action, _)| (*of, *action) == (service, &*call.action));
        let Some((_, action, looks)) = known.next() else {
            return;
        };
        let policy = text(call, "PolicyArn");
        let attached = matches!(
            *action,
            "AttachRolePolicy" | "AttachUserPolicy" | "DetachRolePolicy" | "DetachUserPolicy"
        );
        if attached && !is_literal(policy) {
            return;
        }
        let condition = attached.then(|| ("ArnEquals", "iam:PolicyARN", policy.to_owned()));
        let condition = condition.or_else(|| scp(service, action));
        for resource in changed(plan, call, action) {
            self.add(
                &format!("{service}:{action}"),
                (resource, condition.clone()),
            );
        }
        for look in *looks {
            for resource in changed(plan, call, look) {
                self.add(&format!("{service}:{look}"), (resource, None));
            }
        }
    }

    /// What a call about a managed policy may come to beside itself, as what is there decides: a policy of its name may
    /// be there or not, and have no room for another version.
    fn beside(&mut self, plan: &Plan, call: &Call, actions: &[&str]) {
        let managed = matches!(
            call.action.as_str(),
            "CreatePolicy" | "CreatePolicyVersion" | "DeletePolicy"
        );
        if call.service != "iam" || !managed {
            return;
        }
        for action in actions.iter().chain(&["DeletePolicyVersion"]) {
            let action = (*action).to_owned();
            self.call(
                plan,
                &Call {
                    action,
                    ..call.clone()
                },
            );
        }
    }

    /// As few statements as there are sets of actions.
    fn policy(self) -> Value {
        let mut statements: BTreeMap<(BTreeSet<String>, Condition), BTreeSet<String>> =
            BTreeMap::new();
        for ((resource, condition), actions) in self.0 {
            let same = statements.entry((actions, condition)).or_default();
            same.insert(resource);
        }
        let statements = statements
            .into_iter()
            .map(|((actions, condition), resources)| {
                let mut statement =
                    json!({"Effect": "Allow", "Action": actions, "Resource": resources});
                if let (Some((operator, key, value)), Some(statement)) =
                    (condition, statement.as_object_mut())
                {
                    statement.insert("Condition".to_owned(), json!({operator: {key: value}}));
                }
                statement
            });
        let statements: Vec<Value> = statements.collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }
}

/// Only service control policies.
fn scp(service: &str, action: &str) -> Condition {
    let typed = matches!(
        action,
        "AttachPolicy" | "CreatePolicy" | "DeletePolicy" | "DetachPolicy"
    );
    let key = "organizations:PolicyType";
    (service == "organizations" && typed)
        .then(|| ("StringEquals", key, "SERVICE_CONTROL_POLICY".to_owned()))
}

/// Whether a text can stand in an ARN of a policy and mean only itself.
fn is_literal(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_/:".contains(c);
    !text.is_empty() && text.chars().all(plain)
}

/// The ARNs that an action is allowed on, for a call of a plan.
fn changed(plan: &Plan, call: &Call, action: &str) -> Vec<String> {
    let account = call.account.raw();
    // Paths of groups and profiles are not in a plan: with one, and without.
    let by_path = |kind: &str, name: &str| {
        let start = format!("arn:aws:iam::{account}:{kind}/");
        vec![format!("{start}{name}"), format!("{start}*/{name}")]
    };
    let needed: &[&str] = match (call.service.as_str(), action) {
        ("iam", "ListVirtualMFADevices") | ("organizations", "CreatePolicy" | "ListPolicies") => {
            return vec!["*".to_owned()];
        }
        ("organizations", _) => return organizations(call, action),
        ("rolesanywhere", _) => &["region", "trustAnchorId"],
        (_, "RemoveUserFromGroup") => &["GroupName"],
        (_, "RemoveRoleFromInstanceProfile" | "GetInstanceProfile") => &["InstanceProfileName"],
        (_, "DeleteVirtualMFADevice") => &["SerialNumber"],
        (_, "CreatePolicy") if has(call, "PolicyName") => &["PolicyName"],
        _ if has(call, "UserName") => &["UserName"],
        _ if has(call, "RoleName") => &["RoleName"],
        _ if has(call, "PolicyArn") => &["PolicyArn"],
        _ if has(call, "PolicyName") => &["PolicyName"],
        _ if has(call, "SAMLProviderArn") => &["SAMLProviderArn"],
        _ => &["OpenIDConnectProviderArn"],
    };
    let names: Vec<&str> = needed.iter().map(|name| text(call, name)).collect();
    if !names.iter().chain([&account]).all(|name| is_literal(name)) {
        return Vec::new();
    }
    match (needed, names.as_slice()) {
        (["region", _], [region, anchor]) => {
            vec![format!(
                "arn:aws:rolesanywhere:{region}:{account}:trust-anchor/{anchor}"
            )]
        }
        (["GroupName"], [name]) => by_path("group", name),
        (["InstanceProfileName"], [name]) => by_path("instance-profile", name),
        (["PolicyName"], [name]) => vec![format!("arn:aws:iam::{account}:policy/{name}")],
        (["UserName"], [name]) => vec![arn(plan, account, ("user", name))],
        (["RoleName"], [name]) => vec![arn(plan, account, ("role", name))],
        (_, names) => names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn has(call: &Call, name: &str) -> bool {
    call.parameters.contains_key(name)
}

/// The ids of the organization and of a policy that is not made yet are not known.
fn organizations(call: &Call, action: &str) -> Vec<String> {
    let management = call.account.raw();
    let target = text(call, "TargetId");
    let start = format!("arn:aws:organizations::{management}");
    let policy = format!("{start}:policy/o-*/service_control_policy/p-*");
    let account = format!("{start}:account/o-*/{target}");
    if !is_literal(management) {
        return Vec::new();
    }
    match action {
        "ListPoliciesForTarget" | "AttachPolicy" | "DetachPolicy" if !is_literal(target) => {
            Vec::new()
        }
        "ListPoliciesForTarget" => vec![account],
        "AttachPolicy" | "DetachPolicy" => vec![account, policy],
        _ => vec![policy],
    }
}

/// The ARN of a user or role with its path, as the plan knows it.
fn arn(plan: &Plan, account: &str, (kind, name): (&str, &str)) -> String {
    let bare = format!("arn:aws:iam::{account}:{kind}/{name}");
    let same = |arn: &str| {
        let owner = Owner::of_arn(arn).filter(|_| arn.contains(&format!(":{kind}/")));
        let same = owner.is_some_and(|o| o.account.raw() == account && o.name.raw() == name);
        same && is_literal(arn)
    };
    let targets = plan.steps.iter().map(|step| step.target.raw());
    let known = targets.into_iter().find(|arn| same(arn));
    known.map_or(bare, str::to_owned)
}
