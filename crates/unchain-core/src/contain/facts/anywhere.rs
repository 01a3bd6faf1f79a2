//! IAM Roles Anywhere: trust anchors and profiles.

use super::Facts;
use super::read::{at, items, text, texts};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// A profile of Roles Anywhere: which roles a certificate is given
/// (docs.aws.amazon.com/rolesanywhere/latest/APIReference/API_ProfileDetail.html).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnywhereProfile {
    /// Whether sessions can be had by it.
    pub enabled: bool,
    /// ARNs of the roles.
    pub roles: BTreeSet<String>,
    /// The longest session in seconds.
    pub duration: Option<u32>,
}

pub(super) fn read(facts: &mut Facts, value: &Value) {
    let enabled = |item: &Value| item.get("enabled") == Some(&Value::Bool(true));
    for item in items(value, "trustAnchors") {
        let arn = text(item, "trustAnchorArn");
        if let Some(here) = at(facts, &arn) {
            here.trust_anchors.insert(arn, enabled(item));
        }
    }
    for item in items(value, "profiles") {
        let arn = text(item, "profileArn");
        let duration = item.get("durationSeconds").and_then(Value::as_u64);
        let profile = AnywhereProfile {
            enabled: enabled(item),
            roles: texts(item, "roleArns"),
            duration: duration.and_then(|seconds| u32::try_from(seconds).ok()),
        };
        if let Some(here) = at(facts, &arn) {
            here.profiles.insert(arn, profile);
        }
    }
}
