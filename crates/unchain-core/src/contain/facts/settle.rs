//! What single answers say together, and what is still missing.

use super::read::Answer;
use super::{Facts, details, organization, trails};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Answers that say something only together with others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answers {
    /// The parent of each account and organizational unit.
    pub parents: BTreeMap<String, String>,
    /// Ids of the service control policies attached to each root, unit and account that was asked about.
    pub attached: BTreeMap<String, BTreeSet<String>>,
    /// Documents of service control policies by id.
    pub scps: BTreeMap<String, Value>,
    /// The roots, and whether service control policies are enabled.
    pub roots: BTreeMap<String, bool>,
    /// The organization's accounts, with their status.
    pub members: BTreeMap<String, String>,
    /// Whether trails log, by ARN or by account and name.
    pub logging: BTreeMap<String, bool>,
    /// What trails record of management events, by ARN.
    pub recorded: BTreeMap<String, trails::Recorded>,
    /// Answers that come in pages, by call.
    pub pages: BTreeMap<String, Pages>,
    /// What the answers so far call for.
    pub awaited: BTreeSet<String>,
}

/// Pages of one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pages {
    /// Markers of the pages that were read; empty for the first.
    pub read: BTreeSet<String>,
    /// Markers of the pages that must be there.
    pub next: BTreeSet<String>,
}

impl Pages {
    fn is_whole(&self) -> bool {
        self.read.contains("") && self.next.is_subset(&self.read)
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.read.extend(other.read);
        self.next.extend(other.next);
    }
}

const DETAILS: &str = "iam GetAccountAuthorizationDetails";
const MARKERS: [&str; 3] = ["Marker", "NextToken", "nextToken"];
const LIMITS: [&str; 3] = ["MaxItems", "MaxResults", "pageSize"];

/// Remembers a page. An answer that is whole in itself needs no remembering but for the authorization details, which
/// tell that nobody else is there.
pub(super) fn page(facts: &mut Facts, call: &str, answer: Answer<'_>) {
    let token = |value: &Value| {
        let found = MARKERS.iter().filter_map(|name| value.get(name)?.as_str());
        found
            .filter(|text| !text.is_empty())
            .min()
            .map(str::to_owned)
    };
    let parameters = answer.parameters();
    let asked = parameters.and_then(|p| token(&Value::Object(p.clone())));
    let truncated = answer.value.get("IsTruncated") == Some(&Value::Bool(true));
    let next = token(answer.value).or_else(|| truncated.then(|| "a next page".to_owned()));
    let whole = call == DETAILS;
    if !whole && asked.is_none() && next.is_none() {
        return;
    }
    let account = if whole {
        details::account(answer)
    } else {
        answer.account.map(str::to_owned)
    };
    let about = parameters.into_iter().flatten().filter(|(name, _)| {
        !MARKERS.contains(&name.as_str()) && !LIMITS.contains(&name.as_str()) && !whole
    });
    let about: BTreeSet<String> = about
        .map(|(name, value)| format!(" {name} {value}"))
        .collect();
    let about: String = about.into_iter().collect();
    let key = format!("{call}{about} in {}", account.unwrap_or_default());
    let pages = facts.answers.pages.entry(key).or_default();
    pages.read.insert(asked.unwrap_or_default());
    pages.next.extend(next);
}

/// The key under which the pages of an account's authorization details are.
pub(super) fn details_key(account: &str) -> String {
    format!("{DETAILS} in {account}")
}

/// Draws the conclusions. It depends on what was read and not on the order.
pub(super) fn settle(facts: &mut Facts) {
    let mut awaited = BTreeSet::new();
    for (call, pages) in &facts.answers.pages {
        if !pages.is_whole() {
            awaited.insert(format!("the other pages of {call}"));
        }
    }
    for (id, account) in &mut facts.accounts {
        if let Some(pages) = facts.answers.pages.get(&details_key(id)) {
            account.authorization_details = pages.is_whole();
        }
    }
    organization::settle(facts, &mut awaited);
    trails::settle(facts, &mut awaited);
    for past in &facts.answers.awaited {
        facts.unread.remove(past);
    }
    facts.unread.extend(awaited.iter().cloned());
    facts.answers.awaited = awaited;
}
