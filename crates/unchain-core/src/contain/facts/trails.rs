//! CloudTrail: which trails there are, and whether they record what a lineage is told by.

use super::read::{Answer, account_of, items, named, text};
use super::{Facts, FactsError};
use crate::deed::listed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// A trail (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Trail.html).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// Where it was made.
    pub home_region: String,
    /// Whether it records every region.
    pub multi_region: bool,
    /// Whether it records IAM, STS and the other global services.
    pub global_events: bool,
    /// Whether digests of the log files are written.
    pub validated: bool,
    /// Whether it records every account of the organization.
    pub organization: bool,
    /// Whether it is recording; from `GetTrailStatus`.
    pub logging: Option<bool>,
    /// What it records; from `GetEventSelectors`.
    pub recorded: Option<Recorded>,
}

/// What a trail records of management events
/// (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html). Where only some are selected
/// by who called, the answer is no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recorded {
    /// Calls that issue credentials. `AssumeRole` and its like are read events.
    pub issuing: bool,
    /// Calls that change credentials and permissions, which are write events of IAM.
    pub changing: bool,
}

/// What an event of each kind is, by the fields of a selector.
const ISSUING: [(&str, &str); 5] = [
    ("eventCategory", "Management"),
    ("readOnly", "true"),
    ("eventSource", "sts.amazonaws.com"),
    ("eventName", "AssumeRole"),
    ("eventType", "AwsApiCall"),
];
const CHANGING: [(&str, &str); 5] = [
    ("eventCategory", "Management"),
    ("readOnly", "false"),
    ("eventSource", "iam.amazonaws.com"),
    ("eventName", "CreateAccessKey"),
    ("eventType", "AwsApiCall"),
];

pub(super) fn described(facts: &mut Facts, answer: Answer<'_>) -> Result<(), FactsError> {
    let arns = || items(answer.value, "trailList").map(|trail| text(trail, "TrailARN"));
    let first = arns().find_map(|arn| account_of(&arn).map(str::to_owned));
    let account = answer.account.map(str::to_owned).or(first);
    let account = account.ok_or(FactsError::NoAccount)?;
    let here = facts.accounts.entry(account).or_default();
    here.trails_read = true;
    for item in items(answer.value, "trailList") {
        let is = |name: &str| item.get(name) == Some(&Value::Bool(true));
        let Some(arn) = named(item, "TrailARN") else {
            continue;
        };
        let trail = here.trails.entry(arn).or_default();
        trail.name = text(item, "Name");
        trail.home_region = text(item, "HomeRegion");
        trail.multi_region = is("IsMultiRegionTrail");
        trail.global_events = is("IncludeGlobalServiceEvents");
        trail.validated = is("LogFileValidationEnabled");
        trail.organization = is("IsOrganizationTrail");
    }
    Ok(())
}

pub(super) fn status(facts: &mut Facts, answer: Answer<'_>) -> Result<(), FactsError> {
    let name = answer.asked("Name").or_else(|| answer.asked("TrailARN"));
    let name = name.ok_or(FactsError::NoSubject)?;
    let key = match answer.account {
        _ if name.starts_with("arn:") => name.to_owned(),
        Some(account) => key(account, name),
        None => return Err(FactsError::NoAccount),
    };
    let logging = answer.value.get("IsLogging").and_then(Value::as_bool);
    facts
        .answers
        .logging
        .extend(logging.map(|logging| (key, logging)));
    Ok(())
}

fn key(account: &str, name: &str) -> String {
    format!("{account}/{name}")
}

pub(super) fn selectors(facts: &mut Facts, answer: Answer<'_>) -> Result<(), FactsError> {
    let arn = answer.asked("TrailARN").ok_or(FactsError::NoSubject)?;
    let simple = || items(answer.value, "EventSelectors");
    let advanced = || items(answer.value, "AdvancedEventSelectors");
    let records = |event: &[(&str, &str)]| {
        simple().any(|selector| by_type(selector, event))
            || advanced().any(|selector| by_fields(selector, event))
    };
    let recorded = Recorded {
        issuing: records(&ISSUING),
        changing: records(&CHANGING),
    };
    facts.answers.recorded.insert(arn.to_owned(), recorded);
    Ok(())
}

fn value_of<'e>(event: &[(&str, &'e str)], field: &str) -> Option<&'e str> {
    let found = event.iter().find(|(name, _)| *name == field);
    found.map(|(_, value)| *value)
}

/// A basic selector (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html): all management
/// events unless it says otherwise.
fn by_type(selector: &Value, event: &[(&str, &str)]) -> bool {
    let other = match value_of(event, "readOnly") {
        Some("true") => "WriteOnly",
        _ => "ReadOnly",
    };
    let source = value_of(event, "eventSource").unwrap_or_default();
    let excluded = items(selector, "ExcludeManagementEventSources");
    selector.get("IncludeManagementEvents") != Some(&Value::Bool(false))
        && text(selector, "ReadWriteType") != other
        && !excluded.filter_map(Value::as_str).any(|e| e == source)
}

/// An advanced selector: every field must agree.
fn by_fields(selector: &Value, event: &[(&str, &str)]) -> bool {
    let mut fields = items(selector, "FieldSelectors").peekable();
    fields.peek().is_some()
        && fields.all(|field| {
            let value = value_of(event, &text(field, "Field"));
            value.is_some_and(|value| agrees(field, value))
        })
}

type Compare = fn(&str, &str) -> bool;

fn agrees(field: &Value, value: &str) -> bool {
    let compare: [(&str, &str, Compare); 3] = [
        ("Equals", "NotEquals", |a, b| a == b),
        ("StartsWith", "NotStartsWith", |a, b| a.starts_with(b)),
        ("EndsWith", "NotEndsWith", |a, b| a.ends_with(b)),
    ];
    compare.iter().all(|(is, is_not, compare)| {
        let any = |name: &str| {
            let texts: Vec<&str> = field
                .get(name)
                .map(listed)?
                .iter()
                .filter_map(|v| v.as_str())
                .collect();
            (!texts.is_empty()).then(|| texts.iter().any(|text| compare(value, text)))
        };
        any(is).unwrap_or(true) && !any(is_not).unwrap_or(false)
    })
}

/// Gives every trail what was told of it, also where the trail of an organization is seen from a member.
pub(super) fn settle(facts: &mut Facts, awaited: &mut BTreeSet<String>) {
    let answers = &facts.answers;
    for account in facts.accounts.values_mut() {
        for (arn, trail) in &mut account.trails {
            let owner = account_of(arn).unwrap_or_default();
            let logging = answers.logging.get(arn);
            let logging = logging.or_else(|| answers.logging.get(&key(owner, &trail.name)));
            trail.logging = logging.copied().or(trail.logging);
            trail.recorded = answers.recorded.get(arn).copied().or(trail.recorded);
            if trail.logging.is_none() {
                awaited.insert(format!("the status of {arn}"));
            }
            if trail.recorded.is_none() {
                awaited.insert(format!("the event selectors of {arn}"));
            }
        }
    }
}
