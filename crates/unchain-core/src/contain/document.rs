//! A plan as a document: `plan.json`, and the digest by which it is approved.

use super::plan::{PLAN_VERSION, Plan};
use crate::text::Untrusted;
use crate::time::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Why a document is not a plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The text is not JSON, or not of the form of a plan.
    #[error("the document is not a plan")]
    Json(#[from] serde_json::Error),
    /// Another version of the program made it.
    #[error("the plan is of version {found}; this program reads version {PLAN_VERSION}")]
    Version {
        /// The document's version.
        found: u64,
    },
}

/// A plan as JSON text: the same plan gives the same bytes.
///
/// # Errors
///
/// When the serializer fails, which no plan makes it do.
pub fn to_json(plan: &Plan) -> Result<String, DocumentError> {
    let mut text = serde_json::to_string_pretty(&sorted(serde_json::to_value(plan)?))?;
    text.push('\n');
    Ok(text)
}

/// Reads a plan.
///
/// # Errors
///
/// When the text is not a plan, or one of another version.
pub fn from_json(text: &str) -> Result<Plan, DocumentError> {
    let value: Value = serde_json::from_str(text)?;
    let found = value
        .get("version")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    if found != u64::from(PLAN_VERSION) {
        return Err(DocumentError::Version { found });
    }
    Ok(serde_json::from_value(value)?)
}

/// SHA-256 over the canonical JSON of a plan (members sorted by name, no white space), in hexadecimal digits.
///
/// # Errors
///
/// When the serializer fails, which no plan makes it do.
pub fn digest(plan: &Plan) -> Result<String, DocumentError> {
    Ok(hash(plan)?)
}

/// SHA-256 over the canonical JSON of anything.
pub(super) fn hash(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(&sorted(serde_json::to_value(value)?))?;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

/// The same value with the members of every object in order of their names.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(String, Value)> = map.into_iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name, sorted(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

impl<'de> Deserialize<'de> for Untrusted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(String::deserialize(deserializer)?))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a time"))
    }
}
