//! From a policy to JSON.

use crate::policy::{Effect, Patterns, Policy, Statement, Version};
use crate::principal::{NamedPrincipals, PrincipalElement};
use serde_json::{Map, Value};

pub(crate) fn policy(policy: &Policy) -> Value {
    let mut object = Map::new();
    put_text(&mut object, "Version", policy.version.map(Version::as_str));
    put_text(&mut object, "Id", policy.id());
    let statements = policy.statements.iter().map(statement);
    object.insert("Statement".to_owned(), statements.collect());
    Value::Object(object)
}

fn put_text(object: &mut Map<String, Value>, element: &str, text: Option<&str>) {
    if let Some(text) = text {
        object.insert(element.to_owned(), Value::from(text));
    }
}

fn statement(statement: &Statement) -> Value {
    let mut object = Map::new();
    put_text(&mut object, "Sid", statement.sid());
    let effect = match statement.effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    put_text(&mut object, "Effect", Some(effect));
    if let Some(element) = &statement.principal {
        let name = if element.negated {
            "NotPrincipal"
        } else {
            "Principal"
        };
        object.insert(name.to_owned(), principal(element));
    }
    put_patterns(&mut object, ("Action", "NotAction"), &statement.action);
    if let Some(resource) = &statement.resource {
        put_patterns(&mut object, ("Resource", "NotResource"), resource);
    }
    if !statement.conditions.is_empty() {
        object.insert("Condition".to_owned(), conditions(statement));
    }
    Value::Object(object)
}

fn put_patterns(object: &mut Map<String, Value>, names: (&str, &str), patterns: &Patterns) {
    let name = if patterns.negated { names.1 } else { names.0 };
    let texts = patterns.any_of.iter().map(|pattern| pattern.text.as_str());
    object.insert(name.to_owned(), list(texts));
}

/// One value stands alone, as AWS's own documents write it.
fn list<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    let mut values: Vec<Value> = texts.map(Value::from).collect();
    match values.pop() {
        Some(only) if values.is_empty() => only,
        last => {
            values.extend(last);
            Value::Array(values)
        }
    }
}

fn principal(element: &PrincipalElement) -> Value {
    let listed = match &element.named {
        NamedPrincipals::Everyone => return Value::from("*"),
        NamedPrincipals::Listed(listed) => listed,
    };
    let mut map = Map::new();
    if !listed.aws.is_empty() {
        map.insert(
            "AWS".to_owned(),
            list(listed.aws.iter().map(|entry| entry.text.as_str())),
        );
    }
    let others = [
        ("Service", &listed.service),
        ("Federated", &listed.federated),
        ("CanonicalUser", &listed.canonical_user),
    ];
    for (name, texts) in others {
        if !texts.is_empty() {
            map.insert(name.to_owned(), list(texts.iter().map(String::as_str)));
        }
    }
    Value::Object(map)
}

fn conditions(statement: &Statement) -> Value {
    let mut operators = Map::new();
    for condition in &statement.conditions {
        let keys = operators
            .entry(condition.name.as_str())
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(keys) = keys {
            keys.insert(
                condition.key.clone(),
                list(condition.values.iter().map(String::as_str)),
            );
        }
    }
    Value::Object(operators)
}
