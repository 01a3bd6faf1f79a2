//! What trust policies should ask and do not.
//!
//! docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user.html (MFA, external id),
//! …/id_credentials_temp_control-access_monitor.html (source identity), …/id_roles_manage-assume.html (the longest
//! session) and …/id_roles_providers_create_oidc.html (GitHub).

use super::super::facts::{Account, Facts, Role};
use super::super::plan::trust_names;
use super::controls::Found;
use crate::deed::listed;
use serde_json::Value;
use std::collections::BTreeSet;

/// Seconds of a session that a role allows when it is made.
const HOUR: u32 = 3_600;

pub(super) fn controls(facts: &Facts, (id, account): (&str, &Account), found: &mut Found) {
    for role in account.roles.values() {
        one(facts, role, found);
    }
    let people: Vec<&Role> = account
        .roles
        .values()
        .filter(|role| for_people(facts, role))
        .collect();
    let names = |test: &dyn Fn(&Role) -> bool| -> BTreeSet<&str> {
        let matching = people.iter().filter(|role| test(role));
        matching.map(|role| role.arn.as_str()).collect()
    };
    let without =
        names(&|role| statements(facts, role).any(|s| !has_condition(s, "aws:MultiFactorAuth")));
    let missing = "whoever has a user's key can take these roles: their trust does not ask for MFA";
    let fix = "ask for aws:MultiFactorAuthPresent in the trust policies";
    found.of("role-without-mfa", (id, without), (missing, fix));
    let long = names(&|role| role.max_session.is_some_and(|seconds| seconds > HOUR));
    let missing = "sessions of these roles may last longer than an hour";
    let fix = "set MaxSessionDuration to 3600, and take the role again when it is over";
    found.of("long-sessions", (id, long), (missing, fix));
    let open = names(&|role| !asks(role, "sts:SourceIdentity"));
    let missing = "sessions of these roles need not say who began them: a chain of sessions does not name its origin";
    let fix = "allow sts:SetSourceIdentity, and ask for sts:SourceIdentity in the trust policies";
    found.of("no-source-identity", (id, open), (missing, fix));
}

fn asks(role: &Role, key: &str) -> bool {
    role.trust.to_string().contains(key)
}

/// Statements that allow, of a trust policy.
fn allowing(role: &Role) -> impl Iterator<Item = &Value> {
    let all = role.trust.get("Statement").map(listed).unwrap_or_default();
    all.into_iter()
        .filter(|s| s.get("Effect").and_then(Value::as_str) == Some("Allow"))
}

fn has_condition(statement: &Value, key: &str) -> bool {
    let condition = statement.get("Condition").map(Value::to_string);
    condition.is_some_and(|text| {
        text.to_ascii_lowercase()
            .contains(&key.to_ascii_lowercase())
    })
}

/// Statements by which users of the known accounts can take a role: those that name users or whole accounts, and ask
/// for no external id, which no person has.
fn statements<'r>(facts: &'r Facts, role: &'r Role) -> impl Iterator<Item = &'r Value> {
    let names = |statement: &'r Value| {
        let principal = statement.get("Principal").and_then(|p| p.get("AWS"));
        let names = principal.map(listed).unwrap_or_default();
        names.into_iter().filter_map(Value::as_str)
    };
    allowing(role).filter(move |statement| {
        !has_condition(statement, "sts:ExternalId")
            && names(statement).any(|name| is_for_people(name) && is_known(facts, role, name))
    })
}

fn is_for_people(name: &str) -> bool {
    name.contains(":user/") || name.ends_with(":root") || !name.contains(':') && name != "*"
}

/// Roles that AWS made are not for anybody to change.
fn for_people(facts: &Facts, role: &Role) -> bool {
    !role.arn.contains(":role/aws-service-role/")
        && !role.arn.contains(":role/aws-reserved/")
        && statements(facts, role).next().is_some()
}

fn is_known(facts: &Facts, role: &Role, name: &str) -> bool {
    let own = role.arn.split(':').nth(4).unwrap_or_default();
    let account = name.split(':').nth(4).unwrap_or(name);
    account == own
        || facts.accounts.contains_key(account)
        || facts.answers.members.contains_key(account)
        || !facts.scps(account).is_empty()
}

/// Beginnings of condition keys that say who may come, or from where: MFA, a time or an encrypted connection anybody at
/// AWS can have.
const LIMITS: [&str; 3] = ["aws:Principal", "aws:Source", "sts:ExternalId"];

fn is_everybody(statement: &Value) -> bool {
    let principal = match statement.get("Principal") {
        Some(everyone @ Value::String(_)) => Some(everyone),
        Some(object) => object.get("AWS"),
        None => return statement.get("NotPrincipal").is_some(),
    };
    let names = principal.map(listed).unwrap_or_default();
    names.into_iter().any(|name| name.as_str() == Some("*"))
}

/// What a single role lacks.
fn one(facts: &Facts, role: &Role, found: &mut Found) {
    let about = role.arn.as_str();
    let names = trust_names(&role.trust, "AWS");
    if allowing(role).any(|s| is_everybody(s) && !LIMITS.iter().any(|key| has_condition(s, key))) {
        let missing = "anybody at AWS can take the role";
        let fix = "name the accounts or roles that may";
        found.add("trust-everybody", about, (missing, fix));
    } else if names.iter().any(|name| !is_known(facts, role, name))
        && !asks(role, "sts:ExternalId")
        && !asks(role, "aws:PrincipalOrgID")
    {
        let missing = "another account can take the role for whoever asks it to";
        let fix = "ask for sts:ExternalId, or for aws:PrincipalOrgID";
        found.add("trust-without-external-id", about, (missing, fix));
    }
    let github = trust_names(&role.trust, "Federated")
        .iter()
        .any(|name| name.contains("token.actions.githubusercontent.com"));
    if github && !asks(role, "token.actions.githubusercontent.com:sub") {
        let missing = "a workflow of any repository can take the role";
        let fix = "ask for token.actions.githubusercontent.com:sub";
        found.add("trust-any-repository", about, (missing, fix));
    }
}
