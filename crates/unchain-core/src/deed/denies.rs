//! What a policy document written in a log takes away: only denials of everything count here.
//!
//! The full policy language is another crate's; this reads just the shapes that end sessions
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html and
//! …/id_credentials_temp_control-access_disable-perms.html).

use super::{Attribute, Value as Kept};
use crate::time::Timestamp;
use serde_json::Value;
use std::borrow::Cow;

/// The denials of everything in a policy document, as attributes. A deny that also depends on other
/// conditions, or covers only some actions or resources, is not one: then sessions may still work.
pub(super) fn denies<'a>(document: &str) -> Vec<(Attribute, Kept<'a>)> {
    let Some(policy) = parse(document) else {
        return Vec::new();
    };
    let statements = policy.get("Statement").map(listed).unwrap_or_default();
    statements.into_iter().filter_map(deny).flatten().collect()
}

/// Whether a policy document has a statement that allows every action on every resource, whatever its
/// conditions (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html).
pub fn allows_everything(document: &str) -> bool {
    let policy = parse(document).unwrap_or_default();
    let statements = policy.get("Statement").map(listed).unwrap_or_default();
    statements.into_iter().any(|statement| {
        let every = |name: &str, all: &[&str]| {
            let values = statement.get(name).map(listed).unwrap_or_default();
            values
                .into_iter()
                .any(|value| value.as_str().is_some_and(|text| all.contains(&text)))
        };
        statement.get("Effect").and_then(Value::as_str) == Some("Allow")
            && every("Action", &["*", "*:*"])
            && every("Resource", &["*"])
    })
}

/// Policies are logged as JSON text, sometimes percent-encoded.
pub(crate) fn parse(document: &str) -> Option<Value> {
    serde_json::from_str(document)
        .ok()
        .or_else(|| serde_json::from_str(&percent_decoded(document)).ok())
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let pair = (byte == b'%').then(|| (rest.next(), rest.next()));
        match pair {
            Some((Some(high), Some(low))) => {
                let digit = |b: u8| {
                    char::from(b)
                        .to_digit(16)
                        .and_then(|d| u8::try_from(d).ok())
                };
                if let (Some(high), Some(low)) = (digit(high), digit(low)) {
                    bytes.push(high << 4 | low);
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A member of a policy that may be one thing or a list.
pub(crate) fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

fn deny<'a>(statement: &Value) -> Option<Vec<(Attribute, Kept<'a>)>> {
    let everything = |name: &str| {
        statement
            .get(name)
            .is_some_and(|v| listed(v).iter().any(|v| v.as_str() == Some("*")))
    };
    if statement.get("Effect")?.as_str()? != "Deny"
        || !everything("Action")
        || !everything("Resource")
    {
        return None;
    }
    let conditions = match statement.get("Condition") {
        None => return Some(vec![(Attribute::DenyAll, Kept::Number(1))]),
        Some(Value::Object(conditions)) if conditions.is_empty() => {
            return Some(vec![(Attribute::DenyAll, Kept::Number(1))]);
        }
        Some(conditions) => conditions.as_object()?,
    };
    // Two operators or two keys must both hold, so the deny is narrower than either alone.
    let mut operators = conditions.iter();
    let (operator, keys) = (operators.next()?, operators.next());
    if keys.is_some() {
        return None;
    }
    let (operator, keys) = operator;
    let mut keys = keys.as_object()?.iter();
    let (key, value) = keys.next()?;
    keys.next()
        .is_none()
        .then(|| condition(operator, &key.to_ascii_lowercase(), value))
}

fn condition<'a>(operator: &str, key: &str, value: &Value) -> Vec<(Attribute, Kept<'a>)> {
    let texts = listed(value).into_iter().filter_map(Value::as_str);
    match (operator, key) {
        ("DateLessThan" | "DateLessThanEquals", "aws:tokenissuetime") => texts
            .filter_map(Timestamp::parse)
            .map(|t| {
                // An exact cut at a fraction of a second still covers that second's tokens only with
                // "less or equal"; logs have whole seconds.
                let inclusive = i64::from(operator == "DateLessThanEquals");
                (
                    Attribute::DenyBefore,
                    Kept::Number(crate::time::seconds(t.plus(inclusive))),
                )
            })
            .collect(),
        ("StringEquals" | "StringLike" | "StringEqualsIgnoreCase", "aws:userid") => texts
            .map(|t| (Attribute::DenyUserId, Kept::Text(Cow::Owned(t.to_owned()))))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_allow_of_everything_allows_everything() {
        let of = |statement: &str| allows_everything(&format!(r#"{{"Statement":{statement}}}"#));
        assert!(of(
            r#"{"Effect":"Allow","Action":["s3:*","*"],"Resource":["*"]}"#
        ));
        assert!(of(
            r#"[{"Effect":"Deny","Action":"*","Resource":"*"},{"Effect":"Allow","Action":"*:*","Resource":"*"}]"#
        ));
        assert!(!of(r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#));
        assert!(!of(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#));
        assert!(!of(
            r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::a"}"#
        ));
        assert!(!allows_everything("*"));
    }

    #[test]
    fn only_denials_of_everything_count() {
        let revoke = r#"{"Statement":{"Effect":"Deny","Action":["*"],"Resource":["*"],
            "Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02T03:04:05.000Z"}}}}"#;
        let cut = Timestamp::parse("2026-01-02T03:04:05Z")
            .map(crate::time::seconds)
            .unwrap();
        assert_eq!(denies(revoke), [(Attribute::DenyBefore, Kept::Number(cut))]);
        let all = r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
        assert_eq!(denies(all), [(Attribute::DenyAll, Kept::Number(1))]);
        let some = r#"{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
        assert_eq!(denies(some), []);
        let narrowed = r#"{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{
            "DateLessThan":{"aws:TokenIssueTime":"2026-01-02T03:04:05Z"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}"#;
        assert_eq!(denies(narrowed), []);
        assert_eq!(denies("not a policy"), []);
        let encoded = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Deny%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
        assert_eq!(denies(encoded), [(Attribute::DenyAll, Kept::Number(1))]);
    }
}
