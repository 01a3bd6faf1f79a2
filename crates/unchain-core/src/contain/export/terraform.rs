//! A plan as a Terraform configuration in JSON (developer.hashicorp.com/terraform/language/syntax/json).

use super::held::{Held, Kind, Left, Of, Parted};
use super::{compact, heading, pretty};
use crate::contain::plan::Plan;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const ABOUT: &str = "Each account is reached by the AWS profile of its variable. The configuration makes policies only, and does not \
keep the order of the plan; what it cannot do is listed in not_in_this_configuration, with the command that does it. \
Destroying takes the policies away.";

/// The configuration, for a file whose name ends in `.tf.json`.
pub fn write(plan: &Plan) -> String {
    let parted = Parted::of(plan, &|_| Ok(()));
    let accounts: BTreeSet<&str> = parted.held.iter().map(|held| held.account).collect();
    let left: Vec<Value> = parted.left.iter().map(Left::told).collect();
    let mut resources = Map::new();
    for held in &parted.held {
        add(&mut resources, held);
    }
    // A member named `//` is a comment.
    let mut file = json!({
        "//": {"plan": heading(plan), "about": ABOUT, "valid_until": plan.valid_until,
            "not_in_this_configuration": left},
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.0"}}},
    });
    if let Some(file) = file.as_object_mut().filter(|_| !accounts.is_empty()) {
        file.insert("variable".to_owned(), variables(&accounts));
        file.insert("provider".to_owned(), json!({"aws": providers(&accounts)}));
        file.insert("resource".to_owned(), Value::Object(resources));
    }
    pretty(&file)
}

fn variables(accounts: &BTreeSet<&str>) -> Value {
    let profile = |account: &&str| {
        let variable = json!({"type": "string", "description": format!("the AWS profile for account {account}")});
        (format!("profile_{account}"), variable)
    };
    let mut variables: Map<String, Value> = accounts.iter().map(profile).collect();
    let region = json!({"type": "string", "default": "us-east-1", "description": "a region of the partition"});
    variables.insert("region".to_owned(), region);
    Value::Object(variables)
}

fn providers(accounts: &BTreeSet<&str>) -> Vec<Value> {
    let provider = |account: &&str| {
        json!({"alias": format!("account_{account}"), "profile": format!("${{var.profile_{account}}}"),
            "region": "${var.region}", "allowed_account_ids": [account]})
    };
    accounts.iter().map(provider).collect()
}

/// Text that Terraform takes as it is (developer.hashicorp.com/terraform/language/expressions/strings, "Escape
/// sequences").
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// Puts one resource of an account among those of its kind.
fn put(
    resources: &mut Map<String, Value>,
    account: &str,
    (kind, label): (&str, String),
    mut body: Value,
) {
    if let Some(body) = body.as_object_mut() {
        let provider = format!("aws.account_{account}");
        body.insert("provider".to_owned(), Value::String(provider));
    }
    let of_kind = resources
        .entry(kind)
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(of_kind) = of_kind.as_object_mut() {
        of_kind.insert(label, body);
    }
}

fn add(resources: &mut Map<String, Value>, held: &Held<'_>) {
    let (step, name) = (format!("step_{}", held.step), held.name);
    let document = literal(&compact(held.document));
    let mut put = |kind: &str, label: String, body: Value| {
        put(resources, held.account, (kind, label), body);
    };
    match &held.kind {
        Kind::Inline(Of::User(user)) => {
            let body = json!({"name": name, "user": user, "policy": document});
            put("aws_iam_user_policy", step, body);
        }
        Kind::Inline(Of::Role(role)) => {
            let body = json!({"name": name, "role": role, "policy": document});
            put("aws_iam_role_policy", step, body);
        }
        Kind::Managed(to) => {
            let arn = format!("${{aws_iam_policy.{step}.arn}}");
            put(
                "aws_iam_policy",
                step.clone(),
                json!({"name": name, "policy": document}),
            );
            for (n, of) in to.iter().enumerate() {
                let (kind, member, whose) = match of {
                    Of::User(user) => ("aws_iam_user_policy_attachment", "user", user),
                    Of::Role(role) => ("aws_iam_role_policy_attachment", "role", role),
                };
                let body = json!({member: whose, "policy_arn": arn});
                put(kind, format!("{step}_{n}"), body);
            }
        }
        Kind::Scp(description, targets) => {
            let id = format!("${{aws_organizations_policy.{step}.id}}");
            let body = json!({"name": name, "description": literal(description),
                "type": "SERVICE_CONTROL_POLICY", "content": document});
            put("aws_organizations_policy", step.clone(), body);
            for (n, target) in targets.iter().enumerate() {
                let body = json!({"policy_id": id, "target_id": target});
                put(
                    "aws_organizations_policy_attachment",
                    format!("{step}_{n}"),
                    body,
                );
            }
        }
    }
}
