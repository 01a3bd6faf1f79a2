//! A plan as a CloudFormation template, in JSON.
//!
//! One template serves all accounts: a resource is made where the account is its own
//! (docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html).

use super::held::{Held, Kind, Left, Of, Parted};
use super::{heading, pretty};
use crate::contain::plan::Plan;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const ABOUT: &str = "Deploy it in every account that a condition names. It makes policies only, all at once and in no order; what \
it cannot do is listed in its metadata, with the command that does it. Deleting the stack takes the policies away.";

/// The template. What CloudFormation would not take literally is not in it.
pub fn write(plan: &Plan) -> String {
    let parted = Parted::of(plan, &literal);
    let accounts: BTreeSet<&str> = parted.held.iter().map(|held| held.account).collect();
    let conditions: Map<String, Value> = accounts.into_iter().map(condition).collect();
    let resources: Map<String, Value> = parted.held.iter().map(resource).collect();
    let left = parted.left.iter().map(Left::told);
    let left: Vec<Value> = left.map(defused).collect();
    pretty(&json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": heading(plan),
        "Metadata": {"About": ABOUT, "ValidUntil": plan.valid_until, "NotInThisTemplate": left},
        "Conditions": conditions,
        "Resources": resources,
    }))
}

fn condition(account: &str) -> (String, Value) {
    let own = json!({"Fn::Equals": [{"Ref": "AWS::AccountId"}, account]});
    (format!("Account{account}"), own)
}

fn resource(held: &Held<'_>) -> (String, Value) {
    let (kind, properties) = match &held.kind {
        Kind::Inline(Of::User(name)) => (
            "AWS::IAM::UserPolicy",
            json!({"UserName": name, "PolicyName": held.name, "PolicyDocument": held.document}),
        ),
        Kind::Inline(Of::Role(name)) => (
            "AWS::IAM::RolePolicy",
            json!({"RoleName": name, "PolicyName": held.name, "PolicyDocument": held.document}),
        ),
        Kind::Managed(to) => ("AWS::IAM::ManagedPolicy", managed(held, to)),
        Kind::Scp(description, targets) => (
            "AWS::Organizations::Policy",
            json!({"Name": held.name, "Description": description, "Type": "SERVICE_CONTROL_POLICY",
                "Content": held.document, "TargetIds": targets}),
        ),
    };
    let condition = format!("Account{}", held.account);
    let resource = json!({"Type": kind, "Condition": condition, "Properties": properties});
    (format!("Step{}", held.step), resource)
}

fn managed(held: &Held<'_>, to: &[Of<'_>]) -> Value {
    let mut properties = json!({"ManagedPolicyName": held.name, "PolicyDocument": held.document});
    let (mut users, mut roles) = (Vec::new(), Vec::new());
    for of in to {
        match of {
            Of::User(name) => users.push(*name),
            Of::Role(name) => roles.push(*name),
        }
    }
    if let Some(properties) = properties.as_object_mut() {
        for (member, names) in [("Users", users), ("Roles", roles)] {
            if !names.is_empty() {
                properties.insert(member.to_owned(), json!(names));
            }
        }
    }
    properties
}

/// Metadata is told to a person, and so may be changed.
fn defused(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace("{{", "{ {")),
        Value::Object(members) => {
            let each = members
                .into_iter()
                .map(|(name, value)| (name, defused(value)));
            Value::Object(each.collect())
        }
        other => other,
    }
}

const MEANS: &str = "CloudFormation would not take it literally";

/// Whether CloudFormation takes everything as it stands: it resolves `{{resolve:…}}` in texts, and objects of one member
/// named `Ref` or `Fn::…` (docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html).
fn literal(held: &Held<'_>) -> Result<(), &'static str> {
    let description = match &held.kind {
        Kind::Scp(description, _) => description,
        Kind::Inline(_) | Kind::Managed(_) => "",
    };
    if is_literal(&json!(description)) && is_literal(held.document) {
        Ok(())
    } else {
        Err(MEANS)
    }
}

fn is_literal(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains("{{resolve:"),
        Value::Array(items) => items.iter().all(is_literal),
        Value::Object(members) => members.iter().all(|(name, value)| {
            let function = name == "Ref"
                || name == "Condition" && value.is_string()
                || name.starts_with("Fn::");
            !function && !name.contains("{{resolve:") && is_literal(value)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}
