//! What the services make of a plan's calls; written apart from what the library expects of them.

use serde_json::Value;
use std::collections::BTreeMap;
use unchain_core::contain::{Account, Action, Call, Facts, Managed, Phase, Plan, Policies};

fn text<'c>(call: &'c Call, name: &str) -> &'c str {
    call.parameters
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The accounts after a plan's calls, but for some of its steps and the deletions at its end.
pub(crate) fn carried_out(facts: &Facts, plan: &Plan, left_out: impl Fn(u32) -> bool) -> Facts {
    let mut facts = facts.clone();
    let mut scps = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| step.phase < Phase::Remove) {
        if let Action::Call(call) = &step.action
            && !left_out(step.number)
        {
            match call.service.as_str() {
                "organizations" => organizations(&mut facts, call, (&mut scps, step.number)),
                service => {
                    assert_eq!(service, "iam");
                    let account = facts
                        .accounts
                        .entry(call.account.raw().to_owned())
                        .or_default();
                    account.authorization_details = true;
                    iam(account, call);
                }
            }
        }
    }
    facts
}

fn iam(account: &mut Account, call: &Call) {
    let document = call
        .parameters
        .get("PolicyDocument")
        .cloned()
        .unwrap_or_default();
    let name = text(call, "PolicyName").to_owned();
    let of_account = format!("arn:aws:iam::{}:policy/{name}", call.account.raw());
    match call.action.as_str() {
        "PutUserPolicy" | "PutRolePolicy" => {
            held(account, call).inline.insert(name, document);
        }
        "AttachUserPolicy" | "AttachRolePolicy" => {
            held(account, call)
                .attached
                .insert(text(call, "PolicyArn").to_owned());
        }
        "CreatePolicy" => {
            account.policies.insert(of_account, Managed { document });
        }
        "CreatePolicyVersion" => {
            account
                .policies
                .insert(text(call, "PolicyArn").to_owned(), Managed { document });
        }
        "UpdateAccessKey" => {
            let user = account.users.get_mut(text(call, "UserName")).unwrap();
            user.keys.insert(
                text(call, "AccessKeyId").to_owned(),
                text(call, "Status") == "Active",
            );
        }
        "UpdateAssumeRolePolicy" => {
            account.roles.get_mut(text(call, "RoleName")).unwrap().trust = document;
        }
        other => assert!(
            other == "DeleteLoginProfile" || other == "DeactivateMFADevice",
            "{other}"
        ),
    }
}

fn organizations(
    facts: &mut Facts,
    call: &Call,
    (scps, number): (&mut BTreeMap<String, Value>, u32),
) {
    if call.action == "CreatePolicy" {
        let reference = format!("${{{number}:Policy.PolicySummary.Id}}");
        scps.insert(reference, call.parameters["Content"].clone());
        return;
    }
    assert_eq!(call.action, "AttachPolicy");
    let target = text(call, "TargetId");
    let levels = facts
        .organization
        .as_mut()
        .unwrap()
        .scps
        .get_mut(target)
        .unwrap();
    let level = levels
        .iter_mut()
        .find(|level| level.target == target)
        .unwrap();
    let content = scps.get(text(call, "PolicyId")).cloned();
    level
        .policies
        .extend(content.map(|content| (format!("p-{number}"), content)));
}

fn held<'f>(account: &'f mut Account, call: &Call) -> &'f mut Policies {
    match text(call, "UserName") {
        "" => {
            &mut account
                .roles
                .entry(text(call, "RoleName").to_owned())
                .or_default()
                .policies
        }
        user => &mut account.users.entry(user.to_owned()).or_default().policies,
    }
}
