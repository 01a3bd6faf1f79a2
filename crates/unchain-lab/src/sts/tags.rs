//! Session tags, source identity, and what of them a chain passes on
//! (docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::input::{Checks, TAG};
use crate::call::{Call, Fault};
use crate::session::Caller;

/// Session tags of one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Tags {
    /// Passed in the call.
    pub(super) passed: BTreeMap<String, String>,
    /// Keys of passed tags that go on along a chain.
    pub(super) transitive: Vec<String>,
    /// What the caller's own session passes on.
    pub(super) inherited: BTreeMap<String, String>,
}

impl Tags {
    /// Reads `Tags` and `TransitiveTagKeys`, and what the caller's session passes on.
    ///
    /// # Errors
    ///
    /// `ValidationError` for sizes, letters, repeated keys, reserved keys; `InvalidParameterValue` for a transitive
    /// key without its tag and for a tag that an earlier session made transitive.
    pub(super) fn read(call: &Call<'_>) -> Result<Self, Fault> {
        let mut tags = Self {
            inherited: passed_on(&call.caller),
            ..Self::default()
        };
        let mut checks = Checks::default();
        for tag in call.list("Tags") {
            let text = |name: &str| tag.get(name).and_then(Value::as_str).unwrap_or_default();
            tags.add((text("Key"), text("Value")), &mut checks)?;
        }
        let keys = call.list("TransitiveTagKeys").iter();
        tags.transitive = keys.filter_map(Value::as_str).map(str::to_owned).collect();
        checks.done()?;
        tags.check()?;
        Ok(tags)
    }

    /// Tags that a token or assertion carries.
    ///
    /// # Errors
    ///
    /// As [`Tags::read`].
    pub(super) fn claimed(
        claimed: impl Iterator<Item = (String, String)>,
        transitive: Vec<String>,
    ) -> Result<Self, Fault> {
        let mut tags = Self::default();
        let mut checks = Checks::default();
        for (key, value) in claimed {
            tags.add((&key, &value), &mut checks)?;
        }
        tags.transitive = transitive;
        checks.done()?;
        tags.check()?;
        Ok(tags)
    }

    fn add(&mut self, (key, value): (&str, &str), checks: &mut Checks) -> Result<(), Fault> {
        checks.length(("tags.1.member.key", key), (1, 128));
        checks.length(("tags.1.member.value", value), (0, 256));
        checks.pattern(("tags.1.member.key", key), TAG);
        checks.pattern(("tags.1.member.value", value), TAG);
        if key
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case("aws:"))
        {
            return Err(Fault::validation(
                "Tag keys may not start with reserved prefix: aws:",
            ));
        }
        if holds(self.passed.keys(), key) {
            return Err(Fault::validation(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        self.passed.insert(key.to_owned(), value.to_owned());
        if self.passed.len() > 50 {
            return Err(Fault::validation(
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length \
                 less than or equal to 50",
            ));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Fault> {
        if let Some(key) = self
            .transitive
            .iter()
            .find(|key| !holds(self.passed.keys(), key))
        {
            return Err(parameter(format!(
                "The specified transitive tag key must be included in the requested tags: {key}"
            )));
        }
        if self
            .passed
            .keys()
            .any(|key| holds(self.inherited.keys(), key))
        {
            return Err(parameter(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag \
                 key from the calling session.",
            ));
        }
        Ok(())
    }

    /// Whether the call needs `sts:TagSession`.
    pub(super) fn any(&self) -> bool {
        !self.passed.is_empty() || !self.inherited.is_empty()
    }

    /// The new session's tags.
    pub(super) fn all(&self) -> BTreeMap<String, String> {
        let mut all = self.inherited.clone();
        all.extend(self.passed.clone());
        all
    }

    /// Which of them go on.
    pub(super) fn all_transitive(&self) -> Vec<String> {
        let inherited = self.inherited.keys();
        inherited.chain(&self.transitive).cloned().collect()
    }

    /// `aws:RequestTag/…`, `aws:TagKeys` and `sts:TransitiveTagKeys`.
    pub(super) fn context(&self) -> Vec<(String, Vec<String>)> {
        let tags = self.passed.iter();
        let mut keys: Vec<_> = tags
            .map(|(key, value)| (format!("aws:RequestTag/{key}"), vec![value.clone()]))
            .collect();
        if !self.passed.is_empty() {
            keys.push((
                "aws:TagKeys".to_owned(),
                self.passed.keys().cloned().collect(),
            ));
        }
        if !self.transitive.is_empty() {
            keys.push(("sts:TransitiveTagKeys".to_owned(), self.transitive.clone()));
        }
        keys
    }

    /// Adds `tags`, `transitiveTagKeys` and `incomingTransitiveTags` to CloudTrail's `requestParameters`.
    pub(super) fn record(&self, request: &mut Map<String, Value>) {
        if !self.passed.is_empty() {
            let tags = self.passed.iter();
            let tags: Vec<_> = tags
                .map(|(key, value)| json!({"key": key, "value": value}))
                .collect();
            request.insert("tags".to_owned(), json!(tags));
        }
        if !self.transitive.is_empty() {
            request.insert("transitiveTagKeys".to_owned(), json!(self.transitive));
        }
        if !self.inherited.is_empty() {
            request.insert("incomingTransitiveTags".to_owned(), json!(self.inherited));
        }
    }
}

fn parameter(message: impl Into<String>) -> Fault {
    Fault::api(400, "InvalidParameterValue", message)
}

/// Keys of tags are compared without regard to case.
fn holds<'a>(mut keys: impl Iterator<Item = &'a String>, key: &str) -> bool {
    let key = key.to_lowercase();
    keys.any(|other| other.to_lowercase() == key)
}

fn passed_on(caller: &Caller) -> BTreeMap<String, String> {
    let Some(session) = &caller.session else {
        return BTreeMap::new();
    };
    let tags = session.tags.iter();
    tags.filter(|(key, _)| holds(session.transitive.iter(), key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The source identity of the new session: the caller's, which a chain cannot change
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html), or the one asked for.
///
/// # Errors
///
/// `AccessDenied` when another one is asked for than the caller's session has.
pub(super) fn source_identity(
    caller: &Caller,
    asked: Option<String>,
) -> Result<Option<String>, Fault> {
    let inherited = caller
        .session
        .as_ref()
        .and_then(|session| session.source_identity.clone());
    match (inherited, asked) {
        (Some(inherited), Some(asked)) if inherited != asked => Err(Fault::denied(
            "The source identity of the calling session cannot be changed",
        )),
        (inherited, asked) => Ok(inherited.or(asked)),
    }
}
