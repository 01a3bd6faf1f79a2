//! Policy documents as IAM takes them: what it refuses, in its words
//! (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).

use serde_json::{Map, Value};

use super::{Document, fault, principals};
use crate::call::Fault;
use crate::world::World;

/// A document for an identity: a user, group or role, or a managed policy.
pub(super) fn identity(name: &str, text: &str) -> Result<Document, Fault> {
    let value = json(text)?;
    for statement in statements(&value) {
        if has(statement, "Principal") || has(statement, "NotPrincipal") {
            return Err(fault::malformed(
                "Policy document should not specify a principal.",
            ));
        }
        check_actions(statement)?;
        check_resources(statement)?;
    }
    let document = parse(name, text)?;
    document
        .policy
        .check_identity_based()
        .map_err(|_| syntax())?;
    Ok(document)
}

/// A role's trust policy. Its principals must be there.
pub(super) fn trust(world: &World, text: &str) -> Result<Document, Fault> {
    if weight(text) > 2048 {
        return Err(fault::quota("ACLSizePerRole", 2048));
    }
    let value = json(text)?;
    for statement in statements(&value) {
        for prohibited in ["Resource", "NotResource", "NotPrincipal"] {
            if has(statement, prohibited) {
                return Err(fault::malformed(format!(
                    "Has prohibited field {prohibited}"
                )));
            }
        }
        let Some(principal) = statement.get("Principal") else {
            return Err(fault::malformed("Missing required field Principal"));
        };
        check_actions(statement)?;
        if !texts(statement.get("Action"))
            .iter()
            .all(|action| for_trust(action))
        {
            return Err(fault::malformed(
                "AssumeRole policy may only specify STS AssumeRole actions.",
            ));
        }
        principals::check(world, principal)?;
    }
    let document = parse("AssumeRolePolicyDocument", text)?;
    document.policy.check_trust().map_err(|_| syntax())?;
    Ok(document)
}

/// The characters of a document that count: all but white space
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
pub(super) fn weight(text: &str) -> usize {
    text.chars()
        .filter(|letter| !letter.is_whitespace())
        .count()
}

/// The texts of an element that may be one or a list.
pub(super) fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The statements of a document, one or a list.
pub(super) fn statements(value: &Value) -> Vec<&Map<String, Value>> {
    match value.get("Statement") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(one)) => vec![one],
        _ => Vec::new(),
    }
}

fn json(text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text).map_err(|_| fault::malformed("This policy contains invalid Json"))
}

fn parse(name: &str, text: &str) -> Result<Document, Fault> {
    Document::parse(name, text).map_err(|_| syntax())
}

fn syntax() -> Fault {
    fault::malformed("Syntax errors in policy.")
}

fn has(statement: &Map<String, Value>, element: &str) -> bool {
    statement.contains_key(element)
}

fn check_actions(statement: &Map<String, Value>) -> Result<(), Fault> {
    let mut actions = texts(statement.get("Action"));
    actions.extend(texts(statement.get("NotAction")));
    if actions.is_empty() {
        return Err(fault::malformed("Policy statement must contain actions."));
    }
    let with_vendor = |action: &&str| *action == "*" || action.contains(':');
    if !actions.iter().all(with_vendor) {
        return Err(fault::malformed(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ));
    }
    Ok(())
}

fn check_resources(statement: &Map<String, Value>) -> Result<(), Fault> {
    let mut resources = texts(statement.get("Resource"));
    resources.extend(texts(statement.get("NotResource")));
    if resources.is_empty() {
        return Err(fault::malformed("Policy statement must contain resources."));
    }
    let is_arn = |resource: &&&str| {
        let colons = resource.bytes().filter(|byte| *byte == b':').count();
        resource.starts_with('*')
            || resource.starts_with("${")
            || (resource.starts_with("arn:") && colons >= 5)
            || (resource.starts_with("arn:") && resource.contains('*'))
    };
    match resources.iter().find(|resource| !is_arn(resource)) {
        Some(wrong) => Err(fault::malformed(format!(
            "Resource {wrong} must be in ARN format or \"*\"."
        ))),
        None => Ok(()),
    }
}

fn for_trust(action: &str) -> bool {
    action == "*" || action.to_ascii_lowercase().starts_with("sts:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Settings;

    fn refusal(text: &str) -> String {
        identity("p", text).unwrap_err().message
    }

    fn statement(rest: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{rest}}}]}}"#)
    }

    #[test]
    fn an_identitys_policy_is_refused_in_awss_words() {
        assert_eq!(refusal("{"), "This policy contains invalid Json");
        assert_eq!(
            refusal(&statement(r#""Resource":"*""#)),
            "Policy statement must contain actions."
        );
        assert_eq!(
            refusal(&statement(r#""Action":"s3:*""#)),
            "Policy statement must contain resources."
        );
        assert_eq!(
            refusal(&statement(r#""Action":"s3","Resource":"*""#)),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        );
        assert_eq!(
            refusal(&statement(r#""Action":"s3:*","Resource":"bucket""#)),
            "Resource bucket must be in ARN format or \"*\"."
        );
        assert_eq!(
            refusal(&statement(
                r#""Action":"s3:*","Resource":"*","Principal":"*""#
            )),
            "Policy document should not specify a principal."
        );
        identity(
            "p",
            &statement(r#""Action":"s3:*","Resource":"arn:aws:s3:::b/*""#),
        )
        .unwrap();
    }

    #[test]
    fn a_trust_policy_has_a_principal_and_no_resource() {
        let world = World::new(1, Settings::default());
        let refused = |rest: &str| trust(&world, &statement(rest)).unwrap_err().message;
        assert_eq!(
            refused(r#""Action":"sts:AssumeRole""#),
            "Missing required field Principal"
        );
        assert_eq!(
            refused(r#""Action":"sts:AssumeRole","Principal":"*","Resource":"*""#),
            "Has prohibited field Resource"
        );
        assert_eq!(
            refused(r#""Action":"s3:GetObject","Principal":"*""#),
            "AssumeRole policy may only specify STS AssumeRole actions."
        );
        let long = " ".repeat(5000);
        trust(
            &world,
            &statement(&format!(
                r#""Action":"sts:AssumeRole",{long}"Principal":"*""#
            )),
        )
        .unwrap();
        let long = "x".repeat(2100);
        let text = statement(&format!(
            r#""Sid":"{long}","Action":"sts:AssumeRole","Principal":"*""#
        ));
        assert_eq!(
            trust(&world, &text).unwrap_err().message,
            "Cannot exceed quota for ACLSizePerRole: 2048"
        );
    }
}
