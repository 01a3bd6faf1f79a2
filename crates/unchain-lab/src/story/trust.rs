//! Who may assume a story's roles: what `trust` lines say, or else the role's own account and everybody whom the
//! story lets assume it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use unchain_trail::{CastPrincipal, Script, Step, Trust};

/// The trust policy of a role.
pub(super) fn document(script: &Script, role: &CastPrincipal) -> Value {
    let said: Vec<&Trust> = script
        .cast
        .trusts
        .iter()
        .filter(|trust| trust.role == role.arn)
        .collect();
    let mut statements: Vec<Value> = said.iter().map(|trust| stated(trust)).collect();
    if role.path.starts_with("/aws-reserved/sso.amazonaws.com/") {
        statements = vec![of_identity_center(&role.account)];
    } else if said.is_empty() {
        let own = format!("arn:aws:iam::{}:root", role.account);
        statements.push(statement("AWS", &json!(own), Vec::new()));
        statements.extend(seen(script, &role.arn));
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Only Identity Center's own provider is let into the role of a permission set
/// (docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html).
fn of_identity_center(account: &str) -> Value {
    let provider = format!("arn:aws:iam::{account}:saml-provider/AWSSSO_DO_NOT_DELETE");
    statement("SAML", &json!(provider), Vec::new())
}

/// What one `trust` line says.
fn stated(trust: &Trust) -> Value {
    let services: Vec<&String> = trust
        .principals
        .iter()
        .filter(|p| p.ends_with(".amazonaws.com"))
        .collect();
    let (kind, who) = match services.len() == trust.principals.len() {
        true => ("Service", json!(services)),
        false => ("AWS", json!(trust.principals)),
    };
    let mut conditions = Vec::new();
    if let Some(id) = &trust.external_id {
        conditions.push(("StringEquals", json!({"sts:ExternalId": id})));
    }
    if trust.mfa {
        conditions.push(("Bool", json!({"aws:MultiFactorAuthPresent": "true"})));
    }
    statement(kind, &who, conditions)
}

/// Statements for all whom the story lets assume a role and who are not of its account.
fn seen(script: &Script, role: &str) -> Vec<Value> {
    let mut seen: BTreeSet<(&'static str, String)> = BTreeSet::new();
    for step in script.steps.iter().filter(|step| step.fails().is_none()) {
        seen.extend(assumed(step, role));
    }
    seen.iter()
        .map(|(kind, who)| statement(kind, &json!(who), Vec::new()))
        .collect()
}

/// Who a step shows assuming a role.
fn assumed(step: &Step, role: &str) -> Vec<(&'static str, String)> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let calls = step
        .asked
        .iter()
        .filter(|asked| text(asked.params.get("roleArn")).as_deref() == Some(role));
    calls
        .filter_map(|asked| {
            let identity = asked.record.get("userIdentity")?;
            let field = |name: &str| text(identity.get(name));
            match field("type")?.as_str() {
                "AWSService" => Some(("Service", field("invokedBy")?)),
                "SAMLUser" => Some(("SAML", text(asked.params.get("principalArn"))?)),
                "WebIdentityUser" => {
                    let (home, provider) = (&asked.recipient, field("identityProvider")?);
                    Some((
                        "OIDC",
                        format!("arn:aws:iam::{home}:oidc-provider/{provider}"),
                    ))
                }
                _ => Some(("AWS", format!("arn:aws:iam::{}:root", field("accountId")?))),
            }
        })
        .collect()
}

fn statement(kind: &str, who: &Value, conditions: Vec<(&str, Value)>) -> Value {
    let (kind, action) = match kind {
        "SAML" => ("Federated", "sts:AssumeRoleWithSAML"),
        "OIDC" => ("Federated", "sts:AssumeRoleWithWebIdentity"),
        other => (other, "sts:AssumeRole"),
    };
    let conditions: serde_json::Map<String, Value> = conditions
        .into_iter()
        .map(|(operator, keys)| (operator.to_owned(), keys))
        .collect();
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": {kind: who},
        "Action": [action, "sts:TagSession", "sts:SetSourceIdentity"],
    });
    if let (false, Value::Object(fields)) = (conditions.is_empty(), &mut statement) {
        fields.insert("Condition".to_owned(), Value::Object(conditions));
    }
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust_of(lines: &str, role: &str) -> String {
        let head = "account 111122223333 as prod\naccount 444455556666 as audit\n\
            user alice in prod key A\nrole app in prod\nrole look in audit\n";
        let trail = unchain_trail::Trail::parse(&format!("{head}{lines}")).unwrap();
        let script = trail.script();
        let role = script.cast.principals.iter().find(|p| p.name == role);
        document(&script, role.unwrap()).to_string()
    }

    #[test]
    fn a_role_trusts_its_account_and_whoever_assumes_it() {
        let trust = trust_of(
            "09:00 A AssumeRole audit/look -> B\n09:01 ec2.amazonaws.com AssumeRole app as instance:w -> C\n\
             09:02 idp okta AssumeRoleWithSAML app as x -> D\n09:03 A AssumeRole app denied",
            "look",
        );
        assert!(trust.contains("arn:aws:iam::444455556666:root"), "{trust}");
        assert!(trust.contains("arn:aws:iam::111122223333:root"), "{trust}");
        assert!(!trust.contains("ec2"), "{trust}");
        let trust = trust_of(
            "09:01 ec2.amazonaws.com AssumeRole app as instance:w -> C\n\
             09:02 idp okta AssumeRoleWithSAML app as x -> D",
            "app",
        );
        assert!(
            trust.contains(r#"{"Service":"ec2.amazonaws.com"}"#),
            "{trust}"
        );
        assert!(trust.contains("saml-provider/okta"), "{trust}");
    }

    #[test]
    fn a_trust_line_says_all() {
        let trust = trust_of(
            "trust app alice mfa required\n09:00 A AssumeRole app denied",
            "app",
        );
        assert!(
            trust.contains("user/alice") && trust.contains("MultiFactorAuthPresent"),
            "{trust}"
        );
        assert!(!trust.contains(":root"), "{trust}");
    }
}
