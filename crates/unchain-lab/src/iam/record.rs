//! What CloudTrail is not told: parameters and values that are secrets.

use serde_json::{Map, Value};

use crate::call::{Call, Recorded, Reply, lower_first};

/// The call's parameters as CloudTrail writes them, without those named.
pub(super) fn request_without(call: &Call<'_>, hidden: &[&str]) -> Value {
    let kept: Map<String, Value> = call
        .params
        .iter()
        .filter(|(name, _)| !hidden.contains(&name.as_str()))
        .map(|(name, value)| (lower_first(name), flag(name, value)))
        .collect();
    if kept.is_empty() {
        return Value::Null;
    }
    Value::Object(kept)
}

/// A reply with no value whose parameters hold a secret.
pub(super) fn quiet(call: &Call<'_>, hidden: &[&str]) -> Reply {
    Reply {
        recorded: Recorded {
            request: Some(request_without(call, hidden)),
            ..Recorded::default()
        },
        ..Reply::default()
    }
}

/// A reply of one object under a name, some of whose fields CloudTrail must not have.
pub(super) fn hiding(name: &str, mut object: Map<String, Value>, hidden: &[&str]) -> Reply {
    let value = Value::Object(Map::from_iter([(
        name.to_owned(),
        Value::Object(object.clone()),
    )]));
    object.retain(|field, _| !hidden.contains(&field.as_str()));
    let told = Map::from_iter([(lower_first(name), camel(&Value::Object(object)))]);
    Reply {
        recorded: Recorded {
            response: Some(Value::Object(told)),
            ..Recorded::default()
        },
        ..Reply::of(value)
    }
}

/// The query protocol has only text; CloudTrail writes a choice as a boolean.
fn flag(name: &str, value: &Value) -> Value {
    match value.as_str() {
        Some(text) if name.ends_with("Required") => Value::Bool(text == "true"),
        _ => camel(value),
    }
}

fn camel(value: &Value) -> Value {
    if let Some(at) = value.get("$time").and_then(Value::as_i64) {
        return Value::String(date(at));
    }
    match value {
        Value::Array(items) => items.iter().map(camel).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (lower_first(name), camel(value)))
            .collect(),
        other => other.clone(),
    }
}

/// An instant as CloudTrail writes it in `responseElements`: `Nov 22, 2026, 9:46:15 PM`, UTC.
fn date(seconds: i64) -> String {
    let at = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    at.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string()
}
